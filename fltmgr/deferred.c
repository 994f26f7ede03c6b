/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deferred.c: deferred I/O work items: an operation that a callback pended goes to a system thread.  The
 * operation itself keeps its instance referenced, so nothing else has to be held.
 */
#include "operation/operation.h"

typedef struct _FLT_DEFERRED_IO_WORKITEM {
    ULONG Magic;
    volatile LONG Queued;
    WORK_QUEUE_ITEM Item;
    PFLT_DEFERRED_IO_WORKITEM_ROUTINE Routine;
    PFLT_CALLBACK_DATA Data;
    PVOID Context;
    PVOID AllocatedBy[FLTP_STACK_DEPTH], QueuedBy[FLTP_STACK_DEPTH];
} FLT_DEFERRED_IO_WORKITEM;

static VOID FltpDeferredViolation(PFLT_DEFERRED_IO_WORKITEM Item, PCSTR Rule, ULONG_PTR P1)
{
    FvReport(Rule);
    FltpReportStack("allocated", Item->AllocatedBy);
    FltpReportStack("queued", Item->QueuedBy);
    KeBugCheckEx(WORKER_INVALID, P1, (ULONG_PTR)Item, (ULONG_PTR)Item->Routine, 0);
}

DECLSPEC_NOINLINE PFLT_DEFERRED_IO_WORKITEM FLTAPI FltAllocateDeferredIoWorkItem(VOID)
{
    PFLT_DEFERRED_IO_WORKITEM Item = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Item), FLTP_TAG_WORKITEM);

    if (Item == NULL)
        return NULL;
    RtlZeroMemory(Item, sizeof(*Item));
    Item->Magic = FLTP_MAGIC_WORKITEM;
    if (FltpVerify)
        FltpCaptureStack(1, Item->AllocatedBy);
    InterlockedIncrement64((LONG64 *)&FltpCounters.deferred_allocated);
    return Item;
}

VOID FLTAPI FltFreeDeferredIoWorkItem(PFLT_DEFERRED_IO_WORKITEM FltWorkItem)
{
    if (FltWorkItem->Queued)
        FltpDeferredViolation(FltWorkItem, "rule=A deferred I/O work item was freed while it was queued\n",
                              2);
    FltWorkItem->Magic = FLTP_MAGIC_FREE;
    InterlockedDecrement64((LONG64 *)&FltpCounters.deferred_allocated);
    ExFreePoolWithTag(FltWorkItem, FLTP_TAG_WORKITEM);
}

static VOID NTAPI FltpDeferredWorker(PVOID Parameter)
{
    PFLT_DEFERRED_IO_WORKITEM Item = Parameter;

    InterlockedExchange(&Item->Queued, FALSE); /* the routine may free it */
    Item->Routine(Item, Item->Data, Item->Context);
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltQueueDeferredIoWorkItem(PFLT_DEFERRED_IO_WORKITEM FltWorkItem,
                                                             PFLT_CALLBACK_DATA Data,
                                                             PFLT_DEFERRED_IO_WORKITEM_ROUTINE WorkerRoutine,
                                                             WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltQueueDeferredIoWorkItem was given no operation under way\n");
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];
    PFLTP_CALL Call = FltpOwnCall(Operation);

    if (!FLT_IS_IRP_OPERATION(Data) ||
        FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))
        return STATUS_FLT_NOT_SAFE_TO_POST_OPERATION;
    /* In a completion routine the thread is arbitrary, and its top-level request says nothing of this one. */
    if (KeGetCurrentIrql() < DISPATCH_LEVEL && !Operation->Completed && IoGetTopLevelIrp() != NULL)
        return STATUS_FLT_NOT_SAFE_TO_POST_OPERATION;
    if (Node->Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    if (InterlockedExchange(&FltWorkItem->Queued, TRUE))
        FltpDeferredViolation(FltWorkItem, "rule=A deferred I/O work item was queued while it was queued\n",
                              1);
    if (FltpVerify)
        FltpCaptureStack(1, FltWorkItem->QueuedBy);
    FltWorkItem->Routine = WorkerRoutine;
    FltWorkItem->Data = Data;
    FltWorkItem->Context = Context;
    if (Call != NULL)
        Call->Given = FltpGivenDeferred;
    ExInitializeWorkItem(&FltWorkItem->Item, FltpDeferredWorker, FltWorkItem);
    ExQueueWorkItem(&FltWorkItem->Item, QueueType);
    return STATUS_SUCCESS;
}
