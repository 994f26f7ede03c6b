-- SPDX-License-Identifier: GPL-2.0-or-later
-- Programs in user mode: a first one, one that does I/O, and all the ways to end by a fault.
local GOOD = 0x600D
local ROOM = 5 * 4096 -- pools may grow by a page or two; a process that left one would show among so many

local function run(vm, source, flags)
    return vm:process { name = "\\Device\\HarddiskVolume1\\" .. source, program = source, flags = flags }
end

-- Each fault ends its process with the documented status, and nothing else.
local faults = {
    { 1, 0xC0000005, "a write to what is not there" },
    { 2, 0xC0000005, "a read of the kernel's memory" },
    { 3, 0xC0000005, "a jump into the kernel" },
    { 4, 0xC0000005, "data that is executed" },
    { 5, 0xC00000FD, "a stack that has no end" },
    { 6, 0xC0000094, "a division by zero" },
    { 7, 0xC0000096, "a privileged instruction" },
    { 8, 0xC000001D, "an illegal instruction" },
    { 9, 0x80000003, "a breakpoint" },
    { 10, 0xC0000409, "fast fail" },
    { 11, 0xC00000FD, "a system call without a stack", 0xC0000005 },
    { 12, 0xC0000005, "a system call with every flag set", 0x80000004 },
}

for cpus = 1, 4, 3 do
    local vm = fltvm.machine { cpus = cpus, disks = { { size = "1M" } } }

    local open = vm:open([[\Device\HarddiskVolume1]]) -- by a handle of the kernel's, which is not a program's to close
    expect_equal(run(vm, "hello.c"):wait(), GOOD, "a program runs in user mode, " .. cpus .. " CPUs")
    vm:expect_log("wide %?names, w BEEF 00ef", "what its DbgPrint makes of its arguments")
    open:close()
    expect_equal(run(vm, "file.c"):wait(), GOOD, "a program reads and writes a file")
    expect_equal(run(vm, "upcall.c"):wait(), GOOD, "exceptions, APCs and threads of a program")
    expect_equal(run(vm, "services.c"):wait(), GOOD, "services, and what they refuse")
    local first, second = run(vm, "hello.c"), run(vm, "file.c")
    first:wait()
    second:wait()
    vm:sleep(100)
    local before = vm:memory().used
    first, second = run(vm, "hello.c"), run(vm, "file.c")
    expect_equal(second:wait(), GOOD, "two programs at once")
    expect_equal(first:wait(), GOOD, "both of them")
    expect_equal(run(vm, "upcall.c"):wait(), GOOD, "once more, with what was left pending the last time")
    expect_status("STATUS_INVALID_CID", function() first:wait() end, "it is waited for once")
    vm:sleep(100)
    expect(vm:memory().used - before < ROOM, "they leave no memory")
    for _, fault in ipairs(faults) do
        local status = run(vm, "fault.c", { "-DFAULT=" .. fault[1] }):wait()
        expect(status == fault[2] or status == fault[4], string.format("%s: 0x%08X", fault[3], status))
    end
    local endless = run(vm, "fault.c", { "-DFAULT=13" })
    vm:sleep(50)
    endless:kill(0xC000013A)
    expect_equal(endless:wait(), 0xC000013A, "a program that never ends is ended")
    vm:sleep(100)
    expect(vm:memory().used - before < ROOM, "none of them leaves memory")
    vm:shutdown()
end

for cpus = 1, 4, 3 do
    local vm = fltvm.machine { cpus = cpus, disks = { { size = "1M" } } }

    expect_equal(run(vm, "ports.c"):wait(), GOOD, "completion ports, " .. cpus .. " CPUs")
    expect_equal(run(vm, "stopped.c"):wait(), GOOD, "threads that are stopped")
    vm:sleep(100)
    local pools = vm:memory()
    for _ = 1, 3 do
        run(vm, "ports.c"):wait()
        run(vm, "stopped.c"):wait()
    end
    vm:sleep(100)
    expect_equal(vm:memory().nonpaged, pools.nonpaged, "neither ports nor their packets nor threads stay")
end
