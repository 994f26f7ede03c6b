/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * completion.c: a request on its way up: post-callbacks from the lowest altitude, at whatever IRQL the
 * request completes, and everything by which a filter holds an operation and gives it back.
 */
#include "fltmgrp.h"

/* Calls the post-callback of a node whose state the caller has moved from Wait to Post. */
static FLT_POSTOP_CALLBACK_STATUS FltpCallPost(PFLTP_OPERATION Operation, PFLTP_NODE Node,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLT_INSTANCE Instance = Node->Instance;
    KIRQL Irql = KeGetCurrentIrql();
    FLT_POSTOP_CALLBACK_STATUS Status;

    FV_TRACE(FLTVM_TRACE_FLT_POST_ENTER, Data, Node->Iopb.MajorFunction, Instance, Node->Callback->Post,
             Data->IoStatus.Status);
    Status = Node->Callback->Post(Data, &Node->Objects, Node->CompletionContext, Flags);
    FV_TRACE(FLTVM_TRACE_FLT_POST_LEAVE, Data, Status, Instance, 0, 0);
    if (FltpVerify) {
        if (KeGetCurrentIrql() != Irql)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_IRQL_CHANGED, (ULONG_PTR)Data, Irql, KeGetCurrentIrql(),
                          "rule=A post-callback returned at another IRQL than it was called at\n");
        if (Status != FLT_POSTOP_FINISHED_PROCESSING &&
            (Status != FLT_POSTOP_MORE_PROCESSING_REQUIRED || FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)))
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_POSTOP_STATUS, (ULONG_PTR)Data, Status, Flags,
                          "rule=A post-callback returned a status that it may not return here\n");
    }
    return Status;
}

BOOLEAN FltpGoUp(PFLTP_OPERATION Operation)
{
    BOOLEAN *PostPended = Operation->PostPended;

    SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_POST_OPERATION);
    while (Operation->Current > 0) {
        PFLTP_NODE Node = &Operation->Nodes[--Operation->Current];

        if (InterlockedCompareExchange(&Node->State, FltpNodePost, FltpNodeWait) != FltpNodeWait)
            continue;
        *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Node->Iopb;
        if (FltpCallPost(Operation, Node, 0) == FLT_POSTOP_MORE_PROCESSING_REQUIRED) {
            if (PostPended != NULL)
                *PostPended = TRUE;
            return FALSE;
        }
        FltpFinishNode(Node);
    }
    return TRUE;
}

/* Gives the block back; the last of its users, of whom a drainer may be one, really does. */
VOID FltpReturnOperation(PFLTP_OPERATION Operation)
{
    PFLT_VOLUME Volume = Operation->Volume;
    PFLTP_OPERATION Surplus = NULL;
    BOOLEAN Last = FALSE;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

    if (--Operation->References == 0) {
        RemoveEntryList(&Operation->Link);
        FltpCounters.operations_active--;
        Operation->Magic = FLTP_MAGIC_FREE;
        if (Volume->FreeCount < 32) {
            InsertHeadList(&Volume->FreeOperations, &Operation->Link);
            Volume->FreeCount++;
        } else {
            Surplus = Operation;
        }
        Last = --Volume->Users == 0;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    if (Surplus != NULL)
        ExFreePoolWithTag(Surplus, FLTP_TAG_OPERATION);
    if (Last)
        FltpFreeVolume(Volume);
}

/* MDLs that filters put in are the filter manager's to free, unless they said otherwise. */
static VOID FltpFreeSwappedMdls(PFLTP_OPERATION Operation)
{
    for (ULONG Index = 0; Index < Operation->Count; Index++) {
        PFLTP_NODE Node = &Operation->Nodes[Index];

        if (Node->SwappedMdl != NULL && !Node->RetainMdl && Node->SwappedMdl != Operation->OriginalMdl) {
            if (FlagOn(Node->SwappedMdl->MdlFlags, MDL_PAGES_LOCKED))
                MmUnlockPages(Node->SwappedMdl);
            IoFreeMdl(Node->SwappedMdl);
        }
        Node->SwappedMdl = NULL;
    }
}

VOID FltpFinishOperation(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;

    Irp->IoStatus = Operation->Data.IoStatus;
    if (Operation->Changed) {
        Irp->UserBuffer = Operation->OriginalUserBuffer;
        Irp->AssociatedIrp.SystemBuffer = Operation->OriginalSystemBuffer;
        Irp->MdlAddress = Operation->OriginalMdl;
        FltpFreeSwappedMdls(Operation);
    }
    FltpReturnOperation(Operation);
}

/* IRQL: <= DISPATCH_LEVEL. */
NTSTATUS NTAPI FltpIrpCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_OPERATION Operation = Context;

    UNREFERENCED_PARAMETER(Device);
    if (Operation->Synchronize) {
        /* The thread that sent it down waits only if the lower driver pended it. */
        if (Irp->PendingReturned)
            KeSetEvent(&Operation->Event, IO_NO_INCREMENT, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
        Operation->PostPended = NULL; /* the frame it is in may be gone */
    }
    Operation->Completed = TRUE;
    Operation->Data.IoStatus = Irp->IoStatus;
    if (!FltpGoUp(Operation))
        return STATUS_MORE_PROCESSING_REQUIRED;
    FltpFinishOperation(Operation);
    return STATUS_CONTINUE_COMPLETION;
}

/* The instance goes before the operation is over: its post-callback is called now, to undo what its pre did.
 */
VOID FltpDrainNode(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    if (InterlockedCompareExchange(&Node->State, FltpNodePost, FltpNodeWait) != FltpNodeWait)
        return;
    FltpCallPost(Operation, Node, FLTFL_POST_OPERATION_DRAINING);
    FltpFinishNode(Node);
}

VOID FltpDrainInstance(PFLT_INSTANCE Instance)
{
    PFLT_VOLUME Volume = Instance->Volume;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);

Again:
    for (PLIST_ENTRY Link = Volume->Operations.Flink; Link != &Volume->Operations; Link = Link->Flink) {
        PFLTP_OPERATION Operation = CONTAINING_RECORD(Link, FLTP_OPERATION, Link);

        for (ULONG Index = 0; Index < Operation->Count; Index++) {
            PFLTP_NODE Node = &Operation->Nodes[Index];

            if (Node->Instance != Instance)
                continue;
            if (InterlockedCompareExchange(&Node->State, FltpNodeDone, FltpNodeIdle) == FltpNodeIdle) {
                FltpLeaveInstance(Instance);
            } else if (Node->State == FltpNodeWait) {
                Operation->References++;
                KeReleaseSpinLock(&Volume->Lock, Irql);
                FltpDrainNode(Operation, Node);
                FltpReturnOperation(Operation);
                Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
                goto Again;
            }
        }
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
}

/* The node that a filter holds, in the state that it must be in. */
static PFLTP_NODE FltpHeldNode(PFLTP_OPERATION Operation, FLTP_NODE_STATE State)
{
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];

    if (Operation->Current >= Operation->Count || Node->State != State)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NOT_PENDED, (ULONG_PTR)&Operation->Data, State, 0,
                      "rule=An operation was completed that no filter holds\n");
    return Node;
}

static VOID FltpCheckIrql(PFLT_CALLBACK_DATA Data, KIRQL Highest, PCSTR Text)
{
    if (FltpVerify && KeGetCurrentIrql() > Highest)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_IRQL, (ULONG_PTR)Data, KeGetCurrentIrql(), Highest, Text);
}

VOID FLTAPI FltCompletePendedPreOperation(PFLT_CALLBACK_DATA CallbackData,
                                          FLT_PREOP_CALLBACK_STATUS CallbackStatus, PVOID Context)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltCompletePendedPreOperation was given no operation under way\n");
    PFLTP_NODE Node = FltpHeldNode(Operation, FltpNodePre);

    if (CallbackStatus != FLT_PREOP_COMPLETE)
        FltpCheckIrql(CallbackData, APC_LEVEL,
                      "rule=Only FLT_PREOP_COMPLETE may be given to FltCompletePendedPreOperation at "
                      "DISPATCH_LEVEL\n");
    if (CallbackStatus == FLT_PREOP_PENDING || CallbackStatus == FLT_PREOP_SYNCHRONIZE ||
        CallbackStatus == FLT_PREOP_DISALLOW_FASTIO)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_PREOP_STATUS, (ULONG_PTR)CallbackData, CallbackStatus, 0,
                      "rule=FltCompletePendedPreOperation was given a status that it does not take\n");
    Operation->PendingMarked = TRUE;
    IoMarkIrpPending(Operation->Irp); /* its dispatch routine has returned STATUS_PENDING, or is about to */
    Node->CompletionContext = Context;
    if (!FltpAfterPre(Operation, Node, CallbackStatus)) {
        FltpCompleteAbove(Operation);
    } else {
        Operation->Current++;
        FltpGoDown(Operation);
    }
}

VOID FLTAPI FltCompletePendedPostOperation(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltCompletePendedPostOperation was given no operation under way\n");
    PFLTP_NODE Node = FltpHeldNode(Operation, FltpNodePost);

    IoMarkIrpPending(Operation->Irp);
    Operation->PostPended = NULL;
    FltpFinishNode(Node);
    FltpCompleteAbove(Operation);
}

static VOID NTAPI FltpSafeWorker(PVOID Parameter)
{
    PFLTP_OPERATION Operation = Parameter;
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];

    if (Operation->SafeCallback(&Operation->Data, &Node->Objects, Operation->SafeContext,
                                Operation->SafeFlags) != FLT_POSTOP_MORE_PROCESSING_REQUIRED)
        FltCompletePendedPostOperation(&Operation->Data);
}

BOOLEAN FLTAPI FltDoCompletionProcessingWhenSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags,
                                                 PFLT_POST_OPERATION_CALLBACK SafePostCallback,
                                                 PFLT_POSTOP_CALLBACK_STATUS RetPostOperationStatus)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltDoCompletionProcessingWhenSafe was given no operation under way\n");

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && FltpVerify)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_POSTOP_STATUS, (ULONG_PTR)Data, 0, Flags,
                      "rule=FltDoCompletionProcessingWhenSafe was called while draining\n");
    if (KeGetCurrentIrql() < DISPATCH_LEVEL) {
        *RetPostOperationStatus = SafePostCallback(Data, FltObjects, CompletionContext, Flags);
        return TRUE;
    }
    if (!FLT_IS_IRP_OPERATION(Data) ||
        FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO)) {
        *RetPostOperationStatus = FLT_POSTOP_FINISHED_PROCESSING;
        return FALSE;
    }
    Operation->SafeCallback = SafePostCallback;
    Operation->SafeContext = CompletionContext;
    Operation->SafeFlags = Flags;
    *RetPostOperationStatus = FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    ExInitializeWorkItem(&Operation->SafeItem, FltpSafeWorker, Operation);
    ExQueueWorkItem(&Operation->SafeItem, CriticalWorkQueue);
    return TRUE;
}
