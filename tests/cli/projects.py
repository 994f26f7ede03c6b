#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm cc --project: two drivers from their Visual Studio projects, untouched and run; and projects that are none."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
FLTVM = os.path.abspath(sys.argv[1])
ENTRY = '#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r) { (void)d; (void)r; return A; }\n'
SCENARIO = '''
local vm = fltvm.machine{ disks = { { size = "1M" } } }
local filter = vm:load{ image = "%s.sys", altitude = "370040" }
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
expect_equal(#volume:read(0, 4096), 4096, "the read returns all of its bytes")
volume:close()
filter:unload()
'''


def cc(folder, *words):
    return subprocess.run([CC, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)


def with_folder(function):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            function(folder)
    run.__name__ = function.__name__
    return case(run)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as out:
        out.write(text)


def run_driver(folder, name):
    write(folder, 'x.lua', SCENARIO % name)
    done = subprocess.run([FLTVM, 'run', 'x.lua'], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', timeout=300, check=False)
    equal(done.returncode, 0, done.stdout)
    return done.stdout


@with_folder
def a_driver_in_messy_style(folder):
    project = os.path.join(HERE, 'projects', 'messy', 'Messy.vcxproj')
    for configuration, says in (('Release', 'msyflt: sum 10'), ('debug', 'msyflt: debug build, sum 10')):
        made = cc(folder, '--project', project, '--configuration', configuration, '--depfile', 'x.d')
        equal(made.returncode, 0, made.stderr)
        for note in (':19: note: import skipped: Company.props', 'note: <ResourceCompile> skipped: msyflt.rc'):
            check(note in made.stderr, made.stderr)
        check('error' not in made.stderr and 'wdmsec' not in made.stderr, made.stderr)
        text = run_driver(folder, 'msyflt')
        for line in (says, 'msyflt: sum 6, probe 0xC0000005 in 12 steps', 'msyflt: 1 reads, 4096 bytes'):
            check(line in text, f'{line!r} is not in: {text}')
    with open(os.path.join(folder, 'x.d'), encoding='utf-8') as rule:
        check('Messy.vcxproj' in rule.read(), 'the project is no input')


@with_folder
def a_driver_in_c_plus_plus(folder):
    made = cc(folder, '--project', os.path.join(HERE, 'projects', 'plus', 'plus.vcxproj'), '-o', 'other.sys')
    equal((made.returncode, made.stderr), (0, ''), 'compiling')
    text = run_driver(folder, 'other')
    for line in ('plus: 0xC0000005', 'plus: counter 0 gone at 1', 'plus: counter 1 gone at 4096', 'plus: sum 5'):
        check(line in text, f'{line!r} is not in: {text}')


@with_folder
def settings_are_evaluated(folder):
    write(folder, 'a.c', '#if !defined(ONE) || defined(TWO) || THREE != 3 || defined(FOUR)\n#error no\n#endif\n' + ENTRY)
    write(folder, 'a.vcxproj', '''<Project>
<PropertyGroup><Sort>x</Sort><Sort Condition="exists('a.c') and !('$(Sort)'=='')">y$(Sort)</Sort>
<TargetName>$(Sort)-$(MSBuildProjectName)</TargetName></PropertyGroup>
<ItemDefinitionGroup><ClCompile><PreprocessorDefinitions>ONE;A=0</PreprocessorDefinitions>
<AdditionalOptions>/DTHREE=3 /W4 /fancy</AdditionalOptions><Novelty>1</Novelty></ClCompile></ItemDefinitionGroup>
<ItemDefinitionGroup Condition="'$(Platform)'=='ARM64' or '$(Configuration)'=='Debug'">
<ClCompile><PreprocessorDefinitions>TWO;%(PreprocessorDefinitions)</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
<ItemDefinitionGroup Condition="'$(Sort)' ~~ 3"><ClCompile><PreprocessorDefinitions>FOUR</PreprocessorDefinitions></ClCompile></ItemDefinitionGroup>
<ItemGroup><ClCompile Include=".\\A.C" /><MASM Include="b.asm" /></ItemGroup></Project>''')
    made = cc(folder, '--project', 'a.vcxproj')
    equal(made.returncode, 0, made.stderr)
    check(os.path.exists(os.path.join(folder, 'yx-a.sys')), 'the name')
    for note in ('a.vcxproj:5: note: <Novelty> skipped', 'option of the compiler skipped: /fancy', '<MASM> skipped: b.asm',
                 'a.vcxproj:8: note: condition not understood'):
        check(note in made.stderr, f'{note!r} is not in: {made.stderr}')


@with_folder
def any_folder_s_name_stays_whole(folder):
    """What a path holds is neither divided, quoted nor expanded, wherever a project names its folder."""
    place = os.path.join(folder, "a;b $(x) %41 'q' é, (c)")
    os.makedirs(os.path.join(place, 'inc'))
    os.mkdir(os.path.join(place, 'add'))
    write(place, 'inc/one.h', '#define ONE 1\n')
    write(place, 'add/two.h', '#define TWO 2\n')
    write(place, 'force.h', '#define A 0\n')
    write(place, 'a.c', '#include "one.h"\n#include "two.h"\n#if ONE + TWO != 3\n#error no\n#endif\n' + ENTRY)
    write(place, 'p.vcxproj', '''<Project>
<PropertyGroup><Where>$(ProjectDir)inc;$(ProjectDir)</Where></PropertyGroup>
<ItemDefinitionGroup><ClCompile><AdditionalIncludeDirectories>$(Where);%(AdditionalIncludeDirectories)</AdditionalIncludeDirectories>
<ForcedIncludeFiles>$(MSBuildProjectDirectory)\\force.h</ForcedIncludeFiles>
<AdditionalOptions>/I"$(ProjectDir)add"</AdditionalOptions></ClCompile></ItemDefinitionGroup>
<ItemGroup Condition="exists('$(ProjectDir)a.c') and '$(ProjectDir)' != ''"><ClCompile Include="$(ProjectDir)a.c"/></ItemGroup></Project>''')
    made = cc(folder, '--project', os.path.join(place, 'p.vcxproj'))
    equal((made.returncode, made.stderr), (0, ''), 'compiling')
    check(os.path.exists(os.path.join(folder, 'p.sys')), 'the driver')


@with_folder
def projects_that_are_none(folder):
    write(folder, 'a.c', ENTRY.replace('A;', '0;'))
    item = '<ItemGroup><ClCompile Include="{}"/></ItemGroup>'
    for text, says in (('int a;\n', ':1: error: not XML: '), ('<Project>\n<ItemGroup>\n</Project>', ':3: error: not XML: mismatched tag'),
                       ('<html/>', ':1: error: not a Visual Studio project: its root is <html>'),
                       (f'<Project>\n{item.format("absent.c")}</Project>', ':2: error: no such file: absent.c'),
                       (f'<Project>\n{item.format("*.c")}</Project>', ':2: error: wildcards'),
                       ('<Project/>', 'error: no source to compile'),
                       ('<Project><PropertyGroup><ConfigurationType>StaticLibrary</ConfigurationType></PropertyGroup></Project>',
                        'no driver is made of it'),
                       (f'<Project><ItemGroup><ProjectConfiguration Include="Debug|x64"/></ItemGroup>{item.format("a.c")}</Project>',
                        'it has no configuration Release|x64'),
                       ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Project>&b;</Project>', 'an entity (a) has no place')):
        write(folder, 'bad.vcxproj', text)
        made = cc(folder, '--project', 'bad.vcxproj')
        equal(made.returncode, 2, made.stderr)
        check('bad.vcxproj' in made.stderr and says in made.stderr, f'{says!r} is not in: {made.stderr}')
        equal(made.stderr.count('\n'), 1, made.stderr)
    equal(cc(folder, '--project', 'absent.vcxproj').returncode, 2, 'a project that is not there')
    equal([n for n in os.listdir(folder) if n.endswith('.sys')], [], 'drivers')


@with_folder
def two_drivers_of_one_name(folder):
    for place in ('one', 'two'):
        os.mkdir(os.path.join(folder, place))
        write(os.path.join(folder, place), 'same.c', ENTRY.replace('A;', '0;'))
    write(folder, 'x.lua', 'local vm = fltvm.machine{}\nvm:load{ source = "one/same.c" }\nvm:load{ source = "two/same.c" }\n')
    done = subprocess.run([FLTVM, 'run', 'x.lua'], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', timeout=300, check=False)
    check(done.returncode in (1, 2) and 'x.lua:3:' in done.stdout and 'same' in done.stdout, f'{done.returncode}: {done.stdout}')


if __name__ == '__main__':
    check(shutil.which('clang-19') or shutil.which('clang'), 'no clang')
    sys.exit(main())
