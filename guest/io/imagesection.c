/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image sections of files: the file's headers are read and understood once, while the file system holds the file still for the section.
 */
#include "iop.h"
#include <mm.h>

/* What of a file is looked at to know how it is to lie in memory. */
#define IOP_HEADERS PAGE_SIZE

/* What the cache, or a view of the data, has not written yet is part of the image. */
static NTSTATUS IopWriteData(PFILE_OBJECT FileObject)
{
    PMM_SEGMENT Segment = MmFindFileSegment(FileObject->SectionObjectPointer);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Written;

    if (Segment != NULL) {
        Status = MmFlushSegment(Segment, 0, MAXULONG64, &Written);
        MmDereferenceSegment(Segment);
    }
    return Status;
}

/* A paging read of the file's first page. */
static NTSTATUS IopReadHeaders(PFILE_OBJECT FileObject, PVOID Headers, PULONG_PTR Bytes)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    PMDL Mdl = IoAllocateMdl(Headers, IOP_HEADERS, FALSE, FALSE, NULL);
    NTSTATUS Status;

    if (Mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(Mdl);
    Status = IopReadPages(FileObject, Mdl, &Offset, Bytes);
    IoFreeMdl(Mdl);
    return NT_SUCCESS(Status) || Status == STATUS_INSUFFICIENT_RESOURCES ? Status : STATUS_INVALID_FILE_FOR_SECTION;
}

static NTSTATUS IopReadImage(PFILE_OBJECT FileObject, PMM_IMAGE *Image)
{
    PVOID Headers = ExAllocatePoolWithTag(NonPagedPoolNx, IOP_HEADERS, IOP_TAG_HEAD);
    FILE_STANDARD_INFORMATION Standard;
    ULONG_PTR Bytes;
    ULONG Length;
    NTSTATUS Status;

    if (Headers == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IopQueryUnlocked(FileObject, FileStandardInformation, sizeof(Standard), &Standard, &Length);
    if (NT_SUCCESS(Status) && (Standard.Directory || Standard.EndOfFile.QuadPart == 0)) {
        Status = STATUS_INVALID_FILE_FOR_SECTION;
    }
    if (NT_SUCCESS(Status)) {
        Status = IopWriteData(FileObject);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopReadHeaders(FileObject, Headers, &Bytes);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopDescribeImage(Headers, min(Bytes, IOP_HEADERS), (ULONG64)Standard.EndOfFile.QuadPart, Image);
    }
    ExFreePoolWithTag(Headers, IOP_TAG_HEAD);
    return Status;
}

/* The file system holds the file.  An image that somebody has is taken as it is. */
static NTSTATUS IopTakeImage(PFILE_OBJECT FileObject, PMM_SEGMENT *Segment)
{
    PMM_IMAGE Image;
    NTSTATUS Status;

    *Segment = MmFindImageSegment(FileObject->SectionObjectPointer);
    if (*Segment != NULL) {
        return STATUS_SUCCESS;
    }
    Status = IopReadImage(FileObject, &Image);
    if (NT_SUCCESS(Status)) {
        Status = MmOpenImageSegment(FileObject, Image, Segment);
        ExFreePool(Image);
    }
    return Status;
}

/* *Size is what it takes in memory; what the caller wants there does not count. */
NTSTATUS IopOpenImageSection(PFILE_OBJECT FileObject, PULONG64 Size, ULONG Protection, PMM_SEGMENT *Segment)
{
    NTSTATUS Status;

    if (FileObject->SectionObjectPointer == NULL) {
        return STATUS_INVALID_FILE_FOR_SECTION;
    }
    Status = IoAcquireFileForSection(FileObject, Protection);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopTakeImage(FileObject, Segment);
    if (NT_SUCCESS(Status)) {
        *Size = MmQueryImage(*Segment)->Size;
        MmCountSegmentUser(*Segment, FALSE, 1);
    }
    IoReleaseFileForSection(FileObject);
    return Status;
}

/* Tells drivers of an image of a file that has been mapped into a process, which is the current one.  PASSIVE_LEVEL. */
VOID IopNotifyImage(PFILE_OBJECT FileObject, PEPROCESS Process, ULONG64 Base, ULONG64 Size)
{
    POBJECT_NAME_INFORMATION Information;

    ObCopyName(FileObject, IOP_TAG_NAME, &Information); /* without memory for it there is no name, as documented */
    PsNotifyImage(Information != NULL ? &Information->Name : NULL, Process, FileObject, (PVOID)Base, Size);
    if (Information != NULL) {
        ExFreePoolWithTag(Information, IOP_TAG_NAME);
    }
}
