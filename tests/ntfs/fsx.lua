-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files that a driver reads and writes in every way at random, through a filter, are what their models say, and what ntfs-3g's tools find after
-- the machine has been shut down: by four threads of one process, by four processes, and while memory of the file system's fails now and then.
-- With FLTVM_TEST_LONG 100,000 steps each.
local LONG <const> = os.getenv("FLTVM_TEST_LONG")
local function tool(...)
  local output, status = fltvm.host{ ... }
  expect_equal(status, 0, table.concat({ ... }, " "))
  return output
end
local function image(...)
  local output, status = fltvm.image{ ... }
  expect_equal(status, 0, table.concat({ ... }, " ") .. ": " .. output)
end

local number = 0
local function run(what, steps, settings)
  number = number + 1
  local disk = fltvm.temp("disk" .. number .. ".raw")
  image("ntfs", disk, "12M", "--cluster", settings.cluster or "4K")
  -- Little memory: pages are taken away all the time.
  local vm = fltvm.machine{ cpus = 4, memory = "24M", disks = { { image = disk, writable = true } }, options = settings.options }
  vm:open("\\Device\\HarddiskVolume1\\", { access = "r", options = "directory" }):close()
  vm:load{ source = "../bench/passthrough.c", altitude = "370030" }
  local flags = { "-DSTEPS=" .. (LONG and 25000 or steps) }
  if settings.options then flags[#flags + 1] = "-DFAILING=1" end
  if settings.processes then
    local ids = {}
    for n = 1, 4 do ids[n] = ("%d"):format(vm:process{ name = "fsx" .. n }:id()) end
    flags[#flags + 1] = "-DPROCESSES={" .. table.concat(ids, ",") .. "}"
  end
  vm:load{ source = "fsx.c", timeout = LONG and 20000000 or 600000, flags = flags }
  local files, again = {}, 0
  for _, line in ipairs(vm:log()) do
    again = again + (tonumber(line:match("^fsx: %S+: (%d+) calls were made again")) or 0)
    local name, taken, all, bytes, hash = line:match("^fsx: (%S+): (%d+) steps of (%d+), (%d+) bytes, (%x+)")
    if name then
      expect_equal(taken, all, what .. ", " .. name .. ": every step has been taken")
      files[#files + 1] = { name = name, size = tonumber(bytes), sum = hash }
    end
  end
  expect_equal(#files, 4, what .. ": the files' threads have ended")
  if settings.options then expect(again > 0, what .. ": " .. again .. " calls were made again") end
  vm:shutdown()

  for _, file in ipairs(files) do
    local bytes = tool("ntfscat", disk, file.name)
    local hash = 0xCBF29CE484222325
    for i = 1, #bytes do hash = (hash ~ bytes:byte(i)) * 0x100000001B3 end
    expect_equal(#bytes, file.size, file.name .. ": its size on the disk")
    expect_equal(("%016X"):format(hash), file.sum, file.name .. ": and every byte")
  end
  tool("ntfsfix", "-n", disk)
  image("check", disk)
end

run("threads", 1500, {})
run("processes", 500, { processes = true, cluster = "512" })
for _, skip in ipairs{ 1200, 5000 } do
  run("failing from allocation " .. skip .. " on", 300, { processes = true, options = { ["pool-fail"] = "ntfs.sys:" .. skip .. ":25" } })
end
