-- SPDX-License-Identifier: GPL-2.0-or-later
-- A disk that is pulled, and one that is asked whether it may go: what is open fails, filters see the requests of plug and play and their
-- instances end with the volume, and what was on the disk before is there.
local DEVICE <const>, ROOT <const> = "\\Device\\HarddiskVolume1", "\\Device\\HarddiskVolume1\\"
local QUERY <const>, REMOVE <const>, CANCEL <const> = 1, 2, 3
local KEPT <const> = ("some bytes"):rep(1000) -- more than a record holds
local image

local function start(options)
  image = fltvm.temp((#(image or "") + 1) .. ".raw")
  local output, status = fltvm.image{ "ntfs", image, "8M" }
  expect_equal(status, 0, output)
  local vm = fltvm.machine{ disks = { { image = image, writable = true }, { size = "1M" } } }
  local filter = vm:load{ source = "removal.c", altitude = "370030" }
  local file = vm:open(ROOT .. "kept", { disposition = "create" })
  file:write(0, KEPT)
  file:flush()
  file:close()
  return vm, filter
end
-- What the filter has said since a line of the log.
local function said(vm, since)
  local list = {}
  for _, line in ipairs(vm:log(since)) do list[#list + 1] = line:match("removal: (.*)") end
  return list
end
local function mounted(vm, name)
  for _, volume in ipairs(vm:volumes()) do
    if volume.name == name then return true end
  end
  return false
end
-- IRP_MN_REMOVE_DEVICE has come down its stack.
local function gone(vm, name, what)
  expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(name, { access = "attributes" }) end, what)
end
local function check(vm)
  vm:shutdown()
  local output, status = fltvm.image{ "check", image }
  expect_equal(status, 0, output)
  output, status = fltvm.image{ "read", image, "kept" }
  expect_equal(output, KEPT, "what was on the disk")
end

-- Pulled, with files open.
do
  local vm, filter = start()
  local file = vm:open(ROOT .. "kept", { access = "rw delete" })
  local async = vm:open(ROOT .. "kept", { async = true, buffered = false })
  local directory = vm:open(ROOT, { access = "r", options = "directory", async = true })
  local other = vm:open("\\Device\\HarddiskVolume2")
  expect_equal(file:read(0, 4), "some", "before")
  local fresh = vm:open(ROOT .. "fresh", { disposition = "create" })
  fresh:write(0, "that nobody will see")
  local change = directory:notify{}
  vm:fault{ op = "read", action = "never" }
  local pending = async:read_async(0, 512)
  vm:sleep(1) -- so that it has come to the disk, on one processor as well
  local since, controllers = #vm:log(), vm:pool().Fhba.bytes
  vm:pull(0)
  expect_equal(said(vm, since), { "surprise removal", "surprise removal ends with 0x00000000" }, "the filter sees it")
  expect_status("STATUS_DEVICE_NOT_CONNECTED", function() pending:wait() end, "a read that was under way")
  expect(change:done(), "who waits for changes does not wait on")
  for what, call in pairs{
    ["a read"] = function() file:read(0, 4) end,
    ["a write"] = function() file:write(0, "x") end,
    ["a read without the cache"] = function() async:read(0, 512) end,
    ["a flush"] = function() fresh:flush() end,
    ["information"] = function() file:information("standard") end,
    ["a listing"] = function() directory:list() end,
    ["a name"] = function() file:rename("renamed") end,
  } do
    expect_status("STATUS_VOLUME_DISMOUNTED", call, what)
  end
  expect_status("STATUS_NO_SUCH_DEVICE", function() vm:open(ROOT .. "kept") end, "an open")
  expect_status("STATUS_NO_SUCH_DEVICE", function() vm:open(DEVICE) end, "an open of the volume")
  expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open("\\??\\C:\\kept") end, "by the letter that has gone")
  expect(mounted(vm, DEVICE), "the volume stays while files are open")
  expect_equal(other:read(0, 512), ("\0"):rep(512), "the other disk works")
  for _, open in ipairs{ file, async, directory, fresh } do open:close() end
  vm:sleep(5000)
  expect_equal(said(vm, since)[3], "teardown of a dismount", "then the instance ends")
  expect(not mounted(vm, DEVICE), "and the volume")
  gone(vm, DEVICE, "its device")
  gone(vm, "\\Device\\Harddisk0\\DR0", "the disk")
  gone(vm, "\\Device\\FltvmHba0", "the controller")
  expect(vm:pool().Fhba.bytes < controllers, "whose memory is given back")
  since = #vm:log()
  vm:pull(1)
  expect_equal(said(vm, since)[1], "surprise removal", "a volume without a file system goes as well")
  expect_status("STATUS_VOLUME_DISMOUNTED", function() other:read(0, 512) end, "one without a file system")
  expect_status("STATUS_NO_SUCH_DEVICE", function() vm:open("\\Device\\HarddiskVolume2") end, "and its opens")
  other:close()
  filter:unload()
  check(vm)
end

-- Pulled, with nothing open; and before anybody has mounted it.
do
  local vm, filter = start()
  local since = #vm:log()
  vm:pull(0)
  vm:sleep(100)
  expect_equal(said(vm, since), { "surprise removal", "surprise removal ends with 0x00000000", "teardown of a dismount" }, "the instance ends")
  expect(not mounted(vm, DEVICE), "with its volume")
  gone(vm, DEVICE, "and its device")
  expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:pull(0) end, "what is gone is not pulled once more")
  vm:pull(1)
  vm:sleep(100)
  gone(vm, "\\Device\\HarddiskVolume2", "nothing mounts it")
  filter:unload()
  check(vm)
end

-- Asked: refused while something is open, else locked until it is removed or stays.
do
  local vm, filter = start()
  local number = 0
  local function send(minor, volume)
    number = number + 1
    local name, since = "send" .. number, #vm:log()
    local key = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\" .. name
    vm:set_registry(key, "Send", minor)
    vm:set_registry(key, "Volume", volume or 1)
    expect_status("STATUS_DEVICE_DOES_NOT_EXIST", function() vm:load{ source = "removal.c", name = name } end)
    return said(vm, since)
  end
  local file = vm:open(ROOT .. "kept")
  expect_equal(send(QUERY), { "query remove", "query remove ends with 0xC0000022", "sent query remove: 0xC0000022" }, "a file is open")
  expect_equal(file:read(0, 4), "some", "which goes on")
  file:close()
  expect_equal(send(QUERY)[3], "sent query remove: 0x00000000", "nothing is open")
  expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "kept") end, "and nobody opens anything")
  expect_equal(send(CANCEL)[3], "sent cancel remove: 0x00000000", "it stays")
  file = vm:open(ROOT .. "kept", { access = "rw" })
  file:write(0, "SOME")
  file:write(0, "some")
  file:close()
  expect_equal(send(QUERY)[3], "sent query remove: 0x00000000", "again")
  local since = #vm:log()
  expect_equal(send(REMOVE)[1], "remove", "it goes")
  vm:sleep(100)
  expect(table.concat(said(vm, since), ", "):find("teardown of a dismount", 1, true), "and the instance ends")
  expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open(ROOT .. "kept") end, "nothing is there any more")
  -- RAW is asked as well.
  local raw = vm:open("\\Device\\HarddiskVolume2")
  expect_equal(send(QUERY, 2)[3], "sent query remove: 0xC0000022", "of a raw volume that is open")
  raw:close()
  expect_equal(send(QUERY, 2)[3], "sent query remove: 0x00000000", "and of one that is not")
  expect_equal(send(QUERY, 2)[3], "sent query remove: 0xC0000022", "which is held already")
  expect_status("STATUS_ACCESS_DENIED", function() vm:open("\\Device\\HarddiskVolume2") end, "nobody opens it")
  expect_equal(send(CANCEL, 2)[3], "sent cancel remove: 0x00000000", "it stays")
  raw = vm:open("\\Device\\HarddiskVolume2")
  expect_equal(raw:read(0, 512), ("\0"):rep(512), "and is read")
  raw:close()
  expect_equal(send(QUERY, 2)[3], "sent query remove: 0x00000000", "again")
  expect_equal(send(REMOVE, 2)[3], "sent remove: 0x00000000", "it goes")
  gone(vm, "\\Device\\HarddiskVolume2", "with its device")
  filter:unload()
  check(vm)
end
