#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real disks: NTFS by mkntfs and ntfscp, ext2 by mke2fs, raw and qcow2.

real_image.lua reads each through three stacked minifilters, and writes to it through them; the hash of what it read is
compared with the host's, and what it wrote is looked for with the tools that made the image.

usage: real_image.py FLTVM QEMU-IMG
"""
import hashlib
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402

FLTVM, QEMU_IMG = (sys.argv + [None, None])[1:3]
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
SCENARIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'real_image.lua')
SIZE = 12 << 20
BLOCKS = 16
TOOLS = os.environ['PATH'] + ':/usr/sbin:/sbin'


def run(*words, **options):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, 'PATH': TOOLS}, **options).stdout


def blocks(form):
    return b''.join((form % number * 256)[:4096] for number in range(BLOCKS))


def make_files(folder):
    noise = random.Random(1).randbytes(3 << 20)
    for name, content in (('noise.bin', noise), ('marker.bin', blocks(b'fltvm marker block %02d;'))):
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(content)


def make_image(name, image, files):
    run(os.path.join(ROOT, 'scripts', 'make-image.py'), '--fltvm', FLTVM, '--files', files, os.path.join(ROOT, 'images', name + '.image'), image)


def make_ntfs(image, files):
    make_image('ntfs', image, files)


def read_ntfs(image, name):
    return subprocess.run(['ntfscat', '-f', image, name], check=True, stdout=subprocess.PIPE,
                          env={**os.environ, 'PATH': TOOLS}).stdout


def make_ext2(image, files):
    make_image('ext2', image, files)


def read_ext2(image, name):
    return subprocess.run(['debugfs', '-R', f'cat /{name}', image], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env={**os.environ, 'PATH': TOOLS}).stdout


def through_the_filters(make, read, form):
    with tempfile.TemporaryDirectory(prefix='fltvm-real-image-') as folder:
        files, raw = os.path.join(folder, 'files'), os.path.join(folder, 'disk.raw')
        os.mkdir(files)
        make_files(files)
        make(raw, files)
        tap.equal(os.path.getsize(raw), SIZE, 'size of the image')
        with open(raw, 'rb') as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
        image = raw
        if form == 'qcow2':
            image = os.path.join(folder, 'disk.qcow2')
            run(QEMU_IMG, 'convert', '-O', 'qcow2', raw, image)
        result = subprocess.run([FLTVM, 'run', '--timeout', '250', SCENARIO], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False,
                                env={**os.environ, 'FLTVM_TEST_IMAGE': image, 'FLTVM_TEST_SHA256': sha256,
                                     'FLTVM_TEST_SIZE': str(SIZE)})
        tap.equal(result.returncode, 0, 'exit status of ' + result.stdout[-3000:])
        if form == 'qcow2':
            run(QEMU_IMG, 'convert', '-O', 'raw', image, raw)
        tap.check(read(raw, 'marker.bin') == blocks(b'FLTVM WRITTEN BLOCK %02d;'),
                  'the tools do not find what was written')
        with open(os.path.join(files, 'noise.bin'), 'rb') as file:
            tap.check(read(raw, 'noise.bin') == file.read(), 'another file changed')


@tap.case
def ntfs_on_raw():
    through_the_filters(make_ntfs, read_ntfs, 'raw')


@tap.case
def ntfs_on_qcow2():
    through_the_filters(make_ntfs, read_ntfs, 'qcow2')


@tap.case
def ext2_on_raw():
    through_the_filters(make_ext2, read_ext2, 'raw')


@tap.case
def ext2_on_qcow2():
    through_the_filters(make_ext2, read_ext2, 'qcow2')


if __name__ == '__main__':
    sys.exit(tap.main())
