#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not pass does not: runs in which every check of the script's own holds, and yet something went wrong.

Machines are real ones.
"""
import os
import subprocess
import sys

from command import Folder, expect, says_not
import tap
from tap import case, check

STUCK = '''
#include <ntddk.h>
static WORK_QUEUE_ITEM Item;
static KEVENT Event;
static VOID NTAPI WaitsForEver(PVOID Context) { KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL); }
static VOID NTAPI TakesLong(PVOID Context)
{
    LARGE_INTEGER Time = {.QuadPart = -3 * 10000000ll};
    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, ROUTINE, NULL);
    ExQueueWorkItem(&Item, QUEUE);
    return STATUS_SUCCESS;
}
'''


def run(text, *options, driver=None):
    with Folder() as folder:
        if driver:
            folder.write('driver.c', driver)
        return folder.scenario(text, *options)


def stuck(routine, queue='DelayedWorkQueue', machine=''):
    return run(f'{machine} machine:load{{ source = "driver.c", flags = {{ "-DROUTINE={routine}", "-DQUEUE={queue}" }} }} '
               'expect(true, "loaded")', driver=STUCK)


HOLDS = '''
#include <ntddk.h>
static volatile BOOLEAN Held;
static VOID NTAPI Holds(PVOID Context)
{
    KIRQL Old;
    KeRaiseIrql(DISPATCH_LEVEL, &Old);
    Held = TRUE;
    for (;;)
        YieldProcessor();
}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    HANDLE Thread;
    PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Holds, NULL);
    ZwClose(Thread);
    while (!Held)
        YieldProcessor();
    return STATUS_SUCCESS;
}
'''


SAYS = '''
#include <ntddk.h>
#include "word.h"
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) { DbgPrint("it says " WORD "\\n"); return STATUS_SUCCESS; }
'''


@case
def what_has_changed_is_compiled_again():
    for name in ('plain', 'with blank', '#hash', 'a # b', '$HOME', 'a\'b"c', 'x%y'):
        with Folder() as folder:
            os.mkdir(folder.file(name))
            folder.write(f'{name}/driver.c', SAYS)
            for word in ('one', 'two'):
                folder.write(f'{name}/word.h', f'#define WORD "{word}"\n')
                expect(folder.scenario(f'machine:load{{ source = [[{name}/driver.c]] }} expect(true)'), 0, f'it says {word}')


@case
def a_work_routine_that_never_returns_fails_the_run():
    for queue in ('CriticalWorkQueue', 'DelayedWorkQueue'):
        expect(stuck('WaitsForEver', queue), 1, 'ok: loaded', 'FAILED: every work routine has returned at the end', '10 s later',
               'driver!WaitsForEver')


@case
def a_work_routine_that_returns_in_time_does_not():
    expect(stuck('TakesLong'), 0, 'passed, 1 check')


@case
def a_processor_that_a_driver_holds_fails_the_run():
    for processors in (2, 4):
        expect(run(f'fltvm.machine{{ cpus = {processors} }}:load{{ source = "driver.c" }} expect(true, "loaded")', driver=HOLDS), 3,
               'ok: loaded', 'bugcheck 0x133', 'blamed: driver.sys, driver!Holds (', 'driver.c:9)')


@case
def without_the_verifier_it_is_the_drivers_affair():
    expect(stuck('WaitsForEver', machine='fltvm.machine{ options = { verifier = "0" } }'), 0, 'passed, 1 check')


@case
def a_device_that_does_not_start_fails_the_run():
    done = run('fltvm.machine{ disks = { { size = "1M", device = { ["queue-depth"] = 2 } } } }:start() expect(true, "up")')
    expect(done, 1, 'FAILED: PCI device', 'could not start it, 0xC0000182', 'ok: up')


HANG = '''
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
vm:fault{ op = "read", action = "never" }
'''


@case
def a_hang_can_be_expected():
    done = run(HANG + 'local hang = expect_hang{ operation = "reading", text = "KeWaitForSingleObject", what = "the read hangs", '
               'function() volume:read(0, 512, { timeout = 50 }) end } '
               'expect_equal(hang.timeout, 50.0) expect(#hang.stacks > 100) expect_equal(vm:state(), "dead") '
               'fltvm.machine{}:start() expect(true, "another")')
    expect(done, 0, 'ok: the read hangs', 'reading 512 bytes at 0: not done after 50.0 ms', 'stacks of all threads', 'passed, 5 checks')
    expect(run(HANG + 'expect_hang{ quiet = true, function() volume:read(0, 512, { timeout = 50 }) end } vm:start()'), 2,
           'the machine is dead: it hung earlier')
    says_not(run(HANG + 'expect_hang{ quiet = true, function() volume:read(0, 512, { timeout = 50 }) end }'), 'stacks of all')
    expect(run(HANG + 'expect_hang{ operation = "writing", function() volume:read(0, 512, { timeout = 50 }) end }'), 1,
           "what is not done is 'reading 512 bytes at 0', expected 'writing'")
    expect(run(HANG + 'expect_hang{ text = "no such routine", function() volume:read(0, 512, { timeout = 50 }) end }'), 1,
           'the stacks do not say')
    expect(run(HANG + 'expect_hang{ function() vm:sleep(1) end }'), 1, 'the guest did not hang')
    expect(run(HANG + 'pcall(volume.read, volume, 0, 512, { timeout = 50 }) expect(true)'), 4, 'not done after 50.0 ms')


MISSING = '''
#include <ntddk.h>
__declspec(dllimport) VOID NTAPI ExNoSuchRoutine(VOID);
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) { ExNoSuchRoutine(); return STATUS_SUCCESS; }
'''

NOT_BUILT = '''
#include <ntddk.h>
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) { return IoWMIWriteEvent(NULL); }
'''

THERE = '''
#include <ntddk.h>
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) { KeStallExecutionProcessor(1); return STATUS_SUCCESS; }
'''
CC = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../sdk/toolchain/cc')


@case
def a_routine_that_is_not_built_is_named_with_the_list():
    done = run('machine:load{ source = "driver.c" }', driver=MISSING)
    expect(done, 2, 'undefined symbol', 'ExNoSuchRoutine: not in the documented interface')
    done = run('machine:load{ source = "driver.c" }', driver=NOT_BUILT)
    expect(done, 2, 'undefined symbol', 'IoWMIWriteEvent: documented', 'not built in fltvm yet', 'ddi-status.md')
    with Folder() as folder:
        # The same as an image: one that imports a routine which is there, and is renamed in it.
        folder.write('driver.c', THERE)
        subprocess.run([CC, '-o', folder.file('made.sys'), folder.file('driver.c')], check=True)
        image = folder.read('made.sys')
        check(image.count(b'KeStallExecutionProcessor\0'), 'the import')
        folder.write('made.sys', image.replace(b'KeStallExecutionProcessor\0', b'KeStallExecutionProcessoR\0'))
        done = folder.scenario('machine:load{ image = "made.sys" }')
        expect(done, 2, 'imports what is not there: ntoskrnl.exe!KeStallExecutionProcessoR', 'not built in fltvm', 'ddi-status.md')


sys.exit(tap.main())
