-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a driver has made and not taken back is found when it is unloaded, and the driver is blamed, by the line that made
-- it or by the routine that it is.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "left.c")
local NOWHERE = { [12] = true } -- the timer is all that is left
local function unload(kind, verifier)
  local vm = fltvm.machine{ disks = { { size = "1M" } }, options = { verifier = verifier } }
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\left]], "Kind", kind)
  local driver = vm:load{ source = "left.c" }
  driver:unload{ timeout = 30000 }
  return vm
end
-- kind, bugcheck, its first parameter, what it is, in the report's words, code that the report names
for _, case in ipairs{
  { 1, 0xC4, 0xF107, "process notify routine", "ProcessNotify" },
  { 2, 0xC4, 0xF107, "thread notify routine", "ThreadNotify" },
  { 3, 0xC4, 0xF107, "bugcheck callback", "BugCheck" },
  { 4, 0xC4, 0xD2, "freed-with-resource", "Resource" },
  { 5, 0xC4, 0xF107, "file system notification routine", "FileSystemChanges" },
  { 6, 0xC4, 0xF107, "shutdown notification", "Unload" },
  { 7, 0xC4, 0xF107, "device", "Unload" },
  { 8, 0xC4, 0xF107, "symbolic link", "Leave" },
  { 9, 0xC4, 0xF107, "open handle, Event", "Open" },
  { 10, 0xC4, 0xF107, "IRP", "Leave" },
  { 11, 0xC4, 0x62, "Mdl", "Leave" },
  { 12, 0xC7, 0, "timer-set-in-freed-memory", "Timer" },
  { 14, 0xC4, 0xCC, "freed-with-lookaside-list", "Lookaside" },
  { 15, 0xC4, 0xF107, "image notify routine", "ImageNotify" },
  { 16, 0xC4, 0xF107, "handle operation routine", "HandleOperation" },
  { 17, 0xC4, 0xF107, "registry callback", "RegistryOperation" },
  { 18, 0xC4, 0xF107, "callback routine", "Told" },
  { 19, 0xC4, 0xF107, "plug and play notification routine", "OnInterface" },
  { 20, 0xC4, 0xF107, "event provider", "Leave" },
  { 21, 0xC4, 0x62, "pool-leak", "Leave" }, -- a process's image name
  { 22, 0xC4, 0x62, "pool-leak", "AskToken" },
  { 23, 0xC4, 0x62, "pool-leak", "Leave" }, -- a file lock
  { 24, 0xC4, 0x62, "pool-leak", "AskKey" },
  { 25, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 26, 0xC4, 0xF107, "reference to an object, Thread", "Take" },
  { 27, 0xC4, 0xF107, "reference to an object, Token", "Take" },
  { 28, 0xC4, 0xF107, "reference to an object, Device", "Take" },
  { 29, 0xC4, 0xF107, "reference to an object, File", "OpenVolume" },
  { 30, 0xC4, 0xF107, "reference to an object, Event", "Take" },
  { 31, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 32, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 33, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 34, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 35, 0xC4, 0xF107, "reference to an object, Process", "Take" },
  { 36, 0xC4, 0x62, "pool-leak", "Take" }, -- an oplock
  { 37, 0xC4, 0x62, "pool-leak", "Take" }, -- an oplock whose memory is freed
  { 38, 0xC4, 0xF107, "reference to an object, Callback", "Take" },
  { 39, 0xC4, 0xF107, "reference to an object, Device", "Take" }, -- its own: it keeps the image
  { 40, 0xC4, 0xF107, "view in the System process", "MapHere" },
  { 41, 0xC4, 0xF107, "view in system space", "MapInSystemSpace" },
  { 42, 0xC4, 0xF107, "run-down reference", "Protect" },
  { 43, 0xC4, 0xF107, "run-down reference that is waited for", "Lend" },
  { 13, 0xCE, nil, "still runs", "WaitForEver" },
} do
  local found = expect_bugcheck{ code = case[2], p1 = case[3], driver = "left.sys", line = not NOWHERE[case[1]] and assert(guilty[case[1]], case[4]) or nil, what = case[4] .. " is found at unload", quiet = true,
    function() unload(case[1]) end }
  expect(found and found.text:find(case[4], 1, true), "the report says what it is")
  expect(found and found.text:find("left!" .. case[5], 1, true), "and names the driver's " .. case[5])
end
unload(0)
expect(true, "what is taken back is not left")
unload(44)
expect(true, "nor is a reference that a thread gives back when its time is over")
for _, kind in ipairs{ 8, 9, 10, 11, 25, 28, 29, 36, 40, 41, 42 } do unload(kind, "0") end
expect(true, "without the verifier nobody looks")
