/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oplock.c: oplocks that a filter keeps itself, by the file system library's package.  IRQL: <= APC_LEVEL.
 *
 * A control is the package's to complete, and the operation's request is not: the package gets a request of our own in
 * its place, whose end gives the operation back, and which is cancelled when the operation's is.
 */
#include "operation.h"

#define FLTP_TAG_OPLOCK 'pOtF'

/* The library's call is the filter's: it is to see who calls. */
VOID FLTAPI FltInitializeOplock(POPLOCK Oplock)
{
    __attribute__((musttail)) return FsRtlInitializeOplock(Oplock);
}

VOID FLTAPI FltUninitializeOplock(POPLOCK Oplock)
{
    FsRtlUninitializeOplock(Oplock);
}

BOOLEAN FLTAPI FltOplockIsFastIoPossible(POPLOCK Oplock)
{
    return FsRtlOplockIsFastIoPossible(Oplock);
}

BOOLEAN FLTAPI FltCurrentBatchOplock(POPLOCK Oplock)
{
    return FsRtlCurrentBatchOplock(Oplock);
}

BOOLEAN FLTAPI FltCurrentOplock(POPLOCK Oplock)
{
    return FsRtlCurrentOplock(Oplock);
}

BOOLEAN FLTAPI FltCurrentOplockH(POPLOCK Oplock)
{
    return FsRtlCurrentOplockH(Oplock);
}

BOOLEAN FLTAPI FltOplockKeysEqual(PFILE_OBJECT Fo1, PFILE_OBJECT Fo2)
{
    return FsRtlOplockKeysEqual(Fo1, Fo2);
}

BOOLEAN FLTAPI FltOplockIsSharedRequest(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltOplockIsSharedRequest was given no operation under way\n");

    return FLT_IS_IRP_OPERATION(CallbackData) && FsRtlOplockIsSharedRequest(Operation->Irp);
}

/* The operation under way, when it came as a request; else it is refused. */
static PFLTP_OPERATION FltpOplockOperation(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FltpCheckData(Data, Text);

    if (FLT_IS_IRP_OPERATION(Data))
        return Operation;
    Data->IoStatus.Status = STATUS_INVALID_PARAMETER;
    Data->IoStatus.Information = 0;
    return NULL;
}

/* It is pended, and perhaps given back already: the callback that asked has to say so.  Own, of before it was, may be NULL. */
VOID FltpGiveToPackage(PFLTP_CALL Own)
{
    if (Own != NULL && Own->Given == FltpNotGiven)
        Own->Given = FltpGivenPackage;
}

/* --- Controls --- */

/* What stands for the operation's request; two references: the package's, and that of the request's cancel routine. */
typedef struct _FLTP_OPLOCK_REQUEST {
    volatile LONG References;
    PIRP Irp; /* the package's */
    PFLTP_OPERATION Operation;
} FLTP_OPLOCK_REQUEST, *PFLTP_OPLOCK_REQUEST;

static VOID FltpReleaseOplockRequest(PFLTP_OPLOCK_REQUEST Request)
{
    if (InterlockedDecrement(&Request->References) == 0) {
        IoFreeIrp(Request->Irp);
        ExFreePoolWithTag(Request, FLTP_TAG_OPLOCK);
    }
}

static VOID NTAPI FltpCancelOplock(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFLTP_OPLOCK_REQUEST Request = Irp->Tail.Overlay.DriverContext[0];

    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    IoCancelIrp(Request->Irp);
    FltpReleaseOplockRequest(Request);
}

/* The operation's request cannot be cancelled any more, or its cancel routine has left it. */
static VOID FltpEndCancellation(PFLTP_OPLOCK_REQUEST Request)
{
    KIRQL Irql;

    if (IoSetCancelRoutine(Request->Operation->Irp, NULL) != NULL) {
        FltpReleaseOplockRequest(Request);
        return;
    }
    IoAcquireCancelSpinLock(&Irql);
    IoReleaseCancelSpinLock(Irql);
}

/* The package's request is over.  One that was pended gives the operation back; else whoever asked has the status. */
static NTSTATUS NTAPI FltpOplockOver(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_OPLOCK_REQUEST Request = Context;
    PFLT_CALLBACK_DATA Data = &Request->Operation->Data;

    UNREFERENCED_PARAMETER(Device);
    FltpEndCancellation(Request);
    Data->IoStatus = Irp->IoStatus;
    if (Irp->PendingReturned) {
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
        FltpReleaseOplockRequest(Request);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* With the operation's parameters as the filter sees them; NULL without memory. */
static PFLTP_OPLOCK_REQUEST FltpMakeOplockRequest(PFLTP_OPERATION Operation)
{
    PFLTP_OPLOCK_REQUEST Request = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Request), FLTP_TAG_OPLOCK);
    PIO_STACK_LOCATION Stack;

    if (Request == NULL)
        return NULL;
    Request->References = 2;
    Request->Operation = Operation;
    Request->Irp = IoAllocateIrp(2, FALSE);
    if (Request->Irp == NULL) {
        ExFreePoolWithTag(Request, FLTP_TAG_OPLOCK);
        return NULL;
    }
    Request->Irp->Flags = Operation->Irp->Flags;
    Request->Irp->RequestorMode = Operation->Irp->RequestorMode;
    Request->Irp->Tail.Overlay.Thread = Operation->Irp->Tail.Overlay.Thread;
    IoSetNextIrpStackLocation(Request->Irp);
    IoGetCurrentIrpStackLocation(Request->Irp)->DeviceObject = Operation->Volume->Device;
    IoSetCompletionRoutine(Request->Irp, FltpOplockOver, Request, TRUE, TRUE, TRUE);
    Stack = IoGetNextIrpStackLocation(Request->Irp);
    Stack->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    Stack->MinorFunction = Operation->Iopb.MinorFunction;
    Stack->FileObject = Operation->Iopb.TargetFileObject;
    Stack->DeviceObject = Operation->Volume->Device;
    FltpParametersToIrp(&Operation->Iopb, Request->Irp, Stack);
    IoSetNextIrpStackLocation(Request->Irp);
    return Request;
}

static FLT_PREOP_CALLBACK_STATUS FltpOplockControl(POPLOCK Oplock, PFLTP_OPERATION Operation, ULONG OpenCount,
                                                   ULONG Flags)
{
    PFLTP_OPLOCK_REQUEST Request = FltpMakeOplockRequest(Operation);
    PFLTP_CALL Own = FltpOwnCall(Operation);
    PIRP Irp = Operation->Irp;

    if (Request == NULL) {
        Operation->Data.IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
        return FLT_PREOP_COMPLETE;
    }
    Irp->Tail.Overlay.DriverContext[0] = Request;
    IoSetCancelRoutine(Irp, FltpCancelOplock);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Request->References = 1;
        FltpReleaseOplockRequest(Request);
        Operation->Data.IoStatus.Status = STATUS_CANCELLED;
        return FLT_PREOP_COMPLETE;
    }
    if (FsRtlOplockFsctrlEx(Oplock, Request->Irp, OpenCount, Flags) == STATUS_PENDING) {
        FltpGiveToPackage(Own);
        return FLT_PREOP_PENDING; /* nothing of the operation is ours any more */
    }
    FltpReleaseOplockRequest(Request);
    return FLT_PREOP_COMPLETE;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltOplockFsctrlEx(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, ULONG OpenCount,
                                                   ULONG Flags)
{
    PFLTP_OPERATION Operation =
        FltpOplockOperation(CallbackData, "rule=FltOplockFsctrl was given no operation under way\n");

    if (Operation == NULL)
        return FLT_PREOP_COMPLETE;
    CallbackData->IoStatus.Information = 0;
    if (Operation->Iopb.MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL)
        return FltpOplockControl(Oplock, Operation, OpenCount, Flags);
    CallbackData->IoStatus.Status = Operation->Iopb.MajorFunction == IRP_MJ_CREATE
                                        ? FsRtlOplockFsctrlEx(Oplock, Operation->Irp, OpenCount, Flags)
                                        : STATUS_INVALID_PARAMETER;
    return FLT_PREOP_COMPLETE;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltOplockFsctrl(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, ULONG OpenCount)
{
    return FltOplockFsctrlEx(Oplock, CallbackData, OpenCount, 0);
}

/* --- Checks --- */

/* An operation that waits, and whom the filter wants told. */
typedef struct _FLTP_OPLOCK_WAIT {
    PFLTP_OPERATION Operation;
    PVOID Context;
    PFLTOPLOCK_WAIT_COMPLETE_ROUTINE Complete;
    PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePost;
} FLTP_OPLOCK_WAIT, *PFLTP_OPLOCK_WAIT;

static VOID NTAPI FltpOplockPrePost(PVOID Context, PIRP Irp)
{
    PFLTP_OPLOCK_WAIT Wait = Context;

    UNREFERENCED_PARAMETER(Irp);
    if (Wait->PrePost != NULL)
        Wait->PrePost(&Wait->Operation->Data, Wait->Context);
}

/* A thread that waits for a create returns its status: its location is not marked pending for good. */
static VOID NTAPI FltpOplockWaitOver(PVOID Context, PIRP Irp)
{
    FLTP_OPLOCK_WAIT Wait = *(PFLTP_OPLOCK_WAIT)Context;
    PFLT_INSTANCE Instance = Wait.Operation->Nodes[Wait.Operation->Current].Instance;

    ExFreePoolWithTag(Context, FLTP_TAG_OPLOCK);
    if (!Wait.Operation->PendingMarked)
        ClearFlag(IoGetCurrentIrpStackLocation(Irp)->Control, SL_PENDING_RETURNED);
    Wait.Operation->Data.IoStatus.Status = Irp->IoStatus.Status;
    Wait.Operation->Data.IoStatus.Information = 0;
    FltpStayInInstance(Instance);
    Wait.Complete(&Wait.Operation->Data, Wait.Context);
    FltpLeaveInstance(Instance);
}

typedef enum _FLTP_OPLOCK_ASK { FltpOplockCheck, FltpOplockBreakH, FltpOplockBreakToNone } FLTP_OPLOCK_ASK;

static NTSTATUS FltpAskOplock(FLTP_OPLOCK_ASK Ask, POPLOCK Oplock, PIRP Irp, ULONG Flags, PFLTP_OPLOCK_WAIT Wait)
{
    POPLOCK_WAIT_COMPLETE_ROUTINE Over = Wait != NULL ? FltpOplockWaitOver : NULL;
    POPLOCK_FS_PREPOST_IRP PrePost = Wait != NULL ? FltpOplockPrePost : NULL;

    switch (Ask) {
    case FltpOplockBreakH: return FsRtlOplockBreakH(Oplock, Irp, Flags, Wait, Over, PrePost);
    case FltpOplockBreakToNone: return FsRtlOplockBreakToNoneEx(Oplock, Irp, Flags, Wait, Over, PrePost);
    default: return FsRtlCheckOplockEx(Oplock, Irp, Flags, Wait, Over, PrePost);
    }
}

static FLT_PREOP_CALLBACK_STATUS FltpCheckOplock(FLTP_OPLOCK_ASK Ask, POPLOCK Oplock, PFLTP_OPERATION Operation,
                                                 ULONG Flags, PVOID Context, PFLTOPLOCK_WAIT_COMPLETE_ROUTINE Complete,
                                                 PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePost)
{
    PFLTP_OPLOCK_WAIT Wait = NULL;
    PFLTP_CALL Own;
    NTSTATUS Status;

    if (Operation == NULL)
        return FLT_PREOP_COMPLETE;
    /* Where nothing is held there is nothing to wait for, and no need of memory. */
    if (Complete != NULL && FsRtlCurrentOplock(Oplock)) {
        Wait = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Wait), FLTP_TAG_OPLOCK);
        if (Wait == NULL) {
            Operation->Data.IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
            return FLT_PREOP_COMPLETE;
        }
        Wait->Operation = Operation;
        Wait->Context = Context;
        Wait->Complete = Complete;
        Wait->PrePost = PrePost;
    }
    Own = FltpOwnCall(Operation);
    Status = FltpAskOplock(Ask, Oplock, Operation->Irp, Flags, Wait);
    if (Status == STATUS_PENDING) {
        FltpGiveToPackage(Own);
        return FLT_PREOP_PENDING; /* nothing of the operation is ours any more */
    }
    if (Wait != NULL)
        ExFreePoolWithTag(Wait, FLTP_TAG_OPLOCK);
    Operation->Data.IoStatus.Status = Status;
    Operation->Data.IoStatus.Information = 0;
    return NT_SUCCESS(Status) ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_COMPLETE;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltCheckOplockEx(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, ULONG Flags,
                                                  PVOID Context, PFLTOPLOCK_WAIT_COMPLETE_ROUTINE WaitCompletionRoutine,
                                                  PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePostCallbackDataRoutine)
{
    return FltpCheckOplock(FltpOplockCheck, Oplock,
                           FltpOplockOperation(CallbackData, "rule=FltCheckOplock was given no operation under way\n"),
                           Flags, Context, WaitCompletionRoutine, PrePostCallbackDataRoutine);
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltCheckOplock(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, PVOID Context,
                                                PFLTOPLOCK_WAIT_COMPLETE_ROUTINE WaitCompletionRoutine,
                                                PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePostCallbackDataRoutine)
{
    return FltCheckOplockEx(Oplock, CallbackData, 0, Context, WaitCompletionRoutine, PrePostCallbackDataRoutine);
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltOplockBreakH(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, ULONG Flags,
                                                 PVOID Context, PFLTOPLOCK_WAIT_COMPLETE_ROUTINE WaitCompletionRoutine,
                                                 PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePostCallbackDataRoutine)
{
    return FltpCheckOplock(FltpOplockBreakH, Oplock,
                           FltpOplockOperation(CallbackData, "rule=FltOplockBreakH was given no operation under way\n"),
                           Flags, Context, WaitCompletionRoutine, PrePostCallbackDataRoutine);
}

FLT_PREOP_CALLBACK_STATUS FLTAPI
FltOplockBreakToNoneEx(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, ULONG Flags, PVOID Context,
                       PFLTOPLOCK_WAIT_COMPLETE_ROUTINE WaitCompletionRoutine,
                       PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePostCallbackDataRoutine)
{
    return FltpCheckOplock(
        FltpOplockBreakToNone, Oplock,
        FltpOplockOperation(CallbackData, "rule=FltOplockBreakToNone was given no operation under way\n"), Flags,
        Context, WaitCompletionRoutine, PrePostCallbackDataRoutine);
}

FLT_PREOP_CALLBACK_STATUS FLTAPI
FltOplockBreakToNone(POPLOCK Oplock, PFLT_CALLBACK_DATA CallbackData, PVOID Context,
                     PFLTOPLOCK_WAIT_COMPLETE_ROUTINE WaitCompletionRoutine,
                     PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE PrePostCallbackDataRoutine)
{
    return FltOplockBreakToNoneEx(Oplock, CallbackData, 0, Context, WaitCompletionRoutine, PrePostCallbackDataRoutine);
}
