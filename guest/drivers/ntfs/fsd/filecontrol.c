/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File-system controls of files: identifiers of objects, where a stream's clusters are, zeros; and which controls there are, of what handles.  Reparse
 * points are reparse.c's, records of changes usn.c's.
 */
#include "ntfs.h"

/* ---- identifiers of objects ---- */

/* *Size: of what there is; the identifier alone, or with where it was born. */
static NTSTATUS NtfsReadObjectIdLocked(PNTFS_CONTROL Control, PFILE_OBJECTID_BUFFER Id, uint32_t *Size)
{
    *Size = sizeof(*Id);
    RtlZeroMemory(Id, sizeof(*Id));
    return NtfsLibraryReadPart(Control->Volume->Library, Control->Stream->File->Id, NtfsPartObjectId, Id, Size);
}

static NTSTATUS NtfsTellObjectId(PNTFS_CONTROL Control, const FILE_OBJECTID_BUFFER *Id)
{
    RtlCopyMemory(Control->Output, Id, sizeof(*Id));
    Control->Used = sizeof(*Id);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsWriteObjectIdLocked(PNTFS_CONTROL Control, const FILE_OBJECTID_BUFFER *Id)
{
    NTSTATUS Status = NtfsLibraryWritePart(Control->Volume->Library, Control->Stream->File->Id, NtfsPartObjectId, Id,
                                           Id != NULL ? sizeof(*Id) : 0);

    return Status == STATUS_OBJECT_NAME_COLLISION ? STATUS_DUPLICATE_NAME : Status;
}

static NTSTATUS NtfsGetObjectId(PNTFS_CONTROL Control)
{
    FILE_OBJECTID_BUFFER Id;
    uint32_t Size;
    NTSTATUS Status;

    if (Control->OutputLength < sizeof(Id)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsReadObjectIdLocked(Control, &Id, &Size);
    if (NT_SUCCESS(Status) && Size == 0) {
        Status = STATUS_OBJECTID_NOT_FOUND;
    }
    return NT_SUCCESS(Status) ? NtfsTellObjectId(Control, &Id) : Status;
}

static NTSTATUS NtfsSetObjectId(PNTFS_CONTROL Control)
{
    FILE_OBJECTID_BUFFER Id;
    uint32_t Size;
    NTSTATUS Status;

    if (Control->InputLength != sizeof(Id)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!Control->Handle->MayRestore) {
        return STATUS_ACCESS_DENIED;
    }
    Status = NtfsReadObjectIdLocked(Control, &Id, &Size);
    if (NT_SUCCESS(Status) && Size != 0) {
        Status = STATUS_OBJECT_NAME_COLLISION; /* it has one */
    }
    return NT_SUCCESS(Status) ? NtfsWriteObjectIdLocked(Control, Control->Input) : Status;
}

/* Where it was born, of one that is there. */
static NTSTATUS NtfsSetObjectIdExtended(PNTFS_CONTROL Control)
{
    FILE_OBJECTID_BUFFER Id;
    uint32_t Size;
    NTSTATUS Status;

    if (Control->InputLength != sizeof(Id.ExtendedInfo)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsReadObjectIdLocked(Control, &Id, &Size);
    if (NT_SUCCESS(Status) && Size == 0) {
        Status = STATUS_OBJECTID_NOT_FOUND;
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlCopyMemory(Id.ExtendedInfo, Control->Input, sizeof(Id.ExtendedInfo));
    return NtfsWriteObjectIdLocked(Control, &Id);
}

/* A new one is born here. */
static NTSTATUS NtfsCreateOrGetObjectId(PNTFS_CONTROL Control)
{
    FILE_OBJECTID_BUFFER Id;
    uint32_t Size;
    NTSTATUS Status;

    if (Control->OutputLength < sizeof(Id)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsReadObjectIdLocked(Control, &Id, &Size);
    if (NT_SUCCESS(Status) && Size == 0) {
        if (Control->Volume->Facts.ReadOnly) {
            return STATUS_MEDIA_WRITE_PROTECTED;
        }
        Status = ExUuidCreate((UUID *)Id.ObjectId);
        if (NT_SUCCESS(Status)) {
            RtlCopyMemory(Id.BirthObjectId, Id.ObjectId, sizeof(Id.BirthObjectId));
            Status = NtfsWriteObjectIdLocked(Control, &Id);
        }
    }
    return NT_SUCCESS(Status) ? NtfsTellObjectId(Control, &Id) : Status;
}

static NTSTATUS NtfsDeleteObjectId(PNTFS_CONTROL Control)
{
    return NtfsWriteObjectIdLocked(Control, NULL);
}

/* ---- clusters ---- */

/* Runs, one behind the other, until there is no room. */
typedef struct _NTFS_EXTENTS {
    PRETRIEVAL_POINTERS_BUFFER Answer;
    ULONG Room; /* extents */
    LONGLONG First;
    BOOLEAN Full;
} NTFS_EXTENTS;

static int NtfsTellExtent(void *Context, int64_t Vcn, int64_t Lcn, int64_t Clusters)
{
    NTFS_EXTENTS *Extents = Context;
    PRETRIEVAL_POINTERS_BUFFER Answer = Extents->Answer;

    if (Vcn + Clusters <= Extents->First) {
        return 0;
    }
    if (Answer->ExtentCount == Extents->Room) {
        Extents->Full = TRUE;
        return 1;
    }
    if (Answer->ExtentCount == 0) {
        Answer->StartingVcn.QuadPart = Vcn;
    }
    Answer->Extents[Answer->ExtentCount].NextVcn.QuadPart = Vcn + Clusters;
    Answer->Extents[Answer->ExtentCount].Lcn.QuadPart = Lcn >= 0 ? Lcn : -1;
    Answer->ExtentCount++;
    return 0;
}

static NTSTATUS NtfsVisitRuns(PNTFS_CONTROL Control, NTFS_RUN_VISITOR *Visitor, PVOID Context)
{
    PNTFS_STREAM Stream = Control->Stream;

    return NtfsIsDirectoryItself(Stream)
               ? NtfsLibraryIndexRuns(Control->Volume->Library, Stream->File->Id, Visitor, Context)
               : NtfsLibraryRuns(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                 Stream->Name.Length / sizeof(WCHAR), Visitor, Context);
}

static NTSTATUS NtfsGetRetrievalPointers(PNTFS_CONTROL Control)
{
    NTFS_EXTENTS Extents = {Control->Output, 0, 0, FALSE};
    NTSTATUS Status;

    if (Control->InputLength < sizeof(STARTING_VCN_INPUT_BUFFER)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Control->OutputLength < sizeof(RETRIEVAL_POINTERS_BUFFER)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    Extents.First = ((PSTARTING_VCN_INPUT_BUFFER)Control->Input)->StartingVcn.QuadPart;
    Extents.Room =
        (Control->OutputLength - FIELD_OFFSET(RETRIEVAL_POINTERS_BUFFER, Extents)) / sizeof(Extents.Answer->Extents[0]);
    if (Extents.First < 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Extents.Answer->ExtentCount = 0;
    Status = Control->Stream->Mapped || NtfsIsDirectoryItself(Control->Stream)
                 ? NtfsVisitRuns(Control, NtfsTellExtent, &Extents)
                 : STATUS_SUCCESS;
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Extents.Answer->ExtentCount == 0) {
        return STATUS_END_OF_FILE; /* behind the last, or in the file's record */
    }
    Control->Used = FIELD_OFFSET(RETRIEVAL_POINTERS_BUFFER, Extents) +
                    Extents.Answer->ExtentCount * sizeof(Extents.Answer->Extents[0]);
    return Extents.Full ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

typedef struct _NTFS_RANGES {
    PFILE_ALLOCATED_RANGE_BUFFER Answer;
    ULONG Room, Count;
    LONGLONG Start, End; /* bytes that are asked for */
    ULONG Cluster;
    BOOLEAN Full;
} NTFS_RANGES, *PNTFS_RANGES;

/* What is in clusters, neighbours in one range. */
static int NtfsTellRange(void *Context, int64_t Vcn, int64_t Lcn, int64_t Clusters)
{
    PNTFS_RANGES Ranges = Context;
    LONGLONG From = max(Vcn * Ranges->Cluster, Ranges->Start);
    LONGLONG To = min((Vcn + Clusters) * Ranges->Cluster, Ranges->End);
    PFILE_ALLOCATED_RANGE_BUFFER Last = &Ranges->Answer[Ranges->Count - 1];

    if (Lcn < 0 || From >= To) {
        return 0;
    }
    if (Ranges->Count != 0 && Last->FileOffset.QuadPart + Last->Length.QuadPart == From) {
        Last->Length.QuadPart += To - From;
        return 0;
    }
    if (Ranges->Count == Ranges->Room) {
        Ranges->Full = TRUE;
        return 1;
    }
    Ranges->Answer[Ranges->Count].FileOffset.QuadPart = From;
    Ranges->Answer[Ranges->Count].Length.QuadPart = To - From;
    Ranges->Count++;
    return 0;
}

static NTSTATUS NtfsQueryAllocatedRanges(PNTFS_CONTROL Control)
{
    PFILE_ALLOCATED_RANGE_BUFFER Wanted = Control->Input;
    NTFS_RANGES Ranges = {.Answer = Control->Output, .Cluster = Control->Volume->Facts.ClusterSize};
    NTSTATUS Status = STATUS_SUCCESS;

    if (Control->InputLength < sizeof(*Wanted) || Wanted->FileOffset.QuadPart < 0 || Wanted->Length.QuadPart < 0 ||
        Wanted->Length.QuadPart > MAXLONGLONG - Wanted->FileOffset.QuadPart) {
        return STATUS_INVALID_PARAMETER;
    }
    Ranges.Start = Wanted->FileOffset.QuadPart;
    Ranges.End = min(Ranges.Start + Wanted->Length.QuadPart, Control->Stream->Header.FileSize.QuadPart);
    if (Ranges.Start >= Ranges.End) {
        return STATUS_SUCCESS;
    }
    Ranges.Room = Control->OutputLength / sizeof(*Wanted);
    if (Ranges.Room == 0) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (Control->Stream->Mapped) {
        Status = NtfsVisitRuns(Control, NtfsTellRange, &Ranges);
    } else {
        NtfsTellRange(&Ranges, Ranges.Start / Ranges.Cluster, 0,
                      (Ranges.End - Ranges.Start) / Ranges.Cluster + 2); /* all of it is somewhere */
    }
    Control->Used = Ranges.Count * sizeof(*Wanted);
    return NT_SUCCESS(Status) && Ranges.Full ? STATUS_BUFFER_OVERFLOW : Status;
}

/* ---- zeros, and what a stream is ---- */

#define NTFS_ZEROS 0x10000u

/* Clusters that are larger hold no compressed bytes: MS-FSA 2.1.5.10.30. */
#define NTFS_COMPRESSED_CLUSTER_MAX 4096

/* What a stream is, where the library tells of nothing else. */
static NTFS_STREAM_FACTS NtfsStreamFacts(PNTFS_STREAM Stream)
{
    return (NTFS_STREAM_FACTS){.Size = Stream->Header.FileSize.QuadPart,
                               .Valid = Stream->ValidToDisk,
                               .Allocated = Stream->Header.AllocationSize.QuadPart,
                               .Mapped = Stream->Mapped};
}

/* They are written: what clusters there are stay the stream's. */
static NTSTATUS NtfsWriteZeros(PNTFS_CONTROL Control, LONGLONG Offset, LONGLONG End)
{
    PNTFS_STREAM Stream = Control->Stream;
    PVOID Zeros = Offset < End ? ExAllocatePoolWithTag(PagedPool, NTFS_ZEROS, NTFS_TAG_HANDLE) : NULL;
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Zeros == NULL) {
        return Offset < End ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
    }
    RtlZeroMemory(Zeros, NTFS_ZEROS);
    while (NT_SUCCESS(Status) && Offset < End) {
        ULONG Piece = (ULONG)min(End - Offset, (LONGLONG)NTFS_ZEROS);

        Facts = NtfsStreamFacts(Stream);
        ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
        Status = NtfsLibraryWrite(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                  Stream->Name.Length / sizeof(WCHAR), Offset, Zeros, Piece, TRUE, &Facts);
        NtfsTakeSizesLocked(Stream, &Facts);
        ExReleaseResourceLite(&Stream->RunsResource);
        Stream->IsChanged = TRUE;
        Offset += Piece;
    }
    ExFreePoolWithTag(Zeros, NTFS_TAG_HANDLE);
    return Status;
}

/* A sparse stream gives back what clusters it can; zeros are written to the rest. */
static NTSTATUS NtfsSetZeroData(PNTFS_CONTROL Control)
{
    PFILE_ZERO_DATA_INFORMATION Wanted = Control->Input;
    PNTFS_STREAM Stream = Control->Stream;
    LONGLONG Offset, End, From, To;
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    if (Control->InputLength < sizeof(*Wanted) || Wanted->FileOffset.QuadPart < 0 ||
        Wanted->BeyondFinalZero.QuadPart < Wanted->FileOffset.QuadPart) {
        return STATUS_INVALID_PARAMETER;
    }
    From = Offset = Wanted->FileOffset.QuadPart;
    To = End = min(Wanted->BeyondFinalZero.QuadPart, Stream->Header.FileSize.QuadPart);
    Facts = NtfsStreamFacts(Stream);
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Status = NtfsLibraryPunch(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                              Stream->Name.Length / sizeof(WCHAR), &From, &To, &Facts);
    NtfsTakeSizesLocked(Stream, &Facts);
    ExReleaseResourceLite(&Stream->RunsResource);
    Stream->IsChanged |= From < To;
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteZeros(Control, Offset, From < To ? min(From, End) : End);
    }
    return NT_SUCCESS(Status) && From < To ? NtfsWriteZeros(Control, To, End) : Status;
}

/* A flag of the stream's is changed, and who waits for that hears of it; or what is not built is named. */
static NTSTATUS NtfsTellChangeLocked(PNTFS_CONTROL Control, NTSTATUS Status, PCSTR NotBuilt)
{
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Control->Volume, Control->Handle->Link, NULL, FILE_NOTIFY_CHANGE_ATTRIBUTES,
                         FILE_ACTION_MODIFIED);
    } else if (Status == STATUS_NOT_IMPLEMENTED) {
        DbgPrintEx(DPFLTR_NTFS_ID, DPFLTR_ERROR_LEVEL, "ntfs: %s is not implemented\n", NotBuilt);
    }
    return Status;
}

static NTSTATUS NtfsSetSparse(PNTFS_CONTROL Control)
{
    PFILE_SET_SPARSE_BUFFER Wanted = Control->Input;
    PNTFS_STREAM Stream = Control->Stream;
    NTFS_STREAM_FACTS Facts = NtfsStreamFacts(Stream);
    BOOLEAN Sparse = Control->InputLength < sizeof(*Wanted) || Wanted->SetSparse; /* without a buffer: it is to be */
    NTSTATUS Status;

    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Status = NtfsLibrarySetSparse(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                  Stream->Name.Length / sizeof(WCHAR), Sparse, &Facts);
    NtfsTakeSizesLocked(Stream, &Facts);
    ExReleaseResourceLite(&Stream->RunsResource);
    return NtfsTellChangeLocked(Control, Status,
                                "FSCTL_SET_SPARSE of a named or compressed stream, or back of one with holes,");
}

NTSTATUS NtfsCompressionLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PUSHORT Format, PLONGLONG Allocated)
{
    NTFS_FILE_FACTS File;
    NTFS_STREAM_FACTS Facts;
    BOOLEAN Compressed;
    NTSTATUS Status;

    *Allocated = Stream->Header.AllocationSize.QuadPart;
    if (NtfsIsDirectoryItself(Stream)) {
        Status = NtfsLibraryFileFacts(Volume->Library, Stream->File->Id, &File);
        Compressed = NT_SUCCESS(Status) && (File.Attributes & FILE_ATTRIBUTE_COMPRESSED) != 0;
    } else {
        Status = NtfsLibraryStreamFacts(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                        Stream->Name.Length / sizeof(WCHAR), &Facts);
        Compressed = NT_SUCCESS(Status) && Facts.Compressed;
    }
    *Format = Compressed ? COMPRESSION_FORMAT_LZNT1 : COMPRESSION_FORMAT_NONE;
    return Status;
}

static NTSTATUS NtfsGetCompression(PNTFS_CONTROL Control)
{
    LONGLONG Allocated;
    USHORT Format;
    NTSTATUS Status;

    if (Control->OutputLength < sizeof(Format)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsCompressionLocked(Control->Volume, Control->Stream, &Format, &Allocated);
    if (NT_SUCCESS(Status)) {
        *(PUSHORT)Control->Output = Format;
        Control->Used = sizeof(Format);
    }
    return Status;
}

static NTSTATUS NtfsChangeCompressionLocked(PNTFS_CONTROL Control, BOOLEAN Compressed)
{
    PNTFS_STREAM Stream = Control->Stream;
    NTFS_STREAM_FACTS Facts = NtfsStreamFacts(Stream);
    NTSTATUS Status;

    if (NtfsIsDirectoryItself(Stream)) {
        return NtfsLibraryCompressDirectory(Control->Volume->Library, Stream->File->Id, Compressed);
    }
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Status =
        NtfsLibraryCompressStream(Control->Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                  Stream->Name.Length / sizeof(WCHAR), Compressed, &Facts);
    if (NT_SUCCESS(Status)) {
        NtfsTakeSizesLocked(Stream, &Facts);
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    return Status;
}

/* What is so already stays so; of a stream that has bytes it is not built. */
static NTSTATUS NtfsSetCompression(PNTFS_CONTROL Control)
{
    USHORT Wanted, Format;
    LONGLONG Allocated;
    NTSTATUS Status;

    if (Control->InputLength < sizeof(Wanted)) {
        return STATUS_INVALID_PARAMETER;
    }
    Wanted = *(PUSHORT)Control->Input;
    if (Wanted > COMPRESSION_FORMAT_LZNT1) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Wanted != COMPRESSION_FORMAT_NONE && Control->Volume->Facts.ClusterSize > NTFS_COMPRESSED_CLUSTER_MAX) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    Status = NtfsCompressionLocked(Control->Volume, Control->Stream, &Format, &Allocated);
    if (!NT_SUCCESS(Status) || (Wanted == COMPRESSION_FORMAT_NONE) == (Format == COMPRESSION_FORMAT_NONE)) {
        return Status;
    }
    Status = NtfsChangeCompressionLocked(Control, Wanted != COMPRESSION_FORMAT_NONE);
    return NtfsTellChangeLocked(Control, Status,
                                "FSCTL_SET_COMPRESSION of a stream that has bytes, is sparse or has a name");
}

/* Owners are not kept note of, since there are no quotas: MS-FSA 2.1.5.10.8 has a success for that. */
static NTSTATUS NtfsFindFilesBySid(PNTFS_CONTROL Control)
{
    if (!NtfsIsDirectoryItself(Control->Stream)) {
        return STATUS_INVALID_PARAMETER;
    }
    return Control->Handle->MayBackup ? STATUS_NO_QUOTAS_FOR_ACCOUNT : STATUS_ACCESS_DENIED;
}

/* ---- which there are ---- */

/* Of what handle, and what else: a change is none of a volume that is read-only. */
#define NTFS_OF_STREAM 1u /* of data, not a directory itself */
#define NTFS_OF_FILE   3u /* of any */
#define NTFS_OF_VOLUME 4u
#define NTFS_CHANGES   8u

/* One of these the handle has to have; the I/O manager asks for what the code itself says (MS-FSA 2.1.5.10). */
#define NTFS_ANY_CHANGE (FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES)

static const struct {
    ULONG Code;
    ULONG Flags;
    ACCESS_MASK Access; /* 0: any handle */
    NTSTATUS (*Control)(PNTFS_CONTROL Control);
} NtfsControls[] = {
    {FSCTL_SET_REPARSE_POINT, NTFS_OF_FILE | NTFS_CHANGES, NTFS_ANY_CHANGE, NtfsSetReparsePoint},
    {FSCTL_GET_REPARSE_POINT, NTFS_OF_FILE, 0, NtfsGetReparsePoint},
    {FSCTL_DELETE_REPARSE_POINT, NTFS_OF_FILE | NTFS_CHANGES, NTFS_ANY_CHANGE, NtfsDeleteReparsePoint},
    {FSCTL_SET_OBJECT_ID, NTFS_OF_FILE | NTFS_CHANGES, 0, NtfsSetObjectId},
    {FSCTL_GET_OBJECT_ID, NTFS_OF_FILE, 0, NtfsGetObjectId},
    {FSCTL_DELETE_OBJECT_ID, NTFS_OF_FILE | NTFS_CHANGES, NTFS_ANY_CHANGE, NtfsDeleteObjectId},
    {FSCTL_SET_OBJECT_ID_EXTENDED, NTFS_OF_FILE | NTFS_CHANGES, NTFS_ANY_CHANGE, NtfsSetObjectIdExtended},
    {FSCTL_CREATE_OR_GET_OBJECT_ID, NTFS_OF_FILE, 0, NtfsCreateOrGetObjectId},
    {FSCTL_GET_RETRIEVAL_POINTERS, NTFS_OF_FILE, 0, NtfsGetRetrievalPointers},
    {FSCTL_QUERY_ALLOCATED_RANGES, NTFS_OF_STREAM, 0, NtfsQueryAllocatedRanges},
    {FSCTL_SET_ZERO_DATA, NTFS_OF_STREAM | NTFS_CHANGES, 0, NtfsSetZeroData},
    {FSCTL_FILE_LEVEL_TRIM, NTFS_OF_STREAM | NTFS_CHANGES, 0, NtfsTrimFile},
    {FSCTL_FIND_FILES_BY_SID, NTFS_OF_FILE, 0, NtfsFindFilesBySid},
    {FSCTL_GET_COMPRESSION, NTFS_OF_FILE, 0, NtfsGetCompression},
    {FSCTL_SET_COMPRESSION, NTFS_OF_FILE | NTFS_CHANGES, 0, NtfsSetCompression},
    {FSCTL_SET_SPARSE, NTFS_OF_STREAM | NTFS_CHANGES, NTFS_ANY_CHANGE, NtfsSetSparse},
    {FSCTL_READ_FILE_USN_DATA, NTFS_OF_FILE, 0, NtfsReadFileUsn},
    {FSCTL_QUERY_USN_JOURNAL, NTFS_OF_FILE | NTFS_OF_VOLUME, 0, NtfsAskJournal},
    {FSCTL_READ_USN_JOURNAL, NTFS_OF_FILE | NTFS_OF_VOLUME, 0, NtfsAskJournal},
    {FSCTL_ENUM_USN_DATA, NTFS_OF_FILE | NTFS_OF_VOLUME, 0, NtfsAskJournal},
    {FSCTL_WRITE_USN_CLOSE_RECORD, NTFS_OF_FILE | NTFS_CHANGES, 0, NtfsAskJournal},
    {FSCTL_IS_PATHNAME_VALID, NTFS_OF_FILE | NTFS_OF_VOLUME, 0, NtfsIsPathValid},
    {FSCTL_GET_VOLUME_BITMAP, NTFS_OF_VOLUME, 0, NtfsGetVolumeBitmap},
    {FSCTL_MARK_VOLUME_DIRTY, NTFS_OF_VOLUME | NTFS_CHANGES, 0, NtfsMarkVolumeDirty},
};

/* The control is known. */
static NTSTATUS NtfsCheckControl(PNTFS_CONTROL Control, ULONG Flags, ACCESS_MASK Access)
{
    ULONG Kind = Control->Stream == NULL                  ? NTFS_OF_VOLUME
                 : NtfsIsDirectoryItself(Control->Stream) ? NTFS_OF_FILE & ~NTFS_OF_STREAM
                                                          : NTFS_OF_STREAM;

    if ((Flags & Kind) == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Flags & NTFS_CHANGES) != 0 && Control->Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    return Access != 0 && (Control->Handle->Access & Access) == 0 ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}

/* STATUS_INVALID_DEVICE_REQUEST: a control that this file system does not know.  Raises what the caller's buffers do. */
NTSTATUS NtfsControlLocked(PNTFS_CONTROL Control)
{
    NTSTATUS Status = NtfsCheckUsable(Control->Volume, Control->Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtfsControls); Index++) {
        if (NtfsControls[Index].Code == Control->Code) {
            Status = NtfsCheckControl(Control, NtfsControls[Index].Flags, NtfsControls[Index].Access);
            return NT_SUCCESS(Status) ? NtfsControls[Index].Control(Control) : Status;
        }
    }
    return STATUS_INVALID_DEVICE_REQUEST;
}
