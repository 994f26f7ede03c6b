#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No component of the kernel, and no room of the filter manager, calls one that it does not see: layers.py NM BUILD.

What a component sees is the table in guest/meson.build, a room the one in fltmgr/meson.build.  The compiler holds private
headers to it, but public names are declared for everybody, so this looks at the symbols.  ALLOWED is today's debt, each with its reason; it may only shrink: an
entry that nothing needs any more is a failure too.
"""
import collections
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, main  # noqa: E402

NM, BUILD = sys.argv[1:3]

# (from, to): routines and why.
ALLOWED = {
    # Raising is rtl's; the public name is ex's.
    ('ke', 'ex'): {'ExRaiseStatus'},
    # Which process a user's pages belong to: the name is io's, the data ke's.
    ('mm', 'io'): {'IoGetCurrentProcess'},
    # An exception that nobody handles ends the machine.
    # What a table is given as a routine is looked at as everywhere.
    ('rtl', 'ke'): {'FvCheckRoutine', 'KeBugCheckEx'},
    # Strings that allocate, as documented.
    ('rtl', 'mm'): {'ExAllocatePoolWithTag', 'ExFreePool'},
    # A subject's context is its thread's and its process's tokens.
    ('se', 'io'): {'IoGetCurrentProcess'},
    ('se', 'ps'): {'PsDereferencePrimaryToken', 'PsGetProcessId', 'PsImpersonateClient', 'PsReferenceImpersonationToken',
                   'PsReferencePrimaryToken'},
}


# The same for rooms of the filter manager.
ALLOWED_ROOMS = {
    # With the verifier: whose volume a file is on that was opened from the top.
    ('io', 'query'): {'FltGetVolumeFromFileObject'},
}


def table(image='guest', dictionary='components'):
    """component: what it sees, from the assignments and the dictionary in the image's meson.build."""
    with open(os.path.join(ROOT, image, 'meson.build'), encoding='utf-8') as text:
        text = text.read()
    lists = {}

    def value(words):
        result = []
        for word in words.split(' + '):
            word = word.strip().rstrip(',')
            result += re.findall(r"'(\w+)'", word) if word.startswith('[') else lists[word]
        return result

    for name, words in re.findall(r'^(\w+_sees) = (.+)$', text, re.M):
        lists[name] = value(words)
    body = re.search(r'^' + dictionary + r' = \{\n(.*?)^\}', text, re.M | re.S)[1]
    return {name: value(words) for name, words in re.findall(r"^ *'(\w+)': (.+)$", body, re.M)}


def symbols(component, image='guest'):
    """(defined, wanted) of a component's library."""
    name = 'hal-static' if component == 'hal' else component if image == 'guest' else f'{image}-{component}'
    library = os.path.join(BUILD, image, name + '.lib')
    defined, wanted = set(), set()
    if not os.path.exists(library):
        return defined, wanted
    for line in subprocess.run([NM, library], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[-2]) == 1:
            kind, name = words[-2], words[-1]
            if kind == 'U':
                wanted.add(name)
            elif kind.isupper() and kind not in 'AN':
                defined.add(name)
    return defined, wanted - defined


def calls_up(image='guest', dictionary='components'):
    sees = table(image, dictionary)
    found, owners = collections.defaultdict(set), {}
    parts = {component: symbols(component, image) for component in sees}
    for component, (defined, _) in parts.items():
        for name in defined:
            owners.setdefault(name, component)
    for component, (_, wanted) in parts.items():
        for name in wanted:
            owner = owners.get(name, component)
            if owner != component and owner not in sees[component]:
                found[component, owner].add(name)
    return found


def both():
    """(calls up, those that are allowed) of the kernel and of the filter manager."""
    return (calls_up(), ALLOWED), (calls_up('fltmgr', 'fltmgr_rooms'), ALLOWED_ROOMS)


@case
def the_tables_were_read():
    sees, rooms = table(), table('fltmgr', 'fltmgr_rooms')
    check('rtl' in sees and not sees['rtl'] and 'ke' in sees['io'] and len(sees) > 10, f'{sees}')
    check('core' in rooms['work'] and 'name' not in rooms['query'] and len(rooms) > 6, f'{rooms}')
    check(len(symbols('ke')[0]) > 100 and len(symbols('core', 'fltmgr')[0]) > 20, 'no symbols')


@case
def nothing_calls_what_it_does_not_see():
    new = [f'{a} calls {b}: {name}' for found, allowed in both() for (a, b), names in sorted(found.items())
           for name in sorted(names - allowed.get((a, b), set()))]
    check(not new, 'not in the table of guest/meson.build or fltmgr/meson.build:\n' + '\n'.join(new))


@case
def the_debt_only_shrinks():
    old = [f'{a} calls {b}: {name}' for found, allowed in both() for (a, b), names in allowed.items()
           for name in sorted(names - found[a, b])]
    check(not old, 'is gone, take it from the list:\n' + '\n'.join(old))


if __name__ == '__main__':
    sys.exit(main())
