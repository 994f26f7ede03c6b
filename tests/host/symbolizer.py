#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Names in reports: llvm-symbolizer is started once for all machines of a run, anew where it must, and never waited for long.

A program of the same name stands before it in PATH and notes each start.  Machines are real ones.
"""
import os
import re
import shutil
import stat
import subprocess
import sys

from command import FLTVM, Folder, expect
from tap import case, check, equal, main

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REAL = shutil.which('llvm-symbolizer-19') or shutil.which('llvm-symbolizer')
CRASH = '''
#include <ntddk.h>
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}
'''
CRASHES = '''
for i = 1, 4 do
  local vm = fltvm.machine{}
  expect_bugcheck{ code = 0xE2, function() vm:load{ source = "driver.c" } end }
end
'''


def put_before(folder, body):
    os.mkdir(folder.file('bin'))
    program = folder.write('bin/llvm-symbolizer-19', f'#!/bin/sh\necho started >> "{folder.path}/starts"\n{body}\n')
    os.chmod(program, stat.S_IRWXU)
    folder.environment['PATH'] = folder.file('bin') + ':' + os.environ['PATH']


def starts(folder):
    return folder.read('starts').count(b'started')


@case
def one_is_started_for_all_machines_of_a_run():
    with Folder() as folder:
        put_before(folder, f'exec {REAL} "$@"')
        folder.write('driver.c', CRASH)
        done = folder.scenario(CRASHES)
        expect(done, 0, 'passed, 4 checks')
        equal(len(re.findall(r'#1 +driver!DriverEntry \(\S*driver\.c:5\)', done.all)), 4, f'stacks with names: {done.all}')
        equal(starts(folder), 1, 'starts')
        equal(folder.left(), [], 'what is left')


@case
def one_that_ends_is_started_again():
    with Folder() as folder:
        # It answers the first report and is gone before the second.
        put_before(folder, f'test -e "{folder.path}/again" && exec {REAL} "$@"\ntouch "{folder.path}/again"\n'
                           f'exec timeout 1 {REAL} "$@"')
        folder.write('driver.c', CRASH)
        done = folder.scenario(CRASHES.replace('local vm', 'if i == 2 then os.execute("sleep 2") end local vm'))
        expect(done, 0, 'passed, 4 checks')
        equal(len(re.findall(r'driver!DriverEntry \(\S*driver\.c:5\)', done.all)) >= 4, True, done.all)
        equal(starts(folder), 2, 'starts')


@case
def without_one_addresses_stay():
    for body in ('exit 1', 'exec sleep 1000', 'echo "??"', 'exec head -c 100000 /dev/zero'):
        with Folder() as folder:
            put_before(folder, body)
            folder.write('driver.c', CRASH)
            done = folder.scenario(CRASHES.replace('1, 4', '1, 1'))
            expect(done, 0, 'passed, 1 check')
            check(re.search(r'driver\+0x[0-9a-f]+', done.all) and 'driver.c:' not in done.all, done.all)
            check(done.seconds < 40, f'{done.seconds} s')
            equal(folder.left(), [], 'what is left')


INLINED = '''
#include <ntddk.h>
static PVOID Block;
static __forceinline VOID Inner(VOID)
{
    Block = ExAllocatePoolWithTag(NonPagedPoolNx, 8, 'tseT');
    DbgPrint("%p", Block);
}
static __forceinline VOID Crash(VOID)
{
    KeBugCheckEx(0xE2, 1, 2, 3, 4);
}
static VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
#ifdef CRASH
    Crash();
#endif
}
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    Driver->DriverUnload = Unload;
    Inner();
    return STATUS_SUCCESS;
}
'''


@case
def calls_that_are_inlined_stand_in_the_column_of_the_first():
    with Folder() as folder:
        folder.write('driver.c', INLINED)
        run = 'local vm = fltvm.machine{} expect_bugcheck{ code = %s, function() vm:load{ source = "driver.c", flags = { %s } }:unload() end }'
        stack = folder.scenario(run % ('0xE2', '"-DCRASH"'))
        expect(stack, 0)
        frame = re.search(r'^( +#1 +)driver!Crash \(\S*driver\.c:11\) \[inlined\]\n( +)driver!Unload \(\S*driver\.c:16\)$', stack.all, re.M)
        check(frame and len(frame[1]) == len(frame[2]), stack.all)
        field = folder.scenario(run % ('0xC4', ''))
        expect(field, 0)
        # A list of addresses: each is named, and each line stands where the first does.
        listed = re.search(r'^( +allocated-by +)(driver!Inner .*\n(?: +\w+!\S+ \(\S+:\d+\)(?: \[inlined\])?\n)+)', field.all, re.M)
        check(listed, field.all)
        first, *lines = listed[2].splitlines()
        equal({len(line) - len(line.lstrip()) for line in lines}, {len(listed[1])}, f'columns of {listed[2]}')
        text = [re.sub(r'\(\S*/', '(', line.strip()) for line in (first, *lines)]
        equal(text[:2], ['driver!Inner (driver.c:6) [inlined]', 'driver!DriverEntry (driver.c:22)'], 'whose line it is')
        check('0x' not in listed[2] and len(lines) > 6, listed[2])


@case
def a_file_that_changes_between_machines_is_read_again():
    with Folder() as folder:
        put_before(folder, f'exec {REAL} "$@"')
        for number, lines in ((1, ''), (2, '\n' * 20)):
            folder.write('driver.c', lines + CRASH)
            subprocess.run([os.path.join(ROOT, 'fltvm'), 'cc', '-o', f'{number}.sys', 'driver.c'], cwd=folder.path, check=True,
                           env=dict(os.environ, FLTVM_BUILD=os.path.dirname(os.path.dirname(FLTVM))))
        done = folder.scenario('''
            for i = 1, 2 do
              os.execute("cp " .. i .. ".sys driver.sys")
              local vm = fltvm.machine{}
              expect_bugcheck{ code = 0xE2, line = ({ "driver.c:5", "driver.c:25" })[i], function() vm:load{ image = "driver.sys" } end }
            end''')
        expect(done, 0, 'passed, 2 checks')


if __name__ == '__main__':
    sys.exit(main())
