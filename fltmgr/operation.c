/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * operation.c: a request on its way down: which instances see it, their pre-callbacks from the highest
 * altitude, and the call of the file system.
 *
 * The instances are chosen once, when the request arrives, and referenced until each is done with it.  Blocks
 * come from the volume's free list, whose lock is held for that choice anyway, so that a filter costs no
 * allocation.
 */
#include "fltmgrp.h"

ULONG FltpOperationIndex(UCHAR MajorFunction)
{
    return MajorFunction <= IRP_MJ_MAXIMUM_FUNCTION ? MajorFunction
                                                    : IRP_MJ_MAXIMUM_FUNCTION + 1 + (0xFF - MajorFunction);
}

PFLTP_OPERATION FltpNewOperation(ULONG Capacity)
{
    SIZE_T Size = FIELD_OFFSET(FLTP_OPERATION, Nodes) + Capacity * sizeof(FLTP_NODE);
    PFLTP_OPERATION Operation = ExAllocatePoolWithTag(NonPagedPoolNx, Size, FLTP_TAG_OPERATION);

    if (Operation != NULL) {
        RtlZeroMemory(Operation, Size);
        Operation->Capacity = Capacity;
        *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Operation->Iopb;
    }
    return Operation;
}

PFLTP_OPERATION FltpCheckData(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FLTP_OPERATION_OF(Data);

    if (Data == NULL || Operation->Magic != FLTP_MAGIC_OPERATION)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_CALLBACK_DATA, (ULONG_PTR)Data, 0, 0, Text);
    return Operation;
}

VOID FltpFillObjects(PFLT_RELATED_OBJECTS Objects, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject)
{
    *(PUSHORT)&Objects->Size = sizeof(*Objects);
    *(PUSHORT)&Objects->TransactionContext = 0;
    *(PFLT_FILTER *)&Objects->Filter = Instance->Filter;
    *(PFLT_VOLUME *)&Objects->Volume = Instance->Volume;
    *(PFLT_INSTANCE *)&Objects->Instance = Instance;
    *(PFILE_OBJECT *)&Objects->FileObject = FileObject;
    *(PKTRANSACTION *)&Objects->Transaction = NULL;
}

VOID FltpFinishNode(PFLTP_NODE Node)
{
    Node->State = FltpNodeDone;
    FltpLeaveInstance(Node->Instance);
}

/* Whether the filter's registration says to leave this one out. */
static BOOLEAN FltpSkips(FLT_OPERATION_REGISTRATION_FLAGS Flags, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    BOOLEAN Paging = FlagOn(Irp->Flags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO) != 0;
    BOOLEAN Cached = !FlagOn(Irp->Flags, IRP_NOCACHE);

    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO) && Paging)
        return TRUE;
    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_DASD_IO) &&
        (Stack->FileObject == NULL || !FlagOn(Stack->FileObject->Flags, FO_VOLUME_OPEN)))
        return TRUE;
    if (Stack->MajorFunction != IRP_MJ_READ && Stack->MajorFunction != IRP_MJ_WRITE)
        return FALSE;
    if (FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO) && Cached && !Paging)
        return TRUE;
    return FlagOn(Flags, FLTFL_OPERATION_REGISTRATION_SKIP_NON_CACHED_NON_PAGING_IO) && !Cached && !Paging;
}

/* The volume's lock is held. */
static ULONG FltpChooseInstancesLocked(PFLT_VOLUME Volume, PFLTP_OPERATION Operation, PIRP Irp,
                                       PIO_STACK_LOCATION Stack, PFLT_INSTANCE Below)
{
    ULONG Index = FltpOperationIndex(Stack->MajorFunction), Count = 0;

    for (PLIST_ENTRY Link = Volume->Instances.Flink;
         Link != &Volume->Instances && Count < Operation->Capacity; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);
        PFLTP_CALLBACK Callback = &Instance->Filter->Callbacks[Index];
        PFLTP_NODE Node = &Operation->Nodes[Count];

        if ((Callback->Pre == NULL && Callback->Post == NULL) || Instance->State != FltpInstanceActive)
            continue;
        if (Callback->Flags != 0 && FltpSkips(Callback->Flags, Irp, Stack))
            continue;
        if (Below != NULL && FltCompareInstanceAltitudes(Instance, Below) >= 0)
            continue;
        if (!FltpEnterInstance(Instance))
            continue;
        Node->State = FltpNodeIdle;
        Node->Changed = FALSE;
        Node->RetainMdl = FALSE;
        Node->SwappedMdl = NULL;
        Node->CompletionContext = NULL;
        Node->Instance = Instance;
        Node->Callback = Callback;
        Instance->Operations++;
        Count++;
    }
    return Count;
}

/* The block for a request, with its instances; Count is zero and the block NULL when none wants it. */
static NTSTATUS FltpStartOperation(PFLT_VOLUME Volume, PIRP Irp, PIO_STACK_LOCATION Stack,
                                   PFLT_INSTANCE Below, PFLTP_OPERATION *Started)
{
    PFLTP_OPERATION Operation, Spare = NULL;
    KIRQL Irql;

    *Started = NULL;
    for (;;) {
        ULONG Needed;

        Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
        Needed = Volume->InstanceCount;
        if (Spare != NULL && Spare->Capacity >= Needed) {
            Operation = Spare;
            break;
        }
        if (!IsListEmpty(&Volume->FreeOperations)) {
            Operation = CONTAINING_RECORD(Volume->FreeOperations.Flink, FLTP_OPERATION, Link);
            RemoveEntryList(&Operation->Link);
            Volume->FreeCount--;
            if (Operation->Capacity >= Needed)
                break;
        } else {
            Operation = NULL;
        }
        KeReleaseSpinLock(&Volume->Lock, Irql);
        if (Operation != NULL)
            ExFreePoolWithTag(Operation, FLTP_TAG_OPERATION);
        if (Spare != NULL)
            ExFreePoolWithTag(Spare, FLTP_TAG_OPERATION);
        Spare = FltpNewOperation(max(Needed + 2, FLTP_NODES_DEFAULT));
        if (Spare == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    Operation->Count = FltpChooseInstancesLocked(Volume, Operation, Irp, Stack, Below);
    if (Operation->Count == 0) {
        InsertHeadList(&Volume->FreeOperations, &Operation->Link);
        Volume->FreeCount++;
    } else {
        InsertTailList(&Volume->Operations, &Operation->Link);
        Operation->References = 1;
        Volume->Users++;
        FltpCounters.operations_active++;
        FltpCounters.operations_total++;
        *Started = Operation;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return STATUS_SUCCESS;
}

/* Makes the changes of the parameters stick, or undoes what the filter did not declare. */
static VOID FltpTakeChanges(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PMDL *Before, *After;
    PVOID *Buffer;
    PULONG Length;
    LOCK_OPERATION Access;

    if (!FlagOn(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY)) {
        Operation->Iopb = Node->Iopb;
        return;
    }
    ClearFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_DIRTY);
    Node->Changed = TRUE;
    Operation->Changed = TRUE;
    Operation->Iopb.MajorFunction = Node->Iopb.MajorFunction;
    if (FltpLocateBuffer(&Operation->Iopb, &After, &Buffer, &Length, &Access) && After != NULL &&
        FltpLocateBuffer(&Node->Iopb, &Before, &Buffer, &Length, &Access) && *After != *Before)
        Node->SwappedMdl = *After;
}

/* FALSE: the filter completed the operation. */
BOOLEAN FltpAfterPre(PFLTP_OPERATION Operation, PFLTP_NODE Node, FLT_PREOP_CALLBACK_STATUS Status)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;

    FltpTakeChanges(Operation, Node);
    switch (Status) {
    case FLT_PREOP_SYNCHRONIZE:
    case FLT_PREOP_SUCCESS_WITH_CALLBACK:
        if (Node->Callback->Post == NULL)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_NO_POST_CALLBACK, (ULONG_PTR)Data, 0, 0,
                          "rule=A pre-callback asked for its post-callback, and none is registered\n");
        if (Status == FLT_PREOP_SYNCHRONIZE && KeGetCurrentIrql() <= APC_LEVEL)
            Operation->Synchronize = TRUE;
        Operation->NeedCompletion = TRUE;
        InterlockedExchange(&Node->State, FltpNodeWait);
        if (Node->Instance->TearingDown)
            FltpDrainNode(Operation, Node);
        break;
    case FLT_PREOP_COMPLETE:
        if (FltpVerify && Data->IoStatus.Status == STATUS_PENDING)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_STATUS_PENDING, (ULONG_PTR)Data, 0, 0,
                          "rule=A pre-callback completed an operation with STATUS_PENDING\n");
        FltpFinishNode(Node);
        return FALSE;
    case FLT_PREOP_SUCCESS_NO_CALLBACK:
        if (FltpVerify && Node->CompletionContext != NULL)
            FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_CONTEXT_WITHOUT_POST, (ULONG_PTR)Data,
                          (ULONG_PTR)Node->CompletionContext, 0,
                          "rule=A pre-callback set a completion context that no post-callback will get\n");
        FltpFinishNode(Node);
        break;
    default: /* the two that only fast I/O and file-system filter operations know, and plain nonsense */
        if (FltpVerify)
            FltpViolation(
                FLTMGR_FILE_SYSTEM, FLTP_BAD_PREOP_STATUS, (ULONG_PTR)Data, Status, 0,
                "rule=A pre-callback returned a status that an IRP-based operation does not have\n");
        FltpFinishNode(Node);
        break;
    }
    return TRUE;
}

static FLT_PREOP_CALLBACK_STATUS FltpCallPre(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    FLT_PREOP_CALLBACK_STATUS Status;
    PFLT_INSTANCE Instance = Node->Instance;
    KIRQL Irql = KeGetCurrentIrql();

    FV_TRACE(FLTVM_TRACE_FLT_PRE_ENTER, &Operation->Data, Operation->Iopb.MajorFunction, Instance,
             Node->Callback->Pre, Instance->AltitudeNumber);
    Status = Node->Callback->Pre(&Operation->Data, &Node->Objects, &Node->CompletionContext);
    FV_TRACE(FLTVM_TRACE_FLT_PRE_LEAVE, &Operation->Data, Status, Instance, 0, 0);
    if (FltpVerify && KeGetCurrentIrql() != Irql)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_IRQL_CHANGED, (ULONG_PTR)&Operation->Data, Irql,
                      KeGetCurrentIrql(),
                      "rule=A pre-callback returned at another IRQL than it was called at\n");
    return Status;
}

/* A filter completed the operation: only those above it are told, then the request goes back. */
NTSTATUS FltpCompleteAbove(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;
    NTSTATUS Status;

    Operation->Completed = TRUE;
    if (!FltpGoUp(Operation))
        return STATUS_PENDING;
    Status = Operation->Data.IoStatus.Status;
    FltpFinishOperation(Operation);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS FltpWaitForCompletion(PFLTP_OPERATION Operation, NTSTATUS Status)
{
    if (Status == STATUS_PENDING)
        KeWaitForSingleObject(&Operation->Event, Executive, KernelMode, FALSE, NULL);
    Operation->Data.IoStatus = Operation->Irp->IoStatus;
    return FltpCompleteAbove(Operation);
}

static NTSTATUS FltpSendDown(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;
    PDEVICE_OBJECT Target = Operation->Target;
    BOOLEAN PostPended = FALSE;
    BOOLEAN Synchronize = Operation->Synchronize;
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
    IoSetCompletionRoutine(Irp, FltpIrpCompletion, Operation, TRUE, TRUE, TRUE);
    if (Synchronize)
        KeInitializeEvent(&Operation->Event, NotificationEvent, FALSE);
    Operation->PostPended = &PostPended;
    Status = IoCallDriver(Target, Irp);
    if (Synchronize)
        return FltpWaitForCompletion(Operation, Status);
    return PostPended ? STATUS_PENDING : Status;
}

/* IRQL: the request's.  What it returns is what the dispatch routine returns. */
NTSTATUS FltpGoDown(PFLTP_OPERATION Operation)
{
    for (; Operation->Current < Operation->Count; Operation->Current++) {
        PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
        FLT_PREOP_CALLBACK_STATUS Status;

        if (InterlockedCompareExchange(&Node->State, FltpNodePre, FltpNodeIdle) != FltpNodeIdle)
            continue;
        FltpFillObjects(&Node->Objects, Node->Instance, Operation->Iopb.TargetFileObject);
        Operation->Iopb.TargetInstance = Node->Instance;
        Node->Iopb = Operation->Iopb;
        if (Node->Callback->Pre == NULL) {
            Status = FLT_PREOP_SUCCESS_WITH_CALLBACK;
        } else {
            Status = FltpCallPre(Operation, Node);
            if (Status == FLT_PREOP_PENDING)
                return STATUS_PENDING; /* from here on it is the filter's, and may be over already */
        }
        if (!FltpAfterPre(Operation, Node, Status))
            return FltpCompleteAbove(Operation);
    }
    return FltpSendDown(Operation);
}

NTSTATUS FltpDispatchVolume(PFLT_VOLUME Volume, PIRP Irp, PFLT_INSTANCE Below, FLT_CALLBACK_DATA_FLAGS Flags)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PFLTP_OPERATION Operation = NULL;
    NTSTATUS Status;

    if (Volume->InstanceCount != 0) {
        Status = FltpStartOperation(Volume, Irp, Stack, Below, &Operation);
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
    Operation->Magic = FLTP_MAGIC_OPERATION;
    Operation->Volume = Volume;
    Operation->Irp = Irp;
    Operation->Target = Volume->Below;
    Operation->Current = 0;
    Operation->Synchronize = FALSE;
    Operation->Changed = FALSE;
    Operation->NeedCompletion = FALSE;
    Operation->PendingMarked = FALSE;
    Operation->Completed = FALSE;
    Operation->PostPended = NULL;
    Operation->CanceledCallback = NULL;
    Operation->OriginalUserBuffer = Irp->UserBuffer;
    Operation->OriginalSystemBuffer = Irp->AssociatedIrp.SystemBuffer;
    Operation->OriginalMdl = Irp->MdlAddress;
    Operation->Data.Flags = FLTFL_CALLBACK_DATA_IRP_OPERATION | Flags;
    if (Irp->AssociatedIrp.SystemBuffer != NULL)
        SetFlag(Operation->Data.Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER);
    *(PETHREAD *)&Operation->Data.Thread = Irp->Tail.Overlay.Thread;
    *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Operation->Iopb;
    Operation->Data.IoStatus.Status = STATUS_SUCCESS;
    Operation->Data.IoStatus.Information = 0;
    Operation->Data.TagData = NULL;
    Operation->Data.RequestorMode = Irp->RequestorMode;
    FltpParametersFromIrp(&Operation->Iopb, Irp, Stack);
    return FltpGoDown(Operation);
}
