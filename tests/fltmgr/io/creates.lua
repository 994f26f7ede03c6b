-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files that a filter opens itself, and extra create parameters; what is left open is told with the line that opened it.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "creates.c")
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\creates]]
local OPENS, LEAVES_HANDLE, LEAVES_OBJECT, CANCELS_ELSEWHERE = 1, 2, 3, 4

local function load(case, options)
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = options }
  vm:open(VOLUME):close()
  vm:set_registry(KEY, "Case", case)
  local filter = vm:load { source = "creates.c", default_instance = "upper", instances = {
    upper = "370070", lower = "370050" } }
  return vm, filter
end

for _, verifier in ipairs { "1", "0" } do
  local vm, filter = load(OPENS, { verifier = verifier })
  filter:unload()
  vm:shutdown()
end

expect_bugcheck { code = 0xC4, p1 = 0xF107, driver = "creates.sys", line = assert(guilty.handle), text = "creates!LeaveOpen",
  what = "a handle of FltCreateFile that is not closed is told at unload", function()
    local _, filter = load(LEAVES_HANDLE)
    filter:unload()
  end }

expect_bugcheck { code = 0xF5, p1 = 0xF044, p3 = 0, p4 = 1, driver = "creates.sys", line = assert(guilty.file), text = "creates!LeaveOpen",
  what = "a file object of FltOpenVolume that is not dereferenced is told at unload", function()
    local _, filter = load(LEAVES_OBJECT)
    filter:unload()
  end }

expect_bugcheck { code = 0xE8, driver = "creates.sys", line = assert(guilty.cancel), text = "creates!Pre",
  what = "FltCancelFileOpen elsewhere than in a post-create callback is found", function()
    local vm = load(CANCELS_ELSEWHERE)
    vm:open(VOLUME):read(0, 512)
  end }

for case, found in ipairs {
  { "MisuseEcps", "that is in a list still", "an extra create parameter that is freed while it is in a list" },
  { "MisuseEcps", nil, "one that is freed twice" },
  { "MisuseEcps", "while it is in another", "one that is put into two lists" },
  { "MisuseEcps", nil, "a list that is freed twice" },
  { "FreeAttached", "that goes with an open", "a list that is freed while it goes with an open" },
} do
  local routine, text, what = table.unpack(found, 1, 3)
  expect_bugcheck { code = text and 0xC4 or nil, p1 = text and 0xF108 or nil, driver = "creates.sys", routine = routine, line = assert(guilty[case]), text = text, quiet = true,
    what = what .. " is told", function()
      local vm = load(4 + case)
      vm:open(VOLUME)
    end }
end

local twice = expect_bugcheck { code = 0x93, p2 = 1, driver = "creates.sys", line = assert(guilty.second), text = "closes a handle twice", quiet = true,
  what = "a handle that FltClose has closed already is told", function() load(10) end }
expect(twice and twice.text:find("closed +creates!CloseTwice %([^)]*creates%.c:" .. guilty.first:match("%d+$")), "with the line that closed it")
