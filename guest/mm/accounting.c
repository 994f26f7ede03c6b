// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose memory it is: drivers as owners, counters by owner and tag, and the stacks of allocating calls.
 *
 * Stacks are kept once each, in pages that are never given back; an allocation holds a stack's number.
 */
#include "mip.h"
#include <command.h>

#define MI_STACK_FRAMES RTL_NUMBERED_FRAMES
#define MI_STACK_HEADS  512

MI_OWNER MiOwner[MM_MAXIMUM_OWNERS]; /* MiPoolLock */
ULONG MiOwnerCount = 1;
UCHAR MiImageOwner[MI_IMAGE_PAGES];

MI_TAG MiTag[MI_TAGS + 1];

typedef struct _MI_STACK {
    ULONG64 Hash; /* of 64 bits: equal ones are taken for the same stack */
    ULONG Next;
    USHORT Frames;
    PVOID Frame[MI_STACK_FRAMES];
} MI_STACK, *PMI_STACK;

C_ASSERT(MI_STACKS_PER_PAGE == PAGE_SIZE / sizeof(MI_STACK));
BOOLEAN MiStackTested[MI_STACK_PAGES * MI_STACKS_PER_PAGE + 1];

static volatile LONG64 MiStackLock;
static ULONG MiStackHead[MI_STACK_HEADS]; /* MiStackLock, as below; 0: none */
static PMI_STACK MiStackPage[MI_STACK_PAGES];
static ULONG MiStackCount; /* numbers start at 1 */

static VOID MiSetImageOwner(ULONG64 Base, SIZE_T Size, ULONG Owner)
{
    KeAssert(Base >= FLTVM_VA_IMAGES && Base + Size <= FLTVM_VA_IMAGES + ((ULONG64)MI_IMAGE_PAGES << PAGE_SHIFT));
    memset(&MiImageOwner[(Base - FLTVM_VA_IMAGES) >> PAGE_SHIFT], (UCHAR)Owner, BYTES_TO_PAGES(Size));
}

BOOLEAN MmRegisterDriver(PVOID Base, SIZE_T Size, PUNICODE_STRING Name, BOOLEAN Tested, PULONG Owner)
{
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);
    ULONG Index = 1;

    while (Index < MiOwnerCount && MiOwner[Index].Size != 0)
        Index++;
    if (Index < MM_MAXIMUM_OWNERS) {
        memset(&MiOwner[Index], 0, sizeof(MiOwner[Index]));
        MiOwner[Index].Base = (ULONG64)Base;
        MiOwner[Index].Size = Size;
        MiOwner[Index].Name = Name;
        MiOwner[Index].Tested = Tested;
        MiSetImageOwner((ULONG64)Base, Size, Index);
        if (Index == MiOwnerCount)
            MiOwnerCount++;
    }
    MiReleaseLock(&MiPoolLock, OldIrql);
    *Owner = Index;
    return Index < MM_MAXIMUM_OWNERS;
}

VOID MmUnregisterDriver(ULONG Owner)
{
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    KeAssert(Owner != MM_OWNER_KERNEL);
    MiSetImageOwner(MiOwner[Owner].Base, MiOwner[Owner].Size, MM_OWNER_KERNEL);
    MiOwner[Owner].Base = 0;
    MiOwner[Owner].Size = 0;
    MiOwner[Owner].Name = NULL;
    MiReleaseLock(&MiPoolLock, OldIrql);
}

static PMI_STACK MiStackEntry(ULONG Number)
{
    return &MiStackPage[(Number - 1) / MI_STACKS_PER_PAGE][(Number - 1) % MI_STACKS_PER_PAGE];
}

static ULONG MiInsertStackLocked(ULONG64 Hash, ULONG Count, PVOID *Frames)
{
    ULONG Number = MiStackCount + 1;
    ULONG Page = MiStackCount / MI_STACKS_PER_PAGE;
    PMI_STACK Stack;

    if (Page >= MI_STACK_PAGES)
        return 0;
    if (MiStackPage[Page] == NULL) {
        ULONG Physical = MiAllocatePage(FALSE);
        if (Physical == MI_NO_PAGE)
            return 0;
        MiStackPage[Page] = MiPageAddress(Physical);
    }
    MiStackCount = Number;
    Stack = MiStackEntry(Number);
    Stack->Hash = Hash;
    Stack->Frames = (USHORT)Count;
    for (ULONG Index = 0; Index < Count; Index++) {
        Stack->Frame[Index] = Frames[Index];
        MiStackTested[Number] |= MiOwner[MiFindOwner(Frames[Index])].Tested;
    }
    Stack->Next = MiStackHead[Hash % MI_STACK_HEADS];
    MiStackHead[Hash % MI_STACK_HEADS] = Number;
    return Number;
}

static ULONG MiNumberStack(PVOID *Frames, ULONG Count, ULONG64 Hash)
{
    KIRQL OldIrql = MiAcquireLock(&MiStackLock);
    ULONG Number = MiStackHead[Hash % MI_STACK_HEADS];

    while (Number != 0 && MiStackEntry(Number)->Hash != Hash)
        Number = MiStackEntry(Number)->Next;
    if (Number == 0)
        Number = MiInsertStackLocked(Hash, Count, Frames);
    MiReleaseLock(&MiStackLock, OldIrql);
    return Number;
}

ULONG MiRecordStack(VOID)
{
    return RtlNumberStack(0, MiNumberStack);
}

/* Lock-free: entries never change once their number is known. */
ULONG MiGetStack(ULONG Number, PVOID *Frames, ULONG Count)
{
    PMI_STACK Stack;
    ULONG Stored = 0;

    if (Number == 0 || Number > MiStackCount)
        return 0;
    Stack = MiStackEntry(Number);
    for (ULONG Index = 0; Index < Stack->Frames && Stored < Count; Index++) {
        /* Leave out mm's own routines: what is wanted starts at the driver's call. */
        if (Stored == 0 && MiFindOwner(Stack->Frame[Index]) == MM_OWNER_KERNEL && Index + 1 < Stack->Frames &&
            Index < 4 && MiFindOwner(Stack->Frame[Index + 1]) != MM_OWNER_KERNEL)
            continue;
        Frames[Stored++] = Stack->Frame[Index];
    }
    return Stored;
}

/* MiPoolLock is held.  The tag is not at the place where it is looked for first. */
MI_SELDOM ULONG MiFindOtherTag(ULONG Tag, ULONG Index)
{
    for (ULONG Probe = 0; Probe < 32; Probe++, Index = (Index + 1) % MI_TAGS) {
        if (MiTag[Index].Tag == Tag)
            return Index;
        if (MiTag[Index].Tag == 0) {
            MiTag[Index].Tag = Tag;
            return Index;
        }
    }
    return MI_TAGS;
}

static ULONG MiListPoolUse(struct fltvm_pool_use *List, ULONG Capacity, ULONG Used, const MI_TAG *Tag, BOOLEAN Paged)
{
    const MM_POOL_COUNTERS *Counters = &Tag->Counters;
    ULONG64 Resting = 0, Bytes = 0;

    if (Used == Capacity || Counters->Allocations[Paged] == 0)
        return Used;
    if (!Paged)
        Resting = MiCountResting(Tag->Tag, &Bytes);
    memcpy(List[Used].tag, &Tag->Tag, sizeof(List[Used].tag));
    List[Used].paged = Paged;
    List[Used].bytes = Counters->Bytes[Paged] - Bytes;
    List[Used].allocations = Counters->Allocations[Paged];
    List[Used].frees = Counters->Frees[Paged] + Resting;
    return Used + 1;
}

ULONG MmQueryPoolUse(struct fltvm_pool_use *List, ULONG Capacity)
{
    ULONG Used = 0;
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    for (ULONG Index = 0; Index <= MI_TAGS; Index++) {
        Used = MiListPoolUse(List, Capacity, Used, &MiTag[Index], FALSE);
        Used = MiListPoolUse(List, Capacity, Used, &MiTag[Index], TRUE);
    }
    MiReleaseLock(&MiPoolLock, OldIrql);
    return Used;
}

VOID MmQueryMemory(ULONG64 Values[4])
{
    ULONG64 Resting;
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    Values[0] = MiTotalPages << PAGE_SHIFT;
    Values[1] = (MiTotalPages - MiFreePages - MiCountBatchLocked()) << PAGE_SHIFT;
    Values[2] = Values[3] = 0;
    for (ULONG Index = 0; Index <= MI_TAGS; Index++) {
        Values[2] += MiTag[Index].Counters.Bytes[0];
        Values[3] += MiTag[Index].Counters.Bytes[1];
    }
    MiCountResting(0, &Resting);
    Values[2] -= Resting;
    MiReleaseLock(&MiPoolLock, OldIrql);
}
