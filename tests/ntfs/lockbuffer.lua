-- SPDX-License-Identifier: GPL-2.0-or-later
-- Filters that lock the buffer of a read which has been done: lockbuffer.c.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local file = vm:open(ROOT .. "a.txt", { disposition = "create" })
file:write(0, ("x"):rep(9000))
file:close()
local filter = vm:load{ source = "lockbuffer.c", instances = { high = "200", low = { altitude = "100", flags = 1 } }, default_instance = "high" }
vm:attach{ filter = "lockbuffer", volume = "\\Device\\HarddiskVolume1", instance = "low" }
file = vm:open(ROOT .. "a.txt", { access = "r", buffered = false })
for _, length in ipairs{ 4096, 8192, 512 } do expect_equal(#file:read(0, length), length, "past the cache") end
file:close()
file = vm:open(ROOT .. "a.txt", { access = "r" })
expect_equal(#file:read(0, 5000), 5000, "cached")
file:close()
expect_equal(vm:process{ program = "readfile.c" }:wait(), 0, "a program's, both ways")
filter:unload()
vm:expect_log("lockbuffer: looked 12 found 10", "looked at by both: the upper always finds the lower's, or NTFS's")
