// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fast mutexes: a count that is 1 when free, and an event that hands the mutex on.
 *
 * Acquiring raises to APC_LEVEL; the "unsafe" ones leave that to the caller.  What is checked here is checked with the
 * verifier only: a thread that acquires one it owns waits for ever without it.
 */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>
#include <fltvm.h>

#undef ExAcquireFastMutex
#undef ExReleaseFastMutex
#undef ExTryToAcquireFastMutex

static VOID ExpVerifyFastMutex(BOOLEAN Holds, ULONG Violation, PFAST_MUTEX FastMutex)
{
    if (!Holds && FvVerifierEnabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Violation, KeGetCurrentIrql(),
                     (ULONG_PTR)(ULONG)KeGetCurrentThread()->CombinedApcDisable, (ULONG_PTR)FastMutex);
}

/* The numbers that have the mutex for their third parameter. */
static VOID ExpVerifyFastMutexIrql(BOOLEAN Holds, ULONG Violation, PFAST_MUTEX FastMutex)
{
    if (!Holds && FvVerifierEnabled())
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Violation, KeGetCurrentIrql(), (ULONG_PTR)FastMutex, 0);
}

static VOID ExpWaitForFastMutex(PFAST_MUTEX FastMutex, PVOID Caller)
{
    FV_WAIT Wait = {.What = "fast mutex",
                    .Object = FastMutex,
                    .Caller = Caller,
                    .NextHolder = KeOneHolder,
                    .Context = &FastMutex->Owner};

    FastMutex->Contention++;
    FvBeginWait(&Wait);
    KeWaitForSingleObject(&FastMutex->Event, WrFastMutex, KernelMode, FALSE, NULL);
    FvEndWait(&Wait);
}

static VOID ExpAcquireFastMutex(PFAST_MUTEX FastMutex, PVOID Caller)
{
    if (InterlockedDecrement(&FastMutex->Count) != 0)
        ExpWaitForFastMutex(FastMutex, Caller);
    FastMutex->Owner = KeGetCurrentThread();
    KeNoteLockInOrder(FastMutex, Caller);
}

static VOID ExpReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    ExpVerifyFastMutexIrql(FastMutex->Owner == KeGetCurrentThread(), 0x34, FastMutex);
    FastMutex->Owner = NULL;
    KeNoteUnlock(FastMutex);
    if (InterlockedIncrement(&FastMutex->Count) <= 0)
        KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
}

/* The ways out of the short paths below, which call nothing: somebody has the mutex, waits for it, or does it wrong. */
static DECLSPEC_NOINLINE VOID ExpAcquireSlowly(PFAST_MUTEX FastMutex, KIRQL OldIrql, PVOID Caller)
{
    ExpWaitForFastMutex(FastMutex, Caller);
    FastMutex->Owner = KeGetCurrentThread();
    FastMutex->OldIrql = OldIrql;
    KeNoteLockInOrder(FastMutex, Caller);
}

static DECLSPEC_NOINLINE VOID ExpAcquireAtWrongIrql(PFAST_MUTEX FastMutex, PVOID Caller)
{
    KIRQL OldIrql;

    ExpVerifyFastMutexIrql(FALSE, 0x33, FastMutex);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    ExpAcquireFastMutex(FastMutex, Caller);
    FastMutex->OldIrql = OldIrql;
}

static DECLSPEC_NOINLINE VOID ExpReleaseSlowly(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;

    ExpVerifyFastMutexIrql(KeGetCurrentIrql() == APC_LEVEL, 0x34, FastMutex);
    ExpReleaseFastMutex(FastMutex);
    KeLowerIrql(OldIrql);
}

/* It is given back already, and somebody waits. */
static DECLSPEC_NOINLINE VOID ExpHandOnFastMutex(PFAST_MUTEX FastMutex, KIRQL OldIrql)
{
    KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
    KeLowerIrql(OldIrql);
}

/* Another lock was taken later, and Locks says already that one is given back. */
static DECLSPEC_NOINLINE VOID ExpReleaseOutOfOrder(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;

    KiNoteUnlockedLate(KeGetCurrentThread(), FastMutex);
    FastMutex->Owner = NULL;
    if (InterlockedIncrement(&FastMutex->Count) <= 0)
        KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
    KeLowerIrql(OldIrql);
}

DECLSPEC_NOINLINE VOID FASTCALL ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KIRQL OldIrql = KeGetCurrentIrql();

    if (OldIrql > APC_LEVEL) {
        ExpAcquireAtWrongIrql(FastMutex, __builtin_return_address(0));
        return;
    }
    __writecr8(APC_LEVEL);
    if (__atomic_sub_fetch(&FastMutex->Count, 1, __ATOMIC_SEQ_CST) != 0) {
        ExpAcquireSlowly(FastMutex, OldIrql, __builtin_return_address(0));
        return;
    }
    FastMutex->Owner = Thread;
    FastMutex->OldIrql = OldIrql;
    if (KiDriverVerifierOn) {
        KiNoteLock(Thread, FastMutex, __builtin_return_address(0));
        if (KiHoldsMoreThanLock(Thread))
            KiCheckOrder(Thread, FastMutex, __builtin_return_address(0));
    }
}

DECLSPEC_NOINLINE VOID FASTCALL ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;

    if (KiDriverVerifierOn) {
        PKTHREAD Thread = KeGetCurrentThread();

        if (FastMutex->Owner != Thread || KeGetCurrentIrql() != APC_LEVEL) {
            ExpReleaseSlowly(FastMutex);
            return;
        }
        if (!KiNoteUnlock(Thread, FastMutex)) {
            ExpReleaseOutOfOrder(FastMutex);
            return;
        }
    }
    FastMutex->Owner = NULL;
    if (__atomic_add_fetch(&FastMutex->Count, 1, __ATOMIC_SEQ_CST) <= 0) {
        ExpHandOnFastMutex(FastMutex, OldIrql);
        return;
    }
    __writecr8(OldIrql);
}

BOOLEAN FASTCALL ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    ExpVerifyFastMutexIrql(KeGetCurrentIrql() <= APC_LEVEL, 0x33, FastMutex);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    if (InterlockedCompareExchange(&FastMutex->Count, 0, 1) != 1) {
        KeLowerIrql(OldIrql);
        return FALSE;
    }
    FastMutex->Owner = KeGetCurrentThread();
    KeNoteLock(FastMutex, __builtin_return_address(0));
    FastMutex->OldIrql = OldIrql;
    return TRUE;
}

DECLSPEC_NOINLINE VOID FASTCALL ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    ExpVerifyFastMutex(KeGetCurrentIrql() == APC_LEVEL || KeAreApcsDisabled(), 0x39, FastMutex);
    ExpVerifyFastMutexIrql(KeGetCurrentIrql() <= APC_LEVEL, 0x33, FastMutex);
    ExpAcquireFastMutex(FastMutex, __builtin_return_address(0));
}

VOID FASTCALL ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    ExpVerifyFastMutex(KeGetCurrentIrql() == APC_LEVEL || KeAreApcsDisabled(), 0x3A, FastMutex);
    ExpReleaseFastMutex(FastMutex);
}
