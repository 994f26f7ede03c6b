#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm cc: a driver from source, and what goes wrong on the way, each with its exit status."""
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))
from tap import case, check, equal, main  # noqa: E402

CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
GOOD = '''
#include <NtIfs.H>
#include "Mixed.h"
VOID MixedUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    __try {
        DriverObject->DriverUnload = MIXED;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}
'''


def cc(folder, *words):
    return subprocess.run([CC, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
        out.write(text)


def sections(path):
    with open(path, 'rb') as image:
        data = image.read()
    check(data[:2] == b'MZ', 'no DOS header')
    start = struct.unpack_from('<I', data, 0x3c)[0]
    check(data[start:start + 4] == b'PE\0\0', 'no PE signature')
    machine, count = struct.unpack_from('<HH', data, start + 4)
    equal(machine, 0x8664, 'machine')
    optional = struct.unpack_from('<H', data, start + 20)[0]
    equal(struct.unpack_from('<H', data, start + 24 + 68)[0], 1, 'subsystem (native)')
    table = start + 24 + optional
    names = []
    for number in range(count):
        names.append(data[table + 40 * number:table + 40 * number + 8].rstrip(b'\0').decode())
    return names, data


def with_folder(function):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            write(folder, 'good.c', GOOD)
            write(folder, 'mixed.h', '#define MIXED MixedUnload\n')
            function(folder)
    run.__name__ = function.__name__
    return case(run)


@with_folder
def a_driver_with_headers_in_any_case(folder):
    result = cc(folder, '-o', 'good.sys', 'good.c', '--depfile', 'good.d')
    equal(result.returncode, 0, result.stderr)
    names, data = sections(os.path.join(folder, 'good.sys'))
    check('.pdata' in names, f'no unwind table among {names}')
    check(b'__C_specific_handler' in data, '__try has no handler')
    with open(os.path.join(folder, 'good.d'), encoding='utf-8') as text:
        rule = text.read()
    check(rule.startswith('good.sys: ') and 'mixed.h' in rule and 'good.c' in rule, f'depfile: {rule[:200]}')


@with_folder
def the_stripped_driver_is_smaller_and_runs_the_same_code(folder):
    for name, more in (('a.sys', []), ('b.sys', ['--strip'])):
        equal(cc(folder, '-o', name, 'good.c', *more).returncode, 0, name)
    full, stripped = (os.path.getsize(os.path.join(folder, n)) for n in ('a.sys', 'b.sys'))
    check(stripped < full, f'{stripped} bytes against {full}')


@with_folder
def the_same_source_gives_the_same_bytes(folder):
    images = []
    for name in ('a.sys', 'b.sys'):
        equal(cc(folder, '-o', name, 'good.c', '--strip').returncode, 0, name)
        with open(os.path.join(folder, name), 'rb') as image:
            images.append(image.read())
    check(images[0] == images[1], 'two builds differ')


@with_folder
def a_syntax_error_names_file_and_line(folder):
    write(folder, 'bad.c', 'int x;\nint y = ;\n')
    result = cc(folder, '-o', 'bad.sys', 'bad.c')
    equal(result.returncode, 1, 'exit status')
    check('bad.c:2:' in result.stderr, result.stderr)
    check(not os.path.exists(os.path.join(folder, 'bad.sys')), 'there is a driver all the same')


@with_folder
def a_routine_that_is_not_exported_is_named(folder):
    write(folder, 'bad.c', GOOD.replace('return STATUS_SUCCESS', 'extern int NoSuchRoutine(void); return NoSuchRoutine()'))
    result = cc(folder, '-o', 'bad.sys', 'bad.c')
    equal(result.returncode, 1, 'exit status')
    check('NoSuchRoutine' in result.stderr, result.stderr)
    check(not os.path.exists(os.path.join(folder, 'bad.sys')), 'there is a driver all the same')


@with_folder
def bad_usage_is_refused(folder):
    for words, text in (([], '-o'), (['-o', 'x.sys'], 'no input'), (['-o'], 'needs a value'),
                        (['-o', 'x.sys', 'absent.c'], 'absent.c'), (['-o', 'x.sys', 'mixed.h'], 'mixed.h'),
                        (['good.c'], '-o'), (['-c', '-o', 'x.obj', 'good.c'], '-c')):
        result = cc(folder, *words)
        equal(result.returncode, 2, f'{words}: {result.stderr}')
        check(text in result.stderr, f'{words}: {result.stderr}')
        check('Traceback' not in result.stderr, result.stderr)


@with_folder
def an_output_folder_that_is_not_there(folder):
    result = cc(folder, '-o', 'absent/x.sys', 'good.c')
    check(result.returncode in (1, 4), f'exit status {result.returncode}')
    check('absent' in result.stderr and 'Traceback' not in result.stderr, result.stderr)


sys.exit(main())
