# SPDX-License-Identifier: MIT
"""Objects with destructors in functions that have __try, as Microsoft's compiler makes them where exceptions are off.

There a destructor runs when its scope is left in the usual way, by return, break, goto or __leave too, and does not run when
an exception unwinds through the scope.  clang 19, which has to be told that any load may fault, would run it then as well, and
ends in a crash or in wrong tables.  So a C++ source is compiled in two steps, and in between the unwinding of objects is taken out of
clang's listing: what unwinds to an object's cleanup unwinds to where that cleanup would have gone on.  What unwinds to a __finally or
an __except stays as it is.
"""
import re

BEGIN, SCOPE, END = '@llvm.seh.try.begin()', '@llvm.seh.scope.begin()', '@llvm.seh.try.end()'
LABEL = re.compile(r'^([\w.$-]+|"[^"]+"):', re.MULTILINE)
INVOKE = re.compile(r'^(  (?:%[\w.$-]+ = )?)invoke (.*)\n +to label %(\S+) unwind label %([\w.$-]+)(.*)$', re.MULTILINE)
FUNCLET = re.compile(r'"funclet"\(token (%[\w.$-]+)\)')
PAD = re.compile(r'^  (%[\w.$-]+) = cleanuppad ', re.MULTILINE)
SWITCH = re.compile(r'^(.* = catchswitch .*) unwind label %([\w.$-]+)(.*)$|^(  cleanupret from (\S+)) unwind label %([\w.$-]+)(.*)$', re.MULTILINE)


def blocks_of(body):
    """Label -> text of each block; the first block has no label."""
    marks = [(m.group(1).strip('"'), m.start()) for m in LABEL.finditer(body)]
    ends = [start for _, start in marks[1:]] + [len(body)]
    return {name: body[start:end] for (name, start), end in zip(marks, ends)}


def bypass(body):
    """Label of each object's cleanup -> the label at which unwinding goes on, or None for the caller; and the cleanups' tokens."""
    blocks = blocks_of(body)
    ways, tokens = {}, set()
    for label, text in blocks.items():
        pad = PAD.search(text)
        if not pad:
            continue
        token = re.escape(pad.group(1))
        way = re.search(rf'^  cleanupret from {token} unwind (?:to caller|label %([\w.$-]+))', body, re.MULTILINE)
        inside = [b for b in blocks.values() if re.search(rf'(?:token|within|from) {token}\b', b)] + [text]
        if way and not any('@"?fin$' in b or '@"\\01?fin$' in b for b in inside):
            ways[label] = way.group(1)
            tokens.add(pad.group(1))
    return ways, tokens


def mend(function):
    """A function's text without the unwinding of its objects."""
    if SCOPE not in function and 'cleanuppad' not in function:
        return function
    ways, tokens = bypass(function)
    trying = {m.group(4) for m in INVOKE.finditer(function) if BEGIN in m.group(2)}

    def onward(label):
        seen = set()
        while label in ways and label not in seen:
            seen.add(label)
            label = ways[label]
        return label

    def dead(funclet):
        return funclet and funclet.group(1) in tokens

    def invoke(match):
        start, call, to, label, rest = match.groups()
        if SCOPE in call or (END in call and label not in trying):
            return f'  br label %{to}{rest}'
        if dead(FUNCLET.search(call) or FUNCLET.search(rest)):
            return match.group()        # in a cleanup, which nothing leads to any more
        label = onward(label)
        if label:
            return f'{start}invoke {call}\n          to label %{to} unwind label %{label}{rest}'
        return f'{start}call {call}{rest}\n  br label %{to}{rest}'

    def other(match):
        if match.group(1):
            label = onward(match.group(2))
            return f'{match.group(1)} unwind {"label %" + label if label else "to caller"}{match.group(3)}'
        if match.group(5) in tokens:
            return match.group()
        label = onward(match.group(6))
        return f'{match.group(4)} unwind {"label %" + label if label else "to caller"}{match.group(7)}'

    return SWITCH.sub(other, INVOKE.sub(invoke, function))


def without_objects(listing):
    """clang's listing with each function mended."""
    parts = re.split(r'^(?=define )', listing, flags=re.MULTILINE)
    made = parts[:1]
    for part in parts[1:]:
        body, end, rest = part.partition('\n}')
        made.append(mend(body) + end + rest)
    return ''.join(made)
