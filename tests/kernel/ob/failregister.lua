-- SPDX-License-Identifier: GPL-2.0-or-later
-- Every allocation that the kernel makes for failregister.c's calls is made to fail once.
local seen = {}
for skip = 0, 5 do
  local vm = fltvm.machine{ options = { ["pool-fail"] = "failregister.sys:" .. skip .. ":1" } }
  local _, err = pcall(function() vm:load{ source = "failregister.c" } end)
  local status = tostring(err):match("STATUS_[%w_]+")
  if #seen == 0 or seen[#seen] ~= status then seen[#seen + 1] = status end
end
expect_equal(table.concat(seen, " "),
  "STATUS_NO_MEMORY STATUS_INSUFFICIENT_RESOURCES STATUS_DEVICE_NOT_READY STATUS_DEVICE_NOT_CONNECTED",
  "no memory: handle routines, a registry callback, a callback routine; then all succeed")
