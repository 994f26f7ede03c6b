# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by gdb in scenario.py: stops the scenario's machine where its kernel switches, queues and interrupts."""
import os
import random
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gdbgo import Ended, Stops  # noqa: E402

gdb.execute('source ' + os.path.join(os.environ['FLTVM_GDB'], 'fltvm.py'))
gdb.execute('fltvm attach ' + os.environ['FLTVM_TEST_SOCKET'])
stops = Stops()
go = stops.go


try:
    for place in ('KiSwapContext', 'KeInsertQueueDpc', 'IofCompleteRequest'):
        gdb.execute('break ' + place, to_string=True)
        for i in range(15):
            go('continue')
            if i % 3 == 0:
                go(f'stepi {random.randint(1, 25)}')
            if i % 5 == 0:
                go('next')
        gdb.execute('delete', to_string=True)
    gdb.execute('continue')
except (Ended, gdb.error) as error:
    print(error)
print('stops', stops.count)
sys.stdout.flush()
