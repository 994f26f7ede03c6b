-- SPDX-License-Identifier: GPL-2.0-or-later
-- Calls of everything that a scenario can reach, with arguments of every kind; scripts.py puts a number for SEED.

local state = SEED
local function below(limit)
  state = (state * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
  return (state >> 20) % limit
end
local function pick(list) return list[1 + below(#list)] end

local values = { false, true, 0, 1, -1, 2, 7, 512, 4096, 1 << 40, math.mininteger, math.maxinteger, 0.5, 0 / 0, 1 / 0, "", "x", "\0", "\xFF", "1M",
  "370030", "STATUS_SUCCESS", "\\Device\\HarddiskVolume1", "nothing.sys", ("long"):rep(5000), "%s%n", print, coroutine.create(print) }
local objects = { machine }
local words = { "size", "image", "name", "seed", "cpus", "disks", "altitude", "code", "driver", "text", "timeout", "source", "access", "share",
  "what", "instances", "options", "action", "lba", "count", "p1", "writable", 1, 2 }

local function value(depth)
  local kind = below(depth > 2 and 6 or 9)
  if kind == 0 then return nil end
  if kind < 5 then return pick(values) end
  if kind == 5 then return pick(objects) end
  local made = {}
  for _ = 1, below(4) do made[pick(words)] = value(depth + 1) end
  if kind == 8 and below(4) == 0 then made.self = made end
  if kind == 7 and below(4) == 0 then setmetatable(made, { __tostring = function() error("no text") end }) end
  return made
end

-- Functions by name, those of objects taken from their metatables; what reaches out of the scenario is left out.
local out = { io = true, os = true, debug = true, host = true, dofile = true, loadfile = true, require = true, collectgarbage = true, package = true }
local function collect(place, into, seen)
  if type(place) ~= "table" or seen[place] then return end
  seen[place] = true
  local names = {}
  for name in pairs(place) do if type(name) == "string" and not out[name] then names[#names + 1] = name end end
  table.sort(names)
  for _, name in ipairs(names) do
    if type(place[name]) == "function" then into[#into + 1] = { name, place[name] } else collect(place[name], into, seen) end
  end
end

local plain = {}
collect(fltvm, plain, {})
for _, name in ipairs { "expect", "expect_equal", "expect_log", "expect_status", "expect_bugcheck", "note", "skip" } do
  plain[#plain + 1] = { name, _G[name] }
end

for _ = 1, 60 do
  local arguments = {}
  local count = below(4)
  for index = 1, count do arguments[index] = value(0) end
  local call = pick(plain)
  local object = pick(objects)
  if below(3) > 0 then
    local methods = {}
    local meta = getmetatable(object)
    collect(type(meta) == "table" and type(meta.__index) == "table" and meta.__index or {}, methods, {})
    if #methods > 0 then
      call = pick(methods)
      table.insert(arguments, 1, object)
      count = count + 1
    end
  end
  if call[2] and call[1] ~= "sleep" then
    local results = table.pack(pcall(call[2], table.unpack(arguments, 1, count)))
    for index = 2, results.n do
      if type(results[index]) == "userdata" and #objects < 40 then objects[#objects + 1] = results[index] end
    end
  end
end
