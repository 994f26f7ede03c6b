// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lookaside lists.
 *
 * The documented inlines in the drivers' headers do the fast path: an S-list in front of an allocation routine.  For
 * a driver under the verifier a list keeps no entries (depth 0), as on Windows, so that each entry is a pool
 * allocation that is checked, guarded and accounted for.
 */
#include <ntifs.h>
#include <rtl.h>
#include <hal.h>
#include <ke.h>
#include <mm.h>
#include <fltvm.h>

#define EXP_LOOKASIDE_DEPTH        4 /* Windows's to begin with */
#define EXP_KERNEL_LOOKASIDE_DEPTH 32
#define EXP_LOOKASIDE_MINIMUM_SIZE RTL_SIZEOF_THROUGH_FIELD(SLIST_ENTRY, Next)
#define EXP_POOL_FLAGS                                                                                                 \
    (POOL_QUOTA_FAIL_INSTEAD_OF_RAISE | POOL_RAISE_IF_ALLOCATION_FAILURE | POOL_COLD_ALLOCATION | POOL_NX_ALLOCATION | \
     POOL_ZERO_ALLOCATION)

static VOID ExpInitializeLookaside(PGENERAL_LOOKASIDE List, POOL_TYPE Type, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    USHORT Depth = HalIsKernelAddress(Caller) ? EXP_KERNEL_LOOKASIDE_DEPTH
                   : FvVerifierEnabled()      ? 0
                                              : EXP_LOOKASIDE_DEPTH;

    if (FvVerifierEnabled())
        KeTrackMemory(KeTrackedLookaside, &List->ListEntry, List, Caller);
    memset(List, 0, FIELD_OFFSET(GENERAL_LOOKASIDE, ListEntry));
    InitializeSListHead(&List->ListHead);
    List->Depth = Depth;
    List->MaximumDepth = Depth != 0 ? 256 : 0;
    List->Type = Type;
    List->Tag = Tag;
    List->Size = (ULONG)max(Size, EXP_LOOKASIDE_MINIMUM_SIZE);
}

static VOID ExpCheckLookasideRoutines(const GENERAL_LOOKASIDE *List)
{
    KeCheckRoutine((PVOID)List->Allocate, "lookaside list's allocate routine");
    KeCheckRoutine((PVOID)List->Free, "lookaside list's free routine");
}

DECLSPEC_NOINLINE VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
                                                             PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                                             ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    ExpInitializeLookaside(&Lookaside->L, NonPagedPool | (Flags & EXP_POOL_FLAGS), Size, Tag,
                           __builtin_return_address(0));
    Lookaside->L.Allocate = Allocate != NULL ? Allocate : ExAllocatePoolWithTag;
    Lookaside->L.Free = Free != NULL ? Free : ExFreePool;
    ExpCheckLookasideRoutines(&Lookaside->L);
}

DECLSPEC_NOINLINE VOID NTAPI ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside,
                                                            PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                                            ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    UNREFERENCED_PARAMETER(Depth);
    ExpInitializeLookaside(&Lookaside->L, PagedPool | (Flags & POOL_RAISE_IF_ALLOCATION_FAILURE), Size, Tag,
                           __builtin_return_address(0));
    Lookaside->L.Allocate = Allocate != NULL ? Allocate : ExAllocatePoolWithTag;
    Lookaside->L.Free = Free != NULL ? Free : ExFreePool;
    ExpCheckLookasideRoutines(&Lookaside->L);
}

/* Memory that was never a list, or is none any more. */
static VOID ExpForgetLookaside(PGENERAL_LOOKASIDE List)
{
    if (!KeUntrackMemory(KeTrackedLookaside, &List->ListEntry))
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCB, (ULONG_PTR)List, 0, 0);
}

/* What a deleted list's routines lead to, whichever of them is called. */
static DECLSPEC_NOINLINE VOID NTAPI ExpUseDeletedLookaside(VOID)
{
    FvReport("rule=a lookaside list is used after it was deleted\n");
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCB, 0, (ULONG_PTR)__builtin_return_address(0), 0);
}

static VOID ExpEndLookaside(PGENERAL_LOOKASIDE List)
{
    if (!FvVerifierEnabled())
        return;
    List->Depth = 0;
    List->Allocate = (PALLOCATE_FUNCTION)(PVOID)ExpUseDeletedLookaside;
    List->Free = (PFREE_FUNCTION)(PVOID)ExpUseDeletedLookaside;
}

static VOID ExpDrainLookaside(PGENERAL_LOOKASIDE List)
{
    PSLIST_ENTRY Entry;

    ExpForgetLookaside(List);
    while ((Entry = ExpInterlockedPopEntrySList(&List->ListHead)) != NULL)
        List->Free(Entry);
    ExpEndLookaside(List);
}

VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    ExpDrainLookaside(&Lookaside->L);
}

VOID NTAPI ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    ExpDrainLookaside(&Lookaside->L);
}

/* Called by the drivers' inline: the driver is the owner of what it gets. */
static DECLSPEC_NOINLINE PVOID NTAPI ExpAllocateLookasideEx(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                                            PLOOKASIDE_LIST_EX Lookaside)
{
    UNREFERENCED_PARAMETER(Lookaside);
    return MmAllocatePoolForCaller(PoolType, NumberOfBytes, Tag, __builtin_return_address(0));
}

static VOID NTAPI ExpFreeLookasideEx(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside)
{
    UNREFERENCED_PARAMETER(Lookaside);
    ExFreePool(Buffer);
}

DECLSPEC_NOINLINE NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
                                                             PALLOCATE_FUNCTION_EX Allocate, PFREE_FUNCTION_EX Free,
                                                             POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
                                                             USHORT Depth)
{
    ULONG Base = (ULONG)PoolType & ~(ULONG)EXP_POOL_FLAGS;

    if (Base != NonPagedPool && Base != PagedPool && Base != NonPagedPoolCacheAligned && Base != PagedPoolCacheAligned)
        return STATUS_INVALID_PARAMETER_4;
    if (Depth != 0)
        return STATUS_INVALID_PARAMETER_8;
    if ((Flags & ~(EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)) != 0 ||
        Flags == (EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE))
        return STATUS_INVALID_PARAMETER_5;
    if (Flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL)
        PoolType |= POOL_RAISE_IF_ALLOCATION_FAILURE;
    if (Flags & EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
        PoolType |= POOL_QUOTA_FAIL_INSTEAD_OF_RAISE;
    ExpInitializeLookaside((PGENERAL_LOOKASIDE)&Lookaside->L, PoolType, Size, Tag, __builtin_return_address(0));
    Lookaside->L.AllocateEx = Allocate != NULL ? Allocate : ExpAllocateLookasideEx;
    Lookaside->L.FreeEx = Free != NULL ? Free : ExpFreeLookasideEx;
    ExpCheckLookasideRoutines((PGENERAL_LOOKASIDE)&Lookaside->L);
    return STATUS_SUCCESS;
}

VOID NTAPI ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    PSLIST_ENTRY Entry;

    while ((Entry = ExpInterlockedPopEntrySList(&Lookaside->L.ListHead)) != NULL)
        Lookaside->L.FreeEx(Entry, Lookaside);
}

VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    ExpForgetLookaside((PGENERAL_LOOKASIDE)&Lookaside->L);
    ExFlushLookasideListEx(Lookaside);
    ExpEndLookaside((PGENERAL_LOOKASIDE)&Lookaside->L);
}
