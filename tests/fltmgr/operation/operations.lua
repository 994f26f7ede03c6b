-- SPDX-License-Identifier: GPL-2.0-or-later
-- Filters above one another: in which thread, at which IRQL and in which order they are called, and what of them is
-- left when one completes, pends, drains or goes.
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local VOLUME = [[\Device\HarddiskVolume1]]
local WATCH, SYNCHRONIZE, PEND_PRE, PEND_POST, COMPLETE, PEND_COMPLETE, ISSUE, SAFE, SAFE_NOW, SKIP, DRAIN, SWAP, PULSE, HOLD, SLOW, SAFE_KEEPS =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
local CREATE, READ, WRITE = 0, 3, 4
local vm, volume, from

local function start(options)
  vm = fltvm.machine(options or { disks = { { size = "1M" } } })
  volume = vm:open(VOLUME, { async = true })
  from = #fltvm.log()
end
local function filter(name, altitude, role, values)
  vm:set_registry(SERVICES .. name, "Role", role)
  for key, value in pairs(values or {}) do vm:set_registry(SERVICES .. name, key, value) end
  return vm:load { source = "operations.c", name = name, altitude = tostring(altitude) }
end
-- The lines that match, since `from`.
local function lines(pattern)
  local found = {}
  local log = fltvm.log()
  for i = from + 1, #log do found[#found + 1] = log[i]:match(pattern) end
  return found
end
local function finish(...)
  for _, one in ipairs { ... } do one:unload() end
  volume:close()
  expect_equal(vm:work_items().operations, 0, "no operation is left")
  vm:shutdown()
end

-- Threads.  The upper one's post-callbacks come to its pre-callbacks' thread, whatever one below does.
for _, below in ipairs { { PEND_PRE }, { PEND_POST }, { PEND_PRE, PEND_POST }, { COMPLETE }, { PEND_COMPLETE }, { WATCH, PEND_PRE } } do
  for _, upper in ipairs { SYNCHRONIZE, WATCH } do
    start()
    local what = (upper == WATCH and "watching" or "synchronizing") .. " above " .. table.concat(below, " and ")
    local filters = { filter("upper", 300, upper) }
    for i, role in ipairs(below) do filters[#filters + 1] = filter("lower" .. i, 200 - i, role) end
    from = #fltvm.log()
    local completed = below[1] == COMPLETE or below[1] == PEND_COMPLETE
    local opened, other = pcall(vm.open, vm, VOLUME .. (completed and [[\x]] or ""))
    expect_equal(opened, not completed, what .. ": the open")
    expect_equal(lines("^upper: post 0 irql (%d same %d)"), { "0 same 1" }, what .. ": post-create, PASSIVE_LEVEL and its thread")
    for i, role in ipairs(below) do
      if role == WATCH then
        expect_equal(lines("^lower" .. i .. ": post 0 irql (%d same %d)"), { "0 same 1" }, what .. ": also one in between")
      end
    end
    if opened then other:close() end
    local ok = pcall(volume.read, volume, 0, 512)
    expect_equal(ok, not completed, what .. ": the read")
    if upper == SYNCHRONIZE then
      expect_equal(lines("^upper: post 3 irql (%d same %d)"), { "0 same 1" }, what .. ": its read")
    else
      expect_equal(#lines("^upper: post 3"), 1, what .. ": its read")
    end
    -- Nobody holds an instance: each can be unloaded, the lowest first.
    local reversed = {}
    for i = #filters, 1, -1 do reversed[#reversed + 1] = filters[i] end
    finish(table.unpack(reversed))
  end
end

-- A filter that synchronizes below one that pends: its thread is the worker's, and the caller's is not kept.
start()
local pends, synchronizes = filter("pends", 300, PEND_PRE), filter("synchronizes", 200, SYNCHRONIZE)
expect_equal(#volume:read(0, 512), 512)
expect_equal(lines("^synchronizes: post 3 irql (%d same %d)"), { "0 same 1" }, "synchronized in the worker's thread")
finish(pends, synchronizes)

-- Completed above, while the one below has not seen it: only those above are told.
start()
local low, mid, top = filter("low", 100, WATCH), filter("mid", 200, COMPLETE), filter("top", 300, WATCH)
from = #fltvm.log()
expect_status("STATUS_ACCESS_DENIED", function() volume:read(0, 512) end)
expect_equal(#lines("^low:"), 0, "one below a filter that completes sees nothing")
expect_equal(lines("^top: post 3 irql %d same %d status (%w+)"), { "0xC0000022" }, "one above gets its post-callback")
vm:detach { filter = "mid", volume = VOLUME }
for i = 1, 3 do volume:write(0, string.rep("x", 512)) end -- its block is another operation's meanwhile
vm:detach { filter = "low", volume = VOLUME }
expect_equal(lines("^low: teardown complete, under way (%d)"), { "0" }, "and the one below can be detached")
finish(mid, top, low)

-- Flags of a registration: what is skipped of a cached read, an uncached one, a paging one, a synchronous paging one.
local kinds = { "0x0", "0x1", "0x3", "0x43" }
for _, case in ipairs {
  { 0, "nothing", 1, 2, 3, 4 }, { 1, "paging I/O", 1, 2 }, { 2, "cached I/O", 2, 3, 4 },
  { 4, "what is no volume", 1, 2, 3, 4 }, { 8, "I/O that is neither cached nor paging", 1, 3, 4 },
} do
  start()
  local issue, skip = filter("issue", 300, ISSUE), filter("skip", 200, SKIP, { Flags = case[1] })
  volume:write(0, string.rep("x", 512))
  expect_equal(#lines("^issue: read %d status 0x00000000"), 4, "four reads")
  local wanted = {}
  for i = 3, #case do wanted[#wanted + 1] = kinds[case[i]] end
  expect_equal(lines("^skip: pre 3 irql %d flags (0x%x+)"), wanted, "skipping " .. case[2])
  finish(issue, skip)
end

-- When safe: at once below DISPATCH_LEVEL; posted at it; neither for paging I/O at it.
start()
local safe, now = filter("safe", 200, SAFE), filter("now", 300, SAFE_NOW)
volume:read(0, 512)
expect_equal(lines("^safe: safe irql (%d)"), { "0" }, "posted")
expect_equal(lines("^now: safe irql (%d)"), { "0" }, "at once")
expect_equal(lines("^now: when safe (.*)"), { "1 status 0" }, "TRUE, and what the safe callback returned")
now:unload()
local keeps = filter("keeps", 300, SAFE_KEEPS)
expect_equal(#volume:read(0, 512), 512, "what the safe callback keeps is given back by a worker")
expect_equal(lines("^keeps: when safe (.*)"), { "1 status 1" }, "TRUE and MORE_PROCESSING_REQUIRED when it kept it")
keeps:unload()
from = #fltvm.log()
local issue = filter("issue", 300, ISSUE)
volume:write(0, string.rep("x", 512))
expect_equal(#lines("^safe: safe irql"), 2, "the two that are no paging I/O")
expect_equal(lines("^safe: when safe (.*)"), { "0 status 0", "0 status 0" }, "the two that are: FALSE, FLT_POSTOP_FINISHED_PROCESSING")
finish(issue, safe)

-- Draining: a copy, at <= APC_LEVEL; the request itself goes on.
start()
local drains = filter("drains", 200, DRAIN)
vm:fault { op = "read", action = "delay", delay = 100, count = 1 }
local read = volume:read_async(0, 4096)
vm:sleep(5)
vm:detach { filter = "drains", volume = VOLUME }
expect_equal(lines("^drains: drain irql (.*)"), { "0 copy 1 flags 1 parameters 4096" }, "a copy with its own parameters")
expect_equal(lines("^drains: drain deferred (.*)"), { "0xC01C000B" }, "no deferred item for it")
expect_equal(lines("^drains: drain queue (.*)"), { "0xC01C000B" }, "nor a queue")
expect_equal(lines("^drains: drain dirty (.*)"), { "1" })
expect_equal(lines("^drains: drain process (.*)"), { "1 synchronous 0 canceled 0" }, "what it is asked, it answers")
expect_equal(lines("^drains: drain file (.*)"), { "1" })
expect_equal(lines("^drains: teardown complete, under way (%d)"), { "0" })
expect_equal(#read:wait(), 4096, "what the copy says is nobody's")
finish(drains)

-- The same while a filter below holds the request.
start()
local drained, holds = filter("drained", 300, DRAIN), filter("holds", 200, HOLD)
read = volume:read_async(0, 4096)
vm:sleep(5)
vm:detach { filter = "drained", volume = VOLUME }
expect_equal(lines("^drained: drain irql (.*)"), { "0 copy 1 flags 1 parameters 4096" }, "drained while one below holds it")
expect_equal(lines("^drained: drain deferred (.*)"), { "0xC01C000B" }, "and no deferred item for it either")
expect(not read:done(0), "the read is still held")
vm:detach { filter = "holds", volume = VOLUME }
expect_equal(#read:wait(), 4096, "and returns when it is given back")
finish(drained, holds)

-- A request that comes back while its node is drained waits for the callback, and a synchronized one above for both.
start { disks = { { size = "1M" } }, cpus = 4 }
local above, slow = filter("above", 300, SYNCHRONIZE), filter("slow", 200, WATCH, { Hold = 100 })
vm:fault { op = "read", action = "delay", delay = 60, count = 1 }
read = volume:read_async(0, 4096)
vm:sleep(5)
vm:detach { filter = "slow", volume = VOLUME }
expect_equal(#read:wait(), 4096)
expect_equal(lines("^slow: post 3 irql (%d) same %d status %w+ draining (%d)"), { "0" }, "drained")
expect_equal(lines("^above: post 3 irql (%d same %d)"), { "0 same 1" }, "and the one above is called in its thread")
local order = {}
for _, line in ipairs(lines(".*")) do
  if line:find("^slow: drained") or line:find("^above: post 3") then order[#order + 1] = line:match("^%w+") end
end
expect_equal(order, { "slow", "above" }, "when the draining callback has returned")
finish(slow, above)

-- An operation whose buffer a filter swapped is waited for.
start()
local swaps = filter("swaps", 200, SWAP)
volume:write(0, string.rep("B", 4096))
vm:fault { op = "read", action = "delay", delay = 100, count = 1 }
read = volume:read_async(0, 4096)
vm:sleep(5)
vm:detach { filter = "swaps", volume = VOLUME }
expect_equal(lines("^swaps: post 3 irql %d same %d status %w+ draining (%d)"), { "0" }, "not drained")
expect_equal(lines("^swaps: teardown complete, under way (%d)"), { "0" }, "waited for")
expect(read:wait() == string.rep("B", 4096), "with its data")
finish(swaps)

-- Teardown: no new operation once it has begun, and its end after all that were under way.
start { disks = { { size = "1M" } }, cpus = 4 }
local hold = filter("hold", 200, HOLD)
local held = volume:read_async(0, 512)
vm:sleep(5)
local more = {}
for i = 1, 80 do more[i] = volume:write_async(4096 * i, string.rep("y", 512), { thread = i % 8 }) end
vm:detach { filter = "hold", volume = VOLUME }
for i = 81, 120 do more[i] = volume:write_async(4096 * i, string.rep("y", 512), { thread = i % 8 }) end
held:wait()
for _, one in ipairs(more) do one:wait() end
expect_equal(lines("^hold: teardown complete, under way (%d+)"), { "0" }, "teardown ends when nothing is under way")
expect_equal(#lines("^hold: post 3"), 0, "given back with SUCCESS_NO_CALLBACK it has no post-callback")
finish(hold)
start { disks = { { size = "1M" } }, cpus = 4 }
local pulse, late = filter("pulse", 300, PULSE), filter("late", 200, WATCH)
volume:write(0, string.rep("x", 512))
vm:sleep(20)
vm:detach { filter = "late", volume = VOLUME }
expect(#lines("^late: pre 3") > 0, "one that has seen reads")
expect_equal(#lines("^late: pre after teardown began"), 0, "sees none once its teardown has begun")
finish(late, pulse)

-- An operation whose pre-callback returns when the teardown has begun is drained, too, and not waited for.
start()
local slow = filter("slow", 200, SLOW, { Hold = 400 })
vm:fault { op = "read", action = "delay", delay = 3000, count = 1 }
local slowly = volume:read_async(0, 4096, { thread = 1 })
vm:sleep(10)
local before = vm:time()
vm:detach { filter = "slow", volume = VOLUME }
expect(vm:time() - before < 1000, "the detach does not wait for the disk")
expect_equal(lines("^slow: post 3 irql (%d) .* draining (%d)"), { "0" }, "a late post-callback is drained at PASSIVE_LEVEL")
expect_equal(#lines("^slow: post 3 .* draining 1"), 1, "and says so")
expect_equal(#slowly:wait(), 4096, "the read goes on")
finish(slow)
