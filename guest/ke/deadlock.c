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
 * Who spins is on a processor, at DISPATCH_LEVEL or above, and says for what in its thread; who holds is on one, too,
 * and is in an ordinary spin lock itself, or has noted a queued or executive one (lockwatch.c).  So a circle of them needs
 * no table: it is looked for when somebody has spun for long.
 */
#include "kep.h"

#define KI_WAIT_BUCKETS  64
#define KI_SELF_DEADLOCK 0x1000

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

    if (Lock != NULL && !HalIsKernelAddress(Caller)) {
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
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Count == 1 ? KI_SELF_DEADLOCK : KI_DEADLOCK,
                 (ULONG_PTR)Start->Object, (ULONG_PTR)Start->Thread, Count);
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

/* ---- what is waited for when something lasts too long ---- */

#define KI_TOLD_WAITS   16
#define KI_TOLD_HOLDERS 4

/* A holder may be a thread that has ended: only its address is told. */
static VOID KiTellWait(PFV_TELL Tell, PFV_WAIT Wait)
{
    CHAR Text[256];
    FV_HOLDER Holder = {0};

    _snprintf(Text, sizeof(Text), "thread=0x%I64x %s\nwaits-for=%s 0x%I64x\nwaits-at=0x%I64x\n", (ULONG64)Wait->Thread,
              ((PKTHREAD)Wait->Thread)->Name, Wait->What, (ULONG64)Wait->Object, (ULONG64)Wait->Caller);
    Text[sizeof(Text) - 1] = 0;
    Tell(Text);
    for (ULONG Index = 0; Index < KI_TOLD_HOLDERS && Wait->NextHolder(Wait, Index, &Holder); Index++) {
        const VOID *Since = Holder.Since;

        if (Since == NULL && KiFindWait(Holder.Thread) != NULL) {
            Since = KiHeldSince(Holder.Thread, Wait->Object);
        }
        _snprintf(Text, sizeof(Text), "held-by=0x%I64x\n", (ULONG64)Holder.Thread);
        Tell(Text);
        if (Since != NULL) {
            _snprintf(Text, sizeof(Text), "held-since=0x%I64x\n", (ULONG64)Since);
            Tell(Text);
        }
        Holder = (FV_HOLDER){0};
    }
}

/* With the verifier on; the kernel's own waits are no driver's.  When all stands still nothing is told: who holds something is asked under his own locks. */
VOID KiTellWaits(PFV_TELL Tell, BOOLEAN Frozen)
{
    ULONG Told = 0;
    KIRQL OldIrql;

    if (Frozen || !KiDriverVerifierOn) {
        return;
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&KiWaitLock);
    for (ULONG Bucket = 0; Bucket < KI_WAIT_BUCKETS; Bucket++) {
        PLIST_ENTRY Head = &KiWaits[Bucket];

        for (PLIST_ENTRY Entry = Head->Flink; Entry != NULL && Entry != Head && Told < KI_TOLD_WAITS;
             Entry = Entry->Flink) {
            PFV_WAIT Wait = CONTAINING_RECORD(Entry, FV_WAIT, Links);

            if (!HalIsKernelAddress(Wait->Caller)) {
                KiTellWait(Tell, Wait);
                Told++;
            }
        }
    }
    KeReleaseSpinLock(&KiWaitLock, OldIrql);
}

/* ---- spin locks ---- */

typedef struct _KI_SPINNER {
    const KTHREAD *Thread;
    ULONG_PTR Spin; /* what it spins for */
    ULONG Next;     /* the processor whose thread is looked at next: does it hold that? */
} KI_SPINNER;

static const VOID *KiSpinLockOf(ULONG_PTR Spin)
{
    return (const VOID *)(Spin & ~(ULONG_PTR)3);
}

/* Of a thread on a processor, as every one that spins is: an ordinary lock names its holder, others are in his notes. */
static BOOLEAN KiHoldsSpinLock(const KTHREAD *Thread, ULONG_PTR Spin)
{
    const VOID *Lock = KiSpinLockOf(Spin);

    if ((Spin & 3) == KiSpinOrdinary) {
        return *(volatile const KSPIN_LOCK *)Lock == ((ULONG_PTR)Thread | 1);
    }
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        if (*(const VOID *const volatile *)&Thread->HeldLock[Index] == Lock) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Follows holders in depth, as a lock may have several.  How many are in the circle; 0: the thread is in none. */
static ULONG KiFindSpinCircle(const KTHREAD *Thread, KI_SPINNER *Path)
{
    ULONG Count = 1, Seen = 0;

    Path[0] = (KI_SPINNER){.Thread = Thread, .Spin = Thread->SpinsFor};
    while (Count != 0) {
        KI_SPINNER *Last = &Path[Count - 1];
        const KTHREAD *Holder;
        ULONG_PTR Spin;

        if (Last->Next == KiProcessorCount) {
            Count--;
            continue;
        }
        Holder = KiProcessorBlock[Last->Next++]->CurrentThread;
        if (!KiHoldsSpinLock(Holder, Last->Spin)) {
            continue;
        }
        if (Holder == Thread) {
            return Count;
        }
        Spin = Holder->SpinsFor;
        if (Spin != 0 && !(Seen >> (Last->Next - 1) & 1)) {
            Seen |= 1u << (Last->Next - 1);
            Path[Count++] = (KI_SPINNER){.Thread = Holder, .Spin = Spin};
        }
    }
    return 0;
}

/*
 * It was found while its threads ran.  When each was seen to spin, and afterwards to hold what the one before spins for,
 * none has gone on in between: the first, who looks, has not.
 */
static BOOLEAN KiIsSpinCircle(const KI_SPINNER *Path, ULONG Count)
{
    for (ULONG Index = 0; Index < Count; Index++) {
        if (Path[Index].Thread->SpinsFor != Path[Index].Spin) {
            return FALSE;
        }
    }
    for (ULONG Index = 0; Index < Count; Index++) {
        if (!KiHoldsSpinLock(Path[(Index + 1) % Count].Thread, Path[Index].Spin)) {
            return FALSE;
        }
    }
    return TRUE;
}

static VOID KiReportSpinner(const KI_SPINNER *Spinner, const KTHREAD *Holder)
{
    static const PCSTR Kinds[KiSpinKinds] = {"spin lock", "queued spin lock", "executive spin lock"};
    const VOID *Lock = KiSpinLockOf(Spinner->Spin), *Since = KiHeldSince(Holder, Lock);
    CHAR Text[256];

    _snprintf(Text, sizeof(Text), "thread=0x%I64x %s\nwaits-for=%s 0x%I64x\nheld-by=0x%I64x %s\n",
              (ULONG64)Spinner->Thread, Spinner->Thread->Name, Kinds[Spinner->Spin & 3], (ULONG64)Lock, (ULONG64)Holder,
              Holder->Name);
    FvReport(Text);
    if (Since != NULL) {
        _snprintf(Text, sizeof(Text), "held-since=0x%I64x\n", (ULONG64)Since);
        FvReport(Text);
    }
}

VOID KiCheckSpinCircle(PKTHREAD Thread)
{
    KI_SPINNER Path[FLTVM_MAX_PROCESSORS];
    ULONG Count;

    if (!KiDriverVerifierOn || KiBugCheckActive) {
        return;
    }
    Count = KiFindSpinCircle(Thread, Path);
    for (ULONG Number = 0; Count == 0 && Number < KiProcessorCount; Number++) {
        const KTHREAD *Other = KiProcessorBlock[Number]->CurrentThread; /* the thread may wait for those of a circle */

        Count = Other->SpinsFor != 0 ? KiFindSpinCircle(Other, Path) : 0;
    }
    if (Count == 0 || !KiIsSpinCircle(Path, Count)) {
        return;
    }
    FvReport(Count == 1 ? "rule=self-deadlock\n" : "rule=deadlock\n");
    for (ULONG Index = 0; Index < Count; Index++) {
        KiReportSpinner(&Path[Index], Path[(Index + 1) % Count].Thread);
    }
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Count == 1 ? KI_SELF_DEADLOCK : KI_DEADLOCK,
                 (ULONG_PTR)KiSpinLockOf(Path[0].Spin), (ULONG_PTR)Path[0].Thread, Count);
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
