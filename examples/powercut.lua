-- SPDX-License-Identifier: MIT
-- A ledger on an NTFS volume: each entry is flushed before it is acknowledged.  Whenever the power fails, what was
-- acknowledged must be there.  Try every moment with:
--   ./fltvm explore --strategy power examples/powercut.lua

local LEDGER = "\\Device\\HarddiskVolume1\\ledger.txt"
local FORMAT = "entry %9d\n"
local SIZE = #FORMAT:format(0)

local vm = fltvm.machine{ disks = { { image = "ntfs", write_cache = true } } }
local acknowledged = 0

-- Called with the machine that starts on what is left of the disk.
local function check(after)
  if acknowledged > 0 then
    local ledger = after:open(LEDGER, { access = "r" })
    for i = 1, acknowledged do
      expect_equal(ledger:read((i - 1) * SIZE, SIZE), FORMAT:format(i), "what was acknowledged is there")
    end
    ledger:close()
  end
  expect(true, "the volume can be used after a power cut")
end
vm:after_power_cut(check)

local ledger = vm:open(LEDGER, { disposition = "create" })
for i = 1, 3 do
  ledger:write((i - 1) * SIZE, FORMAT:format(i))
  ledger:flush()
  acknowledged = i
end
ledger:close()

-- Once more without an exploration: the power fails here, and everything that was not flushed is lost.
if not fltvm.injects() then
  check(vm:power_cut{ keep = "none" })
end
