-- SPDX-License-Identifier: GPL-2.0-or-later
-- Waits that can never end are reports, blamed on the driver, that say what waits for what: circles of threads at once,
-- what was forgotten after eight seconds.  What is well ends.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\waits]]
local INSTANCES = { first = { altitude = "100" }, second = { altitude = "90" } }

-- case, bugcheck, what, further expectations
local cases = {
  { 1, 0xC4, "a work routine that unregisters the filter it holds", p1 = 0x1000, p4 = 1, text = "waits!Work" },
  { 2, 0xC4, "a work routine that detaches the instance it holds", p1 = 0x1000, p4 = 1, text = "waits!Work" },
  { 3, 0xC4, "a setup callback that detaches its instance", p1 = 0x1000, p4 = 1, text = "waits!Setup" },
  { 4, 0xC4, "a query callback that detaches its instance", p1 = 0x1000, p4 = 1, text = "waits!QueryTeardown" },
  { 5, 0xF5, "a reference to an instance that is not given back", p1 = 0xF020, p4 = 1, text = "a reference to" },
  { 6, 0xF5, "a reference to a filter that is not given back", p1 = 0xF020, p4 = 1, text = "a reference to" },
  { 7, 0xF5, "a reference to a volume that is not given back", p1 = 0xF021, p4 = 1, text = "never given back" },
  { 8, 0xF5, "a work routine that waits for the unload", p1 = 0xF020, p4 = 1, text = "waits!Work" },
  { 9, 0xF5, "an operation that is not given back", p1 = 0xF020, p4 = 1, text = "waits!PreRead" },
  { 12, 0xC4, "callback data that is not freed", p1 = 0x62, p4 = 1, text = "never freed" },
  { 14, 0xC4, "a reference to a volume's device that is not given back", p1 = 0xF107, text = "reference to an object, Device" },
  { 15, 0xC4, "a reference to a disk that is not given back", p1 = 0xF107, text = "reference to an object, Device" },
  { 16, 0xC4, "an oplock that is not uninitialized", p1 = 0x62, p4 = 1, text = "pool-leak" },
  { 17, 0xC4, "an oplock whose context is freed before it is uninitialized", p1 = 0x62, p4 = 1, text = "pool-leak" },
  { 13, 0xF5, "a pre-callback that detaches its instance", p1 = 0xF020, p4 = 1, text = "a callback that has to return first" },
  { 11, 0xC4, "two work routines that detach each other's instance", p1 = 0x1001, p4 = 2, text = "waits!Work" },
}

local lines = {}
local number = 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "waits.c") do
  number = number + 1
  for case, name in line:gmatch("(%d+):(%a+)") do lines[tonumber(case)] = { name = name, line = number } end
end

local function load(case)
  local vm = fltvm.machine { disks = { { size = "1M" } } }
  local volume = vm:open(VOLUME, { async = true })
  vm:set_registry(KEY, "Case", case)
  local filter = vm:load { source = "waits.c", instances = INSTANCES, default_instance = "first" }
  return vm, volume, filter
end

for _, case in ipairs(cases) do
  local found = expect_bugcheck { code = case[2], what = case[3] .. " is found", text = case.text, p1 = case.p1, p4 = case.p4,
    driver = "waits.sys", quiet = true, function()
      local vm, volume, filter = load(case[1])
      if case[1] == 9 or case[1] == 13 then volume:read_async(0, 512) end
      vm:sleep(20)
      if case[1] ~= 13 then filter:unload() end
    end }
  local named = lines[case[1]]
  if named then
    local told
    for text in (found and found.text or ""):gmatch("[^\n]+") do
      told = told or (text:find(named.name, 1, true) and text:find("waits.c:" .. named.line .. ")", 1, true))
    end
    expect(told, case[3] .. ": its report names line " .. named.line .. " as " .. named.name)
  end
end

-- References may be given back by another thread than took them.
local vm, volume, filter = load(10)
vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\more]], "Case", 10)
local more = vm:load { source = "waits.c", name = "more", instances = { third = "80", fourth = "70" }, default_instance = "third" }
volume:close()
filter:unload() -- each driver has a reference to the volume, and gives back its own
more:unload()
expect_equal(#vm:filters(), 0, "a filter that gives back all it took is unloaded")
vm:shutdown()
