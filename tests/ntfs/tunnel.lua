-- SPDX-License-Identifier: GPL-2.0-or-later
-- The tunnel: a file that takes the name of one that has just gone has its time of creation, and by its short name its long
-- one, which a minifilter learns by FltGetTunneledName.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local VOLUME = "\\Device\\HarddiskVolume1\\"
local DIR = VOLUME .. "a longer directory\\"
local SHORT_NAME = 40
vm:open(VOLUME .. "a longer directory", { access = "r", disposition = "create", options = "directory" }):close()
local filter = vm:load{ source = "tunnel.c", altitude = "140000" }

local function utf16(text) return (text:gsub(".", "%0\0")) end
local function shorten(file, name) file:set(SHORT_NAME, string.pack("<I4", #name * 2) .. utf16(name)) end
-- A new file, and when it was made; later.  The kernel's: of a program NTFS wants SeRestorePrivilege for a short name.
local function make(name, options)
  options = options or {}
  options.disposition = "create"
  options.user = "kernel"
  local file = vm:open(DIR .. name, options)
  return file, file:information("basic").created
end
local function gone(name)
  local file = vm:open(DIR .. name, { access = "delete" })
  file:delete()
  file:close()
  vm:sleep(100)
end
local function rename(from, to, options)
  local file = vm:open(DIR .. from, { access = "delete" })
  file:rename(to, options)
  file:close()
  vm:sleep(100)
end
local function created(name)
  local file = vm:open(DIR .. name, { access = "attributes" })
  local time = file:information("basic").created
  file:close()
  return time
end
local function entry(pattern)
  local dir = vm:open(DIR:sub(1, -2), { access = "r", options = "directory" })
  local list = dir:list(pattern)
  dir:close()
  return #list == 1 and list[1] or { name = "none" }
end
local function told(since, before, now)
  local text = "tunnel: " .. DIR .. before .. (now and " is " .. DIR .. now or " stays")
  local found = 0
  for _, line in ipairs(vm:log(since)) do if line == text or line:find(text, 1, true) then found = found + 1 end end
  return found
end

-- delete(name)/create(name)
local file, time = make("Some long name.text")
file:close()
vm:sleep(100)
gone("Some long name.text")
local since = #vm:log()
local again, new = make("some LONG name.text")
again:close()
expect_equal(new, time, "deleted and created: the time of creation is the former's")
expect_equal(told(since, "some LONG name.text"), 1, "the name is the one that it was created by")
expect_equal(entry("some*").name, "some LONG name.text")
rename("some LONG name.text", "elsewhere")

-- rename(name, newname)/create(name)
file, new = make("Some long name.text")
file:close()
expect_equal(new, time, "renamed and created")
expect_equal(created("elsewhere"), time, "the renamed one keeps its own")

-- delete(name)/rename(source, name), rename(name, newname)/rename(source, name)
vm:sleep(100)
file, new = make("source")
file:close()
expect(new > time, "another file has its own time")
gone("Some long name.text")
rename("source", "Some long name.text")
expect_equal(created("Some long name.text"), time, "deleted, and another renamed to it")
rename("Some long name.text", "third")
file, new = make("fourth")
file:close()
expect(new > time, "made now")
rename("fourth", "Some long name.text")
expect_equal(created("Some long name.text"), time, "renamed, and another renamed to it")

-- What is not tunneled.
file, new = make("fifth")
file:close()
rename("fifth", "Some long name.text", { replace = true })
expect_equal(created("Some long name.text"), new, "what replaces another is not that one")
gone("Some long name.text")
vm:sleep(15100)
file, new = make("Some long name.text")
file:close()
expect(new > time, "after 15 seconds nothing is remembered")
file, time = make("dir", { options = "directory", access = "r" })
file:close()
vm:sleep(100)
file = vm:open(DIR .. "dir", { access = "delete", options = "directory" })
file:delete()
file:close()
vm:sleep(100)
file, new = make("dir", { options = "directory", access = "r" })
expect(new > time, "directories are not tunneled")
file:close()

-- A short name: with it the long one comes back.
file, time = make("Another long name.text")
shorten(file, "anothe~1.tex")
file:close()
expect_equal(entry("another*").short_name, "ANOTHE~1.TEX", "a short name")
file = vm:open(VOLUME .. "a longer directory\\ANOTHE~1.TEX", { access = "attributes" })
expect_equal(file:information("normalized_name").name, "\\a longer directory\\Another long name.text", "the normalized name has the long one")
file:close()
gone("ANOTHE~1.TEX")
since = #vm:log()
file, new = make("anothe~1.TEX")
expect_equal(new, time, "by its short name")
file:close()
expect_equal(told(since, "anothe~1.TEX", "Another long name.text"), 1, "FltGetTunneledName tells the long name")
expect_equal(entry("another*").name, "Another long name.text", "which is on the disk")
expect_equal(entry("another*").short_name, "ANOTHE~1.TEX", "with the short one")
vm:sleep(100)
gone("Another long name.text")
since = #vm:log()
file, new = make("Another long name.text")
file:close()
expect_equal(entry("another*").short_name, "ANOTHE~1.TEX", "by its long name the short one comes back, too")
expect_equal(told(since, "Another long name.text"), 1, "and the name stays")

vm:sleep(100)
gone("ANOTHE~1.TEX")
since = #vm:log()
rename("third", "anothe~1.tex")
expect_equal(told(since, "anothe~1.tex", "Another long name.text"), 1, "a rename to the short name gets the long one, too")
expect_equal(entry("another*").name .. " " .. entry("another*").short_name, "Another long name.text ANOTHE~1.TEX")
expect_equal(created("another long name.text"), time, "and the time of creation")

-- A link has its own name.
since = #vm:log()
file = vm:open(DIR .. "elsewhere")
file:link("one more")
file:close()
expect_equal(told(since, "one more"), 1, "a link's name is the link's")

-- Refused.
file = vm:open(DIR .. "elsewhere", { access = "rw delete", user = "kernel" })
expect_status("STATUS_OBJECT_NAME_COLLISION", function() shorten(file, "ANOTHE~1.TEX") end, "another has it")
expect_status("STATUS_INVALID_PARAMETER", function() shorten(file, "not.short.x") end)
expect_status("STATUS_INVALID_PARAMETER", function() shorten(file, "LONGERTHAN.TXT") end)
expect_status("STATUS_INVALID_PARAMETER", function() file:set(SHORT_NAME, string.pack("<I4", 0) .. "\0\0\0\0") end)
file:close()
file = vm:open(DIR .. "elsewhere", { access = "rw delete", user = "limited" })
expect_status("STATUS_PRIVILEGE_NOT_HELD", function() shorten(file, "ELSE.TXT") end, "without the privilege to restore")
file:close()
file = vm:open(VOLUME, { access = "r delete", options = "directory", user = "kernel" })
expect_status("STATUS_INVALID_PARAMETER", function() shorten(file, "ROOT") end, "the root has none")
file:close()
filter:unload()
vm:shutdown()
output, status = fltvm.host{ "ntfsfix", "-n", disk }
expect_equal(status, 0, output)
