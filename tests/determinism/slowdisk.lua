-- SPDX-License-Identifier: GPL-2.0-or-later
-- Reads, writes and flushes on a disk whose host takes FLTVM_TEST_LATENCY ns for each, beside a fast one, from several
-- threads.  slowdisk.py compares the traces.
local latency = os.getenv("FLTVM_TEST_LATENCY") or "0"
local vm = fltvm.machine {
  cpus = 4, trace = true, disks = { { size = "1M" } },
  qemu = { "-drive", "if=none,id=slow,driver=null-co,read-zeroes=on,size=1M,latency-ns=" .. latency,
    "-device", "fltvm-hba,drive=slow,addr=9.0" },
}
local fast = vm:open([[\Device\HarddiskVolume1]], { async = true })
local slow = vm:open([[\Device\HarddiskVolume2]], { async = true })
for round = 0, 3 do
  local operations = {}
  for i = 0, 5 do
    local offset = (6 * round + i) * 4096
    operations[#operations + 1] = slow:read_async(offset, 4096, { thread = 1 + i % 3 })
    operations[#operations + 1] = fast:read_async(offset, 512, { thread = 4 })
    operations[#operations + 1] = slow:write_async(offset, string.rep("x", 512), { thread = 5 })
  end
  for _, operation in ipairs(operations) do operation:wait() end
  slow:flush()
end
expect(true, "all of it is done")
