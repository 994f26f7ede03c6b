-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each callback of a minifilter that leaves something otherwise than it found it is found at its return, and blamed by its
-- first line.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\leaving]]
local VOLUME = [[\Device\HarddiskVolume1]]
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""

local irql, critical, guarded, mutex, resource, fast, token, top, priority, well, spin, queued, attached = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
-- What is left, its bugcheck, the parameter that tells it, what the report says.
local left = {
  [irql] = { 0xC8, nil, "the IRQL" },
  [critical] = { 0x1, nil, "a critical region" },
  [guarded] = { 0x1, nil, "a guarded region" },
  [mutex] = { 0x1, nil, "a critical region or a mutex" },
  [resource] = { 0xC4, 0xF102, "a resource or mutex" },
  [fast] = { 0xC4, 0xF101, "a spin lock, fast mutex or push lock" },
  [spin] = { 0xC4, 0xF101, "a spin lock, fast mutex or push lock" },
  [queued] = { 0xC4, 0xF101, "a spin lock, fast mutex or push lock" },
  [token] = { 0xDF, nil, "impersonation" },
  [top] = { 0xC4, 0xF103, "top-level IRP" },
  [priority] = { 0xC4, 0xF104, "another priority" },
  [attached] = { 0xC4, 0xF10A, "an attachment to a process" },
}
local passive = { irql, critical, guarded, mutex, resource, fast, token, top, priority, attached }
-- What a pre-callback may leave to its post-callback in the same thread, which is to put that back and nothing else.
local paired = { critical, guarded, mutex, resource, top }
local canceling = { irql, critical, guarded, mutex, resource, fast, top } -- at DISPATCH_LEVEL
local work = { [irql] = { 0xE1 } }

-- kind, its callback, what the report calls it, what it can leave, codes of its own
local kinds = {
  { 0, "Pre", "pre-callback", passive },
  { 1, "Post", "post-callback", { irql, top, spin, queued } },
  { 2, "Post", "post-callback", passive },
  { 20, "Pre", "pre-callback", paired },
  { 21, "Post", "post-callback", paired },
  { 3, "SafePost", "safe post-callback", passive },
  { 4, "Deferred", "work routine", passive, work },
  { 5, "Generic", "work routine", passive, work },
  { 6, "Unload", "filter unload callback", passive },
  { 7, "Setup", "instance setup callback", passive },
  { 8, "QueryTeardown", "instance query-teardown callback", passive },
  { 9, "TeardownStart", "instance teardown", passive },
  { 10, "TeardownComplete", "instance teardown", passive },
  { 11, "Cleanup", "context cleanup callback", passive },
  { 12, "Free", "context free callback", passive },
  { 13, "Allocate", "context allocate callback", passive },
  { 14, "Connect", "port connect callback", passive },
  { 15, "Disconnect", "port disconnect callback", passive },
  { 16, "Message", "port message callback", passive },
  { 17, "Canceled", "cancel callback", canceling },
  { 18, "CompleteCanceled", "cancel callback", canceling },
  { 19, "Completed", "asynchronous completion callback", { irql, top, spin, queued } },
  { 22, "Generate", "name provider's callback", passive },
  { 23, "Normalize", "name provider's callback", passive },
  { 24, "NormalizePlain", "name provider's callback", passive },
  { 25, "NameCleanup", "name provider's callback", passive },
  { 26, "OperationStatus", "operation status callback", passive },
  { 27, "Release", "callback data queue's release callback", passive },
}

-- The line where each callback begins, its brace's.
local heads, number, head = {}, 0, nil
for line in io.lines(folder .. "leaving.c") do
  number = number + 1
  local callback = line:match("^static .-FLTAPI (%w+)%(")
  if callback then head = callback end
  if line == "{" and head then heads[head], head = number, nil end
end

local function run(kind, how, verifier)
  local vm = fltvm.machine{ disks = { { size = "1M" } }, options = { verifier = verifier } }
  vm:set_registry(SERVICE, "Kind", kind)
  vm:set_registry(SERVICE, "How", how)
  local volume = vm:open(VOLUME, { async = true })
  local filter = vm:load{ source = "leaving.c", altitude = "100" }
  if kind >= 14 and kind <= 16 then
    local port = vm:port[[\leaving]]
    port:send("x", 1)
    port:close()
  end
  local read = volume:read_async(0, 512)
  vm:sleep(30)
  if kind == 17 or kind == 18 or kind == 27 then volume:cancel() end
  pcall(function() read:wait() end)
  volume:close()
  if kind == 8 then vm:detach{ filter = "leaving", volume = VOLUME } end
  filter:unload()
end

for _, kind in ipairs(kinds) do
  local number, callback, what, hows, own = table.unpack(kind, 1, 5)
  for _, how in ipairs(hows) do
    local code = own and own[how] or left[how]
    local found = expect_bugcheck{ code = code[1], p1 = code[2], driver = "leaving.sys", routine = callback,
      line = "leaving.c:" .. heads[callback], quiet = true, what = ("%s leaves %s"):format(callback, left[how][3]),
      function() run(number, how) end }
    if found then
      expect(found.text:find("what +[^\n]*" .. what:gsub("%p", "%%%0")) and found.text:find(left[how][3], 1, true), "the report says what it did")
      if how == resource or how == fast or how == spin or how == queued then
        expect(found.text:find("held%-since +leaving!Leave %([^)]*leave%.h:%d+%)"), "and where it took what it left")
      end
    end
  end
  run(number, well)
  run(number, well, "0")
  expect(true, callback .. " that leaves all as it was is no fault")
end
