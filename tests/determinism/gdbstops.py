# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by gdb in schedule.py: stops the bare guest in every way there is, then lets it end."""
import os
import random

import gdb

for setting in ('pagination off', 'confirm off', 'height 0'):
    gdb.execute('set ' + setting)
gdb.execute('file ' + os.environ['BARE_ELF'])
gdb.execute('target remote ' + os.environ['BARE_SOCKET'])
stops = 0


def go(command):
    global stops
    gdb.execute(command, to_string=True)
    stops += 1


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
except gdb.error as error:
    # The end of the machine is the end of the connection.
    print(error)
print('stops', stops)
