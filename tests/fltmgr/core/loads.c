/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FltLoadFilter and FltUnloadFilter, by a filter that depends on another.  "Fault": it unloads itself. */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;

static NTSTATUS Load(PCWSTR Name)
{
    UNICODE_STRING Text;

    RtlInitUnicodeString(&Text, Name);
    return FltLoadFilter(&Text);
}

static NTSTATUS Unload(PCWSTR Name)
{
    UNICODE_STRING Text;

    RtlInitUnicodeString(&Text, Name);
    return FltUnloadFilter(&Text);
}

/* Whether it is there, with an instance on the volume. */
static BOOLEAN Works(PCWSTR Name)
{
    PFLT_VOLUME Volume = OpenVolume(Filter);
    PFLT_INSTANCE Instance = NULL;
    UNICODE_STRING Text;
    PFLT_FILTER Other;

    RtlInitUnicodeString(&Text, Name);
    if (NT_SUCCESS(FltGetFilterFromName(&Text, &Other))) {
        if (NT_SUCCESS(FltGetVolumeInstanceFromName(Other, Volume, NULL, &Instance)))
            FltObjectDereference(Instance);
        FltObjectDereference(Other);
    }
    FltObjectDereference(Volume);
    return Instance != NULL;
}

static VOID CheckDevice(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Loaded");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle;

    FvCheck(Load(L"device") == STATUS_SUCCESS);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwOpenFile(&Handle, SYNCHRONIZE, &Attributes, &IoStatus, 7, FILE_SYNCHRONOUS_IO_NONALERT) ==
            STATUS_SUCCESS);
    FvCheck(Unload(L"device") == STATUS_SUCCESS && !Works(L"device"));
    FvCheck(Load(L"device") == STATUS_DRIVER_FAILED_PRIOR_UNLOAD);
    ZwClose(Handle);
    Sleep(20);
    FvCheck(Load(L"device") == STATUS_SUCCESS && Works(L"device"));
    FvCheck(Unload(L"device") == STATUS_SUCCESS);
}

static VOID Check(VOID)
{
    FvCheck(Load(L"nosuch") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Load(L"nofile") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Load(L"") == STATUS_OBJECT_NAME_NOT_FOUND && Load(L"loaded\\Instances") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(Load(L"text") == STATUS_INVALID_IMAGE_FORMAT);
    FvCheck(Load(L"fails") == STATUS_FAILED_DRIVER_ENTRY);
    FvCheck(Load(L"bare") == STATUS_FAILED_DRIVER_ENTRY); /* FltRegisterFilter finds no instances */
    FvCheck(Unload(L"fails") == STATUS_FLT_FILTER_NOT_FOUND && Unload(L"") == STATUS_FLT_FILTER_NOT_FOUND);
    FvCheck(Load(L"loaded") == STATUS_SUCCESS && Works(L"loaded"));
    FvCheck(Load(L"LOADED") == STATUS_IMAGE_ALREADY_LOADED);
    FvCheck(Load(L"loads") == STATUS_IMAGE_ALREADY_LOADED); /* ourselves */
    FvCheck(Unload(L"Loaded") == STATUS_SUCCESS && !Works(L"loaded"));
    FvCheck(Unload(L"loaded") == STATUS_FLT_FILTER_NOT_FOUND);
    FvCheck(Load(L"loaded") == STATUS_SUCCESS && Unload(L"loaded") == STATUS_SUCCESS);
    FvCheck(Load(L"refuses") == STATUS_SUCCESS && Unload(L"refuses") == STATUS_FLT_DO_NOT_DETACH && Works(L"refuses"));
    FvCheck(Load(L"stays") == STATUS_SUCCESS && Unload(L"stays") == STATUS_FLT_DO_NOT_DETACH && Works(L"stays"));
    CheckDevice();
}

static NTSTATUS FilterUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = FilterUnload,
};

static DECLSPEC_NOINLINE NTSTATUS UnloadMyself(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"loads");
    NTSTATUS Status = FltUnloadFilter(&Name); /* blamed */

    FvCheck(Status == STATUS_FLT_DO_NOT_DETACH);
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Fault = ReadNumber(RegistryPath, L"Fault");
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (Fault == 0) {
        FvTestPlan(22);
        Check();
    } else {
        UnloadMyself();
    }
    return Status;
}
