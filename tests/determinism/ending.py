# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever comes while a machine ends, it ends well: ending.py QEMU BARE.ELF LATE.SO.

The patch hw/patches/0007 has the reasons.  late.c brings QEMU's threads into the orders that matter; then
many monitors talk to a machine until it is gone, as it comes.
"""
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys

from machine import Tap, firmware_directory, MACHINE

qemu = os.environ.get('FLTVM_QEMU', sys.argv[1])
kernel, late = sys.argv[2:4]
tap = Tap()


class Talk:
    """A QEMU with several monitors, each asked line by line."""

    def __init__(self, guest, monitors, preload=None):
        arguments = [qemu, '-M', MACHINE, '-L', firmware_directory(qemu), '-bios', 'qboot.rom', '-kernel', kernel,
                     '-append', guest, '-nodefaults', '-display', 'none', '-m', '32', '-seed', '1', '-S',
                     '-rtc', 'base=2020-01-01,clock=vm', '-smp', '4', '-icount', 'shift=0,sleep=off,sched-seed=7']
        pairs = [socket.socketpair() for _ in range(monitors)]
        for number, (_, theirs) in enumerate(pairs):
            arguments += ['-chardev', f'socket,id=m{number},fd={theirs.fileno()},server=off',
                          '-mon', f'chardev=m{number},mode=control']
        environment = dict(os.environ)
        if preload:
            environment.update(LD_PRELOAD=preload, ASAN_OPTIONS='verify_asan_link_order=0')
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=environment,
                                        pass_fds=[theirs.fileno() for _, theirs in pairs])
        self.sockets = [ours for ours, _ in pairs]
        for _, theirs in pairs:
            theirs.close()
        for ours in self.sockets:
            ours.settimeout(60)
        self.files = [ours.makefile('rb') for ours in self.sockets]
        for number, lines in enumerate(self.files):
            lines.readline()
            self.say(number, 'qmp_capabilities')
            lines.readline()

    def say(self, number, command, name=None):
        request = {'execute': command}
        if name:
            request['id'] = name
        try:
            self.sockets[number].sendall(json.dumps(request).encode() + b'\n')
        except OSError:
            pass  # it is gone

    def held(self):
        """The preloaded library says that a thread is where it should be."""
        ready, _, _ = select.select([self.process.stderr], [], [], 30)
        return bool(ready) and self.process.stderr.readline() == b'held\n'

    def answers(self, number):
        """What comes until the end: the events' names, and the answers' ids, with ! for refused."""
        told = []
        try:
            for line in self.files[number]:
                answer = json.loads(line)
                told.append(answer.get('event') or f'{answer.get("id")}{"!" if "error" in answer else ""}')
        except OSError:
            pass  # closed with something of ours unread
        return told

    def status(self):
        """How it ended."""
        try:
            self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return 'TIMEOUT'
        finally:
            for one in self.files + self.sockets:
                one.close()
        return self.process.returncode


def late_command():
    """A command that is read when its dispatcher has ended."""
    talk = Talk('exit', 1, late)
    talk.say(0, 'query-status', 'late')
    held = talk.held()
    talk.process.send_signal(signal.SIGTERM)
    return held, talk.answers(0), talk.status()


def begun_command(command):
    """A command that is begun, in the round of the event loop at whose end the machine is told to end."""
    talk = Talk('schedule', 2, late)
    talk.say(0, 'query-status', 'hold')
    held = talk.held()
    talk.say(1, command, 'next')
    return held, talk.answers(1), talk.status()


def crowd(guest, first, commands, monitors, ahead):
    """Every monitor always has `ahead` commands on the way, until the machine has ended; how it did."""
    talk = Talk(guest, monitors)
    with selectors.DefaultSelector() as selector:
        for number, one in enumerate(talk.sockets):
            selector.register(one, selectors.EVENT_READ, number)
            for command in (first if number == 0 else []) + commands * ahead:
                talk.say(number, command)
        while selector.get_map():
            ready = selector.select(60)
            if not ready:
                break
            for key, _ in ready:
                try:
                    data = key.fileobj.recv(65536)
                except OSError:
                    data = b''
                if not data:
                    selector.unregister(key.fileobj)
                for _ in range(data.count(b'"return"') + data.count(b'"error"')):
                    talk.say(key.data, commands[0])
                    commands = commands[1:] + commands[:1]
    return talk.status()


def main():
    held, told, status = late_command()
    tap.check(held, 'the monitor holds a command back until the dispatcher has ended')
    tap.check(status == 0, 'a command that comes then is no harm', status)
    tap.check('late' not in told, 'it goes unanswered', told)

    for command in ('query-status', 'stop', 'cont', 'quit', 'system_reset'):
        held, told, status = begun_command(command)
        tap.check(held and 'SHUTDOWN' in told, f'{command} is begun just before the end', told)
        tap.check(status == 0, f'{command}: the machine ends', status)
        tap.check('RESUME' not in told, f'{command}: it does not run again', told)
        if command == 'cont':
            tap.check('next' not in told, 'cont does not say that it did', told)

    for guest, first, commands in (('exit', ['cont'], ['stop', 'cont']), ('exit', ['cont'], ['query-status']),
                                   ('schedule', ['cont', 'stop', 'quit'], ['cont', 'stop'])):
        ends = [crowd(guest, first, commands, 8, ahead) for ahead in (1, 2, 4) for _ in range(4)]
        tap.check(not any(ends), f'{guest}: eight monitors saying {", ".join(commands)} to the end', ends)
    return tap.done()


sys.exit(main())
