#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes guest/rtl/casetable.h: the upper-case mapping of the Basic Multilingual Plane as runs.

usage: scripts/make-casetable.py > guest/rtl/casetable.h

A pair (lower, upper) is in the table when each is the other's single-character mapping, as in the table of an
NTFS volume: letters whose mapping does not return (U+00B5, U+0131, U+017F...) stay as they are.
"""
import sys



def pairs():
    for code in range(0x80, 0x10000):
        char = chr(code)
        upper = char.upper()
        if len(upper) == 1 and upper != char and ord(upper) < 0x10000 and upper.lower() == char:
            yield code, ord(upper)


def runs(items):
    """Runs of (first, last, step, delta)."""
    out = []
    for low, up in items:
        delta = up - low
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            if last == first and low - last in (1, 2) or low - last == step and last != first:
                out[-1] = (first, low, low - last, delta)
                continue
        out.append((low, low, 1, delta))
    return out


def main():
    if len(sys.argv) > 1:
        print(__doc__)
        return
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    print("/* Made by scripts/make-casetable.py: first, last, step, what to add for the capital letter. */")
    for first, last, step, delta in runs(pairs()):
        print("{ 0x%04X, 0x%04X, %d, %d }," % (first, last, step, delta))


main()
