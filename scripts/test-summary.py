#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print "N passed, N failed, N skipped" for Meson's JUnit logs, counting the cases inside TAP tests.

usage: test-summary.py [--case STATUS NAME]... LOG.xml...

  --case STATUS NAME    counts as a case too: passed if STATUS is 0

A log without a single case, or none at all, is a failure: silence proves nothing.  A test that ended badly without naming a
case that failed counts as one failure, by Meson's own log beside the JUnit one (testlog.json).  Behind a failure stands what its
test said of it, the first lines; the rest is in Meson's testlog.txt.
"""
import json
import os
import sys
import xml.etree.ElementTree as xml

REASON_LINES, REASON_WIDTH = 20, 300


def broken(path, blamed):
    """The tests that Meson calls failed, but for those that have named a case."""
    log = path.removesuffix('.junit.xml') + '.json'
    if not os.path.exists(log):
        return []
    with open(log, encoding='utf-8') as file:
        tests = [json.loads(line) for line in file]
    return [f'{test["name"]}: {test["result"]}' for test in tests
            if test['result'] in ('ERROR', 'FAIL', 'TIMEOUT', 'INTERRUPT', 'UNEXPECTEDPASS')
            and not any(name.endswith(test['name'].split(':')[-1].split(' / ')[-1]) for name in blamed)]


def reasons(said):
    """The comments behind each case that failed, by the case's number, with what a terminal would obey made visible."""
    found, last = {}, None
    for line in said.splitlines():
        words = line.split(maxsplit=3)
        if words[:2] == ['not', 'ok'] and len(words) > 2:
            last = found[words[2]] = []
        elif not line.startswith('#'):
            last = None
        elif last is not None:
            last.append('  ' + ''.join(one if one.isprintable() else repr(one)[1:-1] for one in line[:REASON_WIDTH]))
    return found


def count(path):
    passed = failed = skipped = 0
    blamed = set()
    for suite in xml.parse(path).getroot().iter('testsuite'):
        said = reasons(suite.findtext('system-out') or '')
        for case in suite.iter('testcase'):
            if case.find('failure') is not None or case.find('error') is not None:
                failed += 1
                blamed.add(suite.get('name'))
                blamed.add(case.get('name'))
                print(f'failed: {suite.get("name")}: {case.get("name")}')
                lines = said.get(case.get('name').split(' ')[0], [])
                for line in lines[:REASON_LINES]:
                    print(line)
                if len(lines) > REASON_LINES:
                    print(f'  … {len(lines) - REASON_LINES} lines more')
            elif case.find('skipped') is not None:
                skipped += 1
            else:
                passed += 1
    for test in broken(path, blamed):
        failed += 1
        print(f'failed: {test}')
    return passed, failed, skipped


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ('-h', '--help'):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    total, words = [0, 0, 0], sys.argv[1:]
    while words[:1] == ['--case'] and len(words) >= 3:
        total[words[1] != '0'] += 1
        if words[1] != '0':
            print(f'failed: {words[2]}: exit status {words[1]}')
        words = words[3:]
    for path in words:
        try:
            total = [a + b for a, b in zip(total, count(path))]
        except (OSError, xml.ParseError) as error:
            print(f'failed: {path}: {error}')
            total[1] += 1
    print(f'{total[0]} passed, {total[1]} failed, {total[2]} skipped')
    return 0 if total[0] and not total[1] else 1


sys.exit(main())
