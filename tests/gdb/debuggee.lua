-- SPDX-License-Identifier: GPL-2.0-or-later
-- One read through debuggee.c; kernel.py watches it from gdb.
fltvm.machine { disks = { { size = "1M" } } }
machine:start()
local filter = machine:load { source = "debuggee.c", altitude = "320000" }
local volume = machine:open("\\Device\\HarddiskVolume1", { access = "r", buffered = false })
expect_equal(#volume:read(0, 4096), 4096)
machine:sleep(20)
volume:close()
filter:unload()
