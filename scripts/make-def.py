#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Join export lists into a module-definition file.

usage: make-def.py -o OUT.def LIBRARY LIST.exports...

An export list has one name a line, " DATA" after the name of a variable, and comments after '#'.  A name listed
twice, or twice with different kinds, is an error: each export has one owner.
"""
import argparse
import sys


def read_exports(path):
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split('#', 1)[0].split()
            if not words:
                continue
            if len(words) > 2 or (len(words) == 2 and words[1] != 'DATA'):
                raise SystemExit(f'{path}:{number}: error: expected "NAME" or "NAME DATA"')
            yield words[0], len(words) == 2, f'{path}:{number}'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('library')
    parser.add_argument('lists', nargs='*')
    args = parser.parse_args()
    seen = {}
    for path in args.lists:
        for name, data, where in read_exports(path):
            if name in seen:
                raise SystemExit(f'{where}: error: {name} is exported already at {seen[name][1]}')
            seen[name] = (data, where)
    with open(args.output, 'w', encoding='utf-8') as out:
        out.write(f'LIBRARY {args.library}\nEXPORTS\n')
        for name in sorted(seen):
            out.write(f'    {name}{" DATA" if seen[name][0] else ""}\n')
    return 0


sys.exit(main())
