/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oplock: opportunistic locks of a stream; see oplock.c. */
#ifndef FLTVM_FSRTL_OPLOCK_H
#define FLTVM_FSRTL_OPLOCK_H

#include <ntifs.h>
#include <fltvm.h>

#define FSRTLP_OPLOCK_TAG 'OrsF'

#define FSRTLP_LEVEL_R   OPLOCK_LEVEL_CACHE_READ
#define FSRTLP_LEVEL_H   OPLOCK_LEVEL_CACHE_HANDLE
#define FSRTLP_LEVEL_W   OPLOCK_LEVEL_CACHE_WRITE
#define FSRTLP_LEVEL_RH  (FSRTLP_LEVEL_R | FSRTLP_LEVEL_H)
#define FSRTLP_LEVEL_RW  (FSRTLP_LEVEL_R | FSRTLP_LEVEL_W)
#define FSRTLP_LEVEL_RWH (FSRTLP_LEVEL_RW | FSRTLP_LEVEL_H)

typedef enum _FSRTLP_OPLOCK_KIND {
    FsRtlpLevelOne,
    FsRtlpLevelTwo,
    FsRtlpBatch,
    FsRtlpFilter,
    FsRtlpGranular, /* FSCTL_REQUEST_OPLOCK's: its level says all */
    FsRtlpReserved  /* promised by an open that its handle has not asked for yet */
} FSRTLP_OPLOCK_KIND;

/* One oplock that is held.  All but Link's neighbours is the owner's until it breaks. */
typedef struct _FSRTLP_GRANT {
    LIST_ENTRY Link; /* of the oplock's Grants; by itself: it left while its request was being cancelled */
    struct _FSRTLP_OPLOCK *Oplock;
    FSRTLP_OPLOCK_KIND Kind;
    ULONG Level;             /* what it lets its owner cache, FSRTLP_LEVEL_*; as it was while it breaks */
    BOOLEAN Breaking;        /* told so, and not acknowledged yet */
    BOOLEAN Closing;         /* while it breaks: acknowledged by its handle's end only */
    ULONG NewLevel;          /* while it breaks: what will be left */
    ULONG ToldLevel;         /* and what the owner was told */
    PFILE_OBJECT FileObject; /* the owner; the grant goes with its cleanup */
    PEPROCESS Process;       /* referenced; NULL for what is reserved */
    PIRP Irp;                /* the request; NULL when its owner has been told */
} FSRTLP_GRANT, *PFSRTLP_GRANT;

/* What OPLOCK points at, once there has been a request. */
typedef struct _FSRTLP_OPLOCK {
    KSPIN_LOCK Lock;
    LIST_ENTRY Grants, Waiters;
} FSRTLP_OPLOCK, *PFSRTLP_OPLOCK;

typedef enum _FSRTLP_EFFECT { FsRtlpKeeps, FsRtlpToTwo, FsRtlpToNone } FSRTLP_EFFECT;

/* What an operation means for oplocks that others hold. */
typedef struct _FSRTLP_OPERATION {
    PIRP Irp; /* NULL: a change below, no request's */
    PFILE_OBJECT FileObject;
    FSRTLP_EFFECT LevelOne, LevelTwo, Batch, Filter;
    ULONG Lost;             /* what granular ones cannot let cache any more */
    BOOLEAN KeysCount;      /* one of the same key is no obstacle */
    BOOLEAN LevelTwoByKey;  /* nor is a level 2 one; with all others it is */
    BOOLEAN ByParentKey;    /* the operation's file is a child of the oplock's */
    BOOLEAN IsLock;         /* does not wait for one that caches handles and writes */
    BOOLEAN MayNotBreak;    /* STATUS_CANNOT_BREAK_OPLOCK rather than a break */
    BOOLEAN DoesNotWait;    /* STATUS_OPLOCK_BREAK_IN_PROGRESS rather than a wait */
    BOOLEAN ModesAreKnown;  /* an open */
    ACCESS_MASK AccessMode; /* the open's */
    USHORT ShareMode;
} FSRTLP_OPERATION, *PFSRTLP_OPERATION;

/* Somebody who waits until what stands in an operation's way is acknowledged. */
typedef struct _FSRTLP_WAITER {
    LIST_ENTRY Link;
    PFSRTLP_OPLOCK Oplock;
    FSRTLP_OPERATION Operation;
    BOOLEAN ForAnyBreak; /* FSCTL_OPLOCK_BREAK_NOTIFY */
    BOOLEAN Waits;       /* is in the list */
    PIRP Irp;
    POPLOCK_WAIT_COMPLETE_ROUTINE Routine; /* NULL: a thread waits for Event; else the waiter is from pool */
    PVOID Context;
    KEVENT Event;
} FSRTLP_WAITER, *PFSRTLP_WAITER;

/* What is to be done when the lock is released. */
typedef struct _FSRTLP_DONE {
    LIST_ENTRY Irps, Waiters, Grants;
} FSRTLP_DONE, *PFSRTLP_DONE;

/* oplock.c */
PFSRTLP_OPLOCK FsRtlpMakeOplock(POPLOCK Oplock); /* NULL: there is no memory */
VOID FsRtlpBeginDone(PFSRTLP_DONE Done);
VOID FsRtlpDeliver(PFSRTLP_DONE Done); /* without the lock */

/* oplockkey.c */
/* Whether the operation's file object has the owner's key. */
BOOLEAN FsRtlpKeysMatch(PFILE_OBJECT Operations, PFILE_OBJECT Owners, BOOLEAN ByParentKey);
NTSTATUS FsRtlpTakeKey(PIRP Irp);

/* oplockgrant.c */
PFSRTLP_GRANT FsRtlpMakeGrant(PFSRTLP_OPLOCK Oplock, FSRTLP_OPLOCK_KIND Kind, ULONG Level, PFILE_OBJECT FileObject,
                              PIRP Irp);
VOID FsRtlpFreeGrant(PFSRTLP_GRANT Grant);
/* STATUS_PENDING: Irp is the grant's now.  STATUS_CANCELLED: it was too late, and is the caller's. */
NTSTATUS FsRtlpPendLocked(PFSRTLP_GRANT Grant, PIRP Irp);
VOID FsRtlpFillResult(PFSRTLP_GRANT Grant, PIRP Irp, ULONG NewLevel, BOOLEAN Acknowledge, PFSRTLP_OPERATION Operation);
VOID FsRtlpEndGrantLocked(PFSRTLP_GRANT Grant, NTSTATUS Status, ULONG NewLevel, PFSRTLP_DONE Done);
VOID FsRtlpBreakGrantLocked(PFSRTLP_GRANT Grant, ULONG NewLevel, PFSRTLP_OPERATION Operation, PFSRTLP_DONE Done);

/* oplockoperation.c: FALSE, it concerns no oplock. */
BOOLEAN FsRtlpDescribe(PIRP Irp, ULONG Flags, PFSRTLP_OPERATION Operation);
VOID FsRtlpDescribeEnd(PIRP Irp, ULONG Flags, FSRTLP_EFFECT Legacy, ULONG Lost, PFSRTLP_OPERATION Operation);

/* oplockbreak.c: whether the operation has to wait until the grant's break is acknowledged. */
BOOLEAN FsRtlpMustWait(PFSRTLP_GRANT Grant, PFSRTLP_OPERATION Operation);

/* oplockwait.c */
PFSRTLP_WAITER FsRtlpMakeWaiter(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PIRP Irp,
                                POPLOCK_WAIT_COMPLETE_ROUTINE Routine, PVOID Context);
VOID FsRtlpInitializeWaiter(PFSRTLP_WAITER Waiter, PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PIRP Irp);
BOOLEAN FsRtlpIsHeldUpLocked(PFSRTLP_WAITER Waiter);
VOID FsRtlpQueueWaiterLocked(PFSRTLP_WAITER Waiter, PFSRTLP_DONE Done);
VOID FsRtlpReleaseWaitersLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_DONE Done);
VOID FsRtlpWakeWaiter(PFSRTLP_WAITER Waiter);
NTSTATUS FsRtlpWaitHere(PFSRTLP_WAITER Waiter, ULONGLONG Timeout, PVOID NotifyContext,
                        POPLOCK_NOTIFY_ROUTINE NotifyRoutine);

/* oplockack.c: STATUS_PENDING, the request is a new grant's. */
NTSTATUS FsRtlpAcknowledgeLegacyLocked(PFSRTLP_OPLOCK Oplock, PIRP Irp, ULONG Code, PFSRTLP_DONE Done);
NTSTATUS FsRtlpAcknowledgeGranularLocked(PFSRTLP_OPLOCK Oplock, PIRP Irp, ULONG Level, BOOLEAN OnClose,
                                         PFSRTLP_DONE Done);

static inline BOOLEAN FsRtlpIsExclusive(PFSRTLP_GRANT Grant)
{
    return Grant->Kind != FsRtlpReserved && (Grant->Level & FSRTLP_LEVEL_W) != 0;
}

static inline BOOLEAN FsRtlpIsLegacy(PFSRTLP_GRANT Grant)
{
    return Grant->Kind < FsRtlpGranular;
}

#define FSRTLP_GRANT_AT(Link_) CONTAINING_RECORD(Link_, FSRTLP_GRANT, Link)

#endif
