-- SPDX-License-Identifier: GPL-2.0-or-later
-- Sections for data scans on NTFS: sections.c.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
vm:open("\\Device\\HarddiskVolume1"):close()
vm:load{ source = "sections.c", altitude = "320000" }:unload()
expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "nothing is left")
