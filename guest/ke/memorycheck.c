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
    KeBugCheckEx(0xC7 /* TIMER_OR_DPC_INVALID */, Kind, Kind == 2 ? (ULONG_PTR)Routine : (ULONG_PTR)Object,
                 Range->Base, Range->Base + Range->Size);
}

static VOID KiCheckTimer(PKTIMER Timer, PVOID Context)
{
    const KI_RANGE *Range = Context;
    PVOID Routine =
        Timer->Dpc != NULL && !KiInRange(Range, Timer) ? (PVOID)Timer->Dpc->DeferredRoutine : NULL;

    if (KiInRange(Range, Timer)) {
        KiReportInvalid(Range, 0, "timer-set-in-freed-memory", Timer, NULL);
    }
    if (Timer->Dpc != NULL && KiInRange(Range, Timer->Dpc)) {
        KiReportInvalid(Range, 1, "timer-dpc-in-freed-memory", Timer->Dpc, NULL);
    }
    if (Routine != NULL && KiInRange(Range, Routine)) {
        KiReportInvalid(Range, 2, "timer-set-for-unloaded-routine", Timer, Routine);
    }
}

static VOID KiCheckDpcs(PKPRCB Prcb, const KI_RANGE *Range)
{
    BOOLEAN Enabled = KiDisableInterrupts();

    KiAcquireSpinLock(&Prcb->DpcLock);
    for (PLIST_ENTRY Entry = Prcb->DpcListHead.Flink; Entry != &Prcb->DpcListHead; Entry = Entry->Flink) {
        PKDPC Dpc = CONTAINING_RECORD(Entry, KDPC, DpcListEntry);

        if (KiInRange(Range, Dpc)) {
            KiReportInvalid(Range, 1, "dpc-queued-in-freed-memory", Dpc, NULL);
        }
        if (KiInRange(Range, (PVOID)Dpc->DeferredRoutine)) {
            KiReportInvalid(Range, 2, "dpc-queued-for-unloaded-routine", Dpc, (PVOID)Dpc->DeferredRoutine);
        }
    }
    KiReleaseSpinLock(&Prcb->DpcLock);
    KiRestoreInterrupts(Enabled);
}

static VOID KiCheckSameTimer(PKTIMER Timer, PVOID Context)
{
    const KI_RANGE *Range = Context;

    if (KiInRange(Range, Timer)) {
        KiReportInvalid(Range, 0, "timer-initialized-while-set", Timer, NULL);
    }
}

/* For KeInitializeTimer: a timer that is set would be lost from the table, or fire for nobody. */
VOID KiCheckTimerNotSet(PKTIMER Timer)
{
    KI_RANGE Range = {(ULONG64)Timer, sizeof(*Timer)};
    KIRQL OldIrql = KiAcquireDispatcher();

    KiEnumerateTimers(KiCheckSameTimer, &Range);
    KiUnlockDispatcher(OldIrql);
}

VOID KeCheckMemoryRange(PVOID Base, SIZE_T Size)
{
    KI_RANGE Range = {(ULONG64)Base, Size};

    if (!KiDriverVerifierOn) {
        return;
    }
    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        if (KiProcessorBlock[Number]->DpcQueueDepth != 0) {
            KiCheckDpcs(KiProcessorBlock[Number], &Range);
        }
    }
    if (KiActiveTimers != 0) {
        KIRQL OldIrql = KiAcquireDispatcher();

        KiEnumerateTimers(KiCheckTimer, &Range);
        KiUnlockDispatcher(OldIrql);
    }
}
