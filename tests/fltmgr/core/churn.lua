-- SPDX-License-Identifier: GPL-2.0-or-later
-- A filter is unloaded while threads attach, detach and look at its instances and reads run through them: churn.c.
local VOLUME = [[\Device\HarddiskVolume1]]

for _, cpus in ipairs { 1, 3, 8 } do
  for _, verifier in ipairs { "1", "0" } do
    local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = cpus, options = { verifier = verifier } }
    local volume = vm:open(VOLUME, { async = true })
    local filter = vm:load { source = "churn.c", altitude = "100" }
    local reads = {}
    for i = 0, 31 do reads[#reads + 1] = volume:read_async(i * 512, 512, { thread = i % 8 }) end
    vm:sleep(3)
    filter:unload()
    for _, read in ipairs(reads) do read:wait() end
    expect_equal({ #vm:filters(), #vm:instances(), vm:work_items().allocated, vm:work_items().operations }, { 0, 0, 0, 0 },
      cpus .. " processors: nothing is left")
    volume:close()
    vm:shutdown()
  end
end
