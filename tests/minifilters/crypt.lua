-- SPDX-License-Identifier: GPL-2.0-or-later
-- The encryptor on NTFS: programs, cache and views see the text, the volume holds the cipher; below \Vault only.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local filter = vm:load{ inf = "../../examples/crypt/crypt.inf", source = "../../examples/crypt/crypt.c" }
local text = {}
for n = 1, 3000 do text[n] = ("line %d of it\n"):format(n) end
text = table.concat(text)

vm:open(ROOT .. "Vault", { disposition = "create", options = "directory", access = "r" }):close()
local function put(name, bytes, options)
  options = options or {}
  options.disposition = "overwrite_if"
  local file = vm:open(ROOT .. name, options)
  file:write(0, bytes)
  return file
end
local function get(name, length, options)
  options = options or {}
  options.access = "r"
  local file = vm:open(ROOT .. name, options)
  local bytes = file:read(0, length)
  file:close()
  return bytes
end
local function cipher(bytes, at)
  local out = {}
  for n = 1, #bytes do out[n] = string.char(bytes:byte(n) ~ 0x5C ~ (((at + n - 1) * 7 >> 3) & 0xFF)) end
  return table.concat(out)
end

-- Through the cache; then past it; then through it again.
local file = put("Vault\\cached.txt", text)
expect(file:read(100, 5000) == text:sub(101, 5100), "what the cache has")
file:flush()
file:close()
local past = get("Vault\\cached.txt", 65536, { buffered = false })
expect(past == text, "past the cache it is deciphered")
file = put("Vault\\past.txt", text:sub(1, 8192), { buffered = false })
file:close()
expect(get("Vault\\past.txt", 8192) == text:sub(1, 8192), "what was written past the cache is read through it")
file = vm:open(ROOT .. "Vault\\past.txt", {})
file:write(1000, "in the middle")
file:write(8192, text:sub(8193, 9000))
file:close()
local wanted = text:sub(1, 1000) .. "in the middle" .. text:sub(1014, 9000)
expect(get("Vault\\past.txt", 65536, { buffered = false }) == wanted, "changed through the cache, read past it")
file = put("Vault\\small.txt", "a few bytes, which NTFS keeps in the record")
file:close()
expect_equal(get("Vault\\small.txt", 100), "a few bytes, which NTFS keeps in the record", "resident")
put("plain.txt", text):close()

-- Four programs beside one another, in the vault.
local processes = {}
for n = 1, 4 do
  processes[n] = vm:process{ program = "load.c",
    flags = { "-DROUNDS=6", "-DWORKER=" .. n, '-DFOLDER=L"\\\\Device\\\\HarddiskVolume1\\\\Vault\\\\W"' } }
end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0x600D, "program " .. n) end

-- Nobody turns it back.
vm:sleep(3000)
filter:unload()
expect(tonumber((vm:expect_log("crypt: (%d+) transfers turned", "it counts"))) > 20, "many")
expect(get("plain.txt", 65536, { buffered = false }) == text, "outside of the vault nothing is turned")
expect(get("Vault\\cached.txt", 65536, { buffered = false }) == cipher(text, 0), "the volume holds the cipher")
expect(get("Vault\\past.txt", 65536, { buffered = false }) == cipher(wanted, 0), "and that of what was changed")
vm:shutdown()
local bytes
bytes, status = fltvm.host{ "ntfscat", "-f", "-q", disk, "Vault/small.txt" }
expect_equal(status, 0, "ntfs-3g reads it")
expect(bytes == cipher("a few bytes, which NTFS keeps in the record", 0), "a cipher in the record, too")

-- With the filter again, on another machine.
vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
filter = vm:load{ inf = "../../examples/crypt/crypt.inf", source = "../../examples/crypt/crypt.c" }
expect(get("Vault\\past.txt", 65536) == wanted, "it is read again")
filter:unload()
