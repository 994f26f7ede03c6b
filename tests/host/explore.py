#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm explore: the engine by scenarios without a machine, whose luck is their seed's; then what a real machine finds."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

from command import FLTVM, Folder, expect, is_text, says_not
from tap import case, check, equal, main

# Of the seeds 1 to 40 some fail one check, some another, the rest none; lucky() is what the script itself finds.
LUCK = '''
local n = math.random(8)
expect(n ~= 3, "it is not three")
expect(n ~= 5, "it is not five")
'''


def explore(text, *options, name='scenario.lua', **settings):
    with Folder() as folder:
        folder.write(name, text)
        return folder.fltvm('explore', *options, name, **settings)


def result(folder, *options, status=1):
    done = folder.fltvm('explore', *options, '--json', 'found.json', 'scenario.lua')
    equal(done.returncode, status, f'exit status of {options}: {done.all}')
    return json.loads(folder.read('found.json'))


@case
def each_fault_is_told_once_with_a_command_that_replays_it():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        done = folder.fltvm('explore', '--runs', '40', 'scenario.lua')
        expect(done, 1, '2 findings in 40 runs: 1 default, 39 seeds', 'check failed: it is not three (scenario.lua:3)',
               'check failed: it is not five (scenario.lua:4)')
        is_text(done.stdout, 'the account')
        equal(done.stderr, b'', 'what a pipe is told of progress')
        commands = re.findall(r'^ +fltvm (run .*)$', done.all, re.M)
        equal(len(commands), 2, 'commands')
        for command, word in zip(commands, re.findall(r'\d\. check failed: (.*) \(', done.all)):
            expect(folder.fltvm(*command.split()), 1, f'FAILED: {word}')
        equal(folder.left(), [], 'what is left')


@case
def the_numbers_are_those_of_plain_runs():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        found = result(folder, '--runs', '20', '-j', '3')
        failed = [seed for seed in range(1, 21) if folder.fltvm('run', '--seed', str(seed), 'scenario.lua').returncode]
        equal(sum(finding['count'] for finding in found['findings']), len(failed), 'runs that fail')
        firsts = sorted(int(finding['command'][3]) for finding in found['findings'])
        equal(firsts[0], failed[0], 'the first seed that fails')
        equal(found['runs'], 20, 'runs')


@case
def how_many_run_at_a_time_changes_nothing():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        results = [result(folder, '--runs', '30', '-j', str(jobs)) for jobs in (1, 4)]
        for found in results:
            del found['milliseconds']
        equal(results[0], results[1], 'with one at a time and with four')


@case
def shards_make_the_whole():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        whole = result(folder, '--runs', '31')
        for shard in '123':
            done = folder.fltvm('explore', '--runs', '31', '--shard', f'{shard}/3', '--json', f'{shard}.json', 'scenario.lua')
            check(done.returncode in (0, 1) and f'(shard {shard} of 3)' in done.all, done.all)
        done = folder.fltvm('explore', '--merge', '--json', 'merged.json', '--junit', 'merged.xml', '3.json', '1.json', '2.json')
        expect(done, 1, 'findings in')
        merged = json.loads(folder.read('merged.json'))
        equal([(f['key'], f['command']) for f in merged['findings']], [(f['key'], f['command']) for f in whole['findings']], 'findings')
        # Each shard begins with the run without a deviation.
        equal(merged['runs'], whole['runs'] + 2, 'runs')
        equal({p['name']: p['runs'] for p in merged['strategies']}, {'default': 3, 'seeds': 30}, 'parts')
        xml.etree.ElementTree.fromstring(folder.read('merged.xml'))
        expect(folder.fltvm('explore', '--merge', '1.json', '3.json'), 1, '1 of 3 shards missing, the first is 2')
        expect(folder.fltvm('explore', '--merge', '1.json', '1.json'), 2, 'shard 1 is there twice')
        folder.write('scenario.lua', 'expect(true, "fine")')
        folder.fltvm('explore', '--runs', '9', '--shard', '1/2', '--json', 'half.json', 'scenario.lua')
        done = folder.fltvm('explore', '--merge', 'half.json')
        expect(done, 4, 'nothing found where it could be judged', '1 of 2 shards missing')
        expect(folder.fltvm('explore', '--merge', 'half.json', '1.json'), 2, '1.json: shard 1 of 3, not of 2')


@case
def a_file_that_is_no_result_is_refused_by_name_and_line():
    with Folder() as folder:
        for text, words in (('', 'line 1: this is no JSON: a value is missing'), ('{}', 'not what fltvm explore --json writes'),
                            ('{"a": [1,\n2', "line 2: this is no JSON: ',' or ']' is missing"), ('[' * 99, 'without end'),
                            ('"\\ud800"', 'an escape that there is not'), ('{"a":1} x', 'something behind the end'),
                            ('{"format": "fltvm explore 1", "scenario": "x", "shard": 1, "shards": 1, "findings": [{}]}', 'finding 1 lacks something'),
                            ('{"format": "fltvm explore 1", "scenario": "x", "shard": 3, "shards": 2}', 'shard 3 of 2')):
            folder.write('a.json', text)
            expect(folder.fltvm('explore', '--merge', 'a.json'), 2, '--merge: a.json: ', words)
        expect(folder.fltvm('explore', '--merge', 'none.json'), 2, 'none.json: there is no such file')
        expect(folder.fltvm('explore', '--merge'), 2, 'no file named')


@case
def what_cannot_be_judged_is_never_nothing_found():
    # The seed's luck is to compute for ever: the host's time is over.
    slow = 'if math.random(4) == 1 then while true do end end expect(true, "fine")'
    done = explore(slow, '--runs', '8', '--timeout', '0.3')
    expect(done, 4, 'nothing found where it could be judged', 'could not be judged. The first: time-out', 'fltvm run --seed')
    with Folder() as folder:
        folder.write('scenario.lua', slow)
        expect(folder.fltvm('explore', '--runs', '8', '--timeout', '0.3', '--junit', 'x.xml', 'scenario.lua'), 4)
        suite = xml.etree.ElementTree.fromstring(folder.read('x.xml'))[0]
        equal((suite.get('failures'), suite.get('errors')), ('0', '1'), 'failures and errors')
    done = explore('local n = math.random(4) expect(n ~= 3, "not three") if n == 1 then while true do end end',
                   '--runs', '8', '--timeout', '0.3')
    expect(done, 1, 'finding', 'could not be judged')


@case
def a_scenario_that_does_not_run_is_not_explored():
    expect(explore('expect('), 2, 'the scenario itself does not run', 'scenario.lua:1')
    expect(explore('expect(true)', name='other.lua', cwd='/'), 2, 'No such file')
    expect(explore('while true do end', '--timeout', '0.2'), 4, 'the scenario itself cannot be judged: time-out')
    expect(explore('expect(true)', '--cpus', '99'), 2, '99 is not between 1 and 8')


@case
def bad_usage_is_told():
    for options, words in ((['--runs', '0'], "--runs: '0' is not a number from 1"), (['--runs', 'x'], "--runs: 'x'"),
                           (['--time', '0'], "--time: '0' is not a number of seconds above 0"), (['--time', '-1'], '--time'),
                           (['--jobs', '-1'], '--jobs: -1'), (['-j', '1000'], '--jobs: 1000'),
                           (['--strategy', 'seed'], "there is no 'seed' (did you mean 'seeds'?)"), (['--strategy', ''], "there is no ''"),
                           (['--strategy', 'seeds,seeds'], 'is there twice'), (['--shard', '0/2'], "--shard: '0/2'"),
                           (['--shard', '3/2'], "--shard: '3/2'"), (['--seed', '-1'], "--seed: '-1'"), (['another.lua'], 'one scenario at a time'),
                           (['--json', 'scenario.lua'], 'scenario.lua would be written over'), (['--output', 'scenario.lua'], '--output'),
                           (['--output', 'no/such/folder'], '--output: no/such/folder'), (['--output', '.'], '.: it is not empty')):
        expect(explore('expect(true)', *options), 2, words)
    with Folder() as folder:
        expect(folder.fltvm('explore'), 2, 'no scenario named')
        expect(folder.fltvm('explore', '--help'), 0, 'Strategies', 'allocations', '--merge')


@case
def findings_get_a_folder_each():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        expect(folder.fltvm('explore', '--runs', '40', '--output', 'out', 'scenario.lua'), 1)
        equal(sorted(os.listdir(folder.file('out'))), ['finding-1', 'finding-2'], 'folders')
        equal(sorted(os.listdir(folder.file('out/finding-1'))), ['command', 'log.txt', 'report.txt'], 'files')
        command = folder.read('out/finding-1/command').decode().split()
        expect(folder.fltvm(*command[1:]), 1, 'FAILED')
        check(b'FAILED' in folder.read('out/finding-1/log.txt'), 'the log')
        check(b'check failed' in folder.read('out/finding-1/report.txt'), 'the report')


@case
def what_cannot_be_written_does_not_hide_what_was_found():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        done = folder.fltvm('explore', '--runs', '20', '--json', '/dev/full', '--junit', 'there.xml', 'scenario.lua')
        expect(done, 4, 'in 20 runs', '--json: /dev/full: No space left on device')
        check(b'failure' in folder.read('there.xml'), 'the other file')


@case
def an_interrupt_keeps_what_was_found():
    with Folder() as folder:
        folder.write('scenario.lua', LUCK)
        process = subprocess.Popen([FLTVM, 'explore', '--time', '600', '--json', 'kept.json', 'scenario.lua'], cwd=folder.path,
                                   env=folder.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        equal(process.returncode, -signal.SIGINT, said)
        check('2 findings in' in said and 'interrupted' in said and 'it is not five' in said, said)
        equal(json.loads(folder.read('kept.json'))['stopped'], 'interrupted', 'why it ended')
        equal(folder.left(), [], 'what is left')


@case
def the_time_bounds_it():
    done = explore(LUCK, '--time', '1')
    expect(done, 1, 'the time is over')
    check(done.seconds < 20, f'{done.seconds} s')


@case
def what_differs_each_time_is_told():
    # Not a function of the seed: a file that each run makes longer.
    done = explore('local f = io.open("count", "a") f:write("x") f:close() f = io.open("count") local n = #f:read("a") '
                   'expect(n ~= 5, "the fifth time")', '--runs', '8', '-j', '1')
    expect(done, 1, 'the fifth time', 'it did not show again with the same choice')


# --- with machines -------------------------------------------------------------------------------------------

LEAK = '''
#include <ntddk.h>
static PVOID First, Second;
static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT Driver) { ExFreePool(First); ExFreePool(Second); }
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    PVOID Extra;
    Driver->DriverUnload = Unload;
    First = ExAllocatePoolWithTag(NonPagedPoolNx, 32, 'tsrF');
    if (First == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Second = ExAllocatePoolWithTag(PagedPool, 64, 'dnoS');
    if (Second == NULL)
        return STATUS_INSUFFICIENT_RESOURCES; /* First stays */
    for (int i = 0; i < 20; i++) {
        Extra = ExAllocatePoolWithTag(NonPagedPoolNx, 16, 'rtxE');
        if (Extra != NULL)
            ExFreePool(Extra);
    }
    return STATUS_SUCCESS;
}
'''
LOAD = 'local driver = machine:load{ source = "leak.c" } driver:unload() expect(true, "unloaded")'


@case
def each_allocation_fails_once_and_a_leak_is_found():
    with Folder() as folder:
        folder.write('leak.c', LEAK)
        folder.write('scenario.lua', LOAD)
        found = result(folder, '--strategy', 'allocations', '--runs', '4')
        equal([(f['count'], f['command'][:4]) for f in found['findings']], [(1, ['fltvm', 'run', '--fail-allocation', '2'])], 'findings')
        check('leak.sys' in found['findings'][0]['key'] and '0x62' in found['findings'][0]['title'], found['findings'][0])
        check('allocation-made-to-fail' in found['findings'][0]['text'], found['findings'][0]['text'])
        # The loop's twenty have one stack: one of them is among the first three.
        equal((found['runs'], found['answered']), (4, 1), 'runs, and those that were answered')
        done = folder.fltvm('run', '--fail-allocation', '1', 'scenario.lua')
        expect(done, 0, "allocation 1 fails, as told: 32 bytes, tag 'Frst'", 'the script ends with it', 'STATUS_INSUFFICIENT_RESOURCES')
        expect(folder.fltvm('run', '--fail-allocation', '3', 'scenario.lua'), 0, "tag 'Extr'", 'ok: unloaded')
        expect(folder.fltvm('run', '--fail-allocation', '23', 'scenario.lua'), 0, 'ok: unloaded')
        for wrong in ('0', '-1', 'x', ''):
            expect(folder.fltvm('run', '--fail-allocation', wrong, 'scenario.lua'), 2, 'is not a number from 1 on')


DISK = '''
local vm = fltvm.machine{ disks = { { size = "1M" }, { size = "1M" } } }
local volume = vm:open("\\\\Device\\\\HarddiskVolume2")
note("injects", fltvm.injects())
local rule = vm:fault{ disk = 1, op = "read", first = 100, last = 100, status = "media_read", count = 1 }
expect_status("STATUS_DEVICE_DATA_ERROR", function() volume:read(100 * 512, 512) end, "the scenario's own rule acts")
expect_equal(vm:fault_hits(rule, 1), 1, "and is counted")
vm:clear_faults(1)
expect_equal(#volume:read(100 * 512, 512), 512, "then no more")
volume:close()
'''


@case
def commands_to_a_disk_fail_beside_the_scenarios_own_rules():
    with Folder() as folder:
        folder.write('scenario.lua', DISK)
        done = folder.fltvm('run', '--json', 'plain.json', '--list-choices', 'scenario.lua')
        expect(done, 0, 'injects nil', 'passed, 3 checks')
        machine = json.loads(folder.read('plain.json'))['machines'][0]
        count = machine['io'].count(1)
        check(count >= 2 and 0 in machine['io'] + [0], machine)
        # The last command is the read that must work; the one before it the scenario makes to fail.
        done = folder.fltvm('run', '--fail-io', f'1:{count}', 'scenario.lua')
        expect(done, 0, f'injects --fail-io 1:{count}', 'ok: and is counted', 'the script ends with it', 'scenario.lua:9')
        expect(folder.fltvm('run', '--delay-io', f'1:{count}', 'scenario.lua'), 0, 'passed, 3 checks')
        expect(folder.fltvm('run', '--fail-io', f'1:{count + 1}', 'scenario.lua'), 0, 'passed, 3 checks')
        for wrong in ('0', '1:0', '64:1', ':1', '1:', '1:2:3', 'x'):
            expect(folder.fltvm('run', '--fail-io', wrong, 'scenario.lua'), 2, 'is neither N nor DISK:N')


ORDER = '''
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
volume:write(0, ("x"):rep(512))
volume:flush()
local made = {}
for name, call in pairs{ flush = function() volume:flush() end, write = function() volume:write(0, ("y"):rep(512)) end } do
  made[#made + 1] = name .. " " .. tostring(pcall(call))
end
note(table.concat(made, ", "))
volume:close()
expect(true, "the end")
'''


@case
def flushes_are_commands_to_a_disk_as_well():
    with Folder() as folder:
        folder.write('scenario.lua', ORDER)
        expect(folder.fltvm('run', '--json', 'plain.json', '--list-choices', 'scenario.lua'), 0, 'flush true, write true')
        count = json.loads(folder.read('plain.json'))['machines'][0]['io'].count(0)
        expect(folder.fltvm('run', '--fail-io', str(count), 'scenario.lua'), 0, 'flush true, write false')
        expect(folder.fltvm('run', '--fail-io', str(count - 1), 'scenario.lua'), 0, 'flush false, write true')
        expect(folder.fltvm('run', '--fail-io', str(count + 1), 'scenario.lua'), 0, 'flush true, write true')


HOLD = '''
#include <ntddk.h>
static DRIVER_UNLOAD Unload;
static VOID NTAPI Unload(PDRIVER_OBJECT Driver) {}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, 32, 'kcoB');
    Driver->DriverUnload = Unload;
    if (Block != NULL)
        ExFreePool(Block);
    else
        ExAllocatePoolWithTag(NonPagedPoolNx, 32, 'kaeL');
    return STATUS_SUCCESS;
}
'''


# Two reads at a time, or one after the other; which of them is done first is told.  The kernel's: a program's threads begin too late.
PAIR = '''
local vm = fltvm.machine{ cpus = 1, disks = { { size = "1M" } } }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1", { async = true, user = "kernel" })
local first = volume:read_async(0, 4096, { thread = 1 })
WAIT
local second = volume:read_async(65536, 4096, { thread = 2 })
while not second:done(1) do end
note("the first is " .. (first:done(0) and "done" or "under way"))
first:wait()
second:wait()
expect(true, "the end")
'''


@case
def what_completes_behind_a_later_command_is_tried_where_there_are_two_at_a_time():
    with Folder() as folder:
        folder.write('scenario.lua', PAIR.replace('WAIT', ''))
        expect(folder.fltvm('run', '--json', 'plain.json', '--list-choices', 'scenario.lua'), 0, 'the first is done')
        machine = json.loads(folder.read('plain.json'))['machines'][0]
        equal(machine['crowded'], [0], 'disks that work on several commands')
        count = len(machine['io'])
        done = folder.fltvm('run', '--reorder-io', str(count - 1), '--trace', 'trace.json', 'scenario.lua')
        expect(done, 0, 'the first is done')
        ends = [event['args']['command'] for event in json.loads(folder.read('trace.json'))['traceEvents'] if event.get('name') == 'HBA_COMPLETE']
        begins = [event['args']['command'] for event in json.loads(folder.read('trace.json'))['traceEvents'] if event.get('name') == 'HBA_SUBMIT']
        equal((begins[-2:], len(ends)), ([ends[-1], ends[-2]], len(begins)), 'the last two complete the other way round')
        found = result(folder, '--strategy', 'faults', status=0)
        equal(found['runs'], 1 + 4 * count, 'each command fails, is late, is torn and is reordered')
        # One after the other: there is nothing to reorder, and no run does so.
        folder.write('scenario.lua', PAIR.replace('WAIT', 'first:wait() first = { done = function() return true end, wait = function() end }'))
        found = result(folder, '--strategy', 'faults', status=0)
        equal(found['runs'], 1 + 3 * count, 'runs of commands one after the other')


@case
def what_the_script_has_loaded_is_unloaded_when_a_failure_ends_it():
    with Folder() as folder:
        folder.write('leak.c', HOLD)
        # The script ends before it would unload: the leak is found all the same.
        folder.write('scenario.lua', 'local driver = machine:load{ source = "leak.c" } '
                     'if fltvm.injects() then machine:open("\\\\Device\\\\None") end driver:unload() expect(true)')
        done = folder.fltvm('run', '--fail-allocation', '1', 'scenario.lua')
        expect(done, 3, 'the script ends with it: ', 'STATUS_OBJECT_NAME_NOT_FOUND', 'leak.sys')
        # Not so where nothing is made to fail.
        expect(folder.fltvm('run', 'scenario.lua'), 0)


# One processor, and threads of one priority: another thread runs only where this one waits, whatever the seed.
RACE = '''
#include <ntddk.h>
static DRIVER_UNLOAD Unload;
static KEVENT Start;
static PULONG Shared;
static PETHREAD Thread;
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}
static VOID NTAPI Other(PVOID Context)
{
    PULONG Block;
    KeWaitForSingleObject(&Start, Executive, KernelMode, FALSE, NULL);
    Block = InterlockedExchangePointer((PVOID *)&Shared, NULL);
    ExFreePoolWithTag(Block, 'erhS');
}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    HANDLE Handle;
    Driver->DriverUnload = Unload;
    KeInitializeEvent(&Start, NotificationEvent, FALSE);
    Shared = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Shared), 'erhS');
    if (Shared == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Other, NULL)))
        return STATUS_INSUFFICIENT_RESOURCES;
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, (PVOID *)&Thread, NULL);
    ZwClose(Handle);
    SET_EVENT
    DbgPrint("%d %d %d %d %d %d %d %d %d %d %I64x\\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ~0ull);
    return STATUS_SUCCESS;
}
'''
CHECKED = 'KeSetEvent(&Start, 0, FALSE); if (Shared != NULL) { KeQueryTimeIncrement(); *Shared = 1; }'
TOUCHED = 'PULONG Mine = Shared; KeSetEvent(&Start, 0, FALSE); *Mine = 1;'
LOAD_RACE = 'local vm = fltvm.machine{ cpus = 1 } local driver = vm:load{ source = "race.c" } driver:unload() expect(true, "unloaded")'


@case
def a_call_comes_late_and_a_race_of_two_calls_is_found():
    with Folder() as folder:
        folder.write('scenario.lua', LOAD_RACE)
        folder.write('race.c', RACE.replace('SET_EVENT', CHECKED))
        equal(result(folder, '--strategy', 'seeds', '--runs', '8', status=0)['findings'], [], 'by seeds alone')
        found = result(folder, '--strategy', 'calls')
        equal(len(found['findings']), 1, found['findings'])
        check('race!DriverEntry' in found['findings'][0]['title'] and 'race.c:31' in found['findings'][0]['title'], found['findings'][0])
        check('call-made-late' in found['findings'][0]['text'] and 'KeQueryTimeIncrement' in found['findings'][0]['text'],
              found['findings'][0]['text'])
        equal(found['findings'][0]['command'][2], '--delay-call', 'the command')
        equal([part['runs'] for part in found['strategies']], [1, found['runs'] - 1], 'runs of the default and of the strategy')
        equal(result(folder, '--strategy', 'calls', '-j', '3')['findings'], found['findings'], 'three at a time')


@case
def a_call_returns_late_and_what_is_touched_behind_it_is_found():
    with Folder() as folder:
        folder.write('scenario.lua', LOAD_RACE)
        folder.write('race.c', RACE.replace('SET_EVENT', TOUCHED))
        found = result(folder, '--strategy', 'calls')
        equal([f['command'][2] for f in found['findings']], ['--delay-return'], found['findings'])
        check(re.search('return-made-late +race!DriverEntry.*\n +late-routine +nt!KeSetEvent', found['findings'][0]['text']), found['findings'][0]['text'])


@case
def a_late_call_gets_what_it_was_given_and_gives_what_it_returns():
    with Folder() as folder:
        folder.write('scenario.lua', LOAD_RACE)
        folder.write('race.c', RACE.replace('SET_EVENT', 'KeSetEvent(&Start, 0, FALSE);'))
        done = folder.fltvm('run', '--delay-call', '0', '--json', 'counted.json', '--list-choices', 'scenario.lua')
        expect(done, 0, '1 2 3 4 5 6 7 8 9 10 ffffffffffffffff', 'passed, 1 check')
        calls = json.loads(folder.read('counted.json'))['machines'][0]['calls']
        equal(sorted(number for number, _ in calls), list(range(1, len(calls) + 1)), 'numbers')
        check(len(calls) > 9, calls)
        for number in range(1, len(calls) + 1):
            for option, word in (('--delay-call', 'comes'), ('--delay-return', 'returns')):
                expect(folder.fltvm('run', option, str(number), 'scenario.lua'), 0, f'call {number} {word} late, as told',
                       '1 2 3 4 5 6 7 8 9 10 ffffffffffffffff', 'passed, 1 check')
        done = folder.fltvm('run', '--delay-call', str(len(calls) + 1), 'scenario.lua')
        expect(done, 0, 'passed, 1 check')
        check('as told' not in done.all, done.all)
        for wrong in ('-1', 'x', '', '1:2'):
            expect(folder.fltvm('run', '--delay-call', wrong, 'scenario.lua'), 2, 'is not a number from 0 on')
        expect(folder.fltvm('run', '--delay-call', '1', '--delay-return', '2', 'scenario.lua'), 2, 'there is another already')
        folder.write('scenario.lua', 'fltvm.machine{ options = { ["delay-call"] = 1 } }')
        expect(folder.fltvm('run', 'scenario.lua'), 2, 'is for the command line (--delay-call)')


@case
def a_run_tells_as_json_what_it_ended_with():
    with Folder() as folder:
        def kind(text, status, *options):
            folder.write('scenario.lua', text)
            done = folder.fltvm('run', '--json', 'out.json', *options, 'scenario.lua')
            equal(done.returncode, status, done.all)
            found = json.loads(folder.read('out.json'))
            equal(found['status'], status, 'status')
            return found['kind'], found['title']
        equal(kind('expect(true)', 0), ('passed', ''), 'passed')
        equal(kind('expect(false, "no")', 1), ('check', 'check failed: no (scenario.lua:1)'), 'check')
        equal(kind('error("bad")', 2), ('script', 'scenario.lua:1: bad'), 'script')
        equal(kind('machine:open("\\\\Device\\\\None")', 2)[0], 'status', 'status')
        equal(kind('while true do end', 4, '--timeout', '0.2')[0], 'host', 'host')
        hang = '''local vm = fltvm.machine{ disks = { { size = "1M" } } } local v = vm:open("\\\\Device\\\\HarddiskVolume1")
                  vm:fault{ op = "read", action = "never" } v:read(0, 512, { timeout = 50 })'''
        what, title = kind(hang, 4)
        check(what == 'hang' and 'reading 512 bytes at 0: not done after 50.0 ms' in title, title)
        folder.write('another.lua', 'expect(true)')
        expect(folder.fltvm('run', '--json', 'out.json', 'scenario.lua', 'another.lua'), 2, 'are for one scenario')
        expect(folder.fltvm('run', '--json', 'scenario.lua', 'scenario.lua'), 2, 'would be written over')


@case
def the_walk_of_the_manual_finds_what_the_manual_says():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    with open(os.path.join(root, 'docs', 'manual', 'explore.md'), encoding='utf-8') as manual:
        command = re.search(r'^    \./fltvm (explore .*flaky\.lua)$', manual.read(), re.M).group(1).split()
    with Folder() as folder:
        os.symlink(os.path.join(root, 'examples'), folder.file('examples'))
        done = folder.fltvm(*command, timeout=600)
        # A race may show at more than one line.
        expect(done, 1, ' findings in 300 runs', 'has left what it allocated: flaky!DriverEntry', 'flaky!FlakyIsIn')
        replays = re.findall(r'^ +fltvm (run .*)$', done.all, re.M)
        check(len(replays) >= 2, replays)
        for words in replays:
            expect(folder.fltvm(*words.split()), 3, 'flaky!')
        mended = folder.file('mended.lua')
        with open(os.path.join(root, 'examples', 'flaky.lua'), encoding='utf-8') as text:
            folder.write('mended.lua', text.read().replace('source = "flaky/flaky.c"', 'source = "examples/flaky/flaky.c", flags = { "-DMENDED" }'))
        expect(folder.fltvm('explore', '--runs', '100', mended, timeout=600), 0, 'nothing found')


if __name__ == '__main__':
    sys.exit(main())
