-- SPDX-License-Identifier: GPL-2.0-or-later
-- A VPB that its file system takes off the device while it mounts is the file system's; and who unregisters, or
-- registers anew, when the system shuts down is told once.
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:load{ source = "mountfs.c" }
local volume = vm:open([[\Device\HarddiskVolume1]])
expect_log("^mountfs: 0 references left$", "the file system still has its VPB")
expect_equal(#volume:read(0, 512), 512, "RAW takes the volume")
volume:close()
vm:shutdown()
local shutdowns = 0
for _, line in ipairs(fltvm.log()) do if line:find("^mountfs: shutdown") then shutdowns = shutdowns + 1 end end
expect_equal(shutdowns, 2, "each of its devices is told once that the system shuts down")
