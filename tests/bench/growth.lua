-- SPDX-License-Identifier: GPL-2.0-or-later
-- What an operation costs among 10, 1,000 and 10,000 of its kind, in guest instructions.
local vm = fltvm.machine {
    cpus = 1,
    memory = "96M",
    disks = { { size = "1M", device = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 } } },
}
vm:start()
vm:open("\\Device\\HarddiskVolume1"):close() -- which mounts it
vm:load { source = "growth.c", altitude = "40001" }:unload()
