#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Precompiled headers: made the second time, bounded, never seen in what comes out, and given up when they are not right."""
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
BUILD = os.environ['FLTVM_BUILD']
SOURCE = '/* A driver. */\n#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r) { (void)d; (void)r; return VALUE; }\n'


class Place:
    """A build folder of its own, so that nobody else's precompiled headers are met."""

    def __init__(self, folder):
        self.folder = folder
        for name in ('guest', 'fltmgr', 'sdk'):
            os.symlink(os.path.join(BUILD, name), os.path.join(folder, name))
        with open(os.path.join(folder, 'x.c'), 'w', encoding='utf-8') as out:
            out.write(SOURCE)

    def cc(self, *words):
        """Compile; the image, and the commands."""
        done = subprocess.run([CC, '-o', 'x.sys', '--strip', '--depfile', 'x.d', '--verbose', '-DVALUE=0', 'x.c', *words],
                              cwd=self.folder, env=dict(os.environ, FLTVM_BUILD=self.folder), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        equal(done.returncode, 0, done.stderr)
        with open(os.path.join(self.folder, 'x.sys'), 'rb') as image, open(os.path.join(self.folder, 'x.d'), encoding='utf-8') as rule:
            return image.read(), done.stderr, rule.read()

    def made(self):
        return sorted(glob.glob(os.path.join(self.folder, 'pch', '*.pch')))


def with_place(function):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            function(Place(folder))
    run.__name__ = function.__name__
    return case(run)


@with_place
def the_second_time_makes_one(place):
    first, commands, rule = place.cc()
    equal(place.made(), [], 'after the first time')
    check('-include-pch' not in commands and 'wdm.h' in rule, rule)
    for _ in range(2):
        image, commands, rule = place.cc()
        check(image == first, 'the image is another one')
        check(commands.count('-include-pch') == 1 and commands.count(' -c x.c') == 1, commands)
        check('wdm.h' in rule and '.pch' not in rule, f'the headers are no inputs: {rule[:300]}')
    equal(len(place.made()), 1, 'files')
    check(place.cc('--no-pch')[0] == first, 'the image without')
    check('-include-pch' not in place.cc('--no-pch')[1], 'it was told not to')


@with_place
def other_flags_take_another(place):
    for _ in range(2):
        place.cc()
        place.cc('-DOTHER')
    equal(len(place.made()), 2, 'files')


@with_place
def what_stands_before_the_include_counts(place):
    with open(os.path.join(place.folder, 'x.c'), 'w', encoding='utf-8') as out:
        out.write('#define POOL_NX_OPTIN 1\n' + SOURCE)
    for _ in range(3):
        check('-include-pch' not in place.cc()[1], 'a definition stands before it')


@with_place
def one_that_is_broken_or_old_is_given_up(place):
    for _ in range(2):
        image = place.cc()[0]
    with open(place.made()[0], 'r+b') as broken:
        broken.seek(4000)
        broken.write(bytes(4000))
    check(place.cc()[0] == image, 'with a broken one')
    with open(place.made()[0] + '.json', 'w', encoding='utf-8') as listing:
        listing.write('[["/nowhere", 1, 1]]')
    check(place.cc()[0] == image and '-include-pch' in place.cc()[1], 'with an old one')


@with_place
def they_are_bounded(place):
    folder = os.path.join(place.folder, 'pch')
    os.mkdir(folder)
    for number in range(30):
        with open(os.path.join(folder, f'{number}.pch'), 'wb') as out:
            out.write(b'x')
        os.utime(out.name, (number, number))
    place.cc()
    place.cc()
    equal(len(place.made()), 12, 'files that are kept')
    check(not os.path.exists(os.path.join(folder, '0.pch')), 'the oldest is kept')


if __name__ == '__main__':
    sys.exit(main())
