-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each thing that badfilter.c does wrong ends in its bugcheck, with a report that says what rule was broken and,
-- where there is one, which call allocated and which call queued; the blame is badfilter's, with its line.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "badfilter.c")
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badfilter]]
local VOLUME = [[\Device\HarddiskVolume1]]

-- fault, bugcheck, what, further expectations; `on`: what has to be done for it to happen
local cases = {
  { 1, 0xE4, "a work item queued twice", p1 = 1, text = "MisuseWorkItems" },
  { 2, 0xE4, "a work item freed while it is queued", p1 = 2, text = "queued" },
  { 3, 0xE4, "a work item queued after it was freed", p1 = 0, text = "freed" },
  { 4, 0xE4, "a work item freed twice", p1 = 0, text = "freed twice" },
  { 5, 0xE4, "a work item queued for what is no filter", p1 = 3, text = "neither filter nor instance" },
  { 6, 0xC4, "a work item that is left at unload", p1 = 0x62, p4 = 1, on = "unload", text = "allocated" },
  { 7, 0xF5, "the system's queue", p1 = 0xF004 },
  { 8, 0xF5, "what is no work item", p1 = 0xF003 },
  { 9, 0xF5, "a post-callback that is not there", p1 = 0x66, on = "write" },
  { 10, 0xF5, "a pre-operation status that only fast I/O has", p1 = 0xF006, on = "read" },
  { 11, 0xF5, "a post-operation status that does not exist", p1 = 0xF007, on = "read" },
  { 12, 0xF5, "a completion context that nobody gets", p1 = 0xF009, on = "read" },
  { 13, 0xF5, "completing with STATUS_PENDING", p1 = 0xF00C, on = "read" },
  { 14, 0xF5, "completing what is not pended", p1 = 0xF008, on = "read" },
  { 15, 0xF5, "a reference that was never taken", p1 = 0xF002 },
  { 16, 0xC8, "a pre-callback that raises the IRQL", on = "read" },
  { 17, 0xC4, "a PASSIVE_LEVEL routine called at DISPATCH_LEVEL", text = "FltGetVolumeFromName" },
  { 18, 0xF5, "an unload that does not unregister", p1 = 0xF00A, on = "unload" },
  { 20, 0xE1, "a worker routine that returns at DISPATCH_LEVEL", on = "wait" },
  { 21, 0xE4, "a deferred work item freed while it is queued", p1 = 2, on = "read" },
}

for _, case in ipairs(cases) do
  local vm = fltvm.machine { cpus = case[1] <= 2 and 1 or 2, disks = { { size = "1M" } } }
  vm:set_registry(SERVICE, "Fault", case[1])
  local found = expect_bugcheck { code = case[2], what = case[3] .. " is found", text = case.text, p1 = case.p1, p4 = case.p4,
    driver = "badfilter.sys", line = assert(guilty[case[1]], case[3]), quiet = true, function()
      local volume = vm:open(VOLUME)
      local filter = vm:load { source = "badfilter.c", altitude = "100" }
      if case.on == "read" then volume:read(0, 512) end
      if case.on == "write" then volume:write(0, string.rep("x", 512)) end
      if case.on == "wait" then vm:sleep(100) end
      if case.on == "unload" then volume:close() filter:unload() end
    end }
  expect(found and found.text:find("badfilter!%w+ %(.-badfilter%.c:[1-9]%d*%)"), case[3] .. ": the report names its line")
end
