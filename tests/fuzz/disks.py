#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Broken disks: MBRs, GPTs, raw images of any size, qcow2 images.  What is on a disk never ends a machine or the host."""
import os
import struct
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
from fuzz import Fault, bugcheck, build_of, main, run  # noqa: E402

SCENARIO = '''
local vm = fltvm.machine{{ disks = {{ {{ image = "disk.{format}", writable = {writable} }} }} }}
vm:start()
for number = 1, 6 do
  local ok, volume = pcall(vm.open, vm, "\\\\Device\\\\HarddiskVolume" .. number)
  if ok then
    pcall(volume.read, volume, 0, 4096)
    pcall(volume.write, volume, 512, ("x"):rep(512))
    pcall(volume.read, volume, 1 << 40, 512)
    volume:close()
  end
end
'''
NUMBERS = [0, 1, 2, 33, 34, 63, 64, 2014, 2047, 2048, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]


def mbr(random, sectors):
    table = bytearray(512)
    for entry in range(random.randrange(5)):
        first, count = random.choice((64, 512, random.choice(NUMBERS))), random.choice((64, 512, random.choice(NUMBERS)))
        kind = random.choice((7, 0x83, 0xEE, 5, 0xF, 0, random.randrange(256)))
        struct.pack_into('<BBBBBBBBII', table, 446 + 16 * entry, random.choice((0, 0x80, 0xFF)), 0, 2, 0, kind, 0, 1, 1,
                         first & 0xFFFFFFFF, count & 0xFFFFFFFF)
    table[510:512] = b'\x55\xAA'
    return bytes(table) + bytes(512 * (sectors - 1))


def gpt(random, sectors):
    data = bytearray(512 * sectors)
    struct.pack_into('<BBBBBBBBII', data, 446, 0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, sectors - 1)
    data[510:512] = b'\x55\xAA'
    entries = bytearray(128 * 128)
    for entry in range(random.randrange(5)):
        first, last = random.choice((64, 100, random.choice(NUMBERS))), random.choice((100, 512, random.choice(NUMBERS)))
        struct.pack_into('<16s16sQQQ', entries, 128 * entry, bytes([1 + entry] * 16), bytes([9 + entry] * 16), first, last, 0)
    data[1024:1024 + len(entries)] = entries
    header = bytearray(struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, 1, sectors - 1, 34, sectors - 34, bytes(16), 2,
                                   random.choice((128, 128, 4, 0xFFFFFFFF)), random.choice((128, 128, 0, 0x80000000)), zlib.crc32(entries)))
    if random.randrange(3) == 0:
        header[random.randrange(92)] ^= 1 << random.randrange(8)
    if random.randrange(4):
        struct.pack_into('<I', header, 16, 0)
        struct.pack_into('<I', header, 16, zlib.crc32(header))
    data[512:512 + 92] = header
    return bytes(data)


def qcow2(random, folder, fltvm):
    path = os.path.join(folder, 'disk.qcow2')
    tool = os.path.join(build_of(fltvm), 'qemu', 'qemu-img')
    subprocess.run([tool, 'create', '-q', '-f', 'qcow2', path, '1M'], check=True)
    with open(path, 'rb') as image:
        data = bytearray(image.read())
    for _ in range(random.choice((1, 1, 3))):
        at = random.choice((random.randrange(104), random.randrange(104), random.randrange(len(data))))
        data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    if random.randrange(6) == 0:
        data = data[:random.randrange(len(data))]
    return data


def one(random, folder, fltvm):
    sectors = random.choice((2048, 2048, 4096))
    kind = random.choice(('mbr', 'gpt', 'gpt', 'qcow2', 'noise'))
    if kind == 'qcow2':
        data = qcow2(random, folder, fltvm)
    elif kind == 'noise':
        data = random.randbytes(random.choice((0, 1, 511, 512, 513, 1024, 65536, 1 << 20)))
    else:
        data = mbr(random, sectors) if kind == 'mbr' else gpt(random, sectors)
    with open(os.path.join(folder, 'disk.qcow2' if kind == 'qcow2' else 'disk.img'), 'wb') as out:
        out.write(data)
    with open(os.path.join(folder, 'disk.lua'), 'w', encoding='utf-8') as out:
        out.write(SCENARIO.format(format='qcow2' if kind == 'qcow2' else 'img', writable=random.choice(('true', 'false'))))
    result = run([fltvm, 'run', '--timeout', '40', 'disk.lua'], folder)
    if result.status == 3:
        raise Fault(f'{kind}: bugcheck {bugcheck(result)}', result.output)
    if result.status == 4 or (result.status == 2 and 'disk.' not in result.output):
        raise Fault(f'{kind}: exit status {result.status}', result.output)
    return f'{kind}: ' + {0: 'works', 1: 'a check failed', 2: 'refused with a reason'}[result.status]


if __name__ == '__main__':
    sys.exit(main('disks', one))
