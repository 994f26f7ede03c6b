-- SPDX-License-Identifier: GPL-2.0-or-later
-- The change recorder on NTFS: its journal as ntfs-3g reads it, records by reason, several handles, streams of one file, unloaded while it writes.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local filter = vm:load{ inf = "journal.inf", source = "journal.c" }
local OVERWRITE, TRUNCATE, CREATE, DELETE, RENAME, BASIC = 1, 4, 0x100, 0x200, 0x2000, 0x8000

local function journal()
  vm:sleep(20)
  local file = vm:open(ROOT .. "Journal.log", { access = "r" })
  local text = file:read(0, 65536)
  file:close()
  local records = {}
  for reasons, name in text:gmatch("(%x+) (.-)\n") do records[#records + 1] = { name = name:sub(#ROOT + 1), reasons = tonumber(reasons, 16) } end
  return records
end

local file = vm:open(ROOT .. "a.txt", { disposition = "create", access = "rw delete" })
file:write(0, "hello")
file:close()
file = vm:open(ROOT .. "a.txt")
file:read(0, 5)
file:close()
file = vm:open(ROOT .. "a.txt", { disposition = "overwrite" })
file:close()
file = vm:open(ROOT .. "a.txt", { access = "rw delete" })
file:set_information("basic", { attributes = "hidden archive" })
file:set_information("end_of_file", { size = 3 })
file:rename("b.txt")
file:close()
expect_equal(journal(), { { name = "a.txt", reasons = CREATE | OVERWRITE }, { name = "a.txt", reasons = TRUNCATE },
  { name = "b.txt", reasons = BASIC | TRUNCATE | RENAME } }, "one record for each that has changed something")

-- Handles and streams of one file share what has changed; whoever goes first tells it.
file = vm:open(ROOT .. "b.txt", { access = "rw delete" })
local stream = vm:open(ROOT .. "b.txt:more", { disposition = "create" })
stream:write(0, "more")
file:close()
stream:close()
local records = journal()
expect_equal(#records, 4, "told once")
expect_equal(records[4], { name = "b.txt", reasons = CREATE | OVERWRITE }, "by the handle that went first, under its name")
file = vm:open(ROOT .. "b.txt", { access = "rw delete" })
file:delete()
file:close()
expect_equal(journal()[5], { name = "b.txt", reasons = DELETE }, "deleted")

-- Work of four programs, and the filter goes in the middle of it and comes back.
local processes = {}
for n = 1, 4 do processes[n] = vm:process{ program = "load.c", flags = { "-DROUNDS=10", "-DWORKER=" .. n } } end
for _ = 1, 4 do
  vm:sleep(30)
  filter:unload()
  filter = vm:load{ inf = "journal.inf", source = "journal.c" }
end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0x600D, "program " .. n) end
filter:unload()
local _, written = nil, 0
for _, line in ipairs(vm:log()) do
  expect(not line:find("a record is lost", 1, true), "no record is lost")
  written = written + tonumber(line:match("journal: (%d+) records") or 0)
end
vm:shutdown()
local bytes
bytes, status = fltvm.host{ "ntfscat", "-f", "-q", disk, "Journal.log" }
expect_equal(status, 0, "ntfs-3g reads it")
local _, lines = bytes:gsub("\n", "")
expect_equal(lines, written, "as many as were written")
expect(lines > 60, "many")
