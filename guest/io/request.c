/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every request on a file handle has in common: the handle, the caller's event, the lock of a
 * synchronous file object, the packet, and the wait.
 *
 * References: IopBeginRequest takes one on the file object, which the packet's second stage gives back, and
 * for a synchronous file object a second one, which IopIssueRequest gives back after it has released the
 * lock.
 */
#include "iop.h"

/* ---- the lock of a synchronous file object ----------------------------------------------------------------
 */

static NTSTATUS IopWaitFileLock(PFILE_OBJECT FileObject, KPROCESSOR_MODE Mode)
{
    NTSTATUS Status = STATUS_SUCCESS;

    InterlockedIncrement((volatile LONG *)&FileObject->Waiters);
    while (InterlockedExchange((volatile LONG *)&FileObject->Busy, TRUE)) {
        Status =
            KeWaitForSingleObject(&FileObject->Lock, Executive, Mode, (FileObject->Flags & FO_ALERTABLE_IO) != 0, NULL);
        if (Status == STATUS_ALERTED || Status == STATUS_USER_APC) {
            break;
        }
        Status = STATUS_SUCCESS;
    }
    InterlockedDecrement((volatile LONG *)&FileObject->Waiters);
    return Status;
}

/* <= APC_LEVEL.  STATUS_ALERTED or STATUS_USER_APC, without the lock, for alertable files only. */
NTSTATUS IopAcquireFileLock(PFILE_OBJECT FileObject, KPROCESSOR_MODE Mode)
{
    if (InterlockedExchange((volatile LONG *)&FileObject->Busy, TRUE)) {
        return IopWaitFileLock(FileObject, Mode);
    }
    return STATUS_SUCCESS;
}

VOID IopReleaseFileLock(PFILE_OBJECT FileObject)
{
    InterlockedExchange((volatile LONG *)&FileObject->Busy, FALSE);
    if (FileObject->Waiters != 0) {
        KeSetEvent(&FileObject->Lock, 0, FALSE);
    }
}

/* ---- a request's life ------------------------------------------------------------------------------------
 */

/* PASSIVE_LEVEL (APC_LEVEL from fast paths).  On success IopAbandonRequest or IopIssueRequest must follow. */
NTSTATUS IopBeginRequest(PIOP_REQUEST Request, HANDLE FileHandle, ACCESS_MASK Access, HANDLE EventHandle,
                         PIO_APC_ROUTINE ApcRoutine, PACCESS_MASK GrantedAccess)
{
    OBJECT_HANDLE_INFORMATION Handle;
    NTSTATUS Status;

    Request->Mode = ExGetPreviousMode();
    Request->Event = NULL;
    Request->Irp = NULL;
    Request->Synchronous = FALSE;
    Status = ObReferenceObjectByHandle(FileHandle, Access, *IoFileObjectType, Request->Mode,
                                       (PVOID *)&Request->FileObject, &Handle);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (ApcRoutine != NULL && Request->FileObject->CompletionContext != NULL) {
        ObDereferenceObject(Request->FileObject);
        return STATUS_INVALID_PARAMETER; /* its port is told, and nobody else */
    }
    if (GrantedAccess != NULL) {
        *GrantedAccess = Handle.GrantedAccess;
    }
    if (EventHandle != NULL) {
        Status = ObReferenceObjectByHandle(EventHandle, EVENT_MODIFY_STATE, *ExEventObjectType, Request->Mode,
                                           (PVOID *)&Request->Event, NULL);
        if (!NT_SUCCESS(Status)) {
            ObDereferenceObject(Request->FileObject);
            return Status;
        }
        KeClearEvent(Request->Event);
    }
    if (IopIsSynchronous(Request->FileObject)) {
        Status = IopAcquireFileLock(Request->FileObject, Request->Mode);
        if (Status != STATUS_SUCCESS) {
            IopAbandonRequest(Request);
            return Status;
        }
        Request->Synchronous = TRUE;
        ObReferenceObject(Request->FileObject);
    }
    Request->DeviceObject = IoGetRelatedDeviceObject(Request->FileObject);
    return STATUS_SUCCESS;
}

/* Gives back what IopBeginRequest and IopAllocateRequestIrp took. */
VOID IopAbandonRequest(PIOP_REQUEST Request)
{
    if (Request->Irp != NULL) {
        IopReleaseIrpResources(Request->Irp);
        IoFreeIrp(Request->Irp);
        Request->Irp = NULL;
    }
    if (Request->Synchronous) {
        IopReleaseFileLock(Request->FileObject);
        ObDereferenceObject(Request->FileObject);
    }
    if (Request->Event != NULL) {
        ObDereferenceObject(Request->Event);
    }
    ObDereferenceObject(Request->FileObject);
}

/* On failure the request has been abandoned. */
NTSTATUS IopAllocateRequestIrp(PIOP_REQUEST Request, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, UCHAR MajorFunction)
{
    PIRP Irp;

    KeClearEvent(&Request->FileObject->Event);
    Irp = IoAllocateIrp(Request->DeviceObject->StackSize, TRUE);
    if (Irp == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Irp->RequestorMode = Request->Mode;
    Irp->UserIosb = IoStatusBlock;
    Irp->UserEvent = Request->Event;
    Irp->Overlay.AsynchronousParameters.UserApcRoutine = ApcRoutine;
    Irp->Overlay.AsynchronousParameters.UserApcContext = ApcContext;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = Request->FileObject;
    Irp->Flags = IRP_DEFER_IO_COMPLETION;
    Request->Irp = Irp;
    Request->Stack = IoGetNextIrpStackLocation(Irp);
    Request->Stack->MajorFunction = MajorFunction;
    Request->Stack->FileObject = Request->FileObject;
    return STATUS_SUCCESS;
}

static NTSTATUS IopWaitSynchronous(PFILE_OBJECT FileObject, KPROCESSOR_MODE Mode, PIRP Irp)
{
    BOOLEAN Alertable = (FileObject->Flags & FO_ALERTABLE_IO) != 0;
    NTSTATUS Status;

    Status = KeWaitForSingleObject(&FileObject->Event, Executive, Mode, Alertable, NULL);
    if (Status == STATUS_ALERTED || Status == STATUS_USER_APC) {
        /* The request must be over before its caller's buffers go: cancel it, and wait all the same. */
        IopCancelFileIrps(PsGetCurrentThread(), FileObject, Irp->UserIosb);
        KeWaitForSingleObject(&FileObject->Event, Executive, KernelMode, FALSE, NULL);
    }
    return FileObject->FinalStatus;
}

/*
 * Sends the packet and, on a synchronous file object, waits for it.  Everything the request held is given
 * back, now or by the packet's completion.  PASSIVE_LEVEL.
 */
NTSTATUS IopIssueRequest(PIOP_REQUEST Request)
{
    PFILE_OBJECT FileObject = Request->FileObject;
    PIRP Irp = Request->Irp;
    BOOLEAN Deferred = (Irp->Flags & IRP_DEFER_IO_COMPLETION) != 0;
    NTSTATUS Status;
    KIRQL Irql;

    IopQueueThreadIrp(Irp);
    Status = IofCallDriver(Request->DeviceObject, Irp);
    if (Status != STATUS_PENDING && Deferred) {
        KeRaiseIrql(APC_LEVEL, &Irql);
        IopCompleteInThread(Irp, FileObject);
        KeLowerIrql(Irql);
    } else if (Status == STATUS_PENDING && Request->Synchronous) {
        Status = IopWaitSynchronous(FileObject, Request->Mode, Irp);
    }
    if (Request->Synchronous) {
        IopReleaseFileLock(FileObject);
        ObDereferenceObject(FileObject);
    }
    return Status;
}

/*
 * Attaches a transfer's buffer to the packet as the device asks for it.  <= APC_LEVEL.  Raises nothing;
 * STATUS_SUCCESS, or why not, and then IopReleaseIrpResources frees what there is.
 */
NTSTATUS IopPrepareTransferBuffer(PIRP Irp, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                  LOCK_OPERATION Operation, KPROCESSOR_MODE Mode)
{
    BOOLEAN ToCaller = Operation != IoReadAccess;
    NTSTATUS Status = STATUS_SUCCESS;

    if ((DeviceObject->Flags & DO_BUFFERED_IO) != 0) {
        Irp->Flags |= IRP_BUFFERED_IO | (ToCaller ? IRP_INPUT_OPERATION : 0);
        Irp->UserBuffer = Buffer;
        if (Length == 0) {
            return STATUS_SUCCESS;
        }
        Irp->AssociatedIrp.SystemBuffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, IOP_TAG_BUFFER);
        if (Irp->AssociatedIrp.SystemBuffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Irp->Flags |= IRP_DEALLOCATE_BUFFER;
        if (!ToCaller) {
            __try {
                RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, Buffer, Length);
            } __except (EXCEPTION_EXECUTE_HANDLER) {
                Status = GetExceptionCode();
            }
        }
    } else if ((DeviceObject->Flags & DO_DIRECT_IO) != 0) {
        Status = Length == 0 ? STATUS_SUCCESS : IopLockBuffer(Irp, Buffer, Length, Mode, Operation);
    } else {
        Irp->UserBuffer = Buffer;
    }
    return Status;
}
