/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up.c: a request on its way up: post-callbacks from the lowest altitude, at whatever IRQL the request completes,
 * or in the thread that a node belongs to; and the draining of nodes whose instance goes before its time.
 */
#include "operation.h"

#define FLTP_COPY_SIZE (FIELD_OFFSET(FLTP_OPERATION, Nodes) + sizeof(FLTP_NODE))

/* With the verifier on.  Node is the caller's still only when the callback says that it has finished. */
static VOID FltpCheckAfterPost(PFLTP_NODE Node, const FLTP_CALL *Call, PFLT_CALLBACK_DATA Data,
                               const VOID *Post, FLT_POSTOP_CALLBACK_STATUS Status,
                               FLT_POST_OPERATION_FLAGS Flags)
{
    BOOLEAN Finished = Status == FLT_POSTOP_FINISHED_PROCESSING;

    if (!Finished && (Status != FLT_POSTOP_MORE_PROCESSING_REQUIRED || FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)))
        FltpBlameCallback(NULL, Post, FLTP_BAD_POSTOP_STATUS, (ULONG_PTR)Data, Status, Flags,
                          "rule=A post-callback returned a status that it may not return here\n");
    if (Finished && Call->Given != FltpNotGiven)
        FltpBlameGivenAway(Call, Post, Data, Status);
    if (Finished && (Data->IoStatus.Status != Call->Before.Status || Data->IoStatus.Information != Call->Before.Information))
        FltpCheckStatus(Node, Post, Data);
}

/* Calls the post-callback of a node that the caller owns; after MORE_PROCESSING_REQUIRED it is the filter's. */
static FLT_POSTOP_CALLBACK_STATUS FltpCallPost(PFLTP_OPERATION Operation, PFLTP_NODE Node,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_INSTANCE Instance = Node->Instance;
    PFLT_POST_OPERATION_CALLBACK Post = Node->Callback->Post;
    FLT_POSTOP_CALLBACK_STATUS Status;
    FLTP_CALL Call;
    BOOLEAN Home;

    FV_TRACE(FLTVM_TRACE_FLT_POST_ENTER, Data, Node->Iopb.MajorFunction, Instance, Post, Data->IoStatus.Status);
    if (!FltpVerify) {
        Status = Post(Data, &Node->Objects, Node->CompletionContext, Flags);
    } else {
        Home = Node->Home != NULL;
        Call.Operation = Operation;
        Call.Given = FltpNotGiven;
        Call.Before = Data->IoStatus;
        Node->Call = &Call;
        FvBeginCall(&Call.State);
        Status = Post(Data, &Node->Objects, Node->CompletionContext, Flags);
        if (Home)
            Call.State.MayLeave = FLTP_MAY_LEAVE; /* it puts back what its pre-callback left */
        Call.Operation = NULL;
        FvEndCall(&Call.State, Post, "post-callback", (ULONG_PTR)Data);
        FltpCheckAfterPost(Node, &Call, Data, Post, Status, Flags);
    }
    FV_TRACE(FLTVM_TRACE_FLT_POST_LEAVE, Data, Status, Instance, 0, 0);
    return Status;
}

/* The node is the next on the way up: the caller's to call the post-callback of, or it is not due. */
static BOOLEAN FltpTakeNode(PFLTP_NODE Node, BOOLEAN *Drained)
{
    LONG Was = InterlockedCompareExchange(&Node->State, FltpNodePost, FltpNodeWait);

    *Drained = Was == FltpNodeDrain &&
               InterlockedCompareExchange(&Node->State, FltpNodeDrainLast, FltpNodeDrain) == FltpNodeDrain;
    return Was == FltpNodeWait;
}

BOOLEAN FltpGoUp(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    BOOLEAN Drained;

    SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_POST_OPERATION);
    while (Operation->Current > 0) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Current - 1];

        if (Node->Home != NULL) {
            if (Node->Home != Home) {
                KeSetEvent(&Node->Home->Event, IO_NO_INCREMENT, FALSE);
                return FALSE;
            }
            Home->Nodes--;
        }
        Operation->Current--;
        if (FltpTakeNode(Node, &Drained)) {
            *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Node->Iopb;
            if (FltpCallPost(Operation, Node, 0) == FLT_POSTOP_MORE_PROCESSING_REQUIRED)
                return FALSE;
            if (Node->SwappedMdl != NULL)
                FltpFreeSwappedMdl(Operation, Node);
            FltpFinishNode(Node);
        } else if (Drained) {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS FltpGoUpAndComplete(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    PIRP Irp = Operation->Irp;
    NTSTATUS Status;

    Operation->Completed = TRUE;
    if (!FltpGoUp(Operation, Home))
        return STATUS_PENDING;
    Status = Operation->PendingMarked ? STATUS_PENDING : Operation->Data.IoStatus.Status;
    FltpFinishOperation(Operation);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/*
 * A driver below made an MDL for the buffer that we sent, as a file system does for direct access.  It belongs to
 * whose buffer that is: to the lowest filter that swapped one, or else to the request.
 */
static VOID FltpTakeMdlMadeBelow(PFLTP_OPERATION Operation)
{
    PMDL Mdl = Operation->Irp->MdlAddress;

    for (ULONG Index = Operation->Count; Index > 0; Index--) {
        PFLTP_NODE Node = &Operation->Nodes[Index - 1];

        if (Node->Swapped) {
            if (Node->SwappedMdl == NULL)
                Node->SwappedMdl = Mdl;
            return;
        }
    }
    Operation->OriginalMdl = Mdl;
}

/* IRQL: <= DISPATCH_LEVEL. */
NTSTATUS NTAPI FltpIrpCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_OPERATION Operation = Context;
    BOOLEAN *Kept = NULL;

    UNREFERENCED_PARAMETER(Device);
    if (!Irp->PendingReturned) {
        Kept = Operation->Kept;
    } else if (Operation->Homes == 0 || Operation->PendingMarked) {
        IoMarkIrpPending(Irp);
        Operation->PendingMarked = TRUE;
    }
    Operation->Completed = TRUE;
    Operation->Data.IoStatus = Irp->IoStatus;
    if (Irp->MdlAddress != Operation->SentMdl && Operation->Changed)
        FltpTakeMdlMadeBelow(Operation);
    if (!FltpGoUp(Operation, NULL)) {
        if (Kept != NULL)
            *Kept = TRUE;
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    FltpFinishOperation(Operation);
    return STATUS_CONTINUE_COMPLETION;
}

/* --- Draining --- */

/* What a draining callback sees of the operation, in Space. */
static PFLTP_OPERATION FltpCopyForDraining(PVOID Space, PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PFLTP_OPERATION Copy = Space;

    RtlZeroMemory(Space, FLTP_COPY_SIZE);
    Copy->Magic = FLTP_MAGIC_DRAINED;
    Copy->Capacity = Copy->Count = 1;
    Copy->Volume = Operation->Volume;
    Copy->Irp = Operation->Irp;
    RtlCopyMemory(&Copy->Nodes[0], Node, sizeof(*Node));
    Copy->Nodes[0].Home = NULL;
    Copy->Iopb = Node->Iopb;
    Copy->Data.Flags =
        Operation->Data.Flags | FLTFL_CALLBACK_DATA_DRAINING_IO | FLTFL_CALLBACK_DATA_POST_OPERATION;
    *(PETHREAD *)&Copy->Data.Thread = Operation->Data.Thread;
    *(PFLT_IO_PARAMETER_BLOCK *)&Copy->Data.Iopb = &Copy->Iopb;
    Copy->Data.RequestorMode = Operation->Data.RequestorMode;
    return Copy;
}

/*
 * The request goes on below; it does not come past this node while the callback is called, so that its file object
 * and its IRP are there as long as the callback runs.
 */
VOID FltpDrainNode(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    DECLSPEC_ALIGN(16) UCHAR Space[FLTP_COPY_SIZE];
    PFLTP_OPERATION Copy = FltpCopyForDraining(Space, Operation, Node);

    FltpCallPost(Copy, &Copy->Nodes[0], FLTFL_POST_OPERATION_DRAINING);
    Copy->Magic = FLTP_MAGIC_FREE;
    if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeDrain) == FltpNodeDrain) {
        FltpLeaveInstance(Node->Instance);
        return;
    }
    /* It has come back meanwhile, and waits for us. */
    IoMarkIrpPending(Operation->Irp);
    Operation->PendingMarked = TRUE;
    FltpFinishNode(Node);
    FltpGoUpAndComplete(Operation, NULL);
}

/* Lets go of what the operation has not reached; a node that is due is the caller's to drain.  One whose filter
 * swapped a buffer is waited for: the buffer is in use below. */
static PFLTP_NODE FltpTakeNodeToDrainLocked(PFLTP_OPERATION Operation, PFLT_INSTANCE Instance)
{
    for (ULONG Index = 0; Index < Operation->Count; Index++) {
        PFLTP_NODE Node = &Operation->Nodes[Index];

        if (Node->Instance != Instance)
            continue;
        if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeIdle) == FltpNodeIdle)
            FltpLeaveInstance(Instance);
        else if (!Node->Swapped &&
                 InterlockedCompareExchange(&Node->State, FltpNodeDrain, FltpNodeWait) == FltpNodeWait)
            return Node;
    }
    return NULL;
}

VOID FltpDrainInstance(PFLT_INSTANCE Instance)
{
    PFLT_VOLUME Volume = Instance->Volume;
    PLIST_ENTRY Link;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    Link = Volume->Operations.Flink;
    while (Link != &Volume->Operations) {
        PFLTP_OPERATION Operation = CONTAINING_RECORD(Link, FLTP_OPERATION, Link);
        PFLTP_NODE Node = FltpTakeNodeToDrainLocked(Operation, Instance);

        Link = Link->Flink;
        if (Node != NULL) {
            KeReleaseSpinLock(&Volume->Lock, Irql);
            FltpDrainNode(Operation, Node);
            Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
            Link = Volume->Operations.Flink; /* the list has changed */
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
}
