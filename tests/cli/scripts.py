#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the build's own scripts promise: help everywhere, lists without contradictions, the overlay's economy."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPTS = os.path.join(ROOT, 'scripts')
sys.path[:0] = [os.path.join(ROOT, 'tests', 'lib'), os.path.join(SCRIPTS, 'qemu')]
sys.dont_write_bytecode = True
import overlay  # noqa: E402
import source   # noqa: E402
from tap import case, check, equal, main  # noqa: E402


def run(*command, **settings):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **settings)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as text:
        return text.read()


@case
def every_script_answers_help():
    programs = [os.path.join(ROOT, '.ci', 'run'), os.path.join(ROOT, 'sdk', 'toolchain', 'cc')]
    for folder, _, names in os.walk(SCRIPTS):
        programs += [os.path.join(folder, n) for n in names if os.access(os.path.join(folder, n), os.X_OK)]
    check(len(programs) > 6, 'no scripts found')
    for program in programs:
        result = run(program, '--help')
        equal(result.returncode, 0, f'{program} --help: {result.stderr}')
        check('usage' in result.stdout.lower(), f'{program} --help: {result.stdout}')


@case
def an_archive_is_the_same_each_time():
    with tempfile.TemporaryDirectory() as folder:
        write(f'{folder}/a', 'first')
        write(f'{folder}/b', 'the second file')
        images = []
        for name in ('1', '2'):
            os.utime(f'{folder}/a', (int(name), int(name)))
            result = run(f'{SCRIPTS}/make-cpio.py', '-o', f'{folder}/{name}.cpio', f'a.sys={folder}/a', f'b.sys={folder}/b')
            equal(result.returncode, 0, result.stderr)
            with open(f'{folder}/{name}.cpio', 'rb') as archive:
                images.append(archive.read())
        check(images[0] == images[1], 'two archives differ')
        check(images[0].startswith(b'070701') and images[0].count(b'070701') == 3, 'not a newc archive of two')


def made_image(folder, recipe):
    write(f'{folder}/x.image', recipe)
    return run(f'{SCRIPTS}/make-image.py', f'{folder}/x.image', f'{folder}/x.raw')


@case
def an_image_is_what_its_recipe_says():
    with tempfile.TemporaryDirectory() as folder:
        result = run(f'{SCRIPTS}/make-image.py', os.path.join(ROOT, 'images', 'partitions.image'), f'{folder}/x.raw')
        equal(result.returncode, 0, result.stderr)
        with open(f'{folder}/x.raw', 'rb') as image:
            disk = image.read()
        equal((len(disk), disk[510:512]), (8 << 20, b'\x55\xaa'), 'size and signature')
        equal([(disk[446 + 16 * n + 4], int.from_bytes(disk[446 + 16 * n + 8:][:4], 'little'), int.from_bytes(disk[446 + 16 * n + 12:][:4], 'little'))
               for n in range(4)], [(0x07, 2048, 4096), (0x83, 8192, 8192), (0, 0, 0), (0, 0, 0)], 'the table')
        check(not any(disk[512:]), 'nothing else is written')


@case
def a_recipe_that_is_wrong_is_refused_by_its_line():
    with tempfile.TemporaryDirectory() as folder:
        for recipe, words in (('size = 1M\ncolour = red\n', 'x.image:2: error: unknown: colour = red'), ('size = much\n', 'x.image:1: error'),
                              ('# nothing\n', 'x.image: error: no size'), ('size = 1M\npartition = 07 1\n', 'x.image:2: error: a partition is'),
                              ('size = 1M\npartition = 07 2048 2048\n', 'not within the disk'), ('size = 1M\nfilesystem = fat\n', 'x.image:2: error'),
                              ('size = 1M\nfilesystem = ntfs\npartition = 07 1 1\n', 'or a file system'),
                              ('size = 1M\npartition = 07 64 8\npartition = 07 70 8\n', 'begins in the one before'), ('size = 1M\ntable = gpt\npartition = basic 1900 120\n', 'not within the disk'),
                              ('size = 1M\ntable = gpt\npartition = 07 64 8\n', 'a type is "basic" or a GUID'), ('size = 1M\nlabel = x\n', 'no filesystem is named'),
                              ('size = 1M\nfilesystem = ntfs\nserial = 12x\n', 'x.image:3: error')):
            result = made_image(folder, recipe)
            check(result.returncode != 0 and words in result.stderr and 'Traceback' not in result.stderr, f'{recipe}: {result.stderr}')


@case
def an_export_has_one_owner():
    with tempfile.TemporaryDirectory() as folder:
        write(f'{folder}/a.exports', '# comment\nIoOne\nIoTwo DATA\n')
        write(f'{folder}/b.exports', 'IoOne\n')
        good = run(f'{SCRIPTS}/make-def.py', '-o', f'{folder}/x.def', 'x.exe', f'{folder}/a.exports')
        equal(good.returncode, 0, good.stderr)
        equal(read(folder, 'x.def'), 'LIBRARY x.exe\nEXPORTS\n    IoOne\n    IoTwo DATA\n', 'module definition')
        bad = run(f'{SCRIPTS}/make-def.py', '-o', f'{folder}/x.def', 'x.exe', f'{folder}/a.exports', f'{folder}/b.exports')
        check(bad.returncode != 0 and 'IoOne' in bad.stderr and 'a.exports:2' in bad.stderr, bad.stderr)
        write(f'{folder}/c.exports', 'Io Three\n')
        bad = run(f'{SCRIPTS}/make-def.py', '-o', f'{folder}/x.def', 'x.exe', f'{folder}/c.exports')
        check(bad.returncode != 0 and 'c.exports:1' in bad.stderr, bad.stderr)


@case
def the_facts_on_the_ddi_agree():
    result = run(f'{SCRIPTS}/ddi.py', 'check', os.path.join(ROOT, 'sdk', 'ddi', 'ddi.tsv'))
    equal(result.returncode, 0, result.stderr)


@case
def irql_rules_are_made_for_exports_only():
    with tempfile.TemporaryDirectory() as folder:
        write(f'{folder}/x.exports', 'FltQueueGenericWorkItem\nKeReleaseSpinLock\nNoSuchRoutine\n')
        result = run(f'{SCRIPTS}/ddi.py', 'irql', '-o', f'{folder}/x.c', os.path.join(ROOT, 'sdk', 'ddi', 'ddi.tsv'),
                     f'{folder}/x.exports')
        equal(result.returncode, 0, result.stderr)
        text = read(folder, 'x.c')
        check('{"FltQueueGenericWorkItem", 0, 2},' in text and '{"KeReleaseSpinLock", 2, 15},' in text, text)
        check('LdrpIrqlRuleCount = 2;' in text, text)


APT = '''#!/bin/sh
# Alone, or it says so.
mkdir "{0}/busy" || echo overlap >> "{0}/said"
for word; do case $word in update | source) echo $word >> "{0}/said" ;; esac; done
sleep 0.3
rmdir "{0}/busy"
'''


@case
def those_that_fetch_at_the_same_time_wait_for_each_other():
    with tempfile.TemporaryDirectory() as folder:
        write(f'{folder}/apt-get', APT.format(folder))
        os.chmod(f'{folder}/apt-get', 0o755)
        environment = dict(os.environ, PATH=f'{folder}:{os.environ["PATH"]}', FLTVM_DEBIAN_MIRROR='http://nowhere.invalid/debian')
        several = [subprocess.Popen([f'{SCRIPTS}/private-apt', f'{folder}/cache', 'deb-src', 'suite', 'source', f'package{number}'],
                                    env=environment) for number in range(4)]
        equal([one.wait(timeout=60) for one in several], [0] * 4, 'exit statuses')
        equal(read(folder, 'said').split(), ['update'] + 4 * ['source'], 'what apt-get was asked for, one at a time')


def junit(folder, body):
    write(f'{folder}/x.xml', f'<testsuites><testsuite name="s">{body}</testsuite></testsuites>')
    return run(f'{SCRIPTS}/test-summary.py', f'{folder}/x.xml')


@case
def canary_a_failure_is_counted_as_one():
    with tempfile.TemporaryDirectory() as folder:
        result = junit(folder, '<testcase name="a"/><testcase name="b"><failure/></testcase>')
        equal((result.returncode, result.stdout.splitlines()[-1]), (1, '1 passed, 1 failed, 0 skipped'), 'summary')
        result = junit(folder, '<testcase name="a"/><testcase name="b"><skipped/></testcase>')
        equal((result.returncode, result.stdout.splitlines()[-1]), (0, '1 passed, 0 failed, 1 skipped'), 'summary')


@case
def canary_a_failure_says_why():
    with tempfile.TemporaryDirectory() as folder:
        said = 'ok 1 - a\n# noise\nnot ok 2 - b\n' + ''.join(f'# why {line} \u009b31m\n' for line in range(30)) + 'ok 3 - c\n'
        result = junit(folder, '<testcase name="1 - a"/><testcase name="2 - b"><failure/></testcase>'
                               f'<testcase name="3 - c"/><system-out>{said}</system-out>')
        lines = result.stdout.splitlines()
        equal(lines[:2], ['failed: s: 2 - b', '  # why 0 \\x9b31m'], 'the first lines')
        equal(lines[20:], ['  # why 19 \\x9b31m', '  … 10 lines more', '2 passed, 1 failed, 0 skipped'], 'the last lines')


@case
def canary_a_case_that_fails_fails_the_test():
    if '--canary' in sys.argv[1:]:
        return
    result = run(sys.executable, os.path.abspath(__file__), '--canary')
    equal(result.returncode, 1, 'exit status')
    check('\nnot ok ' in result.stdout and result.stdout.count('not ok') == 1, result.stdout)


@case
def canary_silence_is_a_failure():
    with tempfile.TemporaryDirectory() as folder:
        equal(junit(folder, '').returncode, 1, 'an empty log')
        equal(run(f'{SCRIPTS}/test-summary.py', f'{folder}/absent.xml').returncode, 1, 'a log that is not there')


LIST = 'a\nb\none\ntwo\nc\nd\n'
PATCH = '--- a/hw/list\n+++ b/hw/list\n@@ -1,6 +1,7 @@\n a\n b\n one\n+{0}\n two\n c\n d\n'


def patched(line):
    return LIST.replace('one\n', f'one\n{line}\n')


def laid(folder):
    return overlay.lay(f'{folder}/ours', f'{folder}/tree', f'{folder}/pristine', f'{folder}/record')


def overlay_setting(folder):
    write(f'{folder}/tree/hw/list', LIST)
    write(f'{folder}/tree/other', 'untouched\n')
    write(f'{folder}/ours/hw/device.c', 'device\n')
    write(f'{folder}/ours/hw/fltvm.mak', 'CONFIG=y\n')
    write(f'{folder}/ours/abi/numbers.h', 'numbers\n')
    write(f'{folder}/ours/hw/patches/0001-x.patch', PATCH.format('ours'))


@case
def the_overlay_is_laid_once():
    with tempfile.TemporaryDirectory() as folder:
        overlay_setting(folder)
        equal(sorted(laid(folder)), ['configs/devices/x86_64-softmmu/fltvm.mak', 'hw/fltvm/device.c', 'hw/list',
                                     'include/fltvm/numbers.h'], 'changed')
        equal(read(folder, 'tree/hw/list'), patched('ours'), 'patched file')
        equal(laid(folder), [], 'changed the second time')


@case
def one_edited_file_is_one_changed_file():
    with tempfile.TemporaryDirectory() as folder:
        overlay_setting(folder)
        laid(folder)
        write(f'{folder}/ours/hw/device.c', 'better device\n')
        equal(laid(folder), ['hw/fltvm/device.c'], 'changed')


@case
def a_patch_may_change_and_go():
    with tempfile.TemporaryDirectory() as folder:
        overlay_setting(folder)
        laid(folder)
        write(f'{folder}/ours/hw/patches/0001-x.patch', PATCH.format('better'))
        equal(laid(folder), ['hw/list'], 'changed')
        equal(read(folder, 'tree/hw/list'), patched('better'), 'patched file')
        os.unlink(f'{folder}/ours/hw/patches/0001-x.patch')
        os.unlink(f'{folder}/ours/hw/device.c')
        equal(sorted(laid(folder)), ['hw/fltvm/device.c', 'hw/list'], 'changed')
        equal(read(folder, 'tree/hw/list'), LIST, 'restored file')
        check(not os.path.exists(f'{folder}/tree/hw/fltvm/device.c'), 'a removed device is still there')
        equal(laid(folder), [], 'changed again')


@case
def a_patch_that_does_not_apply_is_named():
    with tempfile.TemporaryDirectory() as folder:
        overlay_setting(folder)
        write(f'{folder}/tree/hw/list', 'something else\n')
        try:
            laid(folder)
        except source.Failure as failure:
            check('0001-x.patch' in str(failure), str(failure))
        else:
            raise AssertionError('it was applied all the same')
        equal(read(folder, 'tree/hw/list'), 'something else\n', 'the file')


@case
def a_tree_that_is_not_qemu_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        for prepare, text in ((lambda: None, 'not a QEMU'), (lambda: write(f'{folder}/VERSION', '8.2.0\n'), 'not a QEMU'),
                              (lambda: write(f'{folder}/hw/Kconfig', ''), '8.2.0')):
            prepare()
            try:
                source.select(folder, folder)
            except source.Failure as failure:
                check(text in str(failure), str(failure))
            else:
                raise AssertionError('it was taken')
        write(f'{folder}/VERSION', '10.0.2\n')
        source.select(folder, folder)


@case
def a_tree_of_the_users_own_is_followed():
    with tempfile.TemporaryDirectory() as folder:
        write(f'{folder}/own/VERSION', '10.0.2\n')
        write(f'{folder}/own/hw/Kconfig', 'first\n')
        write(f'{folder}/own/hw/list', LIST)
        chosen = source.select(f'{folder}/own', folder)
        with contextlib.redirect_stdout(io.StringIO()):
            chosen.unpack(f'{folder}/tree')
        chosen.follow(f'{folder}/tree', f'{folder}/pristine')
        write(f'{folder}/ours/hw/patches/0001-x.patch', PATCH.format('ours'))
        os.makedirs(f'{folder}/ours/abi')
        laid(folder)
        write(f'{folder}/own/hw/Kconfig', 'changed\n')
        write(f'{folder}/own/hw/list', LIST + 'e\n')
        chosen.follow(f'{folder}/tree', f'{folder}/pristine')
        laid(folder)
        equal(read(folder, 'tree/hw/Kconfig'), 'changed\n', 'a plain file')
        equal(read(folder, 'tree/hw/list'), patched('ours') + 'e\n', 'a patched file')
        equal(read(folder, 'own/hw/list'), LIST + 'e\n', 'the user\'s file')


sys.exit(main())
