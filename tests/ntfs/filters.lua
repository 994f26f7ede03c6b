-- SPDX-License-Identifier: GPL-2.0-or-later
-- Minifilters on NTFS: they learn the names, hang contexts on streams, files and handles, and see reads end where they
-- end; the example that takes a read to a work item does so with a file's.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local function write_file(name, bytes)
  local path = fltvm.temp(name)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  return path
end

local disk = write_file("disk.raw", string.rep("\0", 8 << 20))
tool("mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk)
local text = string.rep("some text. ", 4000)
tool("ntfscp", "-q", "-f", disk, write_file("text", text), "Some Text.txt")

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local watch = vm:load{ source = "watch.c", altitude = "140000" }
local workitem = vm:load{ source = "../../examples/workitem/workitem.c", altitude = "370030" }

vm:open(ROOT .. "Folder", { access = "r", disposition = 2, options = 0x21 }):close()
vm:expect_log("watch: \\Device\\HarddiskVolume1\\Folder stream 00000000 file 00000000 handle 00000000", "a new directory")
vm:open(ROOT .. "folder\\New.dat", { disposition = 2 }):close()
vm:expect_log("watch: \\Device\\HarddiskVolume1\\Folder\\New.dat stream", "a new file, by the name that the file system tells")

local file = vm:open(ROOT .. "some TEXT.txt", { access = "r", buffered = false })
vm:expect_log("watch: \\Device\\HarddiskVolume1\\Some Text.txt stream 00000000 file 00000000 handle 00000000", "by another case")
local since = #vm:log()
expect(file:read(0, 4096) == text:sub(1, 4096), "a non-cached read")
vm:expect_log("watch: read 4096 at IRQL 2", "ends in the disk's DPC", { since = since })
vm:expect_log("worker routine: the read is examined here, 4096 bytes came back", "and goes on in a work item", { since = since })
expect_equal(#file:read(#text // 512 * 512, 512), #text % 512, "the last bytes of the file")
local other = vm:open(ROOT .. "SOME TEXT.TXT", { access = "r" })
vm:expect_log("stream C01C0002 file C01C0002 handle 00000000", "the stream and the file are the same, the handle is another",
  { since = since })
expect(other:read(100, 20000) == text:sub(101, 20100), "a cached read")
file:close()
other:close()
workitem:unload()
watch:unload() -- no context is left
