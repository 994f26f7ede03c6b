#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios that call the whole vocabulary with whatever comes: every call returns or is an error with a text."""
import os
import sys

sys.dont_write_bytecode = True
from fuzz import HERE, Fault, blamed, bugcheck, main, run  # noqa: E402


def one(random, folder, fltvm):
    with open(os.path.join(HERE, 'scripts.lua'), encoding='utf-8') as text:
        script = text.read()
    with open(os.path.join(folder, 'script.lua'), 'w', encoding='utf-8') as out:
        out.write(script.replace('SEED', str(random.randrange(1, 1 << 31))))
    result = run([fltvm, 'run', '--timeout', '30', *random.choice(([], ['-k'], ['--tap'], ['-v'])), 'script.lua'], folder)
    if result.status == 3 and not blamed(result):
        raise Fault(f'bugcheck {bugcheck(result)} with nobody blamed', result.output)
    return f'exit status {result.status}'


if __name__ == '__main__':
    sys.exit(main('scripts', one))
