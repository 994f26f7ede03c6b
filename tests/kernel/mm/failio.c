// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that needs a work item and a list of pages, and says which of them it did not get; see failpool.lua. */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static UCHAR Buffer[16];
    NTSTATUS Status = STATUS_SUCCESS;
    PDEVICE_OBJECT Device;
    PIO_WORKITEM Item;
    PMDL Mdl;

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)))
        return STATUS_UNSUCCESSFUL;
    Item = IoAllocateWorkItem(Device);
    Mdl = IoAllocateMdl(Buffer, sizeof(Buffer), FALSE, FALSE, NULL);
    if (Item != NULL)
        IoFreeWorkItem(Item);
    else
        Status = STATUS_NO_MEMORY;
    if (Mdl != NULL)
        IoFreeMdl(Mdl);
    else
        Status = STATUS_INSUFFICIENT_RESOURCES;
    IoDeleteDevice(Device);
    return Status == STATUS_SUCCESS ? STATUS_DEVICE_NOT_CONNECTED : Status;
}
