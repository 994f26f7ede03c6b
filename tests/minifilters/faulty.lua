-- SPDX-License-Identifier: GPL-2.0-or-later
-- Each mistake of faulty.c is named with its line, on every schedule, while programs work on the volume: the number in brackets in the source.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

-- Number, bugcheck, first parameter if it is one, the routine or the number whose line it is, what.
local LEFT = 0xF035
local bugs = {
  { 1, 0xF5, LEFT, 1, "a reference to a context is kept by an early return" },
  { 2, 0xF5, 0x6D, 2, "a context is released twice" },
  { 3, 0xF5, 0xF043, 3, "name information is not released on one way" },
  { 4, 0xF5, 0x68, 4, "name information is released twice" },
  { 5, 0xD5, nil, 5, "name information is read when it has been released" },
  { 6, 0xD1, nil, 6, "a paged context is touched in the disk's DPC" },
  { 8, 0xD6, nil, 8, "a byte behind the swapped buffer" },
  { 9, 0xF5, 0xF016, "PreRead", "FltSetCallbackDataDirty is forgotten" },
  { 10, 0xC2, 7, 10, "a swapped buffer is freed twice" },
  { 11, 0xC4, 0x62, 11, "swapped buffers are not freed" },
  { 12, 0xC4, 0x62, 12, "an MDL is not freed on one way" },
  { 13, 0xC8, nil, "PostRead", "a spin lock is held on return" },
  { 14, 0x1, nil, "PreRead", "a resource is held on return" },
  { 16, 0x50, nil, "Worker", "a work item of ExQueueWorkItem outlives the driver" },
  { 17, 0xD5, nil, 17, "a file object is used that was never referenced" },
  { 20, 0xF5, 0xF005, 20, "a pended operation is completed twice" },
  { 21, 0x50, nil, 21, "callback data is used when it has been given back" },
  { 22, 0x3B, nil, 22, "a program's pointer is trusted" },
  { 23, 0xA, nil, 23, "a caller's buffer is touched in the disk's DPC" },
  { 24, 0xCD, nil, 24, "a message callback writes more than there is room for" },
  { 26, 0xC4, 0x20002, 26, "a name is asked for at DISPATCH_LEVEL" },
  { 28, 0x7F, 8, 28, "a pre-create opens a file from the top" },
  { 35, 0xC4, 0xCC, 35, "a lookaside list is not deleted" },
  { 40, 0xC2, 7, 40, "a completion context is freed twice" },
  { 41, 0xCD, nil, 41, "more is copied into a context than it has" },
  { 42, 0xC4, 0x20002, 42, "a file is asked about under a fast mutex" },
  { 44, 0xD1, nil, 44, "paged pool is touched in the disk's DPC" },
  { 46, 0xF5, 0xF042, 46, "the port is left open" },
  { 47, 0xC4, 0x62, 47, "a default security descriptor is not freed" },
  { 48, 0xC4, 0x62, 48, "a file lock is not freed" },
}

local lines, number = {}, 0
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "faulty.c") do
  number = number + 1
  for bug in line:gmatch("/%* %[(%d+)%]") do lines[tonumber(bug)] = number end
end

local function work(vm, bug)
  local filter = vm:load{ inf = "faulty.inf", source = "faulty.c", flags = { "-DBUG=" .. bug } }
  local file = vm:open("\\Device\\HarddiskVolume1\\a.txt", { disposition = "open_if" })
  file:write(0, ("x"):rep(9000))
  file:close()
  file = vm:open("\\Device\\HarddiskVolume1\\a.txt", { buffered = false })
  file:read(0, 4096)
  file:read(0, 512)
  file:close()
  local port = vm:port { name = [[\FaultyPort]], user = "kernel" }
  pcall(port.send, port, "x", 16)
  port:close()
  local programs = { vm:process{ program = "wildcontrol.c" } }
  for n = 1, 2 do programs[#programs + 1] = vm:process{ program = "load.c", flags = { "-DWORKER=" .. n, "-DROUNDS=2" } } end
  for _, program in ipairs(programs) do program:wait() end
  filter:unload()
  vm:shutdown()
end

-- Without one the filter does its work.
work(fltvm.machine{ disks = { { image = disk } } }, 0)
for _, bug in ipairs(bugs) do
  local n, code, p1, where, what = table.unpack(bug, 1, 5)
  for _, seed in ipairs{ 1, 7 } do
    local vm = fltvm.machine{ seed = seed, disks = { { image = disk } } }
    expect_bugcheck{ code = code, p1 = p1, driver = "faulty.sys", routine = type(where) == "string" and where or nil,
      line = lines[where] and "faulty.c:" .. lines[where], quiet = true, what = what .. ", seed " .. seed, function() work(vm, n) end }
  end
end
