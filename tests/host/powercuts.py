#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts: what the disk's cache loses, what the next machine finds, and how a run that --power-cut ends goes on."""
import json
import os
import re
import sys
import xml.etree.ElementTree

from command import Folder, expect
from tap import case, check, equal, main

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VOLUME = '"\\\\Device\\\\HarddiskVolume1"'
# Sixteen sectors with one letter each, none of them flushed; then what is there.
WRITES = '''
local function letters(vm)
  local volume = vm:open(%s, { access = "r" })
  local text = ""
  for i = 0, 15 do
    local sector = volume:read(i * 512, 512)
    expect_equal(sector, sector:sub(1, 1):rep(512), "no sector is torn inside")
    text = text .. (sector:byte() == 0 and "." or sector:sub(1, 1))
  end
  volume:close()
  return text
end
local function write(vm, from, to, letter, options)
  local volume = vm:open(%s, options or { access = "rw" })
  volume:write(from * 512, letter:rep(512 * (to - from + 1)))
  return volume
end
''' % (VOLUME, VOLUME)


def run(text, *options, status=0, says=(), machine='disks = { { size = "1M", write_cache = true } }'):
    with Folder() as folder:
        folder.write('scenario.lua', WRITES + f'local vm = fltvm.machine{{ {machine} }}\n' + text)
        done = folder.fltvm('run', *options, 'scenario.lua')
        expect(done, status, *says)
        equal(folder.left(), [], 'what is left')
        return done.all


@case
def what_was_not_flushed_is_lost_and_what_was_is_not():
    run('''
write(vm, 0, 3, "a"):flush()
write(vm, 2, 5, "b")
write(vm, 8, 9, "c", { access = "rw", write_through = true, buffered = false })
local first = vm
vm = vm:power_cut{ keep = "none" }
expect_equal(letters(vm), "aaaa....cc......", "flushed and written through")
expect_equal(first:state(), "dead", "the first machine is over")
expect(not pcall(function() first:sleep(1) end), "and does nothing more")
expect_equal(machine, vm, "the next is the global machine")
write(vm, 12, 13, "d")
expect_equal(letters(vm:power_cut{ keep = "all" }), "aaaa....cc..dd..", "a cut after the other; nothing is lost")
''')


@case
def without_a_cache_nothing_is_lost():
    run('write(vm, 0, 15, "a")\nexpect_equal(letters(vm:power_cut{ keep = "none" }), ("a"):rep(16), "all is there")',
        machine='disks = { { size = "1M" } }')


@case
def a_seed_loses_the_same_each_time():
    text = '''
for i = 0, 12, 4 do write(vm, i, i + 3, "a") end
note("left " .. letters(vm:power_cut{ seed = %d }))
'''
    left = [re.search('left (.*)', run(text % seed)).group(1) for seed in (1, 1, 2, 3, 4, 5)]
    equal(left[0], left[1], 'the same seed')
    check(len(set(left)) > 3, f'other seeds: {left}')
    check(any('a' in text and '.' in text for text in left), f'some of it: {left}')


@case
def the_disk_says_whether_it_has_a_cache():
    ask = '''
local disk = vm:open("\\\\Device\\\\Harddisk0\\\\DR0", { access = "rw" })
local property = disk:ioctl(0x2D1400, string.pack("<I4I4I4", 4, 0, 0), 64)
local version, size, kind, enabled, changeable, through, flush = string.unpack("<I4I4I4I4I4I4B", property)
expect_equal({ version, size, kind, enabled, changeable, through, flush }, { #property, #property, KIND, ENABLED, 1, 2, 1 }, "the property")
expect_equal(disk:ioctl(0x740D4, "", 64):byte(3), ENABLED - 1, "the cache's information")
'''
    run(ask.replace('KIND', '2').replace('ENABLED', '2'))
    run(ask.replace('KIND', '1').replace('ENABLED', '1'), machine='disks = { { size = "1M" } }')


@case
def every_kind_of_disk_goes_on():
    with Folder() as folder:
        image = folder.write('raw.img', b'r' * (1 << 20))
        folder.write('written.img', b'r' * (1 << 20))
        folder.write('make.lua', f'''
local _, status = fltvm.host{{ fltvm.qemu_img(), "create", "-q", "-f", "qcow2", "-F", "raw", "-b", [[{image}]], [[{folder.file("top.qcow2")}]] }}
expect_equal(status, 0, "an image on another")
''')
        expect(folder.fltvm('run', 'make.lua'), 0)
        folder.write('scenario.lua', WRITES + '''
for _, disk in ipairs{ { image = "raw.img" }, { image = "written.img", writable = true }, { image = "top.qcow2", backing = "raw.img" } } do
  disk.write_cache = true
  local vm = fltvm.machine{ disks = { disk } }
  write(vm, 0, 3, "a"):flush()
  write(vm, 2, 5, "b")
  expect_equal(letters(vm:power_cut{ keep = "none" }), "aaaarrrrrrrrrrrr", disk.image)
end
''')
        expect(folder.fltvm('run', 'scenario.lua'), 0)
        equal(folder.read('raw.img'), b'r' * (1 << 20), 'an image that is not written to')
        equal(folder.read('written.img')[:3072], b'a' * 2048 + b'r' * 1024, 'one that is')


@case
def what_is_left_can_be_copied_before_the_machine_starts():
    with Folder() as folder:
        image = folder.write('raw.img', b'r' * (1 << 20))
        folder.write('scenario.lua', WRITES + f'''
local _, status = fltvm.host{{ fltvm.qemu_img(), "create", "-q", "-f", "qcow2", [[{folder.file("a.qcow2")}]], "1M" }}
expect_equal(status, 0, "an image of another format")
local function refuses(vm, text, ...)
  local ok, message = pcall(vm.copy_disk, vm, "no.img", ...)
  expect(not ok and tostring(message):find(text, 1, true), tostring(message))
end
for name, disk in pairs{{ raw = {{ image = "raw.img" }}, blank = {{ size = "1M" }} }} do
  disk.write_cache = true
  local vm = fltvm.machine{{ disks = {{ disk, "a.qcow2" }} }}
  vm:copy_disk(name .. "-before.img")
  refuses(vm, "no disk 2", 2)
  refuses(vm, "is a qcow2 image", 1)
  write(vm, 0, 3, "a"):flush()
  write(vm, 2, 5, "b")
  refuses(vm, "has started")
  vm = vm:power_cut{{ keep = "none" }}
  vm:copy_disk(name .. "-after.img")
  expect_equal(letters(vm):sub(1, 4), "aaaa", name)
end
''')
        expect(folder.fltvm('run', 'scenario.lua'), 0)
        for name, byte in (('raw', b'r'), ('blank', b'\0')):
            equal(folder.read(name + '-before.img'), byte * (1 << 20), name + ' before')
            equal(folder.read(name + '-after.img'), b'a' * 2048 + byte * ((1 << 20) - 2048), name + ' after')
        check(not os.path.exists(folder.file('no.img')), 'a file that was refused')
        equal(folder.read('raw.img'), b'r' * (1 << 20), image)


CUT = '''
local reached = 0
vm:after_power_cut(function(after)
  note("reached " .. reached .. ", left " .. letters(after))
  expect(after ~= vm and after:state() == "running", "another machine")
  CHECK
end)
pcall(function()
  for i = 0, 3 do
    write(vm, i, i, "a"):flush()
    reached = i + 1
  end
end)
expect(true, "the script's end")
'''


@case
def a_choice_ends_the_script_and_calls_its_function():
    # A write and a flush each.
    for number, reached, left in ((1, 0, '.' * 16), (2, 0, 'a' + '.' * 15), (3, 1, 'a' + '.' * 15), (8, 3, 'aaaa' + '.' * 12)):
        said = run(CUT.replace('CHECK', ''), '--power-cut', f'{number}/none', says=(f'reached {reached}, left {left}', 'another machine'))
        check("the script's end" not in said, said)
    said = run(CUT.replace('CHECK', ''), '--power-cut', '3/all', says=('reached 1, left aa..',))
    check("the script's end" not in run(CUT.replace('CHECK', ''), '--power-cut', '0:3'), said)
    said = run(CUT.replace('CHECK', ''), '--power-cut', '9', says=("the script's end",))
    check('reached' not in said, said)


@case
def what_does_not_hold_then_is_told():
    run(CUT.replace('CHECK', 'expect_equal(letters(after), ("a"):rep(16), "all")'), '--power-cut', '3/none', status=1, says=('FAILED: all',))
    run(CUT.replace('CHECK', 'after:open("\\\\Device\\\\Nowhere")'), '--power-cut', '3/none', status=2, says=('STATUS_OBJECT_NAME_NOT_FOUND',))
    run(CUT.replace('CHECK', 'nowhere()'), '--power-cut', '3/none', status=2, says=('nowhere',))
    run('write(vm, 0, 0, "a")', '--power-cut', '1', status=2, says=('does not say what holds then', 'machine:after_power_cut'))
    for text in ('0', 'x', '1/half', '1:', '-1', '1/'):
        with Folder() as folder:
            folder.write('scenario.lua', '')
            expect(folder.fltvm('run', '--power-cut=' + text, 'scenario.lua'), 2, f"--power-cut: '{text}' is not [DISK:]N[/KEEP]")


@case
def junit_has_the_checks_of_both():
    with Folder() as folder:
        folder.write('scenario.lua', WRITES + 'local vm = fltvm.machine{ disks = { { size = "1M" } } }\nexpect(true, "before")\n' + CUT.replace('CHECK', ''))
        expect(folder.fltvm('run', '--power-cut', '2', '--junit', 'junit.xml', 'scenario.lua'), 0)
        names = [found.get('name') for found in xml.etree.ElementTree.fromstring(folder.read('junit.xml')).iter('testcase')]
        check('before' in names and 'another machine' in names, str(names))


# Data and what says that it is there, in that order, flushed only in the end; at the checkpoint the cache holds something.
ORDER = '''
local vm = fltvm.machine{ disks = { { size = "1M", write_cache = true }, { size = "1M" } } }
write(vm, 0, 1, "z")
local volume = vm:open(VOLUME, { access = "rw" })
vm:after_power_cut(function(after)
  local left = letters(after)
  note("left " .. left)
  expect(left:sub(10, 10) == "." or left:sub(9, 9) == "a", "the mark is not before the data")
end)
vm:checkpoint()
volume:write(8 * 512, ("a"):rep(512))
FLUSH
volume:write(9 * 512, ("b"):rep(512))
volume:flush()
expect(true, "done")
'''.replace('VOLUME', VOLUME)


@case
def an_exploration_finds_an_order_that_a_cut_breaks():
    with Folder() as folder:
        folder.write('scenario.lua', WRITES + ORDER.replace('FLUSH', ''))
        done = folder.fltvm('explore', '--strategy', 'power', '--json', 'found.json', 'scenario.lua', timeout=600)
        expect(done, 1, 'the mark is not before the data')
        found = json.loads(folder.read('found.json'))
        equal(found['runs'], 1 + 4 * 5, 'runs')   # two writes, the flush, and that at the end of the system
        command = found['findings'][0]['command']
        check('--power-cut' in command and any(word.startswith('+2/') for word in command), str(command))
        expect(folder.fltvm(*command[1:]), 1, 'FAILED: the mark is not before the data')
        folder.write('scenario.lua', WRITES + ORDER.replace('FLUSH', 'volume:flush()'))
        expect(folder.fltvm('explore', '--strategy', 'power', 'scenario.lua', timeout=600), 0, 'nothing found in 26 runs')


@case
def without_a_cache_one_cut_after_each_write_is_all_there_is():
    with Folder() as folder:
        folder.write('scenario.lua', WRITES + ORDER.replace('FLUSH', '').replace(', write_cache = true', ''))
        done = folder.fltvm('explore', '--strategy', 'power', '--json', 'found.json', 'scenario.lua', timeout=600)
        expect(done, 0, 'nothing found')
        equal(json.loads(folder.read('found.json'))['runs'], 1 + 3, 'runs of two writes and the flush')


@case
def a_volume_is_whole_after_each_cut_and_its_bytes_are_there():
    with open(os.path.join(ROOT, 'examples', 'powercut_ntfs.lua'), encoding='utf-8') as file:
        ledger = file.read()
    with Folder() as folder:
        folder.write('ledger.lua', ledger)
        expect(folder.fltvm('explore', '--strategy', 'power', 'ledger.lua', timeout=600), 0, 'nothing found in 21 runs')
        folder.write('ledger.lua', ledger.replace(', write_through = true', ''))
        expect(folder.fltvm('explore', '--strategy', 'power', 'ledger.lua', timeout=600), 1, 'what was acknowledged is there')


@case
def a_cut_after_the_checkpoint_is_that_of_a_run_from_the_beginning():
    with Folder() as folder:
        folder.write('scenario.lua', WRITES + ORDER.replace('FLUSH', ''))
        done = folder.fltvm('explore', '--strategy', 'power,seeds', '--verify', '--runs', '24', '-j', '2', 'scenario.lua', timeout=600)
        expect(done, 1, '23 runs from the checkpoint on are the same from their beginning')


if __name__ == '__main__':
    sys.exit(main())
