-- SPDX-License-Identifier: MIT
-- Which minifilters there are, told by a program with fltlib; and one of them is detached, which lets itself be, and one that does not.
-- ./fltvm run examples/filters.lua
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:open("\\Device\\HarddiskVolume1"):close()      -- which mounts it
local workitem = vm:load{ source = "workitem/workitem.c", altitude = "370030" }
local contexts = vm:load{ source = "contexts/contexts.c", altitude = "370040" }

local function filters(...)
  return vm:process{ program = "filters/filters.c", flags = { ... } }:wait()
end

expect_equal(filters(), 0, "they are told")
vm:expect_log("contexts, instances: 1", "the higher one first")
vm:expect_log("on \\Device\\HarddiskVolume1 at 370030", "each with its volume and altitude")
expect(filters('-DDETACH=L"workitem"') ~= 0, "without an InstanceQueryTeardownCallback a filter stays")
vm:expect_log("it is not detached: 801F0010", "STATUS_FLT_DO_NOT_DETACH, as an HRESULT")
contexts:unload()
workitem:unload()
