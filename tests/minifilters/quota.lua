-- SPDX-License-Identifier: GPL-2.0-or-later
-- The quota keeper on NTFS: writes, sizes and copies that would be too much, what is given back, what was there before, programs that race for the rest.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local VOLUME = "\\Device\\HarddiskVolume1"
local ROOT = VOLUME .. "\\"
local LIMIT = 65536
vm:open(ROOT .. "Quota", { disposition = "create", options = "directory", access = "r" }):close()
local function write(name, at, bytes, options)
  options = options or {}
  options.disposition = "open_if"
  local file = vm:open(ROOT .. name, options)
  local ok, problem = pcall(file.write, file, at, bytes)
  local size = string.unpack("<i8", file:query(5, 24):sub(9))
  file:close()
  return ok and "ok" or problem.name, size
end
write("Quota\\before.dat", 0, ("b"):rep(10000))
local filter = vm:load{ inf = "quota.inf", source = "quota.c" }
vm:expect_log("quota: 10000 of 65536 bytes are used", "what was there before counts")

expect_equal({ write("Quota\\a.dat", 0, ("a"):rep(50000)) }, { "ok", 50000 }, "there is room")
expect_equal({ write("Quota\\b.dat", 0, ("b"):rep(6000)) }, { "STATUS_DISK_FULL", 0 }, "too much")
expect_equal({ write("Quota\\b.dat", 0, ("b"):rep(5000)) }, { "ok", 5000 }, "less is not")
expect_equal({ write("Quota\\b.dat", 0, ("c"):rep(5000)) }, { "ok", 5000 }, "what is there may be written over")
expect_equal({ write("Quota\\b.dat", 4096, ("c"):rep(4096), { buffered = false }) }, { "STATUS_DISK_FULL", 5000 }, "past the cache")
expect_equal({ write("elsewhere.dat", 0, ("b"):rep(100000)) }, { "ok", 100000 }, "elsewhere nobody counts")

local file = vm:open(ROOT .. "Quota\\b.dat", { access = "rw delete" })
expect_status("STATUS_DISK_FULL", function() file:set_information("end_of_file", { size = 10000 }) end)
expect_status("STATUS_DISK_FULL", function() file:set_information("allocation", { size = 10000 }) end)
file:set_information("end_of_file", { size = 100 })
expect_equal({ write("Quota\\c.dat", 0, ("c"):rep(5000)) }, { "ok", 5000 }, "what was cut is free")
file:delete()
file:close()
expect_equal({ write("Quota\\d.dat", 0, ("d"):rep(536)) }, { "ok", 536 }, "what was deleted is free")
expect_equal({ write("Quota\\d.dat", 536, "d") }, { "STATUS_DISK_FULL", 536 }, "to the last byte")
file = vm:open(ROOT .. "Quota\\a.dat", { disposition = "overwrite" })
file:close()
expect_equal({ write("Quota\\a.dat", 0, ("a"):rep(30000)) }, { "ok", 30000 }, "what was overwritten")
vm:detach{ filter = "quota", volume = VOLUME }
vm:expect_log("quota: 45536 bytes at the end, 5 refused", "the account")
vm:attach{ filter = "quota", volume = VOLUME }
vm:expect_log("quota: 45536 of 65536 bytes are used", "is found again by a walk")

-- Four programs, each of which wants 9000 bytes; two of them find room.
local processes, ok, full = {}, 0, 0
for n = 1, 4 do processes[n] = vm:process{ program = "fill.c", flags = { "-DWORKER=" .. n } } end
for n = 1, 4 do
  local result = processes[n]:wait()
  if result == 0 then ok = ok + 1 elseif result == 0xC000007F then full = full + 1 end
end
expect_equal({ ok, full }, { 2, 2 }, "nobody gets more than there is")
filter:unload()
vm:expect_log("quota: 63536 bytes at the end, 2 refused", "and the account is right")
