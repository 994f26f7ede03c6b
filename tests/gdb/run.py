# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a gdb script as a test: run.py SCRIPT NAME=VALUE..., or run.py SCRIPT FLTVM SCENARIO under `fltvm gdb`.

The values go into the script's environment.  Of all that gdb prints, lines that begin with "@tap " are the test's
output; without a plan among them the test has failed, and everything is shown.
"""
import os
import shutil
import subprocess
import sys

script, arguments = sys.argv[1], sys.argv[2:]
environment = dict(os.environ, **dict(argument.split('=', 1) for argument in arguments if '=' in argument))
command = ['gdb', '-q', '-nx', '-batch', '-x', script]
if arguments and '=' not in arguments[0]:
    command = [arguments[0], 'gdb', arguments[1], '--', '-nx', '-batch', '-x', script]
if not shutil.which('gdb'):
    print('1..0 # SKIP no gdb')
    sys.exit(0)
try:
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=300)
    output = result.stdout.decode(errors='replace')
except subprocess.TimeoutExpired as error:
    output = (error.stdout or b'').decode(errors='replace') + '\ngdb did not end\n'
lines = [line[5:] for line in output.splitlines() if line.startswith('@tap ')]
print('\n'.join(lines))
if not any(line.startswith('1..') for line in lines):
    for line in output.splitlines()[-200:]:
        print('#', line)
    print('Bail out! no plan')
    sys.exit(1)
