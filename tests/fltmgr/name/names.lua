-- SPDX-License-Identifier: GPL-2.0-or-later
-- File names on a RAW volume, as names.c checks them in its callbacks; and name information that is released too often or never.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "names.c")
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\names]]

local function machine(fault)
  local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = 1 }
  vm:open(VOLUME):close()
  vm:set_registry(KEY, "Fault", fault)
  return vm, vm:load { source = "names.c", altitude = "100" }
end

local vm, filter = machine(0)
local volume = vm:open(VOLUME)
volume:read(0, 512)
volume:close()
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open(VOLUME .. [[\dir\file.txt:s]]) end, "RAW has no files")
filter:unload()
vm:shutdown()

for fault, p1 in ipairs { 0xF043, 0x68, 0xF012 } do
  vm, filter = machine(fault)
  expect_bugcheck { code = 0xF5, p1 = p1, driver = "names.sys", line = assert(guilty[fault]), quiet = true, what = "name information that is wrongly released, or a tunneled name asked for in a pre-callback, " .. fault,
    function()
      local file = vm:open(VOLUME)
      file:read(0, 512)
      file:close()
      filter:unload()
    end }
end
