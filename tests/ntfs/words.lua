-- SPDX-License-Identifier: GPL-2.0-or-later
-- The words of scenarios for files: what an open asks for by name, listings, names, streams, links, information, the volume.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", "-L", "Words", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local function fails(text, call, what)
  local ok, message = pcall(call)
  expect(not ok and tostring(message):find(text, 1, true), what .. ": " .. tostring(message))
end
local function names(list)
  local result = {}
  for n, entry in ipairs(list) do result[n] = entry.name end
  return table.concat(result, " ")
end

-- Opens.
local file, action = vm:open(ROOT .. "Größe €𝄞.txt", { disposition = "open_if", attributes = "hidden archive" })
expect_equal(action, "created", "what was done")
file:write(0, "some text")
fails('opened without "delete": STATUS_ACCESS_DENIED', function() file:rename("another") end, "a rename wants more than reading and writing")
fails('opened without "delete": STATUS_ACCESS_DENIED', function() file:delete() end, "so does a deletion")
expect_equal(file:information("basic").attributes, "hidden archive", "attributes by name")
file:close()
file, action = vm:open(ROOT .. "größe €𝄞.TXT", { disposition = "open_if", access = { "read_data", "read_attributes" }, share = "r" })
expect_equal(action, "opened", "the second time")
expect_status("STATUS_SHARING_VIOLATION", function() vm:open(ROOT .. "größe €𝄞.txt", { access = "w" }) end, "by its share mode")
local id = file:information("internal").id
file:close()
file = vm:open(ROOT, { id = id, access = "r" })
expect_equal(file:information("name").name, "\\Größe €𝄞.txt", "by its identifier")
file:close()
local root = vm:open(ROOT, { access = "r", options = "directory" })
file = vm:open("Größe €𝄞.txt", { root = root, access = "r" })
expect_equal(file:read(0, 20), "some text", "from a directory")
file:close()
fails("did you mean 'create'", function() vm:open(ROOT .. "x", { disposition = "crate" }) end, "a disposition")
fails("did you mean 'delete_on_close'", function() vm:open(ROOT .. "x", { options = "directory delete_onclose" }) end, "an option")
fails("did you mean 'hidden'", function() vm:open(ROOT .. "x", { attributes = { "hiden" } }) end, "an attribute")
fails("share: 'x' is none of", function() vm:open(ROOT .. "x", { share = "x" }) end, "a share mode")

-- Listings.
vm:open(ROOT .. "dir", { access = "r", disposition = "create", options = "directory" }):close()
local dir = vm:open(ROOT .. "dir", { access = "r", options = "directory" })
expect_equal(#dir:list(), 0, "nothing in it")
for n = 1, 120 do vm:open(("%sdir\\file %03d with a name that takes some room"):format(ROOT, n), { disposition = "create" }):close() end
local list = dir:list()
expect_equal(#list, 120, "all of it, in several answers")
expect_equal(list[120].name, "file 120 with a name that takes some room", "in order")
expect_equal(#dir:list(), 120, "and again")
dir:close()
list = root:list()
expect_equal(names(list), "dir Größe €𝄞.txt", "names in Unicode")
expect_equal(list[2].size, 9, "size")
expect_equal(list[2].id, id, "identifier")
expect(list[1].directory and not list[2].directory, "kinds")
root:close()
root = vm:open(ROOT, { access = "r", options = "directory" })
expect_equal(names(root:list("*.TXT")), "Größe €𝄞.txt", "by pattern")
root:close()
root = vm:open(ROOT, { access = "r", options = "directory" })
expect_equal(#root:list("none*"), 0, "nothing")

-- Names.
file = vm:open(ROOT .. "Größe €𝄞.txt", { access = "r delete" })
file:rename("new name")
expect_equal(file:information("name").name, "\\new name", "renamed")
file:link("link", { root = root })
file:link(ROOT .. "dir\\deep link")
local links = file:links()
expect_equal(#links, 3, "links")
expect_equal(names(links), "new name link deep link", "their names")
expect(links[1].parent == links[2].parent and links[1].parent ~= links[3].parent, "and directories")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() file:rename(ROOT .. "dir\\file 001 with a name that takes some room") end)
file:rename(ROOT .. "dir\\file 001 with a name that takes some room", { replace = true })
file:delete()
expect(file:information("standard").delete_pending, "marked")
file:delete{ undo = true }
expect(not file:information("standard").delete_pending, "and not")
fails("did you mean 'posix'", function() file:delete{ posx = true } end, "an option of a deletion")
file:delete{ posix = true }
file:close()
root:close()

-- Streams.
file = vm:open(ROOT .. "link:a stream", { disposition = "create" })
file:write(0, "stream")
file:close()
file = vm:open(ROOT .. "link")
local streams = file:streams()
expect_equal(names(streams), "::$DATA :a stream:$DATA", "streams")
expect_equal(streams[2].size, 6, "size")

-- Information.
file:set_information("end_of_file", { size = 5000 })
expect_equal(file:information("standard").size, 5000, "set by name")
file:set_information("basic", { written = 132000000000000000, attributes = "archive hidden" })
expect_equal(file:information("basic").written, 132000000000000000, "a time")
expect(file:information("network_open").attributes:find("hidden archive", 1, true), "attributes")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() file:information("alternate_name") end, "no short name")
fails("did you mean 'standard'", function() file:information("standrad") end, "a class")
fails("no field 'length'", function() file:set_information("end_of_file", { length = 1 }) end, "a field")
local volume = file:volume("volume")
expect_equal(volume.label, "Words", "the volume's label")
expect_equal(file:volume("attribute").file_system, "NTFS", "its file system")
expect_equal(file:volume("size").sector, 512, "its sectors")
file:set_volume("label", { label = "Größer" })
expect_equal(file:volume("volume").label, "Größer", "another label")
file:close()
