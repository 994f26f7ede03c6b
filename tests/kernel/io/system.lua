-- SPDX-License-Identifier: GPL-2.0-or-later
-- system.c verifies the volume of a disk, which a machine by default has not.
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:load{ source = "system.c" }
