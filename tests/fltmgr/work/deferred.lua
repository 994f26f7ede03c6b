-- SPDX-License-Identifier: GPL-2.0-or-later
-- Deferred I/O work items, each case of deferred.c.
local VOLUME = [[\Device\HarddiskVolume1]]
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local PAGING, GOING, DRAINING, SYSTEM, SLOW = 3, 7, 8, 9, 10

for case = 1, SLOW do
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = case == SYSTEM and { verifier = "0" } or nil }
  local volume = vm:open(VOLUME, { async = true })
  vm:set_registry(SERVICES .. "deferred", "Case", case)
  vm:set_registry(SERVICES .. "upper", "Upper", 1)
  local filter = vm:load { source = "deferred.c", altitude = "100" }
  local upper = case == PAGING and vm:load { source = "deferred.c", name = "upper", altitude = "200" }
  if case == DRAINING then vm:fault { op = "read", nth = 1, count = 1, action = "delay", delay = 100 } end
  local read = volume:read_async(0, 4096)
  if case == GOING or case == DRAINING or case == SLOW then vm:sleep(5) else expect_equal(#read:wait(), 4096, "case " .. case .. ": the read returns") end
  if upper then upper:unload() end
  filter:unload()
  if case == GOING or case == DRAINING or case == SLOW then expect_equal(#read:wait(), 4096, "case " .. case .. ": the read returns") end
  expect_equal(vm:work_items().deferred, 0, "case " .. case .. ": no item is left")
  volume:close()
  vm:shutdown()
end
