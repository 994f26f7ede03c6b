# SPDX-License-Identifier: GPL-2.0-or-later
"""Pretty-printers for what NT code is full of."""
import gdb
import gdb.printing

from . import guest


class UnicodeString:
    """UNICODE_STRING as text."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return guest.text(self.value)

    def display_hint(self):
        return 'string'


class AnsiString:
    """ANSI_STRING (STRING) as text."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        raw = guest.try_read(guest.integer(self.value['Buffer']), int(self.value['Length']))
        return raw.decode('latin-1') if raw is not None else '<unreadable>'

    def display_hint(self):
        return 'string'


class LargeInteger:
    """LARGE_INTEGER as the number it is."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        return str(int(self.value['QuadPart']))


class ListEntry:
    """LIST_ENTRY: how many, or empty."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        flink, blink = guest.integer(self.value['Flink']), guest.integer(self.value['Blink'])
        address = guest.integer(self.value.address) if self.value.address is not None else 0
        if flink == address:
            return 'empty'
        return f'{{Flink {flink:#x}, Blink {blink:#x}}}'


def register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter('fltvm')
    printers.add_printer('UNICODE_STRING', '^_?UNICODE_STRING$', UnicodeString)
    printers.add_printer('STRING', '^_?(ANSI_|OEM_)?STRING$', AnsiString)
    printers.add_printer('LARGE_INTEGER', '^_?LARGE_INTEGER$', LargeInteger)
    printers.add_printer('LIST_ENTRY', '^_?LIST_ENTRY$', ListEntry)
    gdb.printing.register_pretty_printer(None, printers, replace=True)
