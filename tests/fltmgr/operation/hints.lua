-- SPDX-License-Identifier: GPL-2.0-or-later
-- Priorities, requestors, cancellable waits, redirection and the status of the lower driver's call, as hints.c checks them.
local vm = fltvm.machine { disks = { { size = "1M" }, { size = "1M" } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
vm:open([[\Device\HarddiskVolume2]]):close()
local filter = vm:load { source = "hints.c", default_instance = "high", instances = { high = "200", low = "100" } }
expect_equal(#volume:read(0, 512), 512, "a read that its filter lets go")
volume:flush()
expect_equal(#volume:read(512, 512), 512, "one that it waits for")
volume:flush()
expect_status("STATUS_ACCESS_DENIED", function() volume:read(1024, 512) end, "one that is completed below")
pcall(function() volume:flush() end) -- which the filter cancels
volume:close()
filter:unload()
