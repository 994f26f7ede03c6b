-- SPDX-License-Identifier: GPL-2.0-or-later
-- Every allocation of a driver is made to fail once, by the option pool-fail = NAME:SKIP:COUNT[:TAG].

local function load(rule)
  local vm = fltvm.machine { options = { ["pool-fail"] = rule } }
  local ok, err = pcall(function() vm:load { source = "failpool.c" }:unload() end)
  return ok, tostring(err)
end

for skip = 0, 2 do
  local ok, err = load("failpool.sys:" .. skip .. ":1")
  expect(not ok and err:find("STATUS_INSUFFICIENT_RESOURCES", 1, true), "allocation " .. skip + 1 .. " fails")
end
expect(load("failpool.sys:3:1"), "there is no fourth")
expect(load("other.sys:0:1"), "another driver's allocations pass")
expect(not load("failpool.sys:0:1:FilB"), "one by its tag")
expect(load("failpool.sys:1:1:FilB"), "of which there is only one")
expect(not load("failpool.sys:1:9"), "several in a row")

-- What io allocates on a driver's behalf is the driver's, and NULL when there is none.
local function status_without(skip)
  local vm = fltvm.machine { options = { ["pool-fail"] = "failio.sys:" .. skip .. ":1" } }
  local _, err = pcall(function() vm:load { source = "failio.c" } end)
  return tostring(err):match("STATUS_[%w_]+")
end

expect_equal(status_without(0), "STATUS_NO_MEMORY", "IoAllocateWorkItem gives NULL without memory")
expect_equal(status_without(1), "STATUS_INSUFFICIENT_RESOURCES", "IoAllocateMdl gives NULL without memory")
expect_equal(status_without(2), "STATUS_DEVICE_NOT_CONNECTED", "and both give something when there is some")
