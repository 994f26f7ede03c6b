-- SPDX-License-Identifier: GPL-2.0-or-later
-- The content scanner and its service in user mode, under load: everything is looked at, what is foul is not opened; the service is killed in the middle of it, and
-- nobody waits for it any longer; another one takes its place; and when the filter goes, the service finds out.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ cpus = 3, disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local SCAN <const>, DENIED <const>, LOADS <const> = "../../examples/scan/", 0xC0000022, 3
local file = vm:open(ROOT .. "foul.txt", { disposition = "create" })
file:write(0, "this is foul, all of it")
file:close()
local filter = vm:load{ inf = SCAN .. "scan.inf", source = SCAN .. "scan.c" }

local function connections() return vm:ports()[1].connections end
local function serve()
  local client = vm:process{ name = [[\scanservice.exe]], program = SCAN .. "client.c", flags = { '-DFOUL="foul"' } }
  while connections() == 0 do vm:sleep(1) end
  vm:sleep(5)
  return client
end
local function load(rounds)
  local processes = {}
  for n = 1, LOADS do
    processes[n] = vm:process{ program = "load.c", timeout = 60000, flags = { "-DWORKER=" .. n, "-DROUNDS=" .. rounds } }
  end
  return processes
end
local function finish(processes)
  for n, process in ipairs(processes) do expect_equal(process:wait{ timeout = 60000 }, 0x600D, "program " .. n .. " finds what it wrote") end
end
local function touch() return vm:process{ program = SCAN .. "touch.c", flags = { '-DNAME=L"foul.txt"' } }:wait() end
-- What a service was told when it connected.
local function counts(since)
  local asked, foul = vm:expect_log("client: connected, (%d+) asked, (%d+) foul", "the service is told how much was asked", { since = since })
  return tonumber(asked), tonumber(foul)
end

expect_equal(touch(), 0, "without a service everything is safe")
local client = serve()
expect_equal({ counts(0) }, { 0, 0 }, "nothing was asked yet")
expect_equal(touch(), DENIED, "with it what is foul is not opened")
local processes = load(6)
vm:sleep(20)
expect_equal(touch(), DENIED, "nor under load")
finish(processes)
expect_status("STATUS_CONNECTION_COUNT_LIMIT", function() vm:port([[\ScanPort]]) end, "one service only")

-- It is killed while programs wait for its answer.
for round = 1, 4 do
  processes = load(4)
  vm:sleep(4 + 7 * round)
  client:kill(0xC000013A)
  expect_equal(client:wait(), 0xC000013A, "killed")
  expect_equal(connections(), 0, "its connection ends with it")
  if round % 2 == 0 then finish(processes) end
  expect_equal(touch(), 0, "and nobody waits for it")
  local since = #vm:log()
  client = serve()
  local asked, foul = counts(since)
  expect(asked > 20 * round and foul == 1 + round, ("round %d: %d were asked, %d foul"):format(round, asked, foul))
  expect_equal(touch(), DENIED, "the next one answers")
  if round % 2 == 1 then finish(processes) end
end

-- The filter goes under load; its service sees the end of its connection, and ends.
processes = load(6)
vm:sleep(20)
filter:unload{ timeout = 60000 }
local answered = client:wait()
expect(answered > 20, "it has answered " .. answered)
vm:expect_log("client: " .. answered .. " answered", "and says so")
finish(processes)
vm:shutdown()
output, status = fltvm.image{ "check", disk }
expect_equal(status, 0, "the volume is sound: " .. output)
