#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make LINK a relative symbolic link to TARGET, which need not exist yet; do nothing if it is one already.

usage: make-link.py TARGET LINK
"""
import os
import sys


def main():
    if sys.argv[1:] in (['-h'], ['--help']):
        print(__doc__)
        return 0
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    target, link = sys.argv[1:]
    os.makedirs(os.path.dirname(link), exist_ok=True)
    wanted = os.path.relpath(target, os.path.dirname(link))
    if not (os.path.islink(link) and os.readlink(link) == wanted):
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(wanted, link)
    return 0


sys.exit(main())
