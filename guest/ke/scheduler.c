/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scheduler: which thread runs where.
 *
 * One set of ready queues for the machine, by priority, first in, first out.  A thread that becomes ready
 * takes an idle processor of its affinity, or else preempts the processor that runs the lowest priority, if
 * lower than its own.  A processor's NextThread is the thread chosen for it (Standby).  All under the
 * dispatcher lock, which crosses the context switch.
 */
#include "kep.h"

KSPIN_LOCK KiDispatcherLock;
KAFFINITY KiIdleSummary;

static ULONG KiReadySummary; /* a bit for each queue that is not empty */
static LIST_ENTRY KiReadyListHead[MAXIMUM_PRIORITY];

VOID KiInitializeScheduler(VOID)
{
    for (ULONG Priority = 0; Priority < MAXIMUM_PRIORITY; Priority++) {
        InitializeListHead(&KiReadyListHead[Priority]);
    }
}

static VOID KiInsertReady(PKTHREAD Thread, BOOLEAN AtHead)
{
    PLIST_ENTRY Head = &KiReadyListHead[Thread->Priority];

    Thread->State = Ready;
    if (AtHead) {
        InsertHeadList(Head, &Thread->WaitListEntry);
    } else {
        InsertTailList(Head, &Thread->WaitListEntry);
    }
    KiReadySummary |= 1u << Thread->Priority;
}

static VOID KiRemoveReady(PKTHREAD Thread)
{
    if (RemoveEntryList(&Thread->WaitListEntry)) {
        KiReadySummary &= ~(1u << Thread->Priority);
    }
}

/* The best ready thread that may run on the processor and has at least that priority, taken off its queue. */
static PKTHREAD KiSelectReady(PKPRCB Prcb, KPRIORITY Lowest)
{
    ULONG Candidates = KiReadySummary & (~0u << Lowest);

    while (Candidates != 0) {
        ULONG Priority = 31 - __builtin_clz(Candidates);
        PLIST_ENTRY Head = &KiReadyListHead[Priority];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
            PKTHREAD Thread = CONTAINING_RECORD(Entry, KTHREAD, WaitListEntry);

            if (Thread->Affinity & Prcb->SetMember) {
                KiRemoveReady(Thread);
                return Thread;
            }
        }
        Candidates &= ~(1u << Priority);
    }
    return NULL;
}

/* Chooses Thread to run next on Prcb's processor and tells it so. */
static VOID KiAssignProcessor(PKPRCB Prcb, PKTHREAD Thread)
{
    Thread->State = Standby;
    Thread->NextProcessor = Prcb->Number;
    Prcb->NextThread = Thread;
    KiIdleSummary &= ~Prcb->SetMember;
    if (Prcb != KeGetCurrentPrcb()) {
        KiIpiRequest(Prcb->SetMember, KI_IPI_DISPATCH);
    }
    /* On this processor, releasing the dispatcher lock or the idle loop sees NextThread. */
}

static KPRIORITY KiRunningPriority(PKPRCB Prcb)
{
    return Prcb->NextThread != NULL ? Prcb->NextThread->Priority : Prcb->CurrentThread->Priority;
}

/* A processor of the set that runs something less important than Priority; NULL when none does. */
static PKPRCB KiFindVictim(KAFFINITY Affinity, ULONG Preferred, KPRIORITY Priority)
{
    PKPRCB Victim = NULL;
    KPRIORITY Lowest = Priority;

    if (Affinity >> Preferred & 1) {
        Victim = KiProcessorBlock[Preferred];
        Lowest = KiRunningPriority(Victim);
        if (Lowest >= Priority) {
            Victim = NULL;
            Lowest = Priority;
        }
    }
    for (KAFFINITY Left = Affinity; Left != 0; Left &= Left - 1) {
        PKPRCB Prcb = KiProcessorBlock[__builtin_ctzll(Left)];
        KPRIORITY Running = KiRunningPriority(Prcb);

        if (Running < Lowest) {
            Victim = Prcb;
            Lowest = Running;
        }
    }
    return Victim;
}

VOID KiReadyThread(PKTHREAD Thread)
{
    KAFFINITY Active = Thread->Affinity & KeActiveSet;
    KAFFINITY Idle = Active & KiIdleSummary;
    BOOLEAN Preempted = Thread->Preempted;
    PKPRCB Prcb;

    Thread->Preempted = FALSE;
    if (Idle != 0) {
        PKPRCB Current = KeGetCurrentPrcb();

        if (Idle >> Thread->NextProcessor & 1) {
            Prcb = KiProcessorBlock[Thread->NextProcessor];
        } else if (Idle & Current->SetMember) {
            Prcb = Current;
        } else {
            Prcb = KiProcessorBlock[__builtin_ctzll(Idle)];
        }
        KiAssignProcessor(Prcb, Thread);
        return;
    }
    Prcb = KiFindVictim(Active, Thread->NextProcessor, Thread->Priority);
    if (Prcb == NULL) {
        KeAssert(Active != 0); /* or it waits in its queue for ever */
        KiInsertReady(Thread, Preempted);
        return;
    }
    if (Prcb->NextThread == Prcb->IdleThread) {
        /* it was to leave to the idle thread: now to this one */
    } else if (Prcb->NextThread != NULL) {
        KiInsertReady(Prcb->NextThread, TRUE);
    } else {
        Prcb->CurrentThread->Preempted = TRUE;
    }
    KiAssignProcessor(Prcb, Thread);
}

/* Switches from Thread (its state already says why) to the best there is.  The lock stays held. */
static VOID KiSwitchFrom(PKPRCB Prcb, PKTHREAD Thread, PKTHREAD Next)
{
    FV_TRACE(FLTVM_TRACE_CONTEXT_SWITCH, Thread, Next, Thread->State, Next->Priority, 0);
    Prcb->IdleActive = Next == Prcb->IdleThread;
    if (Prcb->IdleActive) {
        KiIdleSummary |= Prcb->SetMember;
    }
    Next->State = Running;
    Next->NextProcessor = Prcb->Number;
    Next->ContextSwitches++;
    Prcb->ContextSwitches++;
    Prcb->CurrentThread = Next;
    Prcb->QuantumEnd = FALSE;
    KiTransferDispatcher(Next);
    if (Thread->OwnSpace != Next->OwnSpace) {
        KiSwitchSpace(Thread, Next);
    }
    KiSwapContext(Thread, Next);
}

static PKTHREAD KiTakeNext(PKPRCB Prcb)
{
    PKTHREAD Next = Prcb->NextThread;

    if (Next != NULL) {
        Prcb->NextThread = NULL;
        return Next;
    }
    Next = KiSelectReady(Prcb, LOW_PRIORITY);
    return Next != NULL ? Next : Prcb->IdleThread;
}

VOID KiSwapThread(PKTHREAD Thread)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    if (Prcb->DpcRoutineActive) {
        KeBugCheckEx(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)Thread, (ULONG_PTR)Prcb->NextThread,
                     (ULONG_PTR)Thread->InitialStack, 0);
    }
    KeAssert(Thread->State != Running);
    KeAssert(KiDispatcherLock == ((ULONG_PTR)Thread | 1)); /* handed over, so nobody else's */
    KiSwitchFrom(Prcb, Thread, KiTakeNext(Prcb));
}

/* With the lock: gives way to NextThread.  Returns, lock held, when this thread runs again. */
static VOID KiYieldToNext(PKPRCB Prcb, PKTHREAD Thread)
{
    PKTHREAD Next = Prcb->NextThread;

    Prcb->NextThread = NULL;
    if (Thread != Prcb->IdleThread) {
        /* Ready somewhere else perhaps: Next is what this processor will run by then. */
        Prcb->CurrentThread = Next;
        KiReadyThread(Thread);
    }
    KiSwitchFrom(Prcb, Thread, Next);
}

VOID KiUnlockDispatcher(KIRQL OldIrql)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    if (Prcb->NextThread != NULL && !Prcb->IdleActive) {
        if (OldIrql < DISPATCH_LEVEL && !Prcb->DpcRoutineActive) {
            KiYieldToNext(Prcb, Prcb->CurrentThread);
            KiReleaseSpinLock(&KiDispatcherLock);
            KiCheckApcAfterEnable(KeGetCurrentThread());
            __writecr8(OldIrql);
            return;
        }
        KiReleaseSpinLock(&KiDispatcherLock);
        KiRequestDispatchInterrupt(Prcb);
        __writecr8(OldIrql);
        return;
    }
    KiReleaseSpinLock(&KiDispatcherLock);
    __writecr8(OldIrql);
}

KIRQL KiLockDispatcher(VOID)
{
    return KiAcquireDispatcher();
}

/* At DISPATCH_LEVEL outside DPCs: the quantum is over or a better thread is there. */
VOID KiQuantumEnd(VOID)
{
    PKPRCB Prcb = KeGetCurrentPrcb();
    PKTHREAD Thread = Prcb->CurrentThread;

    if (Thread == Prcb->IdleThread) {
        return; /* its loop looks for itself */
    }
    KiAcquireSpinLock(&KiDispatcherLock);
    if (Prcb->QuantumEnd) {
        Prcb->QuantumEnd = FALSE;
        if (Thread->Quantum <= 0) {
            Thread->Quantum = Thread->QuantumReset;
            if (Thread->Priority < LOW_REALTIME_PRIORITY && Thread->Priority > Thread->BasePriority) {
                Thread->Priority--; /* a boost decays by one each quantum */
            }
            if (Prcb->NextThread == NULL) {
                PKTHREAD Next = KiSelectReady(Prcb, Thread->Priority);

                if (Next != NULL) {
                    Next->State = Standby;
                    Next->NextProcessor = Prcb->Number;
                    Prcb->NextThread = Next;
                }
            }
            Thread->Preempted = FALSE; /* to the end of its queue */
        }
    }
    if (Prcb->NextThread != NULL) {
        KiYieldToNext(Prcb, Thread);
        KiReleaseSpinLock(&KiDispatcherLock);
        KiCheckApcAfterEnable(KeGetCurrentThread());
        return;
    }
    KiReleaseSpinLock(&KiDispatcherLock);
}

/* The idle thread: at DISPATCH_LEVEL; drains DPCs, takes what is ready, halts. */
DECLSPEC_NORETURN VOID KiIdleLoop(VOID)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    __writecr8(DISPATCH_LEVEL);
    KiAcquireSpinLock(&KiDispatcherLock);
    Prcb->IdleActive = TRUE;
    if (Prcb->NextThread == NULL) {
        KiIdleSummary |= Prcb->SetMember;
    }
    KiReleaseSpinLock(&KiDispatcherLock);
    for (;;) {
        _disable();
        Prcb->DpcInterruptRequested = FALSE;
        if (Prcb->DpcQueueDepth != 0 || Prcb->TimerRequest) {
            _enable();
            KiRetireDpcList(Prcb);
            continue;
        }
        if (*(PKTHREAD volatile *)&Prcb->NextThread != NULL) {
            _enable();
            KiAcquireSpinLock(&KiDispatcherLock);
            if (Prcb->NextThread != NULL) {
                KiYieldToNext(Prcb, Prcb->IdleThread);
            }
            KiReleaseSpinLock(&KiDispatcherLock);
            continue;
        }
        /* An interrupt that became pending above ends the halt: sti takes effect after the next instruction.
         */
        __asm__ volatile("sti\n\thlt" : : : "memory");
    }
}

/* ---- priority and affinity ---- */

VOID KiSetPriorityLocked(PKTHREAD Thread, KPRIORITY Priority)
{
    KPRIORITY Old = Thread->Priority;

    if (Priority == Old) {
        return;
    }
    switch (Thread->State) {
    case Ready:
        KiRemoveReady(Thread);
        Thread->Priority = (SCHAR)Priority;
        KiReadyThread(Thread);
        break;
    case Standby:
    case Running: {
        PKPRCB Prcb = KiProcessorBlock[Thread->NextProcessor];

        Thread->Priority = (SCHAR)Priority;
        if (Priority > Old) {
            break;
        }
        if (Thread->State == Standby) {
            PKTHREAD Next = KiSelectReady(Prcb, Priority + 1);

            if (Next != NULL) {
                KiAssignProcessor(Prcb, Next);
                KiReadyThread(Thread);
            }
        } else if (Prcb->NextThread == NULL) {
            PKTHREAD Next = KiSelectReady(Prcb, Priority + 1);

            if (Next != NULL) {
                KiAssignProcessor(Prcb, Next);
            }
        }
        break;
    }
    default: Thread->Priority = (SCHAR)Priority; break;
    }
}

VOID KiSetAffinityLocked(PKTHREAD Thread, KAFFINITY Affinity)
{
    Thread->Affinity = Affinity;
    if (Thread->State == Ready) {
        KiRemoveReady(Thread);
        KiReadyThread(Thread);
        return;
    }
    if ((Thread->State == Running || Thread->State == Standby) && !(Affinity >> Thread->NextProcessor & 1)) {
        PKPRCB Prcb = KiProcessorBlock[Thread->NextProcessor];

        if (Thread->State == Standby) {
            Prcb->NextThread = KiSelectReady(Prcb, LOW_PRIORITY);
            if (Prcb->NextThread != NULL) {
                Prcb->NextThread->State = Standby;
            } else if (Prcb->IdleActive) {
                KiIdleSummary |= Prcb->SetMember;
            }
            KiReadyThread(Thread);
        } else if (Prcb->NextThread == NULL) {
            /* It must leave its processor: to whatever is ready there, or to the idle thread. */
            PKTHREAD Next = KiSelectReady(Prcb, LOW_PRIORITY);

            KiAssignProcessor(Prcb, Next != NULL ? Next : Prcb->IdleThread);
        }
    }
}

/* Gives another ready thread of the same or a higher priority this processor. */
VOID KiYield(VOID)
{
    KIRQL OldIrql = KiAcquireDispatcher();
    PKPRCB Prcb = KeGetCurrentPrcb();
    PKTHREAD Thread = Prcb->CurrentThread;

    if (Prcb->NextThread == NULL) {
        PKTHREAD Next = KiSelectReady(Prcb, Thread->Priority);

        if (Next != NULL) {
            Next->State = Standby;
            Next->NextProcessor = Prcb->Number;
            Prcb->NextThread = Next;
        }
    }
    KiUnlockDispatcher(OldIrql);
}

NTSTATUS NTAPI ZwYieldExecution(VOID)
{
    ULONG Switches = KeGetCurrentThread()->ContextSwitches;

    KiYield();
    return KeGetCurrentThread()->ContextSwitches != Switches ? STATUS_SUCCESS : STATUS_NO_YIELD_PERFORMED;
}
