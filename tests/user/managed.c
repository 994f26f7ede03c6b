// SPDX-License-Identifier: GPL-2.0-or-later
/* A minifilter that does nothing, and lets itself be detached; with -DSTAYS it does not. */
#include <fltKernel.h>

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;

static NTSTATUS FLTAPI QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
#ifdef STAYS
    return STATUS_FLT_DO_NOT_DETACH;
#else
    return STATUS_SUCCESS;
#endif
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
                                              .InstanceQueryTeardownCallback = QueryTeardown};

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
