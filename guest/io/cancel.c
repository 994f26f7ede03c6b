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
    KIRQL Irql;

    FV_TRACE(FLTVM_TRACE_IRP_CANCEL, Irp, 0, 0, 0, 0);
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
    if (IopVerifierOn && KeGetCurrentIrql() != Irql) {
        /* the routine did not release the cancel spin lock, or not with CancelIrql */
        KeBugCheckEx(IRQL_UNEXPECTED_VALUE, ((ULONG_PTR)KeGetCurrentIrql() << 16) | Irql,
                     (ULONG_PTR)CancelRoutine, (ULONG_PTR)Irp, 0);
    }
    return TRUE;
}

/*
 * Cancels the thread's packets for FileObject (all when it is NULL), or only the one with this I/O status
 * block. How many were found.  <= APC_LEVEL.  The list's lock keeps the packets from their second stage,
 * hence alive.
 */
ULONG IopCancelFileIrps(PETHREAD Thread, PFILE_OBJECT FileObject, PIO_STATUS_BLOCK Iosb)
{
    PLIST_ENTRY Entry;
    ULONG Found = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&Thread->IrpListLock, &Irql);
    for (Entry = Thread->IrpList.Flink; Entry != &Thread->IrpList; Entry = Entry->Flink) {
        PIRP Irp = CONTAINING_RECORD(Entry, IRP, ThreadListEntry);

        if ((Iosb != NULL && Irp->UserIosb != Iosb) ||
            (FileObject != NULL && Irp->Tail.Overlay.OriginalFileObject != FileObject)) {
            continue;
        }
        Found++;
        if (!Irp->Cancel) {
            IoCancelIrp(Irp);
        }
    }
    KeReleaseSpinLock(&Thread->IrpListLock, Irql);
    return Found;
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
                   Irp->CurrentLocation <= Irp->StackCount &&
                           IoGetCurrentIrpStackLocation(Irp)->DeviceObject != NULL
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

    Status = ObReferenceObjectByHandle(FileHandle, 0, *IoFileObjectType, ExGetPreviousMode(),
                                       (PVOID *)&FileObject, NULL);
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
    IoStatusBlock->Status = Status;
    IoStatusBlock->Information = 0;
    return Status;
}

/* PASSIVE_LEVEL.  Every request of this thread on the file. */
NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopCancelIo(FileHandle, NULL, FALSE, IoStatusBlock);
}

/* PASSIVE_LEVEL.  Requests of any thread of the process, or the one request; STATUS_NOT_FOUND when there is
 * none. */
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel,
                                PIO_STATUS_BLOCK IoStatusBlock)
{
    return IopCancelIo(FileHandle, IoRequestToCancel, TRUE, IoStatusBlock);
}
