/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pend.c: how a filter gives back an operation that it holds, and the posting of a post-callback's work to where
 * the IRQL allows it.
 *
 * A filter may give an operation back before the callback that pended it has returned.  What the callback returns
 * then is looked at when it does (FLTP_CALL), since nothing else of the operation is there any more.
 */
#include "operation.h"

/* The node that the caller's filter holds moves on from State: nobody else can give it back any more, and it has both its
 * holds on the instance again. */
static PFLTP_NODE FltpTakeHeldNode(PFLTP_OPERATION Operation, FLTP_NODE_STATE From, FLTP_NODE_STATE To)
{
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];

    if (Operation->Irp == NULL)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_PENDED, (ULONG_PTR)&Operation->Data, From, 0,
                      "rule=An operation was completed that came as a call, which nobody can hold\n");
    if (Operation->Current >= Operation->Count || InterlockedCompareExchange(&Node->State, To, From) != From)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_PENDED, (ULONG_PTR)&Operation->Data, From, 0,
                      "rule=An operation was completed that no filter holds\n");
    FltpStayInInstance(Node->Instance);
    return Node;
}

/* With the verifier on.  A request that has a filter's cancel routine would be cancelled when it is elsewhere. */
static VOID FltpCheckGivenBack(PFLTP_OPERATION Operation)
{
    if (Operation->Irp->CancelRoutine != NULL)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_STILL_CANCELABLE, (ULONG_PTR)&Operation->Data,
                      (ULONG_PTR)Operation->Irp->CancelRoutine, 0,
                      "rule=An operation was given back while it was in a queue or had a cancel callback\n");
}

static VOID FltpCheckPreStatus(PFLTP_OPERATION Operation, FLT_PREOP_CALLBACK_STATUS Status, PVOID Context)
{
    ULONG_PTR Data = (ULONG_PTR)&Operation->Data;

    if (Status != FLT_PREOP_COMPLETE && KeGetCurrentIrql() > APC_LEVEL)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_IRQL, Data, KeGetCurrentIrql(), APC_LEVEL,
                      "rule=Only FLT_PREOP_COMPLETE may be given to FltCompletePendedPreOperation at "
                      "DISPATCH_LEVEL\n");
    if (Status != FLT_PREOP_COMPLETE && Status != FLT_PREOP_SUCCESS_NO_CALLBACK &&
        Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_PREOP_STATUS, Data, Status, 0,
                      "rule=FltCompletePendedPreOperation was given a status that it does not take\n");
    if (Context != NULL && Status != FLT_PREOP_SUCCESS_WITH_CALLBACK)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_CONTEXT_WITHOUT_POST, Data, (ULONG_PTR)Context, Status,
                      "rule=FltCompletePendedPreOperation was given a completion context that no post-callback "
                      "will get\n");
}

DECLSPEC_NOINLINE VOID FLTAPI FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData,
                                                            FLT_PREOP_CALLBACK_STATUS CallbackStatus, PVOID Context)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltCompletePendedPreOperation was given no operation under way\n");
    PFLTP_CALL Call = FltpOwnCall(Operation);
    PFLTP_NODE Node;
    NTSTATUS Status;

    if (FltpVerify)
        FltpCheckPreStatus(Operation, CallbackStatus, Context);
    if (CallbackStatus == FLT_PREOP_PENDING)
        return; /* as documented it may not be given; then it stays as it is */
    Node = FltpTakeHeldNode(Operation, FltpNodePre, FltpNodeDown);
    if (Call != NULL)
        Call->Given = FltpGivenBack;
    if (FltpVerify) {
        FltpCheckGivenBack(Operation);
        if (CallbackStatus == FLT_PREOP_COMPLETE)
            FltpCheckStatus(Node, _ReturnAddress(), CallbackData);
    }
    FltpMarkPending(Operation);
    if (!FltpAfterPended(Operation, Node, CallbackStatus, Context)) {
        FltpGoUpAndComplete(Operation, NULL, &Status);
    } else {
        Operation->Current++;
        FltpGoDown(Operation);
    }
}

/* Completion goes on, after a post-callback that had kept the operation.  By: the safe callback, or the caller. */
static VOID FltpResumeCompletion(PFLTP_OPERATION Operation, const VOID *By)
{
    PFLTP_NODE Node = FltpTakeHeldNode(Operation, FltpNodePost, FltpNodeDone);
    NTSTATUS Status;

    if (FltpVerify) {
        FltpCheckGivenBack(Operation);
        FltpCheckStatus(Node, By, &Operation->Data);
    }
    FltpMarkPending(Operation);
    if (Node->SwappedMdl != NULL)
        FltpFreeSwappedMdl(Operation, Node);
    FltpFinishNode(Node);
    FltpGoUpAndComplete(Operation, NULL, &Status);
}

DECLSPEC_NOINLINE VOID FLTAPI FltCompletePendedPostOperation(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltCompletePendedPostOperation was given no operation under way\n");
    PFLTP_CALL Call = FltpOwnCall(Operation);

    if (Call != NULL)
        Call->Given = FltpGivenBack;
    FltpResumeCompletion(Operation, _ReturnAddress());
}

/* --- When safe --- */

static VOID FltpCallSafe(const FLTP_WORK *Work)
{
    PFLTP_OPERATION Operation = CONTAINING_RECORD(Work->Item, FLTP_OPERATION, SafeItem);
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
    PFLT_INSTANCE Instance = Node->Instance;
    PFLT_POST_OPERATION_CALLBACK Safe = Work->Routine;
    FLT_POSTOP_CALLBACK_STATUS Status;
    FLTP_CALL Call;

    Call.Operation = Operation;
    Call.Given = FltpNotGiven;
    Node->Call = &Call;
    FltpStayInInstance(Instance);
    FvBeginCall(&Call.State);
    Status = Safe(&Operation->Data, &Node->Objects, Work->Context, Operation->SafeFlags);
    Call.Operation = NULL;
    FvEndCall(&Call.State, Safe, "safe post-callback", (ULONG_PTR)&Operation->Data);
    if (Status == FLT_POSTOP_MORE_PROCESSING_REQUIRED)
        FltpNoteHeld(Operation);
    FltpLeaveInstance(Instance);
    if (Status == FLT_POSTOP_MORE_PROCESSING_REQUIRED)
        return;
    if (FltpVerify && Call.Given != FltpNotGiven)
        FltpBlameGivenAway(&Call, Safe, &Operation->Data, Status);
    FltpResumeCompletion(Operation, Safe);
}

const FLTP_WORK_KIND FltpSafeKind = {FLTP_MAGIC_SAFE, "post-callback for when it is safe", "safe post-callback",
                                     FltpCallSafe};

DECLSPEC_NOINLINE BOOLEAN FLTAPI FltDoCompletionProcessingWhenSafe(
    PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags,
    PFLT_POST_OPERATION_CALLBACK SafePostCallback, PFLT_POSTOP_CALLBACK_STATUS RetPostOperationStatus)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltDoCompletionProcessingWhenSafe was given no operation under way\n");
    PFLTP_CALL Call = FltpOwnCall(Operation);

    if (FltpVerify && (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || Operation->Magic == FLTP_MAGIC_DRAINED))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_POSTOP_STATUS, (ULONG_PTR)Data, 0, Flags,
                      "rule=FltDoCompletionProcessingWhenSafe was called while draining\n");
    FltpCheckQueueing(&Operation->SafeItem, &FltpSafeKind, SafePostCallback, CriticalWorkQueue, _ReturnAddress());
    if (KeGetCurrentIrql() < DISPATCH_LEVEL) {
        *RetPostOperationStatus = SafePostCallback(Data, FltObjects, CompletionContext, Flags);
        return TRUE;
    }
    if (!FLT_IS_IRP_OPERATION(Data) || Operation->Magic == FLTP_MAGIC_DRAINED ||
        FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO)) {
        *RetPostOperationStatus = FLT_POSTOP_FINISHED_PROCESSING;
        return FALSE;
    }
    if (Call != NULL)
        Call->Given = FltpGivenWhenSafe;
    Operation->SafeFlags = Flags;
    *RetPostOperationStatus = FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    FltpQueueItem(&Operation->SafeItem, SafePostCallback, &Operation->Data, CompletionContext, NULL, CriticalWorkQueue,
                  _ReturnAddress());
    return TRUE;
}
