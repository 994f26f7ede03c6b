/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held.h: what a thread holds, and since where, with the verifier on: deadlock.c, lockorder.c, lockwatch.c.  A part of ke.h,
 * for the routines that take and give locks back.
 */
#ifndef KE_HELD_H
#define KE_HELD_H

struct _FV_WAIT;
struct _FV_HOLDER;

/* For FV_WAIT.NextHolder: Context points to the one owner's thread; or the threads themselves know that they hold it. */
BOOLEAN NTAPI KeOneHolder(struct _FV_WAIT *Wait, ULONG Index, struct _FV_HOLDER *Holder);
BOOLEAN NTAPI KeWaitingHolders(struct _FV_WAIT *Wait, ULONG Index, struct _FV_HOLDER *Holder);

VOID KiNoteHeld(PKTHREAD Thread, const VOID *Lock, const VOID *Caller);
VOID KiNoteReleased(PKTHREAD Thread, const VOID *Lock);
VOID KiNoteUnlockedLate(PKTHREAD Thread, const VOID *Lock);

/* The current thread has taken a lock, or is about to give it back; with the verifier on.  IRQL: any. */
FORCEINLINE VOID KiNoteLock(PKTHREAD Thread, const VOID *Lock, const VOID *Caller)
{
    ULONG Depth = (UCHAR)Thread->Locks++ & (KE_HELD_LOCKS - 1);

    Thread->HeldLock[Depth] = Lock;
    Thread->HeldCaller[Depth] = Caller;
}

/* TRUE: it is the one that was taken last, as nearly always. */
FORCEINLINE BOOLEAN KiNoteUnlock(PKTHREAD Thread, const VOID *Lock)
{
    ULONG Depth = (UCHAR)--Thread->Locks & (KE_HELD_LOCKS - 1);

    if (Thread->HeldLock[Depth] != Lock) {
        return FALSE;
    }
    Thread->HeldLock[Depth] = NULL;
    return TRUE;
}

/*
 * For routines of a short path that calls nothing: keeps the compiler from knowing that the rare case returns what it
 * was given, which it would then keep in a register saved on the stack, in the short path too.
 */
#define KE_FORGET(Value) __asm__ volatile("" : "+r"(Value))

/* The same, the verifier on or not. */
FORCEINLINE VOID KeNoteLock(const VOID *Lock, const VOID *Caller)
{
    if (KiDriverVerifierOn) {
        KiNoteLock((PKTHREAD)__readgsqword(0x188), Lock, Caller);
    }
}

FORCEINLINE VOID KeNoteUnlock(const VOID *Lock)
{
    if (KiDriverVerifierOn && !KiNoteUnlock((PKTHREAD)__readgsqword(0x188), Lock)) {
        KiNoteUnlockedLate((PKTHREAD)__readgsqword(0x188), Lock);
    }
}

/* lockorder.c: the current thread has taken a lock, for which it would have waited, and holds others.  IRQL: any. */
VOID KiCheckOrder(PKTHREAD Thread, const VOID *Lock, const VOID *Caller);

/* Whether it holds more than the one lock, or the one resource or mutex, that it has just taken. */
FORCEINLINE BOOLEAN KiHoldsMoreThanLock(const KTHREAD *Thread)
{
    return *(const USHORT *)&Thread->Resources != 0x100;
}

FORCEINLINE BOOLEAN KiHoldsMoreThanResource(const KTHREAD *Thread)
{
    return *(const USHORT *)&Thread->Resources != 1;
}

/* KeNoteLock of a lock for which its taker would have waited. */
FORCEINLINE VOID KeNoteLockInOrder(const VOID *Lock, const VOID *Caller)
{
    PKTHREAD Thread = (PKTHREAD)__readgsqword(0x188);

    if (KiDriverVerifierOn) {
        KiNoteLock(Thread, Lock, Caller);
        if (KiHoldsMoreThanLock(Thread)) {
            KiCheckOrder(Thread, Lock, Caller);
        }
    }
}

/* After KeNoteResource for the current thread. */
FORCEINLINE VOID KeCheckResourceOrder(const VOID *Resource, const VOID *Caller)
{
    PKTHREAD Thread = (PKTHREAD)__readgsqword(0x188);

    if (KiDriverVerifierOn && KiHoldsMoreThanResource(Thread)) {
        KiCheckOrder(Thread, Resource, Caller);
    }
}

/* Memory goes, and what is known of locks in it.  IRQL: any. */
extern volatile LONG KiOrderedLocks;
VOID KiForgetLocks(PVOID Base, SIZE_T Size);
FORCEINLINE VOID KeForgetLocks(PVOID Base, SIZE_T Size)
{
    if (KiOrderedLocks != 0) {
        KiForgetLocks(Base, Size);
    }
}

/* The same for resources and mutexes, whose owner may be another thread. */
FORCEINLINE VOID KeNoteResource(PKTHREAD Owner, const VOID *Resource, const VOID *Caller)
{
    if (KiDriverVerifierOn) {
        _InterlockedExchangeAdd8(&Owner->Resources, 1);
        KiNoteHeld(Owner, Resource, Caller);
    }
}

FORCEINLINE VOID KeNoteResourceRelease(PKTHREAD Owner, const VOID *Resource)
{
    if (KiDriverVerifierOn) {
        _InterlockedExchangeAdd8(&Owner->Resources, -1);
        KiNoteReleased(Owner, Resource);
    }
}

/* What a driver's import of a spin lock's routine is bound to with the verifier on; NULL: to the routine itself. */
PVOID KeWatchedLockRoutine(PCSTR Name);

#endif
