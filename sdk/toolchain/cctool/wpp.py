# SPDX-License-Identifier: MIT
"""Trace messages (WPP): the X.tmh files that Microsoft's preprocessor would write, with macros that do nothing.

What is traced is compiled and checked, and never evaluated; formats, levels and flags are dropped.  The macros' names are
those of the FUNC lines between "begin_wpp config" and "end_wpp" in the driver's files, and what --wpp-func names.
"""
import os
import re

INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\r\n]+\.tmh)[>"]', re.MULTILINE | re.IGNORECASE)
CONFIG = re.compile(r'begin_wpp\s+config(.*?)end_wpp', re.DOTALL)
FUNCTION = re.compile(r'\bFUNC\s+(\w+)\s*(?:\{[^}]*\})?\s*\(([^)]*)\)')
DROPPED = re.compile(r'^(LEVEL|LVL|FLAGS?|COMPNAME|\w*LEVEL|\w*FLAGS?)$')
HEAD = '''/* Made by fltvm cc: trace messages are checked and dropped. */
#ifndef FLTVM_WPP
#define FLTVM_WPP(...) ((void)(0 ? FltvmWppCheck(0, ##__VA_ARGS__) : (void)0))
static __inline void FltvmWppCheck(int First, ...)
{
    (void)First;
}
#define WPP_INIT_TRACING(...) FLTVM_WPP(__VA_ARGS__)
#define WPP_CLEANUP(...) FLTVM_WPP(__VA_ARGS__)
#define WPP_LEVEL_ENABLED(...) 0
#define WPP_FLAG_ENABLED(...) 0
#define WPP_ENABLED(...) 0
'''


def includes(data):
    """The names of the .tmh files that a source includes."""
    return [name.decode(errors='replace').replace('\\', '/') for name in INCLUDE.findall(data)]


def functions(texts, more=()):
    """Macro name -> its parameters."""
    found = {'DoTraceMessage': ['FLAGS', 'MSG', '...']}
    lines = [f'FUNC {line}' for line in more]
    for text in texts:
        lines += CONFIG.findall(text)
    for text in lines:
        for name, parameters in FUNCTION.findall(text):
            found[name] = [p.strip() for p in parameters.replace('MSG...', 'MSG,...').split(',') if p.strip()]
    return found


def macro(name, parameters):
    named = [p for p in parameters if p != '...']
    kept = [p for p in named if not DROPPED.match(p)]
    rest = ['##__VA_ARGS__'] if '...' in parameters else []
    body = ', '.join(kept + rest)
    if kept == [] and rest:
        body = '0, ##__VA_ARGS__'
    return f'#define {name}({", ".join(parameters)}) FLTVM_WPP({body})\n'


def header(found):
    return (HEAD + ''.join(macro(name, parameters) for name, parameters in sorted(found.items())) + '#endif\n').encode()


def texts_in(folders):
    for folder in folders:
        for name in sorted(os.listdir(folder)):
            if name.lower().endswith(('.h', '.hpp', '.c', '.cpp', '.cc', '.cxx', '.inl', '.ini')):
                try:
                    with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as text:
                        yield text.read()
                except OSError:
                    continue
