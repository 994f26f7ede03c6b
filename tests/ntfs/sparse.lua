-- SPDX-License-Identifier: GPL-2.0-or-later
-- Sparse files: made so, lengthened and written with gaps, holes made in them; what they have of the disk, and what others read afterwards.
local ROOT <const>, SET_SPARSE <const>, ZERO <const>, RANGES <const> = "\\Device\\HarddiskVolume1\\", 0x900C4, 0x980C8, 0x940CF
local UNIT <const> = 16 * 4096
local disk = fltvm.temp("disk.raw")
local output, status = fltvm.image{ "ntfs", disk, "32M" }
expect_equal(status, 0, output)
local vm = fltvm.machine{ cpus = 2, disks = { { image = disk, writable = true } } }
vm:start()

-- {first byte, bytes} of what is in clusters, as the file system tells it.
local function ranges(file)
  local bytes = file:fsctl(RANGES, string.pack("<i8i8", 0, 1 << 40), 1024)
  local list = {}
  for at = 1, #bytes, 16 do list[#list + 1] = ("%d+%d"):format(string.unpack("<i8i8", bytes, at)) end
  return table.concat(list, " ")
end
local function is_sparse(file) return string.unpack("<I4", file:query(35, 8)) & 0x200 ~= 0 end
local function zero(file, from, to) file:fsctl(ZERO, string.pack("<i8i8", from, to)) end
local pattern = ("sparse file. "):rep(6000):sub(1, UNIT)

-- An empty file becomes sparse, is made large, and takes what is written to it.
local file = vm:open(ROOT .. "sparse", { disposition = "create" })
expect(not is_sparse(file), "a file is not sparse by itself")
file:fsctl(SET_SPARSE, "")
expect(is_sparse(file), "it is when it is told to be")
file:set_information("end_of_file", { size = 256 * UNIT })
expect(file:information("standard").allocated <= UNIT, "it has next to nothing of the disk: " .. file:information("standard").allocated)
file:write(100 * UNIT, pattern)
file:flush()
expect(file:information("standard").allocated <= 3 * UNIT, "and of what was written little more")
expect_equal(file:read(100 * UNIT, UNIT), pattern, "which is there")
expect_equal(file:read(50 * UNIT, 4096), ("\0"):rep(4096), "between are zeros")
file:close()
file = vm:open(ROOT .. "sparse")
expect(is_sparse(file), "it stays sparse")

-- A file of bytes becomes sparse, stays so without a hole, and gets holes.
local full = vm:open(ROOT .. "full", { disposition = "create" })
for unit = 0, 9 do full:write(unit * UNIT, pattern) end
full:flush()
local whole = full:information("standard").allocated
full:fsctl(SET_SPARSE, "\1")
expect(is_sparse(full) and full:information("standard").allocated == whole, "sparse, and as large as before")
full:write(10 * UNIT, pattern)
full:flush()
expect(is_sparse(full), "also when more is written")
zero(full, UNIT + 100, 4 * UNIT + 200)
expect_equal(ranges(full), ("0+%d %d+%d"):format(2 * UNIT, 4 * UNIT, 7 * UNIT), "whole units are given back")
expect_equal(full:information("standard").allocated, whole + UNIT - 2 * UNIT, "and no more")
expect_equal(full:read(UNIT, UNIT), pattern:sub(1, 100) .. ("\0"):rep(UNIT - 100), "before them are zeros from where they were asked for")
expect_equal(full:read(2 * UNIT, 2 * UNIT), ("\0"):rep(2 * UNIT), "in them as well")
expect_equal(full:read(4 * UNIT, UNIT), ("\0"):rep(200) .. pattern:sub(201), "and behind them as far")
expect_equal(full:read(5 * UNIT, UNIT), pattern, "what follows is as it was")
full:write(2 * UNIT + 5, "in a hole")
expect_equal(full:read(2 * UNIT, 20), "\0\0\0\0\0in a hole\0\0\0\0\0\0", "a hole is written to")
zero(full, 8 * UNIT, 1 << 40)
expect_equal(full:read(10 * UNIT, 16), ("\0"):rep(16), "up to the end, which stays where it is")
expect_equal(full:information("standard").size, 11 * UNIT, "the size is the same")

-- The way back, and who may not.
expect_status("STATUS_NOT_IMPLEMENTED", function() full:fsctl(SET_SPARSE, "\0") end, "not with holes")
local plain = vm:open(ROOT .. "plain", { disposition = "create" })
plain:write(0, pattern)
plain:flush()
plain:fsctl(SET_SPARSE, "\1")
plain:fsctl(SET_SPARSE, "\0")
expect(not is_sparse(plain), "back, without holes")
zero(plain, 0, UNIT)
expect_equal(ranges(plain), "0+" .. UNIT, "a file that is not sparse keeps its clusters")
expect_equal(plain:read(0, UNIT), ("\0"):rep(UNIT), "and has zeros")
local directory = vm:open(ROOT, { access = "r", options = "directory" })
expect_status("STATUS_INVALID_PARAMETER", function() directory:fsctl(SET_SPARSE, "\1") end, "no directory")
local sum = { sparse = fltvm.sha256(file:read(100 * UNIT, UNIT)), full = fltvm.sha256(full:read(0, 8 * UNIT)) }
for _, each in ipairs { file, full, plain, directory } do each:close() end
vm:shutdown()

-- Others find the same, and nothing wrong.
local function bytes(name)
  output, status = fltvm.image{ "read", disk, name }
  expect_equal(status, 0, "read " .. name)
  return output
end
expect_equal(fltvm.sha256(bytes("sparse"):sub(100 * UNIT + 1, 101 * UNIT)), sum.sparse, "the sparse file as ntfs-3g reads it")
expect_equal(fltvm.sha256(bytes("full"):sub(1, 8 * UNIT)), sum.full, "the one with holes")
output, status = fltvm.image{ "check", disk }
expect_equal(status, 0, "the volume is sound, no cluster lost or shared: " .. output)
