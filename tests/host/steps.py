#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--unload, --detach, --dismount, --cancel and --kill N: what is done between two operations of a script, and the strategies of that name.

usage: steps.py FLTVM QEMU-FOLDER FAKE-QEMU
"""
import json
import os
import sys

from command import Folder, expect, says_not
from tap import case, check, equal, main

HERE = os.path.dirname(os.path.abspath(__file__))
# The operations: loading, opening, each read, each wait, closing, unloading.  The kernel's: there is no process to kill.
SCRIPT = '''
local vm = fltvm.machine{ cpus = 1, disks = { { size = "1M" } } }
local filter = vm:load{ source = [[SOURCE]], altitude = "370030" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1", { async = true, user = "kernel" })
CHECKPOINT
local first = volume:read_async(0, 4096, { thread = 1 })
local second = volume:read_async(65536, 4096, { thread = 2 })
expect_equal(#first:wait(), 4096, "the first")
expect_equal(#second:wait(), 4096, "the second")
LATER
volume:close()
filter:unload()
'''
PROCESS = '''
local vm = fltvm.machine{ cpus = 1, disks = { { size = "1M" } } }
local reader = vm:process{ name = "reader.exe" }
local volume = reader:open("\\\\Device\\\\HarddiskVolume1")
expect_equal(#volume:read(0, 4096), 4096, "the process reads")
volume:close()
'''


def script(name='upgrade', checkpoint='', later=''):
    text = SCRIPT.replace('SOURCE', os.path.join(HERE, 'planted', name + '.c'))
    return text.replace('CHECKPOINT', checkpoint).replace('LATER', later)


@case
def a_step_acts_before_its_operation_and_the_rest_goes_on():
    with Folder() as folder:
        folder.write('scenario.lua', script(later='note("instances " .. #vm:instances() .. ", filters " .. #vm:filters())'))
        expect(folder.fltvm('run', 'scenario.lua'), 0, 'instances 1, filters 1', 'passed, 2 checks')
        # Behind the second read's beginning: both reads are done, and there is nothing left to unload.
        expect(folder.fltvm('run', '--unload', '5', 'scenario.lua'), 0, 'scenario.lua:8: --unload 5 acts here', 'instances 0, filters 0',
               'the script ends with it', 'STATUS_FLT_FILTER_NOT_FOUND', 'passed, 2 checks')
        expect(folder.fltvm('run', '--detach', '5', 'scenario.lua'), 0, '--detach 5 acts here', 'instances 0, filters 1', 'passed, 2 checks')
        expect(folder.fltvm('run', '--dismount', '3', 'scenario.lua'), 0, '--dismount 3 acts here', 'STATUS_VOLUME_DISMOUNTED')
        # Where there is nothing of the kind yet, or no such operation, the run is as it is.
        for nothing in (('--unload', '1'), ('--detach', '1'), ('--kill', '3'), ('--unload', '99')):
            expect(folder.fltvm('run', *nothing, 'scenario.lua'), 0, 'instances 1, filters 1', 'passed, 2 checks')


@case
def the_same_step_is_the_same_run():
    with Folder() as folder:
        folder.write('scenario.lua', script())
        hashes = {folder.fltvm('run', '--unload', '4', '--verbose', 'scenario.lua').all.split('SHA-256 ')[1][:64] for _ in range(3)}
        equal(len(hashes), 1, 'traces of three runs')
        check(folder.fltvm('run', '--verbose', 'scenario.lua').all.split('SHA-256 ')[1][:64] not in hashes, 'a run without the step is another')


@case
def a_process_ends_between_two_operations():
    with Folder() as folder:
        folder.write('scenario.lua', PROCESS)
        expect(folder.fltvm('run', 'scenario.lua'), 0, 'passed, 1 check')
        done = folder.fltvm('run', '--kill', '4', 'scenario.lua')
        expect(done, 0, '--kill 4 acts here', 'STATUS_PROCESS_IS_TERMINATING')
        says_not(done, 'ok: the process reads')
        done = folder.fltvm('explore', '--strategy', 'kill', '--json', 'found.json', 'scenario.lua')
        expect(done, 0, 'nothing found', ' kill')


@case
def what_is_pending_is_cancelled_and_only_that_is_tried():
    with Folder() as folder:
        folder.write('scenario.lua', script('recall').replace('altitude', 'flags = { "-DMENDED" }, altitude'))
        expect(folder.fltvm('run', 'scenario.lua'), 0, 'passed, 2 checks')
        expect(folder.fltvm('run', '--cancel', '5', 'scenario.lua'), 0, '--cancel 5 acts here', 'STATUS_CANCELLED')
        found = folder.fltvm('explore', '--strategy', 'cancel', '--json', 'found.json', 'scenario.lua', timeout=300)
        expect(found, 0, 'nothing found', 'was answered with an error')
        # Before the second read, and before either wait.
        equal({part['name']: part['runs'] for part in json.loads(folder.read('found.json'))['strategies']}, {'default': 1, 'cancel': 3}, 'runs')
        folder.write('scenario.lua', script('recall'))
        expect(folder.fltvm('explore', '--strategy', 'cancel', 'scenario.lua', timeout=300), 1, 'recall!', 'fltvm run --cancel ')


@case
def what_does_not_hold_any_more_is_no_finding_and_a_bugcheck_is():
    with Folder() as folder:
        # The second check is of a filter that is not there.
        folder.write('scenario.lua', script(later='expect_equal(#vm:filters(), 1, "the filter is there") note("not reached")'))
        done = folder.fltvm('run', '--unload', '5', 'scenario.lua')
        expect(done, 0, 'the check does not hold any more: the filter is there')
        says_not(done, 'FAILED', 'note: not reached')
        expect(folder.fltvm('explore', '--strategy', 'unload,detach,dismount', 'scenario.lua', timeout=600), 0, 'nothing found')
        # One that waits for what is never given back, once its instance goes.
        folder.write('scenario.lua', script('teardown', later='local more = {} for i = 1, 4 do '
                     'more[i] = volume:read_async(i * 4096, 4096, { thread = i }) end for i = 1, 4 do more[i]:wait() end'))
        done = folder.fltvm('explore', '--strategy', 'unload,detach', '--json', 'found.json', 'scenario.lua', timeout=600)
        expect(done, 1, 'teardown!PlantedPreRead')
        command = json.loads(folder.read('found.json'))['findings'][0]['command']
        check(command[2] in ('--unload', '--detach'), command)
        expect(folder.fltvm(*command[1:]), 3, 'teardown!PlantedPreRead')


@case
def from_a_checkpoint_on_the_numbers_begin_again_and_both_ways_are_one():
    with Folder() as folder:
        folder.write('scenario.lua', script(checkpoint='vm:checkpoint()'))
        expect(folder.fltvm('run', '--unload', '+2', 'scenario.lua'), 0, 'scenario.lua:7: --unload 2 acts here')
        done = folder.fltvm('explore', '--strategy', 'unload,detach,dismount', '--verify', '--json', 'found.json', 'scenario.lua', timeout=600)
        expect(done, 0, 'nothing found', 'runs from the checkpoint on are the same from their beginning')
        parts = {part['name']: part['runs'] for part in json.loads(folder.read('found.json'))['strategies']}
        equal(parts, {'default': 1, 'unload': 7, 'detach': 7, 'dismount': 4}, 'runs')


@case
def wrong_numbers_are_refused():
    with Folder() as folder:
        folder.write('scenario.lua', 'expect(true)')
        for option in ('--unload', '--detach', '--dismount', '--cancel', '--kill'):
            for wrong in ('0', 'x', '-1', '1:2', ''):
                expect(folder.fltvm('run', f'{option}={wrong}', 'scenario.lua'), 2, f"{option}: '{wrong}' is not a number from 1 on")


if __name__ == '__main__':
    sys.exit(main())
