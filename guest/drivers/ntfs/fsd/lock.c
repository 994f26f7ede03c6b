/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_LOCK_CONTROL: byte ranges of streams, which FsRtl keeps.
 */
#include "ntfs.h"

/* <= APC_LEVEL.  Whether others' locks let the transfer pass.  Paging transfers are not asked. */
BOOLEAN NtfsMayTransfer(PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LARGE_INTEGER Length = {.QuadPart = Stack->Parameters.Write.Length};
    LARGE_INTEGER Offset = Stack->Parameters.Write.ByteOffset;

    if ((Irp->Flags & IRP_PAGING_IO) != 0) {
        return TRUE;
    }
    if (Stack->MajorFunction == IRP_MJ_READ) {
        return FsRtlCheckLockForReadAccess(&Stream->Locks, Irp);
    }
    if (Offset.HighPart == -1 && Offset.LowPart == FILE_WRITE_TO_END_OF_FILE) {
        Offset = Stream->Header.FileSize;
    }
    return FsRtlFastCheckLockForWrite(&Stream->Locks, &Offset, &Length, Stack->Parameters.Write.Key, Stack->FileObject,
                                      IoGetRequestorProcess(Irp));
}

/* ---- without a request: what has to wait, or is refused, is a request's ---- */

static PNTFS_STREAM NtfsStreamOfFastLock(PFILE_OBJECT FileObject, PDEVICE_OBJECT DeviceObject)
{
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = Volume->IsVolume ? NtfsStreamOf(FileObject) : NULL;

    if (Stream == NULL || !NT_SUCCESS(NtfsCheckUsable(Volume, Stream)) ||
        (Stream->File->IsDirectory && Stream->Name.Length == 0) ||
        !FsRtlOplockIsFastIoPossible(&Stream->Header.Oplock)) {
        return NULL;
    }
    return Stream;
}

BOOLEAN NTAPI NtfsFastLock(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length, PEPROCESS Process,
                           ULONG Key, BOOLEAN FailImmediately, BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus,
                           PDEVICE_OBJECT DeviceObject)
{
    PNTFS_STREAM Stream = NtfsStreamOfFastLock(FileObject, DeviceObject);

    return Stream != NULL && FsRtlFastLock(&Stream->Locks, FileObject, FileOffset, Length, Process, Key,
                                           FailImmediately, ExclusiveLock, IoStatus, NULL, FALSE);
}

BOOLEAN NTAPI NtfsFastUnlockSingle(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                   PEPROCESS Process, ULONG Key, PIO_STATUS_BLOCK IoStatus, PDEVICE_OBJECT DeviceObject)
{
    PNTFS_STREAM Stream = NtfsStreamOfFastLock(FileObject, DeviceObject);

    if (Stream == NULL) {
        return FALSE;
    }
    IoStatus->Information = 0;
    IoStatus->Status = FsRtlFastUnlockSingle(&Stream->Locks, FileObject, FileOffset, Length, Process, Key, NULL, FALSE);
    return TRUE;
}

BOOLEAN NTAPI NtfsFastUnlockAll(PFILE_OBJECT FileObject, PEPROCESS Process, PIO_STATUS_BLOCK IoStatus,
                                PDEVICE_OBJECT DeviceObject)
{
    PNTFS_STREAM Stream = NtfsStreamOfFastLock(FileObject, DeviceObject);

    if (Stream == NULL) {
        return FALSE;
    }
    IoStatus->Information = 0;
    IoStatus->Status = FsRtlFastUnlockAll(&Stream->Locks, FileObject, Process, NULL);
    return TRUE;
}

BOOLEAN NTAPI NtfsFastUnlockAllByKey(PFILE_OBJECT FileObject, PVOID Process, ULONG Key, PIO_STATUS_BLOCK IoStatus,
                                     PDEVICE_OBJECT DeviceObject)
{
    PNTFS_STREAM Stream = NtfsStreamOfFastLock(FileObject, DeviceObject);

    if (Stream == NULL) {
        return FALSE;
    }
    IoStatus->Information = 0;
    IoStatus->Status = FsRtlFastUnlockAllByKey(&Stream->Locks, FileObject, Process, Key, NULL);
    return TRUE;
}

/* PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NTAPI NtfsLockControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = Volume->IsVolume ? NtfsStreamOf(Stack->FileObject) : NULL;
    NTSTATUS Status;

    if (Stream == NULL) {
        return NtfsComplete(Irp, Volume->IsVolume ? STATUS_INVALID_PARAMETER : STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    Status = NtfsCheckUsable(Volume, Stream);
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    if (Stream->File->IsDirectory && Stream->Name.Length == 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    return FsRtlProcessFileLock(&Stream->Locks, Irp, NULL);
}
