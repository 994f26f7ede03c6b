-- SPDX-License-Identifier: GPL-2.0-or-later
-- A setup callback opens files of the volume that is just being mounted; whoever else opens one waits until all instances are set up,
-- and every filter sees every create.
local VOLUME = [[\Device\HarddiskVolume1]]
local folder = fltvm.temp("files")
expect_equal(select(2, fltvm.host{ "mkdir", folder }), 0)
local file = assert(io.open(folder .. "/settings.txt", "wb"))
file:write("sixteen bytes !!")
file:close()
local disk = fltvm.temp("disk.raw")
local output, status = fltvm.image{ "ntfs", disk, "16M", "--files", folder }
expect_equal(status, 0, output)

local function machine(way, more)
  local options = { cpus = 2, disks = { { image = disk } } }
  for key, value in pairs(more or {}) do options[key] = value end
  local vm = fltvm.machine(options)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\opening]], "Way", way)
  return vm, vm:load{ source = "opening.c", altitude = "200" }
end

local WAYS = { [0] = "below the instance", "below it, in a work item", "from the top" }
for way = 0, #WAYS do
  for _, verifier in ipairs{ "1", "0" } do
    local vm, filter = machine(way, { options = { verifier = verifier } })
    expect_equal(#vm:volumes(), 0, "nothing is mounted yet")
    local opened = vm:open(VOLUME .. [[\settings.txt]], { access = "r", timeout = 5000 })
    vm:expect_log("^opening: setup flags 5", "a newly mounted volume")
    vm:expect_log("^opening: status 0x00000000, 16 bytes", WAYS[way] .. ": the setup callback has read the file")
    expect_equal(opened:read(0, 16), "sixteen bytes !!")
    opened:close()
    filter:unload()
    vm:expect_log("^opening: 1 creates seen", "that which brought the mount")
    filter = vm:load{ source = "opening.c", altitude = "200" }
    vm:expect_log("^opening: setup flags 1", "a volume that is there already")
    vm:expect_log("^opening: status 0x00000000, 16 bytes", WAYS[way] .. ", also there")
    filter:unload()
    vm:expect_log("^opening: 0 creates seen", "its own come by no instance that is being set up")
  end
end

-- Programs that race for the first open, and for the first question by name, which is no way past the filters: each is seen once.
for _, does in ipairs{ "OPEN", "ASK" } do
  local vm, filter = machine(0, { cpus = 4 })
  local processes = {}
  for n = 1, 4 do processes[n] = vm:process{ program = "opener.c", flags = { "-D" .. does } } end
  for n = 1, 4 do expect_equal(processes[n]:wait(), 0, does) end
  vm:expect_log("^opening: setup flags 5", "set up once")
  filter:unload()
  vm:expect_log("^opening: 4 creates seen", does .. ": who comes during the setup waits for it")
end
