#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Put the source of a library, of which a part of the guest is made, into the build folder.

The tarball is that of Debian's source package, fetched once through a private apt configuration into the cache, and known by its
SHA-256, whoever it came from.  Only the files that are asked for are unpacked: the library's headers into include/, and
the C files that are named, without their folders.  Patches, of files in the build folder (a/NAME.c), each say why they are there.
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

SUITES = ['trixie', 'bookworm']
PRIVATE_APT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'private-apt')


class Library:
    def __init__(self, package, tarball, sha256, option, headers, sources):
        self.package, self.tarball, self.sha256, self.option = package, tarball, sha256, option
        self.headers, self.sources = headers, sources     # folders of the archive


LIBRARIES = {
    'ntfs-3g': Library('ntfs-3g', 'ntfs-3g_2022.10.3.orig.tar.gz', '8bd7749ea9d8534c9f0664d48b576e90b96d45ec8803c9427f6ffaa2f0dde299', 'ntfs3g_source',
                       'ntfs-3g-2022.10.3/include/ntfs-3g/', 'ntfs-3g-2022.10.3/libntfs-3g/'),
    'libtomcrypt': Library('libtomcrypt', 'libtomcrypt_1.18.2+dfsg.orig.tar.xz', 'fec310cb440232e9a75da7ef1b2350e6d29e7808a8f6ff2f4158ae2ec0ff3670',
                           'libtomcrypt_source', 'libtomcrypt-1.18.2/src/headers/', 'libtomcrypt-1.18.2/src/'),
    'libtommath': Library('libtommath', 'libtommath_1.3.0.orig.tar.gz', '6d099e93ff00fa9b18346f4bcd97dcc48c3e91286f7e16c4ac5515a7171c3149',
                          'libtommath_source', 'libtommath-1.3.0/', 'libtommath-1.3.0/'),
}


class Failure(Exception):
    """Something the user has to know; its text is the whole message."""


def is_ours(library, path):
    if not os.path.isfile(path):
        return False
    with open(path, 'rb') as tarball:
        return hashlib.sha256(tarball.read()).hexdigest() == library.sha256


def fetch(library, cache, path):
    """From whichever suite has it; the tarball appears under its name only when it is whole and the right one."""
    if not shutil.which('apt-get'):
        raise Failure(f'{library.package}\'s source comes from Debian\'s source package, but apt-get is not here.\n'
                      f'Download Debian\'s {library.tarball} and name it:\n'
                      f'    meson configure build -D{library.option}=/path/to/{library.tarball}')
    print(f'{library.package}: fetching its source (2 MB at most) …', flush=True)
    said = ''
    for suite in SUITES:
        with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
            result = subprocess.run([PRIVATE_APT, cache, 'deb-src', suite, 'source', '--download-only', '--tar-only', library.package],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=work)
            fetched = os.path.join(work, library.tarball)
            if is_ours(library, fetched):
                os.replace(fetched, path)
                return
            said += f'{suite}:\n{result.stdout[-1500:]}'
    raise Failure(f'no suite gave {library.tarball} with the SHA-256 {library.sha256}:\n{said}')


def obtain(library, args):
    if args.source:
        if not is_ours(library, args.source):
            raise Failure(f'{library.option}: {args.source} is not {library.tarball} with the SHA-256 {library.sha256}')
        return args.source
    cache = os.path.abspath(args.cache or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'fltvm'))
    folder = os.path.join(cache, 'download')
    path = os.path.join(folder, library.tarball)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise Failure(f'cannot make the cache: {error}') from error
    if not is_ours(library, path):
        fetch(library, cache, path)
    return path


def unpack(library, tarball, output, names):
    """By name, and never where the archive says."""
    wanted = {library.sources + name: os.path.join(output, os.path.basename(name)) for name in names}
    os.makedirs(os.path.join(output, 'include'), exist_ok=True)
    with tarfile.open(tarball) as archive:
        for member in archive:
            place = wanted.pop(member.name, None)
            if member.name.endswith('.h') and os.path.dirname(member.name) + '/' == library.headers:
                place = os.path.join(output, 'include', os.path.basename(member.name))
            if place is not None and member.isfile():
                with open(place, 'wb') as out:
                    out.write(archive.extractfile(member).read())
    if wanted:
        raise Failure(f'{tarball} has no {", ".join(sorted(wanted))}')


def mend(output, patches):
    for path in sorted(patches):
        with open(path, 'rb') as text:
            result = subprocess.run(['patch', '--batch', '--forward', '--fuzz=0', '-p1', '-d', output], stdin=text, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            raise Failure(f'{path} does not fit:\n{result.stdout}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--output', required=True, help='folder for the files')
    parser.add_argument('--source', default='', help='the tarball; default: the source package')
    parser.add_argument('--cache', default='', help='default: ${XDG_CACHE_HOME:-~/.cache}/fltvm')
    parser.add_argument('--patch', action='append', default=[], help='to apply to the files, in order of the patches\' paths')
    parser.add_argument('library', choices=sorted(LIBRARIES))
    parser.add_argument('names', nargs='*', help='C files of the library')
    args = parser.parse_args()
    library = LIBRARIES[args.library]
    try:
        unpack(library, obtain(library, args), args.output, args.names)
        mend(args.output, args.patch)
    except (Failure, tarfile.TarError, OSError) as failure:
        print(f'{args.library}: error: {failure}', file=sys.stderr)
        return 1
    return 0


sys.exit(main())
