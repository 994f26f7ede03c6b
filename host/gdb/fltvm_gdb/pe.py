# SPDX-License-Identifier: GPL-2.0-or-later
"""A PE image as the unwinder sees it: RUNTIME_FUNCTIONs and UNWIND_INFOs by relative address (RVA).

The source is a function read(rva, length) -> bytes, so that an image may come from its file (complete, even for
sections the guest has discarded) or from the guest's memory (an image without a file here).
"""
import bisect
import struct

IMAGE_DIRECTORY_ENTRY_EXCEPTION = 3
MACHINE_AMD64 = 0x8664
CHAINED = 4  # UNW_FLAG_CHAININFO
CODE_SLOTS = {0: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 2, 8: 2, 9: 3, 10: 1}  # UWOP_ALLOC_LARGE (1) depends on its info


class PeError(Exception):
    """Not an image, or a damaged one."""


class UnwindInfo:
    """A decoded UNWIND_INFO: codes are (prologue offset, operation, info, operand)."""

    def __init__(self, image, rva):
        version_flags, self.prologue_size, count, frame = image.read(rva, 4)
        self.version = version_flags & 7
        self.flags = version_flags >> 3
        self.frame_register = frame & 15
        self.frame_offset = (frame >> 4) * 16
        if self.version not in (1, 2):
            raise PeError(f'unwind information of version {self.version}')
        raw = image.read(rva + 4, 2 * count)
        slots = struct.unpack(f'<{count}H', raw)
        self.codes = []
        index = 0
        while index < count:
            offset, operation, info = slots[index] & 255, slots[index] >> 8 & 15, slots[index] >> 12
            length = (3 if info else 2) if operation == 1 else CODE_SLOTS.get(operation)
            if length is None or index + length > count:
                raise PeError(f'unwind code {operation}')
            operand = 0
            if length == 2:
                operand = slots[index + 1]
            elif length == 3:
                operand = slots[index + 1] | slots[index + 2] << 16
            self.codes.append((offset, operation, info, operand))
            index += length
        self.chained = None
        if self.flags & CHAINED:
            self.chained = struct.unpack('<III', image.read(rva + 4 + 2 * (count + count % 2), 12))


class Image:
    """The functions of one image."""

    def __init__(self, read):
        self.read = read
        dos = read(0, 64)
        if dos[:2] != b'MZ':
            raise PeError('no MZ')
        header, = struct.unpack_from('<I', dos, 60)
        coff = read(header, 24)
        if coff[:4] != b'PE\0\0' or struct.unpack_from('<H', coff, 4)[0] != MACHINE_AMD64:
            raise PeError('not a PE image for x86-64')
        optional = read(header + 24, struct.unpack_from('<H', coff, 20)[0])
        self.preferred_base, = struct.unpack_from('<Q', optional, 24)
        self.size, = struct.unpack_from('<I', optional, 56)
        self.entry, = struct.unpack_from('<I', optional, 16)
        start, length = struct.unpack_from('<II', optional, 112 + 8 * IMAGE_DIRECTORY_ENTRY_EXCEPTION)
        table = read(start, length) if length else b''
        self.functions = sorted(struct.iter_unpack('<III', table[:length - length % 12]))
        self.starts = [function[0] for function in self.functions]
        self.infos = {}

    def function(self, rva):
        """The (begin, end, unwind) that holds rva, or None: then it is a leaf."""
        index = bisect.bisect_right(self.starts, rva) - 1
        if index < 0 or rva >= self.functions[index][1]:
            return None
        function = self.functions[index]
        if function[2] & 1:  # the entry is elsewhere
            function = struct.unpack('<III', self.read(function[2] & ~1, 12))
        return function

    def unwind_info(self, rva):
        if rva not in self.infos:
            self.infos[rva] = UnwindInfo(self, rva)
        return self.infos[rva]

    def primary_start(self, function):
        """Where the function begins that a chained entry belongs to."""
        for _ in range(32):
            chained = self.unwind_info(function[2]).chained
            if not chained:
                break
            function = chained
        return function[0]


def from_file(path):
    """An Image from its file, by the section table."""
    with open(path, 'rb') as file:
        data = file.read()
    if len(data) < 64 or data[:2] != b'MZ':
        raise PeError(f'{path}: no MZ')
    header, = struct.unpack_from('<I', data, 60)
    if header + 24 > len(data):
        raise PeError(f'{path}: no header')
    count, = struct.unpack_from('<H', data, header + 6)
    table = header + 24 + struct.unpack_from('<H', data, header + 20)[0]
    sections = []
    for index in range(count):
        virtual_size, rva, size, offset = struct.unpack_from('<IIII', data, table + 40 * index + 8)
        sections.append((rva, max(virtual_size, size), offset, size))

    def read(rva, length):
        for start, extent, offset, size in sections:
            if start <= rva < start + extent:
                stored = data[offset + rva - start:offset + min(size, rva - start + length)]
                return stored.ljust(length, b'\0')
        if rva + length <= table + 40 * count:
            return data[rva:rva + length]
        raise PeError(f'{path}: nothing at {rva:#x}')

    return Image(read)
