/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long and short names, and the tunnel: what a file leaves behind for the next that takes its name within the tunnel's time, when it
 * was made and the other of its two names.  Directories leave nothing.  All with the library's lock.
 */
#include "ntfs.h"

/* The two names that a file has in a directory. */
typedef struct _NTFS_NAME_PAIR {
    ULONG64 Parent;
    UNICODE_STRING Short, Long;
    ULONG Longs; /* with several it is not known whose the short one is */
    WCHAR ShortBuffer[NTFS_SHORT_MAX], LongBuffer[NTFS_NAME_MAX];
} NTFS_NAME_PAIR, *PNTFS_NAME_PAIR;

static int NtfsTakePair(void *Context, uint64_t Parent, const uint16_t *Name, uint32_t Length, int IsShort)
{
    PNTFS_NAME_PAIR Pair = Context;
    UNICODE_STRING Found = {(USHORT)(Length * sizeof(WCHAR)), (USHORT)(Length * sizeof(WCHAR)), (PWCH)Name};

    if (Parent == Pair->Parent) {
        RtlCopyUnicodeString(IsShort ? &Pair->Short : &Pair->Long, &Found);
        Pair->Longs += !IsShort;
    }
    return 0;
}

static NTSTATUS NtfsFindPairLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, PNTFS_NAME_PAIR Pair)
{
    Pair->Parent = Parent;
    Pair->Longs = 0;
    Pair->Short = (UNICODE_STRING){0, sizeof(Pair->ShortBuffer), Pair->ShortBuffer};
    Pair->Long = (UNICODE_STRING){0, sizeof(Pair->LongBuffer), Pair->LongBuffer};
    return NtfsLibraryNames(Volume->Library, Id, NtfsTakePair, Pair);
}

NTSTATUS NtfsLongNameLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, PCUNICODE_STRING Name,
                            PUNICODE_STRING LongName)
{
    NTFS_NAME_PAIR Pair;
    NTSTATUS Status = NtfsFindPairLocked(Volume, Id, Parent, &Pair);

    if (NT_SUCCESS(Status)) {
        BOOLEAN IsShort = Pair.Longs == 1 && RtlEqualUnicodeString(&Pair.Short, Name, TRUE);

        RtlCopyUnicodeString(LongName, IsShort ? &Pair.Long : Name);
    }
    return Status;
}

VOID NtfsRememberNameLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, PCUNICODE_STRING Name)
{
    UNICODE_STRING Long = *Name;
    NTFS_FILE_FACTS Facts;
    NTFS_NAME_PAIR Pair;
    BOOLEAN ByShort;

    if (!NT_SUCCESS(NtfsLibraryFileFacts(Volume->Library, Id, &Facts)) ||
        (Facts.Attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ||
        !NT_SUCCESS(NtfsFindPairLocked(Volume, Id, Parent, &Pair))) {
        return;
    }
    if (Pair.Longs != 1) {
        Pair.Short.Length = 0;
    }
    ByShort = Pair.Short.Length != 0 && RtlEqualUnicodeString(&Pair.Short, Name, TRUE);
    FsRtlAddToTunnelCache(&Volume->Tunnel, Parent, &Pair.Short, ByShort ? &Pair.Long : &Long, ByShort,
                          sizeof(Facts.Created), &Facts.Created);
}

VOID NtfsForgetDirectoryLocked(PNTFS_VOLUME Volume, ULONG64 Id)
{
    FsRtlDeleteKeyFromTunnelCache(&Volume->Tunnel, Id);
}

BOOLEAN NtfsFindTunneledLocked(PNTFS_VOLUME Volume, ULONG64 Parent, PCUNICODE_STRING Name, PNTFS_TUNNELED Tunneled)
{
    ULONG Size = sizeof(Tunneled->Created);

    Tunneled->Short = (UNICODE_STRING){0, sizeof(Tunneled->ShortBuffer), Tunneled->ShortBuffer};
    Tunneled->Long = (UNICODE_STRING){0, sizeof(Tunneled->LongBuffer), Tunneled->LongBuffer};
    if (!FsRtlFindInTunnelCache(&Volume->Tunnel, Parent, (PUNICODE_STRING)Name, &Tunneled->Short, &Tunneled->Long,
                                &Size, &Tunneled->Created)) {
        return FALSE;
    }
    Tunneled->ByShort = Tunneled->Short.Length != 0 && RtlEqualUnicodeString(&Tunneled->Short, Name, TRUE);
    return TRUE;
}

/* Another may have the short name meanwhile: then it is not this one's. */
NTSTATUS NtfsApplyTunneledLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, const NTFS_TUNNELED *Tunneled)
{
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status = NtfsLibraryFileFacts(Volume->Library, Id, &Facts);

    if (NT_SUCCESS(Status)) {
        Facts.Created = Tunneled->Created;
        Status = NtfsLibrarySetFacts(Volume->Library, Id, &Facts);
    }
    if (NT_SUCCESS(Status) && Tunneled->Short.Length != 0) {
        NTSTATUS Named = NtfsLibrarySetShortName(Volume->Library, Id, Parent, (const uint16_t *)Tunneled->Short.Buffer,
                                                 Tunneled->Short.Length / sizeof(WCHAR));

        if (Tunneled->ByShort) {
            Status = Named; /* it was opened by that */
        }
    }
    return Status;
}

/* ---- FileShortNameInformation ---- */

static NTSTATUS NtfsCheckShortNameLocked(PNTFS_SETTING Setting, PUNICODE_STRING Name)
{
    PNTFS_LINK Link = Setting->Handle->Link;
    BOOLEAN Spaces = FALSE;
    WCHAR Real[NTFS_NAME_MAX];
    uint32_t Length;
    uint64_t Other;
    NTSTATUS Status;

    if (Link->IsGone || Link->DeletePending) {
        return STATUS_ACCESS_DENIED;
    }
    if (Setting->Stream->File->IsDirectory && NtfsIsOpenBelowLocked(Setting->Volume, &Link->Path)) {
        return STATUS_ACCESS_DENIED;
    }
    if (!RtlIsNameLegalDOS8Dot3(Name, NULL, &Spaces) || Spaces) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsLibraryLookup(Setting->Volume->Library, Link->Parent, (const uint16_t *)Name->Buffer,
                               Name->Length / sizeof(WCHAR), &Other, (uint16_t *)Real, &Length);
    if (NT_SUCCESS(Status) && Other != Setting->Stream->File->Id) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
}

NTSTATUS NtfsSetShortName(PNTFS_SETTING Setting)
{
    PFILE_NAME_INFORMATION Wanted = Setting->Buffer;
    WCHAR Buffer[NTFS_SHORT_MAX];
    UNICODE_STRING Name = {0, sizeof(Buffer), Buffer}, Given;
    NTSTATUS Status;

    if (Setting->Stream->Name.Length != 0 || Setting->Stream->File->Id == NTFS_ROOT_ID || Wanted->FileNameLength == 0 ||
        Wanted->FileNameLength > sizeof(Buffer) || Wanted->FileNameLength % sizeof(WCHAR) != 0 ||
        Wanted->FileNameLength > Setting->Length - FIELD_OFFSET(FILE_NAME_INFORMATION, FileName)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!Setting->Handle->MayRestore) {
        return STATUS_PRIVILEGE_NOT_HELD;
    }
    Given = (UNICODE_STRING){(USHORT)Wanted->FileNameLength, (USHORT)Wanted->FileNameLength, Wanted->FileName};
    RtlUpcaseUnicodeString(&Name, &Given, FALSE);
    Status = NtfsCheckShortNameLocked(Setting, &Name);
    if (NT_SUCCESS(Status)) {
        Status =
            NtfsLibrarySetShortName(Setting->Volume->Library, Setting->Stream->File->Id, Setting->Handle->Link->Parent,
                                    (const uint16_t *)Name.Buffer, Name.Length / sizeof(WCHAR));
    }
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Setting->Volume, Setting->Handle->Link, NULL, NtfsNameFilter(Setting->Stream->File),
                         FILE_ACTION_MODIFIED);
    }
    return Status;
}
