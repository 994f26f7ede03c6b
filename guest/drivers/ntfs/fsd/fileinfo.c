/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_QUERY_INFORMATION.
 *
 * A class with a name at its end gives as much of it as fits, with STATUS_BUFFER_OVERFLOW.  Of the volume itself the position is all
 * there is to know.
 */
#include "ntfs.h"

/* A query under way. */
typedef struct _NTFS_QUERY {
    PNTFS_VOLUME Volume;
    PFILE_OBJECT FileObject;
    PNTFS_STREAM Stream;
    PNTFS_HANDLE Handle;
    NTFS_FILE_FACTS Facts;
    PVOID Buffer;
    ULONG Length;
    ULONG_PTR Used;
} NTFS_QUERY, *PNTFS_QUERY;

/* A named stream has the file's attributes, but is no directory. */
static ULONG NtfsAttributesOf(PNTFS_QUERY Query)
{
    ULONG Attributes = Query->Facts.Attributes;

    if (Query->Stream->Name.Length != 0) {
        Attributes &= ~FILE_ATTRIBUTE_DIRECTORY;
    }
    return Attributes != 0 ? Attributes : FILE_ATTRIBUTE_NORMAL;
}

static NTSTATUS NtfsQueryBasic(PNTFS_QUERY Query)
{
    PFILE_BASIC_INFORMATION Basic = Query->Buffer;

    Basic->CreationTime.QuadPart = Query->Facts.Created;
    Basic->LastAccessTime.QuadPart = Query->Facts.Accessed;
    Basic->LastWriteTime.QuadPart = Query->Facts.Written;
    Basic->ChangeTime.QuadPart = Query->Facts.Changed;
    Basic->FileAttributes = NtfsAttributesOf(Query);
    Query->Used = sizeof(*Basic);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryStandard(PNTFS_QUERY Query)
{
    PFILE_STANDARD_INFORMATION Standard = Query->Buffer;

    Standard->AllocationSize = Query->Stream->Header.AllocationSize;
    Standard->EndOfFile = Query->Stream->Header.FileSize;
    Standard->DeletePending = NtfsIsDoomed(Query->Stream, Query->Handle);
    Standard->NumberOfLinks = Query->Facts.Links - (Query->Handle->Link->DeletePending && Query->Facts.Links != 0);
    Standard->Directory = (NtfsAttributesOf(Query) & FILE_ATTRIBUTE_DIRECTORY) != 0;
    Query->Used = sizeof(*Standard);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryInternal(PNTFS_QUERY Query)
{
    ((PFILE_INTERNAL_INFORMATION)Query->Buffer)->IndexNumber.QuadPart = (LONGLONG)Query->Facts.Id;
    Query->Used = sizeof(FILE_INTERNAL_INFORMATION);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryEa(PNTFS_QUERY Query)
{
    ((PFILE_EA_INFORMATION)Query->Buffer)->EaSize = Query->Facts.EaSize;
    Query->Used = sizeof(FILE_EA_INFORMATION);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryPosition(PNTFS_QUERY Query)
{
    ((PFILE_POSITION_INFORMATION)Query->Buffer)->CurrentByteOffset = Query->FileObject->CurrentByteOffset;
    Query->Used = sizeof(FILE_POSITION_INFORMATION);
    return STATUS_SUCCESS;
}

/* As much of the text as there is room for, behind what is there; Used counts all. */
static VOID NtfsTellText(PFILE_NAME_INFORMATION Name, ULONG Room, const VOID *Text, ULONG Length)
{
    if (Name->FileNameLength < Room) {
        RtlCopyMemory((PUCHAR)Name->FileName + Name->FileNameLength, Text, min(Length, Room - Name->FileNameLength));
    }
    Name->FileNameLength += Length;
}

/* With the stream's name. */
static NTSTATUS NtfsAnswerPath(PNTFS_QUERY Query, ULONG Offset, PCUNICODE_STRING Path)
{
    PFILE_NAME_INFORMATION Name = (PFILE_NAME_INFORMATION)((PUCHAR)Query->Buffer + Offset);
    ULONG Room = Query->Length - Offset - FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);

    Name->FileNameLength = 0;
    NtfsTellText(Name, Room, Path->Buffer, Path->Length);
    if (Query->Stream->Name.Length != 0) {
        NtfsTellText(Name, Room, L":", sizeof(WCHAR));
        NtfsTellText(Name, Room, Query->Stream->Name.Buffer, Query->Stream->Name.Length);
    }
    Query->Used = Offset + FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + min(Room, Name->FileNameLength);
    return Name->FileNameLength <= Room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS NtfsQueryName(PNTFS_QUERY Query)
{
    return NtfsAnswerPath(Query, 0, &Query->Handle->Link->Path);
}

/* Every component by its long name, whichever the file was opened by. */
static NTSTATUS NtfsQueryNormalizedName(PNTFS_QUERY Query)
{
    PNTFS_LINK Link = Query->Handle->Link;
    UNICODE_STRING Name = NtfsLinkName(Link), Long;
    WCHAR Buffer[NTFS_NAME_MAX];
    NTFS_TARGET Target;
    NTSTATUS Status;

    if (Link->IsGone || Query->Stream->File->Id == NTFS_ROOT_ID) {
        return NtfsQueryName(Query);
    }
    Long = (UNICODE_STRING){0, sizeof(Buffer), Buffer};
    Status = NtfsBeginTarget(&Target);
    if (NT_SUCCESS(Status)) {
        Status = NtfsPathOfIdLocked(Query->Volume, Link->Parent, &Target);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsLongNameLocked(Query->Volume, Query->Stream->File->Id, Link->Parent, &Name, &Long);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsAppendComponent(&Target, Long.Buffer, Long.Length / sizeof(WCHAR));
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsAnswerPath(Query, 0, &Target.Path);
    }
    NtfsFreeTarget(&Target);
    return Status;
}

static NTSTATUS NtfsQueryAll(PNTFS_QUERY Query)
{
    PFILE_ALL_INFORMATION All = Query->Buffer;
    NTFS_QUERY Part = *Query;

    Part.Buffer = &All->BasicInformation;
    NtfsQueryBasic(&Part);
    Part.Buffer = &All->StandardInformation;
    NtfsQueryStandard(&Part);
    Part.Buffer = &All->InternalInformation;
    NtfsQueryInternal(&Part);
    Part.Buffer = &All->EaInformation;
    NtfsQueryEa(&Part);
    Part.Buffer = &All->PositionInformation;
    NtfsQueryPosition(&Part);
    return NtfsAnswerPath(Query, FIELD_OFFSET(FILE_ALL_INFORMATION, NameInformation), &Query->Handle->Link->Path);
}

static NTSTATUS NtfsQueryNetworkOpen(PNTFS_QUERY Query)
{
    PFILE_NETWORK_OPEN_INFORMATION Open = Query->Buffer;

    Open->CreationTime.QuadPart = Query->Facts.Created;
    Open->LastAccessTime.QuadPart = Query->Facts.Accessed;
    Open->LastWriteTime.QuadPart = Query->Facts.Written;
    Open->ChangeTime.QuadPart = Query->Facts.Changed;
    Open->AllocationSize = Query->Stream->Header.AllocationSize;
    Open->EndOfFile = Query->Stream->Header.FileSize;
    Open->FileAttributes = NtfsAttributesOf(Query);
    Query->Used = sizeof(*Open);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryAttributeTag(PNTFS_QUERY Query)
{
    PFILE_ATTRIBUTE_TAG_INFORMATION Tag = Query->Buffer;

    Tag->FileAttributes = NtfsAttributesOf(Query);
    Tag->ReparseTag = Query->Facts.ReparseTag;
    Query->Used = sizeof(*Tag);
    return STATUS_SUCCESS;
}

/* What the visits of a file's streams fill. */
typedef struct _NTFS_STREAM_LIST {
    PNTFS_QUERY Query;
    PFILE_STREAM_INFORMATION Last;
    ULONG Used;
    NTSTATUS Status;
} NTFS_STREAM_LIST;

/* ":name:$DATA", one behind the other, each at a multiple of eight. */
static int NtfsTellStream(void *Context, const NTFS_STREAM_FACTS *Facts)
{
    NTFS_STREAM_LIST *List = Context;
    ULONG Start = (List->Used + 7) & ~7u;
    ULONG NameLength = (Facts->NameLength + 7) * sizeof(WCHAR);
    PFILE_STREAM_INFORMATION Stream = (PFILE_STREAM_INFORMATION)((PUCHAR)List->Query->Buffer + Start);

    if (Start + FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName) + NameLength > List->Query->Length) {
        List->Status = STATUS_BUFFER_OVERFLOW;
        return 1;
    }
    if (List->Last != NULL) {
        List->Last->NextEntryOffset = (ULONG)((PUCHAR)Stream - (PUCHAR)List->Last);
    }
    Stream->NextEntryOffset = 0;
    Stream->StreamNameLength = NameLength;
    Stream->StreamSize.QuadPart = Facts->Size;
    Stream->StreamAllocationSize.QuadPart = Facts->Allocated;
    Stream->StreamName[0] = L':';
    RtlCopyMemory(Stream->StreamName + 1, Facts->Name, Facts->NameLength * sizeof(WCHAR));
    RtlCopyMemory(Stream->StreamName + 1 + Facts->NameLength, L":$DATA", 6 * sizeof(WCHAR));
    List->Last = Stream;
    List->Used = Start + FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName) + NameLength;
    return 0;
}

static NTSTATUS NtfsQueryStreams(PNTFS_QUERY Query)
{
    NTFS_STREAM_LIST List = {Query, NULL, 0, STATUS_SUCCESS};
    NTSTATUS Status = NtfsLibraryStreams(Query->Volume->Library, Query->Facts.Id, NtfsTellStream, &List);

    Query->Used = List.Used;
    if (NT_SUCCESS(Status) && List.Used == 0 && List.Status == STATUS_SUCCESS) {
        return STATUS_END_OF_FILE; /* a directory without streams */
    }
    return NT_SUCCESS(Status) ? List.Status : Status;
}

/* What the visits of a file's names fill. */
typedef struct _NTFS_NAME_LIST {
    PNTFS_QUERY Query;
    PFILE_LINK_ENTRY_INFORMATION Last;
    NTSTATUS Status;
} NTFS_NAME_LIST;

/* One behind the other, each at a multiple of eight; BytesNeeded counts also what there is no room for. */
static int NtfsTellLink(void *Context, uint64_t Parent, const uint16_t *Name, uint32_t Length, int IsShort)
{
    NTFS_NAME_LIST *List = Context;
    PFILE_LINKS_INFORMATION Links = List->Query->Buffer;
    ULONG Start = (Links->BytesNeeded + 7) & ~7u;
    ULONG End = Start + FIELD_OFFSET(FILE_LINK_ENTRY_INFORMATION, FileName) + Length * sizeof(WCHAR);
    PFILE_LINK_ENTRY_INFORMATION Entry = (PFILE_LINK_ENTRY_INFORMATION)((PUCHAR)Links + Start);

    if (IsShort) {
        return 0;
    }
    Links->BytesNeeded = End;
    if (End > List->Query->Length || List->Status != STATUS_SUCCESS) {
        List->Status = STATUS_BUFFER_OVERFLOW;
        return 0;
    }
    if (List->Last != NULL) {
        List->Last->NextEntryOffset = (ULONG)((PUCHAR)Entry - (PUCHAR)List->Last);
    }
    Entry->NextEntryOffset = 0;
    Entry->ParentFileId = (LONGLONG)Parent;
    Entry->FileNameLength = Length;
    RtlCopyMemory(Entry->FileName, Name, Length * sizeof(WCHAR));
    List->Last = Entry;
    Links->EntriesReturned++;
    List->Query->Used = End;
    return 0;
}

static NTSTATUS NtfsQueryLinks(PNTFS_QUERY Query)
{
    NTFS_NAME_LIST List = {Query, NULL, STATUS_SUCCESS};
    PFILE_LINKS_INFORMATION Links = Query->Buffer;
    NTSTATUS Status;

    Query->Used = Links->BytesNeeded = FIELD_OFFSET(FILE_LINKS_INFORMATION, Entry);
    Status = NtfsLibraryNames(Query->Volume->Library, Query->Facts.Id, NtfsTellLink, &List);
    return NT_SUCCESS(Status) ? List.Status : Status;
}

/* The short name beside the one by which the file was opened. */
static int NtfsTellShortName(void *Context, uint64_t Parent, const uint16_t *Name, uint32_t Length, int IsShort)
{
    PNTFS_QUERY Query = Context;
    PFILE_NAME_INFORMATION Answer = Query->Buffer;

    if (!IsShort || Parent != Query->Handle->Link->Parent) {
        return 0;
    }
    NtfsTellText(Answer, Query->Length - FIELD_OFFSET(FILE_NAME_INFORMATION, FileName), Name, Length * sizeof(WCHAR));
    return 1;
}

static NTSTATUS NtfsQueryAlternateName(PNTFS_QUERY Query)
{
    PFILE_NAME_INFORMATION Answer = Query->Buffer;
    ULONG Room = Query->Length - FIELD_OFFSET(FILE_NAME_INFORMATION, FileName);
    NTSTATUS Status = NtfsLibraryNames(Query->Volume->Library, Query->Facts.Id, NtfsTellShortName, Query);

    if (NT_SUCCESS(Status) && Answer->FileNameLength == 0) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    Query->Used = FIELD_OFFSET(FILE_NAME_INFORMATION, FileName) + min(Room, Answer->FileNameLength);
    return NT_SUCCESS(Status) && Answer->FileNameLength > Room ? STATUS_BUFFER_OVERFLOW : Status;
}

/* The reference in sixteen bytes, and the volume's number. */
static NTSTATUS NtfsQueryId(PNTFS_QUERY Query)
{
    PFILE_ID_INFORMATION Id = Query->Buffer;

    Id->VolumeSerialNumber = Query->Volume->Facts.Serial;
    RtlCopyMemory(&Id->FileId, &Query->Facts.Id, sizeof(Query->Facts.Id));
    Query->Used = sizeof(*Id);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryStandardLink(PNTFS_QUERY Query)
{
    PFILE_STANDARD_LINK_INFORMATION Link = Query->Buffer;
    BOOLEAN Doomed = Query->Handle->Link->DeletePending;

    Link->TotalNumberOfLinks = Query->Facts.Links;
    Link->NumberOfAccessibleLinks = Query->Facts.Links - (Doomed && Query->Facts.Links != 0);
    Link->DeletePending = Doomed;
    Link->Directory = (NtfsAttributesOf(Query) & FILE_ATTRIBUTE_DIRECTORY) != 0;
    Query->Used = sizeof(*Link);
    return STATUS_SUCCESS;
}

/* Units of sixteen clusters, in chunks of 4 KiB; what is not compressed tells of none. */
static NTSTATUS NtfsQueryCompression(PNTFS_QUERY Query)
{
    PFILE_COMPRESSION_INFORMATION Compression = Query->Buffer;
    NTSTATUS Status = NtfsCompressionLocked(Query->Volume, Query->Stream, &Compression->CompressionFormat,
                                            &Compression->CompressedFileSize.QuadPart);

    if (Compression->CompressionFormat != COMPRESSION_FORMAT_NONE) {
        Compression->ClusterShift = (UCHAR)RtlFindMostSignificantBit(Query->Volume->Facts.ClusterSize);
        Compression->CompressionUnitShift = Compression->ClusterShift + 4;
        Compression->ChunkShift = 12;
    }
    Query->Used = sizeof(*Compression);
    return Status;
}

static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG Size;
    NTSTATUS (*Query)(PNTFS_QUERY Query);
} NtfsFileClasses[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), NtfsQueryBasic},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION), NtfsQueryStandard},
    {FileInternalInformation, sizeof(FILE_INTERNAL_INFORMATION), NtfsQueryInternal},
    {FileEaInformation, sizeof(FILE_EA_INFORMATION), NtfsQueryEa},
    {FilePositionInformation, sizeof(FILE_POSITION_INFORMATION), NtfsQueryPosition},
    {FileNameInformation, FIELD_OFFSET(FILE_NAME_INFORMATION, FileName), NtfsQueryName},
    {FileNormalizedNameInformation, FIELD_OFFSET(FILE_NAME_INFORMATION, FileName), NtfsQueryNormalizedName},
    {FileAllInformation, FIELD_OFFSET(FILE_ALL_INFORMATION, NameInformation.FileName), NtfsQueryAll},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION), NtfsQueryNetworkOpen},
    {FileAttributeTagInformation, sizeof(FILE_ATTRIBUTE_TAG_INFORMATION), NtfsQueryAttributeTag},
    {FileAlternateNameInformation, FIELD_OFFSET(FILE_NAME_INFORMATION, FileName), NtfsQueryAlternateName},
    {FileCompressionInformation, sizeof(FILE_COMPRESSION_INFORMATION), NtfsQueryCompression},
    {FileHardLinkInformation, FIELD_OFFSET(FILE_LINKS_INFORMATION, Entry), NtfsQueryLinks},
    {FileIdInformation, sizeof(FILE_ID_INFORMATION), NtfsQueryId},
    {FileStandardLinkInformation, sizeof(FILE_STANDARD_LINK_INFORMATION), NtfsQueryStandardLink},
    {FileStreamInformation, FIELD_OFFSET(FILE_STREAM_INFORMATION, StreamName), NtfsQueryStreams},
};

static NTSTATUS NtfsQueryFileLocked(PNTFS_QUERY Query, FILE_INFORMATION_CLASS Class)
{
    NTSTATUS Status = NtfsCheckUsable(Query->Volume, Query->Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtfsFileClasses); Index++) {
        if (NtfsFileClasses[Index].Class == Class) {
            if (Query->Length < NtfsFileClasses[Index].Size) {
                return STATUS_INFO_LENGTH_MISMATCH;
            }
            Status = NtfsLibraryFileFacts(Query->Volume->Library, Query->Stream->File->Id, &Query->Facts);
            RtlZeroMemory(Query->Buffer, Query->Length);
            return NT_SUCCESS(Status) ? NtfsFileClasses[Index].Query(Query) : Status;
        }
    }
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS NtfsQueryVolumeFile(PIO_STACK_LOCATION Stack, PFILE_POSITION_INFORMATION Position, PULONG_PTR Used)
{
    if (Stack->Parameters.QueryFile.FileInformationClass != FilePositionInformation) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Stack->Parameters.QueryFile.Length < sizeof(*Position)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Position->CurrentByteOffset = Stack->FileObject->CurrentByteOffset;
    *Used = sizeof(*Position);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsQueryInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTFS_QUERY Query;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    RtlZeroMemory(&Query, sizeof(Query));
    Query.Volume = Volume;
    Query.FileObject = Stack->FileObject;
    Query.Stream = NtfsStreamOf(Stack->FileObject);
    Query.Buffer = Irp->AssociatedIrp.SystemBuffer;
    Query.Length = Stack->Parameters.QueryFile.Length;
    if (Query.Stream == NULL) {
        Status = NtfsQueryVolumeFile(Stack, Query.Buffer, &Query.Used);
    } else {
        Query.Handle = Stack->FileObject->FsContext2;
        NtfsLockLibrary();
        Status = NtfsQueryFileLocked(&Query, Stack->Parameters.QueryFile.FileInformationClass);
        NtfsUnlockLibrary();
    }
    return NtfsComplete(Irp, Status, Query.Used);
}
