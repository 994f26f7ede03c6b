// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations break oplocks: which ones stand in the way, what is left of them, and whether the operation waits.
 */
#include "oplock.h"

static FSRTLP_EFFECT FsRtlpEffect(PFSRTLP_GRANT Grant, PFSRTLP_OPERATION Operation)
{
    switch (Grant->Kind) {
    case FsRtlpLevelOne: return Operation->LevelOne;
    case FsRtlpLevelTwo: return Operation->LevelTwo;
    case FsRtlpBatch: return Operation->Batch;
    case FsRtlpFilter: return Operation->Filter;
    case FsRtlpReserved: return FsRtlpToNone;
    default: return (Grant->Level & Operation->Lost) != 0 ? FsRtlpToNone : FsRtlpKeeps;
    }
}

/* Whether the grant stands in the operation's way. */
static BOOLEAN FsRtlpConflicts(PFSRTLP_GRANT Grant, PFSRTLP_OPERATION Operation)
{
    BOOLEAN ByKey = Operation->KeysCount && (Grant->Kind != FsRtlpLevelTwo || Operation->LevelTwoByKey);

    return FsRtlpEffect(Grant, Operation) != FsRtlpKeeps &&
           !(ByKey && FsRtlpKeysMatch(Operation->FileObject, Grant->FileObject, Operation->ByParentKey));
}

/* What the operation leaves of it; of one that breaks already, of what would have been left. */
static ULONG FsRtlpLevelLeft(PFSRTLP_GRANT Grant, PFSRTLP_OPERATION Operation)
{
    ULONG Level = Grant->Breaking ? Grant->NewLevel : Grant->Level;

    if (Grant->Kind == FsRtlpGranular) {
        Level &= ~Operation->Lost;
    } else {
        Level &= FsRtlpEffect(Grant, Operation) == FsRtlpToTwo ? FSRTLP_LEVEL_R : 0;
    }
    return (Level & FSRTLP_LEVEL_R) != 0 ? Level : 0; /* nothing is cached without reads */
}

/* Shared ones need not be acknowledged but where handles are cached. */
static BOOLEAN FsRtlpIsAcknowledged(PFSRTLP_GRANT Grant)
{
    return Grant->Kind != FsRtlpReserved && (Grant->Level & (FSRTLP_LEVEL_W | FSRTLP_LEVEL_H)) != 0;
}

BOOLEAN FsRtlpMustWait(PFSRTLP_GRANT Grant, PFSRTLP_OPERATION Operation)
{
    if (!FsRtlpIsAcknowledged(Grant) || !FsRtlpConflicts(Grant, Operation)) {
        return FALSE;
    }
    if (!FsRtlpIsExclusive(Grant)) {
        return (Operation->Lost & FSRTLP_LEVEL_H) != 0; /* the handle stands in the way, not what it caches */
    }
    return !(Operation->IsLock && Grant->Kind == FsRtlpGranular && (Grant->Level & FSRTLP_LEVEL_H) != 0);
}

static BOOLEAN FsRtlpWouldWaitLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation)
{
    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        if (FsRtlpMustWait(FSRTLP_GRANT_AT(Link), Operation)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* TRUE: one breaks that has to be acknowledged.  What is only reserved goes silently, and counts for nothing. */
static BOOLEAN FsRtlpBreakLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PFSRTLP_DONE Done)
{
    BOOLEAN Breaks = FALSE;
    PLIST_ENTRY Link, Next;

    for (Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Next) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        Next = Link->Flink;
        if (!FsRtlpConflicts(Grant, Operation)) {
            continue;
        }
        if (FsRtlpIsAcknowledged(Grant)) {
            FsRtlpBreakGrantLocked(Grant, FsRtlpLevelLeft(Grant, Operation), Operation, Done);
            Breaks = TRUE;
        } else {
            FsRtlpEndGrantLocked(Grant, STATUS_SUCCESS, 0, Done);
        }
    }
    return Breaks;
}

static BOOLEAN FsRtlpAnyConflictLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation)
{
    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        if (Grant->Kind != FsRtlpReserved && FsRtlpConflicts(Grant, Operation)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* How a caller waits: by being called back, or here and now. */
typedef struct _FSRTLP_MANNER {
    PVOID Context;
    POPLOCK_WAIT_COMPLETE_ROUTINE Completion; /* NULL: here */
    POPLOCK_FS_PREPOST_IRP Post;
    ULONGLONG Timeout;
    PVOID NotifyContext;
    POPLOCK_NOTIFY_ROUTINE Notify;
} FSRTLP_MANNER, *PFSRTLP_MANNER;

static DECLSPEC_NOINLINE VOID FsRtlpTellPost(PFSRTLP_MANNER Manner, PIRP Irp)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Manner->Post(Manner->Context, Irp);
    Call.MayLeave = FV_MAY_LEAVE_RESOURCES; /* as a dispatch routine that pends */
    FvEndCall(&Call, (PVOID)Manner->Post, "oplock's pre-post routine", (ULONG_PTR)Irp);
}

/* For one who is called back: the waiter, with the driver told before anything is queued; it may raise.  NULL: there is
 * nothing to wait for (STATUS_SUCCESS), or no memory. */
static NTSTATUS FsRtlpPrepareWaiter(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PFSRTLP_MANNER Manner,
                                    PFSRTLP_WAITER *Waiter)
{
    BOOLEAN Waits;
    KIRQL Irql;

    *Waiter = NULL;
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    Waits = !Operation->DoesNotWait && FsRtlpWouldWaitLocked(Oplock, Operation) &&
            !(Operation->MayNotBreak && FsRtlpAnyConflictLocked(Oplock, Operation));
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    if (!Waits) {
        return STATUS_SUCCESS;
    }
    *Waiter = FsRtlpMakeWaiter(Oplock, Operation, Operation->Irp, Manner->Completion, Manner->Context);
    if (*Waiter == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Manner->Post != NULL) {
        __try {
            FsRtlpTellPost(Manner, Operation->Irp);
        } __finally {
            if (AbnormalTermination()) {
                ExFreePoolWithTag(*Waiter, FSRTLP_OPLOCK_TAG);
            }
        }
    }
    return STATUS_SUCCESS;
}

/* Breaks what stands in the way, and waits if need be. */
static NTSTATUS FsRtlpOperate(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PFSRTLP_MANNER Manner)
{
    PFSRTLP_WAITER Waiter = NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    FSRTLP_WAITER Here;
    BOOLEAN Breaks;
    FSRTLP_DONE Done;
    KIRQL Irql;

    if (Manner->Completion != NULL) {
        Status = FsRtlpPrepareWaiter(Oplock, Operation, Manner, &Waiter);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    } else {
        FsRtlpInitializeWaiter(&Here, Oplock, Operation, Operation->Irp);
    }
    FsRtlpBeginDone(&Done);
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    if (Operation->MayNotBreak && Waiter == NULL && FsRtlpAnyConflictLocked(Oplock, Operation)) {
        Status = STATUS_CANNOT_BREAK_OPLOCK;
    } else {
        Breaks = FsRtlpBreakLocked(Oplock, Operation, &Done);
        if (Waiter != NULL) {
            FsRtlpQueueWaiterLocked(Waiter, &Done);
            Status = STATUS_PENDING;
        } else if (Breaks && Operation->DoesNotWait) {
            Status = STATUS_OPLOCK_BREAK_IN_PROGRESS;
        } else if (Manner->Completion == NULL && FsRtlpWouldWaitLocked(Oplock, Operation)) {
            FsRtlpQueueWaiterLocked(&Here, &Done);
            Status = STATUS_PENDING;
        } else if (Manner->Completion != NULL && FsRtlpWouldWaitLocked(Oplock, Operation)) {
            Status = STATUS_RETRY; /* one was granted meanwhile */
        }
    }
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    FsRtlpDeliver(&Done);
    if (Status == STATUS_PENDING && Waiter == NULL) {
        Status = FsRtlpWaitHere(&Here, Manner->Timeout, Manner->NotifyContext, Manner->Notify);
    }
    return Status;
}

static NTSTATUS FsRtlpCheck(POPLOCK Oplock, PFSRTLP_OPERATION Operation, PFSRTLP_MANNER Manner)
{
    NTSTATUS Status;

    if (*Oplock == NULL || IsListEmpty(&((PFSRTLP_OPLOCK)*Oplock)->Grants)) {
        return STATUS_SUCCESS;
    }
    do {
        Status = FsRtlpOperate(*Oplock, Operation, Manner);
    } while (Status == STATUS_RETRY);
    return Status;
}

/* ---- cleanup ---------------------------------------------------------------------------------------------
 */

/* What the file object holds or has reserved ends; who waited for it goes on. */
static VOID FsRtlpEndOf(POPLOCK Oplock, PFILE_OBJECT FileObject, BOOLEAN OnlyReserved)
{
    PFSRTLP_OPLOCK Held = *Oplock;
    PLIST_ENTRY Link, Next;
    FSRTLP_DONE Done;
    KIRQL Irql;

    if (Held == NULL) {
        return;
    }
    FsRtlpBeginDone(&Done);
    KeAcquireSpinLock(&Held->Lock, &Irql);
    for (Link = Held->Grants.Flink; Link != &Held->Grants; Link = Next) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        Next = Link->Flink;
        if (Grant->FileObject == FileObject && (!OnlyReserved || Grant->Kind == FsRtlpReserved)) {
            FsRtlpEndGrantLocked(Grant, FsRtlpIsLegacy(Grant) ? STATUS_SUCCESS : STATUS_OPLOCK_HANDLE_CLOSED, 0, &Done);
        }
    }
    FsRtlpReleaseWaitersLocked(Held, &Done);
    KeReleaseSpinLock(&Held->Lock, Irql);
    FsRtlpDeliver(&Done);
}

/* ---- exported --------------------------------------------------------------------------------------------
 */

/* Without memory STATUS_INSUFFICIENT_RESOURCES, and nothing is broken. */
NTSTATUS NTAPI FsRtlCheckOplockEx2(POPLOCK Oplock, PIRP Irp, ULONG Flags, ULONG FlagsEx2,
                                   PVOID CompletionRoutineContext, POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                   POPLOCK_FS_PREPOST_IRP PostIrpRoutine, ULONGLONG Timeout, PVOID NotifyContext,
                                   POPLOCK_NOTIFY_ROUTINE NotifyRoutine)
{
    FSRTLP_MANNER Manner = {
        CompletionRoutineContext, CompletionRoutine, PostIrpRoutine, Timeout, NotifyContext, NotifyRoutine};
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FSRTLP_OPERATION Operation;
    NTSTATUS Status;

    if (FlagsEx2 != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Stack->MajorFunction == IRP_MJ_CREATE) {
        Status = FsRtlpTakeKey(Irp);
        if (!NT_SUCCESS(Status) || (Flags & OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY) != 0) {
            return Status;
        }
    }
    if ((Flags & OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY) != 0) {
        return STATUS_SUCCESS;
    }
    if ((Flags & OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK) != 0) {
        FsRtlpEndOf(Oplock, Stack->FileObject, TRUE);
        return STATUS_SUCCESS;
    }
    if (Stack->MajorFunction == IRP_MJ_CLEANUP && (Flags & OPLOCK_FLAG_PARENT_OBJECT) == 0) {
        FsRtlpEndOf(Oplock, Stack->FileObject, FALSE);
    }
    return FsRtlpDescribe(Irp, Flags, &Operation) ? FsRtlpCheck(Oplock, &Operation, &Manner) : STATUS_SUCCESS;
}

NTSTATUS NTAPI FsRtlCheckOplockEx(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                  POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                  POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    return FsRtlCheckOplockEx2(Oplock, Irp, Flags, 0, Context, CompletionRoutine, PostIrpRoutine, 0, NULL, NULL);
}

NTSTATUS NTAPI FsRtlCheckOplock(POPLOCK Oplock, PIRP Irp, PVOID Context,
                                POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine, POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    return FsRtlCheckOplockEx2(Oplock, Irp, 0, 0, Context, CompletionRoutine, PostIrpRoutine, 0, NULL, NULL);
}

NTSTATUS NTAPI FsRtlOplockBreakH(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                 POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine, POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    FSRTLP_MANNER Manner = {Context, CompletionRoutine, PostIrpRoutine, 0, NULL, NULL};
    FSRTLP_OPERATION Operation;

    FsRtlpDescribeEnd(Irp, Flags, FsRtlpKeeps, FSRTLP_LEVEL_H, &Operation);
    return FsRtlpCheck(Oplock, &Operation, &Manner);
}

NTSTATUS NTAPI FsRtlOplockBreakToNoneEx(POPLOCK Oplock, PIRP Irp, ULONG Flags, PVOID Context,
                                        POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                        POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    FSRTLP_MANNER Manner = {Context, CompletionRoutine, PostIrpRoutine, 0, NULL, NULL};
    FSRTLP_OPERATION Operation;

    FsRtlpDescribeEnd(Irp, Flags | OPLOCK_FLAG_IGNORE_OPLOCK_KEYS, FsRtlpToNone, FSRTLP_LEVEL_RWH, &Operation);
    Operation.MayNotBreak = FALSE;
    return FsRtlpCheck(Oplock, &Operation, &Manner);
}

/* Obsolete: FsRtlOplockBreakToNoneEx without flags.  The stack location is not looked at. */
NTSTATUS NTAPI FsRtlOplockBreakToNone(POPLOCK Oplock, PIO_STACK_LOCATION IrpSp, PIRP Irp, PVOID Context,
                                      POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                      POPLOCK_FS_PREPOST_IRP PostIrpRoutine)
{
    UNREFERENCED_PARAMETER(IrpSp);
    return FsRtlOplockBreakToNoneEx(Oplock, Irp, 0, Context, CompletionRoutine, PostIrpRoutine);
}

/* ---- for a file system above another ---------------------------------------------------------------------
 */

/* STATUS_CANNOT_BREAK_OPLOCK: others than readers are there. */
static NTSTATUS FsRtlpRefreshReaders(PFSRTLP_OPLOCK Oplock)
{
    NTSTATUS Status = STATUS_SUCCESS;
    FSRTLP_DONE Done;
    KIRQL Irql;

    FsRtlpBeginDone(&Done);
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        if (FSRTLP_GRANT_AT(Link)->Kind != FsRtlpGranular || FSRTLP_GRANT_AT(Link)->Level != FSRTLP_LEVEL_R) {
            Status = STATUS_CANNOT_BREAK_OPLOCK;
        }
    }
    while (NT_SUCCESS(Status) && !IsListEmpty(&Oplock->Grants)) {
        FsRtlpEndGrantLocked(FSRTLP_GRANT_AT(Oplock->Grants.Flink), STATUS_SUCCESS, FSRTLP_LEVEL_R, &Done);
    }
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    FsRtlpDeliver(&Done);
    return Status;
}

NTSTATUS NTAPI FsRtlCheckUpperOplock(POPLOCK Oplock, ULONG NewLowerOplockState, PVOID CompletionRoutineContext,
                                     POPLOCK_WAIT_COMPLETE_ROUTINE CompletionRoutine,
                                     POPLOCK_FS_PREPOST_IRP PrePendRoutine, ULONG Flags)
{
    FSRTLP_MANNER Manner = {CompletionRoutineContext, CompletionRoutine, PrePendRoutine, 0, NULL, NULL};
    FSRTLP_EFFECT Fallen = (NewLowerOplockState & FSRTLP_LEVEL_R) != 0 ? FsRtlpToTwo : FsRtlpToNone;
    FSRTLP_OPERATION Operation;

    if ((Flags & OPLOCK_UPPER_FLAG_NOTIFY_REFRESH_READ) != 0) {
        return *Oplock == NULL ? STATUS_SUCCESS : FsRtlpRefreshReaders(*Oplock);
    }
    RtlZeroMemory(&Operation, sizeof(Operation));
    Operation.Lost = FSRTLP_LEVEL_RWH & ~NewLowerOplockState;
    Operation.LevelTwo = (Operation.Lost & FSRTLP_LEVEL_R) != 0 ? FsRtlpToNone : FsRtlpKeeps;
    Operation.LevelOne = (Operation.Lost & FSRTLP_LEVEL_RW) != 0 ? Fallen : FsRtlpKeeps;
    Operation.Filter = (Operation.Lost & FSRTLP_LEVEL_RW) != 0 ? FsRtlpToNone : FsRtlpKeeps;
    Operation.Batch = Operation.Lost != 0 ? Fallen : FsRtlpKeeps;
    Operation.MayNotBreak = (Flags & OPLOCK_UPPER_FLAG_CHECK_NO_BREAK) != 0;
    return FsRtlpCheck(Oplock, &Operation, &Manner);
}
