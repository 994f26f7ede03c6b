#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that the command writes: what is there is replaced as a whole or written through, and never lost."""
import os
import stat
import subprocess
import sys
import threading
import xml.etree.ElementTree as xml

from command import FLTVM, Folder, expect
import tap
from tap import case, check, equal

SCRIPT = 'machine:start() expect(true, "fine")'
OPTIONS = ('--junit', '--trace')


def written(option, text):
    """A whole file of the option's kind."""
    if option == '--junit':
        return xml.fromstring(text).tag == 'testsuites'
    return text.startswith(b'{"displayTimeUnit"') and text.endswith(b']}\n')


def device(folder, name):
    """A device to write to.  Root gets one of its own, so that a fault cannot cost the machine its /dev."""
    if os.geteuid() != 0:
        return f'/dev/{name}'
    path = folder.file(name)
    if not os.path.exists(path):
        os.mknod(path, 0o666 | stat.S_IFCHR, os.stat(f'/dev/{name}').st_rdev)
    try:
        with open(path, 'wb'):
            return path
    except OSError as error:
        raise tap.Skip(f'no devices here: {error}') from error


def both(function):
    """A case for each option, in a folder of its own."""
    def test():
        for option in OPTIONS:
            with Folder(fake=True) as folder:
                function(folder, option)
                left = [name for name in os.listdir(folder.path) if name.count('.') > 1]
                equal(left, [], f'{option}: what is left behind')
    test.__name__ = function.__name__
    return case(test)


@both
def a_file_is_made_and_replaced(folder, option):
    path = folder.file('out')
    expect(folder.scenario(SCRIPT, option, 'out'), 0)
    check(written(option, folder.read('out')), folder.read('out'))
    folder.write('out', 'what was there')
    os.chmod(path, 0o640)
    with open(path, 'rb') as before:
        expect(folder.scenario(SCRIPT, option, 'out'), 0)
        check(written(option, folder.read('out')), 'the new text')
        equal(before.read(), b'what was there', 'who has the old file open sees the old text')
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o640, 'the mode')


@both
def a_new_file_has_the_usual_mode(folder, option):
    old = os.umask(0o027)
    try:
        expect(folder.scenario(SCRIPT, option, 'out'), 0)
    finally:
        os.umask(old)
    equal(stat.S_IMODE(os.stat(folder.file('out')).st_mode), 0o640, 'the mode')


@both
def links_stay_and_their_targets_are_written(folder, option):
    os.mkdir(folder.file('sub'))
    folder.write('sub/target', 'old')
    os.symlink('sub/target', folder.file('link'))
    os.symlink('sub/new', folder.file('dangling'))
    for link, target in (('link', 'sub/target'), ('dangling', 'sub/new')):
        expect(folder.scenario(SCRIPT, option, link), 0)
        check(os.path.islink(folder.file(link)), f'{link} is a link')
        check(written(option, folder.read(target)), f'{target}: {folder.read(target)}')


@both
def devices_and_pipes_are_written_through(folder, option):
    for name, status, said in (('null', 0, ()), ('full', 4, (option, 'No space left on device'))):
        path = device(folder, name)
        kind = os.stat(path).st_rdev
        expect(folder.scenario(SCRIPT, option, path), status, *said)
        equal((stat.S_ISCHR(os.stat(path).st_mode), os.stat(path).st_rdev), (True, kind), path)
    os.mkfifo(folder.file('pipe'))
    heard = []
    reader = threading.Thread(target=lambda: heard.append(folder.read('pipe')))
    reader.start()
    expect(folder.scenario(SCRIPT, option, 'pipe'), 0)
    reader.join()
    check(written(option, heard[0]) and stat.S_ISFIFO(os.stat(folder.file('pipe')).st_mode), heard)
    expect(folder.scenario(SCRIPT, option, 'pipe'), 2, 'nobody reads it')
    folder.write('s.lua', SCRIPT)
    ours, theirs = os.pipe()
    done = subprocess.run([FLTVM, 'run', option, f'/dev/fd/{theirs}', 's.lua'], env=folder.environment, cwd=folder.path,
                          pass_fds=[theirs], stdout=subprocess.PIPE, check=False)
    os.close(theirs)
    with os.fdopen(ours, 'rb') as pipe:
        check(done.returncode == 0 and written(option, pipe.read()), done.stdout)


@both
def what_cannot_be_written_is_told_and_nothing_is_lost(folder, option):
    expect(folder.scenario(SCRIPT, option, 'no/such/folder'), 2, option, 'No such file or directory')
    expect(folder.scenario(SCRIPT, option, '.'), 2, option, 'Is a directory')
    folder.write('small', 'old')
    folder.write('s.lua', SCRIPT)
    done = subprocess.run(['sh', '-c', f'ulimit -f 0; trap "" XFSZ; exec "$0" run {option} small s.lua', FLTVM], env=folder.environment,
                          cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    check(done.returncode != 0 and b'File too large' in done.stdout, f'{done.returncode} {done.stdout}')
    equal(folder.read('small'), b'old', 'the old text')


@both
def what_is_read_is_not_written(folder, option):
    folder.write('s.lua', SCRIPT)
    os.link(folder.file('s.lua'), folder.file('other'))
    os.symlink('s.lua', folder.file('link'))
    for name in ('s.lua', './s.lua', 'other', 'link'):
        expect(folder.fltvm('run', option, name, 's.lua'), 2, f'{option}: s.lua would be written over')
    equal(folder.read('s.lua').decode(), SCRIPT, 'the script')


@case
def two_outputs_are_two_files():
    with Folder(fake=True) as folder:
        expect(folder.scenario(SCRIPT, '--junit', 'out', '--trace', 'out'), 2, '--junit: out would be written over')
        null = device(folder, 'null')
        expect(folder.scenario(SCRIPT, '--junit', null, '--trace', null), 0)


sys.exit(tap.main())
