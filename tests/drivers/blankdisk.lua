-- SPDX-License-Identifier: GPL-2.0-or-later
-- A blank disk reads as zeros, keeps what is written to it, and is gone at the end.

local vm = fltvm.machine{ disks = { { size = "1M" }, { size = "64K" } } }
for number, size in ipairs{ 0x100000, 0x10000 } do
  local volume = vm:open("\\Device\\HarddiskVolume" .. number)
  local text = ("disk %d "):format(number):rep(512):sub(1, 512)
  expect_equal(volume:read(0, size), ("\0"):rep(size), "disk " .. number .. " is blank")
  volume:write(size - 512, text)
  volume:flush()
  volume:close()
  volume = vm:open("\\Device\\HarddiskVolume" .. number)
  expect_equal(volume:read(size - 512, 512), text, "disk " .. number .. " keeps what is written")
  volume:close()
end
