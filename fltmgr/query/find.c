/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * find.c: finding filters, volumes and instances.  What is found is referenced: the caller gives it back by
 * FltObjectDereference.
 */
#include <hold.h>
#include "query.h"

/*
 * The object after Previous in one of the two lists, whose reference is given up.  Next holds the place: an
 * object that is referenced stays in its list.  IRQL: <= DISPATCH_LEVEL.
 */
static PFLTP_OBJECT FltpNextObject(PLIST_ENTRY Head, PFLTP_OBJECT Previous, SIZE_T LinkOffset)
{
    PFLTP_OBJECT Found = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    PLIST_ENTRY Link = Previous == NULL ? Head->Flink : ((PLIST_ENTRY)((PUCHAR)Previous + LinkOffset))->Flink;

    for (; Link != Head; Link = Link->Flink) {
        PFLTP_OBJECT Object = (PFLTP_OBJECT)((PUCHAR)Link - LinkOffset);

        if (FltpAcquireRundown(&Object->Rundown)) {
            Found = Object;
            break;
        }
    }
    KeReleaseSpinLock(&FltpLock, Irql);
    if (Previous != NULL)
        FltpReleaseRundown(&Previous->Rundown);
    return Found;
}

PFLT_FILTER FltpNextFilter(PFLT_FILTER Previous)
{
    return (PFLT_FILTER)FltpNextObject(&FltpFilters, (PFLTP_OBJECT)Previous, FIELD_OFFSET(FLT_FILTER, Link));
}

PFLT_VOLUME FltpNextVolume(PFLT_VOLUME Previous)
{
    return (PFLT_VOLUME)FltpNextObject(&FltpVolumes, (PFLTP_OBJECT)Previous, FIELD_OFFSET(FLT_VOLUME, Link));
}

typedef BOOLEAN FLTP_MATCH(PFLTP_OBJECT Object, const VOID *Wanted);

/*
 * The first object of a list that matches and is not going, or NotFound; STATUS_FLT_DELETING_OBJECT when only such
 * as are going match.  IRQL: <= DISPATCH_LEVEL.
 */
static NTSTATUS FltpFindObject(PLIST_ENTRY Head, SIZE_T LinkOffset, FLTP_MATCH *Matches, const VOID *Wanted,
                               NTSTATUS NotFound, PFLTP_OBJECT *Found)
{
    NTSTATUS Status = NotFound;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);

    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink) {
        PFLTP_OBJECT Object = (PFLTP_OBJECT)((PUCHAR)Link - LinkOffset);

        if (!Matches(Object, Wanted))
            continue;
        if (FltpAcquireRundown(&Object->Rundown)) {
            *Found = Object;
            Status = STATUS_SUCCESS;
            break;
        }
        Status = STATUS_FLT_DELETING_OBJECT;
    }
    KeReleaseSpinLock(&FltpLock, Irql);
    return Status;
}

static BOOLEAN FltpFilterHasName(PFLTP_OBJECT Object, const VOID *Name)
{
    return FltpEqualNames(&((PFLT_FILTER)Object)->Name, Name);
}

static BOOLEAN FltpVolumeHasName(PFLTP_OBJECT Object, const VOID *Name)
{
    return FltpEqualNames(&((PFLT_VOLUME)Object)->Name, Name);
}

/* A filter manager's or a file system's device of the volume, not the disk's. */
static BOOLEAN FltpVolumeHasDevice(PFLTP_OBJECT Object, const VOID *Device)
{
    PFLT_VOLUME Volume = (PFLT_VOLUME)Object;

    return Volume->Device == Device || Volume->FileSystem == Device || Volume->Below == Device;
}

NTSTATUS FltpFindFilter(PCUNICODE_STRING Name, PFLT_FILTER *Found)
{
    FLTP_RESIDENT_NAME Wanted;

    if (!FltpCopyName(&Wanted, Name))
        return STATUS_FLT_FILTER_NOT_FOUND;
    return FltpFindObject(&FltpFilters, FIELD_OFFSET(FLT_FILTER, Link), FltpFilterHasName, &Wanted.String,
                          STATUS_FLT_FILTER_NOT_FOUND, (PFLTP_OBJECT *)Found);
}

static NTSTATUS FltpFindVolume(PCUNICODE_STRING Name, PFLT_VOLUME *Found)
{
    FLTP_RESIDENT_NAME Wanted;

    if (!FltpCopyName(&Wanted, Name))
        return STATUS_FLT_VOLUME_NOT_FOUND;
    if (Wanted.String.Length > 0 && Wanted.Text[Wanted.String.Length / sizeof(WCHAR) - 1] == '\\')
        Wanted.String.Length -= sizeof(WCHAR);
    return FltpFindObject(&FltpVolumes, FIELD_OFFSET(FLT_VOLUME, Link), FltpVolumeHasName, &Wanted.String,
                          STATUS_FLT_VOLUME_NOT_FOUND, (PFLTP_OBJECT *)Found);
}

NTSTATUS FLTAPI FltGetFilterFromName(PCUNICODE_STRING FilterName, PFLT_FILTER *RetFilter)
{
    NTSTATUS Status = FltpFindFilter(FilterName, RetFilter);

    if (NT_SUCCESS(Status))
        FltpHandOut(*RetFilter);
    return Status;
}

NTSTATUS FLTAPI FltGetFilterFromInstance(PFLT_INSTANCE Instance, PFLT_FILTER *RetFilter)
{
    if (!FltpAcquireRundown(&Instance->Filter->Object.Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    FltpHandOut(Instance->Filter);
    *RetFilter = Instance->Filter;
    return STATUS_SUCCESS;
}

/* A volume's device name, or a drive as C: or \??\C:, which is a link to one.  Referenced, not handed out. */
NTSTATUS FltpVolumeFromName(PCUNICODE_STRING VolumeName, PFLT_VOLUME *RetVolume)
{
    WCHAR LinkBuffer[64], TargetBuffer[128];
    UNICODE_STRING Link = {0, sizeof(LinkBuffer), LinkBuffer}, Target = {0, sizeof(TargetBuffer), TargetBuffer};
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;
    HANDLE Handle;

    if (VolumeName->Length == 0)
        return STATUS_INVALID_PARAMETER;
    Status = FltpFindVolume(VolumeName, RetVolume);
    if (Status != STATUS_FLT_VOLUME_NOT_FOUND)
        return Status;
    if (VolumeName->Buffer[0] != '\\')
        RtlAppendUnicodeToString(&Link, L"\\??\\");
    if (!NT_SUCCESS(RtlAppendUnicodeStringToString(&Link, VolumeName)))
        return STATUS_FLT_VOLUME_NOT_FOUND;
    InitializeObjectAttributes(&Attributes, &Link, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwOpenSymbolicLinkObject(&Handle, GENERIC_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_INSUFFICIENT_RESOURCES ? Status : STATUS_FLT_VOLUME_NOT_FOUND;
    Status = STATUS_FLT_VOLUME_NOT_FOUND;
    if (NT_SUCCESS(ZwQuerySymbolicLinkObject(Handle, &Target, NULL)))
        Status = FltpFindVolume(&Target, RetVolume);
    ZwClose(Handle);
    return Status;
}

NTSTATUS FLTAPI FltGetVolumeFromName(PFLT_FILTER Filter, PCUNICODE_STRING VolumeName, PFLT_VOLUME *RetVolume)
{
    NTSTATUS Status = FltpVolumeFromName(VolumeName, RetVolume);

    UNREFERENCED_PARAMETER(Filter);
    if (NT_SUCCESS(Status))
        FltpHandOut(*RetVolume);
    return Status;
}

NTSTATUS FLTAPI FltGetVolumeFromInstance(PFLT_INSTANCE Instance, PFLT_VOLUME *RetVolume)
{
    if (!FltpAcquireRundown(&Instance->Volume->Object.Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    FltpHandOut(Instance->Volume);
    *RetVolume = Instance->Volume;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltGetVolumeFromDeviceObject(PFLT_FILTER Filter, PDEVICE_OBJECT DeviceObject, PFLT_VOLUME *RetVolume)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Filter);
    Status = FltpFindObject(&FltpVolumes, FIELD_OFFSET(FLT_VOLUME, Link), FltpVolumeHasDevice, DeviceObject,
                            STATUS_INVALID_PARAMETER, (PFLTP_OBJECT *)RetVolume);
    if (NT_SUCCESS(Status))
        FltpHandOut(*RetVolume);
    return Status;
}

NTSTATUS FLTAPI FltGetVolumeFromFileObject(PFLT_FILTER Filter, PFILE_OBJECT FileObject, PFLT_VOLUME *RetVolume)
{
    PVPB Vpb = FileObject->Vpb;

    if (Vpb == NULL && FileObject->DeviceObject != NULL)
        Vpb = FileObject->DeviceObject->Vpb;
    if (Vpb != NULL && Vpb->DeviceObject != NULL)
        return FltGetVolumeFromDeviceObject(Filter, Vpb->DeviceObject, RetVolume);
    return FltGetVolumeFromDeviceObject(Filter, FileObject->DeviceObject, RetVolume);
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltGetDeviceObject(PFLT_VOLUME Volume, PDEVICE_OBJECT *DeviceObject)
{
    if (Volume->Detached)
        return STATUS_FLT_NO_DEVICE_OBJECT;
    FvReferenceForCaller(Volume->Device, _ReturnAddress());
    *DeviceObject = Volume->Device;
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltGetDiskDeviceObject(PFLT_VOLUME Volume, PDEVICE_OBJECT *DiskDeviceObject)
{
    if (Volume->Disk == NULL)
        return STATUS_FLT_NO_DEVICE_OBJECT;
    FvReferenceForCaller(Volume->Disk, _ReturnAddress());
    *DiskDeviceObject = Volume->Disk;
    return STATUS_SUCCESS;
}

BOOLEAN FLTAPI FltIsFltMgrVolumeDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    return DeviceObject->DriverObject == FltpDriverObject &&
           ((PFLTP_DEVICE)DeviceObject->DeviceExtension)->Kind == FltpKindVolume;
}

NTSTATUS FLTAPI FltGetVolumeName(PFLT_VOLUME Volume, PUNICODE_STRING VolumeName, PULONG BufferSizeNeeded)
{
    if (VolumeName == NULL && BufferSizeNeeded == NULL)
        return STATUS_INVALID_PARAMETER;
    if (BufferSizeNeeded != NULL)
        *BufferSizeNeeded = Volume->Name.Length;
    if (VolumeName == NULL)
        return STATUS_BUFFER_TOO_SMALL;
    if (VolumeName->MaximumLength < Volume->Name.Length) {
        VolumeName->Length = 0;
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyUnicodeString(VolumeName, &Volume->Name);
    return STATUS_SUCCESS;
}

static VOID FltpPutString(PUNICODE_STRING String, PCUNICODE_STRING From, PUCHAR *Place)
{
    String->Buffer = (PWCH)*Place;
    String->Length = String->MaximumLength = From->Length;
    RtlCopyMemory(String->Buffer, From->Buffer, From->Length);
    *Place += From->Length;
}

NTSTATUS FLTAPI FltGetVolumeProperties(PFLT_VOLUME Volume, PFLT_VOLUME_PROPERTIES VolumeProperties,
                                       ULONG VolumePropertiesLength, PULONG LengthReturned)
{
    PDEVICE_OBJECT Device = Volume->Disk != NULL ? Volume->Disk : Volume->Device;
    ULONG Needed =
        sizeof(*VolumeProperties) + Volume->DriverName.Length + Volume->FileSystemName.Length + Volume->Name.Length;
    PUCHAR Place = (PUCHAR)(VolumeProperties + 1);

    if (VolumeProperties == NULL || VolumePropertiesLength < sizeof(*VolumeProperties)) {
        *LengthReturned = Needed;
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(VolumeProperties, sizeof(*VolumeProperties));
    VolumeProperties->DeviceType = Volume->Device->DeviceType;
    VolumeProperties->DeviceCharacteristics = Volume->Device->Characteristics;
    VolumeProperties->DeviceObjectFlags = Volume->Device->Flags;
    VolumeProperties->AlignmentRequirement = Device->AlignmentRequirement;
    VolumeProperties->SectorSize = Device->SectorSize != 0 ? Device->SectorSize : Volume->Device->SectorSize;
    if (VolumePropertiesLength < Needed) {
        *LengthReturned = sizeof(*VolumeProperties);
        return STATUS_BUFFER_OVERFLOW;
    }
    FltpPutString(&VolumeProperties->FileSystemDriverName, &Volume->DriverName, &Place);
    FltpPutString(&VolumeProperties->FileSystemDeviceName, &Volume->FileSystemName, &Place);
    FltpPutString(&VolumeProperties->RealDeviceName, &Volume->Name, &Place);
    *LengthReturned = Needed;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltGetFileSystemType(PVOID FltObject, PFLT_FILESYSTEM_TYPE FileSystemType)
{
    PFLTP_OBJECT Object = FltObject;

    if (Object->Magic == FLTP_MAGIC_VOLUME)
        *FileSystemType = ((PFLT_VOLUME)FltObject)->Type;
    else if (Object->Magic == FLTP_MAGIC_INSTANCE)
        *FileSystemType = ((PFLT_INSTANCE)FltObject)->Volume->Type;
    else
        *FileSystemType = FLT_FSTYPE_UNKNOWN;
    return Object->Magic == FLTP_MAGIC_VOLUME || Object->Magic == FLTP_MAGIC_INSTANCE ? STATUS_SUCCESS
                                                                                      : STATUS_INVALID_PARAMETER;
}
