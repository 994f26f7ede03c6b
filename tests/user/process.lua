-- SPDX-License-Identifier: GPL-2.0-or-later
-- Processes that a script acts as: their files, seen by a filter (witness.c), memory, sections, threads, and their end in the
-- middle of what they do.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(("\0"):rep(8 << 20))
image:close()
local output, made = fltvm.host { "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(made, 0, output)

local vm = fltvm.machine { disks = { { image = disk, writable = true }, { size = "1M" } } }
local VOLUME = [[\Device\HarddiskVolume1]]
local ROOT = VOLUME .. "\\"
vm:open(ROOT .. "first", { disposition = "create" }):close()
local witness = vm:load { source = "witness.c", altitude = "370000" }

-- The account of one operation of the filter's.
local function seen(what, name, process, buffer)
    vm:expect_log(("witness: %s of \\%s by %d, mode 1, previous 1, %s"):format(what, name, process:id(), buffer or "no buffer"),
        what .. " is done in user mode, by the process")
end

-- Everything that is done to a file is done by the process, which is in user mode.
local one = vm:process { name = [[\one.exe]] }
local other = vm:process { name = [[\other.exe]] }
local file, action = one:open(ROOT .. "seen.txt", { access = "all", disposition = "create", ea = fltvm.eas { COLOUR = "red" } })
expect_equal(action, "created", "a process creates a file")
seen("create", "seen.txt", one)
expect_equal(file:write(0, ("user "):rep(3000)), 15000, "writes to it")
seen("write", "seen.txt", one, "a user's buffer")
expect_equal(file:read(5, 4), "user", "and reads")
seen("read", "seen.txt", one, "a user's buffer")
file:flush()
expect_equal(file:information("standard").size, 15000, "asks for information")
seen("query", "seen.txt", one)
file:set_information("end_of_file", { size = 9000 })
seen("set", "seen.txt", one)
expect_equal(file:information("standard").size, 9000, "and sets it")
expect_equal(file:eas().COLOUR, "red", "extended attributes")
file:set_eas { COLOUR = "blue" }
expect_equal(file:eas { "COLOUR" }.COLOUR, "blue", "and sets them")
expect(file:volume("size").total > 0, "asks the volume")
expect(#file:security("owner dacl") > 20, "asks for a descriptor")
file:set_security(file:security("dacl"), "dacl")
file:lock(0, 100)
seen("lock", "seen.txt", one)
local second = other:open(ROOT .. "seen.txt")
expect_status("STATUS_FILE_LOCK_CONFLICT", function() second:read(0, 10) end, "another process finds a range locked")
local waiting = second:lock_async(50, 100)
expect(not waiting:done(20), "and waits for it")
file:unlock(0, 100)
waiting:wait()
second:close()
local directory = one:open(ROOT .. "seen folder", { disposition = "create", options = "directory", access = "r" })
one:open("below", { root = directory, disposition = "create" }):close()
expect_equal(directory:list()[1].name, "below", "lists a directory")
seen("directory", "seen folder", one)
file:rename("seen too")
file:close()
vm:expect_log("witness: cleanup of \\seen.txt by " .. one:id() .. ", mode", "the cleanup comes from its last handle")
directory:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() one:open(ROOT .. "nothing") end, "what fails says so")
expect_status("STATUS_INVALID_DEVICE_REQUEST", function() one:open(VOLUME):ioctl(0x222000, "x", 4) end, "a control fails")

-- What a script has the machine open a client of its own does, or the kernel, who is asked for it.
local clients = vm:open(ROOT .. "seen by client", { disposition = "create" })
vm:expect_log([[witness: create of \seen by client by %d+, mode 1, previous 1, no buffer]], "machine:open is a program's")
clients:close()
local first, held = vm:client():id(), vm:open(VOLUME)
expect(vm:client("limited"):id() ~= first, "each user has one")
expect(not pcall(vm.client, vm, "kernel"), "the kernel has none")
vm:client():kill(7)
expect_equal(vm:client():wait(), 7, "it is a process as any other")
expect_status("STATUS_INVALID_CID", function() held:read(0, 512) end, "its files go with it")
held = vm:open(VOLUME)
expect(vm:client():id() ~= first, "and the next open has another")
expect_equal(#held:read(0, 512), 512, "that reads")
held:close()
local kernels = vm:open(ROOT .. "seen by kernel", { disposition = "create", user = "kernel" })
vm:expect_log([[witness: create of \seen by kernel by 4, mode 0, previous 0, no buffer]], "the kernel's")
kernels:close()

-- Whose token it has decides.
local limited = vm:process { name = [[\limited.exe]], token = "limited" }
expect_status("STATUS_ACCESS_DENIED", function() limited:open([[\Device\HarddiskVolume2]]) end, "a limited user's process")
limited:open([[\Device\HarddiskVolume2]], { access = "attributes" }):close()
vm:process { name = [[\admin.exe]], token = "administrator" }:open([[\Device\HarddiskVolume2]]):close()

-- Memory is the process's own, at the same address in two of them.
local at = 0x10000000
expect_equal(one:allocate("64K", { address = at }), at, "memory at an address")
expect_equal(other:allocate(0x10000, { address = at, protect = "r" }), at, "and in another process")
one:poke(at, "letter")
expect_equal(one:peek(at, 6), "letter", "is written and read")
expect_equal(other:peek(at, 6), ("\0"):rep(6), "by its own process only")
expect_status("STATUS_ACCESS_VIOLATION", function() other:poke(at, "x") end, "what may not be written is not")
expect_equal(one:protect(at, 4096, "none"), "rw", "a protection is changed")
expect_equal(one:memory(at), { base = at, allocation = at, allocation_protect = "rw", size = 4096, state = "committed",
                               protect = "none", type = "private" }, "and told")
expect_status("STATUS_ACCESS_VIOLATION", function() one:peek(at, 1) end, "and holds")
one:protect(at, 4096, "rw")
file = one:open(ROOT .. "seen too")
expect_equal(file:read(0, 4096, { address = at }), 4096, "a file is read into it")
expect_equal(one:peek(at + 5, 4), "user", "and is there")
expect_equal(file:write(9000, 6, { address = at }), 6, "a file is written from it")
expect_equal(file:read(9000, 6), "user u", "as it was")
expect_status("STATUS_ACCESS_VIOLATION", function() file:read(0, 100, { address = 0x20000000 }) end, "a buffer that is not there")
one:protect(at, 4096, "r")
expect_status("STATUS_ACCESS_VIOLATION", function() file:read(0, 100, { address = at }) end, "one that may not be written")
one:free(at)
other:free(at, { decommit = 4096 })
expect_equal(other:memory(at).state, "reserved", "decommitted, it stays reserved")
expect_status("STATUS_ACCESS_VIOLATION", function() one:peek(at, 1) end, "freed, it is gone")

-- Sections of files and of memory.
local section = one:section { file = file }
local view = section:map {}
expect_equal(one:peek(view, 4), "user", "a view of a file")
one:poke(view, "view")
one:unmap(view)
section:close()
expect_equal(file:read(0, 4), "view", "what is written to it is in the file")
section = one:section { size = "8K", protect = "rw" }
view = section:map { offset = 0, protect = "r" }
expect_equal(one:peek(view, 2), "\0\0", "a view of memory")
section:close()
one:unmap(view)
expect_status("STATUS_NOT_MAPPED_VIEW", function() one:unmap(view) end, "a view is unmapped once")
file:close()

-- A buffer that goes while the disk fills it: what was probed and locked stays the driver's.
vm:fault { disk = 1, op = "read", action = "delay", delay = 20 }
local raw = one:open([[\Device\HarddiskVolume2]], { async = true })
local buffer = one:allocate(4096)
local operation = raw:read_async(0, 4096, { address = buffer })
expect(not operation:done(5), "a read is under way")
one:free(buffer)
expect_equal(operation:wait(), 4096, "the read is done, although its buffer is gone")
vm:clear_faults(1)
raw:close()

-- Threads: each does what it is given, one after the other; they are stopped, and called by APCs.
file = one:open(ROOT .. "seen too")
local reads = {}
for thread = 0, 4 do reads[thread] = file:read_async(thread, 5, { thread = thread }) end
for thread = 0, 4 do expect_equal(#reads[thread]:wait(), 5, "thread " .. thread .. " reads") end
expect_equal(one:suspend(3), 0, "a thread is stopped")
expect_equal(one:suspend(3), 1, "twice")
operation = file:read_async(0, 4, { thread = 3 })
expect_equal(one:resume(3), 2, "and resumed once")
expect(not operation:done(20), "it does nothing")
expect_equal(one:resume(3), 1, "until it is resumed as often")
expect_equal(operation:wait(), "view", "then it does what was waiting")
local apc = one:apc(3)
apc:wait()
expect_status("STATUS_INVALID_CID", function() one:suspend(40) end, "a thread that has never done anything")
file:close()
local alertable = one:open([[\Device\HarddiskVolume1\seen folder]], { access = "r", options = "directory synchronous_alert", async = true })
operation = alertable:notify { thread = 5 }
apc = one:apc(5)
apc:wait()
expect_equal(operation:done(100), true, "an APC ends an alertable wait")
alertable:close()
operation = one:open(ROOT .. "seen folder", { access = "r", options = "directory" }):notify { thread = 6 }
one:end_thread(6)
expect_status("STATUS_THREAD_IS_TERMINATING", function() operation:wait() end, "a thread is ended in the middle of what it does")
one:open(ROOT .. "first", { thread = 6 }):close()

-- A process that is killed in the middle: what is pending is cancelled, then its handles are closed; the file is free.
local from = #vm:log()
local held = other:open(ROOT .. "seen held", { disposition = "create", share = "none" })
expect_status("STATUS_SHARING_VIOLATION", function() one:open(ROOT .. "seen held") end, "one process has it for itself")
local watched = other:open(ROOT .. "seen folder", { access = "r", options = "directory", async = true })
local pending = { watched:notify {}, watched:notify { thread = 2 }, other:apc(0) }
other:kill(0xC000013A)
expect_equal(other:wait(), 0xC000013A, "it ends with the status that it was killed with")
for number = 1, 2 do
    expect_status("STATUS_PROCESS_IS_TERMINATING", function() pending[number]:wait() end, "what it had under way ends with it")
end
local cleanup, close
for line, text in ipairs(vm:log(from)) do
    if text:find("cleanup of \\seen held", 1, true) then cleanup = line end
    if text:find("close of \\seen held", 1, true) then close = line end
end
expect(cleanup and close and cleanup < close, "its last handle's cleanup comes before the close")
one:open(ROOT .. "seen held", { share = "none" }):close()
expect_status("STATUS_INVALID_CID", function() held:read(0, 1) end, "it does nothing more")

-- One that ends itself.
one:exit(77)
expect_equal(one:wait(), 77, "a process ends itself")
limited:kill(5)
expect_equal(limited:wait(), 5, "one that is idle is killed")

-- They leave nothing.
local function round()
    local process = vm:process { name = [[\round.exe]] }
    local opened = process:open(ROOT .. "first", { async = true })
    process:allocate("256K")
    for thread = 0, 6 do opened:lock_async(0, 10, { thread = thread }) end
    process:kill()
    process:wait()
end
round()
round()
vm:sleep(200)
local before = vm:memory()
for _ = 1, 4 do round() end
vm:sleep(200)
expect(vm:memory().used - before.used < 16 * 4096, "processes leave no memory: " .. vm:memory().used - before.used)
witness:unload()
