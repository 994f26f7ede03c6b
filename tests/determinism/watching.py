# SPDX-License-Identifier: GPL-2.0-or-later
"""Watching does not change a run: watching.py FLTVM.

One scenario, on 1 and on 4 processors, plain and in every way there is to look at it: each line the guest logs must come
at the same nanosecond from the same processor, and the end, too; where there is a hash of the trace, it must be one.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from machine import Tap

HERE = os.path.dirname(os.path.abspath(__file__))
SCENARIO = os.path.join(HERE, 'watching.lua')
fltvm = sys.argv[1]
tap = Tap()


def run(command, **environment):
    result = subprocess.run(command, env=dict(os.environ, **environment), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    output = result.stdout.decode(errors='replace')
    lines = re.findall(r'^(?:# )?( *\d+\.\d{6}  cpu\d.*|the end is at .*)$', output, re.M)
    digest = re.search(r'trace: \d+ events, SHA-256 (\w+)', output)
    return '\n'.join(lines), digest and digest.group(1), output


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, 'file')
        plain = ['run']
        ways = {'-v': ([*plain, '-v'], {}), '--trace': ([*plain, '--trace', file], {}), '--tap': ([*plain, '--tap'], {}),
                '--junit': ([*plain, '--junit', file], {}), 'trace = true': (plain, {'WATCH': 'trace'}),
                '-v and all others': ([*plain, '-v', '--trace', file, '--tap', '--junit', file + '.xml'], {'WATCH': 'trace'})}
        if shutil.which('gdb'):
            ways['gdb'] = (['gdb'], {})
            ways['gdb -v'] = (['gdb', '-v'], {})
        for cpus in ('1', '4'):
            reference, _, output = run([fltvm, *plain, '--cpus', cpus, SCENARIO])
            tap.check('the end is at' in reference and len(reference.splitlines()) > 3,
                      f'{cpus} CPUs: the scenario logs and ends', output)
            hashes = {}
            for name, (arguments, environment) in ways.items():
                more = ['--', '-batch', '-ex', 'break KeStartThread', '-ex', 'continue', '-ex', 'delete',
                        '-ex', 'continue'] if 'gdb' in name else []
                lines, digest, output = run([fltvm, *arguments, '--cpus', cpus, SCENARIO, *more], **environment)
                tap.check(lines == reference, f'{cpus} CPUs: {name} does not change the run', f'{output}\nplain:\n{reference}')
                if digest:
                    hashes[name] = digest
            tap.check(len(hashes) >= 2 and len(set(hashes.values())) == 1, f'{cpus} CPUs: one hash of the trace', hashes)
    return tap.done()


sys.exit(main())
