#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every export has a test driver that calls it: exports.py, or exports.py --update.

untested.txt lists those that have none yet.  A new export may not join it, and the list only shrinks: `--update` takes out
what has got its test (it adds nothing).  build/docs/ddi-status.md shows the same, routine by routine.
"""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIST = os.path.join(HERE, 'untested.txt')
sys.path[:0] = [os.path.join(os.path.dirname(HERE), 'lib'), os.path.join(ROOT, 'scripts')]
sys.dont_write_bytecode = True
from ddi import named_in, read_exports  # noqa: E402
from tap import case, check, main  # noqa: E402


def untested():
    lists = [path for image in ('guest', 'fltmgr') for path in glob.glob(os.path.join(ROOT, image, '*', '*.exports'))]
    lists += glob.glob(os.path.join(ROOT, 'guest', 'drivers', '*', '*.exports'))
    folders = [os.path.join(ROOT, name) for name in ('tests', 'examples')]
    return read_exports(lists) - named_in(folders)


def listed():
    with open(LIST, encoding='utf-8') as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


@case
def a_new_export_has_a_test():
    new = sorted(untested() - set(listed()))
    check(not new, f'no test driver calls {", ".join(new)}')


@case
def these_have_no_debt():
    """Every export of theirs has its test, and so it stays."""
    for image, part in (('fltmgr', '*'), ('guest', 'ex'), ('guest', 'io'), ('guest', 'ps'), ('guest', 'se')):
        lists = glob.glob(os.path.join(ROOT, image, part, '*.exports'))
        check(lists, f'no lists of {image}/{part}')
        check(not read_exports(lists) & set(listed()), f'{image}/{part}: {sorted(read_exports(lists) & set(listed()))}')


@case
def the_list_is_sorted_and_shrinks():
    names = listed()
    check(names == sorted(set(names)), 'untested.txt is not sorted, or has a name twice')
    done = sorted(set(names) - untested())
    if done:
        print(f'# {len(done)} have got their test (tests/house/exports.py --update takes them out): {", ".join(done)}')


if __name__ == '__main__':
    if '--update' in sys.argv[1:]:
        left = sorted(set(listed()) & untested())
        with open(LIST, 'w', encoding='utf-8') as out:
            out.write('# Exports that no test driver calls yet: see exports.py.  Never add to it.\n' + ''.join(f'{name}\n' for name in left))
        print(f'{len(left)} left')
        sys.exit(0)
    sys.exit(main())
