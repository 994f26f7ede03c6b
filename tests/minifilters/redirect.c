/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * redirect: what is opened, or renamed to, below one folder is below another one.  Both are the service's values, From and To.  An open
 * is led on by a reparse; a rename that goes to From is done by the filter with the other name.
 */
#include <fltKernel.h>
#include <ntstrsafe.h>

#define REDIRECT_TAG 'rdeR'

#if DBG
#define DebugTrace(Level, Data)                                                                                        \
    if (FlagOn(RedirectDebugLevel, (Level))) {                                                                         \
        DbgPrint Data;                                                                                                 \
    }
#else
#define DebugTrace(Level, Data)                                                                                        \
    {                                                                                                                  \
        NOTHING;                                                                                                       \
    }
#endif
#define DEBUG_TRACE_ERROR 0x1
#define DEBUG_TRACE_NAMES 0x2

static ULONG RedirectDebugLevel = DEBUG_TRACE_ERROR;

typedef NTSTATUS (*PREPLACE_FILE_OBJECT_NAME)(_In_ PFILE_OBJECT FileObject, _In_reads_bytes_(FileNameLength) PWSTR Name,
                                              _In_ USHORT FileNameLength);

typedef struct _REDIRECT_GLOBALS {
    PFLT_FILTER Filter;
    UNICODE_STRING From, To;
    PREPLACE_FILE_OBJECT_NAME ReplaceFileName; /* since Windows 7 */
} REDIRECT_GLOBALS;

static REDIRECT_GLOBALS Globals;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS RedirectSetConfiguration(_In_ PUNICODE_STRING RegistryPath);
static VOID RedirectFreeConfiguration(VOID);
static NTSTATUS RedirectUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static NTSTATUS RedirectInstanceSetup(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                      _In_ DEVICE_TYPE DeviceType, _In_ FLT_FILESYSTEM_TYPE FileSystemType);
static FLT_PREOP_CALLBACK_STATUS RedirectPreCreate(_Inout_ PFLT_CALLBACK_DATA Data,
                                                   _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                   _Flt_CompletionContext_Outptr_ PVOID *CompletionContext);
static FLT_PREOP_CALLBACK_STATUS RedirectPreSetInformation(_Inout_ PFLT_CALLBACK_DATA Data,
                                                           _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                           _Flt_CompletionContext_Outptr_ PVOID *CompletionContext);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, RedirectSetConfiguration)
#pragma alloc_text(PAGE, RedirectFreeConfiguration)
#pragma alloc_text(PAGE, RedirectUnload)
#pragma alloc_text(PAGE, RedirectInstanceSetup)
#pragma alloc_text(PAGE, RedirectPreCreate)
#pragma alloc_text(PAGE, RedirectPreSetInformation)
#endif

static CONST FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_CREATE, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, RedirectPreCreate, NULL},
    {IRP_MJ_SET_INFORMATION, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, RedirectPreSetInformation, NULL},
    {IRP_MJ_OPERATION_END},
};

static CONST FLT_REGISTRATION FilterRegistration = {sizeof(FLT_REGISTRATION),
                                                    FLT_REGISTRATION_VERSION,
                                                    0,
                                                    NULL,
                                                    Callbacks,
                                                    RedirectUnload,
                                                    RedirectInstanceSetup,
                                                    NULL,
                                                    NULL,
                                                    NULL,
                                                    NULL,
                                                    NULL,
                                                    NULL};

/* The name on the volume that stands for this one, from pool; or no buffer when it is not below From. */
static NTSTATUS RedirectMunge(_In_ PFLT_FILE_NAME_INFORMATION Name, _Out_ PUNICODE_STRING Munged,
                              _In_ BOOLEAN WithVolume)
{
    UNICODE_STRING OnVolume, Rest;
    ULONG Length;

    RtlZeroMemory(Munged, sizeof(*Munged));
    OnVolume.Buffer = Add2Ptr(Name->Name.Buffer, Name->Volume.Length);
    OnVolume.Length = OnVolume.MaximumLength = Name->Name.Length - Name->Volume.Length;
    if (!RtlPrefixUnicodeString(&Globals.From, &OnVolume, TRUE) ||
        (OnVolume.Length > Globals.From.Length &&
         OnVolume.Buffer[Globals.From.Length / sizeof(WCHAR)] != OBJ_NAME_PATH_SEPARATOR))
        return STATUS_NOT_FOUND;
    Rest.Buffer = Add2Ptr(OnVolume.Buffer, Globals.From.Length);
    Rest.Length = Rest.MaximumLength = OnVolume.Length - Globals.From.Length;
    Length = (WithVolume ? Name->Volume.Length : 0) + Globals.To.Length + Rest.Length;
    if (Length > UNICODE_STRING_MAX_BYTES)
        return STATUS_NAME_TOO_LONG;
    Munged->Buffer = ExAllocatePoolZero(PagedPool, Length, REDIRECT_TAG);
    if (Munged->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Munged->MaximumLength = (USHORT)Length;
    if (WithVolume)
        RtlCopyUnicodeString(Munged, &Name->Volume);
    RtlAppendUnicodeStringToString(Munged, &Globals.To);
    return RtlAppendUnicodeStringToString(Munged, &Rest);
}

static NTSTATUS RedirectReplaceName(_In_ PFILE_OBJECT FileObject, _In_ PUNICODE_STRING Name)
{
    PUNICODE_STRING Old = &FileObject->FileName;
    PWCH Buffer;

    if (Globals.ReplaceFileName != NULL)
        return Globals.ReplaceFileName(FileObject, Name->Buffer, Name->Length);
    if (Name->Length > Old->MaximumLength) {
        Buffer = ExAllocatePoolWithTag(PagedPool, Name->Length, REDIRECT_TAG);
        if (Buffer == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        ExFreePool(Old->Buffer);
        Old->Buffer = Buffer;
        Old->MaximumLength = Name->Length;
    }
    RtlCopyUnicodeString(Old, Name);
    return STATUS_SUCCESS;
}

/* The open of a rename's new folder: its name is the folder's, and the file object has the last component, too. */
static NTSTATUS RedirectAppendTarget(_In_ PFILE_OBJECT FileObject, _Inout_ PUNICODE_STRING Munged)
{
    UNICODE_STRING Last = FileObject->FileName, Whole;
    NTSTATUS Status;

    while (Last.Length > 0 && Last.Buffer[Last.Length / sizeof(WCHAR) - 1] != OBJ_NAME_PATH_SEPARATOR)
        Last.Length -= sizeof(WCHAR);
    Last.Buffer = Add2Ptr(Last.Buffer, Last.Length);
    Last.Length = FileObject->FileName.Length - Last.Length;
    Whole.Length = 0;
    Whole.MaximumLength = Munged->Length + sizeof(WCHAR) + Last.Length;
    Whole.Buffer = ExAllocatePoolZero(PagedPool, Whole.MaximumLength, REDIRECT_TAG);
    if (Whole.Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyUnicodeString(&Whole, Munged);
    Status = RtlAppendUnicodeToString(&Whole, L"\\");
    if (NT_SUCCESS(Status))
        Status = RtlAppendUnicodeStringToString(&Whole, &Last);
    ExFreePoolWithTag(Munged->Buffer, REDIRECT_TAG);
    *Munged = Whole;
    return Status;
}

static FLT_PREOP_CALLBACK_STATUS RedirectPreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                   PVOID *CompletionContext)
{
    FLT_PREOP_CALLBACK_STATUS Result = FLT_PREOP_SUCCESS_NO_CALLBACK;
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    UNICODE_STRING Munged = {0};
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Data->Iopb->OperationFlags, SL_OPEN_PAGING_FILE) ||
        FlagOn(FltObjects->FileObject->Flags, FO_VOLUME_OPEN) ||
        FlagOn(Data->Iopb->Parameters.Create.Options, FILE_OPEN_BY_FILE_ID))
        return Result;
    Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_FILESYSTEM_ONLY, &Name);
    if (!NT_SUCCESS(Status)) {
        DebugTrace(DEBUG_TRACE_ERROR, ("[redirect]: no name, 0x%08X\n", Status));
        goto Cleanup;
    }
    Status = FltParseFileNameInformation(Name);
    if (NT_SUCCESS(Status))
        Status = RedirectMunge(Name, &Munged, TRUE);
    if (Status == STATUS_NOT_FOUND)
        goto Cleanup;
    if (NT_SUCCESS(Status)) {
        DebugTrace(DEBUG_TRACE_NAMES, ("[redirect]: %wZ -> %wZ\n", &Name->Name, &Munged));
        if (FlagOn(Data->Iopb->OperationFlags, SL_OPEN_TARGET_DIRECTORY))
            Status = RedirectAppendTarget(FltObjects->FileObject, &Munged);
    }
    if (NT_SUCCESS(Status)) {
        Status = RedirectReplaceName(FltObjects->FileObject, &Munged);
    }
    Data->IoStatus.Status = NT_SUCCESS(Status) ? STATUS_REPARSE : Status;
    Data->IoStatus.Information = NT_SUCCESS(Status) ? IO_REPARSE : 0;
    Result = FLT_PREOP_COMPLETE;

Cleanup:
    if (Munged.Buffer != NULL)
        ExFreePoolWithTag(Munged.Buffer, REDIRECT_TAG);
    if (Name != NULL)
        FltReleaseFileNameInformation(Name);
    return Result;
}

/* Done below the filter with the other name; the request itself ends here. */
static NTSTATUS RedirectRename(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PUNICODE_STRING Munged)
{
    PFILE_RENAME_INFORMATION Old = Data->Iopb->Parameters.SetFileInformation.InfoBuffer, New;
    ULONG Length = FIELD_OFFSET(FILE_RENAME_INFORMATION, FileName) + Munged->Length;
    NTSTATUS Status;

    New = FltAllocatePoolAlignedWithTag(FltObjects->Instance, PagedPool, max(Length, sizeof(*New)), REDIRECT_TAG);
    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(New, max(Length, sizeof(*New)));
    New->Flags = Old->Flags; /* ReplaceIfExists without Ex */
    New->FileNameLength = Munged->Length;
    RtlCopyMemory(New->FileName, Munged->Buffer, Munged->Length);
    Status = FltSetInformationFile(FltObjects->Instance, FltObjects->FileObject, New, max(Length, sizeof(*New)),
                                   Data->Iopb->Parameters.SetFileInformation.FileInformationClass);
    FltFreePoolAlignedWithTag(FltObjects->Instance, New, REDIRECT_TAG);
    return Status;
}

static FLT_PREOP_CALLBACK_STATUS RedirectPreSetInformation(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                           PVOID *CompletionContext)
{
    PFILE_RENAME_INFORMATION Rename = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    FLT_PREOP_CALLBACK_STATUS Result = FLT_PREOP_SUCCESS_NO_CALLBACK;
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    UNICODE_STRING Munged = {0};
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(CompletionContext);
    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileRenameInformation:
    case FileRenameInformationEx:
    case FileLinkInformation:
    case FileLinkInformationEx: break;
    default: return Result;
    }
    Status = FltGetDestinationFileNameInformation(
        FltObjects->Instance, FltObjects->FileObject, Rename->RootDirectory, Rename->FileName, Rename->FileNameLength,
        FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_FILESYSTEM_ONLY | FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER,
        &Name);
    if (!NT_SUCCESS(Status))
        goto Cleanup;
    Status = FltParseFileNameInformation(Name);
    if (NT_SUCCESS(Status))
        Status = RedirectMunge(Name, &Munged, TRUE);
    if (Status == STATUS_NOT_FOUND)
        goto Cleanup;
    if (NT_SUCCESS(Status))
        Status = RedirectRename(Data, FltObjects, &Munged);
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = 0;
    Result = FLT_PREOP_COMPLETE;

Cleanup:
    if (Munged.Buffer != NULL)
        ExFreePoolWithTag(Munged.Buffer, REDIRECT_TAG);
    if (Name != NULL)
        FltReleaseFileNameInformation(Name);
    return Result;
}

static NTSTATUS RedirectInstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                                      DEVICE_TYPE DeviceType, FLT_FILESYSTEM_TYPE FileSystemType)
{
    BOOLEAN Writable = FALSE;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    if (DeviceType != FILE_DEVICE_DISK_FILE_SYSTEM || FileSystemType != FLT_FSTYPE_NTFS)
        return STATUS_FLT_DO_NOT_ATTACH;
    return NT_SUCCESS(FltIsVolumeWritable(FltObjects->Volume, &Writable)) && Writable ? STATUS_SUCCESS
                                                                                      : STATUS_FLT_DO_NOT_ATTACH;
}

static VOID RedirectFreeConfiguration(VOID)
{
    PAGED_CODE();
    if (Globals.From.Buffer != NULL)
        ExFreePoolWithTag(Globals.From.Buffer, REDIRECT_TAG);
    if (Globals.To.Buffer != NULL)
        ExFreePoolWithTag(Globals.To.Buffer, REDIRECT_TAG);
}

static NTSTATUS RedirectUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Globals.Filter);
    RedirectFreeConfiguration();
    return STATUS_SUCCESS;
}

static NTSTATUS RedirectReadString(HANDLE Key, PCWSTR ValueName, PUNICODE_STRING String)
{
    PKEY_VALUE_PARTIAL_INFORMATION Value;
    UNICODE_STRING Name;
    ULONG Length;
    NTSTATUS Status;

    RtlInitUnicodeString(&Name, ValueName);
    Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL)
        return NT_SUCCESS(Status) ? STATUS_INVALID_PARAMETER : Status;
    Value = ExAllocatePoolZero(PagedPool, Length, REDIRECT_TAG);
    if (Value == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, Length, &Length);
    if (NT_SUCCESS(Status) && (Value->Type != REG_SZ || Value->DataLength <= sizeof(WCHAR)))
        Status = STATUS_INVALID_PARAMETER;
    if (NT_SUCCESS(Status)) {
        String->MaximumLength = (USHORT)Value->DataLength;
        String->Length = String->MaximumLength - sizeof(UNICODE_NULL);
        String->Buffer = ExAllocatePoolZero(PagedPool, String->MaximumLength, REDIRECT_TAG);
        if (String->Buffer != NULL)
            RtlCopyMemory(String->Buffer, Value->Data, String->Length);
        else
            Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    ExFreePoolWithTag(Value, REDIRECT_TAG);
    return Status;
}

static NTSTATUS RedirectSetConfiguration(PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = RedirectReadString(Key, L"From", &Globals.From);
    if (NT_SUCCESS(Status))
        Status = RedirectReadString(Key, L"To", &Globals.To);
    ZwClose(Key);
    return Status;
}

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Routine;
    NTSTATUS Status;

    RtlInitUnicodeString(&Routine, L"IoReplaceFileObjectName");
    Globals.ReplaceFileName = (PREPLACE_FILE_OBJECT_NAME)(ULONG_PTR)MmGetSystemRoutineAddress(&Routine);
    Status = RedirectSetConfiguration(RegistryPath);
    if (NT_SUCCESS(Status))
        Status = FltRegisterFilter(DriverObject, &FilterRegistration, &Globals.Filter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(Globals.Filter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(Globals.Filter);
    }
    if (!NT_SUCCESS(Status))
        RedirectFreeConfiguration();
    return Status;
}
