-- SPDX-License-Identifier: GPL-2.0-or-later
-- What taking and giving back costs, in hundredths of a guest instruction: without the verifier, and with it.
local still = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 }

for _, verifier in ipairs { "0", "1" } do
    local vm = fltvm.machine { cpus = 1, options = { verifier = verifier }, disks = { { size = "1M", device = still } } }
    vm:start()
    print("bench verifier " .. verifier)
    vm:load { source = "pairs.c" }:unload()
    vm:shutdown()
end
