// SPDX-License-Identifier: GPL-2.0-or-later
/* System worker threads: ExQueueWorkItem. */
#include <ntifs.h>

#include <fltvm.h>

#include "threads.h"

#define BLOCKED 12

typedef struct _WORK {
    WORK_QUEUE_ITEM Item;
    KEVENT Ran;
    KEVENT *Release; /* waited for, if given */
    KEVENT *Signal;  /* set, if given */
    ULONG Again;     /* how often it queues itself again */
    ULONG Runs;
    KIRQL Irql;
    KPRIORITY Priority;
    PETHREAD Thread;
} WORK, *PWORK;

static VOID NTAPI Run(PVOID Parameter)
{
    PWORK Work = Parameter;

    Work->Irql = KeGetCurrentIrql();
    Work->Thread = PsGetCurrentThread();
    Work->Priority = KeQueryPriorityThread(KeGetCurrentThread());
    Work->Runs++;
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

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(11);
    CheckOne();
    CheckAgain();
    CheckParallel(DelayedWorkQueue);
    CheckParallel(CriticalWorkQueue);
    CheckGrowth();
    return STATUS_SUCCESS;
}
