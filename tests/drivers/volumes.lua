-- SPDX-License-Identifier: GPL-2.0-or-later
-- Volumes: whole disks, MBR and GPT partitions, locking, dismounting, mounting anew, what a volume tells.
local SECTOR = 512

local function image(name, bytes, parts)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(string.rep("\0", bytes))
  for offset, data in pairs(parts) do
    file:seek("set", offset)
    file:write(data)
  end
  file:close()
  return path
end

-- A partition table entry: status, type, first sector, sectors.
local function mbr(...)
  local entries = {}
  for _, e in ipairs{ ... } do
    entries[#entries + 1] = string.pack("<BBBBBBBBI4I4", e[1], 0, 0, 0, e[2], 0, 0, 0, e[3], e[4])
  end
  local table_ = table.concat(entries)
  return string.rep("\0", 446) .. table_ .. string.rep("\0", 64 - #table_) .. "\x55\xAA"
end

local function gpt(first, last)
  local type_ = string.rep("\x11", 16)
  local entry = type_ .. string.rep("\x22", 16) .. string.pack("<I8I8I8", first, last, 0) .. string.rep("\0", 72)
  local header = "EFI PART" .. string.pack("<I4I4I4I4I8I8I8I8", 0x10000, 92, 0, 0, 1, 2047, 34, 2014) ..
    string.rep("\x33", 16) .. string.pack("<I8I4I4I4", 2, 128, 128, 0)
  return header, entry
end

local header, entry = gpt(100, 199)
local _, beyond = gpt(300, 2048)
local vm = fltvm.machine{ disks = {
  { image = image("whole.raw", 1024 * 1024, { [0] = "whole disk" }), writable = true },
  { image = image("mbr.raw", 1024 * 1024, { [0] = mbr({ 0x80, 7, 63, 200 }, { 0, 0x83, 300, 500 }),
    [63 * SECTOR] = "first", [300 * SECTOR] = "second" }), writable = true },
  { image = image("gpt.raw", 1024 * 1024, { [0] = mbr({ 0, 0xEE, 1, 2047 }), [SECTOR] = header, [2 * SECTOR] = entry,
    [100 * SECTOR] = "gpt" }), writable = true },
  -- the signature alone makes no partition table: this is a file system's boot sector
  { image = image("boot.raw", 1024 * 1024, { [0] = "\xEB\x52\x90NTFS    ", [510] = "\x55\xAA" }) },
  -- nor does a table that points behind the end
  { image = image("bad.raw", 1024 * 1024, { [0] = mbr({ 0, 7, 63, 99999 }) }) },
  -- also where an entry but the first calls itself protective
  { image = image("bad2.raw", 1024 * 1024, { [0] = mbr({ 0, 7, 63, 100 }, { 0, 0xEE, 300, 99999 }) }) },
  -- of a GPT what reaches beyond the disk is no partition
  { image = image("beyond.raw", 1024 * 1024, { [0] = mbr({ 0, 0xEE, 1, 2047 }), [SECTOR] = header, [2 * SECTOR] = beyond .. entry,
    [100 * SECTOR] = "beside" }) },
  { image = image("bad4.raw", 1024 * 1024, { [0] = mbr({ 0, 7, 63, 100 }, { 0, 0, 0, 0 }, { 0, 7, 200, 100 }, { 0, 0xEE, 2000, 49 }) }) },
} }

local function starts(number, text, bytes)
  local volume = vm:open("\\Device\\HarddiskVolume" .. number, { access = "r" })
  expect(volume:read(0, SECTOR):sub(1, #text) == text, "volume " .. number .. " begins where it should")
  expect_equal(#volume:read(bytes - SECTOR, SECTOR), SECTOR, "volume " .. number .. " has its last sector")
  expect_status("STATUS_INVALID_PARAMETER", function() volume:read(bytes, SECTOR) end)
  volume:close()
end

starts(1, "whole disk", 1024 * 1024)
starts(2, "first", 200 * SECTOR)
starts(3, "second", 500 * SECTOR)
starts(4, "gpt", 100 * SECTOR)
starts(5, "\xEB\x52\x90NTFS", 1024 * 1024)
starts(6, string.rep("\0", 16), 1024 * 1024)
starts(7, string.rep("\0", 16), 1024 * 1024)
starts(8, "beside", 100 * SECTOR)
starts(9, string.rep("\0", 16), 1024 * 1024)
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open("\\Device\\HarddiskVolume10") end)

-- A write into a partition lands at its place on the disk.
local second = vm:open("\\??\\E:")
second:write(SECTOR, string.rep("X", SECTOR))
second:close()
local disk = vm:open("\\Device\\Harddisk1\\DR0", { access = "r" })
expect(disk:read(301 * SECTOR, SECTOR) == string.rep("X", SECTOR), "the partition's sector on the disk")
disk:close()

-- There are no files on a raw volume; without an opener for the volume itself nobody mounts RAW for one.
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open("\\Device\\HarddiskVolume1\\file") end)

-- FSCTL_LOCK_VOLUME: only the one who has the volume alone gets the lock, and nobody opens it then.
local LOCK, UNLOCK, DISMOUNT, MOUNTED = 0x90018, 0x9001C, 0x90020, 0x90028
local one, two = vm:open("\\??\\C:"), vm:open("\\??\\C:")
expect_status("STATUS_ACCESS_DENIED", function() one:fsctl(LOCK) end)
two:close()
one:fsctl(LOCK)
expect_status("STATUS_ACCESS_DENIED", function() vm:open("\\??\\C:") end)
expect_equal(#one:read(0, SECTOR), SECTOR, "the lock's owner reads")
one:fsctl(UNLOCK)
expect_status("STATUS_NOT_LOCKED", function() one:fsctl(UNLOCK) end)
two = vm:open("\\??\\C:")
one:close()

-- A lock ends with its handle.
two:fsctl(LOCK)
two:close()
one = vm:open("\\??\\C:")

-- Dismounted, the open file is dead; the next open mounts anew.
one:fsctl(MOUNTED)
one:fsctl(DISMOUNT)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:fsctl(MOUNTED) end)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:read(0, SECTOR) end)
two = vm:open("\\??\\C:")
expect(two:read(0, SECTOR):sub(1, 10) == "whole disk", "the volume mounts anew")
one:close()
expect_equal(#two:read(0, SECTOR), SECTOR, "the old file's end does not touch the new volume")
two:fsctl(DISMOUNT)
two:close()
one = vm:open("\\??\\C:")
expect_equal(#one:read(0, SECTOR), SECTOR, "and once more")

-- Sizes by the documented controls.
local function length(file) return string.unpack("<i8", file:ioctl(0x7405C, "", 8)) end
expect_equal(length(one), 1024 * 1024, "IOCTL_DISK_GET_LENGTH_INFO of the whole disk")
second = vm:open("\\??\\E:")
expect_equal(length(second), 500 * SECTOR, "IOCTL_DISK_GET_LENGTH_INFO of a partition")
local name = second:ioctl(0x4D0008, "", 128)
expect_equal(string.unpack("<I2", name), #"\\Device\\HarddiskVolume3" * 2, "IOCTL_MOUNTDEV_QUERY_DEVICE_NAME")
expect_status("STATUS_BUFFER_TOO_SMALL", function() one:ioctl(0x7405C, "", 4) end)
second:close()
one:close()
