-- SPDX-License-Identifier: GPL-2.0-or-later
-- A filter and its service, a program in user mode: portfilter.c, filterport.c.
for cpus = 1, 2 do
  local vm = fltvm.machine { cpus = cpus, disks = { { size = "1M" } } }
  vm:open([[\Device\HarddiskVolume1]]):close()
  local filter = vm:load { source = "portfilter.c", altitude = "370030" }
  for _ = 1, 2 do
    expect_equal(vm:process { name = [[\service.exe]], program = "filterport.c" }:wait(), 0x600D, "they talk, " .. cpus .. " CPUs")
  end
  filter:unload()
end
