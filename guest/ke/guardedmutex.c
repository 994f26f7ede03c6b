/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guardedmutex: not recursive; the owner runs at APC_LEVEL, so no APC comes (before Windows 8 it was a guarded region
 * that saw to it).  Count is 1 when free; the gate, a synchronization event, is only touched when there is
 * contention.  CombinedApcDisable keeps the IRQL to go back to.
 *
 * Rules for guarded mutexes
 *  - Acquired at IRQL <= APC_LEVEL, which is APC_LEVEL until the release; released by its owner at APC_LEVEL, or, if it
 *    was acquired unsafely, at the level of the acquisition.
 *  - An owner that acquires it again waits for itself: the verifier reports the deadlock.
 *  - An unsafe acquisition is for who is in a guarded or critical region, or at APC_LEVEL, already.
 */
#include "kep.h"

static PKEVENT KiGateOf(PKGUARDED_MUTEX Mutex)
{
    return (PKEVENT)&Mutex->Gate;
}

static VOID KiCheckGuardedIrql(PKGUARDED_MUTEX Mutex, PVOID Caller)
{
    KiVerify(__readcr8() <= APC_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Mutex, __readcr8(), 1, (ULONG_PTR)Caller);
}

static VOID KiWaitForGate(PKGUARDED_MUTEX Mutex, PVOID Caller)
{
    FV_WAIT Wait = {.What = "guarded mutex",
                    .Object = Mutex,
                    .Caller = Caller,
                    .NextHolder = KeOneHolder,
                    .Context = &Mutex->Owner};

    InterlockedIncrement((volatile LONG *)&Mutex->Contention);
    FvBeginWait(&Wait);
    KeWaitForSingleObject(KiGateOf(Mutex), WrGuardedMutex, KernelMode, FALSE, NULL);
    FvEndWait(&Wait);
}

static VOID KiAcquireGuarded(PKGUARDED_MUTEX Mutex, PVOID Caller)
{
    if (InterlockedDecrement(&Mutex->Count) != 0) {
        KiWaitForGate(Mutex, Caller);
    }
    Mutex->Owner = KeGetCurrentThread();
    KeNoteLockInOrder(Mutex, Caller);
}

static VOID KiReleaseGuarded(PKGUARDED_MUTEX Mutex, PVOID Caller)
{
    KiVerify(Mutex->Owner == KeGetCurrentThread(), 0xBF /* MUTEX_ALREADY_OWNED, the nearest there is */,
             (ULONG_PTR)Mutex, (ULONG_PTR)KeGetCurrentThread(), (ULONG_PTR)Mutex->Owner, (ULONG_PTR)Caller);
    Mutex->Owner = NULL;
    KeNoteUnlock(Mutex);
    if (InterlockedIncrement(&Mutex->Count) <= 0) {
        KeSetEvent(KiGateOf(Mutex), 1, FALSE);
    }
}

VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    RtlZeroMemory(Mutex, sizeof(*Mutex));
    Mutex->Count = 1;
    KeInitializeEvent(KiGateOf(Mutex), SynchronizationEvent, FALSE);
}

VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiCheckGuardedIrql(Mutex, _ReturnAddress());
    __writecr8(APC_LEVEL);
    KiAcquireGuarded(Mutex, _ReturnAddress());
    Mutex->CombinedApcDisable = OldIrql;
}

VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    KIRQL OldIrql = (KIRQL)Mutex->CombinedApcDisable;

    KiCheckGuardedIrql(Mutex, _ReturnAddress());
    KiReleaseGuarded(Mutex, _ReturnAddress());
    __writecr8(OldIrql);
}

BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiCheckGuardedIrql(Mutex, _ReturnAddress());
    __writecr8(APC_LEVEL);
    if (InterlockedCompareExchange(&Mutex->Count, 0, 1) != 1) {
        __writecr8(OldIrql);
        return FALSE;
    }
    Mutex->Owner = KeGetCurrentThread();
    KeNoteLock(Mutex, _ReturnAddress());
    Mutex->CombinedApcDisable = OldIrql;
    return TRUE;
}

/* The caller has APCs off already. */
VOID NTAPI KeAcquireGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    KiCheckGuardedIrql(Mutex, _ReturnAddress());
    KiVerify(KeAreAllApcsDisabled(), DRIVER_VERIFIER_DETECTED_VIOLATION, 0x39, __readcr8(),
             (ULONG_PTR)KeGetCurrentThread()->CombinedApcDisable, (ULONG_PTR)Mutex);
    KiAcquireGuarded(Mutex, _ReturnAddress());
}

VOID NTAPI KeReleaseGuardedMutexUnsafe(PKGUARDED_MUTEX Mutex)
{
    KiCheckGuardedIrql(Mutex, _ReturnAddress());
    KiReleaseGuarded(Mutex, _ReturnAddress());
}
