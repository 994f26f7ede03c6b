#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the SDK's headers declare: each documented name but those of sdk/ddi/undeclared.tsv; each structure with its
published layout; and sources of drivers that use what no page documents, in every form in which headers may come.

usage: declared.py PROJECT VFS
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, '../lib'))
import tap  # noqa: E402
from tap import case, check, equal  # noqa: E402

ROOT, VFS = sys.argv[1:3]
CLANG = ['clang-19', f'--config={ROOT}/sdk/toolchain/source.cfg', '-ivfsoverlay', VFS, '-fsyntax-only', '-ferror-limit=0']
ORDERS = {
    'C': [], 'a checked build': ['-DDBG=1'], 'no optimisation': ['-O0'],
    'pool opted in to no-execute': ['-DPOOL_NX_OPTIN=1'], 'AVL tables': ['-DRTL_USE_AVL_TABLES=0'], 'C++': ['-x', 'c++'],
}


def rows(name):
    with open(os.path.join(ROOT, 'sdk/ddi', name), encoding='utf-8') as lines:
        return [line.rstrip('\n').split('\t') for line in lines if not line.startswith('#')]


def refused(statements, before='#include <fltKernel.h>\n#include <ntstrsafe.h>\n'):
    """The numbers of the statements that do not compile."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'all.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(before)
            for number, text in enumerate(statements):
                file.write(f'#line 1 "@{number}"\n{text}\n')
        run = subprocess.run([*CLANG, '-w', source], capture_output=True, text=True, check=False)
    bad = {int(number) for number in re.findall(r'^@(\d+):\d+:\d+: error', run.stderr, re.M)}
    check(bad or not run.returncode, run.stderr[:2000])
    return bad


def use(number, kind, name):
    """A line of C that compiles when the name is declared."""
    if kind in ('type', 'callback'):
        return f'{name} *v{number};'
    if kind == 'member':
        structure, member = name.split('.', 1)
        return f'void v{number}({structure} *p) {{ (void)p->{member}; }}'
    if kind == 'routine':
        return f'\n#ifndef {name}\nvoid *v{number} = (void *){name};\n#endif'
    return f'int v{number} = (int){name};'


@case
def each_documented_name_is_declared_or_listed_with_the_reason():
    names = [tuple(row) for row in rows('names.tsv')]
    listed = {tuple(row[:3]): row[3] for row in rows('undeclared.tsv')}
    missing = {names[number] for number in refused([use(i, kind, name) for i, (_, kind, name) in enumerate(names)])}
    print(f'# {len(names)} documented names, {len(missing)} not declared')
    equal(sorted(missing - set(listed)), [], 'neither declared nor in sdk/ddi/undeclared.tsv')
    equal(sorted(set(listed) - missing), [], 'in sdk/ddi/undeclared.tsv and declared')
    check(all(listed.values()), 'a row of undeclared.tsv gives no reason')


@case
def structures_have_their_published_layouts():
    statements, what = [], []
    for name, size, offsets in rows('layouts.tsv'):
        statements.append(f'_Static_assert(sizeof({name}) == {size}, "");')
        what.append(f'size of {name}')
        for pair in offsets.split():
            member, offset = pair.split('=')
            statements.append(f'_Static_assert(__builtin_offsetof({name}, {member}) == {offset}, "");')
            what.append(f'{name}.{member}')
    equal([what[number] for number in sorted(refused(statements))], [], 'differ')
    check(refused(['_Static_assert(sizeof(UNICODE_STRING) == 17, "");']) == {0}, 'a wrong size is not seen')


def compiles(source):
    def body():
        for order, flags in ORDERS.items():
            with open(source, encoding='utf-8') as text:
                if order == 'C++' and 'C only' in text.readline():
                    continue
            run = subprocess.run([*CLANG, '-Wall', '-Werror', '-Wno-unused-function', *flags, source], capture_output=True,
                                 text=True, check=False)
            check(not run.returncode, f'{order}: {run.stderr[:1500]}')
    body.__name__ = os.path.basename(source).replace('.', '_')
    return body


@case
def macros_of_one_letter_are_the_author_s():
    # I, L and P are names of parameters and members in the published headers beneath ours.
    letters = ''.join(f'#define {letter} (0)\n' for letter in 'ABCDEFGHJKMNOQRSTUVWXYZ')
    equal(refused(['int v;'], f'{letters}#include <fltKernel.h>\n#include <ntstrsafe.h>\n#include <intrin.h>\n'), set(), 'refused')


for path in sorted(os.listdir(os.path.join(HERE, 'sources'))):
    if not path.startswith('.'):
        case(compiles(os.path.join(HERE, 'sources', path)))

sys.exit(tap.main())
