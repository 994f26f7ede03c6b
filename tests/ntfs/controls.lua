-- SPDX-License-Identifier: GPL-2.0-or-later
-- Which controls a file, a stream, a directory and the volume itself have, what access they ask for, how long their buffers have to be
-- (MS-FSA 2.1.5.10), and what a volume that cannot be written to says.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local function utf16(text) return (text:gsub(".", "%0\0")) end
local disk = fltvm.temp("disk.raw")
local output, made = fltvm.image{ "ntfs", disk, "16M" }
expect_equal(made, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local VOLUME <const> = "\\Device\\HarddiskVolume1"
local ROOT <const> = VOLUME .. "\\"
local SET_SPARSE <const>, ZERO <const>, RANGES <const>, POINTERS <const> = 0x900C4, 0x980C8, 0x940CF, 0x90073
local SET_COMPRESSION <const>, COMPRESSION <const> = 0x9C040, 0x9003C
local SET_REPARSE <const>, TAKE_REPARSE <const>, GET_REPARSE <const> = 0x900A4, 0x900AC, 0x900A8
local CREATE_ID <const>, GET_ID <const>, SET_ID <const>, DELETE_ID <const>, EXTEND_ID <const> = 0x900C0, 0x9009C, 0x90098, 0x900A0, 0x900BC
local FILE_USN <const>, QUERY_JOURNAL <const>, CLOSE_USN <const> = 0x900EB, 0x900F4, 0x900EF
local BITMAP <const>, MARK_DIRTY <const>, IS_DIRTY <const>, IS_PATH_VALID <const> = 0x9006F, 0x90030, 0x90078, 0x9002C
local LOCK <const>, UNLOCK <const>, DISMOUNT <const>, MOUNTED <const> = 0x90018, 0x9001C, 0x90020, 0x90028

local function refused(status, file, code, input, size, what)
  expect_status(status, function() file:fsctl(code, input or "", size or 0) end, what)
end
local file = vm:open(ROOT .. "file", { disposition = "create" })
file:write(0, ("file "):rep(30000))
file:close()
vm:open(ROOT .. "file:stream", { disposition = "create" }):close()
vm:open(ROOT .. "directory", { access = "r", disposition = "create", options = "directory" }):close()
local tag = string.pack("<I4I2I2", 0x00001234, 0, 0) .. ("g"):rep(16)

-- Access: what changes a file takes one of two rights, whichever the code itself asks for.
for _, name in ipairs { "file", "file:stream" } do
  local reader = vm:open(ROOT .. name, { access = "r" })
  for what, code in pairs { sparse = SET_SPARSE, reparse = SET_REPARSE, take = TAKE_REPARSE, delete = DELETE_ID } do
    refused("STATUS_ACCESS_DENIED", reader, code, what == "sparse" and "\1" or tag, 0, what .. " by who only reads " .. name)
  end
  refused("STATUS_ACCESS_DENIED", reader, EXTEND_ID, ("x"):rep(48), 0, "and where an identifier was born")
  expect_equal(#reader:fsctl(CREATE_ID, "", 64), 64, "an identifier may be had by any handle")
  reader:close()
end
local process = vm:process{ name = "reader.exe" }
local reader = process:open(ROOT .. "file", { access = "r" })
refused("STATUS_ACCESS_DENIED", reader, ZERO, string.pack("<i8i8", 0, 5), 0, "zeros: a program's handle is asked by the code itself")
refused("STATUS_ACCESS_DENIED", reader, SET_COMPRESSION, "\0\0", 0, "compression: to read and to write")
reader:close()
process:exit()
process:wait()
file = vm:open(ROOT .. "file", { access = "write_attributes" })
file:fsctl(SET_SPARSE, "\1")
file:fsctl(SET_SPARSE, "\0")
file:fsctl(DELETE_ID)
file:close()
file = vm:open(ROOT .. "file", { access = "write_data" })
file:fsctl(SET_SPARSE, "\1")
file:fsctl(SET_SPARSE, "\0")
file:close()
file = vm:open(ROOT .. "file", { access = "maximum" })
file:fsctl(SET_SPARSE, "\0")
file:close()

-- An identifier that was another's is the restorer's to set.
local id = ("\1"):rep(16) .. ("\2"):rep(48)
file = vm:open(ROOT .. "file", { access = "rw", user = "administrator" })
refused("STATUS_ACCESS_DENIED", file, SET_ID, id, 0, "an administrator without backup intent")
refused("STATUS_INVALID_PARAMETER", file, SET_ID, id:sub(2), 0, "a length that is none comes first")
file:close()
file = vm:open(ROOT .. "file", { access = "rw", user = "administrator", options = "backup_intent" })
refused("STATUS_ACCESS_DENIED", file, SET_ID, id, 0, "nor with it: the privilege is not enabled after a logon")
file:close()
file = vm:open(ROOT .. "file", { access = "rw", options = "backup_intent", user = "kernel" })
file:fsctl(SET_ID, id)
expect_equal(file:fsctl(GET_ID, "", 64), id, "the kernel may")
refused("STATUS_OBJECT_NAME_COLLISION", file, SET_ID, id, 0, "once")
file:fsctl(DELETE_ID)
file:close()

-- Of which handle: those of files are none of the volume's, and the other way round.
local volume = vm:open(VOLUME)
file = vm:open(ROOT .. "file")
for _, code in ipairs { SET_SPARSE, RANGES, POINTERS, COMPRESSION, GET_REPARSE, GET_ID, CREATE_ID, FILE_USN } do
  refused("STATUS_INVALID_PARAMETER", volume, code, ("\0"):rep(16), 64, ("0x%X of the volume itself"):format(code))
end
for _, code in ipairs { BITMAP, MARK_DIRTY, LOCK, UNLOCK, DISMOUNT } do
  refused("STATUS_INVALID_PARAMETER", file, code, ("\0"):rep(16), 64, ("0x%X of a file"):format(code))
end
for _, each in ipairs { volume, file } do
  each:fsctl(MOUNTED)
  each:fsctl(IS_PATH_VALID)
  refused("STATUS_JOURNAL_NOT_ACTIVE", each, QUERY_JOURNAL, "", 80, "there is no change journal")
  refused("STATUS_INVALID_DEVICE_REQUEST", each, 0x9FFF4, "", 0, "nobody's control")
end
refused("STATUS_JOURNAL_NOT_ACTIVE", file, CLOSE_USN, "", 8, "nor a record to close")
local directory = vm:open(ROOT .. "directory", { access = "rw", options = "directory" })
refused("STATUS_INVALID_PARAMETER", directory, SET_SPARSE, "\1", 0, "a directory is not sparse")
refused("STATUS_INVALID_PARAMETER", directory, ZERO, string.pack("<i8i8", 0, 5), 0, "nor zeros")
refused("STATUS_INVALID_PARAMETER", directory, RANGES, string.pack("<i8i8", 0, 5), 16, "nor ranges")

-- Where a directory's index is: none while it is in its record.
refused("STATUS_END_OF_FILE", directory, POINTERS, string.pack("<i8", 0), 100, "an index in the record")
for n = 1, 40 do vm:open(ROOT .. "directory\\" .. ("name "):rep(5) .. n, { disposition = "create" }):close() end
local count, _, start, next_vcn, lcn = string.unpack("<I4I4i8i8i8", directory:fsctl(POINTERS, string.pack("<i8", 0), 400))
expect(count >= 1 and start == 0 and next_vcn >= 1, "an index in clusters")
expect_equal(volume:read(lcn * 4096, 4096):sub(1, 4), "INDX", "which are there")
directory:close()

-- Buffers.
refused("STATUS_INVALID_PARAMETER", file, POINTERS, "1234567", 100, "half a cluster's number")
refused("STATUS_BUFFER_TOO_SMALL", file, POINTERS, string.pack("<i8", 0), 31, "no room for one extent")
refused("STATUS_INVALID_PARAMETER", file, RANGES, ("\0"):rep(15), 100, "half a range")
refused("STATUS_BUFFER_TOO_SMALL", file, RANGES, string.pack("<i8i8", 0, 5), 15, "no room for one")
refused("STATUS_INVALID_PARAMETER", file, COMPRESSION, "", 1, "no room for two bytes")
refused("STATUS_INVALID_PARAMETER", file, GET_ID, "", 63, "nor for an identifier")
refused("STATUS_INVALID_PARAMETER", file, CREATE_ID, "", 63)
refused("STATUS_INVALID_PARAMETER", volume, IS_DIRTY, "", 3, "nor for the volume's state")
refused("STATUS_INVALID_PARAMETER", file, ZERO, ("\0"):rep(15), 0, "half a range")

-- Compression: what there is may be said again; what has bytes is not changed.
file:fsctl(SET_COMPRESSION, "\0\0")
refused("STATUS_NOT_IMPLEMENTED", file, SET_COMPRESSION, "\1\0", 0, "a file that has bytes")
refused("STATUS_INVALID_PARAMETER", file, SET_COMPRESSION, "\3\0", 0, "no format")
refused("STATUS_INVALID_PARAMETER", file, SET_COMPRESSION, "\1", 0, "half of one")
expect_equal(string.unpack("<I2", file:fsctl(COMPRESSION, "", 2)), 0, "not compressed")
local size, format = string.unpack("<i8I2", file:query(28, 16))
expect_equal(size, file:information("standard").allocated, "FileCompressionInformation: what it has of the disk")
expect_equal(format, 0, "and that it is not compressed")
expect_status("STATUS_INFO_LENGTH_MISMATCH", function() file:query(28, 15) end)

-- A file's own record, in the two versions; no journal is needed for it.
local function record(input)
  local bytes = file:fsctl(FILE_USN, input or "", 300)
  local length, major = string.unpack("<I4I2", bytes)
  expect_equal(length, #bytes, "the record's length")
  return major, bytes
end
local major, bytes = record()
expect_equal(major, 2, "without a buffer: version 2")
local reference, parent, usn, time, reason, source, _, attributes, length, offset = string.unpack("<I8I8i8i8I4I4I4I4I2I2", bytes, 9)
expect_equal(reference, string.unpack("<I8", file:query(6, 8)), "the file")
expect_equal(parent, 0x5000000000005, "in the root")
expect_equal(usn | time | reason | source, 0, "nothing was noted of it")
expect_equal(attributes, 0x20, "its attributes")
expect_equal(bytes:sub(offset + 1, offset + length), utf16("file"), "its name")
major, bytes = record(string.pack("<I2I2", 2, 4))
expect_equal(major, 3, "the greatest that is taken")
expect_equal(string.unpack("<I8", bytes, 9), reference, "with references of sixteen bytes")
expect_equal(string.unpack("<I8", bytes, 25), parent, "both")
for _, versions in ipairs { { 3, 2 }, { 4, 4 }, { 1, 1 } } do
  refused("STATUS_INVALID_PARAMETER", file, FILE_USN, string.pack("<I2I2", versions[1], versions[2]), 300, "versions that there are not")
end
refused("STATUS_BUFFER_TOO_SMALL", file, FILE_USN, "", 71, "no room for it")

-- The volume's clusters: a file's are used, and what a bitmap has no room for is told in the next.
local _, _, _, _, first = string.unpack("<I4I4i8i8i8", file:fsctl(POINTERS, string.pack("<i8", 0), 100))
local map = volume:fsctl(BITMAP, string.pack("<i8", 0), 4096)
local from, clusters = string.unpack("<i8i8", map)
expect_equal(from, 0, "from the first")
expect_equal(clusters, string.unpack("<I8", volume:fsctl(0x90064, "", 96), 17), "of all clusters")
expect_equal(#map, 16 + (clusters + 7) // 8, "a bit each")
local function used(cluster) return map:byte(17 + cluster // 8) >> cluster % 8 & 1 end
expect(used(0) == 1 and used(first) == 1, "the boot sector's and the file's are used")
local free = 0
for cluster = 0, clusters - 1 do free = free + 1 - used(cluster) end
expect_equal(free, string.unpack("<I8", volume:fsctl(0x90064, "", 96), 25), "as many are free as the volume says")
from, clusters = string.unpack("<i8i8", volume:fsctl(BITMAP, string.pack("<i8", 1003), 4096))
expect_equal(from, 1000, "from the octet of the one that is asked for")
refused("STATUS_BUFFER_TOO_SMALL", volume, BITMAP, string.pack("<i8", 0), 16)
refused("STATUS_INVALID_PARAMETER", volume, BITMAP, "1234567", 100)
refused("STATUS_INVALID_PARAMETER", volume, BITMAP, string.pack("<i8", -1), 100, "before the first")
refused("STATUS_INVALID_PARAMETER", volume, BITMAP, string.pack("<i8", 1 << 40), 100, "behind the last")

-- Lengths of a position.
expect_status("STATUS_INFO_LENGTH_MISMATCH", function() volume:query(14, 7) end)
expect(volume:volume("attribute").attributes & 0x10000 ~= 0, "the volume says that it keeps identifiers of objects")

-- Dirty by hand, and so it says when it is mounted again.
expect_equal(string.unpack("<I4", volume:fsctl(IS_DIRTY, "", 4)), 0, "clean")
volume:fsctl(MARK_DIRTY)
expect_equal(string.unpack("<I4", volume:fsctl(IS_DIRTY, "", 4)), 1, "dirty")
file:close()
volume:fsctl(DISMOUNT)
refused("STATUS_VOLUME_DISMOUNTED", volume, BITMAP, string.pack("<i8", 0), 100)
volume:close()
volume = vm:open(VOLUME)
expect_equal(string.unpack("<I4", volume:fsctl(IS_DIRTY, "", 4)), 1, "still")
volume:close()
vm:shutdown()
expect(tool("ntfsinfo", "-m", "-f", disk):find("Volume Flags: 0x0001"), "others see it as well")
