#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real machines whose driver means ill: it forges the kernel's records, floods, and carries text that bites.

forge.c is that driver.  What QEMU may do, and what it has open, is looked at from outside.
"""
import os
import re
import signal
import subprocess
import sys
import time

from command import FLTVM, Folder, expect, is_text
import tap
from tap import case, check, equal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ['FORGE_ROOT'] = ROOT
RECORDS = {'log': 2, 'trace': 3, 'module': 4, 'bugcheck': 5, 'stacks': 7, 'report': 8, 'test': 9, 'crash': 11, 'failure': 12, 'unknown': 200, 'any': 0}


def forging(kind, count, seed=1, after=''):
    flags = ', '.join(f'"{flag}"' for flag in (f'-DKIND={kind}', f'-DCOUNT={count}', f'-DSEED={seed}'))
    return (f'local root, vm = os.getenv("FORGE_ROOT"), fltvm.machine{{disks = {{{{size = "1M"}}}}}}\n'
            f'pcall(vm.load, vm, {{source = root .. "/tests/host/forge.c", flags = {{"-I" .. root .. "/abi", {flags}}}, timeout = 1e6}})\n'
            f'{after}')


@case
def a_driver_that_floods_does_not_outlive_the_time():
    with Folder() as folder:
        # The canary: it is compiled, loaded, and heard.
        expect(folder.scenario(forging(RECORDS['unknown'], 2)), 0, f'unknown record {RECORDS["unknown"]}')
        for name, kind in RECORDS.items():
            done = folder.scenario(forging(kind, 0), '--timeout', '3', timeout=120)
            check(done.returncode in (1, 3, 4), f'{name}: exit status {done.returncode}')
            check(done.seconds < 25, f'{name}: took {done.seconds:.1f} s')
            is_text(done.stdout, name)
        equal(folder.left(), [], 'temporary files')


@case
def a_driver_that_floods_does_not_outlive_a_signal():
    with Folder() as folder:
        for name in ('stacks', 'log', 'report'):
            folder.write('flood.lua', forging(RECORDS[name], 0))
            with subprocess.Popen([FLTVM, 'run', '--timeout', '100', 'flood.lua'], env=folder.environment, cwd=folder.path,
                                  stdout=subprocess.DEVNULL) as process:
                time.sleep(3)
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    raise AssertionError(f'{name}: SIGTERM does not end it') from None
            equal(process.returncode, -signal.SIGTERM, name)


@case
def forged_records_break_nothing():
    """By seed: any kind, length, operation and address; the host stays upright, and what it says is clean."""
    with Folder() as folder:
        for seed in range(1, 13):
            done = folder.scenario(forging(0, 2000, seed, 'for i = 1, 10 do pcall(vm.sleep, vm, 1) end print(pcall(vm.stacks, vm))'),
                                   '--tap', '-v', '--trace', 'trace.json', '--junit', 'junit.xml', '--timeout', '20', timeout=120)
            check(done.returncode in (0, 1, 2, 3, 4), f'seed {seed}: exit status {done.returncode}')
            text = is_text(done.stdout, f'seed {seed}')
            for line in text.split('\n'):
                check(re.match(r'(not )?ok \d+ - |# |1\.\.\d+|$', line), f'seed {seed}: {line!r} is no TAP of ours')
            check('Sanitizer' not in done.all, done.all[-3000:])


@case
def names_in_a_driver_file_are_shown_clean():
    with Folder() as folder:
        folder.write('x.c', '#include <ntddk.h>\nNTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT D, PUNICODE_STRING R) '
                     '{ (void)R; DbgPrint("%p", D); return 0; }')
        subprocess.run([sys.executable, f'{ROOT}/sdk/toolchain/cc', '-o', 'x.sys', 'x.c'], cwd=folder.path, check=True)
        image = folder.read('x.sys')
        bites = b'\x1b[31m\x9b\xff\xe2\x80\xae\r\n'
        for name in (b'ntoskrnl.exe', b'DbgPrint'):
            check(name + b'\0' in image, f'{name} is not in the image')
            folder.write('y.sys', image.replace(name + b'\0', bites[:len(name)].ljust(len(name), b'x') + b'\0'))
            done = folder.scenario('machine:load{image = "y.sys"}')
            check(done.returncode in (2, 3), done.all)
            is_text(done.stdout, name)
        done = folder.scenario('machine:load{image = "x.sys", name = "a\\x1b[31m\\xff"}')
        is_text(done.stdout, 'a service')


@case
def qemu_has_only_what_it_was_given():
    with Folder() as folder:
        folder.write('a.img', bytes(1 << 20))
        folder.write('b.img', bytes(1 << 20))
        folder.write('a.lua', 'fltvm.machine{disks={"a.img", {image="b.img", writable=true}, {size="1M"}}}:start()\n'
                     'print("started") while true do end')
        with subprocess.Popen([FLTVM, 'run', 'a.lua'], env=folder.environment, cwd=folder.path,
                              stdout=subprocess.PIPE) as process:
            while b'started' not in process.stdout.readline():
                check(process.poll() is None, 'it ended')
            with open(f'/proc/{process.pid}/task/{process.pid}/children', encoding='ascii') as children:
                pids = children.read().split()
            qemu = [pid for pid in pids if 'qemu-system' in os.readlink(f'/proc/{pid}/exe')]
            equal(len(qemu), 1, 'QEMUs')
            with open(f'/proc/{qemu[0]}/status', encoding='ascii') as status:
                text = status.read()
            files = {os.readlink(f'/proc/{qemu[0]}/fd/{fd}') for fd in os.listdir(f'/proc/{qemu[0]}/fd')}
            process.terminate()
        check(re.search(r'^Seccomp:\s*2$', text, re.M), 'it runs outside its sandbox: ' + text)
        allowed = re.compile(r'(socket|pipe):\[|anon_inode:|/memfd:qemu-output|/dev/null$|.* \(deleted\)$|'
                             + re.escape(folder.file('')) + r'[ab]\.img$')
        others = sorted(name for name in files if not allowed.match(name))
        equal(others, [], 'further files that QEMU has open')
        check(any(name.endswith('/a.img') for name in files), files)


sys.exit(tap.main())
