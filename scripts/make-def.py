#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Join export lists into a module-definition file.

usage: make-def.py -o OUT.def LIBRARY LIST.exports...

An export list has one name a line and comments after '#'.  " DATA" follows the name of a variable; "NAME=INTERNAL"
exports what is called INTERNAL inside; " CONSTANT" makes the name itself the import's slot, as Microsoft's import libraries
have it for the object types.  A name listed twice is an error: each export has one owner.
"""
import argparse
import sys


def read_exports(path):
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split('#', 1)[0].split()
            if not words:
                continue
            if len(words) > 2 or (len(words) == 2 and words[1] not in ('DATA', 'CONSTANT')):
                raise SystemExit(f'{path}:{number}: error: expected "NAME[=INTERNAL] [DATA | CONSTANT]"')
            yield words[0].split('=')[0], ' '.join(words), f'{path}:{number}'


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('--services', help='a list of services as well, which have an Nt and a Zw name')
    parser.add_argument('--forward-to', help='the module that has them: every name is a forwarder')
    parser.add_argument('--also', action='append', default=[], help='a name that is not in the lists, and not forwarded')
    parser.add_argument('library')
    parser.add_argument('lists', nargs='*')
    args = parser.parse_args()
    seen = {}
    for path in args.lists:
        for name, text, where in read_exports(path):
            if name in seen:
                raise SystemExit(f'{where}: error: {name} is exported already at {seen[name][1]}')
            seen[name] = (text, where)
    if args.services:
        with open(args.services, encoding='utf-8') as lines:
            for name in [line.split()[0] for line in lines if line.startswith('Nt')]:
                seen[name], seen['Zw' + name[2:]] = (name, args.services), ('Zw' + name[2:], args.services)
    with open(args.output, 'w', encoding='utf-8') as out:
        out.write(f'LIBRARY {args.library}\nEXPORTS\n')
        for name in sorted(seen):
            out.write(f'    {name}={args.forward_to}.{name}\n' if args.forward_to else f'    {seen[name][0]}\n')
        for name in args.also:
            out.write(f'    {name}\n')
    return 0


sys.exit(main())
