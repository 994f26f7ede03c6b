#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver by gcc and GNU ld, where they are (Debian's gcc-mingw-w64-x86-64-win32): another layout of sections, import tables
and unwind data.  It loads and runs, and its faults are named as far as the image has symbols.

usage: gccimage.py FLTVM NTOSKRNL.def
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TESTS, 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

FLTVM, DEFINITION = map(os.path.abspath, sys.argv[1:3])
PREFIX = 'x86_64-w64-mingw32-'
GCC = shutil.which(PREFIX + 'gcc') or shutil.which(PREFIX + 'gcc-win32')
HEADERS = '/usr/share/mingw-w64/include'
SCENARIO = '''
local vm = fltvm.machine { cpus = 1 }
local driver = vm:load { image = "gccimage.sys" }
driver:unload()
'''


def run(*words, folder):
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def make(folder, *flags):
    own = run(GCC, '-print-file-name=include', folder=folder).stdout.strip()
    made = run(PREFIX + 'dlltool', '-d', DEFINITION, '-l', 'libntoskrnl.a', folder=folder)
    equal(made.returncode, 0, made.stdout)
    made = run(GCC, '-O1', '-w', '-nostdinc', '-isystem', own, '-isystem', HEADERS, '-isystem', HEADERS + '/ddk', '-D_AMD64_', '-nostdlib',
               '-shared', '-Wl,--exclude-all-symbols', '-Wl,--subsystem,native', '-Wl,--entry,DriverEntry', '-Wl,--image-base,0x140000000', *flags,
               '-o', 'gccimage.sys', os.path.join(HERE, 'gccimage.c'), 'libntoskrnl.a', folder=folder)
    equal(made.returncode, 0, made.stdout)
    with open(os.path.join(folder, 'x.lua'), 'w', encoding='utf-8') as out:
        out.write(SCENARIO)
    return run(FLTVM, 'run', 'x.lua', folder=folder)


def line_of(text):
    with open(os.path.join(HERE, 'gccimage.c'), encoding='utf-8') as lines:
        return next(number for number, line in enumerate(lines, 1) if text in line)


def in_folder(function):
    def with_folder():
        with tempfile.TemporaryDirectory() as folder:
            function(folder)
    with_folder.__name__ = function.__name__
    return case(with_folder)


@in_folder
def it_loads_and_runs(folder):
    result = make(folder)
    equal(result.returncode, 0, result.stdout)
    check('gccimage: 42 and 0 for' in result.stdout, f'its sections are not what they should be: {result.stdout}')
    check('gccimage: goes' in result.stdout, result.stdout)


@in_folder
def a_fault_has_its_line(folder):
    result = make(folder, '-g', '-DFAULT')
    equal(result.returncode, 3, result.stdout)
    check(f'gccimage.c:{line_of("*Place = 1")})' in result.stdout, result.stdout)
    check('blamed: gccimage.sys, gccimage!Fault' in result.stdout, result.stdout)
    check(f'gccimage.c:{line_of("Fault((volatile") + 1})' in result.stdout or f'gccimage.c:{line_of("Fault((volatile")})' in result.stdout,
          f'the caller is not named: {result.stdout}')


@in_folder
def without_debug_information_its_function(folder):
    result = make(folder, '-DFAULT')
    equal(result.returncode, 3, result.stdout)
    check('blamed: gccimage.sys, gccimage!Fault' in result.stdout, result.stdout)


@in_folder
def without_symbols_its_image(folder):
    result = make(folder, '-s', '-DFAULT')
    equal(result.returncode, 3, result.stdout)
    check('blamed: gccimage.sys' in result.stdout and 'gccimage+0x' in result.stdout, result.stdout)


if not GCC or not os.path.isdir(HEADERS):
    print('1..0 # SKIP no gcc for Windows is here (gcc-mingw-w64-x86-64-win32)')
    sys.exit(0)
main()
