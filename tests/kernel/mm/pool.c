// SPDX-License-Identifier: GPL-2.0-or-later
/* Pool: what the documentation promises of allocations, alignment, contents, failure and freeing. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'tseT'

static BOOLEAN IsFilled(PUCHAR Bytes, SIZE_T Count, UCHAR Value)
{
    for (SIZE_T Index = 0; Index < Count; Index++) {
        if (Bytes[Index] != Value)
            return FALSE;
    }
    return TRUE;
}

static VOID CheckSizes(POOL_TYPE Type)
{
    static const SIZE_T Sizes[] = {1, 15, 16, 17, 100, 500, 2000, 2048, 4000, 4095, 4096, 4097, 10000, 70000};
    PUCHAR Block[ARRAYSIZE(Sizes)];
    BOOLEAN Allocated = TRUE, Aligned = TRUE, Within = TRUE, Kept = TRUE;

    for (ULONG Index = 0; Index < ARRAYSIZE(Sizes); Index++) {
        Block[Index] = ExAllocatePoolWithTag(Type, Sizes[Index], TAG);
        if (Block[Index] == NULL) {
            Allocated = FALSE;
            continue;
        }
        memset(Block[Index], (int)Index + 1, Sizes[Index]);
        if ((ULONG_PTR)Block[Index] % (Sizes[Index] >= PAGE_SIZE ? PAGE_SIZE : 16) != 0)
            Aligned = FALSE;
        if (Sizes[Index] <= PAGE_SIZE &&
            ((ULONG_PTR)Block[Index] ^ ((ULONG_PTR)Block[Index] + Sizes[Index] - 1)) >= PAGE_SIZE)
            Within = FALSE;
    }
    for (ULONG Index = 0; Index < ARRAYSIZE(Sizes); Index++) {
        if (Block[Index] == NULL)
            continue;
        if (!IsFilled(Block[Index], Sizes[Index], (UCHAR)(Index + 1)))
            Kept = FALSE;
        ExFreePoolWithTag(Block[Index], TAG);
    }
    FvCheck(Allocated);
    FvCheck(Aligned);
    FvCheck(Within); /* up to a page they do not cross a page boundary */
    FvCheck(Kept);
}

static VOID CheckPoolForCaller(VOID)
{
    PUCHAR Block = FvAllocatePoolForCaller(NonPagedPoolNx, 100, TAG, (PVOID)CheckPoolForCaller);

    FvCheck(Block != NULL);
    RtlFillMemory(Block, 100, 1);
    ExFreePoolWithTag(Block, TAG);
}

static VOID CheckPool2(VOID)
{
    PUCHAR Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 300, TAG);
    NTSTATUS Status = STATUS_SUCCESS;

    FvCheck(Block != NULL && IsFilled(Block, 300, 0));
    ExFreePool(Block);
    Block = ExAllocatePool2(POOL_FLAG_PAGED, 5000, TAG);
    FvCheck(Block != NULL && IsFilled(Block, 5000, 0));
    ExFreePoolWithTag(Block, TAG);
    FvCheck(ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 0) == NULL);                     /* no tag */
    FvCheck(ExAllocatePool2(0, 16, TAG) == NULL);                                     /* no type */
    FvCheck(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED, 16, TAG) == NULL); /* two types */
    FvCheck(ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x10000000, 16, TAG) == NULL);      /* an unknown required flag */
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | 0x10000000000ULL, 16, TAG);         /* an unknown optional one */
    FvCheck(Block != NULL);
    ExFreePool(Block);
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_CACHE_ALIGNED, 100, TAG);
    FvCheck(Block != NULL && (ULONG_PTR)Block % 64 == 0);
    ExFreePool(Block);
    __try {
        ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 16, 0);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(!NT_SUCCESS(Status));
}

static VOID CheckFailure(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    SIZE_T Huge = (SIZE_T)1 << 40;
    PVOID Block;

    FvCheck(ExAllocatePoolWithTag(NonPagedPoolNx, Huge, TAG) == NULL);
    FvCheck(ExAllocatePoolWithTag(PagedPool, Huge, TAG) == NULL);
    FvCheck(ExAllocatePool2(POOL_FLAG_PAGED, Huge, TAG) == NULL);
    __try {
        ExAllocatePoolWithTag(PagedPool | POOL_RAISE_IF_ALLOCATION_FAILURE, Huge, TAG);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_INSUFFICIENT_RESOURCES);
    Status = STATUS_SUCCESS;
    __try {
        ExAllocatePoolWithQuotaTag(PagedPool, Huge, TAG); /* raises by default */
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_INSUFFICIENT_RESOURCES);
    FvCheck(ExAllocatePoolWithQuotaTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, Huge, TAG) == NULL);
    Block = ExAllocatePoolWithTagPriority(NonPagedPoolNx, 64, TAG, LowPoolPriority);
    FvCheck(Block != NULL);
    ExFreePool(Block);
}

typedef struct _LINK {
    struct _LINK *Next;
} LINK;

/* Memory runs out and comes back. */
static VOID CheckExhaustion(POOL_TYPE Type, SIZE_T Size)
{
    LINK *Head = NULL, *New;
    ULONG Count = 0, Again = 0;

    while ((New = ExAllocatePoolWithTag(Type, Size, TAG)) != NULL) {
        New->Next = Head;
        Head = New;
        Count++;
    }
    while (Head != NULL) {
        New = Head->Next;
        ExFreePoolWithTag(Head, TAG);
        Head = New;
    }
    while (Again < Count && (New = ExAllocatePoolWithTag(Type, Size, TAG)) != NULL) {
        New->Next = Head;
        Head = New;
        Again++;
    }
    FvCheck(Count > 100);
    FvCheck(Again >= Count - Count / 16); /* tables that were made for it are kept */
    while (Head != NULL) {
        New = Head->Next;
        ExFreePoolWithTag(Head, TAG);
        Head = New;
    }
}

static VOID CheckAtDispatch(VOID)
{
    KIRQL OldIrql;
    PVOID Block;

    KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    Block = ExAllocatePoolWithTag(NonPagedPoolNx, 200, TAG);
    if (Block != NULL)
        ExFreePoolWithTag(Block, TAG);
    KeLowerIrql(OldIrql);
    FvCheck(Block != NULL);
}

/* What is given when special pool, whose blocks end where their page ends, is full: it stays mapped, and its contents go. */
static VOID CheckFreedContents(VOID)
{
    PUCHAR Block, Chain = NULL;
    BOOLEAN Gone = TRUE;

    while ((Block = ExAllocatePoolWithTag(NonPagedPoolNx, 64, TAG)) != NULL &&
           ((ULONG_PTR)Block + 64) % PAGE_SIZE == 0) {
        *(PUCHAR *)Block = Chain;
        Chain = Block;
    }
    if (Block != NULL) {
        memset(Block, 0x11, 64);
        ExFreePoolWithTag(Block, TAG);
        for (ULONG Index = 16; Index < 64; Index++)
            Gone = Gone && ((volatile UCHAR *)Block)[Index] == 0xF5;
    }
    FvCheck(Block != NULL && Gone);
    while ((Block = Chain) != NULL) {
        Chain = *(PUCHAR *)Block;
        ExFreePoolWithTag(Block, TAG);
    }
}

static VOID CheckLookaside(VOID)
{
    NPAGED_LOOKASIDE_LIST NonPaged;
    PAGED_LOOKASIDE_LIST Paged;
    LOOKASIDE_LIST_EX Ex;
    PVOID First, Second;

    ExInitializeNPagedLookasideList(&NonPaged, NULL, NULL, 0, 120, TAG, 0);
    First = ExAllocateFromNPagedLookasideList(&NonPaged);
    Second = ExAllocateFromNPagedLookasideList(&NonPaged);
    FvCheck(First != NULL && Second != NULL && First != Second);
    ExFreeToNPagedLookasideList(&NonPaged, First);
    ExFreeToNPagedLookasideList(&NonPaged, Second);
    ExDeleteNPagedLookasideList(&NonPaged);

    ExInitializePagedLookasideList(&Paged, NULL, NULL, 0, 64, TAG, 0);
    First = ExAllocateFromPagedLookasideList(&Paged);
    FvCheck(First != NULL);
    ExFreeToPagedLookasideList(&Paged, First);
    ExDeletePagedLookasideList(&Paged);

    FvCheck(ExInitializeLookasideListEx(&Ex, NULL, NULL, NonPagedPoolNx, 0, 64, TAG, 1) == STATUS_INVALID_PARAMETER_8);
    FvCheck(ExInitializeLookasideListEx(&Ex, NULL, NULL, NonPagedPoolNx, 3, 64, TAG, 0) == STATUS_INVALID_PARAMETER_5);
    FvCheck(NT_SUCCESS(ExInitializeLookasideListEx(&Ex, NULL, NULL, PagedPool, 0, 64, TAG, 0)));
    First = ExAllocateFromLookasideListEx(&Ex);
    FvCheck(First != NULL);
    ExFreeToLookasideListEx(&Ex, First);
    ExDeleteLookasideListEx(&Ex);
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    FvTestPlan(41);
    CheckSizes(NonPagedPoolNx);
    CheckSizes(PagedPool);
    CheckSizes(NonPagedPool);
    CheckPool2();
    CheckPoolForCaller();
    CheckFailure();
    CheckExhaustion(NonPagedPoolNx, 900);
    CheckExhaustion(PagedPool, 20000);
    CheckAtDispatch();
    CheckFreedContents();
    CheckLookaside();
    return STATUS_SUCCESS;
}
