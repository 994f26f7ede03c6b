#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers in the styles in which drivers are written: compiled untouched by fltvm cc, loaded, used and unloaded."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'drivers')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
FLTVM = os.path.abspath(sys.argv[1])
LOAD = 'local vm = fltvm.machine{ disks = { { size = "1M" } } }\nlocal driver = vm:load{ image = "x.sys" }\ndriver:unload()\n'
USE = '''
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local driver = vm:load{ image = "x.sys", altitude = "370040" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
volume:write(0, string.rep("ab", 2048))
expect_equal(volume:read(0, 4096), string.rep("ab", 2048), "what was written is read")
volume:close()
driver:unload()
'''


def ran(source, *flags, scenario=LOAD):
    """What a driver prints."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([CC, '-o', 'x.sys', *flags, os.path.join(HERE, source)], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='replace', timeout=300, check=False)
        equal((made.returncode, made.stdout), (0, ''), f'{source}: compiling')
        with open(os.path.join(folder, 'x.lua'), 'w', encoding='utf-8') as out:
            out.write(scenario)
        done = subprocess.run([FLTVM, 'run', 'x.lua'], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors='replace', timeout=300, check=False)
        equal(done.returncode, 0, done.stdout)
        return done.stdout


def has(text, *lines):
    for line in lines:
        check(line in text, f'{line!r} is not in: {text}')


@case
def objects_beside_try():
    for level in ('-O0', '-O1', '-O2'):
        text = ran('scopes.cpp', level)
        equal((text.count('as expected'), text.count('scopes: ')), (9, 9), text)


@case
def c_plus_plus_with_its_library():
    has(ran('library.cpp'), 'library: list 312 of 3', 'library: 4 sides, moved 1', 'library: bound 5, max 9, min 2, half 4, sum 1',
        'library: raised c000008c', 'library: 312, any 1, level 3', 'library: closed 5', 'library: square gone')


@case
def a_minifilter_of_classes():
    has(ran('classes.cpp', scenario=USE), 'classes: 4096 bytes, the filter')


@case
def a_watcher_with_trace_messages():
    has(ran('watch.c'), 'watch: ps 00000000', 'watch: cm 00000000', 'watch: ob 00000000', 'watch: gone')


if __name__ == '__main__':
    sys.exit(main())
