# SPDX-License-Identifier: GPL-2.0-or-later
"""Lay the project's devices and patches over a QEMU tree, touching only files whose content changes.

hw/* becomes QEMU's hw/fltvm/*, abi/*.h its include/fltvm/*.h, hw/fltvm.mak the device list of the configuration, and
hw/patches/*.patch are applied in order of name.  A patched file is always made from its pristine copy, which is set
aside the first time, so a patch may be changed or dropped; what an earlier overlay added and this one does not have is
removed.  Because unchanged files keep their time, ninja rebuilds no more than what changed.
"""
import filecmp
import json
import os
import re
import shutil
import subprocess
import tempfile

from source import Failure

DEVICE_LIST = 'configs/devices/x86_64-softmmu/fltvm.mak'


def files_of(project):
    """Overlay files that are copied as they are: place in QEMU's tree → file of ours."""
    places = {}
    hw, abi = os.path.join(project, 'hw'), os.path.join(project, 'abi')
    for folder, names, files in os.walk(hw):
        names[:] = sorted(n for n in names if n != 'patches')
        for name in sorted(files):
            if name.startswith('.') or name.endswith(('~', '.swp', '.orig', '.rej')):
                continue
            relative = os.path.relpath(os.path.join(folder, name), hw)
            place = DEVICE_LIST if relative == 'fltvm.mak' else os.path.join('hw/fltvm', relative)
            places[place] = os.path.join(folder, name)
    for name in sorted(os.listdir(abi)):
        if name.endswith('.h'):
            places[os.path.join('include/fltvm', name)] = os.path.join(abi, name)
    return places


def patches_of(project):
    folder = os.path.join(project, 'hw', 'patches')
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith('.patch')]


def inputs(project):
    """Every file and folder the overlay depends on: a folder's time changes when a file comes or goes."""
    result = list(files_of(project).values()) + patches_of(project)
    result += [os.path.join(project, name) for name in ('hw', 'hw/patches', 'abi')]
    return [name for name in result if os.path.exists(name)]


def touched_by(patch):
    with open(patch, encoding='utf-8', errors='replace') as lines:
        text = lines.read()
    names = re.findall(r'^(?:---|\+\+\+) (?:[ab]/)?(\S+)', text, re.M)
    return {name for name in names if name != '/dev/null'}


def write_if_changed(source, target):
    if os.path.exists(target) and filecmp.cmp(source, target, shallow=False):
        return False
    os.makedirs(os.path.dirname(target), exist_ok=True)
    mode = os.stat(source).st_mode
    shutil.copyfile(source, target)         # the time is now: it is a change
    os.chmod(target, mode)
    return True


def lay(project, tree, pristine, record):
    """Make `tree` what the overlay wants; returns the names that changed."""
    patches, changed = patches_of(project), []
    patched = sorted(set().union(*(touched_by(p) for p in patches)) if patches else [])
    copied = files_of(project)
    before = {'patched': [], 'copied': []}
    if os.path.exists(record):
        with open(record, encoding='utf-8') as text:
            before = json.load(text)

    for name in patched:                    # set the pristine copies aside, once
        keep = os.path.join(pristine, name)
        if name not in before['patched'] and os.path.exists(os.path.join(tree, name)):
            os.makedirs(os.path.dirname(keep), exist_ok=True)
            shutil.copy2(os.path.join(tree, name), keep)
    with open(record, 'w', encoding='utf-8') as text:
        json.dump({'patched': sorted(set(before['patched']) | set(patched)), 'copied': sorted(copied)}, text)

    with tempfile.TemporaryDirectory() as work:
        for name in patched:
            if os.path.exists(os.path.join(pristine, name)):
                os.makedirs(os.path.dirname(os.path.join(work, name)), exist_ok=True)
                shutil.copy2(os.path.join(pristine, name), os.path.join(work, name))
        for patch in patches:
            result = subprocess.run(['patch', '-p1', '--batch', '--forward', '--fuzz=1', '--no-backup-if-mismatch', '-d', work, '-i',
                                     os.path.abspath(patch)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    text=True, check=False)
            if result.returncode:
                raise Failure(f'{patch} does not apply:\n{result.stdout}')
        for name in sorted(set(before['patched']) | set(patched)):
            made, target = os.path.join(work, name), os.path.join(tree, name)
            if name not in patched:
                made = os.path.join(pristine, name)
            if not os.path.exists(made):
                if os.path.exists(target):
                    os.unlink(target)
                    changed.append(name)
            elif write_if_changed(made, target):
                changed.append(name)

    for place, ours in copied.items():
        if write_if_changed(ours, os.path.join(tree, place)):
            changed.append(place)
    for place in before['copied']:
        if place not in copied and os.path.exists(os.path.join(tree, place)):
            os.unlink(os.path.join(tree, place))
            changed.append(place)
    return changed
