-- SPDX-License-Identifier: GPL-2.0-or-later
-- Overlapped I/O of a process: told of by an event, by an APC, or by a packet in a completion port.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local VOLUME = [[\Device\HarddiskVolume1]]
local process = vm:process { name = [[\overlapped.exe]] }
local other = vm:process { name = [[\other.exe]] }

local file = process:open(VOLUME, { async = true })
for number = 0, 7 do file:write(number * 4096, string.char(0x41 + number):rep(4096)) end

-- Events: many at once, from one thread, whose ends are waited for in any order.
vm:fault { op = "read", action = "delay", delay = 5, count = 4 }
local reads = {}
for number = 0, 7 do reads[number] = file:read_async(number * 4096, 4096) end
for number = 7, 0, -1 do
    expect_equal(reads[number]:wait(), string.char(0x41 + number):rep(4096), "read " .. number)
end

-- APCs: they come while the thread waits, and say the same.
vm:clear_faults()
vm:fault { op = "read", action = "delay", delay = 5, count = 2 }
for number = 0, 3 do reads[number] = file:read_async(number * 4096, 4096, { apc = true, thread = 2 }) end
for number = 0, 3 do
    expect_equal(reads[number]:wait(), string.char(0x41 + number):rep(4096), "by an APC, read " .. number)
end
expect_status("STATUS_INVALID_PARAMETER", function() file:read_async(1, 4096, { apc = true }):wait() end, "what fails at once has none")
vm:clear_faults()

-- Ports.
local port = process:completion_port()
expect_equal(port:remove { wait = 0 }, nil, "nothing is in it")
local started = vm:time()
expect_equal(port:remove { wait = 20 }, nil, "nothing comes")
expect(vm:time() - started >= 20, "for as long as was said")
port:post { key = 1, context = 2, status = 3, information = 4 }
port:post {}
expect_equal(port:depth(), 2, "two packets")
expect_equal(port:remove(), { key = 1, context = 2, status = 3, information = 4 }, "the first comes first")
expect_equal(port:remove { most = 9 }, { { key = 0, context = 0, status = 0, information = 0 } }, "then what there is")

port:associate(file, 0x5EED)
expect_status("STATUS_INVALID_PARAMETER", function() port:associate(file) end, "a file has one port")
expect_status("STATUS_INVALID_PARAMETER", function() port:associate((process:open(VOLUME))) end, "a synchronous file has none")
local contexts = {}
for number = 1, 5 do reads[number] = file:read_async(number * 4096, 4096, { context = number }) end
for _ = 1, 5 do
    local packet = port:remove()
    contexts[packet.context] = true
    packet.context = nil
    expect_equal(packet, { key = 0x5EED, status = 0, information = 4096 }, "a packet of a read")
end
expect_equal(contexts, { true, true, true, true, true }, "one of each")
for number = 1, 5 do
    expect_equal(reads[number]:wait(), string.char(0x41 + number):rep(4096), "whose event is set as well")
end
file:read(0, 512)
expect_equal(port:depth(), 0, "without a context there is no packet")
file:read(0, 512, { context = 9 })
expect_equal(port:remove { wait = 100 }.context, 9, "what is done at once has one")
expect_status("STATUS_INVALID_PARAMETER", function() file:read(1, 512, { context = 9 }) end, "what fails at once")
expect_equal(port:remove { wait = 10 }, nil, "has none")
expect_status("STATUS_INVALID_PARAMETER", function() file:read_async(0, 512, { apc = true }):wait() end, "nor an APC besides")

-- A thread that waits at a port takes what another posts; the last handle sends it away.
local waiting = port:remove_async { thread = 4 }
expect(not waiting:done(10), "a thread waits at the port")
port:post { context = 7 }
expect_equal(waiting:wait().context, 7, "what another posts it takes")
waiting = port:remove_async { thread = 4 }
expect(not waiting:done(10), "it waits again")
port:close()
expect_equal(waiting:wait(), nil, "and is sent away")
expect_equal(#file:read(0, 512), 512, "the file goes on without its port")

-- What cannot be is refused by the script's own side.
local function refused(pattern, wrong, ...)
    local ok, problem = pcall(wrong, ...)
    expect(not ok and tostring(problem):find(pattern, 1, true), "refused: " .. pattern)
end
local kernels = vm:open(VOLUME, { user = "kernel" })
refused("none of a process's", kernels.read, kernels, 0, 512, { address = 0x10000 })
refused("none of a process's", kernels.read_async, kernels, 0, 512, { apc = true })
refused("either an apc or a context", file.read_async, file, 0, 512, { apc = true, context = 1 })
refused("is an operation", file.read, file, 0, 512, { apc = true })
refused("not one that the port's process", process:completion_port().associate, process:completion_port(), kernels)
refused("has not opened it", other.section, other, { file = file })
refused("another process has opened it", other.open, other, "x", { root = file })
refused("a process opens with its own token", other.open, other, VOLUME, { user = "limited" })
refused("runs a program", function() vm:process { program = "hello.c" }:open(VOLUME) end)
refused("the completion port is closed", port.depth, port)
