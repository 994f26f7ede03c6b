/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mm: private declarations. */
#ifndef FLTVM_MIP_H
#define FLTVM_MIP_H

#include <ntifs.h>
#include <fltvm.h>
#include <rtl.h>
#include <hal.h>
#include <kd.h>
#include <ke.h>
#include "mm.h"

#define MI_NO_PAGE 0xFFFFFFFFu

/* For what the routines of pool seldom call: they save no register for it. */
#define MI_SELDOM __attribute__((preserve_most, noinline))

/* ---- locks ---- */

/* Raises to DISPATCH_LEVEL unless higher (start-up); order: pool, then physical. */
FORCEINLINE KIRQL MiAcquireLock(volatile LONG64 *Lock)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    if (OldIrql < DISPATCH_LEVEL)
        __writecr8(DISPATCH_LEVEL);
    while (InterlockedExchange64(Lock, 1) != 0) {
        while (*Lock != 0)
            YieldProcessor();
    }
    return OldIrql;
}

/* A second lock, with the first held. */
FORCEINLINE VOID MiAcquireInnerLock(volatile LONG64 *Lock)
{
    while (InterlockedExchange64(Lock, 1) != 0) {
        while (*Lock != 0)
            YieldProcessor();
    }
}

FORCEINLINE VOID MiReleaseInnerLock(volatile LONG64 *Lock)
{
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
}

FORCEINLINE VOID MiReleaseLock(volatile LONG64 *Lock, KIRQL OldIrql)
{
    __atomic_store_n(Lock, 0, __ATOMIC_RELEASE);
    if (OldIrql < DISPATCH_LEVEL)
        __writecr8(OldIrql);
}

/* ---- physical pages ---- */

typedef enum _MI_PAGE_STATE {
    MiPageAbsent, /* not RAM, or never ours */
    MiPageFree,
    MiPageInUse,
    MiPageTable,
    MiPageSlab,       /* pool: cut into blocks */
    MiPageBig,        /* pool: first page of an allocation; Tag, Size, Stack, Owner hold */
    MiPageBigTail,    /* pool: the others */
    MiPageContiguous, /* first of a contiguous allocation; Size holds */
    MiPageFile,       /* of a file: Paged says that a transfer to it has changed it */
    MiPageOrphan      /* a process's that gave it back while it was locked: free with the last lock */
} MI_PAGE_STATE;

typedef struct _MMPFN {
    ULONG Flink, Blink; /* free list: the physical lock */
    UCHAR State;        /* MI_PAGE_STATE */
    UCHAR Paged;
    USHORT Locks; /* MmProbeAndLockPages */
    ULONG Tag;
    ULONG64 Size;
    ULONG Stack;
    USHORT Owner;
    USHORT TagIndex;
} MMPFN, *PMMPFN;
C_ASSERT(sizeof(MMPFN) == 32);

extern volatile LONG64 MiPhysicalLock;
extern PMMPFN MiPfnDatabase;
extern ULONG MiHighestPage; /* one past the last */
extern SIZE_T MiFreePages, MiTotalPages;

FORCEINLINE PVOID MiPageAddress(ULONG Page)
{
    return (PVOID)(FLTVM_VA_DIRECT_MAP + ((ULONG64)Page << PAGE_SHIFT));
}

/* space.c, virtual.c */
VOID MiFreeOrphan(ULONG Page);
BOOLEAN MiTakeGuard(ULONG64 Address);
/* Pages that are not the process's own, at Wanted or (0) where there is room; 0: not.  IRQL: <= APC_LEVEL. */
ULONG64 MiMapUser(PPFN_NUMBER Page, ULONG Pages, ULONG64 Wanted, ULONG64 Bits);
/* FALSE: the current process has no such mapping. */
BOOLEAN MiUnmapUser(ULONG64 Start, ULONG Pages);

VOID MiInitializePages(struct fltvm_loader_block *Block);
ULONG MiAllocatePage(BOOLEAN Zero); /* MI_NO_PAGE when there is none; state InUse */
ULONG MiAllocatePageLocked(BOOLEAN Zero);
VOID MiFreePage(ULONG Page);
VOID MiFreePageLocked(ULONG Page);
/* A run of Count pages within [Lowest, Highest) that does not cross Boundary (pages, 0: none). */
ULONG MiAllocateRun(ULONG Count, ULONG Lowest, ULONG Highest, ULONG Boundary);

/* ---- page tables ---- */

typedef ULONG64 MMPTE, *PMMPTE;

#define MI_PTE_PAGE_MASK 0x000FFFFFFFFFF000ULL
#define MI_PTE_DATA      (FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE | FLTVM_PTE_NX)
#define MI_PTE_TABLE     (FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE)
#define MI_PTE_DIRTY     0x40ULL  /* the processor's: it was written to */
#define MI_PTE_HIDDEN    0x200ULL /* not present, but the page is kept for MmReadMemory: a bit left to software */

/*
 * What pageable memory carries in its PTE.  With the verifier that is the bit by which the processor refuses it at
 * DISPATCH_LEVEL; without, a bit that only mm knows: nothing is ever paged out, so such an access succeeds, as it does on
 * Windows while the page is resident.
 */
#define MI_PTE_RESIDENT 0x400
#define MI_PTE_PAGEABLE (FLTVM_PTE_PAGEABLE | MI_PTE_RESIDENT)
extern MMPTE MiPageable;

FORCEINLINE PMMPTE MiPte(ULONG64 Address)
{
    return (PMMPTE)(MM_SELF_MAP + ((Address >> 9) & 0x7FFFFFFFF8ULL));
}

/* Forgets this processor's translation of an address. */
FORCEINLINE VOID MiInvalidate(ULONG64 Address)
{
    __asm__ __volatile__("invlpg (%0)" : : "r"(Address) : "memory");
}

FORCEINLINE ULONG MiPtePage(MMPTE Pte)
{
    return (ULONG)((Pte & MI_PTE_PAGE_MASK) >> PAGE_SHIFT);
}

VOID MiInitializePageTables(struct fltvm_loader_block *Block);
/* The PTE of an address, making the tables above it; NULL when no page is left. */
PMMPTE MiMakePte(ULONG64 Address);
/* The table of the address's top-level entry; FALSE when no page is left. */
BOOLEAN MiMakeTopEntry(ULONG64 Address);
/* The first entry at or behind *Address, before End, whose table is there; NULL: none. */
PMMPTE MiNextPte(PULONG64 Address, ULONG64 End);
/* The entry that maps an address (a large one too), or 0. */
MMPTE MiLookupPte(ULONG64 Address);

/* ---- ranges of addresses ---- */

#define MI_IMAGE_PAGES 0x4000

typedef struct _MI_REGION {
    ULONG64 Base;
    ULONG Pages;
    ULONG Hint; /* the physical lock, as all below */
    ULONG Used;
    PULONG64 Bitmap;
} MI_REGION, *PMI_REGION;

extern MI_REGION MiNonPagedRegion, MiPagedRegion, MiSystemPteRegion, MiImageRegion, MiViewRegion;

/* Whether an address of a region is in use: then its PTE exists. */
FORCEINLINE BOOLEAN MiIsReserved(PMI_REGION Region, ULONG64 Address)
{
    ULONG64 Page = (Address - Region->Base) >> PAGE_SHIFT;

    return (Region->Bitmap[Page / 64] >> (Page % 64)) & 1;
}

VOID MiInitializeRegions(VOID);
ULONG64 MiReserveRange(PMI_REGION Region, ULONG Pages); /* 0: full */
VOID MiReleaseRange(PMI_REGION Region, ULONG64 Address, ULONG Pages);
/* Maps fresh pages; all or nothing. */
BOOLEAN MiMapPages(ULONG64 Address, ULONG Pages, MMPTE Protection, BOOLEAN Zero);
/* Unmaps and frees the pages; invalidates everywhere. */
VOID MiUnmapPages(ULONG64 Address, ULONG Pages);
/* Clears PTEs without freeing what they map. */
VOID MiClearPtes(ULONG64 Address, ULONG Pages);

FORCEINLINE BOOLEAN MiInRegion(PMI_REGION Region, ULONG64 Address)
{
    return Address - Region->Base < ((ULONG64)Region->Pages << PAGE_SHIFT);
}

/* ---- owners, stacks, tags (accounting.c) ---- */

typedef struct _MI_OWNER {
    ULONG64 Base, Size;
    PUNICODE_STRING Name;
    BOOLEAN Tested; /* it did not come with the machine */
    MM_POOL_COUNTERS Counters;
} MI_OWNER;

extern MI_OWNER MiOwner[MM_MAXIMUM_OWNERS];
extern ULONG MiOwnerCount;
extern UCHAR MiImageOwner[MI_IMAGE_PAGES]; /* by page of the region of images */
C_ASSERT(MM_MAXIMUM_OWNERS <= MAXUCHAR + 1);
extern volatile LONG64 MiPoolLock;
extern BOOLEAN MiStarted; /* phase 1 is over: IRQL is what it says */

FORCEINLINE ULONG MiFindOwner(PVOID Caller)
{
    ULONG64 Page = ((ULONG64)Caller - FLTVM_VA_IMAGES) >> PAGE_SHIFT;

    return Page < MI_IMAGE_PAGES ? MiImageOwner[Page] : MM_OWNER_KERNEL;
}

/* Pool is given back.  Checked: a driver's, of which nothing that the kernel works with may be in it any more. */
FORCEINLINE VOID MiMemoryGoes(PVOID Address, SIZE_T Size, BOOLEAN Checked)
{
    if (!KiDriverVerifierOn)
        return;
    if (Checked)
        KeCheckMemoryRange(Address, Size);
    else
        KeForgetLocks(Address, Size);
}

ULONG MiRecordStack(VOID); /* of the current call, without mm's own frames; 0: none */
ULONG MiGetStack(ULONG Stack, PVOID *Frames, ULONG Count);

#define MI_STACK_PAGES     96
#define MI_STACKS_PER_PAGE 51
extern BOOLEAN MiStackTested[MI_STACK_PAGES * MI_STACKS_PER_PAGE + 1]; /* by number: a driver under test is a caller */

#define MI_TAGS 512 /* and one more, which counts what found no room */
typedef struct _MI_TAG {
    ULONG Tag;
    MM_POOL_COUNTERS Counters;
} MI_TAG;
extern MI_TAG MiTag[MI_TAGS + 1]; /* MiPoolLock */
MI_SELDOM ULONG MiFindOtherTag(ULONG Tag, ULONG Index);

/* MiPoolLock is held.  Counts an allocation; the tag's index, for MiReturnPool. */
FORCEINLINE ULONG MiChargePool(ULONG Owner, ULONG Tag, BOOLEAN Paged, SIZE_T Size)
{
    ULONG Index = (Tag ^ Tag >> 9 ^ Tag >> 17) % MI_TAGS;
    PMM_POOL_COUNTERS Counters;

    if (MiTag[Index].Tag != Tag)
        Index = MiFindOtherTag(Tag, Index);
    Counters = &MiTag[Index].Counters;
    Counters->Allocations[Paged]++;
    Counters->Bytes[Paged] += Size;
    if (Owner != MM_OWNER_KERNEL) {
        Counters = &MiOwner[Owner].Counters;
        Counters->Allocations[Paged]++;
        Counters->Bytes[Paged] += Size;
        if (Counters->Bytes[0] + Counters->Bytes[1] > Counters->PeakBytes)
            Counters->PeakBytes = Counters->Bytes[0] + Counters->Bytes[1];
    }
    return Index;
}

FORCEINLINE VOID MiReturnPool(ULONG Owner, ULONG TagIndex, BOOLEAN Paged, SIZE_T Size)
{
    PMM_POOL_COUNTERS Counters = &MiTag[TagIndex].Counters;

    Counters->Frees[Paged]++;
    Counters->Bytes[Paged] -= Size;
    if (Owner != MM_OWNER_KERNEL) {
        Counters = &MiOwner[Owner].Counters;
        Counters->Frees[Paged]++;
        Counters->Bytes[Paged] -= Size;
    }
}

#define MI_SLACK 0x5C /* around a driver's allocation, checked when it is freed */

/* resting.c */
ULONG64 MiCountResting(ULONG Tag, PULONG64 Bytes);
BOOLEAN MiGiveBackResting(VOID);

/* ---- pool ---- */

typedef struct _MI_REQUEST {
    BOOLEAN Paged;
    BOOLEAN Execute;
    BOOLEAN Zero;
    BOOLEAN Raise;
    ULONG Tag;
    SIZE_T Size;
    ULONG Owner;
    ULONG Stack; /* of the call, if the owner is verified; 0: none */
    PVOID Caller;
    POOL_TYPE PoolType; /* as asked, for bugchecks */
} MI_REQUEST, *PMI_REQUEST;

/* poolfault.c */
extern BOOLEAN MiFailsAny; /* there is something to fail; read without the lock */
BOOLEAN MiFailsThis(PMI_REQUEST Request, BOOLEAN Tested);

/* A driver's allocation, about to be made: whether it must fail. */
FORCEINLINE BOOLEAN MiIsAllocationFailed(PMI_REQUEST Request)
{
    BOOLEAN Tested = Request->Stack != 0 ? MiStackTested[Request->Stack] : MiOwner[Request->Owner].Tested;

    if (Tested)
        FV_TRACE(FLTVM_TRACE_POOL_ALLOCATE, Request->Caller, Request->Size, Request->Tag, Request->Stack, 0);
    return MiFailsAny && MiFailsThis(Request, Tested);
}

/* What a pool allocation is, found from its address. */
typedef struct _MI_ALLOCATION {
    ULONG Tag;
    ULONG Owner;
    ULONG Stack;
    BOOLEAN Paged;
    SIZE_T Size;
} MI_ALLOCATION;

PVOID MiAllocateBlock(PMI_REQUEST Request);
VOID MiFreeBlock(PVOID Address, ULONG Tag, PVOID Caller, BOOLEAN Paged);
VOID MiInitializePool(VOID);
BOOLEAN MiNextPoolAllocation(PULONG64 Cursor, PVOID *Address, MI_ALLOCATION *Allocation);

/* Drops locked sections of an image that goes (section.c). */
VOID MiForgetSections(ULONG64 Base, SIZE_T Size);

VOID MiInitializeSpecialPool(VOID);
VOID MiInitializeViews(VOID);
VOID MiInitializeFiles(VOID);

#define MI_SLOTS     4096
#define MI_SLOT_SIZE (2 * PAGE_SIZE)

FORCEINLINE BOOLEAN MiIsSpecialAddress(ULONG64 Address)
{
    return Address - MM_SPECIAL_POOL < (ULONG64)MI_SLOTS * MI_SLOT_SIZE;
}

PVOID MiAllocateSpecial(PMI_REQUEST Request);
/* MiPoolLock is held.  Pages that were freed and are kept until no processor reaches them. */
ULONG MiCountBatchLocked(VOID);
VOID MiFreeSpecial(PVOID Address, ULONG Tag, PVOID Caller);
BOOLEAN MiIsSpecialPaged(PVOID Address);
/* Bugchecks if the fault is in special pool. */
VOID MiSpecialPoolFault(ULONG64 Address, BOOLEAN Write, ULONG64 Rip);

DECLSPEC_NORETURN VOID MiPoolBugCheck(PCSTR Rule, PVOID Address, PVOID Caller, ULONG Code, ULONG64 P1, ULONG64 P2,
                                      ULONG64 P3, ULONG64 P4);

#endif
