// SPDX-License-Identifier: GPL-2.0-or-later
/* System worker threads: ExQueueWorkItem. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

#define BLOCKED 200

typedef struct _WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Ran;
    KEVENT *Release; /* waited for, if given */
    KEVENT *Signal;  /* set, if given */
    ULONG Again;     /* how often it queues itself again */
    ULONG Runs;
    KIRQL Irql;
    KPRIORITY Priority, Base;
    volatile LONG *Spin; /* spins until it is not 0, if given */
    PETHREAD Thread;
} WORK, *PWORK;

static VOID NTAPI Run(PVOID Parameter)
{
    PWORK Work = Parameter;

    Work->Irql = KeGetCurrentIrql();
    Work->Thread = PsGetCurrentThread();
    Work->Priority = KeQueryPriorityThread(KeGetCurrentThread());
    Work->Base = KeSetPriorityThread(KeGetCurrentThread(), 20);
    KeSetPriorityThread(KeGetCurrentThread(), Work->Base);
    Work->Runs++;
    while (Work->Spin && *Work->Spin == 0)
        YieldProcessor();
    if (Work->Signal)
        KeSetEvent(Work->Signal, IO_NO_INCREMENT, FALSE);
    if (Work->Release)
        KeWaitForSingleObject(Work->Release, Executive, KernelMode, FALSE, NULL);
    if (Work->Again > 0) {
        Work->Again--;
        ExQueueWorkItem(&Work->Item, DelayedWorkQueue); /* it is the routine's own again */
        return;
    }
    KeSetEvent(&Work->Ran, IO_NO_INCREMENT, FALSE);
}

static VOID Prepare(PWORK Work)
{
    RtlZeroMemory(Work, sizeof(*Work));
    KeInitializeEvent(&Work->Ran, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Work->Item, Run, Work);
}

static VOID CheckOne(VOID)
{
    WORK Delayed, Critical;
    KIRQL OldIrql;

    Prepare(&Delayed);
    Prepare(&Critical);
    ExQueueWorkItem(&Delayed.Item, DelayedWorkQueue);
    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    ExQueueWorkItem(&Critical.Item, CriticalWorkQueue);
    KeLowerIrql(OldIrql);
    FvCheck(WaitFor(&Delayed.Ran, 1000) == STATUS_SUCCESS);
    FvCheck(WaitFor(&Critical.Ran, 1000) == STATUS_SUCCESS);
    FvCheck(Delayed.Irql == PASSIVE_LEVEL && Critical.Irql == PASSIVE_LEVEL);
    FvCheck(PsIsSystemThread(Delayed.Thread) && PsIsSystemThread(Critical.Thread));
    FvCheck(Delayed.Thread != PsGetCurrentThread());
    FvCheck(Critical.Priority > Delayed.Priority);
}

static VOID CheckAgain(VOID)
{
    WORK Work;

    Prepare(&Work);
    Work.Again = 3;
    ExQueueWorkItem(&Work.Item, DelayedWorkQueue);
    FvCheck(WaitFor(&Work.Ran, 1000) == STATUS_SUCCESS && Work.Runs == 4);
}

/* The first waits for what the second does: they run at the same time. */
static VOID CheckParallel(WORK_QUEUE_TYPE Queue)
{
    WORK First, Second;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Prepare(&First);
    Prepare(&Second);
    First.Release = &Event;
    Second.Signal = &Event;
    ExQueueWorkItem(&First.Item, Queue);
    ExQueueWorkItem(&Second.Item, Queue);
    FvCheck(WaitFor(&First.Ran, 1000) == STATUS_SUCCESS && WaitFor(&Second.Ran, 1000) == STATUS_SUCCESS);
}

/* More items wait than there are workers at first: the queue grows, and the one that frees them runs. */
static VOID CheckGrowth(VOID)
{
    static WORK Blocked[BLOCKED], Last;
    BOOLEAN AllRan = TRUE;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    for (ULONG Index = 0; Index < BLOCKED; Index++) {
        Prepare(&Blocked[Index]);
        Blocked[Index].Release = &Event;
        ExQueueWorkItem(&Blocked[Index].Item, DelayedWorkQueue);
    }
    Prepare(&Last);
    Last.Signal = &Event;
    ExQueueWorkItem(&Last.Item, DelayedWorkQueue);
    FvCheck(WaitFor(&Last.Ran, 10000) == STATUS_SUCCESS);
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    for (ULONG Index = 0; Index < BLOCKED; Index++)
        AllRan = AllRan && WaitFor(&Blocked[Index].Ran, 1000) == STATUS_SUCCESS && Blocked[Index].Runs == 1;
    FvCheck(AllRan);
}

/* Two wait, one is busy, and a processor idles: the fourth does not wait for the busy one. */
static VOID CheckIdleProcessors(VOID)
{
    static WORK Blocked[2], Busy, Last;
    volatile LONG Stop = 0;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Blocked); Index++) {
        Prepare(&Blocked[Index]);
        Blocked[Index].Release = &Event;
        ExQueueWorkItem(&Blocked[Index].Item, BackgroundWorkQueue);
    }
    Prepare(&Busy);
    Busy.Spin = &Stop;
    ExQueueWorkItem(&Busy.Item, BackgroundWorkQueue);
    Prepare(&Last);
    ExQueueWorkItem(&Last.Item, BackgroundWorkQueue);
    FvCheck(WaitFor(&Last.Ran, 5) == STATUS_SUCCESS && Stop == 0 && KeReadStateEvent(&Busy.Ran) == 0);
    Stop = 1;
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    FvCheck(WaitFor(&Busy.Ran, 1000) == STATUS_SUCCESS && WaitFor(&Blocked[0].Ran, 1000) == STATUS_SUCCESS &&
            WaitFor(&Blocked[1].Ran, 1000) == STATUS_SUCCESS);
}

/* The priorities that are documented with WORK_QUEUE_TYPE, and any by number. */
static VOID CheckPriorities(VOID)
{
    static const struct {
        ULONG Type;
        KPRIORITY Priority;
    } Types[] = {
        {CriticalWorkQueue, 13},
        {DelayedWorkQueue, 12},
        {HyperCriticalWorkQueue, 15},
        {NormalWorkQueue, 8},
        {BackgroundWorkQueue, 7},
        {RealTimeWorkQueue, 18},
        {SuperCriticalWorkQueue, 14},
        {CustomPriorityWorkQueue + 14, 14},
        {CustomPriorityWorkQueue + 12, 12},
        {CustomPriorityWorkQueue + 31, 31},
        {CustomPriorityWorkQueue + 1, 1},
    };

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Types); Index++) {
        WORK Work;

        Prepare(&Work);
        ExQueueWorkItem(&Work.Item, (WORK_QUEUE_TYPE)Types[Index].Type);
        FvCheck(WaitFor(&Work.Ran, 1000) == STATUS_SUCCESS && Work.Base == Types[Index].Priority);
    }
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(24);
    CheckOne();
    CheckAgain();
    CheckParallel(DelayedWorkQueue);
    CheckParallel(CriticalWorkQueue);
    CheckGrowth();
    CheckIdleProcessors();
    CheckPriorities();
    return STATUS_SUCCESS;
}
