-- SPDX-License-Identifier: GPL-2.0-or-later
-- Renames and links as a minifilter sees them, and one that it makes itself.
local function utf16(text) return (text:gsub(".", "%0\0")) end
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local CREATE, DIRECTORY, SYNC, RENAME, LINK = 2, 1, 0x20, 10, 11
local filter = vm:load{ source = "naming.c", altitude = "370030" }
vm:open(ROOT .. "Folder", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }):close()
vm:open(ROOT .. "Other", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }):close()
vm:open(ROOT .. "file", { disposition = CREATE }):close()
local function open(name, more) return vm:open(ROOT .. name, { access = "delete", options = SYNC | (more or 0) }) end
local function naming(file, class, name, replace)
  file:set(class, string.pack("<I4I4I8I4", replace or 0, 0, 0, 2 * #name) .. utf16(name) .. "\0\0\0\0")
end

local file = open("file")
naming(file, RENAME, "renamed")
vm:expect_log("naming: class 10 to \\Device\\HarddiskVolume1\\renamed, replace 0, parent 0", "in its directory: no parent is opened")
naming(file, RENAME, ROOT .. "FOLDER\\moved")
vm:expect_log("naming: target in \\Device\\HarddiskVolume1\\Folder, access 00100002, not there", "a file is added to the new parent")
vm:expect_log("naming: class 10 to \\Device\\HarddiskVolume1\\Folder\\moved, replace 0, parent 1", "with the parent's file object")
local since = #vm:log()
naming(file, LINK, ROOT .. "link")
vm:expect_log("naming: class 11 to \\Device\\HarddiskVolume1\\link, replace 0, parent 1", "a link", { since = since })
since = #vm:log()
naming(file, LINK, ROOT .. "Link", 1)
vm:expect_log("naming: target in \\Device\\HarddiskVolume1\\, access 00100002, there", "the name is there", { since = since })
vm:expect_log("naming: class 11 to \\Device\\HarddiskVolume1\\link, replace 1, parent 1", "and is replaced, in the case it has", { since = since })
file:close()
file = open("Other", DIRECTORY)
naming(file, RENAME, ROOT .. "Folder\\Other")
vm:expect_log("naming: target in \\Device\\HarddiskVolume1\\Folder, access 00100004, not there", "a directory is added")
file:close()

vm:open(ROOT .. "filter moves me", { access = "delete", disposition = CREATE }):close()
vm:expect_log("naming: moved with 00000000", "a filter moves a file by FltSetInformationFile")
vm:open(ROOT .. "Folder\\by the filter", { access = "r" }):close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "filter moves me") end)
filter:unload()
