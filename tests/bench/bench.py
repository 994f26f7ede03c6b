# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures that the project watches, with their aims: bench.py FLTVM QEMU BARE.ELF [RUNS].

Start to exit of an empty scenario, against a bare PVH guest that exits at once on the same QEMU, in turns; what a run from a
checkpoint takes, and what putting a machine back takes by the pages that were written; then the guest instructions of a generic work item and of a 4 KiB read (cost.lua), of taking and giving back (pairs.lua)
beside Linux's, and of system calls, processes and access checks (users.lua).  TAP: an aim missed is "not ok".
"""
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../determinism'))
from machine import Tap, firmware_directory  # noqa: E402

fltvm, qemu, bare = sys.argv[1:4]
qemu = os.environ.get('FLTVM_QEMU', qemu)
runs = int(sys.argv[4]) if len(sys.argv) > 4 else 30
tap = Tap()


def aim(value, limit, name, unit=''):
    if value is None:
        tap.check(False, f'{name}: no figure')
    else:
        tap.check(value < limit, f'{name}: {value:.4g}{unit} (aim: under {limit:g}{unit})')


def at_most(value, limit, name):
    if limit is None:
        tap.check(value is not None, f'{name}: {value} instructions')
        return
    tap.check(value is not None and value <= limit, f'{name}: {value} instructions (aim: at most {limit})')


def milliseconds(command):
    before = time.perf_counter()
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        raise RuntimeError(f'{command[0]} exited with {result.returncode}: {result.stdout.decode(errors="replace")}')
    return (time.perf_counter() - before) * 1000


def start_to_exit():
    empty = [fltvm, 'run', os.path.join(HERE, 'empty.lua')]
    # The floor: fltvm's own machine, with nothing in the guest.
    floor = [qemu, '-M', 'microvm,x-option-roms=off,acpi=on,pcie=on,pit=off,pic=off,rtc=off,isa-serial=off,'
             'auto-kernel-cmdline=off', '-L', firmware_directory(qemu), '-bios', 'qboot.rom', '-kernel', bare,
             '-append', 'exit', '-nodefaults', '-display', 'none', '-m', '32', '-smp', '2', '-accel', 'tcg',
             '-icount', 'shift=0,sleep=off,sched-seed=1', '-cpu', 'max,x-fltvm-pageable=on', '-seed', '1',
             '-rtc', 'base=2020-01-01,clock=vm']
    ours, theirs = [], []
    milliseconds(floor)
    milliseconds(empty)
    for _ in range(runs):
        theirs.append(milliseconds(floor))
        ours.append(milliseconds(empty))
    print(f'# start to exit, median of {runs}: bare guest {statistics.median(theirs):.1f} ms '
          f'(least {min(theirs):.1f}), empty scenario {statistics.median(ours):.1f} ms (least {min(ours):.1f})')
    aim(statistics.median(ours), 100, 'start to exit of an empty scenario', ' ms')
    aim(statistics.median(ours) / statistics.median(theirs), 2, 'the same, by a bare guest\'s')


# Guest instructions of a pair: aim without the verifier, aim with it, and what Linux 6.1 takes for its like on the same
# QEMU, or None.
PAIRS = {'pool': (250, 800, 245), 'lookaside': (56, 400, None), 'resource': (60, 120, 44), 'spin-lock': (31, 40, 31),
         'fast-mutex': (30, 45, 26), 'name-kept': (400, 400, None), 'name-asked': (None, None, None)}


def with_and_without(scenario):
    """({(name, 0 or 1 for the verifier): number}, all that was said) of a scenario that ends well; else of nothing."""
    result = subprocess.run([fltvm, 'run', os.path.join(HERE, scenario)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode(errors='replace')
    found, verifier = {}, None
    for name, value in re.findall(r'bench ([\w-]+) (\d+)', output):
        if name == 'verifier':
            verifier = int(value)
        else:
            found[name, verifier] = int(value)
    return found if result.returncode == 0 else {}, output


def pairs():
    found, output = with_and_without('pairs.lua')
    found = {(name.removesuffix('-pair'), verifier): value / 100 for (name, verifier), value in found.items()}
    tap.check(len(found) == 2 * len(PAIRS), 'the pairs are measured', output)
    print('# pair: without the verifier / with it, instructions; aims; Linux 6.1')
    for name, (off, on, linux) in PAIRS.items():
        print(f'# {name}: {found.get((name, 0))} / {found.get((name, 1))}; {off or "-"} / {on or "-"}; {linux or "-"}')
        at_most(found.get((name, 0)), off, f'{name} pair without the verifier')
        at_most(found.get((name, 1)), on, f'{name} pair with the verifier')


# Guest instructions: limits without the verifier and with it.
USERS = {'system-call': (200, 219), 'open-volume': (10500, 121000), 'user-apc': (2550, 2550),
         'process-switch': (360, 360), 'process': (180000, 180000), 'access-check': (2650, 2650)}


def users():
    found, output = with_and_without('users.lua')
    tap.check(len(found) == 2 * len(USERS), 'calls and processes are measured', output)
    print('# without the verifier / with it, instructions')
    for name, limits in USERS.items():
        print(f'# {name}: {found.get((name, 0))} / {found.get((name, 1))}')
        for verifier, limit in enumerate(limits):
            at_most(found.get((name, verifier)), limit, f'{name} with{"" if verifier else "out"} the verifier')


def growth():
    result = subprocess.run([fltvm, 'run', '--timeout', '500', os.path.join(HERE, 'growth.lua')],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode(errors='replace')
    found = {}
    for name, count, value in re.findall(r'bench ([a-z-]+)-(\d+) (\d+)', output):
        found.setdefault(name, []).append(int(value))
    tap.check(result.returncode == 0 and found, 'growth is measured', output)
    for name, figures in found.items():
        print(f'# {name} among 10, 1,000, 10,000: {", ".join(map(str, figures))}')
        at_most(figures[-1], 1.5 * figures[0], f'{name} among 10,000, against 1.5 times that among 10')


def cost():
    result = subprocess.run([fltvm, 'run', os.path.join(HERE, 'cost.lua')], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode(errors='replace')
    figures, filters = {}, '0'
    for name, value in re.findall(r'bench ([\w-]+) (\d+)', output):
        if name == 'filters':
            filters = value
        else:
            figures[name if name == 'memory' else f'{name} {filters}'] = int(value)
    tap.check(result.returncode == 0, 'the measuring scenario runs', output)
    for name, value in sorted(figures.items()):
        print(f'# {name}: {value}')
    aim(figures.get('workitem 0'), 1287, 'one generic work item', ' instructions')
    none, three = figures.get('read 0'), figures.get('read 3')
    aim(none, 5102, 'one 4 KiB read through no filter', ' instructions')
    aim((three - none) / 3 if none and three else None, 431, 'each filter in its way', ' instructions')
    memory = figures.get('memory')
    aim(memory / 1048576 if memory else None, 16, 'guest memory after boot', ' MiB')


def explored(count, **environment):
    """Processor time, in seconds, of so many runs from a checkpoint, one at a time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([fltvm, 'explore', '-j', '1', '--strategy', 'seeds', '--runs', str(count + 1),
                             os.path.join(HERE, 'checkpoint.lua')], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env=dict(os.environ, **environment))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    tap.check(result.returncode == 0, f'{count} runs from a checkpoint', result.stdout.decode(errors='replace'))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def checkpoint():
    few, many = explored(100), explored(1100)
    print(f'# a run from a checkpoint: {many - few:.2f} ms of processor time, {1000 / (many - few):.0f} a second and processor')
    aim(many - few, 1, 'a run from a checkpoint, open, read through a work item and close', ' ms')
    print('# putting back: pages written in the run, microseconds')
    for pages in (0, 64, 256, 1024):
        with tempfile.TemporaryDirectory() as folder:
            traces = os.path.join(folder, 'traces')
            explored(50, CHECKPOINT_PAGES=str(pages), CHECKPOINT_TRACE=traces)
            with open(traces, encoding='utf-8') as text:
                found = [(int(ns), int(count)) for count, ns in re.findall(r'(\d+) pages in (\d+) ns', text.read())]
        found = found[2:] # the first is put back before it has done anything
        ns, written = statistics.median(ns for ns, _ in found), statistics.median(count for _, count in found)
        print(f'# {written:.0f} pages: {ns / 1000:.0f}')


start_to_exit()
checkpoint()
pairs()
users()
growth()
cost()
sys.exit(tap.done())
