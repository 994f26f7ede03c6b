-- SPDX-License-Identifier: GPL-2.0-or-later
-- Who may open a driver's events, sections and keys: by their descriptors, objects.c, objectsuser.c.
local vm = fltvm.machine {}
local driver = vm:load { source = "objects.c" }
local PLAIN <const>, OTHERS <const> = 0x3, 0x8C -- \ObjectsAll, \ObjectsWaited for SYNCHRONIZE, the section for reading
for token, opened in pairs { limited = OTHERS, administrator = PLAIN | OTHERS, system = PLAIN | OTHERS } do
  local process = vm:process { name = [[\objects.exe]], program = "objectsuser.c", token = token }
  expect_equal(string.format("%X", process:wait()), string.format("%X", opened), "what the program may open: " .. token)
end

-- Keys, for a thread that impersonates, where the kernel asks for the check.
local function keys(user)
  local device = vm:open([[\Device\Objects]], { access = "attributes", user = "kernel", impersonate = user })
  local answers, text = { string.unpack("<" .. ("I4"):rep(9), device:ioctl(0x222000, "", 36)) }, ""
  device:close()
  for n = 1, 9 do
    expect(answers[n] == 0 or answers[n] == 0xC0000022, "granted or denied: " .. n)
    text = text .. (answers[n] == 0 and "+" or "-")
  end
  return text
end
expect_equal(keys("limited"), "+-+--+---", "the limited user reads keys, and what he was given")
expect_equal(keys("administrator"), "+-+--++-+", "administrators write, but where they were not given it")
expect_equal(keys(nil), "+-+--++-+", "so does the system, if it is asked")
driver:unload()
