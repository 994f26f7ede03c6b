# SPDX-License-Identifier: GPL-2.0-or-later
"""The images that the guest has loaded, and their symbols.

The kernel is linked for the address it runs at, so its symbols serve from the start.  For the others, an internal
breakpoint on KdReportModule sees each image before its first instruction, so that pending breakpoints in it work;
and PsLoadedModuleList is read on attaching.  Symbols come from FLTVM_SYMBOLS (directories and files, separated by
colons) and from the build's guest/symbols; of several images with the right name, that one whose header is the
guest's (a driver that a scenario compiles lies at CACHE/KEY/symbols/NAME).
"""
import glob
import os
import re

import gdb

from . import guest, pe

MODULE_LOADED, MODULE_UNLOADED, MODULE_IN_BOX = 1, 2, 0x100  # abi/link.h
KERNEL = 'ntoskrnl.exe'


class Module:
    """An image in the guest's memory."""

    def __init__(self, name, base, size):
        self.name, self.base, self.size = name, base, size
        self.path = find(name, base)
        self.symbols = False
        self._image = None

    def image(self):
        """Its functions: from its file if there is one, else from the guest's memory; None if neither reads."""
        if self._image is None:
            try:
                self._image = pe.from_file(self.path) if self.path else \
                    pe.Image(lambda rva, length: guest.read(self.base + rva, length))
            except (OSError, pe.PeError, gdb.MemoryError, IndexError):
                return None
        return self._image


modules = {}  # base -> Module


def search_path():
    here = os.path.dirname(os.path.realpath(__file__))
    places = [place for place in os.environ.get('FLTVM_SYMBOLS', '').split(':') if place]
    for file in gdb.objfiles():
        if file.filename and os.path.basename(file.filename) == KERNEL:
            places.append(os.path.dirname(file.filename))
    for build in (os.environ.get('FLTVM_BUILD'), os.path.join(here, '../../../build')):
        if build:
            places += [os.path.join(build, 'guest/symbols'), os.path.join(build, 'drivers')]
    return places


def identity(read):
    """What tells one build of an image from another: its time stamp (a hash of it, with /brepro) and its entry."""
    try:
        dos = read(0, 64)
        header = read(int.from_bytes(dos[60:64], 'little'), 56)
    except (gdb.MemoryError, OSError):
        return None
    if dos[:2] != b'MZ' or header[:4] != b'PE\0\0':
        return None
    return header[8:12] + header[40:44]


def file_identity(path):
    def read(offset, length):
        with open(path, 'rb') as file:
            file.seek(offset)
            return file.read(length)
    return identity(read)


def modified(path):
    """Another run may be making the driver just now, in a folder that goes."""
    try:
        return os.path.getmtime(path)
    except OSError:
        return 0


def find(name, base=None):
    """The file with the symbols of an image, or None."""
    loaded = identity(lambda rva, length: guest.read(base + rva, length)) if base is not None else None
    named, others = [], []
    for place in search_path():
        if os.path.isdir(place):
            named += [path for path in (os.path.join(place, name), os.path.join(place, os.path.splitext(name)[0] + '.sys'))
                      if os.path.exists(path)]
            cached = glob.glob(os.path.join(glob.escape(place), '*', 'symbols', '*.sys'))
            cached.sort(key=modified, reverse=True)
            named += [path for path in cached if os.path.basename(path).lower() == name.lower()]
            others += cached
        elif os.path.exists(place):
            (named if os.path.basename(place).lower() == name.lower() else others).append(place)
    if loaded is None:
        return named[0] if named else None
    for path in named + others:
        if file_identity(path) == loaded:
            return path
    return None


def by_address(address):
    for module in modules.values():
        if module.base <= address < module.base + module.size:
            return module
    return None


def add(name, base, size, quiet=True):
    """Know an image; load its symbols."""
    module = modules.get(base)
    if module and module.name == name:
        return module
    if module:
        remove(base)
    module = Module(name, base, size)
    modules[base] = module
    if name == KERNEL:
        module.symbols = any(file.filename and os.path.basename(file.filename) == KERNEL for file in gdb.objfiles())
        if not module.symbols and module.path:
            gdb.execute(f'file {_quoted(module.path)}', to_string=True)
            module.symbols = True
    elif module.path and module.image():
        offset = (base - module.image().preferred_base) & guest.MASK
        gdb.execute(f'add-symbol-file {_quoted(module.path)} -o {offset:#x}', to_string=True)
        module.symbols = True
    if not quiet:
        gdb.write(f'[{name} at {base:#x}{"" if module.symbols else ", no symbols"}]\n')
    return module


def remove(base, quiet=True):
    module = modules.pop(base, None)
    if module is None:
        return
    if module.symbols and module.name != KERNEL:
        try:
            gdb.execute(f'remove-symbol-file -a {base + 0x1000:#x}', to_string=True)
        except gdb.error:
            pass
    if not quiet:
        gdb.write(f'[{module.name} unloaded]\n')


def _quoted(path):
    return re.sub(r'([\s"\'\\])', r'\\\1', path)


def kernel_from_symbols():
    """Know the kernel as soon as its symbols are there: it runs where it is linked."""
    for file in gdb.objfiles():
        if file.filename and os.path.basename(file.filename) == KERNEL:
            image = pe.from_file(file.filename)
            return add(KERNEL, image.preferred_base, image.size)
    path = find(KERNEL)
    if path:
        image = pe.from_file(path)
        return add(KERNEL, image.preferred_base, image.size)
    return None


def from_list():
    """Read PsLoadedModuleList, if the kernel has come so far."""
    try:
        if not guest.kernel_runs():
            return
        for entry in guest.entries(guest.symbol('PsLoadedModuleList'), '_KLDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks'):
            name = guest.text(entry['BaseDllName'])
            add(name, guest.integer(entry['DllBase']), int(entry['SizeOfImage']))
    except (gdb.GdbError, gdb.error):
        return  # not initialized yet: the breakpoint will see them all


class Hook(gdb.Breakpoint):
    """Stops nobody: sees an image come or go."""

    def __init__(self):
        super().__init__('KdReportModule', internal=True)
        self.silent = True

    def stop(self):
        frame = gdb.newest_frame()
        base = guest.integer(frame.read_register('rcx'))
        size = guest.integer(frame.read_register('rdx')) & 0xffffffff
        what = guest.integer(frame.read_register('r8')) & 0xffffffff
        raw = guest.try_read(guest.integer(frame.read_register('r9')), 64) or b''
        name = raw.split(b'\0')[0].decode(errors='replace')
        try:
            if what & ~MODULE_IN_BOX == MODULE_LOADED and name:
                add(name, base, size, quiet=False)
            elif what == MODULE_UNLOADED:
                remove(base, quiet=False)
        except gdb.error as error:
            gdb.write(f'fltvm: {name}: {error}\n', gdb.STDERR)
        return False


hook = None


def watch():
    """Follow the images from now on."""
    global hook
    if hook is None or not hook.is_valid():
        hook = Hook()
