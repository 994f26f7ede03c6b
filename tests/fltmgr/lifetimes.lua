-- SPDX-License-Identifier: GPL-2.0-or-later
-- Instances and filters that go while others look at them: each case of lifetimes.c, on one processor and on four.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\lifetimes]]

for _, cpus in ipairs { 1, 4 } do
  for case = 1, 7 do
    local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = cpus }
    vm:open(VOLUME):close()
    vm:set_registry(KEY, "Case", case)
    local filter = vm:load { source = "lifetimes.c", default_instance = "first",
      instances = { first = { altitude = "100" }, second = { altitude = "100", flags = 1 } } }
    filter:unload()
    expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "case " .. case .. " leaves nothing")
    vm:shutdown()
  end
end
