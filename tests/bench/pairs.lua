-- SPDX-License-Identifier: GPL-2.0-or-later
-- What taking and giving back costs, in hundredths of a guest instruction: without the verifier, and with it.
local still = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 }
local disk = fltvm.temp("pairs.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
assert(select(2, fltvm.host { "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }) == 0)

for _, verifier in ipairs { "0", "1" } do
    local vm = fltvm.machine { cpus = 1, options = { verifier = verifier }, disks = { { image = disk, device = still } } }
    vm:start()
    local directory = "\\Device\\HarddiskVolume1\\directory"
    vm:open(directory, { access = "r", disposition = "create", options = "directory" }):close()
    vm:open(directory .. "\\file", { disposition = "create" }):close()
    print("bench verifier " .. verifier)
    vm:load { source = "pairs.c", altitude = "40000" }:unload()
    vm:shutdown()
end
