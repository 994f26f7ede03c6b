-- SPDX-License-Identifier: GPL-2.0-or-later
-- Export drivers: loaded for the first that imports from them, initialised before it begins, gone with the last.
-- Source: "Creating Export Drivers" in the Windows driver documentation.

local function count(vm, text, since)
  local found = 0
  for _, line in ipairs(vm:log(since)) do
    if line:find(text, 1, true) then found = found + 1 end
  end
  return found
end

local function shared(vm, definition, name, ...)
  return vm:library { source = { "libraries/shared.c", "libraries/" .. definition .. ".def" }, name = name, flags = { "--no-entry", ... } }
end
local function user(vm, library, name)
  return vm:load { source = { "libraries/user.c", library:import_library() }, name = name }
end

local vm = fltvm.machine {}
local library = shared(vm, "shared", "shared.sys")
expect_equal(library:name(), "shared.sys", "the file's name")
expect_equal(count(vm, "shared: begins"), 0, "a file that is only there is not loaded")

-- It begins before the driver that wants it, once, with its key, at PASSIVE_LEVEL.
local first = user(vm, library, "first")
expect_log([[shared: begins with \Registry\Machine\System\CurrentControlSet\Services\shared at IRQL 0]], "DllInitialize and its key")
expect_log("user: 5 and 42", "a routine and a variable are imported")
local second = user(vm, library, "second")
expect_equal(count(vm, "shared: begins"), 1, "it begins once")
local ok, err = pcall(shared, vm, "shared", "shared.sys")
expect(not ok and tostring(err):find("STATUS_OBJECT_NAME_COLLISION", 1, true), "its file stays while it is loaded")

-- It ends when the last that imports from it is gone, and may then be loaded again.
first:unload()
expect_equal(count(vm, "shared: ends"), 0, "one still imports from it")
second:unload()
expect_equal(count(vm, "shared: ends"), 1, "DllUnload when the last is gone")
user(vm, library, "third"):unload()
expect_equal(count(vm, "shared: begins"), 2, "it begins anew")
expect_equal(count(vm, "user: 5 and 42"), 3, "with fresh data")

-- Without DllUnload there is no count: it stays.
local lasting = shared(vm, "lasting", "lasting.dll")
user(vm, lasting, "fourth"):unload()
user(vm, lasting, "fifth"):unload()
expect_equal(count(vm, "shared: begins"), 4 - 1, "a library without DllUnload stays loaded")
expect_equal(count(vm, "shared: ends"), 2, "and is not ended")

-- A DllInitialize that fails fails the load, and nothing stays; the next file of that name is taken.
local failing = shared(vm, "shared", "failing.sys", "-DFAIL")
ok, err = pcall(user, vm, failing, "sixth")
expect(not ok and tostring(err):find("DllInitialize of failing.sys returned 0xC0000182", 1, true), "the reason is told: " .. tostring(err))
expect_equal(count(vm, "shared: ends"), 2, "what did not begin does not end")
failing = shared(vm, "shared", "failing.sys")
user(vm, failing, "seventh"):unload()

-- An importer that lacks something else takes the library down again.
ok, err = pcall(function()
  vm:load { source = { "libraries/user.c", library:import_library() }, name = "eighth", flags = { "-DSharedAdd=SharedSubtract", "-Wno-everything" } }
end)
expect(not ok, "an export that is not there is refused")

-- Names.
for _, bad in ipairs { "shared", ".sys", "a\\b.sys", ("x"):rep(70) .. ".sys" } do
  ok, err = pcall(shared, vm, "shared", bad)
  expect(not ok and tostring(err):find("is no name for a file", 1, true), "no name for a file: " .. bad)
end
ok, err = pcall(function() vm:library { source = "../rtl/seh.c" } end)
expect(not ok and tostring(err):find("exports nothing", 1, true), "a library that exports nothing is refused")

-- What it does wrong is its own.
local leaking = fltvm.machine {}
library = shared(leaking, "shared", "leaking.sys", "-DLEAK")
expect_bugcheck { code = 0xC4, driver = "leaking.sys", line = "shared.c:26", what = "what it leaves behind is found when it goes",
  function() user(leaking, library, "user"):unload() end }

local holding = fltvm.machine {}
library = shared(holding, "shared", "holding.sys", "-DHOLD")
expect_bugcheck { driver = "holding.sys", routine = "DllInitialize", what = "a DllInitialize that returns with APCs disabled is named",
  function() user(holding, library, "user") end }
