-- SPDX-License-Identifier: GPL-2.0-or-later
-- Three users: what a volume's and a device's descriptor let each of them open, and who the driver sees.
local vm = fltvm.machine { disks = { { size = "1M" } } }
local volume = "\\Device\\HarddiskVolume1"

-- The default descriptor of a device: system and administrators everything, others only its attributes.
for _, user in ipairs { "kernel", "system", "administrator" } do
    local file = vm:open(volume, { user = user })
    expect_equal(file:write(0, string.rep("u", 512)), 512, user .. " writes to the volume")
    expect_equal(file:read(0, 512), string.rep("u", 512), user .. " reads from the volume")
    file:close()
end
for _, access in ipairs { "r", "w", "rw" } do
    expect_status("STATUS_ACCESS_DENIED", function() vm:open(volume, { user = "limited", access = access }) end,
        "the limited user opens the volume for " .. access)
end
vm:open(volume, { user = "limited", access = "attributes" }):close()
expect(not pcall(vm.open, vm, volume, { user = "root" }), "an unknown user is refused")
-- A thread of the kernel's that impersonates.
expect_status("STATUS_ACCESS_DENIED", function() vm:open(volume, { user = "kernel", impersonate = "limited", access = "r" }) end,
    "the kernel, for the limited user")
vm:open(volume, { user = "kernel", impersonate = "administrator" }):close()
local ok, problem = pcall(vm.open, vm, volume, { impersonate = "limited" })
expect(not ok and tostring(problem):find("it is the kernel that does", 1, true), "a program does not impersonate")

-- A device whose driver has given it a descriptor of its own: everybody may read.
local driver = vm:load { source = "users.c" }
local secured = "\\Device\\FltvmSecured"
vm:open(secured, { user = "limited", access = "r" }):close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open(secured, { user = "limited", access = "rw" }) end,
    "the limited user writes to a device that everybody may read")
vm:open(secured, { user = "administrator", access = "rw" }):close()

-- A name below a device is its driver's affair: who may pass is let through, unless the device is opened securely.
vm:open(secured .. "\\name", { user = "limited", access = "rw" }):close()
expect_status("STATUS_ACCESS_DENIED", function() vm:open("\\Device\\FltvmSecure2\\name", { user = "limited", access = "rw" }) end,
    "a name below a device with FILE_DEVICE_SECURE_OPEN")

-- What the driver was told: a control's output is the session and the integrity level of who opened the device.
local file = vm:open(secured, { user = "limited", access = "r" })
expect_equal(file:ioctl(0x222000, "", 8), string.pack("<I4I4", 1, 0x2000), "the limited user, as a create shows it")
file:close()
file = vm:open(secured, { user = "administrator", access = "r" })
expect_equal(file:ioctl(0x222000, "", 8), string.pack("<I4I4", 1, 0x3000), "the administrator, as a create shows it")
file:close()
driver:unload()
