#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm inf-check: whole files and what they write, in every encoding; bad ones, and the line and the words each is refused with.

usage: reader.py FLTVM
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'host'))
sys.dont_write_bytecode = True
from command import Folder, expect  # noqa: E402
import tap  # noqa: E402
from tap import case, check, equal  # noqa: E402

FILES = ['device', 'driverstore', 'monitor', 'targets', 'values']

# A minifilter's file; a case changes a piece of it.
GOOD = '''[Version]
Signature = "$WINDOWS NT$"
Class = ActivityMonitor
ClassGuid = {b86dff51-a31e-4bac-b3cf-e8cfe75c9fc2}
Provider = Us
DriverVer = 01/02/2024,1.0.0.0
[DestinationDirs]
DefaultDestDir = 12
[DefaultInstall.NTamd64]
CopyFiles = @x.sys
[DefaultInstall.NTamd64.Services]
AddService = x,,Service
[Service]
ServiceType = 2
StartType = 3
ErrorControl = 1
ServiceBinary = %12%\\x.sys
LoadOrderGroup = FSFilter Activity Monitor
Dependencies = FltMgr
AddReg = Values
[Values]
HKR,Instances,DefaultInstance,,%Name%
HKR,Instances\\%Name%,Altitude,,370030
HKR,Instances\\%Name%,Flags,0x10001,0
[Strings]
Name = "x"
'''

# What is replaced, by what, the exit status, and what is said: the line and a piece of the text.
CASES = [
    ('Signature = "$WINDOWS NT$"', 'Signature = "$Windows 95$"', 1, ":2: error: Signature: '$Windows 95$' is neither"),
    ('Signature = "$WINDOWS NT$"\n', '', 1, ':1: error: [Version] has no Signature'),
    ('[Version]', '[Versions]', 1, 'error: there is no section [Version]'),
    ('[Version]', 'text\n[Version]', 1, ":1: error: text before the first section's name"),
    ('[Version]', '[Version', 1, ":1: error: a section's name without its ']'"),
    ('[Values]', '[]\n[Values]', 1, ':21: error: a section without a name'),
    ('[Values]', f'[{"x" * 256}]\n[Values]', 1, ":21: error: a section's name of more than 255 characters"),
    ('[Values]', '[Values] text', 0, ":21: warning: text behind a section's name is passed over"),
    ('[Values]', '[Value]', 1, ':20: error: AddReg: there is no section [Values]'),
    ('x,,Service', 'x,,Servic', 1, ':12: error: AddService: there is no section [Servic]'),
    ('x,,Service', ',,Service', 1, ':12: error: AddService without a name'),
    ('x,,Service', 'x\\y,,Service', 1, ":12: error: AddService: 'x\\y' is no name for a service"),
    ('x,,Service', 'x,flags,Service', 1, ":12: error: AddService: the flags 'flags' are no number"),
    ('x,,Service', 'x,,Service,Log', 1, ':12: error: AddService: there is no section [Log]'),
    ('ServiceType = 2\n', '', 1, ':13: error: [Service] has no ServiceType'),
    ('StartType = 3', 'StartType = demand', 1, ":15: error: StartType: 'demand' is no number from 0 to 4"),
    ('StartType = 3', 'StartType = 4', 1, ':12: error: x: StartType 4, SERVICE_DISABLED, cannot be installed'),
    ('ErrorControl = 1', 'ErrorControl = 4', 1, ":16: error: ErrorControl: '4' is no number from 0 to 3"),
    ('ErrorControl = 1', 'ErrorControl =', 1, ':16: error: [Service] has no ErrorControl'),
    ('%12%\\x.sys', '', 1, ':17: error: [Service] has no ServiceBinary'),
    ('%12%\\x.sys', '"%12%\\"', 1, ":17: error: ServiceBinary: 'C:\\Windows\\System32\\drivers\\' ends in a folder"),
    ('%12%\\x.sys', '12\\x.sys', 0, ":17: warning: ServiceBinary: '12\\x.sys' is no %dirid%\\FILE"),
    ('%12%\\x.sys', '%99%\\x.sys', 0, ':17: warning: no string has this name, it stays as it is: 99'),
    ('StartType', 'StartTyp', 1, ":15: warning: [Service]: 'StartTyp' is no directive here (did you mean 'StartType'?)"),
    ('CopyFiles = @x.sys', 'CopyFile = @x.sys', 0, ":10: warning: [DefaultInstall.NTamd64]: 'CopyFile' is no directive here "
     "(did you mean 'CopyFiles'?)"),
    ('CopyFiles = @x.sys', 'CopyFiles = Files', 1, ':10: error: CopyFiles: there is no section [Files]'),
    ('CopyFiles = @x.sys', 'CopyFiles = @y.sys', 0, ":12: warning: no CopyFiles of [DefaultInstall.NTamd64] copies 'x.sys', the image of x"),
    ('[DefaultInstall.NTamd64]\nCopyFiles = @x.sys', '[DestinationDirs]\nF = 13\n[DefaultInstall.NTamd64]\nCopyFiles = F,G\n[F]\nx.sys\n[G]\ny', 0,
     ''),
    ('DefaultDestDir = 12\n[DefaultInstall.NTamd64]\nCopyFiles = @x.sys', 'F = 13\n[DefaultInstall.NTamd64]\nCopyFiles = F,G\n[F]\nx.sys\n[G]\ny', 0,
     ':10: warning: [DestinationDirs] says neither where [G] goes nor a DefaultDestDir'),
    ('Class = ActivityMonitor\n', '', 0, ':1: warning: [Version] has no Class'),
    ('b86dff51', 'b86dff52', 0, ':4: warning: ClassGuid: the class ActivityMonitor has {b86dff51'),
    ('DriverVer = 01/02/2024', 'DriverVer = 13/02/2024', 1, ":6: error: DriverVer: '13/02/2024' is no date"),
    ('1.0.0.0', '1.0.0.65536', 1, ":6: error: DriverVer: '1.0.0.65536' is no version"),
    ('DriverVer = 01/02/2024,1.0.0.0\n', '', 0, ':1: warning: [Version] has no DriverVer'),
    ('Provider = Us', 'Provide = Us', 0, ":5: warning: [Version]: 'Provide' is no directive here (did you mean 'Provider'?)"),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTx86', 1, 'error: nothing in it is for Windows 10 build 19041 on amd64'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64.10.0...19042', 1, 'error: nothing in it is for'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64.10.1', 1, 'error: nothing in it is for'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64.10.0.3', 1, 'error: nothing in it is for'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64...0x80', 1, 'error: nothing in it is for'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64.10.0.1.0x10.19041', 0, 'service x: \\SystemRoot\\System32\\drivers\\x.sys'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.NTamd64.6.3...99999', 0, 'service x:'),
    ('DefaultInstall.NTamd64', 'DefaultInstall.nt', 0, ':9: warning: [DefaultInstall.nt] names no architecture'),
    ('DefaultInstall.NTamd64', 'DefaultInstall', 0, ':9: warning: [DefaultInstall] names no architecture'),
    ('[DefaultInstall.NTamd64.Services]', '[DefaultInstall.Services]', 0, 'warning: there is no section [DefaultInstall.NTamd64.Services]'),
    ('[Strings]', '[DefaultUninstall.NTamd64]\nDelFiles = @x.sys\n[Strings]', 0, ':25: warning: [DefaultUninstall.NTamd64]: since Windows'),
    ('[Strings]', '[Manufacturer]\n[Strings]', 0, ':25: warning: [Manufacturer] besides [DefaultInstall]'),
    ('[Strings]', '[Lonely]\nx = y\n[Strings]', 0, ':25: warning: nothing leads to the section [Lonely]'),
    ('HKR,Instances,', 'HKX,Instances,', 1, ":22: error: 'HKX' is no root of the registry"),
    ('AddReg = Values', 'AddReg = Values, Values.2\n[DefaultInstall.NTamd64]\nAddReg = Values.2\n[Values.2]\nHKR,x\n[Service]', 1,
     'error: HKR means nothing here'),
    ('0x10001,0', '0x10001,zero', 1, ":24: error: 'zero' is no number of 32 bits"),
    ('0x10001,0', '0x10001,4294967296', 1, ":24: error: '4294967296' is no number of 32 bits"),
    ('0x10001,0', '0x10001,1,2', 0, ':24: warning: a number is one field or four bytes'),
    ('0x10001,0', '1,100', 1, ":24: error: '100' is no byte in hexadecimal"),
    ('0x10001,0', '1,g', 1, ":24: error: 'g' is no byte in hexadecimal"),
    ('0x10001,0', 'dword,0', 1, ":24: error: flags: 'dword' is no number"),
    ('0x10001,0', '0x80000,0', 1, ':24: error: flags 0x00080000: no type of text is 0x0008'),
    ('0x10001,0', '0x8,0', 1, ':24: error: flags 0x00000008: only a REG_MULTI_SZ value'),
    ('0x10001,0', '0x10041,0', 0, ':24: warning: flags 0x00010041: the bits 0x0040 mean nothing'),
    ('Altitude,,370030', 'Altitude,,370,030', 0, ':23: warning: a text is one field: the first of 2 counts'),
    ('HKR,Instances\\%Name%,Flags', 'Flags = HKR,Instances\\%Name%,Flags', 1, ":24: error: 'Flags =': a line of [Values] is"),
    ('370030', '37003o', 1, ":23: error: '37003o' is no altitude"),
    ('370030', '320000', 0, ':23: warning: the altitude 320000 is outside of FSFilter Activity Monitor: 360000 to 389999'),
    ('HKR,Instances\\%Name%,Altitude', 'HKR,Instances\\%Name%,Altitud', 1, ":23: error: the instance 'x' has no Altitude"),
    ('DefaultInstance,,%Name%', 'DefaultInstance,,other', 1, ":22: error: DefaultInstance: there is no instance 'other'"),
    ('HKR,Instances,DefaultInstance', 'HKR,Instances,DefaultInstances', 1, ':12: error: x\\Instances has no DefaultInstance'),
    ('ServiceType = 2', 'ServiceType = 1', 0, ":12: warning: a minifilter's ServiceType is 2"),
    ('Dependencies = FltMgr', 'Dependencies = Other', 0, ':12: warning: a minifilter has Dependencies = FltMgr'),
    ('LoadOrderGroup = FSFilter Activity Monitor\n', '', 0, ':12: warning: a minifilter has a LoadOrderGroup'),
    ('FSFilter Activity Monitor', 'FSFilter Undelete', 0, ":18: warning: the group 'FSFilter Undelete' belongs to Class Undelete"),
    ('Name = "x"', 'Name = "%Name%"', 1, ':22: error: a string that holds itself: Name'),
    ('Name = "x"', 'Name = %a%\na = %b%\nb = x%a%', 1, ':22: error: a string that holds itself: a'),
    ('Name = "x"', 'Name = x\nUnused = %Loop%\nLoop = %Unused%', 1, ':27: error: a string that holds itself:'),
    ('Name = "x"', 'Name = x\nName = y', 0, ":27: warning: the string 'Name' is defined twice: the last counts"),
    ('Name = "x"', 'Name', 1, ':26: error: [Strings]: NAME = "TEXT" is wanted'),
    ('Name = "x"', 'Name = %a%%a%%a%%a%\na = %b%%b%%b%%b%%b%%b%\nb = ' + 'x' * 600, 1, ':22: error: with its strings put in, this is longer'),
    ('Name = "x"', f'Name = {"x" * 4096}', 1, ':26: error: a field of more than 4095 characters'),
    ('Name = "x"', 'Name = "x', 0, ':26: warning: a quotation mark is not closed on its line'),
    ('Name = "x"\n', 'Name = x\\', 0, ':26: warning: the file ends in a line that a backslash continues'),
    ('Name = "x"', 'Name = x\nShare = 100%\n[Service]\nDescription = 50%', 0, ':29: warning: a percent sign without a second one'),
    ('%Name%', '%Nam%', 0, ':22: warning: no string has this name, it stays as it is: Nam'),
    ('Dependencies', 'Security = "D:P"\nDependencies', 0, ':19: note: Security is not kept'),
    ('[Strings]', '[Values.Security]\n"D:P"\n[Strings]', 0, ':25: note: [Values.Security]: keys have no security descriptors yet'),
    ('AddReg = Values', 'AddReg = Values\nBitReg = Values', 0, ':21: note: BitReg is not carried out'),
    ('CopyFiles = @x.sys', 'CopyFiles = @x.sys\nInclude = y.inf', 0, ':9: note: [DefaultInstall.NTamd64]: Include and Needs'),
]

HASH = re.compile(r'_amd64_[0-9a-f]{16}')


def run(name, content, *options):
    with Folder() as folder:
        folder.write(name, content)
        return folder.fltvm('inf-check', *options, name)


def whole(name):
    with open(os.path.join(HERE, 'files', name + '.inf'), encoding='utf-8') as file:
        return file.read()


@case
def whole_files_write_what_is_expected_of_them():
    for name in FILES:
        done = run(name + '.inf', whole(name), '--registry')
        with open(os.path.join(HERE, 'files', name + '.expected'), encoding='utf-8') as file:
            equal(HASH.sub('_amd64_HASH', done.all), file.read(), name)
        equal(done.returncode, 0, name)


@case
def encodings_and_line_ends_make_no_difference():
    for name in FILES:
        text = whole(name)
        plain = HASH.sub('', run(name + '.inf', text, '--registry').all)
        wide = text.replace('\n', '\r\n')
        for content in (b'\xff\xfe' + wide.encode('utf-16-le'), b'\xef\xbb\xbf' + wide.encode(), wide.encode(),
                        text.replace('\n', '\r').encode(), text.encode() + b'\x1a rubbish'):
            equal(HASH.sub('', run(name + '.inf', content, '--registry').all), plain, f'{name} as {content[:40]}')


@case
def letters_beyond_ascii_are_kept():
    text = GOOD.replace('"x"', '"Schlüssel \U0001F511"')
    for content in (text.encode(), b'\xff\xfe' + text.encode('utf-16-le')):
        expect(run('x.inf', content, '--registry'), 0, 'Instances\\Schlüssel \U0001F511 "Altitude" REG_SZ "370030"')
    expect(run('x.inf', GOOD.replace('Us', '\u201cUs\u201d').encode('cp1252')), 0, ':5: warning: not UTF-8: taken for Windows code page 1252')


@case
def the_case_of_letters_and_the_place_of_sections_make_no_difference():
    head, tail = GOOD.split('[Values]')
    values, strings = tail.split('[Strings]')
    done = run('x.inf', '[STRINGS]' + strings.upper().replace('"X"', '"x"') + '[VALUES]' + values + head, '--registry')
    expect(done, 0)
    # Two sections of one name are one.
    other = run('x.inf', GOOD.replace('HKR,Instances\\%Name%,Flags', '[Strings]\n[values]\nHKR,Instances\\%Name%,Flags'), '--registry')
    plain = run('x.inf', GOOD, '--registry')
    lines = [line.split(': ', 1)[-1] for line in done.all.split('\n')]
    equal(sorted(lines), sorted(line.split(': ', 1)[-1] for line in plain.all.split('\n')), 'in another order')
    equal(other.all, plain.all, 'in two sections')


@case
def a_good_file_has_nothing_to_complain_of():
    done = run('x.inf', GOOD, '--strict')
    equal((done.returncode, done.all), (0, 'x.inf:12: service x: \\SystemRoot\\System32\\drivers\\x.sys, 9 values from [DefaultInstall.NTamd64]\n'),
          'what is said')
    equal(run('x.inf', GOOD, '--quiet').all, '', 'what is said with --quiet')


@case
def mistakes_are_told_with_their_lines():
    missed = []
    for old, new, status, said in CASES:
        check(old in GOOD, f'{old!r} is not there')
        done = run('x.inf', GOOD.replace(old, new))
        if done.returncode != status or said not in done.all or 'Sanitizer' in done.all:
            missed.append(f'{old!r} -> {new!r}: {done.returncode}, {said!r} not in:\n{done.all}')
        if status == 0 and ' warning: ' in said:
            expect(run('x.inf', GOOD.replace(old, new), '--strict'), 1)
    check(not missed, '\n'.join(missed))


@case
def other_encodings_and_no_text_are_refused():
    expect(run('x.inf', b'\xfe\xff' + GOOD.encode('utf-16-be')), 1, 'x.inf: error: UTF-16 in big-endian order')
    expect(run('x.inf', GOOD.encode('utf-16-le')), 1, 'x.inf: error: looks like UTF-16, but has no byte-order mark')
    expect(run('x.inf', b'\xff\xfe' + GOOD.encode('utf-16-le')[:-1]), 1, 'error: UTF-16 of an odd number of bytes: the file is cut short')
    expect(run('x.inf', b'\xff\xfe' + GOOD.replace('Us', 'U?').encode('utf-16-le').replace(b'?\0', b'\0\xd8')), 1,
           ':5: error: half of a UTF-16 surrogate pair')
    expect(run('x.inf', b'\xef\xbb\xbf' + GOOD.replace('Us', 'Ü').encode('cp1252')), 1, ":5: error: not UTF-8, although the file's mark says so")
    expect(run('x.inf', GOOD.replace('Us', 'U\0').encode()), 1, ':5: error: a NUL byte')
    expect(run('x.inf', GOOD.replace('Us', 'U\x01').encode()), 1, ':5: error: a control character (0x01)')
    expect(run('x.inf', b''), 1, 'x.inf: error: there is no section in it')
    expect(run('x.inf', b'; a comment only\n'), 1, 'x.inf: error: there is no section in it')


@case
def files_cut_short_end_in_an_answer():
    for name in FILES:
        content = whole(name).encode()
        for length in range(0, len(content), 97):
            done = run(name + '.inf', content[:length])
            check(done.returncode in (0, 1) and 'Sanitizer' not in done.all, f'{name} cut at {length}: {done.returncode}\n{done.all}')


@case
def what_is_no_file_is_bad_usage():
    with Folder() as folder:
        expect(folder.fltvm('inf-check'), 2, 'no file named')
        expect(folder.fltvm('inf-check', 'missing.inf'), 2, 'missing.inf', 'No such file')
        expect(folder.fltvm('inf-check', folder.path), 2, 'not a plain file')
        folder.write('large.inf', b';' * (4 << 20) + b'\n')
        expect(folder.fltvm('inf-check', 'large.inf'), 2, 'longer than 4 MiB')
        os.mkfifo(folder.file('pipe'))
        expect(folder.fltvm('inf-check', 'pipe'), 2, 'not a plain file')
        expect(folder.fltvm('inf-check', '--help'), 0, '--registry', '--strict')


@case
def several_files_are_one_check():
    with Folder() as folder:
        folder.write('good.inf', GOOD)
        folder.write('bad.inf', GOOD.replace('370030', 'high'))
        expect(folder.fltvm('inf-check', 'bad.inf', 'good.inf'), 1, "bad.inf:23: error: 'high' is no altitude", 'good.inf:12: service x')


@case
def a_file_cannot_disturb_a_terminal():
    done = run('x.inf', GOOD.replace('370030', '\u202e\x9b31m').encode())
    check(not re.search('[\x80-\x9f\u202e]', done.all), repr(done.all))


sys.exit(tap.main())
