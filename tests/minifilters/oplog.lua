-- SPDX-License-Identifier: GPL-2.0-or-later
-- The operation logger on NTFS: which operations a file's life is made of, who does them, and how they end, as its client reads them.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local filter = vm:load{ inf = "oplog.inf", source = "oplog.c" }
local port = vm:port([[\OplogPort]])
local GET_VERSION, GET_RECORDS, GET_LOST = 0, 1, 2
local CREATE, CLOSE, READ, WRITE, SET_INFORMATION, CLEANUP = 0, 2, 3, 4, 6, 18

-- Everything that waits, record by record.
local function records()
  local list = {}
  while true do
    local ok, batch = pcall(port.send, port, string.pack("<I4I4", GET_RECORDS, 0), 4096)
    if not ok then
      expect_equal(batch.name, "STATUS_NO_MORE_ENTRIES", "the end")
      return list
    end
    local at = 1
    while at <= #batch do
      local length, sequence, started, ended, object, process, ended_with, information, irp, flags, major, minor, irql, truncated, size =
        string.unpack("<I4I4i8i8I8I4I4I8I4I4I1I1I1I1I4", batch, at)
      local name = batch:sub(at + 64, at + 63 + size):gsub("(.)%z", "%1")
      expect(length % 8 == 0 and length >= 64 + size and started <= ended, "a record")
      list[#list + 1] = { sequence = sequence, object = object, process = process, status = ended_with, information = information,
        irp = irp, flags = flags, major = major, minor = minor, irql = irql, name = name }
      at = at + length
    end
  end
end
local function find(list, name, major, minor)
  for _, record in ipairs(list) do
    if record.name == name and record.major == major and (not minor or record.minor == minor) then return record end
  end
end

expect_equal(string.unpack("<I4", port:send(string.pack("<I4I4", GET_VERSION, 0), 4)), 0x00010002, "the version")
expect_status("STATUS_INVALID_PARAMETER", function() port:send("abc", 4) end, "a message too short")
expect_status("STATUS_CONNECTION_COUNT_LIMIT", function() vm:port([[\OplogPort]]) end, "one client")

local file = vm:open(ROOT .. "a.txt", { disposition = "create" })
file:write(0, ("x"):rep(5000))
file:flush()
file:close()
local list = records()
for n = 2, #list do expect(list[n].sequence > list[n - 1].sequence, "in their order") end
local name = ROOT .. "a.txt"
local create = find(list, name, CREATE)
expect(create and create.status == 0 and create.information == 2, "the open: FILE_CREATED")
expect(create.process > 4, "by the machine's client")
local write = find(list, name, WRITE)
expect(write and write.information == 5000, "the write")
local paging
for _, record in ipairs(list) do
  if record.major == WRITE and record.irp & 2 ~= 0 then paging = record end
end
expect(paging and paging.object == create.object, "and the cache's, of the same file object")
expect(paging.irp & 0x43 == 0x43, "paging, synchronous, past the cache")
expect(find(list, name, CLEANUP), "its cleanup")
expect_equal(find(list, name, CREATE).object, find(list, name, CLEANUP).object, "of the same file object")

file = vm:open(ROOT .. "a.txt", { access = "r", buffered = false })
expect_equal(#file:read(0, 4096), 4096, "past the cache")
expect_status("STATUS_END_OF_FILE", function() file:read(8192, 512) end)
file:close()
list = records()
local read = find(list, name, READ)
expect(read and read.information == 4096 and read.irql == 2, "a read that ends at DISPATCH_LEVEL")
local ends = {}
for _, record in ipairs(list) do
  if record.major == READ then ends[#ends + 1] = ("%08X"):format(record.status) end
end
expect_equal(table.concat(ends, " "), "00000000 C0000011", "and one beyond the end")
expect(find(list, name, CLOSE), "in close the name is the cache's")

-- A program's operations are its own.
expect_equal(vm:process{ program = "load.c", flags = { "-DWORKER=1", "-DROUNDS=1" } }:wait(), 0x600D, "a program's work")
list = records()
local process, fast = find(list, ROOT .. "Load1", CREATE), 0
expect(process and process.process ~= 4, "a program's open")
for _, record in ipairs(list) do
  if record.flags & 2 ~= 0 and record.process == process.process then fast = fast + 1 end
end
expect(fast > 0, "fast I/O among its operations")
expect_equal(string.unpack("<I4", port:send(string.pack("<I4I4", GET_LOST, 0), 4)), 0, "nothing is lost")

-- Nobody takes them: no more wait than may.
vm:set_registry([[\Registry\Machine\System\CurrentControlSet\Services\oplog]], "MaxRecords", 10)
port:close()
filter:unload()
filter = vm:load{ inf = "oplog.inf", source = "oplog.c" }
vm:open(ROOT .. "a.txt", { access = "r" }):close()
filter:unload() -- with what waits
