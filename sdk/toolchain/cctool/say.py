# SPDX-License-Identifier: MIT
"""What `fltvm cc` says beside the compiler and the linker: one clear message, with file and line."""
import os
import re

RANGES = re.compile(r'^(.+?:\d+:\d+):(?:\{[^}]*\})+(?=: )', re.MULTILINE)
UNDEFINED = re.compile(r'undefined symbol: (.+)')
UNDECLARED = re.compile(r"call to undeclared function '(\w+)'|use of undeclared identifier '(\w+)'")
INITIALISER = re.compile(r'^(.+?):(\d+):(\d+): error: declaration requires (?:a global|an exit-time) (con|de)structor', re.MULTILINE)
CHAIN = re.compile(r'^In file included from (.+?):(\d+):$', re.MULTILINE)
CAST = re.compile(r'^\S+?: error: (?:assignment to cast is illegal)', re.MULTILINE)
NO_SOURCE = ((b'MZ', 'a Windows image'), (b'\x7fELF', 'an ELF file'), (b'PK\x03\x04', 'an archive'), (b'\x89PNG', 'a picture'),
             (b'%PDF', 'a PDF file'), (b'<?xml', 'XML'), (b'<Project', 'a Visual Studio project (give it with --project)'),
             (b'#!', 'a script'), (b'Microsoft Visual Studio Solution', 'a Visual Studio solution'))


def load_facts(path):
    """Routine -> (header, kind), from the SDK's table of the documented interface."""
    facts = {}
    try:
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                cells = line.rstrip('\n').split('\t')
                if len(cells) > 3 and not line.startswith('#'):
                    facts[cells[0]] = (cells[1], cells[2])
    except OSError:
        pass
    return facts


def plain(text):
    """clang's complaints without the ranges that only repair.py reads."""
    return RANGES.sub(r'\1', text)


def crash(text):
    """The one message that stands for clang's own trace of where it fell; or None."""
    if 'PLEASE submit a bug report' not in text:
        return None
    before = text.partition('PLEASE submit a bug report')[0]
    where = re.search(r"^\d+\.\t(?:(\S+?:\d+):\d+: |.*on function '@?(.+)')", text, re.MULTILINE)
    place = where and (where.group(1) or where.group(2))
    return f'{before}error: clang itself failed{" at " + place if place else ""}: --verbose shows its command\n'


def no_source(name, data):
    """Why a file is no C or C++ source, or None."""
    head = data[3:] if data.startswith(b'\xef\xbb\xbf') else data
    for magic, what in NO_SOURCE:
        if head.lstrip().startswith(magic):
            return f'{name}:1: error: not a C or C++ source: {what}'
    if head.startswith((b'\xff\xfe', b'\xfe\xff')):
        return None
    at = head.find(b'\0')
    if at >= 0:
        return f'{name}:{head.count(10, 0, at) + 1}: error: not a C or C++ source: a zero byte at offset {at}'
    return None


def include_cycle(text):
    """The one message that stands for clang's two hundred lines, or None."""
    if '#include nested too deeply' not in text:
        return None
    chain = [(name, line) for name, line in CHAIN.findall(text)]
    seen = {}
    for index, (name, line) in enumerate(chain):
        if name in seen:
            circle = chain[seen[name]:index]
            way = ' -> '.join(os.path.basename(n) for n, _ in circle + [(name, line)])
            return f'{circle[0][0]}:{circle[0][1]}: error: include cycle: {way} (no #pragma once, no guard)\n'
        seen[name] = index
    return None


def initialisers(text):
    """Name the variable in each complaint of a static initialiser."""
    def name_it(match):
        word = 'the variable'
        try:
            with open(match.group(1), encoding='utf-8', errors='replace') as source:
                line = source.read().split('\n')[int(match.group(2)) - 1]
            word = re.match(r'\w+', line.encode()[int(match.group(3)) - 1:].decode(errors='replace')).group()
        except (OSError, IndexError, AttributeError):
            pass
        when = 'initialised at load' if match.group(4) == 'con' else 'destroyed at unload'
        return (f"{match.group(1)}:{match.group(2)}:{match.group(3)}: error: '{word}' would be {when}, which nobody does for a "
                'driver: initialise it in DriverEntry')
    return INITIALISER.sub(name_it, text)


def hint(name, facts, status_page, declared):
    """What is known of a name that is missing."""
    if name in facts:
        header, kind = facts[name]
        if kind in ('export', 'library') and declared:
            return f'{name}: documented ({header}), not built in fltvm yet; {status_page} lists what there is'
        return f'{name}: documented in {header}: is that included?'
    import difflib      # pylint: disable=import-outside-toplevel  # slow to import, and rarely wanted
    near = difflib.get_close_matches(name, facts, 1, 0.85)
    return f'{name}: not in the documented interface' + (f': is {near[0]} meant?' if near else '')


def undefined(text, facts, status_page):
    """A line for each symbol that the linker misses."""
    names = []
    for symbol in UNDEFINED.findall(text):
        name = re.sub(r'^__declspec\(dllimport\) ', '', symbol.strip())
        if re.fullmatch(r'\w+', name) and name not in names:
            names.append(name)
    return [hint(name, facts, status_page, True) for name in names]


def undeclared(text, facts, status_page):
    names = []
    for pair in UNDECLARED.findall(text):
        name = pair[0] or pair[1]
        if name in facts and name not in names:
            names.append(name)
    return [hint(name, facts, status_page, False) for name in names]


def shadows(folders, ours, sources):
    """(file:line, header, whose) for each header of the author's that has the name of one of the SDK's."""
    taken = {}
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if name.lower() in ours:
                taken.setdefault(name.lower(), os.path.join(folder, name))
    found = []
    for name, path in sorted(taken.items()):
        for source in [*sources, *(os.path.join(f, n) for f in folders for n in sorted(os.listdir(f)) if n.lower().endswith('.h'))]:
            try:
                with open(source, encoding='utf-8', errors='replace') as text:
                    lines = text.read().split('\n')
            except OSError:
                continue
            at = [n for n, line in enumerate(lines, 1)
                  if re.match(r'\s*#\s*include\s*[<"]' + re.escape(name) + r'[>"]', line, re.IGNORECASE)]
            if at:
                found.append(f'{source}:{at[0]}: warning: {os.path.basename(path)} here is {path}, which hides the SDK\'s')
                break
    return found
