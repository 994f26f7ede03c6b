// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver for another compiler and another linker: see gccimage.py. */
#include <ntddk.h>

static ULONG Zeros[1024];              /* .bss */
static ULONG Counted = 7;              /* .data */
static ULONG *Pointer = &Counted;      /* is relocated */
static const CHAR Name[] = "gccimage"; /* .rdata */

ULONG Add(ULONG One, ULONG Two);
VOID Fault(volatile ULONG *Place);

/* Comes first: at its place the linker's own names lie, too. */
__attribute__((noinline)) ULONG Add(ULONG One, ULONG Two)
{
    return One + Two;
}

__attribute__((noinline)) VOID Fault(volatile ULONG *Place)
{
    *Place = 1;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    DbgPrint("%s: goes\n", Name);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Sum = 0;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Zeros); Index++)
        Sum = Add(Sum, Zeros[Index]);
    *Pointer += 35;
    DbgPrint("%s: %lu and %lu for %wZ\n", Name, Counted, Sum, RegistryPath);
    DriverObject->DriverUnload = Unload;
#ifdef FAULT
    Fault((volatile ULONG *)0xFFFFC0FFDEAD0000ULL);
#endif
    return STATUS_SUCCESS;
}
