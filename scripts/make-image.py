#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a disk image from a recipe.

usage: make-image.py [--files FOLDER] RECIPE OUT

A recipe is a text of lines "NAME = VALUE", comments after '#':

  size = 12M                       bytes, or with K, M or G
  partition = TYPE FIRST COUNT     an MBR entry: its type in hexadecimal, its first sector and how many; up to four
  filesystem = ntfs | ext2         what is made in the image, which then has no partitions
  cluster = 4096                   the file system's cluster or block

--files puts a folder's files into the root of the file system.  ntfs needs ntfs-3g's mkntfs and ntfscp, ext2 e2fsprogs' mke2fs.
"""
import argparse
import os
import re
import struct
import subprocess
import sys

UNITS = {'': 1, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}
SECTOR = 512


def number(text):
    found = re.fullmatch(r'(\d+)([KMG]?)', text)
    if not found:
        raise ValueError(f'"{text}" is no size')
    return int(found[1]) * UNITS[found[2]]


def partition(text):
    words = text.split()
    if len(words) != 3:
        raise ValueError('a partition is TYPE FIRST COUNT')
    return int(words[0], 16), int(words[1]), int(words[2])


def read_recipe(path):
    recipe = {'partition': []}
    with open(path, encoding='utf-8') as lines:
        for count, line in enumerate(lines, 1):
            line = line.split('#', 1)[0].strip()
            if not line:
                continue
            name, _, value = (part.strip() for part in line.partition('='))
            try:
                if name in ('size', 'cluster'):
                    recipe[name] = number(value)
                elif name == 'partition':
                    recipe[name].append(partition(value))
                elif name == 'filesystem' and value in ('ntfs', 'ext2'):
                    recipe[name] = value
                else:
                    raise ValueError(f'unknown: {line}')
            except ValueError as error:
                raise SystemExit(f'{path}:{count}: error: {error}') from None
    if not recipe.get('size'):
        raise SystemExit(f'{path}: error: no size')
    if len(recipe['partition']) > 4 or (recipe['partition'] and 'filesystem' in recipe):
        raise SystemExit(f'{path}: error: at most four partitions, or a file system')
    for kind, first, count in recipe['partition']:
        if not 0 < kind < 256 or first < 1 or count < 1 or (first + count) * SECTOR > recipe['size']:
            raise SystemExit(f'{path}: error: partition {kind:02x} {first} {count} is not within the disk')
    return recipe


def run(*words):
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    try:
        result = subprocess.run(words, env={**os.environ, 'PATH': path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        raise SystemExit(f'error: {words[0]} is not installed') from None
    if result.returncode:
        raise SystemExit(f'error: {" ".join(words)}: {result.stdout}')


def make(recipe, out, files):
    with open(out, 'wb') as image:
        image.truncate(recipe['size'])
        if recipe['partition']:
            table = b''.join(struct.pack('<BBBBBBBBII', 0, 0xFE, 0xFF, 0xFF, kind, 0xFE, 0xFF, 0xFF, first, count)
                             for kind, first, count in recipe['partition'])
            image.seek(446)
            image.write(table.ljust(64, b'\0') + b'\x55\xaa')
    cluster = str(recipe.get('cluster', 4096))
    if recipe.get('filesystem') == 'ntfs':
        run('mkntfs', '-q', '-F', '-s', str(SECTOR), '-c', cluster, out)
        for name in sorted(os.listdir(files)) if files else []:
            run('ntfscp', '-f', out, os.path.join(files, name), name)
    elif recipe.get('filesystem') == 'ext2':
        run('mke2fs', '-q', '-F', '-t', 'ext2', '-b', cluster, *(['-d', files] if files else []), out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', help='a folder')
    parser.add_argument('recipe')
    parser.add_argument('out')
    args = parser.parse_args()
    make(read_recipe(args.recipe), args.out, args.files)
    return 0


if __name__ == '__main__':
    sys.exit(main())
