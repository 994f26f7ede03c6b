// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Special pool: each allocation of a driver on a page of its own, ending where the page ends, with an unmapped page
 * behind it, and unmapped itself when freed.
 *
 * A slot is two pages of address space and an entry that outlives the allocation, so that a fault on freed memory
 * can name who allocated and who freed it.  Slots are used in turn, first in first out, so an address comes back as
 * late as possible.  Unmapping invalidates this processor's TLB at once; the freed page waits in a small batch until
 * the others have been told, and no one else gets it before.  Then it is kept for the next allocation, as far as there is
 * room.  When slots or memory run short the caller falls back to ordinary pool.
 */
#include "mip.h"

#define MI_BATCH         64
#define MI_FILL          0xA5 /* what uninitialized special pool holds */
#define MI_SLACK_WORD    (MI_SLACK * 0x0101010101010101ULL)
#define MI_SLACK_CHECKED 32 /* bytes of slack in front that are filled and checked */

typedef enum _MI_SLOT_STATE { MiSlotUnused, MiSlotLive, MiSlotFreed } MI_SLOT_STATE;

typedef struct _MI_SLOT {
    ULONG Tag;
    USHORT Size;
    USHORT TagIndex;
    UCHAR Owner;
    UCHAR State; /* MI_SLOT_STATE */
    UCHAR Paged;
    UCHAR Spare;
    ULONG AllocateStack;
    ULONG FreeStack;
} MI_SLOT, *PMI_SLOT;

static PMI_SLOT MiSlot; /* MiPoolLock, as below */
static USHORT MiSlotQueue[MI_SLOTS];
static ULONG MiQueueHead, MiQueueCount;
static ULONG MiBatch[MI_BATCH]; /* pages that other processors may still reach */
static ULONG MiBatchCount;
static ULONG MiKept[MI_BATCH]; /* pages that nobody reaches */
static ULONG MiKeptCount;
static SIZE_T MiReservePages; /* never let special pool take the last of memory */

static ULONG64 MiSlotAddress(ULONG Slot)
{
    return MM_SPECIAL_POOL + (ULONG64)Slot * MI_SLOT_SIZE;
}

VOID MiInitializeSpecialPool(VOID)
{
    ULONG Run = MiAllocateRun(BYTES_TO_PAGES(MI_SLOTS * sizeof(MI_SLOT)), 0, MiHighestPage, 0);

    if (Run == MI_NO_PAGE)
        return;
    /* All page tables, so that a slot's entry is there. */
    for (ULONG Slot = 0; Slot < MI_SLOTS; Slot++) {
        if (MiMakePte(MiSlotAddress(Slot)) == NULL)
            return;
    }
    MiSlot = MiPageAddress(Run);
    memset(MiSlot, 0, MI_SLOTS * sizeof(MI_SLOT));
    for (ULONG Index = 0; Index < MI_SLOTS; Index++)
        MiSlotQueue[Index] = (USHORT)Index;
    MiQueueCount = MI_SLOTS;
    MiReservePages = MiTotalPages / 8;
}

BOOLEAN MiIsSpecialPaged(PVOID Address)
{
    return MiSlot != NULL && MiSlot[((ULONG64)Address - MM_SPECIAL_POOL) / MI_SLOT_SIZE].Paged;
}

/* Where in its page an allocation begins. */
static ULONG MiSlotOffset(PMI_SLOT Slot)
{
    return PAGE_SIZE - ((Slot->Size + 15u) & ~15u);
}

static PVOID MiSlotUserAddress(ULONG Slot)
{
    return (PVOID)(MiSlotAddress(Slot) + MiSlotOffset(&MiSlot[Slot]));
}

/* MiPoolLock is held.  Moves pages of a list into Pages; returns how many there are. */
static ULONG MiTakePagesLocked(const ULONG *List, PULONG ListCount, ULONG Pages[MI_BATCH])
{
    ULONG Count = *ListCount;

    *ListCount = 0;
    memcpy(Pages, List, Count * sizeof(ULONG));
    return Count;
}

static VOID MiReleasePages(const ULONG *Pages, ULONG Count)
{
    KIRQL OldIrql = MiAcquireLock(&MiPhysicalLock);

    for (ULONG Index = 0; Index < Count; Index++)
        MiFreePageLocked(Pages[Index]);
    MiReleaseLock(&MiPhysicalLock, OldIrql);
}

ULONG MiCountBatchLocked(VOID)
{
    return MiBatchCount + MiKeptCount;
}

/* A batch that is full: tells the other processors, then keeps its pages, or gives them back. */
static DECLSPEC_NOINLINE VOID MiRecycleBatch(const ULONG *Pages, ULONG Count)
{
    KIRQL OldIrql;

    KeFlushEntireTb();
    OldIrql = MiAcquireLock(&MiPoolLock);
    while (Count != 0 && MiKeptCount < MI_BATCH)
        MiKept[MiKeptCount++] = Pages[--Count];
    MiReleaseLock(&MiPoolLock, OldIrql);
    MiReleasePages(Pages, Count);
}

/* Memory is short. */
static DECLSPEC_NOINLINE VOID MiGiveBackPages(VOID)
{
    ULONG Batch[MI_BATCH], Kept[MI_BATCH];
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);
    ULONG BatchCount = MiTakePagesLocked(MiBatch, &MiBatchCount, Batch);
    ULONG KeptCount = MiTakePagesLocked(MiKept, &MiKeptCount, Kept);

    MiReleaseLock(&MiPoolLock, OldIrql);
    if (BatchCount != 0)
        KeFlushEntireTb();
    MiReleasePages(Batch, BatchCount);
    MiReleasePages(Kept, KeptCount);
}

/* MiPoolLock is held. */
static MI_SELDOM ULONG MiTakeFreshPageLocked(VOID)
{
    ULONG Page;

    MiAcquireInnerLock(&MiPhysicalLock);
    Page = MiAllocatePageLocked(FALSE);
    MiReleaseInnerLock(&MiPhysicalLock);
    return Page;
}

/* MiPoolLock is held.  The next slot, with a page for it; NULL: there is none. */
FORCEINLINE PMI_SLOT MiTakeSlotLocked(PULONG Page)
{
    ULONG Index = MiSlotQueue[MiQueueHead];

    if (MiQueueCount == 0)
        return NULL;
    *Page = MiKeptCount != 0 ? MiKept[--MiKeptCount] : MiTakeFreshPageLocked();
    if (*Page == MI_NO_PAGE)
        return NULL;
    MiQueueHead = (MiQueueHead + 1) % MI_SLOTS;
    MiQueueCount--;
    return &MiSlot[Index];
}

FORCEINLINE VOID MiFillSlot(PUCHAR User, ULONG Size, BOOLEAN Zero)
{
    ULONG Padded = (Size + 15u) & ~15u;
    ULONG Head = min(PAGE_SIZE - Padded, MI_SLACK_CHECKED);

    if (Head == MI_SLACK_CHECKED) {
        for (ULONG Word = 0; Word < MI_SLACK_CHECKED / 8; Word++)
            ((PULONG64)(User - MI_SLACK_CHECKED))[Word] = MI_SLACK_WORD;
    } else {
        memset(User - Head, MI_SLACK, Head);
    }
    memset(User, Zero ? 0 : MI_FILL, Size);
    for (; Size < Padded; Size++)
        User[Size] = MI_SLACK;
}

PVOID MiAllocateSpecial(PMI_REQUEST Request)
{
    ULONG Page, Index;
    ULONG64 Base;
    PMI_SLOT New;
    KIRQL OldIrql;

    if (MiSlot == NULL || Request->Size - 1 >= PAGE_SIZE)
        return NULL;
    if (MiFreePages <= MiReservePages) {
        MiGiveBackPages();
        if (MiFreePages <= MiReservePages)
            return NULL;
    }
    OldIrql = MiAcquireLock(&MiPoolLock);
    New = MiTakeSlotLocked(&Page);
    if (New != NULL)
        New->TagIndex = (USHORT)MiChargePool(Request->Owner, Request->Tag, Request->Paged, Request->Size);
    MiReleaseLock(&MiPoolLock, OldIrql);
    if (New == NULL)
        return NULL;

    /* Nobody else knows the slot now. */
    New->Tag = Request->Tag;
    New->Size = (USHORT)Request->Size;
    New->Owner = (UCHAR)Request->Owner;
    New->Paged = Request->Paged;
    New->AllocateStack = Request->Stack;
    New->FreeStack = 0;
    Index = (ULONG)(New - MiSlot);
    Base = MiSlotAddress(Index);
    MiFillSlot((PUCHAR)MiPageAddress(Page) + MiSlotOffset(New), New->Size, Request->Zero);
    *MiPte(Base) = ((ULONG64)Page << PAGE_SHIFT) | FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE |
                   (Request->Execute ? 0 : FLTVM_PTE_NX) | (Request->Paged ? MiPageable : 0);
    __atomic_store_n(&New->State, (UCHAR)MiSlotLive, __ATOMIC_RELEASE);
    return (PVOID)(Base + MiSlotOffset(New));
}

/* Finds a byte that is not Value; NULL when all are. */
static PVOID MiFindOtherByte(PUCHAR Bytes, ULONG Count, UCHAR Value)
{
    ULONG64 Word = Value * 0x0101010101010101ULL;

    while (Count >= 8 && *(UNALIGNED ULONG64 *)Bytes == Word) {
        Bytes += 8;
        Count -= 8;
    }
    for (; Count > 0; Bytes++, Count--) {
        if (*Bytes != Value)
            return Bytes;
    }
    return NULL;
}

/* User is where the slot begins in the direct map, so that paged allocations can be looked at under the lock. */
FORCEINLINE VOID MiCheckSlack(PVOID Address, PUCHAR User, PMI_SLOT Slot, PVOID Caller)
{
    ULONG Padded = (Slot->Size + 15u) & ~15u;
    ULONG Head = min(PAGE_SIZE - Padded, MI_SLACK_CHECKED);
    PULONG64 Word = (PULONG64)(User - MI_SLACK_CHECKED);
    PUCHAR Bad = NULL;

    C_ASSERT(MI_SLACK_CHECKED == 4 * sizeof(ULONG64));
    if (Head != MI_SLACK_CHECKED || ((Word[0] ^ MI_SLACK_WORD) | (Word[1] ^ MI_SLACK_WORD) | (Word[2] ^ MI_SLACK_WORD) |
                                     (Word[3] ^ MI_SLACK_WORD)) != 0)
        Bad = MiFindOtherByte(User - Head, Head, MI_SLACK);
    if (Bad != NULL)
        MiPoolBugCheck("written-before-start", Address, Caller, SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION,
                       (ULONG64)Address, (ULONG64)Address - (ULONG64)(User - Bad), 0, 0x23);
    if (Padded != Slot->Size)
        Bad = MiFindOtherByte(User + Slot->Size, Padded - Slot->Size, MI_SLACK);
    if (Bad != NULL)
        MiPoolBugCheck("written-past-end", Address, Caller, SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION, (ULONG64)Address,
                       (ULONG64)Address + (ULONG64)(Bad - User), 0, 0x24);
}

VOID MiFreeSpecial(PVOID Address, ULONG Tag, PVOID Caller)
{
    ULONG64 Offset = (ULONG64)Address - MM_SPECIAL_POOL;
    ULONG Index = (ULONG)(Offset / MI_SLOT_SIZE);
    PMI_SLOT Slot = &MiSlot[Index];
    ULONG64 Base = MiSlotAddress(Index);
    ULONG Stack = MiRecordStack();
    PMMPTE Pte = MiPte(Base);
    ULONG Batch[MI_BATCH];
    ULONG Full = 0;
    KIRQL OldIrql;
    ULONG Page;

    if (Slot->State == MiSlotUnused)
        MiPoolBugCheck("bad-free", Address, Caller, SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION, (ULONG64)Address, 0, 0,
                       0x20);
    OldIrql = MiAcquireLock(&MiPoolLock);
    if (Slot->State == MiSlotFreed)
        MiPoolBugCheck("freed-twice", Address, Caller, BAD_POOL_CALLER, 7, 0, Slot->Tag, (ULONG64)Address);
    if (Address != MiSlotUserAddress(Index))
        MiPoolBugCheck("bad-free", Address, Caller, SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION, (ULONG64)Address,
                       Slot->Size, PAGE_SIZE - ((ULONG64)Address & (PAGE_SIZE - 1)), 0x22);
    if (Tag != 0 && Slot->Tag != Tag)
        MiPoolBugCheck("wrong-tag", Address, Caller, BAD_POOL_CALLER, 0xA, (ULONG64)Address, Slot->Tag, Tag);
    Page = MiPtePage(*Pte);
    if (MiPfnDatabase[Page].Locks != 0)
        MiPoolBugCheck("freed-while-locked", Address, Caller, BAD_POOL_CALLER, 0x46, (ULONG64)Address, 0, 0);
    MiCheckSlack(Address, (PUCHAR)MiPageAddress(Page) + ((ULONG64)Address & (PAGE_SIZE - 1)), Slot, Caller);
    MiMemoryGoes(Address, Slot->Size, !Slot->Paged);
    Slot->State = MiSlotFreed;
    Slot->FreeStack = Stack;
    *Pte = 0;
    MiInvalidate(Base);
    MiSlotQueue[(MiQueueHead + MiQueueCount++) % MI_SLOTS] = (USHORT)Index;
    if (KiProcessorCount > 1 || MiKeptCount == MI_BATCH) {
        MiBatch[MiBatchCount++] = Page;
        if (MiBatchCount == MI_BATCH) /* emptied before anyone else can add to it */
            Full = MiTakePagesLocked(MiBatch, &MiBatchCount, Batch);
    } else {
        MiKept[MiKeptCount++] = Page;
    }
    MiReturnPool(Slot->Owner, Slot->TagIndex, Slot->Paged, Slot->Size);
    MiReleaseLock(&MiPoolLock, OldIrql);
    if (Full != 0)
        MiRecycleBatch(Batch, Full);
}

VOID MiSpecialPoolFault(ULONG64 Address, BOOLEAN Write, ULONG64 Rip)
{
    ULONG Index = (ULONG)((Address - MM_SPECIAL_POOL) / MI_SLOT_SIZE);
    BOOLEAN Driver = MiFindOwner((PVOID)Rip) != MM_OWNER_KERNEL;
    BOOLEAN Guard = (Address & PAGE_SIZE) != 0;
    ULONG State;

    if (MiSlot == NULL)
        return;
    State = MiSlot[Index].State;
    /* A guard page belongs to the slot in front of it, unless it is the next slot that is run into from below. */
    if (State == MiSlotUnused && !Guard)
        return;
    if (State == MiSlotFreed)
        MiPoolBugCheck("used-after-free", (PVOID)Address, (PVOID)Rip,
                       Driver ? DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL : PAGE_FAULT_IN_FREED_SPECIAL_POOL, Address,
                       Write, Rip, 0);
    if (Guard)
        MiPoolBugCheck("beyond-allocation", (PVOID)Address, (PVOID)Rip,
                       Driver ? DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION : PAGE_FAULT_BEYOND_END_OF_ALLOCATION,
                       Address, Write, Rip, 0);
}

/* What a special pool address is or was. */
static ULONG MiSlotOf(ULONG64 Address)
{
    return MiSlot == NULL || !MiIsSpecialAddress(Address) ? MI_NO_PAGE
                                                          : (ULONG)((Address - MM_SPECIAL_POOL) / MI_SLOT_SIZE);
}

static ULONG MiPrintStack(PCHAR Buffer, ULONG Size, PCSTR Name, ULONG Stack)
{
    PVOID Frames[12];
    ULONG Count = MiGetStack(Stack, Frames, ARRAYSIZE(Frames)), Used = 0;
    int Length;

    for (ULONG Index = 0; Index < Count; Index++) {
        Length = _snprintf(Buffer + Used, Size - Used, Index == 0 ? "%s=0x%I64x" : "%.0s 0x%I64x", Name,
                           (ULONG64)Frames[Index]);
        if (Length < 0 || (ULONG)Length + 2 >= Size - Used)
            break;
        Used += (ULONG)Length;
    }
    if (Used != 0)
        Buffer[Used++] = '\n';
    Buffer[Used] = 0;
    return Used;
}

static ULONG MiPrintAllocation(PCHAR Buffer, ULONG Size, PVOID Address, PCSTR State, ULONG Tag, SIZE_T Bytes,
                               BOOLEAN Paged, ULONG Owner)
{
    int Length = _snprintf(Buffer, Size, "address=0x%I64x\nstate=%s\ntag=%c%c%c%c\nsize=%I64u\npool=%s\nowner=%wZ\n",
                           (ULONG64)Address, State, Tag & 0xFF, (Tag >> 8) & 0xFF, (Tag >> 16) & 0xFF,
                           (Tag >> 24) & 0xFF, (ULONG64)Bytes, Paged ? "paged" : "nonpaged", MiOwner[Owner].Name);

    return Length < 0 ? 0 : (ULONG)Length;
}

static ULONG MiDescribeSlot(ULONG Index, PCHAR Buffer, ULONG Size)
{
    PMI_SLOT Slot = &MiSlot[Index];
    ULONG Used;

    if (Slot->State == MiSlotUnused)
        return 0;
    Used = MiPrintAllocation(Buffer, Size, MiSlotUserAddress(Index), Slot->State == MiSlotLive ? "allocated" : "freed",
                             Slot->Tag, Slot->Size, Slot->Paged, Slot->Owner);
    Used += MiPrintStack(Buffer + Used, Size - Used, "allocated-by", Slot->AllocateStack);
    if (Slot->State == MiSlotFreed)
        Used += MiPrintStack(Buffer + Used, Size - Used, "freed-by", Slot->FreeStack);
    return Used;
}

ULONG MmDescribePoolAddress(PVOID Address, PCHAR Buffer, ULONG Size)
{
    ULONG64 Page = (ULONG64)Address & ~(ULONG64)(PAGE_SIZE - 1), Cursor = Page;
    ULONG Slot = MiSlotOf((ULONG64)Address), Used;
    MI_ALLOCATION Allocation;
    PVOID Found;

    Buffer[0] = 0;
    if (Size < 256)
        return 0;
    if (Slot != MI_NO_PAGE)
        return MiDescribeSlot(Slot, Buffer, Size);
    if (!MiInRegion(&MiNonPagedRegion, Page) && !MiInRegion(&MiPagedRegion, Page))
        return 0;
    while (MiNextPoolAllocation(&Cursor, &Found, &Allocation) && Found <= Address) {
        if ((ULONG64)Address - (ULONG64)Found >= max(Allocation.Size, 1))
            continue;
        Used = MiPrintAllocation(Buffer, Size, Found, "allocated", Allocation.Tag, Allocation.Size, Allocation.Paged,
                                 Allocation.Owner);
        return Used + MiPrintStack(Buffer + Used, Size - Used, "allocated-by", Allocation.Stack);
    }
    return 0;
}

static BOOLEAN MiReportAllocation(PMM_POOL_ROUTINE Routine, PVOID Context, PVOID Address,
                                  const MI_ALLOCATION *Allocation, BOOLEAN Special)
{
    MM_POOL_ALLOCATION Item = {0};

    Item.Address = Address;
    Item.Size = Allocation->Size;
    Item.Tag = Allocation->Tag;
    Item.Paged = Allocation->Paged;
    Item.Special = Special;
    Item.Owner = Allocation->Owner;
    Item.Frames = MiGetStack(Allocation->Stack, Item.Stack, ARRAYSIZE(Item.Stack));
    return Routine(&Item, Context);
}

VOID MmEnumeratePool(ULONG Owner, PMM_POOL_ROUTINE Routine, PVOID Context)
{
    MI_ALLOCATION Allocation;
    ULONG64 Cursor = 0;
    PVOID Address;
    BOOLEAN More;
    KIRQL OldIrql;

    for (ULONG Index = 0; MiSlot != NULL && Index < MI_SLOTS; Index++) {
        MI_SLOT Slot = MiSlot[Index];
        if (Slot.State != MiSlotLive || (Owner != MAXULONG && Slot.Owner != Owner))
            continue;
        Allocation.Tag = Slot.Tag;
        Allocation.Owner = Slot.Owner;
        Allocation.Stack = Slot.AllocateStack;
        Allocation.Paged = Slot.Paged;
        Allocation.Size = Slot.Size;
        if (!MiReportAllocation(Routine, Context, MiSlotUserAddress(Index), &Allocation, TRUE))
            return;
    }
    for (;;) {
        OldIrql = MiAcquireLock(&MiPoolLock);
        do {
            More = MiNextPoolAllocation(&Cursor, &Address, &Allocation);
        } while (More && Owner != MAXULONG && Allocation.Owner != Owner);
        MiReleaseLock(&MiPoolLock, OldIrql);
        if (!More || !MiReportAllocation(Routine, Context, Address, &Allocation, FALSE))
            return;
    }
}
