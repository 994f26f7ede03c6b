-- SPDX-License-Identifier: GPL-2.0-or-later
-- A circle of waits is reported by whoever closes it, with every thread in it; waits that go on are not.
local function load(case, cpus, verifier)
  local vm = fltvm.machine{ cpus = cpus, options = { verifier = verifier } }
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\deadlock]], "Case", case)
  expect_status("STATUS_UNSUCCESSFUL", function() vm:load{ source = "deadlock.c" } end)
end

-- case, threads, what it is made of, what the report calls it
local circles = {
  { 0, 2, "two fast mutexes", "fast mutex" },
  { 1, 2, "two guarded mutexes", "guarded mutex" },
  { 2, 2, "two mutexes", "mutex" },
  { 3, 2, "two resources, exclusively", "resource" },
  { 4, 2, "two resources, shared, then exclusively", "resource" },
  { 5, 2, "two resources, exclusively, then shared", "resource" },
  { 6, 2, "two push locks, exclusively", "push lock" },
  { 7, 2, "two push locks, shared, then exclusively", "push lock" },
  { 8, 2, "a fast mutex and a thread's end", "end of thread" },
  { 9, 3, "a fast mutex, a resource and a mutex", "resource" },
  { 10, 3, "a push lock, a mutex and a thread's end", "push lock" },
  { 11, 1, "a fast mutex that the thread has", "fast mutex" },
  { 12, 1, "a push lock that the thread has", "push lock" },
  { 13, 1, "a resource that the thread has shared", "resource" },
  { 14, 1, "the thread's own end", "end of thread" },
  { 15, 2, "a fast mutex and run-down protection", "run-down protection" },
  { 16, 2, "run-down protection twice", "run-down protection" },
  { 17, 3, "cache-aware run-down protection, a resource and a thread's end", "run-down protection" },
  { 18, 1, "run-down protection that the thread has taken", "run-down protection" },
  { 19, 1, "cache-aware run-down protection that the thread has taken", "run-down protection" },
}
for _, circle in ipairs(circles) do
  for cpus = 1, 2 do
    local found = expect_bugcheck{ code = 0xC4, p1 = circle[2] == 1 and 0x1000 or 0x1001, p4 = circle[2], driver = "deadlock.sys",
      text = circle[4] .. " 0x", what = "a circle of " .. circle[3], quiet = true, function() load(circle[1], cpus) end }
    if found then
      local _, waits = found.text:gsub("waits%-at +deadlock!Take %([%w/]*deadlock%.c:%d+%)", "")
      expect_equal(waits, circle[2], "every thread's wait is named with its line")
      local _, holds = found.text:gsub("held%-since +deadlock!Take %([%w/]*deadlock%.c:%d+%)", "")
      local _, ends = found.text:gsub("waits%-for +end of thread", "")
      expect_equal(holds, circle[2] - ends, "and so is every lock's taking")
    end
  end
end

expect_bugcheck{ code = 0xC4, p1 = 0x1000, p4 = 1, driver = "deadlock.sys", text = "end of the work", what = "a wait that a driver declares",
  quiet = true, function() load(101, 1) end }
load(101, 1, "0")
for _, verifier in ipairs{ "1", "0" } do
  load(100, 2, verifier)
  expect_log("all went on", "what is no circle goes on")
end
