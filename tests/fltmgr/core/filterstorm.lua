-- SPDX-License-Identifier: GPL-2.0-or-later
-- Filters come and go, by hand and altogether, while reads from several threads are on their way through them: every
-- read returns its own data, nothing is left behind.
local VOLUME = [[\Device\HarddiskVolume1]]
local image = fltvm.temp("filterstorm.raw")
local file = assert(io.open(image, "wb"))
for block = 0, 255 do file:write(string.rep(string.char(65 + block % 26), 4096)) end
file:close()
local vm = fltvm.machine { cpus = 4, disks = { { image = image } } }
local volume = vm:open(VOLUME, { async = true })

local modes = { stay = 0, sync = 2, pend = 3, defer = 4, post = 8, safe = 9, safepend = 10 }
local names = { "stay", "sync", "pend", "defer", "post", "safe", "safepend" }
local filters = {}
local function load(i)
  local name = names[i]
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\]] .. name, "Mode", modes[name])
  filters[i] = vm:load { source = "../operation/probe.c", name = name, altitude = tostring(1000 * i) }
end
for i = 1, #names do load(i) end

local good, all = 0, 0
for round = 1, 12 do
  local reads = {}
  for i = 1, 48 do
    local block = (round * 48 + i) % 256
    reads[i] = { block, volume:read_async(block * 4096, 4096, { thread = i % 4 }) }
  end
  -- Meanwhile one is detached and attached again, and one unloaded and loaded again.
  local one, other = round % 6 + 2, (round + 3) % 6 + 2
  vm:detach { filter = names[one], volume = VOLUME }
  filters[other]:unload()
  load(other)
  vm:attach { filter = names[one], volume = VOLUME }
  for _, read in ipairs(reads) do
    all = all + 1
    if read[2]:wait() == string.rep(string.char(65 + read[1] % 26), 4096) then good = good + 1 end
  end
end
expect_equal(good, all, "every read returned its data")
expect_equal(#vm:instances(), #names, "every filter is attached")
for i = #names, 1, -1 do filters[i]:unload() end
expect_equal(vm:work_items().allocated, 0, "no work item is left")
expect_equal(vm:work_items().operations, 0, "no operation is left")
expect_equal(#vm:filters(), 0, "no filter is left")
