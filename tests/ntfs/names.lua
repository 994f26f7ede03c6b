-- SPDX-License-Identifier: GPL-2.0-or-later
-- Names of files: changed, moved, replaced, linked and taken away, and streams; ntfs-3g's tools see the same.
local function tool(...)
  local output, status = fltvm.host{ ... }
  expect_equal(status, 0, table.concat({ ... }, " ") .. "\n" .. output)
  return output
end
local function utf16(text) return (text:gsub(".", "%0\0")) end

local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local CREATE, OPEN_IF, OVERWRITE, SUPERSEDE = 2, 3, 4, 0
local DIRECTORY, SYNC, DELETE_ON_CLOSE = 1, 0x20, 0x1000
local BASIC, STANDARD, INTERNAL, NAME, RENAME, LINK, DISPOSITION, STREAMS = 4, 5, 6, 9, 10, 11, 13, 22
local DISPOSITION_EX, RENAME_EX, LINK_EX = 64, 65, 72
local REPLACE, POSIX, IGNORE_READONLY = 1, 2, 0x40

local function make(name, text)
  local file = vm:open(ROOT .. name, { disposition = CREATE })
  if text then file:write(0, text) end
  file:close()
end
local function make_directory(name)
  vm:open(ROOT .. name, { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }):close()
end
local function open(name, more) return vm:open(ROOT .. name, { access = "delete", options = SYNC | (more or 0) }) end
local function naming(file, class, name, flags)
  file:set(class, string.pack("<I4I4I8I4", flags or 0, 0, 0, 2 * #name) .. utf16(name) .. "\0\0\0\0")
end
local function rename(file, name, flags) naming(file, flags and flags > 1 and RENAME_EX or RENAME, name, flags) end
local function link(file, name, flags) naming(file, flags and flags > 1 and LINK_EX or LINK, name, flags) end
local function name(file) return (file:query(NAME, 600):sub(5):gsub("(.)\0", "%1")) end
local function links(file) return (string.unpack("<I4", file:query(STANDARD, 24), 17)) end
local function doomed(file) return file:query(STANDARD, 24):byte(21) ~= 0 end
local function id(file) return (string.unpack("<I8", file:query(INTERNAL, 8))) end
local function dispose(file, flags) file:set(DISPOSITION_EX, string.pack("<I4", flags)) end
local function read(path)
  local file = vm:open(ROOT .. path, { access = "r" })
  local text = file:read(0, 100)
  file:close()
  return text
end
local function gone(path, what)
  expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. path, { access = "r" }) end, what or path .. " is gone")
end
local function close_all(...) for _, file in ipairs{ ... } do file:close() end end

-- In its directory.
make("one", "text of one")
local file, other = open("one"), open("one")
rename(file, "Uno")
expect_equal(name(file), "\\Uno", "the new name")
expect_equal(name(other), "\\Uno", "who else has the file open sees it")
gone("one")
expect_equal(read("uno"), "text of one", "the same file")
rename(file, "UNO")
expect_equal(name(other), "\\UNO", "another case is another name")
expect_equal(read("uno"), "text of one", "and the same file")
rename(file, "UNO")
expect_equal(links(file), 1, "it has one name")
close_all(file, other)

-- Names that are none.
file = open("uno")
expect_status("STATUS_OBJECT_NAME_INVALID", function() rename(file, "a*b") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() rename(file, "sub\\name") end, "a path without its beginning")
expect_status("STATUS_INVALID_PARAMETER", function() rename(file, "") end, "no name")
expect_status("STATUS_INFO_LENGTH_MISMATCH", function() file:set(RENAME, string.rep("\0", 16)) end, "half a structure")
expect_status("STATUS_INVALID_PARAMETER", function() file:set(RENAME, string.pack("<I4I4I8I4", 0, 0, 0, 100) .. utf16("ab")) end,
  "more name than there is")
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() rename(file, ROOT .. "none\\file") end)
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() rename(file, "\\Device\\None\\file") end)
file:close()
local root = open("", DIRECTORY)
expect_status("STATUS_INVALID_PARAMETER", function() rename(root, "x") end, "the root has no name")
root:close()

-- To another directory; a directory takes its files with it, unless they are open.
make_directory("from")
make_directory("from\\sub")
make_directory("to")
file = open("uno")
rename(file, ROOT .. "from\\sub\\moved")
expect_equal(name(file), "\\from\\sub\\moved", "moved")
gone("uno")
local from = open("from", DIRECTORY)
expect_status("STATUS_ACCESS_DENIED", function() rename(from, ROOT .. "to\\from") end, "something below is open")
file:close()
expect_status("STATUS_ACCESS_DENIED", function() rename(from, ROOT .. "from\\sub\\from") end, "into itself")
expect_status("STATUS_ACCESS_DENIED", function() rename(from, ROOT .. "from\\from") end, "into itself, directly")
rename(from, ROOT .. "to\\From")
expect_equal(name(from), "\\to\\From", "a directory moved")
expect_equal(read("to\\from\\sub\\moved"), "text of one", "what is in it went with it")
gone("from")
from:close()

-- Over another.
make("two", "text of two")
make("three", "text of three")
file = open("two")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() rename(file, "three") end)
other = vm:open(ROOT .. "three", { access = "r" })
expect_status("STATUS_ACCESS_DENIED", function() rename(file, "three", REPLACE) end, "somebody has it open")
rename(file, "three", REPLACE | POSIX)
expect_equal(other:read(0, 100), "text of three", "replaced, it is there for who has it open")
expect(doomed(other), "and for nobody else")
expect_equal(read("three"), "text of two", "the other has its name")
other:close()
gone("two")
file:set(BASIC, string.pack("<i8i8i8i8I4I4", 0, 0, 0, 0, 1, 0))
file:close()
make("four", "text of four")
file = open("four")
expect_status("STATUS_ACCESS_DENIED", function() rename(file, "three", REPLACE) end, "a file that is read-only")
expect_status("STATUS_ACCESS_DENIED", function() rename(file, "to", REPLACE) end, "a directory")
rename(file, "THREE", REPLACE | IGNORE_READONLY)
expect_equal(name(file), "\\THREE", "the new name's case")
expect_equal(read("three"), "text of four", "replaced")
file:close()

-- Links.
file = vm:open(ROOT .. "three", { access = "rw" })
link(file, "link")
link(file, ROOT .. "to\\link")
expect_equal(links(file), 3, "three names")
expect_equal(name(file), "\\THREE", "the open's own stays")
expect_equal(read("to\\link"), "text of four", "by another name")
other = vm:open(ROOT .. "link", { access = "r" })
expect_equal(id(other), id(file), "the same file")
expect_equal(name(other), "\\link", "by its name")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() link(file, "link") end)
link(file, "link", REPLACE)
make("five", "text of five")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() link(file, "five") end)
link(file, "five", REPLACE)
expect_equal(links(file), 4, "instead of another file")
close_all(file, other)
local directory = open("to", DIRECTORY)
expect_status("STATUS_FILE_IS_A_DIRECTORY", function() link(directory, "x") end)
directory:close()
file = open("five", DELETE_ON_CLOSE)
file:close()
gone("five", "one name less")
file = open("link")
rename(file, "three", REPLACE)
expect_equal(links(file), 2, "a rename to another of its names leaves that")
gone("link")
file:close()

-- Deleted as POSIX does: the name goes with the handle, the file with the last one.
file, other = open("to\\link"), open("three")
dispose(file, 1 | 2)
expect_equal(links(file), 1, "one name is left")
file:close()
gone("to\\link")
expect_equal(links(other), 1, "also to who came by it")
local reader = open("three")
dispose(other, 1 | 2)
expect_status("STATUS_DELETE_PENDING", function() open("three") end)
expect_status("STATUS_ACCESS_DENIED", function() rename(other, "six") end, "what is to go is not renamed")
other:close()
gone("three")
expect_equal(reader:read(0, 100), "text of four", "still read")
make("three", "a new one")
expect_equal(read("three"), "a new one", "and its name is free")
reader:close()
expect_status("STATUS_NOT_SUPPORTED", function() file = open("three"); dispose(file, 0x100) end, "an unknown flag")
expect_status("STATUS_NOT_SUPPORTED", function() dispose(file, 1 | 8) end, "not opened to be deleted on close")
file:set(BASIC, string.pack("<i8i8i8i8I4I4", 0, 0, 0, 0, 1, 0))
expect_status("STATUS_CANNOT_DELETE", function() dispose(file, 1) end, "a file that is read-only")
dispose(file, 1 | 0x10)
dispose(file, 0)
expect(not doomed(file), "taken back")
dispose(file, 1 | 0x10)
file:close()
gone("three")
make("seven")
file = open("seven", DELETE_ON_CLOSE)
dispose(file, 8)
file:close()
local seven = open("seven")
seven:close()

-- Streams.
make("streams", "plain")
file = vm:open(ROOT .. "streams:First", { disposition = CREATE })
expect_equal(name(file), "\\streams:First", "a stream's name")
file:write(0, "first stream")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() vm:open(ROOT .. "streams:FIRST", { disposition = CREATE }) end)
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "streams:second", { disposition = OVERWRITE }) end)
vm:open(ROOT .. "streams:second", { disposition = OPEN_IF }):close()
vm:open(ROOT .. "both:at once", { disposition = CREATE }):close()
expect_equal(read("streams:first"), "first stream", "written")
rename(file, ":Renamed")
expect_equal(name(file), "\\streams:Renamed", "a stream renamed")
expect_equal(file:read(0, 100), "first stream", "with its bytes")
expect_status("STATUS_INVALID_PARAMETER", function() rename(file, "x") end, "a stream is no file")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() rename(file, ":second:$DATA") end)
rename(file, ":second:$data", REPLACE)
expect_status("STATUS_OBJECT_TYPE_MISMATCH", function() rename(file, ":third:$EA") end)
gone("streams:first")
gone("streams:renamed")
file:close()
expect_equal(read("streams:second"), "first stream", "over an empty one")
file = vm:open(ROOT .. "streams:second", { disposition = SUPERSEDE })
expect_status("STATUS_END_OF_FILE", function() file:read(0, 1) end, "superseded")
file:close()
expect_equal(read("streams"), "plain", "the file is as it was")
file = open("streams:second", DELETE_ON_CLOSE)
other = vm:open(ROOT .. "streams:second", { access = "r" })
file:close()
expect_status("STATUS_DELETE_PENDING", function() vm:open(ROOT .. "streams:second") end)
other:close()
gone("streams:second")
expect_equal(read("streams"), "plain", "the file is there")
file = vm:open(ROOT .. "to:of a directory", { disposition = CREATE })
file:write(0, "in a directory")
file:close()
expect_equal(read("to:of a directory"), "in a directory", "a directory's stream")
file = vm:open(ROOT .. "streams", { access = "r", share = 3 })
vm:open(ROOT .. "streams:x", { disposition = CREATE }):close()
expect_status("STATUS_SHARING_VIOLATION", function() open("streams") end, "who does not share deletion")
file:close()
file = vm:open(ROOT .. "streams:x", { access = "r", share = 3 })
expect_status("STATUS_SHARING_VIOLATION", function() open("streams") end, "nor a stream's")
file:close()

vm:shutdown()
expect_equal(tool("ntfscat", "-f", disk, "to/From/sub/moved"), "text of one", "ntfscat finds what was moved")
expect_equal(tool("ntfscat", "-f", "-n", "of a directory", disk, "to"), "in a directory", "and the stream")
local listed = tool("ntfsls", "-f", disk)
expect(not listed:find("three") and not listed:find("uno") and listed:find("seven"), "ntfsls: " .. listed)
listed = tool("ntfsls", "-f", "-a", "-s", disk, "-p", "$Extend/$Deleted")
expect(not listed:find("%x%x%x%x%x%x%x%x"), "nothing is left out of sight: " .. listed)
local output = tool("ntfsfix", "-n", disk)
expect(not output:find("dirty") and not output:find("FAILED"), "ntfsfix -n: " .. output)
