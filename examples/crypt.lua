-- SPDX-License-Identifier: MIT
-- An encryptor on an NTFS volume: programs and the cache see the text, the volume holds the cipher.

-- A volume of our own, by ntfs-3g's mkntfs.
local disk = fltvm.temp("ntfs.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local said, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, "a volume is made" .. (status ~= 0 and ": " .. said or ""))

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"

-- The INF says what the filter is called, where it stands, and that it attaches by itself.
local filter = vm:load{ inf = "crypt/crypt.inf", source = "crypt/crypt.c" }
vm:open(ROOT .. "Vault", { disposition = "create", options = "directory", access = "r" }):close()

local text = ("Nobody else may read this. "):rep(400)
local file = vm:open(ROOT .. "Vault\\letter.txt", { disposition = "create" })
file:write(0, text)
expect(file:read(0, #text) == text, "the cache has the text")
file:flush()
file:close()
file = vm:open(ROOT .. "Vault\\letter.txt", { access = "r", buffered = false })
expect(file:read(0, 16384) == text, "read past the cache, it is deciphered on its way up")
file:close()

-- Without the filter it is what the volume holds.
filter:unload()
file = vm:open(ROOT .. "Vault\\letter.txt", { access = "r", buffered = false })
local cipher = file:read(0, 16384)
file:close()
expect(#cipher == #text and not cipher:find("read", 1, true), "the volume holds the cipher")
note(("on the disk: %s…"):format(cipher:sub(1, 16):gsub(".", function(c) return ("%02x "):format(c:byte()) end)))
