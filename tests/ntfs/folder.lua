-- SPDX-License-Identifier: GPL-2.0-or-later
-- "System Volume Information": made once, hidden, for the system alone, and what is made in it inherits that; made right where it is not; not on
-- a volume without folders: folder.c.
local ROOT <const> = [[\Device\HarddiskVolume1\]]
local FOLDER <const> = ROOT .. "System Volume Information"
local FULL <const>, INHERITED <const> = 0x1F01FF, 3

-- The entries of a self-relative descriptor's DACL: flags, mask and SID of each.
local function entries(descriptor)
  local at, list = string.unpack("<I4", descriptor, 17) + 1, {}
  local count = string.unpack("<I2", descriptor, at + 4)
  at = at + 8
  for n = 1, count do
    local kind, flags, size, mask = string.unpack("<BBI2I4", descriptor, at)
    list[n] = { kind = kind, flags = flags, mask = mask, sid = descriptor:sub(at + 8, at + size - 1) }
    at = at + size
  end
  return list
end
local SYSTEM <const> = "\1\1\0\0\0\0\0\5\18\0\0\0"

local vm = fltvm.machine { disks = { { image = "ntfs" }, { size = "1M" } } }
for _, volume in ipairs { 1, 2 } do vm:open([[\Device\HarddiskVolume]] .. volume):close() end
local filter = vm:load { source = "folder.c", altitude = "140000" }
vm:expect_log("folder: type 2, time 0: 0x00000000", "it is made")
vm:expect_log("folder: type 2, time 1: 0x00000000", "it is there")
vm:expect_log("folder: type 1, time 0: 0xC%x+", "not on a volume without folders")
local folder = vm:open(FOLDER, { access = { "read_attributes", "read_control", "write_dac" }, options = "directory" })
expect(string.unpack("<I4", folder:query(35, 8)) & 0x16 == 0x16, "a hidden folder of the system's")
local list = entries(folder:security("dacl"))
expect_equal(#list, 1, "one entry")
expect(list[1].kind == 0 and list[1].mask == FULL and list[1].flags & INHERITED == INHERITED and list[1].sid == SYSTEM,
  "full access for the system, inherited")
vm:open(FOLDER .. [[\a]], { disposition = "create" }):close()
local inside = vm:open(FOLDER .. [[\a]], { access = "read_control" })
list = entries(inside:security("dacl"))
expect(#list == 1 and list[1].mask == FULL and list[1].sid == SYSTEM, "what is in it has that, too")
inside:close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(FOLDER, { access = "r", options = "directory", user = "limited" }) end,
  "nobody else has access")

-- The bits taken away, the next who asks puts them back; other entries stay.
local descriptor = folder:security("dacl")
local dacl = string.unpack("<I4", descriptor, 17) + 1
folder:set_security(descriptor:sub(1, dacl + 8) .. "\0" .. descriptor:sub(dacl + 10), "dacl")
expect_equal(entries(folder:security("dacl"))[1].flags & INHERITED, 0, "nothing is inherited")
folder:close()
filter:unload()
filter = vm:load { source = "folder.c", altitude = "140000" }
folder = vm:open(FOLDER, { access = "read_control", options = "directory" })
list = entries(folder:security("dacl"))
expect(#list == 1 and list[1].flags & INHERITED == INHERITED and list[1].mask == FULL, "it is again")
folder:close()
filter:unload()
vm:shutdown()
