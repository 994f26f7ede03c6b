# SPDX-License-Identifier: GPL-2.0-or-later
"""A seed is a schedule, on QEMU alone: the bare guest's four CPUs race, idle and interrupt each other.

Usage: schedule.py QEMU BARE.ELF.  The canary is that 50 seeds give other hashes: a guest whose hash no longer
saw the schedule would be the same under all of them.
"""
import os
import random
import re
import subprocess
import sys
import tempfile
import time

from machine import Bare, Tap

RUNS = 50
REFUSED = (('shift=0,sched-max=100', 'sched-max needs sched-seed'),
           ('sched-seed=1', 'sched-seed needs shift'),
           ('shift=0,sched-seed=1,sched-max=0', 'sched-max must be'),
           ('shift=auto,sched-seed=1', 'sched-seed and shift=auto are incompatible'),
           ('shift=0,sched-seed=1,rr=record,rrfile=/dev/null', 'sched-seed and rr are incompatible'))
qemu = os.environ.get('FLTVM_QEMU', sys.argv[1])
kernel = sys.argv[2]
tap = Tap()


def run(seed, **keywords):
    return Bare(qemu, kernel, 'schedule', seed=seed, **keywords).finish()


def same(results, wanted, name):
    wrong = [result for result in results if result != wanted]
    tap.check(not wrong, name, f'wanted {wanted}, {len(wrong)} of {len(results)} differ: {wrong[:3]}')


def stopped_by_monitor(seed, pause):
    """The run with as many stop and cont as it takes."""
    machine = Bare(qemu, kernel, 'schedule', seed=seed, monitor=True)
    machine.execute('cont')
    stops = 0
    while machine.process.poll() is None:
        if machine.execute('stop') is None or machine.execute('cont') is None:
            break
        stops += 1
        time.sleep(random.random() * pause)
    return machine.finish(), stops


def saved_to(machine, state):
    """Write the VM state; False when the machine ends meanwhile."""
    if machine.execute('migrate', uri='file:' + state) is None:
        return False
    while (answer := machine.execute('query-migrate')) is not None:
        if answer.get('status') in ('completed', 'failed'):
            return answer['status'] == 'completed'
        time.sleep(0.005)
    return False


def continued_elsewhere(seed, directory):
    """Half of the run in one QEMU, the other half in another, through the VM state in a file."""
    state = os.path.join(directory, 'state')
    pause = 0.02 + random.random() * 0.03
    while True:
        first = Bare(qemu, kernel, 'schedule', seed=seed, monitor=True)
        first.execute('cont')
        time.sleep(pause)
        saved = first.execute('stop') is not None and saved_to(first, state)
        first.execute('quit')
        half = first.finish()
        if saved:
            break
        pause /= 2  # a fast machine: it was over before, or asked to be just then
    second = Bare(qemu, kernel, 'schedule', '-incoming', 'file:' + state, seed=seed, monitor=True)
    while (answer := second.execute('query-status')) and answer['status'] == 'inmigrate':
        time.sleep(0.005)
    second.execute('cont')
    return half, second.finish()


def stopped_by_gdb(seed, directory):
    path = os.path.join(directory, 'gdb.sock')
    machine = Bare(qemu, kernel, 'schedule', '-S', '-chardev', f'socket,path={path},server=on,wait=off,id=gdb',
                   '-gdb', 'chardev:gdb', seed=seed)
    while not os.path.exists(path):
        time.sleep(0.005)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'gdbstops.py')
    gdb = subprocess.run(['gdb', '-nx', '-batch', '-x', script],
                         env=dict(os.environ, BARE_ELF=kernel, BARE_SOCKET=path), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    output = gdb.stdout.decode(errors='replace')
    stops = re.search(r'^stops (\d+)$', output, re.MULTILINE)
    return machine.finish(), int(stops.group(1)) if stops else 0, output


def main():
    reference = run(7)
    tap.check(len(reference.split()) == 3, 'the guest reports a hash', reference)

    same([run(7) for _ in range(RUNS)], reference, f'{RUNS} runs of one seed are the same')

    burners = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(2 * os.cpu_count())]
    try:
        same([run(7) for _ in range(RUNS)], reference, f'{RUNS} runs of one seed under load on the host are the same')
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()

    same([run(7, icount='sleep=on') for _ in range(5)], reference, 'idle time that takes real time changes nothing')

    results = [stopped_by_monitor(7, 0.002 * (i % 2)) for i in range(6)]
    same([result for result, _ in results], reference, 'stop and cont change nothing')
    tap.check(sum(stops for _, stops in results) >= 50, 'the monitor did stop the machine',
              [stops for _, stops in results])

    with tempfile.TemporaryDirectory() as directory:
        results = [continued_elsewhere(7, directory) for _ in range(4)]
        same([whole for _, whole in results], reference, 'a run continued from its VM state is the same run')
        tap.check(any(not half for half, _ in results), 'a run was saved before its end')

        if subprocess.run(['gdb', '--version'], capture_output=True).returncode == 0:
            result, stops, output = stopped_by_gdb(7, directory)
            same([result], reference, 'breakpoints, watchpoints and steps change nothing')
            tap.check(stops >= 100, 'gdb did stop the machine', output)
        else:
            tap.skip('breakpoints, watchpoints and steps change nothing', 'no gdb')

    seeds = {run(seed) for seed in range(RUNS)}
    tap.check(len(seeds) >= RUNS * 9 // 10, f'{RUNS} seeds give other schedules', f'{len(seeds)} different')
    tap.check(run(7, sched_max=100) != reference, 'the longest slice is part of the schedule')
    for options, message in REFUSED:
        result = subprocess.run([qemu, '-M', 'none', '-nodefaults', '-display', 'none', '-icount', options],
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        tap.check(result.returncode == 1 and message in result.stderr.decode(), f'-icount {options} is refused',
                  result.stderr.decode())
    one = {Bare(qemu, kernel, 'exit', seed=seed, cpus=1).finish() for seed in (1, 2)}
    tap.check(one == {''}, 'one CPU runs under a seed', one)
    return tap.done()


sys.exit(main())
