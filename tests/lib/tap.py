# SPDX-License-Identifier: GPL-2.0-or-later
"""TAP for tests written in Python: cases are functions, registered by decorator and run in order.

A case fails by an exception and is skipped by Skip; what it printed and where it failed follow as comments.
`--canary` adds a case that must fail, so that one can see that failures are seen.
"""
import sys
import traceback

CASES = []


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why."""


def case(function):
    CASES.append(function)
    return function


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(got, wanted, what):
    check(got == wanted, f'{what}: got {got!r}, expected {wanted!r}')


def main():
    cases = list(CASES)
    if '--canary' in sys.argv[1:]:
        def canary():
            raise AssertionError('this case fails on purpose')
        cases.append(canary)
    print(f'1..{len(cases)}', flush=True)
    failed = 0
    for number, function in enumerate(cases, 1):
        name = function.__name__.replace('_', ' ')
        try:
            function()
            print(f'ok {number} - {name}', flush=True)
        except Skip as reason:
            print(f'ok {number} - {name} # SKIP {reason}', flush=True)
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name}')
            for line in ''.join(traceback.format_exception(error)).rstrip().split('\n'):
                print(f'# {line}')
            sys.stdout.flush()
    return 1 if failed else 0
