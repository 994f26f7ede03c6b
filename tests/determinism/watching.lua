-- SPDX-License-Identifier: GPL-2.0-or-later
-- A minifilter, work items, interrupts and operations that go on: what watching.py watches in each way there is.
-- WATCH=trace keeps the trace.
local vm = fltvm.machine{ disks = { { size = "1M" } }, trace = os.getenv("WATCH") == "trace" }
vm:load{ source = "../../examples/workitem/workitem.c", altitude = "370030" }
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })
vm:irq(0):burst{ start = 0.1, interval = 0.037, count = 40 }
local operations = {}
for i = 1, 12 do
    operations[i] = volume:read_async(i * 4096, 4096, { thread = i % 5 })
end
for _, operation in ipairs(operations) do operation:wait() end
vm:sleep(2) -- the reads may be done before the burst is
local counts = vm:irq(0):counts()
expect_equal(counts.interrupts + counts.overrun, 40, "all interrupts came, but those that met one not taken yet")
if os.getenv("WATCH") == "trace" then
    expect(#vm:trace() > 500, "the trace is there")
end
note(("the end is at %.9f ms"):format(vm:time()))
