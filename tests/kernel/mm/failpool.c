// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that needs three allocations and cleans up when it does not get one; see failpool.lua. */
#include <ntifs.h>

static PVOID Block[3];

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    for (ULONG Index = 0; Index < ARRAYSIZE(Block); Index++) {
        if (Block[Index] != NULL)
            ExFreePoolWithTag(Block[Index], Index == 1 ? 'BliF' : 'AliF');
    }
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    Block[0] = ExAllocatePoolWithTag(NonPagedPoolNx, 100, 'AliF');
    Block[1] = ExAllocatePoolWithTag(PagedPool, 9000, 'BliF');
    Block[2] = ExAllocatePool2(POOL_FLAG_PAGED, 50, 'AliF');
    if (Block[0] == NULL || Block[1] == NULL || Block[2] == NULL) {
        Unload(DriverObject);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}
