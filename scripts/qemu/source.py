# SPDX-License-Identifier: GPL-2.0-or-later
"""Where QEMU's source comes from, and how it gets into the cache.

Three kinds, each with an identity that names the folder it is built in: the distribution's source package (fetched
through a private apt configuration, so that the user's apt sources stay as they are), a tarball, and a directory of
the user's own.  A directory is followed: files that change in it are copied again.
"""
import glob
import hashlib
import os
import re
import shutil
import subprocess

PRIVATE_APT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'private-apt')
SUITE = 'trixie'           # the release whose source package is QEMU 10.0, the LTS
WANTED = re.compile(r'10\.')


class Failure(Exception):
    """Something the user has to know; its text is the whole message."""


def run(command, what, **settings):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                            **settings)
    if result.returncode:
        raise Failure(f'{what} failed ({" ".join(command[:2])} …):\n{result.stdout[-3000:]}')
    return result.stdout


def file_identity(path):
    info = os.stat(path)
    return f'{os.path.abspath(path)} {info.st_size} {info.st_mtime_ns}'


class Package:
    """The distribution's source package, Debian's patches applied."""

    def __init__(self, cache):
        self.cache = cache
        self.identity = f'debian {SUITE}'
        self.follows = False

    def unpack(self, target):
        if not shutil.which('apt-get') or not shutil.which('dpkg-source'):
            raise Failure('QEMU\'s source comes from Debian\'s source package, but apt-get and dpkg-source are not '
                          'here.\nDownload QEMU 10.0 from https://www.qemu.org/download/ and name it:\n'
                          '    meson configure build -Dqemu_source=/path/to/qemu-10.0.x.tar.xz')
        folder = os.path.join(self.cache, 'download')
        os.makedirs(folder, exist_ok=True)
        dsc = self.downloaded(folder)
        if not dsc:
            print('qemu: fetching QEMU\'s source (about 40 MB) …', flush=True)
            run([PRIVATE_APT, self.cache, 'deb-src', SUITE, 'source', '--download-only', 'qemu'],
                'fetching QEMU\'s source package', cwd=folder)
            dsc = self.downloaded(folder)
            if not dsc:
                raise Failure(f'{SUITE} has no QEMU 10 source package; name a tree with -Dqemu_source=…')
        print(f'qemu: unpacking {os.path.basename(dsc)} …', flush=True)
        run(['dpkg-source', '--no-check', '-x', dsc, target], 'dpkg-source')

    @staticmethod
    def downloaded(folder):
        """The newest complete package here; dpkg-source -x checks its hashes."""
        for dsc in sorted(glob.glob(os.path.join(folder, 'qemu_*.dsc')), reverse=True):
            with open(dsc, encoding='utf-8', errors='replace') as lines:
                text = lines.read()
            files = re.findall(r'^ [0-9a-f]{64} (\d+) (\S+)$', text, re.M)
            if files and WANTED.match(os.path.basename(dsc).split('_')[1].split(':')[-1]) and all(
                    os.path.exists(os.path.join(folder, name)) and
                    os.path.getsize(os.path.join(folder, name)) == int(size) for size, name in files):
                return dsc
        return None


class Tarball:
    """A release tarball that the user named."""

    def __init__(self, path):
        self.path = path
        self.identity = f'tarball {file_identity(path)}'
        self.follows = False

    def unpack(self, target):
        print(f'qemu: unpacking {os.path.basename(self.path)} …', flush=True)
        os.makedirs(target)
        run(['tar', '-xf', self.path, '-C', target, '--strip-components=1'], 'tar')
        check_tree(target, self.path)


class Directory:
    """A source tree that the user named; it is only read."""
    SKIP = {'.git', 'build', '__pycache__'}

    def __init__(self, path):
        self.path = os.path.abspath(path)
        self.identity = f'directory {self.path}'
        self.follows = True
        check_tree(self.path, self.path)

    def unpack(self, target):
        print(f'qemu: copying {self.path} …', flush=True)
        os.makedirs(target)

    def follow(self, target, pristine):
        """Copy what changed to `target`, or to `pristine` where that holds the file the overlay replaced."""
        for folder, names, files in os.walk(self.path):
            names[:] = [n for n in names if n not in self.SKIP]
            place = os.path.relpath(folder, self.path)
            os.makedirs(os.path.join(target, place), exist_ok=True)
            for name in files:
                relative = os.path.normpath(os.path.join(place, name))
                copy = os.path.join(pristine, relative)
                if not os.path.lexists(copy):
                    copy = os.path.join(target, relative)
                copy_if_changed(os.path.join(folder, name), copy)


def copy_if_changed(source, target):
    before, there = os.lstat(source), os.lstat(target) if os.path.lexists(target) else None
    if there and there.st_size == before.st_size and there.st_mtime_ns == before.st_mtime_ns:
        return
    if there:
        os.unlink(target)
    shutil.copy2(source, target, follow_symlinks=False)


def check_tree(path, named):
    try:
        with open(os.path.join(path, 'VERSION'), encoding='utf-8') as version:
            number = version.read().strip()
    except OSError:
        number = ''
    if not os.path.exists(os.path.join(path, 'hw', 'Kconfig')) or not number:
        raise Failure(f'{named} is not a QEMU source tree')
    if not WANTED.match(number):
        raise Failure(f'{named} is QEMU {number}; the overlay is for 10.x')


def select(named, cache):
    if not named:
        return Package(cache)
    if os.path.isdir(named):
        return Directory(named)
    if os.path.isfile(named):
        return Tarball(named)
    raise Failure(f'qemu_source: {named}: no such file or directory')


def key(*parts):
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:12]
