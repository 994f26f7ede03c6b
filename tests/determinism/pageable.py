# SPDX-License-Identifier: GPL-2.0-or-later
"""x-fltvm-pageable, on QEMU alone: the bare guest tests it and speaks TAP itself.

Usage: pageable.py QEMU BARE.ELF
"""
import os
import sys

from machine import Bare, Tap

qemu = os.environ.get('FLTVM_QEMU', sys.argv[1])
kernel = sys.argv[2]
tap = Tap()
ON = ('-cpu', 'qemu64,x-fltvm-pageable=on')


def cases(name, command, *options, **keywords):
    """Count the guest's own results as ours, and miss none."""
    lines = Bare(qemu, kernel, command, *options, cpus=1, **keywords).finish().splitlines()
    plan = [line for line in lines if line.startswith('1..')]
    results = [line for line in lines if line.startswith(('ok ', 'not ok '))]
    tap.check(len(plan) == 1 and len(results) == int(plan[0][3:]), f'{name}: the guest kept its plan', lines)
    for line in results:
        tap.check(line.startswith('ok '), f'{name}: {line.split(" ", 2 if line.startswith("ok") else 3)[-1]}')


cases('on', 'pageable 1', *ON)
cases('on, seeded', 'pageable 1', *ON, seed=3)
cases('on, SMAP-capable CPU', 'pageable 1', '-cpu', 'max,x-fltvm-pageable=on')
cases('off', 'pageable 0', '-cpu', 'qemu64')
sys.exit(tap.done())
