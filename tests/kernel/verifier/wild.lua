-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is given as a routine and is none is found by whoever is given it, whatever it is, and the giver's line is blamed.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\wild]]
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""

-- The line of wild.c of each case of GiveTo: the call is in it, or in the next.
local lines, number, cases = {}, 0, false
for line in io.lines(folder .. "wild.c") do
  number = number + 1
  if line:find("switch (Which)", 1, true) then cases = true end
  local which = cases and line:match("^    case (%d+):")
  if which then lines[tonumber(which)] = number end
  if line:find("default:", 1, true) then cases = false end
end

local wild = { [0] = "data", "an image's header", "a stack's address", "pool", nil, "a user address", "no memory", "no address" }
local function load(which, what, verifier)
  local vm = fltvm.machine{ options = { verifier = verifier } }
  if which == 15 then vm:irq(0):counts() end -- loads the driver of interrupt sources
  vm:set_registry(SERVICE, "Which", which)
  vm:set_registry(SERVICE, "What", what)
  vm:load{ source = "wild.c", flags = { "-O0" } }
end

-- which, what it is for, in the report's words; those below are looked at when DriverEntry has returned
local routines = {
  [0] = "DPC routine", "DPC routine", "thread routine", "notify routine", "notify routine", "notify routine", "handle pre-operation routine",
  "registry callback", "completion routine", "completion routine", "I/O work item", "work item", "device timer routine",
  "file system notification routine", "reinitialization routine", "interrupt service routine", "broadcast routine", "callout",
  "lookaside list's allocate routine", "lookaside list's free routine", "lookaside list's allocate routine", "bugcheck callback",
  "dispatch routine", "DriverStartIo", "DriverUnload", "AddDevice", "APC's kernel routine", "APC's rundown routine",
  "APC's normal routine", "table's compare routine", "table's allocate routine", "table's free routine", "CompleteLockIrpRoutine",
  "UnlockRoutine",
}
local OPTIONAL = { [27] = true, [28] = true, [30] = true, [31] = true, [32] = true, [33] = true } -- may be NULL
local LATE, WORK = { [22] = true, [23] = true, [24] = true, [25] = true }, { [10] = true, [11] = true }
for which, name in pairs(routines) do
  for what, words in pairs(wild) do
    -- each routine with one or two of them, and all of them with the first
    if which == 0 or what == which % 8 or what == 3 or OPTIONAL[which] and what == 7 then
      local code = WORK[which] and 0xE4 or 0xC4
      local found = expect_bugcheck{ code = code, p1 = code == 0xE4 and 7 or 0xF105, driver = "wild.sys", quiet = true,
        routine = LATE[which] and "DriverEntry" or nil, what = ("%s given as %s %d"):format(words, name, which), function() load(which, what) end }
      if found and code == 0xC4 then
        expect(found.text:find("what +" .. name:gsub("%p", "%%%0") .. "\n"), "the report says what for")
      end
      if found and not LATE[which] then
        local line = tonumber(found.text:match("wild!GiveTo %([%w/]*wild%.c:(%d+)%)"))
        expect(line and line >= lines[which] and line <= lines[which] + 3, "and leads to the line of the call")
      end
    end
  end
end
