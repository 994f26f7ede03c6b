/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apc: asynchronous procedure calls in a thread's context.
 *
 * Special kernel APCs (no NormalRoutine) run at APC_LEVEL unless in a guarded region; normal ones also need
 * no critical region and none of their kind running.  User-mode APCs are queued and end alertable user-mode
 * waits; upcall.c delivers them.  Lists and flags: the dispatcher lock.
 *
 * Rules for APCs
 *  - They live in nonpaged memory until their kernel routine begins, which may free them.
 *  - Queued at IRQL <= DISPATCH_LEVEL; one that is queued is not queued again (FALSE), nor to a thread that ends.
 *  - The kernel routine runs in the thread at APC_LEVEL, the normal routine of a kernel APC after it at PASSIVE_LEVEL;
 *    each returns with APCs disabled as often as it found them.
 *  - A thread that ends hands what is left to the rundown routines; one without is its owner's again.
 */
#include "kep.h"

VOID KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment, PKKERNEL_ROUTINE KernelRoutine,
                     PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine, KPROCESSOR_MODE Mode,
                     PVOID NormalContext)
{
    KeCheckRoutine((PVOID)KernelRoutine, "APC's kernel routine");
    if (RundownRoutine != NULL)
        KeCheckRoutine((PVOID)RundownRoutine, "APC's rundown routine");
    if (NormalRoutine != NULL && Mode == KernelMode)
        KeCheckRoutine((PVOID)NormalRoutine, "APC's normal routine");
    RtlZeroMemory(Apc, sizeof(*Apc));
    Apc->Type = ApcObject;
    Apc->Size = sizeof(*Apc);
    Apc->Thread = Thread;
    Apc->ApcStateIndex = (CCHAR)Environment;
    Apc->KernelRoutine = KernelRoutine;
    Apc->RundownRoutine = RundownRoutine;
    Apc->NormalRoutine = NormalRoutine;
    Apc->ApcMode = NormalRoutine != NULL ? Mode : KernelMode;
    Apc->NormalContext = NormalRoutine != NULL ? NormalContext : NULL;
}

/* Interrupts on or off: asks this processor to deliver when its IRQL drops below APC_LEVEL. */
VOID KiRequestApc(PKTHREAD Thread)
{
    BOOLEAN Enabled = KiDisableInterrupts();
    PKPRCB Prcb = KeGetCurrentPrcb();

    if (Prcb->CurrentThread == Thread && !(Prcb->InterruptRequest & 1)) {
        Prcb->InterruptRequest |= 1;
        HalRequestSelfInterrupt(HAL_APC_VECTOR);
    }
    KiRestoreInterrupts(Enabled);
}

/* The thread has been switched to, or may take APCs again. */
VOID KiCheckApcAfterEnable(PKTHREAD Thread)
{
    if (Thread->ApcState.KernelApcPending && Thread->SpecialApcDisable == 0) {
        KiRequestApc(Thread);
    }
}

/* Whether the first kernel APC could run now, at PASSIVE_LEVEL. */
BOOLEAN KiApcDeliverable(PKTHREAD Thread)
{
    PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[KernelMode];

    if (!Thread->ApcState.KernelApcPending || Thread->SpecialApcDisable != 0 || IsListEmpty(Head)) {
        return FALSE;
    }
    return CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry)->NormalRoutine == NULL ||
           (Thread->KernelApcDisable == 0 && !Thread->ApcState.KernelApcInProgress);
}

static VOID KiInsertApcLocked(PKAPC Apc)
{
    PKTHREAD Thread = Apc->Thread;
    PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[(int)Apc->ApcMode], Entry = Head->Blink;

    /* Special ones before normal ones. */
    if (Apc->ApcMode == KernelMode && Apc->NormalRoutine == NULL) {
        while (Entry != Head && CONTAINING_RECORD(Entry, KAPC, ApcListEntry)->NormalRoutine != NULL) {
            Entry = Entry->Blink;
        }
    }
    InsertHeadList(Entry, &Apc->ApcListEntry);
    Apc->Inserted = TRUE;
}

static VOID KiSignalApc(PKAPC Apc, KPRIORITY Increment)
{
    PKTHREAD Thread = Apc->Thread;

    if (Apc->ApcMode != KernelMode) {
        if (Thread->State == Waiting && Thread->WaitMode == UserMode && Thread->Alertable) {
            Thread->ApcState.UserApcPending = TRUE;
            KiUnwaitThread(Thread, STATUS_USER_APC, Increment);
        }
        return;
    }
    Thread->ApcState.KernelApcPending = TRUE;
    if (Thread->State == Running) {
        if (Thread == KeGetCurrentThread()) {
            if (Thread->SpecialApcDisable == 0) {
                KiRequestApc(Thread);
            }
        } else {
            KiIpiRequest((KAFFINITY)1 << Thread->NextProcessor, KI_IPI_APC);
        }
    } else if (Thread->State == Waiting && Thread->WaitIrql < APC_LEVEL && Thread->SpecialApcDisable == 0 &&
               (Apc->NormalRoutine == NULL ||
                (Thread->KernelApcDisable == 0 && !Thread->ApcState.KernelApcInProgress))) {
        KiUnwaitThread(Thread, KI_STATUS_KERNEL_APC, Increment);
    }
}

BOOLEAN KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2, KPRIORITY Increment)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Inserted = Apc->Thread->ApcQueueable && !Apc->Inserted;

    if (Inserted) {
        Apc->SystemArgument1 = SystemArgument1;
        Apc->SystemArgument2 = SystemArgument2;
        KiInsertApcLocked(Apc);
        KiSignalApc(Apc, Increment);
    }
    KiUnlockDispatcher(OldIrql);
    return Inserted;
}

BOOLEAN KeRemoveQueueApc(PKAPC Apc)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    PKTHREAD Thread = Apc->Thread;
    BOOLEAN Inserted = Apc->Inserted;

    if (Inserted) {
        Apc->Inserted = FALSE;
        RemoveEntryList(&Apc->ApcListEntry);
        if (Apc->ApcMode == KernelMode && IsListEmpty(&Thread->ApcState.ApcListHead[KernelMode])) {
            Thread->ApcState.KernelApcPending = FALSE;
        }
    }
    KiUnlockDispatcher(OldIrql);
    return Inserted;
}

VOID KiCheckApcExit(PKTHREAD Thread, LONG Disable, PVOID Routine)
{
    if (Thread->CombinedApcDisable != Disable || __readcr8() != APC_LEVEL) {
        KeBugCheckEx(APC_INDEX_MISMATCH, (ULONG_PTR)Routine, __readcr8(), (ULONG_PTR)(ULONG)Thread->CombinedApcDisable,
                     1);
    }
}

/* At APC_LEVEL, in the thread's context. */
VOID KiDeliverApc(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();
    LONG Disable = Thread->CombinedApcDisable;

    if (Thread->SpecialApcDisable != 0) {
        return;
    }
    for (;;) {
        KIRQL OldIrql = KiAcquireDispatcher();
        PLIST_ENTRY Head = &Thread->ApcState.ApcListHead[KernelMode];
        PKKERNEL_ROUTINE KernelRoutine;
        PKNORMAL_ROUTINE NormalRoutine;
        PVOID Context, Argument1, Argument2;
        BOOLEAN Normal;
        FV_CALL Call;
        PKAPC Apc;

        if (IsListEmpty(Head)) {
            Thread->ApcState.KernelApcPending = FALSE;
            KiUnlockDispatcher(OldIrql);
            return;
        }
        Apc = CONTAINING_RECORD(Head->Flink, KAPC, ApcListEntry);
        KernelRoutine = Apc->KernelRoutine;
        NormalRoutine = Apc->NormalRoutine;
        Context = Apc->NormalContext;
        Argument1 = Apc->SystemArgument1;
        Argument2 = Apc->SystemArgument2;
        Normal = NormalRoutine != NULL;
        if (Normal && (Thread->ApcState.KernelApcInProgress || Thread->KernelApcDisable != 0)) {
            KiUnlockDispatcher(OldIrql);
            return; /* stays pending until the region is left */
        }
        RemoveEntryList(&Apc->ApcListEntry);
        Apc->Inserted = FALSE;
        KiUnlockDispatcher(OldIrql);
        FV_TRACE(FLTVM_TRACE_APC_DELIVER, Apc, Normal ? (PVOID)NormalRoutine : (PVOID)KernelRoutine, 0, 0, 0);
        FvBeginCall(&Call);
        KernelRoutine(Apc, &NormalRoutine, &Context, &Argument1, &Argument2);
        FvEndCall(&Call, (PVOID)KernelRoutine, "APC's kernel routine", (ULONG_PTR)Apc);
        KiCheckApcExit(Thread, Disable, KernelRoutine);
        if (Normal && NormalRoutine != NULL) {
            Thread->ApcState.KernelApcInProgress = TRUE;
            __writecr8(PASSIVE_LEVEL);
            FvBeginCall(&Call);
            NormalRoutine(Context, Argument1, Argument2);
            FvEndCall(&Call, (PVOID)NormalRoutine, "APC's normal routine", (ULONG_PTR)Context);
            __writecr8(APC_LEVEL);
            Thread->ApcState.KernelApcInProgress = FALSE;
            KiCheckApcExit(Thread, Disable, NormalRoutine);
        }
    }
}

/* ---- alerts ---- */

BOOLEAN KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE Mode)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Old = Thread->Alerted[(int)Mode];

    if (!Old) {
        if (Thread->State == Waiting && Thread->Alertable && (KPROCESSOR_MODE)Thread->WaitMode >= Mode) {
            KiUnwaitThread(Thread, STATUS_ALERTED, 2);
        } else {
            Thread->Alerted[(int)Mode] = TRUE;
        }
    }
    KiUnlockDispatcher(OldIrql);
    return Old;
}

BOOLEAN KeTestAlertThread(KPROCESSOR_MODE Mode)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KIRQL OldIrql = KiAcquireDispatcher();
    BOOLEAN Old = Thread->Alerted[(int)Mode];

    Thread->Alerted[(int)Mode] = FALSE;
    if (!Old && Mode != KernelMode && !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode])) {
        Thread->ApcState.UserApcPending = TRUE;
    }
    KiUnlockDispatcher(OldIrql);
    return Old;
}

/* ---- critical and guarded regions ---- */

/* A region left that was not entered is found here with the verifier, else at the thread's end. */
static VOID KiCheckRegion(SHORT Count)
{
    KiVerify(Count < 0, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3E, 0, 0, 0);
}

static VOID KiCheckRegionIrql(PKTHREAD Thread, PVOID Caller)
{
    KiVerify(__readcr8() <= APC_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Thread, __readcr8(), 1, (ULONG_PTR)Caller);
}

VOID NTAPI KeEnterCriticalRegion(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();

    KiCheckRegionIrql(Thread, _ReturnAddress());
    Thread->KernelApcDisable--;
}

VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();

    KiCheckRegionIrql(Thread, _ReturnAddress());
    KiCheckRegion(Thread->KernelApcDisable);
    if (++Thread->KernelApcDisable == 0 && !IsListEmpty(&Thread->ApcState.ApcListHead[KernelMode])) {
        Thread->ApcState.KernelApcPending = TRUE;
        KiCheckApcAfterEnable(Thread);
    }
}

VOID NTAPI KeEnterGuardedRegion(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();

    KiCheckRegionIrql(Thread, _ReturnAddress());
    Thread->SpecialApcDisable--;
}

VOID NTAPI KeLeaveGuardedRegion(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();

    KiCheckRegionIrql(Thread, _ReturnAddress());
    KiCheckRegion(Thread->SpecialApcDisable);
    if (++Thread->SpecialApcDisable == 0 && !IsListEmpty(&Thread->ApcState.ApcListHead[KernelMode])) {
        Thread->ApcState.KernelApcPending = TRUE;
        KiCheckApcAfterEnable(Thread);
    }
}

BOOLEAN NTAPI KeAreApcsDisabled(VOID)
{
    return KeGetCurrentThread()->CombinedApcDisable != 0;
}

BOOLEAN NTAPI KeAreAllApcsDisabled(VOID)
{
    return KeGetCurrentThread()->SpecialApcDisable != 0 || __readcr8() >= APC_LEVEL;
}
