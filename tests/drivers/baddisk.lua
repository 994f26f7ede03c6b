-- SPDX-License-Identifier: GPL-2.0-or-later
-- Disks that err: each status of the controller arrives as the NTSTATUS that Windows has for it, at the right request,
-- and the disk goes on; host disks that err; a disk that cannot be written; a full queue whose commands all err.

local BLOCK = 512
local vm = fltvm.machine { cpus = 4, disks = { { size = "1M", device = { ["read-ns"] = 1000000 } } } }
local volume = vm:open([[\Device\HarddiskVolume1]])
local sector = string.rep("x", BLOCK)

local operations = {
  read = function() return volume:read(0, BLOCK) end,
  write = function() return volume:write(0, sector) end,
  flush = function() return volume:flush() end,
}
local statuses = {
  media_read = "STATUS_DEVICE_DATA_ERROR",
  media_write = "STATUS_IO_DEVICE_ERROR",
  write_protected = "STATUS_MEDIA_WRITE_PROTECTED",
  no_space = "STATUS_DISK_FULL",
  device_fault = "STATUS_IO_DEVICE_ERROR",
}
for _, op in ipairs { "read", "write", "flush" } do
  for _, status in ipairs { "media_read", "media_write", "write_protected", "no_space", "device_fault" } do
    vm:fault { op = op, nth = 2, count = 1, action = "error", status = status }
    operations[op]()
    expect_status(statuses[status], operations[op], ("%s: %s, the second time"):format(op, status))
    operations[op]()
    vm:clear_faults()
  end
end

-- What is written and fails has not been written; beside the range nothing errs.
volume:write(0, string.rep("a", 8 * BLOCK))
vm:fault { op = "write", first = 3, last = 4, action = "error", status = "media_write" }
expect_status("STATUS_IO_DEVICE_ERROR", function() volume:write(2 * BLOCK, string.rep("b", 2 * BLOCK)) end, "a write that touches the range")
expect_equal(volume:write(5 * BLOCK, sector), BLOCK, "a write behind the range")
expect_equal(volume:write(2 * BLOCK, sector), BLOCK, "a write before the range")
vm:clear_faults()

-- A delay: the request takes it on top, and nothing else changes.
vm:fault { op = "read", nth = 1, count = 1, action = "delay", delay = 250 }
local before = vm:time()
volume:read(0, BLOCK)
expect(vm:time() - before >= 250, "the delayed read takes 250 ms")
vm:clear_faults()
before = vm:time()
volume:read(0, BLOCK)
expect(vm:time() - before < 100, "the next one does not")

-- Sixty at once, of which every one from the 11th to the 40th errs, from three threads.
local async = vm:open([[\Device\HarddiskVolume1]], { async = true })
local rule = vm:fault { op = "read", nth = 11, count = 30, action = "error", status = "media_read" }
local reads, failed = {}, 0
for i = 0, 59 do reads[i] = async:read_async(i * BLOCK, BLOCK, { thread = 1 + i % 3 }) end
for i = 0, 59 do
  local good, problem = pcall(function() return reads[i]:wait() end)
  if not good then
    failed = failed + 1
    expect_equal(problem.name, "STATUS_DEVICE_DATA_ERROR", "a read of the sixty that fails says why")
  end
end
expect_equal(failed, 30, "thirty of the sixty fail")
vm:clear_faults()
async:close()
volume:close()

-- A command that never ends, nor does its abort: the controller is reset, and the request has timed out.
local stuck = fltvm.machine { disks = { { size = "1M", device = {
  faults = "op=read:lba=100-100:count=1:do=never;op=abort:count=1:do=never" } } } }
local dead = stuck:open([[\Device\HarddiskVolume1]])
before = stuck:time()
expect_status("STATUS_IO_TIMEOUT", function() dead:read(100 * BLOCK, BLOCK, { timeout = 200000 }) end, "whose abort is lost as well")
expect(stuck:time() - before > 30000, "after the time of both")
expect_equal(#dead:read(100 * BLOCK, BLOCK), BLOCK, "the disk goes on")
dead:close()
stuck:shutdown()

-- A host disk that errs, and one that cannot be written.
local image = fltvm.temp("host.raw")
local file = assert(io.open(image, "wb"))
file:write(string.rep("\0", 1 << 20))
file:close()
for _, case in ipairs {
  { "read_aio", 5, "STATUS_DEVICE_DATA_ERROR", function(v) v:read(0, BLOCK) end, "the host cannot read" },
  { "write_aio", 5, "STATUS_IO_DEVICE_ERROR", function(v) v:write(0, sector) end, "the host cannot write" },
  { "write_aio", 28, "STATUS_DISK_FULL", function(v) v:write(0, sector) end, "the host's file system is full" },
} do
  local event, number, status, operation, what = table.unpack(case)
  local drive = ("if=none,id=bad,format=raw,file.driver=blkdebug,file.image.filename=%s,"):format(image)
    .. ("file.inject-error.0.event=%s,file.inject-error.0.errno=%d"):format(event, number)
  local bad = fltvm.machine { qemu = { "-drive", drive, "-device", "fltvm-hba,drive=bad" } }
  -- What mounts reads, too: the volume of a disk that cannot be read may not come up.
  local good, problem = pcall(function()
    local opened = bad:open([[\Device\HarddiskVolume1]], { buffered = false })
    operation(opened)
  end)
  expect(not good, what)
  expect_equal(problem.name, status, what .. ", and the guest knows")
  bad:shutdown()
end

local guarded = fltvm.machine { qemu = { "-drive", "if=none,id=ro,readonly=on,format=raw,file=" .. image,
  "-device", "fltvm-hba,drive=ro" } }
local read_only = guarded:open([[\Device\HarddiskVolume1]], { access = "r" })
expect_equal(#read_only:read(0, 4096), 4096, "a disk that is write-protected is read")
expect_status("STATUS_MEDIA_WRITE_PROTECTED", function()
  guarded:open([[\Device\HarddiskVolume1]]):write(0, sector)
end, "and not written")
