# SPDX-License-Identifier: GPL-2.0-or-later
"""What overlaps on a disk happens in the order in which it was sent, however slow the host writes: overlap.py FLTVM SLOWWRITE.

slowwrite.c, preloaded into QEMU, lets reads overtake writes in the host's kernel; the guest must not see it.
"""
import os
import re
import subprocess
import sys
import tempfile

from machine import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
fltvm, slow = map(os.path.abspath, sys.argv[1:3])
tap = Tap()


def run(preload):
    with tempfile.TemporaryDirectory(prefix='fltvm-overlap-') as folder:
        disk = os.path.join(folder, 'disk.raw')
        with open(disk, 'wb') as image:
            image.truncate(1 << 20)
        slowed = os.path.join(folder, 'slowed')
        result = subprocess.run([fltvm, 'run', '--verbose', '--seed', '5', os.path.join(HERE, 'overlap.lua')],
                                env=dict(os.environ, FLTVM_TEST_DISK=disk, FLTVM_TEST_SLOWED=slowed,
                                         **({'LD_PRELOAD': slow} if preload else {})),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        writes = os.path.getsize(slowed) if os.path.exists(slowed) else 0
        said = result.stdout.decode(errors='replace')
        trace = re.search(r'trace[^\n]*?\b([0-9a-f]{16,})\b', said)
        return result.returncode, trace and trace.group(1), said, writes


plain, slowed = run(False), run(True)
tap.check(plain[0] == 0, 'on a quick disk', plain[2])
tap.check(slowed[0] == 0, 'on a disk that writes slowly', slowed[2])
tap.check(plain[1] and plain[1] == slowed[1], 'the same trace', f'{plain[1]} and {slowed[1]}')
tap.check(slowed[3] > 10 and plain[3] == 0, 'the disk was slow', f'{slowed[3]} and {plain[3]} writes were delayed')
sys.exit(tap.done())
