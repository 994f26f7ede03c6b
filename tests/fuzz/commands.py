#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines of every verb with options and values as they come: each ends soon, with a status that has a meaning."""
import os
import sys

sys.dont_write_bytecode = True
from fuzz import CC, Fault, build_of, main, run  # noqa: E402

VERBS = ['run', 'run', 'run', 'boot', 'gdb', 'image', 'cc', 'walk', '', '--help', '-h']
WORDS = ['--seed', '--cpus', '--memory', '--accel', '--tap', '--junit', '--trace', '--timeout', '--dry-run', '--verbose', '-v', '-k',
         '--keep-going', '-j', '--help', '--machine', '--', '-', '--disk', '--driver', '--gdb', 'info', 'create', 'convert', '-o', '--entry',
         '--depfile', '--symbols', '--strip', '-I', '-D', '--frobnicate', '-x']
VALUES = ['0', '1', '-1', '7', '9', '1e300', 'nan', 'inf', 'x', '', '1M', '32Q', '18446744073709551616', 'tcg', 'good.lua', 'bad.lua',
          'bom.lua', 'nothing.lua', 'folder', 'disk.img', 'fifo', '/dev/null', '/dev/full', 'x.sys', 'x.c', 'a' * 5000, 'ä\udcff', '%s%n',
          'nbd://localhost', 'json:{}', '../x', 'link']
FILES = {'good.lua': 'expect(true, "so")\n', 'bad.lua': 'local x = = 1\n', 'bom.lua': '\ufeff#!lua\nexpect(true)\n', 'disk.img': 'x' * 1024,
         'x.c': 'int x;\n', 'x.sys': 'MZ'}


def one(random, folder, fltvm):
    for name, text in FILES.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
            out.write(text)
    os.mkdir(os.path.join(folder, 'folder'))
    os.mkfifo(os.path.join(folder, 'fifo'))
    os.symlink('good.lua', os.path.join(folder, 'link'))
    verb = random.choice(VERBS)
    words = [random.choice(random.choice((WORDS, VALUES))) for _ in range(random.randrange(6))]
    command = [CC, *words] if verb == 'cc' else [fltvm, *([verb] if verb else []), *words]
    if verb in ('run', 'boot', 'gdb') and '--timeout' not in words:
        command[2:2] = ['--timeout', '10']
    result = run([os.fsencode(word) for word in command], folder, FLTVM_BUILD=build_of(fltvm))
    with open(os.path.join(folder, 'x.c'), encoding='utf-8', errors='replace') as text:
        if text.read() != FILES['x.c']:
            raise Fault(f'{command}: the source was overwritten', result.output)
    if result.status not in (0,) and not result.output.strip():
        raise Fault(f'{command}: exit status {result.status} without a word', result.output)
    return f'{verb or "no verb"}: exit status {result.status}'


if __name__ == '__main__':
    sys.exit(main('command lines', one, few=40, many=1000))
