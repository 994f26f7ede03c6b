/* SPDX-License-Identifier: MIT */
/*
 * scan: has a user-mode client look at a file's beginning when it is opened, and again when a handle goes that has written.  What
 * the client does not like is not opened; a write of what it would not like is refused.  Which extensions it looks at is the service's
 * value Extensions.
 */
#include <fltKernel.h>
#include <dontuse.h>
#include <suppress.h>
#include "scan.h"

#define SCAN_REG_TAG  'grcS'
#define SCAN_DATA_TAG 'adcS'
#define SCAN_CTX_TAG  'xccS'

typedef struct _SCAN_DATA {
    PDRIVER_OBJECT DriverObject;
    PFLT_FILTER Filter;
    PFLT_PORT ServerPort;
    PFLT_PORT ClientPort;
    PEPROCESS UserProcess;
    PUNICODE_STRING Extensions;
    ULONG ExtensionCount;
    LONG Asked, Foul;
} SCAN_DATA;

typedef struct _SCAN_HANDLE_CONTEXT {
    BOOLEAN Rescan;
} SCAN_HANDLE_CONTEXT, *PSCAN_HANDLE_CONTEXT;

static SCAN_DATA ScanData;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS ScanReadExtensions(_In_ PUNICODE_STRING RegistryPath);
static VOID ScanFreeExtensions(VOID);
static FLT_PREOP_CALLBACK_STATUS ScanPreCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                               _Flt_CompletionContext_Outptr_ PVOID *CompletionContext);
static FLT_POSTOP_CALLBACK_STATUS ScanPostCreate(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _In_opt_ PVOID Context, _In_ FLT_POST_OPERATION_FLAGS Flags);
static FLT_PREOP_CALLBACK_STATUS ScanPreCleanup(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _Flt_CompletionContext_Outptr_ PVOID *CompletionContext);
static NTSTATUS ScanFile(_In_ PFLT_INSTANCE Instance, _In_ PFILE_OBJECT FileObject, _Out_ PBOOLEAN Safe);
static NTSTATUS ScanConnect(_In_ PFLT_PORT ClientPort, _In_opt_ PVOID ServerPortCookie, _In_opt_ PVOID Context,
                            _In_ ULONG Size, _Outptr_result_maybenull_ PVOID *ConnectionCookie);
static VOID ScanDisconnect(_In_opt_ PVOID ConnectionCookie);
static NTSTATUS ScanMessage(_In_opt_ PVOID PortCookie, _In_reads_bytes_opt_(InputLength) PVOID Input,
                            _In_ ULONG InputLength, _Out_writes_bytes_to_opt_(OutputLength, *Returned) PVOID Output,
                            _In_ ULONG OutputLength, _Out_ PULONG Returned);
static NTSTATUS ScanUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static NTSTATUS ScanInstanceSetup(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                  _In_ DEVICE_TYPE DeviceType, _In_ FLT_FILESYSTEM_TYPE FileSystemType);
static NTSTATUS ScanQueryTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, ScanReadExtensions)
#pragma alloc_text(PAGE, ScanFreeExtensions)
#pragma alloc_text(PAGE, ScanPreCreate)
#pragma alloc_text(PAGE, ScanPostCreate)
#pragma alloc_text(PAGE, ScanPreCleanup)
#pragma alloc_text(PAGE, ScanFile)
#pragma alloc_text(PAGE, ScanConnect)
#pragma alloc_text(PAGE, ScanDisconnect)
#pragma alloc_text(PAGE, ScanMessage)
#pragma alloc_text(PAGE, ScanUnload)
#pragma alloc_text(PAGE, ScanInstanceSetup)
#pragma alloc_text(PAGE, ScanQueryTeardown)
#endif

static BOOLEAN ScanWanted(PCUNICODE_STRING Extension)
{
    for (ULONG Index = 0; Index < ScanData.ExtensionCount; Index++)
        if (RtlEqualUnicodeString(Extension, &ScanData.Extensions[Index], TRUE))
            return TRUE;
    return FALSE;
}

static BOOLEAN ScanNameIsWanted(PFLT_CALLBACK_DATA Data)
{
    PFLT_FILE_NAME_INFORMATION Name;
    BOOLEAN Wanted;
    NTSTATUS Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name);

    if (!NT_SUCCESS(Status))
        return FALSE;
    Wanted = NT_SUCCESS(FltParseFileNameInformation(Name)) && ScanWanted(&Name->Extension);
    FltReleaseFileNameInformation(Name);
    return Wanted;
}

/* What the client thinks of it.  Without a client, or when it does not answer in time, everything is safe. */
static VOID ScanAsk(PSCAN_NOTIFICATION Notification, PBOOLEAN Safe)
{
    SCAN_REPLY Reply = {TRUE};
    ULONG ReplyLength = sizeof(Reply);
    LARGE_INTEGER Timeout;
    NTSTATUS Status;

    Timeout.QuadPart = -10 * 1000 * 10000LL;
    Status = FltSendMessage(ScanData.Filter, &ScanData.ClientPort, Notification, sizeof(*Notification), &Reply,
                            &ReplyLength, &Timeout);
    if (Status == STATUS_SUCCESS) {
        *Safe = Reply.Safe;
        InterlockedIncrement(&ScanData.Asked);
        if (!Reply.Safe)
            InterlockedIncrement(&ScanData.Foul);
    } else {
        KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "scan: no answer, status 0x%X\n", Status));
    }
}

static NTSTATUS ScanFile(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PBOOLEAN Safe)
{
    PSCAN_NOTIFICATION Notification = NULL;
    FLT_VOLUME_PROPERTIES Properties;
    PFLT_VOLUME Volume = NULL;
    LARGE_INTEGER Offset;
    ULONG Length, Read, Returned;
    PVOID Buffer = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    *Safe = TRUE;
    if (ScanData.ClientPort == NULL)
        return STATUS_SUCCESS;
    try {
        Status = FltGetVolumeFromInstance(Instance, &Volume);
        if (!NT_SUCCESS(Status))
            leave;
        Status = FltGetVolumeProperties(Volume, &Properties, sizeof(Properties), &Returned);
        if (NT_ERROR(Status)) /* the names do not fit, and are not wanted */
            leave;
        Length = max(SCAN_BUFFER, Properties.SectorSize);
        Buffer = FltAllocatePoolAlignedWithTag(Instance, NonPagedPool, Length, SCAN_DATA_TAG);
        Notification = ExAllocatePoolZero(NonPagedPool, sizeof(*Notification), SCAN_DATA_TAG);
        if (Buffer == NULL || Notification == NULL) {
            Status = STATUS_INSUFFICIENT_RESOURCES;
            leave;
        }
        Offset.QuadPart = 0;
        Status = FltReadFile(Instance, FileObject, &Offset, Length, Buffer,
                             FLTFL_IO_OPERATION_NON_CACHED | FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET, &Read, NULL,
                             NULL);
        if (NT_SUCCESS(Status) && Read != 0) {
            Notification->Length = min(Read, SCAN_BUFFER);
            RtlCopyMemory(Notification->Contents, Buffer, Notification->Length);
            ScanAsk(Notification, Safe);
        }
    } finally {
        if (Buffer != NULL)
            FltFreePoolAlignedWithTag(Instance, Buffer, SCAN_DATA_TAG);
        if (Notification != NULL)
            ExFreePoolWithTag(Notification, SCAN_DATA_TAG);
        if (Volume != NULL)
            FltObjectDereference(Volume);
    }
    return Status;
}

static FLT_PREOP_CALLBACK_STATUS ScanPreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *CompletionContext)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    *CompletionContext = NULL;
    /* The client's own opens must not wait for the client. */
    if (IoThreadToProcess(Data->Thread) == ScanData.UserProcess)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS ScanPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    PSCAN_HANDLE_CONTEXT Handle;
    BOOLEAN Safe;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Context);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        Data->IoStatus.Status == STATUS_REPARSE || !ScanNameIsWanted(Data))
        return FLT_POSTOP_FINISHED_PROCESSING;
    ScanFile(FltObjects->Instance, FltObjects->FileObject, &Safe);
    if (!Safe) {
        DbgPrint("scan: foul, the open is undone\n");
        FltCancelFileOpen(FltObjects->Instance, FltObjects->FileObject);
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    if (!FltObjects->FileObject->WriteAccess)
        return FLT_POSTOP_FINISHED_PROCESSING;
    Status = FltAllocateContext(ScanData.Filter, FLT_STREAMHANDLE_CONTEXT, sizeof(*Handle), PagedPool,
                                (PFLT_CONTEXT *)&Handle);
    if (NT_SUCCESS(Status)) {
        Handle->Rescan = TRUE;
        (VOID) FltSetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject,
                                         FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Handle, NULL);
        FltReleaseContext(Handle);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS ScanPreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *CompletionContext)
{
    PSCAN_HANDLE_CONTEXT Handle;
    BOOLEAN Safe;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(CompletionContext);
    if (!NT_SUCCESS(FltGetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Handle)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Handle->Rescan) {
        (VOID) ScanFile(FltObjects->Instance, FltObjects->FileObject, &Safe);
        if (!Safe)
            DbgPrint("scan: foul in cleanup\n");
    }
    FltReleaseContext(Handle);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* A write that the client would not like is refused as the disk would: before it has happened. */
static FLT_PREOP_CALLBACK_STATUS ScanPreWrite(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PFLT_PARAMETERS Parameters = &Data->Iopb->Parameters;
    PSCAN_NOTIFICATION Notification = NULL;
    PSCAN_HANDLE_CONTEXT Handle = NULL;
    BOOLEAN Safe = TRUE;
    PUCHAR Buffer;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (ScanData.ClientPort == NULL || FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO) || Parameters->Write.Length == 0 ||
        !NT_SUCCESS(FltGetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)&Handle)))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    try {
        if (Parameters->Write.MdlAddress != NULL) {
            Buffer =
                MmGetSystemAddressForMdlSafe(Parameters->Write.MdlAddress, NormalPagePriority | MdlMappingNoExecute);
            if (Buffer == NULL) {
                Data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
                Data->IoStatus.Information = 0;
                Safe = FALSE;
                leave;
            }
        } else {
            Buffer = Parameters->Write.WriteBuffer;
        }
        Notification = ExAllocatePoolZero(NonPagedPool, sizeof(*Notification), SCAN_DATA_TAG);
        if (Notification == NULL)
            leave;
        Notification->Length = min(Parameters->Write.Length, SCAN_BUFFER);
        try {
            RtlCopyMemory(Notification->Contents, Buffer, Notification->Length);
        }
        except(EXCEPTION_EXECUTE_HANDLER)
        {
            Data->IoStatus.Status = GetExceptionCode();
            Data->IoStatus.Information = 0;
            Safe = FALSE;
            leave;
        }
        ScanAsk(Notification, &Safe);
        if (!Safe) {
            DbgPrint("scan: foul in a write\n");
            Data->IoStatus.Status = STATUS_VIRUS_INFECTED;
            Data->IoStatus.Information = 0;
        }
    } finally {
        if (Notification != NULL)
            ExFreePoolWithTag(Notification, SCAN_DATA_TAG);
        FltReleaseContext(Handle);
    }
    return Safe ? FLT_PREOP_SUCCESS_NO_CALLBACK : FLT_PREOP_COMPLETE;
}

static NTSTATUS ScanConnect(PFLT_PORT ClientPort, PVOID ServerPortCookie, PVOID Context, ULONG Size,
                            PVOID *ConnectionCookie)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(ServerPortCookie);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Size);
    FLT_ASSERT(ScanData.ClientPort == NULL && ScanData.UserProcess == NULL);
    ScanData.UserProcess = PsGetCurrentProcess();
    ScanData.ClientPort = ClientPort;
    *ConnectionCookie = NULL;
    return STATUS_SUCCESS;
}

static VOID ScanDisconnect(PVOID ConnectionCookie)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(ConnectionCookie);
    FltCloseClientPort(ScanData.Filter, &ScanData.ClientPort);
    ScanData.UserProcess = NULL;
}

/* The buffers are the client's own, wherever it says: they are touched in try only. */
static NTSTATUS ScanMessage(PVOID PortCookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                            PULONG Returned)
{
    SCAN_COUNTS Counts = {(ULONG)ScanData.Asked, (ULONG)ScanData.Foul};
    SCAN_COMMAND Command;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(PortCookie);
    *Returned = 0;
    if (Input == NULL || InputLength < sizeof(Command))
        return STATUS_INVALID_PARAMETER;
    try {
        RtlCopyMemory(&Command, Input, sizeof(Command));
        if (Command != ScanGetCounts)
            return STATUS_INVALID_PARAMETER;
        if (Output == NULL || OutputLength < sizeof(Counts))
            return STATUS_BUFFER_TOO_SMALL;
        RtlCopyMemory(Output, &Counts, sizeof(Counts));
    }
    except(EXCEPTION_EXECUTE_HANDLER)
    {
        return GetExceptionCode();
    }
    *Returned = sizeof(Counts);
    return STATUS_SUCCESS;
}

static NTSTATUS ScanInstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                                  DEVICE_TYPE DeviceType, FLT_FILESYSTEM_TYPE FileSystemType)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(FileSystemType);
    ASSERT(FltObjects->Filter == ScanData.Filter);
    return DeviceType == FILE_DEVICE_NETWORK_FILE_SYSTEM ? STATUS_FLT_DO_NOT_ATTACH : STATUS_SUCCESS;
}

static NTSTATUS ScanQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

static NTSTATUS ScanUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    ScanFreeExtensions();
    FltCloseCommunicationPort(ScanData.ServerPort);
    FltUnregisterFilter(ScanData.Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_CREATE, 0, ScanPreCreate, ScanPostCreate},
    {IRP_MJ_CLEANUP, 0, ScanPreCleanup, NULL},
    {IRP_MJ_WRITE, 0, ScanPreWrite, NULL},
    {IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_STREAMHANDLE_CONTEXT, 0, NULL, sizeof(SCAN_HANDLE_CONTEXT), SCAN_CTX_TAG},
    {FLT_CONTEXT_END},
};

static const FLT_REGISTRATION FilterRegistration = {
    sizeof(FLT_REGISTRATION),
    FLT_REGISTRATION_VERSION,
    0,
    Contexts,
    Callbacks,
    ScanUnload,
    ScanInstanceSetup,
    ScanQueryTeardown,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
};

static VOID ScanFreeExtensions(VOID)
{
    PAGED_CODE();
    if (ScanData.Extensions != NULL)
        ExFreePoolWithTag(ScanData.Extensions, SCAN_REG_TAG);
    ScanData.Extensions = NULL;
    ScanData.ExtensionCount = 0;
}

/* The value's texts, and in front of them the strings that describe them, in one block. */
static NTSTATUS ScanReadExtensions(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"Extensions");
    PKEY_VALUE_PARTIAL_INFORMATION Value = NULL;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Length = 0, Count = 0;
    HANDLE Key = NULL;
    NTSTATUS Status;
    PWCH Text;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, NULL, 0, &Length);
    if (Status != STATUS_BUFFER_TOO_SMALL && Status != STATUS_BUFFER_OVERFLOW) {
        Status = NT_SUCCESS(Status) ? STATUS_INVALID_PARAMETER : Status;
        goto Cleanup;
    }
    Value = ExAllocatePoolZero(NonPagedPool, Length, SCAN_REG_TAG);
    if (Value == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Cleanup;
    }
    Status = ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, Length, &Length);
    if (!NT_SUCCESS(Status))
        goto Cleanup;
    if (Value->Type != REG_MULTI_SZ) {
        Status = STATUS_OBJECT_TYPE_MISMATCH;
        goto Cleanup;
    }
    for (Text = (PWCH)Value->Data; *Text != UNICODE_NULL; Text += wcslen(Text) + 1)
        Count++;
    ScanData.Extensions =
        ExAllocatePoolZero(PagedPool, Count * sizeof(UNICODE_STRING) + Value->DataLength, SCAN_REG_TAG);
    if (ScanData.Extensions == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Cleanup;
    }
    RtlCopyMemory(ScanData.Extensions + Count, Value->Data, Value->DataLength);
    for (Text = (PWCH)(ScanData.Extensions + Count); *Text != UNICODE_NULL; Text += wcslen(Text) + 1)
        RtlInitUnicodeString(&ScanData.Extensions[ScanData.ExtensionCount++], Text);

Cleanup:
    if (Value != NULL)
        ExFreePoolWithTag(Value, SCAN_REG_TAG);
    ZwClose(Key);
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(SCAN_PORT_NAME);
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    ScanData.DriverObject = DriverObject;
    Status = FltRegisterFilter(DriverObject, &FilterRegistration, &ScanData.Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ScanReadExtensions(RegistryPath);
    if (!NT_SUCCESS(Status))
        goto Cleanup;
    Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
    if (!NT_SUCCESS(Status))
        goto Cleanup;
    InitializeObjectAttributes(&Attributes, &PortName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
    Status = FltCreateCommunicationPort(ScanData.Filter, &ScanData.ServerPort, &Attributes, NULL, ScanConnect,
                                        ScanDisconnect, ScanMessage, 1);
    FltFreeSecurityDescriptor(Descriptor);
    if (!NT_SUCCESS(Status))
        goto Cleanup;
    Status = FltStartFiltering(ScanData.Filter);
    if (NT_SUCCESS(Status))
        return STATUS_SUCCESS;
    FltCloseCommunicationPort(ScanData.ServerPort);

Cleanup:
    ScanFreeExtensions();
    FltUnregisterFilter(ScanData.Filter);
    return Status;
}
