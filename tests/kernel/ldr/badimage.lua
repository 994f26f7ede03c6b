-- SPDX-License-Identifier: GPL-2.0-or-later
-- Images that are broken or want what is not there are refused with the reason, and the machine goes on.

local file = assert(io.open(os.getenv("FLTVM_BUILD") .. "/guest/initrd/raw.sys", "rb"))
local good = file:read("a")
file:close()

local vm = fltvm.machine {}
local count = 0

-- Loads the bytes as a driver and gives what was said about it.
local function refuse(bytes, what, text, status)
  local path = os.tmpname() .. ".sys"
  local out = assert(io.open(path, "wb"))
  out:write(bytes)
  out:close()
  count = count + 1
  local ok, err = pcall(function() vm:load { image = path, name = "bad" .. count } end)
  os.remove(path)
  expect(not ok, what .. " is refused")
  if text then expect_log(text, what .. ": the reason is told") end
  if status then expect(tostring(err):find(status, 1, true), what .. ": " .. status) end
end

local function patch(at, bytes)
  return good:sub(1, at) .. bytes .. good:sub(at + #bytes + 1)
end

local pe = string.unpack("<I4", good, 0x3C + 1)
local sections = pe + 24 + string.unpack("<I2", good, pe + 20 + 1)

-- These the host command already refuses; the loader's own checks are in tests/unit/test-pe.c.
refuse("MZ", "a file of two bytes")
refuse(("x"):rep(4096), "a file that is something else")
refuse(patch(0x3C, "\xF0\xFF\xFF\x7F"), "a header offset beyond the file")
refuse(patch(pe + 4, "\x4C\x01"), "an image for another processor")

refuse(good:sub(1, 1500), "a file that was cut off", "outside the file", "STATUS_INVALID_IMAGE_FORMAT")
refuse(patch(pe + 24 + 16, "\xFF\xFF\xFF\x7F"), "an entry point outside", "entry point")
refuse(patch(sections + 12, "\x00\x10\x00\x10"), "a section outside the image", "outside the image")
refuse(patch(pe + 24 + 112 + 8, "\xF0\xFF\xFF\x7F"), "an import directory outside the image", "outside the image")

-- Two names that nobody exports: both are told.
local missing = good:gsub("IoCreateDevice\0", "IoCreateDevicX\0"):gsub("IofCompleteRequest\0", "IofCompleteRequesX\0")
refuse(missing, "an image with imports that are not there", "IoCreateDevicX", "STATUS_DRIVER_ENTRYPOINT_NOT_FOUND")
expect_log("IofCompleteRequesX", "every missing import is told")
local module = good:gsub("ntoskrnl%.exe\0", "notthere.exe\0")
refuse(module, "an image that imports from one that is not loaded", "notthere.exe", "STATUS_DLL_NOT_FOUND")

-- Nothing was left behind: the machine still takes a good one.
vm:load { source = "../rtl/seh.c" }
