/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oplog: logs every operation of a volume.  A record is made in the pre-operation, ended in the post-operation at whatever IRQL that
 * comes, and kept in a list of which a client takes batches through the port.  How many may wait is the service's value MaxRecords.
 */
#include <fltKernel.h>
#include <dontuse.h>
#include <suppress.h>
#include "oplog.h"

#pragma prefast(disable : __WARNING_ENCODE_MEMBER_FUNCTION_POINTER, "Not valid for kernel mode drivers")

#define OPLOG_TAG        'gLpO'
#define OPLOG_VERSION    0x00010002
#define DEFAULT_RECORDS  512
#define OPLOG_ENTRY_SIZE (FIELD_OFFSET(OPLOG_ENTRY, Record.Name) + OPLOG_NAME_MAX * sizeof(WCHAR))

typedef struct _OPLOG_ENTRY {
    LIST_ENTRY Link;
    OPLOG_RECORD Record;
} OPLOG_ENTRY, *POPLOG_ENTRY;

typedef struct _OPLOG_GLOBALS {
    PFLT_FILTER Filter;
    PFLT_PORT ServerPort;
    PFLT_PORT ClientPort;
    NPAGED_LOOKASIDE_LIST Entries;
    ULONG MaxRecords;

    KSPIN_LOCK Lock;
    _Guarded_by_(Lock) LIST_ENTRY List;
    _Guarded_by_(Lock) ULONG Waiting;
    _Guarded_by_(Lock) ULONG Sequence;
    _Guarded_by_(Lock) ULONG Lost;
} OPLOG_GLOBALS;

static OPLOG_GLOBALS Globals;

DRIVER_INITIALIZE DriverEntry;
NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath);
static NTSTATUS OplogReadParameters(_In_ PUNICODE_STRING RegistryPath);
static NTSTATUS OplogUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static NTSTATUS OplogQueryTeardown(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags);
static NTSTATUS OplogConnect(_In_ PFLT_PORT ClientPort, _In_opt_ PVOID ServerPortCookie, _In_opt_ PVOID Context,
                             _In_ ULONG Size, _Outptr_result_maybenull_ PVOID *ConnectionCookie);
static VOID OplogDisconnect(_In_opt_ PVOID ConnectionCookie);
static NTSTATUS OplogMessage(_In_opt_ PVOID Cookie, _In_opt_ PVOID Input, _In_ ULONG InputLength,
                             _Out_opt_ PVOID Output, _In_ ULONG OutputLength, _Out_ PULONG Returned);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, OplogReadParameters)
#pragma alloc_text(PAGE, OplogUnload)
#pragma alloc_text(PAGE, OplogQueryTeardown)
#pragma alloc_text(PAGE, OplogConnect)
#pragma alloc_text(PAGE, OplogDisconnect)
#pragma alloc_text(PAGE, OplogMessage)
#endif

/* A record, or none when as many wait as may. */
static POPLOG_ENTRY OplogNewEntry(VOID)
{
    POPLOG_ENTRY Entry = ExAllocateFromNPagedLookasideList(&Globals.Entries);
    BOOLEAN Room;
    KIRQL Irql;

    KeAcquireSpinLock(&Globals.Lock, &Irql);
    Room = Entry != NULL && Globals.Waiting < Globals.MaxRecords;
    if (Room)
        Globals.Waiting++;
    else
        Globals.Lost++;
    KeReleaseSpinLock(&Globals.Lock, Irql);
    if (Room) {
        RtlZeroMemory(Entry, OPLOG_ENTRY_SIZE);
        return Entry;
    }
    if (Entry != NULL)
        ExFreeToNPagedLookasideList(&Globals.Entries, Entry);
    return NULL;
}

static VOID OplogSetName(POPLOG_RECORD Record, PCUNICODE_STRING Name)
{
    ULONG Length = min(Name->Length, OPLOG_NAME_MAX * sizeof(WCHAR));

    RtlCopyMemory(Record->Name, Name->Buffer, Length);
    Record->NameLength = Length;
    Record->Truncated = Length < Name->Length;
    Record->Length = ALIGN_UP_BY(FIELD_OFFSET(OPLOG_RECORD, Name) + Length, sizeof(ULONG64));
}

static VOID OplogQueryName(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, POPLOG_RECORD Record)
{
    static const UNICODE_STRING None = RTL_CONSTANT_STRING(L"<NO NAME>");
    PFLT_FILE_NAME_INFORMATION Information = NULL;
    NTSTATUS Status = STATUS_NOT_FOUND;

    if (FltObjects->FileObject != NULL)
        Status = FltGetFileNameInformation(
            Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP, &Information);
    if (!NT_SUCCESS(Status) && FltObjects->FileObject != NULL)
        Status = FltGetFileNameInformation(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP,
                                           &Information);
    if (NT_SUCCESS(Status)) {
        OplogSetName(Record, &Information->Name);
        FltReleaseFileNameInformation(Information);
    } else {
        OplogSetName(Record, &None);
    }
}

static VOID OplogInsert(POPLOG_ENTRY Entry)
{
    KIRQL Irql;

    KeQuerySystemTime(&Entry->Record.Ended);
    KeAcquireSpinLock(&Globals.Lock, &Irql);
    Entry->Record.Sequence = ++Globals.Sequence;
    InsertTailList(&Globals.List, &Entry->Link);
    KeReleaseSpinLock(&Globals.Lock, Irql);
}

static FLT_PREOP_CALLBACK_STATUS OplogPreOperation(_Inout_ PFLT_CALLBACK_DATA Data,
                                                   _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                   _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    POPLOG_ENTRY Entry = OplogNewEntry();

    if (Entry == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    OplogQueryName(Data, FltObjects, &Entry->Record);
    KeQuerySystemTime(&Entry->Record.Started);
    Entry->Record.FileObject = (ULONG_PTR)FltObjects->FileObject;
    Entry->Record.ProcessId = FltGetRequestorProcessId(Data);
    Entry->Record.IrpFlags = Data->Iopb->IrpFlags;
    Entry->Record.CallbackFlags = Data->Flags;
    Entry->Record.Major = Data->Iopb->MajorFunction;
    Entry->Record.Minor = Data->Iopb->MinorFunction;
    if (Data->Iopb->MajorFunction == IRP_MJ_SHUTDOWN) {
        OplogInsert(Entry);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    *CompletionContext = Entry;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

/* At any IRQL up to DISPATCH_LEVEL; what drains is a record like any other. */
static FLT_POSTOP_CALLBACK_STATUS OplogPostOperation(_Inout_ PFLT_CALLBACK_DATA Data,
                                                     _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                     _In_opt_ PVOID CompletionContext,
                                                     _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    POPLOG_ENTRY Entry = CompletionContext;
    PFLT_TAG_DATA_BUFFER TagData = Data->TagData;

    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    FLT_ASSERT(Entry != NULL);
    Entry->Record.Status = Data->IoStatus.Status;
    Entry->Record.Information = Data->IoStatus.Information;
    Entry->Record.PostIrql = KeGetCurrentIrql();
    if (Data->Iopb->MajorFunction == IRP_MJ_CREATE && Data->IoStatus.Status == STATUS_REPARSE && TagData != NULL)
        Entry->Record.Information = TagData->FileTag;
    OplogInsert(Entry);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* As many records as fit into the client's buffer, which may be taken away while it is written. */
static NTSTATUS OplogCopyRecords(PUCHAR Output, ULONG Length, PULONG Returned)
{
    NTSTATUS Status = STATUS_NO_MORE_ENTRIES;
    ULONG Used = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&Globals.Lock, &Irql);
    while (!IsListEmpty(&Globals.List)) {
        POPLOG_ENTRY Entry = CONTAINING_RECORD(RemoveHeadList(&Globals.List), OPLOG_ENTRY, Link);

        if (Entry->Record.Length > Length - Used) {
            InsertHeadList(&Globals.List, &Entry->Link);
            if (Status == STATUS_NO_MORE_ENTRIES)
                Status = STATUS_BUFFER_TOO_SMALL;
            break;
        }
        KeReleaseSpinLock(&Globals.Lock, Irql);
        __try {
            RtlCopyMemory(Output + Used, &Entry->Record, Entry->Record.Length);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            KeAcquireSpinLock(&Globals.Lock, &Irql);
            InsertHeadList(&Globals.List, &Entry->Link);
            KeReleaseSpinLock(&Globals.Lock, Irql);
            return GetExceptionCode();
        }
        Used += Entry->Record.Length;
        Status = STATUS_SUCCESS;
        ExFreeToNPagedLookasideList(&Globals.Entries, Entry);
        KeAcquireSpinLock(&Globals.Lock, &Irql);
        Globals.Waiting--;
    }
    KeReleaseSpinLock(&Globals.Lock, Irql);
    *Returned = Used;
    return Status;
}

static NTSTATUS OplogMessage(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                             PULONG Returned)
{
    OPLOG_COMMAND Command;
    ULONG Value;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Cookie);
    *Returned = 0;
    if (Input == NULL || InputLength < FIELD_OFFSET(OPLOG_MESSAGE, Command) + sizeof(OPLOG_COMMAND))
        return STATUS_INVALID_PARAMETER;
    __try {
        Command = ((POPLOG_MESSAGE)Input)->Command;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    if (Output == NULL || OutputLength < sizeof(ULONG) || !IS_ALIGNED(Output, sizeof(ULONG)))
        return Output != NULL && OutputLength >= sizeof(ULONG) ? STATUS_DATATYPE_MISALIGNMENT
                                                               : STATUS_INVALID_PARAMETER;
    switch (Command) {
    case OplogGetRecords:
        if (!IS_ALIGNED(Output, sizeof(PVOID)))
            return STATUS_DATATYPE_MISALIGNMENT;
        return OplogCopyRecords(Output, OutputLength, Returned);
    case OplogGetVersion: Value = OPLOG_VERSION; break;
    case OplogGetLost: Value = Globals.Lost; break;
    default: return STATUS_INVALID_PARAMETER;
    }
    __try {
        *(PULONG)Output = Value;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    *Returned = sizeof(ULONG);
    return STATUS_SUCCESS;
}

static NTSTATUS OplogConnect(PFLT_PORT ClientPort, PVOID ServerPortCookie, PVOID Context, ULONG Size,
                             PVOID *ConnectionCookie)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(ServerPortCookie);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Size);
    FLT_ASSERT(Globals.ClientPort == NULL);
    Globals.ClientPort = ClientPort;
    *ConnectionCookie = NULL;
    return STATUS_SUCCESS;
}

static VOID OplogDisconnect(PVOID ConnectionCookie)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(ConnectionCookie);
    FltCloseClientPort(Globals.Filter, &Globals.ClientPort);
}

static VOID OplogEmpty(VOID)
{
    PLIST_ENTRY Link;

    while ((Link = ExInterlockedRemoveHeadList(&Globals.List, &Globals.Lock)) != NULL)
        ExFreeToNPagedLookasideList(&Globals.Entries, CONTAINING_RECORD(Link, OPLOG_ENTRY, Link));
}

static NTSTATUS OplogUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltCloseCommunicationPort(Globals.ServerPort);
    FltUnregisterFilter(Globals.Filter);
    OplogEmpty();
    ExDeleteNPagedLookasideList(&Globals.Entries);
    return STATUS_SUCCESS;
}

static NTSTATUS OplogQueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(Flags);
    return STATUS_SUCCESS;
}

#define BOTH(Major) {Major, 0, OplogPreOperation, OplogPostOperation}

static CONST FLT_OPERATION_REGISTRATION Callbacks[] = {
    BOTH(IRP_MJ_CREATE),
    BOTH(IRP_MJ_CREATE_NAMED_PIPE),
    BOTH(IRP_MJ_CLOSE),
    BOTH(IRP_MJ_READ),
    BOTH(IRP_MJ_WRITE),
    BOTH(IRP_MJ_QUERY_INFORMATION),
    BOTH(IRP_MJ_SET_INFORMATION),
    BOTH(IRP_MJ_QUERY_EA),
    BOTH(IRP_MJ_SET_EA),
    BOTH(IRP_MJ_FLUSH_BUFFERS),
    BOTH(IRP_MJ_QUERY_VOLUME_INFORMATION),
    BOTH(IRP_MJ_SET_VOLUME_INFORMATION),
    BOTH(IRP_MJ_DIRECTORY_CONTROL),
    BOTH(IRP_MJ_FILE_SYSTEM_CONTROL),
    BOTH(IRP_MJ_DEVICE_CONTROL),
    BOTH(IRP_MJ_INTERNAL_DEVICE_CONTROL),
    {IRP_MJ_SHUTDOWN, 0, OplogPreOperation, NULL},
    BOTH(IRP_MJ_LOCK_CONTROL),
    BOTH(IRP_MJ_CLEANUP),
    BOTH(IRP_MJ_CREATE_MAILSLOT),
    BOTH(IRP_MJ_QUERY_SECURITY),
    BOTH(IRP_MJ_SET_SECURITY),
    BOTH(IRP_MJ_QUERY_QUOTA),
    BOTH(IRP_MJ_SET_QUOTA),
    BOTH(IRP_MJ_PNP),
    BOTH(IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION),
    BOTH(IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION),
    BOTH(IRP_MJ_ACQUIRE_FOR_MOD_WRITE),
    BOTH(IRP_MJ_RELEASE_FOR_MOD_WRITE),
    BOTH(IRP_MJ_ACQUIRE_FOR_CC_FLUSH),
    BOTH(IRP_MJ_RELEASE_FOR_CC_FLUSH),
    BOTH(IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE),
    BOTH(IRP_MJ_NETWORK_QUERY_OPEN),
    BOTH(IRP_MJ_MDL_READ),
    BOTH(IRP_MJ_MDL_READ_COMPLETE),
    BOTH(IRP_MJ_PREPARE_MDL_WRITE),
    BOTH(IRP_MJ_MDL_WRITE_COMPLETE),
    BOTH(IRP_MJ_VOLUME_MOUNT),
    BOTH(IRP_MJ_VOLUME_DISMOUNT),
    {IRP_MJ_OPERATION_END},
};

static CONST FLT_REGISTRATION FilterRegistration = {
    sizeof(FLT_REGISTRATION),             /* Size */
    FLT_REGISTRATION_VERSION,             /* Version */
    FLTFL_REGISTRATION_SUPPORT_NPFS_MSFS, /* Flags */
    NULL,                                 /* Context */
    Callbacks,                            /* Operation callbacks */
    OplogUnload,                          /* FilterUnload */
    NULL,                                 /* InstanceSetup */
    OplogQueryTeardown,                   /* InstanceQueryTeardown */
    NULL,                                 /* InstanceTeardownStart */
    NULL,                                 /* InstanceTeardownComplete */
    NULL,                                 /* GenerateFileName */
    NULL,                                 /* NormalizeNameComponent */
    NULL,                                 /* NormalizeContextCleanup */
};

static NTSTATUS OplogReadParameters(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"MaxRecords");
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    ULONG Length;
    HANDLE Key;
    NTSTATUS Status;

    Globals.MaxRecords = DEFAULT_RECORDS;
    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwOpenKey(&Key, KEY_READ, &Attributes);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwQueryValueKey(Key, &ValueName, KeyValuePartialInformation, Value, sizeof(Buffer), &Length);
    if (NT_SUCCESS(Status) && Value->Type == REG_DWORD)
        Globals.MaxRecords = *(PULONG)Value->Data;
    ZwClose(Key);
    return STATUS_SUCCESS;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(OPLOG_PORT_NAME);
    PSECURITY_DESCRIPTOR Descriptor = NULL;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status;

    InitializeListHead(&Globals.List);
    KeInitializeSpinLock(&Globals.Lock);
    ExInitializeNPagedLookasideList(&Globals.Entries, NULL, NULL, POOL_NX_ALLOCATION, OPLOG_ENTRY_SIZE, OPLOG_TAG, 0);
    __try {
        Status = OplogReadParameters(RegistryPath);
        if (!NT_SUCCESS(Status))
            __leave;
        Status = FltRegisterFilter(DriverObject, &FilterRegistration, &Globals.Filter);
        if (!NT_SUCCESS(Status))
            __leave;
        Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);
        if (!NT_SUCCESS(Status))
            __leave;
        InitializeObjectAttributes(&Attributes, &PortName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
        Status = FltCreateCommunicationPort(Globals.Filter, &Globals.ServerPort, &Attributes, NULL, OplogConnect,
                                            OplogDisconnect, OplogMessage, 1);
        FltFreeSecurityDescriptor(Descriptor);
        if (!NT_SUCCESS(Status))
            __leave;
        Status = FltStartFiltering(Globals.Filter);
    } __finally {
        if (!NT_SUCCESS(Status)) {
            if (Globals.ServerPort != NULL)
                FltCloseCommunicationPort(Globals.ServerPort);
            if (Globals.Filter != NULL)
                FltUnregisterFilter(Globals.Filter);
            ExDeleteNPagedLookasideList(&Globals.Entries);
        }
    }
    return Status;
}
