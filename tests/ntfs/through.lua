-- SPDX-License-Identifier: GPL-2.0-or-later
-- What is on the medium when the power fails, of a disk that has a write cache and loses all that it was not told to keep: what was written
-- through and what was flushed, file, name and all; a volume that was dismounted or locked is whole; the end of the system flushes.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local DISK <const>, ROOT <const> = "\\Device\\HarddiskVolume1", "\\Device\\HarddiskVolume1\\"
local LOCK <const>, DISMOUNT <const>, WRITE <const>, FLUSH <const> = 0x90018, 0x90020, 2, 3
local GONE <const> = "STATUS_OBJECT_NAME_NOT_FOUND"
local OLD <const>, NEW <const> = ("old."):rep(2048), ("new!"):rep(2048)
local image
local machines = 0

-- A machine with a file of old bytes that is on the medium, and a directory.
local function start()
  machines = machines + 1
  image = fltvm.temp(machines .. ".raw")
  local output, status = fltvm.image{ "ntfs", image, "8M" }
  expect_equal(status, 0, output)
  local vm = fltvm.machine{ trace = true, disks = { { image = image, writable = true, write_cache = true } } }
  local file = vm:open(ROOT .. "file", { disposition = "create" })
  file:write(0, OLD)
  file:flush()
  file:close()
  vm:open(ROOT .. "folder", { access = "r", disposition = "create", options = "directory" }):close()
  file = vm:open(ROOT .. "file")
  file:flush()
  file:close()
  return vm
end
-- The bytes, or why there are none.
local function left(vm, name)
  local ok, file = pcall(vm.open, vm, ROOT .. name, { access = "r" })
  if not ok then return file.name end
  local size = file:information("standard").size
  local bytes = size > 0 and file:read(0, size) or ""
  file:close()
  return bytes == OLD and "old" or bytes == NEW and "new" or bytes
end
local function cut(vm, wanted, what)
  local after = vm:power_cut{ keep = "none" }
  for name, bytes in pairs(wanted) do expect_equal(left(after, name), bytes, what .. ": " .. name) end
  after:shutdown()
  local output, status = fltvm.image{ "check", image }
  expect_equal(status, 0, what .. ": " .. output)
end
-- The disk's commands since an event of the trace.
local function commands(vm, from)
  local list = {}
  for _, event in ipairs(vm:trace(from)) do
    if event.event == "HBA_SUBMIT" then list[#list + 1] = event.opcode end
  end
  return list
end

-- Nothing is kept of what nobody asked to keep: all that follows is not so by chance.
do
  local vm = start()
  local file = vm:open(ROOT .. "file", { buffered = false })
  file:write(0, NEW)
  file:close()
  file = vm:open(ROOT .. "fresh", { disposition = "create" })
  file:write(0, NEW)
  file:close()
  cut(vm, { file = "old", fresh = GONE }, "neither written through nor flushed")
end

for _, how in ipairs{ { "the cache", nil }, { "no cache", false } } do
  local options = { write_through = true, buffered = how[2] }
  local vm = start()
  local file = vm:open(ROOT .. "file", options)
  file:write(0, OLD:sub(1, 4096))
  local from = #vm:trace()
  file:write(0, NEW)
  local sent = commands(vm, from)
  expect(#sent > 0 and not table.concat(sent):find("[^" .. WRITE .. "]"), how[1] .. ": only written, and through: " .. table.concat(sent, " "))
  cut(vm, { file = "new" }, "overwritten through " .. how[1])

  vm = start()
  options.disposition = "create"
  file = vm:open(ROOT .. "fresh", options)
  file:write(0, NEW)
  file:write(8192, NEW)
  cut(vm, { file = "old", fresh = NEW .. NEW }, "made and written through " .. how[1])
end

-- What a file that is written through has changed besides its bytes.
do
  local vm = start()
  local file = vm:open(ROOT .. "file", { access = { "all" }, write_through = true })
  file:rename(ROOT .. "folder\\renamed")
  file:set_eas{ COLOUR = "red" }
  file:set_information("end_of_file", { size = 4 })
  local after = vm:power_cut{ keep = "none" }
  expect_equal(left(after, "file"), GONE, "the old name has gone")
  expect_equal(left(after, "folder\\renamed"), "old.", "renamed and cut")
  file = after:open(ROOT .. "folder\\renamed", { access = "all" })
  expect_equal(file:eas().COLOUR, "red", "and its extended attribute")
  after = after:power_cut{ keep = "none" }
  file = after:open(ROOT .. "folder\\renamed", { access = "all", write_through = true, options = "delete_on_close" })
  file:close()
  cut(after, { ["folder\\renamed"] = GONE }, "deleted with its handle")
  vm = start()
  vm:open(ROOT .. "file", { access = "w", write_through = true, disposition = "overwrite" })
  cut(vm, { file = "" }, "overwritten by an open")
end

-- Flushed: the file, by another handle than the one that wrote; the volume.
do
  local vm = start()
  local file = vm:open(ROOT .. "fresh", { disposition = "create" })
  file:write(0, NEW)
  local other = vm:open(ROOT .. "file")
  other:write(0, NEW)
  vm:open(ROOT .. "fresh"):flush()
  cut(vm, { fresh = "new", file = "old" }, "one file is flushed")
  vm = start()
  vm:open(ROOT .. "file"):write(0, NEW)
  file = vm:open(ROOT .. "fresh", { disposition = "create" })
  file:write(0, NEW)
  vm:open(DISK):flush()
  cut(vm, { fresh = "new", file = "new" }, "the volume is flushed")
end

-- A flush that leaves something out, as its minor function says: the disk is flushed or not.
do
  local vm = start()
  local filter = vm:load{ source = "flushing.c", altitude = "370030" }
  for minor, flushes in pairs{ [0] = true, true, false, false, true } do
    local file = vm:open(ROOT .. "minor " .. minor, { disposition = "create" })
    file:write(0, NEW)
    local from = #vm:trace()
    file:flush()
    local sent = commands(vm, from)
    expect_equal(sent[1], WRITE, minor .. " writes")
    expect_equal(sent[#sent] == FLUSH, flushes, minor .. " flushes the disk")
    file:close()
  end
  filter:unload()
  vm:shutdown()
end

-- A filter has a write go through: of the cache and not, of a file that is there and of a new one.
for _, buffered in ipairs{ true, false } do
  local vm = start()
  local file = vm:open(ROOT .. "file", { access = "rw delete" })
  file:rename("through")
  file:close()
  vm:open(DISK):flush()
  vm:load{ source = "flushing.c", altitude = "370030" }
  local options = { buffered = buffered }
  vm:open(ROOT .. "through", options):write(0, NEW)
  options.disposition = "create"
  vm:open(ROOT .. "fresh through", options):write(0, NEW)
  vm:open(ROOT .. "another", options):write(0, NEW)
  local after = vm:power_cut{ keep = "none" }
  expect_equal(left(after, "through"), "new", "by the request's flag")
  expect_equal(left(after, "fresh through"), "new", "and of a new file")
  expect(left(after, "another") ~= "new", "not of the one that has no such flag")
end

-- Locked and dismounted: the image as the cut leaves it is what ntfs-3g's tools take.
for _, control in ipairs{ LOCK, DISMOUNT } do
  local vm = start()
  local file = vm:open(ROOT .. "file")
  file:write(0, NEW)
  file:close()
  file = vm:open(ROOT .. "fresh", { disposition = "create" })
  file:write(0, NEW)
  file:close()
  vm:open(DISK):fsctl(control)
  vm:power_cut{ keep = "none" }
  tool("ntfsfix", "-n", image)
  tool("ntfsinfo", "-m", image)
  local output, status = fltvm.image{ "check", image }
  expect_equal(status, 0, output)
  for _, name in ipairs{ "file", "fresh" } do
    output, status = fltvm.image{ "read", image, name }
    expect(status == 0 and output == NEW, name .. " on the medium")
  end
end

-- The end of the system: the last that the disk is told is to flush.  A disk without a cache is told nothing.
for _, cached in ipairs{ true, false } do
  local vm = start()
  vm:open(ROOT .. "file"):write(0, NEW)
  vm:shutdown()
  local sent = commands(vm, 0)
  expect_equal(sent[#sent], FLUSH, "the last command")
  vm = fltvm.machine{ trace = true, disks = { { size = "1M", write_cache = cached } } }
  local raw = vm:open(DISK, { write_through = true })
  raw:write(0, ("x"):rep(512))
  vm:shutdown()
  sent = commands(vm, 0)
  expect_equal(sent[#sent], cached and FLUSH or WRITE, "the last command to one without a file system")
end
