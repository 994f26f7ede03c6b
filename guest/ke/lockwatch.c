/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockwatch: drivers' spin locks, with the verifier on.
 *
 * A spin lock left by a routine that runs at DISPATCH_LEVEL shows in nothing else: not in the IRQL, nor in what the
 * thread owns.  So a driver's imports of the routines that take and give them back lead here, where they are counted and
 * noted as other locks are; the kernel's own, and the machine's drivers', pay nothing for it.
 */
#include "kep.h"

#define KI_TAKE(Type, Name, Parameters, Arguments, Lock, Note)                                                         \
    static Type NTAPI KiVf##Name Parameters                                                                            \
    {                                                                                                                  \
        Type Result = Name Arguments;                                                                                  \
                                                                                                                       \
        Note((PVOID)(Lock), _ReturnAddress());                                                                         \
        return Result;                                                                                                 \
    }

#define KI_TAKE_VOID(Name, Parameters, Arguments, Lock, Note)                                                          \
    static VOID NTAPI KiVf##Name Parameters                                                                            \
    {                                                                                                                  \
        Name Arguments;                                                                                                \
        Note((PVOID)(Lock), _ReturnAddress());                                                                         \
    }

#define KI_GIVE(Name, Parameters, Arguments, Lock)                                                                     \
    static VOID NTAPI KiVf##Name Parameters                                                                            \
    {                                                                                                                  \
        KeNoteUnlock((PVOID)(Lock));                                                                                   \
        Name Arguments;                                                                                                \
    }

KI_TAKE(KIRQL, KeAcquireSpinLockRaiseToSynch, (PKSPIN_LOCK Lock), (Lock), Lock, KeNoteLockInOrder)
KI_TAKE(KIRQL, KeAcquireSpinLockForDpc, (PKSPIN_LOCK Lock), (Lock), Lock, KeNoteLockInOrder)
KI_TAKE_VOID(KeAcquireSpinLockAtDpcLevel, (PKSPIN_LOCK Lock), (Lock), Lock, KeNoteLockInOrder)
KI_GIVE(KeReleaseSpinLockForDpc, (PKSPIN_LOCK Lock, KIRQL OldIrql), (Lock, OldIrql), Lock)
KI_GIVE(KeReleaseSpinLockFromDpcLevel, (PKSPIN_LOCK Lock), (Lock), Lock)

/* A handle says whose it is while it is in its lock's queue; the low bits are the queue's. */
#define KI_LOCK_OF(Handle) ((ULONG_PTR)(Handle)->LockQueue.Lock & ~(ULONG_PTR)3)

KI_TAKE_VOID(KeAcquireInStackQueuedSpinLock, (PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle), (Lock, Handle), Lock,
             KeNoteLockInOrder)
KI_TAKE_VOID(KeAcquireInStackQueuedSpinLockForDpc, (PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle), (Lock, Handle), Lock,
             KeNoteLockInOrder)
KI_TAKE_VOID(KeAcquireInStackQueuedSpinLockAtDpcLevel, (PKSPIN_LOCK Lock, PKLOCK_QUEUE_HANDLE Handle), (Lock, Handle),
             Lock, KeNoteLockInOrder)
KI_GIVE(KeReleaseInStackQueuedSpinLock, (PKLOCK_QUEUE_HANDLE Handle), (Handle), KI_LOCK_OF(Handle))
KI_GIVE(KeReleaseInStackQueuedSpinLockForDpc, (PKLOCK_QUEUE_HANDLE Handle), (Handle), KI_LOCK_OF(Handle))
KI_GIVE(KeReleaseInStackQueuedSpinLockFromDpcLevel, (PKLOCK_QUEUE_HANDLE Handle), (Handle), KI_LOCK_OF(Handle))

KI_TAKE(KIRQL, KeAcquireInterruptSpinLock, (PKINTERRUPT Interrupt), (Interrupt), Interrupt->ActualLock,
        KeNoteLockInOrder)
KI_GIVE(KeReleaseInterruptSpinLock, (PKINTERRUPT Interrupt, KIRQL OldIrql), (Interrupt, OldIrql), Interrupt->ActualLock)

KI_TAKE(KIRQL, ExAcquireSpinLockShared, (PEX_SPIN_LOCK Lock), (Lock), Lock, KeNoteLock)
KI_TAKE(KIRQL, ExAcquireSpinLockExclusive, (PEX_SPIN_LOCK Lock), (Lock), Lock, KeNoteLockInOrder)
KI_TAKE_VOID(ExAcquireSpinLockSharedAtDpcLevel, (PEX_SPIN_LOCK Lock), (Lock), Lock, KeNoteLock)
KI_TAKE_VOID(ExAcquireSpinLockExclusiveAtDpcLevel, (PEX_SPIN_LOCK Lock), (Lock), Lock, KeNoteLockInOrder)
KI_GIVE(ExReleaseSpinLockShared, (PEX_SPIN_LOCK Lock, KIRQL OldIrql), (Lock, OldIrql), Lock)
KI_GIVE(ExReleaseSpinLockExclusive, (PEX_SPIN_LOCK Lock, KIRQL OldIrql), (Lock, OldIrql), Lock)
KI_GIVE(ExReleaseSpinLockSharedFromDpcLevel, (PEX_SPIN_LOCK Lock), (Lock), Lock)
KI_GIVE(ExReleaseSpinLockExclusiveFromDpcLevel, (PEX_SPIN_LOCK Lock), (Lock), Lock)

static BOOLEAN NTAPI KiVfKeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK Lock)
{
    BOOLEAN Taken = KeTryToAcquireSpinLockAtDpcLevel(Lock);

    if (Taken) {
        KeNoteLock(Lock, _ReturnAddress());
    }
    return Taken;
}

#define KI_WATCH(Name) {#Name, (PVOID)KiVf##Name}

static const struct {
    PCSTR Name;
    PVOID Routine;
} KiWatched[] = {
    {"KeAcquireSpinLockRaiseToDpc", (PVOID)KiAcquireNoted},
    KI_WATCH(KeAcquireSpinLockRaiseToSynch),
    KI_WATCH(KeAcquireSpinLockForDpc),
    KI_WATCH(KeAcquireSpinLockAtDpcLevel),
    KI_WATCH(KeTryToAcquireSpinLockAtDpcLevel),
    {"KeReleaseSpinLock", (PVOID)KiReleaseNoted},
    KI_WATCH(KeReleaseSpinLockForDpc),
    KI_WATCH(KeReleaseSpinLockFromDpcLevel),
    KI_WATCH(KeAcquireInStackQueuedSpinLock),
    KI_WATCH(KeAcquireInStackQueuedSpinLockForDpc),
    KI_WATCH(KeAcquireInStackQueuedSpinLockAtDpcLevel),
    KI_WATCH(KeReleaseInStackQueuedSpinLock),
    KI_WATCH(KeReleaseInStackQueuedSpinLockForDpc),
    KI_WATCH(KeReleaseInStackQueuedSpinLockFromDpcLevel),
    KI_WATCH(KeAcquireInterruptSpinLock),
    KI_WATCH(KeReleaseInterruptSpinLock),
    KI_WATCH(ExAcquireSpinLockShared),
    KI_WATCH(ExAcquireSpinLockExclusive),
    KI_WATCH(ExAcquireSpinLockSharedAtDpcLevel),
    KI_WATCH(ExAcquireSpinLockExclusiveAtDpcLevel),
    KI_WATCH(ExReleaseSpinLockShared),
    KI_WATCH(ExReleaseSpinLockExclusive),
    KI_WATCH(ExReleaseSpinLockSharedFromDpcLevel),
    KI_WATCH(ExReleaseSpinLockExclusiveFromDpcLevel),
};

PVOID KeWatchedLockRoutine(PCSTR Name)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(KiWatched); Index++) {
        if (strcmp(Name, KiWatched[Index].Name) == 0) {
            return KiWatched[Index].Routine;
        }
    }
    return NULL;
}
