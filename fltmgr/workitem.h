/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work items of minifilters, generic and deferred: what the rest of the filter manager asks of them.
 *
 * Rules for both: an item belongs to its allocator until it is freed; queued, it belongs to the queue until its routine
 * is entered, and holds the object it was queued with until its routine has returned.
 */
#ifndef FLTMGR_WORKITEM_H
#define FLTMGR_WORKITEM_H

typedef struct _FLTP_WORKITEM_COUNTERS {
    ULONG64 GenericAllocated;
    ULONG64 DeferredAllocated;
    ULONG64 Queued;
    ULONG64 Running;
    ULONG64 Total;
    ULONG64 Run;
} FLTP_WORKITEM_COUNTERS, *PFLTP_WORKITEM_COUNTERS;

/* IRQL: PASSIVE_LEVEL, once, before the first filter registers. */
VOID FltpInitializeWorkItems(VOID);

/* IRQL <= DISPATCH_LEVEL. */
VOID FltpQueryWorkItems(_Out_ PFLTP_WORKITEM_COUNTERS Counters);

/*
 * A driver is about to leave memory, its queued items have all run: bugchecks, after a report that names the allocator, when
 * an item is left that code of [Start, Start + Size) allocated.  IRQL: PASSIVE_LEVEL.
 */
VOID FltpCheckWorkItemsFreed(_In_ PUNICODE_STRING DriverName, _In_ PVOID Start, _In_ SIZE_T Size);

#endif
