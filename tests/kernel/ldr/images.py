#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Images that a linker seldom makes: refused with the file's name and the reason, or loaded as Windows would.

usage: images.py FLTVM
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(TESTS, 'lib'), os.path.join(TESTS, 'fuzz')]
sys.dont_write_bytecode = True
from pe import Image  # noqa: E402
from tap import case, check, equal, main  # noqa: E402

FLTVM = os.path.abspath(sys.argv[1])
CC = os.path.join(os.path.dirname(TESTS), 'sdk', 'toolchain', 'cc')

PLAIN = '''
#include <ntifs.h>
static VOID PlainUnload(PDRIVER_OBJECT DriverObject) { DriverObject->Flags |= 0; }
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = PlainUnload;
    DbgPrint("here is %wZ\\n", RegistryPath);
    return STATUS_SUCCESS;
}
'''
FORWARDS = PLAIN + '''
__pragma(comment(linker, "/export:DbgPrint=NTOSKRNL.DbgPrint"))
__pragma(comment(linker, "/export:DbgPrintEx=hal.#1"))
'''
# Waits at DISPATCH_LEVEL some calls deep: the report must show all of them.
DEEP = '''
#include <ntifs.h>
static KEVENT Event;
static DECLSPEC_NOINLINE VOID Inner(VOID)
{
    KIRQL OldIrql;
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    KeLowerIrql(OldIrql);
}
static VOID Worker(PVOID Context)
{
    LARGE_INTEGER Delay = { .QuadPart = -10000 };
    KeDelayExecutionThread(KernelMode, FALSE, &Delay); /* until what can be discarded is */
    Inner();
    PsTerminateSystemThread(STATUS_SUCCESS);
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Thread;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    return PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, NULL);
}
'''

work = tempfile.TemporaryDirectory(prefix='fltvm-images-')


def path(name):
    return os.path.join(work.name, name)


def built(name, source):
    if not os.path.exists(path(name)):
        with open(path(name + '.c'), 'w', encoding='utf-8') as out:
            out.write(source)
        build = os.path.dirname(os.path.dirname(FLTVM))
        subprocess.run([sys.executable, CC, '-o', path(name), path(name + '.c')], check=True, env=dict(os.environ, FLTVM_BUILD=build))
    with open(path(name), 'rb') as image:
        return Image(image.read())


def run(image, text, **others):
    """A scenario beside the image (odd.sys) and the others."""
    for name, one in (('odd', image), *others.items()):
        with open(path(name + '.sys'), 'wb') as out:
            out.write(one.data)
    with open(path('odd.lua'), 'w', encoding='utf-8') as out:
        out.write(text)
    return subprocess.run([FLTVM, 'run', path('odd.lua')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                          timeout=120, check=False)


def refused(image, *reasons):
    result = run(image, 'machine:load{ image = "odd.sys" }')
    equal(result.returncode, 2, result.stdout)
    for reason in ('odd.sys is not loaded: ', *reasons):
        check(reason in result.stdout, f'"{reason}" is not in: {result.stdout}')


@case
def as_the_linker_made_it():
    result = run(built('plain.sys', PLAIN), 'machine:load{ image = "odd.sys" }:unload() expect_log("here is")')
    equal(result.returncode, 0, result.stdout)


@case
def no_entry_point():
    image = built('plain.sys', PLAIN)
    image.put(image.entry_point, 0)
    refused(image, 'the image has no entry point')


@case
def an_entry_point_that_is_not_in_code():
    for rva in (0x10, 0x7FFFFFFF):
        image = built('plain.sys', PLAIN)
        image.put(image.entry_point, rva)
        refused(image, 'the entry point is not in code')
    image = built('plain.sys', PLAIN)
    image.put(image.entry_point, image.u32(image.section('.pdata') + 12))
    refused(image, 'the entry point is not in code')


@case
def a_module_without_a_name():
    image = built('plain.sys', PLAIN)
    for _, name in image.imports():
        image.put(name, 0, 1)
    refused(image, 'an import descriptor names no module')


@case
def an_import_without_a_name():
    image = built('plain.sys', PLAIN)
    at = image.data.index(b'DbgPrint\0')
    image.put(at, 0, 1)
    refused(image, 'an import has no name')


@case
def two_reasons_are_told_apart():
    image = built('plain.sys', PLAIN)
    descriptor, _ = next(image.imports())
    names = image.at(image.u32(descriptor))
    at = image.data.index(b'DbgPrint\0')
    image.data[at:at + 8] = b'DbgPrinX'
    # Behind it an entry whose name lies nowhere: the slots that follow are in the file as well.
    image.put(names + 8, 0x7FFFFFFF, 8)
    refused(image, 'ntoskrnl.exe!DbgPrinX; an import')


@case
def forwarders_to_the_kernel():
    user = built('plain.sys', PLAIN)
    _, name = next(user.imports())
    user.data[name:name + 13] = b'forwards.sys\0'
    forwards = built('forwards.sys', FORWARDS)
    result = run(user, '''
local f = machine:load{ image = "forwards.sys" }
local d = machine:load{ image = "odd.sys" }
expect_log("here is .*odd")
f:unload()                              -- waits for the image that imports from it
expect_status("STATUS_IMAGE_ALREADY_LOADED", function() machine:load{ image = "forwards.sys" } end)
d:unload()
machine:load{ image = "forwards.sys" }:unload()
''', forwards=forwards)
    equal(result.returncode, 0, result.stdout)


@case
def unwind_data_that_could_be_discarded():
    for sections in (['.pdata'], ['.rdata'], ['.pdata', '.rdata']):
        image = built('deep.sys', DEEP)
        for name in sections:
            image.set_discardable(name)
        result = run(image, 'machine:load{ image = "odd.sys" }\nmachine:sleep(50)')
        equal(result.returncode, 3, result.stdout)
        check('holds unwind data and is discardable' in result.stdout, result.stdout)
        check('blamed: odd.sys' in result.stdout, result.stdout)
        stack = result.stdout.split('stack:')[1]
        check('odd!Inner' in stack and 'odd!Worker' in stack, f'{sections}: the stack does not reach the thread\'s routine: {result.stdout}')


sys.exit(main())
