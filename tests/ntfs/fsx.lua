-- SPDX-License-Identifier: GPL-2.0-or-later
-- A file that a driver reads and writes in every way at random is what its model says, and what ntfs-3g's tools find after the
-- machine has been shut down.
local function tool(...)
  local output, status = fltvm.host{ ... }
  expect_equal(status, 0, table.concat({ ... }, " "))
  return output
end
local disk = fltvm.temp("disk.raw")
local file = assert(io.open(disk, "wb"))
file:write(string.rep("\0", 12 << 20))
file:close()
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)

local vm = fltvm.machine{ cpus = 2, disks = { { image = disk, writable = true } } }
vm:load{ source = "fsx.c", timeout = 600000 }
vm:expect_log("fsx: 4000 steps of 4000", "every step has been taken")
local size, sum
for _, line in ipairs(vm:log()) do
  local bytes, hash = line:match("^fsx: (%d+) bytes, (%x+)")
  if bytes then size, sum = tonumber(bytes), hash end
end
vm:shutdown()

local bytes = tool("ntfscat", disk, "fsx.dat")
expect_equal(#bytes, size, "its size on the disk")
local hash = 0xCBF29CE484222325
for i = 1, #bytes do hash = (hash ~ bytes:byte(i)) * 0x100000001B3 end
expect_equal(("%016X"):format(hash), sum, "and every byte")
tool("ntfsfix", "-n", disk)
