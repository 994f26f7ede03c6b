-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files changed: overwritten, cut, lengthened, marked, deleted; ntfs-3g's tools see the same.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local function write_file(name, bytes)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

local disk = write_file("disk.raw", string.rep("\0", 8 << 20))
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)
for _, name in ipairs{ "one", "two", "three", "four" } do
  tool("ntfscp", "-q", "-f", disk, write_file(name, string.rep(name .. "!", 3000)), name)
end

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local SUPERSEDE, CREATE, OVERWRITE, OVERWRITE_IF = 0, 2, 4, 5
local DIRECTORY, SYNC, DELETE_ON_CLOSE = 1, 0x20, 0x1000
local BASIC, STANDARD, DISPOSITION, ALLOCATION, END_OF_FILE = 4, 5, 13, 19, 20
local READONLY, HIDDEN, ARCHIVE = 1, 2, 0x20

local function size(file) return (string.unpack("<i8", file:query(STANDARD, 24), 9)) end
local function is_doomed(file) return file:query(STANDARD, 24):byte(21) ~= 0 end
local function attributes(file) return (string.unpack("<I4", file:query(BASIC, 40), 33)) end
local function mark(file, marks, written)
  file:set(BASIC, string.pack("<i8i8i8i8I4I4", 0, 0, written or 0, 0, marks, 0))
end

-- Overwriting empties.
local file = vm:open(ROOT .. "one", { disposition = OVERWRITE })
expect_equal(size(file), 0, "overwritten")
file:write(0, "new one")
file:close()
file = vm:open(ROOT .. "two", { disposition = SUPERSEDE })
expect_equal(size(file), 0, "superseded")
file:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "none", { disposition = OVERWRITE }) end)
vm:open(ROOT .. "fresh", { disposition = OVERWRITE_IF }):close()

-- The end of the file, both ways.
file = vm:open(ROOT .. "three")
local before = file:read(0, 20000)
file:set(END_OF_FILE, string.pack("<i8", 5000))
expect_equal(size(file), 5000, "cut")
expect(file:read(0, 20000) == before:sub(1, 5000), "the rest is as it was")
file:set(END_OF_FILE, string.pack("<i8", 12345))
expect_equal(size(file), 12345, "lengthened")
expect(file:read(0, 20000) == before:sub(1, 5000) .. string.rep("\0", 7345), "by zeros")
file:set(ALLOCATION, string.pack("<i8", 100000))
expect_equal(size(file), 12345, "more allocation is not the size")
file:set(ALLOCATION, string.pack("<i8", 4096))
expect_equal(size(file), 4096, "less is")
expect_status("STATUS_INVALID_PARAMETER", function() file:set(END_OF_FILE, string.pack("<i8", -1)) end)

-- Attributes and times.
mark(file, HIDDEN | ARCHIVE, 132000000000000000)
expect_equal(attributes(file), HIDDEN | ARCHIVE, "attributes")
expect_equal(string.unpack("<i8", file:query(BASIC, 40), 17), 132000000000000000, "time of the last write")
mark(file, 0)
expect_equal(attributes(file), HIDDEN | ARCHIVE, "0 leaves them")
expect_status("STATUS_INVALID_PARAMETER", function() mark(file, 0x10) end, "no directory becomes one")
expect_status("STATUS_INVALID_PARAMETER", function() mark(file, 0, -3) end, "no such time")
file:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "three", { disposition = OVERWRITE }) end,
  "a hidden file is overwritten only by who says that it is")
file = vm:open(ROOT .. "three")
mark(file, READONLY)
file:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "three") end, "a file that is read-only")
file = vm:open(ROOT .. "three", { access = "attributes" })
expect_equal(attributes(file), READONLY, "its attribute")
file:close()

-- Deleted on close: nobody opens it any more, and it goes with the last handle.
local function open_to_delete(name, more)
  return vm:open(ROOT .. name, { access = "delete", options = SYNC | (more or 0) })
end
local doomed = open_to_delete("four", DELETE_ON_CLOSE)
local other = vm:open(ROOT .. "four", { access = "r" })
doomed:close()
expect(is_doomed(other), "marked by the first handle's end")
expect_status("STATUS_DELETE_PENDING", function() vm:open(ROOT .. "four") end)
expect_equal(other:read(0, 5), "four!", "still read")
other:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "four") end, "gone")

-- By its disposition, which may be taken back.
file = open_to_delete("fresh")
file:set(DISPOSITION, "\1")
expect(is_doomed(file), "marked")
file:set(DISPOSITION, "\0")
expect(not is_doomed(file), "and not")
file:close()
file = open_to_delete("fresh")
file:set(DISPOSITION, "\1")
file:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "fresh") end, "gone")
file = open_to_delete("three")
expect_status("STATUS_CANNOT_DELETE", function() file:set(DISPOSITION, "\1") end, "a file that is read-only")
file:close()

-- A directory goes when it is empty.
vm:open(ROOT .. "dir", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }):close()
vm:open(ROOT .. "dir\\file", { disposition = CREATE }):close()
local dir = open_to_delete("dir", DIRECTORY)
expect_status("STATUS_DIRECTORY_NOT_EMPTY", function() dir:set(DISPOSITION, "\1") end)
open_to_delete("dir\\file", DELETE_ON_CLOSE):close()
dir:set(DISPOSITION, "\1")
dir:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "dir", { access = "r" }) end, "gone")

vm:shutdown()
expect_equal(tool("ntfscat", "-f", disk, "one"), "new one", "ntfscat reads it")
expect_equal(tool("ntfscat", "-f", disk, "two"), "", "and what is empty")
expect(tool("ntfscat", "-f", disk, "three") == before:sub(1, 4096), "and what was cut")
local listed = tool("ntfsls", "-f", disk)
expect(not listed:find("four") and not listed:find("dir") and listed:find("three"), "ntfsls: " .. listed)
local output = tool("ntfsfix", "-n", disk)
expect(not output:find("dirty") and not output:find("FAILED"), "ntfsfix -n: " .. output)
