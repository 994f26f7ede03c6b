#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a newc cpio archive in which the same files always give the same bytes.

usage: make-cpio.py [--executable] -o OUT.cpio NAME=PATH...

Members come in the order given, owned by 0:0, mode 0644 (--executable: 0755), time 0, inodes counted from 1; each member's data starts
at a multiple of four bytes, as the format says.
"""
import argparse
import sys


def member(inode, name, data, mode=0o644):
    raw = name.encode() + b'\0'
    fields = [inode, 0o100000 | mode if inode else 0, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
    head = b'070701' + b''.join(b'%08X' % f for f in fields) + raw
    head += b'\0' * (-len(head) % 4)
    return head + data + b'\0' * (-len(data) % 4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('--executable', action='store_true')
    parser.add_argument('members', nargs='*', metavar='NAME=PATH')
    args = parser.parse_args()
    archive = b''
    for inode, item in enumerate(args.members, 1):
        name, equals, path = item.partition('=')
        if not equals:
            parser.error(f'{item}: expected NAME=PATH')
        with open(path, 'rb') as source:
            archive += member(inode, name, source.read(), 0o755 if args.executable else 0o644)
    archive += member(0, 'TRAILER!!!', b'')
    with open(args.output, 'wb') as out:
        out.write(archive)
    return 0


sys.exit(main())
