-- SPDX-License-Identifier: GPL-2.0-or-later
-- What filters ask beside data: control codes, reparse points, directories, attributes, quotas, security, as asks.c checks it in a read's callback.
local VOLUME = [[\Device\HarddiskVolume1]]
local vm = fltvm.machine { disks = { { size = "1M" } } }
local volume = vm:open(VOLUME)
local filter = vm:load { source = "asks.c", default_instance = "high", instances = { high = "200", low = "100" } }
expect_equal(#volume:read(0, 512), 512, "the read goes on")
volume:close()
filter:unload()
