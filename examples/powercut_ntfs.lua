-- SPDX-License-Identifier: MIT
-- A ledger in a file on an NTFS volume: an entry is written through, and is acknowledged when its write has ended.  Whenever the
-- power fails, what was acknowledged must be there, and the volume must be whole.  Try every moment with:
--   ./fltvm explore --strategy power examples/powercut_ntfs.lua

local LEDGER = "\\Device\\HarddiskVolume1\\ledger"
local SIZE = 4096

local function entry(i)
  return (("entry %d "):format(i)):rep(SIZE):sub(1, SIZE)
end

local vm = fltvm.machine{ disks = { { image = "ntfs", write_cache = true } } }
local acknowledged = 0

-- Called with the machine that starts on what is left of the disk, before it does.
local function check(after)
  local left = fltvm.temp("left.raw")
  after:copy_disk(left)
  local said, status = fltvm.image{ "check", "--lost", left }
  expect_equal(status, 0, "the volume is whole: " .. said)
  local output = fltvm.host{ "ntfsfix", "-n", left }
  expect(output:find("processed successfully", 1, true), "ntfsfix has nothing to mend: " .. output)
  local ledger = after:open(LEDGER, { access = "r" })
  for i = 1, acknowledged do
    expect_equal(ledger:read((i - 1) * SIZE, SIZE), entry(i), "what was acknowledged is there")
  end
  ledger:close()
end
vm:after_power_cut(check)

-- The file has all its room before, and keeps its times: from the checkpoint on only its bytes change.  NTFS without its journal, as it
-- is here, cannot promise that more than one change at a time is whole.
local ledger = vm:open(LEDGER, { disposition = "create", buffered = false, write_through = true })
ledger:write(0, ("\0"):rep(4 * SIZE))
ledger:set_information("basic", { written = -1 })
vm:open("\\Device\\HarddiskVolume1"):flush()
vm:checkpoint()
for i = 1, 4 do
  ledger:write((i - 1) * SIZE, entry(i))
  acknowledged = i
end

-- Once more without an exploration: the power fails here, and everything that was not written through is lost.
if not fltvm.injects() then
  check(vm:power_cut{ keep = "none" })
end
