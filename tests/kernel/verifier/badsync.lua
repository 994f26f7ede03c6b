-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each misuse of locks, IRQLs, waits, timers, DPCs and threads that badsync.c knows ends in Windows's bugcheck, blamed on
-- the driver; and the report leads to the line: the one whose comment in badsync.c begins with the misuse's number.

local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badsync]]

-- number, bugcheck, what, further expectations.  What has returned is on no stack: there the report names the routine.
local cases = {
  { 1, 0xF, "acquiring a spin lock twice" },
  { 2, 0x10, "releasing a spin lock that is not held" },
  { 3, 0xC4, "acquiring at DPC level below it", p1 = 0x40, p2 = 0 },
  { 4, 0xC4, "releasing a spin lock to a higher IRQL", p1 = 0x31, p2 = 2, p3 = 15 },
  { 5, 0x133, "holding a spin lock too long", p1 = 1 },
  { 6, 0xC4, "lowering the IRQL under a spin lock", p1 = 0x20015, text = "KeReleaseSpinLock" },
  { 7, 0xC4, "waiting for one's own queued spin lock", p1 = 0x1000, p4 = 1 },
  { 8, 0xC4, "acquiring a spin lock at HIGH_LEVEL", p1 = 0x20011, p4 = 15 },
  { 10, 0xC4, "raising the IRQL downwards", p1 = 0x30, p2 = 5, p3 = 2 },
  { 11, 0xC4, "lowering the IRQL upwards", p1 = 0x31, p2 = 0, p3 = 2 },
  { 12, 0xC8, "DriverEntry that returns at DISPATCH_LEVEL", p1 = 0x20000, routine = "DriverEntry" },
  { 20, 0xC4, "waiting at DISPATCH_LEVEL", p1 = 0x3B, p2 = 2 },
  { 21, 0xC4, "delaying with a spin lock held", p1 = 0x2000F, p4 = 2, text = "KeDelayExecutionThread" },
  { 22, 0xC, "waiting for 65 objects", p1 = 65 },
  { 23, 0xC, "waiting for 4 objects without wait blocks", p1 = 4 },
  { 24, 0x7E, "releasing another's mutex", p1 = 0xC0000046 },
  { 30, 0x20, "ending a thread that owns a mutex" },
  { 31, 0x20, "ending a thread in a critical region" },
  { 32, 0xC4, "ending a thread at DISPATCH_LEVEL", p1 = 0x2001C, p4 = 2, text = "PsTerminateSystemThread" },
  { 33, 0xCE, "unloading with a thread in the driver", unload = true, routine = "SystemThread" },
  { 40, 0xC4, "acquiring a fast mutex twice", text = "self-deadlock" },
  { 41, 0xC4, "acquiring a resource outside a critical region", p1 = 0x37, text = "apcs-not-disabled" },
  { 42, 0xE3, "releasing a resource that is not held", text = "not-owned" },
  { 43, 0xC4, "acquiring exclusively what is held shared", text = "self-deadlock" },
  { 44, 0xE3, "deleting a resource that is held", text = "resource-in-use" },
  { 50, 0xC4, "waiting in a DPC", p1 = 0x3B },
  { 51, 0xA, "a DPC that returns at another IRQL", p2 = 5, routine = "DpcRoutine" },
  { 52, 0x10, "releasing another processor's spin lock" },
  { 53, 0x133, "a DPC without end", p1 = 0 },
  { 54, 0xC4, "a PASSIVE_LEVEL routine in a DPC", p1 = 0x2001F, p4 = 2, text = "ZwClose" },
  { 55, 0xC7, "queueing a DPC that was not initialized", p1 = 1 },
  { 56, 0xC7, "freeing a timer that is set", p1 = 0, text = "timer-set-in-freed-memory" },
  { 57, 0xC7, "unloading with a timer set", p1 = 0, unload = true, text = "timer-set-in-freed-memory" },
  { 58, 0xC7, "unloading with a timer that leads to the driver", p1 = 1, unload = true, text = "timer-dpc-in-freed-memory" },
  { 60, 0xE1, "a work item that returns at DISPATCH_LEVEL", p2 = 2, routine = "WorkRoutine" },
  { 61, 0x93, "closing a kernel handle that is not open", p1 = 0xFFFFFFFF80001234 },
  { 62, 0x18, "dereferencing more often than referenced" },
  { 63, 0xA, "waiting for no object", p3 = 0 },
  { 64, 0x7E, "an exception that nobody handles", p1 = 0xC000003E },
  { 65, 0x139, "a fast failure", p1 = 3 },
  { 66, 0xDEAD, "a bugcheck of the driver's own", p1 = 1, p2 = 2, p3 = 3, p4 = 4 },
  { 67, 0xC8, "DriverUnload that returns at DISPATCH_LEVEL", unload = true, routine = "DriverUnload" },
}

local lines, number = {}, 0
for line in io.lines(debug.getinfo(1, "S").source:match("^@(.*)%.lua$") .. ".c") do
  number = number + 1
  local misuse = line:match("/%* (%d+): ")
  if misuse then lines[tonumber(misuse)] = number end
end

for _, case in ipairs(cases) do
  local misuse, code, what = table.unpack(case)
  local vm = fltvm.machine {}
  vm:set_registry(SERVICE, "Fault", misuse)
  local report = expect_bugcheck { code = code, what = what, text = case.text, driver = "badsync", p1 = case.p1, p2 = case.p2,
    p3 = case.p3, p4 = case.p4, quiet = true,
    function()
      -- -O0: no two calls share an instruction, so that each has its line.
      local driver = vm:load { source = "badsync.c", flags = { "-O0" } }
      if case.unload then driver:unload() end
    end }
  if case.routine then
    expect(report.text:find("badsync!" .. case.routine, 1, true), what .. ": the report names " .. case.routine)
  elseif not case.unload then
    expect(report.text:find(("badsync.c:%d)"):format(lines[misuse]), 1, true), what .. ": the report leads to the line")
  end
end
