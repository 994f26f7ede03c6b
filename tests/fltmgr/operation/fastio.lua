-- SPDX-License-Identifier: GPL-2.0-or-later
-- Fast I/O through the filter manager, on a file system that has it; and what a filter may not do with it.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "fastio.c")
local SERVICE = [[\Registry\Machine\System\CurrentControlSet\Services\fastio]]
local function load(misuse)
  local vm = fltvm.machine{ disks = { { size = "1M" } } }
  vm:load{ source = "fastfs.c" }
  vm:open([[\Device\HarddiskVolume1]]):close() -- mounted
  if misuse then vm:set_registry(SERVICE, "Misuse", misuse) end
  return vm, { source = "fastio.c", default_instance = "high", instances = { high = "200", low = "100" } }
end

local vm, filter = load()
local since = #vm:log()
vm:load(filter):unload()
local function expect_below(line, what) vm:expect_log("^fastfs: " .. line .. "$", what, { since = since }) end
expect_below("read 100 64 9", "as the caller has it")
expect_below("read 0 32 9", "as the filter changed it")
expect_below("write 200 64 7", "write")
expect_below("lock 200 10 1 3 1 0", "lock")
expect_below("unlock 200 10 1 3", "unlock single")
expect_below("unlock all 1", "unlock all")
expect_below("unlock key 1 8", "unlock all by key")
expect_below("query open 1", "the request names the device that is asked")
expect_below("request for class 4", "what was disallowed comes back as a request")
expect_below("request for control 222004", "and so does a control")

-- what it does, bugcheck's first parameter, who is blamed, words
for _, case in ipairs{
  { 7, 0xF006, "Pre", "a fast I/O operation is kept" },
  { 8, 0xF007, "Post", "one is kept in the post-callback" },
  { 9, 0xF008, "Act", "one is given back, which nobody can hold" },
} do
  local bad, options = load(case[1])
  expect_bugcheck{ code = 0xF5, p1 = case[2], what = case[4], driver = "fastio.sys", routine = case[3], line = assert(guilty[case[1]]), quiet = true,
    function() bad:load(options) end }
end
