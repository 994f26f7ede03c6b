/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracked: objects whose memory must not go yet, with the verifier on: resources and lookaside lists until they are
 * deleted, timers while set and their DPCs, and DPCs' routines that lie in pool.
 *
 * Their addresses stand in one hash table, by blocks of 256 bytes, with what they are in the low bits.  So memory that is
 * freed costs a look at the places of its own blocks, whatever else is tracked.  Collisions go to the next places; what is
 * taken out is closed up, and the place where an address belongs is never empty while it is in the table: an empty
 * one can be believed without the lock.  An address may stand there more than once: several timers have one DPC.
 */
#include "kep.h"

#define KI_TRACKED_PLACES (1u << KI_TRACKED_BITS)
#define KI_TRACKED_LIMIT  (KI_TRACKED_PLACES / 8 * 7)
#define KI_KIND_MASK      7
C_ASSERT(KiTrackedKinds <= KI_KIND_MASK + 1);

/* KiTrackedLock, taken with interrupts off; the innermost lock. */
static KSPIN_LOCK KiTrackedLock;
volatile ULONG_PTR KiTracked[KI_TRACKED_PLACES]; /* address and kind; 0: empty */
ULONG KiTrackedCount;
static ULONG KiTrackedLost; /* what found no place: not looked after */

/* Driver Verifier's codes: initialized again, memory goes. */
static const struct {
    ULONG Again, Freed;
    PCSTR Rule;
} KiTrackedRule[KeTrackedKinds] = {
    [KeTrackedResource] = {0xD0, 0xD2, "rule=freed-with-resource\n"},
    [KeTrackedLookaside] = {0xCA, 0xCC, "rule=freed-with-lookaside-list\n"},
};

static ULONG KiNextPlace(ULONG Place)
{
    return (Place + 1) & (KI_TRACKED_PLACES - 1);
}

static BOOLEAN KiLockTracked(VOID)
{
    BOOLEAN Enabled = KiDisableInterrupts();

    KiAcquireSpinLock(&KiTrackedLock);
    return Enabled;
}

static VOID KiUnlockTracked(BOOLEAN Enabled)
{
    KiReleaseSpinLock(&KiTrackedLock);
    KiRestoreInterrupts(Enabled);
}

/* The place of an entry; KI_TRACKED_PLACES: none. */
static ULONG KiFindTracked(ULONG_PTR Entry)
{
    ULONG Place = KiTrackedHome(Entry >> KI_TRACKED_BLOCK);

    while (KiTracked[Place] != Entry) {
        if (KiTracked[Place] == 0) {
            return KI_TRACKED_PLACES;
        }
        Place = KiNextPlace(Place);
    }
    return Place;
}

VOID KiTrack(ULONG Kind, const VOID *Object)
{
    ULONG_PTR Entry = ((ULONG_PTR)Object & ~(ULONG_PTR)KI_KIND_MASK) | Kind;
    BOOLEAN Enabled = KiLockTracked();

    if (KiTrackedCount < KI_TRACKED_LIMIT) {
        ULONG Place = KiTrackedHome(Entry >> KI_TRACKED_BLOCK);

        while (KiTracked[Place] != 0) {
            Place = KiNextPlace(Place);
        }
        KiTracked[Place] = Entry;
        KiTrackedCount++;
    } else {
        KiTrackedLost++;
    }
    KiUnlockTracked(Enabled);
}

/* Empties a place: what belongs in front of a later one moves up. */
static VOID KiClosePlace(ULONG Hole)
{
    for (ULONG Place = KiNextPlace(Hole); KiTracked[Place] != 0; Place = KiNextPlace(Place)) {
        ULONG Home = KiTrackedHome(KiTracked[Place] >> KI_TRACKED_BLOCK);

        if (((Place - Home) & (KI_TRACKED_PLACES - 1)) >= ((Place - Hole) & (KI_TRACKED_PLACES - 1))) {
            KiTracked[Hole] = KiTracked[Place];
            Hole = Place;
        }
    }
    KiTracked[Hole] = 0;
}

BOOLEAN KiUntrack(ULONG Kind, const VOID *Object)
{
    ULONG_PTR Entry = ((ULONG_PTR)Object & ~(ULONG_PTR)KI_KIND_MASK) | Kind;
    BOOLEAN Enabled = KiLockTracked(), Found;
    ULONG Place = KiFindTracked(Entry);

    Found = Place != KI_TRACKED_PLACES;
    if (Found) {
        KiClosePlace(Place);
        KiTrackedCount--;
    } else if (KiTrackedLost != 0) {
        KiTrackedLost--;
        Found = TRUE;
    }
    KiUnlockTracked(Enabled);
    return Found;
}

BOOLEAN KiIsTracked(ULONG Kind, const VOID *Object)
{
    ULONG_PTR Entry = ((ULONG_PTR)Object & ~(ULONG_PTR)KI_KIND_MASK) | Kind;
    BOOLEAN Enabled, Found;

    if (KiTracked[KiTrackedHome(Entry >> KI_TRACKED_BLOCK)] == 0) {
        return FALSE;
    }
    Enabled = KiLockTracked();
    Found = KiFindTracked(Entry) != KI_TRACKED_PLACES;
    KiUnlockTracked(Enabled);
    return Found;
}

/* Of the entries from Place to the next empty one: the one in the range whose kind comes first, or Best. */
static ULONG_PTR KiBetterTracked(ULONG Place, ULONG_PTR Base, SIZE_T Size, ULONG_PTR Best)
{
    for (; KiTracked[Place] != 0; Place = KiNextPlace(Place)) {
        ULONG_PTR Entry = KiTracked[Place];

        if ((Entry & ~(ULONG_PTR)KI_KIND_MASK) - Base < Size &&
            (Best == 0 || (Entry & KI_KIND_MASK) < (Best & KI_KIND_MASK))) {
            Best = Entry;
        }
    }
    return Best;
}

/* Something may be there: looks again with the lock. */
static DECLSPEC_NOINLINE ULONG_PTR KiFindInRange(ULONG_PTR Base, SIZE_T Size)
{
    ULONG_PTR First = Base >> KI_TRACKED_BLOCK, Last = (Base + Size - 1) >> KI_TRACKED_BLOCK, Best = 0;
    BOOLEAN Enabled = KiLockTracked();

    if (Last - First < KI_TRACKED_PLACES) {
        for (ULONG_PTR Block = First; Block <= Last; Block++) {
            Best = KiBetterTracked(KiTrackedHome(Block), Base, Size, Best);
        }
    } else {
        for (ULONG Place = 0; Place < KI_TRACKED_PLACES; Place++) {
            Best = KiTracked[Place] != 0 ? KiBetterTracked(Place, Base, Size, Best) : Best;
        }
    }
    KiUnlockTracked(Enabled);
    return Best;
}

const VOID *KiFindTrackedIn(PVOID Base, SIZE_T Size, PULONG Kind)
{
    ULONG_PTR Entry = KiMayBeTracked(Base, Size) ? KiFindInRange((ULONG_PTR)Base, Size) : 0;

    *Kind = (ULONG)(Entry & KI_KIND_MASK);
    return (PVOID)(Entry & ~(ULONG_PTR)KI_KIND_MASK);
}

DECLSPEC_NORETURN VOID KiReportTracked(PVOID Base, SIZE_T Size, ULONG Kind, const VOID *Entry)
{
    PVOID Caller = ((const LIST_ENTRY *)Entry)->Blink;
    CHAR Text[64];

    FvReport(KiTrackedRule[Kind].Rule);
    _snprintf(Text, sizeof(Text), "initialized=0x%I64x\n", (ULONG64)Caller);
    FvReport(Text);
    if (KiClassifyCode != NULL && KiClassifyCode((ULONG64)Base) == KiDriverCode) {
        FvBlame(KiClassifyCode((ULONG64)Caller) == KiDriverCode
                    ? Caller
                    : Entry); /* an image goes: nobody of it is on the stack */
    }
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, KiTrackedRule[Kind].Freed,
                 Kind == KeTrackedResource ? (ULONG_PTR)CONTAINING_RECORD(Entry, ERESOURCE, SystemResourcesList)
                                           : (ULONG_PTR)CONTAINING_RECORD(Entry, GENERAL_LOOKASIDE, ListEntry),
                 (ULONG_PTR)Base, Size);
}

/* Nobody walks the list: the entry keeps who initialized the object. */
VOID KeTrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry, const VOID *Object, PVOID Caller)
{
    InitializeListHead(Entry);
    if (!KiDriverVerifierOn) {
        return;
    }
    Entry->Blink = Caller;
    if (KiIsTracked(Kind, Entry)) {
        FvReport("rule=initialized-again\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, KiTrackedRule[Kind].Again, (ULONG_PTR)Object, 0, 0);
    }
    KiTrack(Kind, Entry);
}

BOOLEAN KeUntrackMemory(KE_TRACKED Kind, PLIST_ENTRY Entry)
{
    return !KiDriverVerifierOn || KiUntrack(Kind, Entry);
}
