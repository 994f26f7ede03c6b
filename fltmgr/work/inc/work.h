/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * work.h: a filter's work for a system thread.  Generic items, deferred items and completion that waits for a lower IRQL
 * are one item with one set of checks; they differ in what they hold and in how their routine is called.
 *
 * Rules for work items
 * - An item is idle, queued or free.  From the moment before its routine is called it is idle: the routine, or
 *   anybody else, may queue it again or free it, and nothing here touches it any more.
 * - Magic tells the kinds apart, and a freed item from something that never was one.
 * - With the verifier on an item keeps who allocated, queued and freed it, and a freed one rests for a while as it is,
 *   so that using it late is told by all three.  Resting items count as free memory and are given back when pool is
 *   short; without the verifier an item goes back to pool at once.
 */
#ifndef FLTMGR_WORK_H
#define FLTMGR_WORK_H

#include <core.h>

#define FLTP_MAGIC_GENERIC  0x57746C46u
#define FLTP_MAGIC_DEFERRED 0x44746C46u
#define FLTP_MAGIC_SAFE     0x53746C46u

typedef enum _FLTP_ITEM_STATE { FltpItemIdle, FltpItemQueued, FltpItemFree } FLTP_ITEM_STATE;

/* A filter's routine, and what it is called with. */
typedef struct _FLTP_WORK {
    PVOID Item;
    PVOID Routine;
    PVOID Object; /* the filter or instance, or the operation's callback data */
    PVOID Context;
    PFLTP_OBJECT Held; /* until the routine has returned; NULL: the operation holds enough */
} FLTP_WORK, *PFLTP_WORK;

typedef struct _FLTP_WORK_KIND {
    ULONG Magic;
    PCSTR Name;    /* "generic work item" */
    PCSTR Routine; /* its routine's name: ends in "work routine", see FvEndCall */
    VOID (*Call)(const FLTP_WORK *Work);
} FLTP_WORK_KIND;

typedef struct _FLTP_WORK_ITEM {
    ULONG Magic; /* the kind's, or FLTP_MAGIC_FREE */
    volatile LONG State;
    const FLTP_WORK_KIND *Kind;
    FLTP_WORK Work;
    WORK_QUEUE_ITEM Item;
    WORK_QUEUE_TYPE Queue;
    PVOID Owner;     /* return address of the call that allocated it */
    LIST_ENTRY Link; /* FltpLiveItems or FltpRestingItems, FltpItemLock */
    PVOID AllocatedBy[FLTP_STACK_DEPTH], QueuedBy[FLTP_STACK_DEPTH], FreedBy[FLTP_STACK_DEPTH];
} FLTP_WORK_ITEM, *PFLTP_WORK_ITEM;

#define FLTP_NO_ROUTINE ((PVOID)1)
extern PVOID FltpKnownRoutine; /* the last one that was looked at and found to be code */

/* item.c.  IRQL: <= DISPATCH_LEVEL.  Caller: the return address of the filter's call. */
VOID FltpInitializeWorkItems(VOID);
PFLTP_WORK_ITEM FltpAllocateItem(const FLTP_WORK_KIND *Kind, PVOID Caller);
VOID FltpReleaseItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Caller);
/* Not an item of that kind: freed, of another kind, or nothing of ours. */
DECLSPEC_NORETURN VOID FltpNoSuchItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PCSTR Verb, PVOID Caller);
DECLSPEC_NORETURN VOID FltpQueuedTwice(PFLTP_WORK_ITEM Item, WORK_QUEUE_TYPE Queue, PVOID Caller);
VOID NTAPI FltpWorker(PVOID Parameter);
NTSTATUS FltpRefuseQueueing(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Routine, WORK_QUEUE_TYPE Queue,
                            PVOID Caller);
VOID FltpReportItem(PFLTP_WORK_ITEM Item, PCSTR Verb);
/* Tells of every item that is queued and holds that object; a lock is held. */
VOID FltpForQueuedItems(const VOID *Object, VOID (*Tell)(PVOID Context, PFLTP_WORK_ITEM Item), PVOID Context);
/* Code between Start and End is about to go: what it allocated and never freed is a bugcheck.  Verifier only. */
VOID FltpCheckItemsAtUnload(PUCHAR Start, PUCHAR End, PVOID Name);

/* An item that is a part of something else, idle for now: neither allocated nor freed. */
static FORCEINLINE VOID FltpInitializeItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Caller)
{
    Item->Magic = Kind->Magic;
    Item->State = FltpItemIdle;
    Item->Kind = Kind;
    Item->Work.Item = Item;
    Item->Work.Routine = NULL;
    Item->Owner = Caller;
    Item->AllocatedBy[0] = Item->QueuedBy[0] = Item->FreedBy[0] = NULL;
}

/* All that may be wrong before anything is held: a bugcheck, or with the verifier off a status. */
static FORCEINLINE NTSTATUS FltpCheckQueueing(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Routine,
                                              WORK_QUEUE_TYPE Queue, PVOID Caller)
{
    if (Item != NULL && Item->Magic == Kind->Magic && (ULONG)Queue <= DelayedWorkQueue &&
        (Routine == FltpKnownRoutine || !FltpVerify))
        return STATUS_SUCCESS;
    return FltpRefuseQueueing(Item, Kind, Routine, Queue, Caller);
}

/*
 * In the exported routine itself, so that a stack is taken next to the filter's frame: nothing here costs an item more
 * than its stacks.
 */
static FORCEINLINE VOID FltpQueueItem(PFLTP_WORK_ITEM Item, PVOID Routine, PVOID Object, PVOID Context,
                                      PFLTP_OBJECT Held, WORK_QUEUE_TYPE Queue, PVOID Caller)
{
    if (InterlockedCompareExchange(&Item->State, FltpItemQueued, FltpItemIdle) != FltpItemIdle)
        FltpQueuedTwice(Item, Queue, Caller);
    Item->Work.Routine = Routine;
    Item->Work.Object = Object;
    Item->Work.Context = Context;
    Item->Work.Held = Held;
    Item->Queue = Queue;
    if (FltpVerify)
        FltpCaptureStack(1, Item->QueuedBy);
    ExInitializeWorkItem(&Item->Item, FltpWorker, Item);
    ExQueueWorkItem(&Item->Item, Queue);
}

static FORCEINLINE VOID FltpFreeItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Caller)
{
    if (Item == NULL || Item->Magic != Kind->Magic)
        FltpNoSuchItem(Item, Kind, "freed", Caller);
    if (FltpVerify)
        FltpCaptureStack(1, Item->FreedBy);
    FltpReleaseItem(Item, Kind, Caller);
}

#endif
