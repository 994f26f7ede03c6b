#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command's own ends: outputs that are full or closed, times that are none, debuggers that go away.

The guest is a fake one, except under gdb.
"""
import os
import re
import shutil
import subprocess
import sys

from command import FAKE, FLTVM, Folder, QEMU_FOLDER, expect
import tap
from tap import Skip, case, check, equal

PASSES = 'machine:start() expect(true, "ran")'


def shell(folder, redirection, *words):
    """Run the command as a shell would with a redirection; standard error is kept unless that is what is redirected."""
    return subprocess.run(['sh', '-c', f'exec "$0" "$@" {redirection}', FLTVM, *words], env=folder.environment,
                          cwd=folder.path, capture_output=True, timeout=30, check=False)


@case
def an_output_that_is_full_is_a_failure():
    with Folder(fake=True) as folder:
        folder.write('a.lua', PASSES)
        folder.write('a.img', bytes(512))
        for words in (['run', 'a.lua'], ['run', '--tap', 'a.lua'], ['run', '-j', '2', 'a.lua', 'a.lua'], ['run', '-n', 'a.lua'],
                      ['--help'], ['run', '--help'], ['image', 'info', 'a.img']):
            for redirection in ('>/dev/full', '>&-'):
                done = shell(folder, redirection, *words)
                equal(done.returncode, 4, f'{words} {redirection}')
                check(b'standard output' in done.stderr, done.stderr)


@case
def closed_streams_do_not_become_something_else():
    with Folder(fake=True) as folder:
        folder.write('a.lua', 'local f = io.open("data", "w") f:write("DATA") f:flush() note("account") print("more") '
                     'f:write("DATA") f:close() ' + PASSES)
        for redirection, status in (('<&-', 0), ('2>&-', 0), ('>&-', 4), ('<&- >&- 2>&-', 4)):
            done = shell(folder, redirection, 'run', 'a.lua')
            equal(done.returncode, status, redirection)
            equal(folder.read('data'), b'DATADATA', redirection)
        folder.write('b.lua', 'expect_equal(io.read("a"), "") ' + PASSES)
        equal(shell(folder, '</dev/null', 'run', 'b.lua').returncode, 0, 'an empty input')
        equal(shell(folder, '<&-', 'boot').returncode, 0, 'boot without an input')


@case
def times_are_numbers_of_seconds():
    with Folder(fake=True) as folder:
        for text in ('1e15', '1e300', 'inf', '-inf', 'nan', '-1', '', ' ', 'x', '5s', '0x', '1,5', '31536001'):
            expect(folder.scenario(PASSES, f'--timeout={text}'), 2, '--timeout', text.strip())
        for text in ('0', '-0', '60', '59.5', '31536000', '1e3'):
            expect(folder.scenario(PASSES, f'--timeout={text}'), 0)
        for verb in ('boot', 'gdb'):
            expect(folder.fltvm(verb, '--timeout=nan', *(['scenario.lua'] if verb == 'gdb' else [])), 2, '--timeout')
            check('default 60' not in folder.fltvm(verb, '--help').all or verb == 'gdb', 'help')


@case
def what_follows_two_dashes_is_a_file():
    with Folder(fake=True) as folder:
        folder.write('-x.lua', PASSES)
        folder.write('-x.img', bytes(512))
        folder.environment.update(FLTVM_QEMU=os.path.join(QEMU_FOLDER, 'qemu-system-x86_64'))
        expect(folder.fltvm('image', '--', 'convert', '-x.img', '-y.qcow2'), 0)
        folder.environment.update(FLTVM_QEMU=FAKE)
        expect(folder.fltvm('run', '--', '-x.lua'), 0, 'ok: ran')
        expect(folder.fltvm('run', '--tap', '--', '-x.lua', '-x.lua'), 0, '1..2')
        expect(folder.fltvm('image', 'info', '--', '-x.img'), 0, 'raw')
        expect(folder.fltvm('run', '-x.lua'), 2, '-x')


@case
def the_manual_names_tests_that_there_are():
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, '..', '..', 'docs', 'manual', 'security.md'), encoding='utf-8') as page:
        page = page.read()
    names = re.findall(r'(?<!\*)\*([a-z][a-z ,]+)\*(?!\*)', page)
    there = ''
    for file in re.findall(r'`(\w+\.py)`', page):
        with open(os.path.join(here, file), encoding='utf-8') as text:
            there += text.read()
    for name in names:
        check(f'def {name.replace(" ", "_")}():' in there, f'there is no test "{name}"')
    check(len(names) > 20, names)


@case
def a_debugger_that_goes_away_ends_the_machine():
    with Folder() as folder:
        folder.write('a.lua', PASSES)
        for program, status in (('/bin/true', 4), ('/bin/false', 1)):
            done = folder.fltvm('gdb', f'--gdb={program}', 'a.lua', timeout=120)
            expect(done, status, 'gdb has ended, and the machine did not begin to run')
        expect(folder.fltvm('gdb', '--gdb=/nonexistent', 'a.lua', timeout=120), 4, 'nonexistent')
        equal(folder.left(), [], 'temporary files')


@case
def the_debuggers_socket_is_found_in_odd_folders():
    if not shutil.which('gdb'):
        raise Skip('no gdb')
    words = ['--', '-nx', '-batch', '-ex', 'continue']
    with Folder() as folder:
        folder.write('a.lua', PASSES)
        for name in ('a,b=c', 'two words', "quote'\"", 'ünïcode'):
            os.mkdir(folder.file(name))
            folder.environment['TMPDIR'] = folder.file(name)
            # gdb's own status depends on whether it hears of the machine's end.
            done = folder.fltvm('gdb', 'a.lua', *words, stdin=subprocess.DEVNULL)
            check('ok: ran' in done.all, done.all)
        os.mkdir(folder.file('x' * 120))
        folder.environment['TMPDIR'] = folder.file('x' * 120)
        expect(folder.fltvm('gdb', 'a.lua', *words, stdin=subprocess.DEVNULL), 2, 'too long', 'TMPDIR')


@case
def a_machine_that_gdb_lets_go_of_runs_to_its_end():
    if not shutil.which('gdb'):
        raise Skip('no gdb')
    with Folder() as folder:
        folder.write('a.lua', 'machine:start() machine:sleep(1000) expect(true, "ran")')
        folder.write('b.lua', 'machine:start() while true do end')
        detach = ['--', '-nx', '-batch', '-ex', 'detach']
        expect(folder.fltvm('gdb', 'a.lua', *detach, stdin=subprocess.DEVNULL), 0, 'ok: ran')
        done = folder.fltvm('gdb', '--timeout', '1', '--trace', 'trace.json', 'b.lua', *detach, stdin=subprocess.DEVNULL,
                            timeout=120)
        expect(done, 4, 'time-out')
        check(folder.read('trace.json'), 'no trace')


sys.exit(tap.main())
