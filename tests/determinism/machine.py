# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the bare guest on a QEMU, and talks to its monitor.  Shared by the tests of this folder and the benchmark."""
import json
import os
import socket
import subprocess

MACHINE = 'microvm,x-option-roms=off,acpi=on,pcie=on,pit=off,pic=off,rtc=off,isa-serial=on'


def firmware_directory(qemu):
    """Where qboot.rom is: beside the QEMU that the build made, or where the distribution puts it."""
    for directory in (os.path.join(os.path.dirname(qemu), 'firmware'), '/usr/share/qemu'):
        if os.path.exists(os.path.join(directory, 'qboot.rom')):
            return directory
    raise FileNotFoundError('qboot.rom')


class Monitor:
    """QEMU's monitor at the other end of a socket."""

    def __init__(self, connection):
        self.file = connection.makefile('rw')
        self.file.readline()
        self.execute('qmp_capabilities')

    def execute(self, name, **arguments):
        """One monitor command; None once the machine is gone, or about to be."""
        try:
            self.file.write(json.dumps({'execute': name, 'arguments': arguments}))
            self.file.flush()
            while True:
                line = self.file.readline()
                if not line:
                    return None
                answer = json.loads(line)
                if 'error' in answer:
                    if 'being shut down' in answer['error']['desc']:
                        return None
                    raise RuntimeError(f'{name}: {answer["error"]["desc"]}')
                if 'return' in answer:
                    return answer['return']
        except (BrokenPipeError, ConnectionResetError):
            return None


class Bare:
    """One run of the bare guest: its first word of `command` says which."""

    def __init__(self, qemu, kernel, command, *options, cpus=4, monitor=False, seed=None, icount='sleep=off',
                 sched_max=None):
        arguments = [qemu, '-M', MACHINE, '-L', firmware_directory(qemu), '-bios', 'qboot.rom',
                     '-kernel', kernel, '-append', command, '-nodefaults', '-display', 'none', '-serial', 'stdio',
                     '-m', '32', '-seed', '1', '-rtc', 'base=2020-01-01,clock=vm', '-smp', str(cpus)]
        if seed is not None:
            arguments += ['-icount', f'shift=0,{icount},sched-seed={seed}'
                          + (f',sched-max={sched_max}' if sched_max else '')]
        files = []
        self.monitor = None
        if monitor:
            ours, theirs = socket.socketpair()
            ours.settimeout(60)
            arguments += ['-S', '-chardev', f'socket,id=monitor,fd={theirs.fileno()},server=off',
                          '-mon', 'chardev=monitor,mode=control']
            files.append(theirs.fileno())
        self.process = subprocess.Popen(arguments + list(options), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, pass_fds=files)
        if monitor:
            theirs.close()
            self.monitor = Monitor(ours)

    def execute(self, name, **arguments):
        return self.monitor.execute(name, **arguments)

    def finish(self, timeout=120):
        """What the guest printed, once the machine has shut down."""
        try:
            output, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return 'TIMEOUT'
        if self.process.returncode != 0:
            return f'QEMU exited with {self.process.returncode}'
        return output.decode(errors='replace').strip()


class Tap:
    """Test Anything Protocol, with a plan at the end."""

    def __init__(self):
        self.count = self.failed = 0
        print('TAP version 13', flush=True)

    def check(self, good, name, why=''):
        self.count += 1
        self.failed += not good
        print(f'{"ok" if good else "not ok"} {self.count} {name}', flush=True)
        if not good and why:
            for line in str(why).splitlines():
                print(f'# {line}', flush=True)

    def skip(self, name, why):
        self.count += 1
        print(f'ok {self.count} {name} # SKIP {why}', flush=True)

    def done(self):
        print(f'1..{self.count}', flush=True)
        return 1 if self.failed else 0
