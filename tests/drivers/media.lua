-- SPDX-License-Identifier: GPL-2.0-or-later
-- Media of a raw volume that are changed: its program is told once, and then has the new one.
local VOLUME <const>, SECTOR <const> = "\\Device\\HarddiskVolume1", 512
local media = {}
for n = 1, 3 do
  media[n] = fltvm.temp("medium" .. n .. ".raw")
  local file = assert(io.open(media[n], "wb"))
  file:write(string.rep(string.char(n), 64 * 1024))
  file:close()
end
local vm = fltvm.machine{ disks = { { media = media, writable = true } } }
local function sector(n) return string.rep(string.char(n), SECTOR) end

local volume = vm:open(VOLUME)
expect_equal(volume:read(0, SECTOR), sector(1), "the first is in")
volume:write(SECTOR, sector(0x11))
vm:insert(2)
expect_status("STATUS_VERIFY_REQUIRED", function() volume:read(0, SECTOR) end, "the medium may be another")
expect_equal(volume:read(0, SECTOR), sector(2), "which it is")
vm:insert(3)
expect_status("STATUS_VERIFY_REQUIRED", function() volume:write(0, sector(0x33)) end, "nothing is written that was meant for the second")
volume:write(SECTOR, sector(0x33))
expect_equal(volume:read(0, 2 * SECTOR), sector(3) .. sector(0x33), "what is written goes to the third")

-- None, and the first again.
vm:eject()
expect_status("STATUS_NO_MEDIA_IN_DEVICE", function() volume:read(0, SECTOR) end, "to read")
expect_status("STATUS_NO_MEDIA_IN_DEVICE", function() volume:flush() end, "to flush")
vm:insert(1)
expect_status("STATUS_VERIFY_REQUIRED", function() volume:flush() end, "a flush is told, too")
expect_equal(volume:read(SECTOR, SECTOR), sector(0x11), "what was written to the first is there")

-- The disk tells how often it has changed, as documented of IOCTL_STORAGE_CHECK_VERIFY2.
local CHECK <const> = 0x2D0800
local disk = vm:open("\\Device\\Harddisk0\\DR0", { access = "attributes" })
expect_equal(string.unpack("<I4", disk:ioctl(CHECK, "", 4)), 3, "three media were put in")
vm:insert(1)
expect_status("STATUS_VERIFY_REQUIRED", function() disk:ioctl(CHECK, "", 4) end, "one more")
expect_equal(string.unpack("<I4", disk:ioctl(CHECK, "", 4)), 4, "that is told once")
vm:eject()
expect_status("STATUS_NO_MEDIA_IN_DEVICE", function() disk:ioctl(CHECK, "", 4) end, "none")
disk:close()

-- Nobody has it open: an open begins with what is there.
volume:close()
vm:insert(3)
volume = vm:open(VOLUME)
expect_equal(volume:read(SECTOR, SECTOR), sector(0x33), "after an open nobody is told")
volume:close()

-- Which the machine repeats: its state has the medium.
vm:insert(2)
local before = vm:time()
volume = vm:open(VOLUME)
expect_equal(volume:read(0, SECTOR), sector(2), "the second")
expect(vm:time() > before, "time goes on")
volume:close()
vm:shutdown()
for n, byte in ipairs{ 0x11, 2, 0x33 } do
  local file = assert(io.open(media[n], "rb"))
  expect_equal(file:read(2 * SECTOR), sector(n) .. sector(byte), "medium " .. n .. " afterwards")
  file:close()
end
