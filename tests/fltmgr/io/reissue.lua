-- SPDX-License-Identifier: GPL-2.0-or-later
-- FltReissueSynchronousIo: those below see the request again and say so, those above only its outcome; what it was sent
-- with may be changed; and each way to misuse it is found.
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local VOLUME = [[\Device\HarddiskVolume1]]
local ROOT = VOLUME .. "\\"

local function write_file(name, bytes)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end
local blocks = {}
for block = 0, 63 do blocks[block] = string.rep(string.char(65 + block % 26), 4096) end
local raw = write_file("reissue.raw", table.concat(blocks, "", 0))
local ntfs = write_file("ntfs.raw", string.rep("\0", 8 << 20))
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", ntfs }
expect_equal(status, 0, output)

local plan = 1872
local function machine(disk, options, values)
  local vm = fltvm.machine { disks = { disk }, options = options }
  for name, value in pairs(values or {}) do vm:set_registry(SERVICES .. "reissue", name, value) end
  vm:set_registry(SERVICES .. "reissue", "Part", 2)
  vm:set_registry(SERVICES .. "reissue", "Plan", plan)
  plan = 0 -- the first driver announces the checks of all
  vm:set_registry(SERVICES .. "refuse", "Part", 1)
  return vm
end
local function load(vm)
  return {
    vm:load { source = "reissue.c", name = "top", altitude = "300" },
    vm:load { source = "reissue.c", name = "reissue", altitude = "200" },
    vm:load { source = "reissue.c", name = "refuse", altitude = "150" },
  }
end
local function lines(vm, since, who, what)
  local found, log = {}, vm:log()
  for i = since + 1, #log do found[#found + 1] = log[i]:match("^" .. who .. ": (.*" .. what .. ".*)$") end
  return found
end

-- Creates of NTFS: a name that is not there, a reparse point, one that the filter has cancelled.
local vm = machine({ image = ntfs, writable = true })
local root = vm:open(ROOT, { access = "r", options = "directory" })
local filters = load(vm)
local since = #vm:log()
local file, action = vm:open(ROOT .. "made.txt", { access = "rw" })
expect_equal(action, "created", "the reissued create made it")
expect_equal(lines(vm, since, "refuse", "IRP_MJ_CREATE"), {
  "pre IRP_MJ_CREATE generated 0 reissued 0 dirty 0 status 0x00000000",
  "post IRP_MJ_CREATE generated 0 reissued 0 dirty 0 status 0xC0000034",
  "pre IRP_MJ_CREATE generated 0 reissued 1 dirty 0 status 0x00000000",
  "post IRP_MJ_CREATE generated 0 reissued 1 dirty 0 status 0xC0000034",
  "pre IRP_MJ_CREATE generated 0 reissued 1 dirty 0 status 0x00000000",
  "post IRP_MJ_CREATE generated 0 reissued 1 dirty 0 status 0x00000000",
}, "the filter below sees each")
expect_equal(lines(vm, since, "log", "IRP_MJ_CREATE"), {
  "pre IRP_MJ_CREATE generated 0 reissued 0 dirty 0 status 0x00000000",
  "post IRP_MJ_CREATE generated 0 reissued 0 dirty 0 status 0x00000000",
}, "the one above sees one")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "none.txt") end, "one that it leaves alone")
-- A tag of nobody's, with its GUID: FSCTL_SET_REPARSE_POINT.
file:fsctl(0x900A4, string.pack("<I4I2I2", 0x00000042, 4, 0) .. string.rep("g", 16) .. "data")
file:close()
since = #vm:log()
file = vm:open(ROOT .. "made.txt", { access = "r" })
expect_equal(#lines(vm, since, "refuse", "reissued 1"), 2, "a reparse point is opened itself by the second create")
expect_equal(file:information("attribute_tag").attributes:find("reparse_point", 1, true) ~= nil, true, "and it is one")
file:close()
local tags = vm:pool()
for i = 1, 5 do vm:open(ROOT .. "made.txt", { access = "r" }):close() end
vm:open(ROOT .. "other", { disposition = "create", access = "rw delete" }):rename("can")
since = #vm:log()
expect_status("STATUS_CANCELLED", function() vm:open(ROOT .. "can") end, "a create that was cancelled is not sent again")
expect_equal(#lines(vm, since, "refuse", "reissued 1"), 0, "nobody below sees it")
root:close()
for _, filter in ipairs(filters) do filter:unload() end
expect_equal(vm:work_items().operations, 0)
vm:shutdown()

-- Reads of the raw disk: synchronized, whatever those below do, with the request's buffer and with another one.
for _, swap in ipairs { 0, 1 } do
  for _, async in ipairs { false, true } do
    vm = machine({ image = raw }, nil, { Swap = swap })
    local volume = vm:open(VOLUME, { async = async })
    filters = load(vm)
    for _, length in ipairs { 512, 1024, 2048, 2560 } do
      since = #vm:log()
      expect_equal(volume:read(4096, length), string.rep("B", length), "read of " .. length)
      local seen = lines(vm, since, "refuse", "reissued 1")
      expect_equal(#seen, length == 2560 and 1 or 2, "below it is seen again")
      expect_equal(#lines(vm, since, "log", "IRP_MJ_READ"), 2, "and above once")
    end
    expect_status("STATUS_IO_DEVICE_ERROR", function() volume:read(0, 1536) end, "what the second time brought is the filter's to change")
    if swap == 0 and not async then volume:flush() end
    local before = vm:pool()
    for i = 1, 300 do volume:read(4096, 512) end
    local after = vm:pool()
    for _, tag in ipairs { "FtOp", "FtCd", "Test" } do
      local function live(pools) return pools[tag] and pools[tag].allocations - pools[tag].frees or 0 end
      expect_equal(live(after), live(before), "nothing is left of " .. tag)
    end
    local mdls = after["Mdl "] and after["Mdl "].allocations - after["Mdl "].frees or 0
    expect(mdls < 280, "nor of 600 MDLs: " .. mdls)
    volume:close()
    for _, filter in ipairs(filters) do filter:unload() end
    vm:shutdown()
  end
end

-- Without memory for those below.
vm = machine({ image = raw }, { ["pool-fail"] = "fltmgr.sys:1:1:FtOp" })
local volume = vm:open(VOLUME)
filters = load(vm)
local failed = 0
for i = 1, 3 do
  local ok, message = pcall(function() volume:write(0, string.rep("w", 512)) end)
  if not ok then
    failed = failed + 1
    expect_equal(message.name, "STATUS_INSUFFICIENT_RESOURCES")
  end
end
expect_equal(failed, 1, "the filter is told, and nothing is sent")
volume:close()
for _, filter in ipairs(filters) do filter:unload() end
vm:shutdown()

-- What is found.
local source = {}
local number = 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "reissue.c") do
  number = number + 1
  if line:find("/*", 1, true) then
    for fault in line:gmatch("%[(%d+)%]") do source[tonumber(fault)] = number end
  end
end
for _, case in ipairs {
  { 1, "in a pre-callback", 0xF014, 1 },
  { 2, "where the pre-callback did not synchronize", 0xF014, 1 },
  { 3, "with another instance", 0xF014, 3 },
  { 4, "changed and not dirty", 0xF014, 4 },
  { 5, "at APC_LEVEL", 0xF00E },
  { 6, "of callback data that was never performed", 0xF014, 1 },
  { 7, "of a create that has opened its file", 0xF014, 5 },
  { 8, "of fast I/O", 0xF014, 2 },
  { 9, "of the filter's own, changed and not dirty", 0xF014, 4 },
  { 10, "of the filter's own with no instance", 0xF014, 3 },
  { 11, "while draining", 0xF014, 1 },
  { 12, "of a create that has opened its file, whatever the filter has put in the place of the status", 0xF014, 5 },
} do
  local fault, what, p1, p3 = table.unpack(case)
  vm = machine({ image = fault == 8 and ntfs or raw }, nil, { Fault = fault })
  expect_bugcheck { code = 0xF5, p1 = p1, p3 = p3, what = "reissued " .. what, driver = "reissue.sys", quiet = true,
    line = "reissue.c:" .. source[fault], function()
      local volume = vm:open(VOLUME, { async = true })
      vm:load { source = "reissue.c", name = "reissue", altitude = "200" }
      if fault == 11 then
        vm:fault { op = "read", action = "delay", delay = 50 }
        local read = volume:read_async(0, 512)
        vm:sleep(5)
        vm:detach { filter = "reissue", volume = VOLUME }
        read:wait()
      elseif fault == 7 or fault == 12 then vm:open(VOLUME)
      elseif fault == 2 then volume:information("basic") -- which RAW does not know, in this thread
      elseif fault == 8 then
        local file = vm:open(ROOT .. "can")
        file:write(0, "cached")
        file:read(0, 6)
      elseif fault == 6 or fault >= 9 then volume:flush()
      else volume:read(0, 1024) end
    end }
end
