// SPDX-License-Identifier: GPL-2.0-or-later
/* Lookaside lists, S-lists and the interlocked lists. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'tsLT'

static ULONG Allocations, Frees;

static PVOID NTAPI Allocate(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    Allocations++;
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

static VOID NTAPI Free(PVOID Buffer)
{
    Frees++;
    ExFreePoolWithTag(Buffer, TAG);
}

static VOID CheckNPaged(VOID)
{
    static NPAGED_LOOKASIDE_LIST List;
    PVOID One, Two, Three;

    /* Under the verifier a list keeps nothing, so that each use of a freed block is found. */
    ExInitializeNPagedLookasideList(&List, Allocate, Free, 0, 100, TAG, 0);
    One = ExAllocateFromNPagedLookasideList(&List);
    Two = ExAllocateFromNPagedLookasideList(&List);
    FvCheck(One != NULL && Two != NULL && One != Two);
    FvCheck(Allocations == 2 && List.L.TotalAllocates == 2 && List.L.AllocateMisses == 2);
    ExFreeToNPagedLookasideList(&List, One);
    FvCheck(Frees == (FvVerifierEnabled() ? 1 : 0));
    Three = ExAllocateFromNPagedLookasideList(&List);
    FvCheck(Three != NULL && Three != Two && (FvVerifierEnabled() || Three == One));
    ExFreeToNPagedLookasideList(&List, Three);
    ExFreeToNPagedLookasideList(&List, Two);
    ExDeleteNPagedLookasideList(&List);
    FvCheck(Frees == Allocations);
}

static VOID CheckPagedAndEx(VOID)
{
    static PAGED_LOOKASIDE_LIST Paged;
    static LOOKASIDE_LIST_EX Ex;
    PVOID Block;

    ExInitializePagedLookasideList(&Paged, NULL, NULL, 0, 64, TAG, 0);
    Block = ExAllocateFromPagedLookasideList(&Paged);
    FvCheck(Block != NULL);
    ExFreeToPagedLookasideList(&Paged, Block);
    ExDeletePagedLookasideList(&Paged);
    FvCheck(ExInitializeLookasideListEx(&Ex, NULL, NULL, NonPagedPoolNx, 0, 64, TAG, 0) == STATUS_SUCCESS);
    Block = ExAllocateFromLookasideListEx(&Ex);
    FvCheck(Block != NULL);
    ExFreeToLookasideListEx(&Ex, Block);
    ExFlushLookasideListEx(&Ex);
    FvCheck(ExQueryDepthSList(&Ex.L.ListHead) == 0);
    ExDeleteLookasideListEx(&Ex);
}

static POOL_TYPE AskedType;

static PVOID NTAPI AllocateEx(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, PLOOKASIDE_LIST_EX Lookaside)
{
    UNREFERENCED_PARAMETER(Lookaside);
    AskedType = PoolType;
    return ExAllocatePoolWithTag(NonPagedPoolNx, NumberOfBytes, Tag);
}

static VOID NTAPI FreeEx(PVOID Block, PLOOKASIDE_LIST_EX Lookaside)
{
    UNREFERENCED_PARAMETER(Lookaside);
    ExFreePool(Block);
}

/* What a list asks its allocation routine for. */
static VOID CheckTypes(VOID)
{
    static const struct {
        POOL_TYPE Type;
        ULONG Flags;
        NTSTATUS Status;
        ULONG Asked;
    } Cases[] = {
        {NonPagedPool, 0, STATUS_SUCCESS, NonPagedPool},
        {PagedPool, EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL, STATUS_SUCCESS, PagedPool | 16},
        {NonPagedPoolNx, EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE, STATUS_SUCCESS, NonPagedPoolNx | 8},
        {MaxPoolType, 0, STATUS_INVALID_PARAMETER_4, 0},
        {(POOL_TYPE)2, 0, STATUS_INVALID_PARAMETER_4, 0},
        {(POOL_TYPE)0x40000000, 0, STATUS_INVALID_PARAMETER_4, 0},
        {NonPagedPool, 4, STATUS_INVALID_PARAMETER_5, 0},
        {NonPagedPool, 3, STATUS_INVALID_PARAMETER_5, 0}, /* raise, and do not */
    };
    static LOOKASIDE_LIST_EX Ex;
    static NPAGED_LOOKASIDE_LIST List;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        NTSTATUS Status =
            ExInitializeLookasideListEx(&Ex, AllocateEx, FreeEx, Cases[Index].Type, Cases[Index].Flags, 32, TAG, 0);

        FvCheck(Status == Cases[Index].Status);
        if (!NT_SUCCESS(Status))
            continue;
        ExFreeToLookasideListEx(&Ex, ExAllocateFromLookasideListEx(&Ex));
        FvCheck(AskedType == (POOL_TYPE)Cases[Index].Asked);
        ExDeleteLookasideListEx(&Ex);
    }
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 8, TAG, 0);
    FvCheck(List.L.Type == NonPagedPool && List.L.Size == 8 && List.L.Tag == TAG);
    FvCheck(List.L.Depth == (FvVerifierEnabled() ? 0 : 4));
    ExDeleteNPagedLookasideList(&List);
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 512 /* POOL_NX_ALLOCATION */, 1, TAG, 0);
    FvCheck(List.L.Type == NonPagedPoolNx && List.L.Size == 8);
    ExDeleteNPagedLookasideList(&List);
}

static VOID CheckSList(VOID)
{
    static SLIST_HEADER Head;
    static DECLSPEC_ALIGN(16) SLIST_ENTRY Entries[3];
    PSLIST_ENTRY First;

    InitializeSListHead(&Head);
    FvCheck(ExInterlockedPopEntrySList(&Head, NULL) == NULL);
    FvCheck(ExInterlockedPushEntrySList(&Head, &Entries[0], NULL) == NULL);
    FvCheck(ExInterlockedPushEntrySList(&Head, &Entries[1], NULL) == &Entries[0]);
    ExInterlockedPushEntrySList(&Head, &Entries[2], NULL);
    FvCheck(ExQueryDepthSList(&Head) == 3);
    FvCheck(ExInterlockedPopEntrySList(&Head, NULL) == &Entries[2]);
    First = ExInterlockedFlushSList(&Head);
    FvCheck(First == &Entries[1] && First->Next == &Entries[0] && ExQueryDepthSList(&Head) == 0);
}

static VOID CheckInterlockedList(VOID)
{
    LIST_ENTRY Head, One, Two;
    KSPIN_LOCK Lock;
    LARGE_INTEGER Number = {.QuadPart = 40}, Two64 = {.QuadPart = 2};

    KeInitializeSpinLock(&Lock);
    InitializeListHead(&Head);
    FvCheck(ExInterlockedRemoveHeadList(&Head, &Lock) == NULL);
    FvCheck(ExInterlockedInsertTailList(&Head, &One, &Lock) == NULL);
    FvCheck(ExInterlockedInsertHeadList(&Head, &Two, &Lock) == &One);
    FvCheck(ExInterlockedRemoveHeadList(&Head, &Lock) == &Two && ExInterlockedRemoveHeadList(&Head, &Lock) == &One);
    FvCheck(ExInterlockedAddLargeInteger(&Number, Two64, &Lock).QuadPart == 40 && Number.QuadPart == 42);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(34);
    CheckNPaged();
    CheckPagedAndEx();
    CheckTypes();
    CheckSList();
    CheckInterlockedList();
    return STATUS_SUCCESS;
}
