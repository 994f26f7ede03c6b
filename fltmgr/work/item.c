/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * item.c: what all work items share: where they come from and go to, their states, and every check.
 */
#include <hold.h>
#include "work.h"
#include <ntstrsafe.h>

#define FLTP_RESTING_ITEMS 64 /* verifier: freed items that are kept as they are before they are used again */

static KSPIN_LOCK FltpItemLock;
LIST_ENTRY FltpLiveItems;           /* named so for gdb */
static LIST_ENTRY FltpRestingItems; /* oldest first */
static volatile ULONG FltpRestingCount;
PVOID FltpKnownRoutine = FLTP_NO_ROUTINE;

/* Pool is short. */
static VOID NTAPI FltpGiveBackResting(VOID)
{
    LIST_ENTRY All;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);

    InitializeListHead(&All);
    while (!IsListEmpty(&FltpRestingItems))
        InsertTailList(&All, RemoveHeadList(&FltpRestingItems));
    FltpRestingCount = 0;
    KeReleaseSpinLock(&FltpItemLock, Irql);
    while (!IsListEmpty(&All))
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&All), FLTP_WORK_ITEM, Link), FLTP_TAG_WORKITEM);
}

VOID FltpInitializeWorkItems(VOID)
{
    static FV_RESTING Resting = {FLTP_TAG_WORKITEM, sizeof(FLTP_WORK_ITEM), &FltpRestingCount, FltpGiveBackResting};

    FvRegisterResting(&Resting);
    KeInitializeSpinLock(&FltpItemLock);
    InitializeListHead(&FltpLiveItems);
    InitializeListHead(&FltpRestingItems);
}

/* The rule that was broken: "A generic work item was VERB". */
VOID FltpReportItem(PFLTP_WORK_ITEM Item, PCSTR Verb)
{
    CHAR Text[256];

    RtlStringCbPrintfA(Text, sizeof(Text), "rule=A %s was %s\nitem=0x%p\n", Item->Kind->Name, Verb, Item);
    FvReport(Text);
    if (Item->Work.Routine != NULL) {
        RtlStringCbPrintfA(Text, sizeof(Text), "routine=0x%p\n", Item->Work.Routine);
        FvReport(Text);
    }
    FltpReportStack("allocated", Item->AllocatedBy);
    FltpReportStack("queued", Item->QueuedBy);
    FltpReportStack("freed", Item->FreedBy);
}

static DECLSPEC_NORETURN DECLSPEC_NOINLINE VOID FltpWorkerInvalid(PFLTP_WORK_ITEM Item, PCSTR Verb, ULONG P1,
                                                                  ULONG_PTR P3, PVOID Caller)
{
    FltpReportItem(Item, Verb);
    FvBlame(Caller);
    KeBugCheckEx(WORKER_INVALID, P1, (ULONG_PTR)Item, P3, 0);
}

/* Not an item of that kind: freed, of another kind, or nothing of ours. */
DECLSPEC_NORETURN DECLSPEC_NOINLINE VOID FltpNoSuchItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PCSTR Verb,
                                                        PVOID Caller)
{
    CHAR Text[128];

    FvBlame(Caller);
    if (Item != NULL && Item->Magic == FLTP_MAGIC_FREE) {
        FltpReportItem(Item, Verb[0] == 'f' ? "freed twice" : "queued after it was freed");
        KeBugCheckEx(WORKER_INVALID, 0, (ULONG_PTR)Item, (ULONG_PTR)Item, (ULONG_PTR)(Item + 1));
    }
    if (Item != NULL && (Item->Magic == FLTP_MAGIC_GENERIC || Item->Magic == FLTP_MAGIC_DEFERRED)) {
        RtlStringCbPrintfA(Text, sizeof(Text), "%s as a %s", Verb, Kind->Name);
        FltpReportItem(Item, Text);
        KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_WORK_ITEM, (ULONG_PTR)Item, Item->Magic, Kind->Magic);
    }
    RtlStringCbPrintfA(Text, sizeof(Text), "rule=What was %s is no %s\n", Verb, Kind->Name);
    FvReport(Text);
    KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_WORK_ITEM, (ULONG_PTR)Item, 0, Kind->Magic);
}

DECLSPEC_NORETURN DECLSPEC_NOINLINE VOID FltpQueuedTwice(PFLTP_WORK_ITEM Item, WORK_QUEUE_TYPE Queue, PVOID Caller)
{
    PVOID Again[FLTP_STACK_DEPTH];

    if (Item->State == FltpItemFree)
        FltpNoSuchItem(Item, Item->Kind, "queued", Caller);
    FltpReportItem(Item, "queued while it was queued");
    FltpCaptureStack(2, Again);
    FltpReportStack("again", Again);
    FvBlame(Caller);
    KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)Item, Queue, 0);
}

/* One that has rested long enough leaves the list; FltpItemLock is held. */
static PFLTP_WORK_ITEM FltpTakeRestedLocked(ULONG Rest)
{
    PFLTP_WORK_ITEM Item = NULL;

    if (FltpRestingCount > Rest) {
        Item = CONTAINING_RECORD(RemoveHeadList(&FltpRestingItems), FLTP_WORK_ITEM, Link);
        FltpRestingCount--;
    }
    return Item;
}

static VOID FltpInsertLiveLocked(PFLTP_WORK_ITEM Item)
{
    InsertTailList(&FltpLiveItems, &Item->Link);
    if (Item->Magic == FLTP_MAGIC_GENERIC) {
        FltpCounters.work_items_allocated++;
        FltpCounters.work_items_total++;
    } else {
        FltpCounters.deferred_allocated++;
    }
}

PFLTP_WORK_ITEM FltpAllocateItem(const FLTP_WORK_KIND *Kind, PVOID Caller)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    PFLTP_WORK_ITEM Item = FltpTakeRestedLocked(FLTP_RESTING_ITEMS);

    if (Item == NULL) {
        KeReleaseSpinLock(&FltpItemLock, Irql);
        Item = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Item), FLTP_TAG_WORKITEM);
        if (Item == NULL)
            return NULL;
        Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    }
    FltpInitializeItem(Item, Kind, Caller);
    FltpInsertLiveLocked(Item);
    KeReleaseSpinLock(&FltpItemLock, Irql);
    return Item;
}

VOID FltpReleaseItem(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Caller)
{
    KIRQL Irql;

    if (InterlockedExchange(&Item->State, FltpItemFree) == FltpItemQueued)
        FltpWorkerInvalid(Item, "freed while it was queued", 2, (ULONG_PTR)Item->Work.Routine, Caller);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    RemoveEntryList(&Item->Link);
    Item->Magic = FLTP_MAGIC_FREE;
    if (Kind->Magic == FLTP_MAGIC_GENERIC)
        FltpCounters.work_items_allocated--;
    else
        FltpCounters.deferred_allocated--;
    if (FltpVerify && FltpRestingCount < 2 * FLTP_RESTING_ITEMS) {
        InsertTailList(&FltpRestingItems, &Item->Link);
        FltpRestingCount++;
        Item = NULL;
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
    if (Item != NULL)
        ExFreePoolWithTag(Item, FLTP_TAG_WORKITEM);
}

VOID NTAPI FltpWorker(PVOID Parameter)
{
    PFLTP_WORK_ITEM Item = Parameter;
    const FLTP_WORK_KIND *Kind = Item->Kind;
    FLTP_WORK Work = Item->Work;
    PFLTP_HOLD Hold;
    FV_CALL Call;

    InterlockedExchange(&Item->State, FltpItemIdle); /* from here on the routine may free it or queue it again */
    Hold = Work.Held != NULL ? FltpBeginHold(Work.Held, Work.Routine) : NULL;
    FvBeginCall(&Call);
    Call.Context = (ULONG_PTR)Work.Context;
    Kind->Call(&Work);
    FvEndCall(&Call, Work.Routine, Kind->Routine, (ULONG_PTR)Item);
    FltpEndHold(Hold);
    if (Work.Held != NULL)
        FltpReleaseRundown(&Work.Held->Rundown);
}

NTSTATUS FltpRefuseQueueing(PFLTP_WORK_ITEM Item, const FLTP_WORK_KIND *Kind, PVOID Routine, WORK_QUEUE_TYPE Queue,
                            PVOID Caller)
{
    if (Item == NULL || Item->Magic != Kind->Magic)
        FltpNoSuchItem(Item, Kind, "queued", Caller);
    if (FltpVerify && !FvIsCode(Routine))
        FltpWorkerInvalid(Item, Routine == NULL ? "queued without a routine" : "queued with a routine that is no code",
                          7, (ULONG_PTR)Routine, Caller);
    FltpKnownRoutine = Routine;
    if (Queue == CriticalWorkQueue || Queue == DelayedWorkQueue)
        return STATUS_SUCCESS;
    if (FltpVerify) {
        FltpReportItem(Item, "queued to a queue that is reserved for the system");
        FvBlame(Caller);
        KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_QUEUE_TYPE, (ULONG_PTR)Item, Queue, 0);
    }
    return STATUS_INVALID_PARAMETER;
}

VOID FltpForQueuedItems(const VOID *Object, VOID (*Tell)(PVOID Context, PFLTP_WORK_ITEM Item), PVOID Context)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);

    for (PLIST_ENTRY Link = FltpLiveItems.Flink; Link != &FltpLiveItems; Link = Link->Flink) {
        PFLTP_WORK_ITEM Item = CONTAINING_RECORD(Link, FLTP_WORK_ITEM, Link);

        if (Item->State == FltpItemQueued && Item->Work.Held == Object)
            Tell(Context, Item);
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
}

VOID FltpCheckItemsAtUnload(PUCHAR Start, PUCHAR End, PVOID Name)
{
    PFLTP_WORK_ITEM Leaked = NULL;
    ULONG Count = 0;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);

    FltpKnownRoutine = FLTP_NO_ROUTINE; /* it may be of this code */
    for (PLIST_ENTRY Link = FltpLiveItems.Flink; Link != &FltpLiveItems; Link = Link->Flink) {
        PFLTP_WORK_ITEM Item = CONTAINING_RECORD(Link, FLTP_WORK_ITEM, Link);

        if ((PUCHAR)Item->Owner >= Start && (PUCHAR)Item->Owner < End) {
            Leaked = Item;
            Count++;
        }
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
    if (Count == 0)
        return;
    FltpReportItem(Leaked, "never freed, and its driver is unloaded");
    FvBlame(Leaked->Owner);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, (ULONG_PTR)Name, (ULONG_PTR)Leaked, Count);
}
