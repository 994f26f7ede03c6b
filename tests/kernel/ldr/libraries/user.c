// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that imports a routine and a variable from an export driver. */
#include <ntddk.h>

DECLSPEC_IMPORT ULONG SharedAdd(ULONG A, ULONG B);
extern __declspec(dllimport) ULONG SharedCalls;

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD UserUnload;

VOID UserUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = UserUnload;
    DbgPrint("user: %u and %u\n", SharedAdd(2, 3), SharedCalls);
    return STATUS_SUCCESS;
}
