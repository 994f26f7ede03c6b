// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments: the pages that sections and views of them share.
 *
 * A tree of chunks holds what is there: the pages of the paging file's segments, from the moment that they are committed; of a file's,
 * while they are in memory (filesegment.c).
 */
#include "segment.h"

static RTL_GENERIC_COMPARE_RESULTS NTAPI MiCompareChunks(PRTL_AVL_TABLE Table, PVOID First, PVOID Second)
{
    ULONG64 Left = ((PMI_CHUNK)First)->Index, Right = ((PMI_CHUNK)Second)->Index;

    return Left < Right ? GenericLessThan : Left > Right ? GenericGreaterThan : GenericEqual;
}

static PVOID NTAPI MiAllocateChunk(PRTL_AVL_TABLE Table, CLONG Size)
{
    return ExAllocatePoolWithTag(NonPagedPoolNx, Size, MI_SEGMENT_TAG);
}

static VOID NTAPI MiFreeChunk(PRTL_AVL_TABLE Table, PVOID Node)
{
    ExFreePoolWithTag(Node, MI_SEGMENT_TAG);
}

PMI_CHUNK MiFindChunk(PMM_SEGMENT Segment, ULONG64 Index)
{
    return RtlLookupElementGenericTableAvl(&Segment->Chunks, &Index);
}

PMI_CHUNK MiNextChunk(PMM_SEGMENT Segment, ULONG64 Index)
{
    TABLE_SEARCH_RESULT Result;
    PVOID Node = NULL;
    PMI_CHUNK Chunk = RtlLookupElementGenericTableFullAvl(&Segment->Chunks, &Index, &Node, &Result);

    if (Result == TableEmptyTree || Chunk != NULL)
        return Chunk;
    if (Result == TableInsertAsLeft)
        return (PMI_CHUNK)((PRTL_BALANCED_LINKS)Node + 1);
    return RtlEnumerateGenericTableWithoutSplayingAvl(&Segment->Chunks, &Node);
}

PMI_CHUNK MiMakeChunk(PMM_SEGMENT Segment, ULONG64 Index)
{
    PMI_CHUNK Chunk = MiFindChunk(Segment, Index);
    MI_CHUNK New = {.Index = Index};
    BOOLEAN Inserted;

    if (Chunk != NULL)
        return Chunk;
    memset(New.Page, 0xFF, sizeof(New.Page));
    return RtlInsertElementGenericTableAvl(&Segment->Chunks, &New, sizeof(New), &Inserted);
}

PMM_SEGMENT MiNewSegment(ULONG64 Size)
{
    PMM_SEGMENT Segment = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Segment), MI_SEGMENT_TAG);

    if (Segment == NULL)
        return NULL;
    RtlZeroMemory(Segment, sizeof(*Segment));
    KeInitializeGuardedMutex(&Segment->Lock);
    RtlInitializeGenericTableAvl(&Segment->Chunks, MiCompareChunks, MiAllocateChunk, MiFreeChunk, NULL);
    InitializeListHead(&Segment->Views);
    KeInitializeEvent(&Segment->Transferred, NotificationEvent, FALSE);
    Segment->Size = Size;
    Segment->References = 1;
    return Segment;
}

VOID MiDeleteSegment(PMM_SEGMENT Segment)
{
    PMI_CHUNK Chunk;

    while ((Chunk = RtlGetElementGenericTableAvl(&Segment->Chunks, 0)) != NULL) {
        for (ULONG Slot = 0; Slot < MI_CHUNK_PAGES; Slot++) {
            if (Chunk->Page[Slot] != MI_NO_PAGE)
                MiReleaseUserPage(Chunk->Page[Slot]);
        }
        RtlDeleteElementGenericTableAvl(&Segment->Chunks, Chunk);
    }
    if (Segment->Image != NULL)
        ExFreePoolWithTag(Segment->Image, MI_SEGMENT_TAG);
    ExFreePoolWithTag(Segment, MI_SEGMENT_TAG);
}

NTSTATUS MiCommitSegment(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End)
{
    ULONG64 Wanted = 0;

    for (ULONG64 Page = First; Page < End; Page++) {
        PMI_CHUNK Chunk = MiFindChunk(Segment, Page / MI_CHUNK_PAGES);

        if (Chunk == NULL) {
            ULONG64 Next = min((Page / MI_CHUNK_PAGES + 1) * MI_CHUNK_PAGES, End);

            Wanted += Next - Page;
            Page = Next - 1;
        } else {
            Wanted += Chunk->Page[Page % MI_CHUNK_PAGES] == MI_NO_PAGE;
        }
        if (Wanted + MI_KEPT_PAGES > MmAvailablePages())
            return STATUS_COMMITMENT_LIMIT;
    }
    for (ULONG64 Page = First; Page < End && Wanted != 0; Page++) {
        PMI_CHUNK Chunk = MiMakeChunk(Segment, Page / MI_CHUNK_PAGES);
        PULONG Slot = Chunk != NULL ? &Chunk->Page[Page % MI_CHUNK_PAGES] : NULL;

        if (Slot != NULL && *Slot != MI_NO_PAGE)
            continue;
        if (Slot == NULL || (*Slot = MiAllocatePage(TRUE)) == MI_NO_PAGE)
            return STATUS_COMMITMENT_LIMIT; /* what has been committed stays so, as after an earlier call */
        Wanted--;
    }
    return STATUS_SUCCESS;
}

NTSTATUS MmCreateSegment(ULONG64 Size, BOOLEAN Commit, PMM_SEGMENT *Result)
{
    PMM_SEGMENT Segment;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Size > MM_MAXIMUM_SECTION)
        return STATUS_SECTION_TOO_BIG;
    Segment = MiNewSegment(Size);
    if (Segment == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (Commit)
        Status = MiCommitSegment(Segment, 0, (Size + PAGE_SIZE - 1) >> PAGE_SHIFT);
    if (!NT_SUCCESS(Status)) {
        MiDeleteSegment(Segment);
        return Status;
    }
    *Result = Segment;
    return STATUS_SUCCESS;
}

VOID MmReferenceSegment(PMM_SEGMENT Segment)
{
    InterlockedIncrement(&Segment->References);
}

VOID MmDereferenceSegment(PMM_SEGMENT Segment)
{
    if (Segment->FileObject != NULL)
        MiDereferenceFileSegment(Segment);
    else if (InterlockedDecrement(&Segment->References) == 0)
        MiDeleteSegment(Segment);
}
