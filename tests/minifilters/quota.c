/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quota: what the files below \Quota hold together is bounded by the service's value Limit.
 *
 * Each file's size is charged to its instance before a write, a new end of file or an allocation makes it larger, and what did not
 * happen is given back afterwards; what is cut or deleted is given back, too.  How much there is when the filter comes is found by a walk through
 * the folder.
 */
#include <fltKernel.h>

#define QUOTA_TAG 'touQ'

typedef struct _QUOTA_INSTANCE {
    EX_PUSH_LOCK Lock;
    LONGLONG Used;
    ULONG Refused;
} QUOTA_INSTANCE, *PQUOTA_INSTANCE;

/* A file that counts: how much of it is charged. */
typedef struct _QUOTA_FILE {
    LONGLONG Charged;
} QUOTA_FILE, *PQUOTA_FILE;

/* What an operation has charged in advance. */
typedef struct _QUOTA_CHARGE {
    PQUOTA_INSTANCE Instance;
    PQUOTA_FILE File;
} QUOTA_CHARGE, *PQUOTA_CHARGE;

static PFLT_FILTER QuotaFilter;
static ULONG QuotaLimit = 1024 * 1024;
static const UNICODE_STRING QuotaFolder = RTL_CONSTANT_STRING(L"\\Quota\\");

DRIVER_INITIALIZE DriverEntry;

static VOID QuotaInstanceCleanup(_In_ PFLT_CONTEXT Context, _In_ FLT_CONTEXT_TYPE ContextType);
static NTSTATUS QuotaInstanceSetup(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                   _In_ DEVICE_TYPE VolumeDeviceType, _In_ FLT_FILESYSTEM_TYPE VolumeFilesystemType);
static NTSTATUS QuotaInstanceQueryTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects,
                                           _In_ FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);
static NTSTATUS QuotaUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, QuotaInstanceCleanup)
#pragma alloc_text(PAGE, QuotaInstanceSetup)
#pragma alloc_text(PAGE, QuotaInstanceQueryTeardown)
#pragma alloc_text(PAGE, QuotaUnload)
#endif

/* --- Accounts --- */

/* More or less of a file; FALSE: it would be too much, and nothing is changed. */
static BOOLEAN QuotaCharge(_In_ PQUOTA_INSTANCE Instance, _In_ PQUOTA_FILE File, _In_ LONGLONG Size,
                           _In_ BOOLEAN Always)
{
    LONGLONG More;
    BOOLEAN Fits;

    FltAcquirePushLockExclusive(&Instance->Lock);
    More = Size - File->Charged;
    Fits = More <= 0 || Always || Instance->Used + More <= QuotaLimit;
    if (Fits) {
        Instance->Used += More;
        File->Charged = Size;
    } else {
        Instance->Refused++;
    }
    FltReleasePushLock(&Instance->Lock);
    return Fits;
}

static LONGLONG QuotaChargedTo(_In_ PQUOTA_INSTANCE Instance, _In_ PQUOTA_FILE File)
{
    LONGLONG Charged;

    FltAcquirePushLockShared(&Instance->Lock);
    Charged = File->Charged;
    FltReleasePushLock(&Instance->Lock);
    return Charged;
}

/* What it really is now. */
static VOID QuotaSettle(_In_ PFLT_INSTANCE FltInstance, _In_ PFILE_OBJECT FileObject, _In_ PQUOTA_CHARGE Charge)
{
    FILE_STANDARD_INFORMATION Standard;
    NTSTATUS Status;

    Status =
        FltQueryInformationFile(FltInstance, FileObject, &Standard, sizeof(Standard), FileStandardInformation, NULL);
    if (NT_SUCCESS(Status))
        QuotaCharge(Charge->Instance, Charge->File, Standard.EndOfFile.QuadPart, TRUE);
    else if (Status == STATUS_FILE_DELETED)
        QuotaCharge(Charge->Instance, Charge->File, 0, TRUE);
}

static BOOLEAN QuotaGet(_In_ PCFLT_RELATED_OBJECTS FltObjects, _Out_ PQUOTA_CHARGE Charge)
{
    if (!NT_SUCCESS(FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Charge->File)))
        return FALSE;
    if (NT_SUCCESS(FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Charge->Instance)))
        return TRUE;
    FltReleaseContext(Charge->File);
    return FALSE;
}

static VOID QuotaPut(_In_ PQUOTA_CHARGE Charge)
{
    FltReleaseContext(Charge->File);
    FltReleaseContext(Charge->Instance);
}

static FLT_PREOP_CALLBACK_STATUS QuotaRefuse(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PQUOTA_CHARGE Charge)
{
    QuotaPut(Charge);
    Data->IoStatus.Status = STATUS_DISK_FULL;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS QuotaFollow(_In_ PQUOTA_CHARGE Charge, _Outptr_ PVOID *CompletionContext)
{
    PQUOTA_CHARGE Copy = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Copy), QUOTA_TAG);

    if (Copy == NULL) {
        QuotaPut(Charge);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    *Copy = *Charge;
    *CompletionContext = Copy;
    return FLT_PREOP_SYNCHRONIZE;
}

/* --- Operations --- */

static FLT_POSTOP_CALLBACK_STATUS QuotaPostCreate(_Inout_ PFLT_CALLBACK_DATA Data,
                                                  _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                  _In_opt_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    QUOTA_CHARGE Charge = {NULL, NULL};
    BOOLEAN Directory = TRUE;
    PQUOTA_FILE Old = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        Data->IoStatus.Status == STATUS_REPARSE || FlagOn(FltObjects->FileObject->Flags, FO_VOLUME_OPEN))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (QuotaGet(FltObjects, &Charge)) {
        if (Data->IoStatus.Information == FILE_OVERWRITTEN || Data->IoStatus.Information == FILE_SUPERSEDED)
            QuotaSettle(FltObjects->Instance, FltObjects->FileObject, &Charge);
        QuotaPut(&Charge);
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    if (!NT_SUCCESS(FltIsDirectory(FltObjects->FileObject, FltObjects->Instance, &Directory)) || Directory ||
        !NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name)))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (!NT_SUCCESS(FltParseFileNameInformation(Name)) || !RtlPrefixUnicodeString(&QuotaFolder, &Name->ParentDir, TRUE))
        goto Exit;
    Status = FltGetInstanceContext(FltObjects->Instance, (PFLT_CONTEXT *)&Charge.Instance);
    if (!NT_SUCCESS(Status))
        goto Exit;
    Status = FltAllocateContext(QuotaFilter, FLT_STREAM_CONTEXT, sizeof(QUOTA_FILE), NonPagedPoolNx,
                                (PFLT_CONTEXT *)&Charge.File);
    if (!NT_SUCCESS(Status))
        goto Exit;
    {
        FILE_STANDARD_INFORMATION Standard;

        Charge.File->Charged = 0;
        Status = FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Standard, sizeof(Standard),
                                         FileStandardInformation, NULL);
        if (NT_SUCCESS(Status))
            Charge.File->Charged = Standard.EndOfFile.QuadPart; /* the walk, or who made it so large, has charged it */
    }
    Status = FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                 Charge.File, (PFLT_CONTEXT *)&Old);
    if (Old != NULL)
        FltReleaseContext(Old);

Exit:
    if (Charge.File != NULL)
        FltReleaseContext(Charge.File);
    if (Charge.Instance != NULL)
        FltReleaseContext(Charge.Instance);
    FltReleaseFileNameInformation(Name);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS QuotaPreWrite(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                               _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    LARGE_INTEGER Offset = Data->Iopb->Parameters.Write.ByteOffset;
    FILE_STANDARD_INFORMATION Standard;
    QUOTA_CHARGE Charge;
    LONGLONG End;

    if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) || FlagOn(Data->Iopb->MinorFunction, IRP_MN_COMPLETE) ||
        !QuotaGet(FltObjects, &Charge))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Offset.HighPart == -1 && Offset.LowPart == FILE_WRITE_TO_END_OF_FILE) {
        Offset.QuadPart = QuotaChargedTo(Charge.Instance, Charge.File);
        if (NT_SUCCESS(FltQueryInformationFile(FltObjects->Instance, FltObjects->FileObject, &Standard,
                                               sizeof(Standard), FileStandardInformation, NULL)))
            Offset = Standard.EndOfFile;
    } else if (Offset.HighPart == -1 && Offset.LowPart == FILE_USE_FILE_POINTER_POSITION) {
        Offset = FltObjects->FileObject->CurrentByteOffset;
    }
    End = Offset.QuadPart + Data->Iopb->Parameters.Write.Length;
    if (End <= QuotaChargedTo(Charge.Instance, Charge.File)) {
        QuotaPut(&Charge);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (FLT_IS_FASTIO_OPERATION(Data)) { /* a fast write that extends has no post-operation that may wait */
        QuotaPut(&Charge);
        return FLT_PREOP_DISALLOW_FASTIO;
    }
    if (!QuotaCharge(Charge.Instance, Charge.File, End, FALSE))
        return QuotaRefuse(Data, &Charge);
    return QuotaFollow(&Charge, CompletionContext);
}

static FLT_PREOP_CALLBACK_STATUS QuotaPreSetInfo(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PVOID Buffer = Data->Iopb->Parameters.SetFileInformation.InfoBuffer;
    QUOTA_CHARGE Charge;
    LONGLONG Size;

    switch (Data->Iopb->Parameters.SetFileInformation.FileInformationClass) {
    case FileEndOfFileInformation:
        if (Data->Iopb->Parameters.SetFileInformation.AdvanceOnly) /* the cache's: it writes what is charged */
            return FLT_PREOP_SUCCESS_NO_CALLBACK;
        Size = ((PFILE_END_OF_FILE_INFORMATION)Buffer)->EndOfFile.QuadPart;
        break;
    case FileAllocationInformation: Size = ((PFILE_ALLOCATION_INFORMATION)Buffer)->AllocationSize.QuadPart; break;
    case FileValidDataLengthInformation:
        Size = ((PFILE_VALID_DATA_LENGTH_INFORMATION)Buffer)->ValidDataLength.QuadPart;
        break;
    default: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (!QuotaGet(FltObjects, &Charge))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Size > QuotaChargedTo(Charge.Instance, Charge.File) && !QuotaCharge(Charge.Instance, Charge.File, Size, FALSE))
        return QuotaRefuse(Data, &Charge);
    return QuotaFollow(&Charge, CompletionContext);
}

static FLT_PREOP_CALLBACK_STATUS QuotaPreCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    QUOTA_CHARGE Charge;

    UNREFERENCED_PARAMETER(Data);
    return QuotaGet(FltObjects, &Charge) ? QuotaFollow(&Charge, CompletionContext) : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS QuotaPostChange(_Inout_ PFLT_CALLBACK_DATA Data,
                                                  _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                  _In_opt_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    PQUOTA_CHARGE Charge = CompletionContext;

    UNREFERENCED_PARAMETER(Data);
    if (!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        QuotaSettle(FltObjects->Instance, FltObjects->FileObject, Charge);
    QuotaPut(Charge);
    ExFreePoolWithTag(Charge, QUOTA_TAG);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* --- Instances --- */

/* The sizes of what the folder holds already, without what is in folders below. */
static NTSTATUS QuotaWalk(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ PQUOTA_INSTANCE Instance)
{
    UCHAR NameBuffer[256 * sizeof(WCHAR)];
    UNICODE_STRING Name = {0, sizeof(NameBuffer), (PWCH)NameBuffer};
    PFILE_DIRECTORY_INFORMATION Buffer = NULL, Entry;
    OBJECT_ATTRIBUTES Attributes;
    PFILE_OBJECT Folder = NULL;
    IO_STATUS_BLOCK IoStatus;
    ULONG Returned;
    HANDLE Handle;
    NTSTATUS Status;

    Status = FltGetVolumeName(FltObjects->Volume, &Name, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlAppendUnicodeToString(&Name, L"\\Quota");
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = FltCreateFileEx(QuotaFilter, FltObjects->Instance, &Handle, &Folder, FILE_LIST_DIRECTORY | SYNCHRONIZE,
                             &Attributes, &IoStatus, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                             FILE_OPEN, FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0,
                             IO_IGNORE_SHARE_ACCESS_CHECK);
    if (!NT_SUCCESS(Status))
        return Status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : Status;
    Buffer = ExAllocatePoolWithTag(PagedPool, 4096, QUOTA_TAG);
    if (Buffer == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    while (NT_SUCCESS(Status)) {
        Status = FltQueryDirectoryFile(FltObjects->Instance, Folder, Buffer, 4096, FileDirectoryInformation, FALSE,
                                       NULL, FALSE, &Returned);
        if (!NT_SUCCESS(Status))
            break;
        for (Entry = Buffer;; Entry = Add2Ptr(Entry, Entry->NextEntryOffset)) {
            if (!FlagOn(Entry->FileAttributes, FILE_ATTRIBUTE_DIRECTORY))
                Instance->Used += Entry->EndOfFile.QuadPart;
            if (Entry->NextEntryOffset == 0)
                break;
        }
    }
    if (Buffer != NULL)
        ExFreePoolWithTag(Buffer, QUOTA_TAG);
    ObDereferenceObject(Folder);
    FltClose(Handle);
    return Status == STATUS_NO_MORE_FILES ? STATUS_SUCCESS : Status;
}

static NTSTATUS QuotaInstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                                   DEVICE_TYPE VolumeDeviceType, FLT_FILESYSTEM_TYPE VolumeFilesystemType)
{
    PQUOTA_INSTANCE Instance;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(VolumeDeviceType);
    if (VolumeFilesystemType != FLT_FSTYPE_NTFS)
        return STATUS_FLT_DO_NOT_ATTACH;
    Status = FltAllocateContext(QuotaFilter, FLT_INSTANCE_CONTEXT, sizeof(*Instance), NonPagedPoolNx,
                                (PFLT_CONTEXT *)&Instance);
    if (!NT_SUCCESS(Status))
        return Status;
    RtlZeroMemory(Instance, sizeof(*Instance));
    FltInitializePushLock(&Instance->Lock);
    Status = QuotaWalk(FltObjects, Instance);
    if (NT_SUCCESS(Status))
        Status = FltSetInstanceContext(FltObjects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Instance, NULL);
    DbgPrint("quota: %I64d of %u bytes are used\n", Instance->Used, QuotaLimit);
    FltReleaseContext(Instance);
    return Status;
}

static NTSTATUS QuotaInstanceQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static VOID QuotaInstanceCleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE ContextType)
{
    PQUOTA_INSTANCE Instance = Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(ContextType);
    DbgPrint("quota: %I64d bytes at the end, %u refused\n", Instance->Used, Instance->Refused);
    FltDeletePushLock(&Instance->Lock);
}

static NTSTATUS QuotaUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(QuotaFilter);
    return STATUS_SUCCESS;
}

static CONST FLT_OPERATION_REGISTRATION QuotaOperations[] = {
    {IRP_MJ_CREATE, 0, NULL, QuotaPostCreate},
    {IRP_MJ_WRITE, FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO, QuotaPreWrite, QuotaPostChange},
    {IRP_MJ_SET_INFORMATION, 0, QuotaPreSetInfo, QuotaPostChange},
    {IRP_MJ_CLEANUP, 0, QuotaPreCleanup, QuotaPostChange},
    {IRP_MJ_OPERATION_END},
};

static CONST FLT_CONTEXT_REGISTRATION QuotaContexts[] = {
    {FLT_INSTANCE_CONTEXT, 0, QuotaInstanceCleanup, sizeof(QUOTA_INSTANCE), QUOTA_TAG},
    {FLT_STREAM_CONTEXT, FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH, NULL, sizeof(QUOTA_FILE), QUOTA_TAG},
    {FLT_CONTEXT_END},
};

static CONST FLT_REGISTRATION QuotaRegistration = {
    sizeof(FLT_REGISTRATION),
    FLT_REGISTRATION_VERSION,
    0,
    QuotaContexts,
    QuotaOperations,
    QuotaUnload,
    QuotaInstanceSetup,
    QuotaInstanceQueryTeardown,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
};

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"Limit");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Returned;
    HANDLE Key;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_QUERY_VALUE, &Attributes);
    if (NT_SUCCESS(Status)) {
        if (NT_SUCCESS(
                ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, sizeof(Buffer), &Returned)) &&
            Value->Type == REG_DWORD)
            QuotaLimit = *(ULONG UNALIGNED *)Value->Data;
        ZwClose(Key);
    }
    Status = FltRegisterFilter(DriverObject, &QuotaRegistration, &QuotaFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(QuotaFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(QuotaFilter);
    }
    return Status;
}
