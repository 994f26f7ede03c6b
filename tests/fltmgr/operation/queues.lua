-- SPDX-License-Identifier: GPL-2.0-or-later
-- Operations that a filter holds and that are cancelled: each is let go of once, by whoever comes first.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\queues]]
local VOLUME = [[\Device\HarddiskVolume1]]
local QUEUE, CONTEXT, DISABLED, CANCELLED, TAKE_BACK, CALLBACK, LATE, CLEAR = 1, 2, 3, 4, 5, 6, 7, 8
local vm, volume, from
local plan = 123
local function lines(pattern)
  local found, log = {}, fltvm.log()
  for i = from + 1, #log do found[#found + 1] = log[i]:match(pattern) end
  return found
end
local function case(way, insert, test)
  from = #fltvm.log()
  vm = fltvm.machine { disks = { { size = "1M" } } }
  vm:set_registry(KEY, "Way", way)
  vm:set_registry(KEY, "Plan", plan)
  plan = 0 -- the first driver announces the checks of all
  vm:set_registry(KEY, "Insert", insert)
  local filter = vm:load { source = "queues.c", altitude = "100" }
  volume = vm:open(VOLUME, { async = true })
  test()
  volume:close()
  filter:unload()
  expect_equal(vm:work_items().operations, 0)
  vm:shutdown()
end
local function hold()
  local read = volume:read_async(0, 512)
  vm:sleep(2)
  return read
end

for _, insert in ipairs { 0, 0x103, 0x20000123 } do
  case(QUEUE, insert, function()
    local reads = { hold(), hold() }
    expect_equal(lines("^queues: insert (0x%x+)"), { ("0x%08X"):format(insert), ("0x%08X"):format(insert) },
      "FltCbdqInsertIo returns what InsertIo returned")
    volume:flush()
    expect_equal(lines("^queues: removed (%d)"), { "2" }, "both are removed")
    for _, read in ipairs(reads) do expect_equal(#read:wait(), 512) end
    local third = hold()
    volume:cancel { thread = 1 }
    expect_status("STATUS_CANCELLED", function() third:wait() end, "cancelled in the queue")
    expect_equal(lines("^queues: cancelled in the queue, ours (%d)"), { "1" }, "once, by the filter's callback, without its lock")
  end)
end
case(QUEUE, 0xC0000001, function()
  expect_equal(#volume:read(0, 512), 512, "InsertIo refuses, and the read goes on")
  expect_equal(lines("^queues: insert (0x%x+)"), { "0xC0000001" })
end)
case(CONTEXT, 0, function()
  local read = hold()
  volume:flush()
  expect_equal(lines("^queues: removed (%d)"), { "1" }, "removed by its context")
  expect_equal(#read:wait(), 512)
  read = hold()
  volume:cancel { thread = 1 }
  expect_status("STATUS_CANCELLED", function() read:wait() end)
  volume:flush()
  expect_equal(lines("^queues: removed (%d)"), { "1", "0" }, "what the cancellation took is not there")
end)
case(CONTEXT, 0xC0000001, function()
  expect_equal(#volume:read(0, 512), 512)
  volume:flush()
  expect_equal(lines("^queues: removed (%d)"), { "0" }, "what InsertIo refused is not there, either")
end)
case(DISABLED, 0, function()
  expect_equal(#volume:read(0, 512), 512)
  expect_equal(lines("^queues: insert (0x%x+)"), { "0xC01C000E" }, "STATUS_FLT_CBDQ_DISABLED")
  volume:flush()
  local read = hold()
  volume:flush()
  expect_equal(#read:wait(), 512, "enabled again")
end)
case(CANCELLED, 0, function()
  expect_status("STATUS_CANCELLED", function() volume:read(0, 512) end, "cancelled before it was inserted")
  expect_equal(lines("^queues: cancelled in the queue, ours (%d)"), { "1" })
end)
case(TAKE_BACK, 0, function()
  expect_equal(#volume:read(0, 512), 512, "a callback may take back what it has put in")
end)
case(CALLBACK, 0, function()
  local read = hold()
  expect_equal(lines("^queues: set (0x%x+)"), { "0x00000000" })
  volume:cancel { thread = 1 }
  expect_status("STATUS_CANCELLED", function() read:wait() end, "the cancel callback completes it")
  expect_equal(lines("^queues: cancel callback, canceled (%d)"), { "1" })
  read = hold()
  volume:flush()
  expect_equal(#read:wait(), 512, "cleared, and given back")
  expect_equal(#lines("^queues: cancel callback"), 1)
end)
case(LATE, 0, function()
  expect_status("STATUS_CANCELLED", function() volume:read(0, 512) end)
  expect_equal(lines("^queues: set (0x%x+)"), { "0xC0000120" }, "FltSetCancelCompletion comes too late")
  expect_equal(#lines("^queues: cancel callback"), 0, "and its callback is not called")
end)
case(CLEAR, 0, function()
  local ok, status = pcall(volume.read, volume, 0, 512)
  expect(ok or status.status == 0xC0000120, "the read goes on, cancelled")
  expect_equal(#lines("^queues: cancel callback"), 0, "what was cleared is not called")
end)
