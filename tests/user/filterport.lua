-- SPDX-License-Identifier: GPL-2.0-or-later
-- A filter and its service, a program in user mode: portfilter.c, filterport.c; and a process that the script acts as.
for cpus = 1, 2 do
  local vm = fltvm.machine { cpus = cpus, disks = { { size = "1M" } } }
  vm:open([[\Device\HarddiskVolume1]]):close()
  local filter = vm:load { source = "portfilter.c", altitude = "370030" }
  for _ = 1, 2 do
    expect_equal(vm:process { name = [[\service.exe]], program = "filterport.c" }:wait(), 0x600D, "they talk, " .. cpus .. " CPUs")
  end
  local service = vm:process { name = [[\scripted.exe]] }
  local port = service:port { name = [[\ProgramPort]], context = "hello" }
  port:send("begin")
  local message = port:get()
  expect_equal(message.data, "question", "a process is asked")
  port:reply(message, "answer")
  expect_equal(port:send("what", 16), "answer", "and its answer has arrived")
  expect_equal(vm:ports()[1].connections, 1, "it is connected")
  local waiting = port:get_async()
  service:kill()
  service:wait()
  expect_status("STATUS_PROCESS_IS_TERMINATING", function() waiting:wait() end, "it is killed while it waits for a message")
  expect_equal(vm:ports()[1].connections, 0, "and disconnected")
  expect_status("STATUS_ACCESS_DENIED", function()
    vm:process { name = [[\limited.exe]], token = "limited" }:port { name = [[\ProgramPort]], context = "hello" }
  end, "a limited user's process may not connect")
  for _, user in ipairs { "limited", "administrator", "system", "kernel" } do
    local open = vm:port { name = [[\OpenPort]], user = user }
    expect_equal(vm:ports()[2].connections, 1, user .. " connects where everybody may")
    open:close()
  end
  filter:unload()
end
