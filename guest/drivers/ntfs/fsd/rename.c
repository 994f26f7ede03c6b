/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FileRenameInformation and FileLinkInformation, and their Ex forms: a name that a file gets, with or without losing the one by which it
 * was opened.  A name that begins with a colon renames the stream.
 *
 * The I/O manager has opened the new parent where the request names one; what is behind the last backslash is the new name.
 */
#include "ntfs.h"

C_ASSERT(sizeof(FILE_RENAME_INFORMATION) == sizeof(FILE_LINK_INFORMATION));
C_ASSERT(FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) == FIELD_OFFSET(FILE_LINK_INFORMATION, FileName));
C_ASSERT(FILE_RENAME_REPLACE_IF_EXISTS == FILE_LINK_REPLACE_IF_EXISTS);
C_ASSERT(FILE_RENAME_POSIX_SEMANTICS == FILE_LINK_POSIX_SEMANTICS);
C_ASSERT(FILE_RENAME_IGNORE_READONLY_ATTRIBUTE == FILE_LINK_IGNORE_READONLY_ATTRIBUTE);

typedef struct _NTFS_NAMING {
    PNTFS_VOLUME Volume;
    PNTFS_FILE File;
    PNTFS_LINK Source;
    UNICODE_STRING Name;   /* in the request */
    ULONG Flags;           /* FILE_RENAME_… */
    BOOLEAN LosesItsOwn;   /* not a link more */
    NTFS_TARGET Directory; /* its Id and Path */
    BOOLEAN Replaces;      /* the name is Victim's */
    BOOLEAN Recased;       /* only the case of its own name changes */
    ULONG64 Victim;        /* Id */
    BOOLEAN IsTunneled;    /* what the tunnel knows of the name, which is then Tunneled's where it is the short one */
    NTFS_TUNNELED Tunneled;
    UNICODE_STRING OldName; /* as it is on the disk; in OldBuffer */
    WCHAR OldBuffer[NTFS_NAME_MAX];
} NTFS_NAMING, *PNTFS_NAMING;

/* ---- what is asked for ---- */

static NTSTATUS NtfsTakeName(PNTFS_SETTING Setting, PUNICODE_STRING Name)
{
    PFILE_RENAME_INFORMATION Rename = Setting->Buffer;

    if (Rename->FileNameLength == 0 || Rename->FileNameLength % sizeof(WCHAR) != 0 || Rename->FileNameLength > 0xFFFE ||
        Rename->FileNameLength > Setting->Length - FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName)) {
        return STATUS_INVALID_PARAMETER;
    }
    *Name = (UNICODE_STRING){(USHORT)Rename->FileNameLength, (USHORT)Rename->FileNameLength, (PWCH)Rename->FileName};
    return STATUS_SUCCESS;
}

static ULONG NtfsNamingFlags(PNTFS_SETTING Setting)
{
    PFILE_RENAME_INFORMATION Rename = Setting->Buffer;

    if (Setting->Class == FileRenameInformationEx || Setting->Class == FileLinkInformationEx) {
        return Rename->Flags;
    }
    return Rename->ReplaceIfExists ? FILE_RENAME_REPLACE_IF_EXISTS : 0;
}

static VOID NtfsKeepLastComponent(PUNICODE_STRING Name)
{
    USHORT Start = Name->Length / sizeof(WCHAR);

    while (Start > 0 && Name->Buffer[Start - 1] != L'\\') {
        Start--;
    }
    Name->Buffer += Start;
    Name->Length -= Start * sizeof(WCHAR);
}

/* Where the name will be: the directory that the I/O manager has opened, or the one where the file is. */
static NTSTATUS NtfsFindNewParentLocked(PNTFS_SETTING Setting, PNTFS_NAMING Naming)
{
    PNTFS_STREAM Parent;
    NTSTATUS Status = NtfsBeginTarget(&Naming->Directory);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Setting->NewParent == NULL) {
        for (USHORT Index = 0; Index < Naming->Name.Length / sizeof(WCHAR); Index++) {
            if (Naming->Name.Buffer[Index] == L'\\') {
                return STATUS_OBJECT_NAME_INVALID;
            }
        }
        return NtfsPathOfIdLocked(Naming->Volume, Naming->Source->Parent, &Naming->Directory);
    }
    Parent = NtfsStreamOf(Setting->NewParent);
    if (Parent == NULL || Parent->File->Volume != Naming->Volume) {
        return STATUS_NOT_SAME_DEVICE;
    }
    if (!Parent->File->IsDirectory || Parent->Name.Length != 0) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    NtfsKeepLastComponent(&Naming->Name);
    return NtfsPathOfIdLocked(Naming->Volume, Parent->File->Id, &Naming->Directory);
}

/* A directory goes not into itself, nor below; and with its name all paths in it would change that somebody uses. */
static NTSTATUS NtfsCheckDirectoryMoveLocked(PNTFS_NAMING Naming)
{
    PCUNICODE_STRING Old = &Naming->Source->Path, New = &Naming->Directory.Path;

    if (New->Length >= Old->Length && RtlCompareMemory(New->Buffer, Old->Buffer, Old->Length) == Old->Length &&
        (New->Length == Old->Length || New->Buffer[Old->Length / sizeof(WCHAR)] == L'\\')) {
        return STATUS_ACCESS_DENIED;
    }
    return NtfsIsOpenBelowLocked(Naming->Volume, Old) ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* Whether the name is there already, and whose it is. */
static NTSTATUS NtfsFindVictimLocked(PNTFS_NAMING Naming)
{
    uint64_t Id;
    uint32_t Length;
    NTSTATUS Status =
        NtfsLibraryLookup(Naming->Volume->Library, Naming->Directory.Id, (const uint16_t *)Naming->Name.Buffer,
                          Naming->Name.Length / sizeof(WCHAR), &Id, (uint16_t *)Naming->OldBuffer, &Length);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return STATUS_SUCCESS;
    }
    if (NT_SUCCESS(Status)) {
        Naming->Replaces = TRUE;
        Naming->Victim = Id;
        Naming->OldName =
            (UNICODE_STRING){(USHORT)(Length * sizeof(WCHAR)), sizeof(Naming->OldBuffer), Naming->OldBuffer};
    }
    return Status;
}

/* ---- what is in the way ---- */

static BOOLEAN NtfsHasHandles(PNTFS_FILE File)
{
    for (PLIST_ENTRY Entry = File->Streams.Flink; Entry != &File->Streams; Entry = Entry->Flink) {
        if (CONTAINING_RECORD(Entry, NTFS_STREAM, Link)->Handles != 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static NTSTATUS NtfsCheckVictimLocked(PNTFS_NAMING Naming, PNTFS_LINK Link, BOOLEAN IsOpen)
{
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status = NtfsLibraryFileFacts(Naming->Volume->Library, Naming->Victim, &Facts);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((Naming->Flags & FILE_RENAME_REPLACE_IF_EXISTS) == 0) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if ((Facts.Attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    if ((Facts.Attributes & FILE_ATTRIBUTE_READONLY) != 0 &&
        (Naming->Flags & FILE_RENAME_IGNORE_READONLY_ATTRIBUTE) == 0) {
        return STATUS_ACCESS_DENIED;
    }
    if (Link != NULL && Link->DeletePending) {
        return STATUS_DELETE_PENDING;
    }
    return IsOpen && (Naming->Flags & FILE_RENAME_POSIX_SEMANTICS) == 0 ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* The name that is in the way goes. */
static NTSTATUS NtfsRemoveVictimLocked(PNTFS_NAMING Naming)
{
    PNTFS_FILE File = NtfsFindFileLocked(Naming->Volume, Naming->Victim);
    PNTFS_LINK Link = File != NULL ? NtfsFindLinkLocked(File, Naming->Directory.Id, &Naming->OldName) : NULL;
    BOOLEAN IsOpen = File != NULL && NtfsHasHandles(File);
    NTSTATUS Status = NtfsCheckVictimLocked(Naming, Link, IsOpen);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (IsOpen && Link != NULL && Link->Handles != 0) {
        return NtfsHideLinkLocked(Naming->Volume, File, Link);
    }
    if (Link != NULL) { /* the cache may have it yet */
        return NtfsRemoveLinkLocked(Naming->Volume, File, Link);
    }
    return NtfsLibraryDelete(Naming->Volume->Library, Naming->Victim, Naming->Directory.Id,
                             (const uint16_t *)Naming->OldName.Buffer, Naming->OldName.Length / sizeof(WCHAR));
}

/* ---- the change ---- */

/* By a name that the tunnel knows, the file takes on what was by it, unless that is what it takes the place of. */
static VOID NtfsLookIntoTunnel(PNTFS_NAMING Naming)
{
    Naming->IsTunneled = Naming->LosesItsOwn && !Naming->File->IsDirectory && !Naming->Replaces &&
                         NtfsFindTunneledLocked(Naming->Volume, Naming->Directory.Id, &Naming->Name, &Naming->Tunneled);
    if (Naming->IsTunneled && Naming->Tunneled.ByShort) {
        Naming->Name = Naming->Tunneled.Short; /* as it will be on the disk */
    }
}

static NTSTATUS NtfsGiveName(PNTFS_NAMING Naming)
{
    PCUNICODE_STRING New = Naming->IsTunneled && Naming->Tunneled.ByShort ? &Naming->Tunneled.Long : &Naming->Name;
    UNICODE_STRING Old = NtfsLinkName(Naming->Source);
    NTSTATUS Status;

    if (!Naming->LosesItsOwn) {
        return NtfsLibraryLink(Naming->Volume->Library, Naming->File->Id, Naming->Directory.Id,
                               (const uint16_t *)New->Buffer, New->Length / sizeof(WCHAR));
    }
    if (!Naming->Recased) {
        NtfsRememberNameLocked(Naming->Volume, Naming->File->Id, Naming->Source->Parent, &Old);
    }
    Status = NtfsLibraryRename(Naming->Volume->Library, Naming->File->Id, Naming->Source->Parent,
                               (const uint16_t *)Old.Buffer, Old.Length / sizeof(WCHAR), Naming->Directory.Id,
                               (const uint16_t *)New->Buffer, New->Length / sizeof(WCHAR));
    if (NT_SUCCESS(Status) && Naming->IsTunneled) {
        NtfsApplyTunneledLocked(Naming->Volume, Naming->File->Id, Naming->Directory.Id, &Naming->Tunneled);
    }
    return Status;
}

/* The name is one of this very file: it is this link itself in another case, or another link, which then stays alone. */
static NTSTATUS NtfsNameItselfLocked(PNTFS_NAMING Naming, PBOOLEAN Done)
{
    UNICODE_STRING Old = NtfsLinkName(Naming->Source);
    BOOLEAN SameLink =
        Naming->Source->Parent == Naming->Directory.Id && RtlEqualUnicodeString(&Old, &Naming->OldName, FALSE);
    BOOLEAN SameCase = RtlEqualUnicodeString(&Naming->Name, &Naming->OldName, FALSE);

    *Done = TRUE;
    if (!Naming->LosesItsOwn) {
        return (Naming->Flags & FILE_RENAME_REPLACE_IF_EXISTS) != 0 ? STATUS_SUCCESS : STATUS_OBJECT_NAME_COLLISION;
    }
    if (SameLink && SameCase) {
        return STATUS_SUCCESS;
    }
    if (!SameLink) {
        NTSTATUS Status =
            NtfsLibraryDelete(Naming->Volume->Library, Naming->File->Id, Naming->Directory.Id,
                              (const uint16_t *)Naming->OldName.Buffer, Naming->OldName.Length / sizeof(WCHAR));
        PNTFS_LINK Other = NtfsFindLinkLocked(Naming->File, Naming->Directory.Id, &Naming->OldName);

        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Other != NULL) {
            Other->IsGone = TRUE;
        }
    }
    Naming->Recased = SameLink;
    *Done = FALSE;
    return STATUS_SUCCESS;
}

/* What took the place of another by the very same name is that one, changed. */
static VOID NtfsReportNewName(PNTFS_NAMING Naming, PNTFS_LINK Link, BOOLEAN Moved)
{
    BOOLEAN Same =
        Naming->Replaces && !Naming->Recased && RtlEqualUnicodeString(&Naming->Name, &Naming->OldName, FALSE);

    if (Same) {
        NtfsReportLocked(Naming->Volume, Link, NULL,
                         FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE |
                             FILE_NOTIFY_CHANGE_LAST_ACCESS | FILE_NOTIFY_CHANGE_CREATION |
                             FILE_NOTIFY_CHANGE_SECURITY | FILE_NOTIFY_CHANGE_EA,
                         FILE_ACTION_MODIFIED);
    } else {
        NtfsReportLocked(Naming->Volume, Link, NULL, NtfsNameFilter(Naming->File),
                         Moved ? FILE_ACTION_ADDED : FILE_ACTION_RENAMED_NEW_NAME);
    }
}

static NTSTATUS NtfsRenameLinkLocked(PNTFS_NAMING Naming)
{
    BOOLEAN Moved = Naming->Source->Parent != Naming->Directory.Id;
    NTFS_LINK Link = {.Handles = 1};
    NTSTATUS Status;

    NtfsLookIntoTunnel(Naming);
    Status = NtfsAppendComponent(&Naming->Directory, Naming->Name.Buffer, Naming->Name.Length / sizeof(WCHAR));
    if (NT_SUCCESS(Status) && Naming->LosesItsOwn) {
        Status = NtfsPrepareRenameLocked(Naming->Volume, Naming->Source, &Naming->Directory.Path);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsGiveName(Naming);
    if (!Naming->LosesItsOwn) {
        Link.Path = Naming->Directory.Path; /* one that nobody has opened yet */
        if (NT_SUCCESS(Status)) {
            NtfsReportNewName(Naming, &Link, TRUE);
        }
        return Status;
    }
    if (!NT_SUCCESS(Status)) {
        NtfsForgetRenameLocked(Naming->Volume);
        return Status;
    }
    NtfsReportLocked(Naming->Volume, Naming->Source, NULL, NtfsNameFilter(Naming->File),
                     Moved ? FILE_ACTION_REMOVED : FILE_ACTION_RENAMED_OLD_NAME);
    NtfsCommitRenameLocked(Naming->Volume, Naming->Source, Naming->Directory.Id);
    NtfsReportNewName(Naming, Naming->Source, Moved);
    return Status;
}

static NTSTATUS NtfsNameLocked(PNTFS_SETTING Setting, PNTFS_NAMING Naming)
{
    BOOLEAN Done = FALSE;
    NTSTATUS Status;

    if (Naming->Source->DeletePending || Naming->Source->IsGone) {
        return STATUS_ACCESS_DENIED;
    }
    Status = NtfsFindNewParentLocked(Setting, Naming);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!NtfsIsLegalName(Naming->Name.Buffer, Naming->Name.Length / sizeof(WCHAR))) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Naming->File->IsDirectory) {
        Status = NtfsCheckDirectoryMoveLocked(Naming);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsFindVictimLocked(Naming);
    }
    if (NT_SUCCESS(Status) && Naming->Replaces) {
        Status =
            Naming->Victim == Naming->File->Id ? NtfsNameItselfLocked(Naming, &Done) : NtfsRemoveVictimLocked(Naming);
    }
    return NT_SUCCESS(Status) && !Done ? NtfsRenameLinkLocked(Naming) : Status;
}

static NTSTATUS NtfsSetName(PNTFS_SETTING Setting, PCUNICODE_STRING Name, BOOLEAN LosesItsOwn)
{
    /* A path's length: too much for the stack. */
    PNTFS_NAMING Naming = ExAllocatePoolWithTag(PagedPool, sizeof(*Naming), NTFS_TAG_HANDLE);
    NTSTATUS Status;

    if (Naming == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Naming, sizeof(*Naming));
    Naming->Volume = Setting->Volume;
    Naming->File = Setting->Stream->File;
    Naming->Source = Setting->Handle->Link;
    Naming->Name = *Name;
    Naming->Flags = NtfsNamingFlags(Setting);
    Naming->LosesItsOwn = LosesItsOwn;
    Status = NtfsNameLocked(Setting, Naming);
    NtfsFreeTarget(&Naming->Directory);
    ExFreePoolWithTag(Naming, NTFS_TAG_HANDLE);
    return Status;
}

/* ---- streams ---- */

/* ":name" or ":name:$DATA"; *Name without the rest. */
static NTSTATUS NtfsTakeStreamName(PUNICODE_STRING Name)
{
    static const UNICODE_STRING Data = RTL_CONSTANT_STRING(L"$DATA");
    USHORT End = 0, Length = Name->Length / sizeof(WCHAR) - 1;
    UNICODE_STRING Type;

    Name->Buffer++;
    while (End < Length && Name->Buffer[End] != L':') {
        End++;
    }
    Name->Length = End * sizeof(WCHAR);
    if (End < Length) {
        Type.Buffer = Name->Buffer + End + 1;
        Type.Length = Type.MaximumLength = (Length - End - 1) * sizeof(WCHAR);
        if (Type.Length == 0) {
            return STATUS_INVALID_PARAMETER;
        }
        if (!RtlEqualUnicodeString(&Type, &Data, TRUE)) {
            return STATUS_OBJECT_TYPE_MISMATCH;
        }
    } else if (End == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return End == 0 || NtfsIsLegalStream(Name->Buffer, End) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* The stream that has the name goes if it is empty and nobody has it open. */
static NTSTATUS NtfsRemoveStreamVictimLocked(PNTFS_SETTING Setting, PCUNICODE_STRING Name)
{
    PNTFS_STREAM Open = NtfsFindStreamLocked(Setting->Stream->File, Name);
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status = NtfsLibraryStreamFacts(Setting->Volume->Library, Setting->Stream->File->Id,
                                             (const uint16_t *)Name->Buffer, Name->Length / sizeof(WCHAR), &Facts);

    if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((NtfsNamingFlags(Setting) & FILE_RENAME_REPLACE_IF_EXISTS) == 0) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (Open != NULL || Facts.Size != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return NtfsLibraryRemoveStream(Setting->Volume->Library, Setting->Stream->File->Id, (const uint16_t *)Name->Buffer,
                                   Name->Length / sizeof(WCHAR));
}

/*
 * One named stream becomes another: its bytes go to a new one, and the old one goes.  To and from the unnamed one, which Windows allows, is not
 * here.
 */
static NTSTATUS NtfsRenameStream(PNTFS_SETTING Setting, UNICODE_STRING Name)
{
    PNTFS_STREAM Stream = Setting->Stream;
    NTSTATUS Status = NtfsTakeStreamName(&Name);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Stream->File->IsDirectory && Stream->Name.Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (RtlEqualUnicodeString(&Stream->Name, &Name, TRUE)) {
        return STATUS_SUCCESS;
    }
    if (Name.Length == 0 || Stream->Name.Length == 0) {
        DbgPrintEx(DPFLTR_NTFS_ID, DPFLTR_ERROR_LEVEL,
                   "ntfs: renaming to or from the unnamed stream is not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    }
    if (Stream->DeletePending || Stream->IsGone) {
        return STATUS_ACCESS_DENIED;
    }
    Status = NtfsRemoveStreamVictimLocked(Setting, &Name);
    return NT_SUCCESS(Status) ? NtfsRenameStreamLocked(Setting->Volume, Stream, &Name) : Status;
}

/* ---- classes ---- */

NTSTATUS NtfsSetRename(PNTFS_SETTING Setting)
{
    UNICODE_STRING Name;
    NTSTATUS Status = NtfsTakeName(Setting, &Name);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Name.Buffer[0] == L':') {
        return NtfsRenameStream(Setting, Name);
    }
    if (Setting->Stream->Name.Length != 0 || Setting->Stream->File->Id == NTFS_ROOT_ID) {
        return STATUS_INVALID_PARAMETER;
    }
    return NtfsSetName(Setting, &Name, TRUE);
}

#define NTFS_LINKS_MAX 1024

NTSTATUS NtfsSetLink(PNTFS_SETTING Setting)
{
    NTFS_FILE_FACTS Facts;
    UNICODE_STRING Name;
    NTSTATUS Status = NtfsTakeName(Setting, &Name);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Setting->Stream->Name.Length != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Setting->Stream->File->IsDirectory) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    Status = NtfsLibraryFileFacts(Setting->Volume->Library, Setting->Stream->File->Id, &Facts);
    if (NT_SUCCESS(Status) && Facts.Links >= NTFS_LINKS_MAX) {
        Status = STATUS_TOO_MANY_LINKS;
    }
    return NT_SUCCESS(Status) ? NtfsSetName(Setting, &Name, FALSE) : Status;
}
