#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a disk image from a recipe.

usage: make-image.py [--files FOLDER] [--fltvm FLTVM] RECIPE OUT

A recipe is a text of lines "NAME = VALUE", comments after '#':

  size = 12M                       bytes, or with K, M or G
  table = mbr | gpt                of partitions; mbr unless told
  partition = TYPE FIRST COUNT     one of them: its type (07; for gpt "basic" or a GUID), its first sector and how many

and of a file system, for the partition above, or without partitions for the whole disk:

  filesystem = ntfs | ext2
  cluster = 4096                   its cluster or block
  label = Data
  serial = 1122334455667788        in hexadecimal; unless told it follows from the recipe
  files = FOLDER                   what is put into its root; beside the recipe

--files names the folder for the recipe's first file system.  The same recipe and files make the same bytes.  Partitions
need sfdisk, ntfs ntfs-3g's mkntfs and the built command (--fltvm, or the one in FLTVM_BUILD or build/), ext2 e2fsprogs' mke2fs.
"""
import argparse
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile

UNITS = {'': 1, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}
SECTOR = 512
PIECE = 1 << 20
TIME = '1577836800'    # 2020-01-01
BASIC_DATA = 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7'
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def number(text):
    found = re.fullmatch(r'(\d+)([KMG]?)', text)
    if not found:
        raise ValueError(f'"{text}" is no size')
    return int(found[1]) * UNITS[found[2]]


def serial(text):
    if not re.fullmatch(r'[0-9A-Fa-f]{1,16}', text):
        raise ValueError(f'"{text}" is no serial number')
    return int(text, 16)


def one_of(*names):
    def choose(text):
        if text not in names:
            raise ValueError(f'unknown: {text}, where {" or ".join(names)} is wanted')
        return text
    return choose


def partition(text):
    words = text.split()
    if len(words) != 3:
        raise ValueError('a partition is TYPE FIRST COUNT')
    return {'type': words[0], 'first': int(words[1]), 'count': int(words[2])}


DISK = {'size': number, 'table': one_of('mbr', 'gpt')}
VOLUME = {'filesystem': one_of('ntfs', 'ext2'), 'cluster': number, 'label': str, 'serial': serial, 'files': str}


def read_recipe(path):
    recipe = {'partitions': []}
    with open(path, encoding='utf-8') as lines:
        for count, line in enumerate(lines, 1):
            line = line.split('#', 1)[0].strip()
            if not line:
                continue
            name, _, value = (part.strip() for part in line.partition('='))
            volume = recipe['partitions'][-1] if recipe['partitions'] else recipe
            try:
                if name == 'partition':
                    recipe['partitions'].append(partition(value))
                elif name in DISK:
                    recipe[name] = DISK[name](value)
                elif name in VOLUME:
                    volume[name] = VOLUME[name](value)
                else:
                    raise ValueError(f'unknown: {line}')
            except ValueError as error:
                raise SystemExit(f'{path}:{count}: error: {error}') from None
    check(recipe, path)
    return recipe


def check(recipe, path):
    def refuse(reason):
        raise SystemExit(f'{path}: error: {reason}')
    kind = recipe.get('table', 'mbr')
    if not recipe.get('size') or recipe['size'] % SECTOR:
        refuse('no size, or not one of whole sectors')
    if recipe['partitions'] and 'filesystem' in recipe:
        refuse('partitions, or a file system over the whole disk')
    if kind == 'mbr' and len(recipe['partitions']) > 4:
        refuse('an mbr has at most four partitions')
    last = 0
    for entry in recipe['partitions']:
        what = f'partition {entry["type"]} {entry["first"]} {entry["count"]}'
        if kind == 'gpt':
            entry['type'] = BASIC_DATA if entry['type'] == 'basic' else entry['type']
            if not re.fullmatch(r'[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}', entry['type']):
                refuse(f'{what}: a type is "basic" or a GUID')
        elif not re.fullmatch(r'[0-9A-Fa-f]{1,2}', entry['type']) or not int(entry['type'], 16):
            refuse(f'{what}: a type is a byte in hexadecimal')
        tail = 33 if kind == 'gpt' else 0
        if entry['first'] < (34 if kind == 'gpt' else 1) or entry['count'] < 1 or (entry['first'] + entry['count'] + tail) * SECTOR > recipe['size']:
            refuse(f'{what} is not within the disk')
        if entry['first'] < last:
            refuse(f'{what} begins in the one before')
        last = entry['first'] + entry['count']
    for volume in (recipe, *recipe['partitions']):
        if 'filesystem' not in volume and any(name in volume for name in VOLUME):
            refuse('no filesystem is named for what is said of one')


def run(*words, text=None):
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    try:
        result = subprocess.run(words, env={**os.environ, 'PATH': path, 'E2FSPROGS_FAKE_TIME': TIME}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, input=text, text=True,
                                check=False)
    except FileNotFoundError:
        raise SystemExit(f'error: {words[0]} is not installed') from None
    if result.returncode:
        raise SystemExit(f'error: {" ".join(words)}: {result.stdout}')


def guid_of(identity, name):
    """What is random otherwise follows from the recipe."""
    digits = hashlib.sha256(f'{identity} {name}'.encode()).hexdigest().upper()
    return '-'.join((digits[:8], digits[8:12], '4' + digits[13:16], '8' + digits[17:20], digits[20:32]))


def write_table(recipe, out, identity):
    gpt = recipe.get('table') == 'gpt'
    lines = ['label: gpt', f'label-id: {guid_of(identity, "disk")}', 'first-lba: 34'] if gpt else ['label: dos', 'label-id: 0x00000000']
    for count, entry in enumerate(recipe['partitions']):
        lines.append(f'start={entry["first"]}, size={entry["count"]}, type={entry["type"]}' + (f', uuid={guid_of(identity, count)}' if gpt else ''))
    run('sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', '--wipe', 'never', out, text='\n'.join(lines) + '\n')


def make_ntfs(volume, out, first, identity, fltvm):
    words = ['-L', volume['label']] if 'label' in volume else []
    run('mkntfs', '-q', '-F', '-f', '-T', '-s', str(SECTOR), '-p', str(first), '-H', '255', '-S', '63', '-c', str(volume.get('cluster', 4096)), *words, out)
    number_of = volume.get('serial', int(hashlib.sha256(f'{identity} {first}'.encode()).hexdigest()[:16], 16))
    with open(out, 'r+b') as image:
        size = image.seek(0, os.SEEK_END)
        for sector in (0, size // SECTOR * SECTOR - SECTOR):   # the boot sector and its copy
            image.seek(sector + 0x48)
            image.write(struct.pack('<Q', number_of))
    if volume.get('files'):
        run(fltvm, 'image', 'add', '--partition=0', '--', out, volume['files'])


def make_ext2(volume, out, first, identity, _):
    name = guid_of(identity, first).lower()
    words = ['-L', volume['label']] if 'label' in volume else []
    if volume.get('files'):
        words += ['-d', volume['files']]
    run('mke2fs', '-q', '-F', '-t', 'ext2', '-U', name, '-E', f'hash_seed={name}', '-b', str(volume.get('cluster', 4096)), *words, out)


MAKERS = {'ntfs': make_ntfs, 'ext2': make_ext2}


def copy_sparsely(source, target):
    while True:
        piece = source.read(PIECE)
        if not piece:
            return
        if any(piece):
            target.write(piece)
        else:
            target.seek(len(piece), os.SEEK_CUR)


def make(recipe, out, identity, fltvm):
    with open(out, 'wb') as image:
        image.truncate(recipe['size'])
    if recipe['partitions']:
        write_table(recipe, out, identity)
    elif 'filesystem' in recipe:
        MAKERS[recipe['filesystem']](recipe, out, 0, identity, fltvm)
    for entry in recipe['partitions']:
        if 'filesystem' not in entry:
            continue
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(os.path.abspath(out)), prefix='.volume-') as part, open(out, 'r+b') as image:
            part.truncate(entry['count'] * SECTOR)
            MAKERS[entry['filesystem']](entry, part.name, entry['first'], identity, fltvm)
            image.seek(entry['first'] * SECTOR)
            copy_sparsely(part, image)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', help='a folder')
    parser.add_argument('--fltvm', default=os.path.join(os.environ.get('FLTVM_BUILD') or os.path.join(ROOT, 'build'), 'host', 'fltvm'),
                        help='the built command')
    parser.add_argument('recipe')
    parser.add_argument('out')
    args = parser.parse_args()
    try:
        recipe = read_recipe(args.recipe)
        with open(args.recipe, 'rb') as text:
            identity = hashlib.sha256(text.read()).hexdigest()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f'{args.recipe}: error: {error}') from None
    volumes = [volume for volume in (recipe, *recipe['partitions']) if 'filesystem' in volume]
    for volume in volumes:
        if 'files' in volume:
            volume['files'] = os.path.join(os.path.dirname(os.path.abspath(args.recipe)), volume['files'])
    if args.files:
        if not volumes:
            raise SystemExit(f'{args.recipe}: error: there is no file system for the files')
        volumes[0]['files'] = args.files
    make(recipe, args.out, identity, args.fltvm)
    return 0


if __name__ == '__main__':
    sys.exit(main())
