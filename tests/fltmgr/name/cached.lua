-- SPDX-License-Identifier: GPL-2.0-or-later
-- The cache of names: what the four ways to query do, what makes a name stale, and how long it is kept.
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\cached]]
local VOLUME = [[\Device\HarddiskVolume1]]
local ROOT = VOLUME .. "\\"
local NORMALIZED, OPENED, SHORT = 1, 2, 3
local DEFAULT, CACHE_ONLY, FILESYSTEM_ONLY, ALLOW = 0x100, 0x200, 0x300, 0x400
local DO_NOT_CACHE = 0x02000000
local TOP_LEVEL, PURGE, PURGE_FILE, TWICE, BELOW, PURGE_AMID = 1, 2, 4, 8, 16, 32
local MISS, INVALID = 0xC01C0018, 0xC01C0005

local disk = fltvm.temp("cached.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

-- The name without the volume's, or the status; how often the file system was asked.
local function ask(file, options, how)
  local answer = file:fsctl(0x93000, string.pack("<I4I4", options, how or 0), 16 + 400)
  local result, asked, same, length = string.unpack("<I4I4I4I4", answer)
  if result ~= 0 then return result, asked, same end
  local name = answer:sub(17, 16 + length):gsub("(.)%z", "%1")
  return name:sub(#VOLUME + 1), asked, same
end
local function expect_name(file, options, name, asked, what, how)
  local found, count = ask(file, options, how)
  expect_equal({ found, count }, { name, asked }, what)
end

for _, verifier in ipairs { "1", "0" } do
  local vm = fltvm.machine { disks = { { image = disk } }, options = { verifier = verifier } }
  vm:set_registry(KEY, "Plan", 15)
  local root = vm:open(ROOT, { access = "r", options = "directory" })
  local filter = vm:load { source = "cached.c", default_instance = "high", instances = { high = "300", low = "100" } }
  vm:open(ROOT .. "dir", { access = "r", disposition = "create", options = "directory" }):close()
  local file = vm:open(ROOT .. "dir\\a", { disposition = "create", user = "kernel" })

  -- The four ways.
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "nothing is kept yet")
  expect_name(file, OPENED | FILESYSTEM_ONLY, "\\dir\\a", 1, "the file system only")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "keeps nothing")
  expect_name(file, OPENED | DEFAULT | DO_NOT_CACHE, "\\dir\\a", 1, "nor does who says so")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "the flag")
  expect_name(file, OPENED | ALLOW, MISS, 0, "where it cannot be asked", TOP_LEVEL)
  expect_name(file, OPENED | DEFAULT, "\\dir\\a", 1, "the default asks once")
  expect_name(file, OPENED | DEFAULT, "\\dir\\a", 0, "and not again")
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\a", 0, "the cache only")
  expect_name(file, OPENED | ALLOW, "\\dir\\a", 0, "the cache, anywhere", TOP_LEVEL)
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\a", 0, "this one as well", TOP_LEVEL)
  expect_name(file, OPENED | DEFAULT, INVALID, 0, "the default does nothing where it is not safe", TOP_LEVEL)
  expect_name(file, OPENED | FILESYSTEM_ONLY, INVALID, 0, "nor does the file system's", TOP_LEVEL)
  expect_name(file, OPENED | FILESYSTEM_ONLY, "\\dir\\a", 1, "which is asked whatever is kept")
  expect_name(file, NORMALIZED | CACHE_ONLY, MISS, 0, "each format is kept for itself")
  expect_name(file, NORMALIZED | ALLOW, "\\dir\\a", 1, "a normalized one")
  expect_name(file, NORMALIZED | CACHE_ONLY, "\\dir\\a", 0, "is kept, too")
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\a", 0, "names of no provider are not purged", PURGE | PURGE_FILE)
  local _, _, same = ask(file, OPENED | DEFAULT, TWICE)
  expect_equal(same, verifier == "0" and 1 or 0, "without the verifier all share one structure")
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\a", 0, "that of a file whose end is not seen is not kept", BELOW)
  local other = vm:open(ROOT .. "dir\\a", { access = "rw delete" })
  expect_name(other, OPENED | CACHE_ONLY, MISS, 0, "another file object of the same file is asked for itself")
  expect_name(other, OPENED | DEFAULT, "\\dir\\a", 1)

  -- What makes them stale: by a file system that is asked by others, too.
  other:rename("b")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "a rename through another handle")
  expect_name(other, NORMALIZED | CACHE_ONLY, MISS, 0, "its own")
  expect_name(file, OPENED | DEFAULT, "\\dir\\b", 1, "the new name")
  expect_name(file, OPENED | DEFAULT, "\\dir\\b", 0, "is kept")
  vm:open(ROOT .. "dir\\c", { disposition = "create" }):close()
  expect_status("STATUS_OBJECT_NAME_COLLISION", function() other:rename("c") end)
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\b", 0, "a rename that fails changes nothing")
  vm:open(ROOT .. "empty", { access = "r", disposition = "create", options = "directory" }):close()
  local dir = vm:open(ROOT .. "empty", { access = "delete", options = "directory" })
  expect_name(dir, OPENED | DEFAULT, "\\empty", 1)
  dir:rename("full")
  expect_name(dir, OPENED | CACHE_ONLY, MISS, 0, "a directory's")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "changes the names of all that may be below")
  expect_name(dir, OPENED | DEFAULT, "\\full", 1)
  dir:close()
  expect_name(file, OPENED | DEFAULT, "\\dir\\b", 1)
  local linked = vm:open(ROOT .. "dir\\c")
  linked:link("d")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "a link, which may replace another name")
  linked:close()
  expect_name(file, OPENED | DEFAULT, "\\dir\\b", 1)
  file:set_information("basic", { attributes = "archive" })
  file:write(0, "text")
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\b", 0, "nothing else does")
  other:close()
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\b", 0, "nor the end of another handle")
  file:set(40, string.pack("<I4", 6) .. "B\0~\0" .. "1\0")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "a short name")
  expect_name(file, SHORT | DEFAULT, "", 1, "which is kept as well") -- it is shorter than the volume's
  expect_name(file, SHORT | CACHE_ONLY, "", 0)
  expect_name(file, OPENED | DEFAULT, "\\dir\\b", 1)
  local posix = vm:open(ROOT .. "dir\\b", { access = "delete" })
  posix:delete { posix = true }
  expect_name(file, OPENED | CACHE_ONLY, "\\dir\\b", 0, "a name that is to go")
  posix:close()
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "and has gone with its handle")

  -- The end.
  local since = #vm:log()
  file:close()
  vm:expect_log("cached: pre%-close 0xC01C0005 0xC01C0018", "what is not kept cannot be told after the cleanup", { since = since })
  file = vm:open(ROOT .. "dir\\c")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "another open is another file object")
  expect_name(file, OPENED | DEFAULT, "\\dir\\c", 1)
  since = #vm:log()
  file:close()
  vm:expect_log("cached: pre%-close 0xC01C0005 \\Device\\HarddiskVolume1\\dir\\c", "what is kept can", { since = since })
  file = vm:open(ROOT .. "dir\\c", { access = "rw delete" })
  expect_name(file, OPENED | DEFAULT, "\\dir\\c", 1)
  file:delete()
  since = #vm:log()
  file:close()
  vm:expect_log("cached: pre%-close 0xC01C0005 \\Device\\HarddiskVolume1\\dir\\c", "also when the file has gone", { since = since })

  -- An instance that comes may be a name provider.
  file = vm:open(ROOT .. "dir\\d")
  expect_name(file, OPENED | DEFAULT, "\\dir\\d", 1)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\provider]], "Mode", 1)
  vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\provider]], "Loose", 1)
  local provider = vm:load { source = "provider.c", altitude = "200" }
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "nothing of the provider's is kept")
  expect_name(file, OPENED | DEFAULT, "\\dir\\d.p", 1, "a name that is asked for while the names are purged", PURGE_AMID)
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "is told and not kept")
  expect_name(file, OPENED | DEFAULT, "\\dir\\d.p", 1, "it asks below, and gives its own")
  expect_name(file, OPENED | DEFAULT, "\\dir\\d.p", 0, "which is kept")
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "until the names below are purged", PURGE_FILE)
  expect_name(file, OPENED | DEFAULT, "\\dir\\d.p", 0, "which are kept, so that it is the provider alone that is asked")
  provider:unload()
  expect_name(file, OPENED | CACHE_ONLY, MISS, 0, "and goes with the provider")
  expect_name(file, OPENED | DEFAULT, "\\dir\\d", 1)
  file:close()
  root:close()
  local function live(tag) local pool = vm:pool()[tag]; return pool and pool.allocations - pool.frees or 0 end
  expect_equal(live("FtFn"), 0, "no name is left")
  filter:unload()
  vm:shutdown()
end
