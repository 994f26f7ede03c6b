-- SPDX-License-Identifier: GPL-2.0-or-later
-- Freed work items are free memory, with the verifier and without it; without memory there are none.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\memory]]

local function live(vm, tag)
  local use = vm:pool()[tag]
  return use and { use.allocations - use.frees, use.bytes } or { 0, 0 }
end

local function run(case, options)
  local vm = fltvm.machine { options = options, memory = "24M" }
  vm:set_registry(KEY, "Case", case)
  local before, used, all = live(vm, "FtWi"), vm:memory().nonpaged, vm:memory().used
  local filter = vm:load { source = "memory.c", altitude = "100" }
  expect_equal(live(vm, "FtWi"), before, "case " .. case .. ": every item went back to nonpaged pool")
  filter:unload()
  expect(vm:memory().nonpaged < used + 65536, "case " .. case .. ": and its bytes, too")
  expect(vm:memory().used < all + 1310720, "case " .. case .. ": and its pages, but for few")
  vm:shutdown()
end

for _, verifier in ipairs { "1", "0" } do
  run(1, { verifier = verifier })
  run(2, { verifier = verifier })
end
run(3, { ["pool-fail"] = "fltmgr.sys:0:1000000:FtWi" })
