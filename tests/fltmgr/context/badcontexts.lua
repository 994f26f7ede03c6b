-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each thing that badcontexts.c does wrong ends in its bugcheck, blamed on it, and the report names the lines that the
-- source's comments say: who allocated, took and freed the context.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local VOLUME = [[\Device\HarddiskVolume1]]

-- fault, P1 of 0xF5, what, further expectations; `unload`: it has to be unloaded for it to happen
local cases = {
  { 1, 0x6E, "a context released after it was freed", rule = "FltReleaseContext was given a context that is freed" },
  { 2, 0x6E, "a context referenced after it was freed", rule = "FltReferenceContext was given a context that is freed" },
  { 12, 0x6E, "a context set after it was freed", rule = "FltSetXxxContext was given a context that is freed" },
  { 3, 0x6D, "a context released once too often", rule = "released more often than it was referenced" },
  { 4, 0xF033, "an instance context set for a volume", p3 = 1, rule = "not of its type" },
  { 5, 0xF033, "a context set for another filter's instance", p3 = 2, rule = "another filter's instance" },
  { 6, 0xF034, "a section context deleted", p3 = 0x40, rule = "A section context was deleted" },
  { 7, 0xF034, "a context deleted without a reference", p3 = 2, rule = "has no reference to" },
  { 8, 0xF00E, "a pageable context released at DISPATCH_LEVEL", p3 = 2, rule = "a context from paged pool" },
  { 9, 0xF035, "a context that was got and never released", p4 = 1, unload = true, rule = "A context was never released" },
  { 10, 0xF030, "what is no context released", rule = "what is no context" },
  { 11, 0xF030, "an address that is nowhere released", p2 = 0x1230, rule = "what is no context" },
  { 13, 0xF035, "two contexts that were allocated and left", p4 = 2, unload = true, rule = "A context was never released" },
}

-- fault -> what the report names -> line
local lines = {}
local number = 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "badcontexts.c") do
  number = number + 1
  for fault, name in line:gmatch("(%d+):(%a+)") do
    local fault = tonumber(fault)
    lines[fault] = lines[fault] or {}
    lines[fault][name] = number
  end
end

for _, case in ipairs(cases) do
  local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = 1 }
  vm:set_registry(SERVICE .. "badcontexts", "Fault", case[1])
  vm:set_registry(SERVICE .. "query", "Idle", 1)
  vm:open(VOLUME):close()
  vm:load { source = "../query/query.c", altitude = "300" }
  local found = expect_bugcheck { code = 0xF5, p1 = case[2], what = case[3] .. " is found", text = case.rule, p2 = case.p2,
    p3 = case.p3, p4 = case.p4, driver = "badcontexts.sys", quiet = true, function()
      local filter = vm:load { source = "badcontexts.c", altitude = "100" }
      if case.unload then filter:unload() end
    end }
  for name, line in pairs(lines[case[1]] or {}) do
    local named
    for text in (found and found.text or ""):gmatch("[^\n]+") do
      named = named or (text:find(name, 1, true) and text:find("badcontexts.c:" .. line .. ")", 1, true))
    end
    expect(named, case[3] .. ": its report names line " .. line .. " as " .. name)
  end
end
