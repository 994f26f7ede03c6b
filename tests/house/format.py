#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""C is as .clang-format says, by the one formatter that is pinned: format.py.  With --fix: make it so.

Left alone are what a script wrote ("Made by scripts/…"), what follows QEMU's style (hw/, tests/qtest/), and the drivers that
tests have in other people's styles (their folders' own .clang-format).
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

FORMATTER = 'clang-format-19'
SKIPPED = re.compile(r'^(\.git|build(-.*)?|__pycache__)$')


def sources():
    for place, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), ROOT)
            if name.endswith(('.c', '.h')) and not path.startswith(('hw/', 'tests/qtest/')):
                with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as text:
                    if 'Made by scripts/' not in text.read(600):
                        yield path


def by_room():
    rooms = {}
    for path in sources():
        rooms.setdefault(path.split('/')[0], []).append(path)
    return rooms


def formatted(room, paths):
    def body():
        check(paths, 'no source')
        run = subprocess.run([FORMATTER, '--dry-run', '--Werror', *paths], cwd=ROOT, capture_output=True, text=True, check=False)
        torn = sorted({line.split(':')[0] for line in run.stderr.splitlines() if ': error:' in line})
        check(not run.returncode, f'not as .clang-format says (tests/house/format.py --fix mends them): {", ".join(torn)}\n'
                                  f'{run.stderr[:1500]}')
    body.__name__ = room
    return body


if __name__ == '__main__':
    if not shutil.which(FORMATTER):
        print(f'1..0 # SKIP {FORMATTER} is not there (Debian: apt-get install {FORMATTER})')
        sys.exit(0)
    if sys.argv[1:] == ['--fix']:
        sys.exit(subprocess.run([FORMATTER, '-i', *sources()], cwd=ROOT, check=False).returncode)
    for name, files in by_room().items():
        case(formatted(name, files))
    sys.exit(main())
