-- SPDX-License-Identifier: GPL-2.0-or-later
-- Reads held in a cancel-safe queue on NTFS: brought on by a worker, cancelled, ended with their handle, drained by detach and unload.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local VOLUME = "\\Device\\HarddiskVolume1"
local ROOT = VOLUME .. "\\"
for _, name in ipairs{ "a.slow", "b.slow", "fast.txt" } do
  local file = vm:open(ROOT .. name, { disposition = "create" })
  file:write(0, name:rep(1000))
  file:close()
end
local filter = vm:load{ inf = "pendq.inf", source = "pendq.c", flags = { "-DDELAY=5" } }
local function open(name, options)
  options = options or {}
  options.access, options.async = "r", true
  return vm:open(ROOT .. name, options)
end

local before = vm:time()
local file = open("fast.txt")
expect_equal(file:read(0, 8), "fast.txt", "not held")
file:close()
expect(vm:time() - before < 5, "at once")

file = open("a.slow")
before = vm:time()
expect_equal(file:read(0, 6), "a.slow", "held, cached")
expect(vm:time() - before >= 5, "for a while")
local past = open("b.slow", { buffered = false })
local operations = {}
for n = 1, 6 do
  local from = n % 2 == 0 and past or file
  operations[n] = from:read_async(0, n % 2 == 0 and 512 or 6, { thread = n })
end
for n = 1, 6 do
  local bytes = operations[n]:wait()
  expect_equal(bytes:sub(1, 6), n % 2 == 0 and "b.slow" or "a.slow", "six at once, both ways: " .. n)
end

file:close()
past:close()
filter:unload()
vm:expect_log("pendq: 7 held, 0 cancelled", "none was lost")

-- So slow that what is held stays held.
local function load()
  return vm:load{ inf = "pendq.inf", source = "pendq.c", flags = { "-DDELAY=2000" } }
end
filter = load()
file, past = open("a.slow"), open("b.slow")
local held = {}
for n = 1, 4 do held[n] = file:read_async(n * 6, 6, { thread = n }) end
local other = past:read_async(0, 6, { thread = 5 })
vm:sleep(2)
past:cancel()
expect_status("STATUS_CANCELLED", function() other:wait() end, "one is cancelled")
expect(not held[1]:done(0), "not those of another handle")
other = past:read_async(0, 6, { thread = 5 })
vm:sleep(2)
past:close()
expect_status("STATUS_CANCELLED", function() other:wait() end, "another goes with its handle")
vm:detach{ filter = "pendq", volume = VOLUME }
for n = 1, 4 do expect_equal(held[n]:wait(), "a.slow", "drained by the detach: " .. n) end
expect_equal(file:read(0, 6), "a.slow", "without the filter")
vm:attach{ filter = "pendq", volume = VOLUME }
held = file:read_async(0, 6, { thread = 1 })
vm:sleep(2)
expect(not held:done(0), "attached again it holds")
filter:unload()
expect_equal(held:wait(), "a.slow", "drained by the unload")
vm:expect_log("pendq: 7 held, 2 cancelled", "all are counted")
file:close()

-- A program that ends while its read is held.
filter = load()
local process = vm:process{ program = "../../examples/scan/touch.c", flags = { '-DNAME=L"a.slow"' } }
vm:sleep(30)
process:kill(0xC000013A)
expect_equal(process:wait(), 0xC000013A, "it ends")
filter:unload()
vm:expect_log("pendq: 1 held, 1 cancelled", "and its read")
