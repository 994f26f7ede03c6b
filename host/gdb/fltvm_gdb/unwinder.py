# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb's unwinder for the guest's images, and walks of stacks that no CPU runs on."""
import gdb
import gdb.unwinder

from . import guest, modules, pe, unwind

# Preserved by every function (rsp and the saved ones come on top), and what functions rarely change.
SAME = ('rbx', 'rbp', 'rdi', 'rsi', 'r12', 'r13', 'r14', 'r15', 'cs', 'ss', 'ds', 'es', 'fs', 'gs', 'fs_base', 'gs_base',
        'k_gs_base', 'cr0', 'cr3', 'cr4', 'cr8', 'efer')


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Unwinder(gdb.unwinder.Unwinder):
    """Frames in images by .pdata; anything else is left to gdb."""

    def __init__(self):
        super().__init__('fltvm')
        self.interrupted = set()  # (rip, rsp) of frames that a trap interrupted
        gdb.events.cont.connect(lambda _event: self.interrupted.clear())

    @staticmethod
    def same(pending):
        """What a caller has as its callee has it; gdb takes nothing for granted."""
        for name in SAME:
            try:
                yield name, pending.read_register(name)
            except (ValueError, gdb.error):
                continue

    def __call__(self, pending):
        rip_value = pending.read_register('rip')
        rip = guest.integer(rip_value)
        module = modules.by_address(rip)
        image = module.image() if module else None
        if image is None:
            return None
        values = {}

        def get(number):
            if number not in values:
                values[number] = guest.integer(pending.read_register(unwind.REGISTERS[number]))
            return values[number]

        exact = pending.level() == 0 or (rip, get(unwind.RSP)) in self.interrupted
        try:
            caller = unwind.step(image, module.base, rip, get, guest.read, exact)
        except (gdb.MemoryError, pe.PeError):
            return None
        if caller.trap:
            self.interrupted.add((caller.rip, caller.rsp))

        start = module.base + caller.function if caller.function is not None else rip
        info = pending.create_unwind_info(FrameId(gdb.Value(caller.frame), gdb.Value(start)))
        for name, value in self.same(pending):
            info.add_saved_register(name, value)
        word = pending.read_register('rsp').type
        info.add_saved_register('rip', gdb.Value(caller.rip.to_bytes(8, 'little'), rip_value.type))
        info.add_saved_register('rsp', gdb.Value(caller.rsp.to_bytes(8, 'little'), word))
        for number, address in caller.saved.items():
            if number != unwind.RSP:
                register = pending.read_register(unwind.REGISTERS[number])
                info.add_saved_register(unwind.REGISTERS[number], gdb.Value(guest.read(address, 8), register.type))
        return info


def walk(rip, registers, limit=64):
    """The return addresses of a stack that no CPU runs on; registers: number -> value, at least rsp."""
    exact = True
    for _ in range(limit):
        if not rip:
            return
        yield rip
        module = modules.by_address(rip)
        image = module.image() if module else None
        if image is None:
            return
        try:
            caller = unwind.step(image, module.base, rip, lambda number: registers.get(number, 0), guest.read, exact)
            registers = dict(registers)
            for number, address in caller.saved.items():
                registers[number] = int.from_bytes(guest.read(address, 8), 'little')
        except (gdb.MemoryError, pe.PeError):
            return
        registers[unwind.RSP] = caller.rsp
        rip, exact = caller.rip, caller.trap


def register():
    gdb.unwinder.register_unwinder(None, Unwinder(), replace=True)
