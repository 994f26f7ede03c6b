-- SPDX-License-Identifier: MIT
-- Files renamed, linked and deleted on an NTFS volume, and a minifilter that tells which.

-- A volume of our own, by ntfs-3g's mkntfs.
local disk = fltvm.temp("ntfs.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local said, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, "a volume is made" .. (status ~= 0 and ": " .. said or ""))

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local filter = vm:load{ source = "renames/renames.c", altitude = "370070" }
local VOLUME = "\\Device\\HarddiskVolume1\\"

vm:open(VOLUME .. "Folder", { disposition = "create", options = "directory", access = "r" }):close()
local file = vm:open(VOLUME .. "draft.txt", { disposition = "create", access = "rw delete" })
file:write(0, "hello")
file:rename("letter.txt")
vm:expect_log(VOLUME .. "draft.txt renamed to " .. VOLUME .. "letter.txt", "in its directory")
file:rename(VOLUME .. "Folder\\letter.txt")
vm:expect_log(VOLUME .. "letter.txt renamed to " .. VOLUME .. "Folder\\letter.txt", "to another directory")
file:link(VOLUME .. "copy.txt")
vm:expect_log(VOLUME .. "Folder\\letter.txt linked as " .. VOLUME .. "copy.txt", "a second name")
file:delete()
vm:expect_log(VOLUME .. "Folder\\letter.txt goes with its last handle", "deleted")
file:close()

vm:open(VOLUME .. "copy.txt", { access = "delete", options = "delete_on_close" }):close()
vm:expect_log(VOLUME .. "copy.txt is deleted on close", "the other way")
-- A file with a short name goes, and another is renamed to that within 15 seconds: it has the long name, by NTFS's tunnel.
-- The kernel sets the short name: of a program NTFS wants SeRestorePrivilege for that.
file = vm:open(VOLUME .. "A long name.dat", { disposition = "create", access = "rw delete", user = "kernel" })
file:set(40, string.pack("<I4", 2 * 12) .. ("ALONGN~1.DAT"):gsub(".", "%0\0")) -- FileShortNameInformation
file:close()
file = vm:open(VOLUME .. "ALONGN~1.DAT", { access = "delete" })
file:delete()
file:close()
file = vm:open(VOLUME .. "new.dat", { disposition = "create", access = "rw delete" })
file:rename("alongn~1.dat")
vm:expect_log(VOLUME .. "new.dat renamed to " .. VOLUME .. "A long name.dat", "what was tunneled")
file:close()

local root = vm:open(VOLUME, { access = "r", options = "directory" })
expect_equal(#root:list("*.txt"), 0, "nothing is left")
root:close()
filter:unload()
