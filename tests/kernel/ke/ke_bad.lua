-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each rule of the kernel that a driver can break ends in Windows's bugcheck, with the driver's line in the report.
local source = "ke_bad.c"
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "ke_bad.c")
local NOWHERE = { [15] = true, [23] = true } -- what is executed is data; the timer is all that is left
local cases = {
  { 1, "lowering the IRQL upwards", code = 0xC4, p1 = 0x31, p2 = 0, p3 = 15, text = "Misbehave" },
  { 2, "raising the IRQL downwards", code = 0xC4, p1 = 0x30, p2 = 2, p3 = 1, text = "Misbehave" },
  { 3, "acquiring a spin lock twice", code = 0xF, text = "Misbehave" },
  { 4, "releasing a spin lock that is free", code = 0x10, text = "Misbehave" },
  { 5, "waiting at DISPATCH_LEVEL", code = 0xC4, p1 = 0x3B, p2 = 2, text = "Misbehave" },
  { 6, "writing near NULL at DISPATCH_LEVEL", code = 0xD1, p1 = 0x20, p2 = 2, p3 = 1, text = "Misbehave" },
  { 7, "calling through a bad pointer", code = 0x7E, p1 = 0xC0000005, p2 = 0x30, text = "Misbehave" },
  { 8, "running over the kernel stack", code = 0x7F, p1 = 8, text = "Overflow" },
  { 9, "asking for a bugcheck", code = 0xE2, p1 = 1, p2 = 2, p3 = 3, p4 = 4, text = "Misbehave" },
  { 28, "asking for a bugcheck without parameters", code = 0xE2, p1 = 0, p2 = 0, p3 = 0, p4 = 0, text = "Misbehave" },
  { 10, "dividing by zero in a DPC", code = 0x1E, p1 = 0xC0000094, text = "BadDpc" },
  { 11, "never leaving a DPC", code = 0x133, p1 = 0, text = "BadDpc" },
  { 12, "leaving a DPC at another IRQL", code = 0xA, p2 = 15 },
  { 13, "waiting in a DPC", code = 0xC4, p1 = 0x3B, text = "BadDpc" },
  { 14, "writing to code", code = 0xBE, text = "Misbehave" },
  { 15, "executing data", code = 0xFC, text = "Misbehave" },
  { 16, "leaving a critical region twice", code = 0xC4, p1 = 0x3E, text = "Misbehave" },
  { 17, "queueing what is no DPC", code = 0xC7, p1 = 1, text = "Misbehave" },
  { 18, "ending a thread in a critical region", code = 0x20 },
  { 19, "ending a thread that owns a mutex", code = 0x20 },
  { 20, "a failed security check", code = 0x139, p1 = 2, text = "Misbehave" },
  { 21, "a break point without a debugger", code = 0x7E, p1 = 0x80000003, text = "Misbehave" },
  { 22, "an exception that nobody handles", code = 0x7E, p1 = 0xC0000017, text = "Misbehave" },
  { 23, "unloading with a timer set", code = 0xC7, p1 = 0, text = "timer-set-in-freed-memory" },
  { 24, "freeing a timer that is set", code = 0xC7, p1 = 0, text = "Misbehave" },
  { 25, "freeing a DPC that is queued", code = 0xC7, p1 = 1, text = "Misbehave" },
  { 26, "unloading with a thread running", code = 0xCE, text = "BadThread" },
  { 27, "a callback that stays in a critical region", code = 0x1, p3 = 0xFFFF, text = "LeavesRegion" },
  { 29, "detaching from a process without an attachment", code = 0x6, text = "Misbehave" },
}

for _, case in ipairs(cases) do
  local vm = fltvm.machine{}
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\ke_bad]], "Case", case[1])
  expect_bugcheck{ code = case.code, p1 = case.p1, p2 = case.p2, p3 = case.p3, p4 = case.p4, text = case.text,
    driver = "ke_bad.sys", line = not NOWHERE[case[1]] and assert(guilty[case[1]], case[2]) or nil, what = case[2], quiet = true, function() vm:load{ source = source } end }
end
