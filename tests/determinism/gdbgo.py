# SPDX-License-Identifier: GPL-2.0-or-later
"""For the scripts that gdb runs in this folder: commands that may meet the machine's end, or have nothing to do."""
import gdb

for setting in ('pagination off', 'confirm off', 'height 0', 'remotetimeout 100'):
    gdb.execute('set ' + setting)


class Ended(Exception):
    """The machine is gone, and the connection with it."""


class Stops:
    """Counts the commands that stopped the machine, and says what the others met."""

    def __init__(self):
        self.count = 0

    def go(self, command):
        try:
            gdb.execute(command, to_string=True)
            self.count += 1
        except gdb.error as error:
            # Some places have no caller to finish to and no line to step over: that is no stop, and no end.
            print(f'{self.count}: {command}: {error}')
            if not gdb.selected_inferior().pid:
                raise Ended from error
