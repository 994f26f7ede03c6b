/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * deferred.c: deferred I/O work items: an operation that a callback pended goes to a system thread.
 *
 * The operation keeps its instance, but only until the routine has given it back, and the routine still has to return then:
 * queued work holds the instance besides, as generic work does.
 */
#include "work.h"
#include <operation.h>

struct _FLT_DEFERRED_IO_WORKITEM {
    FLTP_WORK_ITEM Item;
};

static VOID FltpCallDeferred(const FLTP_WORK *Work)
{
    ((PFLT_DEFERRED_IO_WORKITEM_ROUTINE)Work->Routine)(Work->Item, Work->Object, Work->Context);
}

static const FLTP_WORK_KIND FltpDeferredKind = {FLTP_MAGIC_DEFERRED, "deferred I/O work item",
                                                "deferred I/O work routine", FltpCallDeferred};

DECLSPEC_NOINLINE PFLT_DEFERRED_IO_WORKITEM FLTAPI FltAllocateDeferredIoWorkItem(VOID)
{
    PFLTP_WORK_ITEM Item = FltpAllocateItem(&FltpDeferredKind, __builtin_return_address(0));

    if (FltpVerify && Item != NULL)
        FltpCaptureStack(1, Item->AllocatedBy);
    return (PFLT_DEFERRED_IO_WORKITEM)Item;
}

DECLSPEC_NOINLINE VOID FLTAPI FltFreeDeferredIoWorkItem(PFLT_DEFERRED_IO_WORKITEM FltWorkItem)
{
    FltpFreeItem(&FltWorkItem->Item, &FltpDeferredKind, __builtin_return_address(0));
}

/* Documented: paging I/O is never posted, and nothing from a thread that is inside a file system already. */
static BOOLEAN FltpMayBePosted(PFLT_CALLBACK_DATA Data)
{
    if (!FLT_IS_IRP_OPERATION(Data) || FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))
        return FALSE;
    /* At DISPATCH_LEVEL the thread is one that was interrupted; its top-level request says nothing of this one. */
    return KeGetCurrentIrql() >= DISPATCH_LEVEL || IoGetTopLevelIrp() == NULL;
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltQueueDeferredIoWorkItem(PFLT_DEFERRED_IO_WORKITEM FltWorkItem,
                                                             PFLT_CALLBACK_DATA Data,
                                                             PFLT_DEFERRED_IO_WORKITEM_ROUTINE WorkerRoutine,
                                                             WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    NTSTATUS Status =
        FltpCheckQueueing(&FltWorkItem->Item, &FltpDeferredKind, WorkerRoutine, QueueType, __builtin_return_address(0));

    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltQueueDeferredIoWorkItem was given no operation under way\n");
    PFLTP_CALL Call;

    if (!NT_SUCCESS(Status))
        return Status;
    if (!FltpMayBePosted(Data))
        return STATUS_FLT_NOT_SAFE_TO_POST_OPERATION;
    /* What a draining callback sees is a copy, which nobody completes. */
    if (Operation->Magic == FLTP_MAGIC_DRAINED || Data->Iopb->TargetInstance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    if (!FltpAcquireRundown(&Data->Iopb->TargetInstance->Object.Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    Call = FltpOwnCall(Operation);
    if (Call != NULL)
        Call->Given = FltpGivenDeferred;
    FltpQueueItem(&FltWorkItem->Item, WorkerRoutine, Data, Context, &Data->Iopb->TargetInstance->Object, QueueType,
                  __builtin_return_address(0));
    return STATUS_SUCCESS;
}
