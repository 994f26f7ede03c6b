-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a minifilter asks for in a program's thread is asked by the kernel: inuser.c.
local vm = fltvm.machine { disks = { { size = "1M" } } }
vm:open([[\Device\HarddiskVolume1]]):close()
local filter = vm:load { source = "inuser.c", altitude = "100" }
expect_equal(vm:process { name = [[\file.exe]], program = "file.c" }:wait(), 0x600D, "the program's own calls go on as before")
filter:unload()
