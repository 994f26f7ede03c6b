/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pageable code as drivers declare it, under ALLOC_PRAGMA, which the headers define as Microsoft's do.  WHERE says at
 * which IRQL it is called.
 */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
VOID Pageable(VOID);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(PAGE, Pageable)
#endif

static volatile LONG Count;

DECLSPEC_NOINLINE VOID Pageable(VOID)
{
    InterlockedIncrement(&Count); /* [1] */
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KIRQL Irql;

    DriverObject->DriverUnload = Unload;
    KeRaiseIrql(WHERE, &Irql);
    Pageable();
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}
