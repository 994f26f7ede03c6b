// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of files on their way out: what is dirty, writing it, forgetting it.
 *
 * The processor marks in a view's entry that a page was written to; collecting moves these marks to the chunks and makes all
 * processors mark anew.  A page that is being written may be changed meanwhile: it is dirty again then.
 */
#include "segment.h"

static volatile LONG64 MiDirtyPages; /* of all files */

VOID MiSetDirty(PMM_SEGMENT Segment, PMI_CHUNK Chunk, ULONG64 Bits)
{
    LONG64 Count = __builtin_popcountll(Bits & ~Chunk->Dirty);

    Segment->Dirty += (ULONG64)Count;
    InterlockedAdd64(&MiDirtyPages, Count);
    Chunk->Dirty |= Bits;
}

static VOID MiSetClean(PMM_SEGMENT Segment, PMI_CHUNK Chunk, ULONG64 Bits)
{
    LONG64 Count = __builtin_popcountll(Bits & Chunk->Dirty);

    Segment->Dirty -= (ULONG64)Count;
    InterlockedAdd64(&MiDirtyPages, -Count);
    Chunk->Dirty &= ~Bits;
}

ULONG64 MmQueryDirtyPages(VOID)
{
    return (ULONG64)MiDirtyPages;
}

static ULONG64 MiCollectView(PMM_SEGMENT Segment, PMI_VIEW View, ULONG64 From, ULONG64 To, PULONG64 Last)
{
    ULONG64 First = 0;
    PMMPTE Pte;

    for (ULONG64 Address = From; (Pte = MiNextPteIn(View->Top, &Address, To)) != NULL; Address += PAGE_SIZE) {
        ULONG64 Page = (Address - View->Start + View->Offset) >> PAGE_SHIFT;

        if ((*Pte & (FLTVM_PTE_PRESENT | MI_PTE_DIRTY | MI_PTE_COMMITTED)) != (FLTVM_PTE_PRESENT | MI_PTE_DIRTY))
            continue;
        InterlockedAnd64((volatile LONG64 *)Pte, ~(LONG64)MI_PTE_DIRTY);
        MiSetDirty(Segment, MiFindChunk(Segment, Page / MI_CHUNK_PAGES), MiPageBits((ULONG)(Page % MI_CHUNK_PAGES), 1));
        First = First == 0 ? Address : First;
        *Last = Address;
    }
    return First;
}

static VOID MiCollectDirty(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    PMI_CHUNK Chunk;

    for (PLIST_ENTRY Entry = Segment->Views.Flink; Entry != &Segment->Views; Entry = Entry->Flink) {
        PMI_VIEW View = CONTAINING_RECORD(Entry, MI_VIEW, Link);
        ULONG64 From, To, Last = 0;

        if (!MiViewPart(View, First, End, &From, &To))
            continue;
        From = MiCollectView(Segment, View, From, To, &Last);
        if (From != 0)
            KeFlushMultipleTb((PVOID)From, (ULONG)min((Last - From) / PAGE_SIZE + 1, 1u << 20));
    }
    /* What transfers have changed (MmUnlockPages). */
    for (ULONG64 Index = First / MI_CHUNK_PAGES; (Chunk = MiNextChunk(Segment, Index)) != NULL; Index++) {
        Index = Chunk->Index;
        if (Index * MI_CHUNK_PAGES >= End)
            break;
        for (ULONG Slot = 0; Slot < MI_CHUNK_PAGES; Slot++) {
            if (Chunk->Page[Slot] != MI_NO_PAGE && MiPfnDatabase[Chunk->Page[Slot]].Paged) {
                MiPfnDatabase[Chunk->Page[Slot]].Paged = FALSE;
                MiSetDirty(Segment, Chunk, MiPageBits(Slot, 1));
            }
        }
    }
}

static VOID MiFreeFilePage(PMM_SEGMENT Segment, PMI_CHUNK Chunk, ULONG Slot)
{
    ULONG Page = Chunk->Page[Slot];

    MiSetClean(Segment, Chunk, MiPageBits(Slot, 1));
    Chunk->Page[Slot] = MI_NO_PAGE;
    Segment->Resident--;
    InterlockedDecrement64(&MiFilePages);
    MiReleaseUserPage(Page);
}

/* No view shows the pages any more; what the views' entries knew of them is kept. */
static VOID MiHidePages(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    for (PLIST_ENTRY Entry = Segment->Views.Flink; Entry != &Segment->Views; Entry = Entry->Flink) {
        PMI_VIEW View = CONTAINING_RECORD(Entry, MI_VIEW, Link);
        ULONG64 From, To;

        /* Copies stay: they are not the file's any more. */
        if (MiViewPart(View, First, End, &From, &To))
            MiHideView(View, From, To, MI_KEEP_COPIES);
    }
}

static VOID MiDropChunkIfEmpty(PMM_SEGMENT Segment, PMI_CHUNK Chunk)
{
    for (ULONG Slot = 0; Slot < MI_CHUNK_PAGES; Slot++) {
        if (Chunk->Page[Slot] != MI_NO_PAGE)
            return;
    }
    if (Chunk->Reading == 0 && Chunk->Writing == 0)
        RtlDeleteElementGenericTableAvl(&Segment->Chunks, Chunk);
}

/* ---- writing ---- */

/* The dirty pages from Transfer->First on, one behind the other, up to End. */
static VOID MiBeginWrite(PMI_TRANSFER Transfer, PMI_CHUNK Chunk, ULONG64 End)
{
    ULONG Slot = (ULONG)(Transfer->First % MI_CHUNK_PAGES);

    Transfer->Pages = 0;
    while (Transfer->Pages < MI_TRANSFER_PAGES && Transfer->First + Transfer->Pages < End &&
           Slot + Transfer->Pages < MI_CHUNK_PAGES && (Chunk->Dirty & MiPageBits(Slot + Transfer->Pages, 1)) &&
           !(Chunk->Writing & MiPageBits(Slot + Transfer->Pages, 1))) {
        ULONG Page = Chunk->Page[Slot + Transfer->Pages];

        __atomic_add_fetch(&MiPfnDatabase[Page].Locks, 1, __ATOMIC_SEQ_CST);
        Transfer->Page[Transfer->Pages++] = Page;
    }
    MiSetClean(Transfer->Segment, Chunk, MiPageBits(Slot, Transfer->Pages));
    Chunk->Writing |= MiPageBits(Slot, Transfer->Pages);
}

static VOID MiEndWrite(PMI_TRANSFER Transfer, NTSTATUS Status)
{
    PMI_CHUNK Chunk = MiFindChunk(Transfer->Segment, Transfer->First / MI_CHUNK_PAGES);
    ULONG64 Bits = MiPageBits((ULONG)(Transfer->First % MI_CHUNK_PAGES), Transfer->Pages);

    for (ULONG Index = 0; Index < Transfer->Pages; Index++)
        __atomic_sub_fetch(&MiPfnDatabase[Transfer->Page[Index]].Locks, 1, __ATOMIC_SEQ_CST);
    Chunk->Writing &= ~Bits;
    if (!NT_SUCCESS(Status))
        MiSetDirty(Transfer->Segment, Chunk, Bits);
    KeSetEvent(&Transfer->Segment->Transferred, IO_DISK_INCREMENT, FALSE);
}

/* The first page of [First, End) that is dirty or being written; End: none. */
static ULONG64 MiNextDirty(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    PMI_CHUNK Chunk;

    while (First < End && (Chunk = MiNextChunk(Segment, First / MI_CHUNK_PAGES)) != NULL) {
        ULONG Slot = Chunk->Index == First / MI_CHUNK_PAGES ? First % MI_CHUNK_PAGES : 0;
        ULONG64 Bits = (Chunk->Dirty | Chunk->Writing) >> Slot << Slot;

        if (Bits != 0)
            return min(End, Chunk->Index * MI_CHUNK_PAGES + (ULONG)__builtin_ctzll(Bits));
        First = (Chunk->Index + 1) * MI_CHUNK_PAGES;
    }
    return End;
}

static ULONG64 MiEndPage(ULONG64 Offset, ULONG64 Length)
{
    return Length > MAXULONG64 - Offset - PAGE_SIZE ? MAXULONG64 >> PAGE_SHIFT
                                                    : (Offset + Length + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

NTSTATUS MmFlushSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Written)
{
    ULONG64 Page = Offset >> PAGE_SHIFT, End = MiEndPage(Offset, Length);
    MI_TRANSFER Transfer = {.Segment = Segment};
    NTSTATUS Result = STATUS_SUCCESS;
    ULONG_PTR Bytes;

    *Written = 0;
    KeAcquireGuardedMutex(&Segment->Lock);
    MiCollectDirty(Segment, Page, End);
    while ((Page = MiNextDirty(Segment, Page, End)) < End) {
        PMI_CHUNK Chunk = MiFindChunk(Segment, Page / MI_CHUNK_PAGES);
        NTSTATUS Status;

        if (Chunk->Writing & MiPageBits(Page % MI_CHUNK_PAGES, 1)) {
            MiWaitForTransfer(Segment);
            continue;
        }
        Transfer.First = Page;
        MiBeginWrite(&Transfer, Chunk, End);
        KeReleaseGuardedMutex(&Segment->Lock);
        Status = MiTransferPages(&Transfer, TRUE, &Bytes);
        KeAcquireGuardedMutex(&Segment->Lock);
        MiEndWrite(&Transfer, Status);
        if (NT_SUCCESS(Status))
            *Written += (ULONG64)Transfer.Pages << PAGE_SHIFT;
        else if (NT_SUCCESS(Result))
            Result = Status;
        Page += Transfer.Pages;
    }
    KeReleaseGuardedMutex(&Segment->Lock);
    return Result;
}

VOID MmDirtySegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    KeAcquireGuardedMutex(&Segment->Lock);
    for (ULONG64 Page = Offset >> PAGE_SHIFT; Page < MiEndPage(Offset, Length); Page++) {
        PMI_CHUNK Chunk = MiFindChunk(Segment, Page / MI_CHUNK_PAGES);

        if (Chunk != NULL && Chunk->Page[Page % MI_CHUNK_PAGES] != MI_NO_PAGE)
            MiSetDirty(Segment, Chunk, MiPageBits(Page % MI_CHUNK_PAGES, 1));
    }
    KeReleaseGuardedMutex(&Segment->Lock);
}

ULONG64 MmQuerySegmentDirty(PMM_SEGMENT Segment, ULONG64 Offset, PULONG64 Next)
{
    ULONG64 End = MAXULONG64 >> PAGE_SHIFT, Count;

    KeAcquireGuardedMutex(&Segment->Lock);
    MiCollectDirty(Segment, 0, End);
    *Next = MiNextDirty(Segment, Offset >> PAGE_SHIFT, End);
    *Next = *Next == End ? MAXULONG64 : *Next << PAGE_SHIFT;
    Count = Segment->Dirty;
    KeReleaseGuardedMutex(&Segment->Lock);
    return Count;
}

/* ---- forgetting ---- */

/* The segment's lock is held, and released while a transfer is waited for. */
static BOOLEAN MiPurgePages(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    BOOLEAN All = TRUE;
    PMI_CHUNK Chunk;

    for (ULONG64 Page = First; Page < End && (Chunk = MiNextChunk(Segment, Page / MI_CHUNK_PAGES)) != NULL;) {
        ULONG Slot = Chunk->Index == Page / MI_CHUNK_PAGES ? Page % MI_CHUNK_PAGES : 0;
        ULONG64 Base = Chunk->Index * MI_CHUNK_PAGES;

        if (Base >= End)
            break;
        if ((Chunk->Reading | Chunk->Writing) >> Slot != 0) {
            MiWaitForTransfer(Segment);
            continue;
        }
        MiHidePages(Segment, Base + Slot, min(End, Base + MI_CHUNK_PAGES));
        for (; Slot < MI_CHUNK_PAGES && Base + Slot < End; Slot++) {
            if (Chunk->Page[Slot] == MI_NO_PAGE)
                continue;
            if (MiPfnDatabase[Chunk->Page[Slot]].Locks != 0)
                All = FALSE;
            else
                MiFreeFilePage(Segment, Chunk, Slot);
        }
        MiDropChunkIfEmpty(Segment, Chunk);
        Page = Base + MI_CHUNK_PAGES;
    }
    return All;
}

/* Has a user's view one of these pages? */
static BOOLEAN MiIsMappedByUser(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    for (PLIST_ENTRY Entry = Segment->Views.Flink; Entry != &Segment->Views; Entry = Entry->Flink) {
        PMI_VIEW View = CONTAINING_RECORD(Entry, MI_VIEW, Link);
        ULONG64 From, To;

        if (!View->Cache && MiViewPart(View, First, End, &From, &To))
            return TRUE;
    }
    return FALSE;
}

BOOLEAN MmPurgeSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    ULONG64 First = Offset >> PAGE_SHIFT, End = MiEndPage(Offset, Length);
    BOOLEAN Purged;

    KeAcquireGuardedMutex(&Segment->Lock);
    Purged = !MiIsMappedByUser(Segment, First, End) && MiPurgePages(Segment, First, End);
    KeReleaseGuardedMutex(&Segment->Lock);
    return Purged;
}

VOID MmTruncateSegment(PMM_SEGMENT Segment, ULONG64 Size)
{
    ULONG64 Page = Size >> PAGE_SHIFT;
    PMI_CHUNK Chunk;

    KeAcquireGuardedMutex(&Segment->Lock);
    MiPurgePages(Segment, MiEndPage(Size, 0), MAXULONG64 >> PAGE_SHIFT);
    Segment->Size = Size;
    Chunk = Size % PAGE_SIZE != 0 ? MiFindChunk(Segment, Page / MI_CHUNK_PAGES) : NULL;
    if (Chunk != NULL && Chunk->Page[Page % MI_CHUNK_PAGES] != MI_NO_PAGE)
        memset((PUCHAR)MiPageAddress(Chunk->Page[Page % MI_CHUNK_PAGES]) + Size % PAGE_SIZE, 0,
               PAGE_SIZE - Size % PAGE_SIZE);
    KeReleaseGuardedMutex(&Segment->Lock);
}

/* Clean pages that nobody has locked.  The segment's lock is held. */
ULONG MiTrimSegment(PMM_SEGMENT Segment, ULONG Wanted)
{
    ULONG64 Chunks = RtlNumberGenericTableElementsAvl(&Segment->Chunks);
    ULONG Freed = 0;

    while (Chunks-- != 0 && Freed < Wanted && Segment->Resident != 0) {
        PMI_CHUNK Chunk = MiNextChunk(Segment, Segment->TrimHand);

        if (Chunk == NULL) {
            Segment->TrimHand = 0;
            Chunk = MiNextChunk(Segment, 0);
        }
        Segment->TrimHand = Chunk->Index + 1;
        MiHidePages(Segment, Chunk->Index * MI_CHUNK_PAGES, (Chunk->Index + 1) * MI_CHUNK_PAGES);
        MiCollectDirty(Segment, Chunk->Index * MI_CHUNK_PAGES, (Chunk->Index + 1) * MI_CHUNK_PAGES);
        for (ULONG Slot = 0; Slot < MI_CHUNK_PAGES; Slot++) {
            if (Chunk->Page[Slot] != MI_NO_PAGE && MiPfnDatabase[Chunk->Page[Slot]].Locks == 0 &&
                !((Chunk->Dirty | Chunk->Writing) & MiPageBits(Slot, 1))) {
                MiFreeFilePage(Segment, Chunk, Slot);
                Freed++;
            }
        }
    }
    return Freed;
}

/*
 * The segments take turns.  Chunks stay, for the caller may be looking at one; whoever holds a segment's lock, or the list's, is left
 * alone.
 */
ULONG MiTrimFiles(ULONG Wanted)
{
    ULONG Freed = 0;

    if (!KeTryToAcquireGuardedMutex(&MiFileLock))
        return 0;
    for (PLIST_ENTRY Entry = MiFileSegments.Flink; Entry != &MiFileSegments && Freed < Wanted;) {
        PMM_SEGMENT Segment = CONTAINING_RECORD(Entry, MM_SEGMENT, Link);

        Entry = Entry->Flink;
        if (!KeTryToAcquireGuardedMutex(&Segment->Lock))
            continue;
        Freed += MiTrimSegment(Segment, Wanted - Freed);
        KeReleaseGuardedMutex(&Segment->Lock);
    }
    if (!IsListEmpty(&MiFileSegments))
        InsertTailList(&MiFileSegments, RemoveHeadList(&MiFileSegments));
    KeReleaseGuardedMutex(&MiFileLock);
    return Freed;
}
