-- SPDX-License-Identifier: GPL-2.0-or-later
-- I/O that a filter makes itself: its own callback data, reads and writes of all kinds, and what is left of them.
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local VOLUME = [[\Device\HarddiskVolume1]]
local DATA, ASYNCHRONOUS, CANCEL, TRANSFERS, OFFSETS, PARAMETERS, SYNCHRONOUS, LOCKING, NO_MEMORY = 1, 2, 3, 4, 5, 6, 7, 8, 9
local image = fltvm.temp("issuing.raw")
local file = assert(io.open(image, "wb"))
for block = 0, 63 do file:write(string.rep(string.char(65 + block % 26), 4096)) end
file:close()

local from
local plan = 159
local function lines(pattern)
  local found, log = {}, fltvm.log()
  for i = from + 1, #log do found[#found + 1] = log[i]:match(pattern) end
  return found
end
local function live(pools, tag) return pools[tag] and pools[tag].allocations - pools[tag].frees or 0 end

local function run(part, async, options, test)
  from = #fltvm.log()
  local vm = fltvm.machine { disks = { { image = image } }, options = options }
  vm:set_registry(SERVICES .. "issuing", "Part", part)
  vm:set_registry(SERVICES .. "issuing", "Plan", plan)
  plan = 0 -- the first driver announces the checks of all
  local volume = vm:open(VOLUME, { async = async })
  local above = vm:load { source = "issuing.c", altitude = "300" }
  local below = vm:load { source = "issuing.c", name = "below", altitude = "200" }
  if part == CANCEL then vm:fault { op = "read", action = "never", first = 128, last = 136 } end
  local before = vm:pool()
  volume:flush()
  expect_equal(lines("^issuing: part (%d) is done"), { tostring(part) }, "part " .. part .. " is done")
  local after = vm:pool()
  for _, tag in ipairs { "FtCd", "FtTr", "Test" } do
    expect_equal(live(after, tag), live(before, tag), "part " .. part .. " leaves no " .. tag)
  end
  for _, tag in ipairs { "Irp ", "Mdl " } do -- some rest
    expect(live(after, tag) < live(before, tag) + 300, "part " .. part .. " leaves no " .. tag)
  end
  if test then test(vm, volume) end
  vm:clear_faults()
  volume:close() above:unload() below:unload()
  expect_equal(vm:work_items().operations, 0)
  vm:shutdown()
end

for _, async in ipairs { false, true } do
  run(DATA, async)
  run(OFFSETS, async, nil, function()
    local seen = lines("^below: at (%d+)")
    if async then
      expect_equal(seen, { "4096", "4096", "4096", "4096" }, "an asynchronous file does not move")
    else
      expect_equal(#seen, 12)
      for i, at in ipairs(seen) do
        local explicit = (i - 1) % 6 == 2 or (i - 1) % 6 == 3
        expect_equal(at, explicit and "8704" or "4608", "those below see it moved, also when it is put back")
      end
    end
  end)
  run(SYNCHRONOUS, async)
end
run(ASYNCHRONOUS)
run(CANCEL)
run(TRANSFERS, false, nil, function()
  expect_equal(lines("^below: flush generated (%d)"), { "1", "0" }, "FltFlushBuffers goes below only, and before the one that it is called for")
  expect_equal(lines("^below: read length 512 key 0x1234") [1] ~= nil, true, "the key of FltReadFileEx")
  expect_equal(lines("^below: write length 512 key 0x1234") [1] ~= nil, true, "the key of FltWriteFileEx")
end)
run(PARAMETERS)
run(LOCKING, false, nil, function(vm, volume)
  expect_equal(lines("^below: lock of 7 (.*)")[1], "0x00000000 0x00000000 mdl 1 dirty 1", "the buffer of IRP_MJ_QUERY_EA")
  expect_equal(lines("^below: lock of 20 (.*)")[1], "0x00000000 0x00000000 mdl 1 dirty 1", "of IRP_MJ_QUERY_SECURITY")
  expect_equal(lines("^below: lock of 5 (.*)")[1], "0xC000000D 0xC000000D mdl 0 dirty 0", "IRP_MJ_QUERY_INFORMATION has no MDL")
  expect_equal(lines("^below: lock of 7 (0x%x+ 0x%x+) mdl 0 dirty 0")[1], "0xC0000005 0xC0000005", "a buffer that is not there")
  local before = live(vm:pool(), "Mdl ")
  for i = 1, 20 do volume:flush() end
  expect(live(vm:pool(), "Mdl ") <= before + 2, "no MDL is left of 60: " .. before .. " before, " .. live(vm:pool(), "Mdl ") .. " after")
end)

-- Each allocation of the filter manager for a request fails once: the caller is told, nothing is called, nothing is left.
-- A block's failure comes after the request is made, which then comes back; the first block is that of the flush itself.
for _, rule in ipairs { "0:1:FtCd", "1:1:FtCd", "2:1:FtCd", "0:1:FtTr", "1:1:FtTr", "1:1:FtOp" } do
  run(NO_MEMORY, false, { ["pool-fail"] = "fltmgr.sys:" .. rule }, function()
    local failed = 0
    for _, status in ipairs(lines("^issuing: read (0x%x+)")) do
      if status == "0xC000009A" then failed = failed + 1 else expect_equal(status, "0x00000000") end
    end
    for _, line in ipairs(lines("^issuing: callback (.*)")) do
      if line:find("^0xC000009A") then
        failed = failed + 1
        expect_equal(line, "0xC000009A calls 0", "a callback is for what was begun")
      else
        expect_equal(line, "0x00000103 calls 1")
      end
    end
    expect_equal(failed, 1, rule .. ": one fails, by STATUS_INSUFFICIENT_RESOURCES")
  end)
end
