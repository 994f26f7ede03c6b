#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Verbs and options that the README and the manual name are in the command's own help: options.py FLTVM.

A command in a text is what follows ./fltvm on a line or between back-quotes, or `fltvm with one of the verbs.
"""
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

FLTVM = os.path.abspath(sys.argv[1])
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z-]*')
# Which of the two programs answers: the command, or the script around it.
COMMAND, SCRIPT = ('run', 'explore', 'boot', 'gdb', 'image', 'inf-check'), ('test', 'bench', 'build', 'setup', 'cc')


def helped(*words):
    program = FLTVM if words and words[0] in COMMAND else os.path.join(ROOT, 'fltvm')
    if words and words[0] == 'cc':
        program, words = os.path.join(ROOT, 'sdk', 'toolchain', 'cc'), words[1:]
    result = subprocess.run([program, *words, '--help'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    equal(result.returncode, 0, f'{program} {words} --help: {result.stdout}')
    return result.stdout


def texts():
    for path in [os.path.join(ROOT, 'README.md'), os.path.join(ROOT, 'CONTRIBUTING.md'), *sorted(glob.glob(os.path.join(ROOT, 'docs', '*', '*.md')))]:
        with open(path, encoding='utf-8') as text:
            yield os.path.relpath(path, ROOT), text.read()


def commands(text):
    """The words after each ./fltvm of a text, up to the line's or the quotation's end."""
    for line in re.findall(rf'(?:\./fltvm +|`fltvm +(?=(?:{"|".join(COMMAND + SCRIPT)})\b))([a-z][^\n`]*)', text):
        yield re.split(r'\s#| \|\s|&&|;', line)[0].split()


@case
def every_verb_that_a_text_names_is_there():
    usage, seen = helped(), 0
    for name, text in texts():
        for words in commands(text):
            seen += 1
            check(words[0] in COMMAND + SCRIPT and re.search(rf'^  {words[0]}\b', usage, re.M), f'{name}: ./fltvm {" ".join(words)}')
    check(seen > 15, f'only {seen} commands were seen')


@case
def every_option_that_a_text_gives_a_verb_is_in_its_help():
    wrong, seen, helps = [], 0, {}
    for name, text in texts():
        for words in commands(text):
            if words[0] not in helps:
                helps[words[0]] = set(OPTION.findall(helped(words[0])))
            given = words[1:words.index('--')] if '--' in words else words[1:]
            for option in OPTION.findall(' '.join(given)):
                seen += 1
                if option not in helps[words[0]] | {'--help'}:
                    wrong.append(f'{name}: ./fltvm {" ".join(words)}: {option}')
    check(not wrong, '\n'.join(wrong))
    check(seen > 5, f'only {seen} options were seen')


if __name__ == '__main__':
    sys.exit(main())
