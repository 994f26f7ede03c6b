-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a script may do without saying in which order: random numbers, walks over tables, instances by name.
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:load{ source = "../../examples/workitem/workitem.c",
         instances = { alpha = "1000", beta = "2000", gamma = "3000", delta = "4000", epsilon = "5000" } }
local volume = vm:open("\\Device\\HarddiskVolume1")
local names = {}
for _, instance in ipairs(vm:instances()) do names[#names + 1] = instance.name end
note("instances: " .. table.concat(names, " "))
local reads = {}
for i = 1, 12 do reads["read " .. i] = math.random(0, 255) * 4096 end
for name, offset in pairs(reads) do
    volume:read(offset, 512 * math.random(1, 8))
    note(name, offset, tostring(reads), os.time(), os.clock())
end
note(("the end is at %.9f ms"):format(vm:time()))
