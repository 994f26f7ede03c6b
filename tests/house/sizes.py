#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files have at most 600 lines and C functions at most 80: sizes.py.

What is longer today stands below with its size; it may shrink, never grow, and a new one may not join.  The SDK's headers
declare what is documented, and are as long as that is.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

FILE, FUNCTION = 600, 80
LONG_FILES = {}
LONG_FUNCTIONS = {
    'fltmgr/operation/parameter.c: FltpParametersFromIrp': 111,
    'fltmgr/operation/parameter.c: FltpParametersToIrp': 101,
    'guest/ke/queue.c: KeRemoveQueueAlertable': 95,
    'guest/rtl/format.c: RtlpFormat': 100,
    'tests/kernel/ex/badex.c: DriverEntry': 111,
    'tests/kernel/io/badio.c: Misuse': 116,
    'tests/kernel/ke/ke_bad.c: Misbehave': 103,
    'tests/kernel/mm/badpool.c: Misuse': 153,
    'tests/kernel/verifier/report.c: Misbehave': 107,
}
SKIPPED = re.compile(r'^(\.git|build(-.*)?|__pycache__)$')
# The line that begins a definition: a name before a parenthesis, at the margin.
NAME = re.compile(r'^(?!#|/|\*|\s|typedef|extern|\}).*?\b(\w+)\s*\(')


def sources():
    for place, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not SKIPPED.match(name)]
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), ROOT)
            if name.endswith(('.c', '.h', '.S', '.py', '.lua')) and not path.startswith('sdk/include/'):
                with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as text:
                    yield path, text.read().splitlines()


def functions(lines):
    """(name, lines from its first to its last brace) of each definition in C whose braces stand at the margin."""
    name, begin = None, None
    for number, line in enumerate(lines):
        if line == '{' and begin is None:
            begin = number
        elif line.startswith('}') and begin is not None:
            if name and line == '}':
                yield name, number - begin + 1
            name, begin = None, None
        elif begin is None:
            found = NAME.match(re.sub(r'__declspec\(\w+\) ?', '', line))
            if found:
                name = found[1]
            elif line.endswith(';'):
                name = None


def measured():
    files, found = {}, {}
    for path, lines in sources():
        if len(lines) > FILE:
            files[path] = len(lines)
        if path.endswith('.c'):
            for name, size in functions(lines):
                if size > FUNCTION:
                    found[f'{path}: {name}'] = size
    return files, found


def compare(measures, listed, limit):
    new = [f'{name}: {size} lines, at most {listed.get(name, limit)}' for name, size in sorted(measures.items())
           if size > listed.get(name, limit)]
    check(not new, '\n'.join(new))
    old = sorted(set(listed) - set(measures))
    check(not old, 'short enough now, take it from the list: ' + ', '.join(old))


@case
def no_file_is_longer():
    compare(measured()[0], LONG_FILES, FILE)


@case
def no_function_is_longer():
    compare(measured()[1], LONG_FUNCTIONS, FUNCTION)


@case
def functions_are_seen():
    text = 'static int\nf(int a,\n  int b)\n{\n    return a;\n}\n\nint g;\nstruct s {\n    int x;\n};\nVOID H(VOID)\n{\n}\n'
    seen = list(functions(text.splitlines()))
    check(seen == [('f', 3), ('H', 2)], f'{seen}')


if __name__ == '__main__':
    sys.exit(main())
