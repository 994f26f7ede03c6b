# SPDX-License-Identifier: GPL-2.0-or-later
"""The same seed gives the same script: script.py FLTVM.

What Lua leaves to the process (its hash seed, its addresses, its clock) must not decide what a scenario does.
"""
import os
import re
import subprocess
import sys

from machine import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = 8
fltvm = sys.argv[1]
tap = Tap()


def run(seed, number):
    """Output and hash; each run has another environment, hence another stack."""
    result = subprocess.run([fltvm, 'run', '-v', '--seed', str(seed), os.path.join(HERE, 'script.lua')],
                            env=dict(os.environ, PADDING='x' * 37 * number), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    output = result.stdout.decode(errors='replace')
    lines = [line for line in output.splitlines() if not line.startswith('qemu: ')]
    return '\n'.join(lines) if result.returncode == 0 else f'exit status {result.returncode}: {output}'


def main():
    reference = run(17, 0)
    tap.check(re.search(r'SHA-256 [0-9a-f]{64}', reference) is not None and 'the end is at' in reference,
              'the scenario runs to its end', reference)
    others = [run(17, number) for number in range(1, RUNS)]
    tap.check(all(other == reference for other in others), f'{RUNS} runs of one seed are the same',
              next((other for other in others if other != reference), '') + '\nfirst:\n' + reference)
    tap.check('instances: epsilon delta gamma beta alpha' in reference, 'instances come by altitude', reference)
    tap.check(run(18, 0) != reference, 'another seed is another run')
    return tap.done()


sys.exit(main())
