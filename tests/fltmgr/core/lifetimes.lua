-- SPDX-License-Identifier: GPL-2.0-or-later
-- Instances and filters that go while others look at them: each case of lifetimes.c, on one processor and on four.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\lifetimes]]
local OUTSTANDING, MANDATORY = 8, 9

for _, run in ipairs { { cpus = 1 }, { cpus = 4 }, { cpus = 2, verifier = "0" } } do
  for case = 1, 9 do
    local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = run.cpus, options = { verifier = run.verifier or "1" } }
    local volume = vm:open(VOLUME, { async = true })
    vm:set_registry(KEY, "Case", case)
    local filter = vm:load { source = "lifetimes.c", default_instance = "first",
      instances = { first = { altitude = "100" }, second = { altitude = "100", flags = 1 } } }
    local read = case == OUTSTANDING and volume:read_async(0, 512)
    if read then vm:sleep(5) end
    filter:unload { mandatory = case == MANDATORY }
    if read then expect_equal(#read:wait(), 512, "the operation that was given back late goes on") end
    volume:close()
    expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "case " .. case .. " leaves nothing")
    vm:shutdown()
  end
end
