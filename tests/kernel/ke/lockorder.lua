-- SPDX-License-Identifier: GPL-2.0-or-later
-- Orders in which locks are taken that can end in a deadlock are reported, though nobody waits; other orders are not.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\lockorder]]
local function play(kinds, steps, verifier)
  local vm = fltvm.machine{ cpus = 2, options = { verifier = verifier } }
  vm:set_registry(KEY, "Kinds", kinds)
  vm:set_registry(KEY, "Steps", steps)
  expect_status("STATUS_UNSUCCESSFUL", function() vm:load{ source = "lockorder.c" } end)
  return vm
end

local function wrong(kinds, steps, edges, what)
  what = ("%s: %s"):format(what, steps)
  local found = expect_bugcheck{ code = 0xC4, p1 = 0x1001, p4 = edges, driver = "lockorder.sys", text = "lock-order", what = what, quiet = true,
    function() play(kinds, steps) end }
  if found then
    local _, taken = found.text:gsub("taken%-at +lockorder!Take %([%w/]*lockorder%.c:%d+%)", "")
    local _, held = found.text:gsub("held%-since +lockorder!%u%l+ %([%w/]*lockorder%.c:%d+%)", "")
    expect_equal({ taken, held >= edges }, { edges, true }, what .. ": each order has both of its lines")
  end
  play(kinds, steps, "0"):expect_log("lockorder: done", "without the verifier it goes on")
end

local function right(kinds, steps, what)
  play(kinds, steps):expect_log("lockorder: done", ("%s, %s: %s"):format(kinds, what, steps))
end

local KINDS = { s = "spin locks", q = "queued spin locks", x = "executive spin locks", f = "fast mutexes", u = "fast mutexes, unsafe", g = "guarded mutexes",
  m = "mutexes", r = "resources", p = "push locks" }
for _, kind in ipairs{ "s", "q", "x", "f", "u", "g", "m", "r", "p" } do
  local kinds = kind:rep(4)
  wrong(kinds, "ABbaBAab", 2, KINDS[kind])
  right(kinds, "ABbaABbaBbAa", "always the same")
end
wrong("mrfs", "ABba!BAab", 2, "a mutex and a resource, by two threads")
wrong("rfrf", "ABbaBAab", 2, "a resource and a fast mutex")
wrong("ffff", "ABbaBCcbCAac", 3, "three in a circle")
wrong("ffff", "ABbaBCcbCDdcDAad", 4, "four in a circle")
wrong("ffff", "ABCcbaCAac", 2, "not next to each other")
wrong("rrrr", "ABabBAab", 2, "given back in another order")
wrong("pppp", "~ABbaBAab", 2, "one is held shared")
wrong("rrrr", "~ABbaBAab", 2, "one is held shared")

-- Under a lock that all take first there is no deadlock, and there is one as soon as somebody does not.
right("ffff", "CABbacCBAabc", "under a common lock")
right("rfff", "CABbacCBAabc", "under a common lock of another kind")
wrong("ffff", "CABbacCBAabcBAab", 2, "once without the common lock")
wrong("ffff", "CABbacDBAabd", 2, "under different locks")

for _, kind in ipairs{ "s", "f", "g", "m", "r" } do right(kind:rep(4), "ABbaB?Aab", "who tries does not wait") end
right("pppp", "~A~Bba~B~Aab", "shares only")
right("rrrr", "~A~Bba~B~Aab", "shares only")
right("mmmm", "ABAabaAa", "what the thread has already")
right("rrrr", "ABAabaAa", "what the thread has already")
for _, kind in ipairs{ "f", "r", "p", "s" } do right(kind:rep(4), "ABba#BAab", "other locks at the same place") end

-- A driver that comes again has new locks, too.
local vm = play("ffff", "ABba")
vm:set_registry(KEY, "Steps", "BAab")
expect_status("STATUS_UNSUCCESSFUL", function() vm:load{ source = "lockorder.c" } end)
