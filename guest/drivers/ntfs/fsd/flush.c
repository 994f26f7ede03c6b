/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_FLUSH_BUFFERS, what a write-through file's requests wait for, and writing all of a volume's files before it goes.
 *
 * What is written has reached the medium when the disk's cache was flushed after it, or the write went through (SL_WRITE_THROUGH).
 * Data go so by themselves; the library's writes are flushed for.
 */
#include "ntfs.h"

/* ---- down to the medium ---- */

/* The library's own is written; Through: and on the medium, which costs nothing where nothing was written since the last time. */
static NTSTATUS NtfsSyncLibrary(PNTFS_VOLUME Volume, BOOLEAN Through)
{
    NTSTATUS Status = STATUS_SUCCESS;

    NtfsLockLibraryToEnd();
    if (Volume->Library != NULL) {
        Status = NtfsLibrarySync(Volume->Library, Through);
    }
    NtfsUnlockLibrary();
    return Status;
}

/* All that was written, by whoever, is on the medium. */
static NTSTATUS NtfsFlushDisk(PNTFS_VOLUME Volume)
{
    NTSTATUS Status = NtfsSyncLibrary(Volume, FALSE);

    return NT_SUCCESS(Status) ? Volume->Sectors.Flush(Volume->Sectors.Context) : Status;
}

NTSTATUS NtfsSettle(PNTFS_VOLUME Volume)
{
    return NtfsSyncLibrary(Volume, TRUE);
}

NTSTATUS NtfsSettleFile(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject, NTSTATUS Status)
{
    if (!NT_SUCCESS(Status) || (FileObject->Flags & FO_WRITE_THROUGH) == 0) {
        return Status;
    }
    return NtfsSettle(Volume);
}

BOOLEAN NtfsIsWriteThrough(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    return (Stack->Flags & SL_WRITE_THROUGH) != 0 || (Stack->FileObject->Flags & FO_WRITE_THROUGH) != 0;
}

/* ---- all files of a volume ---- */

static NTSTATUS NtfsFlushStream(PNTFS_STREAM Stream, BOOLEAN Purge)
{
    IO_STATUS_BLOCK Flushed = {.Status = STATUS_SUCCESS};

    if (!Purge) {
        CcFlushCache(&Stream->Sections, NULL, 0, &Flushed);
        return Flushed.Status;
    }
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&Stream->Resource, TRUE);
    CcCoherencyFlushAndPurgeCache(&Stream->Sections, NULL, 0, &Flushed, 0);
    ExReleaseResourceLite(&Stream->Resource);
    KeLeaveCriticalRegion();
    return Flushed.Status;
}

/* The bucket's next stream that this pass has not seen, referenced; NULL: none. */
static PNTFS_STREAM NtfsNextStreamLocked(PNTFS_VOLUME Volume, ULONG Bucket, ULONG Pass)
{
    PLIST_ENTRY Head = &Volume->Files[Bucket];

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PNTFS_FILE File = CONTAINING_RECORD(Entry, NTFS_FILE, Link);

        for (PLIST_ENTRY Inner = File->Streams.Flink; Inner != &File->Streams; Inner = Inner->Flink) {
            PNTFS_STREAM Stream = CONTAINING_RECORD(Inner, NTFS_STREAM, Link);

            if (Stream->FlushPass != Pass && Stream->Sections.DataSectionObject != NULL) {
                Stream->FlushPass = Pass;
                Stream->References++;
                Volume->OpenCount++;
                Volume->FileCount++;
                return Stream;
            }
        }
    }
    return NULL;
}

static VOID NtfsReleaseStream(PNTFS_STREAM Stream)
{
    NtfsLockLibrary();
    Stream = NtfsDereferenceStreamLocked(Stream);
    NtfsUnlockLibrary();
    if (Stream != NULL) {
        NtfsFreeStream(Stream);
    }
}

NTSTATUS NtfsFlushFiles(PNTFS_VOLUME Volume, BOOLEAN Purge)
{
    NTSTATUS Result = STATUS_SUCCESS, Status;
    PNTFS_STREAM Stream;
    ULONG Pass;

    NtfsLockLibrary();
    Pass = ++Volume->FlushPass;
    NtfsUnlockLibrary();
    for (ULONG Bucket = 0; Bucket < NTFS_FILE_BUCKETS;) {
        NtfsLockLibrary();
        Stream = NtfsNextStreamLocked(Volume, Bucket, Pass);
        NtfsUnlockLibrary();
        if (Stream == NULL) {
            Bucket++;
            continue;
        }
        Status = NtfsFlushStream(Stream, Purge);
        if (!NT_SUCCESS(Status) && NT_SUCCESS(Result)) {
            Result = Status;
        }
        NtfsReleaseStream(Stream);
    }
    return Result;
}

/* ---- before the volume is locked or dismounted ---- */

#define NTFS_QUIET_TRIES 64
#define NTFS_QUIET_TICK  (-156250LL)

/* File objects that have no handle any more: the cache's, on their way to being closed. */
static ULONG NtfsCountLingering(PNTFS_VOLUME Volume)
{
    ULONG Handles = 0, Files;

    NtfsLockLibrary();
    for (ULONG Bucket = 0; Bucket < NTFS_FILE_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &Volume->Files[Bucket];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PNTFS_FILE File = CONTAINING_RECORD(Entry, NTFS_FILE, Link);

            for (PLIST_ENTRY Inner = File->Streams.Flink; Inner != &File->Streams; Inner = Inner->Flink) {
                Handles += CONTAINING_RECORD(Inner, NTFS_STREAM, Link)->Handles;
            }
        }
    }
    Files = Volume->FileCount - Handles;
    NtfsUnlockLibrary();
    return Files;
}

NTSTATUS NtfsQuietVolume(PNTFS_VOLUME Volume)
{
    LARGE_INTEGER Tick = {.QuadPart = NTFS_QUIET_TICK};
    NTSTATUS Status = NtfsFlushFiles(Volume, FALSE), DiskStatus;

    if (NtfsCountLingering(Volume) != 0) {
        CcWaitForCurrentLazyWriterActivity();
    }
    for (ULONG Try = 0; Try < NTFS_QUIET_TRIES && NtfsCountLingering(Volume) != 0; Try++) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
    DiskStatus = NtfsFlushDisk(Volume);
    return NT_SUCCESS(Status) ? DiskStatus : Status;
}

/* ---- the request ---- */

/* What the request's minor function leaves out is documented with FLUSH_FLAGS_… of NtFlushBuffersFileEx; of a volume it leaves out nothing. */
static NTSTATUS NtfsFlushAsWanted(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, UCHAR Minor)
{
    BOOLEAN Purge = Minor == IRP_MN_FLUSH_AND_PURGE;
    NTSTATUS Status = NtfsCheckUsable(Volume, Stream);

    if (NT_SUCCESS(Status) && Volume->Facts.ReadOnly) {
        Status = STATUS_MEDIA_WRITE_PROTECTED;
    } else if (NT_SUCCESS(Status) && Stream == NULL && Minor != 0 && !Purge) {
        Status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(Status)) {
        Status = Stream != NULL ? NtfsFlushStream(Stream, Purge) : NtfsFlushFiles(Volume, Purge);
    }
    if (!NT_SUCCESS(Status) || Minor == IRP_MN_FLUSH_DATA_ONLY) {
        return Status;
    }
    return Minor == IRP_MN_FLUSH_NO_SYNC ? NtfsSyncLibrary(Volume, FALSE) : NtfsFlushDisk(Volume);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsFlush(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (!Volume->IsVolume) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    return NtfsComplete(Irp, NtfsFlushAsWanted(Volume, NtfsStreamOf(Stack->FileObject), Stack->MinorFunction), 0);
}
