# SPDX-License-Identifier: GPL-2.0-or-later
"""What processors still know of a page that is mapped elsewhere, on QEMU alone: a function of the seed, not of the host's time.

Usage: translations.py QEMU BARE.ELF
"""
import os
import signal
import sys
import threading
import time

from machine import Bare, Tap

qemu = os.environ.get('FLTVM_QEMU', sys.argv[1])
kernel = sys.argv[2]
tap = Tap()


def run(seed, stopped):
    """The guest's line; with QEMU stopped now and then for longer than its TLBs take the host's time to decide."""
    bare = Bare(qemu, kernel, 'translations', cpus=2, seed=seed)

    def stop():
        while bare.process.poll() is None:
            for number, seconds in ((signal.SIGSTOP, 0.15), (signal.SIGCONT, 0.03)):
                try:
                    os.kill(bare.process.pid, number)
                except ProcessLookupError:
                    return
                time.sleep(seconds)

    if stopped:
        threading.Thread(target=stop, daemon=True).start()
    return bare.finish().split()


for number in (1, 2):
    plain = run(number, False)
    tap.check(len(plain) == 3 and int(plain[0], 16) == 1, f'seed {number}: the guest tells what it saw', plain)
    tap.check(len(plain) == 3 and int(plain[1], 16) == 2, f'seed {number}: INVLPG reaches the other processor', plain)
    for again in (1, 2, 3):
        tap.check(run(number, True) == plain, f'seed {number}: the same when QEMU is stopped now and then, {again}', plain)
sys.exit(tap.done())
