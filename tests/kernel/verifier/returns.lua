-- SPDX-License-Identifier: GPL-2.0-or-later
-- A routine that returns otherwise than it was called is found at its return and blamed, whoever called it; what is
-- given as a routine and is none is found where it is given.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\returns]]

local PROCESS, IMAGE, INTERRUPT = 9, 31, 38 -- kinds that something outside of the driver has to happen for

local function load(kind, how, verifier)
  local vm = fltvm.machine{ options = { verifier = verifier } }
  if kind == INTERRUPT then vm:irq(0):periodic{ start = 1, interval = 1 } end
  vm:set_registry(SERVICE, "Kind", kind)
  vm:set_registry(SERVICE, "How", how)
  local driver = vm:load{ source = "returns.c" }
  if kind == PROCESS then vm:process{ name = "returns.exe" } end
  if kind == IMAGE then vm:load{ source = "../mm/failpool.c" } end
  driver:unload()
end

-- The line where each routine begins, its brace's: what has returned is on no stack, and is named by where it begins.
local heads, number, head = {}, 0, nil
for line in io.lines((debug.getinfo(1, "S").source:match("^@(.*/)") or "") .. "returns.c") do
  number = number + 1
  local routine = not line:find(";$") and line:match("NTAPI (%w+)%(") or line:match("^static VOID (Interrupt)%(")
  if routine then head = routine end
  if line == "{" and head then heads[head], head = number, nil end
end

local irql, critical, guarded, mutex, resource, fast, token, top, priority, well, spin, queued, attached = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
-- What is left, its bugcheck, the parameter that tells it, and what the report says.
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
local raised = { irql, top, spin, queued }
-- The kind, its routine, what it may be called, what it can leave, codes of its own.
local kinds = {
  { 0, "DriverEntry", "DriverEntry", passive },
  { 1, "Unload", "DriverUnload", passive },
  { 2, "Dispatch", "dispatch routine", passive,
    codes = { [irql] = { 0xC9, 0x5 }, [critical] = { 0xC4, 0xC5 }, [guarded] = { 0xC4, 0xC5 }, [mutex] = { 0xC4, 0xC5 } } },
  { 3, "Complete", "completion routine", { irql, critical, fast, token, top },
    codes = { [irql] = { 0xC4, 0xFA }, [critical] = { 0xC4, 0xFB } } },
  { 4, "Complete", "completion routine", { irql, critical, guarded, top },
    codes = { [irql] = { 0xC4, 0xFA }, [critical] = { 0xC4, 0xFB }, [guarded] = { 0xC4, 0xFB } } },
  { 5, "Cancel", "cancel routine", passive },
  { 6, "Deferred", "DPC routine", raised, codes = { [irql] = { 0xA } } },
  { 7, "Deferred", "DPC routine", raised, codes = { [irql] = { 0xA } } },
  { 8, "InThreadRoutine", nil, { irql, critical, guarded, mutex, resource, fast },
    codes = { [irql] = { 0xA }, [critical] = { 0x20 }, [guarded] = { 0x20 }, [mutex] = { 0x20 }, [resource] = { 0xC4, 0x100A },
      [fast] = { 0xC4, 0x100A } } },
  { 10, "ThreadNotify", "thread notify routine", passive },
  { 11, "StartIo", "StartIo", raised },
  { 12, "IoWork", "I/O work routine", passive, codes = { [irql] = { 0xE1 } } },
  { 13, "TimerRoutine", "device timer routine", raised },
  { 14, "FileSystemChanges", "file system notification routine", passive },
  { 15, "Reinitialize", "reinitialization routine", passive },
  { 9, "ProcessNotify", "process notify routine", passive },
  { 31, "ImageNotify", "image notify routine", passive },
  { 32, "HandleOperation", "handle pre-operation routine", passive },
  { 33, "RegistryOperation", "registry callback", passive },
  { 34, "Told", "callback routine", passive },
  { 35, "Threaded", "DPC routine", { top, queued }, codes = { [irql] = { 0xA } } },
  { 36, "FastControl", "fast I/O routine", passive,
    codes = { [irql] = { 0xC9, 0x11 }, [critical] = { 0xC4, 0xC6 }, [guarded] = { 0xC4, 0xC6 }, [mutex] = { 0xC4, 0xC6 } } },
  { 37, "CsqComplete", "CsqCompleteCanceledIrp", passive },
  { 38, "Interrupt", "interrupt service routine", { irql, spin, queued }, codes = { [irql] = { 0xC4, 0x111 } } },
}
for _, kind in ipairs(kinds) do
  for _, how in ipairs(kind[4]) do
    local code = kind.codes and kind.codes[how] or left[how]
    -- What has returned badly is named by its first line; a DPC's IRQL and what a thread leaves have the kernel's own reports.
    local named = kind[3] and code[1] ~= 0xA
    local found = expect_bugcheck{ code = code[1], p1 = code[2], driver = "returns.sys", quiet = true, routine = named and kind[2] or nil,
      line = named and "returns.c:" .. heads[kind[2]] or nil, what = ("%s leaves %s"):format(kind[2], left[how][3]), function() load(kind[1], how) end }
    if found then
      expect(found.text:find("returns!" .. kind[2], 1, true), "the routine is named")
      if named then
        expect(found.text:find("what +" .. kind[3]:gsub("%p", "%%%0") .. "\n") and found.text:find(left[how][3], 1, true), "and so is what it did")
      end
      if how == resource or how == fast or how == spin or how == queued then
        expect(found.text:find("held%-since +returns!Leave %([^)]*leave%.h:%d+%)"), "and where it took what it left")
      end
    end
  end
end
for kind = 16, 37 do
  if kind == 16 or kind > 30 then -- not an interrupt's, which may take no spin lock
    load(kind, well)
    load(kind, well, "0")
  end
end
load(PROCESS, well)
expect(true, "routines that return well are no fault")
for _, how in ipairs{ top, priority } do
  load(2, how, "0")
  expect(true, "without the verifier nobody looks")
end

-- What is no routine: the kind, what it is for, the bugcheck, the line.
for _, case in ipairs{
  { 17, "a DPC without a routine", 0xC4, "GiveNoRoutine" },
  { 18, "a thread without a routine", 0xC4, "GiveNoRoutine" },
  { 19, "a notify routine that is NULL", 0xC4, "GiveNoRoutine" },
  { 20, "a completion routine that is NULL", 0xC4, "Send" },
  { 21, "a completion routine that is data", 0xC4, "Send" },
  { 22, "an I/O work item without a routine", 0xE4, "GiveNoRoutine", p1 = 7 },
  { 23, "a cancel-safe queue without routines", 0xC4, "GiveNoRoutine" },
  { 24, "a DriverUnload that is data", 0xC4, "DriverEntry" },
  { 25, "a dispatch routine that is data", 0xC4, "DriverEntry" },
  { 26, "a device timer without a routine", 0xC4, "GiveNoRoutine" },
  { 27, "an I/O work item of no object", 0xE4, "GiveNoRoutine", p1 = 3 },
  { 29, "a work routine that ends its thread", 0xE9, "EndWorker" },
  { 30, "a thread that ends with a resource", 0xC4, "EndWithResource", p1 = 0x100A },
} do
  local found = expect_bugcheck{ code = case[3], p1 = case.p1 or case[3] == 0xC4 and 0xF105 or nil, driver = "returns.sys", quiet = true,
    what = case[2], function() load(case[1], well) end }
  expect(found and found.text:find("returns!" .. case[4], 1, true), "and its line is named")
end
local vm = fltvm.machine{}
vm:set_registry(SERVICE, "Kind", 28)
expect_status("STATUS_DRIVER_UNABLE_TO_LOAD", function() vm:load{ source = "returns.c" } end, "a DriverEntry that returns STATUS_PENDING is refused")
expect_log("io: DriverEntry of \\Driver\\returns returned STATUS_PENDING", "with the reason")
