-- SPDX-License-Identifier: MIT
-- A minifilter that keeps counts in contexts: one for each handle, for the stream that handles share, and for its instance.
-- Each tells its count when its object goes.  Run it with:  ./fltvm run examples/contexts.lua

local vm = fltvm.machine{ disks = { { size = "1M" } } }
local filter = vm:load{ source = "contexts/contexts.c", altitude = "370030" }

local first, second = vm:open("\\Device\\HarddiskVolume1"), vm:open("\\Device\\HarddiskVolume1")
first:read(0, 512)
first:read(512, 1024)
second:read(0, 4096)

first:close()
expect_log("the handle goes: 2 reads, 1536 bytes$", "the first handle's own reads")
second:close()
expect_log("the handle goes: 1 reads, 4096 bytes$", "the second one's")
expect_log("the stream goes: 3 reads, 5632 bytes$", "with the last handle the stream, which both have read")
filter:unload()
expect_log("the instance goes: 3 reads, 5632 bytes$", "the instance when its filter goes")
