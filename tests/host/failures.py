#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What must not pass does not: runs in which every check of the script's own holds, and yet something went wrong.

Machines are real ones.
"""
import sys

from command import Folder, expect, says_not
import tap
from tap import case, equal

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


@case
def a_work_routine_that_never_returns_fails_the_run():
    for queue in ('CriticalWorkQueue', 'DelayedWorkQueue'):
        expect(stuck('WaitsForEver', queue), 1, 'ok: loaded', 'FAILED: every work routine has returned at the end', '10 s later',
               'driver!WaitsForEver')


@case
def a_work_routine_that_returns_in_time_does_not():
    expect(stuck('TakesLong'), 0, 'passed, 1 check')


@case
def without_the_verifier_it_is_the_drivers_affair():
    expect(stuck('WaitsForEver', machine='fltvm.machine{ options = { verifier = "0" } }'), 0, 'passed, 1 check')


@case
def a_device_that_does_not_start_fails_the_run():
    done = run('fltvm.machine{ disks = { { size = "1M", device = { ["queue-depth"] = 2 } } } }:start() expect(true, "up")')
    expect(done, 1, 'FAILED: PCI device', 'could not start it, 0xC0000182', 'ok: up')


sys.exit(tap.main())
