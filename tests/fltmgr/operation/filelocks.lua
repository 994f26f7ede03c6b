-- SPDX-License-Identifier: GPL-2.0-or-later
-- Byte-range locks that a filter keeps itself, as filelocks.c checks them in a read's callback.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
local filter = vm:load { source = "filelocks.c", default_instance = "high", instances = { high = "200", low = "100" } }
expect_equal(#volume:read(0, 512), 512, "the read goes on")
volume:close()
filter:unload()
