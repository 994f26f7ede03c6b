-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a volume's disk says, and the documented refusals of what this machine lacks, as disks.c checks them; once with
-- transaction notifications registered.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\disks]]
for notified = 0, 1 do
  local vm = fltvm.machine { disks = { { size = "1M" } } }
  vm:open([[\Device\HarddiskVolume1]]):close()
  vm:set_registry(KEY, "Notified", notified)
  vm:load { source = "disks.c", altitude = "100" }:unload()
  expect_log("this machine has no transactions")
  vm:shutdown()
end
