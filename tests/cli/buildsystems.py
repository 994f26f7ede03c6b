#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers by other build systems: buildsystems.py FLTVM MESON.

A project of two drivers, in C and in C++, that share a static library; both are loaded.  Meson and CMake are given the SDK's own
files, and nothing of the project names a flag.  They are reached by a symbolic link with a plain name, as the manual says of
folders whose names Meson or CMake cannot take.
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import Skip, case, check, main  # noqa: E402

FLTVM, MESON = map(os.path.abspath, sys.argv[1:3])
BUILD = os.path.abspath(os.environ.get('FLTVM_BUILD') or os.path.join(ROOT, 'build'))
FILES = {
    'common.c': '#include <FLTKernel.H>\nULONG Twice(ULONG Number)\n{\n    return Number * 2;\n}\n',
    'one.c': '''#include <fltKernel.h>
ULONG Twice(ULONG Number);
VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    DbgPrint("twice is %u in C\\n", Twice(21));
    return STATUS_SUCCESS;
}
''',
    'two.cpp': '''#include <fltKernel.h>
extern "C" ULONG Twice(ULONG Number);
extern "C" VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}
extern "C" NTSTATUS Start(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    ULONG *Number = new ULONG(Twice(21));
    DbgPrint("twice is %u in C++\\n", *Number);
    delete Number;
    return STATUS_SUCCESS;
}
''',
    'meson.build': '''project('two', 'c', 'cpp', default_options: ['cpp_std=c++17'])
common = static_library('common', 'common.c')
executable('one', 'one.c', link_with: common, name_suffix: 'sys')
executable('two', 'two.cpp', link_with: common, name_suffix: 'sys', link_args: '-Wl,/entry:Start')
''',
    'CMakeLists.txt': '''cmake_minimum_required(VERSION 3.18)
project(two C CXX)
add_library(common STATIC common.c)
add_executable(one one.c)
target_link_libraries(one common)
''',
}


def run(words, folder):
    return subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400, check=False,
                          env=dict(os.environ, FLTVM_BUILD=os.path.join(folder, 'fltvm-build')))


def must(words, folder):
    result = run(words, folder)
    check(result.returncode == 0, f'{" ".join(words)}: exit {result.returncode}\n{result.stdout}')
    return result.stdout


def project(folder):
    """Write the project; return the SDK's folder of toolchain files."""
    for name, text in FILES.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
            out.write(text)
    os.symlink(BUILD, os.path.join(folder, 'fltvm-build'))
    os.symlink(ROOT, os.path.join(folder, 'fltvm'))
    return os.path.join(folder, 'fltvm', 'sdk', 'toolchain')


def loaded(folder, name):
    """What the driver says when it is loaded."""
    scenario = os.path.join(folder, name + '.lua')
    with open(scenario, 'w', encoding='utf-8') as out:
        out.write(f'machine:start()\nmachine:load {{ image = [[{os.path.join(folder, "build", name + ".sys")}]] }}:unload()\n')
    return must([FLTVM, 'run', scenario], folder)


@case
def meson_makes_drivers():
    with tempfile.TemporaryDirectory(prefix='fltvm-meson-') as folder:
        must([MESON, 'setup', '--cross-file', os.path.join(project(folder), 'fltvm.cross'), 'build'], folder)
        said = must(['ninja', '-C', 'build'], folder)
        check('warning' not in said, said)
        check('twice is 42 in C\n' in loaded(folder, 'one'), 'the driver in C')
        check('twice is 42 in C++\n' in loaded(folder, 'two'), 'the driver in C++, with its own entry point')


@case
def meson_says_what_does_not_compile():
    with tempfile.TemporaryDirectory(prefix='fltvm-meson-') as folder:
        must([MESON, 'setup', '--cross-file', os.path.join(project(folder), 'fltvm.cross'), 'build'], folder)
        for text, wanted in (('int x = ;\n', 'one.c:1'), ('#include <wdm.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT D, PUNICODE_STRING R)'
                                                          '\n{\n    extern int Nowhere(void);\n    return Nowhere();\n}\n', 'Nowhere')):
            with open(os.path.join(folder, 'one.c'), 'w', encoding='utf-8') as out:
                out.write(text)
            result = run(['ninja', '-C', 'build'], folder)
            check(result.returncode != 0 and wanted in result.stdout, f'{wanted}: {result.stdout}')


@case
def cmake_makes_drivers():
    if not shutil.which('cmake'):
        raise Skip('cmake is not installed')
    with tempfile.TemporaryDirectory(prefix='fltvm-cmake-') as folder:
        must(['cmake', '-S', '.', '-B', 'build', f'-DCMAKE_TOOLCHAIN_FILE={project(folder)}/fltvm.cmake'], folder)
        must(['cmake', '--build', 'build'], folder)
        check('twice is 42 in C\n' in loaded(folder, 'one'), 'the driver in C')


@case
def cmake_names_a_folder_it_cannot_take():
    if not shutil.which('cmake'):
        raise Skip('cmake is not installed')
    for character in '"`$;#<>':
        with tempfile.TemporaryDirectory(prefix='fltvm-cmake-') as folder:
            project(folder)
            odd = os.path.join(folder, f'a{character}b')
            os.symlink(ROOT, odd)
            result = run(['cmake', '-S', '.', '-B', 'build', f'-DCMAKE_TOOLCHAIN_FILE={odd}/sdk/toolchain/fltvm.cmake'], folder)
            check(result.returncode != 0 and 'symbolic' in result.stdout, f'{odd}: {result.stdout}')


if __name__ == '__main__':
    sys.exit(main())
