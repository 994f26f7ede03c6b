-- SPDX-License-Identifier: GPL-2.0-or-later
-- What system calls, processes and access checks cost, in guest instructions: without the verifier, and with it.
local still = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 }

for _, verifier in ipairs { "0", "1" } do
    local vm = fltvm.machine { cpus = 1, options = { verifier = verifier }, disks = { { size = "1M", device = still } } }
    vm:open("\\Device\\HarddiskVolume1"):close() -- which mounts it
    print("bench verifier " .. verifier)
    local echo = vm:process { program = "calls.c", name = "\\echo.exe", flags = { "-DECHO" } }
    vm:sleep(10)
    expect_equal(vm:process { program = "calls.c", name = "\\calls.exe" }:wait(), 0, "the calls are measured")
    echo:kill()
    echo:wait()
    local filter = vm:load { source = "users.c", altitude = "40002" }
    expect_equal(vm:process { program = "nothing.c", name = "\\nothing.exe" }:wait(), 0, "a process comes and goes")
    filter:unload()
    vm:shutdown()
end
