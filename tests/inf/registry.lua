-- SPDX-License-Identifier: GPL-2.0-or-later
-- machine:set_registry: every type, whole, up to 1 MiB.
local vm = fltvm.machine {}
local KEY = [[\Registry\Machine\System\CurrentControlSet\Services\installed]]
local big = ("0123456789abcdef"):rep(1 << 16) -- 1 MiB

local function wide(text) return (text:gsub(".", "%0\0")) end
local cases = {
  { "sz", "text", nil, 1, wide("text\0") },
  { "empty", "", nil, 1, "\0\0" },
  { "letters", "ü€\u{1F511}", nil, 1, "\xfc\0\xac\x20\x3d\xd8\x11\xdd\0\0" },
  { "nuls", "a\0b", "REG_SZ", 1, wide("a\0b\0") },
  { "expand", "%x%", "REG_EXPAND_SZ", 2, wide("%x%\0") },
  { "binary", "\0\xff\1", "REG_BINARY", 3, "\0\xff\1" },
  { "none", "", "REG_NONE", 0, "" },
  { "dword", 258, nil, 4, "\2\1\0\0" },
  { "minus", -2, "REG_DWORD", 4, "\xfe\xff\xff\xff" },
  { "big-endian", 258, "REG_DWORD_BIG_ENDIAN", 5, "\0\0\1\2" },
  { "qword", 0x0102030405060708, "REG_QWORD", 11, "\8\7\6\5\4\3\2\1" },
  { "link", "\\Registry", "REG_LINK", 6, wide("\\Registry") },
  { "list", { "one", "two" }, nil, 7, wide("one\0two\0\0") },
  { "no list", {}, "REG_MULTI_SZ", 7, "\0\0" },
  { "resources", "abc", "REG_RESOURCE_LIST", 8, "abc" },
  { "raw", "a\0b", 1, 1, "a\0b" },
  { "own", "abcd", 0x12345, 0x12345, "abcd" },
}
for _, case in ipairs(cases) do vm:set_registry(KEY, case[1], case[2], case[3]) end
vm:load { source = "installed.c", flags = "-DPLAIN" }
local log = table.concat(vm:log(), "\n")
for _, case in ipairs(cases) do
  local bytes = case[5]:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  expect(log:find(("value |%s|%d|%d|%s\n"):format(case[1], case[4], #case[5], bytes), 1, true), case[1] .. " is stored whole")
end

-- As much as a value holds, and no more.
vm:load { source = "large.c" }
vm:set_registry([[\Registry\Machine\Software\Large]], "binary", big, "REG_BINARY")
vm:set_registry([[\Registry\Machine\Software\Large]], "text", big:sub(1, (1 << 19) - 1))
vm:open([[\Device\LargeValues]]):close()
vm:expect_log("binary: type 3, 1048576 bytes, sum 73531392", "a binary value of 1 MiB")
vm:expect_log("text: type 1, 1048576 bytes, sum 36765594", "a text of 1 MiB")

local function refused(words, ...)
  local done, reason = pcall(vm.set_registry, vm, KEY, "x", ...)
  expect(not done and tostring(reason):find(words, 1, true), words .. ": " .. tostring(reason))
end
refused("a value of more than 1 MiB", big .. "x", "REG_BINARY")
refused("a value of more than 1 MiB", big:sub(1, 1 << 19))
refused("more than 32 bits", 1 << 32)
refused("is not UTF-8", "\xff")
refused("did you mean 'REG_BINARY'?", "x", "REG_BINARI")
refused("a list is for REG_MULTI_SZ", { "x" }, "REG_SZ")
refused("entry 2 of the list is empty", { "x", "" })
refused("a type is 32 bits wide", "x", 1 << 32)
