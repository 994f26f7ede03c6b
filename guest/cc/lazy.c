// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lazy writer.  A second of the machine's time after something has become dirty, and each second from then on, it writes an eighth of each
 * file's dirty pages, all where a file is closing or memory is short, and what views of other files have changed.  It rests when
 * nothing is left.  Writers that are faster than it wait, or have their writes deferred.
 */
#include "ccp.h"

#define CCP_SCAN_TIME   (-10000000LL) /* a second */
#define CCP_SOON        (-10000LL)    /* a millisecond: somebody waits */
#define CCP_SHARE       8             /* an eighth a scan, */
#define CCP_LEAST_PAGES 64            /* but so many at least */
#define CCP_WRITE_CHUNK 0x40000ULL

typedef struct _CCP_DEFERRED {
    LIST_ENTRY Link;
    PFILE_OBJECT FileObject;
    PCC_POST_DEFERRED_WRITE PostRoutine;
    PVOID Context1, Context2;
    ULONG Bytes;
} CCP_DEFERRED, *PCCP_DEFERRED;

static VOID NTAPI CcpScanWorker(PVOID Parameter);
static KDEFERRED_ROUTINE CcpScanDpc;

static struct {
    KSPIN_LOCK Lock; /* what follows */
    KTIMER Timer;
    KDPC Dpc;
    WORK_QUEUE_ITEM Item;
    BOOLEAN Initialized;
    BOOLEAN Armed; /* the timer runs, or the scan is queued or under way: */
    BOOLEAN Running;
    BOOLEAN Again;  /* woken during the scan */
    BOOLEAN Urgent; /* somebody waits for it */
    ULONG64 Scans;  /* that have ended */
    LIST_ENTRY Deferred;
    KEVENT Ended; /* a scan has */
} CcpLazy;

static ULONG64 CcpDirtyLimit(VOID)
{
    ULONG64 Limit;

    MmQueryFilePages(&Limit);
    return Limit / 2;
}

/* ---- when ---- */

static VOID NTAPI CcpScanDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    ExQueueWorkItem(&CcpLazy.Item, CriticalWorkQueue);
}

static VOID CcpInitializeLazyLocked(VOID)
{
    CcpLazy.Initialized = TRUE;
    KeInitializeTimer(&CcpLazy.Timer);
    KeInitializeDpc(&CcpLazy.Dpc, CcpScanDpc, NULL);
    ExInitializeWorkItem(&CcpLazy.Item, CcpScanWorker, NULL);
    InitializeListHead(&CcpLazy.Deferred);
    KeInitializeEvent(&CcpLazy.Ended, NotificationEvent, FALSE);
}

static VOID CcpArmLocked(LONGLONG Due)
{
    LARGE_INTEGER Time = {.QuadPart = Due};

    CcpLazy.Armed = TRUE;
    KeSetTimer(&CcpLazy.Timer, Time, &CcpLazy.Dpc);
}

static VOID CcpWake(BOOLEAN Urgent)
{
    KIRQL Irql;

    KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    if (!CcpLazy.Initialized)
        CcpInitializeLazyLocked();
    if (!CcpLazy.Armed) {
        CcpArmLocked(Urgent ? CCP_SOON : CCP_SCAN_TIME);
    } else if (Urgent && !CcpLazy.Urgent && KeCancelTimer(&CcpLazy.Timer)) {
        CcpArmLocked(CCP_SOON);
    } else if (CcpLazy.Running) {
        CcpLazy.Again = TRUE;
    }
    CcpLazy.Urgent |= Urgent;
    KeReleaseSpinLock(&CcpLazy.Lock, Irql);
}

VOID CcpWakeLazyWriter(VOID)
{
    if (!CcpLazy.Armed)
        CcpWake(FALSE);
}

/* ---- what ---- */

/* Pages of a map that this scan should write. */
static ULONG64 CcpShare(PCCP_MAP Map, ULONG64 Dirty, BOOLEAN Urgent)
{
    BOOLEAN Kept = Map->NoWriteBehind || (Map->FileObject->Flags & FO_TEMPORARY_FILE) != 0;

    if (Map->Closing || Urgent || MmQueryDirtyPages() > CcpDirtyLimit() / 2)
        return Dirty;
    return Kept ? 0 : min(Dirty, max((Dirty + CCP_SHARE - 1) / CCP_SHARE, CCP_LEAST_PAGES));
}

/* A page that the disk refuses is tried again while somebody uses the file, and given up when nobody does. */
static VOID CcpLoseWrite(PCCP_MAP Map, NTSTATUS Status)
{
    if (!Map->Closing || Status == STATUS_INSUFFICIENT_RESOURCES || Status == STATUS_FILE_LOCK_CONFLICT)
        return;
    DbgPrint("cc: %wZ: a delayed write failed, and its data are lost: status 0x%08X\n", &Map->FileObject->FileName,
             Status);
    MmPurgeSegment(Map->Segment, 0, MAXULONG64);
}

static VOID CcpWriteMap(PCCP_MAP Map, BOOLEAN Urgent)
{
    ULONG64 Next, Written, Pages, Total = 0;
    NTSTATUS Status = STATUS_SUCCESS;

    Pages = CcpShare(Map, MmQuerySegmentDirty(Map->Segment, Map->Written, &Next), Urgent);
    if (Pages == 0 || !Map->Callbacks.AcquireForLazyWrite(Map->Context, TRUE))
        return;
    for (BOOLEAN Wrapped = FALSE; Total < Pages << PAGE_SHIFT && NT_SUCCESS(Status);) {
        MmQuerySegmentDirty(Map->Segment, Map->Written, &Next);
        if (Next == MAXULONG64) {
            if (Wrapped)
                break;
            Wrapped = TRUE;
            Map->Written = 0;
            continue;
        }
        Status = CcpFlushSegment(Map, Map->Segment, Next, CCP_WRITE_CHUNK - Next % CCP_WRITE_CHUNK, &Written);
        Map->Written = (Next / CCP_WRITE_CHUNK + 1) * CCP_WRITE_CHUNK;
        Total += Written;
    }
    if (!NT_SUCCESS(Status))
        CcpLoseWrite(Map, Status);
    Map->Callbacks.ReleaseFromLazyWrite(Map->Context);
}

/* The map behind Skip others, referenced; NULL: there are no more. */
static PCCP_MAP CcpNextMap(PULONG Skip)
{
    PLIST_ENTRY Entry;
    PCCP_MAP Map = NULL;

    KeAcquireGuardedMutex(&CcpLock);
    Entry = CcpMaps.Flink;
    for (ULONG Index = 0; Index < *Skip && Entry != &CcpMaps; Index++)
        Entry = Entry->Flink;
    if (Entry != &CcpMaps) {
        Map = CONTAINING_RECORD(Entry, CCP_MAP, Link);
        Map->References++;
    }
    KeReleaseGuardedMutex(&CcpLock);
    return Map;
}

/* TRUE: something has been left. */
static BOOLEAN CcpScan(BOOLEAN Urgent)
{
    BOOLEAN Left = FALSE;
    ULONG Skip = 0;
    PCCP_MAP Map;
    ULONG64 Next;

    while ((Map = CcpNextMap(&Skip)) != NULL) {
        BOOLEAN Free;

        CcpWriteMap(Map, Urgent);
        Left |= MmQuerySegmentDirty(Map->Segment, 0, &Next) != 0;
        KeAcquireGuardedMutex(&CcpLock);
        Map->References--;
        Free = Map->Closing && CcpForgetMapLocked(Map);
        KeReleaseGuardedMutex(&CcpLock);
        if (Free)
            CcpFreeMap(Map);
        else
            Skip++;
    }
    return MmWriteMappedFiles() || Left;
}

/* ---- who waits ---- */

static VOID CcpPostDeferred(VOID)
{
    PCCP_DEFERRED Deferred;
    KIRQL Irql;

    for (;;) {
        Deferred = NULL;
        KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
        if (!IsListEmpty(&CcpLazy.Deferred))
            Deferred = CONTAINING_RECORD(CcpLazy.Deferred.Flink, CCP_DEFERRED, Link);
        if (Deferred != NULL && MmQueryDirtyPages() + (Deferred->Bytes >> PAGE_SHIFT) <= CcpDirtyLimit())
            RemoveEntryList(&Deferred->Link);
        else
            Deferred = NULL;
        KeReleaseSpinLock(&CcpLazy.Lock, Irql);
        if (Deferred == NULL)
            return;
        Deferred->PostRoutine(Deferred->Context1, Deferred->Context2);
        ExFreePoolWithTag(Deferred, CCP_TAG);
    }
}

static VOID NTAPI CcpScanWorker(PVOID Parameter)
{
    BOOLEAN Urgent, Left;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Parameter);
    KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    Urgent = CcpLazy.Urgent;
    CcpLazy.Urgent = CcpLazy.Again = FALSE;
    CcpLazy.Running = TRUE;
    KeReleaseSpinLock(&CcpLazy.Lock, Irql);
    Left = CcpScan(Urgent);
    CcpPostDeferred();
    KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    CcpLazy.Armed = CcpLazy.Running = FALSE;
    CcpLazy.Scans++;
    if (Left || CcpLazy.Again || CcpLazy.Urgent || !IsListEmpty(&CcpLazy.Deferred))
        CcpArmLocked(CcpLazy.Urgent ? CCP_SOON : CCP_SCAN_TIME);
    KeSetEvent(&CcpLazy.Ended, IO_NO_INCREMENT, FALSE);
    KeReleaseSpinLock(&CcpLazy.Lock, Irql);
}

/* Until a scan that begins after this has ended. */
static VOID CcpWaitForScan(VOID)
{
    ULONG64 Wanted;
    KIRQL Irql;

    CcpWake(TRUE);
    KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    /* One that is under way may have passed what the caller means. */
    Wanted = CcpLazy.Scans + (CcpLazy.Running ? 2 : 1);
    while (CcpLazy.Scans < Wanted) {
        KeClearEvent(&CcpLazy.Ended);
        KeReleaseSpinLock(&CcpLazy.Lock, Irql);
        KeWaitForSingleObject(&CcpLazy.Ended, Executive, KernelMode, FALSE, NULL);
        KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    }
    KeReleaseSpinLock(&CcpLazy.Lock, Irql);
}

/* IRQL: PASSIVE_LEVEL, without what the lazy writer might have to acquire.  STATUS_SUCCESS: all that was dirty before has been tried. */
NTSTATUS NTAPI CcWaitForCurrentLazyWriterActivity(VOID)
{
    PAGED_CODE();
    CcpWaitForScan();
    return STATUS_SUCCESS;
}

/* ---- how much may be dirty ---- */

static BOOLEAN CcpIsWriteAllowed(PFILE_OBJECT FileObject, ULONG Bytes)
{
    PCCP_MAP Map = NULL;
    ULONG64 Pages = BYTES_TO_PAGES(Bytes), Next;

    if (MmQueryDirtyPages() + Pages > CcpDirtyLimit())
        return MmQueryDirtyPages() == 0; /* one that is larger than all has to go some time */
    if (FileObject != NULL && FileObject->SectionObjectPointer != NULL)
        Map = FileObject->SectionObjectPointer->SharedCacheMap;
    return Map == NULL || Map->DirtyThreshold == 0 ||
           MmQuerySegmentDirty(Map->Segment, 0, &Next) + Pages <= Map->DirtyThreshold;
}

/* IRQL: <= APC_LEVEL; with Wait without what the lazy writer might have to acquire.  Retrying: it has been deferred already. */
BOOLEAN NTAPI CcCanIWrite(PFILE_OBJECT FileObject, ULONG BytesToWrite, BOOLEAN Wait, UCHAR Retrying)
{
    KIRQL Irql;
    BOOLEAN Behind = FALSE;

    if (!Retrying && CcpLazy.Initialized) { /* who came before goes first */
        KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
        Behind = !IsListEmpty(&CcpLazy.Deferred);
        KeReleaseSpinLock(&CcpLazy.Lock, Irql);
    }
    if (!Behind && CcpIsWriteAllowed(FileObject, BytesToWrite))
        return TRUE;
    if (!Wait) {
        CcpWake(TRUE);
        return FALSE;
    }
    do {
        CcpWaitForScan();
    } while (!CcpIsWriteAllowed(FileObject, BytesToWrite));
    return TRUE;
}

/* IRQL: <= APC_LEVEL.  The routine is called by a worker, in the order of the calls, Retrying first. */
VOID NTAPI CcDeferWrite(PFILE_OBJECT FileObject, PCC_POST_DEFERRED_WRITE PostRoutine, PVOID Context1, PVOID Context2,
                        ULONG BytesToWrite, BOOLEAN Retrying)
{
    PCCP_DEFERRED Deferred = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Deferred), CCP_TAG);
    KIRQL Irql;

    KeCheckRoutine((PVOID)PostRoutine, "deferred write routine");
    if (Deferred == NULL) { /* the write is better made now than never */
        PostRoutine(Context1, Context2);
        return;
    }
    *Deferred = (CCP_DEFERRED){{NULL, NULL}, FileObject, PostRoutine, Context1, Context2, BytesToWrite};
    CcpWake(TRUE);
    KeAcquireSpinLock(&CcpLazy.Lock, &Irql);
    if (Retrying)
        InsertHeadList(&CcpLazy.Deferred, &Deferred->Link);
    else
        InsertTailList(&CcpLazy.Deferred, &Deferred->Link);
    CcpLazy.Again = TRUE;
    KeReleaseSpinLock(&CcpLazy.Lock, Irql);
}

/* IRQL: <= APC_LEVEL.  0: only the system's limit. */
VOID NTAPI CcSetDirtyPageThreshold(PFILE_OBJECT FileObject, ULONG DirtyPageThreshold)
{
    PCCP_MAP Map = CcpMapOf(FileObject);

    if (Map != NULL)
        Map->DirtyThreshold = DirtyPageThreshold;
}
