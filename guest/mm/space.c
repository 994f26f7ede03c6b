// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address spaces: a top-level table a process, whose upper half is everybody's, and what is reserved in the
 * lower.
 *
 * Every top-level entry of the kernel's half is there before the first copy is made, so the copies never
 * differ.  What a process has reserved is a balanced tree of ranges that do not overlap; what of it is
 * committed stands in the page table entries themselves, with its protection in bits that the processor
 * leaves to software.
 */
#include "segment.h"

#define MI_TOP_ENTRIES  512
#define MI_USER_ENTRIES 256

static MM_SPACE MiSystemSpace;

static RTL_GENERIC_COMPARE_RESULTS NTAPI MiCompareRanges(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    const MI_RANGE *Left = First, *Right = Second;

    return Left->End <= Right->Start ? GenericLessThan : Left->Start >= Right->End ? GenericGreaterThan : GenericEqual;
}

static PVOID NTAPI MiAllocateNode(PRTL_AVL_TABLE Table, CLONG Size)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, MI_SPACE_TAG);
}

static VOID NTAPI MiFreeNode(PRTL_AVL_TABLE Table, PVOID Node)
{
    ExFreePoolWithTag(Node, MI_SPACE_TAG);
}

static VOID MiInitializeSpace(PMM_SPACE Space, ULONG64 Top)
{
    RtlZeroMemory(Space, sizeof(*Space));
    KeInitializeGuardedMutex(&Space->Lock);
    RtlInitializeGenericTableAvl(&Space->Ranges, MiCompareRanges, MiAllocateNode, MiFreeNode, NULL);
    Space->Hint = MM_LOWEST_USER;
    Space->Top = Top;
}

VOID MmInitSystemSpace(PKPROCESS Process)
{
    MiInitializeSpace(&MiSystemSpace, HalLoaderBlock->page_table);
    Process->AddressSpace = &MiSystemSpace;
}

/* The kernel's regions that grow later need their top-level entries now. */
static BOOLEAN MiFillKernelHalf(VOID)
{
    static const ULONG64 Regions[] = {MM_NONPAGED_POOL, MM_PAGED_POOL,   MM_SPECIAL_POOL,
                                      MM_SYSTEM_PTES,   MM_SYSTEM_VIEWS, FLTVM_VA_IMAGES};

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Regions); Index++) {
        if (!MiMakeTopEntry(Regions[Index]))
            return FALSE;
    }
    return TRUE;
}

NTSTATUS MmCreateSpace(PKPROCESS Process)
{
    PMMPTE Kernel = (PMMPTE)(FLTVM_VA_DIRECT_MAP + HalLoaderBlock->page_table);
    PMM_SPACE Space = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Space), MI_SPACE_TAG);
    ULONG Page = Space != NULL && MiFillKernelHalf() ? MiAllocatePage(TRUE) : MI_NO_PAGE;
    ULONG64 Physical = (ULONG64)Page << PAGE_SHIFT;
    PMMPTE Top;

    if (Page == MI_NO_PAGE) {
        if (Space != NULL)
            ExFreePoolWithTag(Space, MI_SPACE_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Top = MiPageAddress(Page);
    MiPfnDatabase[Page].State = MiPageTable;
    RtlCopyMemory(Top + MI_USER_ENTRIES, Kernel + MI_USER_ENTRIES, (MI_TOP_ENTRIES - MI_USER_ENTRIES) * sizeof(MMPTE));
    Top[MM_SELF_MAP_INDEX] = Physical | MI_PTE_DATA;
    MiInitializeSpace(Space, Physical);
    Process->AddressSpace = Space;
    Process->DirectoryTableBase = Physical;
    return STATUS_SUCCESS;
}

/* A page leaves an address space: at once, or when its last lock goes. */
VOID MiReleaseUserPage(ULONG Page)
{
    __atomic_store_n(&MiPfnDatabase[Page].State, MiPageOrphan, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&MiPfnDatabase[Page].Locks, __ATOMIC_SEQ_CST) == 0)
        MiFreeOrphan(Page);
}

VOID MiFreeOrphan(ULONG Page)
{
    UCHAR Orphan = MiPageOrphan;

    /* Whoever comes second finds that it has been freed. */
    if (__atomic_compare_exchange_n(&MiPfnDatabase[Page].State, &Orphan, MiPageInUse, FALSE, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        MiFreePage(Page);
}

/* Level 3 is the top's.  Through the direct map: nobody runs there any more. */
static VOID MiFreeTable(ULONG Page, ULONG Level, ULONG Entries)
{
    PMMPTE Table = MiPageAddress(Page);

    for (ULONG Index = 0; Index < Entries; Index++) {
        if (Level == 0 && (Table[Index] & MI_PTE_COMMITTED))
            MiReleaseUserPage(MiPtePage(Table[Index]));
        else if (Level != 0 && (Table[Index] & FLTVM_PTE_PRESENT))
            MiFreeTable(MiPtePage(Table[Index]), Level - 1, MI_TOP_ENTRIES);
    }
    MiFreePage(Page);
}

static VOID MiForgetRanges(PMM_SPACE Space)
{
    PMI_RANGE Range;

    while ((Range = RtlGetElementGenericTableAvl(&Space->Ranges, 0)) != NULL) {
        if (Range->View != NULL)
            MiUnmapRange(Space, Range->View);
        else
            RtlDeleteElementGenericTableAvl(&Space->Ranges, Range);
    }
}

VOID MmDeleteSpace(PKPROCESS Process)
{
    PMM_SPACE Space = Process->AddressSpace;

    if (Space == NULL)
        return;
    Process->AddressSpace = NULL;
    MiForgetRanges(Space);
    MiFreeTable((ULONG)(Space->Top >> PAGE_SHIFT), 3, MI_USER_ENTRIES);
    ExFreePoolWithTag(Space, MI_SPACE_TAG);
}

PMM_SPACE MiLockSpace(VOID)
{
    PMM_SPACE Space = KeGetCurrentThread()->ApcState.Process->AddressSpace;

    KeAcquireGuardedMutex(&Space->Lock);
    return Space;
}

VOID MiUnlockSpace(PMM_SPACE Space)
{
    KeReleaseGuardedMutex(&Space->Lock);
}

VOID MmEmptySpace(VOID)
{
    PMM_SPACE Space = MiLockSpace();

    Space->Ended = TRUE;
    MiDecommit(Space, MM_LOWEST_USER, MM_HIGHEST_USER + 1);
    MiForgetRanges(Space);
    MiUnlockSpace(Space);
}

/* ---- ranges ---- */

PMI_RANGE MiFindReserved(PMM_SPACE Space, ULONG64 Start, ULONG64 End)
{
    MI_RANGE Key = {.Start = Start, .End = End};

    return RtlLookupElementGenericTableAvl(&Space->Ranges, &Key);
}

ULONG64 MiNextRange(PMM_SPACE Space, ULONG64 Address)
{
    MI_RANGE Key = {.Start = Address, .End = Address + 1};
    TABLE_SEARCH_RESULT Result;
    PVOID Node = NULL;
    PMI_RANGE Range;

    Range = RtlLookupElementGenericTableFullAvl(&Space->Ranges, &Key, &Node, &Result);
    if (Result == TableEmptyTree)
        return MM_HIGHEST_USER + 1;
    if (Range == NULL && Result == TableInsertAsLeft)
        return ((PMI_RANGE)((PRTL_BALANCED_LINKS)Node + 1))->Start;
    Range = RtlEnumerateGenericTableWithoutSplayingAvl(&Space->Ranges, &Node);
    return Range != NULL ? Range->Start : MM_HIGHEST_USER + 1;
}

/* First fit: nothing below the hint is free. */
ULONG64 MiFindFree(PMM_SPACE Space, ULONG64 Size, ULONG64 Highest)
{
    ULONG64 Start = Space->Hint;

    while (Start <= Highest && Highest - Start + 1 >= Size) {
        PMI_RANGE Range = MiFindReserved(Space, Start, Start + Size);

        if (Range == NULL)
            return Start;
        Start = (Range->End + MM_ALLOCATION_GRANULARITY - 1) & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
    }
    return 0;
}

/* From the top down: a range that is in the way says where to go on. */
ULONG64 MiFindFreeTop(PMM_SPACE Space, ULONG64 Size, ULONG64 Highest)
{
    ULONG64 End = Highest + 1;

    while (End >= MM_LOWEST_USER + Size) {
        ULONG64 Start = (End - Size) & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
        PMI_RANGE Range = Start >= MM_LOWEST_USER ? MiFindReserved(Space, Start, Start + Size) : NULL;

        if (Start < MM_LOWEST_USER)
            break;
        if (Range == NULL)
            return Start;
        End = Range->Start;
    }
    return 0;
}

BOOLEAN MiInsertRange(PMM_SPACE Space, ULONG64 Start, ULONG64 End, ULONG Protection, ULONG Type)
{
    MI_RANGE Range = {.Start = Start, .End = End, .Base = Start, .Protection = Protection, .Type = Type};
    BOOLEAN New;

    if (RtlInsertElementGenericTableAvl(&Space->Ranges, &Range, sizeof(Range), &New) == NULL)
        return FALSE;
    if (Start == Space->Hint)
        Space->Hint = (End + MM_ALLOCATION_GRANULARITY - 1) & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
    return TRUE;
}

VOID MiDeleteRange(PMM_SPACE Space, PMI_RANGE Range)
{
    ULONG64 Start = Range->Start & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);

    RtlDeleteElementGenericTableAvl(&Space->Ranges, Range);
    if (Start < Space->Hint)
        Space->Hint = Start;
}
