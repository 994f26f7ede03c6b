-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a generic work item, a read and a filter cost, in guest instructions; run by bench.py.
-- One processor and a disk that takes no time, so that the time-stamp counter counts instructions.
fltvm.machine {
    cpus = 1,
    disks = { { size = "1M", device = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 } } },
}
machine:start()
print("bench memory " .. machine:memory().used)

print("bench filters 0")
local benchmark = machine:load { source = "benchmark.c", altitude = "40000" }
benchmark:unload()

for number = 1, 3 do
    machine:load { source = "passthrough.c", name = "passthrough" .. number, altitude = tostring(320000 + number) }
end
print("bench filters 3")
machine:load { source = "benchmark.c", name = "benchmark3", altitude = "40000" }
