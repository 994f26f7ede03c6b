/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the name of an open to a file: a path from the root or from a directory that is open, with a stream's name behind it, or a
 * file's identifier.
 */
#include "ntfs.h"

#define NTFS_PATH_MAX 0xFFFE /* bytes of a UNICODE_STRING */

static NTSTATUS NtfsAppend(PNTFS_TARGET Target, const WCHAR *Text, ULONG Length)
{
    if (Target->Path.Length + Length > Target->Path.MaximumLength) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    RtlCopyMemory((PUCHAR)Target->Path.Buffer + Target->Path.Length, Text, Length);
    Target->Path.Length += (USHORT)Length;
    return STATUS_SUCCESS;
}

NTSTATUS NtfsBeginTarget(PNTFS_TARGET Target)
{
    RtlZeroMemory(Target, sizeof(*Target));
    Target->Id = Target->Parent = NTFS_ROOT_ID;
    Target->Buffer = ExAllocatePoolWithTag(PagedPool, NTFS_PATH_MAX, NTFS_TAG_HANDLE);
    Target->Path.Buffer = Target->Buffer;
    Target->Path.MaximumLength = NTFS_PATH_MAX;
    return Target->Buffer != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

VOID NtfsFreeTarget(PNTFS_TARGET Target)
{
    if (Target->Buffer != NULL) {
        ExFreePoolWithTag(Target->Buffer, NTFS_TAG_HANDLE);
        Target->Buffer = NULL;
    }
}

/* What NTFS takes in no name. */
BOOLEAN NtfsIsLegalName(const WCHAR *Name, ULONG Characters)
{
    if (Characters == 0 || Characters > NTFS_NAME_MAX) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Characters; Index++) {
        WCHAR Character = Name[Index];

        if (Character < 0x20 || wcschr(L"\"*/:<>?|\\", Character) != NULL) {
            return FALSE;
        }
    }
    return TRUE;
}

/* A stream's name may have nearly everything. */
BOOLEAN NtfsIsLegalStream(const WCHAR *Name, ULONG Characters)
{
    if (Characters == 0 || Characters > NTFS_NAME_MAX) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Characters; Index++) {
        if (Name[Index] == 0 || Name[Index] == L'\\' || Name[Index] == L'/' || Name[Index] == L':') {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS NtfsAppendComponent(PNTFS_TARGET Target, const WCHAR *Name, ULONG Characters)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Target->Path.Length == 0 || Target->Path.Buffer[Target->Path.Length / sizeof(WCHAR) - 1] != L'\\') {
        Status = NtfsAppend(Target, L"\\", sizeof(WCHAR));
    }
    return NT_SUCCESS(Status) ? NtfsAppend(Target, Name, Characters * sizeof(WCHAR)) : Status;
}

NTSTATUS NtfsStepLocked(PNTFS_VOLUME Volume, PNTFS_TARGET Target, const WCHAR *Name, ULONG Characters)
{
    uint16_t RealName[NTFS_NAME_MAX];
    uint32_t RealLength;
    uint64_t Id;
    NTSTATUS Status;

    if (!NtfsIsLegalName(Name, Characters)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Status =
        NtfsLibraryLookup(Volume->Library, Target->Id, (const uint16_t *)Name, Characters, &Id, RealName, &RealLength);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Target->Parent = Target->Id;
    Target->Id = Id;
    return NtfsAppendComponent(Target, (const WCHAR *)RealName, RealLength);
}

/* Something else is to come: a directory that may be passed, or a reparse point, which leads elsewhere. */
static NTSTATUS NtfsCheckDirectoryLocked(PNTFS_VOLUME Volume, PNTFS_TARGET Target)
{
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status = NtfsLibraryFileFacts(Volume->Library, Target->Id, &Facts);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Facts.ReparseTag != 0) {
        return STATUS_REPARSE;
    }
    if ((Facts.Attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    return Target->Traverser != NULL ? NtfsCheckTraverseLocked(Volume, Target->Traverser, Target->Id) : STATUS_SUCCESS;
}

/* The components, without a backslash at the beginning. */
static NTSTATUS NtfsWalkLocked(PNTFS_VOLUME Volume, PNTFS_TARGET Target, const WCHAR *Name, const WCHAR *End)
{
    BOOLEAN First = TRUE;

    while (Name < End) {
        const WCHAR *Stop = Name;
        NTSTATUS Status;

        while (Stop < End && *Stop != L'\\') {
            Stop++;
        }
        Status = NtfsCheckDirectoryLocked(Volume, Target);
        if (Status == STATUS_REPARSE) {
            Target->Unparsed = (USHORT)((PUCHAR)Target->End - (PUCHAR)Name + (First ? 0 : sizeof(WCHAR)));
            return Status;
        }
        First = FALSE;
        if (NT_SUCCESS(Status)) {
            Status = NtfsStepLocked(Volume, Target, Name, (ULONG)(Stop - Name));
        }
        if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
            Target->LastIsMissing = Stop >= End;
            Target->Missing = (UNICODE_STRING){(USHORT)((PUCHAR)Stop - (PUCHAR)Name),
                                               (USHORT)((PUCHAR)Stop - (PUCHAR)Name), (PWCH)Name};
            return Stop < End ? STATUS_OBJECT_PATH_NOT_FOUND : Status;
        }
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        Name = Stop + 1;
    }
    return STATUS_SUCCESS;
}

/* "name:stream" or "name:stream:$DATA": sets Target->Stream, and the end to before the first colon. */
static NTSTATUS NtfsSplitStream(PNTFS_TARGET Target, const WCHAR *Name, const WCHAR **End)
{
    static const UNICODE_STRING Data = RTL_CONSTANT_STRING(L"$DATA");
    const WCHAR *Colon = Name, *Second;
    UNICODE_STRING Type;

    while (Colon < *End && *Colon != L':') {
        Colon++;
    }
    if (Colon == *End) {
        return STATUS_SUCCESS;
    }
    for (Second = Colon + 1; Second < *End && *Second != L':'; Second++) {
        if (*Second == L'\\') {
            return STATUS_OBJECT_NAME_INVALID; /* a stream is no directory */
        }
    }
    Target->Stream.Buffer = (PWCH)Colon + 1;
    Target->Stream.Length = Target->Stream.MaximumLength = (USHORT)((PUCHAR)Second - (PUCHAR)(Colon + 1));
    if (Second < *End) {
        Type.Buffer = (PWCH)Second + 1;
        Type.Length = Type.MaximumLength = (USHORT)((PUCHAR)*End - (PUCHAR)(Second + 1));
        if (!RtlEqualUnicodeString(&Type, &Data, TRUE)) {
            return STATUS_OBJECT_NAME_INVALID;
        }
    } else if (Target->Stream.Length == 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    *End = Colon;
    return STATUS_SUCCESS;
}

NTSTATUS NtfsPathOfIdLocked(PNTFS_VOLUME Volume, ULONG64 Id, PNTFS_TARGET Target)
{
    uint16_t Name[NTFS_NAME_MAX];
    ULONG Start = NTFS_PATH_MAX;
    ULONG64 Walk = Id;
    uint64_t Parent;
    uint32_t Length;

    /* From the end of the buffer to its beginning; a damaged volume's parents may lead in a circle. */
    while (Walk != NTFS_ROOT_ID) {
        NTSTATUS Status = NtfsLibraryParent(Volume->Library, Walk, &Parent, Name, &Length);

        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Start < (Length + 1) * sizeof(WCHAR)) {
            return STATUS_FILE_CORRUPT_ERROR;
        }
        Start -= Length * sizeof(WCHAR);
        RtlCopyMemory((PUCHAR)Target->Buffer + Start, Name, Length * sizeof(WCHAR));
        Start -= sizeof(WCHAR);
        Target->Buffer[Start / sizeof(WCHAR)] = L'\\';
        if (Walk == Id) {
            Target->Parent = Parent;
        }
        Walk = Parent;
    }
    if (Start == NTFS_PATH_MAX) {
        Start -= sizeof(WCHAR);
        Target->Buffer[Start / sizeof(WCHAR)] = L'\\';
    }
    Target->Id = Id;
    Target->Path.Length = (USHORT)(NTFS_PATH_MAX - Start);
    RtlMoveMemory(Target->Buffer, (PUCHAR)Target->Buffer + Start, Target->Path.Length);
    return STATUS_SUCCESS;
}

/* Eight bytes, as FileInternalInformation gives them; sixteen where the rest is zero. */
static NTSTATUS NtfsTargetById(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject, PNTFS_TARGET Target)
{
    UNICODE_STRING Name = FileObject->FileName;
    ULONG64 Id[2] = {0, 0};

    /* Behind the volume's name, with a backslash between. */
    if (Name.Length % sizeof(ULONG64) == sizeof(WCHAR) && Name.Buffer[0] == L'\\') {
        Name.Buffer++;
        Name.Length -= sizeof(WCHAR);
    }
    if (Name.Length != sizeof(ULONG64) && Name.Length != sizeof(Id)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(Id, Name.Buffer, Name.Length);
    if (Id[1] != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return NtfsPathOfIdLocked(Volume, Id[0], Target);
}

static NTSTATUS NtfsTargetByName(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject, PNTFS_TARGET Target)
{
    const WCHAR *Name = FileObject->FileName.Buffer, *End = Name + FileObject->FileName.Length / sizeof(WCHAR);
    PNTFS_STREAM Related = NtfsStreamOf(FileObject->RelatedFileObject);
    NTSTATUS Status;

    if (FileObject->RelatedFileObject != NULL) {
        PNTFS_HANDLE Handle = FileObject->RelatedFileObject->FsContext2;

        if (Related == NULL || (Name < End && *Name == L'\\')) {
            return STATUS_INVALID_PARAMETER;
        }
        if (!Related->File->IsDirectory && Name < End && *Name != L':') {
            return STATUS_OBJECT_PATH_NOT_FOUND;
        }
        Target->Id = Related->File->Id;
        Target->Parent = Handle->Link->Parent;
        Status = NtfsAppend(Target, Handle->Link->Path.Buffer, Handle->Link->Path.Length);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Target->Path.Length == sizeof(WCHAR)) {
            Target->Path.Length = 0; /* the root's backslash comes back */
        }
    } else {
        if (Name == End || *Name != L'\\') {
            return STATUS_OBJECT_NAME_INVALID;
        }
        Name++;
    }
    Target->End = End;
    Status = NtfsSplitStream(Target, Name, &End);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (End - Name > 1 && End[-1] == L'\\') {
        Target->DirectoryWanted = TRUE;
        End--;
    }
    Status = NtfsWalkLocked(Volume, Target, Name, End);
    if (Status == STATUS_SUCCESS) {
        Target->Unparsed = (USHORT)((PUCHAR)Target->End - (PUCHAR)End);
    }
    if (Target->Path.Length == 0) {
        Target->Path.Buffer[0] = L'\\';
        Target->Path.Length = sizeof(WCHAR);
    }
    return Status;
}

NTSTATUS NtfsFindTargetLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = NtfsBeginTarget(Target);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (NtfsIsChecked(Irp)) {
        Target->Traverser = Stack->Parameters.Create.SecurityContext->AccessState;
    }
    Status = (Stack->Parameters.Create.Options & FILE_OPEN_BY_FILE_ID) != 0
                 ? NtfsTargetById(Volume, Stack->FileObject, Target)
                 : NtfsTargetByName(Volume, Stack->FileObject, Target);
    /* The file system's own files, but the root, are nobody's to open. */
    if (NT_SUCCESS(Status) && Target->Id != NTFS_ROOT_ID && (Target->Id & 0xFFFFFFFFFFFFull) < 16) {
        Status = STATUS_ACCESS_DENIED;
    }
    return Status;
}
