-- SPDX-License-Identifier: GPL-2.0-or-later
-- System calls by chance, from user mode: never a bugcheck, nothing left behind.  12,000 of them, with FLTVM_TEST_LONG a million.
local TARGET <const> = os.getenv("FLTVM_TEST_LONG") and 1000000 or 12000
local CALLS <const> = 2000 -- of one program
-- Addresses are used in turn and their page tables kept, and so are pages of pool for blocks to come: some more pages, up to a limit.
local ROOM <const> = (TARGET > 12000 and 128 or 16) * 4096
local vm = fltvm.machine { cpus = 2, disks = { { size = "1M" } }, options = { verifier = "1" } }

local function run(seed)
    return vm:process { name = "\\wild.exe", program = "wild.c", flags = { "-DSEED=" .. seed, "-DCALLS=" .. CALLS } }
end

-- How many calls the programs say since that line of the log that they have made: each its last word.
local function made(since)
    local most, sum = {}, 0
    for _, line in ipairs(vm:log(since)) do
        local seed, calls = line:match("wild (%d+): (%d+) calls")
        if seed then most[seed] = tonumber(calls) end
    end
    for _, calls in pairs(most) do sum = sum + calls end
    return sum
end

run(1):wait()
vm:sleep(100)
local before, total, seed, faults = vm:memory(), 0, 1, 0
while total < TARGET do
    local since = #vm:log()
    for _, process in ipairs { run(seed), run(seed + 1) } do
        if process:wait() ~= 0x600D then faults = faults + 1 end
    end
    local calls = made(since)
    if calls == 0 and seed > 100 then break end
    total, seed = total + calls, seed + 2
end
vm:sleep(100)
note(("%d calls of %d programs, %d of which ended by a fault of their own"):format(total, seed - 1, faults))
expect(total >= TARGET, "all calls are made")
local after = vm:memory()
expect_equal(after.nonpaged, before.nonpaged, "none of them leaves a byte of nonpaged pool")
expect_equal(after.paged, before.paged, "nor of paged pool")
expect(after.used - before.used < ROOM, "nor pages: " .. after.used - before.used)
expect_equal(vm:process { name = "\\hello.exe", program = "hello.c" }:wait(), 0x600D, "the machine goes on")
vm:shutdown()
