-- SPDX-License-Identifier: GPL-2.0-or-later
-- What lies beside a file's data, for programs in user mode on NTFS: beside.c.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
expect_equal(vm:process{ name = "\\beside.exe", program = "beside.c" }:wait(), 0x600D, "ranges, attributes, descriptors, changes, sections, names")
vm:shutdown()
output, status = fltvm.host{ "ntfsfix", "-n", disk }
expect_equal(status, 0, "the volume is sound: " .. output)
