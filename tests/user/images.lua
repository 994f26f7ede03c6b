-- SPDX-License-Identifier: GPL-2.0-or-later
-- Programs that lie on a volume: run from there, watched and refused by a filter, mapped as images: imagefilter.c, imagemap.c, sleeper.c.
local VOLUME = [[\Device\HarddiskVolume1\]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\imagefilter]]
local disk = fltvm.temp("disk.raw")

local function put(vm, name, bytes)
  local file = vm:open(VOLUME .. name, { disposition = "overwrite_if" })
  if bytes ~= "" then file:write(0, bytes) end
  file:close()
end

local function machine(cpus)
  local vm = fltvm.machine { cpus = cpus, disks = { { image = "ntfs" } } }
  vm:start()
  return vm
end

-- What a filter is told of a program on its way.
local hello, map, sleeper = fltvm.program("hello.c"), fltvm.program("imagemap.c"), fltvm.program("sleeper.c")
for cpus = 1, 2 do
  local vm = machine(cpus)
  put(vm, "hello.exe", hello)
  local filter = vm:load { source = "imagefilter.c", altitude = "320020" }
  local process = vm:process { file = VOLUME .. "hello.exe" }
  expect_equal(process:wait(), 0x600D, "it runs, " .. cpus .. " CPUs")
  expect_log("imagefilter: opened for execution, access 0x100020", "it is opened for execution, and nothing else")
  expect_log("imagefilter: a section of protection 0x10$", "its section is PAGE_EXECUTE")
  expect_log([[imagefilter: process of \Device\HarddiskVolume1\hello.exe, with its file]], "the process has its file")
  expect_log([[imagefilter: image \Device\HarddiskVolume1\hello.exe, %d+ pages, with the process's file, user, in its process]],
    "the image is the process's")
  expect_log([[imagefilter: image \SystemRoot\System32\ntdll.dll, %d+ pages, without a file, user, in its process]], "and its library")
  filter:unload()
  expect_log("imagefilter: pages came through it", "its pages come by paging reads")
  vm:shutdown()
end

-- What a filter refuses does not run, and leaves nothing.
do
  local vm = machine(1)
  put(vm, "hello.exe", hello)
  for refuse, status in ipairs { "STATUS_VIRUS_INFECTED", "STATUS_INSUFFICIENT_RESOURCES", "STATUS_ACCESS_DENIED" } do
    vm:set_registry(KEY, "Refuse", refuse)
    local filter = vm:load { source = "imagefilter.c", altitude = "320020" }
    local since = #vm:log()
    expect_status(status, function() vm:process { file = VOLUME .. "hello.exe" } end)
    if status == "STATUS_ACCESS_DENIED" then -- by a notify routine: nothing of it ran, and its end is told
      local said = table.concat(vm:log(since), "\n")
      expect(not said:find("imagefilter: image"), "nothing is mapped of a process that is refused")
      expect(said:find("imagefilter: end of a process"), "the end of a refused process is told")
      expect_status(status, function() vm:process { name = "\\bare.exe" } end)
    end
    filter:unload()
    put(vm, "hello.exe", hello)
  end
  for name, status in pairs {
    ["none.exe"] = "STATUS_OBJECT_NAME_NOT_FOUND", ["text.exe"] = "STATUS_INVALID_IMAGE_NOT_MZ",
    ["empty.exe"] = "STATUS_INVALID_FILE_FOR_SECTION", ["cut.exe"] = "STATUS_INVALID_IMAGE_FORMAT",
    [""] = "STATUS_FILE_IS_A_DIRECTORY",
  } do
    if name == "text.exe" then put(vm, name, "no program") end
    if name == "empty.exe" then put(vm, name, "") end
    if name == "cut.exe" then put(vm, name, hello:sub(1, 700)) end
    expect_status(status, function() vm:process { file = VOLUME .. name } end)
  end
  expect_equal(vm:process { file = VOLUME .. "HELLO.EXE" }:wait(), 0x600D, "it still runs, by a name in other letters")
  vm:shutdown()
end

-- While it runs its file is not written, cut or deleted; afterwards it is.
do
  local vm = machine(2)
  put(vm, "sleeper.exe", sleeper)
  local first, second = vm:process { file = VOLUME .. "sleeper.exe" }, vm:process { file = VOLUME .. "sleeper.exe" }
  expect_status("STATUS_SHARING_VIOLATION", function() vm:open(VOLUME .. "sleeper.exe", { access = "rw" }) end)
  local file = vm:open(VOLUME .. "sleeper.exe", { access = "delete" })
  expect_status("STATUS_CANNOT_DELETE", function() file:delete() end)
  file:close()
  expect_equal(first:wait(), 0x600D, "it ends")
  expect_equal(second:wait(), 0x600D, "and so does another of the same file")
  vm:sleep(100)
  put(vm, "sleeper.exe", sleeper)
  file = vm:open(VOLUME .. "sleeper.exe", { access = "delete" })
  file:delete()
  file:close()
  expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(VOLUME .. "sleeper.exe") end)
  vm:shutdown()
end

-- A page that the disk does not give ends the program that touches it.
do
  local vm = machine(1)
  put(vm, "map.exe", map)
  local function run()
    return vm:process { program = "sleeper.c", flags = { [[-DOTHER=L"\\Device\\HarddiskVolume1\\map.exe"]] } }
  end
  local process = run()
  vm:sleep(500)
  vm:fault { op = "read", nth = 1, count = 1000, action = "error", status = "media_read" }
  expect_equal(process:wait(), 0xC0000006, "STATUS_IN_PAGE_ERROR")
  vm:sleep(100)
  expect_status("STATUS_DEVICE_DATA_ERROR", function() vm:process { file = VOLUME .. "map.exe" } end, "nor does it begin")
  vm:clear_faults()
  expect_equal(run():wait(), 0x600D, "the next one has it")
  vm:shutdown()
end

-- Image sections, as a program makes them.
do
  local vm = machine(2)
  put(vm, "map.exe", map)
  put(vm, "text.exe", "no program")
  put(vm, "cut.exe", map:sub(1, 600))
  put(vm, "empty.exe", "")
  local before = vm:memory().used
  for round = 1, 3 do
    expect_equal(vm:process { file = VOLUME .. "map.exe" }:wait(), 0x600D, "what views of an image show, " .. round)
    if round == 1 then vm:sleep(100) before = vm:memory().used end
  end
  vm:sleep(100)
  expect(vm:memory().used - before < 65536, "nothing is left of them: " .. vm:memory().used - before)
  vm:shutdown()
end
