/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue: KQUEUE, entries served by a bounded number of running threads.  A thread belongs to the queue it
 * last removed from; while it waits for something else it does not count, so another may take its place.  A
 * queue that was run down (Header.Abandoned) gives STATUS_ABANDONED to all who wait for its entries, then and later.
 *
 * Rules for queues
 *  - Entries are inserted at IRQL <= DISPATCH_LEVEL, removed by a wait; an entry is in one queue at a time.
 *  - Who began to wait last is served first; entries are first in, first out but for KeInsertHeadQueue.
 *  - No more than MaximumCount threads of the queue run at once, unless one that runs waits for something else.
 *  - KeRundownQueue hands back what is left, once nobody inserts any more; the memory is its maker's.
 */
#include "kep.h"

static PKEVENT KiQueueEvent; /* KeWatchQueue's */

VOID NTAPI KeInitializeQueue(PRKQUEUE Queue, ULONG Count)
{
    RtlZeroMemory(Queue, sizeof(*Queue));
    Queue->Header.Type = QueueObject;
    Queue->Header.Size = sizeof(KQUEUE) / sizeof(LONG);
    InitializeListHead(&Queue->Header.WaitListHead);
    InitializeListHead(&Queue->EntryListHead);
    InitializeListHead(&Queue->ThreadListHead);
    Queue->MaximumCount = Count != 0 ? Count : KiProcessorCount;
}

/* Gives Entry to the thread that began to wait last (its stack is warm).  FALSE when none may take it. */
static BOOLEAN KiGiveEntry(PKQUEUE Queue, PLIST_ENTRY Entry)
{
    PKTHREAD Thread;

    if (IsListEmpty(&Queue->Header.WaitListHead) || Queue->CurrentCount >= Queue->MaximumCount) {
        return FALSE;
    }
    Thread = CONTAINING_RECORD(Queue->Header.WaitListHead.Blink, KWAIT_BLOCK, WaitListEntry)->Thread;
    Entry->Flink = NULL;
    KiUnwaitThread(Thread, (LONG64)Entry, 0);
    return TRUE;
}

/* An entry is left that no thread waits for; tells whoever watches the queue if it could run.  The lock. */
static VOID KiTellOfEntry(PKQUEUE Queue)
{
    if (Queue->Header.Inserted && Queue->CurrentCount < Queue->MaximumCount) {
        KiQueueEvent->Header.SignalState = 1;
        if (!IsListEmpty(&KiQueueEvent->Header.WaitListHead)) {
            KiWaitTest(KiQueueEvent, 0);
        }
    }
}

FORCEINLINE LONG KiInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry, BOOLEAN AtHead, PVOID Caller)
{
    KIRQL OldIrql;
    LONG Old;

    OldIrql = (KIRQL)__readcr8();
    if (OldIrql < DISPATCH_LEVEL) {
        __writecr8(DISPATCH_LEVEL);
    } else {
        KiVerify(OldIrql == DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Queue, OldIrql, 1, (ULONG_PTR)Caller);
    }
    KiAcquireSpinLock(&KiDispatcherLock);
    Old = Queue->Header.SignalState;
    if (!KiGiveEntry(Queue, Entry)) {
        Queue->Header.SignalState++;
        if (AtHead) {
            InsertHeadList(&Queue->EntryListHead, Entry);
        } else {
            InsertTailList(&Queue->EntryListHead, Entry);
        }
        KiTellOfEntry(Queue);
    }
    KiUnlockDispatcher(OldIrql);
    return Old;
}

LONG NTAPI KeInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    return KiInsertQueue(Queue, Entry, FALSE, _ReturnAddress());
}

LONG NTAPI KeInsertHeadQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    return KiInsertQueue(Queue, Entry, TRUE, _ReturnAddress());
}

/* A thread of the queue has stopped running: somebody else may serve the next entry.  The lock. */
VOID KiQueueThreadBlocks(PKQUEUE Queue)
{
    if (!IsListEmpty(&Queue->EntryListHead)) {
        PLIST_ENTRY Entry = Queue->EntryListHead.Flink;

        if (!IsListEmpty(&Queue->Header.WaitListHead) && Queue->CurrentCount < Queue->MaximumCount) {
            RemoveEntryList(Entry);
            Queue->Header.SignalState--;
            KiGiveEntry(Queue, Entry);
        } else {
            KiTellOfEntry(Queue);
        }
    }
}

PLIST_ENTRY KeRemoveQueueAlertable(PKQUEUE Queue, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PKWAIT_BLOCK Block = &Thread->WaitBlock[0];
    PKQUEUE OldQueue;
    ULONG64 DueTime = 0;
    PLIST_ENTRY Entry;
    KIRQL WaitIrql;

    KiCheckWait(Queue, Timeout);
    if (Timeout != NULL && Timeout->QuadPart != 0) {
        DueTime = KiDueTime(*Timeout);
    }
    WaitIrql = KiBeginWait(Thread);
    if (Queue->Header.Abandoned) {
        KiUnlockDispatcher(WaitIrql);
        return (PLIST_ENTRY)(LONG_PTR)STATUS_ABANDONED;
    }
    OldQueue = Thread->Queue;
    if (OldQueue != Queue) {
        if (OldQueue != NULL) {
            RemoveEntryList(&Thread->QueueListEntry);
            OldQueue->CurrentCount--;
            KiQueueThreadBlocks(OldQueue);
        }
        Thread->Queue = Queue;
        InsertTailList(&Queue->ThreadListHead, &Thread->QueueListEntry);
    } else {
        Queue->CurrentCount--;
    }
    /* From here the thread does not count. */
    for (;;) {
        NTSTATUS Status;
        LONG64 Result;

        if (Queue->Header.Abandoned) { /* while an APC had interrupted the wait */
            Entry = (PLIST_ENTRY)(LONG_PTR)STATUS_ABANDONED;
            break;
        }
        if (!IsListEmpty(&Queue->EntryListHead) && Queue->CurrentCount < Queue->MaximumCount) {
            Entry = RemoveHeadList(&Queue->EntryListHead);
            Queue->Header.SignalState--;
            Queue->CurrentCount++;
            Entry->Flink = NULL;
            break;
        }
        if (WaitIrql < APC_LEVEL && KiApcDeliverable(Thread)) {
            Queue->CurrentCount++;
            KiApcBeforeWait(Thread, WaitIrql);
            (VOID) KiAcquireDispatcher();
            Queue->CurrentCount--;
            continue;
        }
        Status = KiTestWaitAlert(Thread, Alertable, WaitMode);
        if (Status == STATUS_SUCCESS && Timeout != NULL && (DueTime == 0 || DueTime <= KiQueryInterruptTime())) {
            Status = STATUS_TIMEOUT;
        }
        if (Status != STATUS_SUCCESS) {
            Queue->CurrentCount++;
            Entry = (PLIST_ENTRY)(LONG_PTR)Status;
            break;
        }
        KiCheckBlock(Thread, WaitIrql);
        Block->Object = Queue;
        Block->Thread = Thread;
        Block->WaitKey = 0;
        Block->WaitType = WaitAny;
        Block->NextWaitBlock = Block;
        InsertTailList(&Queue->Header.WaitListHead, &Block->WaitListEntry);
        Thread->WaitBlockList = Block;
        if (DueTime != 0) {
            KiLinkTimeout(Thread, Block, Block, DueTime);
        }
        Thread->WaitReason = WrQueue;
        Thread->WaitMode = (UCHAR)WaitMode;
        Thread->Alertable = Alertable;
        Thread->WaitIrql = WaitIrql;
        Thread->State = Waiting;
        KiSwapThread(Thread);
        /* KiUnwaitThread counted the thread again. */
        Result = Thread->WaitStatus;
        if (Result != KI_STATUS_KERNEL_APC) {
            KiReleaseSpinLock(&KiDispatcherLock);
            KiCheckApcAfterEnable(Thread);
            __writecr8(WaitIrql);
            return (PLIST_ENTRY)Result;
        }
        if (KiApcBeforeWait(Thread, WaitIrql)) {
            (VOID) KiAcquireDispatcher();
        }
        Queue->CurrentCount--;
    }
    KiUnlockDispatcher(WaitIrql);
    return Entry;
}

PLIST_ENTRY NTAPI KeRemoveQueue(PRKQUEUE Queue, KPROCESSOR_MODE WaitMode, PLARGE_INTEGER Timeout)
{
    return KeRemoveQueueAlertable(Queue, WaitMode, FALSE, Timeout);
}

LONG NTAPI KeReadStateQueue(PRKQUEUE Queue)
{
    return Queue->Header.SignalState;
}

/* Sends away who waits, detaches all threads and returns the entries left, as a list without head. */
PLIST_ENTRY NTAPI KeRundownQueue(PRKQUEUE Queue)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    PLIST_ENTRY First = NULL;

    Queue->Header.Abandoned = TRUE;
    while (!IsListEmpty(&Queue->Header.WaitListHead)) {
        PKWAIT_BLOCK Block = CONTAINING_RECORD(Queue->Header.WaitListHead.Flink, KWAIT_BLOCK, WaitListEntry);

        KiUnwaitThread(Block->Thread, STATUS_ABANDONED, 0);
    }
    if (!IsListEmpty(&Queue->EntryListHead)) {
        First = Queue->EntryListHead.Flink;
        RemoveEntryList(&Queue->EntryListHead);
        InitializeListHead(&Queue->EntryListHead);
        Queue->Header.SignalState = 0;
    }
    while (!IsListEmpty(&Queue->ThreadListHead)) {
        PKTHREAD Thread = CONTAINING_RECORD(RemoveHeadList(&Queue->ThreadListHead), KTHREAD, QueueListEntry);

        Thread->Queue = NULL;
    }
    Queue->CurrentCount = 0;
    KiUnlockDispatcher(OldIrql);
    return First;
}

VOID KeWatchQueue(PKQUEUE Queue, PKEVENT Event)
{
    KiQueueEvent = Event;
    Queue->Header.Inserted = 1; /* watched */
}

ULONG KeQueueActiveThreads(PKQUEUE Queue)
{
    return Queue->CurrentCount;
}

ULONG KeQueueBusyThreads(PKQUEUE Queue)
{
    KIRQL OldIrql = KiLockDispatcher();
    ULONG Busy = 0;

    for (PLIST_ENTRY Entry = Queue->ThreadListHead.Flink; Entry != &Queue->ThreadListHead; Entry = Entry->Flink) {
        Busy++;
    }
    for (PLIST_ENTRY Entry = Queue->Header.WaitListHead.Flink; Entry != &Queue->Header.WaitListHead;
         Entry = Entry->Flink) {
        Busy--;
    }
    KiUnlockDispatcher(OldIrql);
    return Busy;
}
