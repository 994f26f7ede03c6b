-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each misuse of the I/O manager that badio.c knows ends in the bugcheck that Windows has for it.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "badio.c")
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badio]]

-- fault, bugcheck, what, further expectations
local cases = {
  { 1, 0x44, "completing an IRP twice" },
  { 2, 0xC9, "completing with STATUS_PENDING", p1 = 6, p2 = 0x103 },
  { 3, 0xC9, "completing with a cancel routine set", p1 = 7 },
  { 4, 0xC9, "a dispatch routine that returns at another IRQL", p1 = 5, p3 = 0, p4 = 2 },
  { 5, 0x35, "sending an IRP without a stack location left" },
  { 6, 0xC9, "freeing an IRP twice", p1 = 1 },
  { 7, 0xC9, "freeing an IRP that a thread waits for", p1 = 2 },
  { 8, 0xC9, "sending what is no IRP", p1 = 3 },
  { 9, 0xC9, "sending an IRP with a cancel routine set", p1 = 0x203 },
  { 10, 0xC9, "detaching what is not attached", p1 = 0x202 },
  { 11, 0xC9, "deleting a device that is attached", p1 = 0x201 },
  { 12, 0xC4, "a completion routine that returns at another IRQL", p1 = 0xFA, p3 = 0, p4 = 1 },
  { 13, 0xC9, "STATUS_PENDING without IoMarkIrpPending", p1 = 0x200, text = "without IoMarkIrpPending" },
  { 14, 0xC9, "IoMarkIrpPending without STATUS_PENDING", p1 = 0x200, text = "another status" },
  { 15, 0xE4, "freeing a queued work item", p1 = 2, p3 = "Work", p4 = 0, text = "freed-while-queued" },
  { 16, 0xE4, "queueing a work item twice", p1 = 1, p3 = 0, p4 = 0, text = "queued-twice" },
  { 21, 0xE4, "giving up a queued work item", p1 = 2, p3 = "WorkEx", p4 = 0, text = "uninitialized-while-queued" },
  { 22, 0xE4, "a work item for what is no device", p1 = 3, p3 = "NoDevice", p4 = 0 },
  { 23, 0xE4, "a work item for nothing", p1 = 3, p3 = 0, p4 = 0 },
  { 24, 0xE4, "a work item without a routine", p1 = 7, p3 = 1, p4 = 0 },
  { 25, 0x1, "a work routine that returns in a critical region", text = "StayCritical" },
  { 17, 0xC8, "a cancel routine that keeps the cancel spin lock" },
  { 18, 0x93, "closing a handle that is not open" },
  { 19, 0x18, "giving back a reference too many" },
  { 31, 0xC4, "a read that reports more than was asked for", p1 = 0xF106, p3 = 100, p4 = 64, text = "badio!Dispatch" },
  { 32, 0xC4, "a control request that reports more than was asked for", p1 = 0xF106, p3 = 100, p4 = 64, text = "badio!Dispatch" },
  { 33, 0xC4, "a count of the kernel's that a driver has written over", p1 = 0xF109, text = ": DeviceObject->ReferenceCount > 0" },
  { 34, 0xC4, "a part that is not in the source", p1 = 0xF108, text = "the part is not in the source" },
  { 35, 0xC4, "a part that does not fit into its list", p1 = 0xF108, text = "does not fit into the target" },
  { 37, 0xC4, "a completion routine that is set where the sender's is", p1 = 0xF108, p3 = "Another", p4 = "Stop", text = "IoSkipCurrentIrpStackLocation passes on" },
}

for _, case in ipairs(cases) do
  local vm = fltvm.machine { cpus = case[2] == 0xE4 and 1 or 2 }
  local symbol = type(case.p3) == "string" and case.p3 -- an address in the driver
  vm:set_registry(SERVICE, "Fault", case[1])
  local report = expect_bugcheck { code = case[2], what = case[3] .. " is found", text = case.text, p1 = case.p1, p2 = case.p2,
    p3 = not symbol and case.p3 or nil, p4 = type(case.p4) ~= "string" and case.p4 or nil, driver = "badio.sys", line = assert(guilty[case[1]], case[3]), quiet = true,
    function() vm:load { source = "badio.c" } end }
  if symbol then
    expect(report.text:find("3: 0x%x+%s[^\n]*badio!" .. symbol .. "%f[^%w]"), case[3] .. ": the third parameter is " .. symbol)
  end
end

-- A work item that nobody frees is the driver's leak.
local vm = fltvm.machine {}
vm:set_registry(SERVICE, "Fault", 20)
local driver = vm:load { source = "badio.c" }
expect_bugcheck { code = 0xC4, p1 = 0x62, driver = "badio.sys", line = guilty[20], what = "a work item left behind at unload is reported", quiet = true,
  function() driver:unload() end }

-- Without the verifier too much is reported, but no more is copied than the caller has room for.
for fault = 31, 32 do
  vm = fltvm.machine { options = { verifier = "0" } }
  vm:set_registry(SERVICE, "Fault", fault)
  vm:load { source = "badio.c" }
  expect_log("^badio: 100 bytes, none behind the buffer$", "what is copied ends with the buffer")
end

-- Nor does the kernel look at itself and at lists; and what is right passes.
for fault, verifier in pairs{ [33] = "0", [34] = "0", [36] = "1", [38] = "1" } do
  vm = fltvm.machine { options = { verifier = verifier } }
  vm:set_registry(SERVICE, "Fault", fault)
  vm:load { source = "badio.c" }:unload()
  if fault == 34 or fault == 36 then expect_log("^badio: a part of 81920 bytes$", "a part is made") end
end

-- Without a fault the driver comes and goes.
vm = fltvm.machine {}
vm:set_registry(SERVICE, "Fault", 0)
driver = vm:load { source = "badio.c" }
driver:unload()
expect(true, "the driver without a fault is loaded and unloaded")
