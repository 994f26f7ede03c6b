-- SPDX-License-Identifier: GPL-2.0-or-later
-- Opened, normalized, short and destination names over a small file system, as paths.c checks them; then with a name provider.
local VOLUME = [[\Device\HarddiskVolume1]]
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\]]

for mode = 0, 2 do
  local vm = fltvm.machine { disks = { { size = "1M" }, { size = "1M" } } }
  vm:open(VOLUME):close()
  vm:open([[\Device\HarddiskVolume2]]):close()
  vm:set_registry(KEY .. "paths", "Mode", mode)
  local paths = vm:load { source = "paths.c", default_instance = "high", instances = { high = "300", low = "100" } }
  local provider
  if mode > 0 then
    vm:set_registry(KEY .. "provider", "Mode", mode)
    provider = vm:load { source = "provider.c", altitude = "200" }
  else
    vm:open(VOLUME .. [[\LONGDI~1\LONGNA~1.TXT:s:$DATA]]):close()
    expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(VOLUME .. [[\LONGDI~1\new~1.txt]]) end)
    expect_status("STATUS_OBJECT_NAME_NOT_FOUND", function() vm:open(VOLUME .. [[\nowhere\x]]) end)
  end
  local file = vm:open(VOLUME .. [[\LONGDI~1\LONGNA~1.TXT]])
  file:read(0, 512)
  file:close()
  if provider then provider:unload() end
  paths:unload()
  vm:shutdown()
end
