-- SPDX-License-Identifier: GPL-2.0-or-later
-- Volumes as mkntfs makes them: mounted, what they tell, labelled, locked, dismounted, and clean at the end; damaged and
-- other ones.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")

local function blank(name, size)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:seek("set", size - 1)
  file:write("\0")
  file:close()
  return path
end

-- A serial number of the host's choosing, so that the guest does the same in each run.
local function make(name, cluster, sector, label)
  local path = blank(name, 24 << 20)
  tool("mkntfs", "-q", "-F", "-f", "-c", cluster, "-s", sector, "-L", label, path)
  local file = assert(io.open(path, "r+b"))
  for _, at in ipairs{ 0, (24 << 20) - tonumber(sector) } do
    file:seek("set", at + 0x48)
    file:write(string.pack("<I8", 0x1122334455667788))
  end
  file:close()
  return path
end

local function damage(path, at, bytes)
  local copy = fltvm.temp("damaged-" .. at .. ".raw")
  local from, to = assert(io.open(path, "rb")), assert(io.open(copy, "wb"))
  to:write(from:read("a"))
  to:seek("set", at)
  to:write(bytes)
  from:close()
  to:close()
  return copy
end

local paths = { make("a.raw", "4096", "512", "Daten 1"), make("b.raw", "512", "512", "b"), make("c.raw", "65536", "512", "") }
local vm = fltvm.machine{ disks = {
  { image = paths[1], writable = true },
  { image = paths[2], writable = true },
  { image = paths[3], writable = true },
  { image = damage(paths[1], 4 * 4096, string.rep("\xFF", 65536)) }, -- the MFT
  { image = blank("d.raw", 1 << 20) },
} }

local function utf16(text) return (text:gsub(".", "%0\0")) end
local LOCK, UNLOCK, DISMOUNT, MOUNTED, DIRTY, DATA = 0x90018, 0x9001C, 0x90020, 0x90028, 0x90078, 0x90064

for n, cluster in ipairs{ 4096, 512, 65536 } do
  local volume = vm:open("\\Device\\HarddiskVolume" .. n)
  local serial, sectors, clusters, free, _, sector, bytes, record, _, mft = string.unpack("<I8I8I8I8I8I4I4I4I4I8", volume:fsctl(DATA, "", 96))
  expect_equal(serial, 0x1122334455667788, "serial number")
  expect_equal(bytes, cluster, "cluster")
  expect_equal(sector, 512, "sector")
  expect_equal(record, 1024, "file record")
  expect_equal(sectors // (bytes // sector), clusters, "sectors and clusters")
  expect(clusters * bytes <= 24 << 20 and clusters * bytes > (24 << 20) - 2 * 65536, "clusters")
  expect(free > clusters // 4 and free < clusters, "free clusters: " .. free .. " of " .. clusters)
  expect(mft >= 27648 and mft % 1024 == 0, "valid length of the MFT: " .. mft)
  expect_equal(string.unpack("<I4", volume:fsctl(DIRTY, "", 4)), 0, "mkntfs leaves it clean")
  expect_status("STATUS_BUFFER_TOO_SMALL", function() volume:fsctl(DATA, "", 95) end)
  expect_status("STATUS_INVALID_DEVICE_REQUEST", function() volume:fsctl(0x9FFF4, "", 96) end, "a control that is not here")
  expect_status("STATUS_INVALID_DEVICE_REQUEST", function() volume:query(5, 64) end, "the volume is no file")
  volume:fsctl(MOUNTED)
  expect(volume:read(0, 512):sub(4, 11) == "NTFS    ", "its first sector")
  expect_status("STATUS_INVALID_PARAMETER", function() volume:read(1, 512) end, "half a sector")
  volume:close()
end

-- What a filter sees of them: two kinds of file system.
for _, volume in ipairs(vm:volumes()) do
  expect_equal(volume.file_system, 2, volume.name .. " is NTFS (FLT_FSTYPE_NTFS)")
end

-- One who locks has the volume alone.
local one, two = vm:open("\\??\\C:"), vm:open("\\??\\C:")
expect_status("STATUS_ACCESS_DENIED", function() one:fsctl(LOCK) end)
two:close()
one:fsctl(LOCK)
expect_status("STATUS_ACCESS_DENIED", function() vm:open("\\??\\C:") end)
one:fsctl(UNLOCK)
expect_status("STATUS_NOT_LOCKED", function() one:fsctl(UNLOCK) end)
one:fsctl(LOCK)
one:close()
one = vm:open("\\??\\C:")

-- Dismounted, it is mounted anew by the next open.
one:fsctl(DISMOUNT)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:fsctl(MOUNTED) end)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:fsctl(DISMOUNT) end)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:read(0, 512) end)
expect_status("STATUS_VOLUME_DISMOUNTED", function() one:fsctl(DATA, "", 96) end)
two = vm:open("\\??\\C:")
two:fsctl(MOUNTED)
one:close()
two:close()

-- A volume of NTFS that cannot be: RAW takes it where it is opened as a whole, and a file in it says why not.
expect_status("STATUS_FILE_CORRUPT_ERROR", function() vm:open("\\Device\\HarddiskVolume4\\file") end)
local damaged = vm:open("\\Device\\HarddiskVolume4", { access = "r" })
expect_status("STATUS_INVALID_DEVICE_REQUEST", function() damaged:fsctl(DATA, "", 96) end, "RAW has it")
expect(damaged:read(0, 512):sub(4, 11) == "NTFS    ", "its first sector")
damaged:close()

-- What is not NTFS goes to RAW as ever.
local raw = vm:open("\\Device\\HarddiskVolume5", { access = "r" })
expect_status("STATUS_INVALID_DEVICE_REQUEST", function() raw:fsctl(DATA, "", 96) end)
raw:close()

-- The machine goes down: other people's tools find nothing wrong.
vm:shutdown()
for _, path in ipairs(paths) do
  local output = tool("ntfsfix", "-n", path)
  expect(not output:find("dirty") and not output:find("FAILED"), "ntfsfix -n: " .. output)
  expect(tool("ntfsinfo", "-m", path):find("Volume Flags: 0x0000"), "no flag of the volume is set")
end
