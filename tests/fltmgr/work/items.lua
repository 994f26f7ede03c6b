-- SPDX-License-Identifier: GPL-2.0-or-later
-- Generic work items, each case of items.c; above DISPATCH_LEVEL each routine is refused with the caller's line.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\items]]
local SYSTEM, AT_DIRQL = 4, 5

local function load(case, options, what)
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = options }
  vm:open(VOLUME):close()
  vm:set_registry(KEY, "Case", case)
  vm:set_registry(KEY, "What", what or 0)
  return vm, vm:load { source = "items.c", altitude = "100" }
end

for case = 1, 4 do
  local vm, filter = load(case, case == SYSTEM and { verifier = "0" } or nil)
  filter:unload()
  expect_equal(vm:work_items().allocated, 0, "case " .. case .. ": no item is left")
  vm:shutdown()
end

local lines, number = {}, 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "items.c") do
  number = number + 1
  local what = line:match("(%d):caller")
  if what then lines[tonumber(what)] = number end
end
for what, routine in ipairs { "FltAllocateGenericWorkItem", "FltQueueGenericWorkItem", "FltFreeGenericWorkItem" } do
  local found = expect_bugcheck { code = 0xC4, p1 = 0x20003, driver = "items.sys", text = routine, quiet = true,
    what = routine .. " above DISPATCH_LEVEL is found", function() load(AT_DIRQL, nil, what) end }
  expect(found and found.text:find("items.c:" .. lines[what] .. ")", 1, true), routine .. ": the report names the line")
end
