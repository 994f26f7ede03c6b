-- SPDX-License-Identifier: GPL-2.0-or-later
-- The interrupt source's driver is another one for once: it connects and disconnects in every way.
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:load{ source = "interrupts.c", name = "fltvmirq" }
