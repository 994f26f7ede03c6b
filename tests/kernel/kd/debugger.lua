-- SPDX-License-Identifier: GPL-2.0-or-later
-- What debugger.c prints arrives, or is masked as its component's level says.
local vm = fltvm.machine{}
vm:load{ source = "debugger.c" }
expect_log("^debugger: printed 42$", "what is printed with a prefix")
expect_log("^debugger: returned well$", "what is printed with an answer")
local masked = 0
for _, line in ipairs(vm:log()) do
  if line:find("debugger: masked", 1, true) then masked = masked + 1 end
end
expect_equal(masked, 0, "what the component's mask leaves out")
