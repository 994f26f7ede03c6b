-- SPDX-License-Identifier: GPL-2.0-or-later
-- Compression that is switched on: of an empty file, and of a directory, which hands it on; what is written is smaller on the disk, and others read it.
local ROOT <const>, SET <const>, GET <const> = "\\Device\\HarddiskVolume1\\", 0x9C040, 0x9003C
local NONE <const>, DEFAULT <const>, LZNT1 <const> = "\0\0", "\1\0", "\2\0"
local COMPRESSED <const> = 0x800
local disk = fltvm.temp("disk.raw")
local output, status = fltvm.image{ "ntfs", disk, "32M" }
expect_equal(status, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local function format(file) return string.unpack("<I2", file:fsctl(GET, "", 2)) end
local function attributes(file) return string.unpack("<I4", file:query(35, 8)) end
local function make(name, options) return vm:open(ROOT .. name, { disposition = "create", options = options }) end
local text = ("what can be said more shortly. "):rep(20000)

-- An empty file.
local file = make("file")
file:fsctl(SET, DEFAULT)
expect_equal(format(file), 2, "it is compressed by LZNT1")
expect(attributes(file) & COMPRESSED ~= 0, "its attributes say so")
file:write(0, text)
file:flush()
local allocated = file:information("standard").allocated
expect(allocated < #text // 4, "it has less of the disk than it has bytes: " .. allocated .. " for " .. #text)
expect_equal(file:read(0, #text), text, "it reads as it was written")
file:write(100000, "CHANGED")
expect_equal(file:read(99990, 30), text:sub(99991, 100000) .. "CHANGED" .. text:sub(100008, 100020), "also where it was changed")
file:fsctl(SET, LZNT1)
expect_status("STATUS_NOT_IMPLEMENTED", function() file:fsctl(SET, NONE) end, "back, of a file that has bytes")
file:close()
file = vm:open(ROOT .. "file")
expect_equal(format(file), 2, "opened again")
expect_equal(file:read(0, 16), text:sub(1, 16), "and read")
file:close()

-- A file that is emptied can be made plain again.
file = make("emptied")
file:fsctl(SET, LZNT1)
file:write(0, text)
file:set_information("end_of_file", { size = 0 })
file:fsctl(SET, NONE)
expect_equal(format(file), 0, "an empty one goes back")
file:write(0, text)
file:flush()
expect(file:information("standard").allocated >= #text, "it has as much of the disk as it has bytes")
file:close()

-- A directory hands it on, and is not smaller itself.
local directory = make("directory", "directory")
expect_equal(format(directory), 0, "a directory")
directory:fsctl(SET, LZNT1)
expect_equal(format(directory), 2, "is compressed now")
file = make("directory\\inside")
expect_equal(format(file), 2, "what is made in it as well")
file:write(0, text)
file:flush()
expect(file:information("standard").allocated < #text // 4, "and what is written to that")
file:close()
local inner = make("directory\\inner", "directory")
expect_equal(format(inner), 2, "so are directories")
inner:fsctl(SET, NONE)
expect_equal(format(inner), 0, "which can be plain again")
inner:close()
for n = 1, 60 do make(("directory\\a name that is rather long %d"):format(n)):close() end
expect_equal(#directory:list(), 62, "its own names are where they were")
directory:close()

-- What is not built says so.
file = make("full")
file:write(0, text)
expect_status("STATUS_NOT_IMPLEMENTED", function() file:fsctl(SET, LZNT1) end, "a file that has bytes")
expect_equal(format(file), 0, "stays as it is")
file:close()
file = make("file:stream")
expect_status("STATUS_NOT_IMPLEMENTED", function() file:fsctl(SET, NONE) end, "a stream with a name")
file:close()

-- Nothing is kept note of by owner.
local FIND <const> = 0x9008F
directory = vm:open(ROOT .. "directory", { access = "r", options = "directory", user = "kernel" })
expect_equal(directory:fsctl(FIND, ("\0"):rep(16), 100), "", "without quotas no file is found")
file = vm:open(ROOT .. "file")
expect_status("STATUS_INVALID_PARAMETER", function() file:fsctl(FIND, ("\0"):rep(16), 100) end, "of a directory only")
local other = vm:open(ROOT .. "directory", { access = "r", options = "directory" })
expect_status("STATUS_ACCESS_DENIED", function() other:fsctl(FIND, ("\0"):rep(16), 100) end, "by who has it open to back it up")
other:close()
file:close()
directory:close()
vm:shutdown()
output, status = fltvm.image{ "check", "--lost", disk }
expect_equal(status, 0, output)
for _, name in ipairs{ "file", "directory/inside", "emptied" } do
  output = fltvm.image{ "read", disk, name }
  expect_equal(output, name == "file" and text:sub(1, 100000) .. "CHANGED" .. text:sub(100008) or text, "what others read of " .. name)
end
