-- SPDX-License-Identifier: GPL-2.0-or-later
-- An oplock that a filter keeps itself, as oplocks.c checks it in a read's callback; nothing of its requests is left.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
local filter = vm:load { source = "oplocks.c", default_instance = "high", instances = { high = "200", low = "100" } }
local function live() -- operations and what stands for their requests
  local use = vm:pool().FtOp
  return use.allocations - use.frees
end
expect_equal(#volume:read(0, 512), 512, "the read goes on")
local before = live()
expect_equal(#volume:read(0, 512), 512, "and again")
expect_equal(live(), before, "nothing is left of the second")
volume:close()
filter:unload()
