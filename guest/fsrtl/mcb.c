/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large MCBs: which blocks of a volume (LBNs) the blocks of a file (VBNs) are.
 *
 * Runs in the order of their VBNs, without a gap, in an array that is searched by halves; a run ends where
 * the next begins, and one that maps nowhere (a hole) has the LBN -1.  Neighbours that go on from each other
 * are one run, and a hole is never the last.  The array is of the caller's pool; the mutex, which raises to
 * APC_LEVEL, is nonpaged.
 *
 * IRQL: <= APC_LEVEL.  What needs memory that is not there raises STATUS_INSUFFICIENT_RESOURCES and changes
 * nothing.
 */
#include <ntifs.h>

#define FSRTLP_MCB_TAG   'MrsF'
#define FSRTLP_MCB_PAIRS 16 /* to begin with */
#define FSRTLP_HOLE      (-1LL)

typedef struct _FSRTLP_RUN {
    LONGLONG Next; /* the first VBN behind it */
    LONGLONG Lbn;
} FSRTLP_RUN, *PFSRTLP_RUN;

static PFSRTLP_RUN FsRtlpRuns(PLARGE_MCB Mcb)
{
    return Mcb->BaseMcb.Mapping;
}

static LONGLONG FsRtlpStart(PLARGE_MCB Mcb, ULONG Index)
{
    return Index == 0 ? 0 : FsRtlpRuns(Mcb)[Index - 1].Next;
}

/* The run that Vbn is in; PairCount behind the last. */
static ULONG FsRtlpFind(PLARGE_MCB Mcb, LONGLONG Vbn)
{
    ULONG Low = 0, High = Mcb->BaseMcb.PairCount;

    while (Low < High) {
        ULONG Middle = (Low + High) / 2;

        if (FsRtlpRuns(Mcb)[Middle].Next <= Vbn) {
            Low = Middle + 1;
        } else {
            High = Middle;
        }
    }
    return Low;
}

/* Room for so many more runs: asked for before anything is changed. */
static BOOLEAN FsRtlpReserve(PLARGE_MCB Mcb, ULONG More)
{
    ULONG Count = Mcb->BaseMcb.PairCount + More, Capacity = max(Mcb->BaseMcb.MaximumPairCount, FSRTLP_MCB_PAIRS);
    PFSRTLP_RUN Runs;

    if (Count <= Mcb->BaseMcb.MaximumPairCount) {
        return TRUE;
    }
    while (Capacity < Count) {
        Capacity *= 2;
    }
    Runs = ExAllocatePoolWithTag((POOL_TYPE)Mcb->BaseMcb.PoolType, Capacity * sizeof(*Runs), FSRTLP_MCB_TAG);
    if (Runs == NULL) {
        return FALSE;
    }
    if (Mcb->BaseMcb.Mapping != NULL) {
        RtlCopyMemory(Runs, Mcb->BaseMcb.Mapping, Mcb->BaseMcb.PairCount * sizeof(*Runs));
        ExFreePoolWithTag(Mcb->BaseMcb.Mapping, FSRTLP_MCB_TAG);
    }
    Mcb->BaseMcb.Mapping = Runs;
    Mcb->BaseMcb.MaximumPairCount = Capacity;
    return TRUE;
}

static VOID FsRtlpInsert(PLARGE_MCB Mcb, ULONG Index, LONGLONG Next, LONGLONG Lbn)
{
    PFSRTLP_RUN Runs = FsRtlpRuns(Mcb);

    RtlMoveMemory(Runs + Index + 1, Runs + Index, (Mcb->BaseMcb.PairCount - Index) * sizeof(*Runs));
    Runs[Index] = (FSRTLP_RUN){Next, Lbn};
    Mcb->BaseMcb.PairCount++;
}

static VOID FsRtlpDelete(PLARGE_MCB Mcb, ULONG Index, ULONG Count)
{
    PFSRTLP_RUN Runs = FsRtlpRuns(Mcb);

    Mcb->BaseMcb.PairCount -= Count;
    RtlMoveMemory(Runs + Index, Runs + Index + Count, (Mcb->BaseMcb.PairCount - Index) * sizeof(*Runs));
}

/* A run begins at Vbn from now on: its index.  Behind the last a hole reaches up to it. */
static ULONG FsRtlpCut(PLARGE_MCB Mcb, LONGLONG Vbn)
{
    ULONG Index = FsRtlpFind(Mcb, Vbn);
    LONGLONG Start = FsRtlpStart(Mcb, Index);

    if (Start == Vbn) {
        return Index;
    }
    if (Index == Mcb->BaseMcb.PairCount) {
        FsRtlpInsert(Mcb, Index, Vbn, FSRTLP_HOLE);
        return Index + 1;
    }
    FsRtlpInsert(Mcb, Index, Vbn, FsRtlpRuns(Mcb)[Index].Lbn);
    if (FsRtlpRuns(Mcb)[Index + 1].Lbn != FSRTLP_HOLE) {
        FsRtlpRuns(Mcb)[Index + 1].Lbn += Vbn - Start;
    }
    return Index + 1;
}

/* Makes one of the run and the one before it, if they are. */
static VOID FsRtlpJoin(PLARGE_MCB Mcb, ULONG Index)
{
    PFSRTLP_RUN Runs = FsRtlpRuns(Mcb);

    if (Index == 0 || Index >= Mcb->BaseMcb.PairCount) {
        return;
    }
    if (Runs[Index].Lbn == FSRTLP_HOLE
            ? Runs[Index - 1].Lbn == FSRTLP_HOLE
            : Runs[Index - 1].Lbn != FSRTLP_HOLE &&
                  Runs[Index - 1].Lbn + (Runs[Index - 1].Next - FsRtlpStart(Mcb, Index - 1)) == Runs[Index].Lbn) {
        Runs[Index - 1].Next = Runs[Index].Next;
        FsRtlpDelete(Mcb, Index, 1);
    }
}

static VOID FsRtlpTrim(PLARGE_MCB Mcb)
{
    while (Mcb->BaseMcb.PairCount != 0 && FsRtlpRuns(Mcb)[Mcb->BaseMcb.PairCount - 1].Lbn == FSRTLP_HOLE) {
        Mcb->BaseMcb.PairCount--;
    }
}

/* Whatever [Vbn, Vbn + Count) was before, it is this now. */
static VOID FsRtlpReplace(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG Count, LONGLONG Lbn)
{
    ULONG First = FsRtlpCut(Mcb, Vbn), Last;

    Last =
        FsRtlpStart(Mcb, Mcb->BaseMcb.PairCount) <= Vbn + Count ? Mcb->BaseMcb.PairCount : FsRtlpCut(Mcb, Vbn + Count);
    FsRtlpDelete(Mcb, First, Last - First);
    FsRtlpInsert(Mcb, First, Vbn + Count, Lbn);
    FsRtlpJoin(Mcb, First + 1);
    FsRtlpJoin(Mcb, First);
    FsRtlpTrim(Mcb);
}

/* Whether every VBN of the range is a hole, or what it is to become. */
static BOOLEAN FsRtlpAgrees(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG Count, LONGLONG Lbn)
{
    for (ULONG Index = FsRtlpFind(Mcb, Vbn); Index < Mcb->BaseMcb.PairCount; Index++) {
        LONGLONG Start = FsRtlpStart(Mcb, Index), Is = FsRtlpRuns(Mcb)[Index].Lbn;

        if (Start >= Vbn + Count) {
            break;
        }
        if (Is != FSRTLP_HOLE && Is - Start != Lbn - Vbn) {
            return FALSE;
        }
    }
    return TRUE;
}

static VOID FsRtlpLock(PLARGE_MCB Mcb)
{
    KeAcquireGuardedMutex(Mcb->GuardedMutex);
}

static VOID FsRtlpUnlock(PLARGE_MCB Mcb)
{
    KeReleaseGuardedMutex(Mcb->GuardedMutex);
}

/* PoolType is where the runs are. */
VOID NTAPI FsRtlInitializeLargeMcb(PLARGE_MCB Mcb, POOL_TYPE PoolType)
{
    RtlZeroMemory(Mcb, sizeof(*Mcb));
    Mcb->BaseMcb.PoolType = (USHORT)PoolType;
    Mcb->GuardedMutex = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Mcb->GuardedMutex), FSRTLP_MCB_TAG);
    if (Mcb->GuardedMutex == NULL) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    KeInitializeGuardedMutex(Mcb->GuardedMutex);
}

VOID NTAPI FsRtlUninitializeLargeMcb(PLARGE_MCB Mcb)
{
    if (Mcb->GuardedMutex != NULL) {
        ExFreePoolWithTag(Mcb->GuardedMutex, FSRTLP_MCB_TAG);
        Mcb->GuardedMutex = NULL;
    }
    if (Mcb->BaseMcb.Mapping != NULL) {
        ExFreePoolWithTag(Mcb->BaseMcb.Mapping, FSRTLP_MCB_TAG);
        Mcb->BaseMcb.Mapping = NULL;
    }
}

/* FALSE: part of the range is mapped to something else. */
BOOLEAN NTAPI FsRtlAddLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG Lbn, LONGLONG SectorCount)
{
    BOOLEAN Agrees, Room;

    FsRtlpLock(Mcb);
    Agrees = Vbn >= 0 && SectorCount >= 0 && Lbn >= 0 && Vbn <= MAXLONGLONG - SectorCount &&
             FsRtlpAgrees(Mcb, Vbn, SectorCount, Lbn);
    Room = !Agrees || FsRtlpReserve(Mcb, 4);
    if (Agrees && Room && SectorCount != 0) {
        FsRtlpReplace(Mcb, Vbn, SectorCount, Lbn);
    }
    FsRtlpUnlock(Mcb);
    if (!Room) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return Agrees;
}

/* What was mapped becomes a hole. */
VOID NTAPI FsRtlRemoveLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, LONGLONG SectorCount)
{
    BOOLEAN Room = TRUE;

    FsRtlpLock(Mcb);
    if (SectorCount > 0 && FsRtlpFind(Mcb, Vbn) < Mcb->BaseMcb.PairCount) {
        Room = FsRtlpReserve(Mcb, 4);
        if (Room) {
            FsRtlpReplace(Mcb, Vbn, min(SectorCount, MAXLONGLONG - Vbn), FSRTLP_HOLE);
        }
    }
    FsRtlpUnlock(Mcb);
    if (!Room) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
}

/* No VBN from Vbn on is left. */
VOID NTAPI FsRtlTruncateLargeMcb(PLARGE_MCB Mcb, LONGLONG Vbn)
{
    ULONG Index;

    FsRtlpLock(Mcb);
    Index = FsRtlpFind(Mcb, Vbn);
    if (Index < Mcb->BaseMcb.PairCount) {
        BOOLEAN Part = FsRtlpStart(Mcb, Index) < Vbn;

        if (Part) {
            FsRtlpRuns(Mcb)[Index].Next = Vbn;
        }
        Mcb->BaseMcb.PairCount = Index + Part;
        FsRtlpTrim(Mcb);
    }
    FsRtlpUnlock(Mcb);
}

/* TRUE also for a hole, whose LBN is -1; FALSE behind the last run.  Each result may be left out. */
BOOLEAN NTAPI FsRtlLookupLargeMcbEntry(PLARGE_MCB Mcb, LONGLONG Vbn, PLONGLONG Lbn, PLONGLONG SectorCountFromLbn,
                                       PLONGLONG StartingLbn, PLONGLONG SectorCountFromStartingLbn, PULONG Index)
{
    LONGLONG Start = 0, Next = 0, At = FSRTLP_HOLE;
    BOOLEAN Found;
    ULONG Run;

    FsRtlpLock(Mcb);
    Run = FsRtlpFind(Mcb, Vbn);
    Found = Run < Mcb->BaseMcb.PairCount;
    if (Found) {
        Start = FsRtlpStart(Mcb, Run);
        Next = FsRtlpRuns(Mcb)[Run].Next;
        At = FsRtlpRuns(Mcb)[Run].Lbn;
    }
    FsRtlpUnlock(Mcb);
    if (!Found) {
        if (Lbn != NULL) {
            *Lbn = FSRTLP_HOLE;
        }
        return FALSE;
    }
    if (Lbn != NULL) {
        *Lbn = At == FSRTLP_HOLE ? At : At + (Vbn - Start);
    }
    if (SectorCountFromLbn != NULL) {
        *SectorCountFromLbn = Next - Vbn;
    }
    if (StartingLbn != NULL) {
        *StartingLbn = At;
    }
    if (SectorCountFromStartingLbn != NULL) {
        *SectorCountFromStartingLbn = Next - Start;
    }
    if (Index != NULL) {
        *Index = Run;
    }
    return TRUE;
}

/* The last VBN that is mapped, its LBN and its run; FALSE when there is none. */
BOOLEAN NTAPI FsRtlLookupLastLargeMcbEntryAndIndex(PLARGE_MCB Mcb, PLONGLONG LargeVbn, PLONGLONG LargeLbn, PULONG Index)
{
    ULONG Count;

    FsRtlpLock(Mcb);
    Count = Mcb->BaseMcb.PairCount;
    if (Count != 0) {
        FSRTLP_RUN Last = FsRtlpRuns(Mcb)[Count - 1];

        *LargeVbn = Last.Next - 1;
        *LargeLbn = Last.Lbn + (Last.Next - 1 - FsRtlpStart(Mcb, Count - 1));
        *Index = Count - 1;
    }
    FsRtlpUnlock(Mcb);
    return Count != 0;
}

BOOLEAN NTAPI FsRtlLookupLastLargeMcbEntry(PLARGE_MCB Mcb, PLONGLONG Vbn, PLONGLONG Lbn)
{
    ULONG Index;

    return FsRtlLookupLastLargeMcbEntryAndIndex(Mcb, Vbn, Lbn, &Index);
}

/* Holes count. */
ULONG NTAPI FsRtlNumberOfRunsInLargeMcb(PLARGE_MCB Mcb)
{
    ULONG Count;

    FsRtlpLock(Mcb);
    Count = Mcb->BaseMcb.PairCount;
    FsRtlpUnlock(Mcb);
    return Count;
}

/* The run of that number; FALSE: there are not so many. */
BOOLEAN NTAPI FsRtlGetNextLargeMcbEntry(PLARGE_MCB Mcb, ULONG RunIndex, PLONGLONG Vbn, PLONGLONG Lbn,
                                        PLONGLONG SectorCount)
{
    BOOLEAN Found;

    FsRtlpLock(Mcb);
    Found = RunIndex < Mcb->BaseMcb.PairCount;
    if (Found) {
        *Vbn = FsRtlpStart(Mcb, RunIndex);
        *Lbn = FsRtlpRuns(Mcb)[RunIndex].Lbn;
        *SectorCount = FsRtlpRuns(Mcb)[RunIndex].Next - *Vbn;
    }
    FsRtlpUnlock(Mcb);
    return Found;
}
