// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ordinary pools: paged and nonpaged, small blocks and whole pages.
 *
 * A page of small blocks (slab) holds blocks of one size class behind a header; a block has a 16-byte header of its
 * own.  So an address tells what it is: page-aligned, it is a big allocation described by the page frame database;
 * otherwise its page begins with a slab header.  Blocks of drivers (special pool was full) end in a pattern that is
 * checked when they are freed; their big allocations are followed by an unmapped page, and with the verifier the rest of
 * the last page begins with a pattern.
 */
#include "mip.h"

#define MI_CLASSES     40
#define MI_SMALL_LIMIT 2016 /* bytes of the largest block, header included */
#define MI_SLAB_MAGIC  0x42414C53
#define MI_LIVE        0xA1
#define MI_DEAD        0xF5
#define MI_NEVER       0x5E
#define MI_TAIL        0xBADA110CBADA110CULL
#define MI_SLACK_BYTES 64 /* behind a big allocation, as far as its page goes */
#define MI_SPARE_SLABS 96 /* kept for any class; past that MI_TRIM_SLABS go back at once */
#define MI_TRIM_SLABS  48

typedef struct _MI_BLOCK {
    ULONG Tag;
    USHORT Size; /* as asked */
    UCHAR State; /* MI_LIVE, MI_DEAD, or MI_NEVER before its first use */
    UCHAR Owner;
    ULONG Stack;
    USHORT Class; /* again, to notice corruption */
    USHORT TagIndex;
} MI_BLOCK, *PMI_BLOCK;
C_ASSERT(sizeof(MI_BLOCK) == MEMORY_ALLOCATION_ALIGNMENT);

typedef struct _MI_SLAB {
    ULONG Magic;
    UCHAR Class;
    UCHAR Paged;
    USHORT Live;
    PMI_BLOCK Free;  /* chained through the first bytes behind the header */
    LIST_ENTRY Link; /* slabs of this class with free blocks, or spare ones */
} MI_SLAB, *PMI_SLAB;
C_ASSERT(sizeof(MI_SLAB) == 32);

volatile LONG64 MiPoolLock;

/* MiPoolLock guards all below. */
static LIST_ENTRY MiSlabs[2][MI_CLASSES]; /* by paged, class */
static LIST_ENTRY MiSpareSlabs[2];
static ULONG MiSpareCount[2];
static USHORT MiClassSize[MI_CLASSES];
static ULONG MiClasses;
static UCHAR MiClassOf[MI_SMALL_LIMIT / 16 + 1]; /* by size in 16-byte units, rounded up */

VOID MiInitializePool(VOID)
{
    ULONG Size = 32;

    while (Size <= MI_SMALL_LIMIT) {
        MiClassSize[MiClasses++] = (USHORT)Size;
        if (Size == MI_SMALL_LIMIT)
            break;
        Size += Size < 256 ? 16 : Size < 512 ? 32 : Size < 1024 ? 64 : Size < 1344 ? 320 : 336;
        if (Size > MI_SMALL_LIMIT)
            Size = MI_SMALL_LIMIT;
    }
    KeAssert(MiClasses <= MI_CLASSES);
    for (ULONG Units = 0, Class = 0; Units <= MI_SMALL_LIMIT / 16; Units++) {
        if (Units * 16 > MiClassSize[Class])
            Class++;
        MiClassOf[Units] = (UCHAR)Class;
    }
    for (ULONG Paged = 0; Paged < 2; Paged++) {
        InitializeListHead(&MiSpareSlabs[Paged]);
        for (ULONG Class = 0; Class < MI_CLASSES; Class++)
            InitializeListHead(&MiSlabs[Paged][Class]);
    }
}

static PMI_REGION MiPoolRegion(BOOLEAN Paged)
{
    return Paged ? &MiPagedRegion : &MiNonPagedRegion;
}

static PMI_BLOCK *MiNextFree(PMI_BLOCK Block)
{
    return (PMI_BLOCK *)(Block + 1);
}

/*
 * Slabs of paged pool are written here with the pool lock held, at DISPATCH_LEVEL, where the processor would fault
 * on them.  So the bookkeeping goes through the direct map: same page, resident address.
 */
static PVOID MiResident(PVOID Address, BOOLEAN Paged)
{
    if (!Paged)
        return Address;
    return (PVOID)((ULONG64)MiPageAddress(MiPtePage(*MiPte((ULONG64)Address))) + ((ULONG64)Address & (PAGE_SIZE - 1)));
}

/* A virtual address of paged pool from the resident one: slabs remember where they are mapped. */
static PVOID *MiSlabHome(PMI_SLAB Slab)
{
    /* The last eight bytes of a slab are never part of a block. */
    return (PVOID *)((PUCHAR)Slab + PAGE_SIZE - sizeof(PVOID));
}

static PMI_SLAB MiCreateSlab(BOOLEAN Paged)
{
    PMI_REGION Region = MiPoolRegion(Paged);
    ULONG64 Address = MiReserveRange(Region, 1);
    PMI_SLAB Slab;

    if (Address == 0)
        return NULL;
    if (!MiMapPages(Address, 1, MI_PTE_DATA | (Paged ? MiPageable : 0), FALSE)) {
        MiReleaseRange(Region, Address, 1);
        return NULL;
    }
    Slab = MiResident((PVOID)Address, Paged);
    MiPfnDatabase[MiPtePage(*MiPte(Address))].State = MiPageSlab;
    *MiSlabHome(Slab) = (PVOID)Address;
    return Slab;
}

static MI_SELDOM PMI_SLAB MiPrepareSlab(BOOLEAN Paged, ULONG Class)
{
    PMI_SLAB Slab;
    ULONG Size = MiClassSize[Class];
    PUCHAR Block, End;

    if (!IsListEmpty(&MiSpareSlabs[Paged])) {
        Slab = CONTAINING_RECORD(RemoveHeadList(&MiSpareSlabs[Paged]), MI_SLAB, Link);
        MiSpareCount[Paged]--;
    } else {
        Slab = MiCreateSlab(Paged);
        if (Slab == NULL)
            return NULL;
    }
    Slab->Magic = MI_SLAB_MAGIC;
    Slab->Class = (UCHAR)Class;
    Slab->Paged = Paged;
    Slab->Live = 0;
    Slab->Free = NULL;
    End = (PUCHAR)Slab + PAGE_SIZE - sizeof(PVOID);
    for (Block = (PUCHAR)(Slab + 1); Block + Size <= End; Block += Size) {
        ((PMI_BLOCK)Block)->State = MI_NEVER;
        ((PMI_BLOCK)Block)->Class = (USHORT)Class;
        *MiNextFree((PMI_BLOCK)Block) = Slab->Free;
        Slab->Free = (PMI_BLOCK)Block;
    }
    InsertHeadList(&MiSlabs[Paged][Class], &Slab->Link);
    return Slab;
}

/*
 * Where the pattern behind a driver's block stands.  The bytes up to the next multiple of 16 are the block's on Windows: a
 * driver that writes to them is found with the verifier only.
 */
static UNALIGNED ULONG64 *MiTail(PMI_BLOCK Block)
{
    ULONG Size = KiDriverVerifierOn ? Block->Size : (Block->Size + 15u) & ~15u;

    return (UNALIGNED ULONG64 *)((PUCHAR)(Block + 1) + Size);
}

FORCEINLINE PVOID MiAllocateSmallLocked(PMI_REQUEST Request, ULONG Bytes)
{
    ULONG Class = MiClassOf[(Bytes + 15) / 16];
    PLIST_ENTRY List = &MiSlabs[Request->Paged][Class];
    PMI_SLAB Slab;
    PMI_BLOCK Block;

    if (!IsListEmpty(List)) {
        Slab = CONTAINING_RECORD(List->Flink, MI_SLAB, Link);
    } else {
        Slab = MiPrepareSlab(Request->Paged, Class);
        if (Slab == NULL)
            return NULL;
    }
    Block = Slab->Free;
    Slab->Free = *MiNextFree(Block);
    Slab->Live++;
    if (Slab->Free == NULL)
        RemoveEntryList(&Slab->Link);
    Block->Tag = Request->Tag;
    Block->Size = (USHORT)Request->Size;
    Block->Owner = (UCHAR)Request->Owner;
    Block->State = MI_LIVE;
    Block->Stack = Request->Stack;
    if (Request->Owner != MM_OWNER_KERNEL)
        *MiTail(Block) = MI_TAIL;
    Block->TagIndex = (USHORT)MiChargePool(Request->Owner, Request->Tag, Request->Paged, Request->Size);
    return (PUCHAR)*MiSlabHome(Slab) + ((PUCHAR)(Block + 1) - (PUCHAR)Slab);
}

/* How many bytes behind a big allocation are checked. */
static ULONG MiBigSlack(SIZE_T Size)
{
    return (ULONG)min(ROUND_TO_PAGES(Size) - Size, MI_SLACK_BYTES);
}

static VOID MiCheckBigSlack(PUCHAR Address, SIZE_T Size, PVOID Caller)
{
    for (ULONG Index = 0; Index < MiBigSlack(Size); Index++) {
        if (Address[Size + Index] != MI_SLACK)
            MiPoolBugCheck("written-past-end", Address, Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x52,
                           (ULONG64)Address, (ULONG64)(Address + Size + Index), Size);
    }
}

static DECLSPEC_NOINLINE PVOID MiAllocateBig(PMI_REQUEST Request)
{
    PMI_REGION Region = MiPoolRegion(Request->Paged);
    ULONG Pages = (ULONG)BYTES_TO_PAGES(Request->Size);
    ULONG Guard = Request->Owner != MM_OWNER_KERNEL;
    MMPTE Protection = MI_PTE_DATA;
    ULONG64 Address;
    PMMPFN Pfn;
    KIRQL OldIrql;

    if (Request->Size > (SIZE_T)Region->Pages << PAGE_SHIFT)
        return NULL;
    Address = MiReserveRange(Region, Pages + Guard);
    if (Address == 0)
        return NULL;
    if (Request->Paged)
        Protection |= MiPageable;
    else if (Request->Execute)
        Protection &= ~FLTVM_PTE_NX;
    if (!MiMapPages(Address, Pages, Protection, Request->Zero)) {
        MiReleaseRange(Region, Address, Pages + Guard);
        return NULL;
    }
    if (Request->Owner != MM_OWNER_KERNEL && KiDriverVerifierOn)
        memset((PUCHAR)Address + Request->Size, MI_SLACK, MiBigSlack(Request->Size));
    for (ULONG Index = 1; Index < Pages; Index++)
        MiPfnDatabase[MiPtePage(*MiPte(Address + Index * PAGE_SIZE))].State = MiPageBigTail;
    Pfn = &MiPfnDatabase[MiPtePage(*MiPte(Address))];
    Pfn->Tag = Request->Tag;
    Pfn->Size = Request->Size;
    Pfn->Owner = (USHORT)Request->Owner;
    Pfn->Stack = Request->Stack;
    Pfn->Paged = Request->Paged;
    OldIrql = MiAcquireLock(&MiPoolLock);
    Pfn->State = MiPageBig;
    Pfn->TagIndex = (USHORT)MiChargePool(Request->Owner, Request->Tag, Request->Paged, Request->Size);
    MiReleaseLock(&MiPoolLock, OldIrql);
    return (PVOID)Address;
}

static DECLSPEC_NOINLINE PVOID MiClearBlock(PVOID Address, SIZE_T Size)
{
    return memset(Address, 0, Size);
}

PVOID MiAllocateBlock(PMI_REQUEST Request)
{
    SIZE_T Bytes = Request->Size + sizeof(MI_BLOCK);
    PVOID Address;
    KIRQL OldIrql;

    if (Request->Owner != MM_OWNER_KERNEL)
        Bytes = ((Bytes + 15) & ~(SIZE_T)15) + sizeof(ULONG64);
    if (Request->Size >= MI_SMALL_LIMIT || Bytes > MI_SMALL_LIMIT || Request->Execute)
        return MiAllocateBig(Request);
    OldIrql = MiAcquireLock(&MiPoolLock);
    Address = MiAllocateSmallLocked(Request, (ULONG)Bytes);
    MiReleaseLock(&MiPoolLock, OldIrql);
    return Address != NULL && Request->Zero ? MiClearBlock(Address, Request->Size) : Address;
}

/* The last big allocations that were freed: they leave nothing else behind to tell them from what never was one. */
#define MI_FREED_BIG 256
static ULONG64 MiFreedBig[MI_FREED_BIG]; /* the pool lock; read without for a bugcheck */
static ULONG MiFreedBigNext;

static BOOLEAN MiWasFreed(ULONG64 Base)
{
    for (ULONG Index = 0; Index < MI_FREED_BIG; Index++) {
        if (MiFreedBig[Index] == Base)
            return TRUE;
    }
    return FALSE;
}

static DECLSPEC_NOINLINE VOID MiFreeBig(PVOID Address, ULONG Tag, PVOID Caller)
{
    ULONG64 Base = (ULONG64)Address;
    MMPTE Pte = MiLookupPte(Base);
    PMMPFN Pfn = &MiPfnDatabase[MiPtePage(Pte)];
    ULONG Pages, Guard;
    KIRQL OldIrql;

    if (!(Pte & FLTVM_PTE_PRESENT) && MiWasFreed(Base))
        MiPoolBugCheck("freed-twice", Address, Caller, BAD_POOL_CALLER, 7, 0, 0, Base);
    if (!(Pte & FLTVM_PTE_PRESENT))
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, 0x46, Base, 0, 0);
    if (Pfn->State == MiPageBig && Pfn->Owner != MM_OWNER_KERNEL && KiDriverVerifierOn)
        MiCheckBigSlack(Address, Pfn->Size, Caller);
    if (Pfn->State == MiPageBig)
        MiMemoryGoes(Address, Pfn->Size, Pfn->Owner != MM_OWNER_KERNEL && !Pfn->Paged);
    OldIrql = MiAcquireLock(&MiPoolLock);
    if (Pfn->State != MiPageBig)
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, 0x46, Base, 0, 0);
    if (Tag != 0 && Pfn->Tag != Tag)
        MiPoolBugCheck("wrong-tag", Address, Caller, BAD_POOL_CALLER, 0xA, Base, Pfn->Tag, Tag);
    Pages = (ULONG)BYTES_TO_PAGES(Pfn->Size);
    Guard = Pfn->Owner != MM_OWNER_KERNEL;
    Pfn->State = MiPageInUse;
    MiFreedBig[MiFreedBigNext++ % MI_FREED_BIG] = Base;
    MiReturnPool(Pfn->Owner, Pfn->TagIndex, Pfn->Paged, Pfn->Size);
    MiReleaseLock(&MiPoolLock, OldIrql);
    MiUnmapPages(Base, Pages);
    MiReleaseRange(MiPoolRegion(MiInRegion(&MiPagedRegion, Base)), Base, Pages + Guard);
}

/* Gives spare slabs back: unmaps them all, tells the other processors once, then frees the pages. */
static DECLSPEC_NOINLINE VOID MiTrimSlabs(BOOLEAN Paged)
{
    ULONG64 Home[MI_TRIM_SLABS];
    ULONG Count = 0;
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    while (Count < MI_TRIM_SLABS && !IsListEmpty(&MiSpareSlabs[Paged])) {
        PMI_SLAB Slab = CONTAINING_RECORD(RemoveTailList(&MiSpareSlabs[Paged]), MI_SLAB, Link);
        MiSpareCount[Paged]--;
        Slab->Magic = 0;
        Home[Count++] = (ULONG64)*MiSlabHome(Slab);
    }
    MiReleaseLock(&MiPoolLock, OldIrql);
    for (ULONG Index = 0; Index < Count; Index++)
        *MiPte(Home[Index]) &= MI_PTE_PAGE_MASK;
    KeFlushEntireTb();
    for (ULONG Index = 0; Index < Count; Index++) {
        MiFreePage(MiPtePage(*MiPte(Home[Index])));
        *MiPte(Home[Index]) = 0;
        MiReleaseRange(MiPoolRegion(Paged), Home[Index], 1);
    }
}

/* A block that cannot be freed: says why. */
static DECLSPEC_NORETURN DECLSPEC_NOINLINE VOID MiReportBlock(PMI_BLOCK Block, PVOID Address, ULONG Tag, PVOID Caller,
                                                              ULONG Size)
{
    ULONG64 Header = *(PULONG64)Block;

    if (Size == 0 || Block->State == MI_NEVER)
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, 0x46, (ULONG64)Address, 0, 0);
    if (Block->State == MI_DEAD)
        MiPoolBugCheck("freed-twice", Address, Caller, BAD_POOL_CALLER, 7, 0, Header, (ULONG64)Address);
    if (Block->State != MI_LIVE || Block->Class >= MiClasses || MiClassSize[Block->Class] != Size ||
        Block->Size > Size - sizeof(MI_BLOCK))
        MiPoolBugCheck("header-corrupted", Address, Caller, BAD_POOL_HEADER, 0x7, 0, 0, (ULONG64)Block);
    if (Tag != 0 && Block->Tag != Tag)
        MiPoolBugCheck("wrong-tag", Address, Caller, BAD_POOL_CALLER, 0xA, (ULONG64)Address, Block->Tag, Tag);
    MiPoolBugCheck("written-past-end", Address, Caller, BAD_POOL_HEADER, 0x20, (ULONG64)Block, (ULONG64)Block + Size,
                   Header);
}

FORCEINLINE VOID MiCheckBlock(PMI_SLAB Slab, PMI_BLOCK Block, PVOID Address, ULONG Tag, PVOID Caller)
{
    ULONG Size = Slab->Magic == MI_SLAB_MAGIC && Slab->Class < MiClasses ? MiClassSize[Slab->Class] : 0;

    if (Size == 0 || (ULONG)((PUCHAR)Block - (PUCHAR)(Slab + 1)) % Size != 0)
        MiReportBlock(Block, Address, Tag, Caller, 0);
    if (Block->State != MI_LIVE || Block->Class != Slab->Class || Block->Size > Size - sizeof(MI_BLOCK) ||
        (Tag != 0 && Block->Tag != Tag) || (Block->Owner != MM_OWNER_KERNEL && *MiTail(Block) != MI_TAIL))
        MiReportBlock(Block, Address, Tag, Caller, Size);
}

/* The lock is held. */
static MI_SELDOM VOID MiVerifyFreedBlock(PMI_BLOCK Block, PVOID Address, BOOLEAN Paged)
{
    MiMemoryGoes(Address, Block->Size, Block->Owner != MM_OWNER_KERNEL && !Paged);
    if (Block->Owner != MM_OWNER_KERNEL)
        memset(Block + 1, 0xF5, Block->Size);
}

VOID MiFreeBlock(PVOID Address, ULONG Tag, PVOID Caller, BOOLEAN Paged)
{
    PMI_BLOCK Block;
    PMI_SLAB Slab;
    KIRQL OldIrql;

    if (((ULONG64)Address & (PAGE_SIZE - 1)) == 0) {
        MiFreeBig(Address, Tag, Caller);
        return;
    }
    if (((ULONG64)Address & (sizeof(MI_BLOCK) - 1)) != 0 || !MiIsReserved(MiPoolRegion(Paged), (ULONG64)Address) ||
        MiPfnDatabase[MiPtePage(*MiPte((ULONG64)Address))].State != MiPageSlab)
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, 0x46, (ULONG64)Address, 0, 0);
    OldIrql = MiAcquireLock(&MiPoolLock);
    Block = (PMI_BLOCK)MiResident(Address, Paged) - 1;
    Slab = (PMI_SLAB)((ULONG64)Block & ~(ULONG64)(PAGE_SIZE - 1));
    MiCheckBlock(Slab, Block, Address, Tag, Caller);
    MiReturnPool(Block->Owner, Block->TagIndex, Paged, Block->Size);
    if (KiDriverVerifierOn)
        MiVerifyFreedBlock(Block, Address, Paged);
    Block->State = MI_DEAD;
    if (Slab->Free == NULL)
        InsertHeadList(&MiSlabs[Paged][Slab->Class], &Slab->Link);
    *MiNextFree(Block) = Slab->Free;
    Slab->Free = Block;
    if (--Slab->Live == 0 && Slab->Link.Flink != Slab->Link.Blink) {
        /* Not the only one of its class: keep it for any. */
        RemoveEntryList(&Slab->Link);
        InsertHeadList(&MiSpareSlabs[Paged], &Slab->Link);
        if (++MiSpareCount[Paged] > MI_SPARE_SLABS) {
            MiReleaseLock(&MiPoolLock, OldIrql);
            MiTrimSlabs(Paged);
            return;
        }
    }
    MiReleaseLock(&MiPoolLock, OldIrql);
}

static BOOLEAN MiDescribeBlock(PMI_BLOCK Block, BOOLEAN Paged, MI_ALLOCATION *Allocation)
{
    if (Block->State != MI_LIVE)
        return FALSE;
    Allocation->Tag = Block->Tag;
    Allocation->Owner = Block->Owner;
    Allocation->Stack = Block->Stack;
    Allocation->Paged = Paged;
    Allocation->Size = Block->Size;
    return TRUE;
}

/*
 * The next live allocation at or after *Cursor (an address; 0 to begin), in address order.  The caller holds the pool
 * lock.  FALSE at the end.
 */
BOOLEAN MiNextPoolAllocation(PULONG64 Cursor, PVOID *Address, MI_ALLOCATION *Allocation)
{
    if (*Cursor < MM_NONPAGED_POOL)
        *Cursor = MM_NONPAGED_POOL;
    for (;;) {
        BOOLEAN Paged = *Cursor >= MM_PAGED_POOL;
        PMI_REGION Region = MiPoolRegion(Paged);
        ULONG64 Page = *Cursor & ~(ULONG64)(PAGE_SIZE - 1);
        PMMPFN Pfn;
        PMI_SLAB Slab;
        MMPTE Pte;

        if (!MiInRegion(Region, Page)) {
            if (Paged)
                return FALSE;
            *Cursor = MM_PAGED_POOL;
            continue;
        }
        Pte = MiLookupPte(Page);
        if (!(Pte & FLTVM_PTE_PRESENT)) {
            *Cursor = Page + PAGE_SIZE;
            continue;
        }
        Pfn = &MiPfnDatabase[MiPtePage(Pte)];
        if (Pfn->State == MiPageBig) {
            *Cursor = Page + PAGE_SIZE;
            *Address = (PVOID)Page;
            Allocation->Tag = Pfn->Tag;
            Allocation->Owner = Pfn->Owner;
            Allocation->Stack = Pfn->Stack;
            Allocation->Paged = Paged;
            Allocation->Size = Pfn->Size;
            return TRUE;
        }
        if (Pfn->State != MiPageSlab) {
            *Cursor = Page + PAGE_SIZE;
            continue;
        }
        Slab = MiPageAddress(MiPtePage(Pte));
        for (ULONG Offset = sizeof(MI_SLAB);
             Slab->Live != 0 && Offset + MiClassSize[Slab->Class] <= PAGE_SIZE - sizeof(PVOID);
             Offset += MiClassSize[Slab->Class]) {
            if (Page + Offset < *Cursor)
                continue;
            if (MiDescribeBlock((PMI_BLOCK)((PUCHAR)Slab + Offset), Paged, Allocation)) {
                *Address = (PVOID)(Page + Offset + sizeof(MI_BLOCK));
                *Cursor = Page + Offset + MiClassSize[Slab->Class];
                return TRUE;
            }
        }
        *Cursor = Page + PAGE_SIZE;
    }
}
