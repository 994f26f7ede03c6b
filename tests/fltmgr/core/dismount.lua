-- SPDX-License-Identifier: GPL-2.0-or-later
-- A volume that is dismounted takes its instances along; the one that is mounted next gets new ones.
local VOLUME = [[\Device\HarddiskVolume1]]
local FSCTL_LOCK_VOLUME, FSCTL_UNLOCK_VOLUME, FSCTL_DISMOUNT_VOLUME = 0x90018, 0x9001C, 0x90020
local vm = fltvm.machine { disks = { { size = "1M" } } }
local filter = vm:load { source = "../operation/probe.c", name = "mounts", altitude = "100" }

expect_equal(#vm:volumes(), 0, "nothing is mounted before it is opened")
local volume = vm:open(VOLUME)
expect_log("^mounts: setup irql 0 flags 5 type 1", "a newly mounted volume: automatic, and said to be new")
expect_equal(#vm:volumes(), 1)
volume:read(0, 512)
volume:fsctl(FSCTL_LOCK_VOLUME)
volume:fsctl(FSCTL_DISMOUNT_VOLUME)
pcall(volume.fsctl, volume, FSCTL_UNLOCK_VOLUME)
volume:close()
vm:sleep(100)
expect_log("^mounts: teardown start irql 0 reason 8", "the reason is the volume's dismount")
expect_log("^mounts: teardown complete irql 0 reason 8")
expect_equal(#vm:volumes(), 0, "the volume is gone")
expect_equal(#vm:instances(), 0, "and its instance")
volume = vm:open(VOLUME)
expect_equal(#volume:read(0, 512), 512, "it is mounted again")
expect_equal(#vm:instances(), 1, "and filtered again")
volume:close()
filter:unload()
