/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_CLEANUP, when a file object's last handle is closed, and IRP_MJ_CLOSE, when nobody refers to it any more.
 */
#include "ntfs.h"

/* What it has changed since its first write shows in the file's times. */
static VOID NtfsTouchLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PFILE_OBJECT FileObject)
{
    PNTFS_HANDLE Handle = FileObject->FsContext2;

    if ((FileObject->Flags & FO_FILE_MODIFIED) != 0 && !Handle->KeepWritten && !Volume->Dismounted &&
        !Stream->Deleted) {
        NtfsLibraryTouch(Volume->Library, Stream->File->Id);
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = NtfsStreamOf(FileObject);
    LARGE_INTEGER Nothing = {.QuadPart = 0};

    if (Volume->IsVolume) {
        NtfsLockLibraryToEnd();
        if (Stream != NULL) {
            FsRtlNotifyCleanup(Volume->NotifySync, &Volume->Watches, FileObject->FsContext2);
            FsRtlFastUnlockAll(&Stream->Locks, FileObject, IoGetRequestorProcess(Irp), NULL);
            NtfsEndOplocksLocked(Stream, Irp);
            IoRemoveShareAccess(FileObject, &Stream->ShareAccess);
            NtfsTouchLocked(Volume, Stream, FileObject);
            NtfsEndHandleLocked(Volume, Stream, FileObject->FsContext2);
        } else {
            NtfsCleanupVolumeLocked(Volume, FileObject);
        }
        NtfsUnlockLibrary();
        if (FileObject->SectionObjectPointer != NULL) {
            CcUninitializeCacheMap(FileObject, Stream->Deleted ? &Nothing : NULL, NULL);
        }
        if (Stream != NULL) {
            NtfsSettleFile(Volume, FileObject, STATUS_SUCCESS); /* a cleanup does not fail */
        }
        FileObject->Flags |= FO_CLEANUP_COMPLETE;
    }
    return NtfsComplete(Irp, STATUS_SUCCESS, 0);
}

static VOID NtfsCloseFile(PFILE_OBJECT FileObject, PNTFS_STREAM Stream)
{
    PNTFS_HANDLE Handle = FileObject->FsContext2;

    FileObject->FsContext = NULL;
    FileObject->FsContext2 = NULL;
    NtfsLockLibraryToEnd();
    NtfsDereferenceLinkLocked(Handle->Link);
    NtfsFreeHandle(Handle);
    Stream = NtfsDereferenceStreamLocked(Stream);
    NtfsUnlockLibrary();
    if (Stream != NULL) {
        NtfsFreeStream(Stream);
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (Volume->IsVolume) {
        PNTFS_STREAM Stream = NtfsStreamOf(FileObject);

        if (Stream != NULL) {
            NtfsCloseFile(FileObject, Stream);
        } else {
            NtfsCloseVolume(Volume, FileObject);
        }
        NtfsDeleteVolumeIfUnused(Volume, 1); /* the closing file's */
    }
    return NtfsComplete(Irp, STATUS_SUCCESS, 0);
}
