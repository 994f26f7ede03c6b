#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the table of NTSTATUS names from a ntstatus.h.

usage: make-status-names.py ntstatus.h OUTPUT
"""
import re
import sys

if len(sys.argv) != 3 or '--help' in sys.argv:
    print(__doc__)
    sys.exit(0 if '--help' in sys.argv else 2)

# Aliases come after the name that people expect to read.
LAST = ("STATUS_WAIT_", "STATUS_ABANDONED_WAIT_", "STATUS_SEVERITY_")

values = {}
with open(sys.argv[1], encoding="utf-8", errors="replace") as header:
    for line in header:
        found = re.match(r"#define\s+(STATUS_\w+)\s+\(\(NTSTATUS\)\s*(0x[0-9A-Fa-f]+)L?\)", line)
        if found:
            values.setdefault(int(found.group(2), 16), []).append(found.group(1))
if 0 not in values or 0xC0000005 not in values:
    sys.exit(f"{sys.argv[1]}: no NTSTATUS definitions found")
with open(sys.argv[2], "w", encoding="utf-8") as output:
    for value, names in sorted(values.items()):
        for name in sorted(names, key=lambda n: n.startswith(LAST)):
            output.write(f'{{0x{value:08X}u, "{name}"}},\n')
