// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opportunistic locks: who may cache what of a stream, until an operation of somebody else ends it.
 *
 * An owner asks by a control that stays pending; its completion says that the oplock breaks, and to what.  Exclusive
 * ones (level 1, batch, filter, RW and RWH) and RH have to be acknowledged then; what broke them waits for it.  All
 * kinds are grants in one list, each with a level in the terms of FSCTL_REQUEST_OPLOCK (R, H, W), from which the rules
 * are read: level 1 and filter are RW, batch is RWH, level 2 is R.
 *
 *   oplockrequest.c    controls and opens: who is granted what
 *   oplockgrant.c      what is granted, and how its owner is told that it breaks
 *   oplockoperation.c  what an operation means for others' oplocks
 *   oplockbreak.c      operations break oplocks
 *   oplockwait.c       who waits for an acknowledgement
 *   oplockack.c        acknowledgements
 *   oplockkey.c        which handles are one client's
 *
 * A spin lock guards an oplock, so that a request can be cancelled at DISPATCH_LEVEL.  Requests are completed and
 * drivers called without it.  IRQL: <= APC_LEVEL.
 */
#include "oplock.h"
#include <ke.h>
#include <mm.h>

static VOID FsRtlpClearOplock(PFSRTLP_OPLOCK Oplock)
{
    KeInitializeSpinLock(&Oplock->Lock);
    InitializeListHead(&Oplock->Grants);
    InitializeListHead(&Oplock->Waiters);
}

PFSRTLP_OPLOCK FsRtlpMakeOplock(POPLOCK Oplock)
{
    PFSRTLP_OPLOCK New;

    if (*Oplock != NULL) {
        return *Oplock;
    }
    New = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*New), FSRTLP_OPLOCK_TAG);
    if (New == NULL) {
        return NULL;
    }
    FsRtlpClearOplock(New);
    if (InterlockedCompareExchangePointer(Oplock, New, NULL) != NULL) {
        ExFreePoolWithTag(New, FSRTLP_OPLOCK_TAG);
    }
    return *Oplock;
}

VOID FsRtlpBeginDone(PFSRTLP_DONE Done)
{
    InitializeListHead(&Done->Irps);
    InitializeListHead(&Done->Waiters);
    InitializeListHead(&Done->Grants);
}

/* Owners are told before those who wait go on. */
VOID FsRtlpDeliver(PFSRTLP_DONE Done)
{
    while (!IsListEmpty(&Done->Grants)) {
        FsRtlpFreeGrant(FSRTLP_GRANT_AT(RemoveHeadList(&Done->Grants)));
    }
    while (!IsListEmpty(&Done->Irps)) {
        IoCompleteRequest(CONTAINING_RECORD(RemoveHeadList(&Done->Irps), IRP, Tail.Overlay.ListEntry),
                          IO_DISK_INCREMENT);
    }
    while (!IsListEmpty(&Done->Waiters)) {
        FsRtlpWakeWaiter(CONTAINING_RECORD(RemoveHeadList(&Done->Waiters), FSRTLP_WAITER, Link));
    }
}

/*
 * What an oplock needs is made when it is first used.  A driver's with the verifier on is made at once, in the driver's
 * account: so one that is never uninitialized is the driver's leak, by the line of this call.  Without memory it is as any other.
 */
DECLSPEC_NOINLINE VOID NTAPI FsRtlInitializeOplock(POPLOCK Oplock)
{
    PVOID Caller = _ReturnAddress();

    *Oplock = NULL;
    if (KiDriverVerifierOn && KiClassifyCode((ULONG64)Caller) == KiDriverCode) {
        *Oplock = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(FSRTLP_OPLOCK), FSRTLP_OPLOCK_TAG, Caller);
        if (*Oplock != NULL) {
            FsRtlpClearOplock(*Oplock);
        }
    }
}

/* What is still held breaks to nothing, and who still waits goes on. */
VOID NTAPI FsRtlUninitializeOplock(POPLOCK Oplock)
{
    PFSRTLP_OPLOCK Old = *Oplock;
    FSRTLP_DONE Done;
    KIRQL Irql;

    if (Old == NULL) {
        return;
    }
    FsRtlpBeginDone(&Done);
    KeAcquireSpinLock(&Old->Lock, &Irql);
    while (!IsListEmpty(&Old->Grants)) {
        FsRtlpEndGrantLocked(FSRTLP_GRANT_AT(Old->Grants.Flink), STATUS_SUCCESS, 0, &Done);
    }
    FsRtlpReleaseWaitersLocked(Old, &Done);
    KeReleaseSpinLock(&Old->Lock, Irql);
    FsRtlpDeliver(&Done);
    IoAcquireCancelSpinLock(&Irql); /* cancel routines that were on their way have been here */
    IoReleaseCancelSpinLock(Irql);
    ExFreePoolWithTag(Old, FSRTLP_OPLOCK_TAG);
    *Oplock = NULL;
}

/* ---- what is held ----------------------------------------------------------------------------------------
 */

typedef BOOLEAN (*FSRTLP_TEST)(PFSRTLP_GRANT Grant);

static BOOLEAN FsRtlpIsAny(POPLOCK Oplock, FSRTLP_TEST Test)
{
    PFSRTLP_OPLOCK Held = *Oplock;
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    if (Held == NULL || IsListEmpty(&Held->Grants)) {
        return FALSE;
    }
    KeAcquireSpinLock(&Held->Lock, &Irql);
    for (PLIST_ENTRY Link = Held->Grants.Flink; Link != &Held->Grants && !Found; Link = Link->Flink) {
        Found = Test(FSRTLP_GRANT_AT(Link));
    }
    KeReleaseSpinLock(&Held->Lock, Irql);
    return Found;
}

static BOOLEAN FsRtlpIsHeld(PFSRTLP_GRANT Grant)
{
    return Grant->Kind != FsRtlpReserved;
}

static BOOLEAN FsRtlpIsBatchOrFilter(PFSRTLP_GRANT Grant)
{
    return Grant->Kind == FsRtlpBatch || Grant->Kind == FsRtlpFilter;
}

static BOOLEAN FsRtlpCachesHandles(PFSRTLP_GRANT Grant)
{
    return Grant->Kind == FsRtlpGranular && (Grant->Level & FSRTLP_LEVEL_H) != 0;
}

/* A write past the requests would go unseen where several cache, and a break has to be waited for. */
static BOOLEAN FsRtlpPreventsFastIo(PFSRTLP_GRANT Grant)
{
    return FsRtlpIsHeld(Grant) && (Grant->Breaking || !FsRtlpIsExclusive(Grant));
}

BOOLEAN NTAPI FsRtlCurrentOplock(POPLOCK Oplock)
{
    return FsRtlpIsAny(Oplock, FsRtlpIsHeld);
}

BOOLEAN NTAPI FsRtlCurrentBatchOplock(POPLOCK Oplock)
{
    return FsRtlpIsAny(Oplock, FsRtlpIsBatchOrFilter);
}

BOOLEAN NTAPI FsRtlCurrentOplockH(POPLOCK Oplock)
{
    return FsRtlpIsAny(Oplock, FsRtlpCachesHandles);
}

BOOLEAN NTAPI FsRtlOplockIsFastIoPossible(POPLOCK Oplock)
{
    return Oplock == NULL || !FsRtlpIsAny(Oplock, FsRtlpPreventsFastIo);
}

/* The exclusive owner's process, else that of the first whose oplock breaks; referenced.  NULL: there is none. */
PEPROCESS NTAPI FsRtlOplockGetAnyBreakOwnerProcess(POPLOCK Oplock)
{
    PFSRTLP_OPLOCK Held = *Oplock;
    PEPROCESS Process = NULL;
    KIRQL Irql;

    if (Held == NULL) {
        return NULL;
    }
    KeAcquireSpinLock(&Held->Lock, &Irql);
    for (PLIST_ENTRY Link = Held->Grants.Flink; Link != &Held->Grants && Process == NULL; Link = Link->Flink) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        if (FsRtlpIsExclusive(Grant) || Grant->Breaking) {
            Process = Grant->Process;
            ObReferenceObject(Process);
        }
    }
    KeReleaseSpinLock(&Held->Lock, Irql);
    return Process;
}
