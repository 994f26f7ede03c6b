/* SPDX-License-Identifier: MIT */
/*
 * fltvmirq.sys: the driver of the fltvm-irq interrupt source, for scenarios and for drivers under test.
 *
 * A scenario programs the sources; a driver that wants to run at DIRQL connects a routine to a source.
 * Include it after ntifs.h or fltKernel.h.
 */
#ifndef FLTVM_IRQ_DRIVER_H
#define FLTVM_IRQ_DRIVER_H

#define FLTVM_IRQ_DEVICE_NAME L"\\Device\\FltvmIrq"

/* In: pairs of 32-bit register offset and value (abi/irq.h), written in order. */
#define IOCTL_FLTVM_WRITE_REGISTERS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* In: 32-bit register offsets.  Out: their values. */
#define IOCTL_FLTVM_READ_REGISTERS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* Out: FLTVM_IRQ_COUNTS of every source. */
#define IOCTL_FLTVM_IRQ_COUNTS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* IRP_MJ_INTERNAL_DEVICE_CONTROL.  In: FLTVM_IRQ_CONNECT. */
#define IOCTL_FLTVM_IRQ_CONNECT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_NEITHER, FILE_ANY_ACCESS)

typedef struct _FLTVM_IRQ_COUNTS {
    ULONG Interrupts; /* pulses that the interrupt service routine saw */
    ULONG Dpcs;       /* deferred procedure calls that followed; several pulses may share one */
} FLTVM_IRQ_COUNTS, *PFLTVM_IRQ_COUNTS;

/* Called at the DIRQL of the source's vector, with the interrupt spin lock held. */
typedef VOID FLTVM_IRQ_ROUTINE(PVOID Context, ULONG Source);
typedef FLTVM_IRQ_ROUTINE *PFLTVM_IRQ_ROUTINE;

typedef struct _FLTVM_IRQ_CONNECT {
    ULONG Source;
    PFLTVM_IRQ_ROUTINE Routine; /* NULL disconnects; when the request is complete, the old one runs no more */
    PVOID Context;
} FLTVM_IRQ_CONNECT, *PFLTVM_IRQ_CONNECT;

#endif
