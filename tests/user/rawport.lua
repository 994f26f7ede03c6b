-- SPDX-License-Identifier: GPL-2.0-or-later
-- A message callback gets the program's own buffers: rawport.c, rawclient.c.  One that touches them without __try is named.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../inc/guilty.lua")(folder .. "rawport.c")
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local filter = vm:load{ source = "rawport.c", altitude = "370030" }
expect_equal(vm:process{ name = [[\client.exe]], program = "rawclient.c" }:wait(), 0x600D, "addresses of all kinds")
-- A process of the script's: its buffers are its own, too.  The kernel's are copied.
local port = vm:process{ name = [[\scripted.exe]] }:port{ name = [[\RawPort]] }
local _, at = string.unpack("<I8I8", port:send("raw", 16))
expect(at ~= 0 and at < 1 << 47, "an address of the process's")
port:close()
port = vm:port{ name = [[\RawPort]], user = "kernel" }
_, at = string.unpack("<I8I8", port:send("raw", 16))
expect(at < 0, "an address of the kernel's")
port:close()
filter:unload()
vm:load{ source = "rawport.c", altitude = "370030", flags = { "-DCARELESS" } }
expect_bugcheck{ driver = "rawport.sys", routine = "Message", line = guilty[1], what = "who is careless is named", quiet = true,
  function() vm:process{ name = [[\client.exe]], program = "rawclient.c" }:wait() end }
