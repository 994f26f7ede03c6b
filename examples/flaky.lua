-- SPDX-License-Identifier: MIT
-- A minifilter with a race that hardly ever shows.  Run it with:  ./fltvm run examples/flaky.lua
-- and find the race with:  ./fltvm explore examples/flaky.lua

local vm = fltvm.machine{ cpus = 4, disks = { { size = "1M" } } }
local filter = vm:load{ source = "flaky/flaky.c", altitude = "370030" }
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })

local reads = {}
for i = 1, 24 do
  reads[i] = volume:read_async(i * 4096, 4096, { thread = i % 6 })
end
for _, read in ipairs(reads) do
  expect_equal(#read:wait(), 4096, "a read returns all of its bytes")
end
volume:close()
filter:unload()
