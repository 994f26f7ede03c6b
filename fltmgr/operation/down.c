/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * down.c: a request on its way down: pre-callbacks from the highest altitude, and the call of the file system.
 *
 * A thread whose pre-callback wants its post-callback back (FLT_PREOP_SYNCHRONIZE) does not return from here before it
 * has called it, also when a filter below pends the operation: it waits at home.  One that brings a create waits for
 * its end.
 */
#include <context.h>
#include <name.h>
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

/* As documented: to an instance of the same filter, at the same altitude, of another volume. */
static BOOLEAN FltpIsTarget(PFLT_INSTANCE Instance, PFLT_INSTANCE Target)
{
    return Target != NULL && Target->Object.Magic == FLTP_MAGIC_INSTANCE && Target->Filter == Instance->Filter &&
           Target->Volume != Instance->Volume && FltCompareInstanceAltitudes(Target, Instance) == 0;
}

static VOID FltpChangeTarget(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PFLT_INSTANCE Target = Operation->Iopb.TargetInstance;

    if (Operation->Irp == NULL) {
        Operation->Refused = STATUS_FLT_DISALLOW_FAST_IO; /* a request finds its way there */
        return;
    }
    if (!FltpIsTarget(Node->Instance, Target) || Operation->Irp->CurrentLocation <= Target->Volume->Below->StackSize) {
        if (FltpVerify)
            FltpBlameCallback(Node->Instance, Node->Callback->Pre, FLTP_BAD_TARGET, (ULONG_PTR)&Operation->Data,
                              (ULONG_PTR)Target, 0,
                              "rule=A pre-callback sent its operation where it cannot go: to no instance of the filter "
                              "at this altitude on another volume, or to a larger stack\n");
        Operation->Refused = STATUS_INVALID_PARAMETER;
        return;
    }
    Operation->Refused = FltpRedirect(Operation, Target);
}

/* The filter declared a change of the parameters. */
static DECLSPEC_NOINLINE VOID FltpKeepChanges(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PVOID Before, After;
    PMDL MdlBefore, MdlAfter;

    ClearFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY);
    Operation->Changed = TRUE;
    Operation->Iopb.MajorFunction = Node->Iopb.MajorFunction;
    if (Operation->Iopb.TargetInstance != Node->Instance)
        FltpChangeTarget(Operation, Node);
    if (!FltpBufferOf(&Node->Iopb, &Before, &MdlBefore) || !FltpBufferOf(&Operation->Iopb, &After, &MdlAfter))
        return;
    if (Before != After || MdlBefore != MdlAfter)
        SetFlag(Node->Flags, FLTP_NODE_SWAPPED);
    if (MdlAfter != MdlBefore) {
        Node->SwappedMdl = MdlAfter;
        Node->Swapper = Node->Callback->Pre;
    }
}

/* The node's post-callback is to be called by this thread. */
static DECLSPEC_NOINLINE VOID FltpAwait(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_HOME Home)
{
    if (KeGetCurrentIrql() > APC_LEVEL)
        return;
    if (Home->Nodes++ == 0 && !Home->Create)
        KeInitializeEvent(&Home->Event, SynchronizationEvent, FALSE);
    Node->Home = Home;
    Operation->Homes++;
}

/* The instance goes, and its teardown may have looked already. */
static DECLSPEC_NOINLINE VOID FltpDrainLateNode(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    if (!FlagOn(Node->Flags, FLTP_NODE_SWAPPED) &&
        InterlockedCompareExchange(&Node->State, FltpNodeDrain, FltpNodeWait) == FltpNodeWait)
        FltpDrainNode(Operation, Node);
}

static FORCEINLINE VOID FltpExpectPost(PFLTP_OPERATION Operation, PFLTP_NODE Node, PVOID Context)
{
    Node->CompletionContext = Context;
    if (Node->Callback->Post == NULL)
        FltpBlameCallback(Node->Instance, Node->Callback->Pre, FLTP_NO_POST_CALLBACK, (ULONG_PTR)&Operation->Data, 0, 0,
                          "rule=A pre-callback asked for its post-callback, and none is registered\n");
    Operation->NeedCompletion = TRUE;
    InterlockedExchange(&Node->State, FltpNodeWait);
    if (Node->Instance->TearingDown)
        FltpDrainLateNode(Operation, Node);
}

/* A filter's decision other than to go on and be called again.  FALSE: it completed the operation. */
static DECLSPEC_NOINLINE BOOLEAN FltpAfterLastSight(PFLTP_OPERATION Operation, PFLTP_NODE Node,
                                                    FLT_PREOP_CALLBACK_STATUS Status)
{
    FltpFinishNode(Node);
    if (Status != FLT_PREOP_COMPLETE)
        return TRUE;
    FltpReleaseBelow(Operation, Operation->Current + 1);
    return FALSE;
}

/* The parameters go on as the filter has left them only if it declared that. */
static FORCEINLINE VOID FltpTakeParameters(PFLTP_OPERATION Operation, PFLTP_NODE Node, BOOLEAN KnownSame)
{
    if (FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY))
        FltpKeepChanges(Operation, Node);
    else if (!KnownSame)
        Operation->Iopb = Node->Iopb;
}

BOOLEAN FltpAfterPended(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status, PVOID Context)
{
    FltpTakeParameters(Operation, Node, FALSE);
    if (Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)
        return FltpAfterLastSight(Operation, Node, Status);
    FltpExpectPost(Operation, Node, Context);
    return TRUE;
}

/* A call is never pended; and some cannot fail, for whoever calls could do nothing about it. */
static BOOLEAN FltpIsLegalOfCall(PFLTP_OPERATION Operation, FLT_PREOP_CALLBACK_STATUS Status)
{
    const FLT_IO_PARAMETER_BLOCK *Iopb = &Operation->Iopb;

    switch (Status) {
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
    case FLT_PREOP_SUCCESS_NO_CALLBACK:
    case FLT_PREOP_SYNCHRONIZE: return TRUE;
    case FLT_PREOP_DISALLOW_FASTIO: return FLT_IS_FASTIO_OPERATION(&Operation->Data);
    case FLT_PREOP_DISALLOW_FSFILTER_IO: return Iopb->MajorFunction == IRP_MJ_QUERY_OPEN;
    case FLT_PREOP_COMPLETE: break;
    default: return FALSE;
    }
    if (NT_SUCCESS(Operation->Data.IoStatus.Status) || FLT_IS_FASTIO_OPERATION(&Operation->Data))
        return TRUE;
    switch (Iopb->MajorFunction) {
    case IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION:
        return Iopb->Parameters.AcquireForSectionSynchronization.SyncType == SyncTypeCreateSection;
    case IRP_MJ_ACQUIRE_FOR_MOD_WRITE:
    case IRP_MJ_ACQUIRE_FOR_CC_FLUSH: return TRUE;
    default: return FALSE;
    }
}

static VOID FltpCheckLegal(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLT_PRE_OPERATION_CALLBACK Pre,
                           FLT_PREOP_CALLBACK_STATUS Status)
{
    if (Operation->Irp == NULL && !FltpIsLegalOfCall(Operation, Status))
        FltpBlameCallback(Node->Instance, Pre, FLTP_BAD_PREOP_STATUS, (ULONG_PTR)&Operation->Data, Status,
                          (ULONG)Operation->Data.IoStatus.Status,
                          "rule=A pre-callback returned a status that this fast I/O or file-system filter operation "
                          "does not have\n");
    if (Operation->Irp != NULL && (Status == FLT_PREOP_DISALLOW_FASTIO || Status > FLT_PREOP_SYNCHRONIZE))
        FltpBlameCallback(Node->Instance, Pre, FLTP_BAD_PREOP_STATUS, (ULONG_PTR)&Operation->Data, Status, 0,
                          "rule=A pre-callback returned a status that an IRP-based operation does not have\n");
}

/* A pre-callback whose post-callback runs in this thread has returned: with what it left begins the next call. */
static VOID FltpKeepLeft(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_CALL Call)
{
    PFLTP_LEFT Left = &Node->Left;

    Left->Before = Call->State.State;
    Left->TopLevelBefore = Call->State.TopLevelIrp;
    FltpBeginCalls(Call, Operation);
    Left->After = Call->State.State;
    Left->TopLevelAfter = Call->State.TopLevelIrp;
    if (Left->After != Left->Before || Left->TopLevelAfter != Left->TopLevelBefore)
        SetFlag(Node->Flags, FLTP_NODE_LEFT);
}

/* What goes on down without the change that the callback has made, as on Windows, is hardly what its author wants. */
static FORCEINLINE VOID FltpCheckDirty(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLT_PRE_OPERATION_CALLBACK Pre,
                                       FLT_PREOP_CALLBACK_STATUS Status)
{
    if (FltpIsChangedUndeclared(&Operation->Data, &Operation->Iopb, &Node->Iopb))
        FltpBlameCallback(Node->Instance, Pre, FLTP_NOT_DIRTY, (ULONG_PTR)&Operation->Data, Status, 0,
                          "rule=A pre-callback changed parameters and did not call FltSetCallbackDataDirty: the change "
                          "is lost\n");
}

/* Every return but the plain one, and all of a create's and of calls.  Node is the caller's still, unless the filter pended the operation. */
static DECLSPEC_NOINLINE VOID FltpCheckOtherPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_CALL Call,
                                                PFLT_PRE_OPERATION_CALLBACK Pre, FLT_PREOP_CALLBACK_STATUS Status,
                                                PVOID Context)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;

    /* An FS-filter operation that acquires leaves what the one that releases takes away. */
    BOOLEAN ReturnsHere = Status == FLT_PREOP_SYNCHRONIZE || (Call->IsCall && FLT_IS_FS_FILTER_OPERATION(Data)) ||
                          (Status == FLT_PREOP_SUCCESS_WITH_CALLBACK &&
                           (Call->IsCall || (Operation->Origin != NULL && Data->Thread == PsGetCurrentThread())));

    if (ReturnsHere)
        Call->State.MayLeave = FLTP_MAY_LEAVE;
    FvEndCall(&Call->State, Pre, "pre-callback", (ULONG_PTR)Data);
    if (Call->Given != FltpNotGiven && Status != FLT_PREOP_PENDING)
        FltpBlameGivenAway(Call, Pre, Data, Status);
    if (Context != NULL && Status != FLT_PREOP_SYNCHRONIZE && Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)
        FltpBlameCallback(NULL, Pre, FLTP_CONTEXT_WITHOUT_POST, (ULONG_PTR)Data, (ULONG_PTR)Context, Status,
                          "rule=A pre-callback set a completion context that no post-callback will get\n");
    if (Status == FLT_PREOP_PENDING && !Call->IsCall)
        return;
    FltpCheckLegal(Operation, Node, Pre, Status);
    if (Status == FLT_PREOP_COMPLETE)
        FltpCheckStatus(Node, Pre, Data);
    else if (Status == FLT_PREOP_SUCCESS_NO_CALLBACK || Status == FLT_PREOP_SYNCHRONIZE ||
             Status == FLT_PREOP_SUCCESS_WITH_CALLBACK)
        FltpCheckDirty(Operation, Node, Pre, Status);
    if (ReturnsHere)
        FltpKeepLeft(Operation, Node, Call);
}

static FORCEINLINE VOID FltpCheckAfterPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_CALL Call,
                                          PFLT_PRE_OPERATION_CALLBACK Pre, FLT_PREOP_CALLBACK_STATUS Status,
                                          PVOID Context)
{
    if (Status != FLT_PREOP_SUCCESS_WITH_CALLBACK || !Call->IsPlain) {
        FltpCheckOtherPre(Operation, Node, Call, Pre, Status, Context);
        return;
    }
    FvEndCall(&Call->State, Pre, "pre-callback", (ULONG_PTR)&Operation->Data);
    if (Call->Given != FltpNotGiven)
        FltpBlameGivenAway(Call, Pre, &Operation->Data, Status);
    FltpCheckDirty(Operation, Node, Pre, Status);
}

/* After FLT_PREOP_PENDING the operation is the filter's, and may be over already. */
static FORCEINLINE FLT_PREOP_CALLBACK_STATUS FltpCallPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_CALL Call,
                                                         PVOID *Context)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_INSTANCE Instance = Node->Instance;
    PFLT_PRE_OPERATION_CALLBACK Pre = Node->Callback->Pre;
    FLT_PREOP_CALLBACK_STATUS Status;

    FV_TRACE(FLTVM_TRACE_FLT_PRE_ENTER, Data, Operation->Iopb.MajorFunction, Instance, Pre, Instance->AltitudeNumber);
    Node->Call = Call;
    Status = Pre(Data, &Node->Objects, Context);
    if (FltpVerify)
        FltpCheckAfterPre(Operation, Node, Call, Pre, Status, *Context);
    FV_TRACE(FLTVM_TRACE_FLT_PRE_LEAVE, Data, Status, Instance, 0, 0);
    return Status;
}

/* Whether this thread still has to wait for the operation, which may be over.  Create: it brought a create. */
static FORCEINLINE BOOLEAN FltpIsExpected(const FLTP_HOME *Home)
{
    return Home->Nodes != 0 || Home->Create;
}

/* Until this thread's last post-callback has been called, or its create is over. */
static DECLSPEC_NOINLINE NTSTATUS FltpWaitAtHome(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    NTSTATUS Status;

    do {
        KeWaitForSingleObject(&Home->Event, Executive, KernelMode, FALSE, NULL);
        if (FltpGoUpAndComplete(Operation, Home, &Status))
            return Status;
    } while (FltpIsExpected(Home));
    return STATUS_PENDING;
}

/* IoCopyCurrentIrpStackLocationToNext, without the call that its copying costs a driver. */
static FORCEINLINE VOID FltpCopyLocationToNext(PIRP Irp)
{
    PIO_STACK_LOCATION Next = IoGetNextIrpStackLocation(Irp);

    __builtin_memcpy(Next, IoGetCurrentIrpStackLocation(Irp), FIELD_OFFSET(IO_STACK_LOCATION, CompletionRoutine));
    Next->Control = 0;
}

/* The operation may be over before those who asked are told. */
static FORCEINLINE PFLTP_STATUS_REQUEST FltpTakeStatusRequests(PFLTP_OPERATION Operation)
{
    PFLTP_STATUS_REQUEST Requests = Operation->StatusRequests;

    if (Requests != NULL)
        Operation->StatusRequests = NULL;
    return Requests;
}

/* After the pre-close callbacks: what is kept for the file object goes. */
static DECLSPEC_NOINLINE VOID FltpEndFile(PFLT_VOLUME Volume, PFILE_OBJECT FileObject)
{
    FltpEndHandleContexts(Volume, FileObject);
    FltpForgetNamesOfFile(FileObject);
}

static FORCEINLINE BOOLEAN FltpMayChangeNames(PIO_STACK_LOCATION Stack)
{
    return (Stack->MajorFunction == IRP_MJ_SET_INFORMATION || Stack->MajorFunction == IRP_MJ_CLEANUP) &&
           FltpChangesNames(Stack);
}

/* A pre-callback completed it. */
static DECLSPEC_NOINLINE NTSTATUS FltpTurnBack(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    BOOLEAN Generated = FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_GENERATED_IO) != 0;
    PFLTP_STATUS_REQUEST Requests = FltpTakeStatusRequests(Operation);
    NTSTATUS Status;

    if (Operation->Iopb.MajorFunction == IRP_MJ_CLOSE)
        FltpEndFile(Operation->Volume, Operation->Iopb.TargetFileObject);
    FltpTellStatus(Requests, Operation->Data.IoStatus.Status); /* which a call would have returned */
    if (!FltpGoUpAndComplete(Operation, Home, &Status))
        Status = FltpIsExpected(Home) ? FltpWaitAtHome(Operation, Home) : STATUS_PENDING;
    return Generated && Status != STATUS_PENDING ? STATUS_FLT_IO_COMPLETE : Status;
}

/* It was to go where it cannot: those who have seen it are told. */
static DECLSPEC_NOINLINE NTSTATUS FltpTurnRefused(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    Operation->Data.IoStatus.Status = Operation->Refused;
    Operation->Data.IoStatus.Information = 0;
    return FltpTurnBack(Operation, Home);
}

static NTSTATUS FltpSendDown(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    PIRP Irp = Operation->Irp;
    PDEVICE_OBJECT Target = Operation->Target;
    PFLTP_STATUS_REQUEST Requests = FltpTakeStatusRequests(Operation);
    BOOLEAN Kept = FALSE; /* set by a completion in this thread whose post-callback kept the operation */
    NTSTATUS Status;

    if (Operation->Iopb.MajorFunction == IRP_MJ_CLOSE)
        FltpEndFile(Operation->Volume, Operation->Iopb.TargetFileObject);
    if (!Operation->NeedCompletion && !Operation->Changed && (Operation->Origin == NULL || Operation->Origin == Home)) {
        /* A location that is marked pending must stay ours: it is not handed to the driver below. */
        if (Operation->PendingMarked)
            FltpCopyLocationToNext(Irp);
        else
            IoSkipCurrentIrpStackLocation(Irp);
        FltpReturnOperation(Operation);
        if (Requests == NULL)
            return IoCallDriver(Target, Irp);
        Status = IoCallDriver(Target, Irp);
        FltpTellStatus(Requests, Status);
        return Status;
    }
    FltpCopyLocationToNext(Irp);
    if (Operation->Changed) {
        if (Operation->Refused != STATUS_SUCCESS) {
            FltpTellStatus(Requests, Operation->Refused);
            return FltpTurnRefused(Operation, Home);
        }
        FltpParametersToIrp(&Operation->Iopb, Irp, IoGetNextIrpStackLocation(Irp));
        Operation->ChangesNames |= FltpMayChangeNames(IoGetNextIrpStackLocation(Irp));
    }
    Operation->SentMdl = Irp->MdlAddress;
    Operation->SentSystemBuffer = Irp->AssociatedIrp.SystemBuffer;
    IoSetCompletionRoutine(Irp, FltpIrpCompletion, Operation, TRUE, TRUE, TRUE);
    Operation->Kept = &Kept;
    Status = IoCallDriver(Target, Irp);
    if (Requests != NULL)
        FltpTellStatus(Requests, Status);
    if (FltpIsExpected(Home))
        return FltpWaitAtHome(Operation, Home);
    return Kept ? STATUS_PENDING : Status;
}

typedef enum _FLTP_WAY { FltpWayDown, FltpWayKept, FltpWayBack } FLTP_WAY;

/* A call goes on or back, never away; what a callback disallows its caller does by a request. */
static DECLSPEC_NOINLINE FLT_PREOP_CALLBACK_STATUS FltpStatusOfCall(PFLTP_OPERATION Operation,
                                                                    FLT_PREOP_CALLBACK_STATUS Status)
{
    if (Status == FLT_PREOP_SYNCHRONIZE)
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    if (Status != FLT_PREOP_COMPLETE) {
        Operation->Data.IoStatus.Status = STATUS_FLT_DISALLOW_FAST_IO;
        Operation->Data.IoStatus.Information = 0;
    }
    return FLT_PREOP_COMPLETE;
}

/*
 * A pre-callback has returned anything but FLT_PREOP_SUCCESS_WITH_CALLBACK.  FltpWayDown: the next one's turn.  After
 * FLT_PREOP_PENDING only the instance is left to the caller.
 */
static DECLSPEC_NOINLINE FLTP_WAY FltpAfterOtherPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLT_INSTANCE Instance,
                                                    PFLTP_HOME Home, FLT_PREOP_CALLBACK_STATUS Status, PVOID Context,
                                                    BOOLEAN IsCall)
{
    if (Status > FLT_PREOP_SUCCESS_NO_CALLBACK && IsCall)
        Status = FltpStatusOfCall(Operation, Status);
    if (Status == FLT_PREOP_PENDING) {
        FltpNoteHeld(Operation);
        FltpLeaveInstance(Instance);
        return FltpWayKept;
    }
    FltpTakeParameters(Operation, Node, FALSE);
    if (Status == FLT_PREOP_SYNCHRONIZE)
        FltpAwait(Operation, Node, Home);
    else if (Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)
        return FltpAfterLastSight(Operation, Node, Status) ? FltpWayDown : FltpWayBack;
    FltpExpectPost(Operation, Node, Context);
    return FltpWayDown;
}

/* The pre-callbacks, until all have been called or a filter keeps or completes the operation. */
static FORCEINLINE FLTP_WAY FltpCallPreCallbacks(PFLTP_OPERATION Operation, PFLTP_HOME Home, PFLTP_CALL Call,
                                                 BOOLEAN IsCall)
{
    for (; Operation->Current < Operation->Count; Operation->Current++) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
        PVOID Context = NULL;

        if (InterlockedCompareExchange(&Node->State, FltpNodePre, FltpNodeIdle) != FltpNodeIdle)
            continue;
        FltpFillObjectsOfNode(&Node->Objects, Node->Instance, Operation->Iopb.TargetFileObject);
        Operation->Iopb.TargetInstance = Node->Instance;
        Node->Iopb = Operation->Iopb;
        if (Node->Callback->Pre != NULL) {
            PFLT_INSTANCE Instance = Node->Instance;
            FLT_PREOP_CALLBACK_STATUS Status = FltpCallPre(Operation, Node, Call, &Context);

            if (Status != FLT_PREOP_SUCCESS_WITH_CALLBACK) {
                FLTP_WAY Way = FltpAfterOtherPre(Operation, Node, Instance, Home, Status, Context, IsCall);

                if (Way != FltpWayDown)
                    return Way;
                continue;
            }
            FltpTakeParameters(Operation, Node, FltpVerify); /* what FltpCheckDirty has let pass needs no second look */
        }
        FltpExpectPost(Operation, Node, Context);
    }
    return FltpWayDown;
}

NTSTATUS FltpGoDown(PFLTP_OPERATION Operation)
{
    FLTP_HOME Home;
    FLTP_CALL Call;
    FLTP_WAY Way;

    Home.Nodes = 0;
    Home.Create = (Operation->Iopb.MajorFunction == IRP_MJ_CREATE || Operation->Reissued) && Operation->Origin == NULL;
    if (Home.Create) {
        KeInitializeEvent(&Home.Event, SynchronizationEvent, FALSE);
        Operation->Origin = &Home;
    }
    FltpBeginCalls(&Call, Operation);
    Way = FltpCallPreCallbacks(Operation, &Home, &Call, FALSE);
    Call.Operation = NULL;
    if (Way == FltpWayDown)
        return FltpSendDown(Operation, &Home);
    if (Way == FltpWayBack)
        return FltpTurnBack(Operation, &Home);
    return FltpIsExpected(&Home) ? FltpWaitAtHome(Operation, &Home) : STATUS_PENDING;
}

BOOLEAN FltpCallDown(PFLTP_OPERATION Operation)
{
    FLTP_HOME Home = {.Nodes = 0}; /* every node's post-callback is called in this thread anyhow */
    FLTP_CALL Call;
    FLTP_WAY Way;

    FltpBeginCalls(&Call, Operation);
    Way = FltpCallPreCallbacks(Operation, &Home, &Call, TRUE);
    Call.Operation = NULL;
    if (Way == FltpWayDown && Operation->Refused != STATUS_SUCCESS) {
        Operation->Data.IoStatus.Status = Operation->Refused;
        Operation->Data.IoStatus.Information = 0;
        return FALSE;
    }
    return Way == FltpWayDown;
}

VOID FltpDescribeRequest(PFLTP_OPERATION Operation, PIRP Irp, PIO_STACK_LOCATION Stack, FLT_CALLBACK_DATA_FLAGS Flags)
{
    __builtin_assume(Irp != NULL);
    SetFlag(Flags, FLTFL_CALLBACK_DATA_IRP_OPERATION);
    if (Irp->AssociatedIrp.SystemBuffer != NULL)
        SetFlag(Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER);
    FltpDescribe(Operation, Irp, Flags, Irp->Tail.Overlay.Thread, Irp->RequestorMode);
    Operation->ChangesNames = FltpMayChangeNames(Stack);
    Operation->NeedCompletion = Operation->ChangesNames;
    FltpParametersFromIrp(&Operation->Iopb, Irp, Stack);
}

static DECLSPEC_NOINLINE NTSTATUS FltpRefuseRequest(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* Whether there is something to do for it before any filter sees it, if none wants it even. */
static FORCEINLINE BOOLEAN FltpIsNotable(PFLT_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    return FltpMayChangeNames(Stack) || (Volume->Sections != 0 && FltpConflictsWithSections(Irp->Flags, Stack));
}

static DECLSPEC_NOINLINE VOID FltpNote(PFLTP_OPERATION Operation, PFLT_VOLUME Volume, PIO_STACK_LOCATION Stack)
{
    if (Operation->ChangesNames && Stack->MajorFunction == IRP_MJ_CLEANUP)
        FltpKeepLastNames(Stack->FileObject);
    if (Volume->Sections != 0 && FltpConflictsWithSections(Operation->Irp->Flags, Stack))
        FltpTellConflicts(Volume, &Operation->Data);
}

static FORCEINLINE NTSTATUS FltpDispatchRequest(PFLT_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack,
                                                PFLTP_ISSUED Issued)
{
    PFLTP_OPERATION Operation = NULL;
    BOOLEAN Notable = FltpIsNotable(Volume, Irp, Stack);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Volume->InstanceCount != 0 || Notable)
        Operation = FltpStartOperation(Volume, Irp->Flags, Stack, Issued, Notable, &Status);
    if (FltpMayHaveTarget(Stack->FileObject))
        FltpEndTargetOfFile(Volume, Stack->FileObject, Stack->MajorFunction);
    if (Operation != NULL) {
        FltpDescribeRequest(Operation, Irp, Stack,
                            Issued != NULL ? Issued->Operation.Data.Flags & FLTP_ISSUED_FLAGS : 0);
        if (Notable)
            FltpNote(Operation, Volume, Stack);
        return FltpGoDown(Operation);
    }
    if (!NT_SUCCESS(Status))
        return FltpRefuseRequest(Irp, Status);
    if (Stack->MajorFunction == IRP_MJ_CLOSE)
        FltpEndFile(Volume, Stack->FileObject);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Volume->Below, Irp);
}

/* A create that may be a filter's, sent below its instance, or the volume's first. */
static DECLSPEC_NOINLINE NTSTATUS FltpDispatchCreate(PFLT_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PFLTP_TARGET Target;
    NTSTATUS Status = FltpTakeTargetOfCreate(Volume, Irp, Stack->FileObject, &Target);

    if (!NT_SUCCESS(Status))
        return FltpRefuseRequest(Irp, Status);
    if (Volume->IsNew)
        FltpSetUpVolume(Volume, Target != NULL);
    Status = FltpDispatchRequest(Volume, Irp, Stack, NULL);
    if (Target != NULL && Status != STATUS_PENDING)
        Target->Sent = FALSE; /* after a reparse it is sent again; who sends it holds it */
    return Status;
}

NTSTATUS FltpDispatchVolume(PFLT_VOLUME Volume, PIRP Irp, PFLTP_ISSUED Issued)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (Stack->MajorFunction == IRP_MJ_CREATE && Issued == NULL &&
        (Volume->IsNew || FltpMayHaveTarget(Stack->FileObject)))
        return FltpDispatchCreate(Volume, Irp, Stack);
    return FltpDispatchRequest(Volume, Irp, Stack, Issued);
}
