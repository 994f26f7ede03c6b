-- SPDX-License-Identifier: GPL-2.0-or-later
-- Registration: what is refused and taken (register.c), the registry's part, want of memory, and who may be unloaded how.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "register.c")
local VOLUME = [[\Device\HarddiskVolume1]]
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]

local function machine(options)
  local vm = fltvm.machine { disks = { { size = "1M" } }, options = options }
  vm:open(VOLUME):close()
  return vm
end

local vm = machine()
vm:set_registry(SERVICES .. "register", "Checks", 1)
local filter = vm:load { source = "register.c", altitude = "100" }
expect_equal(#vm:filters(), 1, "the last registration stays")
filter:unload()

-- The registry.
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:load { source = "register.c", name = "bare" } end, "no instances in the registry")
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function()
  vm:set_registry(SERVICES .. [[lost\Instances]], "DefaultInstance", "two")
  vm:load { source = "register.c", name = "lost" }
end, "no key of the default instance")
expect_status("STATUS_INVALID_PARAMETER", function() vm:load { source = "register.c", name = "wordy", altitude = "high" } end,
  "an altitude that is no number")
expect_equal(#vm:filters(), 0)

-- A DriverEntry that takes its registration back and fails: nobody asks it to unload.
vm:set_registry(SERVICES .. "fails", "Fails", 1)
expect_status("STATUS_DEVICE_CONFIGURATION_ERROR", function() vm:load { source = "register.c", name = "fails", altitude = "100" } end, "a DriverEntry that fails")
expect_equal(#vm:filters(), 0, "leaves no filter")
local asked = 0
for _, line in ipairs(vm:log()) do if line:find("^fails: unload") then asked = asked + 1 end end
expect_equal(asked, 0, "and its unload callback is not called")

-- Who may be unloaded, and how.
vm:set_registry(SERVICES .. "stays", "NoUnload", 1)
local stays = vm:load { source = "register.c", name = "stays", altitude = "100" }
expect_status("STATUS_FLT_DO_NOT_DETACH", function() stays:unload() end, "without an unload callback")
expect_status("STATUS_FLT_DO_NOT_DETACH", function() stays:unload { mandatory = true } end, "nor by stopping its service")
vm:set_registry(SERVICES .. "runs", "NoStop", 1)
local runs = vm:load { source = "register.c", name = "runs", altitude = "200" }
expect_status("STATUS_INVALID_DEVICE_REQUEST", function() runs:unload { mandatory = true } end, "a service that does not stop")
expect_equal(#vm:filters(), 2, "it is still there")
runs:unload()
expect_equal(#vm:filters(), 1, "unloading it as a filter is another thing")
expect_status("STATUS_FLT_DO_NOT_DETACH", function() vm:detach { filter = "stays", volume = VOLUME } end,
  "an instance without a query callback is not detached by hand")
vm:shutdown()

-- Each callback of a filter's life leaves the thread as it found it.
for leaves, name in ipairs { "Setup", "Query", "Start", "Complete", "Unload" } do
  expect_bugcheck { code = 1, driver = "leaves.sys", routine = name, line = assert(guilty[leaves]), quiet = true,
    what = name .. " that returns in a critical region is found", function()
      local vm = machine()
      vm:set_registry(SERVICES .. "leaves", "Leaves", leaves)
      local filter = vm:load { source = "register.c", name = "leaves", altitude = "100" }
      vm:detach { filter = "leaves", volume = VOLUME }
      filter:unload()
    end }
end

-- Each allocation that fails, one after another: STATUS_INSUFFICIENT_RESOURCES until there are no more.
local function fails(skip, tag)
  local vm = fltvm.machine { options = { ["pool-fail"] = ("fltmgr.sys:%d:1:%s"):format(skip, tag) } }
  local ok, err = pcall(function() vm:load { source = "register.c", name = "poor", altitude = "100" } end)
  local left = #vm:filters()
  vm:shutdown()
  return not ok and tostring(err), left
end
for _, tag in ipairs { "FtFl", "FtNm", "FtTm" } do
  local failed = 0
  for skip = 0, 30 do
    local err, left = fails(skip, tag)
    if not err then break end
    expect(err:find("STATUS_INSUFFICIENT_RESOURCES", 1, true), ("%s: allocation %d fails as such: %s"):format(tag, skip + 1, err:sub(1, 100)))
    expect_equal(left, 0, ("%s: and leaves no filter"):format(tag))
    failed = failed + 1
  end
  expect(failed > 0, tag .. ": some allocation failed: " .. failed)
end

-- The same for attaching by hand.
local attachments = 0
for _, tag in ipairs { "FtIn", "FtNm", "FtTm" } do
  for skip = 0, 32 do
    local vm = fltvm.machine { disks = { { size = "1M" } }, options = { ["pool-fail"] = ("fltmgr.sys:%d:1:%s"):format(skip, tag) } }
    local where = ("%s: allocation %d: "):format(tag, skip + 1)
    local ok, err = pcall(function() vm:load { source = "register.c", name = "poor", altitude = "100" } end)
    if ok then
      vm:open(VOLUME):close()
      if #vm:volumes() > 0 then
        local more, what = pcall(function() vm:attach { filter = "poor", volume = VOLUME, altitude = "50" } end)
        if not more then
          attachments = attachments + 1
          err = what
        end
        ok = more
      end
    end
    if not ok then expect(tostring(err):find("STATUS_INSUFFICIENT_RESOURCES", 1, true), where .. tostring(err):sub(1, 100)) end
    vm:shutdown()
  end
end
expect(attachments >= 3, "an attachment fails for its block, its name and its altitude: " .. attachments)
