/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm: a minifilter that holds nearly every read, before or after the file system, and lets it go on from a generic
 * work item.  Three of them stacked, asynchronous reads from several threads and an unload in the middle of them leave
 * hardly an order of events untried when the seed varies.
 */
#include <fltKernel.h>

#define STORM_TAG 'mrtS'

typedef enum _STORM_KIND { StormPost, StormPre } STORM_KIND;

typedef struct _STORM_CONTEXT {
    PFLT_CALLBACK_DATA Data;
    STORM_KIND Kind;
} STORM_CONTEXT, *PSTORM_CONTEXT;

static PFLT_FILTER StormFilter;
static LONG StormReads, StormHeld, StormReleased;

static VOID FLTAPI StormRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    PSTORM_CONTEXT Held = Context;

    UNREFERENCED_PARAMETER(FltObject);
    NT_ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL);
    if (Held->Kind == StormPost)
        FltCompletePendedPostOperation(Held->Data);
    else
        FltCompletePendedPreOperation(Held->Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, NULL);
    ExFreePoolWithTag(Held, STORM_TAG);
    FltFreeGenericWorkItem(WorkItem);
    InterlockedIncrement(&StormReleased);
}

/* IRQL <= DISPATCH_LEVEL.  FALSE: the operation was not held. */
static BOOLEAN StormHold(PFLT_CALLBACK_DATA Data, PFLT_INSTANCE Instance, STORM_KIND Kind)
{
    PFLT_GENERIC_WORKITEM WorkItem = FltAllocateGenericWorkItem();
    PSTORM_CONTEXT Held = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Held), STORM_TAG);

    if (WorkItem != NULL && Held != NULL) {
        Held->Data = Data;
        Held->Kind = Kind;
        InterlockedIncrement(&StormHeld);
        if (NT_SUCCESS(FltQueueGenericWorkItem(WorkItem, Instance, StormRoutine,
                                               Kind == StormPost ? DelayedWorkQueue : CriticalWorkQueue, Held)))
            return TRUE;
        InterlockedDecrement(&StormHeld);
    }
    if (WorkItem != NULL)
        FltFreeGenericWorkItem(WorkItem);
    if (Held != NULL)
        ExFreePoolWithTag(Held, STORM_TAG);
    return FALSE;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI StormPreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                     PVOID *CompletionContext)
{
    *CompletionContext = NULL;
    switch (InterlockedIncrement(&StormReads) % 4) {
    case 0: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 1:
        /* What is below may run in the system's process, where a program's buffer is not. */
        if (!NT_SUCCESS(FltLockUserBuffer(Data)))
            return FLT_PREOP_SUCCESS_WITH_CALLBACK;
        return StormHold(Data, FltObjects->Instance, StormPre) ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case 2: return FLT_PREOP_SYNCHRONIZE;
    default: return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI StormPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                       PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) && StormHold(Data, FltObjects->Instance, StormPost))
        return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI StormUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(StormFilter);
    DbgPrint("storm: %ld held, %ld released\n", StormHeld, StormReleased);
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI StormQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION StormOperations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = StormPreRead, .PostOperation = StormPostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION StormRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = StormOperations,
    .FilterUnloadCallback = StormUnload,
    .InstanceQueryTeardownCallback = StormQueryTeardown,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &StormRegistration, &StormFilter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(StormFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(StormFilter);
    }
    return Status;
}
