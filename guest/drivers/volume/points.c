/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount manager, as far as it is asked which names lead to which volume: \Device\MountPointManager.
 *
 * Each volume has two names, its letter (\DosDevices\C:, while letters last) and \??\Volume{GUID}; they do not change, so
 * every other request is refused.
 */
#include "volume.h"
#include <request.h>
#include <mountmgr.h>
#include <ntstrsafe.h>

#define VOLUME_MOST_ID   24
#define VOLUME_MOST_NAME 64 /* characters */

/* A name of a volume: a triple. */
typedef struct _VOLUME_POINT {
    WCHAR Link[VOLUME_MOST_NAME], Device[VOLUME_MOST_NAME];
    UCHAR Id[VOLUME_MOST_ID];
    ULONG LinkLength, DeviceLength, IdLength; /* bytes */
} VOLUME_POINT, *PVOLUME_POINT;

/* What the caller gives of a triple; length 0: it does not. */
typedef struct _VOLUME_WANTED {
    const VOID *Link, *Device, *Id;
    ULONG LinkLength, DeviceLength, IdLength;
} VOLUME_WANTED, *PVOLUME_WANTED;

/* As the storage stack has it: an MBR's signature and the partition's first byte; a GPT partition's own id. */
static VOID VolumeUniqueId(PVOLUME_EXTENSION Extension, PVOLUME_POINT Point)
{
    if (Extension->Style == PARTITION_STYLE_GPT) {
        RtlCopyMemory(Point->Id, "DMIO:ID:", 8);
        RtlCopyMemory(Point->Id + 8, &Extension->GptId, sizeof(GUID));
        Point->IdLength = 8 + sizeof(GUID);
    } else {
        RtlCopyMemory(Point->Id, &Extension->StableId.Data1, sizeof(ULONG));
        RtlCopyMemory(Point->Id + sizeof(ULONG), &Extension->Start, sizeof(LONGLONG));
        Point->IdLength = sizeof(ULONG) + sizeof(LONGLONG);
    }
}

static ULONG VolumeTextLength(const WCHAR *Text)
{
    return (ULONG)wcslen(Text) * sizeof(WCHAR);
}

/* The volume's name of that number; FALSE when it has none.  PASSIVE_LEVEL. */
static BOOLEAN VolumeMakePoint(PVOLUME_EXTENSION Extension, ULONG Which, PVOLUME_POINT Point)
{
    UNICODE_STRING Guid;

    if (Which == 0) {
        if (Extension->Number > L'Z' - L'C' + 1) {
            return FALSE;
        }
        RtlStringCbPrintfW(Point->Link, sizeof(Point->Link), L"\\DosDevices\\%c:",
                           (WCHAR)(L'C' + Extension->Number - 1));
    } else {
        if (!NT_SUCCESS(RtlStringFromGUID(&Extension->StableId, &Guid))) {
            return FALSE;
        }
        RtlStringCbPrintfW(Point->Link, sizeof(Point->Link), L"\\??\\Volume%wZ", &Guid);
        RtlFreeUnicodeString(&Guid);
    }
    RtlStringCbPrintfW(Point->Device, sizeof(Point->Device), L"\\Device\\HarddiskVolume%u", Extension->Number);
    Point->LinkLength = VolumeTextLength(Point->Link);
    Point->DeviceLength = VolumeTextLength(Point->Device);
    VolumeUniqueId(Extension, Point);
    return TRUE;
}

static BOOLEAN VolumeIsText(const VOID *One, ULONG OneLength, const WCHAR *Two, ULONG TwoLength)
{
    UNICODE_STRING A = {(USHORT)OneLength, (USHORT)OneLength, (PWCH)One};
    UNICODE_STRING B = {(USHORT)TwoLength, (USHORT)TwoLength, (PWCH)Two};

    return OneLength == TwoLength && RtlEqualUnicodeString(&A, &B, TRUE);
}

static BOOLEAN VolumeIsWanted(const VOLUME_WANTED *Wanted, const VOLUME_POINT *Point)
{
    return (Wanted->LinkLength == 0 ||
            VolumeIsText(Wanted->Link, Wanted->LinkLength, Point->Link, Point->LinkLength)) &&
           (Wanted->DeviceLength == 0 ||
            VolumeIsText(Wanted->Device, Wanted->DeviceLength, Point->Device, Point->DeviceLength)) &&
           (Wanted->IdLength == 0 ||
            (Wanted->IdLength == Point->IdLength && RtlEqualMemory(Wanted->Id, Point->Id, Point->IdLength)));
}

/* One of the three parts of what the caller gives: within the input, and at an even address if it is text. */
static BOOLEAN VolumeTakePart(const UCHAR *Input, ULONG InputLength, ULONG Offset, ULONG Length, const VOID **Part)
{
    *Part = Input + Offset;
    return Length == 0 || (Offset <= InputLength && Length <= InputLength - Offset && (Offset & 1) == 0);
}

static BOOLEAN VolumeTakeWanted(const UCHAR *Input, ULONG Length, PVOLUME_WANTED Wanted)
{
    const MOUNTMGR_MOUNT_POINT *Point = (const MOUNTMGR_MOUNT_POINT *)Input;

    if (Length < sizeof(*Point)) {
        return FALSE;
    }
    Wanted->LinkLength = Point->SymbolicLinkNameLength;
    Wanted->DeviceLength = Point->DeviceNameLength;
    Wanted->IdLength = Point->UniqueIdLength;
    return VolumeTakePart(Input, Length, Point->SymbolicLinkNameOffset, Wanted->LinkLength, &Wanted->Link) &&
           VolumeTakePart(Input, Length, Point->DeviceNameOffset, Wanted->DeviceLength, &Wanted->Device) &&
           VolumeTakePart(Input, Length, Point->UniqueIdOffset, Wanted->IdLength, &Wanted->Id);
}

static VOID VolumePut(PUCHAR Output, PULONG At, ULONG *Offset, USHORT *Length, const VOID *Bytes, ULONG Count)
{
    RtlCopyMemory(Output + *At, Bytes, Count);
    *Offset = *At;
    *Length = (USHORT)Count;
    *At += Count;
}

static VOID VolumePutPoint(PMOUNTMGR_MOUNT_POINTS Points, PULONG At, const VOLUME_POINT *Point)
{
    PMOUNTMGR_MOUNT_POINT Entry = &Points->MountPoints[Points->NumberOfMountPoints++];
    PUCHAR Output = (PUCHAR)Points;

    VolumePut(Output, At, &Entry->SymbolicLinkNameOffset, &Entry->SymbolicLinkNameLength, Point->Link,
              Point->LinkLength);
    VolumePut(Output, At, &Entry->UniqueIdOffset, &Entry->UniqueIdLength, Point->Id, Point->IdLength);
    VolumePut(Output, At, &Entry->DeviceNameOffset, &Entry->DeviceNameLength, Point->Device, Point->DeviceLength);
}

/* Calls back for each name that is wanted: counts them and their bytes, or puts them where At is. */
static VOID VolumeEachPoint(PDEVICE_OBJECT Manager, const VOLUME_WANTED *Wanted, PVOLUME_POINT Point, PULONG Count,
                            PULONG Bytes, PMOUNTMGR_MOUNT_POINTS Points, PULONG At)
{
    for (PDEVICE_OBJECT Device = Manager->DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        for (ULONG Which = 0; Device != Manager && Which < 2; Which++) {
            if (!VolumeMakePoint(Device->DeviceExtension, Which, Point) || !VolumeIsWanted(Wanted, Point)) {
                continue;
            }
            if (Points != NULL) {
                VolumePutPoint(Points, At, Point);
            } else {
                *Count += 1;
                *Bytes += Point->LinkLength + Point->IdLength + Point->DeviceLength;
            }
        }
    }
}

/* PASSIVE_LEVEL.  Source: the page IOCTL_MOUNTMGR_QUERY_POINTS. */
static NTSTATUS VolumeQueryPoints(PDEVICE_OBJECT Manager, PUCHAR Buffer, ULONG InputLength, ULONG OutputLength,
                                  PULONG_PTR Information)
{
    PMOUNTMGR_MOUNT_POINTS Points = (PMOUNTMGR_MOUNT_POINTS)Buffer;
    ULONG Count = 0, Bytes = 0, At;
    PVOLUME_POINT Point;
    VOLUME_WANTED Wanted;
    PUCHAR Input = NULL;
    NTSTATUS Status = STATUS_INVALID_PARAMETER;

    if (!VolumeTakeWanted(Buffer, InputLength, &Wanted) || OutputLength < sizeof(MOUNTMGR_MOUNT_POINTS)) {
        return STATUS_INVALID_PARAMETER;
    }
    /* The output comes where the input is. */
    Point = ExAllocatePoolWithTag(PagedPool, sizeof(*Point) + InputLength, VOLUME_TAG);
    if (Point == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Input = (PUCHAR)(Point + 1);
    RtlCopyMemory(Input, Buffer, InputLength);
    VolumeTakeWanted(Input, InputLength, &Wanted);
    VolumeEachPoint(Manager, &Wanted, Point, &Count, &Bytes, NULL, NULL);
    if (Count == 0 && (Wanted.IdLength != 0 || Wanted.DeviceLength != 0)) {
        goto Exit;
    }
    if (Count == 0 && Wanted.LinkLength != 0) {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
        goto Exit;
    }
    At = max((ULONG)FIELD_OFFSET(MOUNTMGR_MOUNT_POINTS, MountPoints) + Count * (ULONG)sizeof(MOUNTMGR_MOUNT_POINT),
             (ULONG)sizeof(MOUNTMGR_MOUNT_POINTS));
    RtlZeroMemory(Points, sizeof(*Points));
    Points->Size = At + Bytes;
    if (OutputLength < Points->Size) {
        Points->NumberOfMountPoints = Count;
        *Information = FIELD_OFFSET(MOUNTMGR_MOUNT_POINTS, MountPoints);
        Status = STATUS_BUFFER_OVERFLOW;
        goto Exit;
    }
    RtlZeroMemory(Points->MountPoints, At - FIELD_OFFSET(MOUNTMGR_MOUNT_POINTS, MountPoints));
    VolumeEachPoint(Manager, &Wanted, Point, &Count, &Bytes, Points, &At);
    *Information = Points->Size;
    Status = STATUS_SUCCESS;
Exit:
    ExFreePoolWithTag(Point, VOLUME_TAG);
    return Status;
}

/* What is asked of \Device\MountPointManager.  PASSIVE_LEVEL. */
NTSTATUS VolumeManagerControl(PDEVICE_OBJECT Manager, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR Information = 0;
    NTSTATUS Status;

    if (Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_MOUNTMGR_QUERY_POINTS) {
        DbgPrint("volume: the mount manager's request 0x%X is not implemented\n",
                 Stack->Parameters.DeviceIoControl.IoControlCode);
        return DriverComplete(Irp, STATUS_NOT_IMPLEMENTED, 0);
    }
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(&VolumeResource, TRUE);
    Status =
        VolumeQueryPoints(Manager, Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.DeviceIoControl.InputBufferLength,
                          Stack->Parameters.DeviceIoControl.OutputBufferLength, &Information);
    ExReleaseResourceLite(&VolumeResource);
    KeLeaveCriticalRegion();
    return DriverComplete(Irp, Status, Information);
}

/* Makes the device.  Without it volumes work all the same.  PASSIVE_LEVEL. */
NTSTATUS VolumeCreateManager(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(MOUNTMGR_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(L"\\??\\MountPointManager");
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(VOLUME_EXTENSION), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);

    if (NT_SUCCESS(Status)) {
        IoCreateSymbolicLink(&Link, &Name);
        Device->Flags &= ~DO_DEVICE_INITIALIZING;
    }
    return Status;
}
