/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpc: deferred procedure calls, a queue for each processor.
 *
 * KDPC.DpcData is the queue it is in, or NULL; it changes by compare-and-exchange, so that a DPC is in one
 * queue at most and queueing it twice is harmless, as documented.  Queues drain at DISPATCH_LEVEL in
 * KiDispatchInterrupt or in the idle loop.
 *
 * Rules for DPCs
 *  - They live in nonpaged memory until their routine begins, which may free or queue them again.
 *  - Queued and removed at any IRQL; importance and target are set while it is not queued.
 *  - The routine runs at DISPATCH_LEVEL with interrupts on, on the processor where it was queued or on its target, in
 *    whatever thread is there; it returns at DISPATCH_LEVEL with nothing held that it took.
 *  - A DPC's routine never runs for two insertions at once on one processor; on two it may, if it is queued again
 *    while it runs.
 */
#include "kep.h"

static PKPRCB KiDpcTarget(PKDPC Dpc)
{
    if (Dpc->Number >= KI_DPC_TARGETED) {
        return KiProcessorBlock[Dpc->Number - KI_DPC_TARGETED];
    }
    return KeGetCurrentPrcb();
}

/* Interrupts may be on or off; any IRQL.  Sees to it that this processor drains its queue. */
VOID KiRequestDispatchInterrupt(PKPRCB Prcb)
{
    BOOLEAN Enabled = KiDisableInterrupts();

    Prcb->DpcInterruptRequested = TRUE;
    /* Inside an interrupt its exit looks; the idle loop looks before it halts. */
    if (Prcb->NestingLevel == 0 && !Prcb->IdleActive && !(Prcb->InterruptRequest & 2)) {
        Prcb->InterruptRequest |= 2;
        HalRequestSelfInterrupt(HAL_DISPATCH_VECTOR);
    }
    KiRestoreInterrupts(Enabled);
}

/* How a queued DPC comes to run: by importance and by where it is queued. */
static VOID KiSignalDpc(PKPRCB Target, PKPRCB Current, UCHAR Importance, LONG Depth)
{
    if (Target == Current) {
        if (Importance != LowImportance || Depth >= KI_DPC_DEPTH_LIMIT || Target->IdleActive) {
            KiRequestDispatchInterrupt(Target);
        }
        return;
    }
    if (Importance == HighImportance || Importance == MediumHighImportance || Depth >= KI_DPC_DEPTH_LIMIT ||
        Target->IdleActive) {
        Target->DpcInterruptRequested = TRUE;
        KiIpiRequest(Target->SetMember, KI_IPI_DISPATCH);
    }
}

BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    BOOLEAN Enabled;
    PKPRCB Current, Target;
    LONG Depth;
    UCHAR Importance = Dpc->Importance;

    KiVerify(Dpc->Type == DpcObject || Dpc->Type == ThreadedDpcObject, 0xC7 /* TIMER_OR_DPC_INVALID */, 1,
             (ULONG_PTR)Dpc, 0, 0);
    Enabled = KiDisableInterrupts();
    Current = KeGetCurrentPrcb();
    Target = KiDpcTarget(Dpc);
    KiAcquireSpinLock(&Target->DpcLock);
    if (Dpc->DpcData != NULL ||
        InterlockedCompareExchangePointer((PVOID volatile *)&Dpc->DpcData, &Target->DpcListHead, NULL) != NULL) {
        KiReleaseSpinLock(&Target->DpcLock);
        KiRestoreInterrupts(Enabled);
        return FALSE;
    }
    Dpc->SystemArgument1 = SystemArgument1;
    Dpc->SystemArgument2 = SystemArgument2;
    if (KiIsRoutineInPool(Dpc)) {
        KiTrack(KiTrackedRoutine, (PVOID)Dpc->DeferredRoutine);
    }
    if (Importance == HighImportance) {
        InsertHeadList(&Target->DpcListHead, &Dpc->DpcListEntry);
    } else {
        InsertTailList(&Target->DpcListHead, &Dpc->DpcListEntry);
    }
    Depth = ++Target->DpcQueueDepth;
    Target->DpcCount++;
    KiReleaseSpinLock(&Target->DpcLock);
    FV_TRACE(FLTVM_TRACE_DPC_INSERT, Dpc, Dpc->DeferredRoutine, Target->Number, Importance, 0);
    KiSignalDpc(Target, Current, Importance, Depth);
    KiRestoreInterrupts(Enabled);
    return TRUE;
}

BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    BOOLEAN Enabled = KiDisableInterrupts(), Removed = FALSE;
    PLIST_ENTRY Head = (PLIST_ENTRY)Dpc->DpcData;

    if (Head != NULL) {
        PKPRCB Prcb = CONTAINING_RECORD(Head, KPRCB, DpcListHead);

        KiAcquireSpinLock(&Prcb->DpcLock);
        if (Dpc->DpcData == Head) {
            RemoveEntryList(&Dpc->DpcListEntry);
            Prcb->DpcQueueDepth--;
            if (KiIsRoutineInPool(Dpc)) {
                KiUntrack(KiTrackedRoutine, (PVOID)Dpc->DeferredRoutine);
            }
            Dpc->DpcData = NULL;
            Removed = TRUE;
        }
        KiReleaseSpinLock(&Prcb->DpcLock);
    }
    KiRestoreInterrupts(Enabled);
    return Removed;
}

/* The bugchecks that Windows has for DPCs; FvEndCall has the rest. */
static VOID KiCheckDpcExit(PKPRCB Prcb, PKDEFERRED_ROUTINE Routine, LONG ApcDisable)
{
    if (__readcr8() != DISPATCH_LEVEL) {
        FvBlame((PVOID)Routine);
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Routine, __readcr8(), DISPATCH_LEVEL, 0);
    }
    if (KeGetCurrentThread()->CombinedApcDisable != ApcDisable) {
        FvBlame((PVOID)Routine);
        KeBugCheckEx(TIMER_OR_DPC_INVALID, 4, (ULONG_PTR)Routine, (ULONG)ApcDisable,
                     (ULONG)KeGetCurrentThread()->CombinedApcDisable);
    }
    if (Prcb != KeGetCurrentPrcb()) {
        KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)KeGetCurrentThread(), 0, 0, 0);
    }
}

/* At DISPATCH_LEVEL, interrupts on; runs what is queued, and what that queues. */
VOID KiRetireDpcList(PKPRCB Prcb)
{
    _disable();
    Prcb->DpcRoutineActive = TRUE;
    do {
        Prcb->DpcInterruptRequested = FALSE;
        if (Prcb->TimerRequest) {
            Prcb->TimerRequest = FALSE;
            _enable();
            KiTimerExpiration();
            _disable();
        }
        while (Prcb->DpcQueueDepth != 0) {
            PKDPC Dpc;
            PKDEFERRED_ROUTINE Routine;
            PVOID Context, Argument1, Argument2;
            LONG ApcDisable = Prcb->CurrentThread->CombinedApcDisable;
            FV_CALL Call;

            KiAcquireSpinLock(&Prcb->DpcLock);
            if (Prcb->DpcQueueDepth == 0) {
                KiReleaseSpinLock(&Prcb->DpcLock);
                break;
            }
            Dpc = CONTAINING_RECORD(RemoveHeadList(&Prcb->DpcListHead), KDPC, DpcListEntry);
            Prcb->DpcQueueDepth--;
            Routine = Dpc->DeferredRoutine;
            Context = Dpc->DeferredContext;
            Argument1 = Dpc->SystemArgument1;
            Argument2 = Dpc->SystemArgument2;
            if (KiIsRoutineInPool(Dpc)) {
                KiUntrack(KiTrackedRoutine, (PVOID)Dpc->DeferredRoutine);
            }
            Dpc->DpcData = NULL; /* from here on it may be queued again, or freed by its routine */
            KiReleaseSpinLock(&Prcb->DpcLock);
            Prcb->DpcTicks = 0;
            Prcb->DpcRoutine = (PVOID)Routine;
            _enable();
            FV_TRACE(FLTVM_TRACE_DPC_ENTER, Dpc, Routine, 0, 0, 0);
            FvBeginCall(&Call);
            Routine(Dpc, Context, Argument1, Argument2);
            FV_TRACE(FLTVM_TRACE_DPC_LEAVE, Dpc, 0, 0, 0, 0);
            KiCheckDpcExit(Prcb, Routine, ApcDisable);
            FvEndCall(&Call, (PVOID)Routine, "DPC routine", (ULONG_PTR)Dpc);
            _disable();
            Prcb->DpcRoutine = NULL;
        }
    } while (Prcb->TimerRequest || Prcb->DpcQueueDepth != 0);
    Prcb->DpcRoutineActive = FALSE;
    _enable();
}

/* At DISPATCH_LEVEL in the interrupted thread's context: DPCs, the quantum's end, preemption. */
VOID KiDispatchInterrupt(VOID)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    if (Prcb->DpcQueueDepth != 0 || Prcb->TimerRequest) {
        KiRetireDpcList(Prcb);
    }
    Prcb->DpcInterruptRequested = FALSE;
    if (Prcb->QuantumEnd || Prcb->NextThread != NULL) {
        KiQuantumEnd();
    }
    /* A DPC that came between the drain and here has set its own interrupt. */
    if (Prcb->DpcQueueDepth != 0 || Prcb->TimerRequest) {
        KiRequestDispatchInterrupt(KeGetCurrentPrcb());
    }
}

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KeCheckRoutine((PVOID)DeferredRoutine, "DPC routine");
    RtlZeroMemory(Dpc, sizeof(*Dpc));
    Dpc->Type = DpcObject;
    Dpc->Importance = MediumImportance;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
}

/* Windows may run threaded DPCs as ordinary ones; so does fltvm. */
VOID NTAPI KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    KeInitializeDpc(Dpc, DeferredRoutine, DeferredContext);
    Dpc->Type = ThreadedDpcObject;
}

VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    Dpc->Number = (USHORT)(KI_DPC_TARGETED + (UCHAR)Number);
}

NTSTATUS NTAPI KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Number >= KiProcessorCount || ProcNumber->Reserved != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Dpc->Number = (USHORT)(KI_DPC_TARGETED + ProcNumber->Number);
    return STATUS_SUCCESS;
}

static VOID NTAPI KiFlushDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    KeSetEvent(Context, 0, FALSE);
}

/* Each processor's queue is first in, first out but for high importance: what was there has run after this.
 */
VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    KEVENT Event;
    KDPC Dpc;

    KiVerify(__readcr8() == PASSIVE_LEVEL, IRQL_NOT_LESS_OR_EQUAL, 0, __readcr8(), 0, (ULONG_PTR)_ReturnAddress());
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        KeInitializeDpc(&Dpc, KiFlushDpc, &Event);
        KeSetTargetProcessorDpc(&Dpc, (CCHAR)Number);
        Dpc.Importance = MediumHighImportance;
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
}

NTSTATUS NTAPI KeQueryDpcWatchdogInformation(PKDPC_WATCHDOG_INFORMATION WatchdogInformation)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    if (__readcr8() < DISPATCH_LEVEL) {
        return STATUS_UNSUCCESSFUL;
    }
    RtlZeroMemory(WatchdogInformation, sizeof(*WatchdogInformation));
    WatchdogInformation->DpcTimeLimit = KiDpcTimeLimit;
    WatchdogInformation->DpcTimeCount = KiDpcTimeLimit - Prcb->DpcTicks;
    WatchdogInformation->DpcWatchdogLimit = KiDpcWatchdogLimit;
    WatchdogInformation->DpcWatchdogCount = KiDpcWatchdogLimit - Prcb->DispatchTicks;
    return STATUS_SUCCESS;
}

ULONG NTAPI KeIsExecutingDpc(VOID)
{
    /* At a lower IRQL the thread may be moved while it asks; there the answer is no. */
    return __readcr8() >= DISPATCH_LEVEL && KeGetCurrentPrcb()->DpcRoutineActive;
}

/* Whether code at DISPATCH_LEVEL keeps others waiting that were due at the last tick. */
ULONG NTAPI KeShouldYieldProcessor(VOID)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    KiVerify(__readcr8() >= DISPATCH_LEVEL, 0x8 /* IRQL_NOT_DISPATCH_LEVEL */, 0, __readcr8(), 0,
             (ULONG_PTR)_ReturnAddress());
    return Prcb->DispatchTicks != 0 || Prcb->QuantumEnd || Prcb->NextThread != NULL;
}
