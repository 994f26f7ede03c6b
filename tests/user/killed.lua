-- SPDX-License-Identifier: GPL-2.0-or-later
-- Processes that are killed at any moment of anything: reads of a slow disk, locks, notifications, APCs, ports, views, opens.  Each
-- ends, what it had under way ends with it, its files are free, and nothing stays.
local ROUNDS <const> = os.getenv("FLTVM_TEST_LONG") and 1000 or 25
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(("\0"):rep(8 << 20))
image:close()
local output, made = fltvm.host { "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(made, 0, output)

local vm = fltvm.machine { cpus = 3, disks = { { image = disk, writable = true } } }
local ROOT = [[\Device\HarddiskVolume1\]]
local file = vm:open(ROOT .. "file", { disposition = "create" })
file:write(0, ("content "):rep(8192))
file:close()
vm:open(ROOT .. "folder", { disposition = "create", options = "directory", access = "r" }):close()
local witness = vm:load { source = "witness.c", altitude = "370000" }

-- What is begun in a process, and is perhaps still under way when it is killed.
local function begin(process, thread)
    local at = { thread = thread }
    local kinds = {
        function() return process:open(ROOT .. "file", { async = true, buffered = false, access = "r", share = "rwd" })
            :read_async(math.random(0, 12) * 4096, 8192, at) end,
        function() return process:open(ROOT .. "file", { async = true })
            :read_async(math.random(0, 60000), 100, { thread = thread, apc = true }) end,
        function() return process:open(ROOT .. "file"):lock_async(math.random(0, 50), 100, at) end,
        function() return process:open(ROOT .. "file", { async = true }):lock_async(math.random(0, 50), 100, { thread = thread, apc = true }) end,
        function() return process:open(ROOT .. "folder", { access = "r", options = "directory", async = true }):notify(at) end,
        function() return process:open(ROOT .. "folder", { access = "r", options = "directory" }):notify(at) end,
        function() return process:completion_port():remove_async(at) end,
        function()
            local port, opened = process:completion_port(), process:open(ROOT .. "file", { async = true })
            port:associate(opened, 5)
            return opened:write_async(math.random(0, 9) * 4096, ("x"):rep(4096), { thread = thread, context = 1 })
        end,
        function()
            local section = process:section { file = process:open(ROOT .. "file") }
            process:poke(section:map {} + math.random(0, 60000), "view")
            return process:apc(0)
        end,
        function() return process:open(ROOT .. "folder\\seen" .. math.random(1, 5), { disposition = "open_if", options = "delete_on_close",
            access = "delete w" }):write_async(0, ("y"):rep(9000), at) end,
    }
    return kinds[math.random(#kinds)]()
end

local function round()
    local processes, operations = {}, {}
    for number = 1, math.random(1, 3) do processes[number] = vm:process { name = [[\killed.exe]], token = "system" } end
    vm:fault { op = math.random(2) == 1 and "read" or "any", action = "delay", delay = math.random(1, 10), count = 3 }
    for _ = 1, math.random(1, 12) do
        local process = processes[math.random(#processes)]
        -- What another holds, or marks for deletion, is refused: that is no matter here.
        local ok, operation = pcall(begin, process, math.random(1, 6))
        if ok then operations[#operations + 1] = operation end
    end
    if math.random(3) == 1 then vm:sleep(math.random(0, 300) / 100) end
    if math.random(4) == 1 then pcall(processes[1].suspend, processes[1], math.random(1, 6)) end
    for number, process in ipairs(processes) do
        pcall(process.allocate, process, 4096) -- it serves, also if it has nothing else to do
        process:kill(number)
    end
    for number, process in ipairs(processes) do
        if process:wait() ~= number then expect(false, "a process ends with another status") end
    end
    for _, operation in ipairs(operations) do
        if not operation:done(1000) then expect(false, "an operation goes on without its process") end
        pcall(operation.wait, operation) -- how it ended is as it may be
    end
    vm:clear_faults()
    vm:open(ROOT .. "file", { share = "none" }):close()
end

for _ = 1, 6 do round() end
vm:sleep(2000)
local before = vm:memory()
for _ = 1, ROUNDS do round() end
vm:sleep(2000)
local after = vm:memory()
for _, pool in ipairs { "nonpaged", "paged" } do
    local more = after[pool] - before[pool]
    expect(more < 8 * 4096, ("nothing stays of %d rounds in %s pool: %d"):format(ROUNDS, pool, more))
end
-- Kernel addresses are used in turn, and the tables that map them stay: a page for some processes, until all have been used once.
expect(after.used - before.used < 100 * 4096, "nor pages: " .. after.used - before.used)
expect_equal(#vm:open(ROOT .. "folder", { access = "r", options = "directory" }):list() < 6, true, "the volume goes on")
witness:unload()
