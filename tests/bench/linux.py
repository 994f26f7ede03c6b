#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What Linux takes on the same QEMU: linux.py QEMU FIRMWARE CC FOLDER.

Fetches Debian's kernel once into FOLDER, boots it under -icount with linux.c as its only program, and prints what that
measures, for docs/manual/costs.md.  Without the network it is skipped.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, '..', '..', 'scripts')
SUITE = 'bookworm'
NAMES = ('getpid', 'close-bad', 'open-null', 'open-file', 'read-4k', 'write-4k', 'map-fault', 'signal', 'fork-exit', 'fork-exec-exit',
         'pipe-round')
APPEND = 'console=ttyS0 rdinit=/init tsc=reliable mitigations=off reboot=t panic=-1 quiet'


def run(*words, **options):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False, **options)


def kernel(folder):
    """The kernel's path, fetched if it is not there; None and why."""
    found = sorted(glob.glob(os.path.join(folder, 'image', 'boot', 'vmlinuz-*')))
    if found:
        return found[-1], ''
    os.makedirs(folder, exist_ok=True)
    apt = [os.path.join(SCRIPTS, 'private-apt'), os.path.join(folder, 'apt'), 'deb', SUITE]
    depends = run(*apt, 'install', '--no-install-recommends', '--print-uris', '--yes', 'linux-image-amd64')
    package = re.search(r'_?(linux-image-[\d.]+-\d+-amd64)_', depends.stdout)
    if not package:
        return None, depends.stdout
    fetched = run(*apt, 'download', package[1], cwd=folder)
    archives = glob.glob(os.path.join(folder, 'linux-image-*.deb'))
    if not archives:
        return None, fetched.stdout
    run('dpkg-deb', '-x', archives[0], os.path.join(folder, 'image'))
    os.unlink(archives[0])
    return kernel(folder)


def measure(qemu, firmware, cc, image):
    with tempfile.TemporaryDirectory() as place:
        program, archive, serial = (os.path.join(place, name) for name in ('init', 'initrd', 'serial'))
        made = run(*cc.split(), '-O2', '-static', '-Wall', '-o', program, os.path.join(HERE, 'linux.c'))
        if made.returncode:
            return made.stdout
        run(sys.executable, os.path.join(SCRIPTS, 'make-cpio.py'), '--executable', '-o', archive, 'init=' + program)
        ended = run(qemu, '-L', firmware, '-bios', 'qboot.rom', '-M', 'microvm,pit=on,pic=on,rtc=on,isa-serial=on', '-cpu', 'max', '-smp', '1',
                    '-m', '256M', '-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'file:' + serial, '-kernel', image,
                    '-initrd', archive, '-append', APPEND, '-icount', 'shift=0,sleep=off', '-no-reboot', timeout=280)
        with open(serial, encoding='utf-8', errors='replace') as text:
            return text.read() + ended.stdout


def main():
    qemu, firmware, cc, folder = sys.argv[1:5]
    print('TAP version 13')
    image, why = kernel(folder)
    if not image:
        print('# ' + '\n# '.join(why.splitlines()[-5:]))
        print('1..0 # SKIP Debian\'s kernel cannot be fetched')
        return 0
    output = measure(qemu, firmware, cc, image)
    found = dict(re.findall(r'bench linux-([\w-]+) (\d+)', output))
    for name in NAMES:
        print(f'{"ok" if name in found else "not ok"} - {os.path.basename(image)}: {name}: {found.get(name, "not measured")}')
    print(f'1..{len(NAMES)}')
    if 'done' not in output.split():
        print('# ' + '\n# '.join(output.splitlines()[-20:]))
    return 0 if len(found) == len(NAMES) else 1


sys.exit(main())
