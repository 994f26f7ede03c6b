#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees, builds and scenarios in folders with odd names: oddpath.py FLTVM.

What runs is tried with each odd name: a scenario, its driver's source, the build folder and TMPDIR are all in such a
folder.  What builds is tried in a clone of this tree with all of them in its name, which takes minutes: `--long` does.
"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'lib')]
sys.dont_write_bytecode = True
import oddnames  # noqa: E402
from tap import Skip, case, check, equal, main  # noqa: E402

FLTVM = os.path.abspath(sys.argv[1])
BUILD = os.path.dirname(os.path.dirname(FLTVM))


def run(command, folder, timeout=300, **environment):
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', timeout=timeout, check=False, env={**os.environ, **environment})


def equip(place):
    """The examples, and a way to the build, in a folder."""
    shutil.copytree(os.path.join(ROOT, 'examples'), os.path.join(place, 'examples'))
    os.symlink(BUILD, os.path.join(place, 'build'))
    os.mkdir(os.path.join(place, 'tmp'))


@case
def scenarios_run_in_folders_with_odd_names():
    with tempfile.TemporaryDirectory() as folder:
        for name in oddnames.EACH:
            place = os.path.join(folder, name)
            os.mkdir(place)
            equip(place)
            settings = {'FLTVM_BUILD': os.path.join(place, 'build'), 'TMPDIR': os.path.join(place, 'tmp')}
            for words, where in ((['examples/workitem.lua'], place), ([os.path.join(place, 'examples', 'workitem.lua')], '/')):
                result = run([FLTVM, 'run', *words], where, **settings)
                equal(result.returncode, 0, f'{name}: {result.stdout}')
                # Names and lines are there: the debug information of drivers and kernel was found.
                for text in ('workitem!WorkitemRoutine (', 'fltvmhba!HbaIsr (guest/drivers/'):
                    check(text in result.stdout, f'{name}: no "{text}": {result.stdout}')
            equal(os.listdir(os.path.join(place, 'tmp')), [], f'{name}: left in TMPDIR')


@case
def reports_have_their_lines_in_folders_with_odd_names():
    with tempfile.TemporaryDirectory() as folder:
        for name in ('double"quote', 'both "\'', 'with blank', 'a%25x'):
            place = os.path.join(folder, name)
            os.mkdir(place)
            equip(place)
            result = run([FLTVM, 'run', 'examples/broken.lua'], place, FLTVM_BUILD=os.path.join(place, 'build'))
            equal(result.returncode, 0, f'{name}: {result.stdout}')
            for text in ('broken!BrokenPostRead (', 'broken.c:', 'nt!KeBugCheckEx (guest/ke/'):
                check(text in result.stdout, f'{name}: no "{text}": {result.stdout}')


@case
def a_clone_in_a_folder_with_an_odd_name_builds_and_passes():
    if not os.environ.get('FLTVM_TEST_LONG'):
        raise Skip('takes minutes: ./fltvm test --long')
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, oddnames.ALL)
        os.mkdir(place)
        tree = os.path.join(place, 'fltvm')
        result = run(['git', 'clone', '--quiet', '--no-hardlinks', ROOT, tree], place)
        equal(result.returncode, 0, result.stdout)
        plain = {name: '' for name in os.environ if name.startswith('FLTVM_') and name != 'FLTVM_TEST_LONG'}
        result = run([os.path.join(tree, 'fltvm'), 'run', os.path.join(tree, 'examples', 'workitem.lua')], '/', 3000, **plain)
        equal(result.returncode, 0, result.stdout)
        result = run([os.path.join(tree, 'fltvm'), 'test', 'cli', 'host', 'unit'], '/', 3000, **plain, FLTVM_TEST_LONG='')
        equal(result.returncode, 0, result.stdout[-8000:])
        result = run([os.path.join(tree, 'fltvm'), 'build'], '/', 3000, **plain)
        equal((result.returncode, result.stdout), (0, ''), 'a build that has nothing to do')


sys.exit(main())
