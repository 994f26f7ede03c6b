-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each way that a pre- or post-callback can take, by a read through probe.c in that mode.
local VOLUME = [[\Device\HarddiskVolume1]]
local image = fltvm.temp("callbacks.raw")
local file = assert(io.open(image, "wb"))
for block = 0, 255 do file:write(string.rep(string.char(65 + block % 26), 4096)) end
file:close()
local vm = fltvm.machine { disks = { { image = image } }, trace = true }
local volume = vm:open(VOLUME, { async = true })

local A, B = string.rep("A", 4096), string.rep("B", 4096)

-- A probe under a name of its own, so that its lines are told apart; the test, and its unloading.
local function probe(mode, name, test, altitude)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\]] .. name, "Mode", mode)
  local filter = vm:load { source = "probe.c", name = name, altitude = altitude or "100" }
  test(filter)
  filter:unload()
  expect_log("^" .. name .. ": teardown start irql 0 reason 2", name .. ": teardown begins at PASSIVE_LEVEL")
  expect_log("^" .. name .. ": queue for the filter 0xC01C000B", name .. ": no work for a filter that unloads")
  expect_log("^" .. name .. ": teardown complete irql 0 reason 2", name .. ": teardown ends")
  expect_log("^" .. name .. ": unload irql 0 flags 0", name .. ": it was asked to unload")
  expect_equal(#vm:filters(), 0, name .. ": it is gone")
end
local seen = 0
local function posts() -- post-callbacks since the last call
  local count, from = 0, seen
  local events = vm:trace()
  seen = #events
  for i = from + 1, seen do
    if events[i].event == "FLT_POST_ENTER" then count = count + 1 end
  end
  return count
end
local function read(offset) return volume:read(offset or 0, 4096) end

probe(0, "with", function()
  expect_log("^with: setup irql 0 flags 1 type 1", "an instance is set up on the RAW volume, automatically")
  expect(read() == A, "with: the data")
  expect_log("^with: pre irql 0 offset 0 generated 0")
  expect_log("^with: post irql 2 status 0x00000000 offset 0 context 1 draining 0", "the post-callback runs in the disk's DPC")
  expect_equal(vm:instances()[1].name, "with Instance")
  expect_equal(vm:instances()[1].operations, 1)
end)
probe(1, "none", function()
  posts()
  expect(read() == A, "none: the data")
  expect_log("^none: pre irql 0")
  expect_equal(posts(), 0, "no post-callback was asked for")
end)
probe(2, "sync", function()
  expect(read() == A, "sync: the data")
  expect_log("^sync: post irql 0 status 0x00000000 offset 0 context 0", "FLT_PREOP_SYNCHRONIZE brings completion back to the thread")
end)
probe(3, "pend", function()
  expect(read() == A, "pend: the data")
  expect_log("^pend: worker irql 0 object 1", "the generic work item's routine")
  expect_log("^pend: post irql 2 status 0x00000000 offset 0 context 1", "FltCompletePendedPreOperation passes the context on")
end)
probe(4, "defer", function()
  expect(read() == A, "defer: the data")
  expect_log("^defer: deferred irql 0 context 1")
  expect_log("^defer: post irql 2 status 0x00000000")
end)
probe(5, "complete", function()
  expect_status("STATUS_ACCESS_DENIED", function() read() end, "a pre-callback completes the read")
end)
probe(6, "move", function()
  expect(read() == B, "a declared change of the parameters reaches the file system")
  expect_log("^move: post irql 2 status 0x00000000 offset 0 ", "its own post-callback sees the parameters as they were")
end)
probe(8, "postpend", function()
  expect(read() == A, "postpend: the data")
  expect_log("^postpend: worker irql 0 object 1", "the operation is finished by a worker")
end)
local function syncpend()
  expect(read() == A, "syncpend: the data")
  expect_log("^syncpend: post irql 0", "called in the thread of its pre-callback, the post-callback keeps the operation")
  expect_log("^syncpend: worker irql 0 object 1", "and a worker finishes it")
end
probe(18, "syncpend", syncpend)
probe(9, "safe", function()
  expect(read() == A, "safe: the data")
  expect_log("^safe: posted 1", "from DISPATCH_LEVEL it is posted")
  expect_log("^safe: safe irql 0 context 1", "and called when it is safe")
end)
probe(10, "safepend", function()
  expect(read() == A, "safepend: the data")
  expect_log("^safepend: safe irql 0 context 1")
  expect_log("^safepend: worker irql 0", "the safe callback may keep the operation, too")
end)
probe(11, "below", function()
  expect(read(4096) == B, "below: the data")
  expect_log("^below: below status 0x00000000 bytes 4096 first 42", "FltReadFile reads below the filter")
end)
probe(12, "swap", function()
  expect(read() == "S" .. A:sub(2), "what the filter did to the swapped buffer arrives")
  expect_log("^swap: swapped mdl 1")
end)
probe(13, "status", function()
  expect_status("STATUS_DISK_CORRUPT_ERROR", function() read() end, "a post-callback changes the status")
end)
probe(16, "pendcomplete", function()
  expect_status("STATUS_ACCESS_DENIED", function() read() end, "a pended operation may be completed at DISPATCH_LEVEL")
end)
probe(17, "requeue", function()
  vm:sleep(50)
  expect_log("^requeue: requeue 0", "a work item may be queued again from its own routine")
  expect_equal(vm:work_items().allocated, 0, "and freed at last")
end)

-- Everything else that a RAW volume sees.
probe(0, "others", function()
  local other = vm:open(VOLUME)
  other:write(8192, string.rep("x", 512))
  other:flush()
  other:close()
  for _, name in ipairs { "CREATE", "WRITE", "FLUSH_BUFFERS", "CLEANUP", "CLOSE" } do
    expect_log("^others: pre IRP_MJ_" .. name, "the pre-callback of IRP_MJ_" .. name)
    expect_log("^others: post IRP_MJ_" .. name .. " 0x00000000", "the post-callback of IRP_MJ_" .. name)
  end
end)

-- An operation that a filter holds is given back when its instance is torn down.
local held
probe(14, "hold", function()
  held = volume:read_async(0, 4096)
  vm:sleep(5)
  expect(not held:done(0), "the filter holds the read")
end)
expect(held:wait() == A, "its teardown gives it back")

-- A read that is with the disk when the instance goes: its post-callback is called to drain.
vm:fault { op = "read", nth = 1, count = 1, action = "delay", delay = 500 }
local slow
probe(0, "drain", function()
  slow = volume:read_async(0, 4096)
  vm:sleep(5)
end)
expect_log("^drain: post irql %d status 0x%x+ offset 0 context 1 draining 1", "the post-callback drains")
expect(slow:wait() == A, "the read itself goes on")
vm:clear_faults()
expect_equal(vm:work_items().operations, 0, "no operation is left")
expect_equal(vm:work_items().allocated, 0, "no work item is left")

-- A change that is not declared is a bugcheck with the verifier (badcallbacks.lua).
volume:close()
vm:shutdown()
vm = fltvm.machine { disks = { { image = image } }, options = { verifier = "0" } }
volume = vm:open(VOLUME, { async = true })
probe(7, "silent", function() expect(read() == A, "a change that is not declared does not") end)
probe(18, "syncpend", syncpend)
