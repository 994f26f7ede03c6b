#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No test is timed: each says a limit that only a hang reaches, also on a machine that does much else.

Meson's own default is 30 seconds.
"""
import json
import os
import sys

LEAST = 120     # seconds

with open(os.path.join(os.environ['FLTVM_BUILD'], 'meson-info', 'intro-tests.json'), encoding='utf-8') as text:
    TESTS = json.load(text)
print(f'1..{len(TESTS)}')
FAILED = False
for number, test in enumerate(TESTS, 1):
    enough = test['timeout'] == 0 or test['timeout'] >= LEAST
    FAILED |= not enough
    print(f"{'ok' if enough else 'not ok'} {number} - {test['name']}: a limit of {test['timeout']} s, at least {LEAST}")
sys.exit(FAILED)
