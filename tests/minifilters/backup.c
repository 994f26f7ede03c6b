/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backup: before a file below \Data is first written to by a handle, cut, overwritten or deleted, what it holds is copied to \Backup, under its
 * name and a number.  The copy is read through the section that the cache has, or by the filter's own reads, and all of it happens below
 * the filter.
 */
#include <fltKernel.h>
#include <ntstrsafe.h>

#define BK_TAG       'kcaB'
#define BK_CHUNK     16384
#define BK_NAME_SIZE (512 * sizeof(WCHAR))

typedef struct _BK_STREAM_CONTEXT {
    ERESOURCE Resource;
    BOOLEAN Saved;
} BK_STREAM_CONTEXT, *PBK_STREAM_CONTEXT;

static struct {
    PFLT_FILTER Filter;
    volatile LONG Number;
    volatile LONG Copies;
} Bk;

DRIVER_INITIALIZE DriverEntry;
static VOID BkStreamContextCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type);
static NTSTATUS BkUnload(FLT_FILTER_UNLOAD_FLAGS Flags);
static NTSTATUS BkCopy(PCFLT_RELATED_OBJECTS FltObjects, PFLT_FILE_NAME_INFORMATION Name);
static FLT_PREOP_CALLBACK_STATUS BkPreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context);
static FLT_POSTOP_CALLBACK_STATUS BkPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                               FLT_POST_OPERATION_FLAGS Flags);

#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, BkStreamContextCleanup)
#pragma alloc_text(PAGE, BkUnload)
#pragma alloc_text(PAGE, BkCopy)
#pragma alloc_text(PAGE, BkPreCreate)
#pragma alloc_text(PAGE, BkPostCreate)

/* --- Copying --- */

static NTSTATUS BkOpen(PFLT_INSTANCE Instance, PUNICODE_STRING Name, ACCESS_MASK Access, ULONG Disposition,
                       PHANDLE Handle, PFILE_OBJECT *FileObject)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    return FltCreateFileEx2(Bk.Filter, Instance, Handle, FileObject, Access | SYNCHRONIZE, &Attributes, &IoStatus, NULL,
                            FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition,
                            FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_COMPLETE_IF_OPLOCKED, NULL, 0,
                            IO_IGNORE_SHARE_ACCESS_CHECK, NULL);
}

static NTSTATUS BkTransfer(PFLT_INSTANCE Instance, PFILE_OBJECT From, PFILE_OBJECT To, PLONGLONG Copied)
{
    PVOID Buffer = ExAllocatePool2(POOL_FLAG_PAGED, BK_CHUNK, BK_TAG);
    LARGE_INTEGER Offset = {.QuadPart = 0};
    ULONG Read, Written;
    NTSTATUS Status;

    if (Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (;;) {
        Status = FltReadFile(Instance, From, &Offset, BK_CHUNK, Buffer, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET,
                             &Read, NULL, NULL);
        if (!NT_SUCCESS(Status) || Read == 0)
            break;
        Status = FltWriteFile(Instance, To, &Offset, Read, Buffer, FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET,
                              &Written, NULL, NULL);
        if (!NT_SUCCESS(Status))
            break;
        Offset.QuadPart += Read;
    }
    *Copied = Offset.QuadPart;
    ExFreePoolWithTag(Buffer, BK_TAG);
    return Status == STATUS_END_OF_FILE ? STATUS_SUCCESS : Status;
}

/* The file as it is, by a handle of the filter's own: the caller's may not read. */
static NTSTATUS BkCopy(PCFLT_RELATED_OBJECTS FltObjects, PFLT_FILE_NAME_INFORMATION Name)
{
    HANDLE FromHandle = NULL, ToHandle = NULL;
    PFILE_OBJECT From = NULL, To = NULL;
    UNICODE_STRING Target = {0};
    LONGLONG Copied = 0;
    NTSTATUS Status;

    PAGED_CODE();
    Target.MaximumLength = BK_NAME_SIZE;
    Target.Buffer = ExAllocatePool2(POOL_FLAG_PAGED, BK_NAME_SIZE, BK_TAG);
    if (Target.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = RtlUnicodeStringPrintf(&Target, L"%wZ\\Backup\\%wZ.%d", &Name->Volume, &Name->FinalComponent,
                                    InterlockedIncrement(&Bk.Number));
    if (NT_SUCCESS(Status))
        Status = BkOpen(FltObjects->Instance, &Name->Name, FILE_READ_DATA, FILE_OPEN, &FromHandle, &From);
    if (NT_SUCCESS(Status))
        Status = BkOpen(FltObjects->Instance, &Target, FILE_WRITE_DATA, FILE_CREATE, &ToHandle, &To);
    if (NT_SUCCESS(Status))
        Status = BkTransfer(FltObjects->Instance, From, To, &Copied);
    if (NT_SUCCESS(Status)) {
        InterlockedIncrement(&Bk.Copies);
        DbgPrint("backup: %wZ, %I64d bytes\n", &Target, Copied);
    } else {
        DbgPrint("backup: %wZ is not copied: 0x%08X\n", &Name->Name, Status);
    }
    if (To != NULL)
        ObDereferenceObject(To);
    if (ToHandle != NULL)
        FltClose(ToHandle);
    if (From != NULL)
        ObDereferenceObject(From);
    if (FromHandle != NULL)
        FltClose(FromHandle);
    ExFreePoolWithTag(Target.Buffer, BK_TAG);
    return Status;
}

/* Whether it is one of ours; with its name, which the caller releases. */
static BOOLEAN BkName(PFLT_CALLBACK_DATA Data, PFLT_FILE_NAME_INFORMATION *Name)
{
    static const UNICODE_STRING Folder = RTL_CONSTANT_STRING(L"\\Data\\");

    if (!NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, Name)))
        return FALSE;
    if (NT_SUCCESS(FltParseFileNameInformation(*Name)) && (*Name)->FinalComponent.Length != 0 &&
        (*Name)->Stream.Length == 0 && RtlPrefixUnicodeString(&Folder, &(*Name)->ParentDir, TRUE))
        return TRUE;
    FltReleaseFileNameInformation(*Name);
    return FALSE;
}

/* --- Once a stream, whoever comes first; the others wait for the copy --- */

static PBK_STREAM_CONTEXT BkContext(PCFLT_RELATED_OBJECTS FltObjects)
{
    PBK_STREAM_CONTEXT New, Old = NULL;
    NTSTATUS Status = FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&New);

    if (NT_SUCCESS(Status))
        return New;
    if (Status != STATUS_NOT_FOUND || !NT_SUCCESS(FltAllocateContext(Bk.Filter, FLT_STREAM_CONTEXT, sizeof(*New),
                                                                     NonPagedPoolNx, (PFLT_CONTEXT *)&New)))
        return NULL;
    RtlZeroMemory(New, sizeof(*New));
    ExInitializeResourceLite(&New->Resource);
    Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, New,
                                 (PFLT_CONTEXT *)&Old);
    if (NT_SUCCESS(Status))
        return New;
    FltReleaseContext(New);
    return Old;
}

static VOID BkSave(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_FILE_NAME_INFORMATION Name;
    PBK_STREAM_CONTEXT Context;

    Context = BkContext(FltObjects);
    if (Context == NULL)
        return;
    if (!Context->Saved) {
        FltAcquireResourceExclusive(&Context->Resource);
        if (!Context->Saved && BkName(Data, &Name)) {
            BkCopy(FltObjects, Name);
            FltReleaseFileNameInformation(Name);
        }
        Context->Saved = TRUE;
        FltReleaseResource(&Context->Resource);
    }
    FltReleaseContext(Context);
}

static VOID BkStreamContextCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Type);
    ExDeleteResourceLite(&((PBK_STREAM_CONTEXT)Context)->Resource);
}

/* --- Operations --- */

/* An open that overwrites has overwritten by the time that its post-operation comes. */
static FLT_PREOP_CALLBACK_STATUS BkPreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    ULONG Disposition = (Data->Iopb->Parameters.Create.Options >> 24) & 0xFF;
    PFLT_FILE_NAME_INFORMATION Name;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Context);
    if ((Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF || Disposition == FILE_SUPERSEDE) &&
        !FlagOn(Data->Iopb->OperationFlags, SL_OPEN_TARGET_DIRECTORY) && BkName(Data, &Name)) {
        BkCopy(FltObjects, Name);
        FltReleaseFileNameInformation(Name);
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS BkPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    PBK_STREAM_CONTEXT Stream;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Context);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (Data->IoStatus.Information == FILE_CREATED || Data->IoStatus.Information == FILE_OVERWRITTEN ||
        Data->IoStatus.Information == FILE_SUPERSEDED) {
        Stream = BkContext(FltObjects);
        if (Stream != NULL) {
            Stream->Saved = TRUE; /* there is nothing in it that was there before */
            FltReleaseContext(Stream);
        }
    } else if (FlagOn(Data->Iopb->Parameters.Create.Options, FILE_DELETE_ON_CLOSE)) {
        BkSave(Data, FltObjects);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS BkPreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) && IoGetTopLevelIrp() == NULL)
        BkSave(Data, FltObjects);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* A view that may be written to: there will be no other sign. */
static FLT_PREOP_CALLBACK_STATUS BkPreAcquire(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (Data->Iopb->Parameters.AcquireForSectionSynchronization.SyncType == SyncTypeCreateSection &&
        FlagOn(Data->Iopb->Parameters.AcquireForSectionSynchronization.PageProtection,
               PAGE_READWRITE | PAGE_EXECUTE_READWRITE) &&
        FltObjects->FileObject->WriteAccess)
        BkSave(Data, FltObjects);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS BkPreSetInfo(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PVOID Buffer = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    BOOLEAN Changes = FALSE;

    UNREFERENCED_PARAMETER(Context);
    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileEndOfFileInformation: Changes = !Data->Iopb->Parameters.SetFileInformation.AdvanceOnly; break;
    case FileAllocationInformation: Changes = TRUE; break;
    case FileDispositionInformation: Changes = ((PFILE_DISPOSITION_INFORMATION)Buffer)->DeleteFile; break;
    case FileDispositionInformationEx:
        Changes = FlagOn(((PFILE_DISPOSITION_INFORMATION_EX)Buffer)->Flags, FILE_DISPOSITION_DELETE) != 0;
        break;
    default: break;
    }
    if (Changes)
        BkSave(Data, FltObjects);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS BkUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Bk.Filter);
    DbgPrint("backup: %d copies\n", Bk.Copies);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION BkOperations[] = {
    {IRP_MJ_CREATE, 0, BkPreCreate, BkPostCreate},
    {IRP_MJ_WRITE, 0, BkPreWrite, NULL},
    {IRP_MJ_SET_INFORMATION, 0, BkPreSetInfo, NULL},
    {IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, 0, BkPreAcquire, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION BkContexts[] = {
    {FLT_STREAM_CONTEXT, 0, BkStreamContextCleanup, sizeof(BK_STREAM_CONTEXT), BK_TAG},
    {FLT_CONTEXT_END},
};

static const FLT_REGISTRATION BkRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = BkContexts,
    .OperationRegistration = BkOperations,
    .FilterUnloadCallback = BkUnload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = FltRegisterFilter(DriverObject, &BkRegistration, &Bk.Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Bk.Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Bk.Filter);
    return Status;
}
