-- SPDX-License-Identifier: GPL-2.0-or-later
-- What others know of who holds what is told with the stacks of all threads, each time anew.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local HELD = "what is held:\n.*thing +one of the test's, asked for %d times, at DISPATCH_LEVEL 1, frozen 0\n" ..
  ".*its%%-routine +holder!TellHeld %%([%%w/]*holder%%.c:%d%%)"
local line
local number = 0
for text in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "holder.c") do
  number = number + 1
  if text:find("TellHeld(PFV_TELL", 1, true) then line = number + 1 end
end
expect(not vm:stacks():find("thing", 1, true), "nobody tells of what nobody knows")
vm:load { source = "holder.c" }
for count = 1, 2 do
  local stacks = vm:stacks()
  expect(stacks:find(HELD:format(count, line)), "it is told behind the stacks")
  local _, times = stacks:gsub("thing", "")
  expect_equal(times, 1)
end
local hang = expect_hang { operation = "reading", text = "thing", what = "and with a hang", quiet = true, function()
  vm:fault { op = "read", action = "never" }
  local volume = vm:open("\\Device\\HarddiskVolume1")
  volume:read(0, 512, { timeout = 50 })
end }
expect(hang.stacks:find(HELD:format(3, line)), "the time-out tells it, too")

-- The kernel tells which waits that others end are under way, and where those took what they have: waits.c.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "waits.c")
vm = fltvm.machine { disks = { { size = "1M" } } }
local driver = vm:load { source = "waits.c" }
expect(not vm:stacks():find("waits%-for"), "nobody waits")
hang = expect_hang { operation = "unloading", text = "run-down protection 0x", what = "a wait for what is never given back", quiet = true,
  function() driver:unload() end }
expect(hang.stacks:find("waits%-at +waits!Unload %([%w/]*" .. guilty[2]:gsub("%.", "%%.") .. "%)"), "the time-out tells who waits")
local _, lenders = hang.stacks:gsub("held%-since +waits!Lend %([%w/]*" .. guilty[1]:gsub("%.", "%%.") .. "%)", "")
expect_equal(lenders, 2, "and who took it, though one of them is gone")
