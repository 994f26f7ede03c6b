-- SPDX-License-Identifier: GPL-2.0-or-later
-- Code that a driver puts into a PAGE section runs below DISPATCH_LEVEL, and from there on ends in the bugcheck of a
-- page that is not there.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "pageable.c")

for _, level in ipairs { "PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL" } do
  local vm = fltvm.machine { cpus = 1 }
  local function load() vm:load { source = "pageable.c", flags = { "-DWHERE=" .. level } } end
  if level == "DISPATCH_LEVEL" then
    expect_bugcheck { code = 0xD1, driver = "pageable.sys", line = assert(guilty[1]), text = "pageable!Pageable", p2 = 2, p3 = 8, quiet = true,
      what = "pageable code at " .. level .. " is found", load }
  else
    load()
    expect(true, "pageable code runs at " .. level)
  end
end
