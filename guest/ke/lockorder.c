/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockorder: locks that drivers take in orders that can end in a deadlock, with the verifier on.
 *
 * A thread that takes a lock while it holds another has said in which order the two are taken.  When what was said leads
 * from the new one back to the one held, threads that come at the right moment wait for one another for ever; that this
 * thread was lucky is no reason to say nothing, as Driver Verifier's deadlock detection does.
 *
 * Known are drivers' own calls that take spin locks, fast and guarded mutexes, mutexes, and push locks and resources
 * exclusively, and that would wait: who only tries, or takes a share, says nothing, but is held as the others are.  An
 * order is an edge from the lock that is held to the one that is taken.  What was held besides each time (its gates) keeps the
 * edge's threads apart from those of another edge with the same gate: orders under one lock that all take first are no fault.
 *
 * Rules for orders
 *  - KiOrderLock guards all, taken with interrupts off; inside it only tracked.c's lock is taken.
 *  - The table has room for the last KI_ORDERS edges; an older one is forgotten.
 *  - An edge of a lock whose memory goes is forgotten (KeForgetLocks); such locks are tracked.
 *  - Locks on a stack are not looked after, and those that are not aligned as a KSPIN_LOCK.
 */
#include "kep.h"

#define KI_ORDERS        1024
#define KI_ORDER_BUCKETS 512
#define KI_ORDER_GATES   3
#define KI_ORDER_PATH    8 /* locks of a circle, at most */
#define KI_LOCKS         (2 * KE_HELD_LOCKS)

typedef struct _KI_ORDER {
    struct _KI_ORDER *NextBefore, *NextAfter; /* of the same bucket of Before, of After */
    const VOID *Before, *After;               /* NULL: unused */
    const VOID *HeldSince, *TakenAt;
    const VOID *Gates[KI_ORDER_GATES];
    UCHAR GateCount;
    ULONG Search;
} KI_ORDER, *PKI_ORDER;

/* What drivers' calls hold in the thread besides the lock it has taken last. */
typedef struct _KI_HOLDING {
    ULONG Count;
    struct {
        const VOID *Lock, *Caller;
    } Locks[KI_LOCKS];
} KI_HOLDING;

static KSPIN_LOCK KiOrderLock;
static KI_ORDER KiOrders[KI_ORDERS];
static PKI_ORDER KiByBefore[KI_ORDER_BUCKETS], KiByAfter[KI_ORDER_BUCKETS];
static ULONG KiNextOrder; /* the place to use next, used or not */
static ULONG KiOrderSearch;
volatile LONG KiOrderedLocks;

static ULONG KiOrderBucket(const VOID *Lock)
{
    return (ULONG)((ULONG_PTR)Lock * 0x9E3779B97F4A7C15ull >> 55);
}
C_ASSERT(KI_ORDER_BUCKETS == 1 << 9);

static PKI_ORDER KiFindOrder(const VOID *Before, const VOID *After)
{
    PKI_ORDER Order = KiByBefore[KiOrderBucket(Before)];

    while (Order != NULL && (Order->Before != Before || Order->After != After)) {
        Order = Order->NextBefore;
    }
    return Order;
}

static VOID KiRemoveOrder(PKI_ORDER Order)
{
    PKI_ORDER *Link = &KiByBefore[KiOrderBucket(Order->Before)];

    while (*Link != Order) {
        Link = &(*Link)->NextBefore;
    }
    *Link = Order->NextBefore;
    Link = &KiByAfter[KiOrderBucket(Order->After)];
    while (*Link != Order) {
        Link = &(*Link)->NextAfter;
    }
    *Link = Order->NextAfter;
    Order->Before = Order->After = NULL;
}

static VOID KiTrackLock(const VOID *Lock)
{
    if (!KiIsTracked(KiTrackedOrder, Lock)) {
        KiTrack(KiTrackedOrder, Lock);
        KiOrderedLocks++;
    }
}

static PKI_ORDER KiInsertOrder(const VOID *Before, const VOID *After)
{
    PKI_ORDER Order = &KiOrders[KiNextOrder++ % KI_ORDERS];

    if (Order->Before != NULL) {
        KiRemoveOrder(Order);
    }
    RtlZeroMemory(Order, sizeof(*Order));
    Order->Before = Before;
    Order->After = After;
    Order->NextBefore = KiByBefore[KiOrderBucket(Before)];
    KiByBefore[KiOrderBucket(Before)] = Order;
    Order->NextAfter = KiByAfter[KiOrderBucket(After)];
    KiByAfter[KiOrderBucket(After)] = Order;
    KiTrackLock(Before);
    KiTrackLock(After);
    return Order;
}

/* ---- the circle ---- */

static BOOLEAN KiShareGate(const KI_ORDER *Left, const KI_ORDER *Right)
{
    for (ULONG Index = 0; Index < Left->GateCount; Index++) {
        for (ULONG Other = 0; Other < Right->GateCount; Other++) {
            if (Left->Gates[Index] == Right->Gates[Other]) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

/* Whether an edge can be of a circle with those of the path so far. */
static BOOLEAN KiGoesWith(PKI_ORDER Order, PKI_ORDER *Path, ULONG Count)
{
    if (Order->Search == KiOrderSearch) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Count; Index++) {
        if (KiShareGate(Order, Path[Index])) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Path[0] is the new order; the others go on from where it leads, back to where it begins.  Returns their count, 0: none. */
static ULONG KiFindOrderCircle(PKI_ORDER *Path)
{
    PKI_ORDER Next = KiByBefore[KiOrderBucket(Path[0]->After)];
    ULONG Count = 1;

    KiOrderSearch++;
    for (;;) {
        while (Next != NULL && (Next->Before != Path[Count - 1]->After || !KiGoesWith(Next, Path, Count))) {
            Next = Next->NextBefore;
        }
        if (Next == NULL) {
            if (Count == 1) {
                return 0;
            }
            Next = Path[--Count]->NextBefore;
            continue;
        }
        Next->Search = KiOrderSearch;
        Path[Count++] = Next;
        if (Next->After == Path[0]->Before) {
            return Count;
        }
        if (Count == KI_ORDER_PATH) {
            Next = Path[--Count]->NextBefore;
        } else {
            Next = KiByBefore[KiOrderBucket(Next->After)];
        }
    }
}

static DECLSPEC_NORETURN VOID KiReportOrders(PKI_ORDER *Path, ULONG Count)
{
    CHAR Text[192];

    FvReport("rule=lock-order\n");
    for (ULONG Index = 0; Index < Count; Index++) {
        _snprintf(Text, sizeof(Text), "holds=0x%I64x\nheld-since=0x%I64x\ntakes=0x%I64x\ntaken-at=0x%I64x\n",
                  (ULONG64)Path[Index]->Before, (ULONG64)Path[Index]->HeldSince, (ULONG64)Path[Index]->After,
                  (ULONG64)Path[Index]->TakenAt);
        Text[sizeof(Text) - 1] = 0;
        FvReport(Text);
    }
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, KI_DEADLOCK, (ULONG_PTR)Path[0]->After,
                 (ULONG_PTR)KeGetCurrentThread(), Count);
}

/* ---- what a thread says ---- */

static BOOLEAN KiIsHeldBeside(const KI_HOLDING *Holding, const VOID *Lock)
{
    for (ULONG Index = 0; Index < Holding->Count; Index++) {
        if (Holding->Locks[Index].Lock == Lock) {
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN KiIsDrivers(const VOID *Caller)
{
    return KiClassifyCode != NULL && KiClassifyCode((ULONG64)Caller) == KiDriverCode;
}

static VOID KiAddHolding(KI_HOLDING *Holding, const VOID *Lock, const VOID *Caller)
{
    if (Lock != NULL && !KiIsHeldBeside(Holding, Lock) && KiIsDrivers(Caller)) {
        Holding->Locks[Holding->Count].Lock = Lock;
        Holding->Locks[Holding->Count++].Caller = Caller;
    }
}

/* Most threads hold what the kernel has taken, beside the one lock of a driver's: that is told at a glance. */
static BOOLEAN KiHoldsOther(const KTHREAD *Thread, const VOID *Lock)
{
    ULONG Locks = min((UCHAR)Thread->Locks, KE_HELD_LOCKS), Resources = (UCHAR)Thread->Resources;

    for (ULONG Index = 0; Index < Locks; Index++) {
        if (Thread->HeldLock[Index] != Lock && !HalIsKernelAddress(Thread->HeldCaller[Index])) {
            return TRUE;
        }
    }
    for (ULONG Index = 0; Index < KE_HELD_LOCKS && Resources != 0; Index++) {
        if (Thread->Held[Index].Lock != NULL) {
            Resources--;
            if (Thread->Held[Index].Lock != Lock && !HalIsKernelAddress(Thread->Held[Index].Caller)) {
                return TRUE;
            }
        }
    }
    return FALSE;
}

/* FALSE: the thread has Lock from before; taking it again never waits. */
static BOOLEAN KiReadHolding(const KTHREAD *Thread, const VOID *Lock, KI_HOLDING *Holding)
{
    ULONG Times = 0;

    Holding->Count = 0;
    for (ULONG Index = 0; Index < KE_HELD_LOCKS; Index++) {
        const VOID *Both[] = {Thread->HeldLock[Index], Thread->Held[Index].Lock};

        Times += (Both[0] == Lock) + (Both[1] == Lock);
        if (Both[0] != Lock) {
            KiAddHolding(Holding, Both[0], Thread->HeldCaller[Index]);
        }
        if (Both[1] != Lock) {
            KiAddHolding(Holding, Both[1], Thread->Held[Index].Caller);
        }
    }
    return Times <= 1;
}

static BOOLEAN KiIsOrdered(const KTHREAD *Thread, const VOID *Lock)
{
    return ((ULONG_PTR)Lock & 7) == 0 &&
           ((ULONG_PTR)Lock < (ULONG_PTR)Thread->StackLimit || (ULONG_PTR)Lock >= (ULONG_PTR)Thread->StackBase);
}

/* Gates that are not held this time are none.  TRUE: there are fewer. */
static BOOLEAN KiNarrowGates(PKI_ORDER Order, const KI_HOLDING *Holding)
{
    ULONG Kept = 0, Before = Order->GateCount;

    for (ULONG Index = 0; Index < Before; Index++) {
        if (KiIsHeldBeside(Holding, Order->Gates[Index])) {
            Order->Gates[Kept++] = Order->Gates[Index];
        }
    }
    Order->GateCount = (UCHAR)Kept;
    return Kept < Before;
}

/* A new order, from the Index-th that is held. */
static PKI_ORDER KiSayOrder(const KI_HOLDING *Holding, ULONG Index, const VOID *Lock, const VOID *Caller)
{
    PKI_ORDER Order = KiInsertOrder(Holding->Locks[Index].Lock, Lock);

    Order->HeldSince = Holding->Locks[Index].Caller;
    Order->TakenAt = Caller;
    for (ULONG Gate = 0; Gate < Holding->Count && Order->GateCount < KI_ORDER_GATES; Gate++) {
        if (Gate != Index) {
            Order->Gates[Order->GateCount++] = Holding->Locks[Gate].Lock;
        }
    }
    return Order;
}

DECLSPEC_NOINLINE VOID KiCheckOrder(PKTHREAD Thread, const VOID *Lock, const VOID *Caller)
{
    PKI_ORDER Path[KI_ORDER_PATH];
    KI_HOLDING Holding;
    ULONG Count = 0;
    BOOLEAN Enabled;

    if (!KiHoldsOther(Thread, Lock) || !KiIsDrivers(Caller) || !KiIsOrdered(Thread, Lock) ||
        !KiReadHolding(Thread, Lock, &Holding)) {
        return; /* the kernel's own, mostly */
    }
    Enabled = KiDisableInterrupts();
    KiAcquireSpinLock(&KiOrderLock);
    for (ULONG Index = 0; Index < Holding.Count && Count == 0; Index++) {
        BOOLEAN News;

        if (!KiIsOrdered(Thread, Holding.Locks[Index].Lock)) {
            continue;
        }
        Path[0] = KiFindOrder(Holding.Locks[Index].Lock, Lock);
        News = Path[0] == NULL || (Path[0]->GateCount != 0 && KiNarrowGates(Path[0], &Holding));
        if (Path[0] == NULL) {
            Path[0] = KiSayOrder(&Holding, Index, Lock, Caller);
        }
        Count = News ? KiFindOrderCircle(Path) : 0;
    }
    KiReleaseSpinLock(&KiOrderLock);
    KiRestoreInterrupts(Enabled);
    if (Count != 0) {
        KiReportOrders(Path, Count);
    }
}

/* Memory goes: what was said of the locks in it is of no lock any more. */
VOID KiForgetLocks(PVOID Base, SIZE_T Size)
{
    const VOID *Lock;
    BOOLEAN Enabled;
    ULONG Kind;

    while ((Lock = KiFindTrackedIn(Base, Size, &Kind)) != NULL && Kind == KiTrackedOrder) {
        ULONG Bucket = KiOrderBucket(Lock);
        PKI_ORDER Next;

        Enabled = KiDisableInterrupts();
        KiAcquireSpinLock(&KiOrderLock);
        for (PKI_ORDER Order = KiByBefore[Bucket]; Order != NULL; Order = Next) {
            Next = Order->NextBefore;
            if (Order->Before == Lock) {
                KiRemoveOrder(Order);
            }
        }
        for (PKI_ORDER Order = KiByAfter[Bucket]; Order != NULL; Order = Next) {
            Next = Order->NextAfter;
            if (Order->After == Lock) {
                KiRemoveOrder(Order);
            }
        }
        if (KiUntrack(KiTrackedOrder, Lock)) {
            KiOrderedLocks--;
        }
        KiReleaseSpinLock(&KiOrderLock);
        KiRestoreInterrupts(Enabled);
    }
}
