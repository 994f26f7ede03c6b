-- SPDX-License-Identifier: MIT
-- flaky.lua with a checkpoint, from which an exploration begins each of its runs.  Find the race with:
--   ./fltvm explore examples/flaky_checkpoint.lua

local vm = fltvm.machine{ cpus = 4, disks = { { size = "1M" } } }
local filter = vm:load{ source = "flaky/flaky.c", altitude = "370030" }
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })

-- Up to here everything is the same in each run: it is done once, and the machine is put back here for the next.
vm:checkpoint()

local reads = {}
for i = 1, 24 do
  reads[i] = volume:read_async(i * 4096, 4096, { thread = i % 6 })
end
for _, read in ipairs(reads) do
  expect_equal(#read:wait(), 4096, "a read returns all of its bytes")
end
volume:close()
filter:unload()
