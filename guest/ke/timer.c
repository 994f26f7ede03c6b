/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer: due times in interrupt time, in a wheel of wheels, so that setting, cancelling and expiring a timer cost the
 * same however many others are set.  Expiry runs at DISPATCH_LEVEL, signals and queues DPCs, in order of time and, of
 * the same time, in that of setting.  Wheel and timers: the dispatcher lock.
 *
 * A due time is written in digits of six bits.  A timer stands in the wheel of the highest digit in which its time
 * differs from the hand, at the place that this digit says.  The hand is moved only to the first place that holds
 * anything, and by no more than is due; the timers there then go to lower wheels, each at most once a digit.
 *
 * Rules for timers
 *  - They live in nonpaged memory, with their DPC, until cancelled or expired for the last time; after a cancel that
 *    returned FALSE the DPC may still run (KeFlushQueuedDpcs).
 *  - Set and cancelled at IRQL <= DISPATCH_LEVEL.  One that is set is set anew, and not initialized again.
 *  - A due time that has passed expires at once, within the call; else at the first tick at or after it, at
 *    DISPATCH_LEVEL: waiters first, then the next period, then the DPC is queued.
 *  - A synchronization timer releases one waiter, a notification timer all, until it is set again.
 */
#include "kep.h"

#define KI_WHEEL_BITS   6
#define KI_WHEEL_PLACES (1 << KI_WHEEL_BITS)
#define KI_WHEELS       11 /* digits of 64 bits */

static struct {
    ULONG64 Used; /* a bit for each place that holds anything */
    LIST_ENTRY Place[KI_WHEEL_PLACES];
} KiTimerWheel[KI_WHEELS];
static ULONG KiTimerWheels;           /* a bit for each wheel that holds anything */
static ULONG64 KiTimerHand;           /* no timer in the wheels is due earlier */
static volatile ULONG64 KiTimerFirst; /* no timer is due before that; the clock reads it without the lock */

VOID KiInitializeTimers(VOID)
{
    for (ULONG Wheel = 0; Wheel < KI_WHEELS; Wheel++) {
        for (ULONG Place = 0; Place < KI_WHEEL_PLACES; Place++) {
            InitializeListHead(&KiTimerWheel[Wheel].Place[Place]);
        }
    }
    KiTimerFirst = ~0ull;
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

static VOID KiPlaceTimer(PKTIMER Timer)
{
    ULONG64 Time = max((ULONG64)Timer->DueTime.QuadPart, KiTimerHand);
    ULONG Wheel = (63 - (ULONG)__builtin_clzll((Time ^ KiTimerHand) | 1)) / KI_WHEEL_BITS;
    ULONG Place = (ULONG)(Time >> Wheel * KI_WHEEL_BITS) & (KI_WHEEL_PLACES - 1);

    Timer->Processor = Wheel * KI_WHEEL_PLACES + Place;
    InsertTailList(&KiTimerWheel[Wheel].Place[Place], &Timer->TimerListEntry);
    KiTimerWheel[Wheel].Used |= 1ull << Place;
    KiTimerWheels |= 1u << Wheel;
}

/* A place of a wheel has become empty. */
static VOID KiEmptyPlace(ULONG Wheel, ULONG Place)
{
    KiTimerWheel[Wheel].Used &= ~(1ull << Place);
    if (KiTimerWheel[Wheel].Used == 0) {
        KiTimerWheels &= ~(1u << Wheel);
    }
}

/* With the verifier on: the memory of a timer that is set, and of its DPC, may not go. */
static VOID KiTrackTimer(PKTIMER Timer)
{
    KiTrack(KiTrackedTimer, Timer);
    if (Timer->Dpc != NULL) {
        KiTrack(KiTrackedTimerDpc, Timer->Dpc);
        if (KiIsRoutineInPool(Timer->Dpc)) {
            KiTrack(KiTrackedRoutine, (PVOID)Timer->Dpc->DeferredRoutine);
        }
    }
}

static VOID KiUntrackTimer(PKTIMER Timer)
{
    KiUntrack(KiTrackedTimer, Timer);
    if (Timer->Dpc != NULL) {
        KiUntrack(KiTrackedTimerDpc, Timer->Dpc);
        if (KiIsRoutineInPool(Timer->Dpc)) {
            KiUntrack(KiTrackedRoutine, (PVOID)Timer->Dpc->DeferredRoutine);
        }
    }
}

static BOOLEAN KiIsTimerTracked(PKTIMER Timer)
{
    return Timer->Header.Hand == 0 && KiDriverVerifierOn;
}

VOID KiInsertTimerLocked(PKTIMER Timer, ULONG64 DueTime)
{
    Timer->Header.SignalState = 0;
    Timer->Header.Inserted = TRUE;
    Timer->DueTime.QuadPart = DueTime;
    KiPlaceTimer(Timer);
    if (DueTime < KiTimerFirst) {
        KiTimerFirst = DueTime;
    }
    if (KiIsTimerTracked(Timer)) {
        KiTrackTimer(Timer);
    }
}

VOID KiRemoveTimerLocked(PKTIMER Timer)
{
    Timer->Header.Inserted = FALSE;
    if (RemoveEntryList(&Timer->TimerListEntry)) {
        KiEmptyPlace(Timer->Processor / KI_WHEEL_PLACES, Timer->Processor % KI_WHEEL_PLACES);
    }
    if (KiIsTimerTracked(Timer)) {
        KiUntrackTimer(Timer);
    }
}

VOID KiEnumerateTimers(VOID (*Routine)(PKTIMER Timer, PVOID Context), PVOID Context)
{
    for (ULONG Place = 0; Place < KI_WHEELS * KI_WHEEL_PLACES; Place++) {
        PLIST_ENTRY Head = &KiTimerWheel[Place / KI_WHEEL_PLACES].Place[Place % KI_WHEEL_PLACES];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            Routine(CONTAINING_RECORD(Entry, KTIMER, TimerListEntry), Context);
        }
    }
}

/* Clock interrupt, no lock: TRUE when expiry has something to do. */
BOOLEAN KiTimerCheck(ULONG64 InterruptTime)
{
    return KiTimerFirst <= InterruptTime;
}

/* The first timer, if it is due; else NULL, and the clock knows from when on there may be one. */
static PKTIMER KiFirstDueTimer(ULONG64 Now)
{
    while (KiTimerWheels != 0) {
        ULONG Wheel = (ULONG)__builtin_ctz(KiTimerWheels);
        ULONG Place = (ULONG)__builtin_ctzll(KiTimerWheel[Wheel].Used);
        ULONG64 Digit = 1ull << Wheel * KI_WHEEL_BITS;
        ULONG64 Start = (KiTimerHand & ~(Digit * KI_WHEEL_PLACES - 1)) + Place * Digit;
        PLIST_ENTRY Head = &KiTimerWheel[Wheel].Place[Place];

        if (Start > Now) {
            KiTimerFirst = Start;
            return NULL;
        }
        KiTimerHand = Start;
        if (Wheel == 0) {
            return CONTAINING_RECORD(Head->Flink, KTIMER, TimerListEntry);
        }
        while (!IsListEmpty(Head)) {
            KiPlaceTimer(CONTAINING_RECORD(RemoveHeadList(Head), KTIMER, TimerListEntry));
        }
        KiEmptyPlace(Wheel, Place);
    }
    KiTimerFirst = ~0ull;
    return NULL;
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
    ULONG64 Now = KiQueryInterruptTime();
    PKTIMER Timer;

    KiAcquireSpinLock(&KiDispatcherLock);
    while ((Timer = KiFirstDueTimer(Now)) != NULL) {
        KiExpireTimer(Timer, Now);
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
    KiCheckTimerNotSet(Timer);
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

/* For ex: by interrupt time, a timer that is not set.  NewPeriod: it stays signalled if it is. */
VOID KeSetTimerAt(PKTIMER Timer, ULONG64 DueTime, PKDPC Dpc, BOOLEAN NewPeriod)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    ULONG64 Now = KiQueryInterruptTime();
    LONG State = NewPeriod ? Timer->Header.SignalState : 0;

    KeAssert(!Timer->Header.Inserted);
    Timer->Dpc = Dpc;
    Timer->Period = 0;
    KiInsertTimerLocked(Timer, DueTime);
    Timer->Header.SignalState = State;
    if (DueTime <= Now) {
        KiExpireTimer(Timer, Now);
    }
    KiUnlockDispatcher(OldIrql);
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* A delay that may be tolerated need not be used: every timer fires at its tick. */
BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG TolerableDelay, PKDPC Dpc)
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
