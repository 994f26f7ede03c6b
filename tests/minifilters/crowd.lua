-- SPDX-License-Identifier: GPL-2.0-or-later
-- Whatever programs can do with files and ports, by chance, four of them at once against the whole stack of test minifilters, while filters are loaded, unloaded,
-- attached, detached and listed, and programs are killed.  No bugcheck, no hang, nothing left of either pool, the volume sound.  FLTVM_TEST_LONG makes it
-- a million operations, of as many machines as that takes; FLTVM_TEST_SEED is the seed of the one machine to be run.
local LONG <const>, ONE <const> = os.getenv("FLTVM_TEST_LONG"), tonumber(os.getenv("FLTVM_TEST_SEED"))
local TARGET <const> = LONG and not ONE and 1000000 or 1
local PROGRAMS <const>, THREADS <const>, CALLS <const> = 4, 2, LONG and 2500 or 200
local ROUNDS <const> = LONG and 3 or 1
local VOLUME <const>, TIMEOUT <const> = [[\Device\HarddiskVolume1]], 300000
local ROOT <const> = VOLUME .. "\\"
local LOCK <const>, DISMOUNT <const> = 0x90018, 0x90020
local NAMES <const> = { "oplog", "journal", "hide", "pendq", "delwatch", "backup", "scan", "quota", "hsm", "crypt", "redirect", "nameprov" }
-- What the kernel and the disk's driver keep for requests to come, and how many bytes of it at most.
local KEPT <const> = { ["Irp "] = 128 << 10, ["Mdl "] = 8 << 10, Fhba = 512 << 10 }
local EXAMPLES <const> = { crypt = true, scan = true }

local function blank()
  local disk = fltvm.temp("disk.raw")
  local image = assert(io.open(disk, "wb"))
  image:write(string.rep("\0", 16 << 20))
  image:close()
  local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
  expect_equal(status, 0, output)
  return disk
end

-- A word that may be refused, but not fail otherwise.
local function try(call, ...)
  local fine, result = pcall(call, ...)
  if not fine and type(result) == "table" and result.status then return nil end
  if not fine then error(result, 0) end
  return result or true
end

local vm, filters, managed

local function load(name)
  local path = (EXAMPLES[name] and "../../examples/" .. name .. "/" or "") .. name
  filters[name] = vm:load{ inf = path .. ".inf", source = path .. ".c", timeout = TIMEOUT }
end
local function unload(name, mandatory)
  filters[name]:unload{ timeout = TIMEOUT, mandatory = mandatory }
  filters[name] = nil
end

-- What is done to filters, by chance.
local WAYS <const> = {
  function()
    local name = NAMES[math.random(#NAMES)]
    if filters[name] then unload(name, math.random(3) == 1) end
    vm:sleep(math.random(0, 8))
    load(name)
  end,
  function()
    local list = vm:instances()
    local one = list[math.random(#list)]
    if one and try(vm.detach, vm, { filter = one.filter, volume = one.volume, instance = one.name }) then
      vm:sleep(math.random(0, 4))
      try(vm.attach, vm, { filter = one.filter, volume = one.volume, instance = one.name, altitude = one.altitude })
    end
  end,
  function() try(vm.attach, vm, { filter = NAMES[math.random(#NAMES)], volume = VOLUME, instance = "more " .. math.random(3), altitude = tostring(math.random(100, 104)) }) end,
  function() try(vm.detach, vm, { filter = NAMES[math.random(#NAMES)], volume = VOLUME, instance = "more " .. math.random(3) }) end,
  function() return vm:fltmc() end,
  function() return vm:filters(), vm:instances(), vm:volumes(), vm:ports(), vm:work_items() end,
  function()
    local port = try(vm.port, vm, ({ [[\OplogPort]], [[\HsmPort]] })[math.random(2)])
    if not port then return end
    for _ = 1, 3 do try(port.send, port, string.pack("<I4I4", math.random(0, 3), 0), math.random(0, 512)) end
    port:close()
  end,
}

-- How many calls the programs have made since that line of the log: each its last word.
local function made(since)
  local most, sum = {}, 0
  for _, line in ipairs(vm:log(since)) do
    local who, calls = line:match("crowd (%d+%.%d+): (%d+) calls")
    if who then most[who] = tonumber(calls) end
  end
  for _, calls in pairs(most) do sum = sum + calls end
  return sum
end

local function round(seed)
  local programs = {}
  for n = 1, PROGRAMS do
    programs[n] = vm:process{ program = "crowd.c", timeout = TIMEOUT, name = ([[\crowd%d.exe]]):format(n), token = n == PROGRAMS and "limited" or nil,
      flags = { "-DSEED=" .. seed * 10 + n, "-DTHREADS=" .. THREADS, "-DCALLS=" .. CALLS } }
  end
  local victim = math.random(2 * PROGRAMS)
  for n = 1, CALLS // 10 do
    vm:sleep(math.random(0, 4))
    WAYS[math.random(#WAYS)]()
    managed = managed + 1
    if n == CALLS // 20 and programs[victim] then programs[victim]:kill(0xDEAD) end
  end
  for n, program in ipairs(programs) do
    local status = program:wait{ timeout = TIMEOUT }
    expect(status == 0x600D or n == victim, ("program %d ends by itself: 0x%X"):format(n, status))
  end
end

-- All filters go, and the volume is dismounted: what is there then.
local function idle()
  for _, name in ipairs(NAMES) do
    if filters[name] then unload(name) end
  end
  expect_equal({ #vm:filters(), #vm:instances(), vm:work_items().allocated, vm:work_items().operations }, { 0, 0, 0, 0 }, "no filter is left")
  local volume = vm:open(VOLUME, { timeout = TIMEOUT })
  volume:fsctl(LOCK)
  volume:fsctl(DISMOUNT)
  volume:close()
  vm:sleep(200)
  return vm:memory(), vm:pool()
end

local function whole(seed)
  local disk = blank()
  math.randomseed(seed)
  vm = fltvm.machine{ cpus = 3, memory = "96M", seed = seed, disks = { { image = disk, writable = true } } }
  filters, managed = {}, 0
  for _, name in ipairs{ "From", "To", "To\\Deep", "Vault", "Quota", "Data", "Data\\sub", "Backup", "Store", "Real" } do
    vm:open(ROOT .. name, { disposition = "create", options = "directory", access = "r" }):close()
  end
  local function load_all()
    for _, name in ipairs(NAMES) do
      if not filters[name] then load(name) end
    end
  end
  -- Once, so that what stays for good is there.
  load_all()
  vm:process{ program = "crowd.c", flags = { "-DSEED=1", "-DTHREADS=" .. THREADS, "-DCALLS=100" } }:wait{ timeout = TIMEOUT }
  local before, tags = idle()
  local calls = 0
  for n = 1, ROUNDS do
    local since = #vm:log()
    load_all()
    round(seed * 10 + n)
    calls = calls + made(since)
  end
  local after, now = idle()
  local kept = 0
  for tag, pool in pairs(now) do
    local had = tags[tag] and tags[tag].bytes or 0
    if KEPT[tag] and pool.bytes < KEPT[tag] then kept = kept + pool.bytes - had
    elseif pool.bytes ~= had then note(("seed %d: tag %s had %d bytes, has %d"):format(seed, tag, had, pool.bytes)) end
  end
  expect_equal(after.nonpaged - kept, before.nonpaged, ("seed %d: not a byte of nonpaged pool is left"):format(seed))
  expect_equal(after.paged, before.paged, ("seed %d: nor of paged pool"):format(seed))
  vm:shutdown()
  local output, status = fltvm.image{ "check", disk }
  expect_equal(status, 0, ("seed %d: the volume is sound: %s"):format(seed, output))
  note(("seed %d: %d calls of programs, %d of the filter manager"):format(seed, calls, managed))
  return calls + managed
end

local total, seed = 0, ONE or 1
while total < TARGET do
  total, seed = total + whole(seed), seed + 1
end
note(("%d operations"):format(total))
