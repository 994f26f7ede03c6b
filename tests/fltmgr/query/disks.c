/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What volumes' disks say, instances by a volume's name and device, and what this machine does not have: each status as documented. */
#include "../../inc/minifilter.h"

#define NAME   L"\\??\\Volume{00000001-0000-0000-0000-000000000000}"
#define VOLUME L"\\Device\\HarddiskVolume1"

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance;
static UCHAR Buffer[1024];

static VOID CheckDisk(VOID)
{
    BOOLEAN Is = FALSE;

    FvCheck(FltIsVolumeWritable(Volume, &Is) == STATUS_SUCCESS && Is);
    Is = FALSE;
    FvCheck(FltIsVolumeWritable(Instance, &Is) == STATUS_SUCCESS && Is);
    FvCheck(FltIsVolumeWritable(Filter, &Is) == STATUS_INVALID_PARAMETER && !Is);
    Is = TRUE;
    FvCheck(FltIsVolumeSnapshot(Volume, &Is) == STATUS_SUCCESS && !Is);
    Is = TRUE;
    FvCheck(FltIsVolumeSnapshot(Instance, &Is) == STATUS_SUCCESS && !Is);
    FvCheck(FltIsVolumeSnapshot(Filter, &Is) == STATUS_INVALID_PARAMETER);
}

static VOID CheckGuidName(VOID)
{
    WCHAR Text[64];
    UNICODE_STRING Name = {0, sizeof(Text), Text}, Wanted = RTL_CONSTANT_STRING(NAME);
    PFLT_VOLUME Same = NULL;
    ULONG Needed = 0;

    FvCheck(FltGetVolumeGuidName(Volume, NULL, &Needed) == STATUS_BUFFER_TOO_SMALL && Needed == Wanted.Length);
    Name.MaximumLength = (USHORT)(Needed - 1);
    FvCheck(FltGetVolumeGuidName(Volume, &Name, NULL) == STATUS_BUFFER_TOO_SMALL);
    Name.MaximumLength = (USHORT)Needed;
    FvCheck(FltGetVolumeGuidName(Volume, &Name, &Needed) == STATUS_SUCCESS && Needed == Wanted.Length);
    FvCheck(RtlEqualUnicodeString(&Name, &Wanted, FALSE));
    FvCheck(FltGetVolumeFromName(Filter, &Name, &Same) == STATUS_SUCCESS && Same == Volume);
    FltObjectDereference(Same);
}

static VOID CheckEnumeration(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(VOLUME), Nowhere = RTL_CONSTANT_STRING(L"\\Device\\Nowhere"), Empty = {0};
    PINSTANCE_FULL_INFORMATION Full = (PINSTANCE_FULL_INFORMATION)Buffer;
    PDEVICE_OBJECT Device;
    ULONG Bytes = 0;

    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Name, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                        &Bytes) == STATUS_SUCCESS &&
            Bytes > sizeof(*Full) && Full->VolumeNameLength == Name.Length);
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Name, 0, InstanceFullInformation, NULL, 0, &Bytes) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Name, 1, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                        &Bytes) == STATUS_NO_MORE_ENTRIES);
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Name, 0, 99, Buffer, sizeof(Buffer), &Bytes) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Nowhere, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                        &Bytes) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Empty, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                        &Bytes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltGetDeviceObject(Volume, &Device) == STATUS_SUCCESS);
    FvCheck(FltEnumerateInstanceInformationByDeviceObject(Device, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                          &Bytes) == STATUS_SUCCESS);
    FvCheck(FltEnumerateInstanceInformationByDeviceObject(Device, 1, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                          &Bytes) == STATUS_NO_MORE_ENTRIES);
    ObDereferenceObject(Device);
    FvCheck(FltGetDiskDeviceObject(Volume, &Device) == STATUS_SUCCESS);
    FvCheck(FltEnumerateInstanceInformationByDeviceObject(Device, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                          &Bytes) == STATUS_FLT_VOLUME_NOT_FOUND);
    ObDereferenceObject(Device);
    FvCheck(FltDetachVolume(Filter, Volume, NULL) == STATUS_SUCCESS); /* nobody is on the volume */
    FvCheck(FltEnumerateInstanceInformationByVolumeName(&Name, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                        &Bytes) == STATUS_FLT_VOLUME_NOT_FOUND);
    FvCheck(FltGetDeviceObject(Volume, &Device) == STATUS_SUCCESS);
    FvCheck(FltEnumerateInstanceInformationByDeviceObject(Device, 0, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                          &Bytes) == STATUS_FLT_INTERNAL_ERROR);
    ObDereferenceObject(Device);
}

static NTSTATUS NTAPI Notify(PCFLT_RELATED_OBJECTS FltObjects, PFLT_CONTEXT TransactionContext, ULONG Mask)
{
    return STATUS_SUCCESS;
}

/* The filter manager has its own copy of the registration; one that takes notifications is named "notified". */
static VOID CheckAbsent(BOOLEAN Notified)
{
    PVOID Object = (PVOID)1;
    HANDLE Handle;

    FvCheck(FltEnlistInTransaction(Instance, NULL, NULL, TRANSACTION_NOTIFY_COMMIT) ==
            (Notified ? STATUS_NOT_SUPPORTED : STATUS_INVALID_PARAMETER));
    FvCheck(FltEnlistInTransaction(Instance, NULL, NULL, 0x80000000) ==
            (Notified ? STATUS_INVALID_PARAMETER_4 : STATUS_INVALID_PARAMETER));
    FvCheck(FltRollbackEnlistment(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltPrePrepareComplete(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltPrepareComplete(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltCommitComplete(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltCommitFinalizeComplete(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltRollbackComplete(Instance, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltRegisterForDataScan(Instance) == STATUS_NOT_SUPPORTED);
    FvCheck(FltCreateSectionForDataScan(Instance, NULL, NULL, 0, NULL, NULL, PAGE_READONLY, SEC_COMMIT, 0, &Handle,
                                        &Object, NULL) == STATUS_NOT_SUPPORTED &&
            Object == NULL);
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
    .InstanceQueryTeardownCallback = MayDetach,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    BOOLEAN Notified = ReadNumber(Key, L"Notified") != 0;
    NTSTATUS Status;

    if (Notified)
        Registration.TransactionNotificationCallback = Notify;
    Status = FltRegisterFilter(Driver, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(36);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetTopInstance(Volume, &Instance);
    CheckDisk();
    CheckGuidName();
    CheckAbsent(Notified);
    FltObjectDereference(Instance);
    CheckEnumeration();
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}
