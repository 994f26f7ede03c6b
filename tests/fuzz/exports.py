#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every export × 0, 1, -1, a wild, an unaligned and a non-canonical argument × PASSIVE_LEVEL and DISPATCH_LEVEL.

A call returns, waits, or ends in a bugcheck that blames the caller's driver.
"""
import glob
import os
import sys

sys.dont_write_bytecode = True
from fuzz import HERE, ROOT, Fault, blamed, bugcheck, compile_driver, main, run  # noqa: E402

VALUES = ['0', '1', '-1', 'wild', 'unaligned', 'non-canonical']
# They do not return by contract, or not as a routine does.
EXCEPT = {'FvTestPlan', 'FvTestResult', 'KeBugCheck', 'KeBugCheckEx', '__chkstk', '__C_specific_handler', '_local_unwind', 'DbgBreakPoint', 'DbgBreakPointWithStatus', 'longjmp',
          '_setjmp', '_setjmpex', 'RtlRestoreContext', 'RtlUnwind', 'RtlUnwindEx', 'RtlRaiseException', 'RtlRaiseStatus', 'ExRaiseStatus',
          'ExRaiseAccessViolation', 'ExRaiseDatatypeMisalignment', 'PsTerminateSystemThread', 'KfLowerIrql', 'KeLowerIrql', 'KfRaiseIrql'}

SCENARIO = '''
local vm = fltvm.machine{{ disks = {{ {{ size = "1M" }} }}, cpus = 2 }}
local service = [[\\Registry\\Machine\\System\\CurrentControlSet\\Services\\exports]]
vm:set_registry(service, "Export", {export})
vm:set_registry(service, "Value", {value})
vm:set_registry(service, "Irql", {irql})
-- {name}
vm:load{{ image = "{image}" }}:unload()
local volume = vm:open("\\\\Device\\\\HarddiskVolume1")
volume:read(0, 512)
volume:close()
'''


def names():
    """What a driver may import: not from ntdll.dll, which is for programs."""
    found = []
    for path in sorted(path for image in ('guest', 'fltmgr') for path in glob.glob(os.path.join(ROOT, image, '*', '*.exports'))) + [
            os.path.join(ROOT, 'guest', 'drivers', 'cng', 'cng.exports')]:
        if os.path.basename(path) == 'ntdll.exports':
            continue
        with open(path, encoding='utf-8') as lines:
            for line in lines:
                words = line.split('#', 1)[0].split()
                if len(words) == 1 and words[0].split('=')[0] not in EXCEPT:
                    found.append(words[0].split('=')[0])
    return found


def prepare(fltvm, folder):
    exports = names()
    table = os.path.join(folder, 'table.c')
    image = os.path.join(folder, 'exports.sys')
    with open(table, 'w', encoding='utf-8') as out:
        for name in exports:
            out.write(f'extern void *__imp_{name};\n')
        out.write('void **const ImportTable[] = {\n' + ''.join(f'    &__imp_{name},\n' for name in exports) + '};\n')
    compile_driver(fltvm, image, '-fno-builtin', '-w', '-O0', os.path.join(HERE, 'exports.c'), table)
    return fltvm, exports, image


def one(random, folder, context):
    fltvm, exports, image = context
    export, value, irql = random.randrange(len(exports)), random.randrange(len(VALUES)), random.choice((0, 2))
    what = f'{exports[export]}({VALUES[value]}) at {irql}'
    with open(os.path.join(folder, 'export.lua'), 'w', encoding='utf-8') as out:
        out.write(SCENARIO.format(export=export, value=value, irql=irql, name=what, image=image))
    result = run([fltvm, 'run', '--timeout', '40', 'export.lua'], folder)
    if result.status in (0, 2):
        return 'returned'
    if result.status == 3:
        if not blamed(result):
            raise Fault(f'{what}: bugcheck {bugcheck(result)} with nobody blamed', result.output)
        if not blamed(result).startswith('exports'):
            raise Fault(f'{what}: bugcheck {bugcheck(result)} blamed on {blamed(result)}', result.output)
        return 'bugcheck, blamed on the caller'
    if result.status == 4 and ('not done after' in result.output or 'time-out' in result.output):
        return 'waits'
    raise Fault(f'{what}: exit status {result.status}', result.output)


if __name__ == '__main__':
    sys.exit(main('exports', one, prepare, few=30, many=1000))
