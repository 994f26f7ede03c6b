-- SPDX-License-Identifier: GPL-2.0-or-later
-- What files of NTFS cost a program, in guest instructions: without the verifier, and with it.
local ROOT <const> = "\\Device\\HarddiskVolume1\\"
local still = { ["read-ns"] = 0, ["write-ns"] = 0, ["flush-ns"] = 0, ["command-ns"] = 0 }
local folder = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local tool = dofile(folder .. "../inc/tool.lua")
local image, tree = fltvm.temp("files.raw"), fltvm.temp("tree")
local code = [[
import os, sys
os.makedirs(os.path.join(sys.argv[1], 'a'))
os.makedirs(os.path.join(sys.argv[1], 'many'))
for n in range(5000): open(os.path.join(sys.argv[1], 'many', f'an entry of many {n}'), 'w').close()
]]
tool("python3", "-c", code, tree)
local output, status = fltvm.image{ "ntfs", image, "64M", "--files", tree }
expect_equal(status, 0, output)

for _, verifier in ipairs { "0", "1" } do
  local vm = fltvm.machine{ cpus = 1, memory = "128M", options = { verifier = verifier }, disks = { { image = image, device = still } } }
  vm:open(ROOT .. "many", { access = "r", options = "directory" }):close() -- which mounts it
  print("bench verifier " .. verifier)
  expect_equal(vm:process{ program = "files.c", name = "\\files.exe" }:wait(), 0, "the files are measured")
  vm:shutdown()
end
