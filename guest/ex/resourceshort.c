// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The short path of executive resources: one that is free is taken, and one that only this thread has, once, is given back
 * while nobody waits.  It calls nothing; all else, what the verifier objects to included, is left to resource.c, as if nothing
 * had been done.
 *
 * Resource->SpinLock is taken at once or not at all.  Who holds it here is not told: it is for a few instructions.
 */
#include "resource.h"

#define EXP_ONCE 4 /* OwnerCount 1, as the bits around it lie */
C_ASSERT(FIELD_OFFSET(ERESOURCE, Flag) == FIELD_OFFSET(ERESOURCE, ActiveCount) + sizeof(USHORT));
C_ASSERT(FIELD_OFFSET(ERESOURCE, NumberOfExclusiveWaiters) ==
         FIELD_OFFSET(ERESOURCE, NumberOfSharedWaiters) + sizeof(ULONG));

/* ActiveCount in the low half, Flag in the high one. */
#define EXP_STATE(Resource)   (*(volatile ULONG *)&(Resource)->ActiveCount)
#define EXP_IS_SHARED         0x00000001
#define EXP_IS_EXCLUSIVE      ((ULONG)ResourceOwnedExclusive << 16 | 1)
#define EXP_WAITERS(Resource) (*(volatile ULONG64 *)&(Resource)->NumberOfSharedWaiters)

FORCEINLINE BOOLEAN ExpTryLock(PERESOURCE Resource, KIRQL OldIrql)
{
    __writecr8(DISPATCH_LEVEL);
    if (!(__atomic_fetch_or(&Resource->SpinLock, 1, __ATOMIC_SEQ_CST) & 1))
        return TRUE;
    __writecr8(OldIrql);
    return FALSE;
}

FORCEINLINE VOID ExpUnlock(PERESOURCE Resource, KIRQL OldIrql)
{
    __atomic_store_n(&Resource->SpinLock, 0, __ATOMIC_RELEASE);
    __writecr8(OldIrql);
}

/* TRUE: taken.  FALSE: nothing has been done. */
FORCEINLINE BOOLEAN ExpTakeFree(PERESOURCE Resource, ULONG State, const VOID *Caller)
{
    PKTHREAD Thread = (PKTHREAD)__readgsqword(0x188);
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (KiDriverVerifierOn && (OldIrql > APC_LEVEL || ((ULONG_PTR)Resource & 7) != 0 ||
                               Resource->SystemResourcesList.Flink != &Resource->SystemResourcesList ||
                               (OldIrql == PASSIVE_LEVEL && Thread->CombinedApcDisable == 0)))
        return FALSE;
    if (!ExpTryLock(Resource, OldIrql))
        return FALSE;
    if (EXP_STATE(Resource) != 0) {
        ExpUnlock(Resource, OldIrql);
        return FALSE;
    }
    EXP_STATE(Resource) = State;
    Resource->ActiveEntries = 1;
    Resource->OwnerEntry.OwnerThread = (ERESOURCE_THREAD)Thread;
    Resource->OwnerEntry.TableSize = EXP_ONCE;
    ExpUnlock(Resource, OldIrql);
    KeNoteResource(Thread, Resource, Caller);
    return TRUE;
}

FORCEINLINE BOOLEAN ExpTakeExclusive(PERESOURCE Resource, BOOLEAN Wait, PVOID Caller)
{
    if (ExpTakeFree(Resource, EXP_IS_EXCLUSIVE, Caller)) {
        if (Wait)
            KeCheckResourceOrder(Resource, Caller);
        return TRUE;
    }
    return ExpAcquireExclusive(Resource, Wait, Caller);
}

FORCEINLINE BOOLEAN ExpTakeShared(PERESOURCE Resource, BOOLEAN Wait, PVOID Caller)
{
    if (ExpTakeFree(Resource, EXP_IS_SHARED, Caller))
        return TRUE;
    return ExpAcquireShared(Resource, Wait, ExpShared, Caller);
}

DECLSPEC_NOINLINE BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return ExpTakeExclusive(Resource, Wait, __builtin_return_address(0));
}

DECLSPEC_NOINLINE BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    return ExpTakeShared(Resource, Wait, __builtin_return_address(0));
}

VOID NTAPI FvAcquireResourceForCaller(PERESOURCE Resource, BOOLEAN Exclusive, PVOID Caller)
{
    if (Exclusive)
        ExpTakeExclusive(Resource, TRUE, Caller);
    else
        ExpTakeShared(Resource, TRUE, Caller);
}

DECLSPEC_NOINLINE VOID FASTCALL ExReleaseResourceLite(PERESOURCE Resource)
{
    PKTHREAD Thread = (PKTHREAD)__readgsqword(0x188);
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (OldIrql <= DISPATCH_LEVEL && ExpTryLock(Resource, OldIrql)) {
        if (Resource->OwnerEntry.OwnerThread == (ERESOURCE_THREAD)Thread &&
            Resource->OwnerEntry.TableSize == EXP_ONCE && Resource->ActiveEntries == 1 &&
            (EXP_STATE(Resource) & ~(EXP_IS_SHARED | EXP_IS_EXCLUSIVE)) == 0 && EXP_WAITERS(Resource) == 0) {
            Resource->OwnerEntry.OwnerThread = 0;
            Resource->OwnerEntry.TableSize = 0;
            Resource->ActiveEntries = 0;
            EXP_STATE(Resource) = 0;
            ExpUnlock(Resource, OldIrql);
            KeNoteResourceRelease(Thread, Resource); /* only its address */
            return;
        }
        ExpUnlock(Resource, OldIrql);
    }
    ExpRelease(Resource, (ERESOURCE_THREAD)Thread, __builtin_return_address(0));
}
