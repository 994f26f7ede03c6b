/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mm: physical pages, kernel address space, pool, MDLs, and what faults mean.
 *
 * Idea: all RAM stands in the direct map that the loader built; mm's own regions above it are mapped by 4 KiB
 * pages through a self-map of the top-level table.  Everything but files' pages is resident: "pageable" is a bit in the PTE that
 * makes the (patched) processor fault on it at DISPATCH_LEVEL and above.
 *
 * Rules
 *  - What the public headers declare (Mm*, ExAllocatePool*, ExFreePool*) is implemented here and not repeated.
 *  - Allocations of images other than ntoskrnl.exe are theirs: counted by driver, with the stack of the call, and
 *    placed in special pool while it has room.
 */
#ifndef FLTVM_MM_H
#define FLTVM_MM_H

#include <boot.h>

struct _KTRAP_FRAME;

/* Regions.  Each grows upwards; sizes are in guest/mm/region.c. */
#define MM_SELF_MAP_INDEX 0x1EDULL
#define MM_SELF_MAP       0xFFFFF68000000000ULL
#define MM_NONPAGED_POOL  0xFFFF900000000000ULL
#define MM_PAGED_POOL     0xFFFFA00000000000ULL
#define MM_SPECIAL_POOL   0xFFFFB00000000000ULL
#define MM_SYSTEM_PTES    0xFFFFC00000000000ULL
#define MM_SYSTEM_VIEWS   0xFFFFD00000000000ULL
#define MM_LOWEST_USER    0x0000000000010000ULL
#define MM_HIGHEST_USER   0x00007FFFFFFEFFFFULL

#define MM_ALLOCATION_GRANULARITY 0x10000ULL

/* Phase 0: page allocator and pools work when it returns.  Processor 0, before threads.  Phase 1: PASSIVE_LEVEL. */
VOID MmInitSystem(ULONG Phase);

/* KeMmAccessFault's routine: see ke.h. */
NTSTATUS MmAccessFault(ULONG64 ErrorCode, PVOID Address, KPROCESSOR_MODE Mode, struct _KTRAP_FRAME *TrapFrame);

/* RtlReadMemory's routine: through the direct map, so that neither what is pageable nor what is discarded faults. */
BOOLEAN MmReadMemory(PVOID To, ULONG64 From, SIZE_T Size);

/* ---- kernel stacks: an unmapped page below each.  IRQL: <= DISPATCH_LEVEL ---- */
PVOID MmCreateKernelStack(ULONG Size); /* its top (StackBase), or NULL */
VOID MmDeleteKernelStack(PVOID StackBase, ULONG Size);

/*
 * ---- address spaces ----
 * A process's own page tables, with the user range empty.  STATUS_INSUFFICIENT_RESOURCES.  The System
 * process's is the kernel's.  Empty: of the current process, which ends, all that is left; nothing can be
 * reserved there any more.  Delete: when no thread is in it.  IRQL: <= APC_LEVEL; Delete <= DISPATCH_LEVEL.
 */
VOID MmInitSystemSpace(struct _KPROCESS *Process);
NTSTATUS MmCreateSpace(struct _KPROCESS *Process);
VOID MmEmptySpace(VOID);
VOID MmDeleteSpace(struct _KPROCESS *Process);

/*
 * User memory of the current process: what NtAllocateVirtualMemory and its kin do, with the statuses they
 * have for it.  Base and Size are rounded to what was done.  IRQL: <= APC_LEVEL.
 */
NTSTATUS MmAllocateVirtual(PULONG64 Base, ULONG64 ZeroBits, PULONG64 Size, ULONG Type, ULONG Protect);
NTSTATUS MmFreeVirtual(PULONG64 Base, PULONG64 Size, ULONG Type);
NTSTATUS MmProtectVirtual(PULONG64 Base, PULONG64 Size, ULONG Protect, PULONG Old);
NTSTATUS MmQueryVirtual(ULONG64 Address, PMEMORY_BASIC_INFORMATION Information);

/*
 * ---- segments: the pages of a section, and views of them.  IRQL: <= APC_LEVEL ----
 * A segment lives as long as somebody has a reference; a view has one.
 */
#define MM_MAXIMUM_SECTION (1ULL << 43)

typedef struct _MM_SEGMENT MM_SEGMENT, *PMM_SEGMENT;

/* Of the paging file, zeroed.  STATUS_SECTION_TOO_BIG, STATUS_COMMITMENT_LIMIT, STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS MmCreateSegment(ULONG64 Size, BOOLEAN Commit, PMM_SEGMENT *Segment);
VOID MmReferenceSegment(PMM_SEGMENT Segment);
VOID MmDereferenceSegment(PMM_SEGMENT Segment);

/* What ZwMapViewOfSection wants.  Size 0: to the section's end. */
typedef struct _MM_VIEW_REQUEST {
    PMM_SEGMENT Segment;
    ULONG64 SectionSize;  /* the section's: of a file, a part or all of the segment */
    ULONG SectionProtect; /* the section's own protection: views may have no more */
    ULONG Protect, Type;
    ULONG64 Base, Offset, Size; /* what was done, when it returns */
    ULONG64 ZeroBits, CommitSize;
    BOOLEAN Cache; /* the cache's: not a user's, and not bound to the segment's size */
} MM_VIEW_REQUEST, *PMM_VIEW_REQUEST;

/* Is it one that a section may have (STATUS_INVALID_PAGE_PROTECTION), and does it go with the section's? */
BOOLEAN MmIsViewProtection(ULONG Protect);
BOOLEAN MmIsProtectionAllowed(ULONG SectionProtect, ULONG Protect);

/*
 * In the current process, with ZwMapViewOfSection's and ZwUnmapViewOfSection's statuses.  An image is mapped as a whole, with its parts'
 * protections; STATUS_IMAGE_NOT_AT_BASE: not where it would like to lie.
 */
NTSTATUS MmMapView(PMM_VIEW_REQUEST Request);
NTSTATUS MmUnmapView(ULONG64 Address);
/* In system space. */
NTSTATUS MmMapSystemView(PMM_VIEW_REQUEST Request);
NTSTATUS MmUnmapSystemView(ULONG64 Address);
/* A driver goes: a view that it has left in system space, or in the System process, is 0xC4, FV_LEFT_BEHIND. */
VOID MmCheckViewsLeft(PVOID Base, SIZE_T Size);

/*
 * ---- segments of files ----
 * A file's data has one segment, which its SECTION_OBJECT_POINTERS name while somebody has a reference; its pages come by paging
 * reads and go by paging writes, through the whole stack of the file object that it was made with.  IRQL: <= APC_LEVEL; the
 * statuses are those of the transfers, besides STATUS_INSUFFICIENT_RESOURCES.
 */
typedef struct _MM_FILE_ROUTINES {
    /* A paging transfer: STATUS_PENDING, and the event is set in the end; as IoPageRead. */
    NTSTATUS (*Transfer)(struct _FILE_OBJECT *FileObject, PMDL Mdl, PLARGE_INTEGER Offset, BOOLEAN Write, PKEVENT Event,
                         PIO_STATUS_BLOCK Result);
    VOID (*Reference)(struct _FILE_OBJECT *FileObject);
    VOID (*Dereference)(struct _FILE_OBJECT *FileObject); /* its close is for a thread that holds nothing */
    VOID (*Queue)(PWORK_QUEUE_ITEM Item);                 /* PASSIVE_LEVEL, a worker */
    /* Around the writing of what only views have changed, by a worker; FALSE: not now. */
    BOOLEAN (*AcquireForWriter)(struct _FILE_OBJECT *FileObject, ULONG64 End, PVOID *Context);
    VOID (*ReleaseFromWriter)(struct _FILE_OBJECT *FileObject, PVOID Context);
} MM_FILE_ROUTINES, *PMM_FILE_ROUTINES;
VOID MmSetFileRoutines(PMM_FILE_ROUTINES Routines);

/* Makes it, or makes an existing one as large as Size at least; referenced. */
NTSTATUS MmOpenFileSegment(struct _FILE_OBJECT *FileObject, ULONG64 Size, PMM_SEGMENT *Segment);
/* Referenced; NULL: there is none. */
PMM_SEGMENT MmFindFileSegment(PSECTION_OBJECT_POINTERS Pointers);
struct _FILE_OBJECT *MmQuerySegmentFile(PMM_SEGMENT Segment);
/* Whether it is a file's is for nobody else to ask: of the paging file's nothing is counted. */
VOID MmCountSegmentUser(PMM_SEGMENT Segment, BOOLEAN Writer, LONG Change);
VOID MmExtendSegment(PMM_SEGMENT Segment, ULONG64 Size);
/* The end moves back: what is behind it goes, the rest of its page is zeroed. */
VOID MmTruncateSegment(PMM_SEGMENT Segment, ULONG64 Size);

/*
 * An image as it lies in memory: parts, each of whole pages and of one protection, with the bytes that the file has of it.  What is
 * between them is not accessible.
 */
typedef struct _MM_IMAGE_PART {
    ULONG Page, Pages;
    ULONG Protect;  /* PAGE_*, of a process's view: nothing that writes to the file */
    ULONG Bytes;    /* the rest is zeros */
    ULONG64 Offset; /* in the file, of whole sectors */
} MM_IMAGE_PART;
typedef struct _MM_IMAGE {
    ULONG64 Base; /* where it would like to lie */
    ULONG64 Size; /* whole pages */
    ULONG Parts;
    MM_IMAGE_PART Part[ANYSIZE_ARRAY];
} MM_IMAGE, *PMM_IMAGE;

/* Makes a file's image segment, or takes what it has; referenced.  Image is copied. */
NTSTATUS MmOpenImageSegment(struct _FILE_OBJECT *FileObject, const MM_IMAGE *Image, PMM_SEGMENT *Segment);
const MM_IMAGE *MmQueryImage(PMM_SEGMENT Segment); /* NULL: it is none */
/* Referenced; NULL: there is none. */
PMM_SEGMENT MmFindImageSegment(PSECTION_OBJECT_POINTERS Pointers);

/* Brings a part into memory.  Resident: all of it is there. */
NTSTATUS MmReadSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length);
BOOLEAN MmIsSegmentResident(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length);
/* Whole pages that are about to be overwritten: those that are not there come as zeros, unread; their bits in *Taken (of at most 64). */
NTSTATUS MmTakeSegmentPages(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Taken);
VOID MmDirtySegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length);
/* Writes what is dirty; goes on after an error, and returns the first.  *Written: bytes. */
NTSTATUS MmFlushSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length, PULONG64 Written);
/* Forgets pages, dirty ones too.  FALSE: a user's view, or a lock, keeps some. */
BOOLEAN MmPurgeSegment(PMM_SEGMENT Segment, ULONG64 Offset, ULONG64 Length);
/* Pages that have to be written, views' changes included; the first of them from Offset on in *Next, or MAXULONG64. */
ULONG64 MmQuerySegmentDirty(PMM_SEGMENT Segment, ULONG64 Offset, PULONG64 Next);
/* Pages of all files that are known to be dirty. */
ULONG64 MmQueryDirtyPages(VOID);
/* Called when a file gets somebody who may write it by a view. */
VOID MmSetWriterRoutine(VOID (*Routine)(VOID));
/* How many pages all files have in memory, and how many they should have at most. */
ULONG64 MmQueryFilePages(PULONG64 Limit);
/* Writes what views of files that nobody caches have changed; FALSE: there was none.  PASSIVE_LEVEL. */
BOOLEAN MmWriteMappedFiles(VOID);

/*
 * KeMmGrowStack's routine: the guard page of a user stack has been touched.  The next one becomes the guard;
 * STATUS_STACK_OVERFLOW: there is none left above Lowest.
 */
NTSTATUS MmGrowStack(ULONG64 Address, ULONG64 Lowest);

/* ---- pages.  IRQL: <= DISPATCH_LEVEL ---- */
SIZE_T MmAvailablePages(VOID);
/* Gives a physical range that boot kept (the initrd) to the allocator; page-aligned inwards. */
VOID MmReleaseBootMemory(ULONG64 Physical, ULONG64 Size);

/* ---- images (ldr).  IRQL: PASSIVE_LEVEL ---- */
#define MM_IMAGE_READ     0x0
#define MM_IMAGE_WRITE    0x1
#define MM_IMAGE_EXECUTE  0x2
#define MM_IMAGE_PAGEABLE 0x4
#define MM_IMAGE_NOACCESS 0x8       /* discarded: faults, though MmReadMemory still reads it */
PVOID MmAllocateImage(SIZE_T Size); /* zeroed, writable, not executable */
VOID MmProtectImage(PVOID Address, SIZE_T Size, ULONG Protection);
VOID MmFreeImage(PVOID Base, SIZE_T Size);

/* ---- drivers, as owners of pool (ldr) ---- */
#define MM_OWNER_KERNEL   0
#define MM_MAXIMUM_OWNERS 64
/*
 * A driver's image; its index in *Owner.  FALSE when the table is full.  Name is kept by reference.  Tested: it did not
 * come with the machine.
 */
BOOLEAN MmRegisterDriver(PVOID Base, SIZE_T Size, PUNICODE_STRING Name, BOOLEAN Tested, PULONG Owner);
VOID MmUnregisterDriver(ULONG Owner);

typedef struct _MM_POOL_COUNTERS {
    ULONG64 Allocations[2], Frees[2], Bytes[2]; /* nonpaged, paged; Bytes: in use */
    ULONG64 Failures, PeakBytes;                /* of drivers only */
} MM_POOL_COUNTERS, *PMM_POOL_COUNTERS;

/* For the scenario client: one entry a tag and kind of pool; and bytes in all, in use, nonpaged, paged. */
struct fltvm_pool_use;
ULONG MmQueryPoolUse(struct fltvm_pool_use *List, ULONG Capacity);
VOID MmQueryMemory(ULONG64 Values[4]);

/* An allocation that is not freed. */
typedef struct _MM_POOL_ALLOCATION {
    PVOID Address;
    SIZE_T Size;
    ULONG Tag;
    BOOLEAN Paged;
    BOOLEAN Special;
    ULONG Owner;
    ULONG Frames;
    PVOID Stack[12]; /* of the allocating call */
} MM_POOL_ALLOCATION, *PMM_POOL_ALLOCATION;

/* Calls Routine for each allocation of a driver (MAXULONG: of everybody); FALSE from it ends.  IRQL: <= DISPATCH_LEVEL. */
typedef BOOLEAN (*PMM_POOL_ROUTINE)(PMM_POOL_ALLOCATION Allocation, PVOID Context);
VOID MmEnumeratePool(ULONG Owner, PMM_POOL_ROUTINE Routine, PVOID Context);

/* What is known of an address in pool, live or freed, as "name=value\n" lines for FvReport; 0 if nothing.  IRQL: any. */
ULONG MmDescribePoolAddress(PVOID Address, PCHAR Buffer, ULONG Size);

/* ---- failing allocations on purpose ---- */
typedef struct _MM_POOL_FAULT {
    ULONG Owner;  /* MAXULONG: every driver, never the kernel itself */
    ULONG Tag;    /* 0: any */
    ULONG64 Skip; /* let so many matching allocations pass first */
    ULONG64 Fail; /* then fail so many; 0: none, MAXULONG64: all */
} MM_POOL_FAULT, *PMM_POOL_FAULT;
/* Replaces the rule; NULL removes it.  Matched and Failed count since it was set.  IRQL: <= DISPATCH_LEVEL. */
VOID MmSetPoolFault(PMM_POOL_FAULT Fault);

/*
 * Of the allocations with a driver under test among their callers, whoever owns them, the one with this number, counted
 * from 1 from now on, fails and is told; 0: none.  IRQL: <= DISPATCH_LEVEL.
 */
VOID MmFailAllocation(ULONG64 Number);

/* ---- pool for the kernel's own use on behalf of a driver: IoAllocateWorkItem and the like name their caller ---- */
PVOID MmAllocatePoolForCaller(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller);

/* Nonpaged pool of the kernel's that drivers are shown; with the verifier on their use of it after its end is found. */
PVOID MmAllocateGuarded(SIZE_T Size, ULONG Tag);

#endif
