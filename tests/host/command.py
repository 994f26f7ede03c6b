# SPDX-License-Identifier: GPL-2.0-or-later
"""The host command, run by a test: a folder of its own, the fake guest or the real one, and what it said.

usage of a test: NAME.py FLTVM QEMU-FOLDER FAKE-QEMU
"""
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
sys.dont_write_bytecode = True
import tap  # noqa: E402

# What disturbs a terminal.
FORBIDDEN = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]')

FLTVM, QEMU_FOLDER, FAKE = [os.path.abspath(word) for word in (sys.argv + ['', '', ''])[1:4]]


class Folder:
    """A temporary folder with scenarios; a temporary folder of the command's own is in it."""

    def __init__(self, fake=False):
        self.holder = tempfile.TemporaryDirectory(prefix='fltvm-test-')
        self.path = self.holder.name
        self.temporary = self.file('tmp')
        os.mkdir(self.temporary)
        self.environment = dict(os.environ, TMPDIR=self.temporary)
        if fake:
            stub = self.write('stub', b'kernel')
            self.environment.update(FLTVM_QEMU=FAKE, FLTVM_KERNEL=stub, FLTVM_INITRD=stub)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.cleanup()

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        with open(self.file(name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.file(name)

    def read(self, name):
        with open(self.file(name), 'rb') as file:
            return file.read()

    def fltvm(self, *words, timeout=60, **settings):
        """Run the command to its end; `.all` is both outputs, `.seconds` how long it took."""
        started = time.monotonic()
        settings = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'env': self.environment, 'cwd': self.path,
                    **settings}
        done = subprocess.run([FLTVM, *words], timeout=timeout, check=False, **settings)
        done.seconds = time.monotonic() - started
        done.all = ((done.stdout or b'') + (done.stderr or b'')).decode(errors='surrogateescape')
        return done

    def scenario(self, text, *options, name='scenario.lua', **settings):
        self.write(name, text)
        return self.fltvm('run', *options, name, **settings)

    def left(self):
        """What the command left in its temporary folder."""
        return os.listdir(self.temporary)


def expect(done, status, *words):
    missing = [word for word in words if word not in done.all]
    tap.check(done.returncode == status and not missing and 'Sanitizer' not in done.all,
              f'exit status {done.returncode}, expected {status}; not said: {missing}; said:\n{done.all[-3000:]}')


def says_not(done, *words):
    said = [word for word in words if word in done.all]
    tap.check(not said, f'said {said}:\n{done.all[-3000:]}')


def is_text(data, what):
    """Valid UTF-8 without anything that would disturb a terminal."""
    text = data.decode()                 # raises where it is not UTF-8
    found = FORBIDDEN.search(text)
    tap.check(not found, f'{what}: {found and found[0]!r} in {text[max(0, (found and found.start() or 0) - 60):][:120]!r}')
    return text
