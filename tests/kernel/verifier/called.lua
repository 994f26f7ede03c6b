-- SPDX-License-Identifier: GPL-2.0-or-later
-- A routine that a driver gives to a routine of the kernel, and that leaves something otherwise than it found it, is found at its return
-- and blamed by its first line, as returns.lua has it of those that the kernel calls by itself.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local ADD_DEVICE = 21 -- from here on the driver is that of the interrupt source

local heads, number, head = {}, 0, nil
for line in io.lines(folder .. "called.c") do
  number = number + 1
  local routine = not line:find(";$") and line:match("^static .-NTAPI (%w+)%(")
  if routine then head = routine end
  if line == "{" and head then heads[head], head = number, nil end
end

local function load(kind, how, verifier)
  local vm = fltvm.machine{ options = { verifier = verifier } }
  local name = kind >= ADD_DEVICE and "fltvmirq" or "called"
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\]] .. name, "Kind", kind)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\]] .. name, "How", how)
  local driver = vm:load{ source = "called.c", name = name }
  if kind < ADD_DEVICE then driver:unload() end
end

local irql, critical, guarded, mutex, resource, fast, token, top, priority, well, spin, queued, attached = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
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
local raised = { irql, top, spin, queued } -- at DISPATCH_LEVEL
local completes = { irql, critical, guarded, mutex, fast, token, top, priority } -- who completes a request may keep or release resources
local filters = { irql, fast, token, priority } -- what acquires a file for another leaves the rest on purpose

-- kind, its routine, what the report calls it, what it can leave, codes of its own
local kinds = {
  { 1, "OnTimer", "timer callback", raised },
  { 2, "OnDeleted", "timer delete callback", raised },
  { 3, "HandlePost", "handle post-operation routine", passive },
  { 4, "StreamFree", "stream context's free callback", passive },
  { 5, "FileFree", "file context's free callback", passive },
  { 6, "EcpCleanup", "extra create parameter's cleanup callback", passive },
  { 7, "LockComplete", "CompleteLockIrpRoutine", completes },
  { 8, "OnUnlock", "UnlockRoutine", passive },
  { 9, "Broadcast", "broadcast routine", { irql } },
  { 10, "ApcKernel", "APC's kernel routine", { irql, critical, guarded, resource, fast, top } },
  { 11, "ApcNormal", "APC's normal routine", passive },
  { 12, "Query", "registry query routine", passive },
  { 13, "Overflow", "stack overflow work routine", passive, { [irql] = { 0xE1 } } },
  { 14, "CsqRelease", "CsqReleaseLock", passive },
  { 15, "FsFilterPre", "file-system filter callback", filters },
  { 16, "FsFilterPost", "file-system filter callback", filters },
  { 17, "Interface", "plug and play notification routine", passive },
  { 18, "OplockPost", "oplock's pre-post routine", completes },
  { 19, "OplockComplete", "oplock's wait-complete routine", completes },
  { 20, "OplockNotify", "oplock's notify routine", passive },
  { 21, "AddDevice", "AddDevice", passive },
  { 22, "Synchronized", "synchronization routine", { irql } },
}
for _, kind in ipairs(kinds) do
  local number, routine, what, hows, own = table.unpack(kind, 1, 5)
  for _, how in ipairs(hows) do
    local code = own and own[how] or left[how]
    local found = expect_bugcheck{ code = code[1], p1 = code[2], driver = number >= ADD_DEVICE and "fltvmirq.sys" or "called.sys", routine = routine,
      line = "called.c:" .. heads[routine], quiet = true, what = ("%s leaves %s"):format(routine, left[how][3]), function() load(number, how) end }
    if found then
      expect(found.text:find("what +" .. what:gsub("%p", "%%%0") .. "\n") and found.text:find(left[how][3], 1, true), "the report says what it did")
      if how == resource or how == fast or how == spin or how == queued then
        expect(found.text:find("held%-since +[%w]+!Leave %([^)]*leave%.h:%d+%)"), "and where it took what it left")
      end
    end
  end
  if #hows > 1 then load(number, well) end -- above DISPATCH_LEVEL no spin lock is taken
  load(number, top, "0")
  expect(true, routine .. " that leaves all as it was is no fault, nor does anybody look without the verifier")
end
