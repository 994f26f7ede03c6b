# SPDX-License-Identifier: GPL-2.0-or-later
"""A PE image whose fields one can find and change: for tests that break images on purpose."""
import struct

DIRECTORIES = {'export': 0, 'import': 1, 'exception': 3, 'relocation': 5, 'config': 10}
DISCARDABLE = 0x02000000


class Image:
    """Bytes with names for places.  Fields are read anew each time, so an image may be broken as one likes."""

    def __init__(self, data):
        self.data = bytearray(data)
        self.pe = self.u32(0x3C)
        self.sections_at = self.pe + 24 + self.u16(self.pe + 20)

    def u16(self, at):
        return struct.unpack_from('<H', self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from('<I', self.data, at)[0]

    def put(self, at, value, size=4):
        self.data[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, 'little')

    # Places in the file.
    @property
    def entry_point(self):
        return self.pe + 24 + 16

    def directory(self, name):
        return self.pe + 24 + 112 + 8 * DIRECTORIES[name]

    def section(self, name):
        """The section's header."""
        for index in range(self.u16(self.pe + 6)):
            at = self.sections_at + 40 * index
            if self.data[at:at + 8].rstrip(b'\0') == name.encode():
                return at
        raise KeyError(name)

    def section_names(self):
        return [self.data[at:at + 8].rstrip(b'\0').decode('latin-1')
                for at in (self.sections_at + 40 * index for index in range(self.u16(self.pe + 6)))]

    def at(self, rva):
        """Where in the file what will be at `rva` is."""
        for index in range(self.u16(self.pe + 6)):
            header = self.sections_at + 40 * index
            start, size, raw = self.u32(header + 12), self.u32(header + 16), self.u32(header + 20)
            if start <= rva < start + size:
                return raw + rva - start
        return rva

    def imports(self):
        """(descriptor, module's name) places of every import descriptor."""
        at = self.at(self.u32(self.directory('import')))
        while self.u32(at + 12):
            yield at, self.at(self.u32(at + 12))
            at += 20

    def set_discardable(self, name):
        at = self.section(name) + 36
        self.put(at, self.u32(at) | DISCARDABLE)
