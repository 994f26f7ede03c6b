// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Views of 256 KiB of a file's segment in system space.
 *
 * A view that nobody uses stays for the next, a few for each file, as long as there is room; what is mapped or pinned over more than one
 * gets a view of its own.
 */
#include "ccp.h"

static volatile LONG CcpViewCount;

static PCCP_VIEW CcpMakeView(PCCP_MAP Map, ULONG64 Offset, ULONG64 Size)
{
    MM_VIEW_REQUEST Request = {.Segment = Map->Segment,
                               .SectionProtect = PAGE_READWRITE,
                               .Protect = PAGE_READWRITE,
                               .Offset = Offset,
                               .Size = Size,
                               .Cache = TRUE};
    PCCP_VIEW View = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*View), CCP_TAG);

    if (View == NULL)
        return NULL;
    if (!NT_SUCCESS(MmMapSystemView(&Request))) {
        ExFreePoolWithTag(View, CCP_TAG);
        return NULL;
    }
    InterlockedIncrement(&CcpViewCount);
    InitializeListHead(&View->Link);
    View->Offset = Offset;
    View->Size = Size;
    View->Base = (PUCHAR)Request.Base;
    View->Users = 1;
    return View;
}

static VOID CcpDeleteView(PCCP_VIEW View)
{
    MmUnmapSystemView((ULONG64)View->Base);
    InterlockedDecrement(&CcpViewCount);
    ExFreePoolWithTag(View, CCP_TAG);
}

static PLIST_ENTRY CcpBucket(PCCP_MAP Map, ULONG64 Offset)
{
    return &Map->Views[(Offset / CCP_VIEW_SIZE) % CCP_BUCKETS];
}

/* The map's lock is held. */
static PCCP_VIEW CcpFindViewLocked(PCCP_MAP Map, ULONG64 Offset)
{
    PLIST_ENTRY Head = CcpBucket(Map, Offset);

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PCCP_VIEW View = CONTAINING_RECORD(Entry, CCP_VIEW, Link);

        if (View->Offset != Offset)
            continue;
        if (View->Users++ == 0) {
            RemoveEntryList(&View->IdleLink);
            Map->IdleCount--;
        }
        return View;
    }
    return NULL;
}

PCCP_VIEW CcpGetView(PCCP_MAP Map, ULONG64 Offset, ULONG Length)
{
    ULONG64 Start = Offset & ~(CCP_VIEW_SIZE - 1);
    PCCP_VIEW View, New;

    if (Offset - Start + Length > CCP_VIEW_SIZE) {
        Start = Offset & ~(ULONG64)(MM_ALLOCATION_GRANULARITY - 1);
        return CcpMakeView(Map, Start, ROUND_TO_PAGES(Offset + Length - Start));
    }
    KeAcquireGuardedMutex(&Map->Lock);
    View = CcpFindViewLocked(Map, Start);
    KeReleaseGuardedMutex(&Map->Lock);
    if (View != NULL)
        return View;
    New = CcpMakeView(Map, Start, CCP_VIEW_SIZE);
    if (New == NULL)
        return NULL;
    KeAcquireGuardedMutex(&Map->Lock);
    View = CcpFindViewLocked(Map, Start);
    if (View == NULL)
        InsertHeadList(CcpBucket(Map, Start), &New->Link);
    KeReleaseGuardedMutex(&Map->Lock);
    if (View == NULL)
        return New;
    CcpDeleteView(New);
    return View;
}

VOID CcpReleaseView(PCCP_MAP Map, PCCP_VIEW View)
{
    PCCP_VIEW Old = NULL;

    if (IsListEmpty(&View->Link)) {
        CcpDeleteView(View);
        return;
    }
    KeAcquireGuardedMutex(&Map->Lock);
    if (--View->Users == 0) {
        InsertTailList(&Map->Idle, &View->IdleLink);
        if (++Map->IdleCount > CCP_VIEWS_A_FILE || CcpViewCount > CCP_VIEWS) {
            Old = CONTAINING_RECORD(RemoveHeadList(&Map->Idle), CCP_VIEW, IdleLink);
            RemoveEntryList(&Old->Link);
            Map->IdleCount--;
        }
    }
    KeReleaseGuardedMutex(&Map->Lock);
    if (Old != NULL)
        CcpDeleteView(Old);
}

/* Nobody uses the map any more. */
VOID CcpDeleteViews(PCCP_MAP Map)
{
    while (!IsListEmpty(&Map->Idle))
        CcpDeleteView(CONTAINING_RECORD(RemoveHeadList(&Map->Idle), CCP_VIEW, IdleLink));
}
