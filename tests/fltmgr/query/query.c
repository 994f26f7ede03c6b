/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding, enumerating and describing filters, volumes and instances: each routine's statuses, sizes, order and
 * references as documented.  Another filter, "other", is at altitude 300; this one has instances at 200 and 37.5.
 * With the value "Idle" it is that other filter, and does nothing.
 */
#include "../../inc/minifilter.h"

#define MANY 40

static PFLT_FILTER Filter, Other;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Top, Mine, Bottom; /* at 300, 200 and 37.5 */
static ULONG Idle;
static UCHAR Buffer[1024];
static ULONG Bytes;

#define TEXT(Text) (&(UNICODE_STRING)RTL_CONSTANT_STRING(Text))

static BOOLEAN Same(const VOID *Text, ULONG Length, PCWSTR Wanted)
{
    UNICODE_STRING Left = {(USHORT)Length, (USHORT)Length, (PWCH)Text}, Right;

    RtlInitUnicodeString(&Right, Wanted);
    return RtlEqualUnicodeString(&Left, &Right, TRUE);
}

/* Whether a routine found that object, and referenced it. */
static BOOLEAN GiveBack(PVOID Object, PVOID Wanted)
{
    FltObjectDereference(Object);
    return Object == Wanted;
}
#define Found(Call, Object, Wanted) ((Call) == STATUS_SUCCESS && GiveBack((Object), (Wanted)))

static VOID CheckNames(VOID)
{
    PFLT_FILTER ByName = NULL;
    PFLT_VOLUME V = NULL;

    FvCheck(Found(FltGetFilterFromName(TEXT(L"QUERY"), &ByName), ByName, Filter));
    FvCheck(FltGetFilterFromName(TEXT(L"nobody"), &ByName) == STATUS_FLT_FILTER_NOT_FOUND);
    FvCheck(Found(FltGetVolumeFromName(Filter, TEXT(L"\\Device\\harddiskvolume1"), &V), V, Volume));
    FvCheck(Found(FltGetVolumeFromName(Filter, TEXT(L"\\Device\\HarddiskVolume1\\"), &V), V, Volume));
    FvCheck(Found(FltGetVolumeFromName(Filter, TEXT(L"C:"), &V), V, Volume));
    FvCheck(Found(FltGetVolumeFromName(Filter, TEXT(L"\\??\\C:"), &V), V, Volume));
    FvCheck(Found(FltGetVolumeFromName(Filter, TEXT(L"\\DosDevices\\C:"), &V), V, Volume));
    FvCheck(FltGetVolumeFromName(Filter, TEXT(L""), &V) == STATUS_INVALID_PARAMETER);
    FvCheck(FltGetVolumeFromName(Filter, TEXT(L"\\Device\\Nowhere"), &V) == STATUS_FLT_VOLUME_NOT_FOUND);
    FvCheck(FltGetVolumeFromName(Filter, TEXT(L"Q:"), &V) == STATUS_FLT_VOLUME_NOT_FOUND);
    FvCheck(Found(FltGetVolumeFromInstance(Mine, &V), V, Volume));
    FvCheck(Found(FltGetFilterFromInstance(Mine, &ByName), ByName, Filter));
    FvCheck(Found(FltGetFilterFromInstance(Top, &ByName), ByName, Other));
}

/* The names may be pageable, as all these routines may be called at APC_LEVEL. */
static VOID CheckPageable(VOID)
{
    static const WCHAR Text[] = L"query\\Device\\HarddiskVolume1low";
    PWCHAR Paged = ExAllocatePoolWithTag(PagedPool, sizeof(Text), 'tseT');
    UNICODE_STRING FilterName = {10, 10, Paged}, VolumeName = {46, 46, Paged + 5}, InstanceName = {6, 6, Paged + 28};
    PFLT_FILTER ByName = NULL;
    PFLT_VOLUME V = NULL;
    PFLT_INSTANCE I = NULL;

    RtlCopyMemory(Paged, Text, sizeof(Text));
    FvCheck(Found(FltGetFilterFromName(&FilterName, &ByName), ByName, Filter));
    FvCheck(Found(FltGetVolumeFromName(Filter, &VolumeName, &V), V, Volume));
    FvCheck(Found(FltGetVolumeInstanceFromName(Filter, Volume, &InstanceName, &I), I, Bottom));
    FvCheck(FltDetachVolume(Other, Volume, &InstanceName) == STATUS_FLT_INSTANCE_NOT_FOUND);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &InstanceName, &InstanceName, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltAttachVolume(Filter, Volume, &InstanceName, NULL) == STATUS_FLT_INSTANCE_NAME_COLLISION);
    ExFreePoolWithTag(Paged, 'tseT');
}

static PFILE_OBJECT OpenFile(PHANDLE Handle)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PVOID File = NULL;

    InitializeObjectAttributes(&Attributes, TEXT(L"\\Device\\HarddiskVolume1"), OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwCreateFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0)))
        ObReferenceObjectByHandle(*Handle, FILE_READ_DATA, *IoFileObjectType, KernelMode, &File, NULL);
    return File;
}

static VOID CheckDevices(VOID)
{
    PDEVICE_OBJECT Device = NULL, Disk = NULL, FileSystem;
    BOOLEAN(FLTAPI * IsOurs)(PDEVICE_OBJECT);
    PFILE_OBJECT File;
    PFLT_VOLUME V = NULL;
    HANDLE Handle;

    FvCheck(NT_SUCCESS(FltGetDeviceObject(Volume, &Device)) && FltIsFltMgrVolumeDeviceObject(Device));
    FvCheck(NT_SUCCESS(FltGetDiskDeviceObject(Volume, &Disk)) && !FltIsFltMgrVolumeDeviceObject(Disk));
    FileSystem = IoGetDeviceAttachmentBaseRef(Device);
    FvCheck(FileSystem != Device && !FltIsFltMgrVolumeDeviceObject(FileSystem));
    FvCheck(Found(FltGetVolumeFromDeviceObject(Filter, Device, &V), V, Volume));
    FvCheck(Found(FltGetVolumeFromDeviceObject(Filter, FileSystem, &V), V, Volume));
    FvCheck(FltGetVolumeFromDeviceObject(Filter, Disk, &V) == STATUS_INVALID_PARAMETER);
    IsOurs = FltGetRoutineAddress("FltIsFltMgrVolumeDeviceObject");
    FvCheck(IsOurs != NULL && IsOurs(Device) && !IsOurs(Disk));
    FvCheck(FltGetRoutineAddress("FltNoSuchRoutine") == NULL);
    ObDereferenceObject(FileSystem);
    ObDereferenceObject(Disk);
    ObDereferenceObject(Device);
    File = OpenFile(&Handle);
    FvCheck(File != NULL && Found(FltGetVolumeFromFileObject(Filter, File, &V), V, Volume));
    ObDereferenceObject(File);
    ZwClose(Handle);
}

static VOID CheckVolume(VOID)
{
    static const WCHAR Name[] = L"\\Device\\HarddiskVolume1";
    PFLT_VOLUME_PROPERTIES Properties = (PFLT_VOLUME_PROPERTIES)Buffer;
    PFILTER_VOLUME_STANDARD_INFORMATION Standard = (PVOID)Buffer;
    PFILTER_VOLUME_BASIC_INFORMATION Basic = (PVOID)Buffer;
    UNICODE_STRING String = {0, sizeof(Buffer), (PWCH)Buffer};
    FLT_FILESYSTEM_TYPE Type = FLT_FSTYPE_NTFS;
    ULONG Needed = 0;

    FvCheck(FltGetVolumeName(Volume, NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltGetVolumeName(Volume, NULL, &Needed) == STATUS_BUFFER_TOO_SMALL && Needed == sizeof(Name) - 2);
    String.MaximumLength = (USHORT)(Needed - 2);
    FvCheck(FltGetVolumeName(Volume, &String, NULL) == STATUS_BUFFER_TOO_SMALL);
    String.MaximumLength = (USHORT)Needed;
    FvCheck(FltGetVolumeName(Volume, &String, &Needed) == STATUS_SUCCESS && Same(String.Buffer, String.Length, Name));

    FvCheck(FltGetVolumeProperties(Volume, NULL, 0, &Needed) == STATUS_BUFFER_TOO_SMALL &&
            Needed > sizeof(*Properties));
    FvCheck(FltGetVolumeProperties(Volume, Properties, sizeof(*Properties), &Bytes) == STATUS_BUFFER_OVERFLOW &&
            Bytes == sizeof(*Properties) && Properties->SectorSize == 512);
    FvCheck(FltGetVolumeProperties(Volume, Properties, Needed, &Bytes) == STATUS_SUCCESS && Bytes == Needed);
    FvCheck(Same(Properties->RealDeviceName.Buffer, Properties->RealDeviceName.Length, Name));
    FvCheck(Same(Properties->FileSystemDriverName.Buffer, Properties->FileSystemDriverName.Length, L"raw"));
    FvCheck(
        Same(Properties->FileSystemDeviceName.Buffer, Properties->FileSystemDeviceName.Length, L"\\Device\\RawDisk"));
    FvCheck(Properties->DeviceType == FILE_DEVICE_DISK_FILE_SYSTEM || Properties->DeviceType == FILE_DEVICE_DISK);

    FvCheck(FltGetFileSystemType(Volume, &Type) == STATUS_SUCCESS && Type == FLT_FSTYPE_RAW);
    Type = FLT_FSTYPE_NTFS;
    FvCheck(FltGetFileSystemType(Mine, &Type) == STATUS_SUCCESS && Type == FLT_FSTYPE_RAW);
    FvCheck(FltGetFileSystemType(Filter, &Type) == STATUS_INVALID_PARAMETER && Type == FLT_FSTYPE_UNKNOWN);

    FvCheck(FltGetVolumeInformation(Volume, FilterVolumeBasicInformation, Buffer, 4, &Needed) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltGetVolumeInformation(Volume, FilterVolumeBasicInformation, Buffer, Needed, &Bytes) == STATUS_SUCCESS &&
            Bytes == Needed && Same(Basic->FilterVolumeName, Basic->FilterVolumeNameLength, Name));
    FvCheck(FltGetVolumeInformation(Volume, FilterVolumeStandardInformation, Buffer, 0, &Needed) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltGetVolumeInformation(Volume, FilterVolumeStandardInformation, Buffer, Needed, &Bytes) ==
                STATUS_SUCCESS &&
            Same(Standard->FilterVolumeName, Standard->FilterVolumeNameLength, Name) &&
            Standard->FileSystemType == FLT_FSTYPE_RAW && Standard->Flags == 0);
    FvCheck(FltGetVolumeInformation(Volume, 7, Buffer, sizeof(Buffer), &Bytes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltEnumerateVolumeInformation(Filter, 0, FilterVolumeBasicInformation, Buffer, sizeof(Buffer), &Bytes) ==
            STATUS_SUCCESS);
    FvCheck(FltEnumerateVolumeInformation(Filter, 99, FilterVolumeBasicInformation, Buffer, sizeof(Buffer), &Bytes) ==
            STATUS_NO_MORE_ENTRIES);
    FvCheck(FltEnumerateVolumeInformation(Filter, 0, 7, Buffer, sizeof(Buffer), &Bytes) == STATUS_INVALID_PARAMETER);
}

static VOID CheckOrder(VOID)
{
    PFLT_INSTANCE I = NULL;

    FvCheck(Found(FltGetTopInstance(Volume, &I), I, Top));
    FvCheck(Found(FltGetBottomInstance(Volume, &I), I, Bottom));
    FvCheck(Found(FltGetUpperInstance(Mine, &I), I, Top));
    FvCheck(Found(FltGetLowerInstance(Mine, &I), I, Bottom));
    FvCheck(FltGetUpperInstance(Top, &I) == STATUS_NO_MORE_ENTRIES);
    FvCheck(FltGetLowerInstance(Bottom, &I) == STATUS_NO_MORE_ENTRIES);
    FvCheck(FltCompareInstanceAltitudes(Top, Mine) > 0);
    FvCheck(FltCompareInstanceAltitudes(Bottom, Mine) < 0);
    FvCheck(FltCompareInstanceAltitudes(Mine, Mine) == 0);
    FvCheck(Found(FltGetVolumeInstanceFromName(NULL, Volume, NULL, &I), I, Top));
    FvCheck(Found(FltGetVolumeInstanceFromName(Filter, Volume, NULL, &I), I, Mine));
    FvCheck(Found(FltGetVolumeInstanceFromName(NULL, Volume, TEXT(L"LOW"), &I), I, Bottom));
    FvCheck(FltGetVolumeInstanceFromName(Other, Volume, TEXT(L"low"), &I) == STATUS_FLT_INSTANCE_NOT_FOUND);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, TEXT(L"5"), TEXT(L"OTHER INSTANCE"), NULL) ==
            STATUS_FLT_INSTANCE_NAME_COLLISION);
}

static VOID CheckLists(VOID)
{
    PFLT_FILTER Filters[8];
    PFLT_VOLUME Volumes[8];
    PFLT_INSTANCE Instances[8];
    ULONG Count = 0;

    FvCheck(FltEnumerateFilters(NULL, 0, &Count) == STATUS_BUFFER_TOO_SMALL && Count == 2);
    FvCheck(FltEnumerateFilters(Filters, 1, &Count) == STATUS_BUFFER_TOO_SMALL && Count == 2);
    FvCheck(FltEnumerateFilters(Filters, 8, &Count) == STATUS_SUCCESS && Count == 2 && Filters[0] == Other &&
            Filters[1] == Filter);
    while (Count-- > 0)
        FltObjectDereference(Filters[Count]);
    FvCheck(FltEnumerateVolumes(Filter, NULL, 0, &Count) == STATUS_BUFFER_TOO_SMALL && Count >= 2);
    FvCheck(FltEnumerateVolumes(Filter, Volumes, 1, &Count) == STATUS_BUFFER_TOO_SMALL && Count >= 2);
    FvCheck(FltEnumerateVolumes(Filter, Volumes, 8, &Count) == STATUS_SUCCESS);
    while (Count-- > 0)
        FltObjectDereference(Volumes[Count]);
    FvCheck(FltEnumerateInstances(NULL, NULL, Instances, 8, &Count) == STATUS_INVALID_PARAMETER);
    FvCheck(FltEnumerateInstances(Volume, NULL, Instances, 2, &Count) == STATUS_BUFFER_TOO_SMALL && Count == 3);
    FvCheck(FltEnumerateInstances(Volume, NULL, Instances, 8, &Count) == STATUS_SUCCESS && Count == 3 &&
            Instances[0] == Top && Instances[1] == Mine && Instances[2] == Bottom);
    while (Count-- > 0)
        FltObjectDereference(Instances[Count]);
    FvCheck(FltEnumerateInstances(Volume, Filter, Instances, 8, &Count) == STATUS_SUCCESS && Count == 2);
    while (Count-- > 0)
        FltObjectDereference(Instances[Count]);
    FvCheck(FltEnumerateInstances(NULL, Filter, Instances, 8, &Count) == STATUS_SUCCESS &&
            Count == 4); /* on two volumes */
    while (Count-- > 0)
        FltObjectDereference(Instances[Count]);
}

static VOID CheckFilterInformation(VOID)
{
    PFILTER_FULL_INFORMATION Full = (PVOID)Buffer;
    PFILTER_AGGREGATE_BASIC_INFORMATION Basic = (PVOID)Buffer;
    PFILTER_AGGREGATE_STANDARD_INFORMATION Standard = (PVOID)Buffer;
    ULONG Needed = 0;

    FvCheck(FltGetFilterInformation(Filter, FilterFullInformation, Buffer, 1, &Needed) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltGetFilterInformation(Filter, FilterFullInformation, Buffer, Needed, &Bytes) == STATUS_SUCCESS &&
            Bytes == Needed && Same(Full->FilterNameBuffer, Full->FilterNameLength, L"query") &&
            Full->NumberOfInstances == 4);
    FvCheck(FltGetFilterInformation(Filter, FilterAggregateBasicInformation, Buffer, sizeof(*Basic), &Needed) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltGetFilterInformation(Filter, FilterAggregateBasicInformation, Buffer, Needed, &Bytes) ==
                STATUS_SUCCESS &&
            Basic->Flags == FLTFL_AGGREGATE_INFO_IS_MINIFILTER &&
            Same(Buffer + Basic->Type.MiniFilter.FilterAltitudeBufferOffset,
                 Basic->Type.MiniFilter.FilterAltitudeLength, L"200"));
    FvCheck(FltGetFilterInformation(Filter, FilterAggregateStandardInformation, Buffer, sizeof(Buffer), &Bytes) ==
                STATUS_SUCCESS &&
            Same(Buffer + Standard->Type.MiniFilter.FilterNameBufferOffset, Standard->Type.MiniFilter.FilterNameLength,
                 L"query"));
    FvCheck(FltGetFilterInformation(Filter, 9, Buffer, sizeof(Buffer), &Bytes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltEnumerateFilterInformation(0, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) == STATUS_SUCCESS &&
            Same(Full->FilterNameBuffer, Full->FilterNameLength, L"other")); /* the one farthest from the file system */
    FvCheck(FltEnumerateFilterInformation(1, FilterFullInformation, Buffer, 1, &Bytes) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltEnumerateFilterInformation(2, FilterFullInformation, Buffer, sizeof(Buffer), &Bytes) ==
            STATUS_NO_MORE_ENTRIES);
}

static VOID CheckInstanceInformation(VOID)
{
    PINSTANCE_FULL_INFORMATION Full = (PVOID)Buffer;
    PINSTANCE_AGGREGATE_STANDARD_INFORMATION Standard = (PVOID)Buffer;
    ULONG Needed = 0;

    FvCheck(FltGetInstanceInformation(Bottom, InstanceBasicInformation, Buffer, sizeof(INSTANCE_BASIC_INFORMATION),
                                      &Needed) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltGetInstanceInformation(Bottom, InstanceBasicInformation, Buffer, Needed, &Bytes) == STATUS_SUCCESS &&
            Same(Buffer + Full->InstanceNameBufferOffset, Full->InstanceNameLength, L"low"));
    FvCheck(FltGetInstanceInformation(Bottom, InstancePartialInformation, Buffer, sizeof(Buffer), &Bytes) ==
                STATUS_SUCCESS &&
            Same(Buffer + Full->AltitudeBufferOffset, Full->AltitudeLength, L"37.5"));
    FvCheck(FltGetInstanceInformation(Bottom, InstanceFullInformation, Buffer, sizeof(Buffer), &Bytes) ==
                STATUS_SUCCESS &&
            Same(Buffer + Full->VolumeNameBufferOffset, Full->VolumeNameLength, L"\\Device\\HarddiskVolume1") &&
            Same(Buffer + Full->FilterNameBufferOffset, Full->FilterNameLength, L"query"));
    FvCheck(FltGetInstanceInformation(Bottom, InstanceAggregateStandardInformation, Buffer, sizeof(Buffer), &Bytes) ==
                STATUS_SUCCESS &&
            Standard->Type.MiniFilter.VolumeFileSystemType == FLT_FSTYPE_RAW &&
            Same(Buffer + Standard->Type.MiniFilter.AltitudeBufferOffset, Standard->Type.MiniFilter.AltitudeLength,
                 L"37.5"));
    FvCheck(FltGetInstanceInformation(Bottom, 9, Buffer, sizeof(Buffer), &Bytes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltEnumerateInstanceInformationByVolume(Volume, 0, InstanceBasicInformation, Buffer, sizeof(Buffer),
                                                    &Bytes) == STATUS_SUCCESS &&
            Same(Buffer + Full->InstanceNameBufferOffset, Full->InstanceNameLength, L"other Instance"));
    FvCheck(FltEnumerateInstanceInformationByVolume(Volume, 2, InstanceBasicInformation, Buffer, 1, &Bytes) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(FltEnumerateInstanceInformationByVolume(Volume, 3, InstanceBasicInformation, Buffer, sizeof(Buffer),
                                                    &Bytes) == STATUS_NO_MORE_ENTRIES);
    FvCheck(FltEnumerateInstanceInformationByFilter(Filter, 3, InstanceBasicInformation, Buffer, sizeof(Buffer),
                                                    &Bytes) == STATUS_SUCCESS);
    FvCheck(FltEnumerateInstanceInformationByFilter(Filter, 4, InstanceBasicInformation, Buffer, sizeof(Buffer),
                                                    &Bytes) == STATUS_NO_MORE_ENTRIES);
}

/* More than any fixed list has. */
static VOID CheckMany(VOID)
{
    WCHAR Digits[] = L"1000";
    UNICODE_STRING Altitude = {8, 8, Digits};
    PFLT_INSTANCE Instances[MANY + 8];
    ULONG Count = 0, Attached = 0;

    for (ULONG Index = 0; Index < MANY; Index++) {
        Digits[2] = (WCHAR)('0' + Index / 10);
        Digits[3] = (WCHAR)('0' + Index % 10);
        Attached += NT_SUCCESS(FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, NULL, NULL));
    }
    FvCheck(Attached == MANY);
    while (FltEnumerateInstanceInformationByFilter(Filter, Count, InstanceFullInformation, Buffer, sizeof(Buffer),
                                                   &Bytes) == STATUS_SUCCESS)
        Count++;
    FvCheck(Count == MANY + 4);
    for (Count = 0; FltEnumerateInstanceInformationByVolume(Volume, Count, InstanceFullInformation, Buffer,
                                                            sizeof(Buffer), &Bytes) == STATUS_SUCCESS;)
        Count++;
    FvCheck(Count == MANY + 3);
    FvCheck(FltEnumerateInstances(Volume, NULL, Instances, MANY + 8, &Count) == STATUS_SUCCESS && Count == MANY + 3);
    while (Count-- > 0)
        FltObjectDereference(Instances[Count]);
}

/* Of the read that the scenario makes at the end. */
static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (!Idle && FltObjects->Instance == Mine) {
        FvCheck(FltGetRequestorProcess(Data) == IoThreadToProcess(Data->Thread));
        FvCheck(FltGetRequestorProcessIdEx(Data) == PsGetProcessId(FltGetRequestorProcess(Data)));
        FvCheck(FltGetRequestorProcessId(Data) == HandleToUlong(FltGetRequestorProcessIdEx(Data)) &&
                FltGetRequestorProcessId(Data) != 0);
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (!Idle) {
        FltObjectDereference(Volume);
        FltObjectDereference(Other);
    }
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Idle = ReadNumber(RegistryPath, L"Idle");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (Idle)
        return Status;
    FvTestPlan(13 + 6 + 9 + 21 + 14 + 12 + 9 + 11 + 4 + 3);
    Volume = OpenVolume(Filter);
    FltGetFilterFromName(TEXT(L"other"), &Other);
    FltGetVolumeInstanceFromName(Filter, Volume, TEXT(L"high"), &Mine);
    FltGetVolumeInstanceFromName(Filter, Volume, TEXT(L"low"), &Bottom);
    FltGetVolumeInstanceFromName(Other, Volume, NULL, &Top);
    CheckNames();
    CheckPageable();
    CheckDevices();
    CheckVolume();
    CheckOrder();
    CheckLists();
    CheckFilterInformation();
    CheckInstanceInformation();
    FltObjectDereference(Top);
    FltObjectDereference(Bottom);
    FltObjectDereference(Mine);
    CheckMany();
    return Status;
}
