-- SPDX-License-Identifier: GPL-2.0-or-later
-- The delete watcher on NTFS: by disposition, on close, at once, undone, by the last of several handles, one of several names, streams, and by a rename.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local filter = vm:load{ inf = "delwatch.inf", source = "delwatch.c" }
local function make(name, access)
  local file = vm:open(ROOT .. name, { disposition = "open_if", access = access or "rw delete" })
  return file
end
local since
local function mark() since = #vm:log() end
local function told(what, text)
  vm:expect_log(text:gsub("%p", "%%%0"), what, { since = since })
end
local function silent(what)
  for _, line in ipairs(vm:log(since)) do expect(not line:find("delwatch:", 1, true), what .. ": " .. line) end
  expect(true, what)
end
local function gone(name) return not pcall(function() vm:open(ROOT .. name, { access = "attributes" }):close() end) end

mark()
local file = make("a.txt")
local id = string.unpack("<I8", file:information("internal").id)
file:delete()
file:close()
told("a disposition", ("%sa.txt deleted, id %016x"):format(ROOT, id))
expect(gone("a.txt"), "it is gone")

mark()
file = make("b.txt")
file:delete()
file:delete{ undo = true }
file:close()
silent("one that is taken back")
expect(not gone("b.txt"), "it is there")

mark()
vm:open(ROOT .. "b.txt", { access = "delete", options = "delete_on_close" }):close()
told("on close", "b.txt deleted")

mark()
file = make("c.txt")
local second = make("c.txt")
second:delete()
second:close()
told("not while another handle is open", "c.txt not yet: 0x00000000")
mark()
file:close()
told("but with the last", "c.txt deleted")

mark()
file = make("d.txt")
second = make("d.txt")
second:delete{ posix = true }
second:close()
told("at once, with other handles open: the name only", "d.txt not yet: 0x00000000")
expect(gone("d.txt"), "it is free")
mark()
file:close()
told("the file with the last", "d.txt deleted, at once")

mark()
file = make("e.txt")
file:link("f.txt")
file:delete()
file:close()
told("one of two names is not the file", "e.txt not yet: 0x00000000")
expect(not gone("f.txt"), "the other one stays")

mark()
vm:open(ROOT .. "g.txt:stream", { disposition = "create", access = "rw delete" }):close()
file = vm:open(ROOT .. "g.txt:stream", { access = "delete" })
file:delete()
file:close()
told("a stream", "g.txt:stream deleted, a stream")
expect(not gone("g.txt"), "its file stays")

mark()
file = make("h.txt")
file:rename("g.txt", { replace = true })
told("replaced", "g.txt replaced by a rename")
mark()
file:rename("i.txt")
silent("nothing was there")
file:close()

mark()
local dir = vm:open(ROOT .. "dir", { disposition = "create", options = "directory", access = "r delete" })
make("dir\\x.txt"):close()
expect_status("STATUS_DIRECTORY_NOT_EMPTY", function() dir:delete() end)
dir:close()
silent("a directory that is not empty")
vm:open(ROOT .. "dir\\x.txt", { access = "delete", options = "delete_on_close" }):close()
vm:open(ROOT .. "dir", { access = "delete", options = "directory delete_on_close" }):close()
told("a directory", "dir deleted")

-- Races: four programs that delete in one another's sight.
mark()
local processes = {}
for n = 1, 4 do processes[n] = vm:process{ program = "load.c", flags = { "-DROUNDS=6", "-DWORKER=" .. n } } end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0x600D, "program " .. n) end
local deleted = 0
for _, line in ipairs(vm:log(since)) do
  if line:find("done%d+%.txt deleted") then deleted = deleted + 1 end
end
expect_equal(deleted, 24, "each of their files is told once")
filter:unload()
