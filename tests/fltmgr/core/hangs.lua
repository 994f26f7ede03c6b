-- SPDX-License-Identifier: GPL-2.0-or-later
-- What filters hold is told with a hang: whose operation it is, what has become of it and when, and by which callback.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\hangs]]
local lines, routine = {}, nil -- a routine begins where its brace opens
local number = 0
for text in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "hangs.c") do
  number = number + 1
  routine = text:match("^static FLT_[%u_]+ (P%a+)%(") or routine
  if text == "{" and routine then lines[routine], routine = number, nil end
  if text:find("// sends later", 1, true) then lines.later = number elseif text:find("// sends", 1, true) then lines.sends = number end
end

-- The blocks of what is held, each from "operation" or "own-request" on, its fields in a table.
local function held(stacks)
  local blocks, block = {}, nil
  for text in (stacks:match("what is held:\n(.*)") or ""):gmatch("[^\n]+") do
    local name, value = text:match("^ +(%S+) +(.+)$")
    if name == "operation" or name == "own-request" or name == "more" then
      block = { kind = name }
      blocks[#blocks + 1] = block
    end
    block[name] = value
  end
  return blocks
end

local function load(way, options)
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = options }
  vm:set_registry(KEY, "Way", way)
  vm:load { source = "hangs.c", instances = { upper = { altitude = "200" }, lower = { altitude = "100" } }, default_instance = "lower" }
  return vm
end

local function hang(way, begin, options)
  local found = expect_hang { what = "way " .. way .. " hangs", quiet = true, function() begin(load(way, options)) end }
  return held(found and found.stacks or "")
end

local function read(vm) vm:open(VOLUME, { async = true }):read(0, 512, { timeout = 300 }) end

local function expect_block(block, major, altitude, state, callback, routine)
  block = block or {}
  expect((block.operation or ""):find("^" .. major .. " 0x%x+$"), major .. " is told: " .. tostring(block.operation))
  expect_equal(block.filter, ("hangs, altitude %s on %s"):format(altitude, VOLUME))
  expect((block.held or ""):find("^" .. state .. "$"), state .. ": " .. tostring(block.held))
  local line = tonumber((block[callback] or ""):match("^hangs!" .. routine .. " %([%w/]*hangs%.c:(%d+)%)$"))
  expect(line == lines[routine] or line == lines[routine] + 1, "its callback is named with its line: " .. tostring(block[callback]))
end

local AGO = " (%d+)%.%d+ ms ago"
local function expect_age(block, least, most)
  local age = tonumber(((block or {}).held or ""):match(AGO))
  expect(age and least <= age and age <= most, ("it is held since %s ms, at least %d and at most %d"):format(age, least, most))
end

local blocks = hang(1, read)
expect_equal(#blocks, 1)
expect_block(blocks[1], "IRP_MJ_READ", "200", "its pre%-callback pended it" .. AGO, "pre-callback", "PreRead")
expect_age(blocks[1], 290, 330)
expect_equal(blocks[1]["waits-in"], nil)

blocks = hang(1, function(vm)
  vm:open(VOLUME, { async = true }):read_async(0, 512)
  vm:sleep(200)
  read(vm)
end)
expect_equal(#blocks, 2)
expect_age(blocks[1], 490, 550)
expect_age(blocks[2], 290, 330)

blocks = hang(2, read)
expect_block(blocks[1], "IRP_MJ_READ", "200", "its pre%-callback pended it" .. AGO, "pre-callback", "PreRead")
expect((blocks[1] and blocks[1]["waits-in"] or ""):find("^a cancel%-safe queue 0x%x+$"), "its queue is told")

blocks = hang(3, read)
expect_equal(#blocks, 1)
expect_block(blocks[1], "IRP_MJ_READ", "100", "its post%-callback kept it" .. AGO, "post-callback", "PostRead")
expect_age(blocks[1], 270, 330)

blocks = hang(4, read)
expect_equal(#blocks, 1)
expect_block(blocks[1], "IRP_MJ_READ", "200", "its pre%-callback has not returned", "pre-callback", "PreRead")

blocks = hang(5, function(vm) vm:open(VOLUME, { timeout = 300 }) end)
expect_equal(#blocks, 1)
expect_block(blocks[1], "IRP_MJ_CREATE", "100", "its post%-callback has not returned", "post-callback", "PostCreate")

for way = 6, 7 do
  blocks = hang(way, read)
  expect_equal(#blocks, 3)
  expect_block(blocks[1], "IRP_MJ_READ", "200", way == 6 and "its pre%-callback has not returned" or "its pre%-callback pended it" .. AGO,
    "pre-callback", "PreRead")
  expect_block(blocks[2], "IRP_MJ_READ", "100", "its pre%-callback pended it" .. AGO, "pre-callback", "PreRead")
  local own = blocks[3] or {}
  expect((own["own-request"] or ""):find("^IRP_MJ_READ 0x%x+$"), "the filter's own read is told: " .. tostring(own["own-request"]))
  expect_equal(own.filter, ("hangs, altitude 200 on %s"):format(VOLUME))
  expect((own.held or ""):find("^sent" .. AGO .. "$"), "when it was sent: " .. tostring(own.held))
  expect_equal(own["waited-for-by"] ~= nil, way == 6, "a thread waits for it: " .. tostring(own["waited-for-by"]))
  local line = way == 6 and lines.sends or lines.later
  expect((own["sent-by"] or ""):find(("^hangs!ReadOneself %%([%%w/]*hangs%%.c:%d%%)"):format(line)), "by its line: " .. tostring(own["sent-by"]))
end

-- Forty: not all are told, but how many more there are.
blocks = hang(8, function(vm)
  local volume = vm:open(VOLUME, { async = true })
  for index = 1, 39 do volume:read_async(0, 512) end
  volume:read(0, 512, { timeout = 300 })
end)
expect_equal(#blocks, 33)
expect_equal(blocks[33] and blocks[33].more, "8")

-- Without the verifier nobody knows whether a callback has returned.
blocks = hang(1, read, { verifier = "0" })
expect_block(blocks[1], "IRP_MJ_READ", "200", "its pre%-callback has it, or has kept it", "pre-callback", "PreRead")

-- What has been given back is not told; nor is there anything to tell where nobody filters.
local vm = load(5)
vm:sleep(5)
expect(not vm:stacks():find("what is held", 1, true), "nothing is held, and nothing told")
