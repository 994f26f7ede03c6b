// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of files on their way in: paging reads, in pieces of up to 64 KiB, each page by one reader while others wait.
 *
 * A page that is being read has a bit in its chunk and no number yet, so nobody shows it; the reader owns the memory until the
 * data are there.  What lies behind the file's end is zeros.
 */
#include "segment.h"

/* The last of memory is the kernel's, and a file takes none below this. */
#define MI_FILE_RESERVE (MI_KEPT_PAGES + 64)
#define MI_TRIM_PAGES   64

/* The segment's lock is held.  MI_NO_PAGE. */
static ULONG MiAllocateFilePage(PMM_SEGMENT Segment, BOOLEAN Zero)
{
    ULONG64 Limit;
    ULONG Page;

    if ((MmQueryFilePages(&Limit) >= Limit || MmAvailablePages() <= MI_FILE_RESERVE) && MiTrimFiles(MI_TRIM_PAGES) == 0)
        MiTrimSegment(Segment, MI_TRIM_PAGES);
    Page = MmAvailablePages() > MI_KEPT_PAGES ? MiAllocatePage(Zero) : MI_NO_PAGE;
    if (Page != MI_NO_PAGE) {
        MiPfnDatabase[Page].State = MiPageFile;
        MiPfnDatabase[Page].Paged = FALSE;
        InterlockedIncrement64(&MiFilePages);
    }
    return Page;
}

VOID MiWaitForTransfer(PMM_SEGMENT Segment)
{
    KeClearEvent(&Segment->Transferred);
    KeReleaseGuardedMutex(&Segment->Lock);
    KeWaitForSingleObject(&Segment->Transferred, WrPageIn, KernelMode, FALSE, NULL);
    KeAcquireGuardedMutex(&Segment->Lock);
}

/* IRQL: <= APC_LEVEL, no lock is held. */
NTSTATUS MiTransferPages(PMI_TRANSFER Transfer, BOOLEAN Write, PULONG_PTR Bytes)
{
    PFILE_OBJECT FileObject = Transfer->Segment->FileObject;
    IO_STATUS_BLOCK Result = {.Status = STATUS_SUCCESS};
    ULONG Length = Transfer->Pages << PAGE_SHIFT, Kept;
    LARGE_INTEGER Offset;
    NTSTATUS Status;
    KEVENT Event;

    MiPlaceInFile(Transfer->Segment, Transfer->First, (PULONG64)&Offset.QuadPart, &Length, &Kept);
    *Bytes = 0;
    if (Length == 0)
        return STATUS_SUCCESS;
    MmInitializeMdl(&Transfer->Mdl, NULL, Length);
    Transfer->Mdl.MdlFlags |= MDL_PAGES_LOCKED | (Write ? 0 : MDL_IO_PAGE_READ);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Status = MiFileRoutines->Transfer(FileObject, &Transfer->Mdl, &Offset, Write, &Event, &Result);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, WrPageIn, KernelMode, FALSE, NULL);
        Status = Result.Status;
    }
    if (Transfer->Mdl.MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
        MmUnmapLockedPages(Transfer->Mdl.MappedSystemVa, &Transfer->Mdl);
    *Bytes = min(Result.Information, Kept);
    return Status;
}

/* What was not read is zeros. */
static VOID MiZeroRest(PMI_TRANSFER Transfer, ULONG_PTR Bytes)
{
    for (ULONG Index = 0; Index < Transfer->Pages; Index++) {
        PUCHAR Data = MiPageAddress((ULONG)Transfer->Page[Index]);
        ULONG_PTR Start = (ULONG_PTR)Index << PAGE_SHIFT, Kept = Bytes > Start ? Bytes - Start : 0;

        if (Kept < PAGE_SIZE)
            memset(Data + Kept, 0, PAGE_SIZE - Kept);
    }
}

/* The segment's lock is held: takes memory for the pages from Transfer->First on that are not there, up to Count of them. */
static NTSTATUS MiBeginRead(PMI_TRANSFER Transfer, PMI_CHUNK Chunk, ULONG Count)
{
    ULONG Slot = (ULONG)(Transfer->First % MI_CHUNK_PAGES);

    Transfer->Pages = 0;
    while (Transfer->Pages < min(Count, MI_TRANSFER_PAGES) && Chunk->Page[Slot + Transfer->Pages] == MI_NO_PAGE &&
           !(Chunk->Reading & MiPageBits(Slot + Transfer->Pages, 1))) {
        ULONG Page = MiAllocateFilePage(Transfer->Segment, FALSE);

        if (Page == MI_NO_PAGE)
            break;
        Transfer->Page[Transfer->Pages++] = Page;
    }
    Chunk->Reading |= MiPageBits(Slot, Transfer->Pages);
    return Transfer->Pages != 0 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The segment's lock is held. */
static VOID MiEndRead(PMI_TRANSFER Transfer, NTSTATUS Status)
{
    PMM_SEGMENT Segment = Transfer->Segment;
    PMI_CHUNK Chunk = MiFindChunk(Segment, Transfer->First / MI_CHUNK_PAGES);
    ULONG Slot = (ULONG)(Transfer->First % MI_CHUNK_PAGES);

    Chunk->Reading &= ~MiPageBits(Slot, Transfer->Pages);
    for (ULONG Index = 0; Index < Transfer->Pages; Index++) {
        if (NT_SUCCESS(Status)) {
            Chunk->Page[Slot + Index] = (ULONG)Transfer->Page[Index];
            Segment->Resident++;
        } else {
            InterlockedDecrement64(&MiFilePages);
            MiFreePage((ULONG)Transfer->Page[Index]);
        }
    }
    KeSetEvent(&Segment->Transferred, IO_DISK_INCREMENT, FALSE);
}

NTSTATUS MiPageIn(PMM_SEGMENT Segment, ULONG64 First, ULONG Count)
{
    MI_TRANSFER Transfer = {.Segment = Segment};
    ULONG64 Pages, End;
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG_PTR Bytes;

    KeAcquireGuardedMutex(&Segment->Lock);
    Pages = (Segment->Size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    End = min(min(First + Count, Pages), (First / MI_CHUNK_PAGES + 1) * MI_CHUNK_PAGES);
    while (First < End && NT_SUCCESS(Status)) {
        PMI_CHUNK Chunk = MiMakeChunk(Segment, First / MI_CHUNK_PAGES);

        if (Chunk == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else if (Chunk->Page[First % MI_CHUNK_PAGES] != MI_NO_PAGE) {
            First++;
        } else if (Chunk->Reading & MiPageBits((ULONG)(First % MI_CHUNK_PAGES), 1)) {
            MiWaitForTransfer(Segment);
        } else {
            Transfer.First = First;
            Status = MiBeginRead(&Transfer, Chunk, MiPagesTogether(Segment, First, (ULONG)(End - First)));
            if (!NT_SUCCESS(Status))
                break;
            KeReleaseGuardedMutex(&Segment->Lock);
            Status = MiTransferPages(&Transfer, FALSE, &Bytes);
            if (Status == STATUS_END_OF_FILE) {
                Status = STATUS_SUCCESS;
                Bytes = 0;
            }
            if (NT_SUCCESS(Status))
                MiZeroRest(&Transfer, Bytes);
            KeAcquireGuardedMutex(&Segment->Lock);
            MiEndRead(&Transfer, Status);
            First += Transfer.Pages;
        }
    }
    KeReleaseGuardedMutex(&Segment->Lock);
    return Status;
}

/* ---- for the cache ---- */

NTSTATUS MmReadSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    ULONG64 First = Offset >> PAGE_SHIFT, End = (Offset + Length + PAGE_SIZE - 1) >> PAGE_SHIFT;
    NTSTATUS Status = STATUS_SUCCESS;

    while (First < End && NT_SUCCESS(Status)) {
        ULONG Count = (ULONG)min(End - First, MI_CHUNK_PAGES - First % MI_CHUNK_PAGES);

        Status = MiPageIn(Segment, First, Count);
        First += Count;
    }
    return Status;
}

BOOLEAN MmIsSegmentResident(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length)
{
    ULONG64 Page = Offset >> PAGE_SHIFT, End = (Offset + Length + PAGE_SIZE - 1) >> PAGE_SHIFT;

    KeAcquireGuardedMutex(&Segment->Lock);
    for (; Page < End; Page++) {
        PMI_CHUNK Chunk = MiFindChunk(Segment, Page / MI_CHUNK_PAGES);

        if (Chunk == NULL || Chunk->Page[Page % MI_CHUNK_PAGES] == MI_NO_PAGE)
            break;
    }
    KeReleaseGuardedMutex(&Segment->Lock);
    return Page >= End;
}

NTSTATUS MmTakeSegmentPages(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Taken)
{
    ULONG64 First = Offset >> PAGE_SHIFT, End = (Offset + Length) >> PAGE_SHIFT;
    NTSTATUS Status = STATUS_SUCCESS;

    *Taken = 0;
    KeAcquireGuardedMutex(&Segment->Lock);
    for (ULONG64 Page = First; Page < End && NT_SUCCESS(Status);) {
        PMI_CHUNK Chunk = MiMakeChunk(Segment, Page / MI_CHUNK_PAGES);
        ULONG Slot = Page % MI_CHUNK_PAGES;

        if (Chunk == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
        } else if (Chunk->Reading & MiPageBits(Slot, 1)) {
            MiWaitForTransfer(Segment);
            continue;
        } else if (Chunk->Page[Slot] == MI_NO_PAGE) {
            Chunk->Page[Slot] = MiAllocateFilePage(Segment, TRUE);
            Status = Chunk->Page[Slot] != MI_NO_PAGE ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
            if (NT_SUCCESS(Status)) {
                Segment->Resident++;
                *Taken |= 1ULL << (Page - First);
                MiSetDirty(Segment, Chunk, MiPageBits(Slot, 1)); /* else it might be trimmed, and read */
            }
        }
        Page++;
    }
    KeReleaseGuardedMutex(&Segment->Lock);
    return Status;
}
