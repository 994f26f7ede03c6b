-- SPDX-License-Identifier: GPL-2.0-or-later
-- Four CPUs that race, idle and are interrupted; scenario.py runs it again and again.
-- FLTVM_TEST_QEMU holds more options for QEMU: sockets for a monitor and a debugger.
local extra = {}
for option in (os.getenv("FLTVM_TEST_QEMU") or ""):gmatch("%S+") do
    extra[#extra + 1] = option
end
fltvm.machine { cpus = 4, disks = { { size = "4M" } }, qemu = extra }
machine:start()

local filter = machine:load { source = "races.c", altitude = "320000" }
local volume = machine:open("\\Device\\HarddiskVolume1", { access = "r", async = true, buffered = false })
for round = 1, 4 do
    local reads = {}
    for number = 1, 12 do
        reads[number] = volume:read_async((round * 12 + number) * 4096, 4096, { thread = 1 + number % 4 })
    end
    machine:sleep(3)
    for _, read in ipairs(reads) do
        read:wait()
    end
end
volume:close()
filter:unload()
