// SPDX-License-Identifier: GPL-2.0-or-later
/* IRQL, spin locks, DPCs, timers, calls on all processors, as the documentation states them. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID);

#define MILLISECONDS(n) ((LONGLONG)(n) * -10000)

static KEVENT Done;
static ULONG Order[4], Ran;
static KIRQL DpcIrql;
static ULONG InDpc;
static ULONG DpcProcessor;
static PVOID Arguments[3];

static VOID NTAPI Record(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    if (Ran < RTL_NUMBER_OF(Order)) {
        Order[Ran++] = (ULONG)(ULONG_PTR)Context;
    }
    DpcIrql = KeGetCurrentIrql();
    InDpc = KeIsExecutingDpc();
    DpcProcessor = KeGetCurrentProcessorNumberEx(NULL);
    Arguments[0] = Context;
    Arguments[1] = Argument1;
    Arguments[2] = Argument2;
}

static VOID NTAPI Signal(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    Ran++;
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

static VOID CheckIrql(VOID)
{
    KIRQL Old;

    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
    KeRaiseIrql(APC_LEVEL, &Old);
    FvCheck(Old == PASSIVE_LEVEL && KeGetCurrentIrql() == APC_LEVEL);
    FvCheck(KeRaiseIrqlToDpcLevel() == APC_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeRaiseIrql(HIGH_LEVEL, &Old);
    FvCheck(Old == DISPATCH_LEVEL && KeGetCurrentIrql() == HIGH_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID CheckSpinLocks(VOID)
{
    KLOCK_QUEUE_HANDLE Handle;
    EX_SPIN_LOCK Shared = 0;
    KSPIN_LOCK Lock;
    KIRQL Old;

    KeInitializeSpinLock(&Lock);
    FvCheck(KeTestSpinLock(&Lock));
    KeAcquireSpinLock(&Lock, &Old);
    FvCheck(Old == PASSIVE_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL && !KeTestSpinLock(&Lock));
    FvCheck(!KeTryToAcquireSpinLockAtDpcLevel(&Lock));
    KeReleaseSpinLockFromDpcLevel(&Lock);
    FvCheck(KeTryToAcquireSpinLockAtDpcLevel(&Lock));
    KeReleaseSpinLock(&Lock, Old);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL && KeTestSpinLock(&Lock));
    KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
    FvCheck(KeGetCurrentIrql() == DISPATCH_LEVEL && !KeTestSpinLock(&Lock));
    KeReleaseInStackQueuedSpinLock(&Handle);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL && KeTestSpinLock(&Lock));
    Old = ExAcquireSpinLockShared(&Shared);
    ExAcquireSpinLockSharedAtDpcLevel(&Shared); /* readers do not exclude each other */
    FvCheck(!ExTryConvertSharedSpinLockExclusive(&Shared));
    ExReleaseSpinLockSharedFromDpcLevel(&Shared);
    FvCheck(ExTryConvertSharedSpinLockExclusive(&Shared));
    ExReleaseSpinLockExclusive(&Shared, Old);
    FvCheck(Shared == 0 && KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID CheckDpcs(VOID)
{
    KDPC Dpcs[3];
    KIRQL Old;

    for (ULONG i = 0; i < 3; i++) {
        KeInitializeDpc(&Dpcs[i], Record, (PVOID)(ULONG_PTR)(i + 1));
    }
    Ran = 0;
    Old = KeRaiseIrqlToDpcLevel();
    FvCheck(KeInsertQueueDpc(&Dpcs[0], (PVOID)11, (PVOID)12));
    FvCheck(!KeInsertQueueDpc(&Dpcs[0], (PVOID)21, (PVOID)22)); /* queued already */
    FvCheck(Ran == 0);                                          /* not before the IRQL drops */
    KeInsertQueueDpc(&Dpcs[1], NULL, NULL);
    KeSetImportanceDpc(&Dpcs[2], HighImportance);
    KeInsertQueueDpc(&Dpcs[2], (PVOID)31, (PVOID)32);
    KeLowerIrql(Old);
    FvCheck(Ran == 3);
    FvCheck(Order[0] == 3 && Order[1] == 1 && Order[2] == 2); /* high importance goes to the front */
    FvCheck(DpcIrql == DISPATCH_LEVEL);
    FvCheck(InDpc && !KeIsExecutingDpc());
    Ran = 0;
    KeInsertQueueDpc(&Dpcs[0], (PVOID)11, (PVOID)12);
    FvCheck(Ran == 1 && Arguments[0] == (PVOID)1 && Arguments[1] == (PVOID)11 && Arguments[2] == (PVOID)12);
    Old = KeRaiseIrqlToDpcLevel();
    KeInsertQueueDpc(&Dpcs[0], NULL, NULL);
    FvCheck(KeRemoveQueueDpc(&Dpcs[0]));
    FvCheck(!KeRemoveQueueDpc(&Dpcs[0]));
    KeLowerIrql(Old);
    FvCheck(Ran == 1);
}

static VOID CheckTargets(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL), Right = 0;
    KDPC Dpc;

    for (ULONG i = 0; i < Count; i++) {
        KeInitializeDpc(&Dpc, Record, NULL);
        KeSetTargetProcessorDpc(&Dpc, (CCHAR)i);
        DpcProcessor = ~0u;
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        KeFlushQueuedDpcs();
        Right += DpcProcessor == i;
    }
    FvCheck(Right == Count);
    FvCheck(KeQueryNodeMaximumProcessorCount(0) >= Count && KeGetCurrentNodeNumber() == 0);
    FvCheck(KeGetRecommendedSharedDataAlignment() == 64);
}

static VOID CheckTimers(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = MILLISECONDS(30)}, Far = {.QuadPart = MILLISECONDS(60000)};
    LARGE_INTEGER Past = {.QuadPart = 1};
    KTIMER Timer;
    KDPC Dpc;

    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Signal, &Done);
    FvCheck(!KeReadStateTimer(&Timer));
    FvCheck(!KeSetTimer(&Timer, Due, &Dpc));
    FvCheck(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(KeReadStateTimer(&Timer)); /* a notification timer stays signalled */
    FvCheck(KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(!KeSetTimer(&Timer, Far, NULL));
    FvCheck(!KeReadStateTimer(&Timer));     /* setting it clears the state */
    FvCheck(KeSetTimer(&Timer, Far, NULL)); /* was in the queue */
    FvCheck(KeCancelTimer(&Timer));
    FvCheck(!KeCancelTimer(&Timer));
    KeSetTimer(&Timer, Past, NULL);
    FvCheck(KeReadStateTimer(&Timer)); /* expired before it was set */
    KeInitializeTimerEx(&Timer, SynchronizationTimer);
    Ran = 0;
    KeSetTimerEx(&Timer, Due, 20, &Dpc);
    for (ULONG i = 0; i < 3; i++) {
        KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    }
    FvCheck(KeCancelTimer(&Timer)); /* a periodic timer is always in the queue */
    FvCheck(Ran == 3);
    FvCheck(KeWaitForSingleObject(&Timer, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(!KeReadStateTimer(&Timer)); /* the wait took it */
    KeFlushQueuedDpcs();
}

/* Timers expire in order of time, and of the same time in that of setting, however far away they are and whoever goes. */
typedef struct _ORDERED {
    KTIMER Timer;
    KDPC Dpc;
    LONGLONG Due;
    ULONG Number;
} ORDERED, *PORDERED;

#define ORDERED_TIMERS 512
static PORDERED Last;
static ULONG Misplaced;

static VOID NTAPI InOrder(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PORDERED This = Context;

    Misplaced += Last != NULL && (Last->Due > This->Due || (Last->Due == This->Due && Last->Number > This->Number));
    Last = This;
    Ran++;
}

static VOID CheckTimerOrder(VOID)
{
    LARGE_INTEGER Due, Wait = {.QuadPart = MILLISECONDS(3000)};
    PORDERED Timers = ExAllocatePoolWithTag(NonPagedPoolNx, ORDERED_TIMERS * sizeof(*Timers), 'dBtT');
    ULONG Seed = 1, Cancelled = 0;
    LONGLONG Now;

    Ran = 0;
    KeQuerySystemTime((PLARGE_INTEGER)&Now);
    for (ULONG i = 0; i < ORDERED_TIMERS; i++) {
        PORDERED This = &Timers[i];

        Seed = Seed * 1103515245 + 12345;
        This->Number = i;
        /* Three in four within 2.5 s, some of them at the same time; the others hours to millennia away. */
        This->Due = Now + 1 + (i % 4 != 0 ? (LONGLONG)(Seed >> 16 & 0x7F) * 200001 : 1LL << (37 + (Seed >> 16) % 20));
        Due.QuadPart = This->Due;
        KeInitializeTimer(&This->Timer);
        KeInitializeDpc(&This->Dpc, InOrder, This);
        KeSetTargetProcessorDpc(&This->Dpc, 0);
        KeSetTimer(&This->Timer, Due, &This->Dpc);
        if (i % 8 == 3)
            Cancelled += KeCancelTimer(&Timers[i / 2].Timer);
    }
    KeDelayExecutionThread(KernelMode, FALSE, &Wait);
    FvCheck(Misplaced == 0);
    for (ULONG i = 0; i < ORDERED_TIMERS; i++)
        Cancelled += KeCancelTimer(&Timers[i].Timer);
    KeFlushQueuedDpcs();
    FvCheck(Cancelled > ORDERED_TIMERS / 4 && Ran + Cancelled == ORDERED_TIMERS);
    ExFreePoolWithTag(Timers, 'dBtT');
}

static ULONG_PTR NTAPI CountProcessor(ULONG_PTR Argument)
{
    InterlockedIncrement((volatile LONG *)Argument);
    return KeGetCurrentIrql();
}

static VOID CheckProcessors(VOID)
{
    KAFFINITY Active;
    PROCESSOR_NUMBER Number;
    ULONG Count = KeQueryActiveProcessorCount(&Active), Right = 0;
    volatile LONG Calls = 0;

    FvCheck(Count >= 1 && Count <= 64 && Active == (~(KAFFINITY)0 >> (64 - Count)));
    FvCheck(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) == Count);
    FvCheck(KeIpiGenericCall(CountProcessor, (ULONG_PTR)&Calls) == IPI_LEVEL);
    FvCheck((ULONG)Calls == Count);
    for (ULONG i = 0; i < Count; i++) {
        KeSetSystemAffinityThreadEx((KAFFINITY)1 << i);
        Right += KeGetCurrentProcessorNumberEx(&Number) == i && Number.Number == i && Number.Group == 0;
    }
    KeRevertToUserAffinityThreadEx(0);
    FvCheck(Right == Count);
}

static VOID CheckTime(VOID)
{
    LARGE_INTEGER Frequency, First, Second, Tick1, Tick2, Delay = {.QuadPart = MILLISECONDS(100)};
    ULONGLONG Time1, Time2;

    First = KeQueryPerformanceCounter(&Frequency);
    KeStallExecutionProcessor(50);
    Second = KeQueryPerformanceCounter(NULL);
    FvCheck(Frequency.QuadPart == 10000000);
    FvCheck(Second.QuadPart - First.QuadPart >= 500);
    FvCheck(KeQueryTimeIncrement() == 156250);
    KeQueryTickCount(&Tick1);
    Time1 = KeQueryInterruptTime();
    KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    KeQueryTickCount(&Tick2);
    Time2 = KeQueryInterruptTime();
    FvCheck(Tick2.QuadPart - Tick1.QuadPart >= 6 && Tick2.QuadPart - Tick1.QuadPart <= 12);
    FvCheck(Time2 - Time1 == (ULONGLONG)(Tick2.QuadPart - Tick1.QuadPart) * 156250);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(56);
    CheckIrql();
    CheckSpinLocks();
    CheckDpcs();
    CheckTargets();
    CheckTimers();
    CheckTimerOrder();
    CheckProcessors();
    CheckTime();
    return STATUS_SUCCESS;
}
