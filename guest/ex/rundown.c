// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run-down protection: references that can be taken until somebody waits for all of them to go.
 *
 * One word: twice the number of references, or, once run down, bit 0 and (while someone waits) the address of a
 * block on the waiter's stack that counts the references still out.  The cache-aware kind is the same behind a
 * pointer.
 *
 * With the verifier on it is noted who took a reference, and a wait that lasts is looked at as waits for locks are.
 * Only one that lasts: a reference may be handed on, and who has it then is not known, but is given the time to return it.  When
 * no circle explains it either, it is the driver's that took the reference, unless that thread itself waits for a time to pass.
 */
#include <ntifs.h>
#include <rtl.h>
#include <hal.h>
#include <ke.h>
#include <ex.h>
#include <fltvm.h>

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

#define EXP_RUNDOWN_ACTIVE    1ULL
#define EXP_RUNDOWN_INCREMENT 2ULL

#define EXP_PATIENCE (8 * 10000000LL) /* 8 seconds of the guest's */

#define EXP_TAKER_SETS 64
#define EXP_TAKERS     8 /* of a set; those of more are not noted */

typedef struct _EXP_RUNDOWN_WAIT {
    volatile LONG64 Count;
    KEVENT Event;
} EXP_RUNDOWN_WAIT;

struct _EX_RUNDOWN_REF_CACHE_AWARE {
    EX_RUNDOWN_REF Reference;
};

typedef struct _EXP_TAKER {
    PVOID volatile RunRef; /* NULL: free; EXP_TAKER_NEW: being filled in */
    PKTHREAD Thread;
    const VOID *Start;
    ULONG Switches;
    const VOID *Caller;
} EXP_TAKER;

#define EXP_TAKER_NEW ((PVOID)1)

static EXP_TAKER ExpTakers[EXP_TAKER_SETS][EXP_TAKERS];

/* ---- who took references ---- */

static EXP_TAKER *ExpTakersOf(const EX_RUNDOWN_REF *RunRef)
{
    return ExpTakers[((ULONG_PTR)RunRef >> 3 ^ (ULONG_PTR)RunRef >> 12) % EXP_TAKER_SETS];
}

static VOID ExpNoteTaker(PEX_RUNDOWN_REF RunRef, ULONG Count, const VOID *Caller)
{
    EXP_TAKER *Takers = ExpTakersOf(RunRef);

    for (ULONG Index = 0; Index < EXP_TAKERS && Count != 0; Index++) {
        EXP_TAKER *Taker = &Takers[Index];

        if (InterlockedCompareExchangePointer(&Taker->RunRef, EXP_TAKER_NEW, NULL) == NULL) {
            Taker->Thread = KeGetCurrentThread();
            Taker->Start = (PVOID)(ULONG_PTR)Taker->Thread->StartRoutine;
            Taker->Switches = Taker->Thread->ContextSwitches;
            Taker->Caller = Caller;
            _ReadWriteBarrier();
            Taker->RunRef = RunRef;
            Count--;
        }
    }
}

/* Of references that a thread gives back it took some itself, as far as is known; the others are anybody's. */
static VOID ExpForgetTakers(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    EXP_TAKER *Takers = ExpTakersOf(RunRef);

    for (ULONG Turn = 0; Turn < 2; Turn++) {
        for (ULONG Index = 0; Index < EXP_TAKERS && Count != 0; Index++) {
            if ((Turn == 1 || Takers[Index].Thread == KeGetCurrentThread()) &&
                InterlockedCompareExchangePointer(&Takers[Index].RunRef, NULL, RunRef) == RunRef)
                Count--;
        }
    }
}

static VOID ExpForgetAllTakers(PEX_RUNDOWN_REF RunRef)
{
    if (FvVerifierEnabled())
        ExpForgetTakers(RunRef, MAXULONG);
}

/* The current thread may lie where one lay that took a reference and has ended. */
static BOOLEAN ExpIsAnother(const EXP_TAKER *Taker)
{
    PKTHREAD Thread = KeGetCurrentThread();

    return Taker->Thread == Thread &&
           ((PVOID)(ULONG_PTR)Thread->StartRoutine != Taker->Start || Thread->ContextSwitches < Taker->Switches);
}

static BOOLEAN NTAPI ExpNextTaker(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    EXP_TAKER *Takers = ExpTakersOf(Wait->Object);

    for (ULONG Slot = 0; Slot < EXP_TAKERS; Slot++) {
        if (Takers[Slot].RunRef == Wait->Object && Index-- == 0) {
            Holder->Thread = ExpIsAnother(&Takers[Slot]) ? NULL : Takers[Slot].Thread;
            Holder->Since = Takers[Slot].Caller;
            return TRUE;
        }
    }
    return FALSE;
}

/* ---- the references ---- */

static ULONG64 ExpExchangeRundown(PEX_RUNDOWN_REF RunRef, ULONG64 New, ULONG64 Old)
{
    return (ULONG64)InterlockedCompareExchange64((volatile LONG64 *)&RunRef->Count, (LONG64)New, (LONG64)Old);
}

VOID FASTCALL ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExpForgetAllTakers(RunRef);
    RunRef->Count = 0;
}

VOID FASTCALL ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    if (!(RunRef->Count & EXP_RUNDOWN_ACTIVE) && FvVerifierEnabled()) {
        FvReport("rule=run-down protection that was not run down is initialized again\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)RunRef,
                     RunRef->Count / EXP_RUNDOWN_INCREMENT, 0);
    }
    RunRef->Count = 0;
}

static BOOLEAN ExpAcquireRundown(PEX_RUNDOWN_REF RunRef, ULONG Count, const VOID *Caller)
{
    ULONG64 Value = RunRef->Count, Seen;

    while (!(Value & EXP_RUNDOWN_ACTIVE)) {
        Seen = ExpExchangeRundown(RunRef, Value + EXP_RUNDOWN_INCREMENT * Count, Value);
        if (Seen == Value) {
            if (FvVerifierEnabled())
                ExpNoteTaker(RunRef, Count, Caller);
            return TRUE;
        }
        Value = Seen;
    }
    return FALSE;
}

BOOLEAN FASTCALL ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    return ExpAcquireRundown(RunRef, Count, _ReturnAddress());
}

BOOLEAN FASTCALL ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExpAcquireRundown(RunRef, 1, _ReturnAddress());
}

VOID FASTCALL ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG64 Value = RunRef->Count, Seen;
    EXP_RUNDOWN_WAIT *Wait;

    if (FvVerifierEnabled())
        ExpForgetTakers(RunRef, Count);
    for (;;) {
        if (Value & EXP_RUNDOWN_ACTIVE) {
            Wait = (EXP_RUNDOWN_WAIT *)(Value & ~EXP_RUNDOWN_ACTIVE);
            /* Released more often than acquired: nobody would notice on Windows until much later. */
            if (Wait == NULL)
                KeBugCheckEx(REFERENCE_BY_POINTER, 0, (ULONG_PTR)RunRef, 0x12, Count);
            if (InterlockedAdd64(&Wait->Count, -(LONG64)Count) == 0)
                KeSetEvent(&Wait->Event, IO_NO_INCREMENT, FALSE);
            return;
        }
        if (Value < EXP_RUNDOWN_INCREMENT * Count && FvVerifierEnabled())
            KeBugCheckEx(REFERENCE_BY_POINTER, 0, (ULONG_PTR)RunRef, 0x12, Count);
        Seen = ExpExchangeRundown(RunRef, Value - EXP_RUNDOWN_INCREMENT * Count, Value);
        if (Seen == Value)
            return;
        Value = Seen;
    }
}

VOID FASTCALL ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    ExReleaseRundownProtectionEx(RunRef, 1);
}

/* The driver's code that took a reference and has not given it back, as far as is known; NULL: one goes on yet, or it is the kernel's. */
static const VOID *ExpFindGuilty(PFV_WAIT Wait)
{
    const VOID *Guilty = NULL;
    FV_HOLDER Holder;

    for (ULONG Index = 0; ExpNextTaker(Wait, Index, &Holder); Index++) {
        if (KeWillGoOn(Holder.Thread))
            return NULL;
        if (Guilty == NULL && !HalIsKernelAddress(Holder.Since))
            Guilty = Holder.Since;
    }
    return Guilty;
}

static VOID ExpReportKept(PFV_WAIT Wait)
{
    const VOID *Guilty = ExpFindGuilty(Wait);
    CHAR Text[96];

    if (Guilty == NULL)
        return;
    _snprintf(Text, sizeof(Text), "waits-at=0x%I64x\n", (ULONG64)Wait->Caller);
    FvReport(Text);
    KeReportLeft("run-down reference that is waited for", Wait->Object, Guilty);
}

/* Those who have not given back in time: do they, through whatever they wait for, wait for this thread? */
static VOID ExpWaitForTakers(PEX_RUNDOWN_REF RunRef, PKEVENT Event, const VOID *Caller)
{
    FV_WAIT Wait = {.What = "run-down protection", .Object = RunRef, .Caller = Caller, .NextHolder = ExpNextTaker};
    LARGE_INTEGER Patience = {.QuadPart = -EXP_PATIENCE};

    if (!FvVerifierEnabled()) {
        KeWaitForSingleObject(Event, WrRundown, KernelMode, FALSE, NULL);
        return;
    }
    if (KeWaitForSingleObject(Event, WrRundown, KernelMode, FALSE, &Patience) != STATUS_TIMEOUT)
        return;
    FvBeginWait(&Wait);
    do {
        ExpReportKept(&Wait);
    } while (KeWaitForSingleObject(Event, WrRundown, KernelMode, FALSE, &Patience) == STATUS_TIMEOUT);
    FvEndWait(&Wait);
}

/* In an image that goes: nobody will wait for it, nor give it back. */
VOID ExCheckRundownsLeft(PVOID Base, SIZE_T Size)
{
    for (ULONG Set = 0; Set < EXP_TAKER_SETS; Set++) {
        for (ULONG Index = 0; Index < EXP_TAKERS; Index++) {
            const EXP_TAKER *Taker = &ExpTakers[Set][Index];
            const VOID *RunRef = Taker->RunRef;

            if ((ULONG_PTR)RunRef - (ULONG_PTR)Base < Size)
                KeReportLeft("run-down reference", RunRef, Taker->Caller);
        }
    }
}

static VOID ExpWaitForRundown(PEX_RUNDOWN_REF RunRef, const VOID *Caller)
{
    ULONG64 Value = RunRef->Count, Seen;
    EXP_RUNDOWN_WAIT Wait;

    while (!(Value & EXP_RUNDOWN_ACTIVE)) {
        Wait.Count = (LONG64)(Value / EXP_RUNDOWN_INCREMENT);
        KeInitializeEvent(&Wait.Event, SynchronizationEvent, FALSE);
        Seen = ExpExchangeRundown(RunRef, (Value != 0 ? (ULONG64)&Wait : 0) | EXP_RUNDOWN_ACTIVE, Value);
        if (Seen == Value) {
            if (Value != 0)
                ExpWaitForTakers(RunRef, &Wait.Event, Caller);
            ExpForgetAllTakers(RunRef);
            RunRef->Count = EXP_RUNDOWN_ACTIVE;
            return;
        }
        Value = Seen;
    }
}

VOID FASTCALL ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    ExpWaitForRundown(RunRef, _ReturnAddress());
}

VOID FASTCALL ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    RunRef->Count = EXP_RUNDOWN_ACTIVE;
}

SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE);
}

VOID NTAPI ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, SIZE_T RunRefSize)
{
    UNREFERENCED_PARAMETER(RunRefSize);
    ExInitializeRundownProtection(&RunRefCacheAware->Reference);
}

PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    PEX_RUNDOWN_REF_CACHE_AWARE New = ExAllocatePoolWithTag(PoolType, sizeof(*New), PoolTag);

    if (New != NULL)
        ExInitializeRundownProtection(&New->Reference);
    return New;
}

VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExFreePool(RunRefCacheAware);
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExpAcquireRundown(&RunRefCacheAware->Reference, 1, _ReturnAddress());
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    return ExpAcquireRundown(&RunRefCacheAware->Reference, Count, _ReturnAddress());
}

VOID FASTCALL ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    ExReleaseRundownProtectionEx(&RunRef->Reference, 1);
}

VOID FASTCALL ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    ExReleaseRundownProtectionEx(&RunRef->Reference, Count);
}

VOID FASTCALL ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    ExpWaitForRundown(&RunRef->Reference, _ReturnAddress());
}

VOID FASTCALL ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReInitializeRundownProtection(&RunRefCacheAware->Reference);
}

VOID FASTCALL ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExRundownCompleted(&RunRefCacheAware->Reference);
}
