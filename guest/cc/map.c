// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cache maps: made by the first file object that uses a file by the cache, gone when the last has stopped and everything is
 * written; and the file's sizes.
 */
#include "ccp.h"
#include <cc.h>

KGUARDED_MUTEX CcpLock;
LIST_ENTRY CcpMaps;

VOID CcInitSystem(VOID)
{
    KeInitializeGuardedMutex(&CcpLock);
    InitializeListHead(&CcpMaps);
    MmSetWriterRoutine(CcpWakeLazyWriter);
}

/* ---- lives ---- */

static PCCP_MAP CcpNewMap(PFILE_OBJECT FileObject, PCC_FILE_SIZES Sizes)
{
    PCCP_MAP Map = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Map), CCP_TAG);

    if (Map == NULL)
        return NULL;
    if (!NT_SUCCESS(MmOpenFileSegment(FileObject, (ULONG64)Sizes->FileSize.QuadPart, &Map->Segment))) {
        ExFreePoolWithTag(Map, CCP_TAG);
        return NULL;
    }
    ObReferenceObject(FileObject);
    Map->FileObject = FileObject;
    Map->Pointers = FileObject->SectionObjectPointer;
    Map->Sizes = *Sizes;
    InitializeListHead(&Map->Privates);
    KeInitializeGuardedMutex(&Map->Lock);
    for (ULONG Bucket = 0; Bucket < CCP_BUCKETS; Bucket++)
        InitializeListHead(&Map->Views[Bucket]);
    InitializeListHead(&Map->Idle);
    InitializeListHead(&Map->Blocks);
    return Map;
}

BOOLEAN CcpForgetMapLocked(PCCP_MAP Map)
{
    ULONG64 Next;

    if (Map->References != 0 || !IsListEmpty(&Map->Privates))
        return FALSE;
    if (MmQuerySegmentDirty(Map->Segment, 0, &Next) != 0) {
        Map->Closing = TRUE;
        return FALSE;
    }
    Map->Pointers->SharedCacheMap = NULL;
    RemoveEntryList(&Map->Link);
    return TRUE;
}

VOID CcpFreeMap(PCCP_MAP Map)
{
    PCACHE_UNINITIALIZE_EVENT Event, Next;

    CcpDeleteViews(Map);
    MmDereferenceSegment(Map->Segment);
    for (Event = Map->Waiters; Event != NULL; Event = Next) {
        Next = (PCACHE_UNINITIALIZE_EVENT)((ULONG_PTR)Event->Next & ~(ULONG_PTR)1);
        KeSetEvent(&Event->Event, IO_NO_INCREMENT, FALSE);
    }
    ObDereferenceObjectDeferDelete(Map->FileObject); /* its close is for a thread that holds nothing */
    ExFreePoolWithTag(Map, CCP_TAG);
}

VOID CcpReferenceMap(PCCP_MAP Map)
{
    KeAcquireGuardedMutex(&CcpLock);
    Map->References++;
    KeReleaseGuardedMutex(&CcpLock);
}

/* CcpLock is held, and let go.  TRUE: the map has gone. */
static BOOLEAN CcpDropMapLocked(PCCP_MAP Map)
{
    BOOLEAN Free, Wake;

    Map->References--;
    Free = CcpForgetMapLocked(Map);
    Wake = !Free && Map->Closing;
    KeReleaseGuardedMutex(&CcpLock);
    if (Free)
        CcpFreeMap(Map);
    else if (Wake)
        CcpWakeLazyWriter();
    return Free;
}

VOID CcpDereferenceMap(PCCP_MAP Map)
{
    KeAcquireGuardedMutex(&CcpLock);
    CcpDropMapLocked(Map);
}

/* ---- what file systems call ---- */

static PCCP_PRIVATE CcpNewPrivate(PFILE_OBJECT FileObject)
{
    PCCP_PRIVATE Private = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Private), CCP_TAG);

    if (Private != NULL) {
        Private->FileObject = FileObject;
        Private->Granularity = PAGE_SIZE;
    }
    return Private;
}

/* A new map takes the place of the one that is there not, or is thrown away. */
static PCCP_MAP CcpJoinMapLocked(PFILE_OBJECT FileObject, PCCP_MAP New, PCCP_PRIVATE Private)
{
    PCCP_MAP Map = FileObject->SectionObjectPointer->SharedCacheMap;

    if (Map == NULL) {
        Map = New;
        InsertTailList(&CcpMaps, &Map->Link);
        FileObject->SectionObjectPointer->SharedCacheMap = Map;
    }
    Private->Map = Map;
    Map->Closing = FALSE;
    InsertTailList(&Map->Privates, &Private->Link);
    FileObject->PrivateCacheMap = Private;
    return Map;
}

/* IRQL: <= APC_LEVEL.  Raises STATUS_INSUFFICIENT_RESOURCES.  Again for the same file object: nothing happens. */
VOID NTAPI CcInitializeCacheMap(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes, BOOLEAN PinAccess,
                                PCACHE_MANAGER_CALLBACKS Callbacks, PVOID LazyWriteContext)
{
    PCCP_PRIVATE Private;
    PCCP_MAP New = NULL, Map;

    PAGED_CODE();
    if (FileObject->PrivateCacheMap != NULL)
        return;
    Private = CcpNewPrivate(FileObject);
    if (Private != NULL && FileObject->SectionObjectPointer->SharedCacheMap == NULL) {
        New = CcpNewMap(FileObject, FileSizes);
    }
    if (Private == NULL || (New == NULL && FileObject->SectionObjectPointer->SharedCacheMap == NULL)) {
        if (Private != NULL)
            ExFreePoolWithTag(Private, CCP_TAG);
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    if (New != NULL) {
        New->Callbacks = *Callbacks;
        New->Context = LazyWriteContext;
        New->PinAccess = PinAccess;
    }
    KeAcquireGuardedMutex(&CcpLock);
    Map = CcpJoinMapLocked(FileObject, New, Private);
    KeReleaseGuardedMutex(&CcpLock);
    if (New != NULL && Map != New)
        CcpFreeMap(New);
}

/* CcpLock is held. */
static VOID CcpLeaveMapLocked(PCCP_PRIVATE Private)
{
    RemoveEntryList(&Private->Link);
    Private->FileObject->PrivateCacheMap = NULL;
    if (Private->AheadActive) /* the worker frees it */
        Private->Map = NULL;
    else
        ExFreePoolWithTag(Private, CCP_TAG);
}

/* The map's file objects stop using it, all of them.  CcpLock is held. */
VOID CcpLeaveAllLocked(PCCP_MAP Map)
{
    while (!IsListEmpty(&Map->Privates))
        CcpLeaveMapLocked(CONTAINING_RECORD(Map->Privates.Flink, CCP_PRIVATE, Link));
}

static VOID CcpTruncate(PCCP_MAP Map, PLARGE_INTEGER TruncateSize)
{
    if (TruncateSize->QuadPart == 0)
        MmPurgeSegment(Map->Segment, 0, MAXULONG64);
    else
        MmTruncateSegment(Map->Segment, (ULONG64)TruncateSize->QuadPart);
}

/*
 * IRQL: <= APC_LEVEL.  TRUE: the map has gone, with what was cut by TruncateSize (0: all); else it goes when others let go of it and
 * everything is written, and then the event is set.
 */
BOOLEAN NTAPI CcUninitializeCacheMap(PFILE_OBJECT FileObject, PLARGE_INTEGER TruncateSize,
                                     PCACHE_UNINITIALIZE_EVENT UninitializeCompleteEvent)
{
    PCCP_MAP Map = NULL;
    BOOLEAN Last = FALSE;

    PAGED_CODE();
    KeAcquireGuardedMutex(&CcpLock);
    if (FileObject->SectionObjectPointer != NULL)
        Map = FileObject->SectionObjectPointer->SharedCacheMap;
    if (Map != NULL) {
        if (FileObject->PrivateCacheMap != NULL)
            CcpLeaveMapLocked(FileObject->PrivateCacheMap);
        Last = IsListEmpty(&Map->Privates);
        Map->References++; /* while it is cut */
    }
    KeReleaseGuardedMutex(&CcpLock);
    if (Map == NULL) {
        if (UninitializeCompleteEvent != NULL)
            KeSetEvent(&UninitializeCompleteEvent->Event, IO_NO_INCREMENT, FALSE);
        return FALSE;
    }
    if (Last && TruncateSize != NULL)
        CcpTruncate(Map, TruncateSize);
    KeAcquireGuardedMutex(&CcpLock);
    if (UninitializeCompleteEvent != NULL) {
        UninitializeCompleteEvent->Next = Map->Waiters;
        Map->Waiters = UninitializeCompleteEvent;
    }
    return CcpDropMapLocked(Map);
}

/* ---- sizes ---- */

/* IRQL: <= APC_LEVEL.  Also where only a section is.  What is behind a new end goes, and reads as zeros when the end moves on again. */
VOID NTAPI CcSetFileSizes(PFILE_OBJECT FileObject, PCC_FILE_SIZES FileSizes)
{
    PSECTION_OBJECT_POINTERS Pointers = FileObject->SectionObjectPointer;
    PMM_SEGMENT Segment = MmFindFileSegment(Pointers);
    LONGLONG Old = MAXLONGLONG;
    PCCP_MAP Map;

    PAGED_CODE();
    if (Segment == NULL)
        return;
    KeAcquireGuardedMutex(&CcpLock);
    Map = Pointers->SharedCacheMap;
    if (Map != NULL) {
        Old = Map->Sizes.FileSize.QuadPart;
        Map->Sizes = *FileSizes;
    }
    KeReleaseGuardedMutex(&CcpLock);
    if (FileSizes->FileSize.QuadPart < Old)
        MmTruncateSegment(Segment, (ULONG64)FileSizes->FileSize.QuadPart);
    MmExtendSegment(Segment, (ULONG64)FileSizes->FileSize.QuadPart);
    MmDereferenceSegment(Segment);
}

/* IRQL: <= APC_LEVEL.  0: the file is not cached. */
LONGLONG NTAPI CcGetCacheFileSize(PSECTION_OBJECT_POINTERS SectionObjectPointer)
{
    PCCP_MAP Map;
    LONGLONG Size = 0;

    KeAcquireGuardedMutex(&CcpLock);
    Map = SectionObjectPointer->SharedCacheMap;
    if (Map != NULL)
        Size = Map->Sizes.FileSize.QuadPart;
    KeReleaseGuardedMutex(&CcpLock);
    return Size;
}
