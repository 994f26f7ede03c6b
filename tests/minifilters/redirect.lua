-- SPDX-License-Identifier: GPL-2.0-or-later
-- The redirector on NTFS: opens, renames and links that go to one folder end in another; names tell where they have ended.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
for _, name in ipairs{ "From", "To", "To\\Deep", "To\\Deep\\Sub", "Other" } do
  vm:open(ROOT .. name, { disposition = "create", options = "directory", access = "r" }):close()
end
vm:open(ROOT .. "From\\own.txt", { disposition = "create" }):close()
local filter = vm:load{ inf = "redirect.inf", source = "redirect.c" }

local file = vm:open(ROOT .. "From\\new.txt", { disposition = "create", access = "rw delete" })
expect_equal(file:information("name").name, "\\To\\Deep\\new.txt", "a new file is where From leads")
file:write(0, "hello")
file:close()
file = vm:open(ROOT .. "to\\deep\\NEW.txt", { access = "r" })
expect_equal(file:read(0, 10), "hello", "by its own name")
file:close()
file = vm:open(ROOT .. "FROM\\Sub\\x.txt", { disposition = "open_if" })
expect_equal(file:information("name").name, "\\To\\Deep\\Sub\\x.txt", "deeper, by another case")
file:close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "From\\own.txt") end, "what From has is not reached")
vm:open(ROOT .. "FromNot", { disposition = "create" }):close()
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(ROOT .. "To\\DeepNot") end, "a name that begins so is another")
local dir = vm:open(ROOT .. "From", { access = "r", options = "directory" })
expect_equal(dir:information("name").name, "\\To\\Deep", "the folder itself")
local function names(list)
  local out = {}
  for n, entry in ipairs(list) do out[n] = entry.name end
  return table.concat(out, " ")
end
expect_equal(names(dir:list()), "new.txt Sub", "its listing")
file = vm:open("new.txt", { root = dir, access = "r" })
expect_equal(file:information("name").name, "\\To\\Deep\\new.txt", "from the folder that is open")
file:close()
dir:close()

-- What is made of a name that begins in an open folder begins at the root: so who is above sees it the second time.
local above = vm:load{ source = "names.c", altitude = "370000", name = "above" }
dir = vm:open(ROOT, { access = "r", options = "directory" })
local since = #vm:log()
file = vm:open("From\\new.txt", { root = dir, access = "r" })
expect_equal(file:information("name").name, "\\To\\Deep\\new.txt", "from the root")
file:close()
above:unload()
local asked = {}
for _, line in ipairs(vm:log(since)) do asked[#asked + 1] = line:match("above: pre opened (.*new%.txt)") end
expect_equal(asked, { ROOT .. "From\\new.txt", ROOT .. "To\\Deep\\new.txt" }, "both times by a whole name")
dir:close()

-- To it by rename and link.
file = vm:open(ROOT .. "Other\\a.txt", { disposition = "create", access = "rw delete" })
file:rename(ROOT .. "From\\b.txt")
expect_equal(file:information("name").name, "\\To\\Deep\\b.txt", "renamed to it")
file:rename("c.txt")
expect_equal(file:information("name").name, "\\To\\Deep\\c.txt", "and on, beside it")
expect_status("STATUS_OBJECT_NAME_COLLISION", function() file:rename(ROOT .. "From\\new.txt") end, "not over what is there")
file:rename(ROOT .. "From\\new.txt", { replace = true })
file:link(ROOT .. "From\\Sub\\link.txt")
file:rename(ROOT .. "From\\posix.txt", { replace = true, posix = true })
expect_equal(#file:links(), 2, "two names")
file:close()
dir = vm:open(ROOT .. "From\\Sub", { access = "r", options = "directory" })
expect_equal(names(dir:list()), "link.txt x.txt", "the link")
dir:close()

-- A program's, and four of them at once.
local processes = {}
vm:open(ROOT .. "To\\Deep\\W", { disposition = "create", options = "directory", access = "r" }):close()
for n = 1, 4 do
  processes[n] = vm:process{ program = "load.c",
    flags = { "-DROUNDS=5", "-DWORKER=" .. n, '-DFOLDER=L"\\\\Device\\\\HarddiskVolume1\\\\From\\\\W\\\\W"' } }
end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0x600D, "program " .. n) end
filter:unload()
dir = vm:open(ROOT .. "From", { access = "r", options = "directory" })
expect_equal(names(dir:list()), "own.txt", "nothing has come into From itself")
dir:close()
