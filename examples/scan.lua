-- SPDX-License-Identifier: MIT
-- A content scanner on an NTFS volume: the filter asks its client, which is this scenario, through a communication port; a program opens files.

-- A volume of our own, by ntfs-3g's mkntfs.
local disk = fltvm.temp("ntfs.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local said, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, "a volume is made" .. (status ~= 0 and ": " .. said or ""))

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
for name, text in pairs{ ["letter.txt"] = "a friendly letter", ["worm.exe"] = "a worm in it" } do
  local file = vm:open(ROOT .. name, { disposition = "create" })
  file:write(0, text)
  file:close()
end

-- The INF has the extensions that are looked at, as a value of the service.
local filter = vm:load{ inf = "scan/scan.inf", source = "scan/scan.c" }
local port = vm:port([[\ScanPort]])

-- A program in user mode opens the file; in its pre-create the filter waits for what we answer.
local function open(name)
  local program = vm:process{ program = "scan/touch.c", flags = { '-DNAME=L"' .. name .. '"' } }
  local message = port:get()
  local length = string.unpack("<I4", message.data)
  local contents = message.data:sub(9, 8 + length)
  local safe = not contents:find("worm", 1, true)
  note(("%s: asked about %q, safe: %s"):format(name, contents, safe))
  port:reply(message, safe and "\1" or "\0")
  return program:wait()
end
expect_equal(open("letter.txt"), 0, "a program reads the letter")
expect_equal(open("worm.exe"), 0xC0000022, "and is denied the worm")
vm:expect_log("scan: foul, the open is undone", "the filter has undone the open")
port:close()

-- The same client as a program, which is what comes with such a filter: scan/client.c.
local client = vm:process{ program = "scan/client.c" }
while vm:ports()[1].connections == 0 do vm:sleep(1) end
local function touch(name) return vm:process{ program = "scan/touch.c", flags = { '-DNAME=L"' .. name .. '"' } }:wait() end
expect_equal(touch("letter.txt"), 0, "by the program, too, the letter is read")
expect_equal(touch("worm.exe"), 0xC0000022, "and the worm is not")
filter:unload()         -- ends the connection, and the client sees it
expect_equal(client:wait(), 2, "it has answered two")
