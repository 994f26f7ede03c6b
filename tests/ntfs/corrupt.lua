-- SPDX-License-Identifier: GPL-2.0-or-later
-- A hundred damaged volumes, with FLTVM_TEST_LONG a thousand, and ten that once were too much, each by a seed: bytes of the
-- boot sector, the MFT, indexes or bitmaps are turned.  Whatever is asked of them is answered, or refused with a status; nothing ends in a
-- bugcheck or without an end.
local SIZE <const>, PER_MACHINE <const> = 4 << 20, 10
local function tool(...)
  local output, status = fltvm.host{ ... }
  if status ~= 0 then error(table.concat({ ... }, " ") .. "\n" .. output) end
end
local function write_file(name, bytes)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end
local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

-- xorshift: the same on every machine
local state
local function random(n)
  state = state ~ (state << 13) & 0xFFFFFFFF
  state = (state ~ (state >> 17)) & 0xFFFFFFFF
  state = (state ~ (state << 5)) & 0xFFFFFFFF
  return state % n
end

local good = write_file("good.raw", string.rep("\0", SIZE))
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", good)
for n = 1, 12 do
  tool("ntfscp", "-q", "-f", good, write_file("f" .. n, string.rep(("file %d."):format(n), n * 300)), "file " .. n)
end
local image = read_file(good)
local MFT <const> = string.unpack("<I8", image, 0x31) * 4096

-- Where something lies: nine of ten in the MFT's records, the others in the boot sector or anywhere.
local function place()
  local kind = random(10)
  if kind == 0 then return random(512) end
  if kind == 1 then return random(SIZE) end
  return MFT + random(64 * 1024)
end
local function damaged(seed)
  state = seed * 2654435761 % 0xFFFFFFFF + 1
  local pieces, at, places = {}, 1, {}
  for n = 1, 1 + random(24) do places[n] = place() + 1 end
  table.sort(places)
  for _, where in ipairs(places) do
    if where >= at then
      pieces[#pieces + 1] = image:sub(at, where - 1)
      pieces[#pieces + 1] = string.char(image:byte(where) ~ (1 + random(255)))
      at = where + 1
    end
  end
  pieces[#pieces + 1] = image:sub(at)
  return write_file("damaged" .. seed .. ".raw", table.concat(pieces))
end

local answered, refused = 0, {}
local function try(...)
  local ok, result = pcall(...)
  if ok then
    answered = answered + 1
    return result
  end
  if type(result) ~= "table" or not result.status then error(result, 0) end
  refused[result.name] = (refused[result.name] or 0) + 1
end

local firsts = { 641 } -- an index of $Secure without blocks
for first = 1, os.getenv("FLTVM_TEST_LONG") and 1000 or 100, PER_MACHINE do firsts[#firsts + 1] = first end
for _, first in ipairs(firsts) do
  local disks = {}
  for seed = first, first + PER_MACHINE - 1 do disks[#disks + 1] = { image = damaged(seed), writable = true } end
  local vm = fltvm.machine{ disks = disks }
  for n = 1, PER_MACHINE do
    local root = "\\Device\\HarddiskVolume" .. n
    local folder = try(vm.open, vm, root .. "\\", { access = "r", options = 0x21 })
    if folder then
      try(folder.query_directory, folder, 37, 8192)
      folder:close()
    end
    for file_number = 1, 12, 3 do
      local file = try(vm.open, vm, root .. "\\file " .. file_number, { access = "rw" })
      if file then
        try(file.query, file, 18, 400)
        try(file.query, file, 22, 400)
        try(file.read, file, 0, 8192)
        try(file.write, file, 100, string.rep("x", 5000))
        file:close()
      end
    end
    local new = try(vm.open, vm, root .. "\\new", { disposition = 2 })
    if new then new:close() end
  end
  vm:shutdown()
  expect_equal(vm:state(), "ended", ("volumes %d to %d"):format(first, first + PER_MACHINE - 1))
end
expect(answered > 0, answered .. " requests were answered")
for name, count in pairs(refused) do note(name, count) end
