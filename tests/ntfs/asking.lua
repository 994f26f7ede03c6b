-- SPDX-License-Identifier: GPL-2.0-or-later
-- What may be known of a file without opening it, by a call that filters see as IRP_MJ_NETWORK_QUERY_OPEN; where one disallows that, or
-- the file system leaves it, by an open. Byte ranges are locked by calls, too.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../inc/guilty.lua")(folder .. "asking.c")
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\asking]]
local ROOT = [[\Device\HarddiskVolume1\]]
local OBSERVE, DISALLOW, COMPLETE, REFERENCE, POST, FSFILTER = 0, 1, 2, 3, 4, 5
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm, filter, port
local function start(mode, plan)
  vm = fltvm.machine{ disks = { { image = disk } } }
  vm:set_registry(KEY, "Mode", mode)
  vm:set_registry(KEY, "Plan", plan or 0)
  vm:open(ROOT .. "dir", { access = "r", disposition = "create", options = "directory" }):close()
  local file = vm:open(ROOT .. "dir\\file", { disposition = "create", attributes = "archive" })
  file:write(0, string.rep("x", 1000))
  file:close()
  filter = vm:load{ source = "asking.c", altitude = "140000" }
  port = vm:port("\\asking")
end
local function ask(path, other)
  local since = #vm:log()
  local answer = port:send(string.pack("<I4", other and 1 or 0) .. path:gsub(".", "%0\0"), 24)
  local status, attributes, size, information = string.unpack("<I4I4I8I8", answer)
  local seen = {}
  for _, line in ipairs(vm:log(since)) do seen[#seen + 1] = line:match("asking: (.*)") end
  return { status, attributes, size, other and information or nil }, seen
end
local QUERY, CREATE = "pre IRP_MJ_NETWORK_QUERY_OPEN ", "pre IRP_MJ_CREATE "
local DONE = "post 0x00000000"

-- By the call alone.
start(OBSERVE, 13)
local answer, seen = ask(ROOT .. "DIR\\file")
expect_equal(answer, { 0, 0x20, 1000 }, "a file's attributes and size")
expect_equal(seen, { QUERY .. ROOT .. "dir\\file", DONE }, "it is not opened, and has its normalized name")
expect_equal(ask(ROOT .. "dir"), { 0, 0x30, 0 }, "a directory")
answer, seen = ask(ROOT .. "dir\\file", true)
expect_equal(answer, { 0, 0x20, 1000, 56 }, "IoFastQueryNetworkAttributes")
expect_equal(#seen, 2)
local file = vm:open(ROOT .. "dir\\file")
file:write(1000, string.rep("y", 500))
expect_equal(ask(ROOT .. "dir\\file")[3], 1500, "what is in the cache only counts")

-- What the file system leaves is asked by an open.
local LEFT = "post 0xC01C0004"
answer, seen = ask(ROOT .. "dir\\none")
expect_equal(answer[1], 0xC0000034, "a file that is not there")
expect_equal(seen, { QUERY .. ROOT .. "dir\\none", LEFT, CREATE .. ROOT .. "dir\\none" }, "the open says so")
expect_equal(ask(ROOT .. "none\\file")[1], 0xC000003A, "nor its directory")
answer, seen = ask(ROOT .. "dir\\file:s")
expect_equal({ answer[1], #seen }, { 0xC0000034, 3 }, "a stream")
expect_equal(ask([[\Device\HarddiskVolume1]])[1] ~= 0, true, "the volume itself has no such information")
expect_equal(ask([[\Device\Nothing]])[1], 0xC0000034, "a name that leads nowhere")
expect_equal(ask([[\Device]])[1], 0xC0000024, "or to something that is no file")

-- Byte ranges.
local since = #vm:log()
local function locks()
  local found = {}
  for _, line in ipairs(vm:log(since)) do found[#found + 1] = line:match("asking: (lock.*)") end
  since = #vm:log()
  return found
end
file:lock(0, 10)
expect_equal(locks(), { "lock 1 fast 1" }, "a range that is free is locked by the call")
local other = vm:open(ROOT .. "dir\\file", { async = true })
expect_status("STATUS_LOCK_NOT_GRANTED", function() other:lock(5, 10) end, "one that is not, at once")
expect_equal(locks(), { "lock 1 fast 1" })
local waiting = other:lock_async(5, 10, { wait = true })
vm:sleep(5)
expect(not waiting:done(), "who waits")
expect_equal(locks(), { "lock 1 fast 1", "lock 1 fast 0" }, "waits with a request")
file:unlock(0, 10)
waiting:wait()
expect_equal(locks(), { "lock 2 fast 1" }, "and unlocking is a call")
expect_status("STATUS_RANGE_NOT_LOCKED", function() file:unlock(0, 10) end)
other:close()
file:close()
port:close()
filter:unload()
vm:shutdown()

start(DISALLOW)
answer, seen = ask(ROOT .. "dir\\file")
expect_equal(answer, { 0, 0x20, 1000 }, "what a filter disallows is asked by an open")
expect_equal(seen, { QUERY .. ROOT .. "dir\\file", CREATE .. ROOT .. "dir\\file" }, "which the filter sees")
file = vm:open(ROOT .. "dir\\file")
since = #vm:log()
file:lock(0, 10)
file:unlock(0, 10)
expect_equal(locks(), { "lock 1 fast 1", "lock 1 fast 0", "lock 2 fast 1", "lock 2 fast 0" }, "and so are locks by requests")
file:close()
port:close()
filter:unload()
vm:shutdown()

start(COMPLETE)
expect_equal(ask(ROOT .. "anything"), { 0, 0x1000, 4711 }, "a filter's answer")
port:close()
filter:unload()
vm:shutdown()

start(POST)
expect_bugcheck{ code = 0xF5, p1 = 0xF007, driver = "asking.sys", routine = "PostQuery", line = assert(guilty.post), quiet = true, what = "disallowed afterwards",
  function() ask(ROOT .. "dir\\file") end }
start(FSFILTER)
expect_bugcheck{ code = 0xF5, p1 = 0xF006, driver = "asking.sys", routine = "PreQuery", line = assert(guilty.pre), quiet = true, what = "disallowed as what it is not",
  function() ask(ROOT .. "dir\\file") end }
start(REFERENCE)
expect_bugcheck{ driver = "asking.sys", routine = "Reference", line = assert(guilty.reference), quiet = true, what = "a reference to a file object that is no object",
  function() ask(ROOT .. "dir\\file") end }
