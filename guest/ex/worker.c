// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System worker threads.
 *
 * A queue for each priority that work may have, a KQUEUE with a few threads or none.  Of a queue's threads at most as
 * many run as there are processors; one that waits makes room for another.  When an entry is left that could run now,
 * because all who run are fewer than that, the balancer adds a thread, up to a bound that is reported.  The dispatcher
 * tells it of such queues, so a routine that blocks never lets another wait for longer than a thread takes to begin.
 * Added threads stay.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <trace.h>
#include <rtl.h>
#include <ke.h>
#include <ex.h>

#define EXP_FIRST_THREADS 3
#define EXP_MOST_THREADS  256 /* of a queue */
#define EXP_BALANCER      20  /* its priority: above all but what is most urgent */

typedef struct _EXP_WORK_QUEUE {
    KQUEUE Queue;
    ULONG Threads; /* start-up and the balancer only, as Told */
    BOOLEAN Told;  /* that it has no more threads to give */
    volatile LONG Starting;
    KPRIORITY Priority;
    ULONG Type; /* the first WORK_QUEUE_TYPE that comes here: for traces */
    CHAR Name[24];
} EXP_WORK_QUEUE, *PEXP_WORK_QUEUE;

static EXP_WORK_QUEUE ExpWorkQueues[MAXIMUM_PRIORITY];                             /* by priority */
static PEXP_WORK_QUEUE ExpQueueOfType[CustomPriorityWorkQueue + MAXIMUM_PRIORITY]; /* by type; NULL: no such type */

/* Documented with WORK_QUEUE_TYPE.  What is not among the first three has no threads until it is used. */
static const struct {
    UCHAR Priority;
    PCSTR Name;
    ULONG Threads;
} ExpTypes[] = {
    [CriticalWorkQueue] = {13, "worker/critical", EXP_FIRST_THREADS},
    [DelayedWorkQueue] = {12, "worker/delayed", EXP_FIRST_THREADS},
    [HyperCriticalWorkQueue] = {15, "worker/hypercrit", 1},
    [NormalWorkQueue] = {8, "worker/normal", 0},
    [BackgroundWorkQueue] = {7, "worker/background", 0},
    [RealTimeWorkQueue] = {18, "worker/realtime", 0},
    [SuperCriticalWorkQueue] = {14, "worker/supercrit", 0},
};

static KEVENT ExpBalanceEvent; /* set by the dispatcher when a queue needs a thread */
static BOOLEAN ExpWorkersStarted;
static EX_CREATE_THREAD *ExpCreateThread;

static VOID NTAPI ExpWorkerThread(PVOID Context)
{
    PEXP_WORK_QUEUE Queue = Context;

    InterlockedDecrement(&Queue->Starting);
    for (;;) {
        PLIST_ENTRY Entry = KeRemoveQueue(&Queue->Queue, KernelMode, NULL);
        PWORK_QUEUE_ITEM Item = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);
        /* The routine may free the item or queue it again: from here on it is not ours. */
        WORK_QUEUE_ITEM Copy = *Item;
        FV_CALL Call;

        FV_TRACE(FLTVM_TRACE_WORKITEM_ENTER, Item, Copy.WorkerRoutine, Queue->Type, 0, 0);
        FvBeginCall(&Call);
        Call.Context = (ULONG_PTR)Copy.Parameter;
        Copy.WorkerRoutine(Copy.Parameter);
        FvEndCall(&Call, (PVOID)Copy.WorkerRoutine, "work routine", (ULONG_PTR)Item);
        FV_TRACE(FLTVM_TRACE_WORKITEM_LEAVE, Item, 0, 0, 0, 0);
    }
}

static NTSTATUS ExpAddWorker(PEXP_WORK_QUEUE Queue)
{
    NTSTATUS Status;

    InterlockedIncrement(&Queue->Starting);
    Status = ExpCreateThread(Queue->Name, Queue->Priority, ExpWorkerThread, Queue);
    if (NT_SUCCESS(Status))
        Queue->Threads++;
    else
        InterlockedDecrement(&Queue->Starting);
    return Status;
}

/* Entries are left, and more of them could run now than threads do or are about to. */
static BOOLEAN ExpNeedsThread(PEXP_WORK_QUEUE Queue)
{
    return KeReadStateQueue(&Queue->Queue) > Queue->Starting &&
           KeQueueActiveThreads(&Queue->Queue) + (ULONG)Queue->Starting < Queue->Queue.MaximumCount;
}

static VOID ExpTell(PEXP_WORK_QUEUE Queue, PCSTR Why)
{
    if (!Queue->Told)
        DbgPrint("ex: %s: work waits for one of %u threads, %s\n", Queue->Name, Queue->Threads, Why);
    Queue->Told = TRUE;
}

/* FALSE: there was no memory, so it must be tried again. */
static BOOLEAN ExpBalance(PEXP_WORK_QUEUE Queue)
{
    while (ExpNeedsThread(Queue)) {
        if (Queue->Threads >= EXP_MOST_THREADS) {
            ExpTell(Queue, "and no more are added");
            return TRUE;
        }
        if (!NT_SUCCESS(ExpAddWorker(Queue))) {
            ExpTell(Queue, "and there is no memory for another");
            return FALSE;
        }
    }
    Queue->Told = FALSE;
    return TRUE;
}

static VOID NTAPI ExpBalancer(PVOID Context)
{
    for (;;) {
        LARGE_INTEGER Tick = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};
        BOOLEAN Done = TRUE;

        for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues); Index++)
            Done = ExpBalance(&ExpWorkQueues[Index]) && Done;
        KeWaitForSingleObject(&ExpBalanceEvent, Executive, KernelMode, FALSE, Done ? NULL : &Tick);
    }
}

static VOID ExpInitializeQueue(KPRIORITY Priority, ULONG Type, PCSTR Name)
{
    PEXP_WORK_QUEUE Queue = &ExpWorkQueues[Priority];

    KeInitializeQueue(&Queue->Queue, 0);
    KeWatchQueue(&Queue->Queue, &ExpBalanceEvent);
    Queue->Priority = Priority != 0 ? Priority : 1; /* 0 is no thread's */
    Queue->Type = Type;
    _snprintf(Queue->Name, sizeof(Queue->Name) - 1, Name, Priority);
    ExpQueueOfType[Type] = Queue;
}

NTSTATUS ExInitWorkerThreads(EX_CREATE_THREAD *CreateThread)
{
    NTSTATUS Status = STATUS_SUCCESS;

    ExpCreateThread = CreateThread;
    KeInitializeEvent(&ExpBalanceEvent, SynchronizationEvent, FALSE);
    for (KPRIORITY Priority = 0; Priority < MAXIMUM_PRIORITY; Priority++)
        ExpInitializeQueue(Priority, CustomPriorityWorkQueue + Priority, "worker/priority %d");
    for (ULONG Type = 0; Type < RTL_NUMBER_OF(ExpTypes) && NT_SUCCESS(Status); Type++) {
        ExpInitializeQueue(ExpTypes[Type].Priority, Type, ExpTypes[Type].Name);
        for (ULONG Number = 0; Number < ExpTypes[Type].Threads && NT_SUCCESS(Status); Number++)
            Status = ExpAddWorker(&ExpWorkQueues[ExpTypes[Type].Priority]);
    }
    if (NT_SUCCESS(Status))
        Status = CreateThread("worker/balancer", EXP_BALANCER, ExpBalancer, NULL);
    ExpWorkersStarted = NT_SUCCESS(Status);
    return Status;
}

/* A queued item in the range, or one whose routine is; NULL: none. */
static PWORK_QUEUE_ITEM ExpFindItem(ULONG_PTR Start, SIZE_T Bytes)
{
    PWORK_QUEUE_ITEM Found = NULL;
    KIRQL OldIrql = KiLockDispatcher();

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues) && Found == NULL; Index++) {
        PLIST_ENTRY Head = &ExpWorkQueues[Index].Queue.EntryListHead;

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head && Found == NULL; Entry = Entry->Flink) {
            PWORK_QUEUE_ITEM Item = CONTAINING_RECORD(Entry, WORK_QUEUE_ITEM, List);

            if (((ULONG_PTR)Item + sizeof(*Item) > Start && (ULONG_PTR)Item < Start + Bytes) ||
                (ULONG_PTR)Item->WorkerRoutine - Start < Bytes)
                Found = Item;
        }
    }
    KiUnlockDispatcher(OldIrql);
    return Found;
}

VOID ExCheckWorkItemsInRange(PVOID Base, SIZE_T Bytes)
{
    PWORK_QUEUE_ITEM Item = ExpWorkersStarted && FvVerifierEnabled() ? ExpFindItem((ULONG_PTR)Base, Bytes) : NULL;
    CHAR Text[128];

    if (Item == NULL)
        return;
    _snprintf(Text, sizeof(Text), "rule=work-item-queued-in-freed-memory\nitem=0x%I64x\nroutine=0x%I64x\n",
              (ULONG64)Item, (ULONG64)Item->WorkerRoutine);
    FvReport(Text);
    FvBlame((PVOID)Item->WorkerRoutine);
    KeBugCheckEx(WORKER_INVALID, 0, (ULONG_PTR)Item, (ULONG_PTR)Base, (ULONG_PTR)Base + Bytes);
}

static VOID ExpInsertItem(PWORK_QUEUE_ITEM WorkItem, ULONG QueueType)
{
    FV_TRACE(FLTVM_TRACE_WORKITEM_QUEUE, WorkItem, WorkItem->WorkerRoutine, QueueType, 0, 0);
    KeInsertQueue(&ExpQueueOfType[QueueType]->Queue, &WorkItem->List);
}

/* All the rules, for what the quick look was not content with. */
static DECLSPEC_NOINLINE VOID ExpInsertCarefully(PWORK_QUEUE_ITEM WorkItem, ULONG QueueType, PVOID Caller)
{
    KIRQL Irql = KeGetCurrentIrql();

    FvBlame(Caller);
    if (Irql > DISPATCH_LEVEL && FvVerifierEnabled())
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)WorkItem, Irql, 1, (ULONG_PTR)Caller);
    if (WorkItem->List.Flink != NULL)
        KeBugCheckEx(WORKER_INVALID, 1, (ULONG_PTR)WorkItem, QueueType, 0);
    if (QueueType >= RTL_NUMBER_OF(ExpQueueOfType) || ExpQueueOfType[QueueType] == NULL)
        KeBugCheckEx(WORKER_INVALID, 6, (ULONG_PTR)WorkItem, QueueType, 0);
    if (!KeIsRoutine((PVOID)WorkItem->WorkerRoutine))
        KeBugCheckEx(WORKER_INVALID, 7, (ULONG_PTR)WorkItem, QueueType, 0);
    FvBlame(NULL);
    ExpInsertItem(WorkItem, QueueType);
}

VOID ExQueueWorkItemFor(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType, PVOID Caller)
{
    if (KeGetCurrentIrql() <= DISPATCH_LEVEL && (ULONG)QueueType <= DelayedWorkQueue && WorkItem->List.Flink == NULL &&
        KeIsKnownRoutine((PVOID)WorkItem->WorkerRoutine))
        ExpInsertItem(WorkItem, (ULONG)QueueType);
    else
        ExpInsertCarefully(WorkItem, (ULONG)QueueType, Caller);
}

BOOLEAN ExWorkersRest(PCSTR *Name)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(ExpWorkQueues); Index++) {
        PEXP_WORK_QUEUE Queue = &ExpWorkQueues[Index];
        if (Queue->Queue.Header.Type == QueueObject &&
            (KeReadStateQueue(&Queue->Queue) > 0 || KeQueueBusyThreads(&Queue->Queue) > 0)) {
            *Name = Queue->Name;
            return FALSE;
        }
    }
    return TRUE;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    ExQueueWorkItemFor(WorkItem, QueueType, __builtin_return_address(0));
}
