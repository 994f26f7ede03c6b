-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each misuse of memory that badpool.c knows ends in the bugcheck that Windows has for it, blamed on the driver, with
-- what is known of the memory in the report.

local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "badpool.c")
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badpool]]

-- fault, bugcheck, what, further expectations
local cases = {
  { 1, 0xD5, "a write to freed memory", text = "used-after-free" },
  { 2, 0xD5, "a read of freed memory", text = "freed-by" },
  { 29, 0xD5, "a read of memory that another processor freed", text = "freed-by" },
  { 3, 0xD6, "a write behind the allocation, on the next page", text = "beyond-allocation" },
  { 4, 0xC1, "a write behind the allocation, on its page", p4 = 0x24 },
  { 5, 0xC1, "a write before the allocation", p4 = 0x23 },
  { 6, 0xC2, "freeing twice", p1 = 7, text = "freed-by" },
  { 7, 0xC2, "freeing with another tag", p1 = 0xA },
  { 8, 0xC1, "freeing an address inside an allocation", p4 = 0x22 },
  { 9, 0xC2, "freeing what is not pool", p1 = 0x42 },
  { 10, 0xC2, "freeing a user address", p1 = 0x40 },
  { 11, 0xC4, "allocating zero bytes", p1 = 0 },
  { 12, 0xC2, "allocating without a tag", p1 = 0x9B },
  { 13, 0xC4, "allocating paged pool at DISPATCH_LEVEL", p1 = 1, p2 = 2 },
  { 14, 0x50, "a write behind a big allocation" },
  { 15, 0xC2, "freeing a big allocation twice", p1 = 7 },
  { 16, 0xC4, "a write behind a big allocation, on its page", p1 = 0x52, text = "written-past-end" },
  { 17, 0xC2, "freeing a big allocation with another tag", p1 = 0xA },
  { 18, 0x19, "a write behind an ordinary block", p1 = 0x20, text = "written-past-end" },
  { 19, 0xC7, "freeing an ordinary block with a timer that is set", p1 = 0, text = "timer-set-in-freed-memory" },
  { 20, 0xD1, "touching paged pool at DISPATCH_LEVEL", p2 = 2, p3 = 1 },
  { 21, 0xD1, "running pageable code at DISPATCH_LEVEL", p2 = 2, p3 = 8 },
  { 22, 0xC4, "calling a PASSIVE_LEVEL routine at DISPATCH_LEVEL", p1 = 0x2001F, text = "ZwClose" },
  { 23, 0xD1, "a null pointer at DISPATCH_LEVEL", p1 = 8, p2 = 2, p3 = 1 },
  { 24, 0x50, "an address where nothing is", p1 = 0xFFFFC12345678000 },
  { 25, 0xBE, "writing code" },
  { 26, 0xFC, "executing data" },
  { 27, 0xC4, "unlocking pages that were not locked", p1 = 0x7C },
  { 28, 0xC2, "freeing locked pages", text = "freed-while-locked" },
  { 31, 0xC7, "freeing a big allocation with a timer that is set", p1 = 0, text = "timer-set-in-freed-memory" },
  { 32, 0xC7, "freeing a DPC that is queued", p1 = 1, text = "dpc-queued-in-freed-memory" },
  { 33, 0xC7, "freeing the DPC of a timer that is set", p1 = 1, text = "timer-dpc-in-freed-memory" },
  { 35, 0xC4, "mapping for user mode at DISPATCH_LEVEL", p1 = 0x77, p2 = 2, p4 = 1 },
  { 36, 0xC4, "unmapping from user space at DISPATCH_LEVEL", p1 = 0x7A, p2 = 2 },
  { 37, 0xDA, "unmapping what is not mapped in user space", p1 = 1, p2 = 0x40000000 },
  { 34, 0xC7, "freeing the routine of such a DPC", p1 = 2, text = "dpc-routine-in-freed-memory" },
}

for _, case in ipairs(cases) do
  local vm = fltvm.machine {}
  vm:set_registry(SERVICE, "Fault", case[1])
  expect_bugcheck { code = case[2], what = case[3] .. " is found", text = case.text, p1 = case.p1, p2 = case.p2,
    p3 = case.p3, p4 = case.p4, driver = "badpool.sys", line = assert(guilty[case[1]], case[3]), quiet = true,
    function() vm:load { source = "badpool.c" } end }
end

-- Without the verifier all blocks are ordinary ones; what Windows finds is found all the same.
for _, case in ipairs { { 17, 0xC2, 0xA }, { 18, 0x19, 0x20 }, { 6, 0xC2, 7 } } do
  local vm = fltvm.machine { options = { verifier = "0" } }
  vm:set_registry(SERVICE, "Fault", case[1])
  expect_bugcheck { code = case[2], p1 = case[3], driver = "badpool", line = guilty[case[1]], what = ("fault %d without the verifier"):format(case[1]),
    quiet = true, function() vm:load { source = "badpool.c" } end }
end

local vm = fltvm.machine {}
vm:set_registry(SERVICE, "Fault", 30)
local driver = vm:load { source = "badpool.c" }
expect_bugcheck { code = 0xC4, p1 = 0x62, p4 = 2, driver = "badpool.sys", line = guilty[30], what = "what is left behind at unload is reported", text = "Leak",
  quiet = true, function() driver:unload() end }
