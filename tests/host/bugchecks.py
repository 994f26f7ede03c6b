#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every bugcheck that the guest's sources raise has its name and words: bugchecks.py SOURCE-ROOT BUGCODES.H bugcheck_names.inc.

Follows the calls that end in a bugcheck, with what the preprocessor would make of their constants.  What is computed is
passed over, so the number of calls that were understood is checked, too.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
import tap  # noqa: E402

# A routine, and which of its arguments are the code and the first parameter.
ROUTINES = {'KeBugCheckEx': (0, 1), 'KeBugCheck': (0, None), 'MiPoolBugCheck': (3, 4), 'FltpViolation': (0, 1)}

WITHOUT_PARAMETERS = (0x9C,)

# Codes whose first parameter says what is wrong.
WITH_KINDS = (0x19, 0x1A, 0xC2, 0xC4, 0xC7, 0xC9, 0xE4, 0xF5)


def sources(root):
    for folder in ('guest', 'fltmgr'):
        for place, names, files in os.walk(os.path.join(root, folder)):
            names.sort()
            for name in sorted(files):
                if name.endswith(('.c', '.h')):
                    yield os.path.join(place, name)


def constants(text, found):
    for name, value in re.findall(r'^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\(?(?:\((?:ULONG|USHORT)\)[ \t]*)?(0x[0-9A-Fa-f]+|\d+)L?u?\b',
                                  text, re.M):
        found[name] = int(value, 8 if re.fullmatch(r'0[0-7]+', value) else 0)


def arguments(text, start):
    """The arguments of the call whose parenthesis opens at start."""
    depth, parts, begin = 0, [], start + 1
    for index in range(start, len(text)):
        if text[index] in '([{':
            depth += 1
        elif text[index] in ')]}':
            depth -= 1
        if depth == 0 or (depth == 1 and text[index] == ','):
            parts.append(text[begin:index].strip())
            begin = index + 1
        if depth == 0:
            return parts
    return parts


def values(expression, known):
    """What an argument can be: a constant, or both sides of a condition; None for what is computed."""
    sides = re.match(r'[^?]*\?(.*):(.*)', expression, re.S)
    result = []
    for side in sides.groups() if sides else (expression,):
        side = side.strip().strip('()')
        if re.fullmatch(r'0x[0-9A-Fa-f]+|\d+', side):
            result.append(int(side, 0))
        else:
            result.append(known.get(side))
    return result


def read_table(path):
    """Code → (first, last, are there words) of each line of the table; the first is the code's own."""
    codes = {}
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            code, first, last, words = re.match(r'\{(\w+?)u, "\w+", (\w+?)u?, (\w+?)u?, \{(.*)\}\}', line).groups()
            codes.setdefault(int(code, 0), []).append((int(first, 0), int(last, 0), words != 'NULL, NULL, NULL, NULL'))
    return codes


def calls():
    """(place, code, first parameter or None) of every call with a code that can be told."""
    known, texts = {}, {}
    for path in [HEADER, os.path.join(ROOT, 'sdk/include/bugcodes.h'), os.path.join(ROOT, 'sdk/include/fltvm.h')]:
        with open(path, encoding='utf-8', errors='replace') as file:
            constants(file.read(), known)
    for path in sources(ROOT):
        with open(path, encoding='utf-8') as file:
            texts[path] = re.sub(r'/\*.*?\*/', lambda comment: '\n' * comment.group().count('\n'), file.read(), flags=re.S)
        constants(texts[path], known)
    for path, text in texts.items():
        for call in re.finditer(r'\b(' + '|'.join(ROUTINES) + r')(?=\()', text):
            code_at, first_at = ROUTINES[call.group(1)]
            parts = arguments(text, call.end())
            place = f"{os.path.relpath(path, ROOT)}:{text.count(chr(10), 0, call.start()) + 1}"
            if len(parts) <= code_at:
                continue
            codes = values(parts[code_at], known)
            kinds = values(parts[first_at], known) if first_at is not None else [None]
            # Two conditions are the same one.
            pairs = zip(codes, kinds) if len(codes) == len(kinds) else ((c, k) for c in codes for k in kinds)
            for code, kind in pairs:
                if code is not None:
                    yield place, code, kind


ROOT, HEADER, TABLE = sys.argv[1:4]
CODES = read_table(TABLE)
CALLS = list(calls())


@tap.case
def the_calls_are_found_and_understood():
    tap.check(len(CALLS) > 100 and len({code for _, code, _ in CALLS}) > 35, f'{len(CALLS)} calls')


@tap.case
def every_code_has_its_name():
    tap.equal([f'{place}: 0x{code:X}' for place, code, _ in CALLS if code not in CODES], [], 'codes without a name')


@tap.case
def every_code_has_words_for_its_parameters():
    tap.equal([f'{place}: 0x{code:X}' for place, code, _ in CALLS
               if code in CODES and code not in WITHOUT_PARAMETERS and not CODES[code][0][2]], [], 'codes without words')


@tap.case
def every_kind_has_words():
    tap.equal([f'{place}: 0x{code:X}, 0x{kind:X}' for place, code, kind in CALLS if code in WITH_KINDS and kind is not None
               and not any(first <= kind <= last for first, last, _ in CODES[code][1:])], [],
              'first parameters without words')


sys.exit(tap.main())
