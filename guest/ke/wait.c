/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wait: blocking on dispatcher objects, and waking those who do.
 *
 * A wait block links a thread into an object's list.  Signalling walks the list (KiWaitTest), satisfies waits
 * in order while the object stays signalled, and makes threads ready.  A kernel APC interrupts a wait, which
 * then begins anew with what is left of its time-out.
 *
 * Rules for waits
 *  - A thread blocks at IRQL <= APC_LEVEL; with a time-out of zero it only looks, at IRQL <= DISPATCH_LEVEL too.
 *  - The objects live as long as anybody waits for them; a wait's blocks are the thread's own for up to
 *    THREAD_WAIT_OBJECTS, else the caller's, who keeps them until it returns.
 *  - A wait that is not alertable ends only when satisfied or timed out; an alertable one in UserMode also by a user
 *    APC or an alert.
 *  - Everything here is under the dispatcher lock, which the thread that is switched to lets go.
 */
#include "kep.h"

/* TRUE when a wait for it by Thread need not block. */
static BOOLEAN KiIsSignaled(PDISPATCHER_HEADER Header, PKTHREAD Thread)
{
    if (Header->Type == MutantObject) {
        return Header->SignalState > 0 || ((PKMUTANT)Header)->OwnerThread == Thread;
    }
    return Header->SignalState > 0;
}

/* Takes what a satisfied wait takes.  Returns STATUS_ABANDONED for a mutex whose owner died. */
static NTSTATUS KiSatisfy(PDISPATCHER_HEADER Header, PKTHREAD Thread)
{
    switch (Header->Type) {
    case EventSynchronizationObject:
    case TimerSynchronizationObject: Header->SignalState = 0; break;
    case SemaphoreObject: Header->SignalState--; break;
    case MutantObject: {
        PKMUTANT Mutant = (PKMUTANT)Header;

        KeNoteResource(Thread, Mutant, Thread->WaitCaller);
        if (--Header->SignalState == 0) {
            Thread->KernelApcDisable = (SHORT)(Thread->KernelApcDisable - Mutant->ApcDisable);
            Mutant->OwnerThread = Thread;
            InsertHeadList(&Thread->MutantListHead, &Mutant->MutantListEntry);
            if (Mutant->Abandoned) {
                Mutant->Abandoned = FALSE;
                return STATUS_ABANDONED;
            }
        }
        break;
    }
    }
    return STATUS_SUCCESS;
}

static BOOLEAN KiAllSignaled(PKWAIT_BLOCK First, PKTHREAD Thread)
{
    PKWAIT_BLOCK Block = First;

    do {
        if (Block->WaitKey != (USHORT)STATUS_TIMEOUT && !KiIsSignaled(Block->Object, Thread)) {
            return FALSE;
        }
        Block = Block->NextWaitBlock;
    } while (Block != First);
    return TRUE;
}

static VOID KiSatisfyAll(PKWAIT_BLOCK First, PKTHREAD Thread, LONG64 *Status)
{
    PKWAIT_BLOCK Block = First;

    *Status = STATUS_WAIT_0;
    do {
        if (Block->WaitKey != (USHORT)STATUS_TIMEOUT && KiSatisfy(Block->Object, Thread) == STATUS_ABANDONED) {
            *Status = STATUS_ABANDONED_WAIT_0;
        }
        Block = Block->NextWaitBlock;
    } while (Block != First);
}

VOID KiUnwaitThread(PKTHREAD Thread, LONG64 WaitStatus, KPRIORITY Increment)
{
    PKWAIT_BLOCK First = Thread->WaitBlockList, Block = First;

    Thread->WaitStatus = WaitStatus;
    if (Block != NULL) {
        do {
            if (Block->WaitListEntry.Flink != NULL) {
                RemoveEntryList(&Block->WaitListEntry);
                Block->WaitListEntry.Flink = NULL;
            }
            Block = Block->NextWaitBlock;
        } while (Block != First);
    }
    if (Thread->Timer.Header.Inserted) {
        KiRemoveTimerLocked(&Thread->Timer);
    }
    if (Thread->Queue != NULL) {
        Thread->Queue->CurrentCount++;
    }
    if (Thread->Priority < LOW_REALTIME_PRIORITY) {
        KPRIORITY Boosted = Thread->BasePriority + Increment;

        if (!Thread->BoostDisabled && Boosted > Thread->Priority) {
            Thread->Priority = (SCHAR)(Boosted < LOW_REALTIME_PRIORITY ? Boosted : LOW_REALTIME_PRIORITY - 1);
        }
        if (Thread->Quantum <= 0) {
            Thread->Quantum = Thread->QuantumReset;
        }
    } else {
        Thread->Quantum = Thread->QuantumReset;
    }
    KiReadyThread(Thread);
}

VOID KiWaitTest(PVOID Object, KPRIORITY Increment)
{
    PDISPATCHER_HEADER Header = Object;
    PLIST_ENTRY Entry = Header->WaitListHead.Flink;

    while (Header->SignalState > 0 && Entry != &Header->WaitListHead) {
        PKWAIT_BLOCK Block = CONTAINING_RECORD(Entry, KWAIT_BLOCK, WaitListEntry);
        PKTHREAD Thread = Block->Thread;
        LONG64 Status;

        if (Block->WaitType == WaitAny) {
            Status = (NTSTATUS)Block->WaitKey;
            if (KiSatisfy(Header, Thread) == STATUS_ABANDONED) {
                Status += STATUS_ABANDONED_WAIT_0;
            }
        } else if (KiAllSignaled(Thread->WaitBlockList, Thread)) {
            KiSatisfyAll(Thread->WaitBlockList, Thread, &Status);
        } else {
            Entry = Entry->Flink;
            continue;
        }
        KiUnwaitThread(Thread, Status, Increment);
        /* The thread's other blocks may have been in this list too: begin at its head again. */
        Entry = Header->WaitListHead.Flink;
    }
}

/* What the documentation asks of every caller that may block. */
VOID KiCheckWait(PVOID Object, PLARGE_INTEGER Timeout)
{
    KIRQL Irql = (KIRQL)__readcr8();

    KiVerify(Irql <= APC_LEVEL || (Irql == DISPATCH_LEVEL && Timeout != NULL && Timeout->QuadPart == 0) ||
                 KeGetCurrentThread()->WaitNext,
             DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3B, Irql, (ULONG_PTR)Object, (ULONG_PTR)Timeout);
}

/* What nobody may do: block above APC_LEVEL. */
VOID KiCheckBlock(PKTHREAD Thread, KIRQL WaitIrql)
{
    if (WaitIrql > APC_LEVEL) {
        KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)Thread, 0, (ULONG_PTR)Thread->InitialStack, 0);
    }
}

/* The dispatcher lock, unless KeSetEvent (…, Wait = TRUE) left it held.  Returns the IRQL to go back to. */
KIRQL KiBeginWait(PKTHREAD Thread)
{
    if (Thread->WaitNext) {
        Thread->WaitNext = FALSE;
        return Thread->WaitIrql;
    }
    return KiAcquireDispatcher();
}

/* A kernel APC that could run now goes first: TRUE when the lock was dropped for it and the wait begins
 * again. */
BOOLEAN KiApcBeforeWait(PKTHREAD Thread, KIRQL WaitIrql)
{
    if (WaitIrql < APC_LEVEL && KiApcDeliverable(Thread)) {
        KiReleaseSpinLock(&KiDispatcherLock);
        KiRequestApc(Thread);
        __writecr8(WaitIrql);
        return TRUE;
    }
    return FALSE;
}

/* Whether an alert or a user APC ends an alertable wait; STATUS_SUCCESS when not. */
NTSTATUS KiTestWaitAlert(PKTHREAD Thread, BOOLEAN Alertable, KPROCESSOR_MODE WaitMode)
{
    if (Alertable) {
        if (Thread->Alerted[(int)WaitMode]) {
            Thread->Alerted[(int)WaitMode] = FALSE;
            return STATUS_ALERTED;
        }
        if (WaitMode != KernelMode && (Thread->Terminating || !IsListEmpty(&Thread->ApcState.ApcListHead[UserMode]))) {
            Thread->ApcState.UserApcPending = TRUE;
            return STATUS_USER_APC;
        }
        if (Thread->Alerted[KernelMode]) {
            Thread->Alerted[KernelMode] = FALSE;
            return STATUS_ALERTED;
        }
    } else if (WaitMode != KernelMode && Thread->ApcState.UserApcPending) {
        return STATUS_USER_APC;
    }
    return STATUS_SUCCESS;
}

/* Blocks; the wait blocks are linked, the lock is held and gets released.  Returns the wait's status. */
static LONG64 KiBlock(PKTHREAD Thread, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                      KIRQL WaitIrql)
{
    KiCheckBlock(Thread, WaitIrql);
    Thread->WaitReason = (UCHAR)WaitReason;
    Thread->WaitMode = (UCHAR)WaitMode;
    Thread->Alertable = Alertable;
    Thread->WaitIrql = WaitIrql;
    Thread->State = Waiting;
    if (Thread->Queue != NULL) {
        Thread->Queue->CurrentCount--;
        KiQueueThreadBlocks(Thread->Queue);
    }
    KiSwapThread(Thread);
    KiReleaseSpinLock(&KiDispatcherLock);
    KiCheckApcAfterEnable(Thread);
    __writecr8(WaitIrql);
    return Thread->WaitStatus;
}

/* Links block 3, the time-out's, after Last, and starts the timer. */
VOID KiLinkTimeout(PKTHREAD Thread, PKWAIT_BLOCK Last, PKWAIT_BLOCK First, ULONG64 DueTime)
{
    PKWAIT_BLOCK Block = &Thread->WaitBlock[3];

    Last->NextWaitBlock = Block;
    Block->NextWaitBlock = First;
    Block->WaitType = WaitAny;
    InitializeListHead(&Thread->Timer.Header.WaitListHead);
    InsertTailList(&Thread->Timer.Header.WaitListHead, &Block->WaitListEntry);
    KiInsertTimerLocked(&Thread->Timer, DueTime);
}

NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON WaitReason,
                                        KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                        PKWAIT_BLOCK WaitBlockArray)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PKWAIT_BLOCK Blocks = WaitBlockArray != NULL ? WaitBlockArray : Thread->WaitBlock;
    ULONG64 DueTime = 0;
    LONG64 Status;
    KIRQL WaitIrql;

    Thread->WaitCaller = _ReturnAddress();
    KiCheckWait(Count != 0 ? Object[0] : NULL, Timeout);
    if (Count == 0 || Count > (WaitBlockArray != NULL ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS)) {
        KeBugCheckEx(MAXIMUM_WAIT_OBJECTS_EXCEEDED, Count, 0, 0, 0);
    }
    if (Timeout != NULL && Timeout->QuadPart != 0) {
        DueTime = KiDueTime(*Timeout);
    }
    do {
        WaitIrql = KiBeginWait(Thread);
        if (KiApcBeforeWait(Thread, WaitIrql)) {
            Status = KI_STATUS_KERNEL_APC;
            continue;
        }
        for (ULONG i = 0; i < Count; i++) {
            Blocks[i].Object = Object[i];
            Blocks[i].Thread = Thread;
            Blocks[i].WaitKey = (USHORT)i;
            Blocks[i].WaitType = (UCHAR)WaitType;
            Blocks[i].NextWaitBlock = &Blocks[i + 1 < Count ? i + 1 : 0];
            Blocks[i].WaitListEntry.Flink = NULL;
            if (WaitType == WaitAny && KiIsSignaled(Object[i], Thread)) {
                Status = STATUS_WAIT_0 + i;
                if (KiSatisfy(Object[i], Thread) == STATUS_ABANDONED) {
                    Status = STATUS_ABANDONED_WAIT_0 + i;
                }
                KiUnlockDispatcher(WaitIrql);
                return (NTSTATUS)Status;
            }
        }
        if (WaitType == WaitAll && KiAllSignaled(Blocks, Thread)) {
            KiSatisfyAll(Blocks, Thread, &Status);
            KiUnlockDispatcher(WaitIrql);
            return (NTSTATUS)Status;
        }
        Status = KiTestWaitAlert(Thread, Alertable, WaitMode);
        if (Status == STATUS_SUCCESS && Timeout != NULL && (DueTime == 0 || DueTime <= KiQueryInterruptTime())) {
            Status = STATUS_TIMEOUT;
        }
        if (Status != STATUS_SUCCESS) {
            KiUnlockDispatcher(WaitIrql);
            return (NTSTATUS)Status;
        }
        for (ULONG i = 0; i < Count; i++) {
            InsertTailList(&((PDISPATCHER_HEADER)Object[i])->WaitListHead, &Blocks[i].WaitListEntry);
        }
        Thread->WaitBlockList = Blocks;
        if (DueTime != 0) {
            KiLinkTimeout(Thread, &Blocks[Count - 1], Blocks, DueTime);
        }
        Status = KiBlock(Thread, WaitReason, WaitMode, Alertable, WaitIrql);
    } while (Status == KI_STATUS_KERNEL_APC);
    return (NTSTATUS)Status;
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                     PLARGE_INTEGER Timeout)
{
    PDISPATCHER_HEADER Header = Object;
    PKTHREAD Thread = KeGetCurrentThread();
    PKWAIT_BLOCK Block = &Thread->WaitBlock[0];
    ULONG64 DueTime = 0;
    BOOLEAN Ordered = FALSE; /* a mutex that is waited for */
    LONG64 Status;
    KIRQL WaitIrql;

    KiCheckWait(Object, Timeout);
    if (Timeout != NULL && Timeout->QuadPart != 0) {
        DueTime = KiDueTime(*Timeout);
    }
    Thread->WaitCaller = _ReturnAddress();
    do {
        WaitIrql = KiBeginWait(Thread);
        if (KiApcBeforeWait(Thread, WaitIrql)) {
            Status = KI_STATUS_KERNEL_APC;
            continue;
        }
        Ordered = Header->Type == MutantObject && (Timeout == NULL || DueTime != 0);
        if (KiIsSignaled(Header, Thread)) {
            if (Header->SignalState == MINLONG) {
                KiUnlockDispatcher(WaitIrql);
                ExRaiseStatus(STATUS_MUTANT_LIMIT_EXCEEDED);
            }
            Status = KiSatisfy(Header, Thread);
            KiUnlockDispatcher(WaitIrql);
            if (Ordered) {
                KeCheckResourceOrder(Object, Thread->WaitCaller);
            }
            return (NTSTATUS)Status;
        }
        Status = KiTestWaitAlert(Thread, Alertable, WaitMode);
        if (Status == STATUS_SUCCESS && Timeout != NULL && (DueTime == 0 || DueTime <= KiQueryInterruptTime())) {
            Status = STATUS_TIMEOUT;
        }
        if (Status != STATUS_SUCCESS) {
            KiUnlockDispatcher(WaitIrql);
            return (NTSTATUS)Status;
        }
        if ((Header->Type == MutantObject || Header->Type == ThreadObject) && Timeout == NULL && KiDriverVerifierOn &&
            Thread->HolderKnown != Object) {
            KiUnlockDispatcher(WaitIrql);
            return KiWaitForHolder(Object, WaitReason, WaitMode, Alertable, Thread->WaitCaller);
        }
        Block->Object = Object;
        Block->Thread = Thread;
        Block->WaitKey = 0;
        Block->WaitType = WaitAny;
        Block->NextWaitBlock = Block;
        InsertTailList(&Header->WaitListHead, &Block->WaitListEntry);
        Thread->WaitBlockList = Block;
        if (DueTime != 0) {
            KiLinkTimeout(Thread, Block, Block, DueTime);
        }
        Status = KiBlock(Thread, WaitReason, WaitMode, Alertable, WaitIrql);
    } while (Status == KI_STATUS_KERNEL_APC);
    if (Ordered && (Status == STATUS_SUCCESS || Status == STATUS_ABANDONED)) {
        KeCheckResourceOrder(Object, Thread->WaitCaller);
    }
    return (NTSTATUS)Status;
}

NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PKWAIT_BLOCK Block = &Thread->WaitBlock[3];
    ULONG64 DueTime;
    LONG64 Status;
    KIRQL WaitIrql;

    KiCheckWait(Thread, NULL);
    DueTime = KiDueTime(*Interval);
    do {
        WaitIrql = KiBeginWait(Thread);
        if (KiApcBeforeWait(Thread, WaitIrql)) {
            Status = KI_STATUS_KERNEL_APC;
            continue;
        }
        Status = KiTestWaitAlert(Thread, Alertable, WaitMode);
        if (Status != STATUS_SUCCESS) {
            KiUnlockDispatcher(WaitIrql);
            return (NTSTATUS)Status;
        }
        if (DueTime <= KiQueryInterruptTime()) {
            /* An interval of zero gives the others of this priority their turn. */
            KiUnlockDispatcher(WaitIrql);
            KiYield();
            return STATUS_SUCCESS;
        }
        Thread->WaitBlockList = Block;
        KiLinkTimeout(Thread, Block, Block, DueTime);
        Status = KiBlock(Thread, DelayExecution, WaitMode, Alertable, WaitIrql);
    } while (Status == KI_STATUS_KERNEL_APC);
    return (NTSTATUS)Status == STATUS_TIMEOUT ? STATUS_SUCCESS : (NTSTATUS)Status;
}
