-- SPDX-License-Identifier: GPL-2.0-or-later
-- Contexts: each case of contexts.c, with the verifier and without; and a volume that is dismounted with its context.
local VOLUME, OTHER = [[\Device\HarddiskVolume1]], [[\Device\HarddiskVolume2]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\contexts]]
local FSCTL_LOCK_VOLUME, FSCTL_UNLOCK_VOLUME, FSCTL_DISMOUNT_VOLUME = 0x90018, 0x9001C, 0x90020
local SETTING, ENDING, VOLUMES = 3, 4, 5
local plans = { 13, 85, 81, 21, 19 } -- how many checks each case makes

local function load(case, verifier, disks)
  local vm = fltvm.machine { disks = disks or { { size = "1M" } }, options = { verifier = verifier } }
  vm:open(VOLUME):close()
  vm:set_registry(KEY, "Case", case)
  vm:set_registry(KEY, "Plan", plans[case] + (case == SETTING and verifier == "0" and 4 or 0))
  return vm, vm:load { source = "contexts.c", altitude = "100" }
end

for _, verifier in ipairs { "1", "0" } do
  for case = 1, ENDING do
    local vm, filter = load(case, verifier)
    filter:unload()
    expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "case " .. case .. " leaves nothing")
    vm:shutdown()
  end
end

local vm, filter = load(VOLUMES, "1", { { size = "1M" }, { size = "1M" } })
local volume = vm:open(OTHER)
volume:fsctl(FSCTL_LOCK_VOLUME)
volume:fsctl(FSCTL_DISMOUNT_VOLUME)
pcall(volume.fsctl, volume, FSCTL_UNLOCK_VOLUME)
volume:close()
vm:sleep(100)
expect_equal(#vm:volumes(), 1, "the volume is dismounted")
filter:unload()
