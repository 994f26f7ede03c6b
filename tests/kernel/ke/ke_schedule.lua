-- SPDX-License-Identifier: GPL-2.0-or-later
-- ke_schedule.c needs four processors: one that works, and others to be idle, to write and to read.
local vm = fltvm.machine { cpus = 4 }
vm:load { source = "ke_schedule.c" }
