-- SPDX-License-Identifier: MIT
-- A ledger on a disk without a file system: an entry is a sector, and is acknowledged once it was flushed.  Whenever the power
-- fails, what was acknowledged must be there.  Try every moment with:
--   ./fltvm explore --strategy power examples/powercut.lua

local VOLUME = "\\Device\\HarddiskVolume1"
local SECTOR = 512

local function entry(i)
  return (("entry %d "):format(i)):rep(SECTOR):sub(1, SECTOR)
end

local vm = fltvm.machine{ disks = { { size = "1M", write_cache = true } } }
local acknowledged = 0

-- Called with the machine that starts on what is left of the disk.
local function check(after)
  local ledger = after:open(VOLUME, { access = "r" })
  for i = 1, acknowledged do
    expect_equal(ledger:read(i * SECTOR, SECTOR), entry(i), "what was acknowledged is there")
  end
  ledger:close()
  expect(true, "the disk can be read after a power cut")
end
vm:after_power_cut(check)

local ledger = vm:open(VOLUME, { access = "rw" })
for i = 1, 4 do
  ledger:write(i * SECTOR, entry(i))
  ledger:flush() -- without it the disk may lose the entry, or keep a later one and not this
  acknowledged = i
end
ledger:close()

-- Once more without an exploration: the power fails here, and everything that was not flushed is lost.
if not fltvm.injects() then
  check(vm:power_cut{ keep = "none" })
end
