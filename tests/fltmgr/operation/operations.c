/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minifilter that does to operations what the service's value "Role" says, and logs what it sees as "NAME: what".
 * Several of them, one above the other, show who is called, when, in which thread and at which IRQL.
 */
#include "../../inc/minifilter.h"
#include <stdio.h>

enum {
    RoleWatch = 1,    /* asks for its post-callbacks */
    RoleSynchronize,  /* FLT_PREOP_SYNCHRONIZE */
    RolePendPre,      /* a worker gives the operation back, post-callback wanted */
    RolePendPost,     /* a worker gives it back to completion */
    RoleComplete,     /* completes it with STATUS_ACCESS_DENIED */
    RolePendComplete, /* a worker does */
    RoleIssue,        /* a write makes four reads below: cached, not, paging, synchronous paging */
    RoleSafe,         /* FltDoCompletionProcessingWhenSafe in the post-callback */
    RoleSafeNow,      /* the same in one that is synchronized */
    RoleSkip,         /* registers with the flags of the value "Flags" */
    RoleDrain,        /* tries what a draining callback cannot do */
    RoleSwap,         /* swaps the buffer */
    RolePulse,        /* a write makes reads below it for a while */
    RoleHold,         /* holds it until teardown starts, or for a while if "Hold" says so */
    RoleSlow,         /* takes the milliseconds of "Hold" for its pre-callback of a read */
    RoleSafeKeeps,    /* as RoleSafeNow, and the safe callback keeps the operation for a worker */
};

static PFLT_FILTER Filter;
static ULONG Role, Hold;
static UNICODE_STRING Name;
static WCHAR NameBuffer[32];
static volatile LONG Under, Seen; /* operations between pre and post; pre-callbacks called */
static volatile LONG TornDown;
static PFLT_CALLBACK_DATA Held;
static PVOID PreData, PreIopb, PreProcess;

static VOID Log(PCSTR Format, ...)
{
    CHAR Text[200];
    va_list Arguments;

    va_start(Arguments, Format);
    _vsnprintf(Text, sizeof(Text) - 1, Format, Arguments);
    Text[sizeof(Text) - 1] = 0;
    va_end(Arguments);
    DbgPrint("%wZ: %s\n", &Name, Text);
}

static VOID NTAPI PreWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    if (Role == RolePendComplete) {
        InterlockedDecrement(&Under);
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
    } else {
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, Context);
    }
}

static VOID NTAPI PostWork(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    InterlockedDecrement(&Under);
    FltCompletePendedPostOperation(Data);
}

static NTSTATUS Defer(PFLT_CALLBACK_DATA Data, PFLT_DEFERRED_IO_WORKITEM_ROUTINE Routine)
{
    PFLT_DEFERRED_IO_WORKITEM Item = FltAllocateDeferredIoWorkItem();
    NTSTATUS Status = FltQueueDeferredIoWorkItem(Item, Data, Routine, DelayedWorkQueue, PsGetCurrentThread());

    if (!NT_SUCCESS(Status))
        FltFreeDeferredIoWorkItem(Item);
    return Status;
}

/* A volume's file is never cached, so the flags are set by hand. */
static VOID Issue(PCFLT_RELATED_OBJECTS FltObjects)
{
    static const ULONG Flags[] = {0, IRP_NOCACHE, IRP_NOCACHE | IRP_PAGING_IO,
                                  IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO};
    PVOID Buffer = FltAllocatePoolAlignedWithTag(FltObjects->Instance, NonPagedPoolNx, 512, 'tseT');
    PFLT_CALLBACK_DATA Data;

    FltAllocateCallbackData(FltObjects->Instance, FltObjects->FileObject, &Data);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Flags); Index++) {
        Data->Iopb->MajorFunction = IRP_MJ_READ;
        Data->Iopb->IrpFlags = IRP_READ_OPERATION | Flags[Index];
        Data->Iopb->Parameters.Read.Length = 512;
        Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
        FltPerformSynchronousIo(Data);
        Log("read %u status 0x%08X", Index, Data->IoStatus.Status);
        FltReuseCallbackData(Data);
    }
    FltFreeCallbackData(Data);
    FltFreePoolAlignedWithTag(FltObjects->Instance, Buffer, 'tseT');
}

/* One at each tick of the clock. */
static VOID NTAPI Pulse(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    PVOID Buffer = FltAllocatePoolAlignedWithTag(Object, NonPagedPoolNx, 512, 'tseT');
    LARGE_INTEGER Offset = {.QuadPart = 0};

    for (ULONG Round = 0; Round < 16; Round++) {
        FltReadFile(Object, Context, &Offset, 512, Buffer, FLTFL_IO_OPERATION_NON_CACHED, NULL, NULL, NULL);
        Sleep(1);
    }
    FltFreePoolAlignedWithTag(Object, Buffer, 'tseT');
    FltFreeGenericWorkItem(Item);
}

static VOID Swap(PFLT_CALLBACK_DATA Data, PVOID *Context)
{
    ULONG Length = Data->Iopb->Parameters.Read.Length;
    PVOID Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Length, 'tseT');
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(Mdl);
    Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
    Data->Iopb->Parameters.Read.MdlAddress = Mdl;
    FltSetCallbackDataDirty(Data);
    *Context = Buffer;
}

static FLT_PREOP_CALLBACK_STATUS Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UCHAR Major = Data->Iopb->MajorFunction;

    if (TornDown)
        Log("pre after teardown began");
    InterlockedIncrement(&Seen);
    Log("pre %u irql %u flags 0x%x", Major, KeGetCurrentIrql(),
        Data->Iopb->IrpFlags & (IRP_NOCACHE | IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO));
    *Context = PsGetCurrentThread();
    InterlockedIncrement(&Under);
    switch (Role) {
    case RoleSynchronize:
    case RoleSafeKeeps:
    case RoleSafeNow: return FLT_PREOP_SYNCHRONIZE;
    case RolePendPre:
    case RolePendComplete:
        *Context = NULL;
        if (Major != IRP_MJ_CLEANUP && Major != IRP_MJ_CLOSE && NT_SUCCESS(Defer(Data, PreWork)))
            return FLT_PREOP_PENDING;
        *Context = PsGetCurrentThread();
        break;
    case RoleComplete:
        if (Major == IRP_MJ_READ || (Major == IRP_MJ_CREATE && FltObjects->FileObject->FileName.Length != 0)) {
            InterlockedDecrement(&Under);
            *Context = NULL;
            Data->IoStatus.Status = STATUS_ACCESS_DENIED;
            return FLT_PREOP_COMPLETE;
        }
        break;
    case RoleIssue:
        if (Major == IRP_MJ_WRITE)
            Issue(FltObjects);
        break;
    case RolePulse:
        if (Major == IRP_MJ_WRITE)
            FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), FltObjects->Instance, Pulse, DelayedWorkQueue,
                                    FltObjects->FileObject);
        break;
    case RoleDrain:
        PreData = Data;
        PreIopb = Data->Iopb;
        PreProcess = PsGetCurrentProcess();
        break;
    case RoleSwap:
        if (Major == IRP_MJ_READ)
            Swap(Data, Context);
        break;
    case RoleHold:
        if (Major == IRP_MJ_READ && Hold == 0) {
            *Context = NULL;
            Held = Data;
            return FLT_PREOP_PENDING;
        }
        break;
    case RoleSlow:
        if (Major == IRP_MJ_READ)
            Sleep(Hold);
        break;
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS SafePost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    Log("safe irql %u", KeGetCurrentIrql());
    if (Role == RoleSafeKeeps && NT_SUCCESS(Defer(Data, PostWork)))
        return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE Queue, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    return STATUS_SUCCESS;
}

static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE Queue, PFLT_CALLBACK_DATA Data)
{
}

static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE Queue, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    return NULL;
}

static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE Queue, PKIRQL Irql)
{
}

static VOID Release(PFLT_CALLBACK_DATA_QUEUE Queue, KIRQL Irql)
{
}

/* Each answer is documented, or harmless. */
static VOID Drain(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    FLT_CALLBACK_DATA_QUEUE Queue;

    Log("drain irql %u copy %u flags %u parameters %u", KeGetCurrentIrql(),
        (PVOID)Data != PreData && (PVOID)Data->Iopb != PreIopb,
        FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_DRAINING_IO) != 0, Data->Iopb->Parameters.Read.Length);
    Log("drain deferred 0x%08X", Defer(Data, PostWork));
    FltCbdqInitialize(FltObjects->Instance, &Queue, InsertIo, RemoveIo, PeekNextIo, Acquire, Release,
                      (PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO)RemoveIo);
    Log("drain queue 0x%08X", FltCbdqInsertIo(&Queue, Data, NULL, NULL));
    FltSetCallbackDataDirty(Data);
    Log("drain dirty %u", FltIsCallbackDataDirty(Data));
    Log("drain process %u synchronous %u canceled %u", (PVOID)FltGetRequestorProcess(Data) == PreProcess,
        FltIsOperationSynchronous(Data), FltIsIoCanceled(Data));
    Log("drain file %u", FltObjects->FileObject != NULL && FltObjects->FileObject == Data->Iopb->TargetFileObject);
    Data->Iopb->Parameters.Read.Length = 1; /* nobody's but ours */
    Data->IoStatus.Status = STATUS_DISK_CORRUPT_ERROR;
}

static FLT_POSTOP_CALLBACK_STATUS Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                       FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status = FLT_POSTOP_FINISHED_PROCESSING;

    Log("post %u irql %u same %u status 0x%08X draining %u", Data->Iopb->MajorFunction, KeGetCurrentIrql(),
        Context == PsGetCurrentThread(), Data->IoStatus.Status, FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) != 0);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)) {
        if (Role == RoleDrain)
            Drain(Data, FltObjects);
    } else if (Role == RolePendPost && NT_SUCCESS(Defer(Data, PostWork))) {
        return FLT_POSTOP_MORE_PROCESSING_REQUIRED; /* PostWork counts it */
    } else if (Role == RoleSafeKeeps && Data->Iopb->MajorFunction == IRP_MJ_READ) {
        BOOLEAN Safe = FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, SafePost, &Status);
        Log("when safe %u status %u", Safe, Status);
        if (Status == FLT_POSTOP_MORE_PROCESSING_REQUIRED)
            return Status; /* PostWork counts it */
    } else if ((Role == RoleSafe || Role == RoleSafeNow) && Data->Iopb->MajorFunction == IRP_MJ_READ) {
        BOOLEAN Safe = FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, SafePost, &Status);
        if (Status != FLT_POSTOP_MORE_PROCESSING_REQUIRED)
            Log("when safe %u status %u", Safe, Status);
    } else if (Role == RoleSwap && Data->Iopb->MajorFunction == IRP_MJ_READ) {
        RtlCopyMemory(MmGetSystemAddressForMdlSafe(Data->Iopb->Parameters.Read.MdlAddress, NormalPagePriority), Context,
                      Data->IoStatus.Information);
        ExFreePoolWithTag(Context, 'tseT');
    }
    if (Hold != 0 && Role != RoleSlow && KeGetCurrentIrql() == PASSIVE_LEVEL)
        Sleep(Hold);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        Log("drained");
    InterlockedDecrement(&Under);
    return Status;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

/* Time for those who would come although they must not. */
static VOID TeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_CALLBACK_DATA Data = InterlockedExchangePointer((PVOID *)&Held, NULL);
    LONG Before = Seen;

    Sleep(1);
    TornDown = TRUE;
    Sleep(20);
    Log("teardown start, seen before %d", Before);
    if (Data != NULL) {
        InterlockedDecrement(&Under);
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    }
}

static VOID TeardownComplete(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    Log("teardown complete, under way %d", Under);
    TornDown = FALSE;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceQueryTeardownCallback = QueryTeardown,
    .InstanceTeardownStartCallback = TeardownStart,
    .InstanceTeardownCompleteCallback = TeardownComplete,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Name.Buffer = NameBuffer;
    Name.MaximumLength = sizeof(NameBuffer);
    RtlCopyUnicodeString(&Name, &DriverObject->DriverExtension->ServiceKeyName);
    Role = ReadNumber(RegistryPath, L"Role");
    Hold = ReadNumber(RegistryPath, L"Hold");
    Operations[0].Flags = ReadNumber(RegistryPath, L"Flags");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Filter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Filter);
    }
    return Status;
}
