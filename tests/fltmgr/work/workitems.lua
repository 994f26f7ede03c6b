-- SPDX-License-Identifier: GPL-2.0-or-later
-- Generic work items, as workitems.c checks them from inside; then the counters seen from outside.
local vm = fltvm.machine { disks = { { size = "1M" } } }
vm:start()
vm:open("\\Device\\HarddiskVolume1"):close() -- mounts the volume, so that there is an instance

local before = vm:work_items()
local filter = vm:load { source = "workitems.c", altitude = "370030" }
expect_equal(vm:work_items().running, 1, "the slow routine is running")
expect_equal(vm:work_items().allocated, 2, "it and the late item are all that is left")
filter:unload()
local after = vm:work_items()
expect_equal({ after.allocated, after.queued, after.running }, { 0, 0, 0 }, "nothing is left after unload")
expect(after.run - before.run == after.total - before.total + 4 - 2, "each item ran once, one of them five times, two never")
