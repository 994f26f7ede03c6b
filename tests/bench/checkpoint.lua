-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a run costs that begins at a checkpoint: a volume is opened, read through a filter with a work item, and closed.
-- bench.py explores it.  CHECKPOINT_PAGES: so many pages more are read in one piece, and so written in the guest's memory, in each run;
-- CHECKPOINT_TRACE: a file in which QEMU tells how long each restore took.

local traces = os.getenv("CHECKPOINT_TRACE")
local pages = tonumber(os.getenv("CHECKPOINT_PAGES") or "0")
local vm = fltvm.machine{ disks = { { size = "8M" } },
                          qemu = traces and { "-trace", "fltvm_checkpoint_restore", "-D", traces } or {} }
vm:load{ source = "../../examples/workitem/workitem.c", altitude = "370030" }
vm:checkpoint()

local volume = vm:open("\\Device\\HarddiskVolume1")
expect_equal(#volume:read(0, 4096), 4096, "a read returns all of its bytes")
if pages > 0 then volume:read(4096, pages * 4096) end
volume:close()
