-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each thing that badcallbacks.c does wrong ends in its bugcheck, blamed on the callback that did it, or on the line of
-- the call: the driver's source says which, in brackets.
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\badcallbacks]]
local VOLUME = [[\Device\HarddiskVolume1]]

-- fault, bugcheck, what, first parameter, who is blamed; `on`: what has to be done for it to happen, "read" if not given
local cases = {
  { 1, 0xF5, "a status that only fast I/O has", 0xF006, "PreRead" },
  { 2, 0xF5, "a context and FLT_PREOP_SUCCESS_NO_CALLBACK", 0xF009, "PreRead" },
  { 3, 0xF5, "a context and FLT_PREOP_COMPLETE", 0xF009, "PreRead" },
  { 4, 0xF5, "a context and FLT_PREOP_PENDING", 0xF009, "PreRead" },
  { 5, 0xF5, "FLT_PREOP_COMPLETE with STATUS_PENDING", 0xF00C, "PreRead" },
  { 6, 0xF5, "FLT_PREOP_COMPLETE with more than was asked for", 0xF00F, "PreRead" },
  { 7, 0xF5, "a close that fails", 0xF00D, "PreEnd", on = "close" },
  { 8, 0xF5, "a cleanup that fails", 0xF00D, "PreEnd", on = "close" },
  { 9, 0xF5, "a post-callback that is not there", 0x66, "PreFlush", on = "flush" },
  { 61, 0xF5, "parameters changed without FltSetCallbackDataDirty", 0xF016, "PreRead" },
  { 62, 0xF5, "the same with FLT_PREOP_SUCCESS_NO_CALLBACK", 0xF016, "PreRead" },
  { 63, 0xF5, "the same with FLT_PREOP_SYNCHRONIZE", 0xF016, "PreRead" },
  { 64, 0xF5, "changed, said so, and taken back", 0xF016, "PreRead" },
  { 10, 0xC8, "a pre-callback that raises the IRQL", nil, "PreRead" },
  { 11, 0x1, "a pre-callback that leaves APCs disabled", nil, "PreRead" },
  { 12, 0x1, "a pre-callback that keeps a resource, and its critical region", nil, "PreRead" },
  { 13, 0xC4, "a pre-callback that leaves a top-level IRP", 0xF103, "PreRead" },
  { 14, 0xF5, "a deferred item queued and SUCCESS returned", 0xF010, "PreRead" },
  { 15, 0xF5, "FltCbdqInsertIo and SUCCESS returned", 0xF010, "PreRead" },
  { 16, 0xF5, "FltCompletePendedPreOperation and SUCCESS returned", 0xF008, "PreRead" },
  { 17, 0xF5, "FltCompletePendedPreOperation with PENDING", 0xF006 },
  { 18, 0xF5, "FltCompletePendedPreOperation with SYNCHRONIZE", 0xF006 },
  { 19, 0xF5, "FltCompletePendedPreOperation with DISALLOW_FASTIO", 0xF006 },
  { 20, 0xF5, "FltCompletePendedPreOperation at DISPATCH_LEVEL, not COMPLETE", 0xF00E },
  { 21, 0xF5, "FltCompletePendedPreOperation with COMPLETE and a context", 0xF009 },
  { 22, 0xF5, "FltCompletePendedPreOperation twice", 0xF005 },
  { 23, 0xF5, "FltCompletePendedPreOperation with STATUS_PENDING", 0xF00C },
  { 24, 0xF5, "given back with its cancel callback", 0xF011 },
  { 25, 0xF5, "given back while in a queue", 0xF011 },
  { 26, 0xF5, "FltCompletePendedPostOperation of a pended pre-operation", 0xF008 },
  { 27, 0xF5, "FltCompletePendedPreOperation with more than was asked for", 0xF00F },
  { 30, 0xF5, "a post-operation status that does not exist", 0xF007, "PostRead" },
  { 31, 0xF5, "MORE_PROCESSING_REQUIRED while draining", 0xF007, "PostWrite", on = "drain" },
  { 32, 0xF5, "FltDoCompletionProcessingWhenSafe while draining", 0xF007, on = "drain" },
  { 33, 0xF5, "FltCompletePendedPostOperation and FINISHED returned", 0xF008, "PostRead" },
  { 34, 0xF5, "FltCompletePendedPostOperation while draining", 0xF008, on = "drain" },
  { 35, 0xF5, "posted when safe and FINISHED returned", 0xF010, "PostRead" },
  { 36, 0xF5, "a deferred item queued and FINISHED returned", 0xF010, "PostRead" },
  { 37, 0xF5, "a post-callback that says more than the buffer has", 0xF00F, "PostRead" },
  { 38, 0xF5, "a post-callback that leaves STATUS_PENDING", 0xF00C, "PostRead" },
  { 39, 0xC8, "a post-callback that raises the IRQL", nil, "PostRead" },
  { 40, 0xF5, "FltCompletePendedPostOperation twice", 0xF005 },
  { 41, 0xF5, "FltCompletePendedPostOperation with STATUS_PENDING", 0xF00C },
  { 42, 0xF5, "FltCompletePendedPreOperation of a pended post-operation", 0xF008 },
  { 43, 0xF5, "the same without the flag", 0xF007, on = "drain" },
  { 44, 0xF5, "FltCompletePendedPreOperation while draining", 0xF008, on = "drain" },
  { 45, 0xF5, "FltReuseCallbackData while draining", 0xF005, on = "drain" },
  { 46, 0x1, "a draining callback that leaves APCs disabled", nil, "PostWrite", on = "drain" },
  { 47, 0xC8, "a safe post-callback that raises the IRQL", nil, "SafePost" },
  { 48, 0xF5, "a safe post-callback that completes and says FINISHED", 0xF008, "SafePost" },
  { 50, 0xF5, "a swapped MDL asked for in a pre-callback", 0xF012 },
  { 51, 0xF5, "a swapped MDL retained in a pre-callback", 0xF012 },
  { 52, 0xF5, "FltReuseCallbackData of a callback's data", 0xF005 },
  { 53, 0xF5, "FltFreeCallbackData of a callback's data", 0xF005 },
  { 54, 0xF5, "FltPerformSynchronousIo of a callback's data", 0xF005 },
  { 55, 0xF5, "FltSetCallbackDataDirty of anything", 0xF005 },
  { 56, 0xF5, "FltClearCallbackDataDirty of anything", 0xF005 },
  { 57, 0xF5, "FltCancelIo of anything", 0xF005 },
  { 58, 0xF5, "FltLockUserBuffer of anything", 0xF005 },
  { 59, 0xF5, "FltSetCancelCompletion of nothing", 0xF005 },
  { 60, 0xD5, "a swapped-in MDL that its filter frees, too", nil, "PreRead" },
  { 65, 0xF5, "FltProcessFileLock pended and COMPLETE returned", 0xF010, "PrePackage", on = "lock" },
  { 66, 0xF5, "FltOplockFsctrl pended and COMPLETE returned", 0xF010, "PrePackage", on = "oplock" },
  { 67, 0xF5, "FltCheckOplock pended and SUCCESS returned", 0xF010, "PreFlush", on = "oplock" },
  { 70, 0xC4, "callback data left at unload", 0x62 },
  { 71, 0xC4, "the same of FltAllocateCallbackDataEx", 0x62 },
}

-- fault -> the line of the call that is to blame
local lines, number = {}, 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "badcallbacks.c") do
  number = number + 1
  for fault in line:gmatch("%[(%d+)%]") do
    if line:find("/*", 1, true) then lines[tonumber(fault)] = number end
  end
end

for _, case in ipairs(cases) do
  local fault, code, what, p1, routine = table.unpack(case, 1, 5)
  local vm = fltvm.machine { disks = { { size = "1M" } } }
  vm:set_registry(SERVICE, "Fault", fault)
  expect(routine or lines[fault], what .. ": the source has its line")
  expect_bugcheck { code = code, p1 = p1, what = what .. " is found", driver = "badcallbacks.sys", quiet = true,
    routine = routine, line = not routine and "badcallbacks.c:" .. lines[fault] or nil, function()
      local volume = vm:open(VOLUME, { async = true })
      local filter = vm:load { source = "badcallbacks.c", altitude = "100" }
      if case.on == "drain" then
        vm:fault { op = "write", action = "delay", delay = 50 }
        local write = volume:write_async(0, string.rep("x", 512))
        vm:sleep(5)
        vm:detach { filter = "badcallbacks", volume = VOLUME }
        write:wait()
      elseif case.on == "flush" then volume:flush()
      elseif case.on == "lock" then
        volume:lock(0, 512)
        vm:open(VOLUME):lock(0, 512, { wait = true })
      elseif case.on == "oplock" then
        volume:fsctl_async(9 << 16) -- FSCTL_REQUEST_OPLOCK_LEVEL_1
        vm:sleep(5)
        vm:open(VOLUME):flush()
      elseif case.on ~= "close" then volume:read(0, 512) end
      volume:close()
      vm:sleep(20)
      filter:unload()
    end }
end
