-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files and streams that have gone from the disk, for filters that still have their file objects: gone.c.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local filter = vm:load{ source = "gone.c", altitude = "100" }
local function make(name, length)
  local file = vm:open(ROOT .. name, { disposition = "create", access = "rw delete" })
  file:write(0, ("x"):rep(length))
  file:flush()
  return file
end
for _, length in ipairs{ 100, 100000 } do -- in the record; in clusters
  local file = make("a.txt", length)
  file:delete()
  file:close()
end
local file = make("b.txt:stream", 5000)
file:delete()
file:close()
file = vm:open(ROOT .. "b.txt", { access = "r" })
expect_equal(#file:streams(), 1, "the stream has gone, the file has not")
file:close()
-- One of two names is not the file: others go on.
file = make("c.txt", 5000)
file:link("d.txt")
local other = vm:open(ROOT .. "d.txt", { access = "rw" })
filter:unload()
file:delete()
file:close()
expect_equal(#other:read(0, 8192), 5000, "what has a name left is read")
other:write(0, "y")
other:close()
