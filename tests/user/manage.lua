-- SPDX-License-Identifier: GPL-2.0-or-later
-- fltlib's administration, as fltmc does it: manage.c loads, unloads, attaches, detaches and finds.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\loaded]]
local VOLUME = [[\Device\HarddiskVolume1]]
local function contents(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end
local vm = fltvm.machine {}
local image = vm:library { source = { "../fltmgr/core/loaded.c", "../fltmgr/core/loaded.def" } }:import_library():gsub("%.lib$", "")
if not image:find("%.sys$") then image = image .. ".sys" end
local bytes = contents(image)
vm:shutdown()

vm = fltvm.machine { disks = { { image = "ntfs" } } }
local file = vm:open(VOLUME .. [[\loaded.sys]], { disposition = "create" })
file:write(0, bytes)
file:close()
vm:set_registry(KEY, "Type", 2)
vm:set_registry(KEY, "ImagePath", VOLUME .. [[\loaded.sys]])
vm:set_registry(KEY, "Does", 0)
vm:set_registry(KEY .. [[\Instances]], "DefaultInstance", "loaded Instance")
vm:set_registry(KEY .. [[\Instances\loaded Instance]], "Altitude", "200")
vm:set_registry(KEY .. [[\Instances\loaded Instance]], "Flags", 0)
local upper = vm:load { source = "managed.c", flags = { "-DSTAYS" }, name = "upper", altitude = "300" }
local lower = vm:load { source = "managed.c", name = "lower", altitude = "100" }
for _, token in ipairs { "system", "administrator" } do
  expect_equal(vm:process { name = [[\manage.exe]], program = "manage.c", token = token }:wait(), 0x600D, "all of it, by " .. token)
end
expect_equal(vm:process { name = [[\manage.exe]], program = "manage.c", token = "limited", flags = { "-DLIMITED" } }:wait(), 0x600D,
  "nothing of it, by the limited user")
expect_equal(#vm:filters(), 2, "what was loaded is unloaded")
expect_equal(#vm:instances(), 2, "what was attached is detached")
upper:unload()
lower:unload()
