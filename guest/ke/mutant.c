/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mutant: mutexes owned by threads, recursive.  A KMUTEX (ApcDisable 1) holds normal kernel APCs off its
 * owner; a mutant of user mode does not.  SignalState is 1 when free, then 0, -1, … with each acquire.
 *
 * Rules for mutexes
 *  - Acquired by a wait (IRQL <= APC_LEVEL, or DISPATCH_LEVEL with a time-out of zero), released at IRQL <=
 *    DISPATCH_LEVEL by the thread that owns it, as often as it was acquired; else STATUS_MUTANT_NOT_OWNED is raised.
 *  - The owner's normal kernel APCs wait until it has let go of its last KMUTEX; special ones do not.
 *  - A thread may not end with a KMUTEX (a bugcheck), nor return to user mode; a mutant it leaves is abandoned, and the
 *    next owner's wait says so.
 *  - MINLONG acquisitions are too many: the wait raises STATUS_MUTANT_LIMIT_EXCEEDED.
 */
#include "kep.h"

static VOID KiInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner, UCHAR ApcDisable)
{
    RtlZeroMemory(Mutant, sizeof(*Mutant));
    Mutant->Header.Type = MutantObject;
    Mutant->Header.Size = sizeof(KMUTANT) / sizeof(LONG);
    Mutant->Header.SignalState = 1;
    InitializeListHead(&Mutant->Header.WaitListHead);
    Mutant->ApcDisable = ApcDisable;
    if (InitialOwner) {
        PKTHREAD Thread = KeGetCurrentThread();
        KIRQL OldIrql = KiAcquireDispatcher();

        Mutant->Header.SignalState = 0;
        Mutant->OwnerThread = Thread;
        KeNoteResource(Thread, Mutant, _ReturnAddress());
        InsertHeadList(&Thread->MutantListHead, &Mutant->MutantListEntry);
        KiUnlockDispatcher(OldIrql);
    }
}

VOID NTAPI KeInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner)
{
    KiInitializeMutant(Mutant, InitialOwner, 0);
}

VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    KiInitializeMutant(Mutex, FALSE, 1);
}

/* All of its owner's acquisitions at once. */
static VOID KiForgetMutant(PRKMUTANT Mutant, LONG Acquired)
{
    while (Acquired-- > 0) {
        KeNoteResourceRelease(Mutant->OwnerThread, Mutant);
    }
}

LONG NTAPI KeReleaseMutant(PRKMUTANT Mutant, KPRIORITY Increment, BOOLEAN Abandoned, BOOLEAN Wait)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KIRQL OldIrql;
    LONG Old;
    BOOLEAN Enable = FALSE;

    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Mutant, __readcr8(), 1,
             (ULONG_PTR)_ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Old = Mutant->Header.SignalState;
    if (!Abandoned) {
        if (Mutant->OwnerThread != Thread) {
            KiUnlockDispatcher(OldIrql);
            ExRaiseStatus(Mutant->Abandoned ? STATUS_ABANDONED : STATUS_MUTANT_NOT_OWNED);
        }
        KeNoteResourceRelease(Thread, Mutant);
        Mutant->Header.SignalState++;
    } else {
        Mutant->Header.SignalState = 1;
        Mutant->Abandoned = TRUE;
    }
    if (Mutant->Header.SignalState == 1) {
        if (Old <= 0) {
            RemoveEntryList(&Mutant->MutantListEntry);
            if (Abandoned) {
                KiForgetMutant(Mutant, 1 - Old);
            }
            Enable = Mutant->ApcDisable != 0 && Mutant->OwnerThread == Thread;
            if (Enable) {
                Thread->KernelApcDisable++;
            }
        }
        Mutant->OwnerThread = NULL;
        if (!IsListEmpty(&Mutant->Header.WaitListHead)) {
            KiWaitTest(Mutant, Increment);
        }
    }
    if (Wait) {
        Thread->WaitNext = TRUE;
        Thread->WaitIrql = OldIrql;
    } else {
        KiUnlockDispatcher(OldIrql);
        if (Enable && Thread->KernelApcDisable == 0) {
            KiCheckApcAfterEnable(Thread);
        }
    }
    return Old;
}

LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    return KeReleaseMutant(Mutex, 1 /* MUTANT_INCREMENT */, FALSE, Wait);
}

LONG NTAPI KeReadStateMutant(PRKMUTANT Mutant)
{
    return Mutant->Header.SignalState;
}

LONG NTAPI KeReadStateMutex(PRKMUTEX Mutex)
{
    return Mutex->Header.SignalState;
}

/* A thread that ends with a KMUTEX is a bugcheck on Windows; a mutant is abandoned to its next owner. */
VOID KiAbandonMutants(PKTHREAD Thread)
{
    while (!IsListEmpty(&Thread->MutantListHead)) {
        PKMUTANT Mutant = CONTAINING_RECORD(Thread->MutantListHead.Flink, KMUTANT, MutantListEntry);

        if (Mutant->ApcDisable) {
            KeBugCheckEx(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)Thread, (ULONG_PTR)Mutant, 0, 0);
        }
        RemoveEntryList(&Mutant->MutantListEntry);
        KiForgetMutant(Mutant, 1 - Mutant->Header.SignalState);
        Mutant->Header.SignalState = 1;
        Mutant->Abandoned = TRUE;
        Mutant->OwnerThread = NULL;
        if (!IsListEmpty(&Mutant->Header.WaitListHead)) {
            KiWaitTest(Mutant, 1);
        }
    }
}
