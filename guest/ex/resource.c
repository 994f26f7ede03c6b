// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Executive resources: reader-writer locks that know their owners.
 *
 * Flag says whether OwnerEntry is an exclusive owner; otherwise OwnerEntry and the entries of OwnerTable (from 1;
 * entry 0 holds its size) are the shared owners, ActiveEntries of them.  Waiters are records on their own stacks, in
 * two lists whose heads stand in the fields that Windows uses for a semaphore and an event: a release grants the
 * resource to them, so that whoever wakes owns it.  SpinLock guards all of it.
 *
 * Releasing what one does not own is a bugcheck on every Windows.  The other rules are Driver Verifier's: normal kernel
 * APCs off while acquiring, deleted when free, not acquired exclusively by a thread that has it shared.
 *
 * Rules for resources
 *  - Nonpaged memory; initialized and deleted at IRQL <= APC_LEVEL, acquired there too when it may wait, released at
 *    IRQL <= DISPATCH_LEVEL.
 *  - Acquired as often as released, shared and exclusive in any nesting except shared first, then exclusive.
 *  - Who asks for it shared waits behind those who wait for it exclusively, unless it has it already or asks with
 *    ExAcquireSharedStarveExclusive.
 *  - An owner set by ExSetResourceOwnerPointer releases by ExReleaseResourceForThreadLite only.
 */
#include "resource.h"

#define EXP_TABLE_TAG     'eTeR'
#define EXP_TABLE_MINIMUM 4
#define EXP_OWNER_POINTER 3 /* low bits of an owner that is not a thread */

typedef struct _EXP_RESOURCE_WAITER {
    struct _EXP_RESOURCE_WAITER *Next;
    ERESOURCE_THREAD Owner;
    KEVENT Event;
} EXP_RESOURCE_WAITER, *PEXP_RESOURCE_WAITER;

#define EXP_SHARED_WAITERS(Resource)    ((PEXP_RESOURCE_WAITER *)&(Resource)->SharedWaiters)
#define EXP_EXCLUSIVE_WAITERS(Resource) ((PEXP_RESOURCE_WAITER *)&(Resource)->ExclusiveWaiters)

static ERESOURCE_THREAD ExpCurrentOwner(VOID)
{
    return (ERESOURCE_THREAD)KeGetCurrentThread();
}

/* A rule that only the verifier checks is broken. */
static BOOLEAN ExpVerifies(BOOLEAN Broken)
{
    return Broken && FvVerifierEnabled();
}

static DECLSPEC_NORETURN VOID ExpResourceBugCheck(PERESOURCE Resource, PCSTR Rule, PVOID Caller, ULONG Code, ULONG64 P1,
                                                  ULONG64 P2, ULONG64 P3, ULONG64 P4)
{
    CHAR Text[192];

    _snprintf(Text, sizeof(Text), "rule=%s\nresource=0x%I64x\ncaller=0x%I64x\nowner=0x%I64x\n", Rule, (ULONG64)Resource,
              (ULONG64)Caller, (ULONG64)Resource->OwnerEntry.OwnerThread);
    FvReport(Text);
    KeBugCheckEx(Code, P1, P2, P3, P4);
}

/* APCs must be off, or the thread could be suspended or ended while it owns the resource. */
static VOID ExpCheckAcquire(PERESOURCE Resource, PVOID Caller)
{
    KIRQL Irql = KeGetCurrentIrql();

    if (ExpVerifies(Irql >= DISPATCH_LEVEL))
        ExpResourceBugCheck(Resource, "irql", Caller, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Resource, Irql, 0,
                            (ULONG_PTR)Caller);
    if (Irql == PASSIVE_LEVEL && FvVerifierEnabled() && !HalIsKernelAddress(Caller) && !KeAreApcsDisabled())
        ExpResourceBugCheck(Resource, "apcs-not-disabled", Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x37, Irql, 0,
                            (ULONG_PTR)Resource);
    if (ExpVerifies(((ULONG_PTR)Resource & (sizeof(ULONG_PTR) - 1)) != 0))
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3D, 0, 0, (ULONG_PTR)Resource);
    if (ExpVerifies(Resource->SystemResourcesList.Flink != &Resource->SystemResourcesList))
        ExpResourceBugCheck(Resource, "resource-not-initialized", Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD1,
                            (ULONG_PTR)Resource, 0, 0);
}

static BOOLEAN ExpIsExclusive(PERESOURCE Resource)
{
    return (Resource->Flag & ResourceOwnedExclusive) != 0;
}

static BOOLEAN ExpIsFree(PERESOURCE Resource)
{
    return Resource->ActiveEntries == 0;
}

/* The entry of a shared owner, or NULL. */
static POWNER_ENTRY ExpFindOwner(PERESOURCE Resource, ERESOURCE_THREAD Owner)
{
    POWNER_ENTRY Table = Resource->OwnerTable;

    if (Resource->OwnerEntry.OwnerThread == Owner)
        return &Resource->OwnerEntry;
    for (ULONG Index = 1; Table != NULL && Index < Table[0].TableSize; Index++) {
        if (Table[Index].OwnerThread == Owner)
            return &Table[Index];
    }
    return NULL;
}

/* An entry for a new shared owner; NULL when the table is full. */
static POWNER_ENTRY ExpFreeEntry(PERESOURCE Resource)
{
    return ExpFindOwner(Resource, 0);
}

/*
 * Makes room in the table.  The lock is dropped meanwhile, so the caller looks again.  When there is no memory it
 * waits a little: acquiring a resource does not fail for that.
 */
static VOID ExpGrowTable(PERESOURCE Resource, PKIRQL OldIrql)
{
    ULONG OldSize = Resource->OwnerTable != NULL ? Resource->OwnerTable[0].TableSize : 0;
    ULONG NewSize = OldSize == 0 ? EXP_TABLE_MINIMUM : OldSize * 2;
    LARGE_INTEGER Pause = {.QuadPart = -100000};
    POWNER_ENTRY New, Old = NULL;

    KeReleaseSpinLock(&Resource->SpinLock, *OldIrql);
    New = ExAllocatePoolWithTag(NonPagedPoolNx, NewSize * sizeof(OWNER_ENTRY), EXP_TABLE_TAG);
    if (New == NULL)
        KeDelayExecutionThread(KernelMode, FALSE, &Pause);
    KeAcquireSpinLock(&Resource->SpinLock, OldIrql);
    if (New == NULL)
        return;
    Old = Resource->OwnerTable;
    if ((Old != NULL ? Old[0].TableSize : 0) != OldSize) {
        Old = New; /* somebody else was faster */
    } else {
        memset(New, 0, NewSize * sizeof(OWNER_ENTRY));
        if (Old != NULL)
            memcpy(New, Old, OldSize * sizeof(OWNER_ENTRY));
        New[0].OwnerThread = 0;
        New[0].TableSize = NewSize;
        Resource->OwnerTable = New;
    }
    if (Old != NULL) {
        KeReleaseSpinLock(&Resource->SpinLock, *OldIrql);
        ExFreePool(Old);
        KeAcquireSpinLock(&Resource->SpinLock, OldIrql);
    }
}

/* The thread that an owner is; NULL: an address of ExSetResourceOwnerPointer. */
static PKTHREAD ExpThreadOf(ERESOURCE_THREAD Owner)
{
    return (Owner & EXP_OWNER_POINTER) != 0 ? NULL : (PKTHREAD)Owner;
}

/* Is it waited for yet?  Who has been granted it in the meantime is among those who hold it, and does not wait. */
static BOOLEAN ExpIsWaiter(PERESOURCE Resource, const KTHREAD *Thread)
{
    PEXP_RESOURCE_WAITER Lists[] = {*EXP_EXCLUSIVE_WAITERS(Resource), *EXP_SHARED_WAITERS(Resource)};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Lists); Index++) {
        for (PEXP_RESOURCE_WAITER Waiter = Lists[Index]; Waiter != NULL; Waiter = Waiter->Next) {
            if (Waiter->Owner == (ERESOURCE_THREAD)Thread)
                return TRUE;
        }
    }
    return FALSE;
}

/* Who holds a resource that somebody waits for. */
static BOOLEAN NTAPI ExpNextOwner(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    PERESOURCE Resource = (PERESOURCE)Wait->Object;
    POWNER_ENTRY Entry;
    BOOLEAN More;

    KeAcquireSpinLockAtDpcLevel(&Resource->SpinLock);
    More = Index == 0 || (Resource->OwnerTable != NULL && Index < Resource->OwnerTable[0].TableSize);
    Entry = Index == 0 ? &Resource->OwnerEntry : Resource->OwnerTable + Index;
    if (More && Resource->ActiveEntries != 0 && ExpIsWaiter(Resource, Wait->Thread))
        Holder->Thread = ExpThreadOf(Entry->OwnerThread);
    KeReleaseSpinLockFromDpcLevel(&Resource->SpinLock);
    return More;
}

static VOID ExpWait(PERESOURCE Resource, PEXP_RESOURCE_WAITER Waiter, PVOID Caller)
{
    FV_WAIT Wait = {.What = "resource", .Object = Resource, .Caller = Caller, .NextHolder = ExpNextOwner};

    FvBeginWait(&Wait);
    KeWaitForSingleObject(&Waiter->Event, WrResource, KernelMode, FALSE, NULL);
    FvEndWait(&Wait);
}

static VOID ExpSetExclusive(PERESOURCE Resource, ERESOURCE_THREAD Owner)
{
    Resource->Flag |= ResourceOwnedExclusive;
    Resource->OwnerEntry.OwnerThread = Owner;
    Resource->OwnerEntry.OwnerCount = 1;
    Resource->ActiveEntries = 1;
    Resource->ActiveCount = 1;
}

static VOID ExpAddShared(PERESOURCE Resource, POWNER_ENTRY Entry, ERESOURCE_THREAD Owner)
{
    Entry->OwnerThread = Owner;
    Entry->OwnerCount = 1;
    Resource->ActiveEntries++;
    Resource->ActiveCount = 1;
}

static VOID ExpQueueWaiter(PEXP_RESOURCE_WAITER *List, PEXP_RESOURCE_WAITER Waiter, ERESOURCE_THREAD Owner)
{
    Waiter->Next = NULL;
    Waiter->Owner = Owner;
    KeInitializeEvent(&Waiter->Event, SynchronizationEvent, FALSE);
    while (*List != NULL)
        List = &(*List)->Next;
    *List = Waiter;
}

/* Grants a free or shared resource to the shared waiters. */
static VOID ExpGrantShared(PERESOURCE Resource)
{
    PEXP_RESOURCE_WAITER Waiter;
    POWNER_ENTRY Entry;

    while ((Waiter = *EXP_SHARED_WAITERS(Resource)) != NULL) {
        Entry = ExpFindOwner(Resource, Waiter->Owner);
        if (Entry != NULL) {
            Entry->OwnerCount++;
        } else {
            /* A waiter made room for itself before it queued; the table never shrinks while in use. */
            Entry = ExpFreeEntry(Resource);
            if (Entry == NULL)
                return;
            ExpAddShared(Resource, Entry, Waiter->Owner);
        }
        *EXP_SHARED_WAITERS(Resource) = Waiter->Next;
        Resource->NumberOfSharedWaiters--;
        KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
    }
}

static VOID ExpGrantExclusive(PERESOURCE Resource)
{
    PEXP_RESOURCE_WAITER Waiter = *EXP_EXCLUSIVE_WAITERS(Resource);

    *EXP_EXCLUSIVE_WAITERS(Resource) = Waiter->Next;
    Resource->NumberOfExclusiveWaiters--;
    ExpSetExclusive(Resource, Waiter->Owner);
    KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
}

BOOLEAN ExpAcquireExclusive(PERESOURCE Resource, BOOLEAN Wait, PVOID Caller)
{
    ERESOURCE_THREAD Owner = ExpCurrentOwner();
    EXP_RESOURCE_WAITER Waiter;
    BOOLEAN Acquired = TRUE;
    KIRQL OldIrql;

    ExpCheckAcquire(Resource, Caller);
    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    if (ExpIsFree(Resource)) {
        ExpSetExclusive(Resource, Owner);
    } else if (ExpIsExclusive(Resource) && Resource->OwnerEntry.OwnerThread == Owner) {
        Resource->OwnerEntry.OwnerCount++;
    } else if (!Wait) {
        Acquired = FALSE;
    } else {
        Resource->ContentionCount++;
        Resource->NumberOfExclusiveWaiters++;
        ExpQueueWaiter(EXP_EXCLUSIVE_WAITERS(Resource), &Waiter, Owner);
        KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
        ExpWait(Resource, &Waiter, Caller);
        KeNoteResource(KeGetCurrentThread(), Resource, Caller);
        KeCheckResourceOrder(Resource, Caller);
        return TRUE;
    }
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
    if (Acquired) {
        KeNoteResource(KeGetCurrentThread(), Resource, Caller);
        if (Wait)
            KeCheckResourceOrder(Resource, Caller);
    }
    return Acquired;
}

static BOOLEAN ExpSharedAcquired(PERESOURCE Resource, KIRQL OldIrql, PVOID Caller)
{
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
    KeNoteResource(KeGetCurrentThread(), Resource, Caller);
    return TRUE;
}

BOOLEAN ExpAcquireShared(PERESOURCE Resource, BOOLEAN Wait, EXP_SHARED_KIND Kind, PVOID Caller)
{
    ERESOURCE_THREAD Owner = ExpCurrentOwner();
    EXP_RESOURCE_WAITER Waiter;
    POWNER_ENTRY Entry;
    KIRQL OldIrql;
    BOOLEAN Grant;

    ExpCheckAcquire(Resource, Caller);
    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    for (;;) {
        if (ExpIsExclusive(Resource) && Resource->OwnerEntry.OwnerThread == Owner) {
            Resource->OwnerEntry.OwnerCount++;
            return ExpSharedAcquired(Resource, OldIrql, Caller);
        }
        Entry = ExpIsExclusive(Resource) ? NULL : ExpFindOwner(Resource, Owner);
        Grant = !ExpIsExclusive(Resource) && (Resource->NumberOfExclusiveWaiters == 0 ||
                                              Kind == ExpSharedStarveExclusive || (Kind == ExpShared && Entry != NULL));
        if (Grant && Entry != NULL) {
            Entry->OwnerCount++;
            return ExpSharedAcquired(Resource, OldIrql, Caller);
        }
        if (Grant) {
            Entry = ExpFreeEntry(Resource);
            if (Entry != NULL) {
                ExpAddShared(Resource, Entry, Owner);
                return ExpSharedAcquired(Resource, OldIrql, Caller);
            }
        } else if (!Wait) {
            KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
            return FALSE;
        } else if (Resource->NumberOfSharedWaiters + 2 <=
                   (Resource->OwnerTable != NULL ? Resource->OwnerTable[0].TableSize : 1)) {
            break; /* room for all who wait, and for an exclusive owner that becomes a shared one */
        }
        ExpGrowTable(Resource, &OldIrql);
    }
    Resource->ContentionCount++;
    Resource->NumberOfSharedWaiters++;
    ExpQueueWaiter(EXP_SHARED_WAITERS(Resource), &Waiter, Owner);
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
    ExpWait(Resource, &Waiter, Caller);
    KeNoteResource(KeGetCurrentThread(), Resource, Caller);
    return TRUE;
}

/* An owner that is another thread may have ended meanwhile. */
static VOID ExpForget(PERESOURCE Resource, ERESOURCE_THREAD Owner, ULONG Count)
{
    PKTHREAD Thread = ExpThreadOf(Owner);

    if (Thread == NULL || (Thread != KeGetCurrentThread() && !KeIsThread(Thread)))
        return;
    while (Count-- > 0)
        KeNoteResourceRelease(Thread, Resource);
}

VOID ExpRelease(PERESOURCE Resource, ERESOURCE_THREAD Owner, PVOID Caller)
{
    POWNER_ENTRY Entry;
    BOOLEAN WasExclusive;
    KIRQL OldIrql;

    if (ExpVerifies(KeGetCurrentIrql() > DISPATCH_LEVEL))
        ExpResourceBugCheck(Resource, "irql", Caller, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Resource, KeGetCurrentIrql(),
                            0, (ULONG_PTR)Caller);
    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    WasExclusive = ExpIsExclusive(Resource);
    Entry = ExpIsFree(Resource) || Owner == 0 ? NULL : ExpFindOwner(Resource, Owner);
    if (Entry == NULL || (WasExclusive && Entry != &Resource->OwnerEntry))
        ExpResourceBugCheck(Resource, "not-owned", Caller, RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, Owner,
                            (ULONG_PTR)Resource->OwnerTable, WasExclusive ? 1 : 2);
    ExpForget(Resource, Owner, 1);
    if (--Entry->OwnerCount == 0) {
        Entry->OwnerThread = 0;
        if (--Resource->ActiveEntries == 0) {
            Resource->Flag &= ~ResourceOwnedExclusive;
            Resource->ActiveCount = 0;
            if (Resource->NumberOfSharedWaiters != 0 && (WasExclusive || Resource->NumberOfExclusiveWaiters == 0))
                ExpGrantShared(Resource);
            else if (Resource->NumberOfExclusiveWaiters != 0)
                ExpGrantExclusive(Resource);
        }
    }
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
}

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource)
{
    memset(Resource, 0, sizeof(*Resource));
    KeInitializeSpinLock(&Resource->SpinLock);
    KeTrackMemory(KeTrackedResource, &Resource->SystemResourcesList, Resource, _ReturnAddress());
    return STATUS_SUCCESS;
}

static VOID ExpCheckIdle(PERESOURCE Resource, PVOID Caller)
{
    if (ExpVerifies(!ExpIsFree(Resource) || Resource->NumberOfSharedWaiters != 0 ||
                    Resource->NumberOfExclusiveWaiters != 0))
        ExpResourceBugCheck(Resource, "resource-in-use", Caller, RESOURCE_NOT_OWNED, (ULONG_PTR)Resource,
                            ExpCurrentOwner(), (ULONG_PTR)Resource->OwnerTable, 3);
}

DECLSPEC_NOINLINE NTSTATUS NTAPI ExReinitializeResourceLite(PERESOURCE Resource)
{
    ExpCheckIdle(Resource, __builtin_return_address(0));
    Resource->ContentionCount = 0;
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource)
{
    ExpCheckIdle(Resource, __builtin_return_address(0));
    if (!KeUntrackMemory(KeTrackedResource, &Resource->SystemResourcesList))
        ExpResourceBugCheck(Resource, "resource-not-initialized", __builtin_return_address(0),
                            DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD1, (ULONG_PTR)Resource, 0, 0);
    if (Resource->OwnerTable != NULL)
        ExFreePool(Resource->OwnerTable);
    memset(Resource, 0, sizeof(*Resource));
    return STATUS_SUCCESS;
}

#undef ExTryToAcquireResourceExclusiveLite
BOOLEAN NTAPI ExTryToAcquireResourceExclusiveLite(PERESOURCE Resource);
DECLSPEC_NOINLINE BOOLEAN NTAPI ExTryToAcquireResourceExclusiveLite(PERESOURCE Resource)
{
    return ExpAcquireExclusive(Resource, FALSE, __builtin_return_address(0));
}

DECLSPEC_NOINLINE BOOLEAN NTAPI ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return ExpAcquireShared(Resource, Wait, ExpSharedStarveExclusive, __builtin_return_address(0));
}

DECLSPEC_NOINLINE BOOLEAN NTAPI ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    return ExpAcquireShared(Resource, Wait, ExpSharedWaitForExclusive, __builtin_return_address(0));
}

/*
 * The critical region comes first, so these never break the rule on APCs.  They return the thread's Win32 part, which
 * threads of the kernel do not have.
 */
PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExpAcquireExclusive(Resource, TRUE, __builtin_return_address(0));
    return NULL;
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExpAcquireShared(Resource, TRUE, ExpShared, __builtin_return_address(0));
    return NULL;
}

PVOID NTAPI ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExpAcquireShared(Resource, TRUE, ExpSharedWaitForExclusive, __builtin_return_address(0));
    return NULL;
}

DECLSPEC_NOINLINE VOID NTAPI ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
    ExpRelease(Resource, ResourceThreadId, __builtin_return_address(0));
}

DECLSPEC_NOINLINE VOID FASTCALL ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExpRelease(Resource, ExpCurrentOwner(), __builtin_return_address(0));
    KeLeaveCriticalRegion();
}

DECLSPEC_NOINLINE VOID NTAPI ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    KIRQL OldIrql;

    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    if (ExpVerifies(!ExpIsExclusive(Resource) || Resource->OwnerEntry.OwnerThread != ExpCurrentOwner()))
        ExpResourceBugCheck(Resource, "not-owned", __builtin_return_address(0), RESOURCE_NOT_OWNED, (ULONG_PTR)Resource,
                            ExpCurrentOwner(), (ULONG_PTR)Resource->OwnerTable, 1);
    if (!ExpIsExclusive(Resource)) {
        KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
        return; /* shared already, or nobody's */
    }
    Resource->Flag &= ~ResourceOwnedExclusive;
    if (Resource->NumberOfSharedWaiters != 0)
        ExpGrantShared(Resource);
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
}

/* The caller's ownership is given to an address (its two low bits set) and released with that later. */
DECLSPEC_NOINLINE VOID NTAPI ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer)
{
    POWNER_ENTRY Entry, Old;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    Entry = ExpIsFree(Resource) ? NULL : ExpFindOwner(Resource, ExpCurrentOwner());
    if (Entry == NULL || ((ULONG_PTR)OwnerPointer & EXP_OWNER_POINTER) != EXP_OWNER_POINTER)
        ExpResourceBugCheck(Resource, "not-owned", __builtin_return_address(0), RESOURCE_NOT_OWNED, (ULONG_PTR)Resource,
                            ExpCurrentOwner(), (ULONG_PTR)Resource->OwnerTable, 3);
    ExpForget(Resource, ExpCurrentOwner(), Entry->OwnerCount);
    Old = ExpIsExclusive(Resource) ? NULL : ExpFindOwner(Resource, (ERESOURCE_THREAD)OwnerPointer);
    if (Old != NULL) {
        Old->OwnerCount += Entry->OwnerCount;
        Entry->OwnerThread = 0;
        Entry->OwnerCount = 0;
        Resource->ActiveEntries--;
    } else {
        Entry->OwnerThread = (ERESOURCE_THREAD)OwnerPointer;
    }
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
}

VOID NTAPI ExSetResourceOwnerPointerEx(PERESOURCE Resource, PVOID OwnerPointer, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ExSetResourceOwnerPointer(Resource, OwnerPointer);
}

/* Owners' priorities are never boosted here, so there is nothing to turn off. */
VOID NTAPI ExDisableResourceBoostLite(PERESOURCE Resource)
{
    UNREFERENCED_PARAMETER(Resource);
}

BOOLEAN NTAPI ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    return ExpIsExclusive(Resource) && Resource->OwnerEntry.OwnerThread == ExpCurrentOwner();
}

ULONG NTAPI ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    POWNER_ENTRY Entry;
    ULONG Count = 0;
    KIRQL OldIrql;

    KeAcquireSpinLock(&Resource->SpinLock, &OldIrql);
    Entry = ExpIsFree(Resource) ? NULL : ExpFindOwner(Resource, ExpCurrentOwner());
    if (Entry != NULL)
        Count = Entry->OwnerCount;
    KeReleaseSpinLock(&Resource->SpinLock, OldIrql);
    return Count;
}

ULONG NTAPI ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    return Resource->NumberOfExclusiveWaiters;
}

ULONG NTAPI ExGetSharedWaiterCount(PERESOURCE Resource)
{
    return Resource->NumberOfSharedWaiters;
}
