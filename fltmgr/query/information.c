/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * information.c: enumerating filters, volumes and instances, and describing each.  Objects come back referenced;
 * descriptions are one structure with the strings behind it.  IRQL: <= APC_LEVEL.
 */
#include <hold.h>
#include "query.h"

/* A description being written: how much it needs is known even if it does not fit. */
typedef struct _FLTP_WRITER {
    PUCHAR Buffer;
    ULONG Size, Used;
} FLTP_WRITER, *PFLTP_WRITER;

static BOOLEAN FltpFits(const FLTP_WRITER *Writer)
{
    return Writer->Buffer != NULL && Writer->Used <= Writer->Size;
}

/* Reserves room for the string and tells where; it is copied once all is known to fit. */
static VOID FltpWriteString(PFLTP_WRITER Writer, PCUNICODE_STRING String, PUSHORT Length, PUSHORT Offset)
{
    ULONG At = Writer->Used;

    Writer->Used += String->Length;
    if (!FltpFits(Writer))
        return;
    RtlCopyMemory(Writer->Buffer + At, String->Buffer, String->Length);
    *Length = String->Length;
    *Offset = (USHORT)At;
}

static NTSTATUS FltpEndWriting(const FLTP_WRITER *Writer, PULONG BytesReturned)
{
    *BytesReturned = Writer->Used;
    return FltpFits(Writer) ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS FLTAPI FltGetFilterInformation(PFLT_FILTER Filter, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                        ULONG BufferSize, PULONG BytesReturned)
{
    FLTP_WRITER Writer = {Buffer, BufferSize, 0};
    FILTER_AGGREGATE_STANDARD_INFORMATION None, *Standard = Buffer;
    USHORT Ignored;

    switch (InformationClass) {
    case FilterFullInformation: {
        PFILTER_FULL_INFORMATION Full = Buffer;
        Writer.Used = FIELD_OFFSET(FILTER_FULL_INFORMATION, FilterNameBuffer);
        if (FltpFits(&Writer)) {
            Full->NextEntryOffset = 0;
            Full->FrameID = 0;
            Full->NumberOfInstances = Filter->InstanceCount;
        }
        FltpWriteString(&Writer, &Filter->Name, Full != NULL ? &Full->FilterNameLength : &Ignored, &Ignored);
        return FltpEndWriting(&Writer, BytesReturned);
    }
    case FilterAggregateBasicInformation: {
        FILTER_AGGREGATE_BASIC_INFORMATION Nothing, *Basic = Buffer != NULL ? Buffer : &Nothing;
        Writer.Used = sizeof(*Basic);
        if (FltpFits(&Writer)) {
            RtlZeroMemory(Basic, sizeof(*Basic));
            Basic->Flags = FLTFL_AGGREGATE_INFO_IS_MINIFILTER;
            Basic->Type.MiniFilter.NumberOfInstances = Filter->InstanceCount;
        }
        FltpWriteString(&Writer, &Filter->Name, &Basic->Type.MiniFilter.FilterNameLength,
                        &Basic->Type.MiniFilter.FilterNameBufferOffset);
        FltpWriteString(&Writer, &Filter->Altitude, &Basic->Type.MiniFilter.FilterAltitudeLength,
                        &Basic->Type.MiniFilter.FilterAltitudeBufferOffset);
        return FltpEndWriting(&Writer, BytesReturned);
    }
    case FilterAggregateStandardInformation:
        Standard = Buffer != NULL ? Buffer : &None;
        Writer.Used = sizeof(*Standard);
        if (FltpFits(&Writer)) {
            RtlZeroMemory(Standard, sizeof(*Standard));
            Standard->Flags = FLTFL_ASI_IS_MINIFILTER;
            Standard->Type.MiniFilter.NumberOfInstances = Filter->InstanceCount;
        }
        FltpWriteString(&Writer, &Filter->Name, &Standard->Type.MiniFilter.FilterNameLength,
                        &Standard->Type.MiniFilter.FilterNameBufferOffset);
        FltpWriteString(&Writer, &Filter->Altitude, &Standard->Type.MiniFilter.FilterAltitudeLength,
                        &Standard->Type.MiniFilter.FilterAltitudeBufferOffset);
        return FltpEndWriting(&Writer, BytesReturned);
    default: return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS FLTAPI FltGetVolumeInformation(PFLT_VOLUME Volume, FILTER_VOLUME_INFORMATION_CLASS InformationClass,
                                        PVOID Buffer, ULONG BufferSize, PULONG BytesReturned)
{
    FLTP_WRITER Writer = {Buffer, BufferSize, 0};
    PFILTER_VOLUME_STANDARD_INFORMATION Standard = Buffer;
    PFILTER_VOLUME_BASIC_INFORMATION Basic = Buffer;
    USHORT Ignored;

    switch (InformationClass) {
    case FilterVolumeBasicInformation:
        Writer.Used = FIELD_OFFSET(FILTER_VOLUME_BASIC_INFORMATION, FilterVolumeName);
        FltpWriteString(&Writer, &Volume->Name, Basic != NULL ? &Basic->FilterVolumeNameLength : &Ignored, &Ignored);
        return FltpEndWriting(&Writer, BytesReturned);
    case FilterVolumeStandardInformation:
        Writer.Used = FIELD_OFFSET(FILTER_VOLUME_STANDARD_INFORMATION, FilterVolumeName);
        if (FltpFits(&Writer)) {
            Standard->NextEntryOffset = 0;
            Standard->Flags = Volume->Detached ? FLTFL_VSI_DETACHED_VOLUME : 0;
            Standard->FrameID = 0;
            Standard->FileSystemType = Volume->Type;
        }
        FltpWriteString(&Writer, &Volume->Name, Standard != NULL ? &Standard->FilterVolumeNameLength : &Ignored,
                        &Ignored);
        return FltpEndWriting(&Writer, BytesReturned);
    default: return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS FLTAPI FltGetInstanceInformation(PFLT_INSTANCE Instance, INSTANCE_INFORMATION_CLASS InformationClass,
                                          PVOID Buffer, ULONG BufferSize, PULONG BytesReturned)
{
    static const ULONG Sizes[] = {sizeof(INSTANCE_BASIC_INFORMATION), sizeof(INSTANCE_PARTIAL_INFORMATION),
                                  sizeof(INSTANCE_FULL_INFORMATION)};
    FLTP_WRITER Writer = {Buffer, BufferSize, 0};
    INSTANCE_FULL_INFORMATION None, *Full = Buffer != NULL ? Buffer : &None;
    INSTANCE_AGGREGATE_STANDARD_INFORMATION Nothing, *Standard = Buffer != NULL ? Buffer : &Nothing;

    if ((ULONG)InformationClass < RTL_NUMBER_OF(Sizes)) {
        Writer.Used = Sizes[InformationClass];
        if (FltpFits(&Writer))
            Full->NextEntryOffset = 0;
        FltpWriteString(&Writer, &Instance->Name, &Full->InstanceNameLength, &Full->InstanceNameBufferOffset);
        if (InformationClass >= InstancePartialInformation)
            FltpWriteString(&Writer, &Instance->Altitude, &Full->AltitudeLength, &Full->AltitudeBufferOffset);
        if (InformationClass >= InstanceFullInformation) {
            FltpWriteString(&Writer, &Instance->Volume->Name, &Full->VolumeNameLength, &Full->VolumeNameBufferOffset);
            FltpWriteString(&Writer, &Instance->Filter->Name, &Full->FilterNameLength, &Full->FilterNameBufferOffset);
        }
        return FltpEndWriting(&Writer, BytesReturned);
    }
    if (InformationClass != InstanceAggregateStandardInformation)
        return STATUS_INVALID_PARAMETER;
    Writer.Used = sizeof(*Standard);
    if (FltpFits(&Writer)) {
        RtlZeroMemory(Standard, sizeof(*Standard));
        Standard->Flags = FLTFL_IASI_IS_MINIFILTER;
        Standard->Type.MiniFilter.VolumeFileSystemType = Instance->Volume->Type;
    }
    FltpWriteString(&Writer, &Instance->Name, &Standard->Type.MiniFilter.InstanceNameLength,
                    &Standard->Type.MiniFilter.InstanceNameBufferOffset);
    FltpWriteString(&Writer, &Instance->Altitude, &Standard->Type.MiniFilter.AltitudeLength,
                    &Standard->Type.MiniFilter.AltitudeBufferOffset);
    FltpWriteString(&Writer, &Instance->Volume->Name, &Standard->Type.MiniFilter.VolumeNameLength,
                    &Standard->Type.MiniFilter.VolumeNameBufferOffset);
    FltpWriteString(&Writer, &Instance->Filter->Name, &Standard->Type.MiniFilter.FilterNameLength,
                    &Standard->Type.MiniFilter.FilterNameBufferOffset);
    return FltpEndWriting(&Writer, BytesReturned);
}

NTSTATUS FLTAPI FltEnumerateFilters(PFLT_FILTER *FilterList, ULONG FilterListSize, PULONG NumberFiltersReturned)
{
    PFLT_FILTER Filter = NULL;
    ULONG Count = 0;

    while ((Filter = FltpNextFilter(Filter)) != NULL) {
        if (Count < FilterListSize) {
            FltpAcquireRundown(&Filter->Object.Rundown);
            FltpHandOut(Filter);
            FilterList[Count] = Filter;
        }
        Count++;
    }
    *NumberFiltersReturned = Count;
    if (Count <= FilterListSize)
        return STATUS_SUCCESS;
    for (Count = 0; Count < FilterListSize; Count++)
        FltObjectDereference(FilterList[Count]);
    return STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS FLTAPI FltEnumerateVolumes(PFLT_FILTER Filter, PFLT_VOLUME *VolumeList, ULONG VolumeListSize,
                                    PULONG NumberVolumesReturned)
{
    PFLT_VOLUME Volume = NULL;
    ULONG Count = 0;

    UNREFERENCED_PARAMETER(Filter);
    while ((Volume = FltpNextVolume(Volume)) != NULL) {
        if (Count < VolumeListSize) {
            FltpAcquireRundown(&Volume->Object.Rundown);
            FltpHandOut(Volume);
            VolumeList[Count] = Volume;
        }
        Count++;
    }
    *NumberVolumesReturned = Count;
    if (Count <= VolumeListSize)
        return STATUS_SUCCESS;
    for (Count = 0; Count < VolumeListSize; Count++)
        FltObjectDereference(VolumeList[Count]);
    return STATUS_BUFFER_TOO_SMALL;
}

/* The volume's instances of the filter, either of them NULL for all, appended to the list. */
static ULONG FltpListVolume(PFLT_VOLUME Volume, PFLT_FILTER Filter, PFLT_INSTANCE *List, ULONG Size, ULONG Count)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if ((Filter != NULL && Instance->Filter != Filter) || Instance->TearingDown)
            continue;
        if (Count < Size) {
            if (!FltpAcquireRundown(&Instance->Object.Rundown))
                continue;
            FltpHandOut(Instance);
            List[Count] = Instance;
        }
        Count++;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Count;
}

NTSTATUS FLTAPI FltEnumerateInstances(PFLT_VOLUME Volume, PFLT_FILTER Filter, PFLT_INSTANCE *InstanceList,
                                      ULONG InstanceListSize, PULONG NumberInstancesReturned)
{
    PFLT_VOLUME Each = NULL;
    ULONG Count = 0;

    if (Volume == NULL && Filter == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Volume != NULL) {
        Count = FltpListVolume(Volume, Filter, InstanceList, InstanceListSize, 0);
    } else {
        while ((Each = FltpNextVolume(Each)) != NULL)
            Count = FltpListVolume(Each, Filter, InstanceList, InstanceListSize, Count);
    }
    *NumberInstancesReturned = Count;
    if (Count <= InstanceListSize)
        return STATUS_SUCCESS;
    for (Count = 0; Count < InstanceListSize; Count++)
        FltObjectDereference(InstanceList[Count]);
    return STATUS_BUFFER_TOO_SMALL;
}

NTSTATUS FLTAPI FltEnumerateFilterInformation(ULONG Index, FILTER_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                              ULONG BufferSize, PULONG BytesReturned)
{
    PFLT_FILTER Filter = FltpNextFilter(NULL);
    NTSTATUS Status;

    while (Filter != NULL && Index-- > 0)
        Filter = FltpNextFilter(Filter);
    if (Filter == NULL)
        return STATUS_NO_MORE_ENTRIES;
    Status = FltGetFilterInformation(Filter, InformationClass, Buffer, BufferSize, BytesReturned);
    FltpReleaseRundown(&Filter->Object.Rundown);
    return Status;
}

NTSTATUS FLTAPI FltEnumerateVolumeInformation(PFLT_FILTER Filter, ULONG Index,
                                              FILTER_VOLUME_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                              ULONG BufferSize, PULONG BytesReturned)
{
    PFLT_VOLUME Volume = FltpNextVolume(NULL);
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Filter);
    while (Volume != NULL && Index-- > 0)
        Volume = FltpNextVolume(Volume);
    if (Volume == NULL)
        return STATUS_NO_MORE_ENTRIES;
    Status = FltGetVolumeInformation(Volume, InformationClass, Buffer, BufferSize, BytesReturned);
    FltpReleaseRundown(&Volume->Object.Rundown);
    return Status;
}

/* The volume's Index-th instance of the filter, or of all if that is NULL; Index is less by those passed over. */
static PFLT_INSTANCE FltpInstanceAt(PFLT_VOLUME Volume, PFLT_FILTER Filter, PULONG Index)
{
    PFLT_INSTANCE Found = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    for (PLIST_ENTRY Link = Volume->Instances.Flink; Link != &Volume->Instances; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if ((Filter != NULL && Instance->Filter != Filter) || Instance->TearingDown)
            continue;
        if (*Index > 0) {
            (*Index)--;
        } else if (FltpAcquireRundown(&Instance->Object.Rundown)) {
            Found = Instance;
            break;
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Found;
}

static NTSTATUS FltpDescribeInstance(PFLT_VOLUME Volume, PFLT_FILTER Filter, ULONG Index,
                                     INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer, ULONG BufferSize,
                                     PULONG BytesReturned)
{
    PFLT_INSTANCE Instance = NULL;
    PFLT_VOLUME Each = NULL;
    NTSTATUS Status;

    if (Volume != NULL) {
        Instance = FltpInstanceAt(Volume, Filter, &Index);
    } else {
        while (Instance == NULL && (Each = FltpNextVolume(Each)) != NULL)
            Instance = FltpInstanceAt(Each, Filter, &Index);
        if (Each != NULL)
            FltpReleaseRundown(&Each->Object.Rundown);
    }
    if (Instance == NULL)
        return STATUS_NO_MORE_ENTRIES;
    Status = FltGetInstanceInformation(Instance, InformationClass, Buffer, BufferSize, BytesReturned);
    FltpReleaseRundown(&Instance->Object.Rundown);
    return Status;
}

NTSTATUS FLTAPI FltEnumerateInstanceInformationByFilter(PFLT_FILTER Filter, ULONG Index,
                                                        INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                                        ULONG BufferSize, PULONG BytesReturned)
{
    return FltpDescribeInstance(NULL, Filter, Index, InformationClass, Buffer, BufferSize, BytesReturned);
}

NTSTATUS FLTAPI FltEnumerateInstanceInformationByVolume(PFLT_VOLUME Volume, ULONG Index,
                                                        INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                                        ULONG BufferSize, PULONG BytesReturned)
{
    return FltpDescribeInstance(Volume, NULL, Index, InformationClass, Buffer, BufferSize, BytesReturned);
}

/* STATUS_FLT_VOLUME_NOT_FOUND where no instance is on the volume, too. */
static NTSTATUS FltpDescribeInstanceOf(PFLT_VOLUME Volume, ULONG Index, INSTANCE_INFORMATION_CLASS InformationClass,
                                       PVOID Buffer, ULONG BufferSize, PULONG BytesReturned, NTSTATUS None)
{
    if (Volume->InstanceCount == 0)
        return None;
    return FltpDescribeInstance(Volume, NULL, Index, InformationClass, Buffer, BufferSize, BytesReturned);
}

NTSTATUS FLTAPI FltEnumerateInstanceInformationByVolumeName(PUNICODE_STRING VolumeName, ULONG Index,
                                                            INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                                            ULONG BufferSize, PULONG BytesReturned)
{
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltpVolumeFromName(VolumeName, &Volume);

    if (Status == STATUS_FLT_VOLUME_NOT_FOUND)
        return STATUS_OBJECT_NAME_NOT_FOUND; /* documented for a volume that does not exist */
    if (!NT_SUCCESS(Status))
        return Status == STATUS_FLT_DELETING_OBJECT ? STATUS_FLT_VOLUME_NOT_FOUND : Status;
    Status = FltpDescribeInstanceOf(Volume, Index, InformationClass, Buffer, BufferSize, BytesReturned,
                                    STATUS_FLT_VOLUME_NOT_FOUND);
    FltpReleaseRundown(&Volume->Object.Rundown);
    return Status;
}

NTSTATUS FLTAPI FltEnumerateInstanceInformationByDeviceObject(PDEVICE_OBJECT DeviceObject, ULONG Index,
                                                              INSTANCE_INFORMATION_CLASS InformationClass, PVOID Buffer,
                                                              ULONG BufferSize, PULONG BytesReturned)
{
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltGetVolumeFromDeviceObject(NULL, DeviceObject, &Volume);

    if (!NT_SUCCESS(Status))
        return STATUS_FLT_VOLUME_NOT_FOUND;
    Status = FltpDescribeInstanceOf(Volume, Index, InformationClass, Buffer, BufferSize, BytesReturned,
                                    STATUS_FLT_INTERNAL_ERROR);
    FltObjectDereference(Volume);
    return Status;
}
