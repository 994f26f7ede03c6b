/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change journal, which is not here; what a file itself says of its last record is.
 */
#include "ntfs.h"

NTSTATUS NtfsAskJournal(PNTFS_CONTROL Control)
{
    UNREFERENCED_PARAMETER(Control);
    return STATUS_JOURNAL_NOT_ACTIVE;
}

/* The greatest version of a record that the caller takes: 2, with references of 8 bytes, or 3, of 16.  Without a buffer: 2. */
static NTSTATUS NtfsRecordVersion(PNTFS_CONTROL Control, PUSHORT Version)
{
    READ_FILE_USN_DATA Wanted = {2, 2};

    if (Control->InputLength != 0) {
        if (Control->InputLength < sizeof(Wanted)) {
            return STATUS_INVALID_PARAMETER;
        }
        Wanted = *(const READ_FILE_USN_DATA *)Control->Input;
    }
    if (Wanted.MinMajorVersion > Wanted.MaxMajorVersion || Wanted.MinMajorVersion > 3 || Wanted.MaxMajorVersion < 2) {
        return STATUS_INVALID_PARAMETER;
    }
    *Version = min(Wanted.MaxMajorVersion, 3);
    return STATUS_SUCCESS;
}

/* As of a file that no journal has seen: why and when are 0 (MS-FSCC 2.3.62).  The output is the caller's memory. */
NTSTATUS NtfsReadFileUsn(PNTFS_CONTROL Control)
{
    PNTFS_LINK Link = Control->Handle->Link;
    UNICODE_STRING Name = NtfsLinkName(Link);
    ULONG NameOffset, Length;
    NTFS_FILE_FACTS Facts;
    USHORT Version;
    NTSTATUS Status = NtfsRecordVersion(Control, &Version);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (((ULONG_PTR)Control->Output & (sizeof(ULONG) - 1)) != 0) {
        return STATUS_INVALID_USER_BUFFER;
    }
    NameOffset = Version == 3 ? FIELD_OFFSET(USN_RECORD_V3, FileName) : FIELD_OFFSET(USN_RECORD_V2, FileName);
    Length = (NameOffset + Name.Length + 7) & ~7u;
    if (Control->OutputLength < Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    Status = NtfsLibraryFileFacts(Control->Volume->Library, Control->Stream->File->Id, &Facts);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Control->Output, Length);
    if (Version == 3) {
        PUSN_RECORD_V3 Record = Control->Output;

        RtlCopyMemory(&Record->FileReferenceNumber, &Facts.Id, sizeof(Facts.Id));
        RtlCopyMemory(&Record->ParentFileReferenceNumber, &Link->Parent, sizeof(Link->Parent));
        Record->Usn = Facts.Usn;
        Record->SecurityId = Facts.SecurityId;
        Record->FileAttributes = Facts.Attributes;
        Record->FileNameLength = Name.Length;
        Record->FileNameOffset = (USHORT)NameOffset;
    } else {
        PUSN_RECORD_V2 Record = Control->Output;

        Record->FileReferenceNumber = Facts.Id;
        Record->ParentFileReferenceNumber = Link->Parent;
        Record->Usn = Facts.Usn;
        Record->SecurityId = Facts.SecurityId;
        Record->FileAttributes = Facts.Attributes;
        Record->FileNameLength = Name.Length;
        Record->FileNameOffset = (USHORT)NameOffset;
    }
    ((PUSN_RECORD_COMMON_HEADER)Control->Output)->RecordLength = Length;
    ((PUSN_RECORD_COMMON_HEADER)Control->Output)->MajorVersion = Version;
    RtlCopyMemory((PUCHAR)Control->Output + NameOffset, Name.Buffer, Name.Length);
    Control->Used = Length;
    return STATUS_SUCCESS;
}
