/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: a record for each file that changed, when its last writer goes, in a file of the filter's own, \Journal.log, on the same
 * volume.  What has changed is kept with the file, whichever of its names, streams and handles did it.  Records are written by a system thread
 * that every instance has, below the filter, so that the journal's own changes are not its business.
 */
#include <fltKernel.h>
#include <ntstrsafe.h>

#define TAG_FILE     'fnrJ'
#define TAG_INSTANCE 'inrJ'
#define TAG_RECORD   'rnrJ'

#define REASON_DATA_OVERWRITE 0x00000001
#define REASON_DATA_TRUNCATE  0x00000004
#define REASON_FILE_CREATE    0x00000100
#define REASON_FILE_DELETE    0x00000200
#define REASON_RENAME         0x00002000
#define REASON_BASIC_INFO     0x00008000

typedef struct _FILE_CONTEXT {
    volatile LONG Reasons;
} FILE_CONTEXT, *PFILE_CONTEXT;

typedef struct _RECORD {
    LIST_ENTRY Link;
    ULONG Reasons;
    USHORT Length;
    CHAR Text[ANYSIZE_ARRAY];
} RECORD, *PRECORD;

typedef struct _INSTANCE {
    PFLT_INSTANCE Instance;
    UNICODE_STRING VolumeName;
    PETHREAD Thread;
    KSEMAPHORE Work;
    volatile LONG Stop;
    KSPIN_LOCK Lock;
    LIST_ENTRY Records;
    LONGLONG End;
    LONG Written;
} INSTANCE, *PINSTANCE;

static PFLT_FILTER Filter;

DRIVER_INITIALIZE DriverEntry;
static KSTART_ROUTINE JournalThread;
static NTSTATUS InstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                              FLT_FILESYSTEM_TYPE FileSystemType);
static NTSTATUS InstanceQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);
static VOID InstanceTeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Flags);
static VOID InstanceContextCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type);
static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags);

#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, JournalThread)
#pragma alloc_text(PAGE, InstanceSetup)
#pragma alloc_text(PAGE, InstanceQueryTeardown)
#pragma alloc_text(PAGE, InstanceTeardownStart)
#pragma alloc_text(PAGE, InstanceContextCleanup)
#pragma alloc_text(PAGE, Unload)

/* --- The thread that writes --- */

static NTSTATUS OpenJournal(PINSTANCE Instance, PHANDLE Handle, PFILE_OBJECT *FileObject)
{
    static const UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Journal.log");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    UNICODE_STRING Path;
    NTSTATUS Status;

    Path.Length = 0;
    Path.MaximumLength = Instance->VolumeName.Length + Name.Length;
    Path.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Path.MaximumLength, TAG_RECORD);
    if (Path.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyUnicodeString(&Path, &Instance->VolumeName);
    RtlAppendUnicodeStringToString(&Path, &Name);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status =
        FltCreateFileEx(Filter, Instance->Instance, Handle, FileObject, FILE_APPEND_DATA | SYNCHRONIZE, &Attributes,
                        &IoStatus, NULL, FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM, FILE_SHARE_READ, FILE_OPEN_IF,
                        FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_WRITE_THROUGH, NULL, 0,
                        IO_IGNORE_SHARE_ACCESS_CHECK);
    ExFreePoolWithTag(Path.Buffer, TAG_RECORD);
    return Status;
}

static VOID WriteRecord(PINSTANCE Instance, PFILE_OBJECT FileObject, PRECORD Record)
{
    LARGE_INTEGER End;
    ULONG Written = 0;
    NTSTATUS Status;

    End.LowPart = FILE_WRITE_TO_END_OF_FILE;
    End.HighPart = -1;
    Status = FltWriteFile(Instance->Instance, FileObject, &End, Record->Length, Record->Text, 0, &Written, NULL, NULL);
    if (NT_SUCCESS(Status) && Written == Record->Length)
        Instance->Written++;
    else
        DbgPrint("journal: a record is lost, status 0x%08X\n", Status);
}

static VOID JournalThread(PVOID Context)
{
    PINSTANCE Instance = Context;
    PFILE_OBJECT FileObject = NULL;
    HANDLE Handle = NULL;
    PLIST_ENTRY Link;

    PAGED_CODE();
    for (;;) {
        KeWaitForSingleObject(&Instance->Work, Executive, KernelMode, FALSE, NULL);
        Link = ExInterlockedRemoveHeadList(&Instance->Records, &Instance->Lock);
        if (Link == NULL) {
            if (Instance->Stop)
                break;
            continue;
        }
        if (Handle == NULL && !NT_SUCCESS(OpenJournal(Instance, &Handle, &FileObject)))
            Handle = NULL;
        if (Handle != NULL)
            WriteRecord(Instance, FileObject, CONTAINING_RECORD(Link, RECORD, Link));
        ExFreePoolWithTag(CONTAINING_RECORD(Link, RECORD, Link), TAG_RECORD);
    }
    if (Handle != NULL) {
        ObDereferenceObject(FileObject);
        FltClose(Handle);
    }
    FltReleaseContext(Instance);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* --- Records --- */

static VOID QueueRecord(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, ULONG Reasons)
{
    PFLT_FILE_NAME_INFORMATION Name;
    PINSTANCE Instance;
    PRECORD Record;
    SIZE_T Length;

    if (!NT_SUCCESS(FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Instance)))
        return;
    if (NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name)) &&
        NT_SUCCESS(FltParseFileNameInformation(Name))) {
        Length = Name->Name.Length / sizeof(WCHAR) * 3 + 16;
        Record = ExAllocatePool2(POOL_FLAG_NON_PAGED, FIELD_OFFSET(RECORD, Text) + Length, TAG_RECORD);
        if (Record != NULL) {
            RtlStringCbPrintfA(Record->Text, Length, "%08X %wZ\n", Reasons, &Name->Name);
            Record->Length = (USHORT)strlen(Record->Text);
            ExInterlockedInsertTailList(&Instance->Records, &Record->Link, &Instance->Lock);
            KeReleaseSemaphore(&Instance->Work, IO_NO_INCREMENT, 1, FALSE);
        }
        FltReleaseFileNameInformation(Name);
    }
    FltReleaseContext(Instance);
}

static PFILE_CONTEXT FileContext(PCFLT_RELATED_OBJECTS FltObjects, BOOLEAN Create)
{
    PFILE_CONTEXT Context, Old;
    NTSTATUS Status;

    Status = FltGetFileContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Context);
    if (NT_SUCCESS(Status))
        return Context;
    if (Status != STATUS_NOT_FOUND || !Create ||
        !NT_SUCCESS(
            FltAllocateContext(Filter, FLT_FILE_CONTEXT, sizeof(*Context), NonPagedPoolNx, (PFLT_CONTEXT *)&Context)))
        return NULL;
    Context->Reasons = 0;
    Status = FltSetFileContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context,
                               (PFLT_CONTEXT *)&Old);
    if (Status == STATUS_SUCCESS)
        return Context;
    FltReleaseContext(Context);
    return Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED ? Old : NULL;
}

static VOID Note(PCFLT_RELATED_OBJECTS FltObjects, ULONG Reason)
{
    PFILE_CONTEXT Context = FileContext(FltObjects, TRUE);

    if (Context != NULL) {
        InterlockedOr(&Context->Reasons, (LONG)Reason);
        FltReleaseContext(Context);
    }
}

/* --- Operations --- */

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                             PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        Data->IoStatus.Status == STATUS_REPARSE)
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (Data->IoStatus.Information == FILE_CREATED)
        Note(FltObjects, REASON_FILE_CREATE);
    else if (Data->IoStatus.Information == FILE_OVERWRITTEN || Data->IoStatus.Information == FILE_SUPERSEDED)
        Note(FltObjects, REASON_DATA_TRUNCATE);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* A context that is found at DISPATCH_LEVEL must be there already, and nonpaged: the pre-operation makes it. */
static FLT_PREOP_CALLBACK_STATUS PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                          PVOID *CompletionContext)
{
    if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    *CompletionContext = FileContext(FltObjects, TRUE);
    return *CompletionContext != NULL ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                            PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFILE_CONTEXT Context = CompletionContext;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    if (NT_SUCCESS(Data->IoStatus.Status))
        InterlockedOr(&Context->Reasons, REASON_DATA_OVERWRITE);
    FltReleaseContext(Context);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS PostSetInformationSafe(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                         PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileBasicInformation: Note(FltObjects, REASON_BASIC_INFO); break;
    case FileEndOfFileInformation:
    case FileAllocationInformation: Note(FltObjects, REASON_DATA_TRUNCATE); break;
    case FileRenameInformation:
    case FileRenameInformationEx: Note(FltObjects, REASON_RENAME); break;
    case FileDispositionInformation:
    case FileDispositionInformationEx: Note(FltObjects, REASON_FILE_DELETE); break;
    default: break;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS PostSetInformation(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                     PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Result = FLT_POSTOP_FINISHED_PROCESSING;

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;
    (VOID)
        FltDoCompletionProcessingWhenSafe(Data, FltObjects, CompletionContext, Flags, PostSetInformationSafe, &Result);
    return Result;
}

static FLT_PREOP_CALLBACK_STATUS PreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                            PVOID *CompletionContext)
{
    PFILE_CONTEXT Context = FileContext(FltObjects, FALSE);
    ULONG Reasons;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (Context == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Reasons = (ULONG)InterlockedExchange(&Context->Reasons, 0);
    FltReleaseContext(Context);
    if (Reasons != 0)
        QueueRecord(Data, FltObjects, Reasons);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* --- Instances --- */

static NTSTATUS InstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                              FLT_FILESYSTEM_TYPE FileSystemType)
{
    PINSTANCE Context;
    ULONG Needed = 0;
    HANDLE Thread;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    if (FileSystemType != FLT_FSTYPE_NTFS)
        return STATUS_FLT_DO_NOT_ATTACH;
    Status =
        FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, sizeof(*Context), NonPagedPoolNx, (PFLT_CONTEXT *)&Context);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Context, sizeof(*Context));
    Context->Instance = FltObjects->Instance;
    InitializeListHead(&Context->Records);
    KeInitializeSpinLock(&Context->Lock);
    KeInitializeSemaphore(&Context->Work, 0, MAXLONG);
    FltGetVolumeName(FltObjects->Volume, NULL, &Needed);
    Context->VolumeName.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Needed, TAG_RECORD);
    Context->VolumeName.MaximumLength = (USHORT)Needed;
    if (Context->VolumeName.Buffer == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(Status))
        Status = FltGetVolumeName(FltObjects->Volume, &Context->VolumeName, NULL);
    if (NT_SUCCESS(Status))
        Status = FltSetInstanceContext(FltObjects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    if (NT_SUCCESS(Status)) {
        FltReferenceContext(Context); /* the thread's */
        Status = PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, JournalThread, Context);
        if (NT_SUCCESS(Status)) {
            Status = ObReferenceObjectByHandle(Thread, THREAD_ALL_ACCESS, *PsThreadType, KernelMode,
                                               (PVOID *)&Context->Thread, NULL);
            ZwClose(Thread);
        } else {
            FltReleaseContext(Context);
            FltDeleteContext(Context);
        }
    }
    FltReleaseContext(Context);
    return Status;
}

static NTSTATUS InstanceQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

/* The thread has a file open below the instance, and has to write what is queued while it can. */
static VOID InstanceTeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Flags)
{
    PINSTANCE Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    if (!NT_SUCCESS(FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Context)))
        return;
    InterlockedExchange(&Context->Stop, TRUE);
    KeReleaseSemaphore(&Context->Work, IO_NO_INCREMENT, 1, FALSE);
    KeWaitForSingleObject(Context->Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Context->Thread);
    DbgPrint("journal: %d records on %wZ\n", Context->Written, &Context->VolumeName);
    FltReleaseContext(Context);
}

static VOID InstanceContextCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    PINSTANCE Instance = Context;
    PLIST_ENTRY Link;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Type);
    while ((Link = ExInterlockedRemoveHeadList(&Instance->Records, &Instance->Lock)) != NULL)
        ExFreePoolWithTag(CONTAINING_RECORD(Link, RECORD, Link), TAG_RECORD);
    if (Instance->VolumeName.Buffer != NULL)
        ExFreePoolWithTag(Instance->VolumeName.Buffer, TAG_RECORD);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_CREATE, 0, NULL, PostCreate},
    {IRP_MJ_WRITE, 0, PreWrite, PostWrite},
    {IRP_MJ_SET_INFORMATION, 0, NULL, PostSetInformation},
    {IRP_MJ_CLEANUP, 0, PreCleanup, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_INSTANCE_CONTEXT, 0, InstanceContextCleanup, sizeof(INSTANCE), TAG_INSTANCE},
    {FLT_FILE_CONTEXT, 0, NULL, sizeof(FILE_CONTEXT), TAG_FILE},
    {FLT_CONTEXT_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .OperationRegistration = Callbacks,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = InstanceSetup,
    .InstanceQueryTeardownCallback = InstanceQueryTeardown,
    .InstanceTeardownStartCallback = InstanceTeardownStart,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}
