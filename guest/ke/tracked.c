/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracked: objects that must be deleted before their memory goes, with the verifier on: resources and lookaside lists.
 *
 * Each is linked by an entry of its own into one of a few lists, chosen by the entry's page.  A mask says which of them
 * may hold something, so that pool that is freed costs a look at one bit.
 */
#include "kep.h"

#define KI_TRACKED_LISTS 64

static KSPIN_LOCK KiTrackedLock;
static LIST_ENTRY KiTracked[KeTrackedKinds][KI_TRACKED_LISTS]; /* KiTrackedLock; zero until first used */
ULONG64 volatile KiTrackedPages;                               /* a bit for each list that is not empty */

/* Driver Verifier's codes: initialized again, memory goes. */
static const struct {
    ULONG Again, Freed;
    PCSTR Rule;
} KiTrackedKind[KeTrackedKinds] = {
    [KeTrackedResource] = {0xD0, 0xD2, "rule=freed-with-resource\n"},
    [KeTrackedLookaside] = {0xCA, 0xCC, "rule=freed-with-lookaside-list\n"},
};

static ULONG KiTrackedIndex(const VOID *Address)
{
    return (ULONG_PTR)Address >> PAGE_SHIFT & (KI_TRACKED_LISTS - 1);
}

/* The entry of that kind in [Start, Start + Size) among those of one list. */
static PLIST_ENTRY KiFindTracked(KE_TRACKED Kind, ULONG Index, ULONG_PTR Start, SIZE_T Size)
{
    PLIST_ENTRY Head = &KiTracked[Kind][Index];

    for (PLIST_ENTRY Entry = Head->Flink; Entry != NULL && Entry != Head; Entry = Entry->Flink) {
        if ((ULONG_PTR)Entry - Start < Size) {
            return Entry;
        }
    }
    return NULL;
}

VOID KeTrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry, const VOID *Object)
{
    ULONG Index = KiTrackedIndex(Entry);
    PLIST_ENTRY Head = &KiTracked[Kind][Index];
    KIRQL OldIrql;

    if (!KiDriverVerifierOn) {
        InitializeListHead(Entry);
        return;
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiTrackedLock);
    if (Head->Flink == NULL) {
        InitializeListHead(Head);
    }
    if (KiFindTracked(Kind, Index, (ULONG_PTR)Entry, 1) != NULL) {
        KeReleaseSpinLock(&KiTrackedLock, OldIrql);
        FvReport("rule=initialized-again\n");
        KeBugCheckEx(0xC4, KiTrackedKind[Kind].Again, (ULONG_PTR)Object, 0, 0);
    }
    InsertTailList(Head, Entry);
    KiTrackedPages |= 1ULL << Index;
    KeReleaseSpinLock(&KiTrackedLock, OldIrql);
}

BOOLEAN KeUntrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry)
{
    ULONG Index = KiTrackedIndex(Entry);
    BOOLEAN Empty = TRUE, Found;
    KIRQL OldIrql;

    if (!KiDriverVerifierOn) {
        return TRUE;
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiTrackedLock);
    Found = KiFindTracked(Kind, Index, (ULONG_PTR)Entry, 1) != NULL;
    if (Found) {
        RemoveEntryList(Entry);
    }
    for (ULONG Other = 0; Other < KeTrackedKinds; Other++) {
        Empty = Empty && (KiTracked[Other][Index].Flink == NULL || IsListEmpty(&KiTracked[Other][Index]));
    }
    if (Empty) {
        KiTrackedPages &= ~(1ULL << Index);
    }
    KeReleaseSpinLock(&KiTrackedLock, OldIrql);
    return Found;
}

static VOID KiCheckTrackedList(ULONG Index, PVOID Base, SIZE_T Size)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&KiTrackedLock);

    for (ULONG Kind = 0; Kind < KeTrackedKinds; Kind++) {
        PLIST_ENTRY Entry = KiFindTracked(Kind, Index, (ULONG_PTR)Base, Size);

        if (Entry != NULL) {
            KeReleaseSpinLock(&KiTrackedLock, OldIrql);
            FvReport(KiTrackedKind[Kind].Rule);
            if (KiClassifyCode != NULL && KiClassifyCode((ULONG64)Base) == KiDriverCode) {
                FvBlame(Entry); /* an image goes: nobody of it is on the stack */
            }
            KeBugCheckEx(0xC4, KiTrackedKind[Kind].Freed,
                         Kind == KeTrackedResource ? (ULONG_PTR)CONTAINING_RECORD(Entry, ERESOURCE, SystemResourcesList)
                                                   : (ULONG_PTR)CONTAINING_RECORD(Entry, GENERAL_LOOKASIDE, ListEntry),
                         (ULONG_PTR)Base, Size);
        }
    }
    KeReleaseSpinLock(&KiTrackedLock, OldIrql);
}

VOID KiCheckTracked(PVOID Base, SIZE_T Size)
{
    SIZE_T Pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Size);

    for (SIZE_T Page = 0; Page < Pages && Page < KI_TRACKED_LISTS; Page++) {
        ULONG Index = KiTrackedIndex((PUCHAR)Base + Page * PAGE_SIZE);

        if (KiTrackedPages >> Index & 1) {
            KiCheckTrackedList(Index, Base, Size);
        }
    }
}
