/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_CREATE.
 */
#include "ntfs.h"

static NTSTATUS NtfsCreateLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack)
{
    PFILE_OBJECT FileObject = Stack->FileObject;

    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->LockHolder != NULL) {
        return STATUS_ACCESS_DENIED;
    }
    if (FileObject->FileName.Length == 0 && FileObject->RelatedFileObject == NULL) {
        return NtfsOpenVolumeLocked(Volume, Stack);
    }
    return STATUS_NOT_IMPLEMENTED; /* files come next */
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, STATUS_SUCCESS, FILE_OPENED); /* the file system itself, as filters do */
    }
    NtfsLockLibrary();
    Status = NtfsCreateLocked(Volume, IoGetCurrentIrpStackLocation(Irp));
    NtfsUnlockLibrary();
    if (Status == STATUS_VOLUME_DISMOUNTED) {
        NtfsDeleteVolumeIfUnused(Volume, 1); /* this open held it */
    }
    return DriverComplete(Irp, Status, NT_SUCCESS(Status) ? FILE_OPENED : 0);
}
