-- SPDX-License-Identifier: GPL-2.0-or-later
-- cng.sys comes when a driver imports from it, by its older name too; what drivers do wrong with it is theirs.

local KSECDD = os.getenv("FLTVM_BUILD") .. "/guest/drivers/ksecdd.lib"

local function begin(fault, options, library)
  local vm = fltvm.machine(options or {})
  local source = library and { "misuse.c", library } or "misuse.c"
  return vm, vm:load { source = source, flags = { "-DFAULT=" .. fault } }
end

local function random_of(seed)
  local vm, driver = begin(0, { seed = seed })
  driver:unload()
  for _, line in ipairs(vm:log()) do
    local found = tostring(line.text or line):match("random: (%x+)")
    if found then return found end
  end
end

-- It is there, works, and stays when its last user goes.
local vm, driver = begin(0)
expect_log("misuse: baad", "SHA-256 of abc")
driver:unload()
vm:load { source = "misuse.c", name = "again" }:unload()
begin(0, {}, KSECDD)
expect_log("misuse: baad", "the same by way of ksecdd.sys")
local first = random_of(1)
expect(first and first == random_of(1), "the same seed has the same random numbers")
expect(first ~= random_of(2), "and another seed has others")

-- IRQL, lifetimes, what is left behind: fault, bugcheck, what, further expectations.
local cases = {
  { 1, 0xD1, "hashing at DISPATCH_LEVEL with a provider that is not for it", p2 = 2, text = "misuse!AtLevel" },
  { 2, 0xD1, "hashing at DISPATCH_LEVEL with a pseudo handle", p1 = 0x41, p2 = 2, text = "misuse!AtLevel" },
  { 3, 0xD1, "opening a provider at DISPATCH_LEVEL", p2 = 2, text = "above PASSIVE_LEVEL" },
  { 4, 0xD1, "the system's random numbers at DISPATCH_LEVEL", p2 = 2, text = "misuse!AtLevel" },
  { 5, 0xD1, "closing a provider at DISPATCH_LEVEL", p2 = 2, text = "above PASSIVE_LEVEL" },
  { 6, 0x50, "a handle that is none", text = "misuse!DriverEntry" },
  { 7, 0xC4, "closing a provider for DISPATCH_LEVEL before its hash is destroyed", p1 = 0xF108, text = "misuse!DriverEntry" },
  { 10, 0xD1, "hashing above DISPATCH_LEVEL", p2 = 3, text = "above DISPATCH_LEVEL" },
}
for _, case in ipairs(cases) do
  expect_bugcheck { code = case[2], what = case[3] .. " is found", p1 = case.p1, p2 = case.p2, text = case.text, driver = "misuse.sys", quiet = true,
    function() begin(case[1]) end }
end
for _, case in ipairs { { 8, "without destroying a hash", 42 }, { 9, "without closing an algorithm provider", 37 }, { 11, "without destroying a key", 85 } } do
  expect_bugcheck { code = 0xC4, p1 = 0xF107, what = "what is left behind is found: " .. case[2], text = case[2], driver = "misuse.sys",
    line = "misuse.c:" .. case[3], quiet = true, function() select(2, begin(case[1])):unload() end }
end
select(2, begin(12)):unload()

-- Without memory: what is not made is told.
for skip = 0, 1 do
  local ok, err = pcall(begin, 0, { options = { ["pool-fail"] = "cng.sys:" .. skip .. ":1" } })
  expect(not ok and tostring(err):find("STATUS_NO_MEMORY", 1, true), "allocation " .. skip + 1 .. " of cng.sys fails: " .. tostring(err))
end
