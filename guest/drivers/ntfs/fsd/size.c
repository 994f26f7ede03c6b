/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream's end: moved by FileEndOfFileInformation, FileAllocationInformation, writes, and opens that overwrite.
 *
 * The disk comes first, with paging transfers held off; then the cache, which may wait for one of them.
 */
#include "ntfs.h"

NTSTATUS NtfsResizeStream(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PFILE_OBJECT FileObject, LONGLONG Size)
{
    NTSTATUS Status;

    if (Size < Stream->Header.FileSize.QuadPart && !MmCanFileBeTruncated(&Stream->Sections, (PLARGE_INTEGER)&Size)) {
        return STATUS_USER_MAPPED_FILE;
    }
    ExAcquireResourceExclusiveLite(&Stream->PagingIoResource, TRUE);
    NtfsLockLibrary();
    Status = NtfsCheckUsable(Volume, Stream);
    if (NT_SUCCESS(Status) && Volume->Facts.ReadOnly) {
        Status = STATUS_MEDIA_WRITE_PROTECTED;
    } else if (NT_SUCCESS(Status)) {
        Status = NtfsSetSizeLocked(Volume, Stream, Size);
    }
    NtfsUnlockLibrary();
    ExReleaseResourceLite(&Stream->PagingIoResource);
    if (NT_SUCCESS(Status)) {
        CcSetFileSizes(FileObject, (PCC_FILE_SIZES)&Stream->Header.AllocationSize);
    }
    return Status;
}

/* ---- IRP_MJ_SET_INFORMATION ---- */

BOOLEAN NtfsIsSizeClass(FILE_INFORMATION_CLASS Class)
{
    return Class == FileEndOfFileInformation || Class == FileAllocationInformation;
}

/* Less allocation than there is cuts the file; more is not kept ready.  What a cache moves on is moved with what it writes. */
static NTSTATUS NtfsSetSize(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack, LONGLONG Size)
{
    if (Stack->Parameters.SetFile.FileInformationClass == FileAllocationInformation) {
        if (Size >= Stream->Header.FileSize.QuadPart) {
            return STATUS_SUCCESS;
        }
    } else if (Stack->Parameters.SetFile.AdvanceOnly) {
        return STATUS_SUCCESS;
    }
    return NtfsResizeStream(Volume, Stream, Stack->FileObject, Size);
}

/* PASSIVE_LEVEL. */
NTSTATUS NtfsSetFileSize(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack, PLARGE_INTEGER Size)
{
    NTSTATUS Status;

    if (Stack->Parameters.SetFile.Length < sizeof(*Size)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if ((Stream->File->IsDirectory && Stream->Name.Length == 0) || Size->QuadPart < 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    Status = NtfsSetSize(Volume, Stream, Stack, Size->QuadPart);
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return Status;
}

/* ---- opens that overwrite: what is opened is empty then, and has the attributes of the open ---- */

BOOLEAN NtfsIsOverwriting(PIO_STACK_LOCATION Stack)
{
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;

    return Disposition == FILE_SUPERSEDE || Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF;
}

static NTSTATUS NtfsTakeAttributes(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status;

    NtfsLockLibrary();
    Status =
        Volume->Dismounted ? STATUS_VOLUME_DISMOUNTED : NtfsLibraryFileFacts(Volume->Library, Stream->File->Id, &Facts);
    if (NT_SUCCESS(Status)) {
        ULONG Old = Facts.Attributes;

        Facts.Attributes = Stack->Parameters.Create.FileAttributes | FILE_ATTRIBUTE_ARCHIVE;
        if (Stream->Name.Length != 0) {
            Facts.Attributes = Old | FILE_ATTRIBUTE_ARCHIVE; /* the file's, not the stream's */
        } else if (Stack->Parameters.Create.Options >> 24 != FILE_SUPERSEDE) {
            Facts.Attributes |= Old;
        }
        Status = NtfsLibrarySetFacts(Volume->Library, Facts.Id, &Facts);
    }
    if (NT_SUCCESS(Status) && Stream->Name.Length == 0) {
        Status = Stack->Parameters.Create.EaLength != 0
                     ? NtfsSetEasLocked(Volume, Facts.Id, Irp->AssociatedIrp.SystemBuffer, TRUE)
                     : NtfsLibraryWritePart(Volume->Library, Facts.Id, NtfsPartEas, NULL, 0);
    }
    NtfsUnlockLibrary();
    return Status;
}

/* PASSIVE_LEVEL, without the library's lock: the file object is open already. */
NTSTATUS NtfsOverwrite(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    NTSTATUS Status;

    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    Status = NtfsResizeStream(Volume, Stream, FileObject, 0);
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return NT_SUCCESS(Status) ? NtfsTakeAttributes(Volume, Stream, Irp) : Status;
}
