/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cancellation.
 *
 * A packet is cancelable while its CancelRoutine is set.  Whoever exchanges the routine for NULL owns the
 * decision: the canceler, who then calls it with the cancel spin lock held, or the driver, who then completes
 * the packet itself.
 */
#include "iop.h"

static KSPIN_LOCK IopCancelSpinLock;

VOID IopInitializeCancel(VOID)
{
    KeInitializeSpinLock(&IopCancelSpinLock);
}

/* IRQL <= DISPATCH_LEVEL; DISPATCH_LEVEL until released. */
VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&IopCancelSpinLock, Irql);
}

/* DISPATCH_LEVEL, by the acquirer, or by a cancel routine with Irp->CancelIrql. */
VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&IopCancelSpinLock, Irql);
}

/* IRQL <= DISPATCH_LEVEL.  TRUE when a cancel routine was called. */
BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL CancelRoutine;
    FV_CALL Call;
    KIRQL Irql;

    FV_TRACE(FLTVM_TRACE_IRP_CANCEL, Irp, 0, 0, 0, 0);
    FvBeginCall(&Call); /* the routine releases the cancel spin lock, and with CancelIrql */
    IoAcquireCancelSpinLock(&Irql);
    Irp->Cancel = TRUE;
    CancelRoutine = IoSetCancelRoutine(Irp, NULL);
    if (CancelRoutine == NULL) {
        IoReleaseCancelSpinLock(Irql);
        return FALSE;
    }
    if (Irp->CurrentLocation > Irp->StackCount + 1) {
        KeBugCheckEx(CANCEL_STATE_IN_COMPLETED_IRP, (ULONG_PTR)Irp, (ULONG_PTR)CancelRoutine, 0, 0);
    }
    Irp->CancelIrql = Irql;
    CancelRoutine(IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    FvEndCall(&Call, (PVOID)CancelRoutine, "cancel routine", (ULONG_PTR)Irp);
    return TRUE;
}

/* What a cancellation asks of a thread: its packets for FileObject (NULL: all), or the one with this I/O status block. */
typedef struct _IOP_CANCEL {
    PFILE_OBJECT FileObject;
    PIO_STATUS_BLOCK Iosb;
    ULONG Found;
    KAPC Apc;
    KEVENT Done;
} IOP_CANCEL, *PIOP_CANCEL;

/*
 * APC_LEVEL, in the thread.  No lock is held: a packet's second stage, which ends it and takes it off the list, is an
 * APC of this thread and waits; and a cancel routine may take a mutex.
 */
static VOID IopCancelOwnIrps(PETHREAD Thread, PIOP_CANCEL Cancel)
{
    PLIST_ENTRY Entry;

    for (Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList; Entry = Entry->Flink) {
        PIRP Irp = CONTAINING_RECORD(Entry, IRP, ThreadListEntry);

        if ((Cancel->Iosb != NULL && Irp->UserIosb != Cancel->Iosb) ||
            (Cancel->FileObject != NULL && Irp->Tail.Overlay.OriginalFileObject != Cancel->FileObject)) {
            continue;
        }
        Cancel->Found++;
        if (!Irp->Cancel) {
            IoCancelIrp(Irp);
        }
    }
}

/* Special kernel APC. */
static VOID NTAPI IopCancelApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext, PVOID *Argument1,
                               PVOID *Argument2)
{
    PIOP_CANCEL Cancel = CONTAINING_RECORD(Apc, IOP_CANCEL, Apc);

    IopCancelOwnIrps(CONTAINING_RECORD(Apc->Thread, ETHREAD, Tcb), Cancel);
    KeSetEvent(&Cancel->Done, 0, FALSE);
}

/* The thread ends, and cancels all of its packets itself. */
static VOID NTAPI IopCancelRundown(PKAPC Apc)
{
    KeSetEvent(&CONTAINING_RECORD(Apc, IOP_CANCEL, Apc)->Done, 0, FALSE);
}

/* How many were found.  PASSIVE_LEVEL; in another thread's stead, that thread does it. */
ULONG IopCancelFileIrps(PETHREAD Thread, PFILE_OBJECT FileObject, PIO_STATUS_BLOCK Iosb)
{
    IOP_CANCEL Cancel;
    KIRQL Irql;

    Cancel.FileObject = FileObject;
    Cancel.Iosb = Iosb;
    Cancel.Found = 0;
    if (Thread == PsGetCurrentThread()) {
        KeRaiseIrql(APC_LEVEL, &Irql);
        IopCancelOwnIrps(Thread, &Cancel);
        KeLowerIrql(Irql);
        return Cancel.Found;
    }
    if (IsListEmpty(&Thread->IrpList)) {
        return 0;
    }
    KeInitializeEvent(&Cancel.Done, NotificationEvent, FALSE);
    KeInitializeApc(&Cancel.Apc, &Thread->Tcb, 0 /* OriginalApcEnvironment */, IopCancelApc, IopCancelRundown, NULL,
                    KernelMode, NULL);
    if (KeInsertQueueApc(&Cancel.Apc, NULL, NULL, 0)) {
        KeWaitForSingleObject(&Cancel.Done, Executive, KernelMode, FALSE, NULL);
    }
    return Cancel.Found;
}

/* Takes what does not end off the thread, so that its completion will go to nobody. */
static VOID IopDisassociateThreadIrps(PETHREAD Thread)
{
    KIRQL Irql;

    KeAcquireSpinLock(&Thread->IrpListLock, &Irql);
    while (!IsListEmpty(&Thread->IrpList)) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(&Thread->IrpList), IRP, ThreadListEntry);

        InitializeListHead(&Irp->ThreadListEntry);
        Irp->Tail.Overlay.Thread = NULL;
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                   "io: thread %p ends, its IRP %p of %wZ was canceled and never completed\n", Thread, Irp,
                   Irp->CurrentLocation <= Irp->StackCount && IoGetCurrentIrpStackLocation(Irp)->DeviceObject != NULL
                       ? &IoGetCurrentIrpStackLocation(Irp)->DeviceObject->DriverObject->DriverName
                       : NULL);
    }
    KeReleaseSpinLock(&Thread->IrpListLock, Irql);
}

/*
 * A thread is about to end: cancels what it has under way and waits for the completions, five minutes at
 * most, as Windows does.  PASSIVE_LEVEL, in that thread.
 */
VOID IopCancelThreadIrps(PETHREAD Thread)
{
    LARGE_INTEGER Interval;
    ULONG Rounds;

    if (IsListEmpty(&Thread->IrpList)) {
        return;
    }
    IopCancelFileIrps(Thread, NULL, NULL);
    Interval.QuadPart = -100 * 10000LL;
    for (Rounds = 0; Rounds < 3000 && !IsListEmpty(&Thread->IrpList); Rounds++) {
        KeDelayExecutionThread(KernelMode, FALSE, &Interval);
    }
    IopDisassociateThreadIrps(Thread);
}

static NTSTATUS IopCancelIo(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel, BOOLEAN AllThreads,
                            PIO_STATUS_BLOCK IoStatusBlock)
{
    PFILE_OBJECT FileObject;
    PETHREAD Thread;
    ULONG Found = 0;
    NTSTATUS Status;

    Status = IopProbeUser(IoStatusBlock, NULL, 0, NULL, 0);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status =
        ObReferenceObjectByHandle(FileHandle, 0, *IoFileObjectType, ExGetPreviousMode(), (PVOID *)&FileObject, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!AllThreads) {
        Found = IopCancelFileIrps(PsGetCurrentThread(), FileObject, NULL);
    } else {
        PEPROCESS Process = IoGetCurrentProcess();

        for (Thread = PsGetNextProcessThread(Process, NULL); Thread != NULL;
             Thread = PsGetNextProcessThread(Process, Thread)) {
            Found += IopCancelFileIrps(Thread, FileObject, IoRequestToCancel);
        }
    }
    ObDereferenceObject(FileObject);
    Status = AllThreads && Found == 0 ? STATUS_NOT_FOUND : STATUS_SUCCESS;
    return IopTellUser(IoStatusBlock, Status, 0);
}

/* PASSIVE_LEVEL.  Every request of this thread on the file. */
NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopCancelIo(FileHandle, NULL, FALSE, IoStatusBlock);
}

/* PASSIVE_LEVEL.  Requests of any thread of the process, or the one request; STATUS_NOT_FOUND when there is
 * none. */
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel, PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopCancelIo(FileHandle, IoRequestToCancel, TRUE, IoStatusBlock);
}
