-- SPDX-License-Identifier: GPL-2.0-or-later
-- A create that a filter pends and then sends to another name goes on in the thread that brought it; so does one that a filter has
-- sent below its instance, which stays below it.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk } } }
local ROOT = [[\Device\HarddiskVolume1\]]
vm:open(ROOT .. "dir", { access = "r", disposition = "create", options = "directory" }):close()
local file = vm:open(ROOT .. "dir\\file", { disposition = "create" })
file:write(0, "xyz")
file:close()
local filter = vm:load{ source = "pended.c", default_instance = "high", instances = { high = "300", low = "100" } }
local function seen(since)
  local found = {}
  for _, line in ipairs(vm:log(since)) do found[#found + 1] = line:match("pended: (.*)") end
  return found
end

local since = #vm:log()
file = vm:open(ROOT .. "pended", { access = "r" })
expect_equal(file:read(0, 10), "xyz", "the file of the other name")
expect_equal(file:information("name").name, "\\dir\\file")
file:close()
expect_equal(seen(since), { [[high sees \pended]], [[low sees \pended]], "high post 0x00000104",
  [[high sees \dir\file]], [[low sees \dir\file]], "low post 0x00000000", "high post 0x00000000" }, "all see the second create")

since = #vm:log()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "own") end)
expect_equal(seen(since), { [[high sees \own]], [[low sees \pended]], [[low sees \dir\file]], "low post 0x00000000",
  [[low sees \own]], "low post 0xC0000034", "high post 0xC0000034" }, "a filter's own stays below its instance")
filter:unload()
