-- SPDX-License-Identifier: GPL-2.0-or-later
-- The disk's way, from handles to the controller: transfers of every size, errors, delays, cancellation, time-outs.
local size = 4 * 1024 * 1024
local image = fltvm.temp("storage.raw")
local file = assert(io.open(image, "wb"))
file:write(string.rep("\0", size))
file:close()
local vm = fltvm.machine{ cpus = 4, disks = { { image = image, writable = true } } }

local function pattern(first, bytes)
  local words = {}
  for i = 0, bytes // 4 - 1 do words[#words + 1] = string.pack("<I4", (first + i) * 2654435761 & 0xFFFFFFFF) end
  return table.concat(words)
end

local volume = vm:open("\\Device\\HarddiskVolume1")
expect_equal(#volume:read(0, 512), 512, "the smallest read")

-- What is written is read back: within a page, over a page's end, over a list of segments, over several commands.
for _, bytes in ipairs{ 512, 4096, 4096 + 512, 65536, 1024 * 1024, 3 * 1024 * 1024 } do
  local data = pattern(bytes, bytes)
  expect_equal(volume:write(512, data), bytes, "write " .. bytes .. " bytes")
  expect(volume:read(512, bytes) == data, "read " .. bytes .. " bytes back")
end
volume:flush()
expect_equal(#volume:read(size - 512, 512), 512, "the last sector")

-- What is no sector is refused, nothing is transferred.
expect_status("STATUS_INVALID_PARAMETER", function() volume:read(100, 512) end)
expect_status("STATUS_INVALID_PARAMETER", function() volume:read(0, 100) end)
expect_status("STATUS_INVALID_PARAMETER", function() volume:read(size, 512) end)
expect_status("STATUS_INVALID_PARAMETER", function() volume:read(size - 512, 1024) end)

-- Many at once, from several threads, on an asynchronous handle.
local async = vm:open("\\Device\\HarddiskVolume1", { async = true })
local data = pattern(7, 256 * 4096)
volume:write(0, data)
local reads = {}
for i = 0, 255 do reads[i] = async:read_async(i * 4096, 4096) end
local same = true
for i = 0, 255 do same = same and reads[i]:wait() == data:sub(i * 4096 + 1, (i + 1) * 4096) end
expect(same, "256 reads at once each return their own data")

-- Errors come up as they are.
vm:fault{ op = "read", first = 8, last = 8, action = "error", status = "media_read" }
expect_status("STATUS_DEVICE_DATA_ERROR", function() volume:read(4096, 512) end)
expect_equal(#volume:read(0, 4096), 4096, "the sector before is read")
vm:clear_faults()
expect_equal(#volume:read(4096, 512), 512, "the sector is good again")

-- A command that never completes is aborted after its time, and the disk goes on.
vm:fault{ op = "read", nth = 1, count = 1, action = "never" }
local before = vm:time()
expect_status("STATUS_IO_TIMEOUT", function() volume:read(0, 512, { timeout = 100000 }) end)
expect(vm:time() - before > 29000, "it took the driver's time-out")
expect_equal(#volume:read(0, 512), 512, "the next read works")
vm:clear_faults()

-- Cancellation reaches a command that is with the controller.
vm:fault{ op = "read", nth = 1, count = 1, action = "never" }
local stuck = async:read_async(0, 4096)
vm:sleep(1)
expect(not stuck:done(), "the read is pending")
async:cancel()
expect_status("STATUS_CANCELLED", function() stuck:wait() end)
vm:clear_faults()
async:close()
volume:close()

-- The volume can be opened again.
volume = vm:open("\\??\\C:")
expect(volume:read(0, 4096) == data:sub(1, 4096), "through the drive letter")
volume:close()
