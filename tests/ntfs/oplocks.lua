-- SPDX-License-Identifier: GPL-2.0-or-later
-- Oplocks of NTFS's streams; the checks are the driver's.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local file = vm:open("\\Device\\HarddiskVolume1\\file", { disposition = 2 })
file:write(0, string.rep("x", 5000))
file:close()
vm:load{ source = "oplocks.c" }
