/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hal: the machine's interrupt controllers, clock source and processors.
 *
 * Rules: a vector's upper four bits are its IRQL (vector = IRQL * 16 + n), so CR8 masks it.  Vector
 * xF of APC, DISPATCH, CLOCK and IPI levels are the kernel's; device levels 3 to 11 are given out by
 * HalAllocateVector.  PCI configuration and BARs belong to io; addresses of its windows are in the loader
 * block.
 */
#ifndef FLTVM_HAL_H
#define FLTVM_HAL_H

#include <boot.h>

#define HAL_APC_VECTOR      0x1F
#define HAL_DISPATCH_VECTOR 0x2F
#define HAL_CLOCK_VECTOR    0xDF
#define HAL_IPI_VECTOR      0xEF
#define HAL_SPURIOUS_VECTOR 0xFF

#define HAL_DEVICE_LEVEL_MINIMUM 3
#define HAL_DEVICE_LEVEL_MAXIMUM 11

#define HAL_LINK_ISA_IRQ 5
#define HAL_LINK_IRQL    4

/* Virtual address of physical memory or of a device below 4 GiB. */
#define HAL_DIRECT(Physical) ((PVOID)(FLTVM_VA_DIRECT_MAP + (ULONG64)(Physical)))

extern struct fltvm_loader_block *HalLoaderBlock;

/* Whether it lies in ntoskrnl.exe: the kernel's own code or data.  IRQL: any. */
FORCEINLINE BOOLEAN HalIsKernelAddress(const VOID *Address)
{
    return (ULONG64)Address - HalLoaderBlock->kernel_base < HalLoaderBlock->kernel_size;
}

/* IRQL: HIGH_LEVEL, interrupts off; on processor 0 first, then once on each other. */
VOID HalInitializeProcessor(ULONG Number);

/*
 * Starts processors 1 to Count - 1, one after the other, each at Entry(Number) on StackBase[Number] with
 * interrupts off and on the loader's start page table.  IRQL: <= DISPATCH_LEVEL.
 */
VOID HalStartProcessors(ULONG Count, VOID (*Entry)(ULONG Number), PVOID *StackBase);

/* Ends the current interrupt at the local APIC.  Interrupts off. */
VOID HalEndOfInterrupt(VOID);

/* IRQL: any.  Requests vector on this processor / on the processors of a set / an NMI on all others. */
VOID HalRequestSelfInterrupt(ULONG Vector);
VOID HalRequestIpi(KAFFINITY Targets, ULONG Vector);
VOID HalSendNmiToOthers(VOID);

/* Starts the periodic clock interrupt of this processor. */
VOID HalStartClock(VOID);

/*
 * A free vector at device level Irql (3..11) on processor Number; FALSE when that level has none left.
 * IRQL: <= DISPATCH_LEVEL.
 */
BOOLEAN HalAllocateVector(KIRQL Irql, ULONG Number, PULONG Vector);

/* What to write into an MSI or MSI-X entry so that Vector comes to processor Number.  IRQL: any. */
VOID HalGetMessageAddress(ULONG Number, ULONG Vector, PULONG64 Address, PULONG Data);

/* Ticks of the time-stamp counter in a second. */
extern ULONG64 HalTscFrequency;

/* Turns the machine off without a word to the host (when there is no link). */
DECLSPEC_NORETURN VOID HalPowerOff(VOID);

#endif
