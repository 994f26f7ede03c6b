/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event: notification events stay signalled, synchronization events release one waiter.  Semaphores count.
 *
 * Rules for events
 *  - They live in nonpaged memory until nobody waits and no signaller is within a call.
 *  - Set, reset, clear, pulse and read at IRQL <= DISPATCH_LEVEL; with Wait TRUE the caller waits next, at IRQL <=
 *    APC_LEVEL, and the dispatcher lock stays held until then.
 *  - A notification event releases all who wait and stays set; a synchronization event releases one and is clear again.
 *  - Set, reset and pulse return what the state was before; clear is a reset that tells nothing.
 *
 * Rules for semaphores
 *  - Released at IRQL <= DISPATCH_LEVEL; each satisfied wait takes one.
 *  - A release beyond the limit, or of less than one, changes nothing and raises STATUS_SEMAPHORE_LIMIT_EXCEEDED.
 *  - Nobody owns one: who releases need not be who waited.
 */
#include "kep.h"

/* With Wait the caller promises to wait at once: the lock stays held for it. */
static VOID KiEndSignal(KIRQL OldIrql, BOOLEAN Wait)
{
    PKTHREAD Thread = KeGetCurrentThread();

    if (Wait) {
        Thread->WaitNext = TRUE;
        Thread->WaitIrql = OldIrql;
    } else {
        KiUnlockDispatcher(OldIrql);
    }
}

static VOID KiCheckSignalIrql(PVOID Object, PVOID Caller)
{
    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Object, __readcr8(), 1,
             (ULONG_PTR)Caller);
}

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.Lock = 0;
    Event->Header.Type = (UCHAR)Type;
    Event->Header.Size = sizeof(KEVENT) / sizeof(LONG);
    Event->Header.SignalState = State;
    InitializeListHead(&Event->Header.WaitListHead);
}

LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KIRQL OldIrql;
    LONG Old;

    KiCheckSignalIrql(Event, _ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Old = Event->Header.SignalState;
    Event->Header.SignalState = 1;
    if (Old == 0 && !IsListEmpty(&Event->Header.WaitListHead)) {
        KiWaitTest(Event, Increment);
    }
    KiEndSignal(OldIrql, Wait);
    return Old;
}

LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    KIRQL OldIrql;
    LONG Old;

    KiCheckSignalIrql(Event, _ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Old = Event->Header.SignalState;
    if (Old == 0 && !IsListEmpty(&Event->Header.WaitListHead)) {
        Event->Header.SignalState = 1;
        KiWaitTest(Event, Increment);
    }
    Event->Header.SignalState = 0;
    KiEndSignal(OldIrql, Wait);
    return Old;
}

LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    KIRQL OldIrql;
    LONG Old;

    KiCheckSignalIrql(Event, _ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Old = Event->Header.SignalState;
    Event->Header.SignalState = 0;
    KiUnlockDispatcher(OldIrql);
    return Old;
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    KiCheckSignalIrql(Event, _ReturnAddress());
    Event->Header.SignalState = 0;
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    return Event->Header.SignalState;
}

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    Semaphore->Header.Lock = 0;
    Semaphore->Header.Type = SemaphoreObject;
    Semaphore->Header.Size = sizeof(KSEMAPHORE) / sizeof(LONG);
    Semaphore->Header.SignalState = Count;
    Semaphore->Limit = Limit;
    InitializeListHead(&Semaphore->Header.WaitListHead);
}

LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    KIRQL OldIrql;
    LONG Old, New;

    KiCheckSignalIrql(Semaphore, _ReturnAddress());
    OldIrql = KiAcquireDispatcher();
    Old = Semaphore->Header.SignalState;
    New = Old + Adjustment;
    if (New > Semaphore->Limit || New < Old) {
        KiUnlockDispatcher(OldIrql);
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    Semaphore->Header.SignalState = New;
    if (Old == 0 && !IsListEmpty(&Semaphore->Header.WaitListHead)) {
        KiWaitTest(Semaphore, Increment);
    }
    KiEndSignal(OldIrql, Wait);
    return Old;
}

LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    return Semaphore->Header.SignalState;
}
