/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control blocks of files, streams and file objects.
 */
#include "ntfs.h"

static PLIST_ENTRY NtfsBucket(PNTFS_VOLUME Volume, ULONG64 Id)
{
    return &Volume->Files[Id % NTFS_FILE_BUCKETS];
}

PNTFS_FILE NtfsFindFileLocked(PNTFS_VOLUME Volume, ULONG64 Id)
{
    PLIST_ENTRY Head = NtfsBucket(Volume, Id);

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PNTFS_FILE File = CONTAINING_RECORD(Entry, NTFS_FILE, Link);

        if (File->Id == Id) {
            return File;
        }
    }
    return NULL;
}

PNTFS_STREAM NtfsFindStreamLocked(PNTFS_FILE File, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY Entry = File->Streams.Flink; Entry != &File->Streams; Entry = Entry->Flink) {
        PNTFS_STREAM Stream = CONTAINING_RECORD(Entry, NTFS_STREAM, Link);

        if (!Stream->IsGone && RtlEqualUnicodeString(&Stream->Name, Name, TRUE)) {
            return Stream;
        }
    }
    return NULL;
}

static PNTFS_FILE NtfsCreateFileLocked(PNTFS_VOLUME Volume, const NTFS_FILE_FACTS *Facts)
{
    PNTFS_FILE File = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*File), NTFS_TAG_FILE);

    if (File != NULL) {
        RtlZeroMemory(File, sizeof(*File));
        InitializeListHead(&File->Streams);
        InitializeListHead(&File->Links);
        File->Volume = Volume;
        File->Id = Facts->Id;
        File->IsDirectory = (Facts->Attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
        InsertTailList(NtfsBucket(Volume, Facts->Id), &File->Link);
    }
    return File;
}

/* The sizes; a directory has none. */
static NTSTATUS NtfsMeasureStreamLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PNTFS_STREAM Stream)
{
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    if (File->IsDirectory && Stream->Name.Length == 0) {
        return STATUS_SUCCESS;
    }
    Status = NtfsLibraryStreamFacts(Volume->Library, File->Id, (const uint16_t *)Stream->Name.Buffer,
                                    Stream->Name.Length / sizeof(WCHAR), &Facts);
    if (NT_SUCCESS(Status)) {
        Stream->Header.AllocationSize.QuadPart = Facts.Allocated;
        Stream->Header.FileSize.QuadPart = Facts.Size;
        Stream->Header.ValidDataLength.QuadPart = Facts.Valid;
        Stream->ValidToDisk = Facts.Valid;
        Stream->Mapped = Facts.Mapped;
    }
    return Status;
}

static NTSTATUS NtfsCreateStreamLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PCUNICODE_STRING Name,
                                       PNTFS_STREAM *Result)
{
    PNTFS_STREAM Stream = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Stream) + Name->Length, NTFS_TAG_FILE);
    NTSTATUS Status;

    if (Stream == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Stream, sizeof(*Stream));
    Stream->Name.Buffer = (PWCH)(Stream + 1);
    Stream->Name.Length = Stream->Name.MaximumLength = Name->Length;
    RtlCopyMemory(Stream->Name.Buffer, Name->Buffer, Name->Length);
    Status = NtfsMeasureStreamLocked(Volume, File, Stream);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Stream, NTFS_TAG_FILE);
        return Status;
    }
    Stream->File = File;
    Stream->Header.NodeByteSize = sizeof(*Stream);
    Stream->Header.IsFastIoPossible =
        File->IsDirectory && Name->Length == 0 ? FastIoIsNotPossible : FastIoIsQuestionable;
    Stream->Header.Resource = &Stream->Resource;
    Stream->Header.PagingIoResource = &Stream->PagingIoResource;
    ExInitializeResourceLite(&Stream->Resource);
    ExInitializeResourceLite(&Stream->PagingIoResource);
    ExInitializeResourceLite(&Stream->RunsResource);
    ExInitializeFastMutex(&Stream->HeaderMutex);
    FsRtlSetupAdvancedHeaderEx(&Stream->Header, &Stream->HeaderMutex, &File->Contexts);
    FsRtlInitializeOplock(&Stream->Header.Oplock);
    FsRtlInitializeLargeMcb(&Stream->Runs, PagedPool);
    FsRtlInitializeFileLock(&Stream->Locks, NULL, NULL);
    InsertTailList(&File->Streams, &Stream->Link);
    *Result = Stream;
    return STATUS_SUCCESS;
}

NTSTATUS NtfsReferenceStreamLocked(PNTFS_VOLUME Volume, const NTFS_FILE_FACTS *Facts, PCUNICODE_STRING Name,
                                   PNTFS_STREAM *Result)
{
    PNTFS_FILE File = NtfsFindFileLocked(Volume, Facts->Id);
    PNTFS_STREAM Stream = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    if (File == NULL) {
        File = NtfsCreateFileLocked(Volume, Facts);
        if (File == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    } else {
        Stream = NtfsFindStreamLocked(File, Name);
    }
    if (Stream == NULL) {
        Status = NtfsCreateStreamLocked(Volume, File, Name, &Stream);
    }
    if (NT_SUCCESS(Status)) {
        Stream->References++;
        Volume->OpenCount++;
        Volume->FileCount++;
        *Result = Stream;
    } else if (IsListEmpty(&File->Streams)) {
        RemoveEntryList(&File->Link);
        ExFreePoolWithTag(File, NTFS_TAG_FILE);
    }
    return Status;
}

/* Returns the stream where it is to be freed, when the lock is released. */
PNTFS_STREAM NtfsDereferenceStreamLocked(PNTFS_STREAM Stream)
{
    Stream->File->Volume->OpenCount--;
    Stream->File->Volume->FileCount--;
    if (--Stream->References != 0) {
        return NULL;
    }
    RemoveEntryList(&Stream->Link);
    if (IsListEmpty(&Stream->File->Streams)) {
        RemoveEntryList(&Stream->File->Link);
    } else {
        Stream->File = NULL; /* the file stays */
    }
    return Stream;
}

/* The name's characters are behind the structure, or, of a new name, in pool of their own. */
static VOID NtfsFreeStreamName(PNTFS_STREAM Stream)
{
    if (Stream->Name.Buffer != NULL && Stream->Name.Buffer != (PWCH)(Stream + 1)) {
        ExFreePoolWithTag(Stream->Name.Buffer, NTFS_TAG_FILE);
    }
}

VOID NtfsFreeStream(PNTFS_STREAM Stream)
{
    FsRtlTeardownPerStreamContexts(&Stream->Header);
    FsRtlUninitializeOplock(&Stream->Header.Oplock);
    FsRtlUninitializeLargeMcb(&Stream->Runs);
    FsRtlUninitializeFileLock(&Stream->Locks);
    NtfsFreeStreamName(Stream);
    ExDeleteResourceLite(&Stream->Resource);
    ExDeleteResourceLite(&Stream->PagingIoResource);
    ExDeleteResourceLite(&Stream->RunsResource);
    if (Stream->File != NULL) {
        FsRtlTeardownPerFileContexts(&Stream->File->Contexts);
        ExFreePoolWithTag(Stream->File, NTFS_TAG_FILE);
    }
    ExFreePoolWithTag(Stream, NTFS_TAG_FILE);
}

VOID NtfsTakeSizesLocked(PNTFS_STREAM Stream, const NTFS_STREAM_FACTS *Facts)
{
    FsRtlTruncateLargeMcb(&Stream->Runs, 0);
    Stream->RunsKnown = FALSE;
    Stream->Mapped = Facts->Mapped;
    Stream->ValidToDisk = Facts->Valid;
    Stream->Header.AllocationSize.QuadPart = Facts->Allocated;
    Stream->Header.FileSize.QuadPart = Facts->Size;
    /* What the cache has is valid, too. */
    Stream->Header.ValidDataLength.QuadPart =
        min(Facts->Size, max(Stream->Header.ValidDataLength.QuadPart, Facts->Valid));
}

NTSTATUS NtfsSetSizeLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Size)
{
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    RtlZeroMemory(&Facts, sizeof(Facts));
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Status = NtfsLibrarySetSize(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                Stream->Name.Length / sizeof(WCHAR), Size, &Facts);
    if (NT_SUCCESS(Status)) {
        NtfsTakeSizesLocked(Stream, &Facts);
        Stream->IsChanged = TRUE;
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    return Status;
}

NTSTATUS NtfsRenameStreamLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PCUNICODE_STRING Name)
{
    PWCH Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Name->Length, NTFS_TAG_FILE);
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    if (Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(&Facts, sizeof(Facts));
    ExAcquireResourceExclusiveLite(&Stream->RunsResource, TRUE);
    Status = NtfsLibraryRenameStream(Volume->Library, Stream->File->Id, (const uint16_t *)Stream->Name.Buffer,
                                     Stream->Name.Length / sizeof(WCHAR), (const uint16_t *)Name->Buffer,
                                     Name->Length / sizeof(WCHAR), &Facts);
    if (NT_SUCCESS(Status)) {
        RtlCopyMemory(Buffer, Name->Buffer, Name->Length);
        NtfsFreeStreamName(Stream);
        Stream->Name = (UNICODE_STRING){Name->Length, Name->Length, Buffer};
        NtfsTakeSizesLocked(Stream, &Facts);
    } else {
        ExFreePoolWithTag(Buffer, NTFS_TAG_FILE);
    }
    ExReleaseResourceLite(&Stream->RunsResource);
    return Status;
}

VOID NtfsFreeHandle(PNTFS_HANDLE Handle)
{
    if (Handle->Listing.Entries != NULL) {
        ExFreePoolWithTag(Handle->Listing.Entries, NTFS_TAG_HANDLE);
    }
    if (Handle->Listing.Pattern.Buffer != NULL) {
        ExFreePoolWithTag(Handle->Listing.Pattern.Buffer, NTFS_TAG_HANDLE);
    }
    ExFreePoolWithTag(Handle, NTFS_TAG_HANDLE);
}
