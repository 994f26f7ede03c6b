-- SPDX-License-Identifier: MIT
-- A minifilter that goes wrong on purpose: it waits in a callback that runs at DISPATCH_LEVEL.  The run ends in
-- the bugcheck that Windows would show, with the call stack by file and line.  exit status 0: it was expected.
--
-- broken/broken.c lists the other ways it knows: give it another number.

local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\broken]], "Fault", 1)
vm:load{ source = "broken/broken.c", altitude = "370040" }
local volume = vm:open("\\Device\\HarddiskVolume1")

expect_bugcheck{ driver = "broken", text = "BrokenPostRead", what = "waiting at DISPATCH_LEVEL is found",
  function() volume:read(0, 4096) end }
