/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing wrong with a work item, or with what its routine leaves behind: the service's value "Fault" says
 * which.  A line that a report must name says so in a comment: fault, colon, the report's name for it.
 */
#include "../../inc/minifilter.h"

#define HYPERCRITICAL ((WORK_QUEUE_TYPE)2)

static PFLT_FILTER Filter;
static ULONG Fault;
static PVOID Kept;
static ULONG Data[4];

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    KIRQL Irql;

    if (Fault == 40)
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    if (Fault == 41)
        KeEnterCriticalRegion();
    if (Fault <= 40)
        FltFreeGenericWorkItem(Item);
}

static VOID NTAPI DeferredWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA CallbackData, PVOID Context)
{
    if (Fault == 42)
        KeEnterCriticalRegion();
    FltFreeDeferredIoWorkItem(Item);
    FltCompletePendedPreOperation(CallbackData, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
}

static NTSTATUS Queue(PFLT_GENERIC_WORKITEM Item, PFLT_GENERIC_WORKITEM_ROUTINE Routine)
{
    return FltQueueGenericWorkItem(Item, Filter, Routine, DelayedWorkQueue, NULL);
}

/* At DISPATCH_LEVEL on the only processor no worker takes what is queued; for good, as what follows does not return. */
static VOID BlockWorkers(VOID)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
}

/* Apart, or the compiler makes one call of two, which then has no line. */
static DECLSPEC_NOINLINE VOID QueueTwice(PFLT_GENERIC_WORKITEM Item)
{
    BlockWorkers();
    FltQueueGenericWorkItem(Item, Filter, Work, DelayedWorkQueue, NULL);  /* 1:queued */
    FltQueueGenericWorkItem(Item, Filter, Work, CriticalWorkQueue, NULL); /* 1:again */
    Data[0]++;
}

static DECLSPEC_NOINLINE VOID FreeQueued(PFLT_GENERIC_WORKITEM Item)
{
    BlockWorkers();
    FltQueueGenericWorkItem(Item, Filter, Work, DelayedWorkQueue, NULL); /* 2:queued */
    FltFreeGenericWorkItem(Item);                                        /* 2:freed */
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID FreeDeferred(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA CallbackData)
{
    BlockWorkers();
    FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, DelayedWorkQueue, NULL); /* 32:queued */
    FltFreeDeferredIoWorkItem(Item);                                                      /* 32:freed */
    Data[1]++;
}

static DECLSPEC_NOINLINE VOID DeferTwice(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA CallbackData)
{
    BlockWorkers();
    FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, DelayedWorkQueue, NULL); /* 31:queued */
    FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, DelayedWorkQueue, NULL); /* 31:again */
    Data[0]++;
}

static VOID MisuseGeneric(PFLT_GENERIC_WORKITEM Item, PFLT_VOLUME Volume)
{
    switch (Fault) {
    case 1: QueueTwice(Item); break;
    case 2: FreeQueued(Item); break;
    case 3:
        FltFreeGenericWorkItem(Item); /* 3:freed */
        Queue(Item, Work);
        break;
    case 4:
        FltFreeGenericWorkItem(Item); /* 4:freed */
        FltFreeGenericWorkItem(Item);
        break;
    case 5: FltQueueGenericWorkItem(Item, Data, Work, DelayedWorkQueue, NULL); break;
    case 6: FltQueueGenericWorkItem(Item, Volume, Work, DelayedWorkQueue, NULL); break;
    case 7: FltQueueGenericWorkItem(Item, Filter, Work, HYPERCRITICAL, NULL); break;
    case 8: FltQueueGenericWorkItem(Item, Filter, NULL, DelayedWorkQueue, NULL); break;
    case 9:
        FltQueueGenericWorkItem(Item, Filter, (PFLT_GENERIC_WORKITEM_ROUTINE)(PVOID)Data, DelayedWorkQueue, NULL);
        break;
    case 10:
        FltQueueGenericWorkItem(Item, Filter, (PFLT_GENERIC_WORKITEM_ROUTINE)(PVOID)0x12345678, DelayedWorkQueue, NULL);
        break;
    case 11: FltFreeGenericWorkItem((PFLT_GENERIC_WORKITEM)(PVOID)Data); break;
    case 12: FltQueueGenericWorkItem(NULL, Filter, Work, DelayedWorkQueue, NULL); break;
    case 13: FltFreeDeferredIoWorkItem((PFLT_DEFERRED_IO_WORKITEM)(PVOID)Item); break;
    case 14:
    case 15:
    case 43:
        Kept = Item; /* and never freed */
        return;
    case 40:
    case 41:
        Queue(Item, Work);
        Sleep(20);
        break;
    }
}

static VOID MisuseDeferred(PFLT_DEFERRED_IO_WORKITEM Item)
{
    switch (Fault) {
    case 20:
        FltFreeDeferredIoWorkItem(Item); /* 20:freed */
        FltFreeDeferredIoWorkItem(Item);
        break;
    case 21: FltFreeGenericWorkItem((PFLT_GENERIC_WORKITEM)(PVOID)Item); break;
    case 22: FltQueueGenericWorkItem((PFLT_GENERIC_WORKITEM)(PVOID)Item, Filter, Work, DelayedWorkQueue, NULL); break;
    case 23:
        Kept = Item; /* and never freed */
        break;
    case 24: FltFreeDeferredIoWorkItem((PFLT_DEFERRED_IO_WORKITEM)(PVOID)Data); break;
    }
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA CallbackData, PCFLT_RELATED_OBJECTS FltObjects,
                                         PVOID *Context)
{
    PFLT_DEFERRED_IO_WORKITEM Item;
    PFLT_GENERIC_WORKITEM Generic;

    if (Fault < 30 || Fault > 42)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Item = FltAllocateDeferredIoWorkItem(); /* 31:allocated */
    switch (Fault) {
    case 30: FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, HYPERCRITICAL, NULL); break;
    case 31: DeferTwice(Item, CallbackData); break;
    case 32: FreeDeferred(Item, CallbackData); break;
    case 33:
        FltFreeDeferredIoWorkItem(Item); /* 33:freed */
        FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, DelayedWorkQueue, NULL);
        break;
    case 34: FltQueueDeferredIoWorkItem(Item, CallbackData, NULL, DelayedWorkQueue, NULL); break;
    case 35:
        Generic = FltAllocateGenericWorkItem();
        FltQueueDeferredIoWorkItem((PFLT_DEFERRED_IO_WORKITEM)(PVOID)Generic, CallbackData, DeferredWork,
                                   DelayedWorkQueue, NULL);
        break;
    case 36:
    case 37: FltFreeDeferredIoWorkItem(Item); return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case 42:
        if (NT_SUCCESS(FltQueueDeferredIoWorkItem(Item, CallbackData, DeferredWork, DelayedWorkQueue, NULL)))
            return FLT_PREOP_PENDING;
        break;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS Safe(PFLT_CALLBACK_DATA CallbackData, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                       FLT_POST_OPERATION_FLAGS Flags)
{
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* In the disk's DPC. */
static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA CallbackData, PCFLT_RELATED_OBJECTS FltObjects,
                                           PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status = FLT_POSTOP_FINISHED_PROCESSING;

    if (Fault == 36)
        FltDoCompletionProcessingWhenSafe(CallbackData, FltObjects, Context, Flags, NULL, &Status);
    if (Fault == 37) {
        FltDoCompletionProcessingWhenSafe(CallbackData, FltObjects, Context, Flags, Safe, &Status); /* 37:queued */
        FltDoCompletionProcessingWhenSafe(CallbackData, FltObjects, Data, Flags, Safe, &Status);    /* 37:again */
    }
    return Status;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static VOID NTAPI DriverUnload(PDRIVER_OBJECT DriverObject)
{
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PFLT_GENERIC_WORKITEM Item;
    PFLT_VOLUME Volume;
    NTSTATUS Status;

    Fault = ReadNumber(RegistryPath, L"Fault");
    if (Fault == 15)
        DriverObject->DriverUnload = DriverUnload;
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (Fault >= 20 && Fault < 30) {
        MisuseDeferred(FltAllocateDeferredIoWorkItem()); /* 20:allocated 21:allocated 22:allocated 23:allocated */
    } else if (Fault < 20 || Fault >= 40) {
        Volume = OpenVolume(Filter);
        Item =
            FltAllocateGenericWorkItem(); /* 1:allocated 2:allocated 3:allocated 13:allocated 14:allocated 15:allocated 43:allocated */
        MisuseGeneric(Item, Volume);
        FltObjectDereference(Volume);
    }
    if (Fault == 43) {
        FltUnregisterFilter(Filter);
        return STATUS_UNSUCCESSFUL;
    }
    if (Fault == 44)
        return STATUS_UNSUCCESSFUL; /* and stays registered */
    return Status;
}
