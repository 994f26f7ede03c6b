#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the SDK's headers fltvm_*.h from the tables of facts in sdk/ddi.

usage: ddi-headers.py [--check | --page FILE] [PROJECT]

    --check     write nothing; fail, naming the file, when one is not what the tables make
    --page      write a page instead: the documented names that no header declares, by reason

types.tsv holds what mingw-w64's headers lack: structures, unions, enumerations, type definitions, and enumerators that are
newer than its enumerations, or structures that replace older ones; constants.tsv, prototypes.tsv and annotations.tsv what
their names say; ddi.tsv the IRQLs.  A row's first column
names the header it belongs to: wdm, ntddk, ntifs, …; rows stand in the order in which they are needed.
"""
import argparse
import os
import re
import sys

LEVELS = {0: 'PASSIVE_LEVEL', 1: 'APC_LEVEL', 2: 'DISPATCH_LEVEL'}
WIDTH = 110
HEAD = '''/* SPDX-License-Identifier: MIT */
/*
 * fltvm_{name}.h: what {of} declares and mingw-w64's headers lack.
 * Made by scripts/ddi-headers.py from sdk/ddi/*.tsv; do not edit.
 */
#ifndef FLTVM_{upper}_MORE_H
#define FLTVM_{upper}_MORE_H
'''
OF = {'wdm': 'wdm.h', 'ntddk': 'ntddk.h', 'ntifs': 'ntifs.h', 'fltkernel': 'fltKernel.h', 'ntstatus': 'ntstatus.h',
      'bugcodes': 'bugcodes.h', 'wsk': 'wsk.h', 'aux_klib': 'aux_klib.h', 'procgrp': 'procgrp.h', 'sal': 'sal.h'}
OLD = '''/* SPDX-License-Identifier: MIT */
/*
 * fltvm_{name}_old.h: come before mingw-w64's {of}, whose definitions of these structures are older than the target's:
 * each gets another name there, and its pointer type speaks of the one in fltvm_{name}.h; so do prototypes that are wrong there.
 * Made by scripts/ddi-headers.py from sdk/ddi/types.tsv; do not edit.
 */
'''


def table(path, columns):
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith('#'):
                continue
            fields = line.rstrip('\n').split('\t')
            if len(fields) != columns:
                raise SystemExit(f'{path}:{number}: error: {len(fields)} columns, expected {columns}')
            if fields[0] not in OF:
                raise SystemExit(f'{path}:{number}: error: no such header: {fields[0]}')
            yield fields


def members(text, indent):
    """The members of a structure, one a line: split at semicolons and braces."""
    lines, start, depth = [], 0, indent
    for token in re.finditer(r'[{};]', text):
        if token.group() == ';':
            piece = text[start:token.end()].strip()
            if piece.startswith('}'):
                depth -= 1
            lines.append('    ' * depth + piece)
            start = token.end()
        elif token.group() == '{':
            if text[start:].lstrip().startswith('enum'):
                continue
            lines.append('    ' * depth + text[start:token.end()].strip())
            depth += 1
            start = token.end()
    return lines


def enumerators(text, indent):
    lines, value = [], 0
    for entry in text.split(', '):
        name, number = entry.split(' = ')
        lines.append(' ' * indent + (f'{name},' if int(number) == value else f'{name} = {number},'))
        value = int(number) + 1
    return lines


def folded(text):
    """A declaration, broken at its commas where it is longer than a line."""
    lines, indent = [], ''
    while len(text) > WIDTH:
        at = text.rfind(', ', 0, WIDTH)
        if at <= len(indent):
            break
        lines.append(text[:at + 1])
        indent = '    '
        text = indent + text[at + 2:]
    return lines + [text]


def declaration(kind, name, names, text):
    if kind.endswith(':1'):
        return ['#pragma pack(push, 1)', *declaration(kind[:-2], name, names, text), '#pragma pack(pop)']
    prefix = 'typedef ' if names else ''
    if kind in ('struct', 'union'):
        return [f'{prefix}{kind} {name}'.rstrip() + ' {', *members(text, 1), f'}} {names}'.rstrip() + ';']
    if kind == 'replaced':
        return [f'struct _{names.split(", ")[0]}_19041 {{', *members(text, 1), '};']
    if kind == 'enum':
        return [f'{prefix}enum {name}'.rstrip() + ' {', *enumerators(text, 4), f'}} {names}'.rstrip() + ';']
    if kind == 'typedef':
        return folded(f'typedef {text};')
    if kind == 'enumerators':
        return [f'#define {e} ((enum {name}){v})' if name.startswith('_') else f'#define {e} ({v})'
                for e, v in (entry.split(' = ') for entry in text.split(', '))]
    raise SystemExit(f'error: unknown kind of type: {kind}')


def limits(path):
    """The IRQL annotation of a routine, by name."""
    found, libraries = {}, set()
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            fields = line.rstrip('\n').split('\t')
            if line.startswith('#') or len(fields) != 9 or fields[0] == 'name':
                continue
            name, kind, low, high = fields[0], fields[2], fields[4], fields[5]
            if kind == 'library':
                libraries.add(name)
            if high != '-' and int(high) in LEVELS:
                word = '_IRQL_requires_' if low == high else '_IRQL_requires_max_'
                found[name] = f'{word}({LEVELS[int(high)]}) '
    return found, libraries


def make(folder):
    """{file name: text}"""
    parts, replaced, corrected = {name: [[], [], []] for name in OF}, {}, {}
    for header, kind, name, names, text in table(os.path.join(folder, 'types.tsv'), 5):
        parts[header][0] += declaration(kind, name, names, text)
        if kind == 'replaced':
            replaced.setdefault(header, []).append(names.split(', ')[0])
    for header, name, value in table(os.path.join(folder, 'constants.tsv'), 3):
        parts[header][1].append(f'#define {name} {value}')
    for header, name, shape in table(os.path.join(folder, 'annotations.tsv'), 3):
        parts[header][1] += [f'#ifndef {name}', f'#define {name}{"" if shape == "word" else "(...)"}', '#endif']
    irql, libraries = limits(os.path.join(folder, 'ddi.tsv'))
    for header, kind, name, text in table(os.path.join(folder, 'prototypes.tsv'), 4):
        if kind == 'corrected':
            corrected.setdefault(header, []).append((name, irql.get(name, '') + 'FLTVM_NTAPI ' + text + ';'))
        elif kind == 'variable':
            parts[header][2] += [f'extern {text};']
        elif kind == 'guid':
            parts[header][2] += [f'DEFINE_GUID({name}, {text});']
        else:
            storage = '' if name in libraries else 'FLTVM_NTAPI '
            parts[header][2] += folded(f'{irql.get(name, "")}{storage}{text};')
    files = {}
    for name, (types, constants, routines) in parts.items():
        if not types and not constants and not routines:
            continue
        lines = HEAD.format(name=name, of=OF[name], upper=name.upper()).split('\n')
        if name in replaced:
            lines += ['#ifdef __cplusplus', 'extern "C" {', '#endif']
            old = []
            for word in replaced[name]:
                old += [f'#define _{word} _FvOld_{word}',
                        f'#define {word} FvOld_{word}; typedef struct _{word}_19041 FvNew_{word}']
                lines += [f'#undef _{word}', f'#undef {word}', f'#define _{word} _{word}_19041', f'typedef FvNew_{word} {word};']
            lines += ['#ifdef __cplusplus', '}', '#endif', '']
            for word, _ in corrected.get(name, []):
                old += ['#ifndef _NTOSKRNL_', f'#define {word} FvOld_{word}', '#endif']
            files[f'fltvm_{name}_old.h'] = OLD.format(name=name, of=OF[name]) + '\n'.join(old) + '\n'
        if constants:
            lines += [*constants, '']
        for word, text in corrected.get(name, []):
            lines += ['#ifndef _NTOSKRNL_', f'#undef {word}', '#endif']
            routines += ['#ifndef _NTOSKRNL_', *folded(text), '#endif']
        if types or routines:
            lines += ['#ifdef __cplusplus', 'extern "C" {', '#endif', '', *types, '']
            if routines:
                lines += ['#ifndef FLTVM_NTAPI', '#define FLTVM_NTAPI NTKERNELAPI', '#endif', *routines, '']
            lines += ['#ifdef __cplusplus', '}', '#endif', '']
        files[f'fltvm_{name}.h'] = '\n'.join([*lines, '#endif']) + '\n'
    return files


def page(folder):
    """What undeclared.tsv lists, by header and reason, members with their structure."""
    groups = {}
    with open(os.path.join(folder, 'undeclared.tsv'), encoding='utf-8') as lines:
        for line in lines:
            if not line.startswith('#'):
                header, _, name, reason = line.rstrip('\n').split('\t')
                groups.setdefault((header, reason), {}).setdefault(name.split('.')[0], []).append(name)
    yield '# Documented names that the headers do not declare'
    yield ''
    yield 'Made by the build from `sdk/ddi/undeclared.tsv`; a name with a number stands for so many of its members.'
    for (header, reason), names in sorted(groups.items()):
        yield ''
        yield f'## {header}: {reason}'
        yield ''
        yield ', '.join(name if len(all_) == 1 else f'{name} ({len(all_)})' for name, all_ in sorted(names.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--check', action='store_true')
    parser.add_argument('project', nargs='?', default=os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
    parser.add_argument('--page', metavar='FILE')
    args = parser.parse_args()
    if args.page:
        with open(args.page, 'w', encoding='utf-8') as out:
            out.writelines(line + '\n' for line in page(os.path.join(args.project, 'sdk/ddi')))
        return 0
    include, wrong = os.path.join(args.project, 'sdk/include'), []
    for name, text in make(os.path.join(args.project, 'sdk/ddi')).items():
        path = os.path.join(include, name)
        if not args.check:
            with open(path, 'w', encoding='utf-8') as out:
                out.write(text)
            continue
        try:
            with open(path, encoding='utf-8') as now:
                same = now.read() == text
        except FileNotFoundError:
            same = False
        if not same:
            wrong.append(f'sdk/include/{name}: not what scripts/ddi-headers.py makes of sdk/ddi; run it')
    if wrong:
        print('\n'.join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
