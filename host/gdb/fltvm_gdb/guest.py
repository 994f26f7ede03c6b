# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the guest through gdb: memory, globals, lists, by the debug information."""
import gdb

MASK = (1 << 64) - 1


class GuestError(gdb.GdbError):
    """One clear line for the user."""


def read(address, length):
    return bytes(gdb.selected_inferior().read_memory(address & MASK, length))


def try_read(address, length):
    try:
        return read(address, length)
    except gdb.MemoryError:
        return None


def integer(value):
    return int(value) & MASK


def symbol(name):
    """A global or static variable as a Value; GuestError if the loaded symbols have none."""
    found = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if found is None:
        raise GuestError(f'no symbol "{name}": are the kernel\'s symbols loaded?')
    try:
        return found.value()
    except gdb.MemoryError as error:
        raise GuestError(f'"{name}" is not mapped yet: the kernel has not started') from error


def has_symbol(name):
    return (gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)) is not None


def type_of(name):
    """A type by its name, with or without `struct`."""
    for spelling in (name, 'struct ' + name, 'struct _' + name):
        try:
            return gdb.lookup_type(spelling)
        except gdb.error:
            continue
    raise GuestError(f'no type "{name}" in the symbols')


def offset_of(type_, field):
    """The byte offset of a field, given as "a.b.c"."""
    offset = 0
    for name in field.split('.'):
        member = type_.strip_typedefs()[name]
        offset += member.bitpos // 8
        type_ = member.type
    return offset


def entries(head, type_name, field, limit=10000):
    """The objects of a LIST_ENTRY list, as Values of type_name."""
    type_ = type_of(type_name)
    offset = offset_of(type_, field)
    start = integer(head.address)
    try:
        link = integer(head['Flink'])
        for _ in range(limit):
            if link in (start, 0):
                return
            value = gdb.Value(link - offset).cast(type_.pointer()).dereference()
            yield value
            link = integer(gdb.Value(link).cast(head.type.pointer()).dereference()['Flink'])
    except gdb.MemoryError as error:
        raise GuestError(f'the list at {start:#x} is broken or not there yet') from error
    raise GuestError(f'the list at {start:#x} does not end')


def text(value):
    """A UNICODE_STRING's text."""
    length, buffer = int(value['Length']), integer(value['Buffer'])
    if not length:
        return ''
    raw = try_read(buffer, min(length, 4096))
    return raw.decode('utf-16-le', 'replace') if raw is not None else f'<unreadable {buffer:#x}>'


def where(address, behind_call=False):
    """An address as function+offset (file:line), or as a number.  A return address stands for the call before it."""
    if not address:
        return '0'
    pc = gdb.Value(address).cast(gdb.lookup_type('void').pointer())
    shown = pc.format_string()
    place = shown.split(' ', 1)[1].strip('<>') if ' <' in shown else f'{address:#x}'
    try:
        line = gdb.find_pc_line(address - 1 if behind_call else address)
    except gdb.error:
        return place
    return f'{place} ({line.symtab.filename.rsplit("/", 1)[-1]}:{line.line})' if line.symtab else place


class each_cpu:
    """with each_cpu() as cpus: for cpu in cpus: ...  Selects each CPU in turn, and restores the selection."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        if self.thread is None:
            raise GuestError('not attached: fltvm attach PATH|HOST:PORT')
        self.frame = gdb.selected_frame()
        return self._all()

    def _all(self):
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
            thread.switch()
            yield thread.num - 1

    def __exit__(self, *_):
        self.thread.switch()
        if self.frame.is_valid():
            self.frame.select()


def register(name):
    return integer(gdb.newest_frame().read_register(name))


def kernel_runs():
    """Whether this CPU is in the kernel's address space: long mode, above the hole."""
    return register('rip') >> 47 == 0x1ffff
