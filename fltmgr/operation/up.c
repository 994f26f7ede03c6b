/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * up.c: a request on its way up: post-callbacks from the lowest altitude, at whatever IRQL the request completes,
 * or in the thread that a node belongs to; and the draining of nodes whose instance goes before its time.
 */
#include "operation.h"

#define FLTP_COPY_SIZE (FIELD_OFFSET(FLTP_OPERATION, Nodes) + sizeof(FLTP_NODE))

static DECLSPEC_NOINLINE VOID FltpCheckNewStatus(PFLTP_NODE Node, PFLTP_CALL Call, PFLT_CALLBACK_DATA Data,
                                                 const VOID *Post)
{
    Call->Before = Data->IoStatus;
    FltpCheckStatus(Node, Post, Data);
}

/* Other than finished.  A call cannot be kept; IRP_MJ_QUERY_OPEN may be disallowed afterwards. */
static BOOLEAN FltpIsBadPostStatus(PFLTP_CALL Call, PFLT_CALLBACK_DATA Data, FLT_POSTOP_CALLBACK_STATUS Status,
                                   FLT_POST_OPERATION_FLAGS Flags)
{
    if (Call->IsCall)
        return Status != FLT_POSTOP_DISALLOW_FSFILTER_IO || Data->Iopb->MajorFunction != IRP_MJ_QUERY_OPEN;
    return Status != FLT_POSTOP_MORE_PROCESSING_REQUIRED || FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING);
}

/* Node is the caller's still only when the callback says that it has finished. */
static FORCEINLINE VOID FltpCheckAfterPost(PFLTP_NODE Node, PFLTP_CALL Call, PFLT_CALLBACK_DATA Data, const VOID *Post,
                                           FLT_POSTOP_CALLBACK_STATUS Status, FLT_POST_OPERATION_FLAGS Flags)
{
    if (Status == FLT_POSTOP_FINISHED_PROCESSING) {
        if (Call->Given != FltpNotGiven)
            FltpBlameGivenAway(Call, Post, Data, Status);
        if (Data->IoStatus.Status != Call->Before.Status || Data->IoStatus.Information != Call->Before.Information)
            FltpCheckNewStatus(Node, Call, Data, Post);
    } else if (FltpIsBadPostStatus(Call, Data, Status, Flags)) {
        FltpBlameCallback(NULL, Post, FLTP_BAD_POSTOP_STATUS, (ULONG_PTR)Data, Status, Flags,
                          "rule=A post-callback returned a status that it may not return here\n");
    }
}

/*
 * What its pre-callback left, a post-callback in the same thread puts back, and leaves nothing itself.  When it has put nothing
 * back it is the pre-callback that left it.
 */
static DECLSPEC_NOINLINE VOID FltpCheckPutBack(PFLTP_CALL Call, const FLTP_LEFT *Left, const VOID *Pre,
                                               PFLT_CALLBACK_DATA Data)
{
    FV_CALL Now;

    if (Call->State.State != Left->After || Call->State.TopLevelIrp != Left->TopLevelAfter) {
        Call->State.MayLeave = FLTP_MAY_LEAVE; /* somebody else has left something in between */
        return;
    }
    FvBeginCall(&Now);
    Call->State.State = Left->Before;
    Call->State.TopLevelIrp = Left->TopLevelBefore;
    if (Now.State == Left->After && Now.TopLevelIrp == Left->TopLevelAfter)
        FvEndCall(&Call->State, Pre, "pre-callback", (ULONG_PTR)Data);
}

/* A call's, or that of a request whose post-callback may run in the thread of its pre-callback, with what that left. */
static DECLSPEC_NOINLINE FLT_POSTOP_CALLBACK_STATUS FltpCallPostAtHome(PFLTP_OPERATION Operation, PFLTP_NODE Node,
                                                                       PFLTP_CALL Call, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_POST_OPERATION_CALLBACK Post = Node->Callback->Post;
    PFLT_PRE_OPERATION_CALLBACK Pre = Node->Callback->Pre;
    BOOLEAN PutsBack = FlagOn(Node->Flags, FLTP_NODE_LEFT) != 0;
    FLT_POSTOP_CALLBACK_STATUS Status;
    FLTP_LEFT Left;

    if (PutsBack)
        Left = Node->Left;
    if (FltpVerify && !Call->IsCall)
        Call->Sent = Node->Iopb;
    Status = Post(Data, &Node->Objects, Node->CompletionContext, Flags);
    if (FltpVerify) {
        if (Call->IsCall && FLT_IS_FS_FILTER_OPERATION(Data))
            Call->State.MayLeave = FLTP_MAY_LEAVE; /* what another operation's callbacks put back */
        else if (PutsBack)
            FltpCheckPutBack(Call, &Left, Pre, Data);
        FvEndCall(&Call->State, Post, "post-callback", (ULONG_PTR)Data);
        FltpCheckAfterPost(Node, Call, Data, Post, Status, Flags);
        if (Status == FLT_POSTOP_FINISHED_PROCESSING)
            FltpBeginCalls(Call, Operation);
    }
    if (Call->IsCall && Status != FLT_POSTOP_FINISHED_PROCESSING) {
        if (Status == FLT_POSTOP_DISALLOW_FSFILTER_IO)
            Data->IoStatus.Status = STATUS_FLT_DISALLOW_FAST_IO;
        Status = FLT_POSTOP_FINISHED_PROCESSING;
    }
    return Status;
}

/* Calls the post-callback of a node that the caller owns; after MORE_PROCESSING_REQUIRED it is the filter's. */
static FORCEINLINE FLT_POSTOP_CALLBACK_STATUS FltpCallPost(PFLTP_OPERATION Operation, PFLTP_NODE Node, PFLTP_CALL Call,
                                                           FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_INSTANCE Instance = Node->Instance;
    PFLT_POST_OPERATION_CALLBACK Post = Node->Callback->Post;
    FLT_POSTOP_CALLBACK_STATUS Status;

    FV_TRACE(FLTVM_TRACE_FLT_POST_ENTER, Data, Node->Iopb.MajorFunction, Instance, Post, Data->IoStatus.Status);
    Node->Call = Call;
    if (Node->Home != NULL || !Call->IsPlain) {
        Status = FltpCallPostAtHome(Operation, Node, Call, Flags);
    } else {
        Status = Post(Data, &Node->Objects, Node->CompletionContext, Flags);
        if (FltpVerify) {
            FvEndCall(&Call->State, Post, "post-callback", (ULONG_PTR)Data);
            FltpCheckAfterPost(Node, Call, Data, Post, Status, Flags);
        }
    }
    FV_TRACE(FLTVM_TRACE_FLT_POST_LEAVE, Data, Status, Instance, 0, 0);
    return Status;
}

/* A teardown is at this node: it takes the operation on.  FALSE: it has just ended. */
static DECLSPEC_NOINLINE BOOLEAN FltpLeaveToDrainer(PFLTP_NODE Node)
{
    return InterlockedCompareExchange(&Node->State, FltpNodeDrainLast, FltpNodeDrain) == FltpNodeDrain;
}

static BOOLEAN FltpCallPostCallbacks(PFLTP_OPERATION Operation, PFLTP_HOME Home, PFLTP_CALL Call)
{
    while (Operation->Current > 0) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Current - 1];
        LONG Was;

        if (Node->Home != NULL) {
            if (Node->Home != Home) {
                KeSetEvent(&Node->Home->Event, IO_NO_INCREMENT, FALSE);
                return FALSE;
            }
            Home->Nodes--;
        }
        Operation->Current--;
        Was = InterlockedCompareExchange(&Node->State, FltpNodePost, FltpNodeWait);
        if (Was == FltpNodeWait) {
            PFLT_INSTANCE Instance = Node->Instance;

            *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Node->Iopb;
            if (FltpCallPost(Operation, Node, Call, 0) == FLT_POSTOP_MORE_PROCESSING_REQUIRED) {
                FltpNoteHeld(Operation);
                FltpLeaveInstance(Instance);
                return FALSE;
            }
            if (Node->SwappedMdl != NULL)
                FltpFreeSwappedMdl(Operation, Node);
            FltpFinishNode(Node);
        } else if (Was == FltpNodeDrain && FltpLeaveToDrainer(Node)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* FALSE: a filter kept it, or it went home to another thread than Home's; it is no longer the caller's to touch. */
static BOOLEAN FltpGoUp(PFLTP_OPERATION Operation, PFLTP_HOME Home)
{
    BOOLEAN Done;
    FLTP_CALL Call;

    if (Operation->Origin != NULL && Operation->Origin != Home) {
        KeSetEvent(&Operation->Origin->Event, IO_NO_INCREMENT, FALSE);
        return FALSE;
    }
    SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_POST_OPERATION);
    if (Operation->Iopb.MajorFunction == IRP_MJ_CREATE && Operation->Data.IoStatus.Status == STATUS_REPARSE)
        Operation->Data.TagData = (PFLT_TAG_DATA_BUFFER)Operation->Irp->Tail.Overlay.AuxiliaryBuffer;
    Call.Before = Operation->Data.IoStatus;
    FltpBeginCalls(&Call, Operation);
    Done = FltpCallPostCallbacks(Operation, Home, &Call);
    Call.Operation = NULL;
    return Done;
}

VOID FltpCallUp(PFLTP_OPERATION Operation)
{
    Operation->Completed = TRUE;
    FltpGoUp(Operation, NULL);
}

BOOLEAN FltpGoUpAndComplete(PFLTP_OPERATION Operation, PFLTP_HOME Home, NTSTATUS *Status)
{
    PIRP Irp = Operation->Irp;

    Operation->Completed = TRUE;
    if (!FltpGoUp(Operation, Home))
        return FALSE;
    *Status = Operation->PendingMarked ? STATUS_PENDING : Operation->Data.IoStatus.Status;
    if (Operation->Reissued)
        return TRUE; /* to who reissued it */
    FltpFinishOperation(Operation);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return TRUE;
}

/* Before any post-callback asks. */
static DECLSPEC_NOINLINE VOID FltpNamesChanged(PFLTP_OPERATION Operation)
{
    PFLT_VOLUME Volume = Operation->Redirected != NULL ? Operation->Redirected->Volume : Operation->Volume;

    InterlockedIncrement(&Volume->NameGeneration);
}

/* IRQL: <= DISPATCH_LEVEL. */
NTSTATUS NTAPI FltpIrpCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_OPERATION Operation = Context;
    BOOLEAN *Kept = NULL;

    UNREFERENCED_PARAMETER(Device);
    if (!Irp->PendingReturned) {
        Kept = Operation->Kept;
    } else if (Operation->PendingMarked || (Operation->Homes == 0 && Operation->Origin == NULL)) {
        IoMarkIrpPending(Irp);
        Operation->PendingMarked = TRUE;
    }
    Operation->Completed = TRUE;
    Operation->Data.IoStatus = Irp->IoStatus;
    if (Operation->ChangesNames && NT_SUCCESS(Irp->IoStatus.Status))
        FltpNamesChanged(Operation);
    if (Irp->AssociatedIrp.SystemBuffer != Operation->SentSystemBuffer)
        SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_NEW_SYSTEM_BUFFER);
    if (Irp->MdlAddress != Operation->SentMdl)
        FltpGiveMdl(Operation, Operation->Count, Irp->MdlAddress); /* made below, as a file system does */
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
    Copy->Data.Flags = Operation->Data.Flags | FLTFL_CALLBACK_DATA_DRAINING_IO | FLTFL_CALLBACK_DATA_POST_OPERATION;
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
    NTSTATUS Status;
    FLTP_CALL Call;

    Call.Before = Copy->Data.IoStatus;
    FltpBeginCalls(&Call, Copy);
    FltpCallPost(Copy, &Copy->Nodes[0], &Call, FLTFL_POST_OPERATION_DRAINING);
    Call.Operation = NULL;
    Copy->Magic = FLTP_MAGIC_FREE;
    if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeDrain) == FltpNodeDrain) {
        FltpLeaveInstanceTwice(Node->Instance);
        return;
    }
    /* It has come back meanwhile, and waits for us. */
    FltpMarkPending(Operation);
    FltpFinishNode(Node);
    FltpGoUpAndComplete(Operation, NULL, &Status);
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
            FltpLeaveInstanceTwice(Instance);
        else if (!FlagOn(Node->Flags, FLTP_NODE_SWAPPED) &&
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

    Link = Volume->Blocks.Flink;
    while (Link != &Volume->Blocks) {
        PFLTP_OPERATION Operation = CONTAINING_RECORD(Link, FLTP_OPERATION, Link);
        PFLTP_NODE Node = FltpTakeNodeToDrainLocked(Operation, Instance);

        Link = Link->Flink;
        if (Node != NULL) {
            KeReleaseSpinLock(&Volume->Lock, Irql);
            FltpDrainNode(Operation, Node);
            Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
            Link = Volume->Blocks.Flink; /* the list has changed */
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
}
