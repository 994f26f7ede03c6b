#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest and a script that mean ill, against the host command alone: floods, calls that do not end, text that bites."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.parsers.expat

from command import FLTVM, Folder, expect, is_text, says_not
import tap
from tap import case, check, equal


def fake(how, more=''):
    return f'fltvm.machine{{options={{fake="{how}"}}}}\n{more}machine:sleep(1)\n'


def memory_of(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        return int(re.search(r'VmHWM:\s*(\d+)', status.read())[1]) * 1024


def start(folder, *words, **settings):
    return subprocess.Popen([FLTVM, *words], env=folder.environment, cwd=folder.path, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, **settings)


KINDS = ['log', 'test', 'plan', 'stacks', 'report', 'hello', 'unknown', 'module', 'empty', 'trace', 'bugcheck', 'exit']


@case
def a_flood_does_not_outlive_the_time():
    with Folder(fake=True) as folder:
        for kind in KINDS:
            started = time.monotonic()
            folder.write('flood.lua', fake(f'flood-{kind}'))
            with start(folder, 'run', '-v', '--trace', 'trace.json', '--timeout', '1', 'flood.lua') as process:
                peak = 0
                while process.poll() is None:
                    try:
                        peak = max(peak, memory_of(process.pid))
                    except (FileNotFoundError, ProcessLookupError, TypeError):
                        pass
                    check(time.monotonic() - started < 40, f'{kind}: it still runs')
                    time.sleep(0.05)
            check(process.returncode in (1, 3, 4), f'{kind}: exit status {process.returncode}')
            check(time.monotonic() - started < 20, f'{kind}: took {time.monotonic() - started:.1f} s')
            check(peak < 900 << 20, f'{kind}: {peak >> 20} MiB')
        equal(folder.left(), [], 'temporary files')


@case
def a_flood_does_not_outlive_a_signal():
    with Folder(fake=True) as folder:
        for kind in KINDS:
            folder.write('flood.lua', fake(f'flood-{kind}'))
            with start(folder, 'run', '--timeout', '50', 'flood.lua') as process:
                time.sleep(0.7)
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise AssertionError(f'{kind}: SIGTERM does not end it') from None
            equal(process.returncode, -signal.SIGTERM, kind)
        equal(folder.left(), [], 'temporary files')


@case
def nobody_who_reads_does_not_hold_the_end_up():
    with Folder(fake=True) as folder:
        folder.write('flood.lua', fake('flood-log'))
        for seconds in ('1', '0'):
            started = time.monotonic()
            with subprocess.Popen([FLTVM, 'run', '--timeout', seconds, 'flood.lua'], env=folder.environment, cwd=folder.path,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                if seconds == '0':
                    time.sleep(1)
                    process.terminate()
                process.wait(30)
                equal(process.returncode, 4 if seconds == '1' else -signal.SIGTERM, 'exit status')
            check(time.monotonic() - started < 15, f'took {time.monotonic() - started:.1f} s')


@case
def what_is_dropped_is_told_and_fails():
    with Folder(fake=True) as folder:
        done = folder.scenario(fake('flood-log'), '--timeout', '4', timeout=120)
        expect(done, 4, 'the rest is dropped', 'FAILED: the guest says no more than is kept', 'lines and checks were dropped')
        check(len(done.stdout) < 80 << 20, f'{len(done.stdout)} bytes')
        done = folder.scenario(fake('many-stacks') + 'print(machine:stacks())', timeout=120)
        expect(done, 0, 'more stacks dropped')


NEVER = {
    'a loop': 'while true do end',
    'a loop round pcall': 'while true do pcall(function() while true do end end) end',
    'nested pcalls': 'local function f() while true do pcall(f) end end f()',
    'no hook': 'pcall(debug.sethook) while true do end',
    'a coroutine': 'local c = coroutine.wrap(function() pcall(debug.sethook) while true do end end) c()',
    'a pattern': '("a"):rep(40):find(("a*"):rep(40) .. "b")',
    'a tool': 'fltvm.host{"sleep", "100"}',
    'a tool without output': 'fltvm.host{"sh", "-c", "exec >&- 2>&-; sleep 100"}',
    'a tool that leaves one behind': 'fltvm.host{"sh", "-c", "sleep 100 & exit"}',
    'a FIFO': 'local f = io.open("fifo", "rb") f:read("a")',
    'a device': 'fltvm.sha256_file("/dev/zero")',
    'a variable that is closed': 'local x <close> = setmetatable({}, {__close = function() while true do end end}) error("x")',
    'an error that is told': 'error(setmetatable({}, {__tostring = function() while true do end end}))',
    'a comparison': 'table.sort({1, 2, 3}, function() while true do end end)',
}


def survivors(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as environment:
                if mark in environment.read():
                    found.append(pid)
        except OSError:
            pass
    return found


@case
def a_script_does_not_outlive_the_time():
    with Folder(fake=True) as folder:
        os.mkfifo(folder.file('fifo'))
        folder.environment['FLTVM_TEST_MARK'] = folder.path
        for name, text in NEVER.items():
            done = folder.scenario('fltvm.temp("x") machine:start(); ' + text, '--timeout', '1', '--junit', 'junit.xml',
                                   timeout=120)
            expect(done, 4, 'time-out')
            check(done.seconds < 6, f'{name}: took {done.seconds:.1f} s')
            check(b'<error' in folder.read('junit.xml') or b'<failure' in folder.read('junit.xml'), 'JUnit says nothing')
            equal(survivors(folder.path.encode()), [], f'{name}: processes')
        equal(folder.left(), [], 'temporary files')


@case
def a_script_does_not_outlive_a_signal():
    with Folder(fake=True) as folder:
        os.mkfifo(folder.file('fifo'))
        folder.environment['FLTVM_TEST_MARK'] = folder.path
        for number, (name, text) in enumerate(NEVER.items()):
            folder.write('never.lua', 'fltvm.temp("x") machine:start(); ' + text)
            sent = signal.SIGINT if number % 2 else signal.SIGTERM
            with start(folder, 'run', '--timeout', '0', 'never.lua') as process:
                time.sleep(0.5)
                process.send_signal(sent)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise AssertionError(f'{name}: a signal does not end it') from None
            equal(process.returncode, -sent, name)
            equal(survivors(folder.path.encode()), [], f'{name}: processes')
        equal(folder.left(), [], 'temporary files')


@case
def a_script_that_cannot_be_read():
    with Folder(fake=True) as folder:
        os.mkfifo(folder.file('fifo'))
        done = folder.fltvm('run', '--timeout', '1', 'fifo', timeout=120)
        expect(done, 4, 'time-out', 'cannot be read')
        done = folder.fltvm('run', '/dev/zero', timeout=120)
        expect(done, 2, 'more than 16 MiB')
        expect(folder.fltvm('run', '.', timeout=120), 2, 'directory')
        done = folder.fltvm('run', '/dev/stdin', input=b'expect(true, "from a pipe")', timeout=120)
        expect(done, 0, 'ok: from a pipe')


@case
def several_scenarios_end_together():
    with Folder(fake=True) as folder:
        folder.environment['FLTVM_TEST_MARK'] = folder.path
        folder.write('a.lua', 'fltvm.temp("x") machine:start(); ("a"):rep(40):find(("a*"):rep(40) .. "b")')
        folder.write('b.lua', 'fltvm.temp("x") machine:start() while true do end')
        folder.write('c.lua', 'expect(true, "quick")')
        done = folder.fltvm('run', '-j', '3', '--timeout', '1', '--junit', 'junit.xml', 'a.lua', 'b.lua', 'c.lua', timeout=120)
        expect(done, 4, 'ok: quick', 'a.lua: FAILED', 'b.lua: FAILED')
        equal(folder.read('junit.xml').count(b'<error'), 2, 'errors in JUnit')
        equal(folder.left(), [], 'temporary files')
        with start(folder, 'run', '-j', '3', 'a.lua', 'b.lua', 'a.lua') as process:
            time.sleep(1)
            process.terminate()
            process.wait(20)
        equal(process.returncode, -signal.SIGTERM, 'exit')
        equal((folder.left(), survivors(folder.path.encode())), ([], []), 'left')


@case
def a_killed_command_leaves_nothing():
    with Folder(fake=True) as folder:
        folder.environment['FLTVM_TEST_MARK'] = folder.path
        folder.write('a.lua', 'local f = io.open(fltvm.temp("x"), "w") f:write("x") f:close() machine:start() while true do end')
        for words in (['a.lua'], ['-j', '2', 'a.lua', 'a.lua']):
            with start(folder, 'run', *words) as process:
                time.sleep(0.7)
                check(folder.left(), 'it made no temporary folder')
                process.kill()
            for _ in range(100):
                if not folder.left() and not survivors(folder.path.encode()):
                    break
                time.sleep(0.1)
            equal((folder.left(), survivors(folder.path.encode())), ([], []), 'left')


# --- text ---------------------------------------------------------------------------------------------------------

@case
def nothing_a_guest_says_disturbs_a_terminal():
    with Folder(fake=True) as folder:
        for how in ('nasty', 'nasty-bugcheck'):
            done = folder.scenario(fake(how, 'machine:start() print(machine:stacks())\n'), '-v', '--trace', 'trace.json')
            text = is_text(done.stdout, how) + is_text(done.stderr, how)
            check('[31m' in text and 'forged' in text, text)
            json.loads(folder.read('trace.json').decode())
            is_text(folder.read('trace.json').replace(b'\\u', b''), 'the trace')


@case
def tap_cannot_be_forged():
    with Folder(fake=True) as folder:
        folder.write('script.lua', 'expect(true, "a\\nnot ok 7 - b\\n1..0") skip("s\\nok 8", "w\\nok 9\\nBail out!") expect(true, "# SKIP")\n'
                     'pcall(expect, false, "n\\rok 10 - x", "d\\n1..99") ' + fake('nasty'))
        for words in (['script.lua'], ['-j', '2', 'script.lua', 'script.lua']):
            done = folder.fltvm('run', '--tap', '-k', *words)
            text = is_text(done.stdout, 'TAP')
            lines = text.split('\n')[:-1]
            numbers = []
            for line in lines:
                test = re.match(r'(?:not )?ok (\d+) - ', line)
                check(test or line.startswith('# ') or re.fullmatch(r'1\.\.\d+', line), f'{line!r} is no TAP of ours')
                if test:
                    numbers.append(int(test[1]))
                    check(len(re.findall(r'(?<!\\)#', line)) == (' # SKIP w ok 9' in line), f'a directive in {line!r}')
            equal(numbers, list(range(1, len(numbers) + 1)), 'numbers')
            equal(lines[-1], f'1..{len(numbers)}', 'plan')
            expect(done, 1)


@case
def junit_is_xml_whatever_is_in_it():
    """Every byte in a check's name and reason, from a script and from a guest, and in the scenario's own name."""
    every = ''.join(f'\\x{byte:02x}' for byte in range(256))
    texts = [every, ']]>', '<!--', '&amp;', '\\u{202e}\\u{fffe}\\u{ffff}\\u{fdd0}', 'nl\\nx', '\\"\\39', '\\xed\\xa0\\x80', '\\u{10ffff}']
    text = ''.join(f'expect(true, "{each}") expect(false, "{each}") skip("{each}", "{each}") '
                   f'expect_equal("{each}", "{each}x", "{each}")\n' for each in texts)
    with Folder(fake=True) as folder:
        done = folder.scenario(text + fake('nasty'), '-k', '--junit', 'junit.xml')
        expect(done, 1)
        is_text(done.stdout, 'the account')
        cases, names = [], []
        parser = xml.parsers.expat.ParserCreate()
        parser.StartElementHandler = lambda tag, a: cases.append(tag) or names.append(a.get('name', ''))
        parser.Parse(folder.read('junit.xml'), True)
        equal(cases.count('testcase'), 4 * len(texts) + 3, 'test cases')
        check(']]>' in names and 'nl\nx' in names and '&amp;' in names, names)
        is_text(folder.read('junit.xml'), 'JUnit')
        folder.write('short.lua', 'expect(true, "quick")')
        several = folder.fltvm('run', '-k', '-j', '2', '--junit', 'several.xml', 'scenario.lua', 'short.lua')
        expect(several, 1)
        says_not(several, 'CRITICAL')
        one = folder.read('junit.xml').split(b'<testcase')[1:]
        check(folder.read('several.xml').split(b'<testcase')[1:][:len(one) - 1] == one[:-1], 'several scenarios have other checks')
        odd = os.path.join(folder.path.encode(), b'bad\xff\x1b[31m<&".lua')
        with open(odd, 'wb') as file:
            file.write(b'expect(true, "x")')
        done = folder.fltvm('run', '--junit', 'junit.xml', odd)
        expect(done, 0)
        is_text(done.stdout, 'the account')
        xml.parsers.expat.ParserCreate().Parse(folder.read('junit.xml'), True)


@case
def names_of_files_do_not_disturb_a_terminal():
    with Folder(fake=True) as folder:
        for words in (['run', '\x1b[31m\udcff.lua'], ['\x1b[31m'], ['image', 'info', '\x1b[31m\udcff'], ['run', '--\x1b[31m'],
                      ['image', '\x1b[31m', 'x'], ['run', '--seed', '\x1b[31m', 'x'], ['run', '--machine', '\x1b', 'x']):
            done = folder.fltvm(*words)
            equal(done.returncode, 2, words)
            is_text(done.stdout + done.stderr, words)
        done = folder.scenario('machine:load{image = "\\x1b[31m\\xff.sys"}')
        expect(done, 2)
        is_text(done.stdout, 'an image')
        done = folder.scenario('error("\\x1b[31m\\xff\\u{202e}")')
        is_text(done.stdout, 'an error')
        done = folder.scenario('note("\\x1b[31m\\xff\\u{202e}") print("\\r\\x9b")')
        is_text(done.stdout, 'a note')
        says_not(done, '\x1b')


@case
def an_answer_without_its_record_is_said():
    with Folder(fake=True) as folder:
        for call, what in (('work_items()', 'work_items'), ('irq(0)', 'a register'), ('fault{}', 'a register'),
                           ('fault_hits(0)', 'a register')):
            done = folder.scenario(f'machine:{call}')
            expect(done, 4, f'{what}: the guest answered 0 bytes of')
            says_not(done, 'Sanitizer', 'runtime error')


sys.exit(tap.main())
