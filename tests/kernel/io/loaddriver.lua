-- SPDX-License-Identifier: GPL-2.0-or-later
-- A driver is loaded from a file: the image stands at the start of the disk, and loaddriver.c makes a file of it.
local image = assert(io.open(os.getenv("FLTVM_BUILD") .. "/guest/drivers/fltvmirq.sys", "rb"))
local bytes = image:read("a")
image:close()
local services = [[\Registry\Machine\System\CurrentControlSet\Services\]]

local vm = fltvm.machine{ disks = { { size = "4M" } } }
local disk = vm:open([[\Device\HarddiskVolume1]])
disk:write(0, bytes .. ("\0"):rep(-#bytes % 512))
disk:close()
vm:set_registry(services .. "loadme", "ImagePath", [[\Device\FltvmLoad]])
vm:set_registry(services .. "nofile", "Start", 3)
vm:set_registry(services .. "loaddriver", "Size", #bytes + -#bytes % 512)
vm:load{ source = "loaddriver.c" }
vm:expect_log("loaddriver is taken for a string that ends with a zero", "a registry path without its terminator is told")
