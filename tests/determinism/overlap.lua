-- SPDX-License-Identifier: GPL-2.0-or-later
-- Commands to the same blocks, sent one behind the other and under way together: each sees what was sent before it.
local vm = fltvm.machine { trace = true, disks = { { image = os.getenv("FLTVM_TEST_DISK") } } }
local volume = vm:open([[\Device\HarddiskVolume1]], { async = true })
for round = 0, 7 do
  local offset, operations = round * 16384, {}
  local first, second = ("a"):rep(8192), ("b"):rep(4096)
  operations[1] = volume:write_async(offset, first, { thread = 1 })
  operations[2] = volume:read_async(offset + 4096, 8192, { thread = 1 })
  operations[3] = volume:write_async(offset + 4096, second, { thread = 1 })
  operations[4] = volume:read_async(offset + 4096, 4096, { thread = 1 })
  local read = {}
  for i, operation in ipairs(operations) do read[i] = operation:wait() end
  expect_equal(read[2], ("a"):rep(4096) .. ("\0"):rep(4096), "a read sees the write that was sent before it, not the one behind it")
  expect_equal(read[4], second, "a read sees the last write before it")
end
