// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Run-down protection: references that can be taken until somebody waits for all of them to go.
 *
 * One word: twice the number of references, or, once run down, bit 0 and (while someone waits) the address of a
 * block on the waiter's stack that counts the references still out.  The cache-aware kind is the same behind a
 * pointer.
 */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>
#include <fltvm.h>

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

#define EXP_RUNDOWN_ACTIVE    1ULL
#define EXP_RUNDOWN_INCREMENT 2ULL

typedef struct _EXP_RUNDOWN_WAIT {
    volatile LONG64 Count;
    KEVENT Event;
} EXP_RUNDOWN_WAIT;

struct _EX_RUNDOWN_REF_CACHE_AWARE {
    EX_RUNDOWN_REF Reference;
};

static ULONG64 ExpExchangeRundown(PEX_RUNDOWN_REF RunRef, ULONG64 New, ULONG64 Old)
{
    return (ULONG64)InterlockedCompareExchange64((volatile LONG64 *)&RunRef->Count, (LONG64)New, (LONG64)Old);
}

VOID FASTCALL ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    RunRef->Count = 0;
}

VOID FASTCALL ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    if (!(RunRef->Count & EXP_RUNDOWN_ACTIVE) && FvVerifierEnabled()) {
        FvReport("rule=run-down protection that was not run down is initialized again\n");
        KeBugCheckEx(0xC4, FV_BAD_ARGUMENT, (ULONG_PTR)RunRef, RunRef->Count / EXP_RUNDOWN_INCREMENT, 0);
    }
    RunRef->Count = 0;
}

BOOLEAN FASTCALL ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG64 Value = RunRef->Count, Seen;

    while (!(Value & EXP_RUNDOWN_ACTIVE)) {
        Seen = ExpExchangeRundown(RunRef, Value + EXP_RUNDOWN_INCREMENT * Count, Value);
        if (Seen == Value)
            return TRUE;
        Value = Seen;
    }
    return FALSE;
}

BOOLEAN FASTCALL ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    return ExAcquireRundownProtectionEx(RunRef, 1);
}

VOID FASTCALL ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    ULONG64 Value = RunRef->Count, Seen;
    EXP_RUNDOWN_WAIT *Wait;

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

VOID FASTCALL ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    ULONG64 Value = RunRef->Count, Seen;
    EXP_RUNDOWN_WAIT Wait;

    while (!(Value & EXP_RUNDOWN_ACTIVE)) {
        Wait.Count = (LONG64)(Value / EXP_RUNDOWN_INCREMENT);
        KeInitializeEvent(&Wait.Event, SynchronizationEvent, FALSE);
        Seen = ExpExchangeRundown(RunRef, (Value != 0 ? (ULONG64)&Wait : 0) | EXP_RUNDOWN_ACTIVE, Value);
        if (Seen == Value) {
            if (Value != 0)
                KeWaitForSingleObject(&Wait.Event, WrRundown, KernelMode, FALSE, NULL);
            RunRef->Count = EXP_RUNDOWN_ACTIVE;
            return;
        }
        Value = Seen;
    }
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
    RunRefCacheAware->Reference.Count = 0;
}

PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    PEX_RUNDOWN_REF_CACHE_AWARE New = ExAllocatePoolWithTag(PoolType, sizeof(*New), PoolTag);

    if (New != NULL)
        New->Reference.Count = 0;
    return New;
}

VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExFreePool(RunRefCacheAware);
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExAcquireRundownProtectionEx(&RunRefCacheAware->Reference, 1);
}

BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware, ULONG Count)
{
    return ExAcquireRundownProtectionEx(&RunRefCacheAware->Reference, Count);
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
    ExWaitForRundownProtectionRelease(&RunRef->Reference);
}

VOID FASTCALL ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReInitializeRundownProtection(&RunRefCacheAware->Reference);
}

VOID FASTCALL ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExRundownCompleted(&RunRefCacheAware->Reference);
}
