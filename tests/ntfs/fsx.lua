-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files that a driver reads and writes in every way at random are what their models say, and what ntfs-3g's tools find after the
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

-- Little memory: pages are taken away all the time.
local vm = fltvm.machine{ cpus = 4, memory = "24M", disks = { { image = disk, writable = true } } }
vm:load{ source = "fsx.c", timeout = 600000 }
local files = {}
for _, line in ipairs(vm:log()) do
  local name, steps, all, bytes, hash = line:match("^fsx: (%S+): (%d+) steps of (%d+), (%d+) bytes, (%x+)")
  if name then
    expect_equal(steps, all, name .. ": every step has been taken")
    files[#files + 1] = { name = name, size = tonumber(bytes), sum = hash }
  end
end
expect_equal(#files, 4, "the files' threads have ended")
vm:shutdown()

for _, file in ipairs(files) do
  local bytes = tool("ntfscat", disk, file.name)
  local hash = 0xCBF29CE484222325
  for i = 1, #bytes do hash = (hash ~ bytes:byte(i)) * 0x100000001B3 end
  expect_equal(#bytes, file.size, file.name .. ": its size on the disk")
  expect_equal(("%016X"):format(hash), file.sum, file.name .. ": and every byte")
end
tool("ntfsfix", "-n", disk)
