// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who waits for an acknowledgement: threads, requests whose driver is called back, and FSCTL_OPLOCK_BREAK_NOTIFY.
 *
 * A waiter goes on when no oplock that breaks stands in its operation's way any more.
 */
#include "oplock.h"

VOID FsRtlpInitializeWaiter(PFSRTLP_WAITER Waiter, PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PIRP Irp)
{
    RtlZeroMemory(Waiter, sizeof(*Waiter));
    Waiter->Oplock = Oplock;
    Waiter->Irp = Irp;
    if (Operation != NULL) {
        Waiter->Operation = *Operation;
    } else {
        Waiter->ForAnyBreak = TRUE;
    }
    KeInitializeEvent(&Waiter->Event, NotificationEvent, FALSE);
}

PFSRTLP_WAITER FsRtlpMakeWaiter(PFSRTLP_OPLOCK Oplock, PFSRTLP_OPERATION Operation, PIRP Irp,
                                POPLOCK_WAIT_COMPLETE_ROUTINE Routine, PVOID Context)
{
    PFSRTLP_WAITER Waiter = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Waiter), FSRTLP_OPLOCK_TAG);

    if (Waiter != NULL) {
        FsRtlpInitializeWaiter(Waiter, Oplock, Operation, Irp);
        Waiter->Routine = Routine;
        Waiter->Context = Context;
    }
    return Waiter;
}

BOOLEAN FsRtlpIsHeldUpLocked(PFSRTLP_WAITER Waiter)
{
    PFSRTLP_OPLOCK Oplock = Waiter->Oplock;

    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        PFSRTLP_GRANT Grant = FSRTLP_GRANT_AT(Link);

        if (Grant->Breaking && (Waiter->ForAnyBreak || FsRtlpMustWait(Grant, &Waiter->Operation))) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Without the lock.  A thread's waiter is on its stack: it is gone with the event. */
VOID FsRtlpWakeWaiter(PFSRTLP_WAITER Waiter)
{
    FV_CALL Call;

    if (Waiter->Routine == NULL) {
        KeSetEvent(&Waiter->Event, IO_DISK_INCREMENT, FALSE);
        return;
    }
    FvBeginCall(&Call);
    Waiter->Routine(Waiter->Context, Waiter->Irp);
    Call.MayLeave = FV_MAY_LEAVE_RESOURCES; /* as a completion routine */
    FvEndCall(&Call, (PVOID)Waiter->Routine, "oplock's wait-complete routine", (ULONG_PTR)Waiter->Irp);
    ExFreePoolWithTag(Waiter, FSRTLP_OPLOCK_TAG);
}

static VOID NTAPI FsRtlpCancelWaiter(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFSRTLP_WAITER Waiter = Irp->Tail.Overlay.DriverContext[0];
    PFSRTLP_OPLOCK Oplock = Waiter->Oplock;

    UNREFERENCED_PARAMETER(DeviceObject);
    KeAcquireSpinLockAtDpcLevel(&Oplock->Lock); /* within the cancel lock: see FsRtlUninitializeOplock */
    RemoveEntryList(&Waiter->Link);
    KeReleaseSpinLockFromDpcLevel(&Oplock->Lock);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    FsRtlpWakeWaiter(Waiter);
}

static VOID FsRtlpReleaseLocked(PFSRTLP_WAITER Waiter, NTSTATUS Status, PFSRTLP_DONE Done)
{
    if (Waiter->Routine != NULL && Waiter->Irp != NULL) {
        Waiter->Irp->IoStatus.Status = Status;
        Waiter->Irp->IoStatus.Information = 0;
    }
    Waiter->Waits = FALSE;
    InsertTailList(&Done->Waiters, &Waiter->Link);
}

/* What was cancelled, or need not wait after all, goes to Done at once. */
VOID FsRtlpQueueWaiterLocked(PFSRTLP_WAITER Waiter, PFSRTLP_DONE Done)
{
    PIRP Irp = Waiter->Routine != NULL ? Waiter->Irp : NULL;

    if (Irp != NULL) {
        IoMarkIrpPending(Irp);
    }
    if (!FsRtlpIsHeldUpLocked(Waiter)) {
        FsRtlpReleaseLocked(Waiter, STATUS_SUCCESS, Done);
        return;
    }
    if (Irp != NULL) {
        Irp->Tail.Overlay.DriverContext[0] = Waiter;
        IoSetCancelRoutine(Irp, FsRtlpCancelWaiter);
        if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
            FsRtlpReleaseLocked(Waiter, STATUS_CANCELLED, Done);
            return;
        }
    }
    Waiter->Waits = TRUE;
    InsertTailList(&Waiter->Oplock->Waiters, &Waiter->Link);
}

VOID FsRtlpReleaseWaitersLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_DONE Done)
{
    PLIST_ENTRY Link, Next;

    for (Link = Oplock->Waiters.Flink; Link != &Oplock->Waiters; Link = Next) {
        PFSRTLP_WAITER Waiter = CONTAINING_RECORD(Link, FSRTLP_WAITER, Link);

        Next = Link->Flink;
        if (FsRtlpIsHeldUpLocked(Waiter) ||
            (Waiter->Routine != NULL && Waiter->Irp != NULL && IoSetCancelRoutine(Waiter->Irp, NULL) == NULL)) {
            continue; /* held up, or being cancelled */
        }
        RemoveEntryList(Link);
        FsRtlpReleaseLocked(Waiter, STATUS_SUCCESS, Done);
    }
}

/* TRUE: it had not been released, and is out of the list. */
static BOOLEAN FsRtlpGiveUp(PFSRTLP_WAITER Waiter)
{
    BOOLEAN Waited;
    KIRQL Irql;

    KeAcquireSpinLock(&Waiter->Oplock->Lock, &Irql);
    Waited = Waiter->Waits;
    if (Waited) {
        RemoveEntryList(&Waiter->Link);
        Waiter->Waits = FALSE;
    }
    KeReleaseSpinLock(&Waiter->Oplock->Lock, Irql);
    return Waited;
}

static VOID FsRtlpTellDriver(POPLOCK_NOTIFY_ROUTINE NotifyRoutine, POPLOCK_NOTIFY_PARAMS Parameters)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    NotifyRoutine(Parameters);
    FvEndCall(&Call, (PVOID)NotifyRoutine, "oplock's notify routine", (ULONG_PTR)Parameters->Irp);
}

/* STATUS_CANCELLED: the request was, or the thread is to end.  Timeout: milliseconds until the driver is told that the
 * wait lasts; 0: it is not.  <= APC_LEVEL. */
NTSTATUS FsRtlpWaitHere(PFSRTLP_WAITER Waiter, ULONGLONG Timeout, PVOID NotifyContext,
                        POPLOCK_NOTIFY_ROUTINE NotifyRoutine)
{
    OPLOCK_NOTIFY_PARAMS Parameters = {OPLOCK_NOTIFY_BREAK_WAIT_INTERIM_TIMEOUT, NotifyContext, Waiter->Irp,
                                       STATUS_SUCCESS};
    LARGE_INTEGER Interim;
    NTSTATUS Status;

    Interim.QuadPart = -(LONGLONG)min(Timeout, 0x7fffffffULL) * 10000;
    Status = FsRtlCancellableWaitForSingleObject(&Waiter->Event,
                                                 Timeout != 0 && NotifyRoutine != NULL ? &Interim : NULL, Waiter->Irp);
    if (Status == STATUS_TIMEOUT) {
        FsRtlpTellDriver(NotifyRoutine, &Parameters);
        Status = FsRtlCancellableWaitForSingleObject(&Waiter->Event, NULL, Waiter->Irp);
    }
    if (Status != STATUS_SUCCESS) {
        Status = STATUS_CANCELLED;
        if (!FsRtlpGiveUp(Waiter)) {
            KeWaitForSingleObject(&Waiter->Event, Executive, KernelMode, FALSE, NULL); /* it is on its way */
            Status = STATUS_SUCCESS;
        }
    }
    if (NotifyRoutine != NULL) {
        Parameters.NotifyReason = OPLOCK_NOTIFY_BREAK_WAIT_TERMINATED;
        Parameters.Status = Status;
        FsRtlpTellDriver(NotifyRoutine, &Parameters);
    }
    return Status;
}
