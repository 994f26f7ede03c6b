-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the disk need not keep: of a file, by the file system, and of the disk, by its driver.  What was trimmed reads as zeros, and nothing else does.
local ROOT <const>, TRIM <const>, DATA_SET <const>, PROPERTY <const> = "\\Device\\HarddiskVolume1\\", 0x98208, 0x2D9404, 0x2D1400
local SET_SPARSE <const>, NO_RANGES_PROCESSED <const> = 0x900C4, 0xC0000460
local PAGE <const>, PAGES <const> = 4096, 64
local disk = fltvm.temp("disk.raw")
local output, status = fltvm.image{ "ntfs", disk, "16M" }
expect_equal(status, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true }, { size = "1M" } } }
local function page(n) return string.rep(string.char(n % 255 + 1), PAGE) end
local function bytes(first, last)
  local list = {}
  for n = first, last do list[#list + 1] = page(n) end
  return table.concat(list)
end
local function trim(file, ranges, room)
  local input = string.pack("<I4I4", 0, #ranges)
  for _, range in ipairs(ranges) do input = input .. string.pack("<i8i8", range[1], range[2]) end
  return file:fsctl(TRIM, input, room or 4)
end
local function count(output) return string.unpack("<I4", output) end

local file = vm:open(ROOT .. "file", { disposition = "create" })
file:write(0, bytes(0, PAGES - 1))
file:flush()
local size = file:information("standard").allocated
expect_equal(count(trim(file, { { 4 * PAGE, 4 * PAGE }, { 20 * PAGE + 1, 2 * PAGE } })), 2, "both ranges")
expect_equal(file:read(3 * PAGE, PAGE), page(3), "before the first")
expect_equal(file:read(4 * PAGE, 4 * PAGE), ("\0"):rep(4 * PAGE), "the first is gone")
expect_equal(file:read(8 * PAGE, PAGE), page(8), "behind it")
expect_equal(file:read(20 * PAGE, PAGE), page(20), "the second is narrowed to whole pages")
expect_equal(file:read(21 * PAGE, PAGE), ("\0"):rep(PAGE), "which one is")
expect_equal(file:read(22 * PAGE, PAGE), page(22), "and no more")
expect_equal(file:information("standard").allocated, size, "the clusters stay the file's")
file:write(4 * PAGE, page(4))
expect_equal(file:read(4 * PAGE, 2 * PAGE), page(4) .. ("\0"):rep(PAGE), "they are written to again")
expect_equal(count(trim(file, { { 60 * PAGE, 100 * PAGE } })), 1, "up to the end of the file")
expect_equal(file:read(59 * PAGE, PAGE), page(59), "what comes before it stays")

-- What is refused, as MS-FSA has it.
expect_status("STATUS_INVALID_PARAMETER", function() trim(file, {}) end, "no range")
expect_status("STATUS_INVALID_PARAMETER", function() trim(file, { { 0, PAGE } }, 3) end, "no room for the answer")
expect_status("STATUS_INVALID_PARAMETER", function() file:fsctl(TRIM, string.pack("<I4I4", 0, 2) .. ("\0"):rep(16), 4) end, "fewer than it says")
expect_status("STATUS_INVALID_PARAMETER", function() file:fsctl(TRIM, "\0\0\0\0", 4) end, "half of it")
expect_status("STATUS_INTEGER_OVERFLOW", function() trim(file, { { 0x7FFFFFFFFFFFFFFF, PAGE } }) end, "beyond what there can be")
expect_status(NO_RANGES_PROCESSED, function() trim(file, { { 10, PAGE } }) end, "not one whole page")
local reader = vm:open(ROOT .. "file", { access = "r" })
expect_status("STATUS_ACCESS_DENIED", function() trim(reader, { { 0, PAGE } }) end, "a handle to read")
reader:close()
local small = vm:open(ROOT .. "small", { disposition = "create" })
small:write(0, "in its record")
expect_status(NO_RANGES_PROCESSED, function() trim(small, { { 0, PAGE } }) end, "what is in no cluster")
small:close()

-- Holes are none of the disk's.
local sparse = vm:open(ROOT .. "sparse", { disposition = "create" })
sparse:fsctl(SET_SPARSE, "")
sparse:set_information("end_of_file", { size = 64 * PAGE })
sparse:write(32 * PAGE, bytes(0, 15))
sparse:flush()
expect_equal(count(trim(sparse, { { 0, 34 * PAGE } })), 1, "of a sparse file")
expect_equal(sparse:read(32 * PAGE, 3 * PAGE), ("\0"):rep(2 * PAGE) .. page(2), "what is in clusters")
sparse:close()
file:close()

-- The disk's driver.
local raw = vm:open("\\Device\\HarddiskVolume2")
raw:write(0, bytes(0, 15))
local function data_set(action, ranges, flags)
  local input = string.pack("<I4I4I4I4I4I4I4I4", 28, action, flags or 0, 0, 0, 32, #ranges * 16, 0)
  for _, range in ipairs(ranges) do input = input .. string.pack("<i8i8", range[1], range[2]) end
  return raw:ioctl(DATA_SET, input)
end
data_set(1, { { PAGE, 512 }, { 4 * PAGE, PAGE } })
expect_equal(raw:read(PAGE, PAGE), ("\0"):rep(512) .. page(1):sub(513), "one sector")
expect_equal(raw:read(4 * PAGE, 2 * PAGE), ("\0"):rep(PAGE) .. page(5), "and a page")
data_set(1, {})
expect_status("STATUS_INVALID_PARAMETER", function() data_set(1, { { 0, 100 } }) end, "no whole sector")
expect_status("STATUS_INVALID_PARAMETER", function() data_set(1, { { 0, 512 }, { 1 << 20, 512 } }) end, "beyond the end")
expect_equal(raw:read(0, 512), page(0):sub(1, 512), "then nothing is trimmed")
expect_status("STATUS_NOT_SUPPORTED", function() data_set(4, { { 0, 512 } }) end, "another action")
expect_status("STATUS_INVALID_PARAMETER", function() raw:ioctl(DATA_SET, "\28\0\0\0\1\0\0\0") end, "half of it")
expect_equal(raw:ioctl(PROPERTY, string.pack("<I4I4I4", 8, 0, 0), 12), string.pack("<I4I4I4", 12, 12, 1), "the disk says that it can")
raw:close()
vm:shutdown()
output, status = fltvm.image{ "check", "--lost", disk }
expect_equal(status, 0, output)
output = fltvm.image{ "read", disk, "file" }
expect_equal(output, bytes(0, 4) .. ("\0"):rep(3 * PAGE) .. bytes(8, 20) .. ("\0"):rep(PAGE) .. bytes(22, 59) .. ("\0"):rep(4 * PAGE), "what others read")
