# SPDX-License-Identifier: GPL-2.0-or-later
"""The speed of the host's disk is not seen in the guest: slowdisk.py FLTVM.

One seed, one scenario, host disks of different latency up to a thousand times the model's service time: one trace.
"""
import os
import re
import subprocess
import sys
import time

from machine import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
LATENCIES = [0, 1000, 300_000, 5_000_000, 20_000_000]
fltvm = sys.argv[1]
tap = Tap()


def run(latency):
    """The trace's hash, or what went wrong; and the seconds it took."""
    begin = time.monotonic()
    result = subprocess.run([fltvm, 'run', '--verbose', '--seed', '11', os.path.join(HERE, 'slowdisk.lua')],
                            env=dict(os.environ, FLTVM_TEST_LATENCY=str(latency)), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    output = result.stdout.decode(errors='replace')
    found = re.search(r'trace[^\n]*?\b([0-9a-f]{16,})\b', output)
    ok = result.returncode == 0 and found
    return found.group(1) if ok else f'exit status {result.returncode}: {output}', time.monotonic() - begin


def main():
    runs = [run(latency) for latency in LATENCIES]
    reference = runs[0][0]
    tap.check(re.fullmatch(r'[0-9a-f]+', reference) is not None, 'the scenario runs and its trace has a hash', reference)
    for latency, (trace, _) in zip(LATENCIES[1:], runs[1:]):
        tap.check(trace == reference, f'a disk with {latency} ns gives the same trace', trace)
    # The canary: the latency did reach the disk.
    tap.check(runs[-1][1] > runs[0][1] + 0.2, 'the slowest disk was slow',
              f'{runs[-1][1]:.2f} s against {runs[0][1]:.2f} s')
    return tap.done()


sys.exit(main())
