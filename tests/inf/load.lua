-- SPDX-License-Identifier: GPL-2.0-or-later
-- vm:load{inf=}: services, images, instances in both layouts, and every registry value, as the driver finds them.
local SERVICES = [[\Registry\Machine\System\CurrentControlSet\Services\]]
local vm = fltvm.machine { disks = { { size = "1M" } } }

-- A value that the driver showed: type, length and bytes in hexadecimal.
local function value(path, name, since)
  local found
  for _, line in ipairs(vm:log(since)) do
    local kind, length, bytes = line:match("value " .. (path .. "|" .. name):gsub("%W", "%%%0") .. "|(%d+)|(%d+)|(%x*)")
    if kind then found = { tonumber(kind), tonumber(length), bytes } end
  end
  return found
end
local function wide(text, terminators)
  return (text:gsub(".", function(c) return ("%02x00"):format(c:byte()) end)) .. ("0000"):rep(terminators or 1)
end
local function text(kind, ...)
  local bytes = ""
  for _, one in ipairs { ... } do bytes = bytes .. wide(one) end
  if kind == 7 then bytes = bytes .. "0000" end
  return { kind, #bytes // 2, bytes:sub(1, 192) }
end
local function instances(filter)
  local list = {}
  for _, instance in ipairs(vm:instances()) do
    if instance.filter == filter then list[#list + 1] = instance.name .. " at " .. instance.altitude end
  end
  return table.concat(list, ", ")
end

vm:open("\\Device\\HarddiskVolume1"):close() -- mounts it

-- The most common way.
local since = #vm:log()
local monitor = vm:load { inf = "files/monitor.inf", source = "installed.c" }
expect_equal(monitor:name(), "monitor", "the service's name")
vm:expect_log([[installed as \FileSystem\monitor, monitor, \Registry\Machine\System\CurrentControlSet\Services\monitor]], "its registry path")
expect_equal(instances("monitor"), "monitor Instance at 370030", "its instance")
expect_equal(value("", "ImagePath", since), text(2, [[\SystemRoot\System32\drivers\monitor.sys]]), "its image path")
expect_equal(value("", "DependOnService", since), text(7, "FltMgr"), "its dependencies")
expect_equal(value("", "Type", since), { 4, 4, "02000000" }, "its type")
expect_equal(value("", "DebugFlags", since), { 4, 4, "00000000" }, "a value of its own")
expect(vm:stacks(), "the machine answers")
monitor:unload()
vm:expect_log("unloaded", "as fltmc unloads it", { since = since })

-- Parameters\Instances; two of three say that they are attached by hand.
since = #vm:log()
local store = vm:load { inf = "files/driverstore.inf", source = "installed.c" }
expect_equal(instances("driverstore"), "Store - Middle at 265000", "only what attaches by itself")
vm:attach { filter = "driverstore", volume = "\\Device\\HarddiskVolume1", instance = "Store - Top" }
expect_equal(instances("driverstore"), "Store - Top at 269999.5, Store - Middle at 265000", "one by hand")
expect_equal(value("parameters:", "SupportedFeatures", since), { 4, 4, "03000000" }, "IoOpenDriverRegistryKey leads to Parameters")
expect_equal(value("\\Parameters", "Extensions", since), text(7, "docx", "xlsx", "pptx"), "a list")
expect_equal(value("", "DependOnGroup", since), text(7, "FSFilter Infrastructure"), "a group to depend on")
store:unload()

-- The section for build 19041.
since = #vm:log()
local targets = vm:load { inf = "files/targets.inf", source = "installed.c" }
expect_equal(value("", "For", since), text(1, "new"), "the newest section that is not too new")
expect_equal(instances("targets"), "targets at 140000", "a section whose name is a string")
targets:unload()

-- Every type and flag; some values are there before.
local key = SERVICES .. "values"
vm:set_registry(key, "Start", 2)
vm:set_registry(key, "DisplayName", "before")
vm:set_registry(key, "Kept", 77)
vm:set_registry(key, "Gone", "x")
vm:set_registry(key .. [[\Gone\Key\Below]], "x", "x")
vm:set_registry(key .. [[\Ancient\Deep\Deeper]], "x", "x")
vm:set_registry(key .. [[\Ancient\Other]], "x", "x")
vm:set_registry(key, "Elder", "x")
since = #vm:log()
local values = vm:load { inf = "files/values.inf", source = "installed.c", flags = "-DPLAIN" }
local wanted = {
  Start = { 4, 4, "02000000" }, DisplayName = text(1, "before"), Kept = { 4, 4, "4d000000" }, ErrorControl = { 4, 4, "00000000" },
  Text = text(1, "plain text"), Quoted = text(1, [[a ; is no comment, nor ", ends it]]), Blanks = text(1, "  kept  "),
  Outer = text(1, [["in quotation marks"]]), Joined = text(1, "one two three"), Long = text(1, "first, second, third"),
  Folder = text(1, [[C:\Data\]]), Expand = text(2, [[%SystemRoot%\System32\C:\Windows]]), Percent = text(1, "100%"),
  Bytes = { 3, 4, "00ff7f0a" }, Empty = { 3, 0, "" }, Number = { 4, 4, "ffffffff" }, Minus = { 4, 4, "ffffffff" },
  FourBytes = { 4, 4, "78563412" }, List = text(7, "first", "second, with comma", "fourth", "fifth"), NoList = { 7, 2, "0000" },
  Nothing = { 0, 2, "0102" }, Wide = { 11, 8, "0102030405060708" }, Private = { 0x38, 4, "01000203" }, [""] = text(1, "the key's own"),
}
for name, found in pairs(wanted) do expect_equal(value("", name, since), found, "the value '" .. name .. "'") end
expect_equal(value("\\Below\\This", "Number", since), { 4, 4, "07000000" }, "a key below")
for _, name in ipairs { "Only", "Gone", "Elder" } do expect_equal(value("", name, since), nil, "no value '" .. name .. "'") end
local keys = table.concat(vm:log(since), "\n")
for _, name in ipairs { "Made", "MadeToo", "Gone" } do expect(keys:find("key \\" .. name .. "\n", 1, true), "the key " .. name) end
expect(not keys:find("key \\Gone\\Key", 1, true) and not keys:find("key \\Ancient", 1, true), "keys are deleted with those below")

-- A device's driver, and the other service of its file.
since = #vm:log()
local device = vm:load { inf = "files/device.inf", source = "installed.c", flags = "-DPLAIN" }
expect_equal(device:name(), "device", "the first service")
vm:expect_log([[installed as \Driver\device,]], "a kernel driver")
expect_equal(vm:load { inf = "files/device.inf", service = "deviceflt", source = "installed.c", flags = "-DPLAIN" }:name(), "deviceflt",
  "the service that is named")

-- A driver that makes its instances itself.
local own = vm:load { source = "installed.c", name = "own", flags = "-DOWN" }
expect_equal(instances("own"), "Own at 365432.1", "instances that DriverEntry made")
own:unload()

-- What is refused, and with which words.
local function refused(what, words, fields)
  local done, reason = pcall(vm.load, vm, fields)
  expect(not done and tostring(reason):find(words, 1, true), what .. ": " .. tostring(reason))
end
local function write(name, content)
  local path = fltvm.temp(name)
  local file <close> = assert(io.open(path, "wb"))
  file:write(content)
  return path
end
local good = assert(io.open(os.getenv("FLTVM_TEST_FILES") .. "/monitor.inf", "rb")):read("a")
refused("no file", "No such file", { inf = "files/missing.inf" })
refused("no image", "monitor.inf:20: the image 'monitor.sys' is not beside it", { inf = "files/monitor.inf" })
refused("a name besides", "with inf, the file says altitude", { inf = "files/monitor.inf", altitude = "1" })
refused("a service that is not there", "it installs no service other", { inf = "files/monitor.inf", service = "other", source = "installed.c" })
refused("a service without a file", "service is for inf", { source = "installed.c", service = "x" })
local bad = write("bad.inf", (good:gsub("ServiceType    = 2", "ServiceType    = two")))
refused("a mistake", ":27: error: ServiceType: 'two' is no number", { inf = bad, source = "installed.c" })
write("MONITOR.SYS", "no image")
refused("what is beside it is taken", "MONITOR.SYS: not a Windows image", { inf = write("beside.inf", good) })
local service = write("service.inf", (good:gsub("ServiceType    = 2", "ServiceType    = 0x10")))
refused("a service of user mode", "it installs no driver's service", { inf = service, source = "installed.c" })

-- Windows code page 1252: taken, with a note in the account.
vm:load { inf = write("old.inf", "; \xa9 Us\r\n" .. good:gsub("\n", "\r\n")), source = "installed.c" }:unload()
