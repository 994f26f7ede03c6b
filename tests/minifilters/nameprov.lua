-- SPDX-License-Identifier: GPL-2.0-or-later
-- The name provider on NTFS: filters above are told virtual names, opened and normalized, before and after the open; those below the real ones.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
for _, name in ipairs{ "Real", "Real\\Sub Folder", "Other" } do
  vm:open(ROOT .. name, { disposition = "create", options = "directory", access = "r" }):close()
end
vm:open(ROOT .. "Real\\Sub Folder\\File.txt", { disposition = "create" }):close()
vm:open(ROOT .. "Other\\File.txt", { disposition = "create" }):close()
local provider = vm:load{ inf = "nameprov.inf", source = "nameprov.c" }
local above = vm:load{ source = "names.c", altitude = "370000", name = "above" }
local below = vm:load{ source = "names.c", altitude = "50000", name = "below" }

-- What each of them is told of an open, and of the file that came of it.
local function told(name, options)
  local since = #vm:log()
  options = options or { access = "r" }
  local file = vm:open(ROOT .. name, options)
  file:close()
  local found = {}
  for _, line in ipairs(vm:log(since)) do
    local who, when, format, text = line:match("(%w+): (%w+) (%w+) (.*)$")
    if who then
      local key = who .. " " .. when .. " " .. format
      found[key] = found[key] or text:sub(#ROOT + 1)
      if who == "below" then found[key] = text:sub(#ROOT + 1) end -- the last is the file's, after those of its folders
    end
  end
  return found
end
local found = told("virtual\\SUB FOLDER\\file.txt")
expect_equal(found["above pre opened"], "virtual\\SUB FOLDER\\file.txt", "as it was opened")
expect_equal(found["above pre normalized"], "Virtual\\Sub Folder\\File.txt", "normalized before it is open")
expect_equal(found["below pre opened"], "Real\\SUB FOLDER\\file.txt", "those below are asked for the real one")
expect_equal(found["below post normalized"], "Real\\Sub Folder\\File.txt", "and told it")
expect_equal(found["above post normalized"], "Virtual\\Sub Folder\\File.txt", "those above the virtual one")
found = told("Real\\Sub Folder\\File.txt")
expect_equal(found["above post normalized"], "Virtual\\Sub Folder\\File.txt", "also where it was opened by the real one")
found = told("other\\file.txt")
expect_equal(found["above pre normalized"], "Other\\File.txt", "other names are as they are")
expect_equal(found["above post normalized"], "Other\\File.txt", "after the open, too")
found = told("Virtual\\New File.txt", { disposition = "create" })
expect_equal(found["above pre normalized"], "Virtual\\New File.txt", "a name that is not there yet")
expect_equal(found["below post normalized"], "Real\\New File.txt", "is made in the real folder")
found = told("VIRTUAL", { access = "r", options = "directory" })
expect_equal(found["above pre normalized"], "Virtual", "the folder itself")
provider:unload()
found = told("real\\sub folder\\FILE.txt")
expect_equal(found["above pre normalized"], "Real\\Sub Folder\\File.txt", "without it")
above:unload()
below:unload()
