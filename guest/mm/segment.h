/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm: segments and views of them.
 *
 * Locks, in this order: an address space's (of system views: MiViewLock), then a segment's.  The entries of a segment's views
 * change under the segment's lock only.
 */
#ifndef FLTVM_MM_SEGMENT_H
#define FLTVM_MM_SEGMENT_H

#include "space.h"

#define MI_SEGMENT_TAG 'gSmM'

#define MI_CHUNK_PAGES 64

/* Neighbouring pages, of which at least one has been there. */
typedef struct _MI_CHUNK {
    ULONG64 Index;
    ULONG Page[MI_CHUNK_PAGES]; /* MI_NO_PAGE: not there; of the paging file: not committed */
} MI_CHUNK, *PMI_CHUNK;

struct _MM_SEGMENT {
    KGUARDED_MUTEX Lock; /* everything below */
    RTL_AVL_TABLE Chunks;
    LIST_ENTRY Views;
    ULONG64 Size;
    volatile LONG References;
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
} MI_VIEW, *PMI_VIEW;

/* segment.c; the segment's lock is held. */
PMI_CHUNK MiFindChunk(PMM_SEGMENT Segment, ULONG64 Index);
/* The first at or behind an index, or NULL. */
PMI_CHUNK MiNextChunk(PMM_SEGMENT Segment, ULONG64 Index);
NTSTATUS MiCommitSegment(PMM_SEGMENT Segment, ULONG64 First, ULONG64 End);

/* view.c, viewfault.c */
extern KGUARDED_MUTEX MiViewLock;
extern PMI_VIEW *MiSystemView;

/* An entry's bits in a view of this protection, of the segment's page or of a copy of it. */
MMPTE MiViewBits(ULONG Protect, BOOLEAN Copy);
/* Shows what a view shows at an address.  STATUS_ACCESS_VIOLATION: no view, or not for this access. */
NTSTATUS MiResolveView(ULONG64 Address, BOOLEAN Write, BOOLEAN Execute);
/* Locks the page at an address of a view; STATUS_NOT_FOUND: there is none.  The caller holds no lock.  IRQL: <= APC_LEVEL. */
NTSTATUS MiLockViewPage(ULONG64 Address, LOCK_OPERATION Operation, PPFN_NUMBER Page);
/* FALSE: no view is near the address. */
BOOLEAN MiHasViews(ULONG64 Address);
/* The space's lock is held; in the context of any process.  Not of system views. */
VOID MiUnmapRange(PMM_SPACE Space, PMI_VIEW View);
NTSTATUS MiProtectView(PMM_SPACE Space, PMI_RANGE Range, ULONG64 Start, ULONG64 End, ULONG Protect);
NTSTATUS MiCommitView(PMI_RANGE Range, ULONG64 Start, ULONG64 End);
VOID MiQueryView(PMI_RANGE Range, ULONG64 Address, PMEMORY_BASIC_INFORMATION Information);

#endif
