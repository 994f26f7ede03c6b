# SPDX-License-Identifier: GPL-2.0-or-later
"""What fltvm.py loads into gdb.

pe        a PE image's functions and unwind codes, from a file or from the guest's memory; no gdb in it
unwind    one step of the Windows x64 unwinder; no gdb in it
guest     reading the guest: memory, globals, lists, by the debug information
modules   which images the guest has loaded, and their symbols
unwinder  the above, as an unwinder of gdb's
command   what the commands have in common
commands  `fltvm attach`, `fltvm irql`, `fltvm threads` and their neighbours
filters   `fltvm filters`, `fltvm instances`, `fltvm workitems`
printers  UNICODE_STRING, NTSTATUS and the like
"""
