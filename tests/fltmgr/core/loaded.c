/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A filter that another loads.  "Does": 1 its DriverEntry fails, 2 it has no unload callback, 3 it refuses, 4 it has a device. */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PDEVICE_OBJECT Device;
static ULONG Does;

VOID LoadedNothing(VOID)
{
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Does == 3 && !FlagOn(Flags, FLTFL_FILTER_UNLOAD_MANDATORY))
        return STATUS_FLT_DO_NOT_DETACH;
    FltUnregisterFilter(Filter);
    if (Device != NULL)
        IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}

static NTSTATUS Open(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FLT_REGISTRATION Registration = {.Size = sizeof(Registration), .Version = FLT_REGISTRATION_VERSION};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Loaded");
    NTSTATUS Status;

    Does = ReadNumber(RegistryPath, L"Does");
    if (Does == 1)
        return STATUS_UNSUCCESSFUL;
    if (Does != 2)
        Registration.FilterUnloadCallback = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = DriverObject->MajorFunction[IRP_MJ_CLOSE] = Open;
    if (Does == 4) {
        Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
        if (!NT_SUCCESS(Status))
            return Status;
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    }
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
