// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Physical pages: the page frame database and the free list.
 *
 * The database is one entry for each page up to the highest of RAM, cut from the first free range that holds it.
 * Free pages are on one list, last in first out, so that few pages are ever touched; contiguous runs are searched
 * from the top, where single pages are taken last.  Pages are zeroed when they are asked for zeroed.
 */
#include "mip.h"

volatile LONG64 MiPhysicalLock;
PMMPFN MiPfnDatabase;
ULONG MiHighestPage;
SIZE_T MiFreePages, MiTotalPages;

static ULONG MiFreeHead = MI_NO_PAGE; /* MiPhysicalLock */

static BOOLEAN MiIsUsableMemory(const struct fltvm_memory_range *Range)
{
    return Range->type == FLTVM_MEMORY_FREE || Range->type == FLTVM_MEMORY_LOADER;
}

VOID MiFreePageLocked(ULONG Page)
{
    PMMPFN Pfn = &MiPfnDatabase[Page];

    KeAssert(Pfn->State != MiPageFree && Pfn->Locks == 0);
    Pfn->State = MiPageFree;
    Pfn->Flink = MiFreeHead;
    Pfn->Blink = MI_NO_PAGE;
    if (MiFreeHead != MI_NO_PAGE)
        MiPfnDatabase[MiFreeHead].Blink = Page;
    MiFreeHead = Page;
    MiFreePages++;
}

static VOID MiUnlinkPage(ULONG Page)
{
    PMMPFN Pfn = &MiPfnDatabase[Page];

    if (Pfn->Blink == MI_NO_PAGE)
        MiFreeHead = Pfn->Flink;
    else
        MiPfnDatabase[Pfn->Blink].Flink = Pfn->Flink;
    if (Pfn->Flink != MI_NO_PAGE)
        MiPfnDatabase[Pfn->Flink].Blink = Pfn->Blink;
    Pfn->State = MiPageInUse;
    Pfn->Locks = 0;
    MiFreePages--;
}

ULONG MiAllocatePageLocked(BOOLEAN Zero)
{
    ULONG Page = MiFreeHead;

    if (Page == MI_NO_PAGE)
        return Page;
    MiUnlinkPage(Page);
    if (Zero)
        memset(MiPageAddress(Page), 0, PAGE_SIZE);
    return Page;
}

ULONG MiAllocatePage(BOOLEAN Zero)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);
    ULONG Page = MiAllocatePageLocked(Zero);

    MiReleaseLock(&MiPhysicalLock, OldIrql);
    return Page;
}

VOID MiFreePage(ULONG Page)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);

    MiFreePageLocked(Page);
    MiReleaseLock(&MiPhysicalLock, OldIrql);
}

ULONG MiAllocateRun(ULONG Count, ULONG Lowest, ULONG Highest, ULONG Boundary)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);
    ULONG Found = MI_NO_PAGE, Run = 0;

    if (Highest > MiHighestPage)
        Highest = MiHighestPage;
    for (ULONG Page = Highest; Page-- > Lowest;) {
        Run = MiPfnDatabase[Page].State == MiPageFree ? Run + 1 : 0;
        if (Run != 0 && Boundary != 0 && Page / Boundary != (Page + Run - 1) / Boundary)
            Run = 1;
        if (Run == Count) {
            Found = Page;
            break;
        }
    }
    if (Found != MI_NO_PAGE) {
        for (ULONG Page = Found; Page < Found + Count; Page++)
            MiUnlinkPage(Page);
    }
    MiReleaseLock(&MiPhysicalLock, OldIrql);
    return Found;
}

VOID MiInitializePages(struct fltvm_loader_block *Block)
{
    ULONG64 Bytes, Base = 0;

    for (ULONG Index = 0; Index < Block->ranges; Index++) {
        struct fltvm_memory_range *Range = &Block->range[Index];
        if (Range->type != FLTVM_MEMORY_RESERVED && MiHighestPage < (Range->base + Range->size) >> PAGE_SHIFT)
            MiHighestPage = (ULONG)((Range->base + Range->size) >> PAGE_SHIFT);
    }
    Bytes = ROUND_TO_PAGES((ULONG64)MiHighestPage * sizeof(MMPFN));
    /* From the end of a range: the loader's own ranges are low. */
    for (ULONG Index = Block->ranges; Index-- > 0 && Base == 0;) {
        struct fltvm_memory_range *Range = &Block->range[Index];
        if (Range->type == FLTVM_MEMORY_FREE && Range->size >= Bytes)
            Base = Range->base + Range->size - Bytes;
    }
    if (Base == 0)
        KeBugCheckEx(INSTALL_MORE_MEMORY, MiHighestPage, 0, 0, 0);
    MiPfnDatabase = (PMMPFN)(FLTVM_VA_DIRECT_MAP + Base);
    memset(MiPfnDatabase, 0, Bytes);

    /* Descending, so that low pages come off the list first. */
    for (ULONG Index = Block->ranges; Index-- > 0;) {
        struct fltvm_memory_range *Range = &Block->range[Index];
        if (Range->type == FLTVM_MEMORY_RESERVED)
            continue;
        for (ULONG64 Page = (Range->base + Range->size) >> PAGE_SHIFT; Page-- > Range->base >> PAGE_SHIFT;) {
            MiPfnDatabase[Page].State = MiPageInUse;
            MiTotalPages++;
            if (MiIsUsableMemory(Range) && Page != 0 && (Page << PAGE_SHIFT) - Base >= Bytes)
                MiFreePageLocked((ULONG)Page);
        }
    }
}

VOID MmReleaseBootMemory(ULONG64 Physical, ULONG64 Size)
{
    ULONG64 First = (Physical + PAGE_SIZE - 1) >> PAGE_SHIFT;

    for (ULONG64 Page = First; Page < (Physical + Size) >> PAGE_SHIFT && Page < MiHighestPage; Page++) {
        if (MiPfnDatabase[Page].State == MiPageInUse)
            MiFreePage((ULONG)Page);
    }
}

SIZE_T MmAvailablePages(VOID)
{
    return MiFreePages;
}
