// SPDX-License-Identifier: GPL-2.0-or-later
/* Queue objects: order, time-outs, how many threads they let run, and the end of a queue. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

#define ENTRIES 3

typedef struct _WAITER {
    PKQUEUE Queue;
    PLIST_ENTRY Got, Again;
    volatile LONG Taken;
    volatile BOOLEAN Spin; /* runs on until it is cleared */
    PVOID Thread;
} WAITER;

static VOID NTAPI Serve(PVOID Context)
{
    WAITER *Waiter = Context;

    Waiter->Got = KeRemoveQueue(Waiter->Queue, KernelMode, NULL);
    InterlockedIncrement(&Waiter->Taken);
    while (Waiter->Spin)
        YieldProcessor();
    Waiter->Again = KeRemoveQueue(Waiter->Queue, KernelMode, NULL);
}

static VOID StartWaiter(WAITER *Waiter, PKQUEUE Queue, BOOLEAN Spin)
{
    RtlZeroMemory(Waiter, sizeof(*Waiter));
    Waiter->Queue = Queue;
    Waiter->Spin = Spin;
    Waiter->Thread = StartThread(Serve, Waiter);
    Sleep(20); /* it waits now */
}

static BOOLEAN IsStatus(PLIST_ENTRY Entry, NTSTATUS Status)
{
    return (NTSTATUS)(LONG_PTR)Entry == Status;
}

static VOID CheckOrder(VOID)
{
    LARGE_INTEGER Zero = {.QuadPart = 0}, Short = {.QuadPart = -200000};
    LIST_ENTRY Entry[ENTRIES];
    KQUEUE Queue;

    KeInitializeQueue(&Queue, 0);
    FvCheck(Queue.MaximumCount == KeQueryActiveProcessorCount(NULL)); /* 0: as many as processors */
    FvCheck(KeReadStateQueue(&Queue) == 0);
    FvCheck(KeInsertQueue(&Queue, &Entry[0]) == 0); /* the previous state */
    FvCheck(KeInsertQueue(&Queue, &Entry[1]) == 1);
    FvCheck(KeInsertHeadQueue(&Queue, &Entry[2]) == 2 && KeReadStateQueue(&Queue) == 3);
    FvCheck(KeRemoveQueue(&Queue, KernelMode, NULL) == &Entry[2]);
    FvCheck(KeRemoveQueue(&Queue, KernelMode, &Zero) == &Entry[0]);
    FvCheck(KeRemoveQueue(&Queue, KernelMode, &Short) == &Entry[1]);
    FvCheck(IsStatus(KeRemoveQueue(&Queue, KernelMode, &Zero), STATUS_TIMEOUT));
    FvCheck(IsStatus(KeRemoveQueue(&Queue, KernelMode, &Short), STATUS_TIMEOUT));
    FvCheck(KeRundownQueue(&Queue) == NULL);
}

/* One thread at a time: the second serves only when the first waits. */
static VOID CheckConcurrency(VOID)
{
    LIST_ENTRY Entry[ENTRIES];
    WAITER First, Second;
    KQUEUE Queue;
    LONG Running;

    KeInitializeQueue(&Queue, 1);
    StartWaiter(&First, &Queue, TRUE);
    StartWaiter(&Second, &Queue, TRUE);
    KeInsertQueue(&Queue, &Entry[0]);
    KeInsertQueue(&Queue, &Entry[1]);
    Sleep(50);
    Running = First.Taken + Second.Taken;
    FvCheck(Running == 1);                  /* although both waited, and processors are free */
    FvCheck(KeReadStateQueue(&Queue) == 1); /* the other entry is still there */
    FvCheck(Second.Taken == 1);             /* last in, first out: its stack is warm */
    Second.Spin = FALSE;                    /* takes the entry that is left itself */
    Sleep(50);
    FvCheck(KeReadStateQueue(&Queue) == 0 && First.Taken == 0);
    KeInsertQueue(&Queue, &Entry[2]);
    Sleep(50);
    FvCheck(First.Taken == 1 && First.Got == &Entry[2]);
    First.Spin = FALSE;
    JoinThread(Second.Thread);
    FvCheck(Second.Got == &Entry[0] && Second.Again == &Entry[1]);
    FvCheck(KeRundownQueue(&Queue) == NULL);
    JoinThread(First.Thread);
    FvCheck(IsStatus(First.Again, STATUS_ABANDONED));
}

/* Who waits is sent away, and so is who comes later; what is left comes back as a list without a head. */
static VOID CheckRundown(VOID)
{
    LARGE_INTEGER Zero = {.QuadPart = 0};
    LIST_ENTRY Entry[ENTRIES];
    WAITER Waiter[2];
    KQUEUE Queue;

    KeInitializeQueue(&Queue, 1);
    StartWaiter(&Waiter[0], &Queue, FALSE);
    StartWaiter(&Waiter[1], &Queue, FALSE);
    FvCheck(KeRundownQueue(&Queue) == NULL);
    JoinThread(Waiter[0].Thread);
    JoinThread(Waiter[1].Thread);
    FvCheck(IsStatus(Waiter[0].Got, STATUS_ABANDONED) && IsStatus(Waiter[0].Again, STATUS_ABANDONED));
    FvCheck(IsStatus(Waiter[1].Got, STATUS_ABANDONED) && IsStatus(Waiter[1].Again, STATUS_ABANDONED));
    FvCheck(IsStatus(KeRemoveQueue(&Queue, KernelMode, NULL), STATUS_ABANDONED));
    FvCheck(IsStatus(KeRemoveQueue(&Queue, KernelMode, &Zero), STATUS_ABANDONED));

    KeInitializeQueue(&Queue, 1); /* as documented, for another use */
    for (ULONG Index = 0; Index < ENTRIES; Index++)
        KeInsertQueue(&Queue, &Entry[Index]);
    FvCheck(KeRemoveQueue(&Queue, KernelMode, NULL) == &Entry[0]);
    FvCheck(KeRundownQueue(&Queue) == &Entry[1]);
    FvCheck(Entry[1].Flink == &Entry[2] && Entry[2].Flink == &Entry[1] && KeReadStateQueue(&Queue) == 0);
    FvCheck(IsStatus(KeRemoveQueue(&Queue, KernelMode, NULL), STATUS_ABANDONED));
    FvCheck(WaitFor(PsGetCurrentThread(), 10) == STATUS_TIMEOUT); /* this thread waits for other things as before */
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(29);
    CheckOrder();
    CheckConcurrency();
    CheckRundown();
    return STATUS_SUCCESS;
}
