/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder: makes the folder "System Volume Information" when an instance is attached, twice; with the pool failing the status is that.
 */
#include "../inc/minifilter.h"

static PFLT_FILTER Filter;

static NTSTATUS FLTAPI Setup(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                             FLT_FILESYSTEM_TYPE Type)
{
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    for (ULONG Time = 0; Time < 2; Time++) {
        NTSTATUS Status = FltCreateSystemVolumeInformationFolder(Objects->Instance);

        DbgPrint("folder: type %u, time %u: 0x%08X\n", Type, Time, Status);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .FilterUnloadCallback = Unload,
                                              .InstanceSetupCallback = Setup};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}
