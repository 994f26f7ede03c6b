-- SPDX-License-Identifier: GPL-2.0-or-later
-- A filter loads and unloads others by their service's name, from images on a disk, as loads.c checks it.
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local VOLUME = [[\Device\HarddiskVolume1]]

local disk = fltvm.temp("loads.raw")
local function write_file(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../../inc/tool.lua")

local function machine(options)
  local vm = fltvm.machine { disks = { { image = disk } }, options = options }
  local function service(name, image, does)
    vm:set_registry(SERVICES .. name, "Type", 2)
    vm:set_registry(SERVICES .. name, "ImagePath", VOLUME .. "\\" .. image)
    if does then
      vm:set_registry(SERVICES .. name, "Does", does)
      vm:set_registry(SERVICES .. name .. "\\Instances", "DefaultInstance", name .. " Instance")
      vm:set_registry(SERVICES .. name .. "\\Instances\\" .. name .. " Instance", "Altitude", "10" .. does)
      vm:set_registry(SERVICES .. name .. "\\Instances\\" .. name .. " Instance", "Flags", 0)
    end
  end
  service("loaded", "loaded.sys", 0)
  service("fails", "loaded.sys", 1)
  service("stays", "stays.sys", 2)
  service("refuses", "refuses.sys", 3)
  service("device", "device.sys", 4)
  service("bare", "loaded.sys")
  service("nofile", "missing.sys", 0)
  service("text", "text.sys", 0)
  return vm
end

write_file(disk, string.rep("\0", 8 << 20))
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)
local vm = fltvm.machine {}
local image = vm:library { source = { "loaded.c", "loaded.def" } }:import_library():gsub("%.lib$", "")
if not image:find("%.sys$") then image = image .. ".sys" end
vm:shutdown()
for _, name in ipairs { "loaded", "stays", "refuses", "device" } do -- an image is loaded once
  tool("ntfscp", "-q", "-f", disk, image, name .. ".sys")
end
tool("ntfscp", "-q", "-f", disk, write_file(fltvm.temp("text"), "not an image"), "text.sys")

vm = machine()
vm:open(VOLUME .. [[\]], { access = "r", options = "directory" }):close()
local loads = vm:load { source = "loads.c", altitude = "200" }
expect_equal(#vm:filters(), 3, "the two that stay, and the one that loaded them")
loads:unload()
vm:shutdown()

local number, blamed = 0, nil
for line in io.lines(debug.getinfo(1, "S").source:match("@(.*/)") .. "loads.c") do
  number = number + 1
  if line:find("/* blamed */", 1, true) then blamed = number end
end
for _, verifier in ipairs { "1", "0" } do
  vm = machine { verifier = verifier }
  vm:set_registry(SERVICES .. "loads", "Fault", 1)
  if verifier == "1" then
    expect_bugcheck { code = 0xF5, p1 = 0xF015, driver = "loads.sys", line = "loads.c:" .. blamed, quiet = true,
      what = "a filter that unloads itself", function() vm:load { source = "loads.c", altitude = "200" } end }
  else
    vm:load { source = "loads.c", altitude = "200" }:unload()
  end
end
