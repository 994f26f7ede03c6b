// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What little else the kernel's core gives a driver: mutants, spin locks' variants, DPCs' targets, queries of processors,
 * nodes and clocks, device queues out of order, stacks and processor state, callbacks of a bugcheck.
 */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

NTKERNELAPI VOID NTAPI KeInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner);
NTKERNELAPI LONG NTAPI KeReleaseMutant(PRKMUTANT Mutant, KPRIORITY Increment, BOOLEAN Abandoned, BOOLEAN Wait);
NTKERNELAPI LONG NTAPI KeReadStateMutant(PRKMUTANT Mutant);
NTKERNELAPI BOOLEAN NTAPI KeTestAlertThread(KPROCESSOR_MODE Mode);
NTKERNELAPI BOOLEAN NTAPI KeRemoveQueueApc(PRKAPC Apc);
NTKERNELAPI KIRQL NTAPI KeAcquireSpinLockRaiseToSynch(PKSPIN_LOCK SpinLock);
NTKERNELAPI UCHAR NTAPI KeSetIdealProcessorThread(PKTHREAD Thread, UCHAR Processor);
NTKERNELAPI ULONG NTAPI KeQueryRuntimeThread(PKTHREAD Thread, PULONG UserTime);
NTKERNELAPI VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock);
/* The headers' own do nothing, as on Windows; the exports are for drivers that import them all the same. */
#undef KeSaveFloatingPointState
#undef KeRestoreFloatingPointState
NTKERNELAPI NTSTATUS NTAPI KeSaveFloatingPointState(PKFLOATING_SAVE Save);
NTKERNELAPI NTSTATUS NTAPI KeRestoreFloatingPointState(PKFLOATING_SAVE Save);
NTSYSAPI NTSTATUS NTAPI ZwYieldExecution(VOID);

static VOID NTAPI AbandonMutant(PVOID Context)
{
    KeWaitForSingleObject(Context, Executive, KernelMode, FALSE, NULL);
    KeReleaseMutant(Context, 0, FALSE, FALSE);
}

static VOID CheckMutant(VOID)
{
    KMUTANT Mutant;
    PVOID Thread;

    KeInitializeMutant(&Mutant, FALSE);
    FvCheck(KeReadStateMutant(&Mutant) == 1);
    FvCheck(WaitFor(&Mutant, 0) == STATUS_SUCCESS);
    FvCheck(KeReadStateMutant(&Mutant) == 0);
    FvCheck(KeWaitForMutexObject(&Mutant, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(KeReadStateMutant(&Mutant) == -1);
    /* What it returns is the state before: negative while it stays owned. */
    FvCheck(KeReleaseMutant(&Mutant, 0, FALSE, FALSE) == -1);
    FvCheck(KeReleaseMutant(&Mutant, 0, FALSE, FALSE) == 0);
    FvCheck(KeReadStateMutant(&Mutant) == 1);

    KeInitializeMutant(&Mutant, TRUE);
    FvCheck(KeReadStateMutant(&Mutant) == 0);
    Thread = StartThread(AbandonMutant, &Mutant);
    Sleep(20);
    FvCheck(WaitFor(Thread, 0) == STATUS_TIMEOUT);
    FvCheck(KeReleaseMutant(&Mutant, 0, FALSE, FALSE) == 0);
    JoinThread(Thread);
    FvCheck(KeReadStateMutant(&Mutant) == 1);
}

static VOID CheckSpinLocks(VOID)
{
    KLOCK_QUEUE_HANDLE Handle;
    KSPIN_LOCK Lock;
    EX_SPIN_LOCK ExLock = 0;
    KIRQL Irql;

    KeInitializeSpinLock(&Lock);
    Irql = KeRaiseIrqlToSynchLevel();
    FvCheck(Irql == PASSIVE_LEVEL);
    FvCheck(KeGetCurrentIrql() >= DISPATCH_LEVEL);
    KeLowerIrql(Irql);

    Irql = KeAcquireSpinLockRaiseToSynch(&Lock);
    FvCheck(KeGetCurrentIrql() >= DISPATCH_LEVEL);
    FvCheck(!KeTestSpinLock(&Lock));
    KeReleaseSpinLock(&Lock, Irql);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
    FvCheck(KeTestSpinLock(&Lock));

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(KeAcquireSpinLockForDpc(&Lock) == DISPATCH_LEVEL);
    FvCheck(!KeTryToAcquireSpinLockAtDpcLevel(&Lock));
    KeReleaseSpinLockForDpc(&Lock, DISPATCH_LEVEL);
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&Lock, &Handle);
    FvCheck(!KeTestSpinLock(&Lock));
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&Handle);
    FvCheck(KeTestSpinLock(&Lock));
    KeAcquireInStackQueuedSpinLockForDpc(&Lock, &Handle);
    FvCheck(!KeTestSpinLock(&Lock));
    KeReleaseInStackQueuedSpinLockForDpc(&Handle);
    FvCheck(KeTestSpinLock(&Lock));
    ExAcquireSpinLockExclusiveAtDpcLevel(&ExLock);
    FvCheck(ExLock != 0);
    ExReleaseSpinLockExclusiveFromDpcLevel(&ExLock);
    FvCheck(ExLock == 0);
    FvCheck(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeLowerIrql(Irql);

    /* Below DISPATCH_LEVEL the variants for DPCs that may be threaded raise, and lower again. */
    Irql = KeAcquireSpinLockForDpc(&Lock);
    FvCheck(KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseSpinLockForDpc(&Lock, Irql);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

typedef struct _DPC_RUN {
    KEVENT Done;
    ULONG Processor;
    KIRQL Irql;
    BOOLEAN Yield;
    NTSTATUS Watchdog;
    KDPC_WATCHDOG_INFORMATION Information;
} DPC_RUN;

static VOID NTAPI RunDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    DPC_RUN *Run = Context;

    Run->Processor = KeGetCurrentProcessorNumberEx(NULL);
    Run->Irql = KeGetCurrentIrql();
    Run->Yield = KeShouldYieldProcessor();
    Run->Watchdog = KeQueryDpcWatchdogInformation(&Run->Information);
    KeSetEvent(&Run->Done, 0, FALSE);
}

static VOID CheckDpcs(VOID)
{
    PROCESSOR_NUMBER Number = {0};
    DPC_RUN Run = {0};
    KDPC Dpc;

    KeInitializeEvent(&Run.Done, SynchronizationEvent, FALSE);
    for (ULONG I = 0; I < KeQueryActiveProcessorCount(NULL); I++) {
        KeInitializeDpc(&Dpc, RunDpc, &Run);
        FvCheck(KeGetProcessorNumberFromIndex(I, &Number) == STATUS_SUCCESS);
        FvCheck(KeGetProcessorIndexFromNumber(&Number) == I);
        FvCheck(KeSetTargetProcessorDpcEx(&Dpc, &Number) == STATUS_SUCCESS);
        FvCheck(KeInsertQueueDpc(&Dpc, NULL, NULL));
        WaitFor(&Run.Done, 1000);
        FvCheck(Run.Processor == I);
        FvCheck(Run.Irql == DISPATCH_LEVEL);
    }
    FvCheck(!Run.Yield);
    FvCheck(Run.Watchdog == STATUS_SUCCESS);
    FvCheck(Run.Information.DpcTimeCount <= Run.Information.DpcTimeLimit);

    Number.Number = 63;
    FvCheck(KeSetTargetProcessorDpcEx(&Dpc, &Number) == STATUS_INVALID_PARAMETER);
    FvCheck(KeGetProcessorIndexFromNumber(&Number) == INVALID_PROCESSOR_INDEX);
    Number.Number = 0;
    Number.Group = 1;
    FvCheck(KeSetTargetProcessorDpcEx(&Dpc, &Number) == STATUS_INVALID_PARAMETER);
    FvCheck(KeGetProcessorIndexFromNumber(&Number) == INVALID_PROCESSOR_INDEX);
    FvCheck(KeGetProcessorNumberFromIndex(63, &Number) == STATUS_INVALID_PARAMETER);

    KeInitializeThreadedDpc(&Dpc, RunDpc, &Run);
    FvCheck(KeInsertQueueDpc(&Dpc, NULL, NULL));
    FvCheck(WaitFor(&Run.Done, 1000) == STATUS_SUCCESS);
    FvCheck(Run.Irql == PASSIVE_LEVEL || Run.Irql == DISPATCH_LEVEL);
}

static VOID CheckCoalescableTimer(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000 * 20};
    KTIMER Timer;

    KeInitializeTimer(&Timer);
    FvCheck(!KeSetCoalescableTimer(&Timer, Due, 0, 10, NULL));
    FvCheck(KeSetCoalescableTimer(&Timer, Due, 0, 10, NULL)); /* was set */
    FvCheck(WaitFor(&Timer, 5) == STATUS_TIMEOUT);
    FvCheck(WaitFor(&Timer, 1000) == STATUS_SUCCESS);
    FvCheck(!KeCancelTimer(&Timer));
}

static VOID CheckProcessors(VOID)
{
    ULONG Count = KeQueryActiveProcessorCount(NULL);
    KAFFINITY All = (((KAFFINITY)1) << Count) - 1;
    GROUP_AFFINITY Affinity;
    USHORT Processors;

    FvCheck(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) == Count);
    FvCheck(KeQueryActiveProcessorCountEx(0) == Count);
    FvCheck(KeQueryActiveProcessorCountEx(1) == 0);
    FvCheck(KeQueryMaximumProcessorCount() >= Count);
    FvCheck(KeQueryMaximumProcessorCountEx(0) == KeQueryMaximumProcessorCount());
    FvCheck(KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS) == KeQueryMaximumProcessorCount());
    FvCheck(KeQueryMaximumProcessorCountEx(1) == 0);
    FvCheck(KeQueryActiveGroupCount() == 1);
    FvCheck(KeQueryMaximumGroupCount() == 1);
    FvCheck(KeQueryGroupAffinity(0) == All);
    FvCheck(KeQueryGroupAffinity(1) == 0);
    FvCheck(KeQueryHighestNodeNumber() == 0);
    KeQueryNodeActiveAffinity(0, &Affinity, &Processors);
    FvCheck(Affinity.Mask == All);
    FvCheck(Affinity.Group == 0);
    FvCheck(Processors == Count);
    FvCheck(KeQueryNodeActiveProcessorCount(0) == Count);
    FvCheck(KeQueryNodeActiveProcessorCount(1) == 0);
}

static VOID CheckTimes(VOID)
{
    ULONG64 Qpc, Qpc2, First, Second, Coarse, Unbiased;
    LARGE_INTEGER System, SystemCoarse, Tick;
    ULONG User = 1;

    First = KeQueryInterruptTimePrecise(&Qpc);
    Sleep(20);
    Coarse = KeQueryInterruptTime();
    Second = KeQueryInterruptTimePrecise(&Qpc2);
    FvCheck(Second >= First + 10000 * 15 && Qpc2 > Qpc);
    FvCheck(Second >= Coarse); /* the coarse clock stands still between ticks */
    Unbiased = KeQueryUnbiasedInterruptTime();
    FvCheck(Unbiased >= Coarse && Unbiased <= Second + 10000 * 100); /* the machine never slept */
    KeQuerySystemTime(&SystemCoarse);
    KeQuerySystemTimePrecise(&System);
    FvCheck(System.QuadPart >= SystemCoarse.QuadPart && System.QuadPart < SystemCoarse.QuadPart + 10000 * 1000);
    KeQueryTickCount(&Tick);
    FvCheck(Tick.QuadPart * KeQueryTimeIncrement() <= (LONGLONG)KeQueryInterruptTime() + KeQueryTimeIncrement());
    KeQueryRuntimeThread(KeGetCurrentThread(), &User);
    FvCheck(User == 0); /* a system thread */
}

static VOID CheckDeviceQueue(VOID)
{
    KDEVICE_QUEUE Queue;
    KDEVICE_QUEUE_ENTRY Entries[3];
    KIRQL Irql;

    KeInitializeDeviceQueue(&Queue);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 0) == NULL);
    FvCheck(!KeInsertByKeyDeviceQueue(&Queue, &Entries[0], 5)); /* it was idle: now busy, and nothing is queued */
    FvCheck(KeInsertByKeyDeviceQueue(&Queue, &Entries[0], 5));
    FvCheck(KeInsertByKeyDeviceQueue(&Queue, &Entries[1], 7));
    FvCheck(KeInsertByKeyDeviceQueue(&Queue, &Entries[2], 9));
    FvCheck(KeRemoveEntryDeviceQueue(&Queue, &Entries[1]));
    FvCheck(!KeRemoveEntryDeviceQueue(&Queue, &Entries[1]));
    /* The first whose key is not below; behind the last it starts over. */
    FvCheck(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 6) == &Entries[2]);
    FvCheck(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 6) == &Entries[0]);
    FvCheck(Queue.Busy);
    FvCheck(KeRemoveByKeyDeviceQueueIfBusy(&Queue, 6) == NULL);
    FvCheck(!Queue.Busy);
    KeLowerIrql(Irql);
}

static VOID NTAPI CatchApc(PKAPC Apc, PKNORMAL_ROUTINE *Routine, PVOID *Context, PVOID *Argument1, PVOID *Argument2)
{
}

NTKERNELAPI VOID NTAPI KeInitializeApc(PRKAPC Apc, PRKTHREAD Thread, INT Environment, PVOID KernelRoutine,
                                       PVOID RundownRoutine, PVOID NormalRoutine, KPROCESSOR_MODE Mode, PVOID Context);
NTKERNELAPI BOOLEAN NTAPI KeInsertQueueApc(PRKAPC Apc, PVOID Argument1, PVOID Argument2, KPRIORITY Increment);

static VOID CheckThread(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KPRIORITY Priority = KeQueryPriorityThread(Thread);
    KGUARDED_MUTEX Mutex;
    LONG Old;
    UCHAR Ideal;
    KIRQL Irql;
    KAPC Apc;

    Old = KeSetBasePriorityThread(Thread, 1);
    FvCheck(KeSetBasePriorityThread(Thread, Old) == 1);
    FvCheck(KeQueryPriorityThread(Thread) == Priority);
    Ideal = KeSetIdealProcessorThread(Thread, 0);
    FvCheck(KeSetIdealProcessorThread(Thread, Ideal) == 0);
    FvCheck(KeSetKernelStackSwapEnable(FALSE));
    FvCheck(!KeSetKernelStackSwapEnable(TRUE));
    FvCheck(!KeTestAlertThread(KernelMode));
    FvCheck(ZwYieldExecution() == STATUS_SUCCESS || ZwYieldExecution() == STATUS_NO_YIELD_PERFORMED);

    KeInitializeApc(&Apc, Thread, 0, CatchApc, NULL, NULL, KernelMode, NULL);
    KeRaiseIrql(APC_LEVEL, &Irql);
    FvCheck(!KeRemoveQueueApc(&Apc));
    FvCheck(KeInsertQueueApc(&Apc, NULL, NULL, 0));
    FvCheck(!KeInsertQueueApc(&Apc, NULL, NULL, 0));
    FvCheck(KeRemoveQueueApc(&Apc));
    FvCheck(!KeRemoveQueueApc(&Apc));
    KeLowerIrql(Irql);

    KeInitializeGuardedMutex(&Mutex);
    KeEnterGuardedRegion();
    KeAcquireGuardedMutexUnsafe(&Mutex);
    FvCheck(!KeTryToAcquireGuardedMutex(&Mutex));
    KeReleaseGuardedMutexUnsafe(&Mutex);
    FvCheck(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    FvCheck(!KeAreAllApcsDisabled());
}

static VOID NTAPI DeepCall(PVOID Parameter)
{
    volatile UCHAR Space[16384];
    ULONG_PTR *Got = Parameter;

    Space[0] = 1;
    *Got = IoGetRemainingStackSize() + Space[0];
}

static VOID CheckStacks(VOID)
{
    ULONG_PTR Remaining = 0;

    FvCheck(KeExpandKernelStackAndCalloutEx(DeepCall, &Remaining, 32768, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(Remaining > 8192);
    FvCheck(KeExpandKernelStackAndCalloutEx(DeepCall, &Remaining, MAXIMUM_EXPANSION_SIZE + 1, FALSE, NULL) ==
            STATUS_INVALID_PARAMETER_3);
}

static VOID CheckStates(VOID)
{
    XSTATE_SAVE Save;
    KFLOATING_SAVE Float;
    KAPC_STATE State;
    PEPROCESS Process = IoGetCurrentProcess();

    FvCheck(KeSaveFloatingPointState(&Float) == STATUS_SUCCESS);
    FvCheck(KeRestoreFloatingPointState(&Float) == STATUS_SUCCESS);
    FvCheck(KeSaveExtendedProcessorState(XSTATE_MASK_LEGACY, &Save) == STATUS_SUCCESS);
    KeRestoreExtendedProcessorState(&Save);
    KeStackAttachProcess((PKPROCESS)PsInitialSystemProcess, &State);
    FvCheck(IoGetCurrentProcess() == PsInitialSystemProcess);
    KeUnstackDetachProcess(&State);
    FvCheck(IoGetCurrentProcess() == Process);
    FvCheck(KeInvalidateAllCaches());
}

static VOID NTAPI Bugcheck(PVOID Buffer, ULONG Length)
{
}

static VOID NTAPI Reason(KBUGCHECK_CALLBACK_REASON Reason, PKBUGCHECK_REASON_CALLBACK_RECORD Record, PVOID Data,
                         ULONG Length)
{
}

static VOID CheckBugcheckCallbacks(VOID)
{
    static UCHAR Component[] = "ke_more";
    static KBUGCHECK_REASON_CALLBACK_RECORD ReasonRecord;
    static KBUGCHECK_CALLBACK_RECORD Record;
    UCHAR Buffer[16];

    Record.State = BufferEmpty; /* KeInitializeCallbackRecord */
    ReasonRecord.State = BufferEmpty;
    FvCheck(!KeDeregisterBugCheckCallback(&Record));
    FvCheck(KeRegisterBugCheckCallback(&Record, Bugcheck, Buffer, sizeof(Buffer), Component));
    FvCheck(!KeRegisterBugCheckCallback(&Record, Bugcheck, Buffer, sizeof(Buffer), Component));
    FvCheck(KeDeregisterBugCheckCallback(&Record));
    FvCheck(!KeDeregisterBugCheckCallback(&Record));
    FvCheck(!KeDeregisterBugCheckReasonCallback(&ReasonRecord));
    FvCheck(KeRegisterBugCheckReasonCallback(&ReasonRecord, Reason, KbCallbackSecondaryDumpData, Component));
    FvCheck(!KeRegisterBugCheckReasonCallback(&ReasonRecord, Reason, KbCallbackSecondaryDumpData, Component));
    FvCheck(KeDeregisterBugCheckReasonCallback(&ReasonRecord));
    FvCheck(!KeDeregisterBugCheckReasonCallback(&ReasonRecord));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(126);
    CheckMutant();
    CheckSpinLocks();
    CheckDpcs();
    CheckCoalescableTimer();
    CheckProcessors();
    CheckTimes();
    CheckDeviceQueue();
    CheckThread();
    CheckStacks();
    CheckStates();
    CheckBugcheckCallbacks();
    return STATUS_SUCCESS;
}
