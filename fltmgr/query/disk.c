/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk.c: what a volume's disk says: whether it can be written, whether it is a snapshot, its name by GUID.  IRQL: PASSIVE_LEVEL. */
#include "query.h"

#include <ntdddisk.h>

#include <mountdev.h>

/* A volume's, or an instance's; NULL: what was given is neither. */
static PFLT_VOLUME FltpVolumeOf(PVOID FltObject)
{
    PFLTP_OBJECT Object = FltObject;

    if (Object->Magic == FLTP_MAGIC_VOLUME)
        return FltObject;
    return Object->Magic == FLTP_MAGIC_INSTANCE ? ((PFLT_INSTANCE)FltObject)->Volume : NULL;
}

/* A control code that takes nothing, to the disk's own stack: no filter of files sees it. */
static NTSTATUS FltpAskDisk(PDEVICE_OBJECT Disk, ULONG Code, PVOID Output, ULONG Length)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(Code, Disk, NULL, 0, Output, Length, FALSE, &Event, &IoStatus);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = IoCallDriver(Disk, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    return Status;
}

NTSTATUS FLTAPI FltIsVolumeWritable(PVOID FltObject, PBOOLEAN IsWritable)
{
    PFLT_VOLUME Volume = FltpVolumeOf(FltObject);
    NTSTATUS Status;

    *IsWritable = FALSE;
    if (Volume == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Volume->Disk == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    Status = FltpAskDisk(Volume->Disk, IOCTL_DISK_IS_WRITABLE, NULL, 0);
    *IsWritable = NT_SUCCESS(Status);
    return Status == STATUS_MEDIA_WRITE_PROTECTED ? STATUS_SUCCESS : Status;
}

/* This machine makes no snapshots. */
NTSTATUS FLTAPI FltIsVolumeSnapshot(PVOID FltObject, PBOOLEAN IsSnapshotVolume)
{
    PFLT_VOLUME Volume = FltpVolumeOf(FltObject);

    *IsSnapshotVolume = FALSE;
    if (Volume == NULL)
        return STATUS_INVALID_PARAMETER;
    return Volume->Disk != NULL ? STATUS_SUCCESS : STATUS_FLT_NO_DEVICE_OBJECT;
}

/* \??\Volume{GUID}: the link that the volume's driver made. */
NTSTATUS FLTAPI FltGetVolumeGuidName(PFLT_VOLUME Volume, PUNICODE_STRING VolumeGuidName, PULONG BufferSizeNeeded)
{
    static const ULONG Needed = (sizeof("\\??\\Volume{00000000-0000-0000-0000-000000000000}") - 1) * sizeof(WCHAR);
    MOUNTDEV_STABLE_GUID Stable;
    UNICODE_STRING Text;
    NTSTATUS Status;

    if (Volume->Disk == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    if (BufferSizeNeeded != NULL)
        *BufferSizeNeeded = Needed;
    if (VolumeGuidName == NULL || VolumeGuidName->MaximumLength < Needed)
        return STATUS_BUFFER_TOO_SMALL;
    Status = FltpAskDisk(Volume->Disk, IOCTL_MOUNTDEV_QUERY_STABLE_GUID, &Stable, sizeof(Stable));
    if (Status == STATUS_INSUFFICIENT_RESOURCES)
        return Status;
    if (!NT_SUCCESS(Status))
        return STATUS_FLT_VOLUME_NOT_FOUND;
    Status = RtlStringFromGUID(&Stable.StableGuid, &Text);
    if (!NT_SUCCESS(Status))
        return STATUS_INSUFFICIENT_RESOURCES;
    VolumeGuidName->Length = 0;
    Status = RtlAppendUnicodeToString(VolumeGuidName, L"\\??\\Volume");
    if (NT_SUCCESS(Status))
        Status = RtlAppendUnicodeStringToString(VolumeGuidName, &Text);
    RtlFreeUnicodeString(&Text);
    return Status;
}
