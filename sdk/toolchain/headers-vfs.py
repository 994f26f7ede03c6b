#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a clang -ivfsoverlay file that finds the headers of the given directories whatever the case of the name.

usage: headers-vfs.py -o OUT.vfs DIRECTORY...

Drivers are written on a file system that ignores case, so their #include lines spell names in any case.
"""
import argparse
import json
import os
import sys


def directory(path):
    contents = []
    for entry in sorted(os.scandir(path), key=lambda e: e.name):
        if entry.is_file() and not entry.name.startswith('.'):
            contents.append({'type': 'file', 'name': entry.name, 'external-contents': os.path.abspath(entry.path)})
    return {'type': 'directory', 'name': os.path.abspath(path), 'contents': contents}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('directories', nargs='+')
    args = parser.parse_args()
    roots = [directory(path) for path in args.directories if os.path.isdir(path)]
    with open(args.output, 'w', encoding='utf-8') as out:
        # Fallback: what is there as it is spelled keeps its own name, in depfiles and in debug information.
        json.dump({'version': 0, 'case-sensitive': 'false', 'redirecting-with': 'fallback', 'roots': roots}, out,
                  ensure_ascii=False)
    return 0


sys.exit(main())
