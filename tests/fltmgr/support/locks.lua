-- SPDX-License-Identifier: GPL-2.0-or-later
-- Push locks and resources of the filter manager, as locks.c checks them, and what its verifier finds.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "locks.c")
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\locks]]

for _, verifier in ipairs { "1", "0" } do
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = { verifier = verifier } }
  vm:load { source = "locks.c", altitude = "100" }:unload()
  vm:shutdown()
end

local cases = {
  { 1, 0xE3, "a push lock released that nobody holds", "locks.c" },
  { 2, 0xF5, "a push lock deleted while it is held", "FltDeletePushLock was given a push lock that is held", p1 = 0xF040 },
  { 3, 0xC4, "an exclusive push lock acquired again", "push lock", p1 = 0x1000 },
}
for fault = 4, 9 do cases[#cases + 1] = { fault, 0x1, "a pre-callback that returns with a lock" } end
for _, case in ipairs(cases) do
  local vm = fltvm.machine { disks = { { size = "1M" } }, cpus = 1 }
  local volume = vm:open(VOLUME)
  vm:set_registry(KEY, "Fault", case[1])
  local found = expect_bugcheck { code = case[2], p1 = case.p1, what = case[3] .. " is found", text = case[4], driver = "locks.sys", line = assert(guilty[case[1]]), quiet = true,
    function()
      vm:load { source = "locks.c", altitude = "100" }
      volume:read(0, 512)
    end }
  local taken = guilty[case[1] + 10] -- where, by which of the routines: the driver's line
  expect(not taken or found and found.text:find("held%-since +locks!PreRead %([^\n]*" .. taken:gsub("%.", "%%.") .. "%)"), "and where it took it")
end
