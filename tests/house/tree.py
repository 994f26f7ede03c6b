#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree is what the README says it is, and knows no machine but the one it is on."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

SKIPPED = re.compile(r'^(\.git|build(-.*)?|__pycache__)$')


def files():
    for place, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in sorted(names):
            path = os.path.join(place, name)
            if os.path.isfile(path) and not name.endswith(('.swp', '.pyc')):
                yield os.path.relpath(path, ROOT), path


def read(path):
    with open(path, encoding='utf-8', errors='replace') as text:
        return text.read()


@case
def the_readme_names_every_folder():
    section = read(os.path.join(ROOT, 'README.md')).split('\n## The tree\n')[1]
    named = set(re.findall(r'^\| `([\w.]+)/` \|', section, re.M))
    there = {name for name in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, name)) and not name.startswith('.')
             and not SKIPPED.match(name)}
    equal(sorted(there - named), [], 'folders that README.md does not name')
    equal(sorted(named - there), [], 'folders that README.md names and that are not there')


@case
def every_folder_of_the_root_has_its_readme():
    lacking = [name for name in sorted(os.listdir(ROOT)) if os.path.isdir(os.path.join(ROOT, name)) and not name.startswith('.')
               and not SKIPPED.match(name) and not os.path.isfile(os.path.join(ROOT, name, 'README.md'))]
    equal(lacking, [], 'folders without a README.md')


@case
def a_suite_is_called_as_its_folder():
    wrong = []
    for name, path in files():
        if re.match(r'tests/[^/]+/meson\.build$', name):
            wrong += [f'{name}: {suite}' for suite in re.findall(r"suite: '([^']*)'", read(path)) if suite != name.split('/')[1]]
    equal(wrong, [], 'suites of another name than their folder')


@case
def the_readme_has_its_two_commands():
    result = subprocess.run([os.path.join(ROOT, 'scripts', 'two-commands')], stdout=subprocess.PIPE, text=True, check=False)
    equal((result.returncode, len(result.stdout.splitlines())), (0, 2), result.stdout)


@case
def no_path_of_anybody_s_machine():
    homes = re.compile('(?<![\\w.~])/' + '(?:home|Users|root)/' + r'(?!user\b)\w')
    found = [f'{name}: {match[0]}' for name, path in files() for match in homes.finditer(read(path))]
    check(not found, '\n'.join(found))


@case
def every_file_has_its_licence():
    needs = ('.c', '.h', '.S', '.py', '.lua', '.build', '.cfg', '.cmake', '.ld')
    missing = [name for name, path in files() if name.endswith(needs) and 'SPDX-License-Identifier:' not in read(path)[:400]]
    check(not missing, '\n'.join(missing))


@case
def no_compiler_takes_what_is_not_declared():
    """Every C file of the build is compiled so, by whatever compiler: gcc 12 only warns, gcc 14 does not."""
    build = os.environ.get('FLTVM_BUILD') or os.path.join(ROOT, 'build')
    needs = ['-Werror=' + name for name in ('implicit-function-declaration', 'incompatible-pointer-types', 'int-conversion',
                                            'return-type')]
    commands = json.loads(read(os.path.join(build, 'compile_commands.json')))
    lacking = [f'{entry["file"]}: {need}' for entry in commands for need in needs if entry['file'].endswith('.c')
               and need not in entry.get('command', '').split()]
    check(not lacking, '\n'.join(lacking))
    check(len(commands) > 40, f'only {len(commands)} files were seen')


sys.exit(main())
