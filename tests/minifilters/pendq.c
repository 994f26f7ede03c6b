/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pendq: takes the reads of files whose name ends in .slow into a cancel-safe queue, one an instance, and lets a worker
 * bring them on, Delay milliseconds each, as a filter does that has to fetch data first.  Detaching and unloading drain the queue.
 */
#include <fltKernel.h>
#include <dontuse.h>
#include <suppress.h>

#define QUEUE_CONTEXT_TAG 'cdnP'
#define INSTANCE_TAG      'idnP'

#ifndef DELAY
#define DELAY 0 /* the service's value */
#endif

typedef struct _INSTANCE_CONTEXT {
    PFLT_INSTANCE Instance;
    FLT_CALLBACK_DATA_QUEUE Cbdq;
    LIST_ENTRY QueueHead;
    FAST_MUTEX Lock;
    volatile LONG WorkerThreadFlag;
    KEVENT TeardownEvent;
} INSTANCE_CONTEXT, *PINSTANCE_CONTEXT;

typedef struct _QUEUE_CONTEXT {
    FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT CbdqIoContext;
} QUEUE_CONTEXT, *PQUEUE_CONTEXT;

typedef struct _PENDQ_DATA {
    PFLT_FILTER FilterHandle;
    NPAGED_LOOKASIDE_LIST QueueContextLookaside;
    ULONG Delay;
    LONG Held, Cancelled;
} PENDQ_DATA;

static PENDQ_DATA Globals;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS PendqSetConfiguration(_In_ PUNICODE_STRING RegistryPath);
static NTSTATUS PendqInstanceSetup(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                   _In_ DEVICE_TYPE DeviceType, _In_ FLT_FILESYSTEM_TYPE FileSystemType);
static NTSTATUS PendqInstanceQueryTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects,
                                           _In_ FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);
static VOID PendqInstanceTeardownStart(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_TEARDOWN_FLAGS Flags);
static VOID PendqInstanceTeardownComplete(_In_ PCFLT_RELATED_OBJECTS FltObjects,
                                          _In_ FLT_INSTANCE_TEARDOWN_FLAGS Flags);
static NTSTATUS PendqUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, PendqSetConfiguration)
#pragma alloc_text(PAGE, PendqInstanceSetup)
#pragma alloc_text(PAGE, PendqInstanceQueryTeardown)
#pragma alloc_text(PAGE, PendqInstanceTeardownStart)
#pragma alloc_text(PAGE, PendqInstanceTeardownComplete)
#pragma alloc_text(PAGE, PendqUnload)
#endif

/* --- What the queue calls, for its list and its lock --- */

static VOID PendqAcquire(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _In_opt_ PKIRQL Irql)
{
    UNREFERENCED_PARAMETER(Irql);
    ExAcquireFastMutex(&CONTAINING_RECORD(Cbdq, INSTANCE_CONTEXT, Cbdq)->Lock);
}

static VOID PendqRelease(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _In_opt_ KIRQL Irql)
{
    UNREFERENCED_PARAMETER(Irql);
    ExReleaseFastMutex(&CONTAINING_RECORD(Cbdq, INSTANCE_CONTEXT, Cbdq)->Lock);
}

static VOID PendqWorker(_In_ PFLT_GENERIC_WORKITEM WorkItem, _In_ PVOID Filter, _In_opt_ PVOID Context);

static NTSTATUS PendqInsertIo(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _In_ PFLT_CALLBACK_DATA Data, _In_opt_ PVOID Context)
{
    PINSTANCE_CONTEXT Instance = CONTAINING_RECORD(Cbdq, INSTANCE_CONTEXT, Cbdq);
    BOOLEAN WasEmpty = IsListEmpty(&Instance->QueueHead);
    PFLT_GENERIC_WORKITEM WorkItem;
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Context);
    InsertTailList(&Instance->QueueHead, &Data->QueueLinks);
    if (!WasEmpty || InterlockedExchange(&Instance->WorkerThreadFlag, TRUE))
        return STATUS_SUCCESS;
    WorkItem = FltAllocateGenericWorkItem();
    if (WorkItem != NULL) {
        FltReferenceContext(Instance);
        Status = FltQueueGenericWorkItem(WorkItem, Instance->Instance, PendqWorker, DelayedWorkQueue, Instance);
        if (!NT_SUCCESS(Status)) {
            FltReleaseContext(Instance);
            FltFreeGenericWorkItem(WorkItem);
        }
    } else {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(Status)) {
        RemoveEntryList(&Data->QueueLinks);
        InterlockedExchange(&Instance->WorkerThreadFlag, FALSE);
    }
    return Status;
}

static VOID PendqRemoveIo(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _In_ PFLT_CALLBACK_DATA Data)
{
    UNREFERENCED_PARAMETER(Cbdq);
    RemoveEntryList(&Data->QueueLinks);
}

static PFLT_CALLBACK_DATA PendqPeekNextIo(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _In_opt_ PFLT_CALLBACK_DATA Data,
                                          _In_opt_ PVOID PeekContext)
{
    PINSTANCE_CONTEXT Instance = CONTAINING_RECORD(Cbdq, INSTANCE_CONTEXT, Cbdq);
    PLIST_ENTRY Next = Data == NULL ? Instance->QueueHead.Flink : Data->QueueLinks.Flink;

    /* Given a file object: only its operations. */
    for (; Next != &Instance->QueueHead; Next = Next->Flink) {
        PFLT_CALLBACK_DATA Found = CONTAINING_RECORD(Next, FLT_CALLBACK_DATA, QueueLinks);

        if (PeekContext == NULL || Found->Iopb->TargetFileObject == PeekContext)
            return Found;
    }
    return NULL;
}

static VOID PendqForget(PFLT_CALLBACK_DATA Data, PQUEUE_CONTEXT QueueContext)
{
    UNREFERENCED_PARAMETER(Data);
    ExFreeToNPagedLookasideList(&Globals.QueueContextLookaside, QueueContext);
}

static VOID PendqCompleteCanceledIo(_In_ PFLT_CALLBACK_DATA_QUEUE Cbdq, _Inout_ PFLT_CALLBACK_DATA Data)
{
    PQUEUE_CONTEXT QueueContext = Data->QueueContext[0];

    UNREFERENCED_PARAMETER(Cbdq);
    InterlockedIncrement(&Globals.Cancelled);
    Data->IoStatus.Status = STATUS_CANCELLED;
    Data->IoStatus.Information = 0;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
    PendqForget(Data, QueueContext);
}

/* --- The worker: one at a time --- */

static VOID PendqWait(_In_ PINSTANCE_CONTEXT Instance)
{
    LARGE_INTEGER Interval;

    Interval.QuadPart = -10000LL * Globals.Delay;
    KeWaitForSingleObject(&Instance->TeardownEvent, Executive, KernelMode, FALSE, &Interval);
}

static VOID PendqWorker(PFLT_GENERIC_WORKITEM WorkItem, PVOID Filter, PVOID Context)
{
    PINSTANCE_CONTEXT Instance = Context;
    PFLT_CALLBACK_DATA Data;
    PQUEUE_CONTEXT QueueContext;

    UNREFERENCED_PARAMETER(Filter);
    for (;;) {
        PendqWait(Instance);
        Data = FltCbdqRemoveNextIo(&Instance->Cbdq, NULL);
        if (Data == NULL) {
            /* Whoever inserts from here on may find the flag still set: look once more when it is not. */
            InterlockedExchange(&Instance->WorkerThreadFlag, FALSE);
            PendqAcquire(&Instance->Cbdq, NULL);
            Data = PendqPeekNextIo(&Instance->Cbdq, NULL, NULL);
            PendqRelease(&Instance->Cbdq, 0);
            if (Data == NULL || InterlockedExchange(&Instance->WorkerThreadFlag, TRUE))
                break;
            continue;
        }
        QueueContext = Data->QueueContext[0];
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
        PendqForget(Data, QueueContext);
    }
    FltReleaseContext(Instance);
    FltFreeGenericWorkItem(WorkItem);
}

/* --- Operations --- */

static BOOLEAN PendqIsSlow(_In_ PFLT_CALLBACK_DATA Data)
{
    static UNICODE_STRING Slow = RTL_CONSTANT_STRING(L"slow");
    PFLT_FILE_NAME_INFORMATION Name;
    BOOLEAN Result = FALSE;

    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name))) {
        FltParseFileNameInformation(Name);
        Result = RtlEqualUnicodeString(&Name->Extension, &Slow, TRUE);
        FltReleaseFileNameInformation(Name);
    }
    return Result;
}

static FLT_PREOP_CALLBACK_STATUS PendqPreRead(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    FLT_PREOP_CALLBACK_STATUS Result = FLT_PREOP_SUCCESS_NO_CALLBACK;
    PINSTANCE_CONTEXT Instance = NULL;
    PQUEUE_CONTEXT QueueContext;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) || IoGetTopLevelIrp() != NULL || !PendqIsSlow(Data))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (!FLT_IS_IRP_OPERATION(Data))
        return FLT_PREOP_DISALLOW_FASTIO;
    /* The worker goes on in the system's process, where a program's buffer is not. */
    Status = FltLockUserBuffer(Data);
    if (!NT_SUCCESS(Status))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Status = FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Instance);
    if (!NT_SUCCESS(Status))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    QueueContext = ExAllocateFromNPagedLookasideList(&Globals.QueueContextLookaside);
    if (QueueContext == NULL)
        goto Exit;
    RtlZeroMemory(QueueContext, sizeof(*QueueContext));
    Data->QueueContext[0] = QueueContext;
    Status = FltCbdqInsertIo(&Instance->Cbdq, Data, &QueueContext->CbdqIoContext, NULL);
    if (Status == STATUS_SUCCESS) {
        InterlockedIncrement(&Globals.Held);
        Result = FLT_PREOP_PENDING;
    } else {
        ExFreeToNPagedLookasideList(&Globals.QueueContextLookaside, QueueContext);
    }

Exit:
    FltReleaseContext(Instance);
    return Result;
}

/* What a handle waits for ends with the handle. */
static FLT_PREOP_CALLBACK_STATUS PendqPreCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PINSTANCE_CONTEXT Instance;
    PFLT_CALLBACK_DATA Held;

    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (!NT_SUCCESS(FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Instance)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    while ((Held = FltCbdqRemoveNextIo(&Instance->Cbdq, FltObjects->FileObject)) != NULL)
        PendqCompleteCanceledIo(&Instance->Cbdq, Held);
    FltReleaseContext(Instance);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* --- Instances --- */

static NTSTATUS PendqInstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                                   DEVICE_TYPE DeviceType, FLT_FILESYSTEM_TYPE FileSystemType)
{
    PINSTANCE_CONTEXT Context = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    UNREFERENCED_PARAMETER(FileSystemType);
    Status = FltAllocateContext(FltObjects->Filter, FLT_INSTANCE_CONTEXT, sizeof(INSTANCE_CONTEXT), NonPagedPoolNx,
                                (PFLT_CONTEXT *)&Context);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Context, sizeof(INSTANCE_CONTEXT));
    Context->Instance = FltObjects->Instance;
    InitializeListHead(&Context->QueueHead);
    ExInitializeFastMutex(&Context->Lock);
    KeInitializeEvent(&Context->TeardownEvent, NotificationEvent, FALSE);
    Status = FltCbdqInitialize(FltObjects->Instance, &Context->Cbdq, PendqInsertIo, PendqRemoveIo, PendqPeekNextIo,
                               PendqAcquire, PendqRelease, PendqCompleteCanceledIo);
    if (NT_SUCCESS(Status))
        Status = FltSetInstanceContext(FltObjects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    FltReleaseContext(Context);
    return Status;
}

static NTSTATUS PendqInstanceQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static VOID PendqInstanceTeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Flags)
{
    PINSTANCE_CONTEXT Context = NULL;
    PFLT_CALLBACK_DATA Data;
    PQUEUE_CONTEXT QueueContext;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    Status = FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Context);
    FLT_ASSERT(NT_SUCCESS(Status));
    if (!NT_SUCCESS(Status))
        return;
    FltCbdqDisable(&Context->Cbdq);
    KeSetEvent(&Context->TeardownEvent, 0, FALSE);
    while ((Data = FltCbdqRemoveNextIo(&Context->Cbdq, NULL)) != NULL) {
        QueueContext = Data->QueueContext[0];
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
        PendqForget(Data, QueueContext);
    }
    FltReleaseContext(Context);
}

static VOID PendqInstanceTeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Flags)
{
    PINSTANCE_CONTEXT Context = NULL;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    if (NT_SUCCESS(FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Context))) {
        FLT_ASSERT(IsListEmpty(&Context->QueueHead));
        FltReleaseContext(Context);
    }
}

static NTSTATUS PendqUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Globals.FilterHandle);
    ExDeleteNPagedLookasideList(&Globals.QueueContextLookaside);
    DbgPrint("pendq: %d held, %d cancelled\n", Globals.Held, Globals.Cancelled);
    return STATUS_SUCCESS;
}

static CONST FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_READ, 0, PendqPreRead, NULL},
    {IRP_MJ_CLEANUP, 0, PendqPreCleanup, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION ContextRegistration[] = {
    {FLT_INSTANCE_CONTEXT, 0, NULL, sizeof(INSTANCE_CONTEXT), INSTANCE_TAG},
    {FLT_CONTEXT_END},
};

static CONST FLT_REGISTRATION FilterRegistration = {
    sizeof(FLT_REGISTRATION),
    FLT_REGISTRATION_VERSION,
    0,
    ContextRegistration,
    Callbacks,
    PendqUnload,
    PendqInstanceSetup,
    PendqInstanceQueryTeardown,
    PendqInstanceTeardownStart,
    PendqInstanceTeardownComplete,
    NULL,
    NULL,
    NULL,
};

static NTSTATUS PendqSetConfiguration(PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[2];
    ULONG Default = 10;

    RtlZeroMemory(Table, sizeof(Table));
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = L"Delay";
    Table[0].EntryContext = &Globals.Delay;
    Table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_DWORD;
    Table[0].DefaultData = &Default;
    Table[0].DefaultLength = sizeof(Default);
    return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Table, NULL, NULL);
}

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = PendqSetConfiguration(RegistryPath);

    if (!NT_SUCCESS(Status))
        return Status;
    if (DELAY != 0)
        Globals.Delay = DELAY;
    ExInitializeNPagedLookasideList(&Globals.QueueContextLookaside, NULL, NULL, POOL_NX_ALLOCATION,
                                    sizeof(QUEUE_CONTEXT), QUEUE_CONTEXT_TAG, 0);
    Status = FltRegisterFilter(DriverObject, &FilterRegistration, &Globals.FilterHandle);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Globals.FilterHandle);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Globals.FilterHandle);
    }
    if (!NT_SUCCESS(Status))
        ExDeleteNPagedLookasideList(&Globals.QueueContextLookaside);
    return Status;
}
