/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends reads of the first disk's volume on to the second's: the value "Target" says to which instance.  A second
 * service of this driver ("Target" 0) sits below on both volumes and logs what it sees.
 */
#include "../../inc/minifilter.h"

enum { TargetNone, TargetOther, TargetOtherAltitude, TargetOwn, TargetNothing };

static PFLT_FILTER Filter;
static ULONG Target;
static PFLT_INSTANCE Instances[2], Extra;
static PFILE_OBJECT Other;

static ULONG VolumeOf(PFLT_INSTANCE Instance)
{
    return Instance == Instances[0] ? 1 : Instance == Instances[1] ? 2 : 0;
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{ /* [target] */
    if (Target == TargetNone) {
        DbgPrint("below: read on volume %u of file %u\n", VolumeOf(FltObjects->Instance),
                 FltObjects->FileObject == Data->Iopb->TargetFileObject);
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
    if (FltObjects->Instance != Instances[0])
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    switch (Target) {
    case TargetOther:
        Data->Iopb->TargetInstance = Instances[1];
        Data->Iopb->TargetFileObject = Other;
        break;
    case TargetOtherAltitude: Data->Iopb->TargetInstance = Extra; break;
    case TargetOwn: /* is no change */ Data->Iopb->TargetInstance = FltObjects->Instance; break;
    case TargetNothing: Data->Iopb->TargetInstance = NULL; break;
    }
    FltSetCallbackDataDirty(Data);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    DbgPrint("%s: post on volume %u, target %u, file %u\n", Target == TargetNone ? "below" : "redirect",
             VolumeOf(FltObjects->Instance), VolumeOf(Data->Iopb->TargetInstance),
             FltObjects->FileObject == Data->Iopb->TargetFileObject);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    if (FltObjects->Instance == Instances[1])
        Other = FltObjects->FileObject;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    UNICODE_STRING Second = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume2");
    PFLT_VOLUME Volume;
    BOOLEAN IsSecond;

    if (!NT_SUCCESS(FltGetVolumeFromName(Filter, &Second, &Volume)))
        return STATUS_FLT_DO_NOT_ATTACH;
    IsSecond = Volume == FltObjects->Volume;
    FltObjectDereference(Volume);
    if (Instances[IsSecond] != NULL) {
        Extra = FltObjects->Instance;
        return STATUS_SUCCESS;
    }
    Instances[IsSecond] = FltObjects->Instance;
    return STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_CREATE, .PostOperation = PostCreate},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Target = ReadNumber(RegistryPath, L"Target");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
