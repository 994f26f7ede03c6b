# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands: `fltvm attach`, `fltvm irql`, `fltvm threads` and so on.  One class each; its doc string is its help."""
import os

import gdb

from . import guest, modules, unwind, unwinder
from .command import Command
from .filters import CallbackData, Contexts, Filters, Instances, Names, Operations, Ports, Volumes, WorkItems

IRQL_NAMES = {0: 'PASSIVE_LEVEL', 1: 'APC_LEVEL', 2: 'DISPATCH_LEVEL', 13: 'CLOCK_LEVEL', 14: 'IPI_LEVEL',
              15: 'HIGH_LEVEL'}
THREAD_STATES = ('initialized', 'ready', 'running', 'standby', 'terminated', 'waiting', 'transition', 'deferred')
RUNNING, WAITING = 2, 5
# Frames that say only that a thread waits or was switched.
WAITING_FRAMES = ('Ki', 'Ke', 'Exp', 'ExAcquire', 'ExpWait')


def irql_name(irql):
    return IRQL_NAMES.get(irql, f'DIRQL {irql}' if 2 < irql < 13 else str(irql))


def c_string(value):
    """A char array's text up to its NUL."""
    raw = guest.try_read(guest.integer(value.address), value.type.sizeof) or b''
    return raw.split(b'\0')[0].decode(errors='replace')


def current_threads():
    """KTHREAD address -> CPU that runs it."""
    block = guest.symbol('KiProcessorBlock')
    running = {}
    for cpu in range(int(guest.symbol('KiProcessorCount'))):
        prcb = block[cpu]
        if guest.integer(prcb):
            running[guest.integer(prcb.dereference()['CurrentThread'])] = cpu
    return running


def threads():
    yield from guest.entries(guest.symbol('KiThreadListHead'), '_KTHREAD', 'SystemListEntry')


def thread_stack(thread, running):
    """The addresses on a thread's stack, whether it runs or not."""
    address = guest.integer(thread.address)
    if address in running:
        with guest.each_cpu() as cpus:
            for cpu in cpus:
                if cpu == running[address]:
                    registers = {number: guest.register(name) for number, name in enumerate(unwind.REGISTERS)}
                    return list(unwinder.walk(guest.register('rip'), registers))
        return []
    resume = gdb.parse_and_eval('(unsigned long long)&KiSwapContextResume')
    stack = guest.integer(thread['KernelStack'])
    return list(unwinder.walk(guest.integer(resume), {unwind.RSP: stack})) if stack else []


def what_it_does(stack):
    """The innermost place on a stack that says more than that the thread waits."""
    for number, address in enumerate(stack):
        place = guest.where(address, number > 0)
        if not place.startswith(WAITING_FRAMES):
            return place
    return guest.where(stack[0]) if stack else ''


class Prefix(gdb.Command):
    """What the fltvm kernel does: its IRQLs, threads, images, filters and work items."""

    def __init__(self):
        super().__init__('fltvm', gdb.COMMAND_USER, gdb.COMPLETE_NONE, True)


class Attach(Command):
    """fltvm attach [--reset] PATH|HOST:PORT
Connect to QEMU's gdb server, know the kernel, and follow the drivers that it loads.  A machine that was started with -S
runs to the kernel's first instruction; with --reset it stays at the processor's."""

    def run(self, arguments):
        options = [argument for argument in arguments if argument.startswith('--')]
        arguments = [argument for argument in arguments if not argument.startswith('--')]
        if len(arguments) != 1 or options not in ([], ['--reset']):
            raise gdb.GdbError('usage: fltvm attach [--reset] PATH|HOST:PORT')
        for setting in ('breakpoint pending on', 'pagination off', 'architecture i386:x86-64'):
            gdb.execute('set ' + setting, to_string=True)
        if modules.kernel_from_symbols() is None:
            raise gdb.GdbError('no ntoskrnl.exe: set FLTVM_SYMBOLS to the directory of the build\'s symbols')
        gdb.execute('target remote ' + arguments[0])
        modules.watch()
        if guest.kernel_runs():
            modules.from_list()
        elif '--reset' not in options:
            # From the reset vector through firmware and loader, to where the symbols begin to mean something.
            gdb.execute('tbreak *KiSystemStartup', to_string=True)
            gdb.execute('continue')


class Modules(Command):
    """fltvm modules
The images the guest has loaded, and where their symbols come from."""

    def run(self, _arguments):
        modules.from_list()
        for base in sorted(modules.modules):
            module = modules.modules[base]
            gdb.write(f'{base:#018x} {module.size:#8x} {module.name:<20} {module.path or "no symbols"}\n')


class Irql(Command):
    """fltvm irql
For each CPU its IRQL (that is CR8), whether interrupts are on, its thread and its place."""

    def run(self, _arguments):
        running = {cpu: address for address, cpu in current_threads().items()} if guest.kernel_runs() else {}
        names = {guest.integer(thread.address): c_string(thread['Name']) for thread in threads()} if running else {}
        selected = gdb.selected_thread().num - 1 if gdb.selected_thread() else None
        with guest.each_cpu() as cpus:
            for cpu in cpus:
                irql = guest.register('cr8') & 15
                thread = running.get(cpu, 0)
                on = 'on ' if guest.register('eflags') & 0x200 else 'off'
                gdb.write(f'{"*" if cpu == selected else " "} CPU {cpu}  IRQL {irql:2} {irql_name(irql):<14} interrupts '
                          f'{on} thread {thread:#x} {names.get(thread, ""):<20} {guest.where(guest.register("rip"))}\n')


class Threads(Command):
    """fltvm threads
Every thread: its KTHREAD, state, priority, CPU, why it waits, and where it is."""

    def run(self, _arguments):
        running = current_threads()
        for thread in threads():
            address = guest.integer(thread.address)
            state = THREAD_STATES[int(thread['State']) & 7]
            if state == 'waiting':
                state += f' ({self.reason(thread)})'
            cpu = running.get(address, int(thread['NextProcessor']))
            gdb.write(f'{"*" if address in running else " "} {address:#x} {c_string(thread["Name"]):<20} '
                      f'priority {int(thread["Priority"]):2} CPU {cpu} {state:<24} '
                      f'{what_it_does(thread_stack(thread, running))}\n')

    @staticmethod
    def reason(thread):
        try:
            return str(thread['WaitReason'].cast(guest.type_of('KWAIT_REASON')))
        except gdb.GdbError:
            return str(int(thread['WaitReason']))


class Stack(Command):
    """fltvm stack KTHREAD|NAME...
The stack of a thread that may or may not be running: `fltvm threads` lists them.  Without an argument, all."""

    def run(self, arguments):
        running = current_threads()
        wanted = set()
        for argument in arguments:
            try:
                wanted.add(guest.integer(gdb.parse_and_eval(argument)))
            except gdb.error:
                wanted.add(argument)
        found = False
        for thread in threads():
            address, name = guest.integer(thread.address), c_string(thread['Name'])
            if wanted and address not in wanted and name not in wanted:
                continue
            found = True
            gdb.write(f'{address:#x} {name}\n')
            for number, pc in enumerate(thread_stack(thread, running)):
                gdb.write(f'  #{number:<2} {pc:#018x} {guest.where(pc, number > 0)}\n')
        if not found:
            raise gdb.GdbError('no such thread: see fltvm threads')


def register():
    Prefix()
    for command in (Attach, Modules, Irql, Threads, Stack, WorkItems, Filters, Instances, Volumes, Operations,
                    CallbackData, Contexts, Ports, Names):
        command()
    if not os.environ.get('FLTVM_SYMBOLS') and modules.find(modules.KERNEL):
        modules.kernel_from_symbols()
