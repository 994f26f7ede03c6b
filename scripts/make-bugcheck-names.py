#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the table of bugchecks.

usage: make-bugcheck-names.py bugchecks.txt bugcodes.h… OUTPUT

Codes and names are those of the headers; a later header's are the better ones.  What bugchecks.txt has words for must
be among them, or bring its number.
"""
import re
import sys


def read_headers(paths):
    """Name → code."""
    codes = {}
    for path in paths:
        with open(path, encoding='utf-8', errors='replace') as header:
            for line in header:
                found = re.match(r'#define\s+(\w+)\s+\(\(ULONG\)\s*(0x[0-9A-Fa-f]+)L?\)', line)
                if found:
                    codes[found.group(1)] = int(found.group(2), 16)
    return codes


def words(text):
    parts = [part.strip() for part in text.split('|')]
    if len(parts) > 4:
        raise ValueError('more than four parameters')
    return [None if part in ('-', '') else part for part in parts + ['-'] * (4 - len(parts))]


def read_words(path, codes):
    """Lists of (code, first, last, words), the code's own first; adds the names that bring their number."""
    meanings, code = {}, None
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            found = re.match(r'(?:(0x[0-9A-F]{8}) )?(\w+) = (.*)', line)
            value = re.match(r'  (0x[0-9A-F]+)(?:-(0x[0-9A-F]+))? = (.*)', line)
            if found:
                if found.group(1):
                    codes[found.group(2)] = int(found.group(1), 16)
                if found.group(2) not in codes:
                    sys.exit(f'{path}:{number}: no header has {found.group(2)}')
                code = codes[found.group(2)]
                meanings[code] = [(None, None, words(found.group(3)))]
            elif value and code is not None:
                first = int(value.group(1), 16)
                meanings[code].append((first, int(value.group(2) or value.group(1), 16), words(value.group(3))))
            elif line.strip() and not line.startswith('#'):
                sys.exit(f'{path}:{number}: not understood: {line.strip()}')
    return meanings


def quoted(part):
    return 'NULL' if part is None else '"' + part.replace('\\', '\\\\').replace('"', '\\"') + '"'


def main():
    if len(sys.argv) < 4 or '--help' in sys.argv:
        print(__doc__)
        sys.exit(0 if '--help' in sys.argv else 2)
    codes = read_headers(sys.argv[2:-1])
    if codes.get('IRQL_NOT_LESS_OR_EQUAL') != 0xA:
        sys.exit('no bugcheck codes found')
    meanings = read_words(sys.argv[1], codes)
    names = {}
    for name, code in codes.items():
        names[code] = name
    with open(sys.argv[-1], 'w', encoding='utf-8') as output:
        for code in sorted(names):
            for first, last, parts in meanings.get(code, [(None, None, [None] * 4)]):
                limits = '1, 0' if first is None else f'0x{first:X}u, 0x{last:X}u'
                output.write(f'{{0x{code:X}u, "{names[code]}", {limits}, {{{", ".join(map(quoted, parts))}}}}},\n')


main()
