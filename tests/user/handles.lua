-- SPDX-License-Identifier: GPL-2.0-or-later
-- A handle is the process's in which it was made, for drivers too, unless it is a kernel handle: handles.c.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../inc/guilty.lua")(folder .. "handles.c")
for _, verifier in ipairs { "1", "0" } do
  local vm = fltvm.machine { options = { verifier = verifier } }
  local driver = vm:load { source = "handles.c" }
  local device = vm:open([[\Device\Handles]])
  device:ioctl(0x222000)
  if verifier == "1" then
    expect_bugcheck { code = 0xC4, p1 = 0xF6, driver = "handles.sys", routine = "TrustHandle", line = assert(guilty[1]), quiet = true,
      text = "AccessMode is KernelMode", what = "a program's handle is taken for the kernel's", function() device:ioctl(0x222004) end }
    vm = fltvm.machine {}
    vm:load { source = "handles.c" }
    device = vm:open([[\Device\Handles]])
    device:ioctl(0x222000)
    expect_bugcheck { code = 0x93, driver = "handles.sys", routine = "Close", line = assert(guilty[2]), quiet = true,
      what = "a handle is closed in another process", function() device:ioctl(0x222008) end }
  else
    device:close()
    driver:unload()
    vm:shutdown()
  end
end
