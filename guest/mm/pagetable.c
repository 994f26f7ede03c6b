// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page tables, through a self-map: the PTE of any address is an address itself.
 *
 * Tables are made when first needed and never freed.  Lookups take no lock and may be made at any IRQL.
 */
#include "space.h"

/* The top-level table as one sees it through the self-map. */
#define MI_PXE_OF(Address) MiPte((ULONG64)MiPte((ULONG64)MiPte((ULONG64)MiPte(Address))))
#define MI_PPE_OF(Address) MiPte((ULONG64)MiPte((ULONG64)MiPte(Address)))
#define MI_PDE_OF(Address) MiPte((ULONG64)MiPte(Address))

VOID MiInitializePageTables(struct fltvm_loader_block *Block)
{
    ULONG64 Physical = Block->page_table & MI_PTE_PAGE_MASK;
    PMMPTE Top = (PMMPTE)(FLTVM_VA_DIRECT_MAP + Physical);

    Top[MM_SELF_MAP_INDEX] = Physical | MI_PTE_DATA;
}

static BOOLEAN MiMakeTable(PMMPTE Entry, MMPTE Bits)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);
    BOOLEAN Made = TRUE;
    ULONG Page;

    if (!(*Entry & FLTVM_PTE_PRESENT)) {
        Page = MiAllocatePageLocked(TRUE);
        if (Page != MI_NO_PAGE) {
            MiPfnDatabase[Page].State = MiPageTable;
            *Entry = ((ULONG64)Page << PAGE_SHIFT) | Bits;
        } else {
            Made = FALSE;
        }
    }
    MiReleaseLock(&MiPhysicalLock, OldIrql);
    return Made;
}

PMMPTE MiMakePte(ULONG64 Address)
{
    PMMPTE Pxe = MI_PXE_OF(Address), Ppe = MI_PPE_OF(Address), Pde = MI_PDE_OF(Address);
    MMPTE Bits = Address <= MM_HIGHEST_USER ? MI_PTE_TABLE | FLTVM_PTE_USER : MI_PTE_TABLE;

    if (!(*Pxe & FLTVM_PTE_PRESENT) && !MiMakeTable(Pxe, Bits))
        return NULL;
    if (!(*Ppe & FLTVM_PTE_PRESENT) && !MiMakeTable(Ppe, Bits))
        return NULL;
    if (!(*Pde & FLTVM_PTE_PRESENT) && !MiMakeTable(Pde, Bits))
        return NULL;
    return MiPte(Address);
}

BOOLEAN MiMakeTopEntry(ULONG64 Address)
{
    PMMPTE Pxe = MI_PXE_OF(Address);

    return (*Pxe & FLTVM_PTE_PRESENT) || MiMakeTable(Pxe, MI_PTE_TABLE);
}

PMMPTE MiNextPte(PULONG64 Address, ULONG64 End)
{
    ULONG64 Next = *Address;

    while (Next < End) {
        if (!(*MI_PXE_OF(Next) & FLTVM_PTE_PRESENT)) {
            Next = (Next | 0x7FFFFFFFFFULL) + 1;
        } else if (!(*MI_PPE_OF(Next) & FLTVM_PTE_PRESENT)) {
            Next = (Next | 0x3FFFFFFF) + 1;
        } else if (!(*MI_PDE_OF(Next) & FLTVM_PTE_PRESENT)) {
            Next = (Next | 0x1FFFFF) + 1;
        } else {
            *Address = Next;
            return MiPte(Next);
        }
    }
    return NULL;
}

PMMPTE MiNextPteIn(ULONG64 Top, PULONG64 Address, ULONG64 End)
{
    ULONG64 Next = *Address;

    while (Next < End) {
        PMMPTE Entry = (PMMPTE)(FLTVM_VA_DIRECT_MAP + Top) + (Next >> 39 & 0x1FF);
        ULONG Shift = 39;

        while (Shift > PAGE_SHIFT && (*Entry & FLTVM_PTE_PRESENT)) {
            Shift -= 9;
            Entry = (PMMPTE)MiPageAddress(MiPtePage(*Entry)) + (Next >> Shift & 0x1FF);
        }
        if (Shift == PAGE_SHIFT) {
            *Address = Next;
            return Entry;
        }
        Next = (Next | ((1ULL << Shift) - 1)) + 1;
    }
    return NULL;
}

MMPTE MiLookupPte(ULONG64 Address)
{
    MMPTE Entry;

    if ((LONG64)(Address << 16) >> 16 != (LONG64)Address)
        return 0;
    if (!(*MI_PXE_OF(Address) & FLTVM_PTE_PRESENT))
        return 0;
    Entry = *MI_PPE_OF(Address);
    if (!(Entry & FLTVM_PTE_PRESENT))
        return 0;
    if (Entry & FLTVM_PTE_LARGE)
        return (Entry & ~MI_PTE_PAGE_MASK & ~(ULONG64)FLTVM_PTE_LARGE) |
               ((Entry & 0x000FFFFFC0000000ULL) + (Address & 0x3FFFF000));
    Entry = *MI_PDE_OF(Address);
    if (!(Entry & FLTVM_PTE_PRESENT))
        return 0;
    if (Entry & FLTVM_PTE_LARGE)
        return (Entry & ~MI_PTE_PAGE_MASK & ~(ULONG64)FLTVM_PTE_LARGE) |
               ((Entry & 0x000FFFFFFFE00000ULL) + (Address & 0x1FF000));
    return *MiPte(Address);
}

BOOLEAN MmReadMemory(PVOID To, ULONG64 From, SIZE_T Size)
{
    while (Size != 0) {
        SIZE_T Part = PAGE_SIZE - (From & (PAGE_SIZE - 1));
        MMPTE Pte = MiLookupPte(From);

        if (!(Pte & (FLTVM_PTE_PRESENT | MI_PTE_HIDDEN)) || MiPtePage(Pte) >= MiHighestPage ||
            MiPfnDatabase[MiPtePage(Pte)].State == MiPageAbsent)
            return FALSE;
        if (Part > Size)
            Part = Size;
        memcpy(To, (PUCHAR)MiPageAddress(MiPtePage(Pte)) + (From & (PAGE_SIZE - 1)), Part);
        To = (PUCHAR)To + Part;
        From += Part;
        Size -= Part;
    }
    return TRUE;
}

/* What may be called: mapped, executable, and the kernel's half.  Executable pool may, as on Windows. */
BOOLEAN NTAPI FvIsCode(const VOID *Address)
{
    return (LONG64)Address < 0 &&
           (MiLookupPte((ULONG64)Address) & (FLTVM_PTE_PRESENT | FLTVM_PTE_NX)) == FLTVM_PTE_PRESENT;
}

BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
    return (MiLookupPte((ULONG64)VirtualAddress) & FLTVM_PTE_PRESENT) != 0;
}

BOOLEAN NTAPI MmIsNonPagedSystemAddressValid(PVOID VirtualAddress)
{
    return (MiLookupPte((ULONG64)VirtualAddress) & (FLTVM_PTE_PRESENT | MI_PTE_PAGEABLE)) == FLTVM_PTE_PRESENT;
}

PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
    MMPTE Pte = MiLookupPte((ULONG64)BaseAddress);
    PHYSICAL_ADDRESS Physical = {.QuadPart = 0};

    if (Pte & FLTVM_PTE_PRESENT)
        Physical.QuadPart = (LONGLONG)((Pte & MI_PTE_PAGE_MASK) | ((ULONG64)BaseAddress & (PAGE_SIZE - 1)));
    return Physical;
}

PVOID NTAPI MmGetVirtualForPhysical(PHYSICAL_ADDRESS PhysicalAddress)
{
    return (PVOID)(FLTVM_VA_DIRECT_MAP + (ULONG64)PhysicalAddress.QuadPart);
}
