/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer: due times in interrupt time, in a table hashed by the tick they fall into.  The clock looks at the
 * hands that passed; expiry runs at DISPATCH_LEVEL, signals and queues DPCs.  Table and timers: the
 * dispatcher lock.
 */
#include "kep.h"

typedef struct _KI_TIMER_BUCKET {
    LIST_ENTRY ListHead;        /* sorted by DueTime */
    volatile ULONG64 FirstTime; /* of the first, or ~0; read without the lock */
} KI_TIMER_BUCKET;

static KI_TIMER_BUCKET KiTimerTable[KI_TIMER_TABLE_SIZE];
static ULONG64 KiTimerHand;             /* the tick up to which expiry has looked; the lock */
static volatile ULONG64 KiTimerChecked; /* the clock's own hand */

ULONG KiActiveTimers; /* the lock; read without it by those who can be sure of their own */

static ULONG64 KiTickOf(ULONG64 Time)
{
    return (Time + KI_CLOCK_INCREMENT - 1) / KI_CLOCK_INCREMENT;
}

VOID KiInitializeTimers(VOID)
{
    for (ULONG i = 0; i < KI_TIMER_TABLE_SIZE; i++) {
        InitializeListHead(&KiTimerTable[i].ListHead);
        KiTimerTable[i].FirstTime = ~0ull;
    }
}

/* A relative time (negative) from now; an absolute one is system time. */
ULONG64 KiDueTime(LARGE_INTEGER DueTime)
{
    LONG64 Relative;

    if (DueTime.QuadPart < 0) {
        return KiQueryInterruptTime() - DueTime.QuadPart;
    }
    Relative = DueTime.QuadPart - (LONG64)KiBootTime;
    return Relative > 0 ? Relative : 0;
}

static VOID KiUpdateFirst(KI_TIMER_BUCKET *Bucket)
{
    Bucket->FirstTime =
        IsListEmpty(&Bucket->ListHead)
            ? ~0ull
            : CONTAINING_RECORD(Bucket->ListHead.Flink, KTIMER, TimerListEntry)->DueTime.QuadPart;
}

VOID KiInsertTimerLocked(PKTIMER Timer, ULONG64 DueTime)
{
    ULONG64 Tick = KiTickOf(DueTime);
    KI_TIMER_BUCKET *Bucket;
    PLIST_ENTRY Entry;

    if (Tick <= KiTimerHand) {
        Tick = KiTimerHand + 1; /* due already: the next tick */
    }
    Bucket = &KiTimerTable[Tick % KI_TIMER_TABLE_SIZE];
    KiActiveTimers += Timer->Header.Hand == 0;
    Timer->Header.SignalState = 0;
    Timer->Header.Inserted = TRUE;
    Timer->DueTime.QuadPart = DueTime;
    Timer->Processor = (ULONG)(Tick % KI_TIMER_TABLE_SIZE);
    Entry = Bucket->ListHead.Blink;
    while (Entry != &Bucket->ListHead &&
           CONTAINING_RECORD(Entry, KTIMER, TimerListEntry)->DueTime.QuadPart > DueTime) {
        Entry = Entry->Blink;
    }
    InsertHeadList(Entry, &Timer->TimerListEntry);
    KiUpdateFirst(Bucket);
}

VOID KiRemoveTimerLocked(PKTIMER Timer)
{
    KiActiveTimers -= Timer->Header.Hand == 0;
    Timer->Header.Inserted = FALSE;
    RemoveEntryList(&Timer->TimerListEntry);
    KiUpdateFirst(&KiTimerTable[Timer->Processor]);
}

VOID KiEnumerateTimers(VOID (*Routine)(PKTIMER Timer, PVOID Context), PVOID Context)
{
    for (ULONG i = 0; i < KI_TIMER_TABLE_SIZE; i++) {
        PLIST_ENTRY Head = &KiTimerTable[i].ListHead;

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            Routine(CONTAINING_RECORD(Entry, KTIMER, TimerListEntry), Context);
        }
    }
}

/* Clock interrupt, no lock: TRUE when expiry has something to do. */
BOOLEAN KiTimerCheck(ULONG64 InterruptTime)
{
    ULONG64 Tick = InterruptTime / KI_CLOCK_INCREMENT;
    BOOLEAN Due = FALSE;

    for (; KiTimerChecked < Tick; KiTimerChecked++) {
        Due |= KiTimerTable[(KiTimerChecked + 1) % KI_TIMER_TABLE_SIZE].FirstTime <= InterruptTime;
    }
    return Due;
}

static VOID KiExpireTimer(PKTIMER Timer, ULONG64 Now)
{
    PKDPC Dpc = Timer->Dpc;

    FV_TRACE(FLTVM_TRACE_TIMER_EXPIRE, Timer, Dpc != NULL ? (PVOID)Dpc->DeferredRoutine : NULL, 0, 0, 0);
    KiRemoveTimerLocked(Timer);
    Timer->Header.SignalState = 1;
    if (!IsListEmpty(&Timer->Header.WaitListHead)) {
        KiWaitTest(Timer, 0);
    }
    if (Timer->Period != 0) {
        LONG State = Timer->Header.SignalState;

        KiInsertTimerLocked(Timer, Now + (ULONG64)Timer->Period * 10000);
        Timer->Header.SignalState = State;
    }
    if (Dpc != NULL) {
        KeInsertQueueDpc(Dpc, (PVOID)(ULONG_PTR)(ULONG)KiSharedData->SystemTime.LowPart,
                         (PVOID)(ULONG_PTR)(ULONG)KiSharedData->SystemTime.High1Time);
    }
}

/* In the DPC drain, at DISPATCH_LEVEL. */
VOID KiTimerExpiration(VOID)
{
    ULONG64 Now = KiQueryInterruptTime(), Tick = Now / KI_CLOCK_INCREMENT;

    KiAcquireSpinLock(&KiDispatcherLock);
    if (Tick > KiTimerHand + KI_TIMER_TABLE_SIZE) {
        KiTimerHand = Tick - KI_TIMER_TABLE_SIZE;
    }
    while (KiTimerHand < Tick) {
        KI_TIMER_BUCKET *Bucket = &KiTimerTable[++KiTimerHand % KI_TIMER_TABLE_SIZE];

        while (!IsListEmpty(&Bucket->ListHead)) {
            PKTIMER Timer = CONTAINING_RECORD(Bucket->ListHead.Flink, KTIMER, TimerListEntry);

            if (Timer->DueTime.QuadPart > Now) {
                break;
            }
            KiExpireTimer(Timer, Now);
        }
    }
    KiReleaseSpinLock(&KiDispatcherLock);
}

/* What is not set here KeSetTimerEx sets: a timer that is in the table stays there, and will expire. */
VOID KiInitializeTimer(PKTIMER Timer, TIMER_TYPE Type)
{
    Timer->Header.Lock = 0;
    Timer->Header.Type = (UCHAR)(TimerNotificationObject + Type);
    Timer->Header.SignalState = 0;
    InitializeListHead(&Timer->Header.WaitListHead);
}

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    if (KiDriverVerifierOn && KiActiveTimers != 0) {
        KiCheckTimerNotSet(Timer);
    }
    KiInitializeTimer(Timer, Type);
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    ULONG64 Due, Now;
    KIRQL OldIrql;
    BOOLEAN Inserted;

    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Timer, __readcr8(), 1,
             (ULONG_PTR)_ReturnAddress());
    KiVerify(Timer->Header.Type == TimerNotificationObject || Timer->Header.Type == TimerSynchronizationObject,
             0xC7 /* TIMER_OR_DPC_INVALID */, 0, (ULONG_PTR)Timer, 0, 0);
    OldIrql = KiAcquireDispatcher();
    Inserted = Timer->Header.Inserted;
    if (Inserted) {
        KiRemoveTimerLocked(Timer);
    }
    Timer->Dpc = Dpc;
    Timer->Period = Period;
    Due = KiDueTime(DueTime);
    Now = KiQueryInterruptTime();
    KiInsertTimerLocked(Timer, Due);
    if (Due <= Now) {
        KiExpireTimer(Timer, Now);
    }
    KiUnlockDispatcher(OldIrql);
    return Inserted;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* A delay that may be tolerated need not be used: every timer fires at its tick. */
BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay,
                                    PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, (LONG)Period, Dpc);
}

BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    KIRQL OldIrql;
    BOOLEAN Inserted;

    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Timer, __readcr8(), 1,
             (ULONG_PTR)_ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Inserted = Timer->Header.Inserted;
    if (Inserted) {
        KiRemoveTimerLocked(Timer);
    }
    KiUnlockDispatcher(OldIrql);
    return Inserted;
}

BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer)
{
    return (BOOLEAN)Timer->Header.SignalState;
}
