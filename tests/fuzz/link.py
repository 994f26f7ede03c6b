#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver that speaks to the host by itself: whatever it writes to the link's ports, host and QEMU end well and in time."""
import os
import re
import sys

sys.dont_write_bytecode = True
from fuzz import HERE, ROOT, compile_driver, main, run  # noqa: E402

SCENARIO = '''
local service = [[\\Registry\\Machine\\System\\CurrentControlSet\\Services\\link]]
machine:set_registry(service, "Seed", {seed})
machine:set_registry(service, "Port", {port})
pcall(machine.load, machine, {{ image = "{image}" }})
machine:sleep(1)
'''


def prepare(fltvm, folder):
    image = os.path.join(folder, 'link.sys')
    compile_driver(fltvm, image, os.path.join(HERE, 'link.c'))
    with open(os.path.join(ROOT, 'abi', 'link.h'), encoding='utf-8') as text:
        port = int(re.search(r'#define FLTVM_LINK_IOBASE\s+(0x[0-9A-Fa-f]+)', text.read())[1], 16)
    return fltvm, image, port


def one(random, folder, context):
    fltvm, image, port = context
    with open(os.path.join(folder, 'link.lua'), 'w', encoding='utf-8') as out:
        out.write(SCENARIO.format(seed=random.randrange(1, 1 << 31), port=port, image=image))
    result = run([fltvm, 'run', '--timeout', '10', 'link.lua'], folder)
    return f'exit status {result.status}'


if __name__ == '__main__':
    sys.exit(main('link floods', one, prepare, few=8, many=500))
