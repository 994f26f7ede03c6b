-- SPDX-License-Identifier: GPL-2.0-or-later
-- The names of volumes, as the mount manager tells them: points.c.
local vm = fltvm.machine { disks = { { size = "1M" }, { size = "2M" } } }
vm:load { source = "points.c" }
