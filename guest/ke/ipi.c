/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipi: requests between processors: reschedule, APC, a call on all of them, freezing for a bugcheck.
 */
#include "kep.h"

/* A generic call in progress: one at a time. */
static KSPIN_LOCK KiCallLock;
static struct {
    PKIPI_BROADCAST_WORKER volatile Routine;
    ULONG_PTR Argument;
    volatile LONG Arrived, Finished; /* of the others */
    volatile LONG Released;
} KiCall;

VOID KiIpiRequest(KAFFINITY Targets, ULONG Request)
{
    for (KAFFINITY Left = Targets; Left != 0; Left &= Left - 1) {
        ULONG Number = (ULONG)__builtin_ctzll(Left);

        InterlockedOr(&KiProcessorBlock[Number]->IpiRequests, Request);
    }
    HalRequestIpi(Targets, HAL_IPI_VECTOR);
}

static VOID KiRunCall(VOID)
{
    FV_CALL Call;

    /* Nobody starts before all are here, as KeIpiGenericCall promises. */
    InterlockedIncrement(&KiCall.Arrived);
    while (!KiCall.Released) {
        _mm_pause();
    }
    FvBeginCall(&Call);
    KiCall.Routine(KiCall.Argument);
    FvEndCall(&Call, (PVOID)KiCall.Routine, "broadcast routine", KiCall.Argument);
    InterlockedIncrement(&KiCall.Finished);
}

VOID KiIpiInterrupt(PKTRAP_FRAME TrapFrame)
{
    PKPRCB Prcb = KeGetCurrentPrcb();
    LONG Requests = InterlockedExchange(&Prcb->IpiRequests, 0);

    if (Requests & KI_IPI_CALL) {
        KiRunCall();
    }
    if (Requests & KI_IPI_DISPATCH) {
        KiRequestDispatchInterrupt(Prcb);
    }
    if (Requests & KI_IPI_APC) {
        KiRequestApc(Prcb->CurrentThread);
    }
}

ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER BroadcastFunction, ULONG_PTR Context)
{
    KIRQL OldIrql = (KIRQL)__readcr8();
    KAFFINITY Others;
    ULONG_PTR Result;
    FV_CALL Call;
    LONG Count;

    KeCheckRoutine((PVOID)BroadcastFunction, "broadcast routine");
    if (OldIrql > IPI_LEVEL - 1) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)BroadcastFunction, OldIrql, 0, (ULONG_PTR)_ReturnAddress());
    }
    __writecr8(IPI_LEVEL);
    while (InterlockedCompareExchange64((volatile LONG64 *)&KiCallLock, 1, 0) != 0) {
        /* Another caller waits for this processor, whose IPI is masked: answer by hand. */
        if (InterlockedAnd(&KeGetCurrentPrcb()->IpiRequests, ~KI_IPI_CALL) & KI_IPI_CALL) {
            KiRunCall();
        }
        _mm_pause();
    }
    Others = KeActiveSet & ~KeGetCurrentPrcb()->SetMember;
    Count = (LONG)__builtin_popcountll(Others);
    KiCall.Argument = Context;
    KiCall.Arrived = KiCall.Finished = 0;
    KiCall.Released = FALSE;
    KiCall.Routine = BroadcastFunction;
    if (Others != 0) {
        KiIpiRequest(Others, KI_IPI_CALL);
        while (KiCall.Arrived != Count) {
            _mm_pause();
        }
    }
    KiCall.Released = TRUE;
    FvBeginCall(&Call);
    Result = BroadcastFunction(Context);
    FvEndCall(&Call, (PVOID)BroadcastFunction, "broadcast routine", Context);
    while (KiCall.Finished != Count) {
        _mm_pause();
    }
    _ReadWriteBarrier();
    *(volatile KSPIN_LOCK *)&KiCallLock = 0;
    __writecr8(OldIrql);
    return Result;
}

/* ---- translation buffers ---- */

typedef struct _KI_FLUSH {
    PVOID Address; /* NULL: all */
    ULONG Pages;
} KI_FLUSH;

static ULONG_PTR NTAPI KiFlushWorker(ULONG_PTR Argument)
{
    const KI_FLUSH *Flush = (const KI_FLUSH *)Argument;

    if (Flush->Pages == 0) {
        __writecr3(__readcr3());
    }
    for (ULONG Page = 0; Page < Flush->Pages; Page++) {
        __invlpg((PUCHAR)Flush->Address + Page * PAGE_SIZE);
    }
    return 0;
}

VOID KeFlushMultipleTb(PVOID Address, ULONG Pages)
{
    KI_FLUSH Flush = {Address, Pages > 32 ? 0 : Pages};

    if (KiProcessorCount == 1) {
        KiFlushWorker((ULONG_PTR)&Flush);
    } else {
        KeIpiGenericCall(KiFlushWorker, (ULONG_PTR)&Flush);
    }
}

VOID KeFlushEntireTb(VOID)
{
    KeFlushMultipleTb(NULL, 0);
}

static ULONG_PTR NTAPI KiInvalidateCaches(ULONG_PTR Argument)
{
    __asm__ volatile("wbinvd" : : : "memory");
    return Argument;
}

BOOLEAN NTAPI KeInvalidateAllCaches(VOID)
{
    KeIpiGenericCall(KiInvalidateCaches, 0);
    return TRUE;
}

VOID NTAPI KeInvalidateRangeAllCaches(PVOID BaseAddress, ULONG Length)
{
    KeIpiGenericCall(KiInvalidateCaches, 0);
}
