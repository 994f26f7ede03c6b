#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of a script: tables as arguments, values as text and as they are compared, Lua's own library.

The machine is the fake one where it knows enough: nothing here is the guest's affair.
"""
import os
import re
import sys

from command import Folder, expect
import tap
from tap import case, check, equal


def script(text, status, *words, options=()):
    with Folder(fake=True) as folder:
        done = folder.scenario(text, *options)
        expect(done, status, *words)
        return done


def noted(text, *options):
    """What note() printed: the lines between the machine's and the sum."""
    done = script(text, 0, options=options)
    return [line for line in done.all.split('\n') if line.startswith('> ')]


# Every word that takes a table: a field misspelt, what it should have been, one of a wrong type, and what is right.
FILE = 'local f = machine:open("\\\\x") '
PROCESS = 'local p = machine:process{ name = "a.exe" } '
TABLES = {
    'fltvm.machine': ('fltvm.machine', 'cpu = 3', 'cpus', 'cpus = "3"', 'cpus = 3'),
    'disks': ('(function(t) return fltvm.machine{ disks = { t } } end)', 'size = "1M", writeable = true', 'writable',
              'size = true', 'size = "1M", device = {}'),
    'instances': ('(function(t) return machine:load{ image = "good.sys", instances = { a = t } } end)',
                  'altitude = "1", flag = 1', 'flags', 'altitude = 1', 'altitude = "1", flags = 0'),
    'machine:load': ('(function(t) t.image = "good.sys" return machine:load(t) end)', 'altitud = "1"', 'altitude',
                     'altitude = 1', 'altitude = "1", timeout = 5'),
    'driver:unload': ('(function(t) machine:load{ image = "good.sys" }:unload(t) end)', 'mandatry = true', 'mandatory',
                      'mandatory = 1', 'mandatory = true'),
    'machine:open': ('(function(t) return machine:open("\\\\x", t) end)', 'acces = "r"', 'access', 'async = 1',
                     'async = true, share = 7, disposition = 1, options = 0, write_through = false'),
    'file:read': (FILE + 'return f.read, f, 0, 3,', 'thred = 1', 'thread', 'timeout = "1"',
                  'thread = 1, buffer = "nonpaged"'),
    'file:write': (FILE + 'return f.write, f, 0, "abc",', 'bufer = "paged"', 'buffer', 'buffer = 1', 'thread = 2'),
    'file:flush': (FILE + 'return f.flush, f,', 'tiemout = 1', 'timeout', 'thread = "1"', 'timeout = 10'),
    'file:ioctl': (FILE + 'return f.ioctl, f, 4, "", 0,', 'tread = 1', 'thread', 'thread = true', 'thread = 3'),
    'file:query': (FILE + 'return f.query, f, 4, 8,', 'treads = 1', 'thread', 'thread = {}', 'thread = 3'),
    'file:cancel': (FILE + 'return f.cancel, f,', 'thraed = 1', 'thread', 'thread = "0"', 'thread = 0'),
    'file:close': (FILE + 'return f.close, f,', 'timeuot = 1', 'timeout', 'timeout = "0"', 'timeout = 1'),
    'source:burst': ('return machine:irq(0).burst, machine:irq(0),', 'cout = 1', 'count', 'count = "1"', 'count = 1'),
    'source:periodic': ('return machine:irq(0).periodic, machine:irq(0),', 'intervall = 1', 'interval', 'start = "1"',
                        'interval = 1'),
    'source:one_shot': ('return machine:irq(0).one_shot, machine:irq(0),', 'strat = 1', 'start', 'start = "1"',
                        'start = 1'),
    'machine:fault': ('return machine.fault, machine,', 'acton = "never"', 'action', 'op = 1', 'op = "read"'),
    'machine:power_cut': ('return machine.power_cut, machine,', 'kep = "none"', 'keep', 'keep = 1', 'keep = "none"'),
    'machine:attach': ('return machine.attach, machine,', 'filter = "a", volume = "b", altitud = "1"', 'altitude',
                       'filter = 1', 'filter = "a", volume = "b"'),
    'machine:detach': ('return machine.detach, machine,', 'filter = "a", volume = "b", instanc = "1"', 'instance',
                       'volume = 1', 'filter = "a", volume = "b"'),
    'machine:library': ('(function(t) t.image = "good.sys" return machine:library(t) end)', 'flag = {}', 'flags', 'name = 1',
                        'name = "good.sys"'),
    'machine:process': ('return machine.process, machine,', 'nam = "a.exe"', 'name', 'name = 1', 'name = "a.exe"'),
    'process:open': (PROCESS + 'return p.open, p, "\\\\x",', 'acces = "r"', 'access', 'async = 1', 'async = true'),
    'process:allocate': (PROCESS + 'return p.allocate, p, 4096,', 'adress = 1', 'address', 'address = "1"', 'address = 65536'),
    'process:free': (PROCESS + 'return p.free, p, 65536,', 'decomit = 1', 'decommit', 'decommit = true', 'decommit = "4K"'),
    'process:protect': (PROCESS + 'return p.protect, p, 65536, 4096, "r",', 'tread = 1', 'thread', 'thread = "1"', 'thread = 1'),
    'process:section': (PROCESS + 'return p.section, p,', 'sise = 1', 'size', 'size = true', 'size = "4K"'),
    'section:map': (PROCESS + 'local s = p:section{ size = "4K" } return s.map, s,', 'ofset = 1', 'offset', 'offset = "1"', 'offset = 0'),
    'process:completion_port': (PROCESS + 'return p.completion_port, p,', 'thraeds = 1', 'threads', 'threads = "1"', 'threads = 1'),
    'port:remove': (PROCESS + 'local c = p:completion_port() return c.remove, c,', 'wat = 1', 'wait', 'wait = "1"', 'wait = 1'),
    'port:post': (PROCESS + 'local c = p:completion_port() return c.post, c,', 'kee = 1', 'key', 'key = "1"', 'key = 1'),
    'machine:port': ('return machine.port, machine,', 'name = "\\\\a", contxt = "x"', 'context', 'name = 1', 'name = "\\\\a"'),
    'port:get': ('local p = machine:port("\\\\a") return p.get, p,', 'sise = 1', 'size', 'size = "1"', 'size = 100'),
    'port:get_async': ('local p = machine:port("\\\\a") return p.get_async, p,', 'sise = 1', 'size', 'size = "1"', 'size = 100'),
    'file:fsctl': (FILE + 'return f.fsctl, f, 4, "", 0,', 'tread = 1', 'thread', 'thread = true', 'thread = 3'),
    'file:lock': (FILE + 'return f.lock, f, 0, 8,', 'shred = true', 'shared', 'shared = 1', 'shared = true, key = 1'),
    'file:unlock': (FILE + 'return f.unlock, f, 0, 8,', 'kye = 1', 'key', 'key = "1"', 'key = 1'),
    'file:notify': (FILE + 'return f.notify, f,', 'tre = true', 'tree', 'tree = 1', 'tree = true'),
    'file:rename': (FILE + 'return f.rename, f, "x",', 'replce = true', 'replace', 'posix = 1', 'replace = true'),
    'file:link': (FILE + 'return f.link, f, "x",', 'ignore_readnly = true', 'ignore_readonly', 'replace = 1', 'posix = false'),
    'file:delete': (FILE + 'return f.delete, f,', 'undoo = true', 'undo', 'undo = 1', 'undo = true'),
    'file:set_information': (FILE + 'return f.set_information, f, "basic",', 'creatd = 1', 'created', 'created = "1"', 'created = 1'),
    'file:set_volume': (FILE + 'return f.set_volume, f, "label",', 'labl = "x"', 'label', 'label = 1', 'label = "x"'),
    'backing': ('(function(t) return fltvm.machine{ disks = { { image = "a.qcow2", backing = t } } } end)', 'image = "b", formt = "raw"',
                'format', 'image = "b", format = 1', 'image = "b", format = "raw"'),
}


# Tables that other tests below have.
ELSEWHERE = ('expect_bugcheck', 'expect_hang', 'expect_log')


def call(head, table):
    """A script that calls the word with this table: `head` is a function, or what returns one and its arguments."""
    if head.startswith(('fltvm.', '(')):
        return f'{head}{{ {table} }}'
    where = head.rindex('return ')
    return f'local function the_call() {head[:where]} return {head[where + 7:]} {{ {table} }} end ' \
           'local c = table.pack(the_call()) c[1](table.unpack(c, 2, c.n))'


def is_fake(word, head):
    """Whether the fake machine knows what comes before the word: an interrupt source and a process it has not."""
    return 'source' not in word and 'machine:process{' not in head


@case
def a_misspelt_field_is_refused_everywhere_with_the_right_name():
    for word, (head, misspelt, right, *_) in TABLES.items():
        with Folder(fake=is_fake(word, head)) as folder:
            folder.write('good.sys', GOOD)
            done = folder.scenario(call(head, misspelt))
            expect(done, 2, 'no field', f"did you mean '{right}'?")


@case
def a_field_of_a_wrong_type_is_refused_everywhere():
    for word, (head, _, _, wrong, _) in TABLES.items():
        with Folder(fake=is_fake(word, head)) as folder:
            folder.write('good.sys', GOOD)
            done = folder.scenario(call(head, wrong))
            check(done.returncode == 2 and (', not a' in done.all or 'neither a' in done.all or ', not true' in done.all),
                  f'{word}: {done.all}')


@case
def what_is_right_is_taken():
    for word, (head, _, _, _, good) in TABLES.items():
        with Folder(fake=is_fake(word, head)) as folder:
            folder.write('good.sys', GOOD)
            done = folder.scenario(call(head, good))
            check('no field' not in done.all and ' is a' not in done.all, f'{word}: {done.all}')


@case
def every_table_that_a_word_takes_is_among_them():
    '''Whoever makes a word that takes a table says so in lua_fields.h's routine: each of these calls is known here.'''
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../host/lua')
    named, unnamed = [], []
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file), encoding='utf-8') as text:
            for word in re.findall(r'fltvm_lua_check_fields ?\(lua, [^,]+, ([^,]+),', text.read()):
                (named if word.startswith('"') else unnamed).append(word.strip('"') if word.startswith('"') else f'{file} {word}')
    # Those that several words share: the sources' words, an instance, attach and detach, host and image, set_information and set_volume, open,
    # rename and link.
    equal(sorted(unnamed), ['lua_devices.c what', 'lua_driver.c name', 'lua_fltctl.c what', 'lua_host.c word',
                            'lua_information.c what', 'lua_names.c word', 'lua_open.c what'], 'calls with a name that is made elsewhere')
    same = {'a control': 'file:ioctl', 'a disk': 'disks'}
    equal([word for word in named if same.get(word, word) not in TABLES and word not in ELSEWHERE], [], 'tables that are not tried here')
    check(len(named) > 20, named)


@case
def what_is_no_table_is_refused_as_options():
    for word in ('f:read(0, 3, 5)', 'f:flush(true)', 'f:cancel("x")', 'f:close(1)', 'f:query(4, 8, 1)'):
        script(FILE + word, 2, 'a table of options is wanted')


# All that the host looks at of an image.
GOOD = (b'MZ'.ljust(60, b'\0') + b'\x40\0\0\0PE\0\0\x64\x86').ljust(4096, b'\0')


@case
def numbers_are_not_cut():
    script('machine:open("\\\\x", { options = 1 << 32 })', 2, 'options: 4294967296 is not between')
    script('machine:open("\\\\x", { share = -1 })', 2, 'share: -1 is not between')
    script(FILE + 'f:ioctl(1 << 33)', 2, 'more than 32 bits')
    script('machine:set_registry("a", "b", 1 << 32)', 2, 'more than 32 bits')
    script('machine:fault{ nth = -3 }', 2, 'nth: -3 is not between')


@case
def words_that_are_none_name_the_nearest():
    script('machine:open("\\\\x", { access = "read" })', 2, "access: 'read' is none of r, w, rw")
    script(FILE + 'f:read(0, 3, { buffer = "nonpagd" })', 2, "did you mean 'nonpaged'?")
    script('fltvm.machine{ options = { verifer = "0" } }', 2, "no option 'verifer' (did you mean 'verifier'?)")
    script('fltvm.machine{ options = { seed = 3 } }', 2, 'a field of the machine')
    script('fltvm.machine{ options = { verifier = "0", mine = "1" } }:start()', 0)


@case
def instances_are_a_table_of_names():
    for table, said in (('{}', 'there is none in the table'), ('{ "370030" }', 'a name is wanted as key'),
                        ('{ a = {} }', "'a' has no altitude"), ('{ a = 370030 }', "'a' is a number"),
                        ('{ a = "1" }, default_instance = "b"', "'b' is none of the instances"),
                        ('{ a = "1" }, altitude = "2"', 'one of altitude and instances')):
        with Folder(fake=True) as folder:
            folder.write('good.sys', GOOD)
            expect(folder.scenario(f'machine:load{{ image = "good.sys", instances = {table} }}'), 2, said)


@case
def names_are_not_cut():
    for name in ('x' * 64, '', 'a/b'):
        with Folder(fake=True) as folder:
            folder.write('good.sys', GOOD)
            expect(folder.scenario(f'machine:load{{ image = "good.sys", name = "{name}" }}'), 2, 'is no name for a driver')


@case
def the_first_difference_of_tables_is_shown_with_its_path():
    script('expect_equal({a={1,2,{x="y"}}}, {a={1,2,{x="z"}}})', 1, 'at a[3].x: found "y", expected "z"')
    script('expect_equal({1,2,3}, {1,2,3,4})', 1, 'at [4]: found nil, expected 4')
    script('expect_equal({["a b"]={[1]=true}}, {["a b"]={}})', 1, 'at ["a b"][1]: found true, expected nil')
    script('expect_equal({[true]={[false]=1}}, {[true]={[false]=2}})', 1, 'at [true][false]: found 1, expected 2')
    script('expect_equal(("a"):rep(99), ("a"):rep(50).."b")', 1, 'at byte 50, 0x61 instead of 0x62')
    script('expect_equal({a=1,b={2}}, {b={2},a=1}) expect_equal(setmetatable({}, {__eq=function() return true end}), '
           'setmetatable({}, {__eq=function() return true end}))', 0)


@case
def cyclic_and_deep_tables_come_to_an_end():
    deep = 'local function deep(v) local t = {} local r = t for i = 1, 200000 do t.x = {} t = t.x end t.v = v return r end '
    script(deep + 'expect_equal(deep(1), deep(1))', 0)
    script(deep + 'expect_equal(deep(1), deep(2))', 1, '(199989 levels)', 'found 1, expected 2')
    script(deep + 'expect_equal(deep(1), 1)', 1, 'found {x = {x = {x = {…}}}}, expected 1')
    script('local a = {} a.a = a local b = {} b.a = b expect_equal(a, b) b.a = {a = b, c = 1} expect_equal(a, b)', 1,
           'at a.c: found nil, expected 1')
    script('local t = {} for i = 1, 100000 do t[i] = i end expect_equal(t, nil)', 1, '{1, 2, 3, 4, 5, 6, 7, 8, …}')


@case
def errors_of_any_kind_are_told():
    fails = 'setmetatable({}, {__tostring = function() error("inner") end})'
    script(f'error({fails})', 2, '(a table whose __tostring fails)')
    script('error(setmetatable({}, {__tostring = function() return {} end}))', 2, '__tostring fails')
    script('error(setmetatable({}, {__tostring = function() return "it says" end}))', 2, 'it says')
    for value, said in (('{}', 'table: 1'), ('nil', 'nil'), ('true', 'true'), ('print', 'function: 1'), ('3', '3')):
        script(f'error({value})', 2, f'error: {said}')
    script(f'expect_equal({fails}, 1)', 1, 'whose __tostring fails')
    script(f'note({fails})', 2, 'inner')


@case
def keys_come_in_order():
    keys = 'local t = {} for _, k in ipairs{"b", "a", "c", 3, 1, 2.5, -1, true, false, ("x"):rep(50), "a\\0b", 1 << 62} do ' \
           't[k] = true end '
    wanted = ['> -1 1 2.5 3 4611686018427387904 a a\\0b b c ' + 'x' * 50 + ' false true']
    shown = 'local function line(l) for i, v in ipairs(l) do l[i] = tostring(v):gsub("\\0", "\\\\0") end ' \
            'note("> " .. table.concat(l, " ")) end '
    equal(noted(keys + shown + 'local l = {} for k in pairs(t) do l[#l + 1] = k end line(l)'), wanted, 'pairs')
    equal(noted(keys + shown + 'local l = {} for k in next, t do l[#l + 1] = k end line(l)'), wanted, 'next')
    equal(noted(keys + shown + 'local l = {} local k = next(t) while k ~= nil do l[#l + 1] = k t[k] = nil k = next(t, k) end '
                'line(l) assert(next(t) == nil)'), wanted, 'next while fields go')
    equal(noted(keys + shown + 'local l = {} for k in pairs(t) do l[#l + 1] = k t[k] = nil t.b = t.b and 7 end line(l)'), wanted,
          'pairs while fields go and change')
    equal(noted('local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t.b = nil note("> " .. k) end'), ['> a', '> c'],
          'a field that goes before it is reached')
    equal(noted('local t = {a = 1, b = 2} for k in next, t do for q in next, t do note("> " .. k .. q) end end'),
          ['> aa', '> ab', '> ba', '> bb'], 'walks in walks')
    equal(noted('local p = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 end end, t end}) '
                'for k, v in pairs(p) do note("> " .. k .. v) end'), ['> 12'], '__pairs')


@case
def keys_without_an_order_are_refused():
    script('for k in pairs{[{}] = 1, [print] = 2} do end', 2, 'keep them in a list')
    script('next{[{}] = 1, [{}] = 2}', 2, 'keep them in a list')
    equal(noted('local k = {} for q, v in pairs{[k] = 1, x = 2} do note("> " .. v) end'), ['> 2', '> 1'], 'one is fine')
    equal(noted('local a = machine:open("\\\\x") local b = machine:open("\\\\x") '
                'for k, v in pairs{[b] = "second", [a] = "first"} do note("> " .. v) end'), ['> first', '> second'],
          'values of the vocabulary')


@case
def walks_are_not_quadratic():
    many = 'local t = {} for i = 1, 200000 do t["k" .. i] = i end local n = 0 '
    with Folder(fake=True) as folder:
        done = folder.scenario(many + 'for k in pairs(t) do n = n + 1 end for k in next, t do n = n + 1 end '
                               'expect_equal(n, 400000)')
        expect(done, 0)
        check(done.seconds < 40, f'{done.seconds} s') # quadratic it would be hours


@case
def sorting_is_stable_and_sorts():
    equal(noted('local l = {} for i = 1, 500 do l[i] = {i % 5, i} end table.sort(l, function(a, b) return a[1] < b[1] end) '
                'for i = 2, 500 do assert(l[i - 1][1] < l[i][1] or l[i - 1][2] < l[i][2]) end note("> stable")'), ['> stable'],
          'equal elements')
    equal(noted('local l = {5, 3, 1, 4, 2, 0} table.sort(l) note("> " .. table.concat(l)) table.sort(l, function(a, b) return a > b end) '
                'note("> " .. table.concat(l)) table.sort{} table.sort{1}'), ['> 012345', '> 543210'], 'both ways')
    script('table.sort{1, "x"}', 2, 'attempt to compare')
    script('table.sort({1, 2}, 3)', 2, 'function expected')


@case
def the_library_shows_no_address_and_no_clock():
    text = '''local t = {} note("> " .. tostring(t), tostring(print), tostring(t), ("%s|%-3s|%%|%d"):format({}, "x", 3))
              note("> ", coroutine.create(print), machine:open("\\\\x"), io.stdout ~= nil)
              note("> " .. os.date(), os.date("%H", 0), os.time{year = 2020, month = 1, day = 1, hour = 0})
              note("> " .. (os.tmpname():match("[^/]*$")), (os.tmpname():match("[^/]*$")), os.setlocale(), os.setlocale("de_DE"))
              machine:sleep(1) note("> " .. tostring(os.clock() > 0 and os.clock() < 1), os.time())'''
    equal(noted(text), ['> table: 1 function: 2 table: 1 table: 3|x  |%|3', '>  thread: 6 fltvm.file: 5 true',
                        '> Wed Jan  1 00:00:00 2020 00 1577836800', '> tmpname-1 tmpname-2 C nil',
                        '> true 1577836800'], 'texts')
    for word, said in (('("%p"):format({})', 'string.format: %p'), ('collectgarbage("count")', 'how much memory'),
                       ('setmetatable({}, {__gc = print})', '__gc: when memory'),
                       ('setmetatable({}, {__mode = "k"})', '__mode: when memory'), ('debug.sethook()', 'debug.sethook')):
        script(word, 2, said)
    equal(noted('note("> " .. tostring(collectgarbage()), collectgarbage("step"), getmetatable(setmetatable({}, {7}))[1])'),
          ['> 0 true 7'], 'what stays')


@case
def the_seed_decides():
    text = 'note("> " .. math.random(1, 1 << 40), math.random()) math.randomseed() note("> " .. math.random(1, 1 << 40)) ' \
           'math.randomseed(5) note("> " .. math.random(1, 1 << 40))'
    first, again, other = noted(text), noted(text), noted(text, '--seed', '2')
    equal(first, again, 'the same seed')
    equal(first[0].split()[1], first[1].split()[1], 'randomseed() begins again')
    check(first[:2] != other[:2] and first[2] == other[2], f'another seed: {first} {other}')


@case
def files_begin_as_editors_and_shells_want():
    script('\ufeffexpect(true)', 0, 'passed, 1 check')
    script('#!/usr/bin/fltvm run\nexpect(false)', 1, 'scenario.lua:2:')
    script('\ufeff#!/usr/bin/fltvm run\nexpect(true)', 0, 'passed, 1 check')
    script('#!only', 0, 'no checks')


@case
def tools_of_the_host_are_heard_whole():
    equal(noted('local out, status = fltvm.host{"printf", "a\\\\000b"} note("> " .. #out, status, out:byte(2))'), ['> 3 0 0'], 'a NUL')
    equal(noted('note("> " .. #fltvm.host{"head", "-c", "3000000", "/dev/zero"})'), ['> 3000000'], 'many')
    equal(noted('note("> " .. tostring(pcall(fltvm.host, {"no-such-tool-here"})))'), ['> false'], 'one that is not there')
    script('fltvm.host{"no-such-tool-here"}', 2, 'no-such-tool-here')
    script('fltvm.host{"true", {}}', 2, 'is a table, not a text')
    for word in ('host', 'image'):
        script(f'fltvm.{word}{{"true", dir = "/"}}', 2, f"fltvm.{word}: no field 'dir'")
    for name in ('..', '.', '', 'a/b'):
        script(f'fltvm.temp("{name}")', 2, 'the name of a file is wanted')


@case
def os_exit_ends_the_script_and_hides_nothing():
    script('pcall(expect, false, "x") os.exit(true)', 1, 'FAILED: x', '1 of 1 check failed')
    script('machine:start() expect(true, "y") os.exit() expect(false, "z")', 0, 'passed, 1 check')
    for code in ('0', 'true', 'nil'):
        script(f'expect(true, "y") os.exit({code})', 0, 'passed, 1 check')
    for code in ('1', 'false', '77'):
        script(f'expect(true, "y") os.exit({code})', 1, 'FAILED: the script does not give up', f'scenario.lua:1: os.exit({code})')
    script('expect(true, "y") pcall(os.exit) while true do pcall(function() while true do end end) end', 0, 'passed, 1 check')
    script('expect(true, "y") coroutine.wrap(function() os.exit() end)() expect(false, "z")', 0, 'passed, 1 check')
    script('machine:start() os.exit({})', 2, 'bad argument')
    with Folder(fake=True) as folder:
        folder.write('a.lua', 'pcall(expect, false, "x") os.exit(true)')
        folder.write('b.lua', 'expect(true, "y") os.exit(0)')
        expect(folder.fltvm('run', '--junit', 'j.xml', 'a.lua', 'b.lua'), 1, 'a.lua: FAILED', 'b.lua: passed, 1 check')
        check(folder.read('j.xml').count(b'<failure') == 1, 'the JUnit file is there')


@case
def no_checks_are_said_to_be_none_everywhere():
    said = 'no checks were made'
    script('machine:start()', 0, f'skipped, {said}')
    script('machine:start()', 0, f'1..0 # SKIP {said}', options=['--tap'])
    script('skip("a", "b")', 0, f'skipped, {said} (1 skipped)')
    script('skip("a", "b") expect(true)', 0, 'passed, 2 checks (1 skipped)')
    with Folder(fake=True) as folder:
        folder.write('a.lua', '')
        folder.write('b.lua', 'expect(true)')
        expect(folder.fltvm('run', '--tap', '--junit', 'j.xml', 'a.lua', 'b.lua'), 0, f'ok 1 - a.lua # SKIP {said}', 'ok 2 - b.lua: ',
               '1..2')
        text = folder.read('j.xml').decode()
        check(f'<skipped message="{said}"/>' in text and 'tests="1" failures="0" errors="0" skipped="1"' in text, text)


@case
def a_guest_test_without_a_plan_fails():
    with Folder(fake=True) as folder:
        done = folder.scenario('fltvm.machine{ options = { fake = "no-plan" } }:sleep(1)')
        expect(done, 1, 'ok: first', 'FAILED: the guest test makes the checks it announced', 'none announced (FvTestPlan), 1 made')


@case
def logs_are_a_machines_own():
    two = 'local a = fltvm.machine{ seed = 1 } a:start() local b = fltvm.machine{ seed = 2 } b:start() '
    script(two + 'expect_log("seed 2") a:expect_log("seed 1") b:expect_log("seed 2") expect_log("seed 1", "w", { machine = a })', 0,
           'passed, 4 checks')
    script(two + 'expect_log("seed 1")', 1, 'none of 1 lines matches')
    script(two + 'b:expect_log("seed 1")', 1, 'none of 1 lines matches')
    script('machine:start() local n = #machine:log() machine:open("\\\\x") machine:expect_log("seed", "since", { since = n })', 1,
           'behind the first 1', 'FAILED: since')
    script('machine:start() expect_log("seed (%d)", "w", { since = 0 }) expect_equal(machine:log(), {"hello, seed 1"}) '
           'expect_equal(machine:log(1), {}) expect_equal(#fltvm.log(), 1)', 0, 'passed, 4 checks')
    script('machine:start() expect_log("x", "w", { sinc = 1 })', 2, "did you mean 'since'?")
    script('machine:start() machine:expect_log("x", "w", { machine = machine })', 2, "no field 'machine'")
    script('expect_log("x")', 1, 'none of 0 lines')


BUG = 'fltvm.machine{ options = { fake = "bugcheck" } } '


@case
def what_is_expected_of_a_bugcheck_is_checked():
    end = 'function() machine:sleep(1) end }'
    for fields, said in (('cdoe = "WORKER_INVALID"', "no field 'cdoe' (did you mean 'code'?)"), ('drvier = "x"', "did you mean 'driver'?"),
                         ('code = true', 'code is true or false, not a number or a text'), ('driver = ""', 'driver is empty'),
                         ('text = ""', 'text is empty'), ('code = "NO_SUCH"', 'is not the name of a bugcheck'),
                         ('code = -1', 'is not between'), ('p1 = "x"', 'p1 is a text, not a number'), ('quiet = 1', 'not true or false')):
        script(BUG + f'expect_bugcheck{{ {fields}, {end}', 2, said)
    script(BUG + 'expect_bugcheck{ "x" }', 2, '1 is a text, not a function')
    script(BUG + f'expect_bugcheck{{ driver = "nt", {end}', 3, 'expected nt')
    for driver, status in (('ntoskrnl', 0), ('NTOSKRNL.EXE', 0), ('ntoskrn', 3), ('ntoskrnl.', 3), ('ntoskrnl.sys', 3)):
        script(BUG + f'expect_bugcheck{{ driver = "{driver}", {end}', status)


@case
def keep_going_holds_inside_expectations():
    script('expect_bugcheck{ what = "none", function() error("boom") end } expect(true, "after")', 1, 'FAILED: none',
           'did not bugcheck', 'boom', 'ok: after', options=['-k'])
    script('expect_bugcheck{ what = "none", function() end } expect(true, "after")', 1, 'ok: after', options=['-k'])
    script('expect_bugcheck{ what = "none", function() expect(false, "inner") end } expect(true, "after")', 1, 'FAILED: inner',
           'FAILED: none', 'ok: after', '2 of 3', options=['-k'])
    script('expect_hang{ what = "none", function() error("boom") end } expect(true, "after")', 1, 'FAILED: none', 'boom',
           'ok: after', options=['-k'])
    script('expect_hang{ function() expect(false, "inner") end } expect(true, "after")', 1, '1 of 1 check failed')
    script('expect_hang{ waht = "x", function() end }', 2, "did you mean 'what'?")
    script('expect_hang{ what = "x" }', 2, 'function expected')


@case
def a_dead_machine_does_not_start():
    script('machine:start() machine:start() machine:shutdown() machine:start()', 2, 'the machine has been shut down')
    script(BUG + 'expect_bugcheck{ quiet = true, function() machine:sleep(1) end } machine:start()', 2,
           'the machine is dead: it bugchecked earlier')


@case
def names_and_options_that_are_unknown_name_the_nearest():
    script('expect_status("STATUS_ACESS_DENIED", print)', 2, "did you mean 'STATUS_ACCESS_DENIED'?")
    script('expect_status(1 << 40, print)', 2, 'more than 32 bits')
    script('expect_bugcheck{ code = "IRQL_NOT_LES_OR_EQUAL", print }', 2, "did you mean 'IRQL_NOT_LESS_OR_EQUAL'?")
    script('', 2, 'Unknown option --jnuit', "did you mean 'junit'?", options=['--jnuit', 'x'])
    with Folder() as folder:
        expect(folder.fltvm('runn', 'x'), 2, "'runn' is not a verb (did you mean 'run'?)")
        expect(folder.fltvm('image', '--hlep'), 2, "did you mean 'help'?")
        expect(folder.fltvm('zzzzzz'), 2, "'zzzzzz' is not a verb (try")


sys.exit(tap.main())
