-- SPDX-License-Identifier: GPL-2.0-or-later
-- Five thousand files with names of all kinds, in folders up to twelve deep: put on a volume by the host, listed, read and hashed in the guest by four
-- programs under three minifilters, copied by four at once, and found again by the host with every byte.  What they are follows from SEED.
local FILES <const>, FOLDERS <const>, SEED <const> = 5000, 260, 20260101

local function tool(...)
  local output, status = fltvm.host{ ... }
  if status ~= 0 then error(table.concat({ ... }, " ") .. "\n" .. output) end
  return output
end
local function image(...)
  local output, status = fltvm.image{ ... }
  if status ~= 0 then error(table.concat({ ... }, " ") .. "\n" .. output) end
  return output
end

-- xorshift: the same on every machine
local state = SEED
local function random(n)
  state = state ~ (state << 13) & 0xFFFFFFFF
  state = (state ~ (state >> 17)) & 0xFFFFFFFF
  state = (state ~ (state << 5)) & 0xFFFFFFFF
  return state % n
end

-- Letters of one byte to four: Latin, with accents, Cyrillic, Greek, Chinese, Korean, and what takes two units of UTF-16.
local RANGES <const> = { { 0x61, 26 }, { 0x41, 26 }, { 0x30, 10 }, { 0xE0, 22 }, { 0x410, 64 }, { 0x391, 16 }, { 0x4E00, 2000 }, { 0xAC00, 2000 }, { 0x1F300, 200 }, { 0x10400, 40 } }
local OTHERS <const> = { " ", "-", "_", ".", "'", "(", ")", "%", "#", "~", "@", "+", ",", ";", "=", "[", "]", "&", "!", "$" }
local function name(number, longest)
  local parts, bytes = { ("%04d"):format(number) }, 4
  local range, length = RANGES[1 + random(#RANGES)], random(10) == 0 and longest or 4 + random(24)
  while true do
    local letter = random(8) == 0 and OTHERS[1 + random(#OTHERS)] or utf8.char(range[1] + random(range[2]))
    bytes = bytes + #letter
    if bytes > length then break end
    parts[#parts + 1] = letter
  end
  return (table.concat(parts):gsub("[ .]+$", "x"))
end

local root = fltvm.temp("host")
local folders, made = { "Tree" }, { root .. "/Tree" }
local depths = { Tree = 1 }
for n = 1, FOLDERS do
  local parent
  repeat parent = folders[random(3) == 0 and 1 + random(#folders) or #folders] until depths[parent] < 12 and #parent < 1500
  local path = parent .. "/" .. name(n, 200)
  folders[#folders + 1], made[#made + 1], depths[path] = path, root .. "/" .. path, depths[parent] + 1
end
tool("mkdir", "-p", table.unpack(made))

local wanted, total = {}, 0
local noise = {}
for n = 1, 300 * 1024 // 4 do noise[n] = string.pack("<I4", random(0xFFFFFFFF)) end
noise = table.concat(noise)
for n = 1, FILES do
  local path = folders[1 + random(#folders)] .. "/" .. name(n, 255)
  local kind, size = random(100), nil
  if kind < 60 then size = random(900) elseif kind < 92 then size = random(8192) elseif kind < 99 then size = random(40000) else size = random(#noise) end
  if kind == 0 then size = 0 end
  local bytes = noise:sub(1 + random(#noise - size + 1)):sub(1, size)
  local file <close> = assert(io.open(root .. "/" .. path, "wb"))
  file:write(bytes)
  local hash = 0xCBF29CE484222325
  for i = 1, #bytes do hash = (hash ~ bytes:byte(i)) * 0x100000001B3 end
  wanted[n] = ("%016X %d %s"):format(hash, #bytes, path:sub(#"Tree/" + 1))
  total = total + #bytes
end
table.sort(wanted)
note(FILES .. " files", total .. " bytes")

local disk = fltvm.temp("disk.raw")
image("ntfs", disk, "112M", "--files", root)
expect_equal(image("check", disk), "no fault was found\n", "the volume as it was made")

-- Four programs, three filters and what the verifier keeps of them: with the 32 MiB of other machines a write is refused now and then.
local vm = fltvm.machine{ cpus = 4, memory = "64M", disks = { { image = disk, writable = true } } }
vm:open("\\Device\\HarddiskVolume1\\", { access = "r", options = "directory" }):close()
for _, path in ipairs{ "../minifilters/oplog", "../minifilters/journal", "../../examples/scan/scan" } do
  vm:load{ inf = path .. ".inf", source = path .. ".c" }
end
expect_equal(#vm:instances(), 3, "three minifilters")
local function run(...)
  local processes = {}
  for worker = 0, 3 do
    processes[worker] = vm:process{ program = "tree.c", flags = { "-DWORKERS=4", "-DWORKER=" .. worker, ... } }
  end
  for worker = 0, 3 do expect_equal(processes[worker]:wait{ timeout = 600000 }, 0x600D, "program " .. worker) end
end
run()
run("-DCOPY")
vm:shutdown()

local found = {}
for worker = 0, 3 do
  for line in image("read", disk, "Sums" .. worker):gmatch("[^\n]+") do found[#found + 1] = line end
end
table.sort(found)
expect_equal(#found, #wanted, "each file was listed once")
for n, line in ipairs(wanted) do
  if found[n] ~= line then expect_equal(found[n], line, "names, sizes and hashes") end
end
expect_equal(image("check", disk), "no fault was found\n", "the volume afterwards")
tool("ntfsfix", "-n", disk)
expect(tool("ntfsinfo", "-m", disk):find("Volume Flags: 0x0000", 1, true), "and ntfs-3g's tools find it clean")
local out = fltvm.temp("out")
image("extract", disk, out)
expect_equal(tool("diff", "-r", root .. "/Tree", out .. "/Tree"), "", "what was read is as it was")
expect_equal(tool("diff", "-r", root .. "/Tree", out .. "/Copy"), "", "and its copy has every byte")
