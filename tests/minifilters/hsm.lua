-- SPDX-License-Identifier: GPL-2.0-or-later
-- The HSM filter on NTFS: files sent away by a message, recalled once by whoever reads, writes, cuts or maps them, and what becomes of them without it.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
vm:open(ROOT .. "Store", { disposition = "create", options = "directory", access = "r" }):close()
local text = {}
for n = 1, 6 do
  local name = "file" .. n .. ".txt"
  text[n] = ("contents of " .. name .. ". "):rep(n * 300)
  local file = vm:open(ROOT .. name, { disposition = "create" })
  file:write(0, text[n])
  file:close()
end
local filter = vm:load{ inf = "hsm.inf", source = "hsm.c" }
local port = vm:port([[\HsmPort]])
local function wide(bytes) return (bytes:gsub(".", "%0\0")) end
local function away(n) port:send(wide(ROOT .. "file" .. n .. ".txt")) end
local function attributes(n)
  local file = vm:open(ROOT .. "file" .. n .. ".txt", { access = "attributes", options = "reparse_point" })
  local found = file:information("attribute_tag")
  file:close()
  return found.attributes:find("reparse_point", 1, true) ~= nil, found.tag
end
local function stored()
  local dir = vm:open(ROOT .. "Store", { access = "r", options = "directory" })
  local count = #dir:list("0*")
  dir:close()
  return count
end
expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() port:send(wide(ROOT .. "none.txt")) end, "what is not there")
expect_status("STATUS_INVALID_PARAMETER", function() port:send("abc") end, "half a character")
local second = vm:port([[\HsmPort]])
for n = 1, 6 do away(n) end
port:close()
port = second -- each client has a port of its own
expect_equal({ attributes(1) }, { true, 0xF17 }, "a reparse point")
expect_equal(stored(), 6, "its contents are elsewhere")

-- Looking does not recall.
local file = vm:open(ROOT .. "file1.txt", { access = "r" })
expect_equal(file:information("standard").size, #text[1], "its size is known")
file:close()
expect_equal({ attributes(1) }, { true, 0xF17 }, "it is still away")

-- Reading does, once.
file = vm:open(ROOT .. "FILE1.TXT", { access = "r" })
local other = vm:open(ROOT .. "file1.txt", { access = "r" })
expect(file:read(0, 65536) == text[1], "read")
expect(other:read(10, 100) == text[1]:sub(11, 110), "by another handle, too")
other:close()
file:close()
expect_equal((attributes(1)), false, "an ordinary file again")
vm:sleep(20)
expect_equal(stored(), 5, "the store's is gone")

file = vm:open(ROOT .. "file2.txt")
file:write(5, "XXXX")
expect(file:read(0, 65536) == text[2]:sub(1, 5) .. "XXXX" .. text[2]:sub(10), "written into")
file:close()
file = vm:open(ROOT .. "file3.txt")
file:set_information("end_of_file", { size = 1000 })
expect(file:read(0, 65536) == text[3]:sub(1, 1000), "cut")
file:close()
file = vm:open(ROOT .. "file4.txt", { access = "r", buffered = false })
expect(file:read(0, 65536) == text[4], "past the cache")
file:close()

-- Four programs at once want the same file.
local processes = {}
for n = 1, 4 do processes[n] = vm:process{ program = "../../examples/scan/touch.c", flags = { '-DNAME=L"file5.txt"' } } end
for n = 1, 4 do expect_equal(processes[n]:wait(), 0, "program " .. n) end
local recalls = 0
for _, line in ipairs(vm:log()) do if line:find("hsm: recalled", 1, true) then recalls = recalls + 1 end end
expect_equal(recalls, 5, "recalled once")

-- Sent away again, while somebody has it open.
file = vm:open(ROOT .. "file1.txt", { access = "r" })
away(1)
other = vm:open(ROOT .. "file1.txt", { access = "r" })
expect(other:read(0, 65536) == text[1], "recalled again")
other:close()
file:close()

-- Without the filter nobody knows what it is.
port:close()
filter:unload()
expect_status("STATUS_IO_REPARSE_TAG_NOT_HANDLED", function() vm:open(ROOT .. "file6.txt", { access = "r" }) end)
filter = vm:load{ inf = "hsm.inf", source = "hsm.c" }
file = vm:open(ROOT .. "file6.txt", { access = "r" })
expect(file:read(0, 65536) == text[6], "with it it is there")
file:close()
filter:unload()
