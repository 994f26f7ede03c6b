-- SPDX-License-Identifier: GPL-2.0-or-later
-- Three stacked filters hold reads of several threads in work items; one is unloaded while they are under way.

local vm = fltvm.machine{ cpus = 4, disks = { { size = "4M" } } }
local filters = {}
for i, altitude in ipairs{ "100000", "200000.5", "370030" } do
  filters[i] = vm:load{ source = "storm.c", name = "storm" .. i, altitude = altitude }
end
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })

local function start(count)
  local operations = {}
  for i = 1, count do
    operations[i] = volume:read_async((i % 64) * 4096, 4096, { thread = i % 8 })
  end
  return operations
end

local function finish(operations, what)
  local bytes = 0
  for _, operation in ipairs(operations) do
    bytes = bytes + #operation:wait()
  end
  expect_equal(bytes, #operations * 4096, what)
end

finish(start(60), "reads return everything through three filters that hold them")
local reads = start(40)
filters[2]:unload()
finish(reads, "and while one of the filters is unloaded")
reads = start(20)
filters[1]:unload()
filters[3]:unload()
finish(reads, "and while the others are")
volume:close()

local items = vm:work_items()
expect_equal(items.allocated, 0, "no work item is left")
expect_equal(items.queued, 0, "none waits to run")
-- One allocated just when its filter began to unload is refused by the queue and freed without having run.
expect(items.run <= items.total and items.total - items.run <= 12, "each work item that was queued has run")
expect_equal(items.operations, 0, "no operation is left")
