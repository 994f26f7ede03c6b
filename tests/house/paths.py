#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that texts and comments name exist: paths.py.

A word that begins with a folder of the project's root and goes on behind a slash is taken for a path.  What the build makes, and names
with a placeholder in them, are listed.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
import tap  # noqa: E402
from tap import case, check  # noqa: E402

FOLDERS = sorted(name for name in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, name)) and not name.startswith('.')
                 and name != 'build')
WORD = re.compile(r'(?<![\w./~$}\\-])(?:\.\./|\./)*((?:%s)/[\w.+-]+(?:/[\w.+-]+)*/?)' % '|'.join(FOLDERS))
FILE = re.compile(r'`([\w./-]+\.(?:py|lua|c|h))`')
CASE = re.compile(r'`([\w-]+\.py)`|(?<!\*)\*([^*`|]+)\*(?!\*)')
LINK = re.compile(r'\]\(([^)#:\s]+)(?:#[^)]*)?\)')

BUILD = os.environ.get('FLTVM_BUILD') or os.path.join(ROOT, 'build')

# Of QEMU's tree, and names that stand for others.
FOREIGN = {'hw/fltvm', 'docs/interop/qcow2.txt', 'guest/symbols/NAME', 'tests/io/x.c'}


def listed():
    """Names of the tree's files: git's, or on a machine without git what stands there beside build folders."""
    try:
        names = subprocess.run(['git', '-C', ROOT, 'ls-files', '-z'], stdout=subprocess.PIPE, check=False).stdout
        return names.decode(errors='surrogateescape').split('\0')
    except FileNotFoundError:
        return walked()


def walked():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in ('.git', '__pycache__') and not n.startswith('build')]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def files():
    for name in listed():
        if name and os.path.isfile(os.path.join(ROOT, name)) and not name.startswith('hw/patches/'):
            yield name


def text_of(name):
    with open(os.path.join(ROOT, name), encoding='utf-8', errors='replace') as file:
        return file.read()


def comments(name, text):
    """What is for people to read: all of a text, the comments of a source."""
    if name.endswith(('.md', '.rst')):
        return text
    if name.endswith(('.c', '.h', '.S')):
        return '\n'.join(re.findall(r'/\*.*?\*/|//[^\n]*', text, re.S))
    if name.endswith('.lua'):
        return '\n'.join(re.findall(r'--[^\n]*', text))
    return ''


def is_there(path, name):
    """As it is, as the beginning of a name (hw/patches/0002), beside the file that names it, or made by the build."""
    path = path.rstrip('./')
    if path in FOREIGN or '...' in path:
        return True
    return any(glob.glob(glob.escape(os.path.join(place, path)) + '*')
               for place in (ROOT, os.path.join(ROOT, os.path.dirname(name)), BUILD))


@case
def every_path_that_a_text_or_a_comment_names_is_there():
    missing, seen = [], 0
    for name in files():
        for path in WORD.findall(comments(name, text_of(name))):
            seen += 1
            if not is_there(path, name):
                missing.append(f'{name}: {path}')
    check(not missing, '\n'.join(missing))
    check(seen > 100, f'only {seen} paths were seen: does this test still look?')


@case
def every_link_of_the_manual_leads_somewhere():
    missing = []
    for name in files():
        if name.endswith('.md'):
            missing += [f'{name}: {link}' for link in LINK.findall(text_of(name))
                        if not os.path.exists(os.path.join(ROOT, os.path.dirname(name), link))]
    check(not missing, '\n'.join(missing))


@case
def every_file_that_the_manual_names_is_there():
    """Also one without its folder: `images.py` is some test's, or an example's."""
    names, missing, seen = list(files()), [], 0
    for manual in names:
        if not manual.startswith('docs/manual/'):
            continue
        for file in FILE.findall(text_of(manual)):
            seen += 1
            if not any(name == file or name.endswith('/' + file) for name in names):
                missing.append(f'{manual}: {file}')
    check(not missing, '\n'.join(missing))
    check(seen > 20, f'only {seen} files were seen: does this test still look?')


def cases_named(text):
    """What the page says holds it: pairs of a file in tests/host and words of a case there; *…words* ends otherwise."""
    for line in text.splitlines():
        file = None
        for name, words in CASE.findall(line):
            file = name or file
            if file and words:
                yield file, words


def is_a_case(file, words):
    path = os.path.join(ROOT, 'tests', 'host', file)
    if not os.path.exists(path):
        return False
    name = re.sub(r'\W+', '_', words.lstrip('…'))
    return re.search(rf'^@case\ndef \w*{re.escape(name)}\(' if words.startswith('…') else rf'^@case\ndef {name}\(', text_of(path),
                     re.M) is not None


@case
def every_case_that_the_page_on_security_names_is_there():
    named = list(cases_named(text_of('docs/manual/security.md')))
    missing = [f'{file}: {words}' for file, words in named if not is_a_case(file, words)]
    check(not missing, '\n'.join(missing))
    check(len(named) > 20, f'only {len(named)} cases were seen: does this test still look?')
    check(list(cases_named('`a.py`: *one*, *…two*; `b.py`: *three*')) == [('a.py', 'one'), ('a.py', '…two'), ('b.py', 'three')],
          'the words')
    check(is_a_case('images.py', 'only plain files are images') and not is_a_case('images.py', 'plain files') and
          is_a_case('images.py', '…files are images') and not is_a_case('nothing.py', 'x'), 'the look')


@case
def a_path_that_is_not_there_would_be_seen():
    check(WORD.findall('see docs/no-such.md, and host/x.c.') == ['docs/no-such.md', 'host/x.c.'], 'the words')
    check(not is_there('docs/no-such.md', 'README.md') and is_there('docs/manual/', 'README.md'), 'the look')


sys.exit(tap.main())
