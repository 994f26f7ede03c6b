#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the two ends of the system call from the list of services: make-services.py table|stubs -o OUT SERVICES.

table: the kernel's table, a C file; stubs: what ntdll.dll exports for it, assembly.
"""
import argparse
import sys

MOST_ARGUMENTS = 14     # as many as guest/ke/user.c passes on


def services(path):
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split('#', 1)[0].split()
            if not words:
                continue
            if len(words) != 2 or not words[0].startswith('Nt') or not words[1].isdigit() or int(words[1]) > MOST_ARGUMENTS:
                raise SystemExit(f'{path}:{number}: error: expected "NtNAME ARGUMENTS", at most {MOST_ARGUMENTS} of them')
            yield words[0], int(words[1])


def table(listed):
    yield '/* Made by scripts/make-services.py. */\n#include <ntifs.h>\n#include <usermode.h>\n#include "initp.h"\n'
    for name, _ in listed:
        yield f'extern CHAR Init{name}[] __asm__("{name}");'
    yield '\nstatic const KE_SERVICE InitServices[] = {'
    for name, count in listed:
        yield f'    {{Init{name}, {max(count - 4, 0)}}},'
    yield '};\n\nVOID InitSetServices(VOID)\n{\n    KeSetServices(InitServices, RTL_NUMBER_OF(InitServices));\n}'


def stubs(listed):
    yield '/* Made by scripts/make-services.py. */\n        .intel_syntax noprefix\n        .text'
    for number, (name, _) in enumerate(listed):
        other = 'Zw' + name[2:]
        yield (f'        .globl {name}, {other}\n        .p2align 4\n{name}:\n{other}:\n'
               f'        mov r10, rcx\n        mov eax, {number}\n        syscall\n        ret')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('kind', choices=('table', 'stubs'))
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('services')
    args = parser.parse_args()
    listed = list(services(args.services))
    with open(args.output, 'w', encoding='utf-8') as out:
        for line in (table if args.kind == 'table' else stubs)(listed):
            out.write(line + '\n')
    return 0


sys.exit(main())
