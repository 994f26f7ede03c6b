#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each documented statement of the heart has its test: clauses.py.

clauses.tsv names page, statement, test and the text of the check.  A check that was taken out or reworded is missed here, so
that the statement does not lose its test unnoticed.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402


def clauses():
    with open(os.path.join(HERE, 'clauses.tsv'), encoding='utf-8') as text:
        return [line.rstrip('\n').split('\t') for line in text if not line.startswith('#')]


def unheld(rows):
    """What is wrong with each row whose check is not where it says."""
    texts = {}
    for row in rows:
        if len(row) != 4 or not all(row):
            yield f'{row}: not page, statement, test and text'
            continue
        page, statement, test, text = row
        path = os.path.join(TESTS, test)
        if path not in texts:
            texts[path] = open(path, encoding='utf-8').read() if os.path.exists(path) else None
        if texts[path] is None:
            yield f'{page}: {statement}: no file {test}'
        elif text not in texts[path]:
            yield f'{page}: {statement}: {test} has no {text}'


@case
def each_statement_has_its_check():
    rows = clauses()
    check(len(rows) > 200, f'{len(rows)} statements')
    wrong = list(unheld(rows))
    check(not wrong, '\n'.join(wrong))


@case
def none_stands_twice():
    seen = [tuple(row[:2]) for row in clauses()]
    twice = sorted({one for one in seen if seen.count(one) > 1})
    check(not twice, f'{twice}')


@case
def what_is_missing_is_told():
    """The canary."""
    missing = ['FltX', 'does', 'fltmgr/work/workitems.c', 'FvCheck(' + 'No such check);']
    nowhere = ['FltX', 'does', 'fltmgr/work/nothing.c', 'FvCheck']
    check(len(list(unheld([missing, nowhere, ['FltX', 'short']]))) == 3, 'three rows are wrong')


main()
