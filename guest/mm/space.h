/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm: an address space's lower half.  What the routines do is done to the current process's, with its lock
 * held; no user memory is touched under the lock.
 */
#ifndef FLTVM_MM_SPACE_H
#define FLTVM_MM_SPACE_H

#include "mip.h"

#define MI_SPACE_TAG 'apSM'

#define MI_KEPT_PAGES 256 /* never committed: for the kernel's own needs */

/* What has been reserved, page-aligned; End is the first byte behind it. */
typedef struct _MI_RANGE {
    ULONG64 Start, End;
    ULONG64 Base;     /* of the allocation it is (a part of) */
    ULONG Protection; /* as it was reserved, PAGE_* */
    ULONG Type;       /* MEM_PRIVATE, MEM_MAPPED, MEM_IMAGE */
    ULONG Current;    /* of a view: its protection now */
    struct _MI_VIEW *View;
} MI_RANGE, *PMI_RANGE;

typedef struct _MM_SPACE {
    KGUARDED_MUTEX Lock;
    RTL_AVL_TABLE Ranges;
    ULONG64 Hint; /* no free granule below */
    ULONG64 Top;  /* the top-level table, physical */
    BOOLEAN Ended;
    ULONG Views; /* of segments */
} MM_SPACE, *PMM_SPACE;

/*
 * A committed page's entry, present or not: what PAGE_* constant it has, as the number of its bit, and the
 * modifiers. Bits 52 to 58 are software's.
 */
#define MI_PTE_PROTECTION(Number) ((ULONG64)(Number) << 52)
#define MI_PTE_NUMBER(Pte)        ((ULONG)((Pte) >> 52 & 7))
#define MI_PTE_GUARD              (1ULL << 55)
#define MI_PTE_NO_CACHE           (1ULL << 56)
#define MI_PTE_COMMITTED          (1ULL << 57)
#define MI_PTE_WRITE_COMBINE      (1ULL << 58)

PMM_SPACE MiLockSpace(VOID);
VOID MiUnlockSpace(PMM_SPACE Space);

/* A range that has an address of [Start, End); NULL: all of it is free. */
PMI_RANGE MiFindReserved(PMM_SPACE Space, ULONG64 Start, ULONG64 End);
/* Where the first range behind a free address starts. */
ULONG64 MiNextRange(PMM_SPACE Space, ULONG64 Address);
ULONG64 MiFindFree(PMM_SPACE Space, ULONG64 Size, ULONG64 Highest);
ULONG64 MiFindFreeTop(PMM_SPACE Space, ULONG64 Size, ULONG64 Highest);
BOOLEAN MiInsertRange(PMM_SPACE Space, ULONG64 Start, ULONG64 End, ULONG Protection, ULONG Type);
VOID MiDeleteRange(PMM_SPACE Space, PMI_RANGE Range);

/* virtual.c: the bits of an entry for PAGE_* flags, without a page; 0: there is no such protection. */
MMPTE MiProtectionBits(ULONG Protect);

/* The first entry at or behind *Address, before End, whose table is there, in any page tables; NULL: none. */
PMMPTE MiNextPteIn(ULONG64 Top, PULONG64 Address, ULONG64 End);

/* Takes the pages of [Start, End) away, if there are any. */
VOID MiDecommit(PMM_SPACE Space, ULONG64 Start, ULONG64 End);

VOID MiReleaseUserPage(ULONG Page);

#endif
