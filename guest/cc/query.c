// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What file systems ask of the cache: whose file it is, what of a volume is dirty, and what a log must have before.
 */
#include "ccp.h"
#include <ob.h>

static PFILE_OBJECT CcpFindFileObject(PSECTION_OBJECT_POINTERS Pointers, BOOLEAN Reference)
{
    PFILE_OBJECT FileObject = NULL;
    PCCP_MAP Map;

    KeAcquireGuardedMutex(&CcpLock);
    Map = Pointers->SharedCacheMap;
    if (Map != NULL)
        FileObject = Map->FileObject;
    if (FileObject != NULL && Reference)
        ObReferenceObject(FileObject);
    KeReleaseGuardedMutex(&CcpLock);
    return FileObject;
}

/* IRQL: <= APC_LEVEL.  The file object that made the map, not referenced; NULL: the file is not cached. */
PFILE_OBJECT NTAPI CcGetFileObjectFromSectionPtrs(PSECTION_OBJECT_POINTERS SectionObjectPointer)
{
    return CcpFindFileObject(SectionObjectPointer, FALSE);
}

/* As CcGetFileObjectFromSectionPtrs, referenced. */
DECLSPEC_NOINLINE PFILE_OBJECT NTAPI CcGetFileObjectFromSectionPtrsRef(PSECTION_OBJECT_POINTERS SectionObjectPointer)
{
    PFILE_OBJECT FileObject = CcpFindFileObject(SectionObjectPointer, TRUE);

    if (FileObject != NULL)
        ObNoteReference(FileObject, _ReturnAddress());
    return FileObject;
}

/* Temporary files are left out: nobody writes them without need. */
BOOLEAN NTAPI CcIsThereDirtyData(PVPB Vpb)
{
    BOOLEAN Dirty = FALSE;
    ULONG64 Next;

    KeAcquireGuardedMutex(&CcpLock);
    for (PLIST_ENTRY Entry = CcpMaps.Flink; Entry != &CcpMaps && !Dirty; Entry = Entry->Flink) {
        PCCP_MAP Map = CONTAINING_RECORD(Entry, CCP_MAP, Link);

        Dirty = Map->FileObject->Vpb == Vpb && (Map->FileObject->Flags & FO_TEMPORARY_FILE) == 0 &&
                MmQuerySegmentDirty(Map->Segment, 0, &Next) != 0;
    }
    KeReleaseGuardedMutex(&CcpLock);
    return Dirty;
}

/* The same, with how many pages. */
BOOLEAN NTAPI CcIsThereDirtyDataEx(PVPB Vpb, PULONG NumberOfDirtyPages)
{
    ULONG64 Pages = 0, Next;

    KeAcquireGuardedMutex(&CcpLock);
    for (PLIST_ENTRY Entry = CcpMaps.Flink; Entry != &CcpMaps; Entry = Entry->Flink) {
        PCCP_MAP Map = CONTAINING_RECORD(Entry, CCP_MAP, Link);

        if (Map->FileObject->Vpb == Vpb && (Map->FileObject->Flags & FO_TEMPORARY_FILE) == 0)
            Pages += MmQuerySegmentDirty(Map->Segment, 0, &Next);
    }
    KeReleaseGuardedMutex(&CcpLock);
    if (NumberOfDirtyPages != NULL)
        *NumberOfDirtyPages = (ULONG)Pages;
    return Pages != 0;
}

/* ---- logs ---- */

/* IRQL: <= APC_LEVEL.  The routine is called before blocks that have sequence numbers are written. */
VOID NTAPI CcSetLogHandleForFile(PFILE_OBJECT FileObject, PVOID LogHandle, PFLUSH_TO_LSN FlushToLsnRoutine)
{
    PCCP_MAP Map = CcpMapOf(FileObject);

    KeCheckRoutine((PVOID)FlushToLsnRoutine, "flush-to-LSN routine");
    KeAcquireGuardedMutex(&CcpLock);
    Map->LogHandle = LogHandle;
    Map->FlushToLsn = FlushToLsnRoutine;
    KeReleaseGuardedMutex(&CcpLock);
}

/* The map's oldest sequence number among dirty blocks, 0: none; the routine, if there is one, is told of each. */
static LONGLONG CcpTellBlocks(PCCP_MAP Map, PDIRTY_PAGE_ROUTINE Routine, PVOID Context1, PVOID Context2)
{
    LONGLONG Oldest = 0;

    KeAcquireGuardedMutex(&Map->Lock);
    for (PLIST_ENTRY Entry = Map->Blocks.Flink; Entry != &Map->Blocks; Entry = Entry->Flink) {
        PCCP_BCB Bcb = CONTAINING_RECORD(Entry, CCP_BCB, Link);

        if (!Bcb->Dirty)
            continue;
        if (Routine != NULL)
            Routine(Map->FileObject, &Bcb->Public.MappedFileOffset, Bcb->Public.MappedLength, &Bcb->OldestLsn,
                    &Bcb->NewestLsn, Context1, Context2);
        if (Bcb->OldestLsn.QuadPart != 0 && (Oldest == 0 || Bcb->OldestLsn.QuadPart < Oldest))
            Oldest = Bcb->OldestLsn.QuadPart;
    }
    KeReleaseGuardedMutex(&Map->Lock);
    return Oldest;
}

/* IRQL: <= APC_LEVEL.  The oldest sequence number of the log's dirty blocks, 0: none; the routine, which may be NULL, is called for each, at APC_LEVEL. */
LARGE_INTEGER NTAPI CcGetDirtyPages(PVOID LogHandle, PDIRTY_PAGE_ROUTINE DirtyPageRoutine, PVOID Context1,
                                    PVOID Context2)
{
    LARGE_INTEGER Oldest = {.QuadPart = 0};

    KeAcquireGuardedMutex(&CcpLock);
    for (PLIST_ENTRY Entry = CcpMaps.Flink; Entry != &CcpMaps; Entry = Entry->Flink) {
        PCCP_MAP Map = CONTAINING_RECORD(Entry, CCP_MAP, Link);
        LONGLONG Lsn = Map->LogHandle == LogHandle ? CcpTellBlocks(Map, DirtyPageRoutine, Context1, Context2) : 0;

        if (Lsn != 0 && (Oldest.QuadPart == 0 || Lsn < Oldest.QuadPart))
            Oldest.QuadPart = Lsn;
    }
    KeReleaseGuardedMutex(&CcpLock);
    return Oldest;
}
