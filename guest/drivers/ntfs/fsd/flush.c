/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_FLUSH_BUFFERS, and writing all of a volume's files before it goes.
 */
#include "ntfs.h"

/* ---- all files of a volume ---- */

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

NTSTATUS NtfsFlushVolume(PNTFS_VOLUME Volume)
{
    NTSTATUS Result = STATUS_SUCCESS;
    IO_STATUS_BLOCK Flushed;
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
        CcFlushCache(&Stream->Sections, NULL, 0, &Flushed);
        if (!NT_SUCCESS(Flushed.Status) && NT_SUCCESS(Result)) {
            Result = Flushed.Status;
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

VOID NtfsQuietVolume(PNTFS_VOLUME Volume)
{
    LARGE_INTEGER Tick = {.QuadPart = NTFS_QUIET_TICK};

    NtfsFlushVolume(Volume);
    if (NtfsCountLingering(Volume) == 0) {
        return;
    }
    CcWaitForCurrentLazyWriterActivity();
    for (ULONG Try = 0; Try < NTFS_QUIET_TRIES && NtfsCountLingering(Volume) != 0; Try++) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
}

/* ---- the request ---- */

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsFlush(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);
    IO_STATUS_BLOCK Flushed = {.Status = STATUS_SUCCESS};

    if (!Volume->IsVolume || Volume->Dismounted) {
        return NtfsForward(DeviceObject, Irp);
    }
    if (Stream == NULL) {
        Flushed.Status = NtfsFlushVolume(Volume);
    } else if (Stream->Sections.DataSectionObject != NULL) {
        CcFlushCache(&Stream->Sections, NULL, 0, &Flushed);
    }
    if (!NT_SUCCESS(Flushed.Status)) {
        return DriverComplete(Irp, Flushed.Status, 0);
    }
    if (Stream != NULL) {
        return DriverComplete(Irp, Volume->Sectors.Flush(Volume->Sectors.Context), 0);
    }
    return NtfsForward(DeviceObject, Irp);
}
