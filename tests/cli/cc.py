#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm cc: a driver from source, and what goes wrong on the way, each with its exit status."""
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
import oddnames  # noqa: E402
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
    equal(result.returncode, 2, f'exit status ({result.stderr})')
    check('absent' in result.stderr and 'Traceback' not in result.stderr, result.stderr)


@with_folder
def a_source_is_never_overwritten(folder):
    os.link(os.path.join(folder, 'good.c'), os.path.join(folder, 'also.c'))
    for words in (['-o', 'good.c', 'good.c'], ['-o', './also.c', 'good.c'], ['-o', 'x.sys', '--depfile', 'good.c', 'good.c']):
        result = cc(folder, *words)
        equal(result.returncode, 2, f'{words}: {result.stderr}')
        with open(os.path.join(folder, 'good.c'), encoding='utf-8') as text:
            equal(text.read(), GOOD, 'the source')


@with_folder
def links_and_devices_are_written_through(folder):
    equal(cc(folder, '-o', 'plain.sys', 'good.c').returncode, 0, 'a plain file')
    os.symlink('plain.sys', os.path.join(folder, 'link.sys'))
    before = os.stat(os.path.join(folder, 'plain.sys')).st_ino
    equal(cc(folder, '-o', 'link.sys', 'good.c', '--strip').returncode, 0, 'a link')
    check(os.path.islink(os.path.join(folder, 'link.sys')), 'the link was replaced')
    equal(os.stat(os.path.join(folder, 'plain.sys')).st_ino, before, 'what the link leads to')
    sections(os.path.join(folder, 'plain.sys'))
    fifo = os.path.join(folder, 'fifo')
    os.mkfifo(fifo)
    with subprocess.Popen(['cat', fifo], stdout=subprocess.PIPE) as reader:
        equal(cc(folder, '-o', 'fifo', 'good.c').returncode, 0, 'a FIFO')
        check(reader.stdout.read(2) == b'MZ', 'nothing came through the FIFO')
        reader.stdout.close()
    check(not os.path.isfile(fifo), 'the FIFO was replaced')
    equal(sorted(n for n in os.listdir(folder) if '.new' in n), [], 'left behind')


@with_folder
def debug_information_of_its_own(folder):
    equal(cc(folder, '-o', 'a.sys', '--symbols', 'a.dbg', 'good.c').returncode, 0, 'exit status')
    equal(cc(folder, '-o', 'b.sys', '--strip', 'good.c').returncode, 0, 'exit status')
    same, full = ([open(os.path.join(folder, n), 'rb').read() for n in names] for names in (('a.sys', 'b.sys'), ('a.dbg',)))
    check(same[0] == same[1] and len(full[0]) > len(same[0]), 'stripped and with debug information')


@with_folder
def sources_and_outputs_in_folders_with_odd_names(folder):
    for name in oddnames.EACH:
        place = os.path.join(folder, name)
        os.mkdir(place)
        write(place, 'good.c', GOOD)
        write(place, 'mixed.h', '#define MIXED MixedUnload\n')
        where = os.path.join(place, '100%25.sys')
        result = cc(folder, '-o', where, '--symbols', where + '.dbg', '--depfile', where + '.d', os.path.join(place, 'good.c'))
        equal((result.returncode, result.stderr), (0, ''), name)
        sections(where)
        result = cc(place, '-o', 'x.sys', 'good.c')
        equal((result.returncode, result.stderr), (0, ''), f'inside {name}')


@with_folder
def a_reader_that_has_seen_enough(folder):
    with subprocess.Popen([CC, '--help'], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.close()
        equal(child.stderr.read(), b'', 'standard error')


sys.exit(main())
