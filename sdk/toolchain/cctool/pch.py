# SPDX-License-Identifier: MIT
"""Precompiled headers: what <fltKernel.h>, <ntifs.h>, <ntddk.h> or <wdm.h> comes to, kept for the next driver with the same flags.

Only a source that begins with such an #include takes part (nothing but comments before it), and no folder may hide the SDK's
headers.  The first time a set of flags is met leaves a mark, the second time makes the file: what is compiled once pays nothing.
Whatever goes in is in the key or is looked at anew (size and time of each header).  A file is put in place in one step, and the
ones that were not used for longest go when there are more than KEEP.
"""
import hashlib
import json
import os
import re
import subprocess

KEEP = 12
FIRST = re.compile(rb'(?:\xef\xbb\xbf)?(?:\s|//[^\n]*\n|/\*.*?\*/)*#[ \t]*include[ \t]*<(fltkernel|ntifs|ntddk|wdm)\.h>', re.DOTALL | re.IGNORECASE)


def header_of(data):
    found = FIRST.match(data[:65536])
    return found and found.group(1).decode().lower() + '.h'


def folder_in(build):
    for place in (build, os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'fltvm')):
        folder = os.path.join(place, 'pch')
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return None


def identity(path):
    info = os.stat(path)
    return [path, info.st_size, info.st_mtime_ns]


def is_current(listing):
    """The headers that went in, if each is as it was; else None."""
    try:
        with open(listing, encoding='utf-8') as text:
            inputs = json.load(text)
        if all(identity(entry[0]) == entry for entry in inputs):
            return [entry[0] for entry in inputs]
    except (OSError, ValueError, IndexError, TypeError):
        pass
    return None


def make(command, header, path, names_of):
    """Compile the header; whether there is one now."""
    mine, stub = f'{path}.{os.getpid()}', os.path.join(os.path.dirname(path), header)
    if not os.path.exists(stub):        # clang looks at it again, so it is made once and stays
        with open(mine + '.h', 'w', encoding='utf-8') as out:
            out.write(f'#include <{header}>\n')
        try:
            os.link(mine + '.h', stub)
        except FileExistsError:
            pass
    done = subprocess.run([*command, '-w', '-x', 'c-header', stub, '-MD', '-MF', mine + '.d', '-o', mine],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    try:
        if done.returncode == 0:
            with open(mine + '.d', encoding='utf-8') as rule:
                inputs = [identity(os.path.abspath(n)) for n in names_of(rule.read()) if os.path.abspath(n) != stub]
            with open(mine + '.json', 'w', encoding='utf-8') as out:
                json.dump(inputs, out)
            os.replace(mine + '.json', path + '.json')
            os.replace(mine, path)
    finally:
        for name in (mine, mine + '.h', mine + '.d', mine + '.json'):
            if os.path.exists(name):
                os.unlink(name)
    return done.returncode == 0


def prune(folder):
    files = [os.path.join(folder, name) for name in os.listdir(folder)]
    for ending, keep in (('.pch', KEEP), ('.seen', 20 * KEEP)):
        found = []
        for name in files:
            try:
                if name.endswith(ending):
                    found.append((os.stat(name).st_mtime_ns, name))
            except OSError:
                continue
        for _, name in sorted(found, reverse=True)[keep:]:
            for other in (name, name + '.json'):
                try:
                    os.unlink(other)
                except OSError:
                    continue


def use(command, data, build, extra, names_of):
    """(flags that take the precompiled header, the headers in it), or ([], []).  `command` begins with clang's path."""
    header = header_of(data)
    folder = header and folder_in(build)
    if not folder:
        return [], []
    words = [*identity(command[0]), os.getcwd(), header, *command, *extra]
    key = hashlib.sha256('\0'.join(map(str, words)).encode(errors='surrogateescape')).hexdigest()[:32]
    path = os.path.join(folder, key + '.pch')
    try:
        inputs = is_current(path + '.json') if os.path.exists(path) else None
        if inputs is None:
            seen = os.path.join(folder, key + '.seen')
            if not os.path.exists(seen):
                with open(seen, 'wb'):
                    pass
                prune(folder)
                return [], []
            if not make(command, header, path, names_of):
                return [], []
            prune(folder)
            inputs = is_current(path + '.json')
        os.utime(path)
    except OSError:
        return [], []
    return (['-include-pch', path], inputs) if inputs else ([], [])
