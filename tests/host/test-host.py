#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The host command against a fake guest: test-host.py FLTVM FAKE-QEMU.  Writes TAP."""
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

FLTVM, FAKE = (os.path.abspath(name) for name in sys.argv[1:3])
directory = tempfile.mkdtemp(prefix='fltvm-test-')
temporary = os.path.join(directory, 'tmp')
os.mkdir(temporary)
stub = os.path.join(directory, 'stub')
with open(stub, 'wb') as file:
    file.write(b'kernel')
environment = dict(os.environ, FLTVM_QEMU=FAKE, FLTVM_KERNEL=stub, FLTVM_INITRD=stub, TMPDIR=temporary)
count = failed = 0


def check(holds, name, detail=''):
    global count, failed
    count += 1
    failed += not holds
    print(f'{"ok" if holds else "not ok"} {count} - {name}', flush=True)
    if not holds:
        for line in str(detail).splitlines():
            print('#', line)


def script(text, name='scenario.lua'):
    path = os.path.join(directory, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    return path


def run(*args):
    started = time.monotonic()
    done = subprocess.run([FLTVM, *args], env=environment, capture_output=True, text=True, timeout=60, check=False)
    done.all = done.stdout + done.stderr
    done.seconds = time.monotonic() - started
    return done


def children_of(pid):
    found = []
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as text:
                parent = text.read().rsplit(')', 1)[1].split()[1]
        except OSError:             # it has ended since
            continue
        if int(parent) == pid:
            found.append(entry)
    return found


def expect(name, done, status, *words):
    missing = [word for word in words if word not in done.all]
    check(done.returncode == status and not missing and 'Sanitizer' not in done.all, name,
          f'exit status {done.returncode}, expected {status}; not said: {missing}\n{done.all}')


def scenario(name, text, status, *words, options=()):
    expect(name, run('run', *options, script(text)), status, *words)


def fake(how, more=''):
    return f'fltvm.machine{{options={{fake="{how}"}}}}\n{more}machine:sleep(1)\n'


# The canary: a scenario that must fail does, or nothing below means anything.
scenario('canary: a false check fails', 'expect(false, "is false")', 1, 'FAILED: is false', 'scenario.lua:1:')

scenario('an empty scenario passes', '', 0, 'skipped, no checks were made')
scenario('a machine boots and shuts down', 'machine:start()', 0, 'hello, seed 1')
scenario('the seed arrives', 'fltvm.machine{seed=7}:start()', 0, 'seed 7')
scenario('the command line wins', 'fltvm.machine{seed=7}:start()', 0, 'seed 9', options=['--seed', '9'])
scenario('expect_equal shows both', 'expect_equal({a={1}}, {a={2}}, "tables")', 1, 'at a[1]: found 1, expected 2')
scenario('expect_equal shows bytes', 'expect_equal("\\xff\\0", "ab")', 1, 'ff 00', '"ab"')
scenario('keep-going goes on', 'expect(false, "a") expect(true, "b") expect(false, "c")', 1, 'FAILED: a', 'ok: b',
         'FAILED: c', '2 of 3', options=['--keep-going'])
scenario('expect_log finds a line', 'machine:start() expect_equal(expect_log("seed (%d)"), "1")', 0)
scenario('expect_log says when there is none', 'machine:start() expect_log("nothing")', 1, "none of 1 lines")
scenario('log lines are shown with time, cpu and IRQL', fake('log'), 0, 'cpu1  DISPATCH  at dispatch', 'two\n', 'lines ?[31m')
scenario('guest tests are checks', fake('tests'), 1, 'ok: first', 'FAILED: second', 'file.c:12: 1 == 2', '1 of 3')
scenario('a guest test that stops early fails', fake('short-plan'), 1, '3 announced, 1 made')

scenario('a read', 'local f = machine:open("\\\\x") expect_equal(f:read(1, 3), "\\1\\2\\3") f:close()', 0)
scenario('a long read is fetched in parts', 'local d = machine:open("\\\\x"):read(0, 200000) expect_equal(#d, 200000) '
         'expect_equal(d:byte(200000), (200000 - 1) & 0xFF)', 0)
scenario('an asynchronous read', 'local o = machine:open("\\\\x"):read_async(0, 100000, {thread=3}) '
         'expect_equal(#o:wait(), 100000)', 0)
scenario('waiting twice is an error', 'local o = machine:open("\\\\x"):read_async(0, 4) o:wait() o:wait()', 2,
         'has been waited for')
scenario('a long write is staged', 'expect_equal(machine:open("\\\\x"):write(0, ("x"):rep(150000)), 150000)', 0)
scenario('a failing status is an error with its name', 'machine:open("\\\\missing")', 2, 'scenario.lua:1:',
         'opening \\missing: STATUS_NO_SUCH_FILE')
scenario('expect_status', 'expect_status("STATUS_NO_SUCH_FILE", function() machine:open("\\\\missing") end)', 0)
scenario('expect_status of another status fails',
         'expect_status("STATUS_ACCESS_DENIED", function() machine:open("\\\\missing") end)', 1,
         'found STATUS_NO_SUCH_FILE, expected STATUS_ACCESS_DENIED')
scenario('a virtual time-out tells the stacks', 'machine:open("\\\\x"):read(0xDEAD, 1, {timeout=5})', 4,
         'reading 1 bytes', 'not done after 5', "'worker'", 'waiting (Executive)')
scenario('a closed file is refused', 'local f = machine:open("\\\\x") f:close() f:read(0, 1)', 2, 'the file is closed')
scenario('pool use', 'expect_equal(machine:pool().Tag1.bytes, 256)', 0)
scenario('memory', 'expect_equal(machine:memory().used, 2)', 0)
scenario('stacks', 'expect(machine:stacks():find("worker"))', 0)

scenario('a bugcheck ends the scenario', fake('bugcheck'), 3, '0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL',
         'address referenced', 'blamed: ntoskrnl.exe', 'freed while queued', "'culprit'", 'nt+0x123')
scenario('a bugcheck without a name', fake('unknown-bugcheck'), 3, '0xABCDEF (no name)')
scenario('an expected bugcheck', fake('bugcheck', 'expect_bugcheck{code=0xD1, driver="ntoskrnl", text="freed"}\n'), 0,
         'ok: the guest bugchecks as expected')
scenario('an expected bugcheck in a function',
         'fltvm.machine{options={fake="bugcheck"}}\nlocal b = expect_bugcheck{code="DRIVER_IRQL_NOT_LESS_OR_EQUAL", '
         'p2=2, function() machine:sleep(1) end}\nexpect_equal(b.p1, 16)\nfltvm.machine{}:start()', 0, 'hello')
scenario('another bugcheck than expected', fake('bugcheck', 'expect_bugcheck{code=0xC4}\n'), 3,
         'the code is 0xD1, expected 0xC4')
scenario('no bugcheck where one is expected', 'expect_bugcheck{code=0xC4}\nmachine:start()', 1, 'did not bugcheck')
scenario('pcall does not hide a bugcheck', fake('bugcheck').replace('machine:sleep(1)', 'pcall(machine.sleep, machine, 1)'),
         3, 'DRIVER_IRQL')

scenario('a hanging guest is asked for its stacks', fake('hang'), 4, 'time-out', 'stacks of all threads', "'worker'",
         options=['--timeout', '1'])
scenario('one that does not even answer the NMI is killed', fake('mute'), 4, 'did not report its stacks',
         options=['--timeout', '0.5'])
scenario('QEMU that dies', fake('die'), 4, 'exit status 1', 'something is wrong')
scenario('QEMU that crashes', fake('crash'), 4, 'signal 11')
scenario('QEMU that ends without a word', fake('silent'), 4, 'reset the machine or turned it off')
scenario('a triple fault', fake('triple-fault'), 3, '*** triple fault', 'instruction', 'blamed: guilty.sys, guilty+0x20',
         'addresses of code')
scenario('a triple fault is expected', fake('triple-fault', 'expect_bugcheck{code="TRIPLE_FAULT", driver="guilty"}\n'), 0)
scenario('the last words of a bugcheck', fake('last-words'), 3, '0xD1 DRIVER_IRQL_NOT_LESS_OR_EQUAL', 'blamed: guilty.sys',
         'its report and stacks were lost')
scenario('a frame that is too long', fake('frame'), 4, '1073741824 bytes')
scenario('a result that is too short', fake('short-result'), 4, 'a result of 2 bytes')
scenario('a guest that cannot boot', 'fltvm.machine{options={fake="no-boot"}}:start()', 4, 'could not boot', 'no kernel')
scenario('a script that does not end', 'while true do end', 4, 'the script does not end', options=['--timeout', '0.3'])

scenario('a syntax error has file and line', 'local x = = 1', 2, 'scenario.lua:1:')
scenario('a runtime error has file and line', '\nlocal x = nil + 1', 2, 'scenario.lua:2:')
scenario('an unknown machine option', 'fltvm.machine{cpu=3}', 2, "no field 'cpu' (did you mean 'cpus'?)")
scenario('too many processors', 'fltvm.machine{cpus=9}', 2, 'not between 1 and 8')
scenario('a memory that is no size', 'fltvm.machine{memory="32Q"}', 2, "'32Q' is not a size")
scenario('a machine type that does not exist', 'fltvm.machine{machine="pc"}', 2, 'neither microvm nor q35')
scenario('an image that does not exist', 'fltvm.machine{disks={"nothing.img"}}', 2, 'nothing.img: No such file')
with open(os.path.join(directory, 'small.img'), 'wb') as file:
    file.write(b'x' * 511)
scenario('an image smaller than a sector', 'fltvm.machine{disks={"small.img"}}', 2, '511 bytes, less than one sector')
scenario('a blank disk of half a sector', 'fltvm.machine{disks={{size=256}}}', 2, 'whole number of 512-byte sectors')
scenario('a driver that does not exist', 'machine:load{image="none.sys"}', 2, 'none.sys: No such file')
scenario('a source that does not exist', 'machine:load{source="none.c"}', 2, 'none.c: No such file')
scenario('a driver that is no image', 'machine:load{image="small.img"}', 2, 'not a Windows image')
scenario('neither source nor image', 'machine:load{}', 2, 'give one of source')
pe = b'MZ' + b'\0' * 58 + (64).to_bytes(4, 'little') + b'PE\0\0' + b'\x64\x86' + b'\0' * 200000
with open(os.path.join(directory, 'driver.sys'), 'wb') as file:
    file.write(pe)
scenario('a driver is sent whole', 'machine:load{image="driver.sys", name="abc", altitude="370000"}', 0,
         f'staged {len(pe) + 4} bytes for abc')
expect('a missing scenario', run('run', os.path.join(directory, 'none.lua')), 2, 'none.lua')
expect('no scenario', run('run'), 2, 'no scenario')
expect('an unknown option', run('run', '--fast'), 2, '--fast')
expect('an unknown verb', run('walk'), 2, "'walk' is not a verb")
expect('no verb', run(), 2, 'Usage')
expect('help', run('--help'), 0, 'run scenarios', 'Exit status')
for verb in ('run', 'boot', 'gdb', 'image'):
    expect(f'{verb} --help', run(verb, '--help'), 0, 'Usage')
expect('a bad seed', run('run', '--seed', 'x', stub), 2, "--seed: 'x'")

done = run('run', '--dry-run', script('fltvm.machine{cpus=4, disks={{size="1M"}}}:start() error("not reached")'))
expect('dry run prints the command line and starts nothing', done, 0, '-smp 4', 'fltvm-link', 'fltvm-hba')
check(FAKE in shlex.split(done.stdout), 'as a shell would take it, whatever the folder is named', done.stdout)

tap = run('run', '--tap', script('expect(true, "a # b") expect(false, "c")'))
expect('TAP', tap, 1, 'ok 1 - a \\# b', 'not ok 2 - c', '1..2')
check(all(line.startswith(('ok', 'not ok', '#', '1..')) for line in tap.stdout.splitlines()), 'TAP only', tap.stdout)
two = [script('machine:start() expect(true, "one")', 'a.lua'), script('expect(false, "two")', 'b.lua')]
junit = os.path.join(directory, 'junit.xml')
expect('several scenarios', run('run', '-j', '2', '--junit', junit, *two), 1, 'ok: one', 'FAILED: two')
suites = xml.parse(junit).getroot().findall('testsuite')
check([s.get('failures') for s in suites] == ['0', '1'], 'JUnit', open(junit, encoding='utf-8').read())
expect('several scenarios in TAP', run('run', '-j2', '--tap', *two), 1, 'ok 1 - ', 'not ok 2 - ', '1..2')

hashes = set()
for number in range(2):
    path = os.path.join(directory, f'trace{number}.json')
    done = run('run', '--verbose', '--trace', path, script(fake('flood')))
    hashes.add(done.stdout.split('SHA-256 ')[1].split()[0])
    with open(path, encoding='utf-8') as file:
        text = file.read()
events = json.loads(text)['traceEvents']
check(len(hashes) == 1 and len(events) == 20004, 'a trace and its hash', f'{hashes} {len(events)}')

process = subprocess.Popen([FLTVM, 'run', script('fltvm.temp("x")\n' + fake('mute'))], env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
process.stdout.readline()
children = children_of(process.pid)
os.kill(process.pid, signal.SIGINT)
process.wait(10)
gone = [not os.path.exists(f'/proc/{child}') for child in children]
check(process.returncode == -signal.SIGINT and children and all(gone), 'Ctrl-C ends everything',
      f'{process.returncode} {children} {gone}')
process = subprocess.Popen([FLTVM, 'run', script(fake('mute'))], env=environment, stdout=subprocess.PIPE)
process.stdout.readline()
children = children_of(process.pid)
process.kill()
process.wait()
deadline = time.monotonic() + 5
while any(os.path.exists(f'/proc/{child}') for child in children) and time.monotonic() < deadline:
    time.sleep(0.01)
check(children and not any(os.path.exists(f'/proc/{child}') for child in children), 'QEMU dies with a killed host')
check(not os.listdir(temporary), 'no temporary files are left', os.listdir(temporary))

print(f'1..{count}')
subprocess.run(['rm', '-rf', directory], check=False)
sys.exit(1 if failed else 0)
