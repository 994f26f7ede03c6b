-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each misuse of locks and work items that badex.c knows ends in the bugcheck that Windows has for it, blamed on the
-- driver.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "badex.c")
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badex]]

-- fault, bugcheck, what, further expectations
local cases = {
  { 1, 0xE4, "queueing a work item twice" },
  { 3, 0xE3, "releasing a resource that is not owned" },
  { 4, 0xC4, "acquiring a resource with APCs enabled", p1 = 0x37 },
  { 5, 0xC4, "waiting for a resource that the thread has shared" },
  { 6, 0xC4, "acquiring a fast mutex twice" },
  { 7, 0xC4, "releasing a fast mutex at PASSIVE_LEVEL" },
  { 8, 0xE3, "deleting a resource that is owned" },
  { 9, 0x18, "dereferencing an object too often" },
  { 10, 0x18, "giving back the references of a loaded driver", p3 = 3, text = "badex!DriverEntry" },
  { 11, 0x18, "giving back the references of a running thread", p3 = 3, text = "badex!DriverEntry" },
  { 12, 0x18, "giving back the references of a device", p3 = 3, text = "badex!DriverEntry" },
  { 13, 0x18, "giving back the last reference of a device for later", p3 = 3, text = "badex!DriverEntry" },
  { 14, 0xC4, "freeing pool with a resource in it", p1 = 0xD2, p4 = 4096, text = "badex!DriverEntry" },
  { 15, 0xC4, "freeing pool that is a lookaside list", p1 = 0xCC, text = "badex!DriverEntry" },
  { 16, 0xC4, "initializing a resource again", p1 = 0xD0, text = "badex!DriverEntry" },
  { 17, 0xC4, "initializing a lookaside list again", p1 = 0xCA, text = "badex!DriverEntry" },
  { 18, 0xC4, "deleting a lookaside list twice", p1 = 0xCB, text = "badex!DriverEntry" },
  { 19, 0xC4, "deleting a resource twice", p1 = 0xD1, text = "badex!DriverEntry" },
  { 20, 0xE1, "a work routine that returns at DISPATCH_LEVEL", p2 = 2, windows = true },
  { 21, 0x1, "a work routine that returns in a critical region", p4 = 1, windows = true },
  { 22, 0x1, "a work routine that returns in a guarded region", p4 = 1, windows = true },
  { 23, 0xDF, "a work routine that returns while impersonating", windows = true },
  { 24, 0xC4, "a work routine that leaves a top-level IRP", p1 = 0xF103 },
  { 25, 0xC4, "a work routine that leaves another priority", p1 = 0xF104, p4 = 10 },
  { 46, 0xC4, "allocating from a lookaside list that is deleted", p1 = 0xCB, text = "after it was deleted" },
  { 47, 0xC4, "freeing to a lookaside list that is deleted", p1 = 0xCB, text = "after it was deleted" },
  { 48, 0xC4, "allocating from an extended lookaside list that is deleted", p1 = 0xCB, text = "after it was deleted" },
  { 49, 0xC4, "acquiring a resource that is deleted", p1 = 0xD1, text = "resource-not-initialized" },
  { 50, 0xC4, "acquiring a resource that was never initialized", p1 = 0xD1, text = "resource-not-initialized" },
  { 30, 0xE4, "queueing a routine that is NULL", p1 = 7, p3 = 1, text = "badex!Queue" },
  { 31, 0xE4, "queueing a routine that is data", p1 = 7, p3 = 1, text = "badex!Queue" },
  { 32, 0xE4, "queueing to the number of queues", p1 = 6, p3 = 7, text = "badex!Queue" },
  { 33, 0xE4, "queueing to no queue", p1 = 6, p3 = 31, text = "badex!Queue" },
  { 34, 0xE4, "queueing with a priority of 32", p1 = 6, p3 = 64, text = "badex!Queue" },
  { 35, 0xE4, "unloading with queued work", p1 = 0, text = "badex!Nothing" },
  { 41, 0xC4, "initializing run-down protection again that nobody ran down", p1 = 0xF108, p3 = 0, text = "was not run down" },
  { 43, 0xC4, "a push lock's flags that there are not", p1 = 0xF108, p3 = 0x10, text = "no such flags" },
  { 44, 0x18, "giving back run-down protection that was not taken", p3 = 0x12, p4 = 1 },
  { 45, 0x139, "registering a provider of TraceLogging twice", p1 = 5, text = "TraceLoggingRegister" },
}

local function load(fault, verifier)
  local vm = fltvm.machine { cpus = 1, options = { verifier = verifier } }
  vm:set_registry(SERVICE, "Fault", fault)
  vm:load { source = "badex.c" }
end

for _, case in ipairs(cases) do
  expect_bugcheck { code = case[2], what = case[3] .. " is found", p1 = case.p1, p2 = case.p2, p3 = case.p3, p4 = case.p4, text = case.text, driver = "badex.sys",
    line = assert(guilty[case[1]], case[3]),
    quiet = true, function() load(case[1]) end }
end

-- The kernel looks at its worker threads whether the verifier is on or not, and at no more than Windows's does.
for _, case in ipairs(cases) do
  if case[1] >= 20 and case[1] < 30 then
    local function run() load(case[1], "0") end
    if case.windows then
      expect_bugcheck { code = case[2], what = case[3] .. " is found without the verifier", driver = "badex.sys", line = guilty[case[1]], quiet = true, run }
    else
      expect_status("STATUS_UNSUCCESSFUL", run, case[3] .. " is not, without the verifier")
    end
  end
end
expect_status("STATUS_UNSUCCESSFUL", function() load(26) end, "what a work routine undoes is no fault")
expect_status("STATUS_UNSUCCESSFUL", function() load(40) end, "what was run down may be initialized again")
expect_status("STATUS_UNSUCCESSFUL", function() load(42) end, "a push lock's flags that there are")
for fault = 41, 43, 2 do
  expect_status("STATUS_UNSUCCESSFUL", function() load(fault, "0") end, "without the verifier arguments are not looked at")
end
expect_status("STATUS_UNSUCCESSFUL", function() load(36) end)
expect_log("^ex: worker/delayed: work waits for one of 256 threads, and no more are added$", "a queue that may not grow any more says so")
