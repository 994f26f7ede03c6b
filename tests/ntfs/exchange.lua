-- SPDX-License-Identifier: GPL-2.0-or-later
-- Media that are taken out and put in while the machine runs: the controller refuses, the disk's driver asks for a verification, NTFS looks, and whoever
-- waits for a request does not notice, unless it is another medium.
local DEVICE <const>, ROOT <const> = "\\Device\\HarddiskVolume1", "\\Device\\HarddiskVolume1\\"
local FIRST <const>, SECOND <const> = ("first "):rep(20000), ("second"):rep(20000)
local images = {}
for n = 1, 2 do
  images[n] = fltvm.temp(n .. ".raw")
  local output, status = fltvm.image{ "ntfs", images[n], "8M", "--label", "Medium " .. n }
  expect_equal(status, 0, output)
end

local vm = fltvm.machine{ disks = { { media = images, writable = true }, { size = "1M" } } }
vm:load{ source = "removal.c", altitude = "370030" } -- it says when an instance ends
local function put(name, bytes)
  local file = vm:open(ROOT .. name, { disposition = "create", access = "rw delete" })
  file:write(0, bytes)
  return file
end
local function label()
  local root = vm:open(ROOT, { access = "r", options = "directory" })
  local text = root:volume("volume").label
  root:close()
  return text
end
local function verified()
  local count = 0
  for _, line in ipairs(vm:log()) do
    if line:find("removal: verify", 1, true) then count = count + 1 end
  end
  return count
end
-- Every way to the medium is a request's first after a change.
local function each(what, put_in)
  local changes, before = 0, verified()
  local function change()
    changes = changes + 1
    put_in()
  end
  local async = vm:open(ROOT .. "kept", { async = true, buffered = false })
  local whole = vm:open(DEVICE)
  local cached = vm:open(ROOT .. "kept", { access = "rw delete" })
  change()
  expect_equal(async:read_async(0, 512):wait(), FIRST:sub(1, 512), what .. ": a read without the cache")
  change()
  expect_equal(async:read_async(0, 65536):wait(), FIRST:sub(1, 65536), what .. ": a larger one")
  change()
  async:write_async(512, FIRST:sub(513, 1024)):wait()
  change()
  cached:write(1024, FIRST:sub(1025, 1536))
  change()
  cached:flush()
  expect_equal(cached:read(70000, 600), FIRST:sub(70001, 70600), what .. ": by the cache")
  cached:write(2048, FIRST:sub(2049, 2560))
  change()
  vm:sleep(5000) -- the lazy writer's
  change()
  expect_equal(#whole:read(0, 512), 512, what .. ": of the volume as it is")
  change()
  cached:rename("renamed")
  change()
  cached:rename("kept")
  change()
  put("new", "x"):close()
  change()
  local new = vm:open(ROOT .. "new", { access = "delete", options = "delete_on_close" })
  change()
  new:close()
  change()
  local root = vm:open(ROOT, { access = "r", options = "directory" })
  expect_equal(#root:list(), 1, what .. ": the directory")
  -- But for those before something that stays in memory.
  expect(verified() - before >= changes - 3, what .. ": filters see the verifications")
  for _, open in ipairs{ async, whole, cached, root } do open:close() end
end

put("kept", FIRST):close()
each("the same again", function() vm:insert(1) end)
each("out and in", function() vm:eject(0) vm:insert(1, 0) end)

-- None.
local file = vm:open(ROOT .. "kept", { access = "rw delete" })
local cold = vm:open(ROOT .. "kept", { buffered = false })
vm:eject()
expect_status("STATUS_NO_MEDIA_IN_DEVICE", function() cold:read(0, 512) end, "a read without a medium")
expect_status("STATUS_NO_MEDIA_IN_DEVICE", function() cold:write(0, FIRST:sub(1, 512)) end, "a write")
vm:insert(1)
expect_equal(cold:read(0, 512), FIRST:sub(1, 512), "what is open goes on")

-- Another one: what the cache had not written is lost, and not a byte of the one goes to the other.
local fresh = put("fresh", FIRST)
vm:insert(2)
expect_status("STATUS_WRONG_VOLUME", function() cold:read(0, 512) end, "what was open")
expect_status("STATUS_WRONG_VOLUME", function() file:write(0, "x") end, "to write")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "kept", { access = "r" }) end, "a file of the first medium")
expect_equal(label(), "Medium 2", "what is mounted now")
local other = put("kept", SECOND)
for _, open in ipairs{ file, cold, fresh } do open:close() end
vm:sleep(5000)
expect_log("removal: teardown of a dismount", "the instance ends with the first volume")
expect_equal(other:read(0, 6), "second", "which does not disturb the second")
other:flush()
other:close()

-- A read that is the first to meet another medium, without an open before it; and an open.
other = vm:open(ROOT .. "kept", { async = true, buffered = false })
vm:insert(1)
expect_status("STATUS_WRONG_VOLUME", function() other:read_async(0, 512):wait() end, "a read that is under way to another medium")
other:close()
file = vm:open(ROOT .. "kept", { access = "r" })
expect_equal(file:read(0, #FIRST), FIRST, "the first medium, as it was")
expect_equal(label(), "Medium 1", "and its name")
file:close()

-- Nobody asks in vain.
expect_error = function(call, text)
  local good, message = pcall(call)
  expect(not good and tostring(message):find(text, 1, true), text)
end
expect_error(function() vm:insert(3) end, "insert: disk 0 has no medium 3 (1 to 2)")
expect_error(function() vm:insert(0) end, "media are counted from 1")
expect_error(function() vm:eject(1) end, "eject: disk 1 has no media that can be changed")
vm:shutdown()
for n, bytes in ipairs{ FIRST, SECOND } do
  local output, status = fltvm.image{ "check", images[n] }
  expect_equal(status, 0, output)
  output = fltvm.image{ "read", images[n], "kept" }
  expect_equal(output, bytes, "on medium " .. n)
end

-- They are of one size, and no more than four.
local small = fltvm.temp("small.raw")
fltvm.image{ "ntfs", small, "4M" }
expect_error(function() fltvm.machine{ disks = { { media = { images[1], small } } } } end, "media are of one size")
expect_error(function() fltvm.machine{ disks = { { media = { images[1], images[1], images[1], images[1], images[1] } } } } end, "a disk has at most 4")
expect_error(function() fltvm.machine{ disks = { { media = {} } } } end, "media: the list is empty")
expect_error(function() fltvm.machine{ disks = { { image = small, media = images } } } end, "'image' or 'media', not both")
