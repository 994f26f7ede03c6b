# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual's figures of cost are what the machine measures: costs.py FLTVM COSTS.MD.

Runs cost.lua once, pairs.lua twice, users.lua, files.lua and growth.lua once, and compares with the tables of docs/manual/costs.md: those of the
heart are within a tenth of the manual's and not above their limits but for a fiftieth, the two runs of pairs are the same to the instruction, each
figure of a pair, of a call and of a file is within a quarter of the manual's, those of calls and files not above their limits either, and each of growth within a half: compilers
differ a little, and where things lie in memory says how often two of them share a place in a table.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '../determinism'))
from machine import Tap  # noqa: E402

fltvm, manual = sys.argv[1:3]
tap = Tap()


def figures(name):
    """What a scenario measured: (name, verifier or number of filters or None) to number."""
    result = subprocess.run([fltvm, 'run', '--timeout', '500', os.path.join(HERE, name)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode(errors='replace')
    found, verifier = {}, None
    for word, value in re.findall(r'bench ([\w-]+) (\d+)', output):
        if word in ('verifier', 'filters'):
            verifier = int(value)
        else:
            found[word, verifier] = int(value)
    tap.check(result.returncode == 0 and found, f'{name} runs', output)
    return found


def rows(columns):
    """The manual's rows of so many columns, of which all but the first are numbers or '-'."""
    for line in open(manual, encoding='utf-8'):
        cells = [cell.strip() for cell in line.strip().strip('|').split('|')]
        if line.startswith('|') and len(cells) == columns and re.fullmatch(r'[\d,.]+', cells[1]):
            yield cells[0].strip('`'), [None if cell == '-' else float(cell.replace(',', '')) for cell in cells[1:]]


def near(value, stated, name, part):
    tap.check(value is not None and abs(value - stated) <= max(stated * part, 5), f'{name}: {value} (the manual: {stated})')


heart = figures('cost.lua')
heart = {'work item': heart.get(('workitem', 0)), 'read': heart.get(('read', 0)),
         'filter': (heart.get(('read', 3), 0) - heart.get(('read', 0), 0)) / 3}
stated = dict(rows(3))
tap.check(stated.keys() == heart.keys(), f'the manual has all of the heart: {", ".join(stated)}')
for name, (costs, limit) in stated.items():
    near(heart.get(name), costs, name, 0.1)
    tap.check(heart.get(name) and heart[name] <= 1.02 * limit, f'{name}: {heart.get(name)}, at most {limit}')

first, second = figures('pairs.lua'), figures('pairs.lua')
tap.check(first == second, 'two runs measure the same', f'{first}\n{second}')
stated = dict(rows(6))
tap.check(len(stated) * 2 == len(first), f'the manual has every pair: {len(stated)}')
for name, (off, on, *_rest) in stated.items():
    near(first.get((f'{name}-pair', 0), 0) / 100, off, f'{name} without the verifier', 0.25)
    near(first.get((f'{name}-pair', 1), 0) / 100, on, f'{name} with the verifier', 0.25)

users = figures('users.lua') | figures('files.lua')
stated = dict(rows(5))
tap.check(len(stated) * 2 == len(users), f'the manual has every call and file: {len(stated)}')
for name, figures_of in stated.items():
    for verifier, (costs, limit) in enumerate(zip(figures_of[:2], figures_of[2:])):
        found = users.get((name, verifier))
        near(found, costs, f'{name}, verifier {verifier}', 0.25)
        tap.check(found and found <= 1.02 * limit, f'{name}, verifier {verifier}: {found}, at most {limit}')

growth = figures('growth.lua')
stated = dict(rows(4))
tap.check(len(stated) * 3 == len(growth), f'the manual has every kind of growth: {len(stated)}')
for name, among in stated.items():
    for count, figure in zip((10, 1000, 10000), among):
        near(growth.get((f'{name}-{count}', None)), figure, f'{name} among {count}', 0.5)
sys.exit(tap.done())
