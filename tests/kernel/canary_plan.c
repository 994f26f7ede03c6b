// SPDX-License-Identifier: GPL-2.0-or-later
/* A canary of the guest tests: fewer checks than were announced. */
#include <ntifs.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(2);
    FvCheck(TRUE);
    return STATUS_SUCCESS;
}
