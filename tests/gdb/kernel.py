# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by the gdb of `fltvm gdb debuggee.lua`: everything docs/manual/gdb.md promises.  TAP, lines marked "@tap "."""
import os
import re

import gdb

count = 0


def tap(line):
    os.write(1, f'\n@tap {line}\n'.encode())  # in one piece: the scenario's account shares the output


def check(good, name, why=''):
    global count
    count += 1
    tap(f'{"ok" if good else "not ok"} {count} {name}')
    if not good:
        for line in str(why).splitlines():
            tap(f'# {line}')


def run(command):
    try:
        return gdb.execute(command, to_string=True)
    except gdb.error as error:
        return f'error: {error}'


def function():
    return gdb.selected_frame().name() or hex(gdb.selected_frame().pc())


def stack():
    frame, names = gdb.newest_frame(), []
    while frame is not None and frame.is_valid() and len(names) < 40:
        names.append(frame.name() or hex(frame.pc()))
        frame = frame.older()
    return names


def steady(steps):
    """Step; the frames above the function stay what they were until it returns."""
    start = gdb.selected_frame()
    level = len(stack())
    callers = stack()[1:]
    for _ in range(steps):
        run('stepi')
        names = stack()
        if len(names) < level:
            return True
        if names[-len(callers):] != callers:
            return f'{names} does not end in {callers}'
    return start is not None


def main():
    for setting in ('pagination off', 'confirm off', 'height 0', 'width 0'):
        gdb.execute('set ' + setting)
    check(function() == 'KiSystemStartup', "gdb stops at the kernel's first instruction", function())
    modules = run('fltvm modules')
    check('ntoskrnl.exe' in modules and 'no symbols' not in modules, 'the kernel has symbols at once', modules)

    pending = run('break DebuggeeWorkRoutine')
    check('pending' in pending, 'a breakpoint in a driver that is not loaded yet is pending', pending)
    run('break DebuggeePostRead')
    run('break DebuggeePreRead')

    run('continue')
    check(function() == 'DebuggeePreRead', 'the breakpoint is hit once the driver is there', stack())
    check(int(gdb.parse_and_eval('$cr8')) <= 1, 'a pre-read callback runs below DISPATCH_LEVEL', run('fltvm irql'))
    names = stack()
    check(any(name.startswith('Fltp') for name in names) and any(name.startswith('Iop') or name.startswith('Iof') or
                                                                 name.startswith('Nt') for name in names),
          'its backtrace leads through fltmgr to the I/O manager', names)
    modules = run('fltvm modules')
    check(re.search(r'fltmgr\.sys.*fltmgr\.sys', modules) and re.search(r'debuggee\S*\s.*debuggee', modules),
          'fltvm modules shows fltmgr and the driver with their symbols', modules)
    steps = steady(25)
    check(steps is True, 'the backtrace holds at every single step', steps)
    filters, instances = run('fltvm filters'), run('fltvm instances')
    check('debuggee' in filters and '320000' in filters, 'fltvm filters shows the filter', filters)
    check('debuggee' in instances and 'HarddiskVolume1' in instances, 'fltvm instances shows its instance', instances)
    volumes, operations, data = run('fltvm volumes'), run('fltvm operations'), run('fltvm callbackdata $rcx')
    check('HarddiskVolume1' in volumes and 'device 0x' in volumes and '1 instances' in volumes, 'fltvm volumes shows the volume', volumes)
    check(re.search(r'IRP_MJ_READ.*\n +\* pre .*320000.*DebuggeePreRead', operations), 'fltvm operations shows the read in its pre-callback',
          operations)
    check('Length = 4096' in data and 'under way' in data and '* pre' in data, 'fltvm callbackdata shows its parameters', data)
    contexts, ports, none = run('fltvm contexts'), run('fltvm ports'), run('fltvm contexts nobody')
    check(re.search(r'debuggee: 1 contexts\n.*instance .*1 references, 0 held, set on .*DebuggeeSetup', contexts),
          'fltvm contexts shows the instance\'s', contexts)
    check(none == '', 'and of a filter that is not there none', none)
    check(re.search(r'\\debuggee of debuggee, 0 of 3 connections', ports), 'fltvm ports shows the port', ports)
    check(run('fltvm names') == '', 'fltvm names shows that none is kept')
    wrong = run('fltvm callbackdata $rsp')
    check('no callback data' in wrong, 'what is none is told', wrong)

    run('continue')
    check(function() == 'DebuggeePostRead', 'then comes the post-read callback', stack())
    operations = run('fltvm operations')
    check(re.search(r'IRP_MJ_READ.*post.*\n +\* post .*DebuggeePostRead', operations) and 'has returned' not in operations,
          'fltvm operations follows it', operations)
    irql = int(gdb.parse_and_eval('$cr8'))
    shown = run('fltvm irql')
    check(re.search(rf'^\* CPU \d+ +IRQL +{irql} ', shown, re.MULTILINE), 'fltvm irql shows $cr8', shown)
    check(len(re.findall(r'^. CPU \d', shown, re.MULTILINE)) == 2, 'fltvm irql shows every CPU', shown)
    backtrace = run('backtrace')
    check(re.search(r'debuggee\.c:\d+', backtrace) and re.search(r'completion?\.c:\d+|complete\.c:\d+|fltmgr', backtrace),
          'the backtrace has files and lines', backtrace)

    run('continue')
    check(function() == 'DebuggeeWorkRoutine', 'then the work routine', stack())
    check(int(gdb.parse_and_eval('$cr8')) == 0, 'it runs at PASSIVE_LEVEL', run('fltvm irql'))
    names = stack()
    check('ExpWorkerThread' in names and any(name.startswith('Fltp') for name in names),
          'its backtrace leads through fltmgr to the worker thread', names)
    operations = run('fltvm operations')
    check(re.search(r'IRP_MJ_READ.*\n +\* post .*DebuggeePostRead.*has returned: held by the filter', operations),
          'fltvm operations says that the filter holds the read', operations)
    workitems = run('fltvm workitems')
    check('DelayedWorkQueue' in workitems and 'DebuggeeWorkRoutine' in workitems,
          'fltvm workitems shows the queue and what runs', workitems)
    threads = run('fltvm threads')
    check(re.search(r'^\* .*worker/delayed.*running.*DebuggeeWorkRoutine', threads, re.MULTILINE),
          'fltvm threads shows the worker', threads)
    check(re.search(r'worker/critical.*waiting', threads), 'and threads that wait', threads)
    stacks = run('fltvm stack worker/critical')
    check('KiSwapContext' in stacks and 'ExpWorkerThread' in stacks and 'worker.c:' in stacks,
          'fltvm stack shows a thread that does not run', stacks)
    finish = run('finish')
    check(function().startswith('Fltp'), 'finish returns to fltmgr', finish)

    gdb.execute('delete')
    ended = run('continue')
    check(gdb.selected_inferior().pid == 0, 'the scenario ends', ended)
    tap(f'1..{count}')


main()
