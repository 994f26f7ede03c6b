-- SPDX-License-Identifier: GPL-2.0-or-later
-- Reports are whole and blame the right line, wherever the driver's code lies: in .text, in a pageable section, or in
-- one that is discarded when DriverEntry has returned.
local source = "report.c"
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""

-- The line of report.c with this comment.
local function guilty(number)
  local at = 0
  for line in io.lines(folder .. source) do
    at = at + 1
    if line:find("guilty " .. number .. " ", 1, true) then return source .. ":" .. at end
  end
  error("report.c has no line 'guilty " .. number .. "'")
end

local cases = {
  { 1, "calling NULL", code = 0x7E, p2 = 0, routine = "Misbehave" },
  { 2, "calling where no image is", code = 0x50, routine = "Misbehave" },
  { 3, "calling a wild address", code = 0x7E, routine = "Misbehave" },
  { 4, "a fault in a routine's first instruction", code = 0x7E, routine = "FaultAtOnce" },
  { 5, "a failed check in a routine's last instruction", code = 0x139, routine = "FailFast" },
  { 6, "a fault", code = 0x7E, routine = "Misbehave" },
  { 7, "raising the IRQL in pageable code", code = 0xD1, routine = "Misbehave", pageable = true },
  { 8, "freeing what never was pool", code = 0xC2, p1 = 0x46, routine = "Misbehave", text = "bad-free" },
  { 23, "freeing a large allocation twice", code = 0xC2, p1 = 7, routine = "Misbehave", text = "freed-twice" },
  { 9, "a leak", code = 0xC4, p1 = 0x62, routine = "Misbehave", unload = true, text = "report!DriverEntry" },
  { 10, "a leak through an inline routine", code = 0xC4, p1 = 0x62, routine = "Misbehave", unload = true },
  { 26, "one of two calls that are alike", code = 0xC2, routine = "FreeInBranches" },
  { 11, "a fault inside the kernel", code = 0x50, routine = "FaultInKernel" },
  { 12, "a fault inside the filter manager", code = 0x50, routine = "FaultInFilterManager" },
  { 13, "a callback that is NULL", code = 0x7E, routine = "InsertWithoutAllocate" },
  { 14, "a bugcheck callback that faults", code = 0xE2, p1 = 1, routine = "Misbehave", text = "nested-bugcheck" },
  { 16, "a bugcheck callback that overruns the stack", code = 0xE2, p1 = 1, routine = "Misbehave" },
  { 15, "a processor block that is lost", code = 0x7E, routine = "Misbehave" },
}

-- The device tells of the end of a guest that has no tables left.
local crashes = {
  { 17, "page tables that are lost", code = "TRIPLE_FAULT", routine = "Misbehave", text = "*** triple fault" },
  { 18, "a descriptor table that is overwritten", code = "TRIPLE_FAULT", routine = "Misbehave" },
  { 19, "writing to the interrupt table", code = 0xBE, routine = "Misbehave" },
  { 22, "no interrupt table", code = "TRIPLE_FAULT", routine = "Misbehave" },
}

local function run(case, section)
  local vm = fltvm.machine{}
  local report = expect_bugcheck{ code = case.code, p1 = case.p1, p2 = case.p2, driver = "report.sys",
    routine = case.routine, line = guilty(case[1]), text = case.text,
    what = case[2] .. ", in " .. section .. ", is blamed on its line", quiet = true, function()
      local driver = vm:load{ source = source, flags = { "-DCASE=" .. case[1], '-DSECTION="' .. section .. '"' } }
      if case.unload then driver:unload() end
    end }
  if report and not case.unload then
    -- The whole way: from the line to where the thread began.
    expect(report.text:find("report!DriverEntry", 1, true) and report.text:find("nt!KiThreadStartup", 1, true),
      "and the stack is whole")
  end
end


for _, case in ipairs(cases) do
  for _, section in ipairs{ ".text", "PAGE", "INIT" } do
    if section == "PAGE" or not case.pageable then run(case, section) end
  end
end

for _, case in ipairs(crashes) do
  local first
  for turn = 1, 2 do
    local vm = fltvm.machine{ cpus = 2 }
    local report = expect_bugcheck{ code = case.code, driver = "report.sys", routine = case.routine, line = guilty(case[1]),
      text = case.text, what = case[2] .. ": it is blamed on its line", quiet = true, function()
        vm:load{ source = source, flags = { "-DCASE=" .. case[1], '-DSECTION=".text"' } }
      end }
    if turn == 2 then expect_equal(report and report.text, first, "and the same every time") end
    first = report and report.text
  end
end

-- What is discarded when DriverEntry has returned is still read for reports: code, and tables that a linker put there.
for _, case in ipairs{ { ".text", 0x7E, "-DDISCARD", 24 }, { "PAGE", 0x7E, "-DDISCARD", 24 },
                       { "INIT", 0x50, "-DDISCARD", 25 }, { "INIT", 0x50, "-DKEEP", 25 } } do
  local vm = fltvm.machine{ cpus = 1 } -- the thread begins when DriverEntry has returned
  local report = expect_bugcheck{ code = case[2], driver = "report.sys", routine = "FaultLate", line = guilty(case[4]),
    what = "a fault after INIT has gone, in " .. case[1] .. ", " .. case[3], quiet = true, function()
      vm:load{ source = source, flags = { "-DCASE=24", '-DSECTION="' .. case[1] .. '"', case[3] } }
      vm:sleep(50)
    end }
  expect(report and report.text:find("nt!KiThreadStartup", 1, true), "and the stack is whole")
end

-- The stacks of a healthy machine are there to be looked at.
for _, section in ipairs{ ".text", "PAGE" } do
  local vm = fltvm.machine{}
  vm:load{ source = source, flags = { "-DCASE=20", '-DSECTION="' .. section .. '"' } }
  expect(vm:stacks():find("report!WaitForEver %(.-" .. guilty(20):gsub("%.", "%%.") .. "%)"), "a wait in " .. section ..
    " is seen in the stacks")
  expect_equal(vm:state(), "running", "and the machine runs on")
  -- So are they when an operation takes too long, which is no bugcheck either.
  vm = fltvm.machine{ disks = { { size = "1M" } } }
  local volume = vm:open("\\Device\\HarddiskVolume1")
  vm:load{ source = source, flags = { "-DCASE=20", '-DSECTION="' .. section .. '"' } }
  vm:fault{ op = "read", action = "never" }
  expect_hang{ text = "report!WaitForEver", what = "a wait in " .. section .. " is seen when a read takes too long", quiet = true,
    function() volume:read(0, 512, { timeout = 50 }) end }
end

-- An overrun stack is found wherever it is: a thread's, an idle processor's with its DPCs, that of the bugcheck itself.
local overruns = {
  { 30, "endless recursion in a thread", code = 0x7F, p1 = 8, routine = "Recurse", line = 30 },
  { 31, "too large a frame in a thread", code = 0x50, routine = "UseMuch", line = 31 },
  { 32, "endless recursion in a DPC", code = 0x7F, p1 = 8, routine = "Recurse", line = 30 },
  { 33, "too large a frame in a DPC", code = 0xA, routine = "UseMuch", line = 31 },
}
for _, cpus in ipairs{ 1, 2, 4 } do
  for _, case in ipairs(overruns) do
    local vm = fltvm.machine{ cpus = cpus }
    expect_bugcheck{ code = case.code, p1 = case.p1, driver = "report.sys", routine = case.routine, line = guilty(case.line),
      text = "a kernel stack ran over", what = case[2] .. " is found on " .. cpus .. " processors", quiet = true,
      function() vm:load{ source = source, flags = { "-DCASE=" .. case[1], '-DSECTION=".text"' } } end }
  end
end
