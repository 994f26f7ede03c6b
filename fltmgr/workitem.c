/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic and deferred I/O work items: FltAllocate…, FltQueue…, FltFree….
 *
 * Every item that exists is in a table, found by its address without touching the item, so that what a driver passes is
 * checked before it is believed: freed while queued, queued twice, queued or freed after it was freed are bugchecks, and
 * the report names who allocated, queued and freed it (return addresses, which the host turns into lines).  The last
 * freed items are remembered for that.  An item left over when its allocator's driver unloads is reported likewise.
 */
#include "fltmgrp.h"

#include <ntstrsafe.h>

#define FLTP_WORKITEM_BUCKETS 64
#define FLTP_WORKITEM_FREED   64 /* freed items remembered */

typedef enum _FLTP_WORKITEM_KIND { FltpGenericItem, FltpDeferredItem } FLTP_WORKITEM_KIND;
typedef enum _FLTP_WORKITEM_STATE { FltpItemIdle, FltpItemQueued } FLTP_WORKITEM_STATE;

/* What a report tells of an item. */
typedef struct _FLTP_WORKITEM_HISTORY {
    PVOID Item;
    FLTP_WORKITEM_KIND Kind;
    PVOID Allocator; /* return addresses: of the last call of each kind */
    PVOID Queuer;
    PVOID Freer;
    PVOID Routine;
} FLTP_WORKITEM_HISTORY, *PFLTP_WORKITEM_HISTORY;

typedef struct _FLTP_WORKITEM {
    /* FltpWorkItemLock */
    LIST_ENTRY Links;
    FLTP_WORKITEM_STATE State;
    FLTP_WORKITEM_HISTORY History;

    /* whoever set the state to queued, then the worker that set it back */
    WORK_QUEUE_ITEM QueueItem;
    PVOID FltObject;
    PVOID Context;
    PFLT_CALLBACK_DATA Data;
} FLTP_WORKITEM, *PFLTP_WORKITEM;

struct _FLT_GENERIC_WORKITEM {
    FLTP_WORKITEM Item;
};

struct _FLT_DEFERRED_IO_WORKITEM {
    FLTP_WORKITEM Item;
};

static KSPIN_LOCK FltpWorkItemLock;

/* FltpWorkItemLock */
static LIST_ENTRY FltpWorkItemTable[FLTP_WORKITEM_BUCKETS];
static FLTP_WORKITEM_HISTORY FltpFreedItems[FLTP_WORKITEM_FREED];
static ULONG FltpNextFreedItem;
/* and the work items' part of FltpCounters */

static PLIST_ENTRY FltpWorkItemBucket(_In_ PVOID Item)
{
    ULONG_PTR Address = (ULONG_PTR)Item;

    return &FltpWorkItemTable[((Address >> 4) ^ (Address >> 12)) % FLTP_WORKITEM_BUCKETS];
}

/* The item if it exists, NULL if not.  The address is not followed.  FltpWorkItemLock is held. */
static PFLTP_WORKITEM FltpFindWorkItemLocked(_In_ PVOID Address)
{
    PLIST_ENTRY Head = FltpWorkItemBucket(Address);

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        if (CONTAINING_RECORD(Entry, FLTP_WORKITEM, Links) == Address)
            return Address;
    }
    return NULL;
}

/* FltpWorkItemLock is held.  The latest item that was freed at this address. */
static const FLTP_WORKITEM_HISTORY *FltpFindFreedItemLocked(_In_ PVOID Address)
{
    for (ULONG Back = 1; Back <= FLTP_WORKITEM_FREED; Back++) {
        const FLTP_WORKITEM_HISTORY *Freed =
            &FltpFreedItems[(FltpNextFreedItem + FLTP_WORKITEM_FREED - Back) % FLTP_WORKITEM_FREED];
        if (Freed->Item == Address)
            return Freed;
    }
    return NULL;
}

static VOID FltpReportWorkItem(_In_ PCSTR Rule, _In_opt_ const FLTP_WORKITEM_HISTORY *History, _In_ PVOID Item,
                               _In_ PVOID Caller)
{
    CHAR Text[512];

    RtlStringCbPrintfA(Text, sizeof(Text), "rule=%s\nitem=%p (%s)\ncalled from=0x%p\n", Rule, Item,
                       !History                           ? "unknown"
                       : History->Kind == FltpGenericItem ? "generic work item"
                                                          : "deferred I/O work item",
                       Caller);
    if (History) {
        size_t Used = 0;
        RtlStringCbLengthA(Text, sizeof(Text), &Used);
        RtlStringCbPrintfA(Text + Used, sizeof(Text) - Used, "allocated by=0x%p\nqueued by=0x%p\nroutine=0x%p\nfreed by=0x%p\n",
                           History->Allocator, History->Queuer, History->Routine, History->Freer);
    }
    FvReport(Text);
}

/*
 * WORKER_INVALID: memory that should not hold a queued work item does, or an active one was queued.  Parameters: which of
 * our rules (1 freed while queued, 2 queued twice, 3 queued after free, 4 freed twice, 5 not a work item), the item,
 * its allocator, the caller.
 */
#define FLTP_RULE_FREED_QUEUED       1
#define FLTP_RULE_QUEUED_TWICE       2
#define FLTP_RULE_QUEUED_AFTER_FREE  3
#define FLTP_RULE_FREED_TWICE        4
#define FLTP_RULE_NOT_A_WORKITEM     5

static const PCSTR FltpWorkItemRules[] = {
    [FLTP_RULE_FREED_QUEUED] = "a work item was freed while it was queued",
    [FLTP_RULE_QUEUED_TWICE] = "a work item was queued while it was queued",
    [FLTP_RULE_QUEUED_AFTER_FREE] = "a work item was queued after it was freed",
    [FLTP_RULE_FREED_TWICE] = "a work item was freed twice",
    [FLTP_RULE_NOT_A_WORKITEM] = "the address is not that of a work item of this kind",
};

static DECLSPEC_NORETURN VOID FltpWorkItemViolation(_In_ ULONG Rule, _In_opt_ const FLTP_WORKITEM_HISTORY *History,
                                                    _In_ PVOID Item, _In_ PVOID Caller)
{
    FltpReportWorkItem(FltpWorkItemRules[Rule], History, Item, Caller);
    KeBugCheckEx(WORKER_INVALID, Rule, (ULONG_PTR)Item, History ? (ULONG_PTR)History->Allocator : 0, (ULONG_PTR)Caller);
}

/* The item of this kind at Address, idle; anything else is the end.  FltpWorkItemLock is held. */
static PFLTP_WORKITEM FltpDemandIdleItemLocked(_In_ PVOID Address, _In_ FLTP_WORKITEM_KIND Kind, _In_ PVOID Caller,
                                               _In_ ULONG RuleWhenQueued, _In_ ULONG RuleWhenFreed)
{
    PFLTP_WORKITEM Item = FltpFindWorkItemLocked(Address);

    if (!Item) {
        const FLTP_WORKITEM_HISTORY *Freed = FltpFindFreedItemLocked(Address);
        FltpWorkItemViolation(Freed ? RuleWhenFreed : FLTP_RULE_NOT_A_WORKITEM, Freed, Address, Caller);
    }
    if (Item->History.Kind != Kind)
        FltpWorkItemViolation(FLTP_RULE_NOT_A_WORKITEM, &Item->History, Address, Caller);
    if (Item->State == FltpItemQueued)
        FltpWorkItemViolation(RuleWhenQueued, &Item->History, Address, Caller);
    return Item;
}

static uint64_t *FltpAllocatedCounter(_In_ FLTP_WORKITEM_KIND Kind)
{
    return Kind == FltpGenericItem ? &FltpCounters.work_items_allocated : &FltpCounters.deferred_allocated;
}

static PFLTP_WORKITEM FltpAllocateWorkItem(_In_ FLTP_WORKITEM_KIND Kind, _In_ PVOID Caller)
{
    PFLTP_WORKITEM Item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Item), FLTP_TAG_WORKITEM);
    KIRQL OldIrql;

    if (!Item)
        return NULL;
    Item->History.Item = Item;
    Item->History.Kind = Kind;
    Item->History.Allocator = Caller;
    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    InsertHeadList(FltpWorkItemBucket(Item), &Item->Links);
    if (Kind == FltpGenericItem)
        FltpCounters.work_items_total++;
    ++*FltpAllocatedCounter(Kind);
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ALLOCATE, Item, Caller, 0, 0, 0);
    return Item;
}

static VOID FltpFreeWorkItem(_In_ PVOID Address, _In_ FLTP_WORKITEM_KIND Kind, _In_ PVOID Caller)
{
    PFLTP_WORKITEM Item;
    KIRQL OldIrql;

    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    Item = FltpDemandIdleItemLocked(Address, Kind, Caller, FLTP_RULE_FREED_QUEUED, FLTP_RULE_FREED_TWICE);
    Item->History.Freer = Caller;
    FltpFreedItems[FltpNextFreedItem] = Item->History;
    FltpNextFreedItem = (FltpNextFreedItem + 1) % FLTP_WORKITEM_FREED;
    RemoveEntryList(&Item->Links);
    --*FltpAllocatedCounter(Kind);
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_FREE, Item, Caller, 0, 0, 0);
    ExFreePoolWithTag(Item, FLTP_TAG_WORKITEM);
}

/* System worker thread, PASSIVE_LEVEL.  The routine may free the item or queue it again, so it is not touched after. */
static VOID NTAPI FltpRunWorkItem(_In_ PVOID Parameter)
{
    PFLTP_WORKITEM Item = Parameter;
    FLTP_WORKITEM_KIND Kind = Item->History.Kind;
    PVOID Routine, FltObject, Context;
    PFLT_CALLBACK_DATA Data;
    KIRQL OldIrql;

    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    Routine = Item->History.Routine;
    FltObject = Item->FltObject;
    Context = Item->Context;
    Data = Item->Data;
    Item->State = FltpItemIdle;
    FltpCounters.work_items_queued--;
    FltpCounters.work_items_running++;
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);

    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ENTER, Item, Routine, FltObject, 0, 0);
    if (Kind == FltpGenericItem)
        ((PFLT_GENERIC_WORKITEM_ROUTINE)Routine)((PFLT_GENERIC_WORKITEM)Item, FltObject, Context);
    else
        ((PFLT_DEFERRED_IO_WORKITEM_ROUTINE)Routine)((PFLT_DEFERRED_IO_WORKITEM)Item, Data, Context);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_LEAVE, Item, 0, 0, 0, 0);

    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    FltpCounters.work_items_running--;
    FltpCounters.work_items_run++;
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);
    FltObjectDereference(FltObject);
}

/* Checks the item first: an item that may not be queued is a mistake even when the object is going away. */
static NTSTATUS FltpQueueWorkItem(_In_ PVOID Address, _In_ FLTP_WORKITEM_KIND Kind, _In_ PVOID FltObject,
                                  _In_opt_ PFLT_CALLBACK_DATA Data, _In_ PVOID Routine, _In_ WORK_QUEUE_TYPE QueueType,
                                  _In_opt_ PVOID Context, _In_ PVOID Caller)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PFLTP_WORKITEM Item;
    KIRQL OldIrql;

    if (QueueType != CriticalWorkQueue && QueueType != DelayedWorkQueue)
        return STATUS_INVALID_PARAMETER; /* HyperCriticalWorkQueue is the system's */

    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    Item = FltpDemandIdleItemLocked(Address, Kind, Caller, FLTP_RULE_QUEUED_TWICE, FLTP_RULE_QUEUED_AFTER_FREE);
    Status = FltObjectReference(FltObject);
    if (NT_SUCCESS(Status)) {
        Item->State = FltpItemQueued;
        Item->History.Queuer = Caller;
        Item->History.Routine = Routine;
        Item->FltObject = FltObject;
        Item->Context = Context;
        Item->Data = Data;
        FltpCounters.work_items_queued++;
    }
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);
    if (!NT_SUCCESS(Status))
        return Status;

    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_QUEUE, Item, Routine, QueueType, FltObject, 0);
    ExInitializeWorkItem(&Item->QueueItem, FltpRunWorkItem, Item);
    ExQueueWorkItem(&Item->QueueItem, QueueType);
    return STATUS_SUCCESS;
}

VOID FltpInitializeWorkItems(VOID)
{
    KeInitializeSpinLock(&FltpWorkItemLock);
    for (ULONG Bucket = 0; Bucket < FLTP_WORKITEM_BUCKETS; Bucket++)
        InitializeListHead(&FltpWorkItemTable[Bucket]);
}

/*
 * At a filter's unload, its queued items having run.  DRIVER_VERIFIER_DETECTED_VIOLATION 0x62: a driver unloads without
 * having freed what it allocated.  An item is the filter's if code of its image allocated it.
 */
VOID FltpCheckWorkItemsAtUnload(_In_ PFLT_FILTER Filter)
{
    ULONG_PTR Start = (ULONG_PTR)Filter->Driver->DriverStart;
    FLTP_WORKITEM_HISTORY Left = {0};
    ULONG Count = 0;
    CHAR Rule[160];
    KIRQL OldIrql;

    KeAcquireSpinLock(&FltpWorkItemLock, &OldIrql);
    for (ULONG Bucket = 0; Bucket < FLTP_WORKITEM_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &FltpWorkItemTable[Bucket];
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PFLTP_WORKITEM Item = CONTAINING_RECORD(Entry, FLTP_WORKITEM, Links);
            if ((ULONG_PTR)Item->History.Allocator - Start < Filter->Driver->DriverSize) {
                Left = Item->History;
                Count++;
            }
        }
    }
    KeReleaseSpinLock(&FltpWorkItemLock, OldIrql);
    if (Count == 0 || !FltpVerify)
        return;
    RtlStringCbPrintfA(Rule, sizeof(Rule), "%wZ unloads and leaves %lu work item%s allocated", &Filter->Name, Count,
                       Count == 1 ? "" : "s");
    FltpReportWorkItem(Rule, &Left, Left.Item, Left.Allocator);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, Start, (ULONG_PTR)Left.Allocator, Count);
}

PFLT_GENERIC_WORKITEM FLTAPI FltAllocateGenericWorkItem(VOID)
{
    return (PFLT_GENERIC_WORKITEM)FltpAllocateWorkItem(FltpGenericItem, _ReturnAddress());
}

VOID FLTAPI FltFreeGenericWorkItem(_In_ PFLT_GENERIC_WORKITEM FltWorkItem)
{
    FltpFreeWorkItem(FltWorkItem, FltpGenericItem, _ReturnAddress());
}

NTSTATUS FLTAPI FltQueueGenericWorkItem(_In_ PFLT_GENERIC_WORKITEM FltWorkItem, _In_ PVOID FltObject,
                                        _In_ PFLT_GENERIC_WORKITEM_ROUTINE WorkerRoutine, _In_ WORK_QUEUE_TYPE QueueType,
                                        _In_opt_ PVOID Context)
{
    return FltpQueueWorkItem(FltWorkItem, FltpGenericItem, FltObject, NULL, WorkerRoutine, QueueType, Context,
                             _ReturnAddress());
}

PFLT_DEFERRED_IO_WORKITEM FLTAPI FltAllocateDeferredIoWorkItem(VOID)
{
    return (PFLT_DEFERRED_IO_WORKITEM)FltpAllocateWorkItem(FltpDeferredItem, _ReturnAddress());
}

VOID FLTAPI FltFreeDeferredIoWorkItem(_In_ PFLT_DEFERRED_IO_WORKITEM FltWorkItem)
{
    FltpFreeWorkItem(FltWorkItem, FltpDeferredItem, _ReturnAddress());
}

/*
 * Refused when the worker could deadlock: paging I/O, and I/O of a thread that has entered a file system already.
 * Only IRP-based operations can wait for a worker.
 */
NTSTATUS FLTAPI FltQueueDeferredIoWorkItem(_In_ PFLT_DEFERRED_IO_WORKITEM FltWorkItem, _In_ PFLT_CALLBACK_DATA Data,
                                           _In_ PFLT_DEFERRED_IO_WORKITEM_ROUTINE WorkerRoutine,
                                           _In_ WORK_QUEUE_TYPE QueueType, _In_ PVOID Context)
{
    if (!FLT_IS_IRP_OPERATION(Data) || (Data->Iopb->IrpFlags & (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO)) ||
        IoGetTopLevelIrp() != NULL)
        return STATUS_FLT_NOT_SAFE_TO_POST_OPERATION;
    return FltpQueueWorkItem(FltWorkItem, FltpDeferredItem, Data->Iopb->TargetInstance, Data, WorkerRoutine, QueueType,
                             Context, _ReturnAddress());
}
