-- SPDX-License-Identifier: GPL-2.0-or-later
-- Reads all of a disk through three stacked filters, asynchronously from eight threads, then writes over the blocks of
-- one file through them.  real_image.py makes the images with other people's tools and looks at what became of them.

local image, sha256 = os.getenv("FLTVM_TEST_IMAGE"), os.getenv("FLTVM_TEST_SHA256")
local size = tonumber(os.getenv("FLTVM_TEST_SIZE"))
local vm = fltvm.machine{ cpus = 4, disks = { { image = image, writable = true } } }
for i, altitude in ipairs{ "140000", "260000", "385000" } do
  vm:load{ source = "../fltmgr/work/storm.c", name = "storm" .. i, altitude = altitude }
end
local volume = vm:open("\\Device\\HarddiskVolume1", { async = true })

local pieces, chunk <const> = {}, 0x10000
for first = 0, size - 1, chunk * 24 do
  local reads = {}
  for offset = first, math.min(first + chunk * 24, size) - 1, chunk do
    local length = math.min(chunk, size - offset)
    reads[#reads + 1] = volume:read_async(offset, length, { thread = #reads % 8 })
  end
  for _, read in ipairs(reads) do
    pieces[#pieces + 1] = read:wait()
  end
end
local bytes = table.concat(pieces)
expect_equal(#bytes, size, "the whole disk is read")
expect_equal(fltvm.sha256(bytes), sha256, "and is what the host has")

-- The marker file's blocks begin with their number.
local writes = {}
for block = 0, 15 do
  local mark = ("fltvm marker block %02d;"):format(block)
  local found = bytes:find(mark, 1, true)
  expect(found and (found - 1) % 512 == 0, mark .. " is on the disk")
  local new = ("FLTVM WRITTEN BLOCK %02d;"):format(block)
  new = new:rep(4096 // #new + 1):sub(1, 4096)
  writes[#writes + 1] = volume:write_async(found - 1, new, { thread = block % 8 })
end
for _, write in ipairs(writes) do
  expect_equal(write:wait(), 4096, "a block is written")
end
volume:flush()
volume:close()
for _, filter in ipairs(vm:filters()) do
  expect_equal(filter.instances, 1, filter.name .. " was attached")
end
expect_equal(vm:work_items().allocated, 0, "no work item is left")
