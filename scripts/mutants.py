#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Put faults into a copy of the tree, one at a time, and see whether the tests notice.

usage: mutants.py [--folder FOLDER] [--check] [--trusted] [NAME...]

The faults are in tests/mutation/faults.py.  FOLDER holds the copy (a clone of this tree's commit) and its build, made when
it is not there; by default a temporary one.  For each fault what changed is built, and the tests of its folder and then its
suites run until the first test that fails.  A compiler that refuses the fault notices it, too.  --check only looks whether
each fault still finds its place; --trusted takes for granted that the tests pass without a fault.
Exit status: 0 all noticed, 1 some not, 2 a fault no longer applies.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'mutation'))
sys.dont_write_bytecode = True
from faults import KNOWN, LATER, NEW  # noqa: E402


def read(path):
    with open(path, encoding='utf-8') as text:
        return text.read()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


def misplaced(tree, faults):
    """Faults whose text is not there exactly once."""
    found = []
    for name, file, text, *_ in faults:
        path = os.path.join(tree, file)
        whole = read(path) if os.path.exists(path) else ''
        found += [f'{name}: {file}: found {whole.count(one)} times: {one}' for one in listed(text) if whole.count(one) != 1]
    return found


def listed(text):
    return [text] if isinstance(text, str) else text


def quiet(tree, *command, limit=900):
    """(whether it succeeded, what it said)"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith('FLTVM_')}
    try:
        result = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                errors='replace', env=environment, timeout=limit, check=False)
    except subprocess.TimeoutExpired as late:
        return False, f'{late.output or b""}'
    return result.returncode == 0, result.stdout


def nearby(file):
    """Arguments for the tests of the component or room that the file is in, if there are such."""
    place = re.match(r'(guest|fltmgr)/(\w+)/', file)
    suite = place and place[1].replace('guest', 'kernel')
    there = place and os.path.isdir(os.path.join(ROOT, 'tests', suite, place[2]))
    return [['--', f'{suite}-{place[2]}-*']] if there else []


def try_one(tree, fault):
    """Who noticed, or None."""
    _, file, text, instead, _, suites = fault
    path = os.path.join(tree, file)
    whole = read(path)
    faulty = whole
    for one, other in zip(listed(text), listed(instead)):
        faulty = faulty.replace(one, other)
    write(path, faulty)
    try:
        built, said = quiet(tree, os.path.join(tree, 'fltvm'), 'build')
        if not built:
            return 'the compiler'
        for what in nearby(file) + [[suite, '--'] for suite in suites]:
            passed, said = quiet(tree, os.path.join(tree, 'fltvm'), 'test', *what, '--maxfail', '1')
            if not passed:
                blamed = re.search(r'^failed: (.*)', said, re.M)
                return blamed[1] if blamed else ' '.join(what)
        return None
    finally:
        write(path, whole)


def main():
    parser = argparse.ArgumentParser(usage='mutants.py [--folder FOLDER] [--check] [--trusted] [NAME...]', description=__doc__.split('\n\n')[0])
    parser.add_argument('--folder')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--trusted', action='store_true')
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    faults = [fault for fault in KNOWN + NEW + LATER if not args.names or fault[0] in args.names]
    wrong = misplaced(ROOT, faults)
    for line in wrong:
        print(line)
    if args.check or wrong and not args.folder:
        return 2 if wrong else 0
    with tempfile.TemporaryDirectory(prefix='fltvm-mutants-') as temporary:
        tree = os.path.join(args.folder or temporary, 'tree')
        if not os.path.exists(tree):
            os.makedirs(os.path.dirname(tree), exist_ok=True)
            subprocess.run(['git', 'clone', '--quiet', ROOT, tree], check=True)
        built, said = quiet(tree, os.path.join(tree, 'fltvm'), 'build', limit=3600)
        if not built:
            print(said[-3000:])
            return 2
        # A suite that fails without a fault would notice everything.
        suites = sorted({suite for fault in faults for suite in fault[5]})
        passed, said = (True, '') if args.trusted else quiet(tree, os.path.join(tree, 'fltvm'), 'test', *suites, limit=3600)
        if not passed:
            print('the tests fail without a fault:\n' + '\n'.join(re.findall(r'^failed: .*', said, re.M)))
            return 2
        unnoticed = []
        for fault in faults:
            if misplaced(tree, [fault]):
                continue
            start = time.monotonic()
            who = try_one(tree, fault)
            if who is None:
                unnoticed.append(fault[0])
            print(f'{fault[0]}  {time.monotonic() - start:4.0f} s  {"UNNOTICED" if who is None else "noticed"}: {fault[4]}'
                  f'{f" ({who})" if who else ""}', flush=True)
    print(f'{len(faults) - len(wrong)} faults, {len(unnoticed)} unnoticed: {" ".join(unnoticed)}')
    return 1 if unnoticed else 0


sys.exit(main())
