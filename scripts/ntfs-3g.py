#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Put libntfs-3g's source, of which ntfs.sys is made, into the build folder.

The tarball is the one of Debian's source package as its authors released it: the same in Debian 12 and 13, fetched once through a private apt
configuration into the cache, and known by its SHA-256, whoever it came from.  Only the files that are asked for are
unpacked: the library's headers into include/, and the C files that are named.
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = '2022.10.3'
NAME = f'ntfs-3g_{VERSION}.orig.tar.gz'
SHA256 = '8bd7749ea9d8534c9f0664d48b576e90b96d45ec8803c9427f6ffaa2f0dde299'
SUITES = ['trixie', 'bookworm']
PRIVATE_APT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'private-apt')
HEADERS = f'ntfs-3g-{VERSION}/include/ntfs-3g/'
SOURCES = f'ntfs-3g-{VERSION}/libntfs-3g/'


class Failure(Exception):
    """Something the user has to know; its text is the whole message."""


def is_ours(path):
    if not os.path.isfile(path):
        return False
    with open(path, 'rb') as tarball:
        return hashlib.sha256(tarball.read()).hexdigest() == SHA256


def fetch(cache, path):
    """From whichever suite has it; the tarball appears under its name only when it is whole and the right one."""
    if not shutil.which('apt-get'):
        raise Failure('libntfs-3g\'s source comes from Debian\'s source package, but apt-get is not here.\n'
                      f'Download ntfs-3g {VERSION}\'s source (ntfs-3g_ntfsprogs-{VERSION}.tgz, or Debian\'s {NAME}) and name it:\n'
                      f'    meson configure build -Dntfs3g_source=/path/to/{NAME}')
    print('ntfs-3g: fetching libntfs-3g\'s source (about 1 MB) …', flush=True)
    said = ''
    for suite in SUITES:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
            result = subprocess.run([PRIVATE_APT, cache, 'deb-src', suite, 'source', '--download-only', '--tar-only', 'ntfs-3g'],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=work)
            fetched = os.path.join(work, NAME)
            if is_ours(fetched):
                os.replace(fetched, path)
                return
            said += f'{suite}:\n{result.stdout[-1500:]}'
    raise Failure(f'no suite gave {NAME} with the SHA-256 {SHA256}:\n{said}')


def obtain(args):
    if args.source:
        if not is_ours(args.source):
            raise Failure(f'ntfs3g_source: {args.source} is not {NAME} with the SHA-256 {SHA256}')
        return args.source
    cache = os.path.abspath(args.cache or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'fltvm'))
    folder = os.path.join(cache, 'download')
    path = os.path.join(folder, NAME)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Failure(f'cannot make the cache: {error}') from error
    if not is_ours(path):
        fetch(cache, path)
    return path


def unpack(tarball, output, names):
    """By name, and never where the archive says."""
    wanted = {SOURCES + name: os.path.join(output, name) for name in names}
    os.makedirs(os.path.join(output, 'include'), exist_ok=True)
    with tarfile.open(tarball) as archive:
        for member in archive:
            place = wanted.pop(member.name, None)
            if member.name.startswith(HEADERS) and member.name.endswith('.h'):
                place = os.path.join(output, 'include', os.path.basename(member.name))
            if place is not None and member.isfile():
                with open(place, 'wb') as out:
                    out.write(archive.extractfile(member).read())
    if wanted:
        raise Failure(f'{tarball} has no {", ".join(sorted(wanted))}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--output', required=True, help='folder for the files')
    parser.add_argument('--source', default='', help='the tarball; default: the source package')
    parser.add_argument('--cache', default='', help='default: ${XDG_CACHE_HOME:-~/.cache}/fltvm')
    parser.add_argument('names', nargs='*', help='C files of the library')
    args = parser.parse_args()
    try:
        unpack(obtain(args), args.output, args.names)
    except (Failure, tarfile.TarError, OSError) as failure:
        print(f'ntfs-3g: error: {failure}', file=sys.stderr)
        return 1
    return 0


sys.exit(main())
