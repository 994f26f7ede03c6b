/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delwatch: tells which streams and files are really deleted, and which were only going to be.
 *
 * A stream that anybody opens to delete on close, or sets the disposition of, is a candidate; operations on the disposition that race are
 * counted, since the order in which the file system did them is then not known.  Once a candidate's cleanup has been done the file system
 * is asked whether the file is still there: STATUS_FILE_DELETED is the answer that counts.  What replaces a file by a rename
 * deletes it, too, and is told by the rename.
 */
#include <fltKernel.h>
#include <dontuse.h>
#include <suppress.h>

#pragma prefast(disable : __WARNING_ENCODE_MEMBER_FUNCTION_POINTER, "Not valid for kernel mode drivers")

#define DW_STREAM_TAG 'xcwD'
#define DW_STRING_TAG 'tswD'

typedef struct _DW_STREAM_CONTEXT {
    PFLT_FILE_NAME_INFORMATION NameInfo;
    FILE_INTERNAL_INFORMATION FileId;
    volatile LONG NumOps;     /* dispositions under way */
    volatile LONG IsNotified; /* it is told once */
    BOOLEAN SetDisp, DeleteOnClose, Posix;
} DW_STREAM_CONTEXT, *PDW_STREAM_CONTEXT;

typedef struct _DW_RENAME {
    PFLT_FILE_NAME_INFORMATION Target;
    BOOLEAN Exists;
} DW_RENAME, *PDW_RENAME;

static PFLT_FILTER gFilterHandle;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS DwUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static VOID DwStreamContextCleanup(_In_ PFLT_CONTEXT Context, _In_ FLT_CONTEXT_TYPE ContextType);
static FLT_POSTOP_CALLBACK_STATUS DwPostCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                               _In_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags);
static FLT_PREOP_CALLBACK_STATUS DwPreSetInfo(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Outptr_ PVOID *CompletionContext);
static FLT_POSTOP_CALLBACK_STATUS DwPostSetInfo(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _In_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags);
static FLT_POSTOP_CALLBACK_STATUS DwPostCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _In_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, DwUnload)
#pragma alloc_text(PAGE, DwStreamContextCleanup)
#pragma alloc_text(PAGE, DwPostCreate)
#pragma alloc_text(PAGE, DwPreSetInfo)
#pragma alloc_text(PAGE, DwPostSetInfo)
#pragma alloc_text(PAGE, DwPostCleanup)
#endif

static NTSTATUS DwGetOrSetContext(_In_ PCFLT_RELATED_OBJECTS FltObjects, _Outptr_ PDW_STREAM_CONTEXT *Context)
{
    PDW_STREAM_CONTEXT New, Old = NULL;
    NTSTATUS Status = FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)Context);

    if (Status != STATUS_NOT_FOUND)
        return Status;
    Status = FltAllocateContext(gFilterHandle, FLT_STREAM_CONTEXT, sizeof(DW_STREAM_CONTEXT), PagedPool,
                                (PFLT_CONTEXT *)&New);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(New, sizeof(*New));
    Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, New,
                                 (PFLT_CONTEXT *)&Old);
    if (Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED) {
        FltReleaseContext(New);
        *Context = Old;
        return STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(Status)) {
        FltReleaseContext(New);
        return Status;
    }
    *Context = New;
    return STATUS_SUCCESS;
}

/* The name as it is now: the stream may have been renamed since. */
static VOID DwRefreshName(_In_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                          _Inout_ PDW_STREAM_CONTEXT Context)
{
    PFLT_FILE_NAME_INFORMATION Name, Old;

    if (!NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name)))
        return;
    if (!NT_SUCCESS(FltParseFileNameInformation(Name))) {
        FltReleaseFileNameInformation(Name);
        return;
    }
    Old = InterlockedExchangePointer((PVOID *)&Context->NameInfo, Name);
    if (Old != NULL)
        FltReleaseFileNameInformation(Old);
    FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Context->FileId, sizeof(Context->FileId),
                            FileInternalInformation, NULL);
}

static FLT_PREOP_CALLBACK_STATUS DwPreCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                             _Outptr_ PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    return FlagOn(Data->Iopb->Parameters.Create.Options, FILE_DELETE_ON_CLOSE) ? FLT_PREOP_SYNCHRONIZE
                                                                               : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS DwPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PDW_STREAM_CONTEXT Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    NT_ASSERT(!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING));
    if (NT_SUCCESS(Data->IoStatus.Status) && Data->IoStatus.Status != STATUS_REPARSE &&
        NT_SUCCESS(DwGetOrSetContext(FltObjects, &Context))) {
        DwRefreshName(Data, FltObjects, Context);
        Context->DeleteOnClose = TRUE;
        FltReleaseContext(Context);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* Whether what a rename goes to is there, seen below this filter. */
static BOOLEAN DwExists(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ PFLT_FILE_NAME_INFORMATION Name)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name->Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = FltCreateFileEx(
        gFilterHandle, FltObjects->Instance, &File, NULL, FILE_READ_ATTRIBUTES | SYNCHRONIZE, &Attributes, &IoStatus,
        NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
        FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT, NULL, 0, IO_IGNORE_SHARE_ACCESS_CHECK);
    if (NT_SUCCESS(Status))
        FltClose(File);
    return NT_SUCCESS(Status);
}

static FLT_PREOP_CALLBACK_STATUS DwPreRename(_In_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                             _Outptr_ PVOID *CompletionContext)
{
    PFILE_RENAME_INFORMATION Rename = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    PDW_RENAME Note;

    Note = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Note), DW_STRING_TAG);
    if (Note == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (!NT_SUCCESS(FltGetDestinationFileNameInformation(
            FltObjects->Instance, FltObjects->FileObject, Rename->RootDirectory, Rename->FileName,
            Rename->FileNameLength, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Note->Target))) {
        ExFreePoolWithTag(Note, DW_STRING_TAG);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Note->Exists = DwExists(FltObjects, Note->Target);
    *CompletionContext = Note;
    return FLT_PREOP_SYNCHRONIZE;
}

static FLT_PREOP_CALLBACK_STATUS DwPreSetInfo(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                              PVOID *CompletionContext)
{
    PDW_STREAM_CONTEXT Context;
    BOOLEAN Race;

    PAGED_CODE();
    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx: return DwPreRename(Data, FltObjects, CompletionContext);
    case FileDispositionInformation:
    case FileDispositionInformationEx: break;
    default: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (!NT_SUCCESS(DwGetOrSetContext(FltObjects, &Context)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    DwRefreshName(Data, FltObjects, Context);
    Race = InterlockedIncrement(&Context->NumOps) > 1;
    if (Race) {
        /* The count stays up for good: from now on every cleanup asks. */
        FltReleaseContext(Context);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    *CompletionContext = Context;
    return FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS DwPostSetInfo(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PVOID Buffer = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    PDW_STREAM_CONTEXT Context = CompletionContext;
    PDW_RENAME Note = CompletionContext;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    NT_ASSERT(!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING));
    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx:
        if (NT_SUCCESS(Data->IoStatus.Status) && Note->Exists)
            DbgPrint("delwatch: %wZ replaced by a rename\n", &Note->Target->Name);
        FltReleaseFileNameInformation(Note->Target);
        ExFreePoolWithTag(Note, DW_STRING_TAG);
        return FLT_POSTOP_FINISHED_PROCESSING;
    case FileDispositionInformation:
        if (NT_SUCCESS(Data->IoStatus.Status))
            Context->SetDisp = ((PFILE_DISPOSITION_INFORMATION)Buffer)->DeleteFile;
        break;
    default:
        if (NT_SUCCESS(Data->IoStatus.Status)) {
            ULONG Disposition = ((PFILE_DISPOSITION_INFORMATION_EX)Buffer)->Flags;

            if (FlagOn(Disposition, FILE_DISPOSITION_ON_CLOSE))
                Context->DeleteOnClose = BooleanFlagOn(Disposition, FILE_DISPOSITION_DELETE);
            else
                Context->SetDisp = BooleanFlagOn(Disposition, FILE_DISPOSITION_DELETE);
            Context->Posix = BooleanFlagOn(Disposition, FILE_DISPOSITION_POSIX_SEMANTICS);
        }
    }
    InterlockedDecrement(&Context->NumOps);
    FltReleaseContext(Context);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS DwPreCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Outptr_ PVOID *CompletionContext)
{
    PDW_STREAM_CONTEXT Context;

    UNREFERENCED_PARAMETER(Data);
    if (!NT_SUCCESS(FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Context)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    *CompletionContext = Context;
    return FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS DwPostCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PDW_STREAM_CONTEXT Context = CompletionContext;
    FILE_STANDARD_INFORMATION Standard;
    NTSTATUS Status;

    PAGED_CODE();
    NT_ASSERT(!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING));
    if (NT_SUCCESS(Data->IoStatus.Status) && (Context->NumOps > 0 || Context->SetDisp || Context->DeleteOnClose)) {
        Status = FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Standard, sizeof(Standard),
                                         FileStandardInformation, NULL);
        if (Status == STATUS_FILE_DELETED && InterlockedIncrement(&Context->IsNotified) <= 1 &&
            Context->NameInfo != NULL) {
            BOOLEAN Stream = Context->NameInfo->Stream.Length > sizeof(WCHAR); /* ":" alone is the default one */

            DbgPrint("delwatch: %wZ deleted%s%s, id %016llx\n", &Context->NameInfo->Name, Stream ? ", a stream" : "",
                     Context->Posix ? ", at once" : "", (ULONGLONG)Context->FileId.IndexNumber.QuadPart);
        } else if (Status != STATUS_FILE_DELETED) {
            DbgPrint("delwatch: %wZ not yet: 0x%08X\n", &Context->NameInfo->Name, Status);
        }
    }
    FltReleaseContext(Context);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID DwStreamContextCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE ContextType)
{
    PDW_STREAM_CONTEXT Stream = Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(ContextType);
    if (Stream->NameInfo != NULL)
        FltReleaseFileNameInformation(Stream->NameInfo);
}

static NTSTATUS DwUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(gFilterHandle);
    return STATUS_SUCCESS;
}

static CONST FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_CREATE, 0, DwPreCreate, DwPostCreate},
    {IRP_MJ_SET_INFORMATION, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, DwPreSetInfo, DwPostSetInfo},
    {IRP_MJ_CLEANUP, 0, DwPreCleanup, DwPostCleanup},
    {IRP_MJ_OPERATION_END},
};

static CONST FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_STREAM_CONTEXT, 0, DwStreamContextCleanup, sizeof(DW_STREAM_CONTEXT), DW_STREAM_TAG, NULL, NULL, NULL},
    {FLT_CONTEXT_END},
};

static CONST FLT_REGISTRATION FilterRegistration = {
    sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, Contexts, Callbacks, DwUnload,
};

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = FltRegisterFilter(DriverObject, &FilterRegistration, &gFilterHandle);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(gFilterHandle);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(gFilterHandle);
    }
    return Status;
}
