#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""machine:checkpoint(): a run that begins there is the run from the beginning; what is found is replayed by its command."""
import json
import os
import re
import sys

from command import Folder, expect
from tap import case, check, equal, main

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'examples')

# Two disks that are written, threads that race for them, allocations of a filter, luck of the script's own.
BUSY = """
local vm = fltvm.machine{ cpus = CPUS, disks = { { size = "1M" }, { size = "2M" } } }
local filter = vm:load{ source = "examples/workitem/workitem.c", altitude = "370030" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1", { async = true, access = "rw" })
local other = vm:open("\\\\Device\\\\HarddiskVolume2", { access = "rw" })
volume:write(0, ("a"):rep(8192))
other:write(512, ("b"):rep(512))
vm:checkpoint()
expect_equal(volume:read(0, 8192), ("a"):rep(8192), "the first disk is as it was")
expect_equal(other:read(0, 1024), ("\\0"):rep(512) .. ("b"):rep(512), "the second disk is as it was")
local writes = {}
for i = 1, 8 do
  writes[i] = volume:write_async((i - 1) * 4096, tostring(math.random(9)):rep(4608), { thread = i % 4 })
end
for _, write in ipairs(writes) do write:wait() end
other:write(0, ("z"):rep(1024))
other:flush()
note(volume:read(0, 4096):sub(1, 8))
volume:close()
other:close()
filter:unload()
"""

# A file system with its cache, a program in user mode, and a filter that asks the script.
SCAN = """
local disk = fltvm.temp("ntfs.raw")
local image = assert(io.open(disk, "wb"))
image:write(string.rep("\\0", 8 << 20))
image:close()
local _, status = fltvm.host{ "mkntfs", "-q", "-F", "-f", "-c", "4096", "-s", "512", disk }
expect_equal(status, 0, "a volume is made")
local vm = fltvm.machine{ disks = { { image = disk } } }
local ROOT = "\\\\Device\\\\HarddiskVolume1\\\\"
local letter = vm:open(ROOT .. "letter.txt", { disposition = "create" })
letter:write(0, "a friendly letter")
letter:close()
local filter = vm:load{ inf = "examples/scan/scan.inf", source = "examples/scan/scan.c" }
local port = vm:port("\\\\ScanPort")
vm:sleep(2000) -- what is written late is written
vm:checkpoint()
local program = vm:process{ program = "examples/scan/touch.c", flags = { '-DNAME=L"letter.txt"' } }
port:reply(port:get(), "\\1")
expect_equal(program:wait(), 0, "a program reads the letter")
local file = vm:open(ROOT .. "new.txt", { disposition = "create" })
file:write(0, ("new"):rep(3000))
file:flush()
file:close()
port:close()
filter:unload()
"""

# A driver that ends in a bugcheck as soon as something is read, in about half of the runs.
BROKEN = """
local vm = fltvm.machine{ disks = { { size = "1M" } } }
vm:set_registry("\\\\Registry\\\\Machine\\\\System\\\\CurrentControlSet\\\\Services\\\\broken", "Fault", 1)
vm:load{ source = "examples/broken/broken.c", altitude = "370040" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
vm:checkpoint()
if math.random(2) == 1 then volume:read(0, 4096) end
expect(true, "it is well")
"""


# A driver that sleeps for as long as the processor's random numbers say.
DRAWS = r"""
#include <ntddk.h>
#include <immintrin.h>
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    LARGE_INTEGER Interval;
    unsigned long long Number = 0;
    if (!_rdrand64_step(&Number))
        return STATUS_UNSUCCESSFUL;
    Interval.QuadPart = -10000 * (LONGLONG)(Number % 1000 + 1);
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    return STATUS_SUCCESS;
}
"""


def folder_with_examples():
    folder = Folder()
    os.symlink(EXAMPLES, folder.file('examples'))
    return folder


def verified(folder, runs, *options, name='scenario.lua', status=0):
    done = folder.fltvm('explore', '--verify', '--runs', str(runs), '-j', '2', *options, name, timeout=400)
    expect(done, status, f'{runs - 1} runs from the checkpoint on are the same from their beginning.')
    return done


@case
def a_run_from_the_checkpoint_is_the_run_from_the_beginning():
    with folder_with_examples() as folder:
        for cpus, machine in ((1, 'microvm'), (3, 'microvm'), (2, 'q35')):
            folder.write('scenario.lua', BUSY.replace('CPUS', str(cpus)))
            verified(folder, 24, '--machine', machine, '--strategy', 'seeds,allocations,faults,mixed')


@case
def also_with_a_file_system_and_a_program():
    with folder_with_examples() as folder:
        folder.write('scenario.lua', SCAN)
        done = folder.fltvm('explore', '--verify', '--runs', '16', '-j', '2', '--strategy', 'seeds,faults', 'scenario.lua', timeout=400)
        check('15 runs from the checkpoint on are the same from their beginning.' in done.all and done.returncode in (0, 1), done.all)


@case
def also_where_runs_end_in_a_bugcheck():
    with folder_with_examples() as folder:
        folder.write('scenario.lua', BROKEN)
        expect(verified(folder, 12, '--strategy', 'seeds', status=1), 1, 'BrokenPostRead')


@case
def also_where_threads_race():
    with folder_with_examples() as folder:
        # Which seeds show the race differs with the kernel's code: what is found is not the matter here.
        done = folder.fltvm('explore', '--verify', '--runs', '40', '-j', '2', '--strategy', 'seeds,faults',
                            'examples/flaky_checkpoint.lua', timeout=400)
        check('39 runs from the checkpoint on are the same from their beginning.' in done.all and done.returncode in (0, 1), done.all)


@case
def also_where_the_processor_is_asked_for_random_numbers():
    with Folder() as folder:
        folder.write('draws.c', DRAWS)
        folder.write('scenario.lua', 'local vm = fltvm.machine{ disks = { { size = "1M" } } } local v = vm:open("\\\\Device\\\\HarddiskVolume1") vm:checkpoint() '
                     'vm:load{ source = "draws.c", flags = { "-mrdrnd" } } for _ = 1, 8 do pcall(v.read, v, 0, 512) end expect(true, "drawn")')
        verified(folder, 8, '--strategy', 'faults')


@case
def what_is_found_is_replayed_by_its_command():
    with folder_with_examples() as folder:
        folder.write('scenario.lua', BROKEN)
        done = folder.fltvm('explore', '--runs', '12', '--strategy', 'seeds', 'scenario.lua', timeout=300)
        expect(done, 1, '1 finding in 12 runs', 'BrokenPostRead')
        commands = re.findall(r'^ +fltvm (run .*)$', done.all, re.M)
        check(len(commands) == 1 and '--checkpoint-seed' in commands[0], commands)
        expect(folder.fltvm(*commands[0].split()), 3, 'BrokenPostRead')
        equal(folder.left(), [], 'what is left')


@case
def how_many_run_at_a_time_changes_nothing():
    with folder_with_examples() as folder:
        found = []
        folder.write('scenario.lua', BROKEN)
        for jobs in ('1', '3'):
            folder.fltvm('explore', '--runs', '30', '-j', jobs, '--json', 'found.json', 'scenario.lua', timeout=300)
            found.append(json.loads(folder.read('found.json')))
            del found[-1]['milliseconds']
        equal(found[0], found[1], 'with one at a time and with three')
        check(found[0]['findings'], 'nothing was found')


@case
def what_comes_before_is_done_once():
    with folder_with_examples() as folder:
        folder.write('scenario.lua', 'local vm = fltvm.machine{} vm:start() '
                     'local f = io.open("before", "a") f:write("x") f:close() vm:checkpoint() '
                     'f = io.open("behind", "a") f:write("x") f:close() expect(true, "fine")')
        expect(folder.fltvm('explore', '--runs', '20', '-j', '1', '--strategy', 'seeds', 'scenario.lua'), 0, 'nothing found in 20 runs')
        equal(len(folder.read('before')), 2, 'times before: the first run, and for all others')
        equal(len(folder.read('behind')), 20, 'times behind')


@case
def the_seed_of_the_checkpoint_is_one_of_what_follows():
    script = ('local vm = fltvm.machine{} vm:start() note("first " .. math.random(1000000)) vm:checkpoint() '
              'note("then " .. math.random(1000000)) math.randomseed() note("again " .. math.random(1000000)) vm:shutdown()')
    with Folder() as folder:
        def drawn(*options):
            done = folder.scenario(script, *options)
            expect(done, 0)
            return re.findall(r'^(?:first|then|again) (\d+)', done.all, re.M)
        plain, seeded, other = drawn(), drawn('--checkpoint-seed', '5'), drawn('--checkpoint-seed', '6', '--seed', '1')
        equal(plain[0], seeded[0], 'what is drawn before')
        equal(seeded[1], seeded[2], 'what is drawn behind, and begun again')
        check(len({plain[1], seeded[1], other[1]}) == 3, 'seeds make no difference')
        equal(drawn('--checkpoint-seed', '5'), seeded, 'the same seed')


@case
def numbers_with_a_plus_count_from_the_checkpoint():
    script = ('local vm = fltvm.machine{ disks = { { size = "1M" } } } local v = vm:open("\\\\Device\\\\HarddiskVolume1") '
              'for i = 1, 5 do v:read(0, 512) end expect(not fltvm.injects(), "not yet") vm:checkpoint() '
              'expect_equal(fltvm.injects(), INJECTS, "what is made to fail") local ok = 0 '
              'for i = 1, 4 do if pcall(v.read, v, 0, 512) then ok = ok + 1 else note("read " .. i .. " fails") end end '
              'expect_equal(ok, 3, "reads")')
    with Folder() as folder:
        expect(folder.scenario(script.replace('INJECTS', '"--fail-io +3"'), '--fail-io', '+3'), 0, 'read 3 fails')
        expect(folder.scenario(script.replace('INJECTS', '"--fail-io +1"'), '--fail-io', '0:+1'), 0, 'read 1 fails')


@case
def a_run_that_loses_its_machine_costs_only_itself():
    # Time without end for the guest: the host's is over, and the machine is lost with it.
    script = ('local vm = fltvm.machine{} vm:start() vm:checkpoint() '
              'if math.random(4) == 1 then vm:sleep(1e12) end expect(math.random(3) ~= 1, "not one")')
    with Folder() as folder:
        folder.write('scenario.lua', script)
        done = folder.fltvm('explore', '--runs', '12', '-j', '2', '--strategy', 'seeds', '--timeout', '2', 'scenario.lua', timeout=300)
        expect(done, 1, 'check failed: not one', 'in 12 runs', 'could not be judged. The first: time-out', '--checkpoint-seed')
        equal(folder.left(), [], 'what is left')


@case
def where_it_cannot_be_is_told():
    with Folder() as folder:
        folder.write('disk.img', b'\0' * 65536)
        for script, words in (
                ('fltvm.machine{}:checkpoint() machine:checkpoint()', 'there was a checkpoint already'),
                ('local a = fltvm.machine{} fltvm.machine{}:checkpoint()', 'there are several machines'),
                ('fltvm.machine{ accel = "kvm" }:checkpoint()', 'it needs accel "tcg"'),
                ('fltvm.machine{ disks = { { image = "disk.img", writable = true } } }:checkpoint()', 'image is writable'),
                ('local vm = fltvm.machine{} vm:shutdown() vm:start() vm:shutdown() vm:checkpoint()', 'the machine has been shut down')):
            expect(folder.scenario(script), 2, words, 'scenario.lua:1')
        busy = ('local vm = fltvm.machine{ disks = { { size = "1M" } } } local v = vm:open("\\\\Device\\\\HarddiskVolume1", { async = true }) '
                'vm:fault{ op = "read", action = "delay", delay = 50 } local r = v:read_async(0, 512) vm:sleep(1) '
                'local ok, why = pcall(vm.checkpoint, vm) note(tostring(why)) expect(not ok, "refused") '
                'r:wait() vm:checkpoint() expect_equal(#v:read(0, 512), 512, "and then it can be")')
        expect(folder.scenario(busy), 0, 'a disk still works on a command', 'ok: and then it can be')
        for options, words in ((['--checkpoint-seed', 'x'], "--checkpoint-seed: 'x' is not a number"),
                               (['--checkpoint-seed', str(1 << 64)], 'is not a number'),
                               (['--fail-io', '+0'], "--fail-io: '+0' is neither"), (['--fail-io', '+3', '--fail-allocation', '2'], "put a '+' before each"),
                               (['--checkpoint-seed', '1', '--delay-io', '2'], "put a '+' before each"),
                               (['--delay-call', '+3'], '--delay-call: calls are counted from the machine'),
                               (['--checkpoint-seed', '1', '--delay-call', '3'], '--delay-call: calls are counted from the machine')):
            expect(folder.scenario('expect(true, "fine")', *options), 2, words)
        for option in (['--checkpoint-seed', '3'], ['--fail-io', '+3']):
            expect(folder.scenario('fltvm.machine{}:start()', *option), 2, 'has not come to machine:checkpoint()')


@case
def a_file_that_changes_is_noticed():
    # What the script reads before the checkpoint differs by the time of the run from the beginning.
    script = ('local f = io.open("count", "a") f:write("x") f:close() local vm = fltvm.machine{} vm:start() '
              'f = io.open("count") local n = #f:read("a") f:close() vm:sleep(20 * n) vm:checkpoint() vm:sleep(1) expect(true, "fine")')
    with Folder() as folder:
        folder.write('scenario.lua', script)
        done = folder.fltvm('explore', '--verify', '--runs', '3', '-j', '1', '--strategy', 'seeds', 'scenario.lua')
        expect(done, 4, '--verify: fltvm run --checkpoint-seed', 'from its beginning so:', 'has changed')


@case
def a_file_that_changes_meanwhile_ends_the_runs_that_stand_on_it():
    # Each run changes a file that the script has named: the next is not begun.
    script = ('local vm = fltvm.machine{ disks = { "disk.img" } } vm:start() vm:checkpoint() '
              'local f = io.open("disk.img", "r+") f:write("x") f:close() expect(true, "fine")')
    with Folder() as folder:
        folder.write('disk.img', b'\0' * 65536)
        folder.write('scenario.lua', script)
        done = folder.fltvm('explore', '--runs', '4', '-j', '1', '--strategy', 'seeds', 'scenario.lua')
        expect(done, 4, 'could not be judged', 'disk.img has changed since the script came to machine:checkpoint(): explore again')


if __name__ == '__main__':
    sys.exit(main())
