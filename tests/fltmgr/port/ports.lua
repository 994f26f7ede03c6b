-- SPDX-License-Identifier: GPL-2.0-or-later
-- Communication ports: connections, messages both ways, time-outs, disconnects, and ports that are left open.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "ports.c")
local VOLUME, PORT = [[\Device\HarddiskVolume1]], [[\TestPort]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\ports]]
local PLAIN, WITH_REPLY, SHORT_REPLY, LATE, LATE_REPLY, WRONG, ENDLESS, CLOSE_IT = 0, 1, 2, 3, 4, 5, 6, 7

local function machine(leave, plan)
  local vm = fltvm.machine { disks = { { size = "1M" } } }
  local volume = vm:open(VOLUME, { async = true })
  vm:set_registry(KEY, "Leave", leave)
  vm:set_registry(KEY, "Plan", plan)
  return vm, volume, vm:load { source = "ports.c", altitude = "100" }
end

local vm, volume, filter = machine(0, 47)
local function read(way) return volume:read_async(way * 512, 512, { thread = 2 }) end
local function finish(operation, status, reply)
  local lines = #vm:log()
  operation:wait()
  vm:expect_log(("^ports: status %08X reply %s$"):format(status, reply or ""), "the filter's status and reply")
end

-- Connecting.
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:port [[\NoPort]] end, "nobody listens")
expect_status("STATUS_ACCESS_DENIED", function() vm:port { name = PORT, context = "refuse" } end, "the connect callback refuses")
local port = vm:port { name = [[\testport]], context = "hello" }
expect_equal(vm:ports(), { { name = PORT, filter = "ports", connections = 1, limit = 1 } }, "the list of ports")
local shown = vm:fltmc()
expect(shown:find("filters: 1\n  ports +100 +1\n") and shown:find("instances: 1\n") and shown:find("ports: 1\n  \\TestPort +ports +1 +1\n"),
  "what fltmc would show: " .. shown)
expect_status("STATUS_CONNECTION_COUNT_LIMIT", function() vm:port(PORT) end, "one connection at most")
volume:flush()
expect_log("^ports: connects 1 disconnects 0 messages 0 context hello$", "the callback got the context")

-- To the filter.
expect_equal(port:send("abc", 16), "cba", "the filter answers")
expect_equal(port:send("abc", 2), "cb", "in what room there is")
expect_equal(port:send("abc"), "", "or not at all")
expect_status("STATUS_DISK_FULL", function() port:send("fail", 4) end, "the callback's status")

-- From the filter: got before it is sent, and after.
local get = port:get_async()
local operation = read(PLAIN)
local message = get:wait()
expect_equal({ message.data, message.wants_reply, message.reply_length }, { "plain", false, 0 }, "a message without reply")
finish(operation, 0)
expect_status("STATUS_FLT_NO_WAITER_FOR_REPLY", function() port:reply(message, "x") end, "it wants none")
operation = read(WITH_REPLY)
vm:sleep(20)
expect(not operation:done(0), "the filter waits")
message = port:get()
expect_equal({ message.data, message.wants_reply, message.reply_length }, { "asks", true, 16 }, "a message that wants a reply")
expect_status("STATUS_FLT_NO_WAITER_FOR_REPLY", function() port:reply(message.id + 1, "x") end, "a reply to another")
expect(not operation:done(0), "it waits on")
port:reply(message, "clean")
finish(operation, 0, "clean")
expect_status("STATUS_FLT_NO_WAITER_FOR_REPLY", function() port:reply(message, "again") end, "a second reply")

-- Sizes.
operation = read(SHORT_REPLY)
expect_status("STATUS_BUFFER_TOO_SMALL", function() port:get { size = 19 } end, "no room for the message")
message = port:get { size = 20 }
expect_equal(message.reply_length, 3, "it has stayed")
expect_status("STATUS_BUFFER_OVERFLOW", function() port:reply(message, "long") end, "a reply that is too long")
finish(operation, 0x80000005)

-- Time.
finish(read(LATE), 0x102)
operation = read(LATE_REPLY)
message = port:get()
finish(operation, 0x102)
expect_status("STATUS_FLT_NO_WAITER_FOR_REPLY", function() port:reply(message, "late") end, "a reply after the time")
finish(read(WRONG), 0xC000000D)

-- Disconnects while both sides wait.
operation = read(ENDLESS)
message = port:get()
local second = volume:read_async(ENDLESS * 512, 512, { thread = 3 })
vm:sleep(20)
port:close()
operation:wait()
second:wait()
expect_log("^ports: status C0000037 reply $", "the senders are told")
volume:flush()
expect_log("^ports: connects 1 disconnects 1 messages 4 context hello$", "the disconnect callback was called")

-- The filter closes.
port = vm:port(PORT)
get = port:get_async()
finish(read(CLOSE_IT), 0)
expect_status("STATUS_PORT_DISCONNECTED", function() get:wait() end, "a get that waits is told")
expect_status("STATUS_PORT_DISCONNECTED", function() port:get() end, "and one that comes later")
expect_status("STATUS_PORT_DISCONNECTED", function() port:send("x") end, "nothing can be sent")
port:close()
volume:flush()
expect_log("^ports: connects 2 disconnects 1 messages 4 context $", "no callback where the filter closed it itself")

-- The filter goes while its client is connected and a message waits.
port = vm:port(PORT)
operation = read(ENDLESS)
vm:sleep(20)
filter:unload()
operation:wait()
expect_status("STATUS_PORT_DISCONNECTED", function() port:get() end, "the filter is gone")
port:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:port(PORT) end, "and its port")
volume:close()
vm:shutdown()

-- A message callback that says, or writes, more than there is room for.
for what, code in pairs { more = 0xF5, over = 0x3B } do
  vm, volume, filter = machine(0, 27)
  port = vm:port(PORT)
  expect_bugcheck { code = code, p1 = what == "more" and 0xF00F or nil, driver = "ports.sys", routine = "Message", line = assert(guilty[what]), quiet = true,
    what = "a message callback that gives too much: " .. what, function() port:send(what, 4096) end }
end

for leave, what in ipairs { "server", "client" } do
  vm, volume, filter = machine(leave, 28)
  port = vm:port(PORT)
  expect_bugcheck { code = 0xF5, p1 = 0xF042, p3 = leave == 1 and 1 or 0, driver = "ports.sys", line = assert(guilty[what]), quiet = true,
    what = "a " .. what .. " port is left", text = "A " .. what .. " port is not closed", function() filter:unload() end }
end
