/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nameprov: a name provider.  The folder \Virtual is not there: what is opened below it is below \Real, and filters above are
 * told that it is below \Virtual, whatever way it was opened.  Its first component decides; nothing else of a name is changed.
 */
#include <fltKernel.h>

#define NP_TAG 'rpmN'

typedef struct _NP_NAME_CONTEXT {
    ULONG Components;
} NP_NAME_CONTEXT, *PNP_NAME_CONTEXT;

static PFLT_FILTER NpFilter;
static LONG NpNormalizing;
static const UNICODE_STRING NpVirtual = RTL_CONSTANT_STRING(L"\\Virtual");
static const UNICODE_STRING NpReal = RTL_CONSTANT_STRING(L"\\Real");

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS NpUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static FLT_PREOP_CALLBACK_STATUS NpPreCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                             _Flt_CompletionContext_Outptr_ PVOID *CompletionContext);
static NTSTATUS NpGenerateFileName(_In_ PFLT_INSTANCE Instance, _In_ PFILE_OBJECT FileObject,
                                   _In_opt_ PFLT_CALLBACK_DATA Data, _In_ FLT_FILE_NAME_OPTIONS NameOptions,
                                   _Out_ PBOOLEAN CacheFileNameInformation, _Out_ PFLT_NAME_CONTROL FileName);
static NTSTATUS NpNormalizeNameComponentEx(_In_ PFLT_INSTANCE Instance, _In_ PFILE_OBJECT FileObject,
                                           _In_ PCUNICODE_STRING ParentDirectory, _In_ USHORT DeviceNameLength,
                                           _In_ PCUNICODE_STRING Component,
                                           _Out_writes_bytes_(ExpandComponentNameLength)
                                               PFILE_NAMES_INFORMATION ExpandComponentName,
                                           _In_ ULONG ExpandComponentNameLength, _In_ FLT_NORMALIZE_NAME_FLAGS Flags,
                                           _Inout_ PVOID *NormalizationContext);
static VOID NpNormalizeContextCleanup(_In_opt_ PVOID *NormalizationContext);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, NpUnload)
#pragma alloc_text(PAGE, NpPreCreate)
#pragma alloc_text(PAGE, NpGenerateFileName)
#pragma alloc_text(PAGE, NpNormalizeNameComponentEx)
#pragma alloc_text(PAGE, NpNormalizeContextCleanup)
#endif

/* Whether the part of the name behind the volume's begins with that folder. */
static BOOLEAN NpIsBelow(_In_ PCUNICODE_STRING Name, _In_ USHORT VolumeLength, _In_ PCUNICODE_STRING Folder)
{
    UNICODE_STRING Rest;

    Rest.Buffer = Add2Ptr(Name->Buffer, VolumeLength);
    Rest.Length = Rest.MaximumLength = Name->Length - VolumeLength;
    return RtlPrefixUnicodeString(Folder, &Rest, TRUE) &&
           (Rest.Length == Folder->Length || Rest.Buffer[Folder->Length / sizeof(WCHAR)] == L'\\');
}

/* The name with one folder in the other's place, in room that the caller has made. */
static VOID NpExchange(_In_ PCUNICODE_STRING Name, _In_ USHORT VolumeLength, _In_ PCUNICODE_STRING From,
                       _In_ PCUNICODE_STRING To, _Inout_ PUNICODE_STRING Result)
{
    UNICODE_STRING Part = *Name;

    Part.Length = VolumeLength;
    RtlCopyUnicodeString(Result, &Part);
    RtlAppendUnicodeStringToString(Result, To);
    Part.Buffer = Add2Ptr(Name->Buffer, VolumeLength + From->Length);
    Part.Length = Name->Length - VolumeLength - From->Length;
    RtlAppendUnicodeStringToString(Result, &Part);
}

static NTSTATUS NpExchangeInPool(_In_ PCUNICODE_STRING Name, _In_ USHORT VolumeLength, _Out_ PUNICODE_STRING Result)
{
    Result->Length = 0;
    Result->MaximumLength = Name->Length + NpReal.Length;
    Result->Buffer = ExAllocatePool2(POOL_FLAG_PAGED, Result->MaximumLength, NP_TAG);
    if (Result->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    NpExchange(Name, VolumeLength, &NpVirtual, &NpReal, Result);
    return STATUS_SUCCESS;
}

static FLT_PREOP_CALLBACK_STATUS NpPreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                             PVOID *CompletionContext)
{
    FLT_PREOP_CALLBACK_STATUS Result = FLT_PREOP_SUCCESS_NO_CALLBACK;
    PFLT_FILE_NAME_INFORMATION Name;
    UNICODE_STRING Real;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Data->Iopb->OperationFlags, SL_OPEN_PAGING_FILE | SL_OPEN_TARGET_DIRECTORY) ||
        FlagOn(Data->Iopb->Parameters.Create.Options, FILE_OPEN_BY_FILE_ID) ||
        FlagOn(FltObjects->FileObject->Flags, FO_VOLUME_OPEN) ||
        !NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT, &Name)))
        return Result;
    if (NT_SUCCESS(FltParseFileNameInformation(Name)) && NpIsBelow(&Name->Name, Name->Volume.Length, &NpVirtual)) {
        Status = NpExchangeInPool(&Name->Name, Name->Volume.Length, &Real);
        if (NT_SUCCESS(Status)) {
            Status = IoReplaceFileObjectName(FltObjects->FileObject, Real.Buffer, Real.Length);
            ExFreePoolWithTag(Real.Buffer, NP_TAG);
        }
        Data->IoStatus.Status = NT_SUCCESS(Status) ? STATUS_REPARSE : Status;
        Data->IoStatus.Information = NT_SUCCESS(Status) ? IO_REPARSE : 0;
        Result = FLT_PREOP_COMPLETE;
    }
    FltReleaseFileNameInformation(Name);
    return Result;
}

static BOOLEAN NpIsPreCreate(_In_opt_ PFLT_CALLBACK_DATA Data)
{
    return Data != NULL && Data->Iopb->MajorFunction == IRP_MJ_CREATE &&
           !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_POST_OPERATION);
}

static NTSTATUS NpGenerateFileName(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CALLBACK_DATA Data,
                                   FLT_FILE_NAME_OPTIONS NameOptions, PBOOLEAN CacheFileNameInformation,
                                   PFLT_NAME_CONTROL FileName)
{
    PFLT_FILE_NAME_INFORMATION Below = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    *CacheFileNameInformation = TRUE;
    /* Below, a name that is only virtual could not be normalized. */
    if (FltGetFileNameFormat(NameOptions) == FLT_FILE_NAME_NORMALIZED && NpIsPreCreate(Data))
        return STATUS_NOT_SUPPORTED;
    NameOptions &= ~FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER;
    if (Data != NULL)
        Status = FltGetFileNameInformation(Data, NameOptions, &Below);
    else
        Status = FltGetFileNameInformationUnsafe(FileObject, Instance, NameOptions, &Below);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltParseFileNameInformation(Below);
    if (NT_SUCCESS(Status))
        Status = FltCheckAndGrowNameControl(FileName, Below->Name.Length + NpVirtual.Length);
    if (NT_SUCCESS(Status)) {
        if (FltGetFileNameFormat(NameOptions) != FLT_FILE_NAME_SHORT &&
            NpIsBelow(&Below->Name, Below->Volume.Length, &NpReal))
            NpExchange(&Below->Name, Below->Volume.Length, &NpReal, &NpVirtual, &FileName->Name);
        else
            RtlCopyUnicodeString(&FileName->Name, &Below->Name);
    }
    FltReleaseFileNameInformation(Below);
    return Status;
}

/* A component's name as it is on the disk, in the real folder. */
static NTSTATUS NpNormalizeNameComponentEx(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                           PCUNICODE_STRING ParentDirectory, USHORT DeviceNameLength,
                                           PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION ExpandComponentName,
                                           ULONG ExpandComponentNameLength, FLT_NORMALIZE_NAME_FLAGS Flags,
                                           PVOID *NormalizationContext)
{
    UNICODE_STRING Parent = *ParentDirectory, Pattern = *Component;
    PNP_NAME_CONTEXT Context = *NormalizationContext;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT Directory = NULL;
    PVOID Buffer = NULL;
    HANDLE Handle = NULL;
    ULONG Returned;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(FileObject);
    UNREFERENCED_PARAMETER(Flags);
    if (Context == NULL) {
        Context = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*Context), NP_TAG);
        if (Context == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        *NormalizationContext = Context;
        InterlockedIncrement(&NpNormalizing);
    }
    Context->Components++;
    /* \Virtual itself is nowhere on the disk. */
    if (ParentDirectory->Length <= DeviceNameLength + sizeof(WCHAR) &&
        NpVirtual.Length == Component->Length + sizeof(WCHAR)) {
        UNICODE_STRING Last = NpVirtual;

        Last.Buffer++;
        Last.Length -= sizeof(WCHAR);
        if (RtlEqualUnicodeString(&Last, Component, TRUE)) {
            Pattern = Last;
            goto AsItIs;
        }
    }
    if (NpIsBelow(ParentDirectory, DeviceNameLength, &NpVirtual)) {
        Status = NpExchangeInPool(ParentDirectory, DeviceNameLength, &Parent);
        if (!NT_SUCCESS(Status))
            return Status;
        Buffer = Parent.Buffer;
    }
    InitializeObjectAttributes(&Attributes, &Parent, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = FltCreateFileEx(NpFilter, Instance, &Handle, &Directory, FILE_LIST_DIRECTORY | SYNCHRONIZE, &Attributes,
                             &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL,
                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
                             FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, IO_IGNORE_SHARE_ACCESS_CHECK);
    if (NT_SUCCESS(Status))
        Status = FltQueryDirectoryFile(Instance, Directory, ExpandComponentName, ExpandComponentNameLength,
                                       FileNamesInformation, TRUE, &Pattern, TRUE, &Returned);
    if (Directory != NULL)
        ObDereferenceObject(Directory);
    if (Handle != NULL)
        FltClose(Handle);
    if (Buffer != NULL)
        ExFreePoolWithTag(Buffer, NP_TAG);
    if (NT_SUCCESS(Status))
        return STATUS_SUCCESS;
    if (Status != STATUS_NO_SUCH_FILE && Status != STATUS_NO_MORE_FILES && Status != STATUS_OBJECT_NAME_NOT_FOUND)
        return Status;

AsItIs:
    if (ExpandComponentNameLength < FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName) + Pattern.Length)
        return STATUS_BUFFER_OVERFLOW;
    ExpandComponentName->NextEntryOffset = 0;
    ExpandComponentName->FileIndex = 0;
    ExpandComponentName->FileNameLength = Pattern.Length;
    RtlCopyMemory(ExpandComponentName->FileName, Pattern.Buffer, Pattern.Length);
    return STATUS_SUCCESS;
}

static VOID NpNormalizeContextCleanup(PVOID *NormalizationContext)
{
    PAGED_CODE();
    if (*NormalizationContext != NULL) {
        InterlockedDecrement(&NpNormalizing);
        ExFreePoolWithTag(*NormalizationContext, NP_TAG);
        *NormalizationContext = NULL;
    }
}

static NTSTATUS NpUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(NpFilter);
    FLT_ASSERT(NpNormalizing == 0);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION NpOperations[] = {
    {IRP_MJ_CREATE, 0, NpPreCreate, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION NpRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = NpOperations,
    .FilterUnloadCallback = NpUnload,
    .GenerateFileNameCallback = NpGenerateFileName,
    .NormalizeContextCleanupCallback = NpNormalizeContextCleanup,
    .NormalizeNameComponentExCallback = NpNormalizeNameComponentEx,
};

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = FltRegisterFilter(DriverObject, &NpRegistration, &NpFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(NpFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(NpFilter);
    }
    return Status;
}
