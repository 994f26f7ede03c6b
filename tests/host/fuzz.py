#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every word of the vocabulary with every kind of argument: none of it may crash the command, hang it or leave a folder behind.

usage: fuzz.py FLTVM QEMU-FOLDER FAKE-QEMU; FUZZ_SEEDS says how many scripts (12), FUZZ_FIRST where to begin (1).  A script is a
function of its seed; one that fails is printed.  The machine is the fake one.
"""
import os
import random
import sys

from command import Folder
import tap
from tap import case, check

CALLS = 150
FIELDS = ['cpus', 'memory', 'seed', 'disks', 'options', 'qemu', 'trace', 'size', 'image', 'writable', 'device', 'source', 'name',
          'altitude', 'instances', 'default_instance', 'flags', 'timeout', 'access', 'async', 'thread', 'buffer', 'share', 'code', 'p1',
          'driver', 'text', 'what', 'quiet', 'start', 'interval', 'count', 'op', 'nth', 'action', 'status', 'delay', 'filter', 'volume',
          'since', 'machine', 'operation', 'mandatory', 'format', 'backing']
VALUES = ['nil', 'true', 'false', '0', '1', '-1', '3', '1 << 31', '1 << 63', '2^53', '1e308', '0/0', '1/0', '0.5', '""', '"x"', '"a\\0b"', '"\\xff"',
          '"512"', '"1M"', '"STATUS_SUCCESS"', '"WORKER_INVALID"', '("x"):rep(100)', '("x"):rep(70000)', '"%"', '"(()"', '"r"', '"read"',
          '"never"', '"good.sys"', '"scenario.lua"', '"no.such"', '"\\\\x"', '"\\\\missing"', '{}', 'cyclic', 'deep', 'failing', 'print', 'error',
          'function() return 1 end', 'function() error({}) end', 'function() machine:sleep(1) end', 'coroutine.create(print)', 'io.stdout',
          'vm', 'file', 'operation', 'driver', 'math.huge', 'math.mininteger', 'setmetatable({}, {__index = error})',
          'setmetatable({}, {__eq = error})', 'setmetatable({}, {__len = function() return 1 << 40 end})', 'setmetatable({1}, {__pairs = error})']
WORDS = ['fltvm.machine', 'fltvm.sha256', 'fltvm.sha256_file', 'fltvm.temp', 'fltvm.host', 'fltvm.find', 'fltvm.log', 'note', 'print', 'skip',
         'expect', 'expect_equal', 'expect_status', 'expect_log', 'expect_bugcheck', 'expect_hang', 'pairs', 'next', 'tostring', 'table.sort',
         'string.format', 'setmetatable', 'collectgarbage', 'os.time', 'os.date', 'os.clock', 'math.randomseed', 'math.random', 'debug.sethook']
METHODS = {'vm': ['start', 'sleep', 'time', 'stacks', 'pool', 'memory', 'state', 'load', 'set_registry', 'open', 'filters', 'instances',
                  'volumes', 'work_items', 'attach', 'detach', 'irq', 'fault', 'clear_faults', 'fault_hits', 'trace', 'log', 'expect_log',
                  'no_such'],
           'file': ['read', 'read_async', 'write', 'write_async', 'flush', 'flush_async', 'ioctl', 'ioctl_async', 'fsctl', 'fsctl_async', 'query', 'cancel',
                    'close'],
           'operation': ['wait', 'done'], 'driver': ['unload', 'name']}

BEGIN = '''
local cyclic = {} cyclic[1] = cyclic cyclic[cyclic] = cyclic
local deep = {} do local t = deep for i = 1, 5000 do t.x = {} t = t.x end end
local failing = setmetatable({}, {__tostring = function() error(setmetatable({}, {__tostring = error})) end})
local vm, file, operation, driver = machine
pcall(function() vm:start() file = vm:open("\\\\x") operation = file:read_async(0, 3) driver = vm:load{ image = "good.sys" } end)
local function try(f, ...) return select(2, pcall(f, ...)) end
'''
END = '''
note("the end is reached")
'''
IMAGE = (b'MZ'.ljust(60, b'\0') + b'\x40\0\0\0PE\0\0\x64\x86').ljust(4096, b'\0')


def value(dice, depth=0):
    kind = dice.random()
    if kind < 0.3 and depth < 3:
        fields = [f'{dice.choice(FIELDS)} = {value(dice, depth + 1)}' for _ in range(dice.randrange(4))]
        plain = [value(dice, depth + 1) for _ in range(dice.randrange(3))]
        return '{' + ', '.join(fields + plain) + '}'
    if kind < 0.35:
        return f'math.random({dice.randrange(1, 1 << 40)})'
    return dice.choice(VALUES)


def script(seed):
    dice = random.Random(seed)
    lines = [BEGIN]
    for _ in range(CALLS):
        arguments = ''.join(f', {value(dice)}' for _ in range(dice.randrange(5)))
        if dice.random() < 0.5:
            lines.append(f'try({dice.choice(WORDS)}{arguments})')
        else:
            of = dice.choice(list(METHODS))
            kept = f'{of} = ' if dice.random() < 0.05 else ''
            lines.append(f'{kept}try(function(...) return {of}:{dice.choice(METHODS[of])}(...) end{arguments})')
    # An error of any kind ends some of them.
    lines.append(END if dice.random() < 0.7 else f'error({value(dice)})')
    return '\n'.join(lines)


@case
def no_call_crashes_the_command():
    first, count = int(os.environ.get('FUZZ_FIRST', '1')), int(os.environ.get('FUZZ_SEEDS', '12'))
    ends = 0
    for seed in range(first, first + count):
        with Folder(fake=True) as folder:
            folder.write('good.sys', IMAGE)
            text = script(seed)
            done = folder.scenario(text, '-k', '--timeout', '20', '--junit', 'junit.xml')
            check(0 <= done.returncode <= 4 and 'Sanitizer' not in done.all and 'PANIC' not in done.all and not folder.left(),
                  f'seed {seed}: exit status {done.returncode}, left {folder.left()}; said:\n{done.all[-4000:]}\nscript:\n{text}')
            ends += 'the end is reached' in done.all
    check(ends * 4 >= count, f'only {ends} of {count} scripts came to their end')


sys.exit(tap.main())
