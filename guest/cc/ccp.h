/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cc: the cache manager.  A file's pages are its segment's (mm); a cache map says that somebody uses the file by the cache, and views
 * of 256 KiB of the segment are where the data are copied from and to, mapped and pinned.  So whoever maps the file sees the same
 * bytes.
 *
 * Locks, in order: CcpLock (the maps, and who uses them), a map's Lock (its views and blocks), then mm's.  None is held while pages are read
 * or written.  A file system may hold its own when it calls; it is asked by its callbacks for what it needs of them in a worker.
 */
#ifndef FLTVM_CCP_H
#define FLTVM_CCP_H

#include <ntifs.h>
#include <fltvm.h>
#include <kd.h>
#include <ke.h>
#include <mm.h>
#include <io.h>

#define CCP_TAG 'paMC'

#define CCP_VIEW_SIZE    ((ULONG64)VACB_MAPPING_GRANULARITY)
#define CCP_VIEWS        512 /* that are kept though nobody uses them */
#define CCP_VIEWS_A_FILE 16
#define CCP_BUCKETS      16

/* How a file is used: FsContext of a cache map.  SectionObjectPointer->SharedCacheMap. */
typedef struct _CCP_MAP {
    PFILE_OBJECT FileObject; /* referenced; the one that came first */
    PSECTION_OBJECT_POINTERS Pointers;
    PMM_SEGMENT Segment; /* referenced */
    CACHE_MANAGER_CALLBACKS Callbacks;
    PVOID Context; /* for those */
    BOOLEAN PinAccess;

    /* CcpLock */
    LIST_ENTRY Link;     /* of CcpMaps */
    LIST_ENTRY Privates; /* CCP_PRIVATE */
    ULONG References;    /* workers that use it, and pinned blocks */
    BOOLEAN Closing;     /* it goes as soon as it is written */
    CC_FILE_SIZES Sizes;
    ULONG64 Written; /* the lazy writer goes on here */
    PCACHE_UNINITIALIZE_EVENT Waiters;
    BOOLEAN NoReadAhead, NoWriteBehind;
    ULONG DirtyThreshold; /* pages; 0: none of its own */
    PVOID LogHandle;
    PFLUSH_TO_LSN FlushToLsn;

    KGUARDED_MUTEX Lock; /* what follows */
    LIST_ENTRY Views[CCP_BUCKETS];
    LIST_ENTRY Idle; /* views that nobody uses, the oldest first */
    ULONG IdleCount;
    LIST_ENTRY Blocks; /* CCP_BCB that are pinned */
} CCP_MAP, *PCCP_MAP;

/* One file object's use: FileObject->PrivateCacheMap. */
typedef struct _CCP_PRIVATE {
    PCCP_MAP Map;
    PFILE_OBJECT FileObject;
    LIST_ENTRY Link; /* of the map's Privates: CcpLock */
    ULONG Granularity;
    BOOLEAN NoReadAhead;

    /* What the last reads were; only for whether to read ahead. */
    LONGLONG NextOffset;
    ULONG Sequential;
    LONGLONG AheadUntil; /* has been asked for */
    volatile LONG AheadActive;
} CCP_PRIVATE, *PCCP_PRIVATE;

typedef struct _CCP_VIEW {
    LIST_ENTRY Link; /* of a bucket; empty: a view of its own, that nobody else finds */
    LIST_ENTRY IdleLink;
    ULONG64 Offset, Size;
    PUCHAR Base;
    ULONG Users;
} CCP_VIEW, *PCCP_VIEW;

/* What CcMapData and CcPinRead return: an opaque pointer that begins with PUBLIC_BCB. */
typedef struct _CCP_BCB {
    PUBLIC_BCB Public;
    PCCP_MAP Map; /* has a reference */
    PCCP_VIEW View;
    PUCHAR Address;
    BOOLEAN Pinned; /* else mapped, one's own, and what follows is not used */

    LIST_ENTRY Link; /* of the map's Blocks: the map's lock, as the next */
    ULONG Count;     /* pins and repins */
    BOOLEAN Dirty;
    LARGE_INTEGER OldestLsn, NewestLsn;
    ERESOURCE Resource;
} CCP_BCB, *PCCP_BCB;

#define CCP_BCB_TYPE 0x2FD /* CACHE_NTC_BCB */

extern KGUARDED_MUTEX CcpLock;
extern LIST_ENTRY CcpMaps; /* CcpLock */

FORCEINLINE PCCP_MAP CcpMapOf(PFILE_OBJECT FileObject)
{
    PCCP_PRIVATE Private = FileObject->PrivateCacheMap;

    return Private != NULL ? Private->Map : FileObject->SectionObjectPointer->SharedCacheMap;
}

/* map.c */
VOID CcpReferenceMap(PCCP_MAP Map);
VOID CcpDereferenceMap(PCCP_MAP Map);
/* CcpLock is held: the map goes now, if it may; the caller then calls Free without the lock. */
BOOLEAN CcpForgetMapLocked(PCCP_MAP Map);
VOID CcpFreeMap(PCCP_MAP Map);
VOID CcpLeaveAllLocked(PCCP_MAP Map);

/* view.c: the view that an offset is in, or with Length one of its own where that is not in one; NULL: no memory. */
PCCP_VIEW CcpGetView(PCCP_MAP Map, ULONG64 Offset, ULONG Length);
VOID CcpReleaseView(PCCP_MAP Map, PCCP_VIEW View);
VOID CcpDeleteViews(PCCP_MAP Map);

/* copy.c */
NTSTATUS CcpPrepareWrite(PCCP_MAP Map, ULONG64 Offset, ULONG Length, PULONG64 Taken);

/* Within one view.  NULL: zeros. */
NTSTATUS CcpWritePiece(PCCP_MAP Map, ULONG64 Offset, ULONG Length, const VOID *Buffer);
DECLSPEC_NORETURN VOID CcpRaise(NTSTATUS Status);

/* mdl.c: what is left to do when the file system has nothing to say. */
VOID CcpFreeChain(PMDL MdlChain);
VOID CcpCompleteMdlWrite(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, PMDL MdlChain);

/* ahead.c */
VOID CcpNoteRead(PCCP_PRIVATE Private, LONGLONG Offset, ULONG Length);

/* lazy.c */
VOID CcpWakeLazyWriter(VOID);

/* flush.c */
NTSTATUS CcpFlushSegment(PCCP_MAP Map, PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Written);

/* pin.c: whether a block that is pinned has a part of this.  The map's lock is held. */
BOOLEAN CcpIsPinnedLocked(PCCP_MAP Map, ULONG64 Offset, ULONG64 Length);
/* The highest sequence number of the log that dirty blocks here have; 0: none. */
LONGLONG CcpCleanBlocks(PCCP_MAP Map, ULONG64 Offset, ULONG64 Length);

#endif
