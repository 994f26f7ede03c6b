# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb for the fltvm guest: `source host/gdb/fltvm.py`, then `fltvm attach PATH|HOST:PORT`.

Teaches gdb what it lacks: the Windows x64 unwinder, symbols of images as the guest loads them, and commands that
know the kernel (`help fltvm`).  docs/manual/gdb.md is the manual.  `fltvm gdb` does both lines itself.
"""
import os
import sys

# Not __file__: a script that sources this one would give its own.
sys.path.insert(0, os.path.dirname(os.path.realpath(sys._getframe().f_code.co_filename)))

import fltvm_gdb.commands  # noqa: E402
import fltvm_gdb.printers  # noqa: E402
import fltvm_gdb.unwinder  # noqa: E402

fltvm_gdb.unwinder.register()
fltvm_gdb.printers.register()
fltvm_gdb.commands.register()
