// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Push locks: reader-writer locks of one word, all zeroes when free, first come first served.
 *
 * The word: bit 0 held exclusively, bit 1 somebody waits, from bit 4 the number of shared holders.  Waiters are
 * records on their own stacks in one of a few global lists chosen by the lock's address; a release that sees bit 1
 * hands the lock to the longest waiting (and to all readers behind, up to the next writer).
 */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>
#include <fltvm.h>

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

#define EXP_PUSH_EXCLUSIVE 0x1ULL
#define EXP_PUSH_WAITERS   0x2ULL
#define EXP_PUSH_SHARED    0x10ULL
#define EXP_PUSH_HOLDERS   (~(EXP_PUSH_WAITERS))
#define EXP_PUSH_BUCKETS   64

#define EXP_PUSH_VALID_FLAGS 0x3 /* EX_PUSH_LOCK_ENABLE/DISABLE_..., accepted */

typedef struct _EXP_PUSH_WAITER {
    LIST_ENTRY Link;
    PEX_PUSH_LOCK Lock;
    BOOLEAN Exclusive;
    KEVENT Event;
} EXP_PUSH_WAITER;

static struct {
    KSPIN_LOCK Lock;
    LIST_ENTRY Waiters; /* Lock; LIST_ENTRY is zero until first used */
} ExpPushBucket[EXP_PUSH_BUCKETS];

static ULONG64 ExpExchangePushLock(PEX_PUSH_LOCK PushLock, ULONG64 New, ULONG64 Old)
{
    return (ULONG64)InterlockedCompareExchange64((volatile LONG64 *)PushLock, (LONG64)New, (LONG64)Old);
}

/* Takes it if nobody stands in the way; Fair: not past those who wait. */
static BOOLEAN ExpTryPushLock(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive)
{
    ULONG64 Value = *(volatile ULONG64 *)PushLock, New, Seen;

    for (;;) {
        if (Exclusive ? Value != 0 : (Value & (EXP_PUSH_EXCLUSIVE | EXP_PUSH_WAITERS)) != 0)
            return FALSE;
        New = Exclusive ? EXP_PUSH_EXCLUSIVE : Value + EXP_PUSH_SHARED;
        Seen = ExpExchangePushLock(PushLock, New, Value);
        if (Seen == Value)
            return TRUE;
        Value = Seen;
    }
}

static PLIST_ENTRY ExpLockBucket(PEX_PUSH_LOCK PushLock, PKSPIN_LOCK *Lock, PKIRQL OldIrql)
{
    ULONG Index = (ULONG)((ULONG64)PushLock >> 4 ^ (ULONG64)PushLock >> 12) % EXP_PUSH_BUCKETS;

    *Lock = &ExpPushBucket[Index].Lock;
    KeAcquireSpinLock(*Lock, OldIrql);
    if (ExpPushBucket[Index].Waiters.Flink == NULL)
        InitializeListHead(&ExpPushBucket[Index].Waiters);
    return &ExpPushBucket[Index].Waiters;
}

static DECLSPEC_NOINLINE VOID ExpWaitForPushLock(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive, PVOID Caller)
{
    FV_WAIT Wait = {.What = "push lock", .Object = PushLock, .Caller = Caller, .NextHolder = KeWaitingHolders};
    EXP_PUSH_WAITER Waiter;
    PLIST_ENTRY List;
    PKSPIN_LOCK Lock;
    KIRQL OldIrql;
    ULONG64 Value;

    Waiter.Lock = PushLock;
    Waiter.Exclusive = Exclusive;
    KeInitializeEvent(&Waiter.Event, SynchronizationEvent, FALSE);
    List = ExpLockBucket(PushLock, &Lock, &OldIrql);
    for (;;) {
        Value = *(volatile ULONG64 *)PushLock;
        if (ExpTryPushLock(PushLock, Exclusive)) {
            KeReleaseSpinLock(Lock, OldIrql);
            return;
        }
        /* From here on a release finds the bit and comes for the bucket's lock. */
        if (Value != 0 && ExpExchangePushLock(PushLock, Value | EXP_PUSH_WAITERS, Value) == Value)
            break;
    }
    InsertTailList(List, &Waiter.Link);
    KeReleaseSpinLock(Lock, OldIrql);
    FvBeginWait(&Wait);
    KeWaitForSingleObject(&Waiter.Event, WrPushLock, KernelMode, FALSE, NULL);
    FvEndWait(&Wait);
}

static VOID ExpAcquirePushLock(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive, PVOID Caller)
{
    if (!ExpTryPushLock(PushLock, Exclusive))
        ExpWaitForPushLock(PushLock, Exclusive, Caller);
    if (Exclusive)
        KeNoteLockInOrder(PushLock, Caller);
    else
        KeNoteLock(PushLock, Caller);
}

/* The last holder goes and somebody waits: hands the lock on.  The bucket's lock is held. */
static VOID ExpGrantPushLock(PEX_PUSH_LOCK PushLock, PLIST_ENTRY List)
{
    PLIST_ENTRY Link = List->Flink;
    ULONG64 New = 0;
    LIST_ENTRY Granted;
    BOOLEAN More = FALSE;

    InitializeListHead(&Granted);
    while (Link != List) {
        EXP_PUSH_WAITER *Waiter = CONTAINING_RECORD(Link, EXP_PUSH_WAITER, Link);

        Link = Link->Flink;
        if (Waiter->Lock != PushLock)
            continue;
        if ((New & EXP_PUSH_EXCLUSIVE) || (Waiter->Exclusive && New != 0)) {
            More = TRUE;
            break;
        }
        New += Waiter->Exclusive ? EXP_PUSH_EXCLUSIVE : EXP_PUSH_SHARED;
        RemoveEntryList(&Waiter->Link);
        InsertTailList(&Granted, &Waiter->Link);
    }
    *(volatile ULONG64 *)PushLock = New | (More ? EXP_PUSH_WAITERS : 0);
    while (!IsListEmpty(&Granted)) {
        EXP_PUSH_WAITER *Waiter = CONTAINING_RECORD(RemoveHeadList(&Granted), EXP_PUSH_WAITER, Link);
        KeSetEvent(&Waiter->Event, IO_NO_INCREMENT, FALSE);
    }
}

static VOID ExpReleasePushLock(PEX_PUSH_LOCK PushLock, ULONG64 Share)
{
    ULONG64 Value = *(volatile ULONG64 *)PushLock, Seen;
    PLIST_ENTRY List;
    PKSPIN_LOCK Lock;
    KIRQL OldIrql;

    KeNoteUnlock(PushLock);
    for (;;) {
        if (Share == EXP_PUSH_EXCLUSIVE ? !(Value & EXP_PUSH_EXCLUSIVE) : Value < EXP_PUSH_SHARED || (Value & 1)) {
            if (FvVerifierEnabled())
                KeBugCheckEx(RESOURCE_NOT_OWNED, (ULONG_PTR)PushLock, (ULONG_PTR)KeGetCurrentThread(), 0, 4);
            return;
        }
        if ((Value & EXP_PUSH_WAITERS) && ((Value - Share) & EXP_PUSH_HOLDERS) == 0)
            break;
        Seen = ExpExchangePushLock(PushLock, Value - Share, Value);
        if (Seen == Value)
            return;
        Value = Seen;
    }
    /* Only waiters can change the word now, and they need the bucket's lock to be queued. */
    List = ExpLockBucket(PushLock, &Lock, &OldIrql);
    ExpGrantPushLock(PushLock, List);
    KeReleaseSpinLock(Lock, OldIrql);
}

static VOID ExpCheckPushFlags(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    if ((Flags & ~EXP_PUSH_VALID_FLAGS) != 0 && FvVerifierEnabled()) {
        FvReport("rule=a push lock has no such flags\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)PushLock, Flags,
                     EXP_PUSH_VALID_FLAGS);
    }
}

VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    *PushLock = 0;
}

VOID FASTCALL ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ExpCheckPushFlags(PushLock, Flags);
    ExpAcquirePushLock(PushLock, TRUE, __builtin_return_address(0));
}

VOID FASTCALL ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    ExpCheckPushFlags(PushLock, Flags);
    ExpAcquirePushLock(PushLock, FALSE, __builtin_return_address(0));
}

VOID NTAPI FvAcquirePushLockForCaller(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive, ULONG Flags, PVOID Caller)
{
    ExpCheckPushFlags(PushLock, Flags);
    ExpAcquirePushLock(PushLock, Exclusive, Caller);
}

VOID FASTCALL ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ExpReleasePushLock(PushLock, EXP_PUSH_EXCLUSIVE);
}

VOID FASTCALL ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ExpReleasePushLock(PushLock, EXP_PUSH_SHARED);
}

VOID FASTCALL ExReleasePushLockEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    ExpReleasePushLock(PushLock, *PushLock & EXP_PUSH_EXCLUSIVE ? EXP_PUSH_EXCLUSIVE : EXP_PUSH_SHARED);
}
