-- SPDX-License-Identifier: GPL-2.0-or-later
-- A filter sends operations on to its instance on another volume: those below it there see them, those here do not.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "redirect.c")
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local FIRST, SECOND = [[\Device\HarddiskVolume1]], [[\Device\HarddiskVolume2]]
local OTHER, OTHER_ALTITUDE, OWN, NOTHING = 1, 2, 3, 4
local disks = {}
for i = 1, 2 do
  local path = fltvm.temp("redirect" .. i .. ".raw")
  local file = assert(io.open(path, "wb"))
  file:write(string.rep(tostring(i), 1048576))
  file:close()
  disks[i] = { image = path }
end

local from
local function lines(pattern)
  local found, log = {}, fltvm.log()
  for i = from + 1, #log do found[#found + 1] = log[i]:match(pattern) end
  return found
end
local function start(target, options)
  local vm = fltvm.machine { disks = disks, options = options }
  vm:set_registry(SERVICES .. "redirect", "Target", target)
  local volume = vm:open(FIRST, { async = true })
  vm:open(SECOND):close()
  local below = vm:load { source = "redirect.c", name = "below", altitude = "100" }
  local filter = vm:load { source = "redirect.c", altitude = "200" }
  local other = vm:open(SECOND)
  from = #fltvm.log()
  return vm, volume, other, filter, below
end

local vm, volume, other, filter, below = start(OTHER)
expect(volume:read(0, 512) == string.rep("2", 512), "the other volume's data")
expect_equal(lines("^below: (read .*)"), { "read on volume 2 of file 1" }, "only the instance below, there, sees it, with the other file")
expect_equal(lines("^below: (post .*)"), { "post on volume 2, target 2, file 1" })
expect_equal(lines("^redirect: (post .*)"), { "post on volume 1, target 1, file 1" }, "the filter itself sees it as it came")
-- An instance there that goes waits for it.
vm:fault { disk = 1, op = "read", action = "delay", delay = 50, count = 1 }
local read = volume:read_async(0, 512)
vm:sleep(5)
vm:detach { filter = "below", volume = SECOND }
expect(read:wait() == string.rep("2", 512), "one under way while an instance there is detached")
expect(volume:read(0, 512) == string.rep("2", 512), "and without it")
volume:close() other:close() filter:unload() below:unload()
expect_equal(vm:work_items().operations, 0)
vm:shutdown()

vm, volume = start(OWN)
expect(volume:read(0, 512) == string.rep("1", 512), "to itself is no change")
vm:shutdown()

for target, what in pairs { [OTHER_ALTITUDE] = "an instance at another altitude", [NOTHING] = "no instance" } do
  expect_bugcheck { code = 0xF5, p1 = 0xF013, driver = "redirect.sys", routine = "PreRead", line = assert(guilty.target), what = what .. " is found", quiet = true,
    function()
      vm, volume = start(target)
      vm:attach { filter = "redirect", volume = SECOND, instance = "extra", altitude = "50" }
      volume:read(0, 512)
    end }
end
vm, volume = start(NOTHING, { verifier = "0" })
expect_status("STATUS_INVALID_PARAMETER", function() volume:read(0, 512) end, "without the verifier, a status")
vm:shutdown()
