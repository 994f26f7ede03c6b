/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deadlock: waits that can never end.
 *
 * A thread that is about to wait for something that others hold says so (FvBeginWait): what it is, and a routine that
 * names the holders.  Holders that themselves wait lead further; back at the thread itself the circle is closed, and
 * as none in it can run, it stays so.  Whoever closes it finds it, so nothing is looked at but when a wait begins.
 *
 * The waits are records on their threads' stacks, in a table by thread: a wait that is in the table is being waited,
 * and a thread that is not in it is never touched, be it long gone.  KiWaitLock guards the table, and thereby keeps
 * every wait in it, while holders are asked.
 *
 * Who spins is on a processor, at DISPATCH_LEVEL or above, and says for what in its thread; an ordinary spin lock has
 * its holder in it.  So a circle of them needs no table: it is looked for when somebody has spun for long.
 */
#include "kep.h"

#define KI_WAIT_BUCKETS  64
#define KI_SELF_DEADLOCK 0x1000
#define KI_DEADLOCK      0x1001

static KSPIN_LOCK KiWaitLock;
static LIST_ENTRY KiWaits[KI_WAIT_BUCKETS]; /* zero until first used */
static ULONG64 KiWaitSearch;                /* number of the search: marks the waits it has seen */

/* ---- what a thread holds, and since where ---- */

VOID KiNoteHeld(PKTHREAD Thread, const VOID *Lock, const VOID *Caller)
{
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (Thread->Held[Index].Lock == NULL) {
            Thread->Held[Index].Caller = Caller;
            Thread->Held[Index].Lock = Lock;
            return;
        }
    }
    /* Not noted: reports will not name its line, and a circle through a push lock so deep is not seen. */
}

VOID KiNoteReleased(PKTHREAD Thread, const VOID *Lock)
{
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (Thread->Held[Index].Lock == Lock) {
            Thread->Held[Index].Lock = NULL;
            return;
        }
    }
}

/* A lock that is not the last one taken has been given back; Locks says so already.  The last one takes its place. */
VOID KiNoteUnlockedLate(PKTHREAD Thread, const VOID *Lock)
{
    ULONG Last = (UCHAR)Thread->Locks & (KE_HELD_LOCKS - 1);

    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (Thread->HeldLock[Index] == Lock) {
            Thread->HeldLock[Index] = Thread->HeldLock[Last];
            Thread->HeldCaller[Index] = Thread->HeldCaller[Last];
            Thread->HeldLock[Last] = NULL;
            return;
        }
    }
    /* One taken so long ago that it is not noted any more, or that was not taken: the count will tell. */
}

/* For what another thread has granted, which cannot know. */
static VOID KiSetHeldSince(PKTHREAD Thread, const VOID *Lock, const VOID *Caller)
{
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (Thread->Held[Index].Lock == Lock) {
            Thread->Held[Index].Caller = Caller;
        }
    }
}

static const VOID *KiHeldSince(const KTHREAD *Thread, const VOID *Lock)
{
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (Thread->HeldLock[Index] == Lock) {
            return Thread->HeldCaller[Index];
        }
        if (Thread->Held[Index].Lock == Lock) {
            return Thread->Held[Index].Caller;
        }
    }
    return NULL;
}

/* The kernel's own are of before the call: it gives them back. */
static VOID KiReportOneHeld(const VOID *Lock, const VOID *Caller)
{
    CHAR Text[96];

    if (Lock != NULL && (ULONG64)Caller - HalLoaderBlock->kernel_base >= HalLoaderBlock->kernel_size) {
        _snprintf(Text, sizeof(Text), "held=0x%I64x\nheld-since=0x%I64x\n", (ULONG64)Lock, (ULONG64)Caller);
        FvReport(Text);
    }
}

VOID KiReportHeld(const KTHREAD *Thread)
{
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        KiReportOneHeld(Thread->HeldLock[Index], Thread->HeldCaller[Index]);
    }
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        KiReportOneHeld(Thread->Held[Index].Lock, Thread->Held[Index].Caller);
    }
}

/* ---- the circle ---- */

static PLIST_ENTRY KiWaitsOf(const VOID *Thread)
{
    PLIST_ENTRY Head = &KiWaits[((ULONG_PTR)Thread >> 8 ^ (ULONG_PTR)Thread >> 14) % KI_WAIT_BUCKETS];

    if (Head->Flink == NULL) {
        InitializeListHead(Head);
    }
    return Head;
}

/* The wait a thread is in; the innermost, as that is what has to end first.  NULL: it is in none. */
static PFV_WAIT KiFindWait(const VOID *Thread)
{
    PLIST_ENTRY Head = KiWaitsOf(Thread);

    for (PLIST_ENTRY Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PFV_WAIT Wait = CONTAINING_RECORD(Entry, FV_WAIT, Links);

        if (Wait->Thread == Thread) {
            return Wait;
        }
    }
    return NULL;
}

/* Follows holders from Start in depth; the way back is kept in the waits.  NULL, or the last wait of the circle. */
static PFV_WAIT KiFindCircle(PFV_WAIT Start)
{
    PFV_WAIT Wait = Start;

    Start->Search = ++KiWaitSearch;
    Start->Next = 0;
    Start->Previous = NULL;
    while (Wait != NULL) {
        PFV_WAIT Further;

        RtlZeroMemory(&Wait->Holder, sizeof(Wait->Holder));
        if (!Wait->NextHolder(Wait, Wait->Next++, &Wait->Holder)) {
            Wait = Wait->Previous;
            continue;
        }
        if (Wait->Holder.Thread == Start->Thread) {
            return Wait;
        }
        Further = Wait->Holder.Thread != NULL ? KiFindWait(Wait->Holder.Thread) : NULL;
        if (Further != NULL && Further->Search != KiWaitSearch) {
            Further->Search = KiWaitSearch;
            Further->Next = 0;
            Further->Previous = Wait;
            Wait = Further;
        }
    }
    return NULL;
}

/* One line of the circle: a thread, what it waits for, who holds that.  Every thread in it waits, so it is there. */
static VOID KiReportWait(const FV_WAIT *Wait)
{
    const KTHREAD *Thread = Wait->Thread, *Holder = Wait->Holder.Thread;
    const VOID *Since = Wait->Holder.Since != NULL ? Wait->Holder.Since : KiHeldSince(Holder, Wait->Object);
    CHAR Text[320];

    _snprintf(Text, sizeof(Text),
              "thread=0x%I64x %s\nwaits-for=%s 0x%I64x\nwaits-at=0x%I64x\nheld-by=0x%I64x %s\nheld-since=0x%I64x\n",
              (ULONG64)Thread, Thread->Name, Wait->What, (ULONG64)Wait->Object, (ULONG64)Wait->Caller, (ULONG64)Holder,
              Holder->Name, (ULONG64)Since);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
}

/* From Last back to Start the circle is told from its end; so it is turned round first. */
static DECLSPEC_NORETURN VOID KiReportCircle(PFV_WAIT Start, PFV_WAIT Last)
{
    PFV_WAIT Further = NULL;
    ULONG Count = 0;

    for (PFV_WAIT Wait = Last, Previous; Wait != NULL; Wait = Previous) {
        Previous = Wait->Previous;
        Wait->Previous = Further;
        Further = Wait;
        Count++;
    }
    FvReport(Count == 1 ? "rule=self-deadlock\n" : "rule=deadlock\n");
    for (PFV_WAIT Wait = Start; Wait != NULL; Wait = Wait->Previous) {
        KiReportWait(Wait);
    }
    KeBugCheckEx(0xC4, Count == 1 ? KI_SELF_DEADLOCK : KI_DEADLOCK, (ULONG_PTR)Start->Object, (ULONG_PTR)Start->Thread,
                 Count);
}

VOID NTAPI FvBeginWait(PFV_WAIT Wait)
{
    PFV_WAIT Last;
    KIRQL OldIrql;

    if (!KiDriverVerifierOn) {
        return;
    }
    Wait->Thread = KeGetCurrentThread();
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiWaitLock);
    InsertHeadList(KiWaitsOf(Wait->Thread), &Wait->Links);
    Last = KiFindCircle(Wait);
    if (Last != NULL) {
        __writecr8(OldIrql); /* the IRQL of the wait: the report's */
        KiReportCircle(Wait, Last);
    }
    KeReleaseSpinLock(&KiWaitLock, OldIrql);
}

VOID NTAPI FvEndWait(PFV_WAIT Wait)
{
    KIRQL OldIrql;

    if (!KiDriverVerifierOn) {
        return;
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiWaitLock);
    RemoveEntryList(&Wait->Links);
    KeReleaseSpinLock(&KiWaitLock, OldIrql);
}

/* ---- spin locks ---- */

/* The thread that holds an ordinary spin lock, if it is on a processor, as every thread that spins is. */
static PKTHREAD KiFindSpinHolder(const KSPIN_LOCK *SpinLock)
{
    ULONG_PTR Holder = *(volatile const KSPIN_LOCK *)SpinLock;

    for (ULONG Number = 0; Number < KiProcessorCount; Number++) {
        if (Holder == ((ULONG_PTR)KiProcessorBlock[Number]->CurrentThread | 1)) {
            return (PKTHREAD)(Holder & ~(ULONG_PTR)1);
        }
    }
    return NULL;
}

static VOID KiReportSpin(const KTHREAD *Thread, const KSPIN_LOCK *SpinLock, const KTHREAD *Holder)
{
    const VOID *Since = KiHeldSince(Holder, SpinLock);
    CHAR Text[256];

    _snprintf(Text, sizeof(Text), "thread=0x%I64x %s\nwaits-for=spin lock 0x%I64x\nheld-by=0x%I64x %s\n",
              (ULONG64)Thread, Thread->Name, (ULONG64)SpinLock, (ULONG64)Holder, Holder->Name);
    FvReport(Text);
    if (Since != NULL) {
        _snprintf(Text, sizeof(Text), "held-since=0x%I64x\n", (ULONG64)Since);
        FvReport(Text);
    }
}

VOID KiCheckSpinCircle(const KSPIN_LOCK *SpinLock, PKTHREAD Thread)
{
    const KSPIN_LOCK *Locks[FLTVM_MAX_PROCESSORS] = {SpinLock};
    PKTHREAD Threads[FLTVM_MAX_PROCESSORS + 1] = {Thread};
    ULONG Count = 0;

    if (!KiDriverVerifierOn || KiBugCheckActive) {
        return;
    }
    do {
        if (Count == FLTVM_MAX_PROCESSORS || Locks[Count] == NULL) {
            return; /* somebody else's circle, or none */
        }
        Threads[Count + 1] = KiFindSpinHolder(Locks[Count]);
        if (Threads[Count + 1] == NULL) {
            return;
        }
        Count++;
        if (Count < FLTVM_MAX_PROCESSORS) {
            Locks[Count] = Threads[Count]->SpinsFor;
        }
    } while (Threads[Count] != Thread);
    FvReport("rule=deadlock\n");
    for (ULONG Index = 0; Index < Count; Index++) {
        KiReportSpin(Threads[Index], Locks[Index], Threads[Index + 1]);
    }
    KeBugCheckEx(0xC4, KI_DEADLOCK, (ULONG_PTR)SpinLock, (ULONG_PTR)Thread, Count);
}

/* ---- the kernel's own holders ---- */

BOOLEAN NTAPI KeOneHolder(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    Holder->Thread = *(PVOID volatile *)Wait->Context;
    return Index == 0;
}

static BOOLEAN NTAPI KiNextMutantOwner(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    Holder->Thread = ((volatile KMUTANT *)Wait->Object)->OwnerThread;
    return Index == 0;
}

static BOOLEAN NTAPI KiThreadItself(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    Holder->Thread = (PVOID)Wait->Object;
    return Index == 0;
}

/* KeWaitForSingleObject's way for a mutex or a thread that would make it block without a time-out. */
NTSTATUS KiWaitForHolder(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                         const VOID *Caller)
{
    PKTHREAD Thread = KeGetCurrentThread();
    BOOLEAN IsMutant = ((PDISPATCHER_HEADER)Object)->Type == MutantObject;
    FV_WAIT Wait = {.What = IsMutant ? "mutex" : "end of thread",
                    .Object = Object,
                    .Caller = Caller,
                    .NextHolder = IsMutant ? KiNextMutantOwner : KiThreadItself};
    NTSTATUS Status;

    FvBeginWait(&Wait);
    Thread->HolderKnown = Object;
    Status = KeWaitForSingleObject(Object, WaitReason, WaitMode, Alertable, NULL);
    Thread->HolderKnown = NULL;
    FvEndWait(&Wait);
    if (IsMutant) {
        KiSetHeldSince(Thread, Object, Caller);
    }
    return Status;
}

/* The waits in the table, one after another: the first when Wait is NULL. */
static PFV_WAIT KiNextWait(PFV_WAIT Wait)
{
    PLIST_ENTRY Head = Wait != NULL ? KiWaitsOf(Wait->Thread) : &KiWaits[0];
    PLIST_ENTRY Entry = Wait != NULL ? Wait->Links.Flink : Head->Flink;

    while (Entry == NULL || Entry == Head) {
        if (++Head == KiWaits + KI_WAIT_BUCKETS) {
            return NULL;
        }
        Entry = Head->Flink;
    }
    return CONTAINING_RECORD(Entry, FV_WAIT, Links);
}

/* Push locks do not know their holders; but the threads do, and only those that wait matter.  Context: how far. */
BOOLEAN NTAPI KeWaitingHolders(PFV_WAIT Wait, ULONG Index, PFV_HOLDER Holder)
{
    PFV_WAIT Other = Index == 0 ? NULL : Wait->Context;

    while ((Other = KiNextWait(Other)) != NULL) {
        Holder->Since = KiHeldSince(Other->Thread, Wait->Object);
        if (Holder->Since != NULL) {
            Holder->Thread = Other->Thread;
            Wait->Context = Other;
            return TRUE;
        }
    }
    return FALSE;
}
