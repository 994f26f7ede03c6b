/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_DIRECTORY_CONTROL: what is in a directory.
 *
 * A handle's first query, and one that restarts, takes down all names; the queries go through these.  So a file that comes or goes between
 * two of them is seen by the next restart, where Windows shows it or not as the index has it.
 */
#include "ntfs.h"

/* One of the listing's entries; the next begins at a multiple of eight. */
typedef struct _NTFS_LISTED {
    ULONG Size;
    USHORT NameLength, ShortLength; /* bytes */
    NTFS_FILE_FACTS Facts;
    WCHAR Short[12];
    WCHAR Name[ANYSIZE_ARRAY];
} NTFS_LISTED, *PNTFS_LISTED;

/* Where a class keeps what not all have; 0: it has no such field. */
typedef struct _NTFS_DIRECTORY_CLASS {
    FILE_INFORMATION_CLASS Class;
    ULONG Name, Length, Ea, Short, Id;
    BOOLEAN Facts, HasTag; /* HasTag: a reparse point's tag, behind Ea; without it the tag is told as Ea */
} NTFS_DIRECTORY_CLASS;

#define NTFS_CLASS(Type, Field) FIELD_OFFSET(FILE_##Type##_INFORMATION, Field)

static const NTFS_DIRECTORY_CLASS NtfsDirectoryClasses[] = {
    {FileDirectoryInformation, NTFS_CLASS(DIRECTORY, FileName), NTFS_CLASS(DIRECTORY, FileNameLength), 0, 0, 0, TRUE},
    {FileFullDirectoryInformation, NTFS_CLASS(FULL_DIR, FileName), NTFS_CLASS(FULL_DIR, FileNameLength),
     NTFS_CLASS(FULL_DIR, EaSize), 0, 0, TRUE},
    {FileBothDirectoryInformation, NTFS_CLASS(BOTH_DIR, FileName), NTFS_CLASS(BOTH_DIR, FileNameLength),
     NTFS_CLASS(BOTH_DIR, EaSize), NTFS_CLASS(BOTH_DIR, ShortNameLength), 0, TRUE},
    {FileIdFullDirectoryInformation, NTFS_CLASS(ID_FULL_DIR, FileName), NTFS_CLASS(ID_FULL_DIR, FileNameLength),
     NTFS_CLASS(ID_FULL_DIR, EaSize), 0, NTFS_CLASS(ID_FULL_DIR, FileId), TRUE},
    {FileIdBothDirectoryInformation, NTFS_CLASS(ID_BOTH_DIR, FileName), NTFS_CLASS(ID_BOTH_DIR, FileNameLength),
     NTFS_CLASS(ID_BOTH_DIR, EaSize), NTFS_CLASS(ID_BOTH_DIR, ShortNameLength), NTFS_CLASS(ID_BOTH_DIR, FileId), TRUE},
    {FileIdExtdDirectoryInformation, NTFS_CLASS(ID_EXTD_DIR, FileName), NTFS_CLASS(ID_EXTD_DIR, FileNameLength),
     NTFS_CLASS(ID_EXTD_DIR, EaSize), 0, NTFS_CLASS(ID_EXTD_DIR, FileId), TRUE, TRUE},
    {FileIdExtdBothDirectoryInformation, NTFS_CLASS(ID_EXTD_BOTH_DIR, FileName),
     NTFS_CLASS(ID_EXTD_BOTH_DIR, FileNameLength), NTFS_CLASS(ID_EXTD_BOTH_DIR, EaSize),
     NTFS_CLASS(ID_EXTD_BOTH_DIR, ShortNameLength), NTFS_CLASS(ID_EXTD_BOTH_DIR, FileId), TRUE, TRUE},
    {FileNamesInformation, NTFS_CLASS(NAMES, FileName), NTFS_CLASS(NAMES, FileNameLength), 0, 0, 0, FALSE},
};

C_ASSERT(FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, ShortName) -
             FIELD_OFFSET(FILE_BOTH_DIR_INFORMATION, ShortNameLength) ==
         2);
C_ASSERT(FIELD_OFFSET(FILE_ID_EXTD_BOTH_DIR_INFORMATION, ShortName) -
             FIELD_OFFSET(FILE_ID_EXTD_BOTH_DIR_INFORMATION, ShortNameLength) ==
         2);
C_ASSERT(FIELD_OFFSET(FILE_ID_EXTD_DIR_INFORMATION, ReparsePointTag) ==
         FIELD_OFFSET(FILE_ID_EXTD_DIR_INFORMATION, EaSize) + sizeof(ULONG));

static PNTFS_LISTED NtfsGrowListing(PNTFS_LISTING Listing, ULONG NameLength)
{
    ULONG Size = (FIELD_OFFSET(NTFS_LISTED, Name) + NameLength + 7) & ~7u;
    PNTFS_LISTED Listed;

    if (Listing->Used + Size > Listing->Size) {
        ULONG Bigger = max(Listing->Size * 2, 4096u);
        PUCHAR Fresh = Listing->Size < 0x4000000 ? ExAllocatePoolWithTag(PagedPool, Bigger, NTFS_TAG_HANDLE) : NULL;

        if (Fresh == NULL) {
            return NULL;
        }
        RtlCopyMemory(Fresh, Listing->Entries, Listing->Used);
        if (Listing->Entries != NULL) {
            ExFreePoolWithTag(Listing->Entries, NTFS_TAG_HANDLE);
        }
        Listing->Entries = Fresh;
        Listing->Size = Bigger;
    }
    Listed = (PNTFS_LISTED)(Listing->Entries + Listing->Used);
    RtlZeroMemory(Listed, Size);
    Listed->Size = Size;
    Listed->NameLength = (USHORT)NameLength;
    Listing->Used += Size;
    return Listed;
}

typedef struct _NTFS_TAKING {
    PNTFS_LISTING Listing;
    NTSTATUS Status;
} NTFS_TAKING;

/* A short name is told with the long one of the same file, before or after it: it is taken down as an entry, and moved. */
static int NtfsTakeEntry(void *Context, const NTFS_ENTRY_FACTS *Entry)
{
    NTFS_TAKING *Taking = Context;
    PNTFS_LISTED Listed = NtfsGrowListing(Taking->Listing, Entry->NameLength * sizeof(WCHAR));

    if (Listed == NULL) {
        Taking->Status = STATUS_INSUFFICIENT_RESOURCES;
        return 1;
    }
    Listed->Facts = Entry->File;
    RtlCopyMemory(Listed->Name, Entry->Name, Listed->NameLength);
    if (Entry->IsShort) {
        Listed->ShortLength = min(Listed->NameLength, sizeof(Listed->Short));
        RtlCopyMemory(Listed->Short, Entry->Name, Listed->ShortLength);
        Listed->NameLength = 0; /* not an entry of its own */
    }
    return 0;
}

static PNTFS_LISTED NtfsListedAt(PNTFS_LISTING Listing, ULONG Offset)
{
    return Offset < Listing->Used ? (PNTFS_LISTED)(Listing->Entries + Offset) : NULL;
}

static VOID NtfsGiveShortNames(PNTFS_LISTING Listing)
{
    PNTFS_LISTED Short, Long;

    for (ULONG At = 0; (Short = NtfsListedAt(Listing, At)) != NULL; At += Short->Size) {
        if (Short->NameLength == 0) {
            for (ULONG Other = 0; (Long = NtfsListedAt(Listing, Other)) != NULL; Other += Long->Size) {
                if (Long->NameLength != 0 && Long->Facts.Id == Short->Facts.Id) {
                    Long->ShortLength = Short->ShortLength;
                    RtlCopyMemory(Long->Short, Short->Short, sizeof(Long->Short));
                    break;
                }
            }
        }
    }
}

/* "." and "..", which the root has not. */
static NTSTATUS NtfsTakeDots(PNTFS_VOLUME Volume, ULONG64 Id, PNTFS_LISTING Listing)
{
    uint16_t Name[NTFS_NAME_MAX];
    uint64_t Ids[2] = {Id, 0};
    uint32_t Length;
    NTSTATUS Status = NtfsLibraryParent(Volume->Library, Id, &Ids[1], Name, &Length);

    for (ULONG Dots = 1; NT_SUCCESS(Status) && Dots <= 2; Dots++) {
        PNTFS_LISTED Listed = NtfsGrowListing(Listing, Dots * sizeof(WCHAR));

        if (Listed == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Listed->Name[0] = L'.';
        Listed->Name[Dots - 1] = L'.';
        Status = NtfsLibraryFileFacts(Volume->Library, Ids[Dots - 1], &Listed->Facts);
    }
    return Status;
}

static NTSTATUS NtfsTakeListingLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_LISTING Listing)
{
    NTFS_TAKING Taking = {Listing, STATUS_SUCCESS};
    NTSTATUS Status = STATUS_SUCCESS;

    Listing->Used = Listing->Next = 0;
    Listing->Told = FALSE;
    if (Stream->File->Id != NTFS_ROOT_ID) {
        Status = NtfsTakeDots(Volume, Stream->File->Id, Listing);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsLibraryList(Volume->Library, Stream->File->Id, NtfsTakeEntry, &Taking);
    }
    NtfsGiveShortNames(Listing);
    return NT_SUCCESS(Status) ? Taking.Status : Status;
}

/* The first query's pattern is the handle's for good. */
static NTSTATUS NtfsTakePattern(PNTFS_LISTING Listing, PUNICODE_STRING Pattern)
{
    static const UNICODE_STRING All = RTL_CONSTANT_STRING(L"*");

    if (Pattern == NULL || Pattern->Length == 0 || RtlEqualUnicodeString(Pattern, &All, FALSE)) {
        return STATUS_SUCCESS;
    }
    Listing->Pattern.Buffer = ExAllocatePoolWithTag(PagedPool, Pattern->Length, NTFS_TAG_HANDLE);
    if (Listing->Pattern.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Listing->Pattern.MaximumLength = Pattern->Length;
    return RtlUpcaseUnicodeString(&Listing->Pattern, Pattern, FALSE);
}

static BOOLEAN NtfsIsListedMatch(PNTFS_LISTING Listing, PNTFS_LISTED Listed)
{
    UNICODE_STRING Name = {Listed->NameLength, Listed->NameLength, Listed->Name};
    UNICODE_STRING Short = {Listed->ShortLength, Listed->ShortLength, Listed->Short};

    return Listed->NameLength != 0 &&
           (Listing->Pattern.Length == 0 || FsRtlIsNameInExpression(&Listing->Pattern, &Name, TRUE, NULL) ||
            (Short.Length != 0 && FsRtlIsNameInExpression(&Listing->Pattern, &Short, TRUE, NULL)));
}

/* NameLength: how much of it there is room for. */
static VOID NtfsFillEntry(const NTFS_DIRECTORY_CLASS *Class, PUCHAR To, PNTFS_LISTED Listed, ULONG NameLength)
{
    PFILE_DIRECTORY_INFORMATION Facts = (PFILE_DIRECTORY_INFORMATION)To;

    RtlZeroMemory(To, Class->Name);
    if (Class->Facts) {
        Facts->CreationTime.QuadPart = Listed->Facts.Created;
        Facts->LastAccessTime.QuadPart = Listed->Facts.Accessed;
        Facts->LastWriteTime.QuadPart = Listed->Facts.Written;
        Facts->ChangeTime.QuadPart = Listed->Facts.Changed;
        Facts->EndOfFile.QuadPart = Listed->Facts.Size;
        Facts->AllocationSize.QuadPart = Listed->Facts.Allocated;
        Facts->FileAttributes = Listed->Facts.Attributes;
    }
    *(PULONG)(To + Class->Length) = Listed->NameLength;
    if (Class->HasTag) {
        *(PULONG)(To + Class->Ea) = Listed->Facts.EaSize;
        *(PULONG)(To + Class->Ea + sizeof(ULONG)) = Listed->Facts.ReparseTag;
    } else if (Class->Ea != 0) {
        *(PULONG)(To + Class->Ea) = Listed->Facts.ReparseTag != 0 ? Listed->Facts.ReparseTag : Listed->Facts.EaSize;
    }
    if (Class->Short != 0) {
        To[Class->Short] = (UCHAR)Listed->ShortLength;
        RtlCopyMemory(To + Class->Short + 2, Listed->Short, Listed->ShortLength);
    }
    if (Class->Id != 0) {
        *(PULONG64)(To + Class->Id) = Listed->Facts.Id; /* the upper half of one of 128 bits is 0 */
    }
    RtlCopyMemory(To + Class->Name, Listed->Name, NameLength);
}

static NTSTATUS NtfsFillListing(PNTFS_LISTING Listing, const NTFS_DIRECTORY_CLASS *Class, PUCHAR Buffer, ULONG Length,
                                BOOLEAN Single, PULONG_PTR Used)
{
    ULONG Last = MAXULONG, Start = 0;
    PNTFS_LISTED Listed;

    for (; (Listed = NtfsListedAt(Listing, Listing->Next)) != NULL; Listing->Next += Listed->Size) {
        if (!NtfsIsListedMatch(Listing, Listed)) {
            continue;
        }
        if (Last != MAXULONG && (Start + Class->Name + Listed->NameLength > Length || Single)) {
            break;
        }
        if (Start + Class->Name + Listed->NameLength > Length) {
            NtfsFillEntry(Class, Buffer, Listed, Length - Class->Name);
            *Used = Length;
            return STATUS_BUFFER_OVERFLOW; /* it comes again */
        }
        NtfsFillEntry(Class, Buffer + Start, Listed, Listed->NameLength);
        if (Last != MAXULONG) {
            *(PULONG)(Buffer + Last) = Start - Last;
        }
        Last = Start;
        *Used = Start + Class->Name + Listed->NameLength;
        Start = ((ULONG)*Used + 7) & ~7u;
        Listing->Told = TRUE;
    }
    if (Last == MAXULONG) {
        return Listing->Told ? STATUS_NO_MORE_FILES : STATUS_NO_SUCH_FILE;
    }
    return STATUS_SUCCESS;
}

static const NTFS_DIRECTORY_CLASS *NtfsDirectoryClass(FILE_INFORMATION_CLASS Class)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtfsDirectoryClasses); Index++) {
        if (NtfsDirectoryClasses[Index].Class == Class) {
            return &NtfsDirectoryClasses[Index];
        }
    }
    return NULL;
}

static NTSTATUS NtfsQueryDirectoryLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack,
                                         PUCHAR Buffer, PULONG_PTR Used)
{
    const NTFS_DIRECTORY_CLASS *Class = NtfsDirectoryClass(Stack->Parameters.QueryDirectory.FileInformationClass);
    PNTFS_LISTING Listing = &((PNTFS_HANDLE)Stack->FileObject->FsContext2)->Listing;
    BOOLEAN First = Listing->Entries == NULL;
    NTSTATUS Status = NtfsCheckUsable(Volume, Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Class == NULL) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Stack->Parameters.QueryDirectory.Length < Class->Name) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if (First && Listing->Pattern.Buffer == NULL) {
        Status = NtfsTakePattern(Listing, Stack->Parameters.QueryDirectory.FileName);
    }
    if (NT_SUCCESS(Status) && (First || (Stack->Flags & SL_RESTART_SCAN) != 0)) {
        Status = NtfsTakeListingLocked(Volume, Stream, Listing);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        Status = NtfsFillListing(Listing, Class, Buffer, Stack->Parameters.QueryDirectory.Length,
                                 (Stack->Flags & SL_RETURN_SINGLE_ENTRY) != 0, Used);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode(); /* the caller's buffer */
    }
    return Status;
}

/* PASSIVE_LEVEL, in the caller's context, where there is no MDL. */
NTSTATUS NTAPI NtfsDirectoryControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);
    PUCHAR Buffer = Irp->UserBuffer;
    ULONG_PTR Used = 0;
    NTSTATUS Status;

    if (Volume->IsVolume && Stream != NULL && Stack->MinorFunction == IRP_MN_NOTIFY_CHANGE_DIRECTORY) {
        return NtfsWatchDirectory(Volume, Irp);
    }
    if (!Volume->IsVolume || Stream == NULL || Stack->MinorFunction != IRP_MN_QUERY_DIRECTORY) {
        return NtfsComplete(
            Irp, Volume->IsVolume && Stream != NULL ? STATUS_NOT_IMPLEMENTED : STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (!Stream->File->IsDirectory || Stream->Name.Length != 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    if (Irp->MdlAddress != NULL) {
        Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority | MdlMappingNoExecute);
        if (Buffer == NULL) {
            return NtfsComplete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        }
    }
    NtfsLockLibrary();
    Status = NtfsQueryDirectoryLocked(Volume, Stream, Stack, Buffer, &Used);
    NtfsUnlockLibrary();
    return NtfsComplete(Irp, Status, Used);
}
