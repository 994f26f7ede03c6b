-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files that ntfscp has put on a volume and files that the guest makes: opened, asked, listed, read and written; ntfs-3g's tools
-- read what the guest has written.
local function tool(...)
  local output, status = fltvm.host{ ... }
  expect_equal(status, 0, table.concat({ ... }, " ") .. "\n" .. output:sub(1, 1000))
  return output
end

local function utf16(text) return (text:gsub(".", "%0\0")) end

local function write_file(name, bytes)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

local big = {}
for line = 1, 20000 do big[line] = ("line %05d of it\n"):format(line) end
big = table.concat(big)
local disk = write_file("disk.raw", string.rep("\0", 16 << 20))
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", "-L", "Files", disk)
tool("ntfscp", "-q", "-f", disk, write_file("big", big), "Big File.txt")
tool("ntfscp", "-q", "-f", disk, write_file("small", "small one"), "small.txt")
tool("ntfscp", "-q", "-f", "-N", "second", disk, write_file("stream", "another stream"), "small.txt")
tool("ntfscp", "-q", "-f", disk, write_file("empty", ""), "empty")

local vm = fltvm.machine{ cpus = 2, disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1"
local OPEN, CREATE, OPEN_IF = 1, 2, 3
local DIRECTORY, NON_DIRECTORY, BY_ID, SYNC = 1, 0x40, 0x2000, 0x20
local BASIC, STANDARD, INTERNAL, EA, NAME, ALL, STREAMS, OPENS, TAG = 4, 5, 6, 7, 9, 18, 22, 34, 35

local function standard(file)
  local allocated, size, links, pending, directory = string.unpack("<i8i8I4BB", file:query(STANDARD, 24))
  return { allocated = allocated, size = size, links = links, pending = pending, directory = directory }
end
local function attributes(file) return (string.unpack("<I4", file:query(TAG, 8))) end
local function name(file)
  local bytes = file:query(NAME, 600)
  local length = string.unpack("<I4", bytes)
  expect_equal(#bytes, 4 + length, "length of the name")
  return (bytes:sub(5):gsub("(.)\0", "%1"))
end

-- Names, without regard to case; the answer is as on the disk.
local file = vm:open(ROOT .. "\\BIG file.TXT", { access = "r" })
expect_equal(name(file), "\\Big File.txt", "the name as on the disk")
local facts = standard(file)
expect_equal(facts.size, #big, "size")
expect_equal(facts.allocated, (#big + 4095) // 4096 * 4096, "allocation")
expect_equal(facts.links, 1, "links")
expect_equal(facts.directory, 0, "no directory")
expect(attributes(file) & 0x10 == 0, "attributes")
local created, accessed, written, changed = string.unpack("<i8i8i8i8I4", file:query(BASIC, 40))
expect(created > 0 and accessed > 0 and written > 0 and changed > 0, "times")
local all = file:query(ALL, 200)
expect_equal(all:sub(1, 36), file:query(BASIC, 40):sub(1, 36), "FileAllInformation begins with the basic one")
expect_equal(string.unpack("<i8", all, 49), #big, "and has the size")
local opens = file:query(OPENS, 56)
expect_equal(string.unpack("<i8", opens, 41), #big, "FileNetworkOpenInformation has it as well")
expect_equal(string.unpack("<I4", file:query(EA, 4)), 0, "no extended attributes")
expect_status("STATUS_BUFFER_OVERFLOW", function() file:query(NAME, 8) end, "half a name")

-- Reads: cached and at any place, to the end and behind it.
expect(file:read(0, #big + 100) == big, "all of it at once, and what is behind the end is not there")
expect_equal(file:read(16 * 100 + 3, 50), big:sub(16 * 100 + 4, 16 * 100 + 53), "somewhere in it")
expect_status("STATUS_END_OF_FILE", function() file:read(#big, 1) end)
file:close()

-- Non-cached: sectors, straight to the disk, several at a time.
file = vm:open(ROOT .. "\\Big File.txt", { access = "r", buffered = false, async = true })
local reads, pieces = {}, {}
for at = 0, #big - 1, 65536 do reads[#reads + 1] = file:read_async(at, 65536, { thread = #reads % 4 }) end
for n, read in ipairs(reads) do pieces[n] = read:wait() end
expect(table.concat(pieces) == big, "in pieces, asynchronously")
expect_status("STATUS_INVALID_PARAMETER", function() file:read(1, 512) end, "no sector begins there")
expect_status("STATUS_INVALID_PARAMETER", function() file:read(0, 100) end, "no sector ends there")
expect_status("STATUS_END_OF_FILE", function() file:read((#big + 511) // 512 * 512, 512) end)
file:close()

-- Resident, empty, streams.
file = vm:open(ROOT .. "\\small.txt", { access = "r" })
expect_equal(file:read(0, 100), "small one", "a resident file")
expect_equal(file:read(6, 2), "on", "some of it")
local id = file:query(INTERNAL, 8)
local streams = file:query(STREAMS, 400)
local next_, length, size = string.unpack("<I4I4i8", streams)
expect_equal(streams:sub(25, 24 + length), utf16("::$DATA"), "the unnamed stream")
expect_equal(size, 9, "its size")
_, length, size = string.unpack("<I4I4i8", streams, next_ + 1)
expect_equal(streams:sub(next_ + 25, next_ + 24 + length), utf16(":second:$DATA"), "and the other")
expect_equal(size, 14, "its size")
file:close()
for _, form in ipairs{ ":second", ":SECOND:$DATA", ":second:$data" } do
  file = vm:open(ROOT .. "\\small.txt" .. form, { access = "r" })
  expect_equal(file:read(0, 100), "another stream", form)
  expect_equal(standard(file).size, 14, "size of the stream")
  file:close()
end
file = vm:open(ROOT .. "\\small.txt::$DATA", { access = "r" })
expect_equal(file:read(0, 100), "small one", "the unnamed stream by its type")
file:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "\\small.txt:third") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\small.txt:a:$INDEX_ALLOCATION") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\small.txt:") end)
file = vm:open(ROOT .. "\\empty", { access = "r" })
expect_status("STATUS_END_OF_FILE", function() file:read(0, 1) end, "an empty file")
file:close()

-- Names that are not, are not there, or are something else.
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "\\none") end)
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open(ROOT .. "\\none\\file") end)
expect_status("STATUS_OBJECT_PATH_NOT_FOUND", function() vm:open(ROOT .. "\\small.txt\\file") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\a*") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\\\small.txt") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\small.txt\\") end)
expect_status("STATUS_OBJECT_NAME_INVALID", function() vm:open(ROOT .. "\\" .. string.rep("x", 256)) end)
expect_status("STATUS_ACCESS_DENIED", function() vm:open(ROOT .. "\\$MFT") end)
expect_status("STATUS_NOT_A_DIRECTORY", function() vm:open(ROOT .. "\\small.txt", { options = DIRECTORY | SYNC }) end)
expect_status("STATUS_FILE_IS_A_DIRECTORY", function() vm:open(ROOT .. "\\", { options = NON_DIRECTORY | SYNC }) end)
expect_status("STATUS_OBJECT_NAME_COLLISION", function() vm:open(ROOT .. "\\Small.txt", { disposition = CREATE }) end)

-- Sharing.
file = vm:open(ROOT .. "\\small.txt", { access = "r", share = 1 })
expect_status("STATUS_SHARING_VIOLATION", function() vm:open(ROOT .. "\\small.txt", { access = "rw" }) end)
vm:open(ROOT .. "\\small.txt", { access = "r" }):close()
file:close()
vm:open(ROOT .. "\\small.txt", { access = "rw" }):close()

-- New files and directories.
vm:open(ROOT .. "\\Folder", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }):close()
expect_status("STATUS_OBJECT_NAME_COLLISION",
  function() vm:open(ROOT .. "\\folder", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC }) end)
vm:open(ROOT .. "\\FOLDER\\Inner", { access = "r", disposition = OPEN_IF, options = DIRECTORY | SYNC }):close()
local new = vm:open(ROOT .. "\\folder\\inner\\New.dat", { disposition = CREATE })
expect_equal(name(new), "\\Folder\\Inner\\New.dat", "a path as on the disk")
expect_equal(new:write(0, "hello"), 5, "a resident write")
expect_equal(standard(new).size, 5, "moves the size")
expect_equal(new:read(0, 10), "hello", "and is read")
local chunk = big:sub(1, 100000)
expect_equal(new:write(3, chunk), #chunk, "it becomes nonresident")
expect(new:read(0, 200000) == "hel" .. chunk, "and is read again")
expect_equal(standard(new).size, 3 + #chunk, "with its size")
new:write(300000, "end")
local whole = "hel" .. chunk .. string.rep("\0", 300000 - 3 - #chunk) .. "end"
expect(new:read(0, 400000) == whole, "what nobody has written reads as zeros")
local plain = vm:open(ROOT .. "\\Folder\\Inner\\New.dat", { access = "rw", buffered = false })
expect(plain:read(0, 300544) == whole, "also where the cache is not asked")
plain:write(4096, string.rep("Z", 8192))
whole = whole:sub(1, 4096) .. string.rep("Z", 8192) .. whole:sub(4096 + 8192 + 1)
expect(new:read(0, 400000) == whole, "a write of whole sectors is seen by the others")
plain:close()
new:flush()
new:close()

-- By identifier, the path comes from the disk.
local inner = vm:open(ROOT .. "\\Folder\\Inner\\New.dat", { access = "r" })
local inner_id = inner:query(INTERNAL, 8)
inner:close()
expect(inner_id ~= id, "identifiers differ")

-- Directories: in order, by pattern, one by one, from the beginning again.
local function entries(bytes)
  local found, at = {}, 0
  while true do
    local next_entry, _, _, _, _, _, eof, _, attribute, bytes_of_name = string.unpack("<I4I4i8i8i8i8i8i8I4I4", bytes, at + 1)
    local reference = string.unpack("<I8", bytes, at + 97)
    found[#found + 1] = { name = bytes:sub(at + 105, at + 104 + bytes_of_name):gsub("(.)\0", "%1"), size = eof, attributes = attribute, id = reference }
    found[#found].name = (bytes:sub(at + 105, at + 104 + bytes_of_name):gsub("(.)\0", "%1"))
    if next_entry == 0 then return found end
    at = at + next_entry
  end
end
local function names(list)
  local result = {}
  for n, entry in ipairs(list) do result[n] = entry.name end
  return table.concat(result, ",")
end
local ID_BOTH = 37
local root = vm:open(ROOT .. "\\", { access = "r", options = DIRECTORY | SYNC })
expect_equal(name(root), "\\", "the root's name")
expect(attributes(root) & 0x10 ~= 0, "the root is a directory")
local list = entries(root:query_directory(ID_BOTH, 4096))
expect_equal(names(list), "Big File.txt,empty,Folder,small.txt", "the root, in order, without the file system's own files")
expect_equal(list[4].id, string.unpack("<I8", id), "identifier in the listing")
expect_equal(list[1].size, #big, "size in the listing")
expect(list[3].attributes & 0x10 ~= 0, "a directory in the listing")
expect_status("STATUS_NO_MORE_FILES", function() root:query_directory(ID_BOTH, 4096) end)
expect_equal(names(entries(root:query_directory(ID_BOTH, 4096, nil, 1 | 2))), "Big File.txt", "from the beginning, one")
expect_equal(names(entries(root:query_directory(ID_BOTH, 4096, nil, 2))), "empty", "the next")
expect_equal(names(entries(root:query_directory(ID_BOTH, 4096))), "Folder,small.txt", "the rest")
for class, at in pairs{ [60] = 88, [63] = 114 } do -- FileIdExtdDirectoryInformation, FileIdExtdBothDirectoryInformation
  local bytes, found, from = root:query_directory(class, 4096, nil, 1), {}, 0
  repeat
    local after, length = string.unpack("<I4", bytes, from + 1), string.unpack("<I4", bytes, from + 61)
    found[#found + 1] = { name = (bytes:sub(from + at + 1, from + at + length):gsub("(.)\0", "%1")), id = bytes:sub(from + 73, from + 88),
      size = string.unpack("<i8", bytes, from + 41), tag = string.unpack("<I4", bytes, from + 69) }
    from = from + after
  until after == 0
  expect_equal(names(found), "Big File.txt,empty,Folder,small.txt", "the same in class " .. class)
  expect_equal(found[4].id, id .. ("\0"):rep(16 - #id), "an identifier of 128 bits")
  expect_equal(found[1].size, #big, "and a size")
  expect_equal(found[3].tag, 0, "no tag of a reparse point")
  expect_status("STATUS_INFO_LENGTH_MISMATCH", function() root:query_directory(class, at - 1, nil, 1) end)
end
root:close()
root = vm:open(ROOT .. "\\", { access = "r", options = DIRECTORY | SYNC })
expect_equal(names(entries(root:query_directory(ID_BOTH, 4096, "*.TXT"))), "Big File.txt,small.txt", "by pattern")
root:close()
root = vm:open(ROOT .. "\\", { access = "r", options = DIRECTORY | SYNC })
expect_status("STATUS_NO_SUCH_FILE", function() root:query_directory(ID_BOTH, 4096, "x*") end)
root:close()
local folder = vm:open(ROOT .. "\\folder", { access = "r", options = DIRECTORY | SYNC })
expect_equal(names(entries(folder:query_directory(ID_BOTH, 4096))), ".,..,Inner", "a directory below the root")
folder:close()
local many = vm:open(ROOT .. "\\Folder\\Many", { access = "r", disposition = CREATE, options = DIRECTORY | SYNC })
for n = 1, 120 do
  vm:open(ROOT .. ("\\Folder\\Many\\a file with a long name %03d"):format(121 - n), { disposition = CREATE }):close()
end
local count, last = 0, ""
while true do
  local ok, bytes = pcall(many.query_directory, many, ID_BOTH, 1024)
  if not ok then break end
  for _, entry in ipairs(entries(bytes)) do
    count = count + 1
    if entry.name > last then last = entry.name end
  end
end
expect_equal(count, 122, "120 files, in pieces, of an index of several blocks")
expect_equal(last, "a file with a long name 120", "the last of them")
many:close()

-- A file in many places, read at once: where one of them errs the read does, whichever of its pieces is the last.
local here = vm:open(ROOT .. "\\Folder\\here", { disposition = CREATE })
local there = vm:open(ROOT .. "\\Folder\\there", { disposition = CREATE })
for n = 0, 7 do
  for _, grown in ipairs{ here, there } do
    grown:write(n * 4096, string.rep(string.char(65 + n), 4096))
    grown:flush()
  end
end
local runs, _, _, behind, cluster = string.unpack("<I4I4i8i8i8", here:fsctl(0x90073, string.pack("<i8", 0), 1000))
expect(runs > 2, "it has " .. runs .. " runs")
local grown = here:read(0, 8 * 4096)
here:close()
there:close()
here = vm:open(ROOT .. "\\Folder\\here", { access = "r", buffered = false })
vm:fault{ op = "read", first = cluster * 8, last = (cluster + behind) * 8 - 1, action = "error", status = "media_read" }
expect_status("STATUS_DEVICE_DATA_ERROR", function() here:read(0, 8 * 4096) end, "the first run errs")
expect(here:read(behind * 4096, (8 - behind) * 4096) == grown:sub(behind * 4096 + 1), "the others do not")
vm:clear_faults()
expect(here:read(0, 8 * 4096) == grown, "and it is all there")
here:close()

-- Dismounted, files are dead; the end is clean, and other people's tools read what was written.
file = vm:open(ROOT .. "\\small.txt")
local volume = vm:open(ROOT)
volume:fsctl(0x90020)
expect_status("STATUS_VOLUME_DISMOUNTED", function() file:read(0, 9) end)
expect_status("STATUS_VOLUME_DISMOUNTED", function() file:query(STANDARD, 24) end)
volume:close()
file:close()
vm:open(ROOT .. "\\small.txt", { access = "r" }):close()
vm:shutdown()
expect_equal(tool("ntfscat", "-f", disk, "Folder/Inner/New.dat"), whole, "ntfscat reads what the guest wrote")
expect_equal(tool("ntfscat", "-f", disk, "Big File.txt"), big, "and what it did not touch")
local output = tool("ntfsfix", "-n", disk)
expect(not output:find("dirty") and not output:find("FAILED"), "ntfsfix -n: " .. output)
expect(tool("ntfsls", "-f", disk, "-p", "Folder/Many"):find("long name 120"), "ntfsls finds the files")
