-- SPDX-License-Identifier: GPL-2.0-or-later
-- An oplock that a filter keeps itself, as oplocks.c checks it in a read's callback.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
local filter = vm:load { source = "oplocks.c", default_instance = "high", instances = { high = "200", low = "100" } }
expect_equal(#volume:read(0, 512), 512, "the read goes on")
volume:close()
filter:unload()
