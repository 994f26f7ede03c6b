#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Broken images: refused with a reason, loaded, or found by a bugcheck with somebody to blame; never a broken machine."""
import os
import sys

sys.dont_write_bytecode = True
from fuzz import HERE, Fault, Result, blamed, bugcheck, compile_driver, main, run  # noqa: E402,F401
from pe import DIRECTORIES, Image  # noqa: E402

NUMBERS = [0, 1, 2, 4, 7, 0x10, 0x7F, 0x80, 0xFF, 0x100, 0xFFF, 0x1000, 0x1001, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF]

SCENARIO = '''
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local driver = vm:load{ image = "mutant.sys", altitude = "370030" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
volume:read(0, 512)
volume:close()
driver:unload()
'''


def prepare(fltvm, folder):
    images = []
    for name, flags in (('sections', []), ('plain', ['-DPLAIN'])):
        path = os.path.join(folder, name + '.sys')
        compile_driver(fltvm, path, '--strip', *flags, os.path.join(HERE, 'driver.c'))
        with open(path, 'rb') as image:
            images.append(image.read())
    return fltvm, images


def places(image):
    """Where a loader reads: headers, section headers, directories, and what they lead to."""
    yield from range(image.pe, image.sections_at + 40 * image.u16(image.pe + 6))
    for name in DIRECTORIES:
        start = image.at(image.u32(image.directory(name)))
        yield from range(start, min(start + image.u32(image.directory(name)), len(image.data)))


def mutate(random, data):
    image = Image(data)
    interesting = list(places(image))
    for _ in range(random.choice((1, 1, 2, 4))):
        kind = random.randrange(10)
        if kind < 6:                # a field of what is read
            at = random.choice(interesting) & ~random.choice((0, 1, 3))
            size = random.choice((1, 2, 4, 8))
            value = random.choice((random.choice(NUMBERS), random.getrandbits(8 * size), image.data[at] + random.randint(-8, 8)))
            image.put(min(at, len(image.data) - 8), value, size)
        elif kind < 9:              # anything, code and data too
            image.put(random.randrange(len(image.data)), random.getrandbits(8), 1)
        else:
            image.data = image.data[:random.randrange(1, len(image.data))]
            return image.data
    return image.data


def one(random, folder, context):
    fltvm, images = context
    with open(os.path.join(folder, 'mutant.sys'), 'wb') as out:
        out.write(mutate(random, random.choice(images)))
    with open(os.path.join(folder, 'mutant.lua'), 'w', encoding='utf-8') as out:
        out.write(SCENARIO)
    result = run([fltvm, 'run', '--timeout', '30', 'mutant.lua'], folder)
    if result.status == 0:
        return 'loaded, and works'
    if result.status == 2:
        if 'is not loaded: ' not in result.output and 'mutant.sys' not in result.output:
            raise Fault('refused without a reason', result.output)
        return 'refused with a reason'
    if result.status == 1:
        return 'a check failed'
    if result.status == 3:
        if not blamed(result):
            raise Fault(f'bugcheck {bugcheck(result)} with nobody blamed', result.output)
        return 'bugcheck, blamed on the mutant' if blamed(result).startswith('mutant') else 'bugcheck, blamed on another'
    if 'time-out' in result.output or 'not done after' in result.output:
        return 'time-out, with stacks'
    if 'triple fault' in result.output and 'without a word' not in result.output:
        return 'triple fault, placed'
    raise Fault('exit status 4', result.output)


if __name__ == '__main__':
    sys.exit(main('images', one, prepare))
