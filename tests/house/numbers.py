#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A number that has a name is written once: numbers.py.

No macro of the kernel or the filter manager repeats one of theirs, of the SDK's headers or of abi/, neither outright nor
for the case that a header lacks it; and a bugcheck is named.
"""
import collections
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

OURS, HEADERS = ('guest', 'fltmgr'), ('abi', 'sdk/include')
TWICE = {'FLTAPI': 'what a driver imports the filter manager exports'}
# A value, not a macro that takes arguments, nor a guard.
VALUE = re.compile(r'^#define (\w+)[ \t]+\S', re.M)


def texts(folders):
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(ROOT, folder, '**', '*.[ch]'), recursive=True)):
            with open(path, encoding='utf-8', errors='replace') as text:
                yield os.path.relpath(path, ROOT), text.read()


def repeated(ours, headers):
    places, known = collections.defaultdict(set), collections.defaultdict(set)
    for path, text in ours:
        for name in VALUE.findall(text):
            places[name].add(path)
    for path, text in headers:
        for name in VALUE.findall(text):
            known[name].add(path)
    for name, paths in sorted(places.items()):
        if name not in TWICE and len(paths | known[name]) > 1:
            yield f'{name}: {", ".join(sorted(paths | known[name]))}'


def guarded(ours):
    for path, text in ours:
        for name in re.findall(r'^#ifndef (\w+)\n#define \1[ \t]+\S', text, re.M):
            yield f'{path}: {name} is defined where a header lacks it; does one?'


def unnamed(ours):
    for path, text in ours:
        for code in re.findall(r'\bKeBugCheck(?:Ex)?\((0x[0-9A-Fa-f]+)', text):
            yield f'{path}: bugcheck {code} has a name in bugcodes.h'


@case
def a_number_has_one_place():
    found = list(repeated(texts(OURS), texts(HEADERS))) + list(guarded(texts(OURS)))
    check(not found, '\n'.join(found))


@case
def a_bugcheck_is_named():
    found = list(unnamed(texts(OURS)))
    check(not found, '\n'.join(found))


@case
def what_is_wrong_is_seen():
    ours = [('a.c', '#define ONE 1\n#ifndef TWO\n#define TWO 2\n#endif\nKeBugCheckEx(0xC4, 0, 0, 0, 0);\n'), ('b.c', '#define ONE 1\n')]
    check(list(repeated(ours, [('c.h', '#define TWO 2\n')])) == ['ONE: a.c, b.c', 'TWO: a.c, c.h'], 'twice')
    check(len(list(guarded(ours))) == 1 and len(list(unnamed(ours))) == 1, 'guarded, unnamed')


if __name__ == '__main__':
    sys.exit(main())
