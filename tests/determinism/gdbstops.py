# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by gdb in schedule.py: stops the bare guest in every way there is, then lets it end."""
import os
import random
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdbgo import Ended, Stops  # noqa: E402

gdb.execute('file ' + os.environ['BARE_ELF'])
gdb.execute('target remote ' + os.environ['BARE_SOCKET'])
stops = Stops()
go = stops.go


try:
    gdb.execute('break record', to_string=True)
    for i in range(60):
        go('continue')
        if i % 5 == 0:
            go(f'stepi {random.randint(1, 30)}')
        if i % 7 == 0:
            go('next')
        if i % 11 == 0:
            go('finish')
        if i % 13 == 0:
            gdb.execute(f'thread {random.randint(1, 4)}', to_string=True)
            go('stepi')
    gdb.execute('delete')
    gdb.execute('watch trace_hash', to_string=True)
    for i in range(30):
        go('continue')
    gdb.execute('delete')
    gdb.execute('break bare_interrupt', to_string=True)
    for i in range(30):
        go('continue')
        go('stepi')
    gdb.execute('delete')
    gdb.execute('continue')
except (Ended, gdb.error) as error:
    # The end of the machine is the end of the connection.
    print(error)
print('stops', stops.count)
sys.stdout.flush()
