/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memorycheck: memory that goes away (freed pool, an unloaded image) must not hold a timer that is set or a
 * DPC that is queued, nor be where their routine is; and a timer that is set must not be initialized again.
 * TIMER_OR_DPC_INVALID, as Windows says it with the verifier.
 */
#include "kep.h"

typedef struct _KI_RANGE {
    ULONG64 Base, Size;
} KI_RANGE;

static BOOLEAN KiInRange(const KI_RANGE *Range, PVOID Address)
{
    return (ULONG64)Address - Range->Base < Range->Size;
}

static DECLSPEC_NORETURN VOID KiReportInvalid(const KI_RANGE *Range, ULONG Kind, PCSTR Rule, PVOID Object,
                                              PVOID Routine)
{
    CHAR Report[160];

    _snprintf(Report, sizeof(Report), "rule=%s\nobject=0x%I64x\nroutine=0x%I64x\n", Rule, (ULONG64)Object,
              (ULONG64)Routine);
    FvReport(Report);
    if (KiClassifyCode != NULL && KiClassifyCode(Range->Base) == KiDriverCode) {
        FvBlame(Routine != NULL ? Routine : Object); /* an image goes: nobody of it is on the stack */
    }
    KeBugCheckEx(TIMER_OR_DPC_INVALID, Kind, Kind == 2 ? (ULONG_PTR)Routine : (ULONG_PTR)Object, Range->Base,
                 Range->Base + Range->Size);
}

static DECLSPEC_NORETURN VOID KiReportFound(const KI_RANGE *Range, ULONG Kind, PVOID Object)
{
    switch (Kind) {
    case KiTrackedTimer: KiReportInvalid(Range, 0, "timer-set-in-freed-memory", Object, NULL);
    case KiTrackedTimerDpc: KiReportInvalid(Range, 1, "timer-dpc-in-freed-memory", Object, NULL);
    case KiTrackedRoutine: KiReportInvalid(Range, 2, "dpc-routine-in-freed-memory", Object, Object);
    default: KiReportTracked((PVOID)Range->Base, Range->Size, Kind, Object);
    }
}

/*
 * A queued DPC names its queue.  So either the memory is searched for that name, or the queue for the memory, whichever is
 * shorter.  NULL: none.
 */
static PKDPC KiFindQueuedDpc(PKPRCB Prcb, const KI_RANGE *Range)
{
    PLIST_ENTRY Head = &Prcb->DpcListHead;
    BOOLEAN Enabled = KiDisableInterrupts();
    PKDPC Found = NULL;

    KiAcquireSpinLock(&Prcb->DpcLock);
    if (Range->Size / sizeof(ULONG64) < (ULONG)Prcb->DpcQueueDepth) {
        const ULONG64 *Word = (PVOID)((Range->Base + 7) & ~7ull);

        for (; (ULONG64)(Word + 1) <= Range->Base + Range->Size && Found == NULL; Word++) {
            PKDPC Dpc = CONTAINING_RECORD(Word, KDPC, DpcData);

            if (*Word == (ULONG64)Head && KiInRange(Range, Dpc) &&
                (Dpc->Type == DpcObject || Dpc->Type == ThreadedDpcObject)) {
                Found = Dpc;
            }
        }
    } else {
        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head && Found == NULL; Entry = Entry->Flink) {
            PKDPC Dpc = CONTAINING_RECORD(Entry, KDPC, DpcListEntry);

            Found = KiInRange(Range, Dpc) ? Dpc : NULL;
        }
    }
    KiReleaseSpinLock(&Prcb->DpcLock);
    KiRestoreInterrupts(Enabled);
    return Found;
}

/* Something may be there. */
static DECLSPEC_NOINLINE VOID KiSearchMemoryRange(PVOID Base, SIZE_T Size)
{
    KI_RANGE Range = {(ULONG64)Base, Size};
    const VOID *Object;
    ULONG Kind;

    KeForgetLocks(Base, Size);
    Object = KiFindTrackedIn(Base, Size, &Kind);
    if (Object != NULL) {
        KiReportFound(&Range, Kind, (PVOID)Object);
    }
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        if (KiProcessorBlock[Number]->DpcQueueDepth != 0) {
            Object = KiFindQueuedDpc(KiProcessorBlock[Number], &Range);
            if (Object != NULL) {
                KiReportInvalid(&Range, 1, "dpc-queued-in-freed-memory", (PVOID)Object, NULL);
            }
        }
    }
}

VOID KeCheckMemoryRange(PVOID Base, SIZE_T Size)
{
    BOOLEAN Search;

    if (!KiDriverVerifierOn) {
        return;
    }
    Search = KiMayBeTracked(Base, Size);
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        Search |= KiProcessorBlock[Number]->DpcQueueDepth != 0;
    }
    if (Search) {
        KiSearchMemoryRange(Base, Size);
    }
}

/* ---- code ---- */

static VOID KiCheckTimer(PKTIMER Timer, PVOID Context)
{
    const KI_RANGE *Range = Context;

    if (Timer->Dpc != NULL && KiInRange(Range, (PVOID)Timer->Dpc->DeferredRoutine)) {
        KiReportInvalid(Range, 2, "timer-set-for-unloaded-routine", Timer, (PVOID)Timer->Dpc->DeferredRoutine);
    }
}

static VOID KiCheckDpcs(PKPRCB Prcb, const KI_RANGE *Range)
{
    BOOLEAN Enabled = KiDisableInterrupts();

    KiAcquireSpinLock(&Prcb->DpcLock);
    for (PLIST_ENTRY Entry = Prcb->DpcListHead.Flink; Entry != &Prcb->DpcListHead; Entry = Entry->Flink) {
        PKDPC Dpc = CONTAINING_RECORD(Entry, KDPC, DpcListEntry);

        if (KiInRange(Range, (PVOID)Dpc->DeferredRoutine)) {
            KiReportInvalid(Range, 2, "dpc-queued-for-unloaded-routine", Dpc, (PVOID)Dpc->DeferredRoutine);
        }
    }
    KiReleaseSpinLock(&Prcb->DpcLock);
    KiRestoreInterrupts(Enabled);
}

VOID KeCheckCodeRange(PVOID Base, SIZE_T Size)
{
    KI_RANGE Range = {(ULONG64)Base, Size};
    KIRQL OldIrql;

    if (!KiDriverVerifierOn) {
        return;
    }
    KeCheckMemoryRange(Base, Size);
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        KiCheckDpcs(KiProcessorBlock[Number], &Range);
    }
    OldIrql = KiAcquireDispatcher();
    KiEnumerateTimers(KiCheckTimer, &Range);
    KiUnlockDispatcher(OldIrql);
}

/* For KeInitializeTimer: a timer that is set would be lost from the wheel, or fire for nobody. */
VOID KiCheckTimerNotSet(PKTIMER Timer)
{
    KI_RANGE Range = {(ULONG64)Timer, sizeof(*Timer)};

    if (KiDriverVerifierOn && KiIsTracked(KiTrackedTimer, Timer)) {
        KiReportInvalid(&Range, 0, "timer-initialized-while-set", Timer, NULL);
    }
}

/* ---- what a driver leaves behind ---- */

DECLSPEC_NORETURN VOID KeReportLeft(PCSTR What, const VOID *Object, const VOID *Maker)
{
    CHAR Text[192];

    _snprintf(Text, sizeof(Text), "rule=left-behind\nwhat=%s\nobject=0x%I64x\nmade-by=0x%I64x\n", What, (ULONG64)Object,
              (ULONG64)Maker);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
    FvBlame(Maker);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_LEFT_BEHIND, (ULONG_PTR)Object, (ULONG_PTR)Maker, 0);
}

static VOID KiCheckInterrupts(PKPRCB Prcb, const KI_RANGE *Range)
{
    for (ULONG Vector = 0; Vector < RTL_NUMBER_OF(Prcb->InterruptObject); Vector++) {
        PKINTERRUPT First = Prcb->InterruptObject[Vector], Interrupt = First;

        while (Interrupt != NULL) {
            PVOID Routine = Interrupt->MessageServiceRoutine != NULL ? (PVOID)Interrupt->MessageServiceRoutine
                                                                     : (PVOID)Interrupt->ServiceRoutine;

            if (KiInRange(Range, Routine)) {
                KeReportLeft("connected interrupt", Interrupt, Routine);
            }
            Interrupt = CONTAINING_RECORD(Interrupt->InterruptListEntry.Flink, KINTERRUPT, InterruptListEntry);
            if (Interrupt == First) {
                break;
            }
        }
    }
}

VOID KeCheckLeft(PVOID Base, SIZE_T Size)
{
    KI_RANGE Range = {(ULONG64)Base, Size};
    PVOID Routine;
    PVOID Record = KiFindBugCheckCallback(Range.Base, Range.Size, &Routine);

    if (Record != NULL) {
        KeReportLeft("bugcheck callback", Record, Routine);
    }
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        KiCheckInterrupts(KiProcessorBlock[Number], &Range);
    }
}

const VOID *KeFindDriverCaller(VOID)
{
    PVOID Frames[24];
    ULONG Count = FvCaptureStackBackTrace(1, RTL_NUMBER_OF(Frames), Frames);

    for (ULONG Index = 0; Index < Count && KiClassifyCode != NULL; Index++) {
        if (KiClassifyCode((ULONG64)Frames[Index]) == KiDriverCode) {
            return Frames[Index];
        }
    }
    return NULL;
}
