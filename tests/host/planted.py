#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers with one planted bug each, which hardly shows by itself: fltvm explore finds them, on every schedule.

usage: planted.py FLTVM QEMU-FOLDER FAKE-QEMU
       planted.py FLTVM QEMU-FOLDER FAKE-QEMU --measure RUNS [NAME...]

--measure prints which strategy finds which bug in at most so many runs, and in how many of them, instead.  A bug that the table
says to be found by no strategy stands there as a measure of the next one.
"""
import json
import os
import sys

from command import Folder, expect
from tap import CASES, case, check, equal, main

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIO = '''
local vm = fltvm.machine{ cpus = 2, disks = { { size = "1M" } } }
local filter = vm:load{ source = [[%s]], altitude = "370030" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1", { async = true, user = "kernel" })
local reads = {}
for i = 1, 12 do
  reads[i] = volume:read_async(i * 4096, 4096, { thread = i %% 3 })
end
for _, read in ipairs(reads) do
  expect_equal(#read:wait(), 4096, "a read returns all of its bytes")
end
volume:close()
filter:unload()
'''
# Drivers that another scenario shows: the power fails, and an index counts what is not there.
JOURNAL = '''
local vm = fltvm.machine{ cpus = 1, disks = { { size = "1M", write_cache = true } } }
vm:after_power_cut(function(after)
  local volume = after:open("\\\\Device\\\\HarddiskVolume1", { access = "r" })
  local _, count = string.unpack("<I4I4", volume:read(512 * 1024, 512))
  for i = 0, count - 1 do
    local found = { string.unpack("<I4I4", volume:read(512 * 1025 + i * 512, 512), 1) }
    expect_equal({ found[1], found[2] }, { 0x6c6e726a, i }, "each record that the index counts is there")
  end
  expect(true, "the disk can be read")
end)
local filter = vm:load{ source = [[%s]], altitude = "370030"FLAGS }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1", { access = "rw" })
for i = 1, 3 do
  volume:write(i * 4096, ("x"):rep(512))
end
volume:close()
filter:unload()
expect(true, "written")
'''
SCENARIOS = {'journal': JOURNAL.replace('FLAGS', '')}
STRATEGIES = ('seeds', 'allocations', 'faults', 'calls', 'unload', 'detach', 'dismount', 'cancel', 'mixed', 'power')
# Those that DriverEntry shows.
AT_ONCE = ('halfleak', 'startfail')
# Bug: a strategy that finds it, in how many runs, and a part of what it is called then.  None: luck with seeds.
FOUND = {
    'backward': ('faults', 27, '0x1001 threads wait for each other'),
    'earlyfree': ('mixed', 100, 'earlyfree!PlantedPostRead'),
    'errorleak': ('faults', 27, '0x62 a driver that is unloaded has left'),
    'halfleak': ('allocations', 20, '0x62 a driver that is unloaded has left'),
    'journal': ('power', 20, 'each record that the index counts is there'),
    'inorder': ('faults', 53, 'inorder!PlantedPostRead'),
    'lazyinit': ('calls', 20, '0x62 a driver that is unloaded has left'),
    'lookup': ('calls', 100, 'lookup!PlantedPreRead'),
    'lostwake': ('calls', 100, 'not done after'),
    'nocheck': ('allocations', 24, 'nocheck!PlantedPostRead'),
    'peek': None,
    'recall': ('cancel', 30, 'recall!'),
    'startfail': ('allocations', 20, 'startfail!PlantedStop'),
    'teardown': ('detach', 40, 'teardown!PlantedPreRead'),
    'timeout': ('calls', 100, 'timeout!Work'),
    'timerdpc': None,
    'twice': ('calls', 100, 'twice!Complete'),
    'unloadwork': ('calls', 100, 'unloadwork!Work'),
    'upgrade': ('calls', 100, 'upgrade!PlantedPreRead'),
}


def scenario(folder, name, checkpoint=''):
    text = SCENARIOS.get(name, SCENARIO).replace('local reads = {}', checkpoint + 'local reads = {}')
    folder.write(name + '.lua', text % os.path.join(HERE, 'planted', name + '.c'))
    return name + '.lua'


def explored(folder, name, strategy, runs, checkpoint=''):
    done = folder.fltvm('explore', '--strategy', strategy, '--runs', str(runs), '--json', 'found.json',
                        scenario(folder, name, checkpoint), timeout=3600)
    check(done.returncode in (0, 1), done.all)
    return json.loads(folder.read('found.json'))


@case
def every_planted_bug_stands_in_the_table():
    equal(sorted(FOUND), sorted(file[:-2] for file in os.listdir(os.path.join(HERE, 'planted')) if file.endswith('.c')), 'bugs')


@case
def what_is_flushed_in_the_right_order_passes_each_power_cut():
    with Folder() as folder:
        mended = JOURNAL.replace('FLAGS', ', flags = { "-DMENDED" }') % os.path.join(HERE, 'planted', 'journal.c')
        folder.write('scenario.lua', mended)
        done = folder.fltvm('explore', '--strategy', 'power', 'scenario.lua', timeout=3600)
        # Three times record, flush, index and data, the flush at the end of the system, and five choices of what is lost.
        expect(done, 0, 'nothing found in 66 runs')


def make(name):
    def test():
        with Folder() as folder:
            if FOUND[name]:
                strategy, runs, words = FOUND[name]
                titles = [finding['title'] for finding in explored(folder, name, strategy, runs)['findings']]
                check(any(words in title for title in titles), f'{strategy}, {runs} runs: {titles}')
            else:
                # Whether it shows is luck, and other compilers' code has another.
                done = folder.fltvm('run', scenario(folder, name))
                check(done.returncode in (0, 3) and ('passed, 12 checks' in done.all or f'{name}!' in done.all), done.all)
    test.__name__ = f'{name}_is_found_by_{FOUND[name][0]}' if FOUND[name] else f'{name}_runs'
    CASES.append(test)


def measure(runs, names):
    print(f'{"":12}' + ''.join(f'{strategy:>16}' for strategy in STRATEGIES))
    for name in names or sorted(FOUND):
        line = f'{name:12}'
        for strategy in STRATEGIES:
            if (strategy == 'power') != (name in SCENARIOS):
                line += f'{"":>16}'
                continue
            with Folder() as folder:
                # From behind the loading on, which is the same in all runs, unless it is what shows the bug.
                begins = strategy not in ('calls', 'power') and name not in AT_ONCE
                found = explored(folder, name, strategy, runs, 'vm:checkpoint()\n' if begins else '')
            first = min((finding['order'] for finding in found['findings']), default=None)
            count = sum(finding['count'] for finding in found['findings'])
            line += f'{"-" if first is None else f"{count}, from {first + 1}":>16}'
        print(line, flush=True)
    return 0


for each in FOUND:
    make(each)

if __name__ == '__main__':
    words = sys.argv[4:]
    sys.exit(measure(int(words[1]), words[2:]) if words[:1] == ['--measure'] else main())
