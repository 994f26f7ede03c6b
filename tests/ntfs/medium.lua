-- SPDX-License-Identifier: GPL-2.0-or-later
-- A medium that may have changed: the volume is verified before the next request; of the same one everything goes on, of another what was open fails
-- and opens find what is there, and not a byte of the one goes to the other.
local ROOT <const> = "\\Device\\HarddiskVolume1\\"
local FIRST <const>, SECOND <const> = ("first "):rep(2000), ("second"):rep(2000)
local images = {}
for n = 1, 2 do
  images[n] = fltvm.temp(n .. ".raw")
  local output, status = fltvm.image{ "ntfs", images[n], "8M", "--label", "Medium " .. n }
  expect_equal(status, 0, output)
end

local vm = fltvm.machine{ disks = { { image = images[1], writable = true }, { image = images[2], writable = true } } }
vm:load{ source = "medium.c" }
vm:load{ source = "removal.c", altitude = "370030" } -- it says when an instance ends
local control = vm:open("\\Device\\Medium", { access = "w" })
local function insert(n) control:write(0, string.char(n - 1)) end
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

-- The same medium.
local file = put("kept", FIRST)
file:flush()
insert(1)
expect_equal(file:read(0, 6), "first ", "a read by the cache goes on")
insert(1)
local async = vm:open(ROOT .. "kept", { buffered = false })
expect_equal(async:read(0, 512), FIRST:sub(1, 512), "an open, and a read without the cache")
insert(1)
file:rename("still here")
file:rename("kept")
expect_equal(label(), "Medium 1", "the first")

-- Another one: with bytes that the cache had not written.
local fresh = put("fresh", FIRST)
insert(2)
expect_status("STATUS_WRONG_VOLUME", function() file:read(0, 6) end, "what was open")
expect_status("STATUS_WRONG_VOLUME", function() fresh:write(0, "x") end, "to write")
expect_status("STATUS_WRONG_VOLUME", function() file:rename("renamed") end, "to rename")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "kept", { access = "r" }) end, "a file of the first medium")
expect_equal(label(), "Medium 2", "what is mounted now")
local other = put("kept", SECOND)
for _, open in ipairs{ file, async, fresh } do open:close() end
vm:sleep(5000)
expect(table.concat(vm:log(), "\n"):find("removal: teardown of a dismount", 1, true), "the instance ends with the first volume")
expect_equal(other:read(0, 6), "second", "which does not disturb the second")
other:flush()

-- Back again, found by an open.
other:close()
insert(1)
file = vm:open(ROOT .. "kept", { access = "r" })
expect_equal(file:read(0, #FIRST), FIRST, "an open mounts what is there")
expect_equal(label(), "Medium 1", "the first again")
file:close()
control:close()
vm:shutdown()
for n, bytes in ipairs{ FIRST, SECOND } do
  local output, status = fltvm.image{ "check", "--lost", images[n] }
  expect_equal(status, 0, output)
  output = fltvm.image{ "read", images[n], "kept" }
  expect_equal(output, bytes, "on medium " .. n)
end
