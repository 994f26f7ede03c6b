-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the cache and views of files transfer, as a minifilter sees it; the checks are the driver's.
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
tool("ntfscp", "-q", "-f", disk, write_file("big", string.rep("b", 200000)), "big")
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local filter = vm:load{ source = "paging.c", altitude = "140000" }
filter:unload()
vm:shutdown()
tool("ntfsfix", "-n", disk)
