/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faulty: an ordinary minifilter (names, stream contexts, swapped buffers, work items, a port) with one known mistake, which BUG chooses.  The
 * line that a report has to name bears its number in brackets.
 */
#include <fltKernel.h>

#define TAG         'tluF'
#define BUFFER_TAG  'bluF'
#define NAME_LENGTH 64

typedef struct _STREAM {
    LONG Reads, Writes;
    KSPIN_LOCK Lock;
    WCHAR Name[NAME_LENGTH];
} STREAM, *PSTREAM;

typedef struct _SWAP {
    PVOID Buffer;
    PSTREAM Stream;
} SWAP, *PSWAP;

static PFLT_FILTER Filter;
static PFLT_PORT ServerPort, ClientPort;
static KSPIN_LOCK Lock;
static FAST_MUTEX First, Second;
static ERESOURCE Resource;
static NPAGED_LOOKASIDE_LIST Swaps;
static volatile LONG Reads, Once;
static PFILE_OBJECT Remembered;
static PFLT_CALLBACK_DATA Held;
static WORK_QUEUE_ITEM Item;
static KEVENT Never;
static PLONG Counts; /* paged */

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags);
static VOID Count(PSTREAM Stream);

#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, Unload)
#if BUG == 7
#pragma alloc_text(PAGE, Count)
#endif

static VOID Count(PSTREAM Stream)
{
#if BUG == 7
    PAGED_CODE(); /* [7] */
#endif
    InterlockedIncrement(&Stream->Reads);
}

/* --- Names and contexts --- */

static PSTREAM GetStream(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_FILE_NAME_INFORMATION Name;
    PSTREAM Stream, Old = NULL;
    NTSTATUS Status;

    Status = FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Stream); /* [1] */
    if (NT_SUCCESS(Status))
        return Stream;
    Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name); /* [3] */
    if (!NT_SUCCESS(Status))
        return NULL;
    Status = FltParseFileNameInformation(Name);
#if BUG == 3
    if (Name->Extension.Length == 0) /* directories, mostly */
        return NULL;
#endif
#if BUG == 6
    Status = FltAllocateContext(Filter, FLT_STREAM_CONTEXT, sizeof(*Stream), PagedPool, (PFLT_CONTEXT *)&Stream);
#else
    Status = FltAllocateContext(Filter, FLT_STREAM_CONTEXT, sizeof(*Stream), NonPagedPoolNx, (PFLT_CONTEXT *)&Stream);
#endif
    if (!NT_SUCCESS(Status)) {
        FltReleaseFileNameInformation(Name);
        return NULL;
    }
    RtlZeroMemory(Stream, sizeof(*Stream));
    KeInitializeSpinLock(&Stream->Lock);
#if BUG == 41
    RtlCopyMemory(Stream->Name, Name->Name.Buffer, NAME_LENGTH * sizeof(WCHAR) + 16); /* [41] */
#else
    RtlCopyMemory(Stream->Name, Name->Name.Buffer, min(sizeof(Stream->Name), Name->Name.Length));
#endif
    FltReleaseFileNameInformation(Name);
#if BUG == 4
    FltReleaseFileNameInformation(Name); /* [4] */
#endif
#if BUG == 5
    Stream->Name[0] = Name->Name.Buffer[0]; /* [5] */
#endif
    Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Stream,
                                 (PFLT_CONTEXT *)&Old);
    if (Status == STATUS_SUCCESS)
        return Stream;
    FltReleaseContext(Stream);
    return Old;
}

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    PSTREAM Stream;

    UNREFERENCED_PARAMETER(Context);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        Data->IoStatus.Status == STATUS_REPARSE)
        return FLT_POSTOP_FINISHED_PROCESSING;
    Stream = GetStream(Data, FltObjects);
    if (Stream == NULL)
        return FLT_POSTOP_FINISHED_PROCESSING;
#if BUG == 1
    if (Data->IoStatus.Information == FILE_OPENED)
        return FLT_POSTOP_FINISHED_PROCESSING;
#endif
#if BUG == 2
    if (Data->IoStatus.Information == FILE_OPENED)
        FltReleaseContext(Stream);
#endif
#if BUG == 17
    if (FlagOn(Data->Iopb->Parameters.Create.Options, FILE_DIRECTORY_FILE))
        Remembered = FltObjects->FileObject; /* without a reference */
#endif
    FltReleaseContext(Stream); /* [2] */
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* --- Swapped buffers --- */

static PVOID SystemAddress(PMDL Mdl, PVOID Buffer)
{
    return Mdl != NULL ? MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute) : Buffer;
}

static PSWAP NewSwap(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, ULONG Length, PMDL *Mdl)
{
    PSWAP Swap = ExAllocateFromNPagedLookasideList(&Swaps);

    if (Swap == NULL)
        return NULL;
    RtlZeroMemory(Swap, sizeof(*Swap));
    Swap->Buffer = FltAllocatePoolAlignedWithTag(FltObjects->Instance, NonPagedPoolNx, Length, BUFFER_TAG); /* [11] */
    *Mdl = IoAllocateMdl(Swap->Buffer, Length, FALSE, FALSE, NULL);                                         /* [12] */
    MmBuildMdlForNonPagedPool(*Mdl);
    Swap->Stream = GetStream(Data, FltObjects);
    return Swap;
}

static VOID FreeSwap(PCFLT_RELATED_OBJECTS FltObjects, PSWAP Swap)
{
#if BUG == 11
    if (InterlockedIncrement(&Reads) > 2) /* the first two are forgotten */
#endif
        FltFreePoolAlignedWithTag(FltObjects->Instance, Swap->Buffer, BUFFER_TAG);
#if BUG == 10
    FltFreePoolAlignedWithTag(FltObjects->Instance, Swap->Buffer, BUFFER_TAG); /* [10] */
#endif
    if (Swap->Stream != NULL)
        FltReleaseContext(Swap->Stream);
    ExFreeToNPagedLookasideList(&Swaps, Swap);
#if BUG == 40
    ExFreeToNPagedLookasideList(&Swaps, Swap); /* [40] */
#endif
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = Data->Iopb;
    PSWAP Swap;
    PMDL Mdl;

#if BUG == 14
    if (Iopb->Parameters.Read.Length == 512) {
        FltAcquireResourceShared(&Resource);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
#endif
    if (!FlagOn(Iopb->IrpFlags, IRP_NOCACHE) || !FLT_IS_IRP_OPERATION(Data) || Iopb->Parameters.Read.Length == 0)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Swap = NewSwap(Data, FltObjects, (ULONG)ROUND_TO_SIZE(Iopb->Parameters.Read.Length, 512), &Mdl);
    if (Swap == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
#if BUG == 12
    if (FlagOn(Iopb->IrpFlags, IRP_PAGING_IO)) { /* not those, after all */
        FreeSwap(FltObjects, Swap);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
#endif
#if BUG == 39
    if (Swap->Stream != NULL && Swap->Stream->Reads == 1) { /* [39] */
        IoFreeMdl(Mdl);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
#endif
    Iopb->Parameters.Read.ReadBuffer = Swap->Buffer;
    Iopb->Parameters.Read.MdlAddress = Mdl;
#if BUG != 9
    FltSetCallbackDataDirty(Data);
#endif
    *Context = Swap;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK; /* [9] */
}

static FLT_POSTOP_CALLBACK_STATUS PostReadSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    PSWAP Swap = Context;
    PVOID To = NULL;

    UNREFERENCED_PARAMETER(Flags);
    if (NT_SUCCESS(FltLockUserBuffer(Data)))
        To = SystemAddress(Data->Iopb->Parameters.Read.MdlAddress, NULL);
    if (To != NULL)
        RtlCopyMemory(To, Swap->Buffer, Data->IoStatus.Information);
    FreeSwap(FltObjects, Swap);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID Worker(PVOID Parameter)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000LL * 100};

    UNREFERENCED_PARAMETER(Parameter);
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Result = FLT_POSTOP_FINISHED_PROCESSING;
    PSWAP Swap = Context;
    PVOID To;

    if (Swap->Stream != NULL) {
#if BUG == 6
        Swap->Stream->Reads++; /* [6] */
#else
        Count(Swap->Stream); /* [7b] */
#endif
    }
#if BUG == 13
    {
        KIRQL Irql;

        KeAcquireSpinLock(&Lock, &Irql); /* [13] */
        Reads++;
        if (!NT_SUCCESS(Data->IoStatus.Status) || Data->IoStatus.Information < 4096) {
            FreeSwap(FltObjects, Swap);
            return FLT_POSTOP_FINISHED_PROCESSING;
        }
        KeReleaseSpinLock(&Lock, Irql);
    }
#endif
#if BUG == 16
    if (InterlockedExchange(&Once, 1) == 0) {
        ExInitializeWorkItem(&Item, Worker, NULL);
        ExQueueWorkItem(&Item, DelayedWorkQueue); /* [16] */
    }
#endif
#if BUG == 26
    {
        PFLT_FILE_NAME_INFORMATION Name;

        if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED, &Name))) /* [26] */
            FltReleaseFileNameInformation(Name);
    }
#endif
#if BUG == 27
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL); /* [27] */
#endif
#if BUG == 44
    Counts[0]++; /* [44] */
#endif
    if (!NT_SUCCESS(Data->IoStatus.Status) || Data->IoStatus.Information == 0)
        goto Exit;
    if (Data->Iopb->Parameters.Read.MdlAddress == NULL) {
#if BUG == 23
        To = Data->Iopb->Parameters.Read.ReadBuffer;
        RtlCopyMemory(To, Swap->Buffer, Data->IoStatus.Information); /* [23] */
        goto Exit;
#else
        if (FltDoCompletionProcessingWhenSafe(Data, FltObjects, Context, Flags, PostReadSafe, &Result))
            return Result;
        Data->IoStatus.Status = STATUS_UNSUCCESSFUL;
        Data->IoStatus.Information = 0;
        goto Exit;
#endif
    }
    To = SystemAddress(Data->Iopb->Parameters.Read.MdlAddress, NULL);
#if BUG == 8
    ((PUCHAR)Swap->Buffer)[ROUND_TO_SIZE(Data->Iopb->Parameters.Read.Length, 512)] = 0; /* [8] */
#endif
    if (To != NULL)
        RtlCopyMemory(To, Swap->Buffer, Data->IoStatus.Information);

Exit:
    FreeSwap(FltObjects, Swap);
    return Result;
}

/* --- Writes: counted, and read back --- */

static VOID Complete(PFLT_GENERIC_WORKITEM WorkItem, PVOID Object, PVOID Context)
{
    PFLT_CALLBACK_DATA Data = Context;

    UNREFERENCED_PARAMETER(Object);
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
#if BUG == 20
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL); /* [20] */
#endif
#if BUG == 21
    Reads += Data->Iopb->Parameters.Write.Length; /* [21] */
#endif
    FltFreeGenericWorkItem(WorkItem);
}

static FLT_PREOP_CALLBACK_STATUS PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(FltObjects);
#if BUG == 15
    if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO)) {
        static UCHAR Before[512];
        LARGE_INTEGER Offset = {.QuadPart = 0};
        ULONG Read;

        FltReadFile(FltObjects->Instance, FltObjects->FileObject, &Offset, sizeof(Before), Before, /* [15] */
                    FLTFL_IO_OPERATION_NON_CACHED | FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, &Read, NULL, NULL);
    }
#endif
#if BUG == 19
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) && FLT_IS_IRP_OPERATION(Data) &&
        InterlockedExchange(&Once, 1) == 0)
        return FLT_PREOP_PENDING; /* and nobody completes it */
#endif
#if BUG == 20 || BUG == 21
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) && FLT_IS_IRP_OPERATION(Data)) {
        PFLT_GENERIC_WORKITEM WorkItem = FltAllocateGenericWorkItem();

        if (WorkItem != NULL &&
            NT_SUCCESS(FltQueueGenericWorkItem(WorkItem, FltObjects->Instance, Complete, DelayedWorkQueue, Data)))
            return FLT_PREOP_PENDING;
        if (WorkItem != NULL)
            FltFreeGenericWorkItem(WorkItem);
    }
#endif
#if BUG == 42
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO)) {
        FILE_STANDARD_INFORMATION Standard;

        ExAcquireFastMutex(&First);
        FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Standard, sizeof(Standard), /* [42] */
                                FileStandardInformation, NULL);
        ExReleaseFastMutex(&First);
    }
#endif
#if BUG == 29
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO)) {
        ExAcquireFastMutex(&First);
        KeStallExecutionProcessor(20);
        ExAcquireFastMutex(&Second); /* [29] */
        ExReleaseFastMutex(&Second);
        ExReleaseFastMutex(&First);
    }
#endif
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS PreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
#if BUG == 29
    ExAcquireFastMutex(&Second);
    KeStallExecutionProcessor(20);
    ExAcquireFastMutex(&First); /* [29b] */
    ExReleaseFastMutex(&First);
    ExReleaseFastMutex(&Second);
#endif
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
#if BUG == 17
    if (Remembered != NULL && Remembered != FltObjects->FileObject && Remembered->FileName.Length > 2) /* [17] */
        Reads++;
#endif
#if BUG == 28
    {
        UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\policy.txt");
        OBJECT_ATTRIBUTES Attributes;
        IO_STATUS_BLOCK IoStatus;
        HANDLE File;

        InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
        if (NT_SUCCESS(ZwCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0, /* [28] */
                                    FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0)))
            ZwClose(File);
    }
#endif
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

/* A control of the filter's own: its input is the caller's memory, wherever that is. */
static FLT_PREOP_CALLBACK_STATUS PreControl(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Context);
#if BUG == 22
    if (Data->Iopb->MinorFunction == IRP_MN_USER_FS_REQUEST &&
        Data->Iopb->Parameters.FileSystemControl.Common.FsControlCode == CTL_CODE(9, 0x900, METHOD_NEITHER, 0))
        Reads += *(PLONG)Data->Iopb->Parameters.FileSystemControl.Neither.InputBuffer; /* [22] */
#else
    UNREFERENCED_PARAMETER(Data);
#endif
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* --- The port --- */

static NTSTATUS Connect(PFLT_PORT Port, PVOID ServerCookie, PVOID Context, ULONG Size, PVOID *Cookie)
{
    UNREFERENCED_PARAMETER(ServerCookie);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Size);
    ClientPort = Port;
    *Cookie = NULL;
    return STATUS_SUCCESS;
}

static VOID Disconnect(PVOID Cookie)
{
    UNREFERENCED_PARAMETER(Cookie);
    FltCloseClientPort(Filter, &ClientPort);
}

static NTSTATUS Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength, PULONG Returned)
{
    UNREFERENCED_PARAMETER(Cookie);
    UNREFERENCED_PARAMETER(Input);
    UNREFERENCED_PARAMETER(InputLength);
    UNREFERENCED_PARAMETER(OutputLength);
#if BUG == 24
    RtlFillMemory(Output, 4096, 'x'); /* [24] */
    *Returned = 4096;
#else
    *Returned = 0;
    UNREFERENCED_PARAMETER(Output);
#endif
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
#if BUG != 46
    FltCloseCommunicationPort(ServerPort);
#endif
    FltUnregisterFilter(Filter);
    ExDeleteResourceLite(&Resource);
#if BUG != 35
    ExDeleteNPagedLookasideList(&Swaps);
#endif
    if (Counts != NULL)
        ExFreePoolWithTag(Counts, TAG);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, PreCreate, PostCreate},
    {IRP_MJ_READ, 0, PreRead, PostRead},
    {IRP_MJ_WRITE, 0, PreWrite, NULL},
    {IRP_MJ_CLEANUP, 0, PreCleanup, NULL},
    {IRP_MJ_FILE_SYSTEM_CONTROL, 0, PreControl, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_STREAM_CONTEXT, 0, NULL, sizeof(STREAM), TAG},
    {FLT_CONTEXT_END},
};

static const FLT_REGISTRATION Registration = {
    sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, Contexts, Operations, Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(L"\\FaultyPort");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    ExInitializeFastMutex(&First);
    ExInitializeFastMutex(&Second);
    ExInitializeResourceLite(&Resource);
    ExInitializeNPagedLookasideList(&Swaps, NULL, NULL, POOL_NX_ALLOCATION, sizeof(SWAP), TAG, 0); /* [35] */
    Counts = ExAllocatePool2(POOL_FLAG_PAGED, 4096, TAG);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
#if BUG == 48
    FltAllocateFileLock(NULL, NULL); /* [48] */
#endif
    Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS); /* [47] */
    if (NT_SUCCESS(Status)) {
        InitializeObjectAttributes(&Attributes, &PortName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
        Status =
            FltCreateCommunicationPort(Filter, &ServerPort, &Attributes, NULL, Connect, Disconnect, Message, /* [46] */
                                       1);
#if BUG != 47
        FltFreeSecurityDescriptor(Descriptor);
#endif
    }
    if (NT_SUCCESS(Status))
        Status = FltStartFiltering(Filter);
    return Status;
}
