#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disk images: what a guest or a stranger wrote into one does not decide what the host opens.

Machines are real ones.  The qcow2 headers are made by hand, as a guest would make them.
"""
import os
import shlex
import socket
import stat
import struct
import subprocess
import sys

from command import Folder, QEMU_FOLDER, expect, says_not
import tap
from tap import case, check, equal

SECRET = b'SECRET OF THE HOST '
MIB = 1 << 20
READ = 'local v = machine:open("\\\\Device\\\\HarddiskVolume1") '


def qcow2(size=MIB, backing=b'', data_file=b'', crypt=0, version=3):
    """The header of a qcow2 image, one refcount and one L1 table, nothing allocated."""
    cluster = 65536
    extensions = b''
    if data_file:
        extensions += struct.pack('>II', 0x44415441, len(data_file)) + data_file.ljust(-(-len(data_file) // 8) * 8, b'\0')
    if backing:
        extensions += struct.pack('>II', 0xE2792ACA, 3) + b'raw\0\0\0\0\0'
    extensions += struct.pack('>II', 0, 0)
    place = 104 + len(extensions) if backing else 0
    head = struct.pack('>IIQIIQIIQQIIQ', 0x514649FB, version, place, len(backing), 16, size, crypt, 1, 3 * cluster,
                       cluster, 1, 0, 0)
    head += struct.pack('>QQQII', 4 if data_file else 0, 0, 2 if data_file else 0, 4, 104)
    image = bytearray(4 * cluster)
    image[:len(head) + len(extensions) + len(backing)] = head + extensions + backing
    struct.pack_into('>Q', image, cluster, 2 * cluster)
    for number in range(4):
        struct.pack_into('>H', image, 2 * cluster + 2 * number, 1)
    return bytes(image)


def broken():
    image = bytearray(qcow2())
    struct.pack_into('>Q', image, 48, 12345)        # a refcount table at no cluster's begin
    return bytes(image)


def secret(folder):
    return folder.write('secret', (SECRET * (MIB // len(SECRET) + 1))[:MIB])


def used_by(folder, image, options=''):
    """A scenario that reads the first sector of a disk and tells it."""
    return folder.scenario(f'fltvm.machine{{disks={{{{image={image!r}{options}}}}}}}\n' + READ +
                           'note(v:read(0, 512))', '--timeout', '50')


@case
def the_helpers_header_is_one_that_qemu_takes():
    with Folder() as folder:
        folder.write('plain.qcow2', qcow2())
        expect(used_by(folder, 'plain.qcow2'), 0)
        folder.write('top.qcow2', qcow2(backing=secret(folder).encode()))
        told = subprocess.run([os.path.join(QEMU_FOLDER, 'qemu-io'), '-r', '-f', 'qcow2', '-c', 'read -v 0 512',
                               folder.file('top.qcow2')], stdout=subprocess.PIPE, check=False, text=True).stdout
        check('SECRET' in told, told)


@case
def a_guest_that_writes_a_header_changes_nothing():
    """Twice: the first run's guest writes a qcow2 header into its own raw disk, the second run opens that."""
    for header in ('backing', 'data_file'):
        with Folder() as folder:
            victim = secret(folder)
            payload = qcow2(**{header: victim.encode()})
            folder.write('payload', payload)
            folder.write('disk.img', bytes(4 * MIB))
            expect(folder.scenario('fltvm.machine{disks={{image="disk.img", writable=true}}}\n' + READ +
                                   'local f = io.open("payload", "rb") local text = f:read("a") f:close()\n'
                                   'for at = 0, #text - 1, 65536 do v:write(at, text:sub(at + 1, at + 65536)) end'), 0)
            equal(folder.read('disk.img')[:len(payload)], payload, 'what the guest wrote')
            done = folder.scenario('fltvm.machine{disks={{image="disk.img", writable=true}}}\n' + READ +
                                   'expect_equal(v:read(0, 512):sub(1, 4), "QFI\\xfb")\n'
                                   'v:write(131072, ("OWNED"):rep(1024):sub(1, 512))')
            expect(done, 0, 'is used as raw')
            says_not(done, 'SECRET')
            check(b'OWNED' not in folder.read('secret'), 'the guest wrote into the secret')
            check(b'OWNED' in folder.read('disk.img'), 'the guest did not write into its disk')
            for words in (('info', 'disk.img'), ('convert', 'disk.img', 'out.img')):
                done = folder.fltvm('image', *words)
                expect(done, 0)
                says_not(done, 'secret')
            check(b'SECRET' not in folder.read('out.img').replace(victim.encode(), b''), 'converted with the secret')


@case
def files_that_an_image_names_are_not_followed():
    with Folder() as folder:
        victim = secret(folder).encode()
        os.mkfifo(folder.file('fifo'))
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            server.listen()
            server.settimeout(0)
            names = [victim, b'nbd:127.0.0.1:%d' % server.getsockname()[1], b'json:{"driver":"file","filename":"secret"}',
                     b'fifo', b'/dev/zero', b'http://127.0.0.1/x', b'', b'x' * 900, b'\x1b[31m\xff']
            for name in names:
                for which in ('backing', 'data_file'):
                    if not name:
                        continue
                    folder.write('evil.qcow2', qcow2(**{which: name}))
                    done = used_by(folder, 'evil.qcow2')
                    expect(done, 2, 'evil.qcow2', 'not followed', 'qemu-img convert')
                    says_not(done, '\x1b', '\udcff')
                    check(done.seconds < 10, f'took {done.seconds} s')
                    done = folder.fltvm('image', 'convert', 'evil.qcow2', 'out.img')
                    expect(done, 2, 'not followed')
                    check(not os.path.exists(folder.file('out.img')), 'made all the same')
                    done = folder.fltvm('image', 'info', 'evil.qcow2')
                    expect(done, 0, 'not followed')
                    says_not(done, '\x1b', '\udcff')
                    boot = folder.fltvm('boot', '--disk', 'evil.qcow2', stdin=subprocess.DEVNULL)
                    expect(boot, 2, 'not followed')
            try:
                server.accept()
                raise AssertionError('somebody connected')
            except BlockingIOError:
                pass


@case
def a_backing_file_that_the_scenario_names_is_used():
    with Folder() as folder:
        secret(folder)
        folder.write('top.qcow2', qcow2(backing=b'/nonexistent'))
        expect(used_by(folder, 'top.qcow2', ', backing="secret"'), 0, SECRET.decode())
        folder.write('middle.qcow2', qcow2(backing=b'/nonexistent'))
        expect(used_by(folder, 'top.qcow2', ', backing={image="middle.qcow2", backing="secret"}'), 0, SECRET.decode())
        expect(used_by(folder, 'top.qcow2', ', backing="middle.qcow2"'), 2, 'middle.qcow2', 'not followed')
        folder.write('alone.qcow2', qcow2())
        expect(used_by(folder, 'alone.qcow2', ', backing="secret"'), 2, 'no backing file')
        expect(used_by(folder, 'secret', ', backing="alone.qcow2"'), 2, 'raw image has no backing')
        equal(folder.read('secret')[:len(SECRET)], SECRET, 'the backing file')


@case
def a_format_is_what_is_said():
    with Folder() as folder:
        folder.write('disk.img', qcow2())
        expect(used_by(folder, 'disk.img'), 0, 'used as raw', 'QFI')
        done = used_by(folder, 'disk.img', ', format="qcow2"')
        expect(done, 0)
        says_not(done, 'QFI')
        folder.write('disk.qcow2', bytes(MIB))
        expect(used_by(folder, 'disk.qcow2'), 2, 'not a qcow2 image')
        expect(used_by(folder, 'disk.qcow2', ', format="raw"'), 0)
        expect(used_by(folder, 'disk.qcow2', ', format="vmdk"'), 2, 'neither raw nor qcow2')
        folder.write('luks.qcow2', qcow2(crypt=2))
        expect(used_by(folder, 'luks.qcow2'), 2, 'encrypted')
        folder.write('aes.qcow2', qcow2(crypt=1, version=2))
        expect(used_by(folder, 'aes.qcow2'), 2, 'encrypted')


@case
def only_plain_files_are_images():
    with Folder() as folder:
        os.mkfifo(folder.file('fifo'))
        os.mkdir(folder.file('folder'))
        os.symlink('/dev/zero', folder.file('zero.img'))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(folder.file('socket'))
            for name in ('fifo', 'folder', 'socket', '/dev/zero', '/dev/null', 'zero.img'):
                done = used_by(folder, name)
                expect(done, 2, 'only plain files')
                check(done.seconds < 5, f'{name} took {done.seconds} s')
                expect(folder.fltvm('image', 'info', name, timeout=120), 2, 'only plain files')
                expect(folder.fltvm('image', 'convert', name, 'out.img', timeout=120), 2, 'only plain files')
            folder.write('a.img', bytes(MIB))
            for name in ('fifo', 'folder', 'socket', '/dev/null'):
                expect(folder.fltvm('image', 'convert', '--force', 'a.img', name, timeout=120), 2, 'not a plain file')
            check(stat.S_ISFIFO(os.stat(folder.file('fifo')).st_mode), 'the FIFO is gone')


@case
def names_are_only_names():
    with Folder() as folder:
        names = ['nbd:localhost:1', 'json:{"driver":"null-co"}', 'a,snapshot=off,readonly=on', 'a=b', '-drive', '%s%n',
                 'two words', "quote'\"", 'back\\slash', 'ünïcode', 'new\nline', 'http:x', '/dev/fdset/1'.replace('/', ':')]
        for number, name in enumerate(names):
            content = (b'%03d ' % number * 128 * 2048)[:MIB]
            folder.write(name, content)
            name = f'./{name}'
            text = name.replace('\\', '\\\\').replace('\n', '\\n').replace('"', '\\"')
            expect(folder.scenario(f'fltvm.machine{{disks={{{{image="{text}", writable=true}}}}}}\n' + READ +
                                   f'expect_equal(v:read(0, 512):sub(1, 4), "{number:03d} ") v:write(0, ("w"):rep(512))'), 0)
            equal(folder.read(name)[:520], b'w' * 512 + content[512:520], name)
            expect(folder.fltvm('image', 'convert', name, name + '.qcow2'), 0)
            expect(folder.fltvm('image', 'convert', name + '.qcow2', name + ':,=.raw'), 0)
            equal(folder.read(name + ':,=.raw'), folder.read(name), 'there and back')
            expect(folder.fltvm('image', 'create', name + '.new.qcow2', '1M'), 0)


@case
def a_name_that_is_no_text():
    with Folder() as folder:
        with open(os.path.join(folder.path.encode(), b'bad\xff.img'), 'wb') as file:
            file.write(b'ok' * 1024)
        done = folder.scenario('fltvm.machine{disks={"bad\\xff.img"}}\n' + READ + 'expect_equal(v:read(0, 512):sub(1, 2), "ok")')
        expect(done, 0)


@case
def bad_input_is_told_as_such():
    """Exit status 2 with the reason: never a pass, never a failure of the host."""
    with Folder() as folder:
        for size in (1, 511, 513, 1000, MIB + 1):
            folder.write('odd.img', bytes(size))
            for options in ('', ', writable=true'):
                expect(used_by(folder, 'odd.img', options), 2, str(size), 'sector')
        folder.write('odd.qcow2', qcow2(size=MIB + 5))
        expect(used_by(folder, 'odd.qcow2'), 2, 'sector')
        folder.write('broken.qcow2', broken())
        expect(used_by(folder, 'broken.qcow2'), 2, 'QEMU refuses', 'broken.qcow2')
        folder.write('a.img', bytes(MIB))
        for device in ('{nosuch=1}', '{["read-ns"]="x"}', '{queues=0}', '{["logical_block_size"]=3}', '{["a,b"]=1}'):
            done = used_by(folder, 'a.img', f', device={device}')
            expect(done, 2)
        many = 'local disks = {} for i = 1, 40 do disks[i] = {size="1M"} end fltvm.machine{disks=disks}:start()'
        expect(folder.scenario(many), 2, 'QEMU refuses')
        expect(folder.scenario('local i = {image="a.img", writable=true} fltvm.machine{disks={i, i}}:start()'), 2,
               'QEMU refuses', '[./a.img]')


@case
def nothing_is_overwritten_unasked():
    with Folder() as folder:
        folder.write('a.img', b'a' * MIB)
        folder.write('b.img', b'b' * MIB)
        expect(folder.fltvm('image', 'convert', 'a.img', 'b.img'), 2, '--force')
        expect(folder.fltvm('image', 'create', 'b.img', '1M'), 2, '--force')
        equal(folder.read('b.img'), b'b' * MIB, 'b.img')
        expect(folder.fltvm('image', 'convert', '--force', 'a.img', 'a.img'), 2, 'same file')
        os.link(folder.file('a.img'), folder.file('c.img'))
        expect(folder.fltvm('image', 'convert', '--force', 'a.img', 'c.img'), 2, 'same file')
        equal(folder.read('a.img'), b'a' * MIB, 'a.img')
        expect(folder.fltvm('image', 'convert', '--force', 'a.img', 'b.img'), 0)
        equal(folder.read('b.img'), b'a' * MIB, 'b.img')
        os.symlink('b.img', folder.file('link.img'))
        expect(folder.fltvm('image', 'create', '--force', 'link.img', '2M'), 0)
        check(os.path.islink(folder.file('link.img')), 'the link was replaced')
        equal(len(folder.read('b.img')), 2 * MIB, 'what the link names')
        folder.write('broken.qcow2', broken())
        expect(folder.fltvm('image', 'convert', '--force', 'broken.qcow2', 'b.img'), 2)
        equal(len(folder.read('b.img')), 2 * MIB, 'the target of a conversion that failed')
        equal(sorted(os.listdir(folder.path)), ['a.img', 'b.img', 'broken.qcow2', 'c.img', 'link.img', 'tmp'], 'files')


@case
def the_command_line_names_every_format():
    with Folder() as folder:
        folder.write('a,b.img', bytes(MIB))
        folder.write('c.qcow2', qcow2())
        done = folder.scenario('fltvm.machine{disks={"a,b.img", "c.qcow2"}}:start()', '--dry-run')
        expect(done, 0, '-sandbox on,', '-no-user-config', '-nodefaults')
        words = shlex.split(done.stdout.decode())
        drives = [words[i + 1].replace(',,', ',') for i, word in enumerate(words) if word == '-drive']
        check('"driver":"raw"' in drives[0] and '/a,b.img"' in drives[0], drives)
        check('"driver":"qcow2","backing":null' in drives[1], drives)


sys.exit(tap.main())
