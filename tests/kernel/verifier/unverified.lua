-- SPDX-License-Identifier: GPL-2.0-or-later
-- With verifier = "0" the machine takes from a driver what a free build of Windows takes; with the verifier each such fault
-- is a bugcheck that names the driver and its line.  unverified.c has the faults, in this order.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\unverified]]
local SOURCE = debug.getinfo(1, "S").source:match("^@(.*)%.lua$") .. ".c"

-- routine, bugcheck, first parameter, the routine with the guilty line if it is another
local cases = {
  { "RaiseDownwards", 0xC4, 0x30 },
  { "LowerUpwards", 0xC4, 0x31 },
  { "AcquireBelowDispatch", 0xC4, 0x40 },
  { "ReleaseFromDpcBelowDispatch", 0xC4, 0x20015 },
  { "ReleaseBelowDispatch", 0xC4, 0x20015 },
  { "ReleaseBelowDispatchByAddress", 0xC4, 0x32 },
  { "ReleaseWhatIsFree", 0x10 },
  { "AcquireAboveDispatch", 0xC4, 0x42 },
  { "ReleaseQueuedBelowDispatch", 0xC4, 0x36 },
  { "ReleaseExclusiveWhatIsFree", 0x10 },
  { "LeaveCriticalTwice", 0xC4, 0x3E },
  { "LeaveGuardedTwice", 0xC4, 0x3E },
  { "EnterCriticalAtDispatch", 0xC4, 0x2000F },
  { "AcquireFastMutexUnsafely", 0xC4, 0x39 },
  { "ReleaseFastMutexUnsafely", 0xC4, 0x3A },
  { "AcquireResourceWithApcs", 0xC4, 0x37 },
  { "AcquireResourceAtDispatch", 0xC4, 0x20005 },
  { "ConvertSharedResource", 0xE3 },
  { "DeleteOwnedResource", 0xE3 },
  { "ReleaseRundownTooOften", 0x18 },
  { "SetPagedEvent", 0xA },
  { "TouchPagedPoolAtDispatch", 0xD1 },
  { "WaitForWhatIsThereAtDispatch", 0xC4, 0x3B },
  { "InitializeSetTimer", 0xC7, 0 },
  { "QueueDpcOfOddType", 0xC7, 1 },
  { "LockLockedPages", 0xC4, 0xB0 },
  { "MapMappedPages", 0xC4, 0xB2 },
  { "WriteBehindBlock", 0xC1 },
  { "CopyOverlapping", 0xC4, 0xF0 },
  { "FreeMdlTwice", 0xCC },
  { "CloseWhatIsNotOpen", 0x93 },
  { "MarkPendingAndReturnSuccess", 0xC9, 0x200 },
  { "EndWithMutant", 0xC4, 0x100A, "HoldUntilTheEnd" },
}

-- The guilty line of each routine: the first that is marked so after the routine's head.
local guilty, routine, number = {}, nil, 0
for line in io.lines(SOURCE) do
  number = number + 1
  routine = line:match("^static .-(%w+)%(.*%)$") or routine
  if line:find("// GUILTY", 1, true) then guilty[routine] = number end
end

for index, case in ipairs(cases) do
  local vm = fltvm.machine { cpus = 1 }
  local line = guilty[case[4] or case[1]]
  vm:set_registry(SERVICE, "Case", index) -- -O0: each call has its line
  expect_bugcheck { code = case[2], p1 = case[3], driver = "unverified", quiet = true,
    text = line and "unverified.c:" .. line .. ")" or "PendAndReturnSuccess", what = case[1] .. " is found with the verifier",
    function() vm:load { source = "unverified.c", flags = { "-O0" } } end }
end

local vm = fltvm.machine { options = { verifier = "0" } }
vm:load { source = "unverified.c", flags = { "-O0" } }:unload()
expect(true, "a machine without verifier goes on")
