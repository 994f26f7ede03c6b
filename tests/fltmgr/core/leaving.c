/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every callback of a minifilter, one of which leaves something otherwise than it found it: the service's value Kind says
 * which callback, How what; see leaving.lua.
 */
#include "../../inc/minifilter.h"
#include "../../inc/leave.h"

typedef enum _KIND {
    InPre,
    InPost,
    InSynchronizedPost,
    InSafePost,
    InDeferred,
    InGeneric,
    InUnload,
    InSetup,
    InQueryTeardown,
    InTeardownStart,
    InTeardownComplete,
    InCleanup,
    InFree,
    InAllocate,
    InConnect,
    InDisconnect,
    InMessage,
    InCancel,
    InQueueCancel,
    InAsynchronous,
    InSynchronizedPre, /* its post-callback does not put back what it leaves */
    InPair,            /* its post-callback puts that back, and leaves something itself */
    InGenerate,
    InNormalize,
    InNormalizePlain,
    InNameCleanup,
    InOperationStatus,
    InQueueRelease,
} KIND;

static PFLT_FILTER Filter;
static PFLT_PORT ServerPort, ClientPort;
static KIND Kind;
static HOW How;
static LIST_ENTRY Held;
static FLT_CALLBACK_DATA_QUEUE Queue;
static KEVENT Done;
static ERESOURCE PairResource;
static BOOLEAN Ready;

static VOID Misbehave(KIND Here)
{
    if (Here == Kind && Ready)
        Leave(How);
}

/* ---- work ---- */

static VOID FLTAPI Generic(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    FltFreeGenericWorkItem(Item);
    Misbehave(InGeneric);
}

static VOID FLTAPI Deferred(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    Misbehave(InDeferred);
}

/* ---- cancellation ---- */

static VOID FLTAPI Canceled(PFLT_CALLBACK_DATA Data)
{
    Data->IoStatus.Status = STATUS_CANCELLED;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
    Misbehave(InCancel);
}

static NTSTATUS FLTAPI InsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    InsertTailList(&Held, &Data->QueueLinks);
    return STATUS_SUCCESS;
}

static VOID FLTAPI RemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    RemoveEntryList(&Data->QueueLinks);
}

static PFLT_CALLBACK_DATA FLTAPI PeekNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    return NULL;
}

static VOID FLTAPI Acquire(PFLT_CALLBACK_DATA_QUEUE Cbdq, PKIRQL Irql)
{
}

static VOID FLTAPI Release(PFLT_CALLBACK_DATA_QUEUE Cbdq, KIRQL Irql)
{
    Misbehave(InQueueRelease);
}

static VOID FLTAPI CompleteCanceled(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    Data->IoStatus.Status = STATUS_CANCELLED;
    FltCompletePendedPreOperation(Data, FLT_PREOP_COMPLETE, NULL);
    Misbehave(InQueueCancel);
}

/* ---- requests of its own ---- */

static VOID FLTAPI Completed(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    Misbehave(InAsynchronous);
}

static VOID ReadAsynchronously(PCFLT_RELATED_OBJECTS Objects)
{
    static UCHAR Buffer[512];
    LARGE_INTEGER Offset = {.QuadPart = 4096};

    FltReadFile(Objects->Instance, Objects->FileObject, &Offset, sizeof(Buffer), Buffer,
                FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, NULL, Completed, NULL);
    IsSet(&Done, 1000);
}

/* ---- names, of which this filter is the provider ---- */

static NTSTATUS FLTAPI Generate(PFLT_INSTANCE Instance, PFILE_OBJECT File, PFLT_CALLBACK_DATA Data,
                                FLT_FILE_NAME_OPTIONS Options, PBOOLEAN Cache, PFLT_NAME_CONTROL Name)
{
    UNICODE_STRING Made = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\a");
    NTSTATUS Status = STATUS_NOT_SUPPORTED;

    if (FltGetFileNameFormat(Options) != FLT_FILE_NAME_NORMALIZED)
        Status = FltCheckAndGrowNameControl(Name, Made.Length);
    if (NT_SUCCESS(Status))
        RtlCopyUnicodeString(&Name->Name, &Made);
    Misbehave(InGenerate);
    return Status;
}

static NTSTATUS Expand(PFILE_NAMES_INFORMATION Expanded, PVOID *Context)
{
    *Context = &Done;
    Expanded->FileNameLength = sizeof(WCHAR);
    Expanded->FileName[0] = 'a';
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI Normalize(PFLT_INSTANCE Instance, PFILE_OBJECT File, PCUNICODE_STRING Parent,
                                 USHORT VolumeLength, PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION Expanded,
                                 ULONG Length, FLT_NORMALIZE_NAME_FLAGS Flags, PVOID *Context)
{
    Misbehave(InNormalize);
    return Expand(Expanded, Context);
}

static NTSTATUS FLTAPI NormalizePlain(PFLT_INSTANCE Instance, PCUNICODE_STRING Parent, USHORT VolumeLength,
                                      PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION Expanded, ULONG Length,
                                      FLT_NORMALIZE_NAME_FLAGS Flags, PVOID *Context)
{
    Misbehave(InNormalizePlain);
    return Expand(Expanded, Context);
}

static VOID FLTAPI NameCleanup(PVOID *Context)
{
    Misbehave(InNameCleanup);
}

static VOID AskName(PFLT_CALLBACK_DATA Data)
{
    PFLT_FILE_NAME_INFORMATION Name;

    if (NT_SUCCESS(FltGetFileNameInformation(
            Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT | FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER,
            &Name)))
        FltReleaseFileNameInformation(Name);
}

/* ---- operations: reads ---- */

static VOID FLTAPI OperationStatus(PCFLT_RELATED_OBJECTS Objects, PFLT_IO_PARAMETER_BLOCK Iopb, NTSTATUS Status,
                                   PVOID Context)
{
    Misbehave(InOperationStatus);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    switch (Kind) {
    case InSynchronizedPost: return FLT_PREOP_SYNCHRONIZE;
    case InSynchronizedPre: Misbehave(InSynchronizedPre); return FLT_PREOP_SYNCHRONIZE;
    case InPair:
        KeEnterCriticalRegion();
        ExAcquireResourceSharedLite(&PairResource, TRUE);
        *Context = IoGetTopLevelIrp();
        IoSetTopLevelIrp((PIRP)FSRTL_CACHE_TOP_LEVEL_IRP);
        return FLT_PREOP_SYNCHRONIZE;
    case InDeferred:
        FltQueueDeferredIoWorkItem(FltAllocateDeferredIoWorkItem(), Data, Deferred, DelayedWorkQueue, NULL);
        return FLT_PREOP_PENDING;
    case InCancel: FltSetCancelCompletion(Data, Canceled); return FLT_PREOP_PENDING;
    case InGenerate ... InNameCleanup: AskName(Data); return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case InOperationStatus:
        FltRequestOperationStatusCallback(Data, OperationStatus, NULL);
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case InQueueRelease:
    case InQueueCancel: FltCbdqInsertIo(&Queue, Data, NULL, NULL); return FLT_PREOP_PENDING;
    case InAsynchronous: ReadAsynchronously(Objects); return FLT_PREOP_SUCCESS_NO_CALLBACK;
    default: Misbehave(InPre); return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI SafePost(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                                  FLT_POST_OPERATION_FLAGS Flags)
{
    Misbehave(InSafePost);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS FLTAPI Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID Context,
                                              FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Status = FLT_POSTOP_FINISHED_PROCESSING;

    if (Kind == InSafePost)
        FltDoCompletionProcessingWhenSafe(Data, Objects, Context, Flags, SafePost, &Status);
    if (Kind == InPair) {
        IoSetTopLevelIrp(Context);
        ExReleaseResourceLite(&PairResource);
        KeLeaveCriticalRegion();
    }
    Misbehave(Kind == InSynchronizedPost || Kind == InPair ? Kind : InPost);
    return Status;
}

/* ---- contexts ---- */

static VOID FLTAPI Cleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    Misbehave(InCleanup);
}

static PVOID FLTAPI Allocate(POOL_TYPE Pool, SIZE_T Size, FLT_CONTEXT_TYPE Type)
{
    PVOID Memory = ExAllocatePoolWithTag(Pool, Size, 'vaeL');

    Misbehave(InAllocate);
    return Memory;
}

static VOID FLTAPI Free(PVOID Pool, FLT_CONTEXT_TYPE Type)
{
    ExFreePool(Pool);
    Misbehave(InFree);
}

static VOID UseContext(VOID)
{
    PFLT_CONTEXT Context;

    if (NT_SUCCESS(FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, 16, NonPagedPool, &Context)))
        FltReleaseContext(Context);
}

/* ---- ports ---- */

static NTSTATUS FLTAPI Connect(PFLT_PORT Port, PVOID Cookie, PVOID Context, ULONG Size, PVOID *ConnectionCookie)
{
    ClientPort = Port;
    Misbehave(InConnect);
    return STATUS_SUCCESS;
}

static VOID FLTAPI Disconnect(PVOID ConnectionCookie)
{
    FltCloseClientPort(Filter, &ClientPort);
    Misbehave(InDisconnect);
}

static NTSTATUS FLTAPI Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                               PULONG Returned)
{
    *Returned = 0;
    Misbehave(InMessage);
    return STATUS_SUCCESS;
}

static VOID CreatePort(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\leaving");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;

    FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
    FltCreateCommunicationPort(Filter, &ServerPort, &Attributes, NULL, Connect, Disconnect, Message, 1);
    FltFreeSecurityDescriptor(Descriptor);
}

/* ---- the filter's life ---- */

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltCloseCommunicationPort(ServerPort);
    FltUnregisterFilter(Filter);
    ExDeleteResourceLite(&PairResource);
    Misbehave(InUnload);
    if (!ExIsResourceAcquiredExclusiveLite(&LeftResource)) /* which is what it left */
        ExDeleteResourceLite(&LeftResource);
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI Setup(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE Device,
                             FLT_FILESYSTEM_TYPE FileSystem)
{
    FltCbdqInitialize(Objects->Instance, &Queue, InsertIo, RemoveIo, PeekNextIo, Acquire, Release, CompleteCanceled);
    Misbehave(InSetup);
    return STATUS_SUCCESS;
}

static NTSTATUS FLTAPI QueryTeardown(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    Misbehave(InQueryTeardown);
    return STATUS_SUCCESS;
}

static VOID FLTAPI TeardownStart(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    Misbehave(InTeardownStart);
}

static VOID FLTAPI TeardownComplete(PCFLT_RELATED_OBJECTS Objects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    Misbehave(InTeardownComplete);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_READ, 0, Pre, Post}, {IRP_MJ_OPERATION_END}};
    static const FLT_CONTEXT_REGISTRATION Own[] = {
        {FLT_INSTANCE_CONTEXT, 0, Cleanup, FLT_VARIABLE_SIZED_CONTEXTS, 0, Allocate, Free}, {FLT_CONTEXT_END}};
    static FLT_REGISTRATION Registration = {.Size = sizeof(Registration),
                                            .Version = FLT_REGISTRATION_VERSION,
                                            .ContextRegistration = Own,
                                            .OperationRegistration = Operations,
                                            .FilterUnloadCallback = Unload,
                                            .InstanceSetupCallback = Setup,
                                            .InstanceQueryTeardownCallback = QueryTeardown,
                                            .InstanceTeardownStartCallback = TeardownStart,
                                            .InstanceTeardownCompleteCallback = TeardownComplete};
    NTSTATUS Status;

    Kind = ReadNumber(RegistryPath, L"Kind");
    How = ReadNumber(RegistryPath, L"How");
    PrepareToLeave();
    ExInitializeResourceLite(&PairResource);
    InitializeListHead(&Held);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    Ready = TRUE;
    if (Kind >= InGenerate && Kind <= InNameCleanup) {
        Registration.GenerateFileNameCallback = Generate;
        Registration.NormalizeNameComponentCallback = NormalizePlain;
        Registration.NormalizeNameComponentExCallback = Kind == InNormalizePlain ? NULL : Normalize;
        Registration.NormalizeContextCleanupCallback = NameCleanup;
    }
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    CreatePort();
    UseContext();
    Status = FltStartFiltering(Filter);
    if (Kind == InGeneric)
        FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Filter, Generic, DelayedWorkQueue, NULL);
    return Status;
}
