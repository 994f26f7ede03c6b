-- SPDX-License-Identifier: GPL-2.0-or-later
-- A volume that is full, names that cannot be, and a disk that errs: each request that cannot be done says so with its status, what is there stays
-- as it was, and the host finds the volume sound afterwards.
local ROOT <const> = "\\Device\\HarddiskVolume1\\"
local function image(...)
  local output, status = fltvm.image{ ... }
  expect_equal(status, 0, table.concat({ ... }, " ") .. ": " .. output)
end
local function machine(name, size)
  local disk = fltvm.temp(name .. ".raw")
  image("ntfs", disk, size)
  return fltvm.machine{ disks = { { image = disk, writable = true } } }, disk
end
-- The status that a function fails with, or nil.
local function status_of(...)
  local ok, result = pcall(...)
  if ok then return nil, result end
  if type(result) ~= "table" or not result.name then error(result, 0) end
  return result.name
end
local function put(vm, name, bytes)
  local file = vm:open(ROOT .. name, { disposition = "overwrite_if" })
  local status = status_of(file.write, file, 0, bytes)
  file:close()
  return status
end
local function get(vm, name)
  local file = vm:open(ROOT .. name, { access = "r" })
  local size = file:information("standard").size
  local bytes = size == 0 and "" or file:read(0, size)
  file:close()
  return bytes
end

-- Clusters run out, and then records.
do
  local vm, disk = machine("full", "6M")
  local kept, count = {}, 0
  local function text(n, size) return (("file %d of a full volume. "):format(n)):rep(size // 24 + 1):sub(1, size) end
  local status
  repeat
    count = count + 1
    local bytes = text(count, 50000 + count * 977 % 60000)
    status = put(vm, "big " .. count, bytes)
    if not status then kept["big " .. count] = bytes end
  until status or count > 500
  expect_equal(status, "STATUS_DISK_FULL", "file " .. count .. " has no room")
  local file = vm:open(ROOT .. "big 1", { access = "rw" })
  expect_status("STATUS_DISK_FULL", function() file:set_information("end_of_file", { size = 40 << 20 }) end, "nor has a larger one")
  expect_equal(file:information("standard").size, #kept["big 1"], "which has the size that it had")
  file:close()
  local small, created = 0
  repeat
    small = small + 1
    created = status_of(function() vm:open(ROOT .. "small " .. small, { disposition = "create" }):close() end)
    if not created then kept["small " .. small] = "" end
  until created or small > 20000
  expect_equal(created, "STATUS_DISK_FULL", "empty file " .. small .. " has no record")
  expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "small " .. small, { access = "r" }) end, "and is not there")
  expect_status("STATUS_DISK_FULL", function() vm:open(ROOT .. "folder", { disposition = "create", options = "directory", access = "r" }) end)
  for n = 1, count - 1, 2 do
    file = vm:open(ROOT .. "big " .. n, { access = "delete" })
    file:delete()
    file:close()
    kept["big " .. n] = nil
  end
  local again = text(0, 60000)
  expect_equal(put(vm, "again", again), nil, "there is room again")
  kept.again = again
  local differ = 0
  for name, bytes in pairs(kept) do
    if get(vm, name) ~= bytes then differ = differ + 1 end
  end
  expect_equal(differ, 0, "everything is as it was written")
  vm:shutdown()
  image("check", disk)
  local output, code = fltvm.host{ "ntfsfix", "-n", disk }
  expect_equal(code, 0, output)
end

-- Names.
do
  local vm, disk = machine("names", "6M")
  local function made(name) return status_of(function() vm:open(ROOT .. name, { disposition = "create" }):close() end) end
  expect_equal(made(("n"):rep(255)), nil, "255 characters are a name")
  for _, name in ipairs{ ("n"):rep(256), ("ü"):rep(256), "a<b", "a>b", "a|b", 'a"b', "a*b", "a?b", "a\1b", "a:b:c", "a:b:$DATA:c", ":" } do
    expect_equal(made(name), "STATUS_OBJECT_NAME_INVALID", ("a name that is none: %q"):format(name:sub(1, 20)))
  end
  local path, depth = "", 0
  while #path + 201 < 30000 do
    path, depth = path .. ("%03d"):format(depth) .. ("p"):rep(197), depth + 1
    local status = status_of(function() vm:open(ROOT .. path, { disposition = "create", options = "directory", access = "r" }):close() end)
    if status then
      expect(#path > 1000, "a path of " .. #path .. " characters: " .. status)
      break
    end
    path = path .. "\\"
  end
  note("folders in each other:", depth)
  vm:shutdown()
  image("check", disk)
end

-- A disk that errs, once, at each of the first writes, or reads, of some changes: what is refused says so.
local REFUSED <const> = { STATUS_IO_DEVICE_ERROR = true, STATUS_DATA_ERROR = true, STATUS_CRC_ERROR = true, STATUS_DEVICE_DATA_ERROR = true, STATUS_UNEXPECTED_IO_ERROR = true,
  STATUS_DISK_CORRUPT_ERROR = true, STATUS_FILE_CORRUPT_ERROR = true }
for _, op in ipairs{ "write", "read" } do
  local refused, seen, dirty_volumes = 0, {}, 0
  for nth = 1, 40, 3 do
    local vm, disk = machine(op .. nth, "6M")
    put(vm, "there", ("there "):rep(4000))
    local flush = vm:open(ROOT .. "there")
    flush:flush()
    flush:close()
    local rule = vm:fault{ op = op, nth = nth, count = 1, action = "error", status = op == "write" and "media_write" or "media_read" }
    local function try(call)
      local status = status_of(call)
      if status then
        seen[status], refused = (seen[status] or 0) + 1, refused + 1
        expect(REFUSED[status], op .. " " .. nth .. ": " .. status)
      end
    end
    for n = 1, 6 do
      try(function()
        local file = vm:open(ROOT .. "new " .. n, { disposition = "create" })
        local status = status_of(file.write, file, 0, ("new "):rep(3000 * n))
        local flushed = status_of(file.flush, file)
        file:close()
        if status or flushed then error({ name = status or flushed }) end
      end)
    end
    try(function()
      local file = vm:open(ROOT .. "there", { access = "r delete" })
      local status = status_of(file.rename, file, "renamed")
      file:close()
      if status then error({ name = status }) end
    end)
    vm:clear_faults()
    local volume = vm:open("\\Device\\HarddiskVolume1")
    local dirty = string.unpack("<I4", volume:fsctl(0x90078, "", 4)) ~= 0
    volume:close()
    vm:shutdown()
    -- What a write that failed may have left is told by the volume itself.
    local output, status = fltvm.image{ "check", disk }
    local says = output:find("the volume says that it is not clean", 1, true) ~= nil
    expect_equal(says, dirty, op .. " " .. nth .. ": the disk says what the volume said")
    expect(status == 0 or dirty, op .. " " .. nth .. ": the volume is sound, or says that it may not be: " .. output)
    if dirty then dirty_volumes = dirty_volumes + 1 end
  end
  expect(refused > 0, op .. ": " .. refused .. " requests were refused")
  if op == "write" then expect(dirty_volumes > 0, dirty_volumes .. " volumes are dirty") end
  for name, count in pairs(seen) do note(op, name, count) end
end
