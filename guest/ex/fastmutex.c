// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fast mutexes: a count that is 1 when free, and an event that hands the mutex on.
 *
 * Acquiring raises to APC_LEVEL; the "unsafe" ones leave that to the caller.  A thread that acquires one it owns
 * would wait for ever: that is Driver Verifier's self-deadlock, with a report.
 */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>
#include <fltvm.h>

#define EXP_VERIFIER 0xC4

#undef ExAcquireFastMutex
#undef ExReleaseFastMutex
#undef ExTryToAcquireFastMutex

static VOID ExpCheckFastMutex(PFAST_MUTEX FastMutex, KIRQL Highest)
{
    KIRQL Irql = KeGetCurrentIrql();

    if (Irql > Highest)
        KeBugCheckEx(EXP_VERIFIER, 0x33, Irql, (ULONG_PTR)FastMutex, 0);
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
    KeNoteLock(FastMutex, Caller);
}

static VOID ExpReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    if (FastMutex->Owner != KeGetCurrentThread())
        KeBugCheckEx(EXP_VERIFIER, 0x34, KeGetCurrentIrql(), 0, (ULONG_PTR)FastMutex);
    FastMutex->Owner = NULL;
    KeNoteUnlock(FastMutex);
    if (InterlockedIncrement(&FastMutex->Count) <= 0)
        KeSetEvent(&FastMutex->Event, IO_NO_INCREMENT, FALSE);
}

DECLSPEC_NOINLINE VOID FASTCALL ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    ExpCheckFastMutex(FastMutex, APC_LEVEL);
    KeRaiseIrql(APC_LEVEL, &OldIrql);
    ExpAcquireFastMutex(FastMutex, __builtin_return_address(0));
    FastMutex->OldIrql = OldIrql;
}

DECLSPEC_NOINLINE VOID FASTCALL ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql = (KIRQL)FastMutex->OldIrql;

    if (KeGetCurrentIrql() != APC_LEVEL)
        KeBugCheckEx(EXP_VERIFIER, 0x34, KeGetCurrentIrql(), 0, (ULONG_PTR)FastMutex);
    ExpReleaseFastMutex(FastMutex);
    KeLowerIrql(OldIrql);
}

BOOLEAN FASTCALL ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    KIRQL OldIrql;

    if (KeGetCurrentIrql() > APC_LEVEL)
        KeBugCheckEx(EXP_VERIFIER, 0x33, KeGetCurrentIrql(), (ULONG_PTR)FastMutex, 0);
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
    if (KeGetCurrentIrql() != APC_LEVEL && !KeAreApcsDisabled())
        KeBugCheckEx(EXP_VERIFIER, 0x39, KeGetCurrentIrql(), 0, (ULONG_PTR)FastMutex);
    ExpCheckFastMutex(FastMutex, APC_LEVEL);
    ExpAcquireFastMutex(FastMutex, __builtin_return_address(0));
}

VOID FASTCALL ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    if (KeGetCurrentIrql() != APC_LEVEL && !KeAreApcsDisabled())
        KeBugCheckEx(EXP_VERIFIER, 0x3A, KeGetCurrentIrql(), 0, (ULONG_PTR)FastMutex);
    ExpReleaseFastMutex(FastMutex);
}
