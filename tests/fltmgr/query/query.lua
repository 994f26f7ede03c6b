-- SPDX-License-Identifier: GPL-2.0-or-later
-- The filter manager's finding and describing routines, as query.c checks them from inside, with two volumes and two filters.
local vm = fltvm.machine { disks = { { size = "1M" }, { size = "1M" } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
vm:open([[\Device\HarddiskVolume2]]):close()
vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\other]], "Idle", 1)
local other = vm:load { source = "query.c", name = "other", altitude = "300" }
local query = vm:load { source = "query.c", instances = { high = "200", low = "37.5" }, default_instance = "high" }
expect_equal(#volume:read(0, 512), 512)
volume:close()
query:unload()
other:unload()
expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "every reference was given back")
