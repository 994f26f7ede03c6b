/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a packet travels: IofCallDriver down, IofCompleteRequest up.
 *
 * Completion has two stages.  The first runs wherever the driver was (<= DISPATCH_LEVEL): completion routines
 * from the lowest location up, unlocking of pages.  The second runs in the thread that asked, at APC_LEVEL:
 * copying to the caller's buffer, the I/O status block, events, the caller's APC, freeing.  When the request
 * did not pend and the caller set IRP_DEFER_IO_COMPLETION it calls the second stage itself, and no APC is
 * needed.
 */
#include "iop.h"

/* ---- down ------------------------------------------------------------------------------------------------
 */

static VOID IopVerifyCall(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Caller)
{
    PIO_STACK_LOCATION Next;

    if (KeGetCurrentIrql() > DISPATCH_LEVEL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x10, KeGetCurrentIrql(), 0, 0);
    }
    if (Irp->Type != IO_TYPE_IRP) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x3, (ULONG_PTR)Irp, 0, 0);
    }
    if (DeviceObject == NULL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x204, 0, 0, 0);
    }
    if (DeviceObject->Type != IO_TYPE_DEVICE) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x4, (ULONG_PTR)DeviceObject, 0, 0);
    }
    if (Irp->CancelRoutine != NULL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x203, (ULONG_PTR)Caller, (ULONG_PTR)Irp, 0);
    }
    Next = IoGetNextIrpStackLocation(Irp);
    if ((Next->Control & (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL)) != 0) {
        KeCheckRoutine((PVOID)Next->CompletionRoutine, "completion routine");
    }
    if ((Next->Control & SL_PENDING_RETURNED) != 0 && Irp->CurrentLocation > 1) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x206, 0, 0, 0);
    }
}

/* IRQL <= DISPATCH_LEVEL; what the driver called allows may be less. */
NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDRIVER_DISPATCH Routine;
    PIO_STACK_LOCATION Stack;
    NTSTATUS Status;
    FV_CALL State;
    ULONG Call;

    if (IopVerifierOn) {
        IopVerifyCall(DeviceObject, Irp, _ReturnAddress());
    }
    Irp->CurrentLocation--;
    if (Irp->CurrentLocation <= 0) {
        KeBugCheckEx(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0);
    }
    Stack = IoGetNextIrpStackLocation(Irp);
    Irp->Tail.Overlay.CurrentStackLocation = Stack;
    Stack->DeviceObject = DeviceObject;
    FV_TRACE(FLTVM_TRACE_IRP_CALL, Irp, Stack->MajorFunction, Stack->MinorFunction, DeviceObject, Stack->FileObject);
    Routine = DeviceObject->DriverObject->MajorFunction[Stack->MajorFunction];
    if (!IopVerifierOn) {
        return Routine(DeviceObject, Irp);
    }
    Call = IopVerifyCalling(Irp, Stack, Routine, _ReturnAddress());
    FvBeginCall(&State);
    Status = Routine(DeviceObject, Irp);
    if (Status == STATUS_PENDING) {
        State.MayLeave = FV_MAY_LEAVE_RESOURCES; /* who completes it may release them for this thread */
    }
    FvEndCall(&State, (PVOID)Routine, "dispatch routine", (ULONG_PTR)DeviceObject);
    if (Call != 0) {
        IopVerifyReturned(Call, Status);
    }
    return Status;
}

/* ---- second stage ----------------------------------------------------------------------------------------
 */

/* What the packet holds: system buffer and MDLs, whose pages are unlocked already.  <= APC_LEVEL. */
VOID IopReleaseIrpResources(PIRP Irp)
{
    PMDL Mdl;

    if ((Irp->Flags & IRP_DEALLOCATE_BUFFER) != 0 && Irp->AssociatedIrp.SystemBuffer != NULL) {
        ExFreePool(Irp->AssociatedIrp.SystemBuffer);
        Irp->AssociatedIrp.SystemBuffer = NULL;
    }
    Irp->Flags &= ~(IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER);
    while ((Mdl = Irp->MdlAddress) != NULL) {
        Irp->MdlAddress = Mdl->Next;
        IoFreeMdl(Mdl);
    }
}

static VOID IopWriteUserIosb(PIRP Irp)
{
    if (Irp->UserIosb == NULL) {
        return;
    }
    __try {
        Irp->UserIosb->Information = Irp->IoStatus.Information;
        /* Whoever polls the status must see the rest when it sees this. */
        *(volatile NTSTATUS *)&Irp->UserIosb->Status = Irp->IoStatus.Status;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        NOTHING; /* the caller took its block away: its loss */
    }
}

static VOID NTAPI IopUserApcKernelRoutine(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext,
                                          PVOID *Argument1, PVOID *Argument2)
{
    UNREFERENCED_PARAMETER(NormalRoutine);
    UNREFERENCED_PARAMETER(NormalContext);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    IoFreeIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc));
}

static VOID NTAPI IopUserApcRundown(PKAPC Apc)
{
    IoFreeIrp(CONTAINING_RECORD(Apc, IRP, Tail.Apc));
}

/*
 * APC_LEVEL, in the thread that asked (or when that thread is past caring, any).  FileObject is the packet's
 * original one; its reference goes, except for an open, where the opener keeps it.
 */
VOID IopCompleteInThread(PIRP Irp, PFILE_OBJECT FileObject)
{
    PIO_APC_ROUTINE ApcRoutine;
    PETHREAD Thread;
    NTSTATUS Status;
    BOOLEAN Synchronous =
        (Irp->Flags & IRP_SYNCHRONOUS_API) != 0 || (FileObject != NULL && IopIsSynchronous(FileObject));
    BOOLEAN Create = (Irp->Flags & IRP_CREATE_OPERATION) != 0;
    BOOLEAN EventReferenced = FileObject != NULL && (Irp->Flags & IRP_SYNCHRONOUS_API) == 0;

    IopCopyOut(Irp);
    IopReleaseIrpResources(Irp);
    IopDequeueThreadIrp(Irp);
    Status = Irp->IoStatus.Status;

    if (NT_ERROR(Status) && !(Irp->PendingReturned && !Synchronous)) {
        /* The caller learns the error as the service's return value; only who waits must be woken. */
        if (Irp->PendingReturned && FileObject != NULL) {
            if ((Irp->Flags & IRP_SYNCHRONOUS_API) != 0) {
                IopWriteUserIosb(Irp);
                KeSetEvent(Irp->UserEvent != NULL ? Irp->UserEvent : &FileObject->Event, 0, FALSE);
            } else {
                FileObject->FinalStatus = Status;
                KeSetEvent(&FileObject->Event, 0, FALSE);
            }
        } else if (Create) {
            IopWriteUserIosb(Irp);
        }
        if (EventReferenced && Irp->UserEvent != NULL) {
            ObDereferenceObject(Irp->UserEvent);
        }
        if (FileObject != NULL && !Create) {
            ObDereferenceObject(FileObject);
        }
        IoFreeIrp(Irp);
        return;
    }

    IopWriteUserIosb(Irp);
    if (Irp->UserEvent != NULL) {
        KeSetEvent(Irp->UserEvent, 0, FALSE);
        if (FileObject != NULL) {
            if (EventReferenced) {
                ObDereferenceObject(Irp->UserEvent);
            }
            if (IopIsSynchronous(FileObject) && (Irp->Flags & IRP_OB_QUERY_NAME) == 0) {
                FileObject->FinalStatus = Status;
                KeSetEvent(&FileObject->Event, 0, FALSE);
            }
        }
    } else if (FileObject != NULL) {
        FileObject->FinalStatus = Status;
        KeSetEvent(&FileObject->Event, 0, FALSE);
    }

    ApcRoutine = Create ? NULL : Irp->Overlay.AsynchronousParameters.UserApcRoutine;
    Thread = Irp->Tail.Overlay.Thread;
    if (ApcRoutine != NULL && Thread != NULL) {
        KPROCESSOR_MODE Mode = Irp->RequestorMode;
        PVOID Context = Irp->Overlay.AsynchronousParameters.UserApcContext;
        PIO_STATUS_BLOCK UserIosb = Irp->UserIosb;

        KeInitializeApc(&Irp->Tail.Apc, &Thread->Tcb, 2 /* CurrentApcEnvironment */, IopUserApcKernelRoutine,
                        IopUserApcRundown, (PKNORMAL_ROUTINE)(PVOID)ApcRoutine, Mode, Context);
        if (!KeInsertQueueApc(&Irp->Tail.Apc, UserIosb, NULL, 2)) {
            IoFreeIrp(Irp);
        }
    } else if (!IopTellPort(Irp, FileObject)) {
        IoFreeIrp(Irp);
    }
    if (FileObject != NULL && !Create) {
        ObDereferenceObject(FileObject);
    }
}

/* Special kernel APC; argument 1 is the file object.  Tail.Apc lies over Tail.Overlay, whose fields the
 * second stage needs: the APC knows them. */
static VOID NTAPI IopCompletionApc(PKAPC Apc, PKNORMAL_ROUTINE *NormalRoutine, PVOID *NormalContext, PVOID *Argument1,
                                   PVOID *Argument2)
{
    PIRP Irp = CONTAINING_RECORD(Apc, IRP, Tail.Apc);
    PETHREAD Thread = CONTAINING_RECORD(Apc->Thread, ETHREAD, Tcb);
    PFILE_OBJECT FileObject = *Argument1;

    UNREFERENCED_PARAMETER(NormalRoutine);
    UNREFERENCED_PARAMETER(NormalContext);
    UNREFERENCED_PARAMETER(Argument2);
    Irp->Tail.Overlay.Thread = Thread;
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    IopCompleteInThread(Irp, FileObject);
}

/* The thread died before its APC: nobody is told, everything is released. */
static VOID IopAbortCompletion(PIRP Irp, PETHREAD Thread, PFILE_OBJECT FileObject)
{
    Irp->Tail.Overlay.Thread = Thread;
    IopReleaseIrpResources(Irp);
    IopDequeueThreadIrp(Irp);
    if (FileObject != NULL) {
        if (Irp->UserEvent != NULL && (Irp->Flags & IRP_SYNCHRONOUS_API) == 0) {
            ObDereferenceObject(Irp->UserEvent);
        }
        if ((Irp->Flags & IRP_CREATE_OPERATION) == 0) {
            ObDereferenceObject(FileObject);
        }
    }
    IoFreeIrp(Irp);
}

static VOID NTAPI IopCompletionRundown(PKAPC Apc)
{
    PIRP Irp = CONTAINING_RECORD(Apc, IRP, Tail.Apc);

    IopAbortCompletion(Irp, CONTAINING_RECORD(Apc->Thread, ETHREAD, Tcb), Apc->SystemArgument1);
}

/* ---- up --------------------------------------------------------------------------------------------------
 */

static VOID IopVerifyCompletion(PIRP Irp, PVOID Caller)
{
    if (KeGetCurrentIrql() > DISPATCH_LEVEL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0xE, KeGetCurrentIrql(), (ULONG_PTR)Irp, 0);
    }
    if (Irp->IoStatus.Status == STATUS_PENDING || Irp->IoStatus.Status == (NTSTATUS)-1) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x6, (ULONG_PTR)(LONG_PTR)Irp->IoStatus.Status,
                     (ULONG_PTR)Irp, 0);
    }
    if (Irp->CancelRoutine != NULL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x7, (ULONG_PTR)Irp->CancelRoutine, (ULONG_PTR)Irp, 0);
    }
    IopVerifyInformation(Irp, Caller);
}

static BOOLEAN IopRoutineWanted(UCHAR Control, PIRP Irp)
{
    return (NT_SUCCESS(Irp->IoStatus.Status) && (Control & SL_INVOKE_ON_SUCCESS) != 0) ||
           (!NT_SUCCESS(Irp->IoStatus.Status) && (Control & SL_INVOKE_ON_ERROR) != 0) ||
           (Irp->Cancel && (Control & SL_INVOKE_ON_CANCEL) != 0);
}

/* Runs the completion routines; FALSE when one took the packet back. */
static BOOLEAN IopWalkUp(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    Irp->CurrentLocation++;
    Irp->Tail.Overlay.CurrentStackLocation++;
    for (; Irp->CurrentLocation <= Irp->StackCount + 1;
         Stack++, Irp->CurrentLocation++, Irp->Tail.Overlay.CurrentStackLocation++) {
        UCHAR Control = Stack->Control;

        if (IopVerifierOn) {
            IopVerifyLocationDone(Irp, Stack);
        }
        Irp->PendingReturned = (Control & SL_PENDING_RETURNED) != 0;
        if (IopRoutineWanted(Control, Irp)) {
            PIO_COMPLETION_ROUTINE Routine = Stack->CompletionRoutine;
            PVOID Context = Stack->Context;
            PDEVICE_OBJECT DeviceObject =
                Irp->CurrentLocation == Irp->StackCount + 1 ? NULL : IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
            NTSTATUS Status;
            FV_CALL Call;

            /* The location is done with: a routine that reuses the packet must not find it. */
            Stack->MinorFunction = 0;
            Stack->Flags = 0;
            Stack->Control = 0;
            RtlZeroMemory(&Stack->Parameters, sizeof(Stack->Parameters));
            Stack->FileObject = NULL;
            FvBeginCall(&Call);
            Status = Routine(DeviceObject, Irp, Context);
            Call.MayLeave = FV_MAY_LEAVE_RESOURCES; /* it may release what the dispatch routine took */
            FvEndCall(&Call, (PVOID)Routine, "completion routine", (ULONG_PTR)Irp);
            if (Status == STATUS_MORE_PROCESSING_REQUIRED) {
                return FALSE;
            }
        } else {
            if (Irp->PendingReturned && Irp->CurrentLocation <= Irp->StackCount) {
                IoMarkIrpPending(Irp);
            }
            Stack->Control = 0;
        }
    }
    return TRUE;
}

/* An associated packet is done: its share of the master's count.  <= DISPATCH_LEVEL. */
static VOID IopCompleteAssociated(PIRP Irp, CCHAR PriorityBoost)
{
    PIRP Master = Irp->AssociatedIrp.MasterIrp;
    PMDL Mdl;
    PMDL Next;

    for (Mdl = Irp->MdlAddress; Mdl != NULL; Mdl = Next) {
        Next = Mdl->Next;
        IoFreeMdl(Mdl);
    }
    IoFreeIrp(Irp);
    if (InterlockedDecrement(&Master->AssociatedIrp.IrpCount) == 0) {
        IofCompleteRequest(Master, PriorityBoost);
    }
}

static VOID IopUnlockPages(PIRP Irp)
{
    PMDL Mdl;

    for (Mdl = Irp->MdlAddress; Mdl != NULL; Mdl = Mdl->Next) {
        if ((Mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
            MmUnlockPages(Mdl);
        }
    }
}

/* Paging I/O and closes do not need the thread: their status goes where the issuer waits. */
static VOID IopCompleteAnywhere(PIRP Irp, CCHAR PriorityBoost)
{
    ULONG Flags = Irp->Flags;

    *Irp->UserIosb = Irp->IoStatus;
    if ((Flags & IRP_PAGING_IO) != 0) {
        PKEVENT Event = Irp->UserEvent;

        IoFreeIrp(Irp); /* before the issuer goes on */
        KeSetEvent(Event, PriorityBoost, FALSE);
    } else {
        KeSetEvent(Irp->UserEvent, PriorityBoost, FALSE); /* a close: the issuer owns the packet */
    }
}

/* IRQL <= DISPATCH_LEVEL.  The caller must not touch the packet afterwards. */
VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    PFILE_OBJECT FileObject;
    PETHREAD Thread;
    ULONG Limit;

    if (Irp->Type != IO_TYPE_IRP || Irp->CurrentLocation > Irp->StackCount + 1) {
        KeBugCheckEx(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)Irp, __LINE__, 0, 0);
    }
    if (IopVerifierOn) {
        IopVerifyCompletion(Irp, _ReturnAddress());
    }
    FV_TRACE(FLTVM_TRACE_IRP_COMPLETE, Irp, (ULONG)Irp->IoStatus.Status, Irp->IoStatus.Information, 0, 0);
    Limit = IopOutputLimit(Irp);
    if (!IopWalkUp(Irp)) {
        return;
    }
    IopKeepOutputLimit(Irp, Limit);
    if ((Irp->Flags & IRP_ASSOCIATED_IRP) != 0) {
        IopCompleteAssociated(Irp, PriorityBoost);
        return;
    }
    if ((Irp->Flags & IRP_CREATE_OPERATION) != 0 && Irp->IoStatus.Status == STATUS_REPARSE) {
        /* A reparse point's data: the opener's, who is waiting. */
        CONTAINING_RECORD(Irp->UserIosb, IOP_CREATE_RESULT, IoStatus)->ReparseData =
            (PREPARSE_DATA_BUFFER)Irp->Tail.Overlay.AuxiliaryBuffer;
        Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
    }
    if (Irp->Tail.Overlay.AuxiliaryBuffer != NULL) {
        ExFreePool(Irp->Tail.Overlay.AuxiliaryBuffer);
        Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
    }
    if ((Irp->Flags & (IRP_PAGING_IO | IRP_CLOSE_OPERATION)) != 0) {
        IopCompleteAnywhere(Irp, PriorityBoost);
        return;
    }
    if (Irp->MdlAddress != NULL) {
        IopUnlockPages(Irp);
    }
    if ((Irp->Flags & IRP_DEFER_IO_COMPLETION) != 0 && !Irp->PendingReturned) {
        return; /* IopIssueRequest goes on from here */
    }

    Thread = Irp->Tail.Overlay.Thread;
    FileObject = Irp->Tail.Overlay.OriginalFileObject;
    if (Thread == NULL) {
        /* A driver's own packet whose completion routine let it go, or the thread gave up and ended. */
        IopAbortCompletion(Irp, NULL, FileObject);
        return;
    }
    KeInitializeApc(&Irp->Tail.Apc, &Thread->Tcb, Irp->ApcEnvironment, IopCompletionApc, IopCompletionRundown, NULL,
                    KernelMode, NULL);
    if (!KeInsertQueueApc(&Irp->Tail.Apc, FileObject, NULL, PriorityBoost)) {
        IopAbortCompletion(Irp, Thread, FileObject);
    }
}
