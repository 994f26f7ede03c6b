-- SPDX-License-Identifier: GPL-2.0-or-later
-- The content scanner on NTFS: what its client calls foul is neither opened nor written, and is seen when a handle goes that has written it.
local disk = fltvm.temp("disk.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\0", 8 << 20))
image:close()
local output, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, output)

local vm = fltvm.machine{ disks = { { image = disk, writable = true } } }
local ROOT = "\\Device\\HarddiskVolume1\\"
local function put(name, text)
  local file = vm:open(ROOT .. name, { disposition = "overwrite_if" })
  file:write(0, text)
  file:close()
end
put("foul.txt", "this is foul, all of it")
put("good.doc", ("good "):rep(1000))
put("other.bin", "foul, but nobody asks about these")

local filter = vm:load{ inf = "../../examples/scan/scan.inf", source = "../../examples/scan/scan.c" }
local port, get

-- What is asked while the program works, and what comes of it.
local function run(name, text)
  local flags = { '-DNAME=L"' .. name .. '"' }
  if text then flags[2] = '-DTEXT="' .. text .. '"' end
  local process, asked = vm:process{ program = "../../examples/scan/touch.c", flags = flags }, {}
  get = get or port and port:get_async()
  while get and get:done(200) do
    local message = get:wait()
    local contents = message.data:sub(9, 8 + string.unpack("<I4", message.data))
    asked[#asked + 1] = contents:sub(1, 7)
    expect_equal({ message.wants_reply, message.reply_length }, { true, 1 }, "it wants an answer")
    get = port:get_async()
    port:reply(message, contents:find("foul", 1, true) and "\0" or "\1")
  end
  return process:wait(), table.concat(asked, "|")
end
local DENIED, INFECTED = 0xC0000022, 0xC0000906

expect_equal({ run("foul.txt") }, { 0, "" }, "nobody is connected: everything is safe")
port = vm:port([[\ScanPort]])
expect_equal({ run("good.doc") }, { 0, "good go" }, "a good file")
expect_equal({ run("FOUL.TXT") }, { DENIED, "this is" }, "a foul one")
vm:expect_log("scan: foul, the open is undone", "undone")
expect_equal({ run("other.bin") }, { 0, "" }, "an extension that is not looked at")
expect_equal({ run("none.txt") }, { 0xC0000034, "" }, "what is not there is not asked about")
expect_equal({ run("new.txt", "a foul thing") }, { INFECTED, "a foul " }, "a foul write")
expect_equal({ run("new.txt", "a good thing") }, { 0, "a good |a good " }, "a good one, seen again when the handle goes")
expect_equal({ run("new.txt", "a Good thing") }, { 0, "a good |a Good |a Good " }, "and before, in an open that may write")
expect_equal({ run("new.txt") }, { 0, "a Good " }, "as it was written")

-- The client is asked and takes its time: a detach waits for the operation, which ends by itself, and is no fault of the filter's.
local process = vm:process{ program = "../../examples/scan/touch.c", flags = { '-DNAME=L"foul.txt"' } }
if not get then get = port:get_async() end
local late = get:wait()
local before = vm:time()
vm:detach{ filter = "scan", volume = "\\Device\\HarddiskVolume1", instance = vm:instances()[1].name, timeout = 30000 }
expect(vm:time() - before > 9000, "the filter's patience with its client: " .. vm:time() - before)
expect_equal(process:wait(), 0, "nobody has answered: safe")
expect_status("STATUS_FLT_NO_WAITER_FOR_REPLY", function() port:reply(late, "\0") end, "an answer comes too late")
vm:attach{ filter = "scan", volume = "\\Device\\HarddiskVolume1" }
get = nil

-- The client goes while it is asked: the operation goes on.
process = vm:process{ program = "../../examples/scan/touch.c", flags = { '-DNAME=L"foul.txt"' } }
get = port:get_async()
get:wait()
port:close()
expect_equal(process:wait(), 0, "an open that nobody answers is let go")
filter:unload()
