// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads, priorities, APC regions, guarded mutexes, stacks, device queues, exceptions. */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI HANDLE NTAPI PsGetThreadId(PETHREAD Thread);

static KEVENT Go;
static volatile LONG Turns;
static ULONG Sequence[2];
static KSPIN_LOCK Lock;
static ULONG Counter;

static PETHREAD Start(PKSTART_ROUTINE Routine, PVOID Context)
{
    PVOID Thread = NULL;
    HANDLE Handle;

    if (NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context))) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
        ZwClose(Handle);
    }
    return Thread;
}

static VOID Join(PETHREAD Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static VOID NTAPI Leave(PVOID Context)
{
    InterlockedIncrement(&Turns);
    PsTerminateSystemThread(STATUS_SUCCESS);
    InterlockedIncrement(&Turns); /* not reached */
}

static VOID NTAPI Return(PVOID Context)
{
    InterlockedIncrement(&Turns);
}

static VOID CheckLife(VOID)
{
    LARGE_INTEGER None = {.QuadPart = 0};
    PETHREAD Thread, Found;

    Turns = 0;
    Join(Start(Leave, NULL));
    FvCheck(Turns == 1);
    Join(Start(Return, NULL));
    FvCheck(Turns == 2);
    Thread = Start(Return, NULL);
    FvCheck(Thread != NULL && PsIsSystemThread(Thread) && PsGetThreadProcess(Thread) == PsInitialSystemProcess);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    FvCheck(PsIsThreadTerminating(Thread));
    FvCheck(KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &None) == STATUS_SUCCESS); /* stays signalled */
    ObDereferenceObject(Thread);
    FvCheck(NT_SUCCESS(PsLookupThreadByThreadId(PsGetCurrentThreadId(), &Found)) && Found == PsGetCurrentThread());
    ObDereferenceObject(Found);
    FvCheck(PsGetCurrentProcessId() == (HANDLE)4);
}

static VOID NTAPI TakeTurn(PVOID Context)
{
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    Sequence[InterlockedIncrement(&Turns) - 1] = (ULONG)(ULONG_PTR)Context;
}

static VOID CheckPriority(VOID)
{
    PKTHREAD Self = KeGetCurrentThread();
    KPRIORITY Old = KeSetPriorityThread(Self, 20);
    PETHREAD Low, High;

    FvCheck(Old == 8 && KeQueryPriorityThread(Self) == 20);
    /* All on one processor: who is more important runs first, whoever was made ready first. */
    KeSetSystemAffinityThreadEx(1);
    KeInitializeEvent(&Go, NotificationEvent, FALSE);
    Turns = 0;
    Low = Start(TakeTurn, (PVOID)1);
    High = Start(TakeTurn, (PVOID)2);
    KeSetPriorityThread((PKTHREAD)Low, 9);
    KeSetPriorityThread((PKTHREAD)High, 18);
    if (KeQueryActiveProcessorCount(NULL) > 1) {
        LARGE_INTEGER Delay = {.QuadPart = -400000};

        KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    }
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    KeRevertToUserAffinityThreadEx(0);
    Join(Low);
    Join(High);
    FvCheck(Turns == 2);
    FvCheck(KeQueryActiveProcessorCount(NULL) > 1 || (Sequence[0] == 2 && Sequence[1] == 1));
    KeSetPriorityThread(Self, Old);
    FvCheck(KeQueryPriorityThread(Self) == 8);
}

static VOID NTAPI Increment(PVOID Context)
{
    for (ULONG i = 0; i < 5000; i++) {
        KLOCK_QUEUE_HANDLE Handle;

        KeAcquireInStackQueuedSpinLock(&Lock, &Handle);
        Counter++;
        KeReleaseInStackQueuedSpinLock(&Handle);
    }
}

static VOID CheckContention(VOID)
{
    PETHREAD Threads[4];

    KeInitializeSpinLock(&Lock);
    for (ULONG i = 0; i < 4; i++) {
        Threads[i] = Start(Increment, NULL);
    }
    for (ULONG i = 0; i < 4; i++) {
        Join(Threads[i]);
    }
    FvCheck(Counter == 20000);
}

static VOID CheckRegions(VOID)
{
    KGUARDED_MUTEX Mutex;

    FvCheck(!KeAreApcsDisabled() && !KeAreAllApcsDisabled());
    KeEnterCriticalRegion();
    FvCheck(KeAreApcsDisabled() && !KeAreAllApcsDisabled());
    KeEnterGuardedRegion();
    FvCheck(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    KeLeaveCriticalRegion();
    FvCheck(!KeAreApcsDisabled() && !KeAreAllApcsDisabled());
    KeInitializeGuardedMutex(&Mutex);
    KeAcquireGuardedMutex(&Mutex);
    FvCheck(KeAreAllApcsDisabled() && KeGetCurrentIrql() == APC_LEVEL);
    FvCheck(!KeTryToAcquireGuardedMutex(&Mutex));
    KeReleaseGuardedMutex(&Mutex);
    FvCheck(KeTryToAcquireGuardedMutex(&Mutex));
    KeReleaseGuardedMutex(&Mutex);
    FvCheck(!KeAreAllApcsDisabled() && KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID NTAPI Deep(PVOID Parameter)
{
    ULONG_PTR Low, High;

    IoGetStackLimits(&Low, &High);
    *(SIZE_T *)Parameter = (ULONG_PTR)&Low - Low;
    /* An exception crosses nothing: it is handled on the new stack. */
    __try {
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Counter = 1;
    }
}

static VOID CheckStacks(VOID)
{
    ULONG_PTR Low, High;
    SIZE_T Room = 0;

    IoGetStackLimits(&Low, &High);
    FvCheck((ULONG_PTR)&Low > Low && (ULONG_PTR)&Low < High && High - Low == 0x6000);
    FvCheck(IoGetRemainingStackSize() < 0x6000 && IoGetRemainingStackSize() > 0x2000);
    Counter = 0;
    FvCheck(NT_SUCCESS(KeExpandKernelStackAndCallout(Deep, &Room, 0x8000)));
    FvCheck(Room >= 0x8000 && Counter == 1);
    FvCheck(KeExpandKernelStackAndCallout(Deep, &Room, 0x100000) == STATUS_INVALID_PARAMETER_3);
}

static VOID CheckDeviceQueues(VOID)
{
    KDEVICE_QUEUE Queue;
    KDEVICE_QUEUE_ENTRY Entries[3];
    KIRQL Old;

    KeInitializeDeviceQueue(&Queue);
    Old = KeRaiseIrqlToDpcLevel();
    FvCheck(!KeInsertByKeyDeviceQueue(&Queue, &Entries[0], 10)); /* was not busy: not inserted, now busy */
    FvCheck(KeInsertByKeyDeviceQueue(&Queue, &Entries[1], 30));
    FvCheck(KeInsertByKeyDeviceQueue(&Queue, &Entries[2], 20));
    FvCheck(KeRemoveByKeyDeviceQueue(&Queue, 25) == &Entries[1]); /* the first at or after the key */
    FvCheck(KeRemoveDeviceQueue(&Queue) == &Entries[2]);
    FvCheck(KeRemoveDeviceQueue(&Queue) == NULL); /* and is not busy any more */
    FvCheck(!KeInsertDeviceQueue(&Queue, &Entries[0]));
    KeLowerIrql(Old);
}

static NTSTATUS Fault(volatile ULONG *Address)
{
    __try {
        return (NTSTATUS)*Address;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

static VOID CheckExceptions(VOID)
{
    volatile ULONG Zero = 0;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Finally = FALSE;

    FvCheck(Fault((volatile ULONG *)0x1000) == STATUS_ACCESS_VIOLATION);
    __try {
        Zero = 100 / Zero;
    } __except (GetExceptionCode() == STATUS_INTEGER_DIVIDE_BY_ZERO ? EXCEPTION_EXECUTE_HANDLER
                                                                    : EXCEPTION_CONTINUE_SEARCH) {
        Status = STATUS_INTEGER_DIVIDE_BY_ZERO;
    }
    FvCheck(Status == STATUS_INTEGER_DIVIDE_BY_ZERO);
    __try {
        __try {
            ExRaiseStatus(STATUS_NO_MEMORY);
        } __finally {
            Finally = TRUE;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Finally);
    FvCheck(Status == STATUS_NO_MEMORY);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(36);
    CheckLife();
    CheckPriority();
    CheckContention();
    CheckRegions();
    CheckStacks();
    CheckDeviceQueues();
    CheckExceptions();
    return STATUS_SUCCESS;
}
