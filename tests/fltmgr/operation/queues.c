/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds reads where they can be cancelled: in a cancel-safe queue that a fast mutex guards, or with a cancel callback
 * of its own; the value "Way" says how.  A flush of the scenario's lets go of what is held.
 */
#include "../../inc/minifilter.h"

enum {
    WayQueue = 1,     /* InsertIo returns the value "Insert" */
    WayContext,       /* removed by its context */
    WayDisabled,      /* the queue is disabled until the flush */
    WayCancelled,     /* cancelled before it is inserted */
    WayTakeBack,      /* inserted and removed by one callback, which says that it did nothing */
    WayCallback,      /* FltSetCancelCompletion */
    WayCallbackLate,  /* the same after the cancellation */
    WayCallbackClear, /* set and cleared */
};

static PFLT_FILTER Filter;
static ULONG Way;
static NTSTATUS Insert;
static FLT_CALLBACK_DATA_QUEUE Queue;
static FAST_MUTEX Mutex;
static LIST_ENTRY List;
static IO_CSQ_IRP_CONTEXT Slot;
static PFLT_CALLBACK_DATA Held;
static LONG Mark, Depth;

static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FvCheck(Cbdq == &Queue && Context == &Mark && Depth == 1);
    if (NT_SUCCESS(Insert))
        InsertTailList(&List, &Data->QueueLinks);
    return Insert;
}

static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    FvCheck(Depth == 1);
    RemoveEntryList(&Data->QueueLinks);
}

static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    PLIST_ENTRY Next = Data != NULL ? Data->QueueLinks.Flink : List.Flink;

    FvCheck(Context == &Queue && Depth == 1);
    return Next == &List ? NULL : CONTAINING_RECORD(Next, FLT_CALLBACK_DATA, QueueLinks);
}

static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE Cbdq, PKIRQL Irql)
{
    FvCheck(KeGetCurrentIrql() <= APC_LEVEL);
    ExAcquireFastMutex(&Mutex);
    Depth++;
}

static VOID Release(PFLT_CALLBACK_DATA_QUEUE Cbdq, KIRQL Irql)
{
    Depth--;
    ExReleaseFastMutex(&Mutex);
}

static VOID Cancel(PFLT_CALLBACK_DATA Data)
{
    Data->IoStatus.Status = STATUS_CANCELLED;
    Data->IoStatus.Information = 0;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
}

static VOID CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    DbgPrint("queues: cancelled in the queue, ours %u\n", Data->QueueContext[0] == &Mark && Depth == 0);
    Cancel(Data);
}

static VOID Canceled(PFLT_CALLBACK_DATA Data)
{
    DbgPrint("queues: cancel callback, canceled %u\n", FltIsIoCanceled(Data));
    Held = NULL;
    Cancel(Data);
}

static NTSTATUS Put(PFLT_CALLBACK_DATA Data)
{
    NTSTATUS Status;

    Data->QueueContext[0] = &Mark;
    Data->QueueContext[1] = NULL;
    Status = FltCbdqInsertIo(&Queue, Data, Way == WayContext ? &Slot : NULL, &Mark);
    DbgPrint("queues: insert 0x%08X\n", Status);
    return Status;
}

static FLT_PREOP_CALLBACK_STATUS HoldByCallback(PFLT_CALLBACK_DATA Data)
{
    NTSTATUS Status;

    if (Way == WayCallbackLate)
        FltCancelIo(Data);
    Status = FltSetCancelCompletion(Data, Canceled);
    DbgPrint("queues: set 0x%08X\n", Status);
    if (!NT_SUCCESS(Status)) {
        Data->IoStatus.Status = STATUS_CANCELLED;
        return FLT_PREOP_COMPLETE;
    }
    if (Way == WayCallbackClear) {
        FvCheck(FltClearCancelCompletion(Data) == STATUS_SUCCESS);
        FvCheck(FltClearCancelCompletion(Data) == STATUS_CANCELLED); /* there is none */
        FvCheck(!FltCancelIo(Data) && FltIsIoCanceled(Data));
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Held = Data;
    return FLT_PREOP_PENDING;
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Way >= WayCallback)
        return HoldByCallback(Data);
    if (Way == WayCancelled)
        FvCheck(!FltCancelIo(Data) && FltIsIoCanceled(Data)); /* it is not cancelable yet */
    if (!NT_SUCCESS(Put(Data)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Way == WayTakeBack) {
        FvCheck(FltCbdqRemoveNextIo(&Queue, &Queue) == Data);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    return FLT_PREOP_PENDING;
}

static FLT_PREOP_CALLBACK_STATUS PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFLT_CALLBACK_DATA Next;
    ULONG Removed = 0;

    if (Way == WayDisabled)
        FltCbdqEnable(&Queue);
    if (Way >= WayCallback && Held != NULL && NT_SUCCESS(FltClearCancelCompletion(Held))) {
        FltCompletePendedPreOperation(Held, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
        Held = NULL;
    }
    while ((Next = Way == WayContext ? FltCbdqRemoveIo(&Queue, &Slot) : FltCbdqRemoveNextIo(&Queue, &Queue)) != NULL) {
        FvCheck(Next->QueueContext[0] == &Mark && Next->QueueContext[1] == NULL);
        FltCompletePendedPreOperation(Next, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
        Removed++;
    }
    DbgPrint("queues: removed %u\n", Removed);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    FvCheck(FltCbdqInitialize(FltObjects->Instance, &Queue, NULL, RemoveIo, PeekNextIo, Acquire, Release,
                              CompleteCanceledIo) == STATUS_INVALID_PARAMETER);
    FvCheck(FltCbdqInitialize(FltObjects->Instance, &Queue, InsertIo, RemoveIo, PeekNextIo, Acquire, Release,
                              CompleteCanceledIo) == STATUS_SUCCESS);
    if (Way == WayDisabled)
        FltCbdqDisable(&Queue);
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead},
    {.MajorFunction = IRP_MJ_FLUSH_BUFFERS, .PreOperation = PreFlush},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    InitializeListHead(&List);
    ExInitializeFastMutex(&Mutex);
    Way = ReadNumber(RegistryPath, L"Way");
    if (ReadNumber(RegistryPath, L"Plan") != 0)
        FvTestPlan(ReadNumber(RegistryPath, L"Plan"));
    Insert = (NTSTATUS)ReadNumber(RegistryPath, L"Insert");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
