// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions of address space: which pages of each are taken, mapping and unmapping them, kernel stacks, images.
 *
 * A region is a bitmap searched from a hint that moves on, so that an address just freed is used again late and
 * whoever still uses it faults.
 */
#include "mip.h"

/* Sizes in pages, for little memory; they grow with it. */
#define MI_NONPAGED_PAGES 0x4000
#define MI_PAGED_PAGES    0x4000
#define MI_SYSTEM_PAGES   0x4000
#define MI_VIEW_GRANULES  0x1000

MI_REGION MiNonPagedRegion = {MM_NONPAGED_POOL, MI_NONPAGED_PAGES, 0, 0, NULL};
MI_REGION MiPagedRegion = {MM_PAGED_POOL, MI_PAGED_PAGES, 0, 0, NULL};
MI_REGION MiSystemPteRegion = {MM_SYSTEM_PTES, MI_SYSTEM_PAGES, 0, 0, NULL};
/* In granules: a page of this region stands for one of system views (view.c). */
MI_REGION MiViewRegion = {PAGE_SIZE, MI_VIEW_GRANULES, 0, 0, NULL};
MI_REGION MiImageRegion = {FLTVM_VA_IMAGES, MI_IMAGE_PAGES, 0, 0, NULL};

static VOID MiInitializeRegion(PMI_REGION Region, ULONG Pages)
{
    ULONG Run;

    Region->Pages = (Pages + 63) & ~63u;
    Run = MiAllocateRun((Region->Pages / 8 + PAGE_SIZE - 1) >> PAGE_SHIFT, 0, MiHighestPage, 0);
    if (Run == MI_NO_PAGE)
        KeBugCheckEx(INSTALL_MORE_MEMORY, MiTotalPages, 1, 0, 0);
    Region->Bitmap = MiPageAddress(Run);
    memset(Region->Bitmap, 0, Region->Pages / 8);
}

VOID MiInitializeRegions(VOID)
{
    MiInitializeRegion(&MiNonPagedRegion, max(MI_NONPAGED_PAGES, (ULONG)MiTotalPages));
    MiInitializeRegion(&MiPagedRegion, max(MI_PAGED_PAGES, (ULONG)MiTotalPages));
    MiInitializeRegion(&MiSystemPteRegion, max(MI_SYSTEM_PAGES, (ULONG)MiTotalPages));
    MiInitializeRegion(&MiViewRegion, max(MI_VIEW_GRANULES, (ULONG)MiTotalPages / 16));
    MiInitializeRegion(&MiImageRegion, MI_IMAGE_PAGES);
}

static BOOLEAN MiIsTaken(PMI_REGION Region, ULONG Page)
{
    return (Region->Bitmap[Page / 64] >> (Page % 64)) & 1;
}

static ULONG MiFindRange(PMI_REGION Region, ULONG From, ULONG To, ULONG Pages)
{
    ULONG Run = 0;

    for (ULONG Page = From; Page < To; Page++) {
        if (Page % 64 == 0 && Region->Bitmap[Page / 64] == ~0ULL) {
            Run = 0;
            Page += 63;
            continue;
        }
        Run = MiIsTaken(Region, Page) ? 0 : Run + 1;
        if (Run == Pages)
            return Page + 1 - Pages;
    }
    return MI_NO_PAGE;
}

ULONG64 MiReserveRange(PMI_REGION Region, ULONG Pages)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);
    ULONG First = MI_NO_PAGE;

    if (Pages != 0 && Pages <= Region->Pages - Region->Used) {
        First = MiFindRange(Region, Region->Hint, Region->Pages, Pages);
        if (First == MI_NO_PAGE)
            First = MiFindRange(Region, 0, Region->Pages, Pages);
    }
    if (First != MI_NO_PAGE) {
        for (ULONG Page = First; Page < First + Pages; Page++)
            Region->Bitmap[Page / 64] |= 1ULL << (Page % 64);
        Region->Used += Pages;
        Region->Hint = First + Pages;
    }
    MiReleaseLock(&MiPhysicalLock, OldIrql);
    return First == MI_NO_PAGE ? 0 : Region->Base + ((ULONG64)First << PAGE_SHIFT);
}

VOID MiReleaseRange(PMI_REGION Region, ULONG64 Address, ULONG Pages)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);
    ULONG First = (ULONG)((Address - Region->Base) >> PAGE_SHIFT);

    for (ULONG Page = First; Page < First + Pages; Page++) {
        KeAssert(MiIsTaken(Region, Page));
        Region->Bitmap[Page / 64] &= ~(1ULL << (Page % 64));
    }
    Region->Used -= Pages;
    MiReleaseLock(&MiPhysicalLock, OldIrql);
}

static VOID MiFlushRange(ULONG64 Address, ULONG Pages)
{
    if (KiProcessorCount <= 1) {
        for (ULONG Index = 0; Index < Pages; Index++)
            MiInvalidate(Address + ((ULONG64)Index << PAGE_SHIFT));
    } else {
        KeFlushMultipleTb((PVOID)Address, Pages);
    }
}

VOID MiClearPtes(ULONG64 Address, ULONG Pages)
{
    for (ULONG Index = 0; Index < Pages; Index++)
        *MiPte(Address + ((ULONG64)Index << PAGE_SHIFT)) = 0;
    MiFlushRange(Address, Pages);
}

VOID MiUnmapPages(ULONG64 Address, ULONG Pages)
{
    /* Keep the page numbers in the (not present) PTEs until no processor can reach the pages any more. */
    for (ULONG Index = 0; Index < Pages; Index++)
        *MiPte(Address + ((ULONG64)Index << PAGE_SHIFT)) &= MI_PTE_PAGE_MASK;
    MiFlushRange(Address, Pages);
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiPte(Address + ((ULONG64)Index << PAGE_SHIFT));
        if (*Pte != 0)
            MiFreePage(MiPtePage(*Pte));
        *Pte = 0;
    }
}

BOOLEAN MiMapPages(ULONG64 Address, ULONG Pages, MMPTE Protection, BOOLEAN Zero)
{
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiMakePte(Address + ((ULONG64)Index << PAGE_SHIFT));
        ULONG Page = Pte != NULL ? MiAllocatePage(Zero) : MI_NO_PAGE;

        if (Page == MI_NO_PAGE) {
            if (Index != 0)
                MiUnmapPages(Address, Index);
            return FALSE;
        }
        *Pte = ((ULONG64)Page << PAGE_SHIFT) | Protection;
    }
    return TRUE;
}

PVOID MmCreateKernelStack(ULONG Size)
{
    ULONG Pages = BYTES_TO_PAGES(Size);
    ULONG64 Base = MiReserveRange(&MiSystemPteRegion, Pages + 1);

    if (Base == 0)
        return NULL;
    if (!MiMapPages(Base + PAGE_SIZE, Pages, MI_PTE_DATA, FALSE)) {
        MiReleaseRange(&MiSystemPteRegion, Base, Pages + 1);
        return NULL;
    }
    return (PVOID)(Base + PAGE_SIZE + ((ULONG64)Pages << PAGE_SHIFT));
}

VOID MmDeleteKernelStack(PVOID StackBase, ULONG Size)
{
    ULONG Pages = BYTES_TO_PAGES(Size);
    ULONG64 Base = (ULONG64)StackBase - ((ULONG64)(Pages + 1) << PAGE_SHIFT);

    KeForgetLocks((PVOID)(Base + PAGE_SIZE), (SIZE_T)Pages << PAGE_SHIFT);
    MiUnmapPages(Base + PAGE_SIZE, Pages);
    MiReleaseRange(&MiSystemPteRegion, Base, Pages + 1);
}

/* An unmapped page follows each image. */
PVOID MmAllocateImage(SIZE_T Size)
{
    ULONG Pages = (ULONG)BYTES_TO_PAGES(Size);
    ULONG64 Base;

    if (Size == 0 || Size > (SIZE_T)MiImageRegion.Pages << PAGE_SHIFT)
        return NULL;
    Base = MiReserveRange(&MiImageRegion, Pages + 1);
    if (Base == 0)
        return NULL;
    if (!MiMapPages(Base, Pages, MI_PTE_DATA, TRUE)) {
        MiReleaseRange(&MiImageRegion, Base, Pages + 1);
        return NULL;
    }
    return (PVOID)Base;
}

VOID MmProtectImage(PVOID Address, SIZE_T Size, ULONG Protection)
{
    ULONG64 Start = (ULONG64)Address & ~(ULONG64)(PAGE_SIZE - 1);
    ULONG Pages = (ULONG)(((ULONG64)Address + Size - Start + PAGE_SIZE - 1) >> PAGE_SHIFT);
    MMPTE Bits = FLTVM_PTE_PRESENT | (Protection & MM_IMAGE_WRITE ? FLTVM_PTE_WRITE : 0) |
                 (Protection & MM_IMAGE_EXECUTE ? 0 : FLTVM_PTE_NX) | (Protection & MM_IMAGE_PAGEABLE ? MiPageable : 0);

    /* What is discarded faults, but its pages are kept: a report still reads its unwind data and code. */
    if (Protection & MM_IMAGE_NOACCESS)
        Bits = MI_PTE_HIDDEN;
    for (ULONG Index = 0; Index < Pages; Index++) {
        PMMPTE Pte = MiPte(Start + ((ULONG64)Index << PAGE_SHIFT));
        if (*Pte & FLTVM_PTE_PRESENT)
            *Pte = (*Pte & MI_PTE_PAGE_MASK) | Bits;
    }
    MiFlushRange(Start, Pages);
}

VOID MmFreeImage(PVOID Base, SIZE_T Size)
{
    ULONG Pages = (ULONG)BYTES_TO_PAGES(Size);

    MiForgetSections((ULONG64)Base, Size);
    MiUnmapPages((ULONG64)Base, Pages);
    MiReleaseRange(&MiImageRegion, (ULONG64)Base, Pages + 1);
}
