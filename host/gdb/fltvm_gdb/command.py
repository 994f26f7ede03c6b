# SPDX-License-Identifier: GPL-2.0-or-later
"""What every `fltvm NAME` command of gdb's has in common."""
import gdb


class Command(gdb.Command):
    """A subcommand of fltvm, by its class name."""

    def __init__(self):
        super().__init__('fltvm ' + type(self).__name__.lower(), gdb.COMMAND_USER)

    def invoke(self, argument, _from_tty):
        self.dont_repeat()
        try:
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as error:
            raise gdb.GdbError(f'not there (yet): {error}') from error
