// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls one export with senseless arguments: the registry's values Export (which of ImportTable, made by exports.py),
 * Value (which argument) and Irql say how.  What comes back is forgotten; the driver then unloads.
 */
#include "../inc/minifilter.h"

typedef ULONG64 (*EXPORT)(ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64);
extern void **const ImportTable[]; /* the slots, which the loader fills */

static DECLSPEC_ALIGN(64) UCHAR Buffer[8192];

static DECLSPEC_NOINLINE ULONG64 CallExport(EXPORT Routine, ULONG64 Value)
{
    return Routine(Value, Value, Value, Value, Value, Value, Value, Value);
}

static VOID ExportUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    const ULONG64 Values[] = {0, 1, ~0ULL, 0xFFFF9ABCDEAD0000ULL, (ULONG64)Buffer + 1, 0x0123456789ABCDEFULL};
    ULONG Export = ReadNumber(RegistryPath, L"Export"), Value = ReadNumber(RegistryPath, L"Value");
    KIRQL Irql = (KIRQL)ReadNumber(RegistryPath, L"Irql"), OldIrql;

    DriverObject->DriverUnload = ExportUnload;
    KeRaiseIrql(Irql, &OldIrql);
    CallExport((EXPORT)*ImportTable[Export], Values[Value]);
    KeLowerIrql(OldIrql);
    return STATUS_SUCCESS;
}
