-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each misuse of locks and work items that badex.c knows ends in the bugcheck that Windows has for it, blamed on the
-- driver.

local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badex]]

-- fault, bugcheck, what, further expectations
local cases = {
  { 1, 0xE4, "queueing a work item twice" },
  { 2, 0xE1, "a worker routine that returns at DISPATCH_LEVEL" },
  { 3, 0xE3, "releasing a resource that is not owned" },
  { 4, 0xC4, "acquiring a resource with APCs enabled", p1 = 0x37 },
  { 5, 0xC4, "waiting for a resource that the thread has shared" },
  { 6, 0xC4, "acquiring a fast mutex twice" },
  { 7, 0xC4, "releasing a fast mutex at PASSIVE_LEVEL" },
  { 8, 0xE3, "deleting a resource that is owned" },
  { 9, 0x18, "dereferencing an object too often" },
}

for _, case in ipairs(cases) do
  local vm = fltvm.machine { cpus = 1 }
  vm:set_registry(SERVICE, "Fault", case[1])
  expect_bugcheck { code = case[2], what = case[3] .. " is found", p1 = case.p1, quiet = true,
    function() vm:load { source = "badex.c" } end }
end
