/* SPDX-License-Identifier: MIT */
/*
 * control.h: device controls of fltvm's own drivers (fltvmhba.sys, fltvmirq.sys), as the scenario client sends them.
 *
 * Buffered, any access.  A driver that refuses one says STATUS_INVALID_PARAMETER: a length that is no multiple of a
 * record, a register that is not its client's.  Used by host and guest, hence <stdint.h> only.
 */
#ifndef FLTVM_CONTROL_H
#define FLTVM_CONTROL_H

#include <stdint.h>

#define FLTVM_CONTROL_CODE(function) ((0x22u << 16) | ((function) << 2)) /* FILE_DEVICE_UNKNOWN */

#define FLTVM_CONTROL_WRITE_REGISTERS  FLTVM_CONTROL_CODE(0x800u) /* in: fltvm_register_write[], written in order */
#define FLTVM_CONTROL_READ_REGISTERS   FLTVM_CONTROL_CODE(0x801u) /* in: uint32_t[] of offsets; out: their values */
#define FLTVM_CONTROL_PULL             FLTVM_CONTROL_CODE(0x803u) /* fltvmhba.sys: the disk goes, and all have been told */
#define FLTVM_CONTROL_MEDIUM           FLTVM_CONTROL_CODE(0x804u) /* fltvmhba.sys; in: uint32_t, the medium to put in; 0: none */
#define FLTVM_CONTROL_INTERRUPT_COUNTS FLTVM_CONTROL_CODE(0x802u) /* fltvmirq.sys; out: fltvm_interrupt_counts[] */

struct fltvm_register_write {
    uint32_t offset; /* bytes, of a 32-bit register: abi/hba.h, abi/irq.h */
    uint32_t value;
};
_Static_assert(sizeof(struct fltvm_register_write) == 8, "register write");

/* One for each source, in order of their numbers. */
struct fltvm_interrupt_counts {
    uint32_t interrupts; /* pulses that the interrupt service routine saw */
    uint32_t dpcs;       /* deferred procedure calls that followed; several pulses may share one */
};
_Static_assert(sizeof(struct fltvm_interrupt_counts) == 8, "interrupt counts");

#endif
