/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generic.c: generic work items: work that belongs to no operation, done at PASSIVE_LEVEL in a system thread.
 *
 * Queued work holds the filter or instance it was queued for, until its routine has returned: detaching and
 * unloading wait for it.
 */
#include "work.h"

struct _FLT_GENERIC_WORKITEM {
    FLTP_WORK_ITEM Item;
};

static VOID FltpCallGeneric(const FLTP_WORK *Work)
{
    PFLT_GENERIC_WORKITEM_ROUTINE Routine = Work->Routine;

    InterlockedDecrement64((LONG64 *)&FltpCounters.work_items_queued);
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_running);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ENTER, Work->Item, Routine, Work->Object, 0, 0);
    Routine(Work->Item, Work->Object, Work->Context);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_LEAVE, Work->Item, 0, 0, 0, 0);
    InterlockedDecrement64((LONG64 *)&FltpCounters.work_items_running);
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_run);
}

static const FLTP_WORK_KIND FltpGenericKind = {FLTP_MAGIC_GENERIC, "generic work item", "generic work routine",
                                               FltpCallGeneric};

DECLSPEC_NOINLINE PFLT_GENERIC_WORKITEM FLTAPI FltAllocateGenericWorkItem(VOID)
{
    PFLTP_WORK_ITEM Item = FltpAllocateItem(&FltpGenericKind, __builtin_return_address(0));

    if (FltpVerify && Item != NULL)
        FltpCaptureStack(1, Item->AllocatedBy);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_ALLOCATE, Item, __builtin_return_address(0), 0, 0, 0);
    return (PFLT_GENERIC_WORKITEM)Item;
}

DECLSPEC_NOINLINE VOID FLTAPI FltFreeGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem)
{
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_FREE, FltWorkItem, __builtin_return_address(0), 0, 0, 0);
    FltpFreeItem(&FltWorkItem->Item, &FltpGenericKind, __builtin_return_address(0));
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltQueueGenericWorkItem(PFLT_GENERIC_WORKITEM FltWorkItem, PVOID FltObject,
                                                          PFLT_GENERIC_WORKITEM_ROUTINE WorkerRoutine,
                                                          WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    PFLTP_OBJECT Object = FltObject;
    NTSTATUS Status =
        FltpCheckQueueing(&FltWorkItem->Item, &FltpGenericKind, WorkerRoutine, QueueType, __builtin_return_address(0));

    if (Object == NULL || (Object->Magic != FLTP_MAGIC_FILTER && Object->Magic != FLTP_MAGIC_INSTANCE)) {
        FltpReportItem(&FltWorkItem->Item, "queued for something that is neither filter nor instance");
        FvBlame(__builtin_return_address(0));
        KeBugCheckEx(WORKER_INVALID, 3, (ULONG_PTR)FltWorkItem, (ULONG_PTR)Object, 0);
    }
    if (!NT_SUCCESS(Status))
        return Status;
    if (!FltpAcquireRundown(&Object->Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    InterlockedIncrement64((LONG64 *)&FltpCounters.work_items_queued);
    FV_TRACE(FLTVM_TRACE_FLT_WORKITEM_QUEUE, FltWorkItem, WorkerRoutine, QueueType, Object, 0);
    FltpQueueItem(&FltWorkItem->Item, WorkerRoutine, Object, Context, Object, QueueType, __builtin_return_address(0));
    return STATUS_SUCCESS;
}
