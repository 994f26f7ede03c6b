/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * down.c: a request on its way down: pre-callbacks from the highest altitude, and the call of the file system.
 *
 * A thread whose pre-callback wants its post-callback back (FLT_PREOP_SYNCHRONIZE, each create) does not return
 * from here before it has called it, also when a filter below pends the operation: it waits at home.
 */
#include "operation.h"

/* Which buffer and MDL the parameters carry, when there can be one. */
static BOOLEAN FltpBufferOf(PFLT_IO_PARAMETER_BLOCK Iopb, PVOID *Buffer, PMDL *Mdl)
{
    PVOID *BufferPlace;
    PMDL *MdlPlace;
    PULONG Length;
    LOCK_OPERATION Access;

    if (!FltpLocateBuffer(Iopb, &MdlPlace, &BufferPlace, &Length, &Access))
        return FALSE;
    *Buffer = *BufferPlace;
    *Mdl = MdlPlace != NULL ? *MdlPlace : NULL;
    return TRUE;
}

/* The filter declared a change of the parameters. */
static VOID FltpKeepChanges(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PVOID Before, After;
    PMDL MdlBefore, MdlAfter;

    ClearFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY);
    Node->Changed = TRUE;
    Operation->Changed = TRUE;
    Operation->Iopb.MajorFunction = Node->Iopb.MajorFunction;
    if (!FltpBufferOf(&Node->Iopb, &Before, &MdlBefore) || !FltpBufferOf(&Operation->Iopb, &After, &MdlAfter))
        return;
    Node->Swapped = Before != After || MdlBefore != MdlAfter;
    if (MdlAfter != MdlBefore)
        Node->SwappedMdl = MdlAfter;
}

static BOOLEAN FltpMayAwait(PFLTP_OPERATION Operation, FLT_PREOP_CALLBACK_STATUS Status)
{
    return (Status == FLT_PREOP_SYNCHRONIZE || Operation->Iopb.MajorFunction == IRP_MJ_CREATE) &&
           KeGetCurrentIrql() <= APC_LEVEL;
}

/* The node's post-callback is due, perhaps in this thread. */
static VOID FltpExpectPost(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status,
                           PFLTP_HOME Home)
{
    if (Node->Callback->Post == NULL)
        FltpBlameCallback(Node->Instance, Node->Callback->Pre, FLTP_NO_POST_CALLBACK, (ULONG_PTR)&Operation->Data, 0,
                          0, "rule=A pre-callback asked for its post-callback, and none is registered\n");
    if (FltpMayAwait(Operation, Status)) {
        if (Home->Nodes++ == 0)
            KeInitializeEvent(&Home->Event, SynchronizationEvent, FALSE);
        Node->Home = Home;
        Operation->Homes++;
    }
    Operation->NeedCompletion = TRUE;
    InterlockedExchange(&Node->State, FltpNodeWait);
    if (Node->Instance->TearingDown && !Node->Swapped &&
        InterlockedCompareExchange(&Node->State, FltpNodeDrain, FltpNodeWait) == FltpNodeWait)
        FltpDrainNode(Operation, Node);
}

BOOLEAN FltpAfterPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status, PVOID Context,
                     PFLTP_HOME Home)
{
    if (FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY))
        FltpKeepChanges(Operation, Node);
    else
        Operation->Iopb = Node->Iopb;
    switch (Status) {
    case FLT_PREOP_SYNCHRONIZE:
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
        Node->CompletionContext = Context;
        FltpExpectPost(Operation, Node, Status, Home);
        return TRUE;
    case FLT_PREOP_COMPLETE:
        FltpFinishNode(Node);
        FltpReleaseBelow(Operation, Operation->Current + 1);
        return FALSE;
    default:
        FltpFinishNode(Node);
        return TRUE;
    }
}

/* With the verifier on.  Node is the caller's still, unless the filter pended or gave away the operation. */
static VOID FltpCheckAfterPre(PFLTP_NODE Node, const FLTP_CALL *Call, PFLT_CALLBACK_DATA Data, const VOID *Pre,
                              FLT_PREOP_CALLBACK_STATUS Status, PVOID Context)
{
    if (Status != FLT_PREOP_PENDING && Call->Given != FltpNotGiven)
        FltpBlameGivenAway(Call, Pre, Data, Status);
    if (Context != NULL && Status != FLT_PREOP_SUCCESS_WITH_CALLBACK && Status != FLT_PREOP_SYNCHRONIZE)
        FltpBlameCallback(NULL, Pre, FLTP_CONTEXT_WITHOUT_POST, (ULONG_PTR)Data, (ULONG_PTR)Context, Status,
                          "rule=A pre-callback set a completion context that no post-callback will get\n");
    switch (Status) {
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
    case FLT_PREOP_SUCCESS_NO_CALLBACK:
    case FLT_PREOP_SYNCHRONIZE:
    case FLT_PREOP_PENDING:
        break;
    case FLT_PREOP_COMPLETE:
        FltpCheckStatus(Node, Pre, Data);
        break;
    default: /* the two that only fast I/O and file-system filter operations know, and plain nonsense */
        FltpBlameCallback(Node->Instance, Pre, FLTP_BAD_PREOP_STATUS, (ULONG_PTR)Data, Status, 0,
                          "rule=A pre-callback returned a status that an IRP-based operation does not have\n");
    }
}

/* After FLT_PREOP_PENDING the operation is the filter's, and may be over already. */
static FLT_PREOP_CALLBACK_STATUS FltpCallPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, PVOID *Context)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_INSTANCE Instance = Node->Instance;
    PFLT_PRE_OPERATION_CALLBACK Pre = Node->Callback->Pre;
    FLT_PREOP_CALLBACK_STATUS Status;
    FLTP_CALL Call;

    FV_TRACE(FLTVM_TRACE_FLT_PRE_ENTER, Data, Operation->Iopb.MajorFunction, Instance, Pre, Instance->AltitudeNumber);
    if (!FltpVerify) {
        Status = Pre(Data, &Node->Objects, Context);
    } else {
        Call.Operation = Operation;
        Call.Given = FltpNotGiven;
        Node->Call = &Call;
        FvBeginCall(&Call.State);
        Status = Pre(Data, &Node->Objects, Context);
        Call.Operation = NULL;
        if (Status == FLT_PREOP_SYNCHRONIZE)
            Call.State.MayLeave = FLTP_MAY_LEAVE;
        FvEndCall(&Call.State, Pre, "pre-callback", (ULONG_PTR)Data);
        FltpCheckAfterPre(Node, &Call, Data, Pre, Status, *Context);
    }
    FV_TRACE(FLTVM_TRACE_FLT_PRE_LEAVE, Data, Status, Instance, 0, 0);
    return Status;
}

/* Until this thread's last post-callback has been called. */
static NTSTATUS FltpWaitAtHome(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    NTSTATUS Status;

    do {
        KeWaitForSingleObject(&Home->Event, Executive, KernelMode, FALSE, NULL);
        Status = FltpGoUpAndComplete(Operation, Home);
    } while (Home->Nodes != 0);
    return Status;
}

static NTSTATUS FltpSendDown(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    PIRP Irp = Operation->Irp;
    PDEVICE_OBJECT Target = Operation->Target;
    BOOLEAN Kept = FALSE; /* set by a completion in this thread whose post-callback kept the operation */
    NTSTATUS Status;

    if (!Operation->NeedCompletion && !Operation->Changed) {
        /* A location that is marked pending must stay ours: it is not handed to the driver below. */
        if (Operation->PendingMarked)
            IoCopyCurrentIrpStackLocationToNext(Irp);
        else
            IoSkipCurrentIrpStackLocation(Irp);
        FltpReturnOperation(Operation);
        return IoCallDriver(Target, Irp);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    if (Operation->Changed)
        FltpParametersToIrp(&Operation->Iopb, Irp, IoGetNextIrpStackLocation(Irp));
    Operation->SentMdl = Irp->MdlAddress;
    IoSetCompletionRoutine(Irp, FltpIrpCompletion, Operation, TRUE, TRUE, TRUE);
    Operation->Kept = &Kept;
    Status = IoCallDriver(Target, Irp);
    if (Home->Nodes != 0)
        return FltpWaitAtHome(Operation, Home);
    return Kept ? STATUS_PENDING : Status;
}

/* A pre-callback completed it. */
static NTSTATUS FltpTurnBack(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    BOOLEAN Generated = FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_GENERATED_IO) != 0;
    NTSTATUS Status = FltpGoUpAndComplete(Operation, Home);

    if (Home->Nodes != 0)
        Status = FltpWaitAtHome(Operation, Home);
    return Generated && Status != STATUS_PENDING ? STATUS_FLT_IO_COMPLETE : Status;
}

NTSTATUS FltpGoDown(PFLTP_OPERATION Operation)
{
    FLTP_HOME Home;

    Home.Nodes = 0;
    for (; Operation->Current < Operation->Count; Operation->Current++) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
        FLT_PREOP_CALLBACK_STATUS Status = FLT_PREOP_SUCCESS_WITH_CALLBACK;
        PVOID Context = NULL;

        if (InterlockedCompareExchange(&Node->State, FltpNodePre, FltpNodeIdle) != FltpNodeIdle)
            continue;
        FltpFillObjects(&Node->Objects, Node->Instance, Operation->Iopb.TargetFileObject);
        Operation->Iopb.TargetInstance = Node->Instance;
        Node->Iopb = Operation->Iopb;
        if (Node->Callback->Pre != NULL) {
            Status = FltpCallPre(Operation, Node, &Context);
            if (Status == FLT_PREOP_PENDING)
                return Home.Nodes != 0 ? FltpWaitAtHome(Operation, &Home) : STATUS_PENDING;
        }
        if (!FltpAfterPre(Operation, Node, Status, Context, &Home))
            return FltpTurnBack(Operation, &Home);
    }
    return FltpSendDown(Operation, &Home);
}

static VOID FltpDescribeRequest(PFLTP_OPERATION Operation, PIRP Irp, PIO_STACK_LOCATION Stack,
                                FLT_CALLBACK_DATA_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;

    Operation->Irp = Irp;
    Operation->Target = Operation->Volume->Below;
    Operation->Current = 0;
    Operation->Homes = 0;
    Operation->Changed = FALSE;
    Operation->NeedCompletion = FALSE;
    Operation->PendingMarked = FALSE;
    Operation->Completed = FALSE;
    Operation->Kept = NULL;
    Operation->CanceledCallback = NULL;
    Operation->OriginalUserBuffer = Irp->UserBuffer;
    Operation->OriginalSystemBuffer = Irp->AssociatedIrp.SystemBuffer;
    Operation->OriginalMdl = Irp->MdlAddress;
    Data->Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION | Flags;
    if (Irp->AssociatedIrp.SystemBuffer != NULL)
        SetFlag(Data->Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER);
    *(PETHREAD *)&Data->Thread = Irp->Tail.Overlay.Thread;
    *(PFLT_IO_PARAMETER_BLOCK *)&Data->Iopb = &Operation->Iopb;
    Data->IoStatus.Status = STATUS_SUCCESS;
    Data->IoStatus.Information = 0;
    Data->TagData = NULL;
    Data->RequestorMode = Irp->RequestorMode;
    FltpParametersFromIrp(&Operation->Iopb, Irp, Stack);
}

NTSTATUS FltpDispatchVolume(PFLT_VOLUME Volume, PIRP Irp, PFLTP_ISSUED Issued)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFLTP_OPERATION Operation = NULL;
    NTSTATUS Status;

    if (Volume->InstanceCount != 0) {
        Status = FltpStartOperation(Volume, Irp, Stack, Issued, &Operation);
        if (!NT_SUCCESS(Status)) {
            Irp->IoStatus.Status = Status;
            Irp->IoStatus.Information = 0;
            IoCompleteRequest(Irp, IO_NO_INCREMENT);
            return Status;
        }
    }
    if (Operation == NULL) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Volume->Below, Irp);
    }
    FltpDescribeRequest(Operation, Irp, Stack, Issued != NULL ? FLTFL_CALLBACK_DATA_GENERATED_IO : 0);
    return FltpGoDown(Operation);
}
