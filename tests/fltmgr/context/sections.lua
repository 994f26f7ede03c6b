-- SPDX-License-Identifier: GPL-2.0-or-later
-- Sections for data scans on NTFS: sections.c.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "sections.c")
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)
local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
vm:open("\\Device\\HarddiskVolume1"):close()
vm:load{ source = "sections.c", altitude = "320000" }:unload()
expect_equal({ #vm:filters(), #vm:instances() }, { 0, 0 }, "nothing is left")
vm:shutdown()
for leave, what in ipairs{ "Section", "Section", "File" } do
  vm = fltvm.machine{ disks = { { image = disk } } }
  vm:open("\\Device\\HarddiskVolume1"):close()
  expect_bugcheck{ code = 0xC4, p1 = 0xF107, driver = "sections.sys", line = guilty[leave], text = "reference to an object, " .. what, quiet = true,
    what = "a reference that a routine gave is left",
    function() vm:load{ source = "sections.c", altitude = "320000", flags = { "-DLEAVE=" .. leave } }:unload() end }
end
