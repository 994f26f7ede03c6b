-- SPDX-License-Identifier: GPL-2.0-or-later
-- A driver that watches images sees another one being loaded, before it runs, and nothing after it has gone.
local vm = fltvm.machine{}
local watcher = vm:load{ source = "imagenotify.c" }
vm:load{ source = "../mm/failpool.c" }:unload()
watcher:unload()
vm:load{ source = "../mm/failpool.c" }:unload()
expect(true, "a routine that was removed is not called")
