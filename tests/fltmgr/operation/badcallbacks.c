/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one thing wrong in a callback, or with the operation that it was given: the service's value "Fault" says
 * which.  The line of a call that a report must name says so in a comment: the faults, in brackets.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static ULONG Fault;
static ERESOURCE Resource;
static FLT_CALLBACK_DATA_QUEUE Queue;
static LIST_ENTRY Held;
static KSPIN_LOCK HeldLock;
static UCHAR Zeroes[1024];
static volatile LONG Calls;
static PFLT_INSTANCE Instance;
static PFLT_CALLBACK_DATA Kept;

/* --- A queue, as it should be --- */

static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    InsertTailList(&Held, &Data->QueueLinks);
    return STATUS_SUCCESS;
}

static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    RemoveEntryList(&Data->QueueLinks);
}

static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    PLIST_ENTRY Next = Data != NULL ? Data->QueueLinks.Flink : Held.Flink;

    return Next == &Held ? NULL : CONTAINING_RECORD(Next, FLT_CALLBACK_DATA, QueueLinks);
}

static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE Cbdq, PKIRQL Irql)
{
    KeAcquireSpinLock(&HeldLock, Irql);
}

static VOID Release(PFLT_CALLBACK_DATA_QUEUE Cbdq, KIRQL Irql)
{
    KeReleaseSpinLock(&HeldLock, Irql);
}

static VOID Canceled(PFLT_CALLBACK_DATA Data)
{
    Data->IoStatus.Status = STATUS_CANCELLED;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
}

static VOID CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    Canceled(Data);
}

/* --- Giving back wrongly --- */

/* Each call has its line as long as the compiler does not make one of two: what follows it differs. */
static DECLSPEC_NOINLINE VOID GiveBackPre(PFLT_CALLBACK_DATA Data)
{
    KIRQL Irql;

    switch (Fault) {
    case 17:
        FltCompletePendedPreOperation(Data, FLT_PREOP_PENDING, NULL); /* [17] */
        Calls += 17;
        break;
    case 18:
        FltCompletePendedPreOperation(Data, FLT_PREOP_SYNCHRONIZE, NULL); /* [18] */
        Calls += 18;
        break;
    case 19:
        FltCompletePendedPreOperation(Data, FLT_PREOP_DISALLOW_FASTIO, NULL); /* [19] */
        Calls += 19;
        break;
    case 20:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, NULL); /* [20] */
        Calls += 20;
        break;
    case 21:
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, &Queue); /* [21] */
        Calls += 21;
        break;
    case 22:
        Data->IoStatus.Status = STATUS_SUCCESS;
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [22] */
        Calls += 22;
        break;
    case 23:
        Data->IoStatus.Status = STATUS_PENDING;
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [23] */
        Calls += 23;
        break;
    case 24:
    case 25:
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL); /* [24] [25] */
        Calls += 24;
        break;
    case 26:
        FltCompletePendedPostOperation(Data); /* [26] */
        Calls += 26;
        break;
    case 27:
        Data->IoStatus.Status = STATUS_SUCCESS;
        Data->IoStatus.Information = Data->Iopb->Parameters.Read.Length + 1;
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [27] */
        Calls += 27;
        break;
    }
}

static VOID NTAPI PreWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    GiveBackPre(Data);
}

static DECLSPEC_NOINLINE VOID GiveBackPost(PFLT_CALLBACK_DATA Data)
{
    switch (Fault) {
    case 40:
        FltCompletePendedPostOperation(Data);
        FltCompletePendedPostOperation(Data); /* [40] */
        Calls += 40;
        break;
    case 41:
        Data->IoStatus.Status = STATUS_PENDING;
        FltCompletePendedPostOperation(Data); /* [41] */
        Calls += 41;
        break;
    case 42:
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [42] */
        Calls += 42;
        break;
    }
}

static VOID NTAPI PostWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    GiveBackPost(Data);
}

static BOOLEAN Defer(PFLT_CALLBACK_DATA Data, PFLT_DEFERRED_IO_WORKITEM_ROUTINE Routine)
{
    return NT_SUCCESS(
        FltQueueDeferredIoWorkItem(FltAllocateDeferredIoWorkItem(), Data, Routine, DelayedWorkQueue, NULL));
}

/* --- Callbacks --- */

static DECLSPEC_NOINLINE VOID MisuseData(PFLT_CALLBACK_DATA Data)
{
    switch (Fault) {
    case 50:
        FltGetSwappedBufferMdlAddress(Data); /* [50] */
        Calls += 50;
        break;
    case 51:
        FltRetainSwappedBufferMdlAddress(Data); /* [51] */
        Calls += 51;
        break;
    case 52:
        FltReuseCallbackData(Data); /* [52] */
        Calls += 52;
        break;
    case 53:
        FltFreeCallbackData(Data); /* [53] */
        Calls += 53;
        break;
    case 54:
        FltPerformSynchronousIo(Data); /* [54] */
        Calls += 54;
        break;
    case 55:
        FltSetCallbackDataDirty((PFLT_CALLBACK_DATA)&Zeroes[512]); /* [55] */
        Calls += 55;
        break;
    case 56:
        FltClearCallbackDataDirty((PFLT_CALLBACK_DATA)&Zeroes[512]); /* [56] */
        Calls += 56;
        break;
    case 57:
        FltCancelIo((PFLT_CALLBACK_DATA)&Zeroes[512]); /* [57] */
        Calls += 57;
        break;
    case 58:
        FltLockUserBuffer((PFLT_CALLBACK_DATA)&Zeroes[512]); /* [58] */
        Calls += 58;
        break;
    case 70:
        FltAllocateCallbackData(Instance, NULL, &Kept); /* [70] */
        Calls += 70;
        break;
    case 71:
        FltAllocateCallbackDataEx(Instance, NULL, 0, &Kept); /* [71] */
        Calls += 71;
        break;
    case 59:
        FltSetCancelCompletion(NULL, Canceled); /* [59] */
        Calls += 59;
        break;
    }
}

/* A buffer of the filter's own, with the MDL that the filter manager frees. */
static VOID Swap(PFLT_CALLBACK_DATA Data)
{
    PFLT_PARAMETERS Parameters = &Data->Iopb->Parameters;
    PVOID Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Parameters->Read.Length, 'bdaB');
    PMDL Mdl = IoAllocateMdl(Buffer, Parameters->Read.Length, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    Parameters->Read.ReadBuffer = Buffer;
    Parameters->Read.MdlAddress = Mdl;
    FltSetCallbackDataDirty(Data);
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    KIRQL Irql;

    Data->IoStatus.Status = STATUS_SUCCESS;
    switch (Fault) {
    case 1: return FLT_PREOP_DISALLOW_FASTIO;
    case 2: *Context = &Queue; return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 3: *Context = &Queue; return FLT_PREOP_COMPLETE;
    case 4: *Context = &Queue; return Defer(Data, PreWork) ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 5: Data->IoStatus.Status = STATUS_PENDING; return FLT_PREOP_COMPLETE;
    case 6: Data->IoStatus.Information = Data->Iopb->Parameters.Read.Length + 1; return FLT_PREOP_COMPLETE;
    case 10: KeRaiseIrql(DISPATCH_LEVEL, &Irql); break;
    case 11: KeEnterCriticalRegion(); break;
    case 12:
        KeEnterCriticalRegion();
        ExAcquireResourceExclusiveLite(&Resource, TRUE);
        break;
    case 13: IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP); break;
    case 14: Defer(Data, PreWork); return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case 15: FltCbdqInsertIo(&Queue, Data, NULL, NULL); return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 16: FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 24:
        FltSetCancelCompletion(Data, Canceled);
        GiveBackPre(Data);
        return FLT_PREOP_PENDING;
    case 25:
        FltCbdqInsertIo(&Queue, Data, NULL, NULL);
        GiveBackPre(Data);
        return FLT_PREOP_PENDING;
    case 17 ... 23:
    case 26:
    case 27: return Defer(Data, PreWork) ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 50 ... 59:
    case 70:
    case 71:
        Instance = FltObjects->Instance;
        MisuseData(Data);
        break;
    case 60: Swap(Data); break;
    case 61 ... 64:
        Data->Iopb->Parameters.Read.ByteOffset.QuadPart += 512;
        if (Fault == 64) {
            FltSetCallbackDataDirty(Data);
            FltClearCallbackDataDirty(Data);
        }
        return Fault == 62   ? FLT_PREOP_SUCCESS_NO_CALLBACK
               : Fault == 63 ? FLT_PREOP_SYNCHRONIZE
                             : FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS SafePost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    KIRQL Irql;

    if (Fault == 47)
        KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    if (Fault == 48)
        FltCompletePendedPostOperation(Data);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status;
    KIRQL Irql;

    switch (Fault) {
    case 30: return (FLT_POSTOP_CALLBACK_STATUS)7;
    case 33: FltCompletePendedPostOperation(Data); return FLT_POSTOP_FINISHED_PROCESSING;
    case 35:
    case 47:
    case 48:
        FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, SafePost, &Status);
        return Fault == 35 ? FLT_POSTOP_FINISHED_PROCESSING : Status;
    case 36: Defer(Data, PostWork); return FLT_POSTOP_FINISHED_PROCESSING;
    case 37: Data->IoStatus.Information = Data->Iopb->Parameters.Read.Length + 1; break;
    case 38: Data->IoStatus.Status = STATUS_PENDING; break;
    case 39: KeRaiseIrql(HIGH_LEVEL - 1, &Irql); break;
    case 60: IoFreeMdl(FltGetSwappedBufferMdlAddress(Data)); break;
    case 40 ... 42: return Defer(Data, PostWork) ? FLT_POSTOP_MORE_PROCESSING_REQUIRED : FLT_POSTOP_FINISHED_PROCESSING;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* What the file system library has pended; 67 grants the oplock as it should. */
static VOID NTAPI OplockBroken(PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
}

static FLT_PREOP_CALLBACK_STATUS PrePackage(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    static FILE_LOCK FileLock;
    static OPLOCK Oplock; /* of 65: what says that the lock is there */
    FLT_PREOP_CALLBACK_STATUS Status;

    if (Fault == 65 && Data->Iopb->MajorFunction == IRP_MJ_LOCK_CONTROL && Data->Iopb->MinorFunction == IRP_MN_LOCK) {
        if (Oplock == NULL) {
            FltInitializeFileLock(&FileLock);
            Oplock = &FileLock;
        }
        FltProcessFileLock(&FileLock, Data, NULL);
        return FLT_PREOP_COMPLETE;
    }
    if ((Fault == 66 || Fault == 67) && Data->Iopb->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL &&
        Data->Iopb->Parameters.FileSystemControl.Common.FsControlCode == FSCTL_REQUEST_OPLOCK_LEVEL_1) {
        FltInitializeOplock(&Oplock);
        Status = FltOplockFsctrl(&Oplock, Data, 1);
        return Fault == 66 ? FLT_PREOP_COMPLETE : Status;
    }
    if (Fault == 67 && Data->Iopb->MajorFunction == IRP_MJ_FLUSH_BUFFERS)
        FltCheckOplock(&Oplock, Data, NULL, OplockBroken, NULL);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* A flush is filtered by a pre-callback alone. */
static FLT_PREOP_CALLBACK_STATUS PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return Fault == 9 ? FLT_PREOP_SUCCESS_WITH_CALLBACK : PrePackage(Data, FltObjects, Context);
}

static FLT_PREOP_CALLBACK_STATUS PreEnd(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Data->Iopb->MajorFunction == (Fault == 7 ? IRP_MJ_CLOSE : Fault == 8 ? IRP_MJ_CLEANUP : 0xFF)) {
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        return FLT_PREOP_COMPLETE;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* --- While draining: a write that is below when the instance is detached --- */

static FLT_PREOP_CALLBACK_STATUS PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static DECLSPEC_NOINLINE VOID MisuseDrained(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                            FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status;

    switch (Fault) {
    case 32:
        FltDoCompletionProcessingWhenSafe(Data, FltObjects, NULL, Flags, SafePost, &Status); /* [32] */
        Calls += 32;
        break;
    case 34:
        FltCompletePendedPostOperation(Data); /* [34] */
        Calls += 34;
        break;
    case 43:
        FltDoCompletionProcessingWhenSafe(Data, FltObjects, NULL, 0, SafePost, &Status); /* [43] */
        Calls += 43;
        break;
    case 44:
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL); /* [44] */
        Calls += 44;
        break;
    case 45:
        FltReuseCallbackData(Data); /* [45] */
        Calls += 45;
        break;
    }
}

static FLT_POSTOP_CALLBACK_STATUS PostWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                            FLT_POST_OPERATION_FLAGS Flags)
{
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        return FLT_POSTOP_FINISHED_PROCESSING;
    MisuseDrained(Data, FltObjects, Flags);
    if (Fault == 46)
        KeEnterCriticalRegion();
    return Fault == 31 ? FLT_POSTOP_MORE_PROCESSING_REQUIRED : FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    return FltCbdqInitialize(FltObjects->Instance, &Queue, InsertIo, RemoveIo, PeekNextIo, Acquire, Release,
                             CompleteCanceledIo);
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    ExDeleteResourceLite(&Resource);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = PreWrite, .PostOperation = PostWrite},
    {.MajorFunction = IRP_MJ_FLUSH_BUFFERS, .PreOperation = PreFlush},
    {.MajorFunction = IRP_MJ_LOCK_CONTROL, .PreOperation = PrePackage},
    {.MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL, .PreOperation = PrePackage},
    {.MajorFunction = IRP_MJ_CLEANUP, .PreOperation = PreEnd},
    {.MajorFunction = IRP_MJ_CLOSE, .PreOperation = PreEnd},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    InitializeListHead(&Held);
    KeInitializeSpinLock(&HeldLock);
    ExInitializeResourceLite(&Resource);
    Fault = ReadNumber(RegistryPath, L"Fault");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
