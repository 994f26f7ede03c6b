-- SPDX-License-Identifier: GPL-2.0-or-later
-- The hider on NTFS: every class of listing, buffers of one entry and of many, patterns, answers of which nothing is left, opens by name.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
vm:open(ROOT .. "dir", { disposition = "create", options = "directory", access = "r" }):close()
local shown = {}
for n = 1, 60 do
  local name = ("%02d%s"):format(n, (n % 3 == 0 or n > 10 and n < 40) and ".hidden" or ".txt")
  if not name:find("hidden") then shown[#shown + 1] = name end
  vm:open(ROOT .. "dir\\" .. name, { disposition = "create" }):close()
end
local wanted = table.concat(shown, " ")
local filter = vm:load{ inf = "hide.inf", source = "hide.c" }

-- Class, where the length of the name is, where the name is.
local CLASSES = { { 1, 60, 64 }, { 2, 60, 68 }, { 3, 60, 94 }, { 12, 8, 12 }, { 37, 60, 104 }, { 38, 60, 80 } }
local RESTART, SINGLE = 1, 2
local function list(class, size, flags, pattern)
  local dir = vm:open(ROOT .. "dir", { access = "r", options = "directory" })
  local names, first = {}, true
  while true do
    local ok, bytes = pcall(dir.query_directory, dir, class[1], size, pattern, flags | (first and RESTART or 0))
    if not ok then
      expect(bytes.name == "STATUS_NO_MORE_FILES" or bytes.name == "STATUS_NO_SUCH_FILE", "the end: " .. bytes.name)
      break
    end
    first = false
    local at = 1
    while true do
      local next_entry = string.unpack("<I4", bytes, at)
      local length = string.unpack("<I4", bytes, at + class[2])
      local name = bytes:sub(at + class[3], at + class[3] + length - 1):gsub("(.)%z", "%1")
      if not name:match("^%.+$") then names[#names + 1] = name end
      if next_entry == 0 then break end
      at = at + next_entry
    end
  end
  dir:close()
  return table.concat(names, " ")
end
for _, class in ipairs(CLASSES) do
  expect_equal(list(class, 4096, 0), wanted, "class " .. class[1] .. ", all at once")
  expect_equal(list(class, 300, 0), wanted, "class " .. class[1] .. ", a few at a time")
  expect_equal(list(class, 300, SINGLE), wanted, "class " .. class[1] .. ", one by one")
end
expect_equal(list(CLASSES[3], 4096, 0, "*.hidden"), "", "asked for themselves")
expect_equal(list(CLASSES[3], 4096, 0, "4*"), "40.txt 41.txt 43.txt 44.txt 46.txt 47.txt 49.txt", "by pattern")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "dir\\03.HIDDEN", { access = "r" }) end, "nor are they opened")
expect_equal(vm:process{ program = "../../examples/scan/touch.c", flags = { '-DNAME=L"dir\\\\03.hidden"' } }:wait(), 0xC0000034, "by programs")

-- A program's listing, its buffer the program's own.
expect_equal(vm:process{ program = "load.c", flags = { "-DROUNDS=12" } }:wait(), 0x600D, "programs find all of theirs")
filter:unload()
expect(#list(CLASSES[1], 4096, 0) > #wanted, "all of them are there")
