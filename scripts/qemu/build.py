#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Obtain QEMU, lay the project's devices over it, configure it minimal, build it, and put it into the build folder.

The tree and its build live in a cache outside the project, named by what decides their content (source, options,
compiler), and are shared by all checkouts: whoever builds holds a lock, lays its own overlay, and takes a copy
of the result.  Building again is what ninja finds changed.
"""
import argparse
import collections
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import overlay  # noqa: E402
import source   # noqa: E402
from source import Failure  # noqa: E402

PROGRAMS = ['qemu-system-x86_64', 'qemu-img', 'qemu-io']
OPTIONS = ['--target-list=x86_64-softmmu', '--without-default-features', '--without-default-devices',
           '--with-devices-x86_64=fltvm', '--enable-system', '--enable-tcg', '--enable-kvm', '--enable-tools',
           '--enable-seccomp', '--enable-trace-backends=log', '--disable-install-blobs', '--disable-docs']
PLAIN = ['--disable-debug-info']         # a third less to compile and to load
SANITIZE = ['--enable-asan', '--enable-ubsan']
# Firmware: the machine's, then the option ROMs that -kernel asks for on a PC machine.
FIRMWARE = {'qboot.rom': 'qemu-system-data', 'bios-256k.bin': 'seabios', 'pvh.bin': 'qemu-system-data',
            'linuxboot_dma.bin': 'qemu-system-data', 'kvmvapic.bin': 'qemu-system-data'}
FIRMWARE_FOLDERS = ['/usr/share/qemu', '/usr/share/seabios', '/usr/lib/ipxe/qemu', '/usr/share/qemu-kvm']


def environment(meson):
    """QEMU's configure wants Meson as a Python package; a private one is found by PYTHONPATH, also by its ninja."""
    result = dict(os.environ)
    for name in ('MAKEFLAGS', 'DESTDIR', 'CFLAGS', 'LDFLAGS', 'NINJA_STATUS'):
        result.pop(name, None)
    packages = os.path.normpath(os.path.join(os.path.dirname(meson), '../lib/python3/dist-packages'))
    if os.path.isdir(os.path.join(packages, 'mesonbuild')) and not packages.startswith('/usr/'):
        result['PYTHONPATH'] = packages
    return result


def interpreter():
    return '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable


def compiler_identity():
    cc = shutil.which(os.environ.get('CC', 'cc')) or ''
    if not cc:
        raise Failure('no C compiler (cc) found')
    version = subprocess.run([cc, '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout
    return version.splitlines()[0] + ' ' + platform.machine()


def run_logged(command, what, log, env, cwd, tail=60):
    """Run with the output in `log`; show ninja's progress, one line that is rewritten on a terminal."""
    terminal, last, shown = sys.stdout.isatty(), collections.deque(maxlen=tail), -1
    with open(log, 'a', encoding='utf-8') as out, \
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                             env=env, cwd=cwd) as child:
        try:
            for line in child.stdout:
                out.write(line)
                last.append(line)
                step = re.match(r'\[(\d+)/(\d+)\] ', line)
                if not step:
                    continue
                done, total = int(step[1]), int(step[2])
                percent = 100 * done // total
                if terminal:
                    print(f'\r\x1b[Kqemu: {done}/{total} ({percent} %)', end='', flush=True)
                elif total > 20 and percent // 10 != shown:
                    shown = percent // 10
                    print(f'qemu: {done}/{total} ({percent} %)', flush=True)
        except KeyboardInterrupt:
            child.send_signal(signal.SIGINT)
            child.wait()
            raise
        if child.wait():
            if terminal:
                print()
            raise Failure(f'{what} failed; the whole output is in {log}; its end:\n{"".join(last)}')
    if terminal and any(line.startswith('[') for line in last):
        print('\r\x1b[K', end='', flush=True)


def configure(tree, build, options, env, log):
    """Configure in a new folder and move it into place only when that worked."""
    if os.path.exists(os.path.join(build, 'build.ninja')):
        return
    shutil.rmtree(build, ignore_errors=True)
    os.makedirs(build)
    print('qemu: configuring …', flush=True)
    run_logged([os.path.join(tree, 'configure'), f'--python={interpreter()}', *options], 'QEMU\'s configure',
               log, env, build)


def install(build, output, tree):
    """Copy the programs and the firmware; what is the same already stays untouched."""
    os.makedirs(os.path.join(output, 'firmware'), exist_ok=True)
    for name in PROGRAMS:
        made, target = os.path.join(build, name), os.path.join(output, name)
        if not same(made, target):
            shutil.copy2(made, target + '.new')
            os.replace(target + '.new', target)
    folders = [os.path.join(tree, 'pc-bios'), os.path.join(build, 'pc-bios', 'optionrom'), *FIRMWARE_FOLDERS]
    for name, package in FIRMWARE.items():
        found = next((os.path.join(f, name) for f in folders if os.path.exists(os.path.join(f, name))), None)
        if not found:
            raise Failure(f'the firmware {name} is not in {", ".join(FIRMWARE_FOLDERS[:2])}: install {package}')
        if not same(found, os.path.join(output, 'firmware', name)):
            shutil.copy2(found, os.path.join(output, 'firmware', name))


def same(made, target):
    if not os.path.exists(target):
        return False
    one, other = os.stat(made), os.stat(target)
    return one.st_size == other.st_size and one.st_mtime_ns == other.st_mtime_ns


def write_depfile(path, target, names):
    """Relative names, as the compilers write them: ninja's depfiles stop at quotes and ampersands."""
    names = [re.sub(r'([ #])', r'\\\1', os.path.relpath(name)).replace('$', '$$') for name in names]
    with open(path, 'w', encoding='utf-8') as out:
        out.write(f'{target}: {" ".join(names)}\n')


def prune(cache, folder):
    """Remove QEMU builds that nobody has used for two months: each is most of a gigabyte."""
    for entry in os.scandir(cache):
        lock = os.path.join(entry.path, 'lock')
        if not entry.name.startswith('qemu-') or entry.path == folder or not os.path.exists(lock):
            continue
        if time.time() - os.stat(lock).st_mtime < 60 * 24 * 3600:
            continue
        with open(lock, encoding='utf-8') as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(entry.path, ignore_errors=True)


def obtain(chosen, folder):
    """Unpack into src once; a half-unpacked tree is never taken for a whole one."""
    tree = os.path.join(folder, 'src')
    if not os.path.isdir(tree):
        shutil.rmtree(tree + '.new', ignore_errors=True)
        chosen.unpack(tree + '.new')
        os.rename(tree + '.new', tree)
    if chosen.follows:
        chosen.follow(tree, os.path.join(folder, 'pristine'))
    return tree


def safe_place(cache):
    """QEMU's configure and its makefiles take no path with blanks, colons or quotes: such a cache lives elsewhere."""
    if re.fullmatch(r'[\w/.+@,=-]+', cache, re.ASCII):
        return cache
    place = f'/var/tmp/fltvm-{os.getuid()}-{hashlib.sha256(os.fsencode(cache)).hexdigest()[:8]}'
    os.makedirs(place, mode=0o700, exist_ok=True)
    if os.path.islink(place) or os.stat(place).st_uid != os.getuid():
        raise Failure(f'{place} is somebody else\'s; name a folder with -Dqemu_cache=…')
    return place


def build(args):
    options = OPTIONS + (SANITIZE if args.sanitize else PLAIN)
    options.append('--enable-fdt=system')
    cache = args.cache or os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'fltvm')
    cache = safe_place(os.path.abspath(cache))
    try:
        os.makedirs(cache, exist_ok=True)
    except OSError as error:
        raise Failure(f'cannot make the cache: {error}') from error
    chosen = source.select(args.source, cache)
    folder = os.path.join(cache, 'qemu-' + source.key(chosen.identity, compiler_identity(), *options))
    env, log = environment(args.meson), os.path.join(folder, 'build.log')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'lock'), 'w', encoding='utf-8') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('qemu: waiting for another build …', flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        start = time.monotonic()
        tree = obtain(chosen, folder)
        overlay.lay(args.project, tree, os.path.join(folder, 'pristine'), os.path.join(folder, 'overlay.json'))
        with open(log, 'w', encoding='utf-8'):
            pass
        place = os.path.join(folder, 'build')
        configure(tree, place, options, env, log)
        run_logged(['ninja', *([f'-j{args.jobs}'] if args.jobs else []), *PROGRAMS], 'building QEMU', log, env, place)
        install(place, args.output, tree)
        prune(cache, folder)
        if time.monotonic() - start > 10:
            print(f'qemu: built in {time.monotonic() - start:.0f} s', flush=True)
    if args.stamp:
        if args.depfile:
            here = os.path.dirname(os.path.abspath(__file__))
            names = overlay.inputs(args.project) + [os.path.join(here, n) for n in sorted(os.listdir(here))]
            write_depfile(args.depfile, args.stamp, names)
        with open(args.stamp, 'w', encoding='utf-8') as out:
            out.write(folder + '\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--project', required=True, help='the project\'s source folder')
    parser.add_argument('--output', required=True, help='where the programs and firmware/ go')
    parser.add_argument('--meson', default=shutil.which('meson') or 'meson', help='the Meson in use')
    parser.add_argument('--source', default='', help='a QEMU tree or tarball; default: the source package')
    parser.add_argument('--cache', default='', help='default: ${XDG_CACHE_HOME:-~/.cache}/fltvm')
    parser.add_argument('--sanitize', action='store_true', help='with ASan and UBSan')
    parser.add_argument('-j', '--jobs', type=int, default=0)
    parser.add_argument('--stamp', help='file to write when all is done')
    parser.add_argument('--depfile', help='what the stamp depends on, for ninja')
    try:
        build(parser.parse_args())
    except Failure as failure:
        print(f'qemu: error: {failure}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main())
