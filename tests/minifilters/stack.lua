-- SPDX-License-Identifier: GPL-2.0-or-later
-- Twelve minifilters on one NTFS volume, five programs at work in the folders that they care for, and each filter is unloaded and loaded again in the middle of it.
-- Whatever the schedule (--seed), programs find what they wrote, nothing is left behind, and the volume is sound.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ cpus = 3, disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
for _, name in ipairs{ "From", "To", "To\\Deep", "Vault", "Quota", "Data", "Backup", "Store", "Real" } do
  vm:open(ROOT .. name, { disposition = "create", options = "directory", access = "r" }):close()
end
local NAMES = { "oplog", "journal", "hide", "pendq", "delwatch", "backup", "scan", "quota", "hsm", "crypt", "redirect", "nameprov" }
local filters = {}
local EXAMPLES = { crypt = true, scan = true }
local function load(name)
  local path = (EXAMPLES[name] and "../../examples/" .. name .. "/" or "") .. name
  filters[name] = vm:load{ inf = path .. ".inf", source = path .. ".c" }
end
for _, name in ipairs(NAMES) do load(name) end
expect_equal(#vm:instances(), #NAMES, "all of them are attached")

-- Which folder each of them works in, in front of its number; what is in the vault stays so only with its filter.
local FOLDERS = { "From\\W", "Vault\\W", "Quota\\W", "Data\\W", "Load" }
local function start(rounds)
  local processes = {}
  for n, folder in ipairs(FOLDERS) do
    processes[n] = vm:process{ program = "load.c", timeout = 60000, flags = { "-DWORKER=" .. n, "-DROUNDS=" .. rounds,
      '-DFOLDER=L"\\\\Device\\\\HarddiskVolume1\\\\' .. folder:gsub("\\", "\\\\") .. '"' } }
  end
  return processes
end
local function finish(processes)
  for n = 1, #FOLDERS do expect_equal(processes[n]:wait(), 0x600D, "a program in " .. FOLDERS[n]) end
end
finish(start(3))
local processes = start(8)
for _, name in ipairs(NAMES) do
  if name ~= "crypt" and name ~= "redirect" then
    vm:sleep(15)
    filters[name]:unload{ timeout = 60000 }
    vm:sleep(5)
    load(name)
  end
end
finish(processes)
-- All at once, from the middle out.
processes = start(4)
vm:sleep(10)
for _, name in ipairs{ "scan", "quota", "backup", "hsm", "delwatch", "pendq", "hide", "journal", "nameprov", "oplog" } do
  filters[name]:unload{ timeout = 60000 }
end
finish(processes)
filters.redirect:unload()
filters.crypt:unload()
expect_equal(#vm:instances(), 0, "none is left")
vm:shutdown()
output, status = fltvm.host{ "ntfsfix", "-n", disk }
expect_equal(status, 0, "the volume is sound: " .. output)
