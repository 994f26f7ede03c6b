-- SPDX-License-Identifier: GPL-2.0-or-later
-- System calls by chance, from user mode: never a bugcheck, nothing left behind.  More of them with FLTVM_TEST_LONG.
local long = os.getenv("FLTVM_TEST_LONG")
local SEEDS, CALLS = long and 100 or 6, long and 10000 or 2000
local ROOM = 16 * 4096 -- pools may grow by some pages
local vm = fltvm.machine { cpus = 2, disks = { { size = "1M" } }, options = { verifier = "1" } }

local function run(seed)
    return vm:process { name = "\\wild.exe", program = "wild.c", flags = { "-DSEED=" .. seed, "-DCALLS=" .. CALLS } }
end

run(1):wait()
vm:sleep(100)
local before, whole = vm:memory().used, 0
for seed = 1, SEEDS, 2 do
    local one, other = run(seed), run(seed + 1)
    for _, process in ipairs { one, other } do
        local status = process:wait()
        if status == 0x600D then whole = whole + 1 else note(("a seed near %d ends by 0x%08X"):format(seed, status)) end
    end
end
vm:sleep(100)
expect(whole > 0, whole .. " of " .. SEEDS .. " programs make all of their calls")
expect(vm:memory().used - before < ROOM, "none of them leaves memory: " .. vm:memory().used - before)
expect_equal(vm:process { name = "\\hello.exe", program = "hello.c" }:wait(), 0x600D, "the machine goes on")
vm:shutdown()
