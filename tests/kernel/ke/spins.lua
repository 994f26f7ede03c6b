-- SPDX-License-Identifier: GPL-2.0-or-later
-- Threads that spin for one another's spin locks, an interrupt's among them, are reported as the circle that they are.
local function load(case, verifier)
  local vm = fltvm.machine{ cpus = 3, options = { verifier = verifier } }
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\spins]], "Case", case)
  if case == 10 or case == 11 then vm:irq(0):periodic{ start = 1, interval = 1 } end
  expect_status("STATUS_UNSUCCESSFUL", function() vm:load{ source = "spins.c" } end)
end

local function lines(text, pattern)
  local _, count = text:gsub(pattern, "")
  return count
end

-- case, threads, what it is made of, the words of it in the report
local circles = {
  { 20, 2, "ordinary ones", { "spin lock" } },
  { 21, 3, "ordinary ones", { "spin lock" } },
  { 22, 2, "queued ones", { "queued spin lock" } },
  { 23, 3, "queued ones", { "queued spin lock" } },
  { 24, 2, "executive ones, held exclusively", { "executive spin lock" } },
  { 25, 2, "executive ones, shared and then exclusively", { "executive spin lock" } },
  { 26, 2, "executive ones, exclusively and then shared", { "executive spin lock" } },
  { 27, 3, "one of each kind", { "spin lock", "queued spin lock", "executive spin lock" } },
  { 28, 1, "a queued one that the thread has", { "queued spin lock" } },
  { 29, 1, "an executive one that the thread has shared", { "executive spin lock" } },
  { 30, 1, "an executive one that the thread has exclusively", { "executive spin lock" } },
  { 13, 1, "an executive one that the thread has shared, behind a writer", { "executive spin lock" } },
}
for _, circle in ipairs(circles) do
  local case, number, what, words = table.unpack(circle)
  local found = expect_bugcheck{ code = 0xC4, p1 = number == 1 and 0x1000 or 0x1001, p4 = number, driver = "spins.sys", quiet = true,
    what = ("a circle of %d: %s"):format(number, what), function() load(case) end }
  if found then
    expect_equal(lines(found.text, "waits%-for +[a-z ]*spin lock 0x"), number, "every thread's spin lock is told")
    for _, word in ipairs(words) do
      expect_equal(lines(found.text, "waits%-for +" .. word .. " 0x"), number // #words, "as what it is: " .. word)
    end
    expect_equal(lines(found.text, "held%-since +spins!Take %([%w/]*spins%.c:%d+%)"), number, "and who holds it since where")
  end
end

local found = expect_bugcheck{ code = 0xC4, p1 = 0x1001, p4 = 2, driver = "spins.sys", quiet = true,
  what = "a service routine and who synchronizes with it", function() load(11) end }
if found then
  expect_equal(lines(found.text, "waits%-for +spin lock 0x"), 2, "both spin locks are told")
  expect(found.text:find("held%-since +fltvmirq!IrqIsr"), "the interrupt's is held by its service routine")
  expect(found.text:find("held%-since +spins!Synchronize"), "the other by the thread")
end

for _, verifier in ipairs{ "1", "0" } do
  for _, case in ipairs{ 0, 10, 12 } do
    load(case, verifier)
    expect_log("all went on", "who gives back goes on")
  end
end
