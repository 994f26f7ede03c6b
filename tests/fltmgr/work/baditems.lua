-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each thing that baditems.c does wrong ends in its bugcheck, blamed on it, and the report names the lines that the
-- source's comments say: who allocated, queued and freed the item.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\baditems]]
local VOLUME = [[\Device\HarddiskVolume1]]

-- fault, bugcheck, what, further expectations; `on`: what has to be done for it to happen
local cases = {
  { 1, 0xE4, "a generic item queued twice", p1 = 1, p3 = 0, rule = "A generic work item was queued while it was queued" },
  { 2, 0xE4, "a generic item freed while it is queued", p1 = 2, rule = "was freed while it was queued" },
  { 3, 0xE4, "a generic item queued after it was freed", p1 = 0, rule = "was queued after it was freed" },
  { 4, 0xE4, "a generic item freed twice", p1 = 0, rule = "was freed twice" },
  { 5, 0xE4, "an item queued for what is nothing", p1 = 3, rule = "neither filter nor instance" },
  { 6, 0xE4, "an item queued for a volume", p1 = 3, rule = "neither filter nor instance" },
  { 7, 0xF5, "the system's queue", p1 = 0xF004, p3 = 2, rule = "reserved for the system" },
  { 8, 0xE4, "no routine", p1 = 7, p3 = 0, rule = "queued without a routine" },
  { 9, 0xE4, "a routine that is data", p1 = 7, rule = "a routine that is no code" },
  { 10, 0xE4, "a routine that is nowhere", p1 = 7, p3 = 0x12345678, rule = "a routine that is no code" },
  { 11, 0xF5, "what is no item freed", p1 = 0xF003, rule = "no generic work item" },
  { 12, 0xF5, "no item queued", p1 = 0xF003, p2 = 0, rule = "no generic work item" },
  { 13, 0xF5, "a generic item freed as a deferred one", p1 = 0xF003, rule = "freed as a deferred I/O work item" },
  { 14, 0xC4, "a generic item left at unload", p1 = 0x62, p4 = 1, on = "unload", rule = "never freed" },
  { 15, 0xC4, "the same with a DriverUnload of its own", p1 = 0x62, p4 = 1, on = "unload", rule = "never freed" },
  { 20, 0xE4, "a deferred item freed twice", p1 = 0, rule = "A deferred I/O work item was freed twice" },
  { 21, 0xF5, "a deferred item freed as a generic one", p1 = 0xF003, rule = "freed as a generic work item" },
  { 22, 0xF5, "a deferred item queued as a generic one", p1 = 0xF003, rule = "queued as a generic work item" },
  { 23, 0xC4, "a deferred item left at unload", p1 = 0x62, p4 = 1, on = "unload", rule = "never freed" },
  { 24, 0xF5, "what is no deferred item freed", p1 = 0xF003, rule = "no deferred I/O work item" },
  { 30, 0xF5, "the system's queue for a deferred item", p1 = 0xF004, p3 = 2, on = "read", rule = "reserved for the system" },
  { 31, 0xE4, "a deferred item queued twice", p1 = 1, on = "read", rule = "queued while it was queued" },
  { 32, 0xE4, "a deferred item freed while it is queued", p1 = 2, on = "read", rule = "freed while it was queued" },
  { 33, 0xE4, "a deferred item queued after it was freed", p1 = 0, on = "read", rule = "queued after it was freed" },
  { 34, 0xE4, "no deferred routine", p1 = 7, on = "read", rule = "queued without a routine" },
  { 35, 0xF5, "a generic item queued as a deferred one", p1 = 0xF003, on = "read", rule = "queued as a deferred I/O work item" },
  { 36, 0xE4, "no safe post-callback", p1 = 7, on = "read", rule = "queued without a routine" },
  { 37, 0xE4, "completion that is posted twice", p1 = 1, on = "read", rule = "queued while it was queued" },
  { 40, 0xE1, "a generic routine returns at DISPATCH_LEVEL", p2 = 2, rule = "returned-badly" },
  { 41, 0x1, "a generic routine returns in a critical region", p4 = 1, rule = "returned-badly" },
  { 43, 0xC4, "a generic item left by a DriverEntry that fails", p1 = 0x62, p4 = 1, rule = "never freed" },
  { 44, 0xF5, "a filter left registered by a DriverEntry that fails", p1 = 0xF00A, rule = "is registered, and its driver" },
  { 42, 0x1, "a deferred routine returns in a critical region", p4 = 1, on = "read", rule = "returned-badly" },
}

-- fault -> what the report names -> line
local lines = {}
local number = 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "baditems.c") do
  number = number + 1
  for fault, name in line:gmatch("(%d+):(%a+)") do
    local fault = tonumber(fault)
    lines[fault] = lines[fault] or {}
    lines[fault][name] = number
  end
end

for _, case in ipairs(cases) do
  local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = 1 }
  vm:set_registry(SERVICE, "Fault", case[1])
  local found = expect_bugcheck { code = case[2], what = case[3] .. " is found", text = case.rule, p1 = case.p1, p2 = case.p2,
    p3 = case.p3, p4 = case.p4, driver = "baditems.sys", quiet = true, function()
      local volume = vm:open(VOLUME)
      local filter = vm:load { source = "baditems.c", altitude = "100" }
      if case.on == "read" then volume:read(0, 512) end
      vm:sleep(50)
      volume:close()
      filter:unload()
    end }
  for name, line in pairs(lines[case[1]] or {}) do
    local named
    for text in (found and found.text or ""):gmatch("[^\n]+") do
      named = named or (text:find(name, 1, true) and text:find("baditems.c:" .. line .. ")", 1, true))
    end
    expect(named, case[3] .. ": its report names line " .. line .. " as " .. name)
  end
end
