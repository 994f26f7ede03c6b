-- SPDX-License-Identifier: GPL-2.0-or-later
-- Contexts of streams, files and stream handles: each case of streams.c, with the verifier and without.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\streams]]
local plans = { 116, 2, 21 } -- how many checks each case makes

for _, verifier in ipairs { "1", "0" } do
  for case = 1, #plans do
    local vm = fltvm.machine { disks = { { size = "1M" } }, options = { verifier = verifier } }
    vm:open(VOLUME):close()
    vm:set_registry(KEY, "Case", case)
    vm:set_registry(KEY, "Plan", plans[case])
    local filter = vm:load { source = "streams.c", altitude = "100" }
    filter:unload()
    expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "case " .. case .. " leaves nothing")
    vm:shutdown()
  end
end
