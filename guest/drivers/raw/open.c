/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing the volume, and the end of a dismounted one.
 */
#include "raw.h"

VOID RawDeleteIfUnused(PRAW_VOLUME Volume, ULONG OwnReferences)
{
    BOOLEAN Delete = FALSE;
    KIRQL Irql;

    RawLock(Volume);
    if (Volume->Dismounted && !Volume->Deleted && Volume->OpenCount == 0) {
        IoAcquireVpbSpinLock(&Irql);
        if (Volume->Vpb->ReferenceCount <= OwnReferences) {
            Volume->Deleted = TRUE;
            Delete = TRUE;
        }
        IoReleaseVpbSpinLock(Irql);
    }
    RawUnlock(Volume);
    if (Delete) {
        if (Volume->NextVpb != NULL) {
            ExFreePoolWithTag(Volume->NextVpb, RAW_TAG_VPB);
        }
        IoDeleteDevice(Volume->Device);
    }
}

/* The first open makes the stream. */
static NTSTATUS RawReferenceStreamLocked(PRAW_VOLUME Volume)
{
    PRAW_STREAM Stream = Volume->Stream;

    if (Stream == NULL) {
        Stream = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Stream), RAW_TAG_STREAM);
        if (Stream == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlZeroMemory(Stream, sizeof(*Stream));
        ExInitializeFastMutex(&Stream->HeaderMutex);
        Stream->Header.NodeByteSize = sizeof(*Stream);
        FsRtlSetupAdvancedHeader(&Stream->Header, &Stream->HeaderMutex);
        Volume->Stream = Stream;
    }
    Volume->OpenCount++;
    return STATUS_SUCCESS;
}

/* What filters have hung on it goes first.  PASSIVE_LEVEL, without the lock. */
static VOID RawFreeStream(PRAW_STREAM Stream)
{
    FsRtlTeardownPerStreamContexts(&Stream->Header);
    ExFreePoolWithTag(Stream, RAW_TAG_STREAM);
}

static NTSTATUS RawOpenLocked(PRAW_VOLUME Volume, PIO_STACK_LOCATION Stack)
{
    PFILE_OBJECT FileObject = Stack->FileObject;
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    ULONG Options = Stack->Parameters.Create.Options & 0x00FFFFFF;
    NTSTATUS Status;

    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->LockHolder != NULL) {
        return STATUS_ACCESS_DENIED;
    }
    if (FileObject->FileName.Length != 0 || FileObject->RelatedFileObject != NULL) {
        return STATUS_OBJECT_PATH_NOT_FOUND; /* there are no files here */
    }
    if ((Disposition != FILE_OPEN && Disposition != FILE_OPEN_IF) || (Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    Status = IoCheckShareAccess(Stack->Parameters.Create.SecurityContext->DesiredAccess,
                                Stack->Parameters.Create.ShareAccess, FileObject, &Volume->ShareAccess, TRUE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = RawReferenceStreamLocked(Volume);
    if (!NT_SUCCESS(Status)) {
        IoRemoveShareAccess(FileObject, &Volume->ShareAccess);
        return Status;
    }
    FileObject->FsContext = Volume->Stream;
    FileObject->Vpb = Volume->Vpb;
    FileObject->Flags |= FO_NO_INTERMEDIATE_BUFFERING;
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, STATUS_SUCCESS, FILE_OPENED); /* the file system itself, as filters do */
    }
    Status = Volume->Dismounted ? STATUS_SUCCESS : DriverAskForMedium(Volume->Vpb->RealDevice, Volume->Target);
    if (NT_SUCCESS(Status)) {
        Status = RawLookAtMedium(Volume);
    }
    if (!NT_SUCCESS(Status)) {
        return DriverComplete(Irp, Status, 0);
    }
    if (Volume->Dismounted) {
        RawDeleteIfUnused(Volume, 1); /* this open held it */
        return DriverComplete(Irp, STATUS_REPARSE, IO_REMOUNT);
    }
    RawLock(Volume);
    Status = RawOpenLocked(Volume, IoGetCurrentIrpStackLocation(Irp));
    RawUnlock(Volume);
    if (Status == STATUS_VOLUME_DISMOUNTED) {
        RawDeleteIfUnused(Volume, 1); /* this open held it */
    }
    return DriverComplete(Irp, Status, NT_SUCCESS(Status) ? FILE_OPENED : 0);
}

/* The last handle is closed.  PASSIVE_LEVEL. */
NTSTATUS NTAPI RawCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;

    if (Volume->IsVolume) {
        RawLock(Volume);
        IoRemoveShareAccess(FileObject, &Volume->ShareAccess);
        if (Volume->LockHolder == FileObject) {
            Volume->LockHolder = NULL;
            DriverUnlockVpb(Volume->Vpb);
        }
        RawUnlock(Volume);
        FileObject->Flags |= FO_CLEANUP_COMPLETE;
    }
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    PRAW_STREAM Last = NULL;

    if (Volume->IsVolume) {
        RawLock(Volume);
        FileObject->FsContext = NULL;
        if (Volume->OpenCount == 1) {
            Last = Volume->Stream;
            Volume->Stream = NULL;
        }
        Volume->OpenCount--;
        RawUnlock(Volume);
        if (Last != NULL) {
            RawFreeStream(Last);
        }
        RawDeleteIfUnused(Volume, 1); /* the closing file's */
    }
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}
