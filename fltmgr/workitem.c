/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workitem.c: generic work items: work that belongs to no operation, done at PASSIVE_LEVEL in a system
 * thread.
 *
 * Queued work holds the filter or instance it was queued for, until its routine has returned: teardown and
 * unload wait for it.  An item is the filter's: it may be freed or queued again from its own routine, which
 * is why nothing here touches it once the routine has begun.
 *
 * With the verifier on, the calls that allocated, queued and freed an item are kept in it, and a freed item
 * rests in a list before its memory is used again, so that using it late is found and told by both calls.
 */
#include "fltmgrp.h"
#include <ntstrsafe.h>

#define FLTP_RESTING_ITEMS 64 /* verifier: freed items that are kept as they are */

typedef enum _FLTP_ITEM_STATE { FltpItemIdle, FltpItemQueued, FltpItemFree } FLTP_ITEM_STATE;

typedef struct _FLT_GENERIC_WORKITEM {
    ULONG Magic;
    volatile LONG State;
    WORK_QUEUE_ITEM Item;
    PFLT_GENERIC_WORKITEM_ROUTINE Routine;
    PFLTP_OBJECT FltObject;
    PVOID Context;
    WORK_QUEUE_TYPE Queue;
    PVOID Owner;     /* return address of the call that allocated it */
    LIST_ENTRY Link; /* FltpLiveItems or FltpFreeItems, FltpItemLock */
    PVOID AllocatedBy[FLTP_STACK_DEPTH], QueuedBy[FLTP_STACK_DEPTH], FreedBy[FLTP_STACK_DEPTH];
} FLT_GENERIC_WORKITEM;

static KSPIN_LOCK FltpItemLock;
LIST_ENTRY FltpLiveItems;        /* named so for gdb */
static LIST_ENTRY FltpFreeItems; /* oldest first */
static ULONG FltpFreeItemCount;

VOID FltpInitializeWorkItems(VOID)
{
    KeInitializeSpinLock(&FltpItemLock);
    InitializeListHead(&FltpLiveItems);
    InitializeListHead(&FltpFreeItems);
}

static VOID FltpReportItem(PFLT_GENERIC_WORKITEM Item, PCSTR Rule)
{
    CHAR Text[256];

    RtlStringCbPrintfA(Text, sizeof(Text), "rule=%s\nitem=0x%p\n", Rule, Item);
    FvReport(Text);
    if (Item->Routine != NULL) {
        RtlStringCbPrintfA(Text, sizeof(Text), "routine=0x%p\n", Item->Routine);
        FvReport(Text);
    }
    FltpReportStack("allocated", Item->AllocatedBy);
    FltpReportStack("queued", Item->QueuedBy);
    FltpReportStack("freed", Item->FreedBy);
}

/* Magic tells an item that was freed from something that never was one. */
static VOID FltpCheckItem(PFLT_GENERIC_WORKITEM Item, PCSTR WhenFreed)
{
    if (Item != NULL && Item->Magic == FLTP_MAGIC_WORKITEM)
        return;
    if (Item != NULL && Item->Magic == FLTP_MAGIC_FREE) {
        FltpReportItem(Item, WhenFreed);
        KeBugCheckEx(WORKER_INVALID, 0, (ULONG_PTR)Item, (ULONG_PTR)Item, (ULONG_PTR)(Item + 1));
    }
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_WORK_ITEM, (ULONG_PTR)Item, 0, 0,
                  "rule=That is no generic work item\n");
}

/* IRQL: <= DISPATCH_LEVEL. */
static PFLT_GENERIC_WORKITEM FltpTakeFreeItem(VOID)
{
    PFLT_GENERIC_WORKITEM Item = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);

    if (FltpFreeItemCount > (FltpVerify ? FLTP_RESTING_ITEMS : 0)) {
        Item = CONTAINING_RECORD(RemoveHeadList(&FltpFreeItems), FLT_GENERIC_WORKITEM, Link);
        FltpFreeItemCount--;
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
    return Item;
}

DECLSPEC_NOINLINE PFLT_GENERIC_WORKITEM FLTAPI FltAllocateGenericWorkItem(VOID)
{
    PFLT_GENERIC_WORKITEM Item = FltpTakeFreeItem();
    KIRQL Irql;

    if (Item == NULL) {
        Item = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Item), FLTP_TAG_WORKITEM);
        if (Item == NULL)
            return NULL;
    }
    Item->Magic = FLTP_MAGIC_WORKITEM;
    Item->State = FltpItemIdle;
    Item->Routine = NULL;
    Item->FltObject = NULL;
    Item->Owner = __builtin_return_address(0);
    Item->AllocatedBy[0] = Item->QueuedBy[0] = Item->FreedBy[0] = NULL;
    if (FltpVerify)
        FltpCaptureStack(1, Item->AllocatedBy);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    InsertTailList(&FltpLiveItems, &Item->Link);
    FltpCounters.work_items_allocated++;
    FltpCounters.work_items_total++;
    KeReleaseSpinLock(&FltpItemLock, Irql);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ALLOCATE, Item, Item->Owner, 0, 0, 0);
    return Item;
}

DECLSPEC_NOINLINE VOID FLTAPI FltFreeGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem)
{
    PFLT_GENERIC_WORKITEM Item = FltWorkItem;
    KIRQL Irql;

    FltpCheckItem(Item, "A generic work item was freed twice");
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_FREE, Item, __builtin_return_address(0), 0, 0, 0);
    if (FltpVerify)
        FltpCaptureStack(1, Item->FreedBy);
    if (InterlockedExchange(&Item->State, FltpItemFree) == FltpItemQueued) {
        FltpReportItem(Item, "A generic work item was freed while it was queued");
        KeBugCheckEx(WORKER_INVALID, 2, (ULONG_PTR)Item, (ULONG_PTR)Item->Routine, 0);
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    RemoveEntryList(&Item->Link);
    Item->Magic = FLTP_MAGIC_FREE;
    FltpCounters.work_items_allocated--;
    if (FltpFreeItemCount < 2 * FLTP_RESTING_ITEMS) {
        InsertTailList(&FltpFreeItems, &Item->Link);
        FltpFreeItemCount++;
        Item = NULL;
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
    if (Item != NULL)
        ExFreePoolWithTag(Item, FLTP_TAG_WORKITEM);
}

static VOID NTAPI FltpGenericWorker(PVOID Parameter)
{
    PFLT_GENERIC_WORKITEM Item = Parameter;
    PFLT_GENERIC_WORKITEM_ROUTINE Routine = Item->Routine;
    PFLTP_OBJECT Object = Item->FltObject;
    PVOID Context = Item->Context;

    InterlockedDecrement64((LONG64 *)&FltpCounters.work_items_queued);
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_running);
    InterlockedExchange(&Item->State,
                        FltpItemIdle); /* from here on the routine may free it or queue it again */
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ENTER, Item, Routine, Object, 0, 0);
    Routine(Item, Object, Context);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_LEAVE, Item, 0, 0, 0, 0);
    InterlockedDecrement64((LONG64 *)&FltpCounters.work_items_running);
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_run);
    if (FltpVerify && (KeGetCurrentIrql() != PASSIVE_LEVEL))
        FltpViolation(0xE1 /* WORKER_THREAD_RETURNED_AT_BAD_IRQL */, (ULONG_PTR)Routine, KeGetCurrentIrql(),
                      (ULONG_PTR)Item, (ULONG_PTR)Item,
                      "rule=A work item's routine returned at a raised IRQL\n");
    FltpReleaseRundown(&Object->Rundown);
}

static VOID FltpCheckQueueArguments(PFLT_GENERIC_WORKITEM Item, PFLTP_OBJECT Object, WORK_QUEUE_TYPE Queue)
{
    if (Object == NULL || (Object->Magic != FLTP_MAGIC_FILTER && Object->Magic != FLTP_MAGIC_INSTANCE)) {
        FltpReportItem(Item,
                       "A generic work item was queued for something that is neither filter nor instance");
        KeBugCheckEx(WORKER_INVALID, 3, (ULONG_PTR)Item, (ULONG_PTR)Object, 0);
    }
    if (Queue != CriticalWorkQueue && Queue != DelayedWorkQueue && FltpVerify) {
        FltpReportItem(Item, "A generic work item was queued to a queue that is reserved for the system");
        KeBugCheckEx(FLTMGR_FILE_SYSTEM, FLTP_BAD_QUEUE_TYPE, (ULONG_PTR)Item, Queue, 0);
    }
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltQueueGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
                                                          PFLT_GENERIC_WORKITEM_ROUTINE WorkerRoutine,
                                                          WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    PFLT_GENERIC_WORKITEM Item = FltWorkItem;
    PFLTP_OBJECT Object = FltObject;
    LONG Old;

    FltpCheckItem(Item, "A generic work item was queued after it was freed");
    FltpCheckQueueArguments(Item, Object, QueueType);
    if (QueueType != CriticalWorkQueue && QueueType != DelayedWorkQueue)
        return STATUS_INVALID_PARAMETER;
    if (!FltpAcquireRundown(&Object->Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    Old = InterlockedCompareExchange(&Item->State, FltpItemQueued, FltpItemIdle);
    if (Old != FltpItemIdle) {
        FltpReportItem(Item, "A generic work item was queued while it was queued");
        FltpCaptureStack(0, Item->FreedBy);
        FltpReportStack("again", Item->FreedBy);
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)Item, QueueType, 0);
    }
    Item->Routine = WorkerRoutine;
    Item->FltObject = Object;
    Item->Context = Context;
    Item->Queue = QueueType;
    if (FltpVerify)
        FltpCaptureStack(1, Item->QueuedBy);
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_queued);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_QUEUE, Item, WorkerRoutine, QueueType, Object, 0);
    ExInitializeWorkItem(&Item->Item, FltpGenericWorker, Item);
    ExQueueWorkItem(&Item->Item, QueueType);
    return STATUS_SUCCESS;
}

/* The driver is about to go: an item that code of its allocated and that still exists was forgotten. */
VOID FltpCheckWorkItemsAtUnload(PDRIVER_OBJECT Driver)
{
    PUCHAR Start = Driver->DriverStart, End = Start + Driver->DriverSize;
    PFLT_GENERIC_WORKITEM Leaked = NULL;
    ULONG Count = 0;
    KIRQL Irql;

    if (!FltpVerify)
        return;
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpItemLock);
    for (PLIST_ENTRY Link = FltpLiveItems.Flink; Link != &FltpLiveItems; Link = Link->Flink) {
        PFLT_GENERIC_WORKITEM Item = CONTAINING_RECORD(Link, FLT_GENERIC_WORKITEM, Link);

        if ((PUCHAR)Item->Owner >= Start && (PUCHAR)Item->Owner < End) {
            Leaked = Item;
            Count++;
        }
    }
    KeReleaseSpinLock(&FltpItemLock, Irql);
    if (Count != 0) {
        FltpReportItem(Leaked, "A filter was unloaded with generic work items that it never freed");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, (ULONG_PTR)&Driver->DriverName,
                     (ULONG_PTR)Leaked, Count);
    }
}
