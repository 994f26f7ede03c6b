#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What README.md and the manual show of a run is what that run prints: excerpts.py FLTVM [--fix].

A block belongs to the example that is named last before it (`./fltvm run examples/X.lua`).  Its lines stand in the output
in that order, and a line of "…" stands for what is left out.  Times, addresses, processors and the numbers of lines may
differ; functions, files and words may not.  --fix takes all of it from the run as it is.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

FLTVM = os.path.abspath(sys.argv[1])
PAGES = ['README.md', 'docs/manual/reports.md']
LEFT_OUT = re.compile(r'^\s*…$')
OUTPUT = {}


def output(example):
    """The lines, and without how they were indented or what changes from machine to machine."""
    if example not in OUTPUT:
        run = subprocess.run([FLTVM, 'run', example], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors='replace', timeout=300, check=False)
        OUTPUT[example] = run.stdout.splitlines()
    return OUTPUT[example]


def shape(line):
    """What may not differ."""
    line = re.sub(r'0x[0-9a-f]{16}', '0xN', line)
    line = re.sub(r"'idle \d'|\bcpu\d\b", 'N', line)
    return re.sub(r'\d+\.\d+|(?<=:)\d+(?=\))', 'N', line).strip()


def blocks(text):
    """(first line's number, lines, example) of each fenced block that shows a run."""
    example, begin = None, None
    lines = text.split('\n')
    for number, line in enumerate(lines):
        if line.startswith('```'):
            if begin is None:
                begin = number + 1
                kind = line[3:]
            else:
                if not kind and example:
                    yield begin, lines[begin:number], example
                begin = None
        elif begin is None:
            for name in re.findall(r'\./fltvm run (examples/\w+\.lua)', line):
                example = name


def place(lines, example):
    """For each line of the block its line in the run, or None."""
    got, at, found = output(example), 0, []
    for line in lines:
        if LEFT_OUT.match(line) or not line.strip():
            found.append(line)
            continue
        while at < len(got) and shape(got[at]) != shape(line):
            at += 1
        found.append(got[at].rstrip() if at < len(got) else None)
        at += 1
    return found


def holds(page):
    def body():
        with open(os.path.join(ROOT, page), encoding='utf-8') as text:
            shown = list(blocks(text.read()))
        check(shown, 'no block shows a run')
        for number, lines, example in shown:
            for index, line in enumerate(place(lines, example)):
                check(line is not None, f'{page}:{number + index + 1}: {example} does not print: {lines[index]} '
                                        f'(tests/cli/excerpts.py build/host/fltvm --fix)')
    body.__name__ = page
    return body


def fix(page):
    path = os.path.join(ROOT, page)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    whole = text.split('\n')
    for number, lines, example in blocks(text):
        for index, line in enumerate(place(lines, example)):
            if line is None:
                print(f'{page}:{number + index + 1}: {example} does not print: {lines[index]}')
            else:
                whole[number + index] = line
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(whole))


if __name__ == '__main__':
    for name in PAGES:
        if sys.argv[2:] == ['--fix']:
            fix(name)
        else:
            case(holds(name))
    sys.exit(main())
