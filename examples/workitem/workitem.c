/* SPDX-License-Identifier: MIT */
/*
 * workitem: the smallest minifilter that has a reason for a generic work item.
 *
 * It wants to look at every read that succeeded, and to do so with calls that may block.  Its post-operation
 * callback cannot: a read completes in the disk driver's DPC, so the callback runs at DISPATCH_LEVEL.  It
 * therefore keeps the request (FLT_POSTOP_MORE_PROCESSING_REQUIRED), hands it to a system thread with a generic
 * work item, and lets it go on from there, at PASSIVE_LEVEL.
 */
#include <fltKernel.h>

#define WORKITEM_TAG 'mtIW'

/* What the callback leaves for the worker routine. */
typedef struct _READ_CONTEXT {
    PFLT_CALLBACK_DATA Data;
    KIRQL PostIrql;
} READ_CONTEXT, *PREAD_CONTEXT;

static PFLT_FILTER WorkitemFilter;

/* A system thread, PASSIVE_LEVEL: may wait, may touch pageable memory, may read files. */
static VOID FLTAPI WorkitemRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    PREAD_CONTEXT Read = Context;
    LARGE_INTEGER Moment = {.QuadPart = -10}; /* one microsecond, to show that waiting is allowed */

    DbgPrint("worker routine: the read is examined here, %Iu bytes came back\n", Read->Data->IoStatus.Information);
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    FltCompletePendedPostOperation(Read->Data);
    ExFreePoolWithTag(Read, WORKITEM_TAG);
    FltFreeGenericWorkItem(WorkItem);
    DbgPrint("worker routine: request completed, work item freed\n");
}

/* IRQL <= DISPATCH_LEVEL: nothing here may block. */
static FLT_POSTOP_CALLBACK_STATUS FLTAPI WorkitemPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                          PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_GENERIC_WORKITEM WorkItem;
    PREAD_CONTEXT Read;
    NTSTATUS Status;

    DbgPrint("post-read callback: status 0x%08X\n", Data->IoStatus.Status);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;

    WorkItem = FltAllocateGenericWorkItem();
    if (WorkItem == NULL)
        return FLT_POSTOP_FINISHED_PROCESSING;
    Read = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Read), WORKITEM_TAG);
    if (Read == NULL) {
        FltFreeGenericWorkItem(WorkItem);
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    Read->Data = Data;
    Read->PostIrql = KeGetCurrentIrql();

    /* The work item keeps a reference to the instance until its routine has returned: no unload in between. */
    Status = FltQueueGenericWorkItem(WorkItem, FltObjects->Instance, WorkitemRoutine, DelayedWorkQueue, Read);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Read, WORKITEM_TAG);
        FltFreeGenericWorkItem(WorkItem);
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
}

/* The thread that reads, usually PASSIVE_LEVEL. */
static FLT_PREOP_CALLBACK_STATUS FLTAPI WorkitemPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID *CompletionContext)
{
    DbgPrint("pre-read callback: %lu bytes at %I64d\n", Data->Iopb->Parameters.Read.Length,
             Data->Iopb->Parameters.Read.ByteOffset.QuadPart);
    *CompletionContext = NULL;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static NTSTATUS FLTAPI WorkitemUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(WorkitemFilter); /* waits for queued work items */
    DbgPrint("unloaded\n");
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION WorkitemOperations[] = {
    {IRP_MJ_READ, 0, WorkitemPreRead, WorkitemPostRead, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION WorkitemRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = WorkitemOperations,
    .FilterUnloadCallback = WorkitemUnload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &WorkitemRegistration, &WorkitemFilter);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(WorkitemFilter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(WorkitemFilter);
    return Status;
}
