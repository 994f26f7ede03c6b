-- SPDX-License-Identifier: GPL-2.0-or-later
-- The backup filter on NTFS: copies before the first write, a cut, an overwriting open, a deletion either way, a writable view; once, and only of what was there.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
for _, name in ipairs{ "Data", "Backup", "Data\\Sub" } do
  vm:open(ROOT .. name, { disposition = "create", options = "directory", access = "r" }):close()
end
local function put(name, text, options)
  options = options or {}
  options.disposition = options.disposition or "open_if"
  local file = vm:open(ROOT .. name, options)
  if text then file:write(0, text) end
  file:close()
end
local text = {}
for _, name in ipairs{ "a", "b", "c", "d", "e", "f" } do
  text[name] = (name .. " as it was; "):rep(3000)
  put("Data\\" .. name .. ".txt", text[name])
end
put("other.txt", "not ours")
local filter = vm:load{ inf = "backup.inf", source = "backup.c" }
local function copies()
  local dir = vm:open(ROOT .. "Backup", { access = "r", options = "directory" })
  local found = {}
  for _, entry in ipairs(dir:list()) do
    local file = vm:open(ROOT .. "Backup\\" .. entry.name, { access = "r" })
    found[entry.name:match("^(.-)%.%d+$")] = entry.size > 0 and file:read(0, 65536) or ""
    file:close()
  end
  dir:close()
  return found
end

local file = vm:open(ROOT .. "Data\\a.txt", { access = "r" })
file:read(0, 100)
file:close()
put("other.txt", "is ours")
put("Data\\new.txt", "new")
expect_equal(next(copies()), nil, "nothing is copied before something is changed")

local first = vm:open(ROOT .. "Data\\a.txt", { access = "w" })
local second = vm:open(ROOT .. "Data\\a.txt")
first:write(0, "changed")
second:write(100, "changed")
first:close()
second:close()
expect(copies()["a.txt"] == text.a, "before the first write, through a handle that cannot read")
file = vm:open(ROOT .. "Data\\b.txt")
file:set_information("end_of_file", { size = 10 })
file:close()
expect(copies()["b.txt"] == text.b, "before it is cut")
put("Data\\c.txt", "over", { disposition = "overwrite" })
expect(copies()["c.txt"] == text.c, "before it is overwritten")
file = vm:open(ROOT .. "Data\\d.txt", { access = "delete" })
file:delete()
file:close()
expect(copies()["d.txt"] == text.d, "before it is deleted")
vm:open(ROOT .. "Data\\e.txt", { access = "delete", options = "delete_on_close" }):close()
expect(copies()["e.txt"] == text.e, "on close")
file = vm:open(ROOT .. "Data\\f.txt", { buffered = false })
file:write(512, ("X"):rep(512))
file:close()
expect(copies()["f.txt"] == text.f, "past the cache")
file = vm:open(ROOT .. "Data\\f.txt", { access = "r" })
expect(file:read(0, 65536) == text.f:sub(1, 512) .. ("X"):rep(512) .. text.f:sub(1025), "the file itself is as it was written")
file:close()

-- A program, four times.
local processes = {}
for n = 1, 4 do
  processes[n] = vm:process{ program = "load.c",
    flags = { "-DROUNDS=4", "-DWORKER=" .. n, '-DFOLDER=L"\\\\Device\\\\HarddiskVolume1\\\\Data\\\\Sub\\\\W"' } }
end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0x600D, "program " .. n) end
local failed = 0
for _, line in ipairs(vm:log()) do if line:find("is not copied: 0x", 1, true) and not line:find("C0000034", 1, true) then failed = failed + 1 end end
expect_equal(failed, 0, "no copy failed but of what was not there")
filter:unload()
expect(tonumber((vm:expect_log("backup: (%d+) copies", "counted"))) >= 22, "one for each file")
