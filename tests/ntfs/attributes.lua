-- SPDX-License-Identifier: GPL-2.0-or-later
-- What files have beside their bytes: extended attributes, descriptors and who is let in by them, reparse points, identifiers of
-- objects, clusters.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local function utf16(text) return (text:gsub(".", "%0\0")) end
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local VOLUME = "\\Device\\HarddiskVolume1"
local ROOT = VOLUME .. "\\"
local EA, STANDARD, TAG, NAME = 7, 5, 35, 9
local function make(name, text, more)
  local file = vm:open(ROOT .. name, { disposition = "create", ea = more })
  if text then file:write(0, text) end
  file:close()
end
local function make_directory(name)
  vm:open(ROOT .. name, { access = "r", disposition = "create", options = "directory" }):close()
end
local function read(path)
  local file = vm:open(ROOT .. path, { access = "r" })
  local text = file:read(0, 100)
  file:close()
  return text
end
local function name(file) return (file:query(NAME, 600):sub(5):gsub("(.)\0", "%1")) end

-- Extended attributes.
make("file", "text")
local file = vm:open(ROOT .. "file")
expect_status("STATUS_NO_EAS_ON_FILE", function() file:eas() end)
file:set_eas{ first = "value one", Second = "two" }
local eas = file:eas()
expect_equal(eas.FIRST, "value one", "one of them, by its name in upper case")
expect_equal(eas.SECOND, "two", "the other")
eas = file:eas{ "second", "third" }
expect_equal(eas.SECOND, "two", "asked for by name")
expect_equal(eas.third, "", "one that is not there has no value")
expect(string.unpack("<I4", file:query(EA, 4)) > 0, "their size")
file:set_eas{ first = "", second = "changed" }
eas = file:eas()
expect_equal(eas.FIRST, nil, "taken away")
expect_equal(eas.SECOND, "changed", "and changed")
expect_status("STATUS_INVALID_EA_NAME", function() file:set_eas{ ["a*b"] = "x" } end)
expect_status("STATUS_EA_TOO_LARGE", function() file:set_eas{ big = string.rep("x", 40000), large = string.rep("y", 30000) } end)
expect_equal(file:eas().SECOND, "changed", "what is refused changes nothing")
file:set_eas{ second = "" }
expect_status("STATUS_NO_EAS_ON_FILE", function() file:eas() end, "all gone")
file:close()
make("with", "text", fltvm.eas{ made = "with it" })
file = vm:open(ROOT .. "with")
expect_equal(file:eas().MADE, "with it", "an open's own")
file:set_eas{ kept = string.rep("k", 3000) }
file:close()
expect_status("STATUS_EA_LIST_INCONSISTENT", function() make("without", nil, "nonsense") end)
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "without") end, "nothing was made")
vm:open(ROOT .. "with", { disposition = "overwrite" }):close()
file = vm:open(ROOT .. "with")
expect_status("STATUS_NO_EAS_ON_FILE", function() file:eas() end, "overwritten")
file:set_eas{ kept = string.rep("k", 3000) }
file:close()

-- Descriptors: made by hand, asked for, and asked.
local function sid(...) return string.pack("BB>I6<", 1, select("#", ...) - 0, 5) .. (function(...)
  local parts = {}
  for n, part in ipairs{ ... } do parts[n] = string.pack("<I4", part) end
  return table.concat(parts)
end)(...) end
local SYSTEM, ADMINISTRATORS = sid(18), sid(32, 544)
local WORLD = string.pack("BB>I6<I4", 1, 1, 1, 0)
local function ace(mask, who, kind) return string.pack("<BBI2I4", kind or 0, 3, 8 + #who, mask) .. who end
local function descriptor(...)
  local aces = table.concat{ ... }
  local acl = string.pack("<BBI2I2I2", 2, 0, 8 + #aces, select("#", ...), 0) .. aces
  local owner = 20
  return string.pack("<BBI2I4I4I4I4", 1, 0, 0x8004, owner, owner + #ADMINISTRATORS, 0, owner + #ADMINISTRATORS + #SYSTEM) ..
    ADMINISTRATORS .. SYSTEM .. acl
end
local ALL, READ, WRITE, DELETE = 0x1F01FF, 0x120089, 0x120116, 0x110000
make("secret", "for some")
file = vm:open(ROOT .. "secret", { access = "all" })
local before = file:security()
expect(#before > 20, "a new file has a descriptor")
file:set_security(descriptor(ace(ALL, ADMINISTRATORS), ace(READ, WORLD)), "dacl owner")
local now = file:security("dacl")
expect(now ~= before and now:find(ace(READ, WORLD):sub(5), 1, true), "told as it was set")
file:close()
file = vm:open(ROOT .. "secret", { access = "r", user = "limited" })
expect_equal(file:read(0, 20), "for some", "all may read it")
file:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "secret", { access = "rw", user = "limited" }) end, "not write it")
file = vm:open(ROOT .. "secret", { access = "maximum", user = "limited" })
expect_equal(file:information("access").access, READ, "as much as possible is that")
expect_status("STATUS_ACCESS_DENIED", function() file:write(0, "x") end, "and no more")
file:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "secret", { access = "delete", user = "limited" }) end, "nor delete it")
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "secret", { access = "r", disposition = "overwrite", user = "limited" }) end,
  "nor overwrite it, with a handle that only reads")
vm:open(ROOT .. "secret", { access = "all", user = "administrator" }):close()
expect(true, "an administrator may do everything")
for user, status in pairs { system = "STATUS_UNKNOWN_REVISION", kernel = "STATUS_INVALID_SECURITY_DESCR" } do
  expect_status(status, function()
    file = vm:open(ROOT .. "secret", { access = "all", user = user })
    file:set_security("no descriptor at all, but long enough", "dacl")
  end)
  file:close()
end
make_directory("closed")
file = vm:open(ROOT .. "closed", { options = "directory", access = "all" })
file:set_security(descriptor(ace(ALL, ADMINISTRATORS), ace(READ, WORLD)))
file:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "closed\\file", { disposition = "create", user = "limited" }) end,
  "nobody puts a file there")
vm:open(ROOT .. "closed\\file", { disposition = "create", user = "administrator" }):close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "closed\\file", { access = "rw", user = "limited" }) end,
  "a file there has what its directory gives to heirs")
vm:open(ROOT .. "closed\\file", { access = "r", user = "limited" }):close()

-- Reparse points: followed, opened themselves, told, taken away.
local SET, GET, TAKE = 0x900A4, 0x900A8, 0x900AC
local MOUNT_POINT, SYMLINK = 0xA0000003, 0xA000000C
local function mount_point(target)
  local wide = utf16(target)
  return string.pack("<I4I2I2I2I2I2I2", MOUNT_POINT, 8 + #wide + 4, 0, 0, #wide, #wide + 2, 0) .. wide .. "\0\0\0\0"
end
local function symlink(target, relative)
  local wide = utf16(target)
  return string.pack("<I4I2I2I2I2I2I2I4", SYMLINK, 12 + #wide, 0, 0, #wide, #wide, 0, relative and 1 or 0) .. wide
end
local function point(path, data, directory)
  local at = vm:open(ROOT .. path, { access = "rw", disposition = "create", options = directory and "directory" or 0 })
  at:fsctl(SET, data)
  at:close()
end
make_directory("target")
make("target\\inside", "inside it")
make_directory("target\\deeper")
make("target\\deeper\\file", "deeper")
point("junction", mount_point(ROOT .. "target"), true)
expect_equal(read("junction\\inside"), "inside it", "through a mount point")
expect_equal(read("junction\\deeper\\file"), "deeper", "and further")
file = vm:open(ROOT .. "junction\\inside", { access = "r" })
expect_equal(name(file), "\\target\\inside", "the name is where it is")
file:close()
file = vm:open(ROOT .. "junction", { access = "r", options = "directory" })
expect_equal(name(file), "\\target", "the mount point itself leads on")
file:close()
file = vm:open(ROOT .. "junction", { access = "rw", options = "directory reparse_point" })
expect_equal(name(file), "\\junction", "unless it is the point that is wanted")
expect_equal(string.unpack("<I4", file:query(TAG, 8), 5), MOUNT_POINT, "its tag")
expect_equal(file:fsctl(GET, "", 1000), mount_point(ROOT .. "target"), "its data")
expect_status("STATUS_IO_REPARSE_TAG_MISMATCH", function() file:fsctl(TAKE, string.pack("<I4I2I2", SYMLINK, 0, 0)) end)
expect_status("STATUS_DIRECTORY_NOT_EMPTY", function()
  local full = vm:open(ROOT .. "target", { options = "directory" })
  full:fsctl(SET, mount_point(ROOT))
end)
file:fsctl(TAKE, string.pack("<I4I2I2", MOUNT_POINT, 0, 0))
expect_status("STATUS_NOT_A_REPARSE_POINT", function() file:fsctl(GET, "", 1000) end, "taken away")
file:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "junction\\inside") end, "a plain directory again")
point("link", symlink("target\\inside", true))
expect_equal(read("link"), "inside it", "a relative link")
point("target\\deeper\\up", symlink("..\\.\\inside", true))
expect_equal(read("target\\deeper\\up"), "inside it", "relative to where it is")
local directory = vm:open(ROOT .. "target", { access = "r", options = "directory" })
file = vm:open("deeper\\up", { root = directory, access = "r" })
expect_equal(file:read(0, 20), "inside it", "from a directory that is open")
file:close()
directory:close()
point("loop", symlink("loop", true))
expect_status("STATUS_REPARSE_POINT_NOT_RESOLVED", function() vm:open(ROOT .. "loop") end, "63 times, and no more")
point("dirlink", symlink(ROOT .. "target"), true)
expect_equal(read("dirlink\\deeper\\up"), "inside it", "a link to a directory, and a link in it")
file = vm:open(ROOT .. "other", { disposition = "create" })
file:fsctl(SET, string.pack("<I4I2I2", 0x00001234, 4, 0) .. string.rep("g", 16) .. "data")
file:close()
expect_status("STATUS_IO_REPARSE_TAG_NOT_HANDLED", function() vm:open(ROOT .. "other") end, "a tag that nobody knows")
file = vm:open(ROOT .. "other", { options = "reparse_point" })
expect_status("STATUS_REPARSE_ATTRIBUTE_CONFLICT",
  function() file:fsctl(SET, string.pack("<I4I2I2", 0x00001234, 4, 0) .. string.rep("h", 16) .. "data") end, "another's tag")
file:close()
expect_status("STATUS_NOT_A_DIRECTORY", function() point("nodir", mount_point(ROOT .. "target")) end)

-- Identifiers of objects.
local CREATE_ID, GET_ID, SET_ID, DELETE_ID = 0x900C0, 0x9009C, 0x90098, 0x900A0
file = vm:open(ROOT .. "file")
expect_status("STATUS_OBJECTID_NOT_FOUND", function() file:fsctl(GET_ID, "", 64) end)
local id = file:fsctl(CREATE_ID, "", 64)
expect_equal(#id, 64, "an identifier")
expect(id:sub(1, 16) ~= string.rep("\0", 16) and id:sub(1, 16) == id:sub(33, 48), "born here")
expect_equal(file:fsctl(GET_ID, "", 64), id, "kept")
expect_equal(file:fsctl(CREATE_ID, "", 64), id, "and not made again")
local twin = vm:open(ROOT .. "secret", { options = "backup_intent", user = "kernel" }) -- who restores says which
expect_status("STATUS_DUPLICATE_NAME", function() twin:fsctl(SET_ID, id) end, "another file has it")
file:fsctl(DELETE_ID)
twin:fsctl(SET_ID, id)
expect_equal(twin:fsctl(GET_ID, "", 64), id, "free again")
twin:close()

-- Where the bytes are.
local POINTERS, RANGES, ZERO, COMPRESSION = 0x90073, 0x940CF, 0x980C8, 0x9003C
expect_status("STATUS_END_OF_FILE", function() file:fsctl(POINTERS, string.pack("<i8", 0), 1000) end, "a resident file has no clusters")
file:write(0, string.rep("A", 20000))
file:flush()
local pointers = file:fsctl(POINTERS, string.pack("<i8", 0), 1000)
local count, _, start, next_vcn, lcn = string.unpack("<I4I4i8i8i8", pointers)
expect_equal(count, 1, "one extent")
expect_equal(start, 0, "from the first")
expect_equal(next_vcn, 5, "of five clusters")
local volume = vm:open(VOLUME, { access = "r" })
expect_equal(volume:read(lcn * 4096, 4096), string.rep("A", 4096), "the bytes are there")
volume:close()
expect_status("STATUS_END_OF_FILE", function() file:fsctl(POINTERS, string.pack("<i8", 5), 1000) end)
local from, length = string.unpack("<i8i8", file:fsctl(RANGES, string.pack("<i8i8", 100, 1 << 40), 160))
expect_equal(from, 100, "an allocated range")
expect_equal(length, 19900, "to the end of the file")
file:fsctl(ZERO, string.pack("<i8i8", 100, 5000))
expect_equal(file:read(0, 20000), string.rep("A", 100) .. string.rep("\0", 4900) .. string.rep("A", 15000), "zeros")
expect_equal(#file:read(0, 30000), 20000, "the size stays")
expect_equal(string.unpack("<I2", file:fsctl(COMPRESSION, "", 2)), 0, "not compressed")
expect_status("STATUS_INVALID_PARAMETER", function() file:fsctl(ZERO, string.pack("<i8i8", 10, 5)) end)
for _, code in ipairs { 0x900F4, 0x900BB, 0x900B3 } do -- query, read, enumerate
  expect_status("STATUS_JOURNAL_NOT_ACTIVE", function() file:fsctl(code, ("\0"):rep(40), 80) end, ("there is no change journal, 0x%X"):format(code))
end
expect_status("STATUS_INVALID_DEVICE_REQUEST", function() file:fsctl(0x9FFF4, "") end, "nobody's control")
file:set_information("end_of_file", { size = 1000000 })
local ranges = file:fsctl(RANGES, string.pack("<i8i8", 0, 1 << 40), 160)
expect_equal(#ranges, 16, "lengthened, the file has one range")
expect_equal(string.unpack("<i8", ranges, 9), 1000000, "all of it, for a file that is not sparse has its clusters")
file:close()

vm:shutdown()
if not fltvm.host{ "id", "-u" }:find("^0%s") then
  skip("ntfssecaudit reads the descriptor", "it wants to be root")
else
  local secaudit = tool("ntfssecaudit", "-v", disk, "/secret")
  expect(secaudit:find("89001200 01010000%s+000040%s+00000001"), "ntfssecaudit reads the descriptor: " .. secaudit)
end
local info = tool("ntfsinfo", "-f", "-F", "with", disk)
expect(info:find("EA") , "ntfsinfo sees extended attributes: " .. info:sub(1, 200))
local output = tool("ntfsfix", "-n", disk)
expect(not output:find("dirty") and not output:find("FAILED"), "ntfsfix -n: " .. output)
