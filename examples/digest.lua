-- SPDX-License-Identifier: MIT
-- A minifilter that hashes what reads bring, at DISPATCH_LEVEL.  Run it with:  ./fltvm run examples/digest.lua

local vm = fltvm.machine{ disks = { { size = "1M" } } }
local filter = vm:load{ source = "digest/digest.c", altitude = "370030" }
local volume = vm:open("\\Device\\HarddiskVolume1")

volume:write(0, ("abc"):rep(1024) .. ("\0"):rep(1024))
volume:read(0, 4096)
expect_log("^4096 bytes at IRQL 2: SHA%-256 c259bc1a", "the hash of what was written")

volume:close()
filter:unload()         -- a provider that stays open would be found
