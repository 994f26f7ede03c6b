/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FastIoQueryOpen: what may be known of a file without opening it.  The request is that of the open, which the question goes
 * on with when this says FALSE: so whatever is not plain is left to it, with its status.  PASSIVE_LEVEL.
 */
#include "ntfs.h"

/* An open would not do less, and what it says otherwise is not told here. */
#define NTFS_PLAIN_OPTIONS (FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_NONALERT)

static BOOLEAN NtfsIsGoing(PNTFS_FILE File)
{
    for (PLIST_ENTRY Entry = File->Links.Flink; Entry != &File->Links; Entry = Entry->Flink) {
        PNTFS_LINK Link = CONTAINING_RECORD(Entry, NTFS_LINK, Entry);

        if (Link->DeletePending || Link->IsGone) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID NtfsTellOpenLocked(PNTFS_VOLUME Volume, const NTFS_FILE_FACTS *Facts,
                               PFILE_NETWORK_OPEN_INFORMATION Information)
{
    static const UNICODE_STRING Unnamed = {0};
    PNTFS_FILE File = NtfsFindFileLocked(Volume, Facts->Id);
    PNTFS_STREAM Stream = File != NULL ? NtfsFindStreamLocked(File, &Unnamed) : NULL;

    Information->CreationTime.QuadPart = Facts->Created;
    Information->LastAccessTime.QuadPart = Facts->Accessed;
    Information->LastWriteTime.QuadPart = Facts->Written;
    Information->ChangeTime.QuadPart = Facts->Changed;
    Information->AllocationSize.QuadPart = Facts->Allocated;
    Information->EndOfFile.QuadPart = Facts->Size;
    Information->FileAttributes = Facts->Attributes;
    if (Stream != NULL) { /* the cache's sizes */
        Information->AllocationSize = Stream->Header.AllocationSize;
        Information->EndOfFile = Stream->Header.FileSize;
    }
}

static NTSTATUS NtfsQueryOpenLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target,
                                    PFILE_NETWORK_OPEN_INFORMATION Information)
{
    ULONG Options = IoGetCurrentIrpStackLocation(Irp)->Parameters.Create.Options;
    NTFS_FILE_FACTS Facts;
    PNTFS_FILE File;
    NTSTATUS Status = NtfsFindTargetLocked(Volume, Irp, Target);

    if (Status == STATUS_SUCCESS && (Target->Stream.Length != 0 || Target->DirectoryWanted)) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (Status == STATUS_SUCCESS) {
        Status = NtfsLibraryFileFacts(Volume->Library, Target->Id, &Facts);
    }
    if (Status != STATUS_SUCCESS) {
        return Status;
    }
    File = NtfsFindFileLocked(Volume, Target->Id);
    if ((Facts.ReparseTag != 0 && (Options & FILE_OPEN_REPARSE_POINT) == 0) || (File != NULL && NtfsIsGoing(File))) {
        return STATUS_NOT_SUPPORTED;
    }
    Status = NtfsCheckOpenLocked(Volume, Irp, Target->Id, Target->Parent, 0);
    if (NT_SUCCESS(Status)) {
        NtfsTellOpenLocked(Volume, &Facts, Information);
    }
    return Status;
}

BOOLEAN NTAPI NtfsFastQueryOpen(PIRP Irp, PFILE_NETWORK_OPEN_INFORMATION Information, PDEVICE_OBJECT DeviceObject)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status = STATUS_NOT_SUPPORTED;
    NTFS_TARGET Target = {0};

    if (!Volume->IsVolume || NtfsIsDoubted(Volume) ||
        (Volume->Vpb->RealDevice->Characteristics & FILE_REMOVABLE_MEDIA) != 0 ||
        (Stack->Parameters.Create.Options & 0xFFFFFF & ~NTFS_PLAIN_OPTIONS) != 0 ||
        (Stack->FileObject->FileName.Length == 0 && NtfsStreamOf(Stack->FileObject->RelatedFileObject) == NULL)) {
        return FALSE;
    }
    NtfsLockLibrary();
    if (!Volume->Dismounted && Volume->LockHolder == NULL) {
        Status = NtfsQueryOpenLocked(Volume, Irp, &Target, Information);
        NtfsFreeTarget(&Target);
    }
    NtfsUnlockLibrary();
    if (Status != STATUS_SUCCESS) {
        return FALSE;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = sizeof(*Information);
    return TRUE;
}
