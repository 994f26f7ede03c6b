/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reparse points: set, told and taken away by FSCTL_…_REPARSE_POINT, and met on the way of an open.
 */
#include "ntfs.h"

C_ASSERT(FIELD_OFFSET(REPARSE_DATA_BUFFER, GenericReparseBuffer) == 8);

/* An open that meets a point: its data go with the request, with how much of the name is behind it. */
NTSTATUS NtfsMeetReparsePointLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Id, USHORT Unparsed)
{
    uint32_t Size = MAXIMUM_REPARSE_DATA_BUFFER_SIZE;
    PREPARSE_DATA_BUFFER Data = ExAllocatePoolWithTag(PagedPool, Size, NTFS_TAG_HANDLE);
    NTSTATUS Status;

    if (Data == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NtfsLibraryReadPart(Volume->Library, Id, NtfsPartReparse, Data, &Size);
    if (NT_SUCCESS(Status)) {
        Status = Size != 0 ? FsRtlValidateReparsePointBuffer(Size, Data) : STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (!NT_SUCCESS(Status)) {
        ExFreePool(Data);
        return Status;
    }
    Data->Reserved = Unparsed;
    Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Data;
    Irp->IoStatus.Information = Data->ReparseTag;
    return STATUS_REPARSE; /* whoever knows the tag goes on from here */
}

static int NtfsSeeEntry(void *Context, const NTFS_ENTRY_FACTS *Entry)
{
    UNREFERENCED_PARAMETER(Entry);
    *(PBOOLEAN)Context = TRUE;
    return 1;
}

static NTSTATUS NtfsReportReparse(PNTFS_CONTROL Control, NTSTATUS Status)
{
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Control->Volume, Control->Handle->Link, NULL, FILE_NOTIFY_CHANGE_ATTRIBUTES,
                         FILE_ACTION_MODIFIED);
    }
    return Status;
}

/* The tag's owner's mark, of a tag that is not Microsoft's. */
static BOOLEAN NtfsIsSameGuid(const VOID *One, const VOID *Other)
{
    return RtlCompareMemory(&((PREPARSE_GUID_DATA_BUFFER)One)->ReparseGuid,
                            &((PREPARSE_GUID_DATA_BUFFER)Other)->ReparseGuid, sizeof(GUID)) == sizeof(GUID);
}

/* What is there is of this kind, or nothing is: STATUS_NOT_A_REPARSE_POINT. */
static NTSTATUS NtfsCheckOldPointLocked(PNTFS_CONTROL Control, PREPARSE_DATA_BUFFER New)
{
    uint32_t Size = MAXIMUM_REPARSE_DATA_BUFFER_SIZE;
    PREPARSE_DATA_BUFFER Old = ExAllocatePoolWithTag(PagedPool, Size, NTFS_TAG_HANDLE);
    NTSTATUS Status;

    if (Old == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NtfsLibraryReadPart(Control->Volume->Library, Control->Stream->File->Id, NtfsPartReparse, Old, &Size);
    if (NT_SUCCESS(Status)) {
        if (Size < REPARSE_DATA_BUFFER_HEADER_SIZE) {
            Status = STATUS_NOT_A_REPARSE_POINT;
        } else if (Old->ReparseTag != New->ReparseTag) {
            Status = STATUS_IO_REPARSE_TAG_MISMATCH;
        } else if (!IsReparseTagMicrosoft(Old->ReparseTag) &&
                   (Size < REPARSE_GUID_DATA_BUFFER_HEADER_SIZE || !NtfsIsSameGuid(Old, New))) {
            Status = STATUS_REPARSE_ATTRIBUTE_CONFLICT;
        }
    }
    ExFreePoolWithTag(Old, NTFS_TAG_HANDLE);
    return Status;
}

NTSTATUS NtfsSetReparsePoint(PNTFS_CONTROL Control)
{
    PNTFS_FILE File = Control->Stream->File;
    PREPARSE_DATA_BUFFER New = Control->Input;
    BOOLEAN Full = FALSE;
    NTSTATUS Status = FsRtlValidateReparsePointBuffer(Control->InputLength, New);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (New->ReparseTag == IO_REPARSE_TAG_MOUNT_POINT && !File->IsDirectory) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (File->IsDirectory) {
        Status = NtfsLibraryList(Control->Volume->Library, File->Id, NtfsSeeEntry, &Full);
    } else if (New->ReparseTag == IO_REPARSE_TAG_SYMLINK && Control->Stream->Header.FileSize.QuadPart != 0) {
        Status = STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (NT_SUCCESS(Status) && Full) {
        Status = STATUS_DIRECTORY_NOT_EMPTY;
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsCheckOldPointLocked(Control, New);
    }
    if (!NT_SUCCESS(Status) && Status != STATUS_NOT_A_REPARSE_POINT) {
        return Status;
    }
    return NtfsReportReparse(
        Control, NtfsLibraryWritePart(Control->Volume->Library, File->Id, NtfsPartReparse, New, Control->InputLength));
}

/* As much of it as there is room for behind the header. */
NTSTATUS NtfsGetReparsePoint(PNTFS_CONTROL Control)
{
    uint32_t Size = MAXIMUM_REPARSE_DATA_BUFFER_SIZE;
    PREPARSE_DATA_BUFFER Data = ExAllocatePoolWithTag(PagedPool, Size, NTFS_TAG_HANDLE);
    NTSTATUS Status;
    ULONG Header;

    if (Data == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = NtfsLibraryReadPart(Control->Volume->Library, Control->Stream->File->Id, NtfsPartReparse, Data, &Size);
    if (NT_SUCCESS(Status)) {
        Header = Size >= REPARSE_DATA_BUFFER_HEADER_SIZE && IsReparseTagMicrosoft(Data->ReparseTag)
                     ? REPARSE_DATA_BUFFER_HEADER_SIZE
                     : REPARSE_GUID_DATA_BUFFER_HEADER_SIZE;
        if (Size == 0) {
            Status = STATUS_NOT_A_REPARSE_POINT;
        } else if (Control->OutputLength < Header) {
            Status = STATUS_BUFFER_TOO_SMALL;
        } else {
            Control->Used = min(Size, Control->OutputLength);
            RtlCopyMemory(Control->Output, Data, Control->Used);
            Status = Size > Control->OutputLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
        }
    }
    ExFreePoolWithTag(Data, NTFS_TAG_HANDLE);
    return Status;
}

NTSTATUS NtfsDeleteReparsePoint(PNTFS_CONTROL Control)
{
    PREPARSE_DATA_BUFFER Wanted = Control->Input;
    NTSTATUS Status;

    if (Control->InputLength != REPARSE_DATA_BUFFER_HEADER_SIZE &&
        Control->InputLength != REPARSE_GUID_DATA_BUFFER_HEADER_SIZE) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (Wanted->ReparseDataLength != 0) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (Wanted->ReparseTag <= IO_REPARSE_TAG_RESERVED_ONE) {
        return STATUS_IO_REPARSE_TAG_INVALID;
    }
    if (!IsReparseTagMicrosoft(Wanted->ReparseTag) && Control->InputLength != REPARSE_GUID_DATA_BUFFER_HEADER_SIZE) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    Status = NtfsCheckOldPointLocked(Control, Wanted);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    return NtfsReportReparse(
        Control, NtfsLibraryWritePart(Control->Volume->Library, Control->Stream->File->Id, NtfsPartReparse, NULL, 0));
}
