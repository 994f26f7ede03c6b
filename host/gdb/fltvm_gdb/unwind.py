# SPDX-License-Identifier: GPL-2.0-or-later
"""One step of the Windows x64 unwinder: from a frame's registers to its caller's.

What is known of a frame: its image, and get(register number) for the sixteen registers.  A function without
an entry in .pdata is a leaf: its return address is on top of the stack.  In the innermost frame, and in the frame a
trap interrupted, the instruction may be in the prologue (only the codes done so far are undone) or in an
epilogue (its remaining instructions are carried out instead).  Elsewhere it is behind a call, hence in the body.
"""
import struct

from .pe import PeError

REGISTERS = ('rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi',
             'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15')
RSP = 4


class Caller:
    """The caller's frame: rip, rsp, and where the registers are that the frame had saved."""

    def __init__(self, function):
        self.function = function  # RVA of the frame's own function, its identity; None for a leaf
        self.rip = 0
        self.rsp = 0
        self.saved = {}  # register number -> address of the value
        self.saved_xmm = {}
        self.trap = False  # the caller was interrupted: its rip is not behind a call
        self.frame = 0  # an address that stays the same for as long as the frame lives


def _u64(read, address):
    return struct.unpack('<Q', read(address, 8))[0]


def _interrupted(caller, frame, read):
    """The caller is what the processor interrupted: rip, cs, rflags, rsp, ss lie at frame."""
    caller.rip, caller.rsp = _u64(read, frame), _u64(read, frame + 24)
    caller.frame, caller.trap = frame + 40, True


def _epilogue(code, rva, image, start, info):
    """If the instructions at rva are an epilogue: (base register or None, bytes to add, pops, whether iretq), else None."""
    index = 0
    base, move, pops = None, 0, []
    if code[0:3] == b'\x48\x83\xc4':  # add rsp, imm8
        move, index = struct.unpack_from('<b', code, 3)[0], 4
    elif code[0:3] == b'\x48\x81\xc4':  # add rsp, imm32
        move, index = struct.unpack_from('<i', code, 3)[0], 7
    elif code[0] & 0xfe == 0x48 and code[1] == 0x8d and info.frame_register and code[2] & 0x38 == 0x20:
        # lea rsp, [frame register + displacement]
        register = (code[2] & 7) | (code[0] & 1) << 3
        skip = 4 if code[2] & 7 == 4 else 3  # r12 needs a SIB byte
        if register != info.frame_register:
            return None
        if code[2] >> 6 == 1:
            base, move, index = register, struct.unpack_from('<b', code, skip)[0], skip + 1
        elif code[2] >> 6 == 2:
            base, move, index = register, struct.unpack_from('<i', code, skip)[0], skip + 4
        else:
            return None
    while True:
        if 0x58 <= code[index] <= 0x5f:
            pops.append(code[index] - 0x58)
            index += 1
        elif code[index] == 0x41 and 0x58 <= code[index + 1] <= 0x5f:
            pops.append(code[index + 1] - 0x58 + 8)
            index += 2
        else:
            break
    rest = code[index:]
    if rest[0] in (0xc3, 0xc2) or rest[:2] == b'\xf3\xc3':
        return base, move, pops, False
    if rest[:2] == b'\x48\xcf':  # not an epilogue to Windows, but a place where one may stop
        return base, move, pops, True
    if rest[0] == 0xeb or rest[0] == 0xe9:  # a tail call leaves the function; a jump to its start is one, too
        target = rva + index + (2 + struct.unpack_from('<b', rest, 1)[0] if rest[0] == 0xeb
                                else 5 + struct.unpack_from('<i', rest, 1)[0])
        inside = image.function(target)
        if inside is not None and image.primary_start(inside) == start and target != start:
            return None
        return base, move, pops, False
    if rest[:2] == b'\xff\x25' or rest[:3] == b'\x48\xff\x25' or \
            (rest[:2] == b'\x48\xff' and rest[2] & 0xf8 == 0xe0):
        return base, move, pops, False
    return None


def step(image, base, rip, get, read, exact):
    """The caller of the frame at rip.  get(number) and read(address, length) are the frame's registers and memory;
    exact: rip may be anywhere in the function, not only behind a call."""
    rva = rip - base
    function = image.function(rva)
    caller = Caller(None)
    rsp = get(RSP)
    if function is None:
        caller.rip = _u64(read, rsp)
        caller.rsp = caller.frame = rsp + 8
        return caller

    info = image.unwind_info(function[2])
    caller.function = image.primary_start(function)
    offset = rva - function[0]

    if exact and offset >= info.prologue_size:
        try:
            code = read(rip, 64)
            done = _epilogue(code + bytes(16), rva, image, caller.function, info)
        except (IndexError, struct.error):
            done = None
        if done is not None:
            register, move, pops, trap = done
            rsp = (get(register) if register is not None else rsp) + move
            for register in pops:
                caller.saved[register] = rsp
                rsp += 8
            if trap:
                _interrupted(caller, rsp, read)
            else:
                caller.rip = _u64(read, rsp)
                caller.rsp = caller.frame = rsp + 8
            return caller

    in_prologue = exact and offset < info.prologue_size
    for _ in range(32):
        frame = rsp
        if info.frame_register:
            set_done = not in_prologue or any(code[1] == 3 and code[0] <= offset for code in info.codes)
            if set_done:
                frame = _value(caller, info.frame_register, get, read) - info.frame_offset
        for code_offset, operation, code_info, operand in info.codes:
            if in_prologue and code_offset > offset:
                continue
            if operation == 0:  # push
                caller.saved[code_info] = rsp
                rsp += 8
            elif operation == 1:  # large allocation
                rsp += operand if code_info else operand * 8
            elif operation == 2:  # small allocation
                rsp += code_info * 8 + 8
            elif operation == 3:  # frame register
                rsp = _value(caller, info.frame_register, get, read) - info.frame_offset
            elif operation in (4, 5):
                caller.saved[code_info] = frame + (operand * 8 if operation == 4 else operand)
            elif operation in (8, 9):
                caller.saved_xmm[code_info] = frame + (operand * 16 if operation == 8 else operand)
            elif operation == 10:  # what the processor pushed, below it an error code if code_info
                _interrupted(caller, rsp + (8 if code_info else 0), read)
        if not info.chained:
            break
        in_prologue = False
        info = image.unwind_info(info.chained[2])
    else:
        raise PeError('endless chain of unwind information')
    if not caller.trap:
        caller.rip = _u64(read, rsp)
        caller.rsp = caller.frame = rsp + 8
    return caller


def _value(caller, register, get, read):
    """A register as it was when the prologue had saved it, or as it is."""
    if register in caller.saved:
        return _u64(read, caller.saved[register])
    return get(register)
