#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""NTFS volumes in images: made from nothing, by a recipe and from a folder, listed, read, extracted, compared, checked, by nobody in particular."""
import hashlib
import os
import random
import struct
import subprocess
import sys

from command import Folder, expect, says_not
import tap
from tap import case, check, equal

TOOLS = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'}
NAMES = {'empty': 0, 'small': 100, 'folder/größe €𝄞.txt': 5000, 'folder/' + 'l' * 255: 70000, 'folder/deep/er/file': 300000, "it's #1 [a] & %b;.c": 4096}


def tree(folder, names=None):
    noise = random.Random(7)
    for name, size in (names or NAMES).items():
        path = folder.file('files/' + name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(noise.randbytes(size))
    return folder.file('files')


def hash_of(folder, name):
    return hashlib.sha256(folder.read(name)).hexdigest()


def ntfs(folder, name, *options):
    expect(folder.fltvm('image', 'ntfs', '--force', name, '16M', *options), 0)


@case
def a_volume_is_made_of_a_folder_and_comes_back():
    with Folder() as folder:
        files = tree(folder)
        ntfs(folder, 'a.raw', '--files', files, '--label', 'Some Data')
        listed = folder.fltvm('image', 'list', 'a.raw').stdout.decode()
        for name, size in NAMES.items():
            check(f'{size:12}  {name}\n' in listed, listed)
        check(f'{"folder":>12}  folder/deep\n' in listed, listed)
        equal(len(folder.fltvm('image', 'list', 'a.raw', '/folder/deep/').stdout.splitlines()), 2, 'a folder of it')
        equal(folder.fltvm('image', 'read', 'a.raw', 'folder/deep/er/file').stdout, folder.read('files/folder/deep/er/file'), 'a file')
        expect(folder.fltvm('image', 'extract', 'a.raw', 'out'), 0)
        equal(subprocess.run(['diff', '-r', files, folder.file('out')], stdout=subprocess.PIPE, check=False).stdout, b'', 'what was extracted')
        expect(folder.fltvm('image', 'compare', 'a.raw', files), 0)
        expect(folder.fltvm('image', 'check', 'a.raw'), 0, 'no fault was found')
        info = subprocess.run(['ntfsinfo', '-m', folder.file('a.raw')], stdout=subprocess.PIPE, check=True, env=TOOLS).stdout.decode()
        check('Volume Name: Some Data' in info and 'Volume Flags: 0x0000' in info, info)
        subprocess.run(['ntfsfix', '-n', folder.file('a.raw')], stdout=subprocess.PIPE, check=True, env=TOOLS)


@case
def the_same_folder_makes_the_same_bytes():
    with Folder() as folder:
        files = tree(folder)
        for name in ('a.raw', 'b.raw'):
            ntfs(folder, name, '--files', files)
            for path, folders, names in os.walk(files):
                for entry in names + folders:
                    os.utime(os.path.join(path, entry), (1, 1))
        equal(hash_of(folder, 'a.raw'), hash_of(folder, 'b.raw'), 'two images')
        for recipe in ('ntfs', 'gpt', 'mbr'):
            for name in ('a.raw', 'b.raw'):
                expect(folder.fltvm('image', 'make', '--force', recipe, name), 0)
            equal(hash_of(folder, 'a.raw'), hash_of(folder, 'b.raw'), recipe)


@case
def clusters_of_every_size():
    with Folder() as folder:
        files = tree(folder)
        for size in ('512', '1K', '4096', '64K'):
            ntfs(folder, 'a.raw', '--cluster', size, '--files', files)
            expect(folder.fltvm('image', 'compare', 'a.raw', files), 0)
            expect(folder.fltvm('image', 'check', 'a.raw'), 0)
        expect(folder.fltvm('image', 'ntfs', 'b.raw', '16M', '--cluster', '1000'), 2, 'cluster')
        check(not os.path.exists(folder.file('b.raw')), 'an image is left')


@case
def volumes_in_partitions_are_found():
    with Folder() as folder:
        files = tree(folder, {'a': 1000, 'b/c': 20000})
        for recipe in ('gpt', 'mbr'):
            expect(folder.fltvm('image', 'make', '--force', '--files', files, recipe, 'a.raw'), 0)
            expect(folder.fltvm('image', 'compare', 'a.raw', files), 0)
            expect(folder.fltvm('image', 'compare', '--partition=1', 'a.raw', files), 0)
            expect(folder.fltvm('image', 'check', 'a.raw'), 0)
            expect(folder.fltvm('image', 'list', '--partition=3', 'a.raw'), 2, 'no partition 3')
            expect(folder.fltvm('image', 'list', '--partition=0', 'a.raw'), 2, 'no NTFS volume')
        expect(folder.fltvm('image', 'make', '--force', 'gpt', 'a.raw'), 0)
        expect(folder.fltvm('image', 'add', '--partition=2', 'a.raw', files), 0)
        expect(folder.fltvm('image', 'compare', '--partition=2', 'a.raw', files), 0)
        equal(folder.fltvm('image', 'list', 'a.raw').stdout, b'', 'the first')
        expect(folder.fltvm('image', 'list', '--partition=2', 'a.raw'), 0, ' b/c')


@case
def a_partition_that_reaches_beyond_the_image_is_refused():
    with Folder() as folder:
        expect(folder.fltvm('image', 'make', 'mbr', 'a.raw'), 0)
        os.truncate(folder.file('a.raw'), (2048 + 24576 - 1) * 512)   # all of the first but its last sector
        for options in ([], ['--partition=1']):
            expect(folder.fltvm('image', 'list', *options, 'a.raw'), 2, 'a.raw: the partition is not within the disk')


@case
def each_difference_is_told():
    with Folder() as folder:
        files = tree(folder)
        ntfs(folder, 'a.raw', '--files', files)
        with open(folder.file('files/folder/deep/er/file'), 'r+b') as file:
            file.seek(123456)
            byte = file.read(1)
            file.seek(123456)
            file.write(bytes([byte[0] ^ 1]))
        os.remove(folder.file('files/empty'))
        os.remove(folder.file('files/small'))
        os.mkdir(folder.file('files/small'))
        folder.write('files/folder/new', b'')
        folder.write("files/it's #1 [a] & %b;.c", bytes(5000))
        done = folder.fltvm('image', 'compare', 'a.raw', files)
        equal((done.returncode, sorted(done.stdout.decode().splitlines())),
              (1, sorted(['folder/deep/er/file: differs from byte 123456 on', 'empty: only on the volume', 'small: of another kind', 'folder/new: only in the folder',
                          "it's #1 [a] & %b;.c: 4096 bytes on the volume, 5000 in the folder"])), 'differences')


@case
def what_cannot_be_is_refused_and_named():
    with Folder() as folder:
        files = tree(folder, {'a': 10})
        ntfs(folder, 'a.raw', '--files', files)
        equal(folder.fltvm('image', 'read', 'a.raw', 'A').stdout, folder.read('files/a'), 'a name in another case')
        expect(folder.fltvm('image', 'read', 'a.raw', 'b'), 2, "a.raw: 'b': No such file")
        expect(folder.fltvm('image', 'read', 'a.raw', 'a:b'), 2, 'no such stream')
        expect(folder.fltvm('image', 'list', 'a.raw', 'a'), 2, 'not a folder')
        expect(folder.fltvm('image', 'add', 'a.raw', files), 2, 'a: File exists')
        folder.write('blank.raw', bytes(1 << 20))
        expect(folder.fltvm('image', 'list', 'blank.raw'), 2, 'no NTFS volume in it')
        expect(folder.fltvm('image', 'extract', 'a.raw', folder.file('files')), 2, 'not empty')
        os.symlink('/etc/passwd', folder.file('files/link'))
        expect(folder.fltvm('image', 'ntfs', 'b.raw', '16M', '--files', files), 2, 'link: neither a file nor a folder')
        os.remove(folder.file('files/link'))
        folder.write('files/big', bytes(20 << 20))
        expect(folder.fltvm('image', 'ntfs', 'b.raw', '16M', '--files', files), 2, 'big: No space left')
        os.remove(folder.file('files/big'))
        for name in ('a:b', 'a*', 'dot.', 'blank ', 'A\\b'):
            folder.write('files/' + name, b'')
            expect(folder.fltvm('image', 'ntfs', 'b.raw', '16M', '--files', files), 2, 'the name is none for NTFS')
            os.remove(folder.file('files/' + name))
        folder.write('files/A', b'')
        expect(folder.fltvm('image', 'ntfs', 'b.raw', '16M', '--files', files), 2, 'File exists')
        expect(folder.fltvm('image', 'make', 'nosuch', 'b.raw'), 2, 'recipe: nosuch')
        expect(folder.fltvm('image', 'make', 'ntfs', 'b.qcow2'), 2, 'fltvm image convert')
        expect(folder.fltvm('image', 'lst', 'a.raw'), 2, 'no such action')
        check(not os.path.exists(folder.file('b.raw')), 'half an image is left')


def flip(folder, where, mask=1):
    with open(folder.file('a.raw'), 'r+b') as image:
        image.seek(where)
        byte = image.read(1)[0]
        image.seek(where)
        image.write(bytes([byte ^ mask]))


@case
def damage_is_found():
    """One thing at a time, in what mkntfs and the import wrote: records lie behind each other from the MFT's first cluster on."""
    with Folder() as folder:
        files = tree(folder, {'folder/a': 100000, 'folder/b': 200000})
        ntfs(folder, 'a.raw', '--files', files)
        good = folder.read('a.raw')
        mft = struct.unpack_from('<Q', good, 0x30)[0] * 4096
        def record_of(name):
            at = good.index(name.encode('utf-16-le') + b'\0', mft)
            return at // 1024 * 1024
        a = record_of('a')
        runs = good.index(struct.pack('<I', 0x80), a) + 64
        bitmap = struct.unpack_from('<b', good, mft + 6 * 1024)   # record 6 is $Bitmap
        check(bitmap, 'a record of the bitmap')
        cases = ((a + 22, 1, 'marked, and not in use'),                        # IN_USE
                 (a + 18, 3, 'names, and says'),                               # link_count
                 (a + 16, 1, 'leads to no file'),                              # sequence number
                 (runs + 2, 1, 'cluster'))                                     # where its clusters are
        for where, mask, words in cases:
            folder.write('a.raw', good)
            flip(folder, where, mask)
            expect(folder.fltvm('image', 'check', 'a.raw'), 1, words)
        folder.write('a.raw', good)
        says_not(folder.fltvm('image', 'check', 'a.raw'), 'record')


def first_cluster(image, record):
    """Of the data of a record whose data lie in clusters."""
    at = record + struct.unpack_from('<H', image, record + 0x14)[0]
    while struct.unpack_from('<I', image, at)[0] != 0x80:
        at += struct.unpack_from('<I', image, at + 4)[0]
    at += struct.unpack_from('<H', image, at + 0x20)[0]
    lengths, places = image[at] & 15, image[at] >> 4
    return int.from_bytes(image[at + 1 + lengths:at + 1 + lengths + places], 'little', signed=True)


@case
def what_is_lost_is_no_damage():
    with Folder() as folder:
        files = tree(folder, {'folder/a': 100000, 'folder/b': 200000})
        ntfs(folder, 'a.raw', '--files', files)
        good = folder.read('a.raw')
        mft = struct.unpack_from('<Q', good, 0x30)[0] * 4096
        bitmap = first_cluster(good, mft + 6 * 1024) * 4096
        free = next(i for i in range(bitmap + 100, bitmap + 4096) if good[i] == 0)
        flip(folder, free, 0x14)
        done = folder.fltvm('image', 'check', 'a.raw')
        expect(done, 1, 'is marked, and nobody has it')
        expect(folder.fltvm('image', 'check', '--lost', 'a.raw'), 0, 'lost, and no fault: 2 clusters', 'no fault was found')
        flip(folder, good.index('a'.encode('utf-16-le') + b'\0', mft) // 1024 * 1024 + 18, 3)
        expect(folder.fltvm('image', 'check', '--lost', 'a.raw'), 1, 'names, and says', 'lost, and no fault: 2 clusters')


@case
def a_hostile_volume_does_not_leave_its_folder():
    with Folder() as folder:
        files = tree(folder, {'xxpwned': 3, 'xx': 3})
        ntfs(folder, 'a.raw', '--files', files)
        for name, other in (('xxpwned', '../pwned'[:7]), ('xx', '..')):
            image = folder.read('a.raw').replace(name.encode('utf-16-le'), other.encode('utf-16-le'))
            folder.write('b.raw', image)
            done = folder.fltvm('image', 'extract', 'b.raw', 'out-' + name)
            check(done.returncode in (0, 2), done.stderr)
            check(not os.path.exists(folder.file('pwne')) and not os.path.exists(folder.file('pwned')), 'a file beside the folder')
            expect(folder.fltvm('image', 'list', 'b.raw'), 0)
        noise = random.Random(3)
        good = folder.read('a.raw')
        mft = struct.unpack_from('<Q', good, 0x30)[0] * 4096
        for _ in range(25):
            image = bytearray(good)
            for _ in range(noise.randrange(1, 20)):
                image[mft + noise.randrange(80 * 1024)] ^= noise.randrange(1, 256)
            folder.write('b.raw', bytes(image))
            for action in (('check',), ('list',), ('compare', files)):
                done = folder.fltvm('image', action[0], 'b.raw', *action[1:], timeout=120)
                check(done.returncode in (0, 1, 2), f'{action}: {done.returncode} {done.stderr}')


@case
def a_scenario_names_a_recipe():
    with Folder() as folder:
        done = folder.scenario('local vm = fltvm.machine{disks={{image="gpt"}, {image="ntfs"}}}\n'
                               'local root = vm:open("\\\\Device\\\\HarddiskVolume2\\\\", {access="r", options="directory"})\n'
                               'note(root:volume("volume").label, root:volume("size").sectors_per_cluster)\n'
                               'local path = fltvm.temp("own.raw")\n'
                               'local output, status = fltvm.image{"make", "ntfs", path}\n'
                               'expect_equal(status, 0, output)\n'
                               'output, status = fltvm.image{"check", path}\n'
                               'expect_equal(output, "no fault was found\\n", "it is sound")\n', '--timeout', '100')
        expect(done, 0, 'Large')
        expect(folder.scenario('fltvm.machine{disks={{image="ntfs", writable=true}}}'), 2, "'ntfs' is a recipe", 'fltvm.image')
        expect(folder.scenario('fltvm.machine{disks={{image="nosuch"}}}'), 2, 'nosuch: No such file')
        expect(folder.scenario('fltvm.image{}'), 2, 'no command')


sys.exit(tap.main())
