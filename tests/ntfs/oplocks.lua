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

-- One of the old kind says what it was broken to in IoStatus.Information, and has no buffer.
local LEVEL_2 = 0x90004
local owner = vm:open("\\Device\\HarddiskVolume1\\old", { disposition = "create", async = true })
local other = vm:open("\\Device\\HarddiskVolume1\\old", { async = true })
local held = owner:fsctl_async(LEVEL_2, "", 0, { thread = 4 })
expect(not held:done(5), "the oplock is held")
expect_equal(other:write(0, "x"), 1, "the write that breaks it")
expect_equal(held:wait(), "", "it is broken")
