#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print "N passed, N failed, N skipped" for Meson's JUnit logs, counting the cases inside TAP tests.

usage: test-summary.py LOG.xml...

A log without a single case, or none at all, is a failure: silence proves nothing.
"""
import sys
import xml.etree.ElementTree as xml


def count(path):
    passed = failed = skipped = 0
    for suite in xml.parse(path).getroot().iter('testsuite'):
        for case in suite.iter('testcase'):
            if case.find('failure') is not None or case.find('error') is not None:
                failed += 1
                print(f'failed: {suite.get("name")}: {case.get("name")}')
            elif case.find('skipped') is not None:
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    total = [0, 0, 0]
    for path in sys.argv[1:]:
        try:
            total = [a + b for a, b in zip(total, count(path))]
        except (OSError, xml.ParseError) as error:
            print(f'failed: {path}: {error}')
            total[1] += 1
    print(f'{total[0]} passed, {total[1]} failed, {total[2]} skipped')
    return 0 if total[0] and not total[1] else 1


sys.exit(main())
