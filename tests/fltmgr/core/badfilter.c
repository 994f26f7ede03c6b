/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does one thing a minifilter must not do: the one whose number the service's value "Fault" holds. */
#include <fltKernel.h>

DRIVER_INITIALIZE DriverEntry;

#define HYPERCRITICAL ((WORK_QUEUE_TYPE)2)

static PFLT_FILTER Filter;
static ULONG Fault;
static PFLT_GENERIC_WORKITEM Kept;
static KEVENT Gate;

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{ /* [20] */
    UNREFERENCED_PARAMETER(Item);
    UNREFERENCED_PARAMETER(Object);
    UNREFERENCED_PARAMETER(Context);
    if (Fault == 20) {
        KIRQL Irql;
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        return;
    }
    KeWaitForSingleObject(&Gate, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI DeferredWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    UNREFERENCED_PARAMETER(Item);
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Context);
}

static NTSTATUS Queue(PFLT_GENERIC_WORKITEM Item)
{
    return FltQueueGenericWorkItem(Item, Filter, Work, DelayedWorkQueue, NULL); /* [1] [3] */
}

/* The workers are kept busy, so that what is queued stays queued. */
static VOID BlockWorkers(VOID)
{
    LARGE_INTEGER Moment = {.QuadPart = -200000};

    for (ULONG Index = 0; Index < 300; Index++) /* more than a queue has threads */
        Queue(FltAllocateGenericWorkItem());
    KeDelayExecutionThread(KernelMode, FALSE, &Moment);
}

static VOID MisuseWorkItems(VOID)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem(); /* [6] */
    KIRQL OldIrql;

    switch (Fault) {
    case 1: /* at DISPATCH_LEVEL no worker takes it in between: there is one processor */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        Queue(Item);
        Queue(Item);
        KeLowerIrql(OldIrql);
        break;
    case 2:
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        Queue(Item);
        FltFreeGenericWorkItem(Item); /* [2] */
        KeLowerIrql(OldIrql);
        break;
    case 3:
        FltFreeGenericWorkItem(Item);
        Queue(Item);
        break;
    case 4:
        FltFreeGenericWorkItem(Item);
        FltFreeGenericWorkItem(Item); /* [4] */
        break;
    case 5: FltQueueGenericWorkItem(Item, &Fault, Work, DelayedWorkQueue, NULL); break; /* [5] */
    case 6:
        Kept = Item; /* and never freed */
        break;
    case 7: FltQueueGenericWorkItem(Item, Filter, Work, HYPERCRITICAL, NULL); break; /* [7] */
    case 8: FltFreeGenericWorkItem((PFLT_GENERIC_WORKITEM)&Gate); break;             /* [8] */
    case 15:
        FltFreeGenericWorkItem(Item);
        FltObjectDereference(Filter); /* [15] */
        break;
    case 17: {
        KIRQL Irql;
        PFLT_VOLUME Volume;
        UNICODE_STRING Name = RTL_CONSTANT_STRING(L"C:");
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        (VOID) FltGetVolumeFromName(Filter, &Name, &Volume); /* [17] */
        break;
    }
    case 20: Queue(Item); break;
    default: FltFreeGenericWorkItem(Item); break;
    }
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{ /* [10] [12] [13] [16] */
    UNREFERENCED_PARAMETER(FltObjects);
    switch (Fault) {
    case 10: return FLT_PREOP_DISALLOW_FASTIO;
    case 11:
    case 14: return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case 12: *Context = &Gate; return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 13: Data->IoStatus.Status = STATUS_PENDING; return FLT_PREOP_COMPLETE;
    case 16: {
        KIRQL Irql;
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    case 21: {
        PFLT_DEFERRED_IO_WORKITEM Item = FltAllocateDeferredIoWorkItem();
        BlockWorkers();
        if (NT_SUCCESS(FltQueueDeferredIoWorkItem(Item, Data, DeferredWork, DelayedWorkQueue, NULL)))
            FltFreeDeferredIoWorkItem(Item); /* [21] */
        return FLT_PREOP_PENDING;
    }
    default: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{ /* [11] */
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    if (Fault == 14)
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [14] */
    return Fault == 11 ? (FLT_POSTOP_CALLBACK_STATUS)7 : FLT_POSTOP_FINISHED_PROCESSING;
}

/* A write is filtered by a pre-callback alone. */
static FLT_PREOP_CALLBACK_STATUS PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    return Fault == 9 ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_SUCCESS_NO_CALLBACK; /* [9] */
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{ /* [18] */
    UNREFERENCED_PARAMETER(Flags);
    if (Fault != 18)
        FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = PreWrite},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

static ULONG ReadNumber(PUNICODE_STRING Key, PCWSTR ValueName)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Needed, Number = 0;
    HANDLE Handle;

    RtlInitUnicodeString(&Name, ValueName);
    InitializeObjectAttributes(&Attributes, Key, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Handle, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Handle, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Needed)))
            RtlCopyMemory(&Number, Value->Data, sizeof(Number));
        ZwClose(Handle);
    }
    return Number;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    KeInitializeEvent(&Gate, NotificationEvent, FALSE);
    Fault = ReadNumber(RegistryPath, L"Fault");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    MisuseWorkItems();
    return Status;
}
