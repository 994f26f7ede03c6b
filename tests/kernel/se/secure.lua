-- SPDX-License-Identifier: GPL-2.0-or-later
-- Devices made by IoCreateDeviceSecure: what their SDDL lets each of three users do.
local vm = fltvm.machine {}
local driver = vm:load { source = "secure.c" }

-- device, user, access, whether it opens
for _, case in ipairs {
    { "Kernel", "kernel", "rw", true },          -- the kernel itself is asked nothing
    { "Kernel", "system", "r", false },
    { "Kernel", "administrator", "attributes", false },
    { "System", "system", "rw", true },
    { "System", "administrator", "r", false },
    { "World", "administrator", "rw", true },
    { "World", "limited", "r", true },
    { "World", "limited", "rw", false },
    { "Hex", "limited", "attributes", true },  -- by number: that and SYNCHRONIZE
    { "Hex", "limited", "r", false },
    { "Class", "limited", "rw", true },        -- the registry lets everybody, the driver nobody
} do
    local device, user, access, opens = table.unpack(case)
    local ok, file = pcall(vm.open, vm, "\\Device\\Fltvm" .. device, { user = user, access = access })
    expect_equal(ok, opens, user .. " opens " .. device .. " for " .. access)
    if ok then file:close() end
end
driver:unload()
