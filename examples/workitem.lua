-- SPDX-License-Identifier: MIT
-- A read goes down through a minifilter to the disk, comes back as an interrupt, and is finished by a generic
-- work item.  Run it with:  ./fltvm run examples/workitem.lua
--
-- Every line of the guest begins with the virtual time in milliseconds, the processor and the IRQL.

local vm = fltvm.machine{ disks = { { size = "1M" } }, trace = true }

-- Compiled by the SDK, loaded at an altitude, attached to every volume.
local filter = vm:load{ source = "workitem/workitem.c", altitude = "370030" }
local volume = vm:open("\\Device\\HarddiskVolume1")

note("\nThe read, as the minifilter tells it:")
local before = #vm:trace()
local data = volume:read(0, 4096)
volume:close()
filter:unload()

-- The same, as the kernel recorded it (fltvm run --trace FILE has all of it).
note("\nThe read, as the kernel recorded it:")
note("     time/ms  cpu   IRQL      what")
local told = {
  IRP_CALL = "the I/O manager calls the next driver",
  FLT_PRE_ENTER = "the filter manager calls", FLT_POST_ENTER = "the filter manager calls",
  HBA_SUBMIT = "the disk driver rings the controller's doorbell",
  INTERRUPT_ENTER = "the controller interrupts:", DPC_ENTER = "the interrupt's DPC runs:",
  IRP_COMPLETE = "the request is completed",
  FLT_WORKITEM_ALLOCATE = "a generic work item is allocated in",
  FLT_WORKITEM_QUEUE = "the work item is queued for",
  FLT_WORKITEM_ENTER = "a system thread runs", FLT_WORKITEM_FREE = "the work item is freed in",
}
local seen = {}
for _, event in ipairs(vm:trace(before)) do
  local text = told[event.event]
  -- Of interrupts and DPCs only the disk's belong to the story.
  local of_disk = (event.routine or ""):find("^fltvmhba!")
  local in_story = (event.event ~= "INTERRUPT_ENTER" and event.event ~= "DPC_ENTER") or of_disk
  if text and in_story and not seen.FLT_WORKITEM_FREE then
    note(("%12.6f  cpu%d  %-8s  %s %s"):format(event.time, event.cpu, event.irql_name, text,
      event.routine or event.caller or ""))
    seen[event.event] = seen[event.event] or event
  end
end

note()
expect_equal(#data, 4096, "the read returns all of its bytes")
expect(seen.FLT_POST_ENTER and seen.FLT_POST_ENTER.irql == 2, "the post-operation callback ran at DISPATCH_LEVEL")
expect(seen.FLT_WORKITEM_ENTER and seen.FLT_WORKITEM_ENTER.irql == 0, "the worker routine ran at PASSIVE_LEVEL")
expect(seen.FLT_WORKITEM_FREE, "the work item was freed")
expect_log("^unloaded", "the minifilter is unloaded once its work is done")
