-- SPDX-License-Identifier: GPL-2.0-or-later
-- Threads that spin for one another's spin locks, an interrupt's among them, are reported as the circle that they are.
local function load(case, verifier)
  local vm = fltvm.machine{ cpus = 3, options = { verifier = verifier } }
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\spins]], "Case", case)
  if case // 10 == 1 then vm:irq(0):periodic{ start = 1, interval = 1 } end
  expect_status("STATUS_UNSUCCESSFUL", function() vm:load{ source = "spins.c" } end)
end

local function lines(text, pattern)
  local _, count = text:gsub(pattern, "")
  return count
end

for number = 2, 3 do
  local found = expect_bugcheck{ code = 0xC4, p1 = 0x1001, p4 = number, driver = "spins.sys", quiet = true,
    what = ("a circle of %d spin locks"):format(number), function() load(20 + number) end }
  if found then
    expect_equal(lines(found.text, "waits%-for +spin lock 0x"), number, "every thread's spin lock is told")
    expect_equal(lines(found.text, "held%-since +spins!SpinOnProcessor %([%w/]*spins%.c:%d+%)"), number, "and who holds it since where")
  end
end

local found = expect_bugcheck{ code = 0xC4, p1 = 0x1001, p4 = 2, quiet = true,
  what = "a service routine and who synchronizes with it", function() load(11) end }
if found then
  expect_equal(lines(found.text, "waits%-for +spin lock 0x"), 2, "both spin locks are told")
  expect(found.text:find("held%-since +fltvmirq!IrqIsr"), "the interrupt's is held by its service routine")
  expect(found.text:find("held%-since +spins!Synchronize"), "the other by the thread")
end

for _, verifier in ipairs{ "1", "0" } do
  load(3, verifier)
  load(10, verifier)
  expect_log("all went on", "who gives back goes on")
end
