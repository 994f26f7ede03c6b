# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by gdb: steps through shapes.sys one instruction at a time, and unwinds every stack on the way.

What a call pushes, with the registers at that moment, is the truth; each instruction of prologues, bodies and
epilogues must unwind to exactly that, registers included.  TAP.  Needs LOADER, IMAGE and FLTVM_GDB (host/gdb).
"""
import os
import sys

import gdb

sys.path.insert(0, os.environ['FLTVM_GDB'])
from fltvm_gdb import guest, modules, pe, unwind, unwinder  # noqa: E402

PRESERVED = [3, 5, 6, 7, 12, 13, 14, 15]  # rbx rbp rsi rdi r12-r15
image_path = os.environ['IMAGE']
failures = {}
seen = {'prologue': 0, 'epilogue': 0, 'body': 0, 'leaf': 0, 'trap': 0, 'chained': 0}


def registers():
    frame = gdb.newest_frame()
    return {number: guest.integer(frame.read_register(name)) for number, name in enumerate(unwind.REGISTERS)}, \
        guest.integer(frame.read_register('rip'))


def step():
    gdb.execute('stepi', to_string=True)


def name_of(rip):
    return guest.where(rip)


def check(module, truth, values, rip):
    """Unwind from here to the loader, and compare with what the calls pushed."""
    exact = True
    for return_address, stack, saved in reversed(truth):
        caller = unwind.step(module.image(), module.base, rip, values.__getitem__, guest.read, exact)
        found = dict(values)
        found.update({number: int.from_bytes(guest.read(address, 8), 'little')
                      for number, address in caller.saved.items()})
        found[unwind.RSP] = caller.rsp
        wrong = [unwind.REGISTERS[number] for number in PRESERVED if found[number] != saved[number]]
        if caller.rip != return_address or caller.rsp != stack or wrong:
            return f'{name_of(rip)}: rip {caller.rip:#x} not {return_address:#x}, rsp {caller.rsp:#x} ' \
                   f'not {stack:#x}, wrong registers {wrong}'
        seen['trap'] += caller.trap
        values, rip, exact = found, caller.rip, caller.trap
    return None


def classify(module, rip):
    function = module.image().function(rip - module.base)
    if function is None:
        seen['leaf'] += 1
        return
    info = module.image().unwind_info(function[2])
    seen['chained'] += info.chained is not None
    if rip - module.base - function[0] < info.prologue_size:
        seen['prologue'] += 1
    elif unwind._epilogue(guest.read(rip, 64) + bytes(16), rip - module.base, module.image(),
                          module.image().primary_start(function), info) is not None:
        seen['epilogue'] += 1
    else:
        seen['body'] += 1


def run():
    for setting in ('pagination off', 'confirm off', 'height 0', 'disable-randomization on', 'startup-with-shell off'):
        gdb.execute('set ' + setting)
    gdb.execute('file ' + os.environ['LOADER'])
    gdb.execute('break ready', to_string=True)
    gdb.execute(f'run {image_path}', to_string=True)
    image = pe.from_file(image_path)
    entry = image.preferred_base + image.entry
    gdb.execute(f'symbol-file {os.environ["LOADER"]}', to_string=True)
    gdb.execute(f'add-symbol-file {image_path}', to_string=True)
    os.environ['FLTVM_SYMBOLS'] = os.path.dirname(image_path)
    module = modules.Module(os.path.basename(image_path), image.preferred_base, image.size)
    modules.modules[module.base] = module
    unwinder.register()
    gdb.execute(f'break *{entry:#x}', to_string=True)  # the processor's own are not on every machine
    gdb.execute('continue', to_string=True)

    values, rip = registers()
    truth = [(int.from_bytes(guest.read(values[unwind.RSP], 8), 'little'), values[unwind.RSP] + 8, values)]
    pushes = guest.integer(gdb.parse_and_eval('(unsigned long long)&Trap_push'))
    resume = guest.integer(gdb.parse_and_eval('(unsigned long long)&Trap_resume'))
    trap_entry = guest.integer(gdb.parse_and_eval('(unsigned long long)&TrapEntry'))
    steps = named = 0
    while truth:
        values, rip = registers()
        if pushes <= rip < resume:  # the processor's own work
            while rip != trap_entry:
                step()
                values, rip = registers()
            frame = guest.read(values[unwind.RSP], 40)
            truth.append((int.from_bytes(frame[:8], 'little'), int.from_bytes(frame[24:32], 'little'), values))
        steps += 1
        classify(module, rip)
        why = check(module, truth, values, rip)
        if why and len(failures) < 10:
            failures[name_of(rip)] = why
        if steps % 97 == 0:  # gdb's own frames, now and then
            pcs, frame = [], gdb.newest_frame().older()
            while frame is not None and frame.is_valid() and len(pcs) < len(truth):
                pcs.append(frame.pc())
                frame = frame.older()
            named += pcs == [return_address for return_address, _, _ in reversed(truth)]
        code = guest.read(rip, 8)
        call = code[0] == 0xe8 or (code[0] == 0xff and code[1] >> 3 & 7 == 2) or \
            (code[0] in (0x41, 0x48) and code[1] == 0xff and code[2] >> 3 & 7 == 2)
        back = code[0] == 0xc3 or code[:2] == b'\x48\xcf'
        step()
        if call:
            after, _ = registers()
            truth.append((int.from_bytes(guest.read(after[unwind.RSP], 8), 'little'), values[unwind.RSP], values))
        elif back:
            truth.pop()
    gdb.execute('kill', to_string=True)
    return steps, named


def tap(line):
    print('@tap', line, flush=True)


def main():
    steps, named = run()
    results = [('every instruction unwinds to its callers, registers included', not failures)]
    results += [(f'the way led through: {what}', count > 0) for what, count in seen.items()]
    results += [("gdb's own backtraces agree", named == steps // 97)]
    for number, (name, good) in enumerate(results, 1):
        tap(f'{"ok" if good else "not ok"} {number} {name}')
    for why in failures.values():
        tap(f'# {why}')
    tap(f'# {steps} instructions: {seen}, {named} backtraces')
    tap(f'1..{len(results)}')


main()
