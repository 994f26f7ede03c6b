/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm: segments and views of them.
 *
 * Locks, in this order: an address space's (of system views: MiViewLock), MiFileLock, then a segment's.  The entries of a segment's
 * views change under the segment's lock only.  No lock is held while a file's pages are read or written.
 */
#ifndef FLTVM_MM_SEGMENT_H
#define FLTVM_MM_SEGMENT_H

#include "space.h"

#define MI_SEGMENT_TAG 'gSmM'

#define MI_CHUNK_PAGES 64

/* Neighbouring pages, of which at least one has been there. */
typedef struct _MI_CHUNK {
    ULONG64 Index;
    ULONG64 Dirty, Reading, Writing; /* of a file, a bit a page: it has to be written; it is under way */
    ULONG Page[MI_CHUNK_PAGES];      /* MI_NO_PAGE: not there; of the paging file: not committed */
} MI_CHUNK, *PMI_CHUNK;

struct _MM_SEGMENT {
    KGUARDED_MUTEX Lock; /* what follows, up to the next lock */
    RTL_AVL_TABLE Chunks;
    LIST_ENTRY Views;
    ULONG64 Size;
    ULONG64 Resident, Dirty; /* pages of a file; those that views have changed count from when somebody looks */
    ULONG64 TrimHand;        /* where trimming goes on: a chunk's index */
    KEVENT Transferred;      /* pages have been read or written */

    volatile LONG References;

    /* Of a file; MiFileLock. */
    PFILE_OBJECT FileObject; /* NULL: the paging file's; else referenced, and all transfers' */
    PSECTION_OBJECT_POINTERS Pointers;
    PVOID *Slot;          /* which of these names it */
    PMM_IMAGE Image;      /* NULL: the file's data */
    LIST_ENTRY Link;      /* of MiFileSegments */
    ULONG Users;          /* sections and views, but the cache's own */
    ULONG Writers;        /* of them those that may write */
    BOOLEAN Closing;      /* nobody has a reference any more, but there is something to write */
    WORK_QUEUE_ITEM Item; /* which a worker does */
};

typedef struct _MI_VIEW {
    LIST_ENTRY Link;
    PMM_SEGMENT Segment; /* referenced */
    ULONG64 Start, End;  /* addresses */
    ULONG64 Offset;      /* of Start, in the segment */
    ULONG64 Top;         /* the page tables they are in, physical */
    ULONG SectionProtect;
    ULONG Protect; /* of a system view */
    BOOLEAN System;
    BOOLEAN Cache;     /* the cache's own: it may go beyond the segment's end */
    const VOID *Maker; /* with the verifier: the driver's code that made it, where it stays; else NULL */
    LIST_ENTRY MadeLink;
} MI_VIEW, *PMI_VIEW;

/* segment.c; the segment's lock is held. */
PMI_CHUNK MiFindChunk(PMM_SEGMENT Segment, ULONG64 Index);
/* The first at or behind an index, or NULL. */
PMI_CHUNK MiNextChunk(PMM_SEGMENT Segment, ULONG64 Index);
PMI_CHUNK MiMakeChunk(PMM_SEGMENT Segment, ULONG64 Index);
NTSTATUS MiCommitSegment(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End);

/* segment.c */
PMM_SEGMENT MiNewSegment(ULONG64 Size);
VOID MiDeleteSegment(PMM_SEGMENT Segment);

/* filesegment.c */
extern KGUARDED_MUTEX MiFileLock;
extern LIST_ENTRY MiFileSegments;
extern volatile LONG64 MiFilePages; /* of all files */
extern PMM_FILE_ROUTINES MiFileRoutines;
VOID MiDereferenceFileSegment(PMM_SEGMENT Segment);
/* What a pointer of SECTION_OBJECT_POINTERS names, referenced, or NULL. */
PMM_SEGMENT MiFindFileSegment(PVOID *Slot);
/* Names a new segment there; one that is named already takes its place, and the new one goes. */
PMM_SEGMENT MiAdoptFileSegment(PFILE_OBJECT FileObject, PVOID *Slot, PMM_SEGMENT New);

/* imagesegment.c.  Of Count pages from one on, how many lie together in the file, too. */
ULONG MiPagesTogether(PMM_SEGMENT Segment, ULONG64 Page, ULONG Count);
/* Where *Length bytes from a page on are read from in the file, in whole sectors, and how many of them are the page's; 0: all are zeros. */
VOID MiPlaceInFile(PMM_SEGMENT Segment, ULONG64 Page, PULONG64 Offset, PULONG Length, PULONG Kept);
/* What a protection becomes in a view of an image, where writes are copied. */
ULONG MiImageProtection(ULONG Protect);
/* A new view of an image gets its parts' protections.  The space's lock is held. */
struct _MI_VIEW;
NTSTATUS MiProtectParts(PMM_SPACE Space, struct _MI_VIEW *View);

/* The bits of a chunk's pages from Slot on, Count of them. */
FORCEINLINE ULONG64 MiPageBits(ULONG Slot, ULONG Count)
{
    return (Count >= MI_CHUNK_PAGES ? ~0ULL : (1ULL << Count) - 1) << Slot;
}

/* transfer.c: pages of a file on their way. */
#define MI_TRANSFER_PAGES 16

typedef struct _MI_TRANSFER {
    PMM_SEGMENT Segment;
    ULONG64 First; /* page */
    ULONG Pages;
    MDL Mdl;
    PFN_NUMBER Page[MI_TRANSFER_PAGES];
} MI_TRANSFER, *PMI_TRANSFER;
C_ASSERT(FIELD_OFFSET(MI_TRANSFER, Page) == FIELD_OFFSET(MI_TRANSFER, Mdl) + sizeof(MDL));

NTSTATUS MiTransferPages(PMI_TRANSFER Transfer, BOOLEAN Write, PULONG_PTR Bytes);
VOID MiWaitForTransfer(PMM_SEGMENT Segment);
/* Reads what is not there of [First, First + Count) in one chunk; the caller holds no lock. */
NTSTATUS MiPageIn(PMM_SEGMENT Segment, ULONG64 First, ULONG Count);

/* pageout.c.  The segment's lock is held, but by Trim's callers. */
VOID MiSetDirty(PMM_SEGMENT Segment, PMI_CHUNK Chunk, ULONG64 Bits);
ULONG MiTrimSegment(PMM_SEGMENT Segment, ULONG Wanted);
/* IRQL: <= APC_LEVEL, whatever locks are held.  How many pages it freed. */
ULONG MiTrimFiles(ULONG Wanted);

/* view.c, viewfault.c */
extern KGUARDED_MUTEX MiViewLock;
extern PMI_VIEW *MiSystemView;

/* An entry's bits in a view of this protection, of the segment's page or of a copy of it. */
MMPTE MiViewBits(ULONG Protect, BOOLEAN Copy);
/* Shows what a view shows at an address.  STATUS_ACCESS_VIOLATION: no view, or not for this access. */
NTSTATUS MiResolveView(ULONG64 Address, BOOLEAN Write, BOOLEAN Execute);
/* Locks the page at an address of a view; STATUS_NOT_FOUND: there is none.  The caller holds no lock.  IRQL: <= APC_LEVEL. */
NTSTATUS MiLockViewPage(ULONG64 Address, LOCK_OPERATION Operation, PPFN_NUMBER Page);
/* Nothing of [Start, End) is shown any more; copies get CopyBits, go when that is 0, or stay as they are.  The segment's lock is held. */
#define MI_KEEP_COPIES (~0ULL)
VOID MiHideView(PMI_VIEW View, ULONG64 Start, ULONG64 End, MMPTE CopyBits);
/* The part of a view that shows pages [First, End) of its segment; FALSE: none. */
BOOLEAN MiViewPart(PMI_VIEW View, ULONG64 First, ULONG64 End, PULONG64 From, PULONG64 To);
/* FALSE: no view is near the address. */
BOOLEAN MiHasViews(ULONG64 Address);
/* [Start, End) of one range becomes a range of its own, which is returned; NULL: no memory.  The space's lock is held. */
PMI_RANGE MiSplitOut(PMM_SPACE Space, ULONG64 Start, ULONG64 End);
/* The space's lock is held; in the context of any process.  Not of system views. */
VOID MiUnmapRange(PMM_SPACE Space, PMI_VIEW View);
NTSTATUS MiProtectView(PMM_SPACE Space, PMI_RANGE Range, ULONG64 Start, ULONG64 End, ULONG Protect);
NTSTATUS MiCommitView(PMI_RANGE Range, ULONG64 Start, ULONG64 End);
VOID MiQueryView(PMI_RANGE Range, ULONG64 Address, PMEMORY_BASIC_INFORMATION Information);

#endif
