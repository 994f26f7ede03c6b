// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Read-ahead: who has read on where it had stopped, or says that it is going to, finds what comes next in memory.  A worker reads it, one
 * request of a file object at a time.
 */
#include "ccp.h"

#define CCP_SEQUENTIAL  2 /* reads in a row make a sequence */
#define CCP_AHEAD_BYTES 0x20000

typedef struct _CCP_AHEAD {
    WORK_QUEUE_ITEM Item;
    PCCP_MAP Map; /* has a reference */
    PCCP_PRIVATE Private;
    LONGLONG Offset;
    ULONG Length;
} CCP_AHEAD, *PCCP_AHEAD;

static VOID CcpReadAhead(PCCP_AHEAD Ahead)
{
    PCCP_MAP Map = Ahead->Map;

    if (!Map->Callbacks.AcquireForReadAhead(Map->Context, TRUE))
        return;
    if (Ahead->Offset < Map->Sizes.FileSize.QuadPart)
        MmReadSegment(Map->Segment, (ULONG64)Ahead->Offset,
                      (ULONG64)min((LONGLONG)Ahead->Length, Map->Sizes.FileSize.QuadPart - Ahead->Offset));
    Map->Callbacks.ReleaseFromReadAhead(Map->Context); /* what could not be read is told to who reads it */
}

/* PASSIVE_LEVEL, a worker. */
static VOID NTAPI CcpAheadWorker(PVOID Parameter)
{
    PCCP_AHEAD Ahead = Parameter;
    PCCP_PRIVATE Private = Ahead->Private;
    BOOLEAN Orphan;

    CcpReadAhead(Ahead);
    KeAcquireGuardedMutex(&CcpLock);
    Private->AheadActive = FALSE;
    Orphan = Private->Map == NULL;
    KeReleaseGuardedMutex(&CcpLock);
    if (Orphan)
        ExFreePoolWithTag(Private, CCP_TAG);
    CcpDereferenceMap(Ahead->Map);
    ExFreePoolWithTag(Ahead, CCP_TAG);
}

/* Without memory it is left. */
static VOID CcpQueueAhead(PCCP_PRIVATE Private, LONGLONG Offset, ULONG Length)
{
    PCCP_AHEAD Ahead;

    if (InterlockedExchange(&Private->AheadActive, TRUE))
        return;
    Ahead = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Ahead), CCP_TAG);
    if (Ahead == NULL) {
        Private->AheadActive = FALSE;
        return;
    }
    Ahead->Map = Private->Map;
    Ahead->Private = Private;
    Ahead->Offset = Offset;
    Ahead->Length = Length;
    CcpReferenceMap(Ahead->Map);
    ExInitializeWorkItem(&Ahead->Item, CcpAheadWorker, Ahead);
    ExQueueWorkItem(&Ahead->Item, CriticalWorkQueue);
}

static BOOLEAN CcpIsAheadWanted(PCCP_PRIVATE Private)
{
    return !Private->NoReadAhead && !Private->Map->NoReadAhead && (Private->FileObject->Flags & FO_RANDOM_ACCESS) == 0;
}

VOID CcpNoteRead(PCCP_PRIVATE Private, LONGLONG Offset, ULONG Length)
{
    ULONG Wanted = max((ULONG)CCP_AHEAD_BYTES, Private->Granularity);
    LONGLONG End = Offset + Length, Start;

    if (Offset == Private->NextOffset) {
        Private->Sequential++;
    } else {
        Private->Sequential = 1;
        Private->AheadUntil = 0;
    }
    Private->NextOffset = End;
    if (!CcpIsAheadWanted(Private) ||
        (Private->Sequential < CCP_SEQUENTIAL && (Private->FileObject->Flags & FO_SEQUENTIAL_ONLY) == 0))
        return;
    /* The next piece is asked for when half of the last has been used. */
    Start = max(End, Private->AheadUntil);
    if (Private->AheadUntil > End + Wanted / 2 || Start >= Private->Map->Sizes.FileSize.QuadPart)
        return;
    Start &= ~(LONGLONG)(PAGE_SIZE - 1);
    Wanted = (Wanted + Private->Granularity - 1) & ~(Private->Granularity - 1);
    CcpQueueAhead(Private, Start, Wanted);
    Private->AheadUntil = Start + Wanted;
}

/* IRQL: <= APC_LEVEL.  A worker reads; errors are for who reads then. */
VOID NTAPI CcScheduleReadAhead(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length)
{
    PCCP_PRIVATE Private = FileObject->PrivateCacheMap;

    PAGED_CODE();
    if (Private != NULL && Length != 0 && CcpIsAheadWanted(Private))
        CcpQueueAhead(Private, FileOffset->QuadPart, Length);
}

/* As CcScheduleReadAhead. */
VOID NTAPI CcScheduleReadAheadEx(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length,
                                 PETHREAD IoIssuerThread)
{
    UNREFERENCED_PARAMETER(IoIssuerThread);
    CcScheduleReadAhead(FileObject, FileOffset, Length);
}

/* IRQL: <= APC_LEVEL.  A power of two, a page at least; others are ignored. */
VOID NTAPI CcSetReadAheadGranularity(PFILE_OBJECT FileObject, ULONG Granularity)
{
    PCCP_PRIVATE Private = FileObject->PrivateCacheMap;

    if (Granularity < PAGE_SIZE || (Granularity & (Granularity - 1)) != 0)
        return;
    Private->Granularity = Granularity;
}

/* IRQL: <= APC_LEVEL.  The file's, for all its file objects. */
VOID NTAPI CcSetAdditionalCacheAttributes(PFILE_OBJECT FileObject, BOOLEAN DisableReadAhead, BOOLEAN DisableWriteBehind)
{
    PCCP_MAP Map = CcpMapOf(FileObject);

    KeAcquireGuardedMutex(&CcpLock);
    Map->NoReadAhead = DisableReadAhead;
    Map->NoWriteBehind = DisableWriteBehind;
    KeReleaseGuardedMutex(&CcpLock);
}

/* Flags: the same two, and others that say nothing here. */
VOID NTAPI CcSetAdditionalCacheAttributesEx(PFILE_OBJECT FileObject, ULONG Flags)
{
    CcSetAdditionalCacheAttributes(FileObject, (Flags & CC_DISABLE_READ_AHEAD) != 0,
                                   (Flags & CC_DISABLE_WRITE_BEHIND) != 0);
}
