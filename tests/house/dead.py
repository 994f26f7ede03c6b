#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No function of the kernel or the filter manager is there for nobody: dead.py NM BUILD.

A function that only its own file calls is static; one that nobody calls is not there.  Exported names are for drivers, and
tests/house/exports.py asks for their tests.  KEPT is what stands all the same, each with its reason.
"""
import collections
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

NM, BUILD = sys.argv[1:3]

KEPT = {
    'DriverEntry': 'the linker begins with it',
    'KiSystemStartup': 'the boot loader begins with it',
    'strcspn': 'made with wcscspn, of one text',
    '_wcsset': 'made with _strset, of one text',
}
# Entered by the processor, labels within a routine in assembly, or of mingw-w64's ntstrsafe.h, which leaves it to the linker.
KEPT_FORMS = re.compile(r'^(KiTrap[0-9A-F]{2}|Ki(Exception|Interrupt)Common|ExpInterlockedPopEntrySList(Fault|Resume)|RtlString\w+[AW])$')


def exported():
    names = set()
    for folder in ('guest', 'fltmgr'):
        for path in glob.glob(os.path.join(ROOT, folder, '**', '*.exports'), recursive=True):
            with open(path, encoding='utf-8') as lines:
                for line in lines:
                    names.update(re.split(r'[\s=]+', line.split('#')[0].strip()))
    return names


def symbols():
    """({name: file that defines it}, {name: files that ask for it})"""
    defined, asked = {}, collections.defaultdict(set)
    libraries = sorted(glob.glob(os.path.join(BUILD, 'guest', '*.lib')) + glob.glob(os.path.join(BUILD, 'fltmgr', 'fltmgr-*.lib')))
    member = ''
    for line in subprocess.run([NM, *libraries], capture_output=True, text=True, check=False).stdout.splitlines():
        if line.endswith(':'):
            member = line[:-1]
            continue
        match = re.match(r'(?:[0-9a-f]+)?\s+([TU])\s+(\S+)$', line)
        if match and match[1] == 'T' and not match[2].startswith('__imp_'):
            defined[match[2]] = member
        elif match:
            asked[match[2].removeprefix('__imp_')].add(member)
    return defined, asked


DEFINED, ASKED = symbols()
UNASKED = {name for name in DEFINED if name not in ASKED and not KEPT_FORMS.match(name)} - exported()


@case
def each_function_has_a_caller_outside_its_file():
    check(len(DEFINED) > 1000, f'{len(DEFINED)} functions')
    new = sorted(UNASKED - set(KEPT))
    check(not new, '\n'.join(f'{DEFINED[name]}: {name}: make it static, or take it out' for name in new))


@case
def nothing_is_kept_without_need():
    check(set(KEPT) <= UNASKED, ', '.join(sorted(set(KEPT) - UNASKED)))


if __name__ == '__main__':
    sys.exit(main())
