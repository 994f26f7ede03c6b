#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual's page of what the verifier finds: each row's test expects that bugcheck, and no code of fltvm's own is missing."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402


def read(*path):
    with open(os.path.join(ROOT, *path), encoding='utf-8') as text:
        return text.read()


PAGE = read('docs', 'manual', 'verifier.md')


def rows():
    """Bugcheck, first parameter (a number or None), test."""
    for line in PAGE.split('\n'):
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if len(cells) == 4 and cells[0].startswith('0x'):
            number = re.fullmatch(r'0x[0-9A-F]+', cells[1])
            yield cells[0], number and number.group(), cells[3]


@case
def every_row_is_expected_by_its_test():
    found = list(rows())
    check(len(found) > 25, f'{len(found)} rows were found')
    for code, parameter, test in found:
        text = read(*test.split('/'))
        for number in filter(None, (code, parameter)):
            check(re.search(fr'\b{number}\b', text, re.IGNORECASE) or
                  re.search(fr'\bp1 = {int(number, 16)}\b', text), f'{test} does not expect {number} of {code}/{parameter}')


@case
def every_code_has_its_words():
    words = read('host', 'report', 'bugchecks.txt')
    words = words[words.index('\nDRIVER_VERIFIER_DETECTED_VIOLATION ='):]
    words = words[:words.index('\nDRIVER_CORRUPTED_EXPOOL')]
    for code, parameter, _ in rows():
        if code == '0xC4' and parameter:
            check(f'\n  {parameter} = ' in words, f'host/report/bugchecks.txt does not say what 0xC4/{parameter} is')


@case
def every_code_of_fltvm_s_own_is_told():
    codes = re.findall(r'#define FV_[A-Z_]+\s+(0xF1[0-9A-F]+)', read('sdk', 'include', 'fltvm.h'))
    check(len(codes) > 5, f'{len(codes)} codes were found')
    for code in codes:
        check(code in [parameter for _, parameter, _ in rows()], f'{code} is not on the page')


@case
def the_options_of_cc_are_those_that_it_tells():
    told = re.findall(r'^  (?:-\w, )?(--?[a-z-]+)', subprocess.run([os.path.join(ROOT, 'sdk', 'toolchain', 'cc'), '--help'], check=True,
                                                                  stdout=subprocess.PIPE, text=True).stdout, re.MULTILINE)
    rows = re.findall(r'^\| `(--?[a-z-]+)', read('docs', 'manual', 'cc.md'), re.MULTILINE)
    check(len(rows) > 8 and sorted(rows) == sorted(told), f'the page has {sorted(rows)}, --help has {sorted(told)}')


if __name__ == '__main__':
    main()
