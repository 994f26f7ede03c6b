# SPDX-License-Identifier: GPL-2.0-or-later
"""What the fuzzers share: seeds, a time limit, and the judgement of how a command ended.

A surface is a function that makes one input from a random.Random and says how the command took it: a word for the
outcome, or a Fault.  Seed N of a surface is always the same input.  Each fuzzer is a TAP test of one case, and

    tests/fuzz/SURFACE.py FLTVM --seed N        repeats one seed and shows everything
    tests/fuzz/SURFACE.py FLTVM --count N       tries seeds 1 to N

`./fltvm test fuzz` tries a few of each, `./fltvm test --long fuzz` many.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
LIMIT = 120         # seconds after which a command is said not to end: more than any time-out that it is given


class Fault(Exception):
    """What should not be; its text says what, and `output` what was said."""

    def __init__(self, text, output=''):
        super().__init__(text)
        self.output = output


class Result:
    def __init__(self, status, output):
        self.status, self.output = status, output


def run(command, folder, **environment):
    """A command in a folder of its own; that it ends, and not by a crash, is wanted of every one."""
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**os.environ, 'TMPDIR': folder, **environment}, start_new_session=True)
    try:
        raw, _ = child.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        child.kill()
        raw, _ = child.communicate()
        raise Fault(f'does not end within {LIMIT} s', raw.decode(errors='replace')) from None
    output = raw.decode(errors='replace')
    if child.returncode < 0:
        raise Fault(f'killed by signal {-child.returncode}', output)
    if child.returncode > 4:
        raise Fault(f'exit status {child.returncode}', output)
    for sign in ('Sanitizer', 'runtime error:', 'Traceback (most', 'PANIC', 'CRITICAL **', 'stack smashing', 'Assertion `'):
        if sign in output:
            raise Fault(f'says "{sign}"', output)
    return Result(child.returncode, output)


def blamed(result):
    match = re.search(r'^ *blamed: ([^,\s]+)', result.output, re.M)
    return match[1] if match else None


def bugcheck(result):
    match = re.search(r'bugcheck (0x[0-9A-F]+)', result.output)
    return match[1] if match else '?'


def build_of(fltvm):
    return os.path.dirname(os.path.dirname(fltvm))


def compile_driver(fltvm, output, *words):
    subprocess.run([sys.executable, CC, '-o', output, *words], check=True, env=dict(os.environ, FLTVM_BUILD=build_of(fltvm)))


def main(surface, one, prepare=None, few=20, many=500):
    """`one(random, folder, context)` tries one seed; `prepare(fltvm, folder)` gives the context."""
    parser = argparse.ArgumentParser(description=f'Fuzz {surface}.')
    parser.add_argument('fltvm')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--count', type=int)
    args = parser.parse_args()
    fltvm = os.path.abspath(args.fltvm)
    count = args.count or (many if os.environ.get('FLTVM_TEST_LONG') else few)
    seeds = [args.seed] if args.seed else range(1, count + 1)
    outcomes, faults = collections.Counter(), []

    def attempt(seed):
        with tempfile.TemporaryDirectory(prefix='fltvm-fuzz-') as folder:
            return one(random.Random(f'{surface} {seed}'), folder, context)

    with tempfile.TemporaryDirectory(prefix='fltvm-fuzz-') as shared:
        context = prepare(fltvm, shared) if prepare else fltvm
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for seed, future in [(seed, pool.submit(attempt, seed)) for seed in seeds]:
                try:
                    outcome = future.result()
                    outcomes[outcome] += 1
                    if args.seed:
                        print(f'# {outcome}')
                except Fault as fault:
                    faults.append(seed)
                    outcomes['FAULT'] += 1
                    print(f'# seed {seed}: {fault}: {sys.executable} {os.path.relpath(sys.argv[0])} {args.fltvm} --seed {seed}')
                    if args.seed:
                        print(''.join(f'# {line}\n' for line in fault.output.splitlines()), end='')
                sys.stdout.flush()
    for outcome, number in outcomes.most_common():
        print(f'# {number:6} {outcome}')
    print(f'{"not ok" if faults else "ok"} 1 - {len(seeds)} {surface} by seed, {len(faults)} faults\n1..1')
    return 1 if faults else 0
