/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_CLEANUP, when a file object's last handle is closed, and IRP_MJ_CLOSE, when nobody refers to it any more.
 */
#include "ntfs.h"

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (Volume->IsVolume) {
        NtfsLockLibrary();
        NtfsCleanupVolumeLocked(Volume, FileObject);
        NtfsUnlockLibrary();
        FileObject->Flags |= FO_CLEANUP_COMPLETE;
    }
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (Volume->IsVolume) {
        NtfsCloseVolume(Volume, FileObject);
        NtfsDeleteVolumeIfUnused(Volume, 1); /* the closing file's */
    }
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}
