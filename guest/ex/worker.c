/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System worker threads.
 *
 * Each queue is a KQUEUE with a few threads.  Of those at most as many run as there are processors; one that
 * waits makes room for another.  When all of a queue's threads wait and entries are left, the balancer adds a
 * thread, up to a bound, so that one blocked routine does not stop the rest.  Added threads stay.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <trace.h>
#include <hal.h>
#include <ke.h>
#include <ex.h>

#define EXP_FIRST_THREADS 3
#define EXP_MOST_THREADS  16

/* HyperCriticalWorkQueue is reserved for the system: items that reclaim what others wait for. */
typedef struct _EXP_WORK_QUEUE {
    KQUEUE Queue;
    volatile LONG Threads; /* written by start-up and the balancer only */
    KPRIORITY Priority;
    PCSTR Name;
} EXP_WORK_QUEUE, *PEXP_WORK_QUEUE;

/* Documented: critical ones have real-time priority, delayed ones a variable one. */
static EXP_WORK_QUEUE ExpWorkQueues[] = {
    [CriticalWorkQueue] = {.Priority = 16, .Name = "worker/critical"},
    [DelayedWorkQueue] = {.Priority = 12, .Name = "worker/delayed"},
    [HyperCriticalWorkQueue] = {.Priority = 18, .Name = "worker/hypercrit"},
};

/* Set when an item is queued and no thread was there to take it. */
static KEVENT ExpBalanceEvent;
static BOOLEAN ExpWorkersStarted;

static VOID NTAPI ExpWorkerThread(PVOID Context)
{
    PEXP_WORK_QUEUE Queue = Context;

    KeSetThreadName((PKTHREAD)KeGetCurrentThread(), Queue->Name);
    KeSetPriorityThread(KeGetCurrentThread(), Queue->Priority);
    for (;;) {
        PLIST_ENTRY Entry = KeRemoveQueue(&Queue->Queue, KernelMode, NULL);
        PWORK_QUEUE_ITEM Item = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
        /* The routine may free the item or queue it again: from here on it is not ours. */
        WORK_QUEUE_ITEM Copy = *Item;
        FV_CALL Call;

        FV_TRACE(FLTVM_TRACE_WORKITEM_ENTER, Item, Copy.WorkerRoutine, Queue - ExpWorkQueues, 0, 0);
        FvBeginCall(&Call);
        Call.Context = (ULONG_PTR)Copy.Parameter;
        Copy.WorkerRoutine(Copy.Parameter);
        FvEndCall(&Call, (PVOID)Copy.WorkerRoutine, "work routine", (ULONG_PTR)Item);
        FV_TRACE(FLTVM_TRACE_WORKITEM_LEAVE, Item, 0, 0, 0, 0);
    }
}

static NTSTATUS ExpAddWorker(PEXP_WORK_QUEUE Queue)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ExpWorkerThread, Queue);

    if (!NT_SUCCESS(Status))
        return Status;
    ZwClose(Handle);
    Queue->Threads++;
    return STATUS_SUCCESS;
}

/* Entries are left, and every thread of the queue waits for something else. */
static BOOLEAN ExpQueueIsStuck(PEXP_WORK_QUEUE Queue)
{
    return KeReadStateQueue(&Queue->Queue) > 0 && KeQueueActiveThreads(&Queue->Queue) == 0;
}

static VOID NTAPI ExpBalancer(PVOID Context)
{
    KeSetThreadName((PKTHREAD)KeGetCurrentThread(), "worker/balancer");
    KeSetPriorityThread(KeGetCurrentThread(), 20);
    for (;;) {
        LARGE_INTEGER Tick = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};
        BOOLEAN Waiting = FALSE;

        KeWaitForSingleObject(&ExpBalanceEvent, Executive, KernelMode, FALSE, NULL);
        do {
            Waiting = FALSE;
            for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues); Index++) {
                PEXP_WORK_QUEUE Queue = &ExpWorkQueues[Index];
                if (ExpQueueIsStuck(Queue) && Queue->Threads < EXP_MOST_THREADS)
                    ExpAddWorker(Queue);
                /* Threads that run now may wait later: look again while anything is left. */
                Waiting = Waiting ||
                          (KeReadStateQueue(&Queue->Queue) > 0 && Queue->Threads < EXP_MOST_THREADS);
            }
            if (Waiting)
                KeDelayExecutionThread(KernelMode, FALSE, &Tick);
        } while (Waiting);
    }
}

NTSTATUS ExInitWorkerThreads(VOID)
{
    HANDLE Handle;
    NTSTATUS Status;

    KeInitializeEvent(&ExpBalanceEvent, SynchronizationEvent, FALSE);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues); Index++) {
        ULONG Threads = Index == HyperCriticalWorkQueue ? 1 : EXP_FIRST_THREADS;

        KeInitializeQueue(&ExpWorkQueues[Index].Queue, 0);
        for (ULONG Number = 0; Number < Threads; Number++) {
            Status = ExpAddWorker(&ExpWorkQueues[Index]);
            if (!NT_SUCCESS(Status))
                return Status;
        }
    }
    Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ExpBalancer, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    ZwClose(Handle);
    ExpWorkersStarted = TRUE;
    return STATUS_SUCCESS;
}

VOID ExQueryWorkQueue(WORK_QUEUE_TYPE Type, PULONG Threads, PULONG Depth)
{
    *Threads = (ULONG)ExpWorkQueues[Type].Threads;
    *Depth = (ULONG)KeReadStateQueue(&ExpWorkQueues[Type].Queue);
}

VOID ExCheckWorkItemsInRange(PVOID Base, SIZE_T Bytes)
{
    ULONG_PTR Start = (ULONG_PTR)Base, Found = 0;
    KIRQL OldIrql;

    if (!ExpWorkersStarted || !FvVerifierEnabled())
        return;
    OldIrql = KiLockDispatcher();
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues) && Found == 0; Index++) {
        PLIST_ENTRY Head = &ExpWorkQueues[Index].Queue.EntryListHead;
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            ULONG_PTR Item = (ULONG_PTR)CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
            if (Item + sizeof(WORK_QUEUE_ITEM) > Start && Item < Start + Bytes)
                Found = Item;
        }
    }
    KiUnlockDispatcher(OldIrql);
    if (Found != 0)
        KeBugCheckEx(WORKER_INVALID, 0, Found, Start, Start + Bytes);
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    KIRQL Irql = KeGetCurrentIrql();
    PEXP_WORK_QUEUE Queue;

    if (Irql > DISPATCH_LEVEL && FvVerifierEnabled())
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)WorkItem, Irql, 1, (ULONG_PTR)_ReturnAddress());
    /* The other types of the enumeration are the system's; what asks for them gets the delayed queue. */
    if ((ULONG)QueueType >= RTL_NUMBER_OF(ExpWorkQueues))
        QueueType = DelayedWorkQueue;
    Queue = &ExpWorkQueues[QueueType];
    if (WorkItem->List.Flink != NULL)
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)WorkItem, (ULONG_PTR)QueueType, 0);
    FV_TRACE(FLTVM_TRACE_WORKITEM_QUEUE, WorkItem, WorkItem->WorkerRoutine, QueueType, 0, 0);
    KeInsertQueue(&Queue->Queue, &WorkItem->List);
    if (KeReadStateQueue(&Queue->Queue) > 0)
        KeSetEvent(&ExpBalanceEvent, IO_NO_INCREMENT, FALSE);
}
