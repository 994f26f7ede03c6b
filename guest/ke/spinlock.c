/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spinlock: ordinary, queued and interrupt spin locks, and executive (reader-writer) ones.
 *
 * A held ordinary lock is its owner's KTHREAD | 1.  So an acquire by the owner, who would spin for ever, is
 * SPIN_LOCK_ALREADY_OWNED, and with the verifier a release by anybody else SPIN_LOCK_NOT_OWNED.  A queued lock is a
 * list of waiters, each spinning on its own handle; the lock word is the last of them.
 *
 * Rules for spin locks
 *  - Acquired at IRQL <= DISPATCH_LEVEL, held at DISPATCH_LEVEL (an interrupt's: at its SynchronizeIrql), released on
 *    the same processor by the same thread, to the IRQL that the acquisition gave.
 *  - Of several the last acquired is released first, or the IRQL is wrong in between.
 *  - While one is held nothing pageable is touched and nobody waits.
 *  - A word is used as one kind of lock only, ordinary, queued or executive, and is zero when free.
 */
#include "kep.h"

#define QUEUE_WAIT  1 /* in KSPIN_LOCK_QUEUE.Lock */
#define QUEUE_OWNER 2
#define QUEUE_BITS  3

/*
 * Spins after which a lock counts as held too long.  On one host thread each pause gives the others a slice,
 * so a million is more than a second of theirs; on several the clock has to agree.
 */
#define KI_SPIN_LIMIT 0x100000

/* An executive spin lock: this bit when held exclusively, else the number of readers. */
#define EX_LOCK_EXCLUSIVE 0x80000000u
#define EX_LOCK_WAITER    0x40000000u

static DECLSPEC_NORETURN VOID KiSpinLockAlreadyOwned(PKSPIN_LOCK SpinLock)
{
    KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)SpinLock, *SpinLock & ~(ULONG_PTR)1,
                 (ULONG_PTR)KeGetCurrentThread(), 0);
}

VOID DECLSPEC_NOINLINE KiSpinLockNotOwned(PKSPIN_LOCK SpinLock)
{
    KiVerify(FALSE, SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock, *SpinLock & ~(ULONG_PTR)1,
             (ULONG_PTR)KeGetCurrentThread(), 0);
}

static DECLSPEC_NOINLINE VOID KiSpinTooLong(PKTHREAD Thread, PVOID Lock, ULONG64 Start)
{
    BOOLEAN Virtual = HalTscFrequency == 1000000000;

    KiCheckSpinCircle(Thread);
    if (KiDriverVerifierOn && !KiBugCheckActive && (Virtual || __rdtsc() - Start > 2 * HalTscFrequency)) {
        FvReport("reason=spin lock not available for too long\n");
        KeBugCheckEx(DPC_WATCHDOG_VIOLATION, 1, KI_SPIN_LIMIT, (ULONG_PTR)Lock, *(ULONG_PTR *)Lock & ~(ULONG_PTR)1);
    }
}

VOID DECLSPEC_NOINLINE KiSpinLockWait(PKSPIN_LOCK SpinLock, ULONG_PTR Owner)
{
    PKTHREAD Thread = (PKTHREAD)(Owner & ~(ULONG_PTR)1);
    ULONG_PTR Outer = Thread->SpinsFor;
    ULONG64 Start = __rdtsc();
    ULONG Spins = 0;

    if (*(volatile KSPIN_LOCK *)SpinLock == Owner) {
        KiSpinLockAlreadyOwned(SpinLock);
    }
    Thread->SpinsFor = (ULONG_PTR)SpinLock | KiSpinOrdinary;
    do {
        while (*(volatile KSPIN_LOCK *)SpinLock != 0) {
            _mm_pause();
            if (++Spins % KI_SPIN_LIMIT == 0) {
                KiSpinTooLong(Thread, SpinLock, Start);
            }
        }
    } while (InterlockedCompareExchange64((volatile LONG64 *)SpinLock, Owner, 0) != 0);
    Thread->SpinsFor = Outer;
}

/* The verifier's numbers for what is done to a spin lock at the wrong IRQL. */
enum {
    KiReleaseNotAtDispatch = 0x32,
    KiReleaseQueuedNotAtDispatch = 0x36,
    KiAcquireBelowDispatch = 0x40,
    KiReleaseBelowDispatch = 0x41,
    KiAcquireAboveDispatch = 0x42
};

static VOID KiRequireDispatch(volatile VOID *Lock, ULONG Violation)
{
    KIRQL Irql = (KIRQL)__readcr8();

    KiVerify(Irql >= DISPATCH_LEVEL, DRIVER_VERIFIER_DETECTED_VIOLATION, Violation, Irql, (ULONG_PTR)Lock, 0);
}

/* From above DISPATCH_LEVEL this lowers the IRQL. */
static KIRQL KiRaiseToDispatch(volatile VOID *Lock)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiVerify(OldIrql <= DISPATCH_LEVEL, DRIVER_VERIFIER_DETECTED_VIOLATION, KiAcquireAboveDispatch, OldIrql,
             (ULONG_PTR)Lock, 0);
    __writecr8(DISPATCH_LEVEL);
    return OldIrql;
}

static VOID KiLowerFromDispatch(KIRQL OldIrql)
{
    KiVerify(OldIrql <= DISPATCH_LEVEL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, __readcr8(), OldIrql, 0);
    __writecr8(OldIrql);
}

#undef KeInitializeSpinLock
VOID NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    *SpinLock = 0;
}

/*
 * The ways out of the short paths below, which call nothing and need no frame: the rare case is another routine's, and that
 * does it all.
 */
static DECLSPEC_NOINLINE KIRQL KiAcquireSlowly(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KiVerify(OldIrql <= DISPATCH_LEVEL, DRIVER_VERIFIER_DETECTED_VIOLATION, KiAcquireAboveDispatch, OldIrql,
             (ULONG_PTR)SpinLock, 0);
    __writecr8(DISPATCH_LEVEL);
    KiAcquireSpinLock(SpinLock);
    KE_FORGET(OldIrql);
    return OldIrql;
}

static DECLSPEC_NOINLINE VOID KiReleaseSlowly(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    KiRequireDispatch(SpinLock, KiReleaseNotAtDispatch);
    KiReleaseSpinLock(SpinLock);
    KiLowerFromDispatch(NewIrql);
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (OldIrql > DISPATCH_LEVEL) {
        return KiAcquireSlowly(SpinLock, OldIrql);
    }
    __writecr8(DISPATCH_LEVEL);
    if (InterlockedCompareExchange64((volatile LONG64 *)SpinLock, __readgsqword(0x188) | 1, 0) != 0) {
        return KiAcquireSlowly(SpinLock, OldIrql);
    }
    return OldIrql;
}

/* As Windows: to SYNCH_LEVEL, which is DISPATCH_LEVEL here. */
KIRQL NTAPI KeAcquireSpinLockRaiseToSynch(PKSPIN_LOCK SpinLock)
{
    return KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    if (KiDriverVerifierOn) {
        KiReleaseSlowly(SpinLock, NewIrql);
        return;
    }
    _ReadWriteBarrier();
    *(volatile KSPIN_LOCK *)SpinLock = 0;
    __writecr8(NewIrql);
}

/* What drivers' imports of the two lead to with the verifier on: they are noted as other locks are (lockwatch.c). */
static DECLSPEC_NOINLINE KIRQL KiAcquireNotedSlowly(PKSPIN_LOCK SpinLock, KIRQL OldIrql, const VOID *Caller)
{
    KiAcquireSlowly(SpinLock, OldIrql);
    KeNoteLockInOrder(SpinLock, Caller);
    KE_FORGET(OldIrql);
    return OldIrql;
}

static DECLSPEC_NOINLINE KIRQL KiAcquiredInOrder(PKTHREAD Thread, PKSPIN_LOCK SpinLock, KIRQL OldIrql,
                                                 const VOID *Caller)
{
    KiCheckOrder(Thread, SpinLock, Caller);
    KE_FORGET(OldIrql);
    return OldIrql;
}

KIRQL NTAPI KiAcquireNoted(PKSPIN_LOCK SpinLock)
{
    PKTHREAD Thread = (PKTHREAD)__readgsqword(0x188);
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (OldIrql > DISPATCH_LEVEL) {
        return KiAcquireNotedSlowly(SpinLock, OldIrql, _ReturnAddress());
    }
    __writecr8(DISPATCH_LEVEL);
    if (InterlockedCompareExchange64((volatile LONG64 *)SpinLock, (ULONG_PTR)Thread | 1, 0) != 0) {
        return KiAcquireNotedSlowly(SpinLock, OldIrql, _ReturnAddress());
    }
    KiNoteLock(Thread, SpinLock, _ReturnAddress());
    if (KiHoldsMoreThanLock(Thread)) {
        return KiAcquiredInOrder(Thread, SpinLock, OldIrql, _ReturnAddress());
    }
    return OldIrql;
}

static DECLSPEC_NOINLINE VOID KiReleaseNotedSlowly(PKSPIN_LOCK SpinLock, KIRQL NewIrql, BOOLEAN Noted)
{
    if (!Noted) {
        KiNoteUnlockedLate(KeGetCurrentThread(), SpinLock);
    }
    KiReleaseSlowly(SpinLock, NewIrql);
}

VOID NTAPI KiReleaseNoted(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    /* That it is noted says who owns it, unless somebody has written to it since. */
    if (!KiNoteUnlock((PKTHREAD)__readgsqword(0x188), SpinLock)) {
        KiReleaseNotedSlowly(SpinLock, NewIrql, FALSE);
        return;
    }
    if (*(volatile KSPIN_LOCK *)SpinLock == 0 || (KIRQL)__readcr8() < DISPATCH_LEVEL || NewIrql > DISPATCH_LEVEL) {
        KiReleaseNotedSlowly(SpinLock, NewIrql, TRUE);
        return;
    }
    *(volatile KSPIN_LOCK *)SpinLock = 0;
    __writecr8(NewIrql);
}

VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    KiAcquireSpinLock(SpinLock);
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiReleaseBelowDispatch);
    KiReleaseSpinLock(SpinLock);
}

BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    return InterlockedCompareExchange64((volatile LONG64 *)SpinLock, __readgsqword(0x188) | 1, 0) == 0;
}

BOOLEAN NTAPI KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    if (*(volatile KSPIN_LOCK *)SpinLock != 0) {
        _mm_pause();
        return FALSE;
    }
    return TRUE;
}

/* In a DPC the IRQL is there already; in a threaded DPC it has to be raised. */
KIRQL NTAPI KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
    return KeAcquireSpinLockRaiseToDpc(SpinLock);
}

VOID NTAPI KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KeReleaseSpinLock(SpinLock, OldIrql);
}

static DECLSPEC_NOINLINE VOID KiWaitInQueue(PKSPIN_LOCK SpinLock, PKSPIN_LOCK_QUEUE Handle, PKSPIN_LOCK_QUEUE Previous)
{
    PKTHREAD Thread = KeGetCurrentThread();
    ULONG_PTR Outer = Thread->SpinsFor;
    ULONG64 Start = __rdtsc();
    ULONG Spins = 0;

    if ((ULONG_PTR)Previous & 1) {
        /* An ordinary acquire and a queued one on the same lock: the documentation forbids it. */
        KiSpinLockAlreadyOwned(SpinLock);
    }
    Thread->SpinsFor = (ULONG_PTR)SpinLock | KiSpinQueued;
    Handle->Lock = (PKSPIN_LOCK)((ULONG_PTR)SpinLock | QUEUE_WAIT);
    _ReadWriteBarrier();
    Previous->Next = Handle;
    while (*(volatile ULONG_PTR *)&Handle->Lock & QUEUE_WAIT) {
        _mm_pause();
        if (++Spins % KI_SPIN_LIMIT == 0) {
            KiSpinTooLong(Thread, SpinLock, Start);
        }
    }
    Thread->SpinsFor = Outer;
}

static VOID KiAcquireQueued(PKSPIN_LOCK SpinLock, PKSPIN_LOCK_QUEUE Handle)
{
    PKSPIN_LOCK_QUEUE Previous;

    Handle->Next = NULL;
    Handle->Lock = (PKSPIN_LOCK)((ULONG_PTR)SpinLock | QUEUE_OWNER);
    Previous = (PKSPIN_LOCK_QUEUE)InterlockedExchange64((volatile LONG64 *)SpinLock, (LONG64)Handle);
    if (Previous != NULL) {
        KiWaitInQueue(SpinLock, Handle, Previous);
    }
}

static VOID KiReleaseQueued(PKSPIN_LOCK_QUEUE Handle)
{
    PKSPIN_LOCK SpinLock = (PKSPIN_LOCK)((ULONG_PTR)Handle->Lock & ~(ULONG_PTR)QUEUE_BITS);
    PKSPIN_LOCK_QUEUE Next;

    KiVerify(((ULONG_PTR)Handle->Lock & QUEUE_OWNER) != 0, SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock, 0,
             (ULONG_PTR)KeGetCurrentThread(), 0);
    Handle->Lock = SpinLock;
    if (Handle->Next == NULL) {
        if (InterlockedCompareExchange64((volatile LONG64 *)SpinLock, 0, (LONG64)Handle) == (LONG64)Handle) {
            return;
        }
        while (Handle->Next == NULL) {
            _mm_pause();
        }
    }
    Next = Handle->Next;
    Handle->Next = NULL;
    _ReadWriteBarrier();
    Next->Lock = (PKSPIN_LOCK)((ULONG_PTR)SpinLock | QUEUE_OWNER);
}

VOID NTAPI KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->OldIrql = KiRaiseToDispatch(SpinLock);
    KiAcquireQueued(SpinLock, &LockHandle->LockQueue);
}

VOID NTAPI KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KiRequireDispatch(LockHandle, KiReleaseQueuedNotAtDispatch);
    KiReleaseQueued(&LockHandle->LockQueue);
    KiLowerFromDispatch(LockHandle->OldIrql);
}

VOID NTAPI KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    LockHandle->OldIrql = DISPATCH_LEVEL;
    KiAcquireQueued(SpinLock, &LockHandle->LockQueue);
}

VOID NTAPI KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KiRequireDispatch(LockHandle, KiReleaseQueuedNotAtDispatch);
    KiReleaseQueued(&LockHandle->LockQueue);
}

VOID NTAPI KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeAcquireInStackQueuedSpinLock(SpinLock, LockHandle);
}

VOID NTAPI KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseInStackQueuedSpinLock(LockHandle);
}

/* ---- executive spin locks ---- */

FORCEINLINE BOOLEAN ExpTryShared(volatile LONG *Lock)
{
    LONG Value = *Lock;

    /* A waiting writer goes first, or readers could keep it out for ever. */
    return !(Value & (EX_LOCK_EXCLUSIVE | EX_LOCK_WAITER)) &&
           InterlockedCompareExchange(Lock, Value + 1, Value) == Value;
}

FORCEINLINE BOOLEAN ExpTryExclusive(volatile LONG *Lock)
{
    LONG Value = *Lock;

    if ((Value & ~EX_LOCK_WAITER) == 0) {
        return InterlockedCompareExchange(Lock, EX_LOCK_EXCLUSIVE, Value) == Value;
    }
    if (!(Value & EX_LOCK_WAITER)) {
        InterlockedCompareExchange(Lock, Value | EX_LOCK_WAITER, Value);
    }
    return FALSE;
}

static DECLSPEC_NOINLINE VOID ExpSpin(volatile LONG *Lock, BOOLEAN Exclusive)
{
    PKTHREAD Thread = KeGetCurrentThread();
    ULONG_PTR Outer = Thread->SpinsFor;
    ULONG64 Start = __rdtsc();
    ULONG Spins = 0;

    Thread->SpinsFor = (ULONG_PTR)Lock | KiSpinExecutive;
    while (!(Exclusive ? ExpTryExclusive(Lock) : ExpTryShared(Lock))) {
        _mm_pause();
        if (++Spins % KI_SPIN_LIMIT == 0) {
            KiSpinTooLong(Thread, (PVOID)Lock, Start);
        }
    }
    Thread->SpinsFor = Outer;
}

static VOID ExpAcquireShared(volatile LONG *Lock)
{
    if (!ExpTryShared(Lock)) {
        ExpSpin(Lock, FALSE);
    }
}

static VOID ExpAcquireExclusive(volatile LONG *Lock)
{
    if (!ExpTryExclusive(Lock)) {
        ExpSpin(Lock, TRUE);
    }
}

KIRQL NTAPI ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    KIRQL OldIrql = KiRaiseToDispatch(SpinLock);

    ExpAcquireShared(SpinLock);
    return OldIrql;
}

VOID NTAPI ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    ExpAcquireShared(SpinLock);
}

KIRQL NTAPI ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    KIRQL OldIrql = KiRaiseToDispatch(SpinLock);

    ExpAcquireExclusive(SpinLock);
    return OldIrql;
}

VOID NTAPI ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    ExpAcquireExclusive(SpinLock);
}

VOID NTAPI ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    LONG Value = *(volatile LONG *)SpinLock;

    KiRequireDispatch(SpinLock, KiReleaseBelowDispatch);
    KiVerify(!(Value & EX_LOCK_EXCLUSIVE) && (Value & ~EX_LOCK_WAITER) != 0, SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock,
             (ULONG)Value, (ULONG_PTR)KeGetCurrentThread(), 0);
    InterlockedDecrement((volatile LONG *)SpinLock);
}

VOID NTAPI ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    ExReleaseSpinLockSharedFromDpcLevel(SpinLock);
    KiLowerFromDispatch(OldIrql);
}

VOID NTAPI ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    KiRequireDispatch(SpinLock, KiReleaseBelowDispatch);
    KiVerify((*(volatile LONG *)SpinLock & EX_LOCK_EXCLUSIVE) != 0, SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock,
             (ULONG)*SpinLock, (ULONG_PTR)KeGetCurrentThread(), 0);
    InterlockedAnd((volatile LONG *)SpinLock, ~EX_LOCK_EXCLUSIVE);
}

VOID NTAPI ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    ExReleaseSpinLockExclusiveFromDpcLevel(SpinLock);
    KiLowerFromDispatch(OldIrql);
}

/* One reader may become the writer when it is alone. */
LOGICAL NTAPI ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    LONG Value = *(volatile LONG *)SpinLock;

    KiRequireDispatch(SpinLock, KiAcquireBelowDispatch);
    return (Value & ~EX_LOCK_WAITER) == 1 &&
           InterlockedCompareExchange((volatile LONG *)SpinLock, EX_LOCK_EXCLUSIVE, Value) == Value;
}
