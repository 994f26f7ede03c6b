-- SPDX-License-Identifier: GPL-2.0-or-later
-- RTL_QUERY_REGISTRY_DIRECT without RTL_QUERY_REGISTRY_TYPECHECK: taken in the system's hives, a bugcheck in others.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "badquery.c")
local vm = fltvm.machine {}
vm:set_registry([[\Registry\Machine\Software\Unchecked]], "Number", 5)
vm:set_registry([[\Registry\User\Unchecked]], "Number", 6)
expect_bugcheck { code = 0x139, p1 = 9, driver = "badquery.sys", line = assert(guilty[1]), text = "RTL_QUERY_REGISTRY_TYPECHECK", quiet = true,
  what = "a user's value is stored unchecked", function() vm:load { source = "badquery.c" } end }
vm:expect_log("of the system's: 0x00000000, 5", "a value of the system's is taken")
