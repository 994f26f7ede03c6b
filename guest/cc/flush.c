// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a file's pages now, forgetting them, and zeroing parts of it.
 */
#include "ccp.h"

/* What a log says comes first: the dirty blocks' sequence numbers are written before they are. */
NTSTATUS CcpFlushSegment(PCCP_MAP Map, PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Written)
{
    LARGE_INTEGER Lsn = {.QuadPart = 0};

    if (Map != NULL)
        Lsn.QuadPart = CcpCleanBlocks(Map, Offset, Length);
    if (Lsn.QuadPart != 0 && Map->FlushToLsn != NULL)
        Map->FlushToLsn(Map->LogHandle, Lsn);
    return MmFlushSegment(Segment, Offset, Length, Written);
}

/* The file's map, referenced; NULL: there is none. */
static PCCP_MAP CcpFindMap(PSECTION_OBJECT_POINTERS Pointers)
{
    PCCP_MAP Map;

    KeAcquireGuardedMutex(&CcpLock);
    Map = Pointers->SharedCacheMap;
    if (Map != NULL)
        Map->References++;
    KeReleaseGuardedMutex(&CcpLock);
    return Map;
}

static ULONG64 CcpLength(PLARGE_INTEGER FileOffset, ULONG Length)
{
    return FileOffset == NULL || Length == 0 ? MAXULONG64 : Length;
}

static NTSTATUS CcpFlush(PMM_SEGMENT Segment, PCCP_MAP Map, ULONG64 Offset, ULONG64 Length, PULONG64 Written)
{
    PFILE_OBJECT FileObject = MmQuerySegmentFile(Segment);
    NTSTATUS Status = IoAcquireFileForCcFlush(FileObject);

    *Written = 0;
    if (!NT_SUCCESS(Status))
        return Status;
    Status = CcpFlushSegment(Map, Segment, Offset, Length, Written);
    IoReleaseFileForCcFlush(FileObject);
    return Status;
}

/*
 * IRQL: <= APC_LEVEL.  FileOffset NULL: all of the file.  Whether it is cached or only mapped; transfers that are under way are waited for.  The file
 * system is asked (AcquireForCcFlush) and told.  IoStatus: the first error; the rest is tried all the same.
 */
VOID NTAPI CcFlushCache(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset, ULONG Length,
                        PIO_STATUS_BLOCK IoStatus)
{
    PMM_SEGMENT Segment = MmFindFileSegment(SectionObjectPointer);
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Written = 0;
    PCCP_MAP Map;

    PAGED_CODE();
    if (Segment != NULL) {
        Map = CcpFindMap(SectionObjectPointer);
        Status = CcpFlush(Segment, Map, FileOffset != NULL ? (ULONG64)FileOffset->QuadPart : 0,
                          CcpLength(FileOffset, Length), &Written);
        if (Map != NULL)
            CcpDereferenceMap(Map);
    }
    if (Segment != NULL)
        MmDereferenceSegment(Segment);
    if (IoStatus != NULL) {
        IoStatus->Status = Status;
        IoStatus->Information = (ULONG_PTR)Written;
    }
}

static BOOLEAN CcpPurge(PMM_SEGMENT Segment, PCCP_MAP Map, ULONG64 Offset, ULONG64 Length)
{
    BOOLEAN Pinned = FALSE;

    if (Map != NULL) {
        KeAcquireGuardedMutex(&Map->Lock);
        Pinned = CcpIsPinnedLocked(Map, Offset, Length);
        KeReleaseGuardedMutex(&Map->Lock);
    }
    return !Pinned && MmPurgeSegment(Segment, Offset, Length);
}

/*
 * IRQL: <= APC_LEVEL, without what a transfer of the file might have to acquire.  What is dirty is lost.  FALSE: a view of a user's, an MDL or a pin
 * keeps some of it.
 */
BOOLEAN NTAPI CcPurgeCacheSection(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset,
                                  ULONG Length, ULONG Flags)
{
    PMM_SEGMENT Segment = MmFindFileSegment(SectionObjectPointer);
    ULONG64 Offset = FileOffset != NULL ? (ULONG64)FileOffset->QuadPart : 0, Next;
    BOOLEAN Purged = TRUE;
    PCCP_MAP Map;

    PAGED_CODE();
    if (Segment == NULL)
        return TRUE;
    Map = CcpFindMap(SectionObjectPointer);
    if (Map != NULL && (Flags & UNINITIALIZE_CACHE_MAPS) != 0) {
        KeAcquireGuardedMutex(&CcpLock);
        CcpLeaveAllLocked(Map);
        KeReleaseGuardedMutex(&CcpLock);
    }
    if ((Flags & DO_NOT_PURGE_DIRTY_PAGES) != 0 && MmQuerySegmentDirty(Segment, Offset, &Next) != 0 &&
        Next - Offset < CcpLength(FileOffset, Length))
        Purged = FALSE;
    else
        Purged = CcpPurge(Segment, Map, Offset, CcpLength(FileOffset, Length));
    if (Map != NULL)
        CcpDereferenceMap(Map);
    MmDereferenceSegment(Segment);
    return Purged;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_CACHE_PAGE_LOCKED: it is written, but not all could be purged. */
VOID NTAPI CcCoherencyFlushAndPurgeCache(PSECTION_OBJECT_POINTERS SectionObjectPointer, PLARGE_INTEGER FileOffset,
                                         ULONG Length, PIO_STATUS_BLOCK IoStatus, ULONG Flags)
{
    PAGED_CODE();
    CcFlushCache(SectionObjectPointer, FileOffset, Length, IoStatus);
    if (NT_SUCCESS(IoStatus->Status) && (Flags & CC_FLUSH_AND_PURGE_NO_PURGE) == 0 &&
        !CcPurgeCacheSection(SectionObjectPointer, FileOffset, Length, 0))
        IoStatus->Status = STATUS_CACHE_PAGE_LOCKED;
}

/* How far the file is on the disk as the cache has it: up to the first dirty page. */
LARGE_INTEGER NTAPI CcGetFlushedValidData(PSECTION_OBJECT_POINTERS SectionObjectPointer, BOOLEAN CcInternalCaller)
{
    LARGE_INTEGER Valid = {.QuadPart = MAXLONGLONG};
    PCCP_MAP Map = CcpFindMap(SectionObjectPointer);
    ULONG64 Next;

    UNREFERENCED_PARAMETER(CcInternalCaller);
    if (Map == NULL)
        return Valid;
    MmQuerySegmentDirty(Map->Segment, 0, &Next);
    Valid.QuadPart = min(Map->Sizes.ValidDataLength.QuadPart, (LONGLONG)min(Next, (ULONG64)MAXLONGLONG));
    CcpDereferenceMap(Map);
    return Valid;
}

/* ---- zeroing ---- */

#define CCP_ZERO_BYTES 0x10000

/* Past the cache: by writes of zeros.  Whole sectors, which the caller has seen to. */
static NTSTATUS CcpZeroDisk(PFILE_OBJECT FileObject, ULONG64 Start, ULONG64 End)
{
    PVOID Zeros = ExAllocatePoolZero(NonPagedPoolNx, CCP_ZERO_BYTES, CCP_TAG);
    NTSTATUS Status = Zeros != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    PMDL Mdl = Zeros != NULL ? IoAllocateMdl(Zeros, CCP_ZERO_BYTES, FALSE, FALSE, NULL) : NULL;

    if (Mdl == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    while (NT_SUCCESS(Status) && Start < End) {
        LARGE_INTEGER Offset = {.QuadPart = (LONGLONG)Start};
        IO_STATUS_BLOCK Result;
        KEVENT Event;

        MmInitializeMdl(Mdl, Zeros, (SIZE_T)min(End - Start, (ULONG64)CCP_ZERO_BYTES));
        MmBuildMdlForNonPagedPool(Mdl);
        KeInitializeEvent(&Event, NotificationEvent, FALSE);
        Status = IoSynchronousPageWrite(FileObject, Mdl, &Offset, &Event, &Result);
        if (Status == STATUS_PENDING) {
            KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
            Status = Result.Status;
        }
        Start += MmGetMdlByteCount(Mdl);
    }
    if (Mdl != NULL)
        IoFreeMdl(Mdl);
    if (Zeros != NULL)
        ExFreePoolWithTag(Zeros, CCP_TAG);
    return Status;
}

/* IRQL: <= APC_LEVEL.  A file that is not cached: on the disk, whole sectors.  FALSE: not without waiting.  Raises. */
BOOLEAN NTAPI CcZeroData(PFILE_OBJECT FileObject, PLARGE_INTEGER StartOffset, PLARGE_INTEGER EndOffset, BOOLEAN Wait)
{
    ULONG64 Start = (ULONG64)StartOffset->QuadPart, End = (ULONG64)EndOffset->QuadPart;
    NTSTATUS Status = STATUS_SUCCESS;
    PCCP_MAP Map;
    ULONG Piece;

    PAGED_CODE();
    if (FileObject->PrivateCacheMap == NULL) {
        if (!Wait)
            return FALSE;
        Status = CcpZeroDisk(FileObject, Start, End);
    }
    Map = FileObject->PrivateCacheMap != NULL ? CcpMapOf(FileObject) : NULL;
    if (Map != NULL && !Wait && !MmIsSegmentResident(Map->Segment, Start, End - Start))
        return FALSE;
    for (; Map != NULL && Start < End && NT_SUCCESS(Status); Start += Piece) {
        Piece = (ULONG)min(End - Start, CCP_VIEW_SIZE - Start % CCP_VIEW_SIZE);
        Status = CcpWritePiece(Map, Start, Piece, NULL);
    }
    CcpWakeLazyWriter();
    if (!NT_SUCCESS(Status))
        CcpRaise(Status);
    return TRUE;
}
