// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The executive's locks beyond the most used: rundown protection that knows of caches, push locks, resources' other ways in,
 * interlocked lists, probes and raises.
 */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

#define TAG 'kcLT'

typedef struct _EX_RUNDOWN_REF_CACHE_AWARE *PEX_RUNDOWN_REF_CACHE_AWARE;

NTKERNELAPI SIZE_T NTAPI ExSizeOfRundownProtectionCacheAware(VOID);
NTKERNELAPI VOID NTAPI ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref, SIZE_T Size);
NTKERNELAPI PEX_RUNDOWN_REF_CACHE_AWARE NTAPI ExAllocateCacheAwareRundownProtection(POOL_TYPE Type, ULONG Tag);
NTKERNELAPI VOID NTAPI ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI BOOLEAN FASTCALL ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE Ref, ULONG Count);
NTKERNELAPI VOID FASTCALL ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI VOID FASTCALL ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE Ref, ULONG Count);
NTKERNELAPI VOID FASTCALL ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI VOID FASTCALL ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI VOID FASTCALL ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE Ref);
NTKERNELAPI VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK Lock, ULONG Flags);
NTKERNELAPI VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK Lock, ULONG Flags);
NTKERNELAPI VOID FASTCALL ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK Lock, ULONG Flags);
NTKERNELAPI VOID FASTCALL ExReleasePushLockSharedEx(PEX_PUSH_LOCK Lock, ULONG Flags);
NTKERNELAPI VOID NTAPI ExSetResourceOwnerPointerEx(PERESOURCE Resource, PVOID Owner, ULONG Flags);
#undef ExTryToAcquireResourceExclusiveLite
NTKERNELAPI BOOLEAN NTAPI ExTryToAcquireResourceExclusiveLite(PERESOURCE Resource);

/* A thread that takes a lock and holds it until told. */
typedef struct _HOLDER {
    PVOID Lock;
    VOID (*Acquire)(PVOID Lock);
    VOID (*Release)(PVOID Lock);
    KEVENT Held, Go;
    PVOID Thread;
} HOLDER;

static VOID NTAPI Hold(PVOID Context)
{
    HOLDER *Holder = Context;

    Holder->Acquire(Holder->Lock);
    KeSetEvent(&Holder->Held, 0, FALSE);
    KeWaitForSingleObject(&Holder->Go, Executive, KernelMode, FALSE, NULL);
    Holder->Release(Holder->Lock);
}

static VOID StartHolder(HOLDER *Holder, PVOID Lock, VOID (*Acquire)(PVOID), VOID (*Release)(PVOID))
{
    Holder->Lock = Lock;
    Holder->Acquire = Acquire;
    Holder->Release = Release;
    KeInitializeEvent(&Holder->Held, NotificationEvent, FALSE);
    KeInitializeEvent(&Holder->Go, NotificationEvent, FALSE);
    Holder->Thread = StartThread(Hold, Holder);
}

static VOID EndHolder(HOLDER *Holder)
{
    KeSetEvent(&Holder->Go, 0, FALSE);
    JoinThread(Holder->Thread);
}

static VOID AcquireRundown(PVOID Lock)
{
    ExAcquireRundownProtectionCacheAware(Lock);
}

static VOID ReleaseRundown(PVOID Lock)
{
    Sleep(20);
    ExReleaseRundownProtectionCacheAware(Lock);
}

static VOID CheckRundown(PEX_RUNDOWN_REF_CACHE_AWARE Ref)
{
    HOLDER Holder;
    ULONGLONG Start;

    FvCheck(ExAcquireRundownProtectionCacheAware(Ref));
    FvCheck(ExAcquireRundownProtectionCacheAwareEx(Ref, 3));
    ExReleaseRundownProtectionCacheAwareEx(Ref, 2);
    ExReleaseRundownProtectionCacheAwareEx(Ref, 1);
    ExReleaseRundownProtectionCacheAware(Ref);
    StartHolder(&Holder, Ref, AcquireRundown, ReleaseRundown);
    WaitFor(&Holder.Held, 1000);
    KeSetEvent(&Holder.Go, 0, FALSE);
    Start = KeQueryInterruptTime();
    ExWaitForRundownProtectionReleaseCacheAware(Ref); /* until the other thread gives it back, 20 ms later */
    FvCheck(KeQueryInterruptTime() - Start >= 10000 * 5);
    FvCheck(!ExAcquireRundownProtectionCacheAware(Ref));
    FvCheck(!ExAcquireRundownProtectionCacheAwareEx(Ref, 2));
    EndHolder(&Holder);
    ExRundownCompletedCacheAware(Ref);
    FvCheck(!ExAcquireRundownProtectionCacheAware(Ref));
    ExReInitializeRundownProtectionCacheAware(Ref);
    FvCheck(ExAcquireRundownProtectionCacheAware(Ref));
    ExReleaseRundownProtectionCacheAware(Ref);
    ExWaitForRundownProtectionReleaseCacheAware(Ref);
    FvCheck(!ExAcquireRundownProtectionCacheAware(Ref));
}

static VOID CheckRundowns(VOID)
{
    SIZE_T Size = ExSizeOfRundownProtectionCacheAware();
    PEX_RUNDOWN_REF_CACHE_AWARE Ref = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, TAG);

    FvCheck(Ref != NULL);
    CheckRundown(Ref);
    ExFreeCacheAwareRundownProtection(Ref);
    FvCheck(Size != 0);
    Ref = ExAllocatePoolWithTag(NonPagedPoolNx, Size, TAG);
    ExInitializeRundownProtectionCacheAware(Ref, Size);
    CheckRundown(Ref);
    ExFreePoolWithTag(Ref, TAG);
}

static VOID AcquirePushExclusive(PVOID Lock)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusiveEx(Lock, 0);
}

static VOID ReleasePushExclusive(PVOID Lock)
{
    ExReleasePushLockExclusiveEx(Lock, 0);
    KeLeaveCriticalRegion();
}

static VOID AcquirePushShared(PVOID Lock)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockSharedEx(Lock, 0);
}

static VOID ReleasePushShared(PVOID Lock)
{
    ExReleasePushLockSharedEx(Lock, 0);
    KeLeaveCriticalRegion();
}

static VOID CheckPushLocks(VOID)
{
    EX_PUSH_LOCK Lock;
    HOLDER Shared, Exclusive;

    ExInitializePushLock(&Lock);
    AcquirePushShared(&Lock);
    StartHolder(&Shared, &Lock, AcquirePushShared, ReleasePushShared);
    FvCheck(WaitFor(&Shared.Held, 1000) == STATUS_SUCCESS); /* both at a time */
    EndHolder(&Shared);
    StartHolder(&Exclusive, &Lock, AcquirePushExclusive, ReleasePushExclusive);
    FvCheck(WaitFor(&Exclusive.Held, 20) == STATUS_TIMEOUT);
    ReleasePushShared(&Lock);
    FvCheck(WaitFor(&Exclusive.Held, 1000) == STATUS_SUCCESS);
    StartHolder(&Shared, &Lock, AcquirePushShared, ReleasePushShared);
    FvCheck(WaitFor(&Shared.Held, 20) == STATUS_TIMEOUT);
    EndHolder(&Exclusive);
    FvCheck(WaitFor(&Shared.Held, 1000) == STATUS_SUCCESS);
    EndHolder(&Shared);
}

static VOID AcquireShared(PVOID Lock)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(Lock, TRUE);
}

static VOID AcquireExclusive(PVOID Lock)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Lock, TRUE);
}

static VOID Release(PVOID Lock)
{
    ExReleaseResourceLite(Lock);
    KeLeaveCriticalRegion();
}

/* A shared owner, and one that waits for exclusive: who else gets in. */
static VOID CheckWaitForExclusive(PERESOURCE Resource)
{
    HOLDER Shared, Exclusive;

    StartHolder(&Shared, Resource, AcquireShared, Release);
    WaitFor(&Shared.Held, 1000);
    KeEnterCriticalRegion();
    FvCheck(ExAcquireSharedWaitForExclusive(Resource, FALSE)); /* no one waits */
    ExReleaseResourceLite(Resource);
    FvCheck(!ExTryToAcquireResourceExclusiveLite(Resource));
    StartHolder(&Exclusive, Resource, AcquireExclusive, Release);
    FvCheck(WaitFor(&Exclusive.Held, 20) == STATUS_TIMEOUT);
    FvCheck(ExGetExclusiveWaiterCount(Resource) == 1);
    FvCheck(!ExAcquireSharedWaitForExclusive(Resource, FALSE));
    FvCheck(!ExAcquireResourceSharedLite(Resource, FALSE));
    FvCheck(ExAcquireSharedStarveExclusive(Resource, FALSE));
    /* An owner already: it waits for the exclusive one all the same, which for a plain acquisition it would not. */
    FvCheck(!ExAcquireSharedWaitForExclusive(Resource, FALSE));
    FvCheck(ExAcquireResourceSharedLite(Resource, FALSE));
    ExReleaseResourceLite(Resource);
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
    EndHolder(&Shared);
    FvCheck(WaitFor(&Exclusive.Held, 1000) == STATUS_SUCCESS);
    KeEnterCriticalRegion();
    FvCheck(!ExAcquireSharedWaitForExclusive(Resource, FALSE));
    KeLeaveCriticalRegion();
    EndHolder(&Exclusive);
}

static VOID CheckResources(VOID)
{
    static ERESOURCE Resource;
    PVOID Owner = (PVOID)((ULONG_PTR)&Resource | 3);

    FvCheck(ExInitializeResourceLite(&Resource) == STATUS_SUCCESS);
    CheckWaitForExclusive(&Resource);
    KeEnterCriticalRegion();
    FvCheck(ExTryToAcquireResourceExclusiveLite(&Resource));
    FvCheck(ExIsResourceAcquiredExclusiveLite(&Resource));
    FvCheck(ExAcquireSharedWaitForExclusive(&Resource, FALSE)); /* its exclusive owner may */
    ExReleaseResourceLite(&Resource);
    FvCheck(ExIsResourceAcquiredExclusiveLite(&Resource));
    /* The owner is then no thread, and whoever knows the pointer releases it. */
    ExSetResourceOwnerPointer(&Resource, Owner);
    FvCheck(!ExIsResourceAcquiredExclusiveLite(&Resource));
    FvCheck(!ExTryToAcquireResourceExclusiveLite(&Resource));
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Owner);
    FvCheck(ExAcquireResourceSharedLite(&Resource, FALSE));
    ExSetResourceOwnerPointerEx(&Resource, Owner, 0);
    FvCheck(ExIsResourceAcquiredSharedLite(&Resource) == 0); /* the thread owns it no more */
    FvCheck(!ExTryToAcquireResourceExclusiveLite(&Resource));
    ExReleaseResourceForThreadLite(&Resource, (ERESOURCE_THREAD)Owner);
    FvCheck(ExAcquireResourceSharedLite(&Resource, FALSE));
    ExReleaseResourceForThreadLite(&Resource, ExGetCurrentResourceThread());
    FvCheck(ExIsResourceAcquiredSharedLite(&Resource) == 0);
    KeLeaveCriticalRegion();

    FvCheck(ExEnterCriticalRegionAndAcquireResourceShared(&Resource) == NULL); /* this thread has no Win32Thread */
    FvCheck(KeAreApcsDisabled());
    FvCheck(ExIsResourceAcquiredSharedLite(&Resource) == 1);
    FvCheck(ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(&Resource) == NULL);
    FvCheck(ExIsResourceAcquiredSharedLite(&Resource) == 2);
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    ExReleaseResourceAndLeaveCriticalRegion(&Resource);
    FvCheck(!KeAreApcsDisabled());
    ExDisableResourceBoostLite(&Resource);
    FvCheck(ExReinitializeResourceLite(&Resource) == STATUS_SUCCESS);
    FvCheck(ExIsResourceAcquiredSharedLite(&Resource) == 0);
    FvCheck(ExDeleteResourceLite(&Resource) == STATUS_SUCCESS);
}

static VOID CheckInterlocked(VOID)
{
    SINGLE_LIST_ENTRY Head = {NULL}, First, Second;
    KSPIN_LOCK Lock;
    ULONG Value = 5;

    KeInitializeSpinLock(&Lock);
    FvCheck(ExInterlockedAddUlong(&Value, 7, &Lock) == 5 && Value == 12);
    FvCheck(ExInterlockedAddUlong(&Value, MAXULONG, &Lock) == 12 && Value == 11);
    FvCheck(ExInterlockedPopEntryList(&Head, &Lock) == NULL);
    FvCheck(ExInterlockedPushEntryList(&Head, &First, &Lock) == NULL);
    FvCheck(ExInterlockedPushEntryList(&Head, &Second, &Lock) == &First);
    FvCheck(ExInterlockedPopEntryList(&Head, &Lock) == &Second);
    FvCheck(ExInterlockedPopEntryList(&Head, &Lock) == &First);
    FvCheck(ExInterlockedPopEntryList(&Head, &Lock) == NULL);
    FvCheck(KeTestSpinLock(&Lock));
}

static NTSTATUS TryProbe(ULONG_PTR Address, SIZE_T Length, ULONG Alignment)
{
    __try {
        ProbeForWrite((PVOID)Address, Length, Alignment);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS TryRaise(ULONG Which)
{
    __try {
        if (Which == 0)
            ExRaiseAccessViolation();
        ExRaiseDatatypeMisalignment();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static VOID CheckProbes(VOID)
{
    static UCHAR Data[64];

    FvCheck(TryProbe(0, 0, 1) == STATUS_SUCCESS); /* nothing to look at */
    FvCheck(TryProbe((ULONG_PTR)Data, 0, 1) == STATUS_SUCCESS);
    FvCheck(TryProbe((ULONG_PTR)Data, 1, 1) == STATUS_ACCESS_VIOLATION); /* the kernel's half */
    FvCheck(TryProbe(0x10001, 4, 4) == STATUS_DATATYPE_MISALIGNMENT);
    FvCheck(TryProbe(0x10000, MAXULONG_PTR, 1) == STATUS_ACCESS_VIOLATION);
    FvCheck(TryProbe(0x7FFFFFFEF000, 0x1001, 1) == STATUS_ACCESS_VIOLATION);
    FvCheck(TryProbe(0x10000, 4, 4) == STATUS_ACCESS_VIOLATION); /* nothing is there: it writes each page */
    FvCheck(TryRaise(0) == STATUS_ACCESS_VIOLATION);
    FvCheck(TryRaise(1) == STATUS_DATATYPE_MISALIGNMENT);
    FvCheck(ExIsProcessorFeaturePresent(PF_COMPARE_EXCHANGE_DOUBLE));
    FvCheck(ExIsProcessorFeaturePresent(PF_XMMI64_INSTRUCTIONS_AVAILABLE));
    FvCheck(!ExIsProcessorFeaturePresent(PF_FLOATING_POINT_PRECISION_ERRATA));
    FvCheck(!ExIsProcessorFeaturePresent(0xFFFF));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(77);
    CheckRundowns();
    CheckPushLocks();
    CheckResources();
    CheckInterlocked();
    CheckProbes();
    return STATUS_SUCCESS;
}
