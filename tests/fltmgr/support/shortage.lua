-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each allocation of the filter manager fails once, one machine after another: the routine says so, everything else goes on,
-- and nothing is left behind.
local VOLUME = [[\Device\HarddiskVolume1]]

local function uses(vm)
  local made, live = 0, {}
  for tag, use in pairs(vm:pool()) do
    if tag:sub(1, 2) == "Ft" then
      made = made + use.allocations
      -- Blocks of operations rest in a list, for the next.
      local count = use.allocations - use.frees
      if count > 0 and tag ~= "FtOp" then live[#live + 1] = ("%s %d"):format(tag, count) end
    end
  end
  table.sort(live)
  return made, table.concat(live, ", ")
end

-- What the run with that allocation failing says; how many were made before and in all.
local function run(rule)
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = { ["pool-fail"] = rule } }
  local opened, why = pcall(function() vm:open(VOLUME):close() end)
  local before, live = uses(vm)
  local loaded, filter = pcall(vm.load, vm, { source = "shortage.c", altitude = "370100" })
  local statuses, listens = {}, false
  for _, line in ipairs(vm:log()) do
    statuses[#statuses + 1] = line:match("^shortage: (.*)$")
    listens = listens or line == "shortage listens"
  end
  -- Who could not be connected for want of memory has not taken the only place.
  for try = 1, listens and 2 or 0 do
    local connected, port = pcall(vm.port, vm, [[\ShortagePort]])
    if connected then
      port:close()
      break
    end
    statuses[#statuses + 1] = (try == 1 and "port " or "port again: ") .. tostring(port):match("STATUS_[%w_]+")
  end
  if loaded then
    filter:unload()
  else
    statuses[#statuses + 1] = "load " .. tostring(filter):match("STATUS_[%w_]+")
  end
  if not opened then statuses[#statuses + 1] = "open " .. tostring(why):match("STATUS_[%w_]+") end
  local all, after = uses(vm)
  vm:shutdown()
  return statuses, before, all, live, after
end

local statuses, first, last, live, after = run("none.sys:0:1")
expect_equal(#statuses, 0, "with memory nothing fails: " .. table.concat(statuses, "; "))
expect_equal(after, live, "and nothing is left")
note("allocations", last - first)

-- Other tags than the filter manager's are among its allocations, too: on until a few in a row fail nobody.
local told, skip, silent = 0, first, 0
while skip < last or silent < 4 do
  local wrong, left
  statuses, _, _, live, after = run("fltmgr.sys:" .. skip .. ":1")
  for _, status in ipairs(statuses) do
    -- Where an instance could not be made by itself there is none.
    if not (status:find("C000009A", 1, true) or status:find("STATUS_INSUFFICIENT_RESOURCES", 1, true) or
            status == "FltGetVolumeInstanceFromName C01C0015") then
      wrong = status
    end
  end
  skip = skip + 1
  told, silent = told + (#statuses > 0 and 1 or 0), #statuses > 0 and 0 or silent + 1
  expect(not wrong, ("allocation %d: each failure says so: %s"):format(skip - first, tostring(wrong)))
  expect_equal(after, live, ("allocation %d: nothing is left"):format(skip - first))
end
expect(told > (skip - first) // 2, ("of %d allocations %d were told of"):format(skip - first, told))
