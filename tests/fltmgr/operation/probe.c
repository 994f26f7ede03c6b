/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minifilter that logs each callback and does to reads what the service's value "Mode" says: each way a
 * callback can take, one a mode.  Its lines are "NAME: what".
 */
#include <fltKernel.h>
#include <stdio.h>

DRIVER_INITIALIZE DriverEntry;

enum {
    ModeWithCallback = 0,
    ModeNoCallback,
    ModeSynchronize,
    ModePendGeneric,  /* pended, completed from a generic work item */
    ModePendDeferred, /* the same from a deferred I/O work item */
    ModeComplete,     /* completed with an error */
    ModeMove,         /* the offset is changed and said to be */
    ModeMoveSilently, /* the offset is changed and not said to be */
    ModePostPend,     /* the post-callback keeps the operation */
    ModeWhenSafe,     /* FltDoCompletionProcessingWhenSafe */
    ModeWhenSafePend, /* the same, and its callback keeps the operation */
    ModeReadBelow,    /* reads the same by FltReadFile first, and compares */
    ModeSwap,         /* another buffer goes down */
    ModePostStatus,   /* the post-callback changes the status */
    ModeHold,         /* pended until teardown starts */
    ModeRefuse,       /* does not attach, and refuses a voluntary unload */
    ModePendComplete, /* pended, completed with an error at DISPATCH_LEVEL */
    ModeRequeue,      /* one work item queued again from its own routine */
    ModeSyncPend,     /* FLT_PREOP_SYNCHRONIZE, and the post-callback keeps the operation */
};

static PFLT_FILTER Filter;
static PUNICODE_STRING Name;
static ULONG Mode;
static PFLT_CALLBACK_DATA Held;
static UNICODE_STRING NameCopy;
static WCHAR NameBuffer[32];

#define LOG(...) Log(__VA_ARGS__)

static VOID Log(PCSTR Format, ...)
{
    CHAR Text[200];
    va_list Arguments;

    va_start(Arguments, Format);
    _vsnprintf(Text, sizeof(Text) - 1, Format, Arguments);
    Text[sizeof(Text) - 1] = 0;
    va_end(Arguments);
    DbgPrint("%wZ: %s\n", Name, Text);
}

static VOID NTAPI ReadWork(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    PFLT_CALLBACK_DATA Data = Context;

    LOG("worker irql %u object %u", KeGetCurrentIrql(), Object == Filter || Object == Data->Iopb->TargetInstance);
    FltFreeGenericWorkItem(Item);
    if (Mode == ModePendComplete) {
        KIRQL Irql;
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
        KeLowerIrql(Irql);
    } else if (Mode == ModePostPend || Mode == ModeWhenSafePend || Mode == ModeSyncPend) {
        FltCompletePendedPostOperation(Data);
    } else {
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, &Mode);
    }
}

static VOID NTAPI DeferredWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    LOG("deferred irql %u context %u", KeGetCurrentIrql(), Context == &Mode);
    FltFreeDeferredIoWorkItem(Item);
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, &Mode);
}

static VOID NTAPI RequeueWork(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    ULONG_PTR Left = (ULONG_PTR)Context;

    LOG("requeue %u", (ULONG)Left);
    if (Left > 0) {
        if (!NT_SUCCESS(FltQueueGenericWorkItem(Item, Object, RequeueWork, CriticalWorkQueue, (PVOID)(Left - 1))))
            FltFreeGenericWorkItem(Item);
    } else {
        FltFreeGenericWorkItem(Item);
    }
}

static BOOLEAN QueueRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    if (Item == NULL)
        return FALSE;
    if (NT_SUCCESS(FltQueueGenericWorkItem(Item, FltObjects->Instance, ReadWork, DelayedWorkQueue, Data)))
        return TRUE;
    FltFreeGenericWorkItem(Item);
    return FALSE;
}

static VOID ReadBelow(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    ULONG Length = Data->Iopb->Parameters.Read.Length, Read = 0;
    LARGE_INTEGER Offset = Data->Iopb->Parameters.Read.ByteOffset;
    PUCHAR Buffer = FltAllocatePoolAlignedWithTag(FltObjects->Instance, NonPagedPool, Length, 'borP');
    NTSTATUS Status =
        FltReadFile(FltObjects->Instance, FltObjects->FileObject, &Offset, Length, Buffer,
                    FLTFL_IO_OPERATION_NON_CACHED | FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, &Read, NULL, NULL);

    LOG("below status 0x%08X bytes %u first %02x", Status, Read, Buffer[0]);
    FltFreePoolAlignedWithTag(FltObjects->Instance, Buffer, 'borP');
}

static VOID Swap(PFLT_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    ULONG Length = Data->Iopb->Parameters.Read.Length;
    PVOID Buffer = ExAllocatePoolWithTag(NonPagedPool, Length, 'borP');
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
    Data->Iopb->Parameters.Read.MdlAddress = Mdl;
    FltSetCallbackDataDirty(Data);
    *CompletionContext = Buffer;
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                         PVOID *CompletionContext)
{
    LOG("pre irql %u offset %u generated %u", KeGetCurrentIrql(), Data->Iopb->Parameters.Read.ByteOffset.LowPart,
        FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO) != 0);
    *CompletionContext = NULL;
    switch (Mode) {
    case ModeNoCallback: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case ModeSynchronize:
    case ModeSyncPend: return FLT_PREOP_SYNCHRONIZE;
    case ModePendGeneric:
    case ModePendComplete: return QueueRead(Data, FltObjects) ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK;
    case ModePendDeferred: {
        PFLT_DEFERRED_IO_WORKITEM Item = FltAllocateDeferredIoWorkItem();
        if (NT_SUCCESS(FltQueueDeferredIoWorkItem(Item, Data, DeferredWork, DelayedWorkQueue, &Mode)))
            return FLT_PREOP_PENDING;
        FltFreeDeferredIoWorkItem(Item);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    case ModeComplete:
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
        return FLT_PREOP_COMPLETE;
    case ModeMove:
        Data->Iopb->Parameters.Read.ByteOffset.QuadPart += 4096;
        FltSetCallbackDataDirty(Data);
        break;
    case ModeMoveSilently: Data->Iopb->Parameters.Read.ByteOffset.QuadPart += 4096; break;
    case ModeReadBelow: ReadBelow(Data, FltObjects); break;
    case ModeSwap: Swap(Data, CompletionContext); return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case ModeHold: Held = Data; return FLT_PREOP_PENDING;
    }
    *CompletionContext = &Mode;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS SafePost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    LOG("safe irql %u context %u", KeGetCurrentIrql(), Context == &Mode);
    if (Mode == ModeWhenSafePend && QueueRead(Data, FltObjects))
        return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID SwapBack(PFLT_CALLBACK_DATA Data, PVOID Buffer)
{
    PMDL Mdl = Data->Iopb->Parameters.Read.MdlAddress;
    PVOID Original =
        Mdl != NULL ? MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) : Data->Iopb->Parameters.Read.ReadBuffer;

    LOG("swapped mdl %u", FltGetSwappedBufferMdlAddress(Data) != NULL);
    ((PUCHAR)Buffer)[0] = 'S';
    RtlCopyMemory(Original, Buffer, Data->IoStatus.Information);
    ExFreePoolWithTag(Buffer, 'borP');
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status = FLT_POSTOP_FINISHED_PROCESSING;

    LOG("post irql %u status 0x%08X offset %u context %u draining %u", KeGetCurrentIrql(), Data->IoStatus.Status,
        Data->Iopb->Parameters.Read.ByteOffset.LowPart, Context != NULL,
        FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) != 0);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        return FLT_POSTOP_FINISHED_PROCESSING;
    switch (Mode) {
    case ModePostPend:
    case ModeSyncPend:
        if (QueueRead(Data, FltObjects))
            return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
        break;
    case ModeWhenSafe:
    case ModeWhenSafePend:
        LOG("posted %u", FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, SafePost, &Status));
        return Status;
    case ModeSwap: SwapBack(Data, Context); break;
    case ModePostStatus:
        Data->IoStatus.Status = STATUS_DISK_CORRUPT_ERROR;
        Data->IoStatus.Information = 0;
        break;
    }
    return Status;
}

static FLT_PREOP_CALLBACK_STATUS PreOther(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    LOG("pre %s", FltGetIrpName(Data->Iopb->MajorFunction));
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostOther(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                            FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Flags);
    LOG("post %s 0x%08X", FltGetIrpName(Data->Iopb->MajorFunction), Data->IoStatus.Status);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{
    PFLT_GENERIC_WORKITEM Item;

    UNREFERENCED_PARAMETER(DeviceType);
    LOG("setup irql %u flags %u type %u", KeGetCurrentIrql(), Flags, FileSystemType);
    if (Mode == ModeRefuse)
        return STATUS_FLT_DO_NOT_ATTACH;
    if (Mode == ModeRequeue) {
        Item = FltAllocateGenericWorkItem();
        if (!NT_SUCCESS(FltQueueGenericWorkItem(Item, FltObjects->Instance, RequeueWork, CriticalWorkQueue, (PVOID)3)))
            FltFreeGenericWorkItem(Item);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(FltObjects);
    LOG("query teardown irql %u flags %u", KeGetCurrentIrql(), Flags);
    return Mode == ModeNoCallback ? STATUS_FLT_DO_NOT_DETACH : STATUS_SUCCESS;
}

static VOID TeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_CALLBACK_DATA Data = InterlockedExchangePointer((PVOID *)&Held, NULL);
    PFLT_GENERIC_WORKITEM Item;

    LOG("teardown start irql %u reason %u", KeGetCurrentIrql(), Reason);
    if (Data != NULL)
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    if (FlagOn(Reason, FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD)) {
        Item = FltAllocateGenericWorkItem();
        LOG("queue for the filter 0x%08X",
            FltQueueGenericWorkItem(Item, FltObjects->Filter, ReadWork, DelayedWorkQueue, NULL));
        FltFreeGenericWorkItem(Item);
    }
}

static VOID TeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    UNREFERENCED_PARAMETER(FltObjects);
    LOG("teardown complete irql %u reason %u", KeGetCurrentIrql(), Reason);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    LOG("unload irql %u flags %u", KeGetCurrentIrql(), Flags);
    if (Mode == ModeRefuse && !FlagOn(Flags, FLTFL_FILTER_UNLOAD_MANDATORY))
        return STATUS_FLT_DO_NOT_DETACH;
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_FLUSH_BUFFERS, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_CLOSE, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_DEVICE_CONTROL, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = PreOther, .PostOperation = PostOther},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
    .InstanceTeardownStartCallback = TeardownStart,
    .InstanceTeardownCompleteCallback = TeardownComplete,
};

static ULONG ReadNumber(PUNICODE_STRING Key, PCWSTR ValueName)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING ValueString;
    ULONG Needed, Number = 0;
    HANDLE Handle;

    RtlInitUnicodeString(&ValueString, ValueName);
    InitializeObjectAttributes(&Attributes, Key, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Handle, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(
                ZwQueryValueKey(Handle, &ValueString, KeyValuePartialInformation, Value, sizeof(Buffer), &Needed)))
            RtlCopyMemory(&Number, Value->Data, sizeof(Number));
        ZwClose(Handle);
    }
    return Number;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    NameCopy.Buffer = NameBuffer;
    NameCopy.MaximumLength = sizeof(NameBuffer);
    RtlCopyUnicodeString(&NameCopy, &DriverObject->DriverExtension->ServiceKeyName);
    Name = &NameCopy;
    Mode = ReadNumber(RegistryPath, L"Mode");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Filter);
    }
    return Status;
}
