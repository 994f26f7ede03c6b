/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of files: which access to the file a protection needs, how large they are, and the file system's part in it.
 */
#include "iop.h"
#include <mm.h>

ACCESS_MASK IopFileAccessOfSection(ULONG Protection)
{
    switch (Protection & 0xFF) {
    case PAGE_READWRITE: return FILE_READ_DATA | FILE_WRITE_DATA;
    case PAGE_EXECUTE: return FILE_EXECUTE;
    case PAGE_EXECUTE_READ:
    case PAGE_EXECUTE_WRITECOPY: return FILE_EXECUTE | FILE_READ_DATA;
    case PAGE_EXECUTE_READWRITE: return FILE_EXECUTE | FILE_READ_DATA | FILE_WRITE_DATA;
    default: return FILE_READ_DATA;
    }
}

/* The file system has been asked, so nobody may be waited for who waits for it: the file object's lock is left alone.  *Size 0: the file's; what is larger than the file makes it grow, if the section may write. */
static NTSTATUS IopSizeSection(PFILE_OBJECT FileObject, PULONG64 Size, ULONG Protection, PULONG64 FileSize)
{
    FILE_STANDARD_INFORMATION Standard;
    FILE_END_OF_FILE_INFORMATION End;
    ULONG Length;
    NTSTATUS Status = IopQueryUnlocked(FileObject, FileStandardInformation, sizeof(Standard), &Standard, &Length);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Standard.Directory) {
        return STATUS_INVALID_FILE_FOR_SECTION;
    }
    *FileSize = (ULONG64)Standard.EndOfFile.QuadPart;
    if (*Size == 0) {
        *Size = *FileSize;
        return *FileSize == 0 ? STATUS_MAPPED_FILE_SIZE_ZERO : STATUS_SUCCESS;
    }
    if (*Size <= *FileSize) {
        return STATUS_SUCCESS;
    }
    if ((Protection & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) == 0) {
        return STATUS_SECTION_TOO_BIG;
    }
    *FileSize = *Size;
    End.EndOfFile.QuadPart = (LONGLONG)*Size;
    return IopSetUnlocked(FileObject, FileEndOfFileInformation, sizeof(End), &End);
}

NTSTATUS IopOpenFileSection(PFILE_OBJECT FileObject, PULONG64 Size, ULONG Protection, PMM_SEGMENT *Segment)
{
    ULONG64 FileSize;
    NTSTATUS Status;

    if (FileObject->SectionObjectPointer == NULL) {
        return STATUS_INVALID_FILE_FOR_SECTION;
    }
    if (*Size > MM_MAXIMUM_SECTION) {
        return STATUS_SECTION_TOO_BIG;
    }
    Status = IoAcquireFileForSection(FileObject, Protection);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopSizeSection(FileObject, Size, Protection, &FileSize);
    if (NT_SUCCESS(Status)) {
        Status = MmOpenFileSegment(FileObject, FileSize, Segment);
    }
    if (NT_SUCCESS(Status)) {
        MmCountSegmentUser(*Segment, (Protection & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0, 1);
    }
    IoReleaseFileForSection(FileObject);
    return Status;
}
