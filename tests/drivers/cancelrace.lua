-- SPDX-License-Identifier: GPL-2.0-or-later
-- Cancellation against completion, in the driver, on its way to the controller and back: every request ends, once, with its
-- data or with STATUS_CANCELLED, and the disk goes on.
local CANCELLED = 0xC0000120
local vm = fltvm.machine{ cpus = 4, disks = { { size = "4M", device = { ["read-ns"] = 40000, ["queue-depth"] = 64 } } } }
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })
local whole, canceled = 0, 0

local function finish(operations)
  for _, operation in ipairs(operations) do
    local ok, result = pcall(operation.wait, operation)
    if ok then
      whole = whole + (#result == 4096 and 1 or 0)
    elseif type(result) == "table" and result.status == CANCELLED then
      canceled = canceled + 1
    else
      error(result)
    end
  end
end

-- More at once than the controller has slots on a queue, so that some wait in the driver.
local total = 0
for round = 1, 12 do
  local operations = {}
  for i = 1, 60 do
    operations[i] = volume:read_async((i % 256) * 4096, 4096, { thread = i % 8 })
    if i % (7 + round) == 0 then pcall(volume.cancel, volume) end
  end
  pcall(volume.cancel, volume) -- STATUS_NOT_FOUND when all have ended
  total = total + #operations
  finish(operations)
end
expect_equal(whole + canceled, total, "every request ended, with its data or canceled")
note(("%d with data, %d canceled"):format(whole, canceled))

-- With a controller that keeps what it has, every request is canceled, those with it and those that wait.
vm:fault{ op = "read", action = "never" }
local stuck = {}
for i = 1, 60 do stuck[i] = volume:read_async(i * 4096, 4096, { thread = i % 8 }) end
vm:sleep(20) -- all of them have got as far as they do
local before = canceled
volume:cancel()
finish(stuck)
expect_equal(canceled - before, 60, "what the controller never completes can be canceled")
vm:clear_faults()
expect_equal(#volume:read(0, 4096), 4096, "and the disk goes on")
volume:close()
