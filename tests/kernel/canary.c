// SPDX-License-Identifier: GPL-2.0-or-later
/* A canary of the guest tests: a check that fails. */
#include <ntifs.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(1);
    FvCheck(1 + 1 == 3);
    return STATUS_SUCCESS;
}
