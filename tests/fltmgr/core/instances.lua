-- SPDX-License-Identifier: GPL-2.0-or-later
-- Instances: order by altitude, automatic and manual attachment, collisions, refusals, unloading.
local VOLUME = [[\Device\HarddiskVolume1]]
local vm = fltvm.machine { disks = { { size = "1M" } } }

local function load(name, mode, altitude, more)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\]] .. name, "Mode", mode)
  local options = { source = "../operation/probe.c", name = name, altitude = altitude }
  for key, value in pairs(more or {}) do options[key] = value end
  return vm:load(options)
end

-- Before its first open a volume is not there; a filter that was loaded before attaches then.
local early = load("early", 0, "50")
expect_equal(#vm:instances(), 0, "no instance before the first open")
expect_equal(#vm:volumes(), 0, "no volume before the first open")
expect_status("STATUS_FLT_VOLUME_NOT_FOUND", function()
  vm:attach { filter = "early", volume = VOLUME, instance = "other", altitude = "51" }
end, "attaching to a volume that is not there")
local volume = vm:open(VOLUME)
expect_equal(vm:instances()[1].filter, "early", "the first open brings the instance")
early:unload()

-- Altitudes are numbers of any length, not text.
local altitudes = { "20", "100", "37.5", "37.45", "9", "123456789012345678901234567890.1", "123456789012345678901234567890.01" }
local filters = {}
for i, altitude in ipairs(altitudes) do filters[i] = load("order" .. i, 0, altitude) end
local found = {}
for _, instance in ipairs(vm:instances()) do found[#found + 1] = instance.altitude end
expect_equal(found, { "123456789012345678901234567890.1", "123456789012345678901234567890.01", "100", "37.5", "37.45",
  "20", "9" }, "instances are ordered by altitude, highest first")
expect_equal(#volume:read(0, 512), 512)
local order = {}
for _, instance in ipairs(vm:instances()) do order[#order + 1] = instance.operations end
expect_equal(order, { 1, 1, 1, 1, 1, 1, 1 }, "each saw the read once")
for i, filter in ipairs(filters) do filter:unload() end
expect_equal(#vm:instances(), 0)

-- The same number under another spelling is the same altitude; the second does not attach, but it loads.
local first, second = load("first", 0, "300"), load("second", 0, "0300.0")
expect_equal(#vm:instances(), 1, "an altitude is taken once")
expect_status("STATUS_FLT_INSTANCE_ALTITUDE_COLLISION", function()
  vm:attach { filter = "second", volume = VOLUME, instance = "other", altitude = "300.00" }
end, "attaching at a taken altitude")
vm:attach { filter = "second", volume = VOLUME, instance = "other", altitude = "301" }
expect_log("^second: setup irql 0 flags 2 type 1", "a manual attachment says so")
expect_status("STATUS_FLT_INSTANCE_NAME_COLLISION", function()
  vm:attach { filter = "second", volume = VOLUME, instance = "OTHER", altitude = "302" }
end, "attaching under a taken name")
expect_status("STATUS_FLT_INSTANCE_NAME_COLLISION", function()
  vm:attach { filter = "first", volume = VOLUME, instance = "Other", altitude = "303" }
end, "nor may another filter have it on this volume")
expect_equal(vm:instances()[1].name, "other", "the higher one is first")
vm:detach { filter = "second", volume = "C:", instance = "other" }
expect_log("^second: query teardown irql 0 flags 0", "a filter is asked before it is detached by hand")
expect_log("^second: teardown start irql 0 reason 1", "the reason is a manual detach")
expect_status("STATUS_FLT_INSTANCE_NOT_FOUND", function()
  vm:detach { filter = "second", volume = VOLUME, instance = "other" }
end, "detaching what is not there")
expect_status("STATUS_FLT_VOLUME_NOT_FOUND", function()
  vm:attach { filter = "second", volume = [[\Device\Nowhere]], instance = "x", altitude = "5" }
end, "a volume that is not there")
expect_status("STATUS_FLT_FILTER_NOT_FOUND", function()
  vm:attach { filter = "third", volume = VOLUME, instance = "x", altitude = "5" }
end, "a filter that is not there")
expect_status("STATUS_INVALID_PARAMETER", function()
  vm:attach { filter = "second", volume = VOLUME, instance = "x", altitude = "1.2.3" }
end, "an altitude that is no number")
first:unload() second:unload()

-- Refusals.
local stays = load("stays", 1, "400")
expect_status("STATUS_FLT_DO_NOT_DETACH", function() vm:detach { filter = "stays", volume = VOLUME } end,
  "a filter refuses to be detached")
expect_equal(#vm:instances(), 1)
stays:unload()
local refuses = load("refuses", 15, "500")
expect_equal(#vm:instances(), 0, "a setup callback refuses the volume")
expect_status("STATUS_FLT_DO_NOT_ATTACH", function()
  vm:attach { filter = "refuses", volume = VOLUME, instance = "x", altitude = "5" }
end)
expect_status("STATUS_FLT_DO_NOT_DETACH", function() refuses:unload() end, "a filter refuses a voluntary unload")
refuses:unload { mandatory = true }
expect_log("^refuses: unload irql 0 flags 1", "and cannot refuse a mandatory one")
expect_equal(#vm:filters(), 0)

-- An instance that is for manual attachment only.
local manual = load("manual", 0, nil, { instances = { main = { altitude = "600", flags = 1 } }, default_instance = "main" })
expect_equal(#vm:instances(), 0, "Flags 1: no automatic attachment")
vm:attach { filter = "manual", volume = VOLUME }
expect_equal(vm:instances()[1].name, "main", "the default instance, by hand")
manual:unload()
volume:close()

-- As many as one likes: the lists are whole, and ordered.
local many = fltvm.machine { disks = { { size = "1M" } } }
many:open(VOLUME)
many:load { source = "../operation/probe.c", name = "many", altitude = "100000" }
for i = 1, 1000 do
  many:attach { filter = "many", volume = VOLUME, instance = "instance " .. i, altitude = tostring(100000 + i) }
end
local list, wrong = many:instances(), {}
expect_equal(#list, 1001, "a thousand and one instances")
for i, instance in ipairs(list) do
  if instance.altitude ~= tostring(101001 - i) then wrong[#wrong + 1] = instance.altitude end
end
expect_equal(wrong, {}, "each in its place")
expect_equal(many:filters()[1].instances, 1001, "and all of one filter")
