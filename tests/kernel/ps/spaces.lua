-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two processes: what a driver that attaches to them finds in each, and that all of it comes back at their end.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local guilty = dofile(folder .. "../../inc/guilty.lua")(folder .. "spaces.c")
local CANCELLED = 0xC0000120

local function used_by_pairs(vm)
    vm:sleep(50) -- a thread that has ended gives its stack back
    local before = vm:memory().used
    for _ = 1, 3 do
        local one, other = vm:process { name = "\\Device\\HarddiskVolume1\\a.exe" }, vm:process { name = "b.exe" }
        one:kill()
        other:kill(CANCELLED)
    end
    return vm:memory().used - before
end

local vm = fltvm.machine { cpus = 2 }
used_by_pairs(vm) -- the kernel's tables are completed once
expect_equal(used_by_pairs(vm), 0, "processes that have ended leave no memory")

local driver = vm:load { source = "spaces.c" }
local device = vm:open("\\Device\\Spaces", { user = "kernel" })
local one, other = vm:process { name = "one.exe" }, vm:process { name = "other.exe" }
expect(one:id() ~= other:id() and one:id() % 4 == 0, "each has an id")
device:ioctl(0)
one:kill(CANCELLED)
other:kill(CANCELLED)
expect_status("STATUS_INVALID_CID", function() one:kill() end, "a process ends once")
device:ioctl(4)
device:close()
driver:unload()
expect_equal(used_by_pairs(vm), 0, "nor after what a driver allocated in them")
vm:shutdown()

vm = fltvm.machine {}
vm:load { source = "spaces.c" }
device = vm:open("\\Device\\Spaces", { user = "kernel" })
expect_bugcheck {
    code = 0x7E, p1 = 0xC0000005, driver = "spaces.sys", routine = "Control", line = assert(guilty[8]), quiet = true,
    what = "user memory touched outside of __try names the driver",
    function() device:ioctl(8) end,
}
