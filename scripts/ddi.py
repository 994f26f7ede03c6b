#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make what the build derives from the facts on the DDI (sdk/ddi/ddi.tsv) and from the export lists.

usage: ddi.py irql   -o OUT.c  FACTS.tsv LIST.exports...    the verifier's IRQL rules as a C table
       ddi.py status -o OUT.md [--tests FOLDER]... FACTS.tsv LIST.exports...
                                                            what is built, what is not, by demand; what tests name
       ddi.py check  FACTS.tsv LIST.exports...              the facts agree with themselves and with the lists

The IRQL table holds the exported routines that have a limit, sorted by name for a binary search; its type is
declared in guest/ldr/ddi.h.
"""
import argparse
import os
import re
import sys

MANUAL = {'ntoskrnl.exe', 'hal.dll', 'fltmgr.sys', 'cng.sys'}     # images that fltvm has; hal.dll's names are ntoskrnl.exe's


class Routine:
    def __init__(self, fields, where):
        if len(fields) != 9:
            raise SystemExit(f'{where}: error: {len(fields)} columns, expected 9')
        (self.name, self.header, self.kind, self.image, low, high, self.documented, minifilters, filesystems) = fields
        self.low, self.high = (None if text == '-' else int(text) for text in (low, high))
        self.minifilters, self.filesystems = int(minifilters), int(filesystems)
        self.where = where

    @property
    def demand(self):
        return self.minifilters + self.filesystems


def read_facts(path):
    routines, heading = [], True
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith('#'):
                continue
            if heading:
                heading = False
                continue
            routines.append(Routine(line.rstrip('\n').split('\t'), f'{path}:{number}'))
    return routines


def read_exports(paths):
    names = set()
    for path in paths:
        with open(path, encoding='utf-8') as lines:
            names.update(re.split(r'[\s=]', line.strip())[0] for line in lines if line.split('#', 1)[0].strip())
    return names


def irql_table(routines, exports):
    yield '/* Made by scripts/ddi.py from sdk/ddi/ddi.tsv; do not edit. */'
    yield '#include <ntifs.h>'
    yield '#include "ddi.h"'
    yield ''
    yield 'const DDI_IRQL_RULE LdrpIrqlRules[] = {'
    rules = sorted((r for r in routines if r.name in exports and (r.low is not None or r.high is not None)),
                   key=lambda r: r.name.encode())
    for rule in rules:
        yield f'    {{"{rule.name}", {rule.low or 0}, {15 if rule.high is None else rule.high}}},'
    if not rules:
        yield '    {"", 0, 15},'
    yield '};'
    yield f'const ULONG LdrpIrqlRuleCount = {len(rules)};'


def share(routines, exports):
    built = [r for r in routines if r.name in exports]
    return len(built), len(routines)


def named_in(folders):
    """The words in the code of the C files below the folders: an export that is among them is called by a test."""
    words = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in names:
                if name.endswith(('.c', '.h', '.S')):
                    with open(os.path.join(place, name), encoding='utf-8', errors='replace') as text:
                        code = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', ' ', text.read(), flags=re.S)
                    words.update(re.findall(r'\w+', code))
    return words


def status_page(routines, exports, tested):
    wanted = [r for r in routines if r.kind == 'export' and r.image in MANUAL]
    yield '# What is built of the DDI'
    yield ''
    yield 'Made by the build from the export lists and from `sdk/ddi/ddi.tsv`. "Demand" counts, of 14 published minifilters and'
    yield '2 file systems, those that import a routine. A driver that imports what is not built is refused at load, with the name.'
    yield ''
    yield '| image | exported by the documentation | of these built | imported by the 16 drivers | of these built | weighted by demand |'
    yield '|---|---|---|---|---|---|'
    for image in ('fltmgr.sys', 'ntoskrnl.exe', 'hal.dll', 'cng.sys'):
        here = [r for r in wanted if r.image == image]
        asked = [r for r in here if r.demand]
        built, total = share(here, exports)
        built_asked, total_asked = share(asked, exports)
        weight = sum(r.demand for r in asked)
        got = sum(r.demand for r in asked if r.name in exports)
        percent = f'{100 * got // weight} %' if weight else ''
        yield f'| {image} | {total} | {built} | {total_asked} | {built_asked} | {percent} |'
    others = sorted(exports - {r.name for r in routines})
    yield ''
    yield f'Exported besides, without a page in the documentation (C runtime, variables, fltvm\'s own): {len(others)}.'
    yield ''
    yield '## Not built, by demand'
    yield ''
    yield '| routine | image | minifilters of 14 | file systems of 2 |'
    yield '|---|---|---|---|'
    missing = [r for r in wanted if r.demand and r.name not in exports]
    for r in sorted(missing, key=lambda r: (-r.minifilters, -r.filesystems, r.name)):
        yield f'| {r.name} | {r.image} | {r.minifilters} | {r.filesystems} |'
    yield ''
    yield '## Built'
    yield ''
    yield f'{len(exports)}, of which {len(exports & tested)} are called by a test driver.'
    yield ''
    yield '| routine | demand | tested |'
    yield '|---|---|---|'
    for r in sorted((r for r in wanted if r.name in exports), key=lambda r: r.name):
        yield f'| {r.name} | {r.demand or ""} | {"yes" if r.name in tested else "no"} |'
    for name in others:
        yield f'| {name} | | {"yes" if name in tested else "no"} |'
    yield ''
    yield '## Not built and not asked for'
    yield ''
    yield ', '.join(sorted(r.name for r in wanted if not r.demand and r.name not in exports))


def check(routines, exports):
    problems, seen = [], {}
    for r in routines:
        if r.name in seen:
            problems.append(f'{r.where}: {r.name} is listed twice')
        seen[r.name] = r
        if r.kind not in ('export', 'library', 'inline', 'callback'):
            problems.append(f'{r.where}: {r.name}: unknown kind {r.kind}')
        if r.low is not None and r.high is not None and r.low > r.high:
            problems.append(f'{r.where}: {r.name}: lowest IRQL above the highest')
        for level in (r.low, r.high):
            if level is not None and not 0 <= level <= 15:
                problems.append(f'{r.where}: {r.name}: no such IRQL: {level}')
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('what', choices=['irql', 'status', 'check'])
    parser.add_argument('-o', '--output')
    parser.add_argument('--tests', action='append', default=[])
    parser.add_argument('facts')
    parser.add_argument('lists', nargs='*')
    args = parser.parse_args()
    routines, exports = read_facts(args.facts), read_exports(args.lists)
    problems = check(routines, exports)
    if problems:
        print('\n'.join(problems), file=sys.stderr)
        return 1
    if args.what != 'check':
        lines = irql_table(routines, exports) if args.what == 'irql' else status_page(routines, exports, named_in(args.tests))
        with open(args.output, 'w', encoding='utf-8') as out:
            out.writelines(line + '\n' for line in lines)
    return 0


if __name__ == '__main__':
    sys.exit(main())
