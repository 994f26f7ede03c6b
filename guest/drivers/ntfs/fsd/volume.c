/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volume itself, opened by its device's name: sectors, for those who back up, repair and lock volumes.
 */
#include "ntfs.h"

static NTSTATUS NtfsReferenceVolumeStreamLocked(PNTFS_VOLUME Volume)
{
    PNTFS_VOLUME_STREAM Stream = Volume->Stream;

    if (Stream == NULL) {
        Stream = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Stream), NTFS_TAG_VOLUME);
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

/* Opened without sharing, the volume has no other file open, and none is opened while it is (NtfsCreate). */
NTSTATUS NtfsOpenVolumeLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack)
{
    PFILE_OBJECT FileObject = Stack->FileObject;
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    NTSTATUS Status;

    if ((Disposition != FILE_OPEN && Disposition != FILE_OPEN_IF) ||
        (Stack->Parameters.Create.Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    Status = IoCheckShareAccess(Stack->Parameters.Create.SecurityContext->DesiredAccess,
                                Stack->Parameters.Create.ShareAccess, FileObject, &Volume->ShareAccess, TRUE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsReferenceVolumeStreamLocked(Volume);
    if (!NT_SUCCESS(Status)) {
        IoRemoveShareAccess(FileObject, &Volume->ShareAccess);
        return Status;
    }
    FileObject->FsContext = Volume->Stream;
    FileObject->FsContext2 = NULL;
    FileObject->Vpb = Volume->Vpb;
    FileObject->Flags |= FO_NO_INTERMEDIATE_BUFFERING;
    return STATUS_SUCCESS;
}

VOID NtfsCleanupVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject)
{
    IoRemoveShareAccess(FileObject, &Volume->ShareAccess);
    if (Volume->LockHolder == FileObject) {
        Volume->LockHolder = NULL;
        DriverUnlockVpb(Volume->Vpb);
    }
}

VOID NtfsCloseVolume(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject)
{
    PNTFS_VOLUME_STREAM Last = NULL;

    NtfsLockLibrary();
    FileObject->FsContext = NULL;
    Volume->OpenCount--;
    if (Volume->OpenCount == Volume->FileCount) {
        Last = Volume->Stream;
        Volume->Stream = NULL;
    }
    NtfsUnlockLibrary();
    if (Last != NULL) {
        FsRtlTeardownPerStreamContexts(&Last->Header);
        ExFreePoolWithTag(Last, NTFS_TAG_VOLUME);
    }
}
