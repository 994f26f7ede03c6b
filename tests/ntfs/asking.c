/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks about files without opening them, by ZwQueryFullAttributesFile and IoFastQueryNetworkAttributes, and filters that: "Mode"
 * says what it does with IRP_MJ_NETWORK_QUERY_OPEN.  It asks for the paths that it is sent by its port.
 */
#include "../inc/minifilter.h"

#define MODE_OBSERVE   0
#define MODE_DISALLOW  1
#define MODE_COMPLETE  2
#define MODE_REFERENCE 3 /* wrongly */
#define MODE_POST      4 /* wrongly */
#define MODE_FSFILTER  5 /* wrongly */

static PFLT_FILTER Filter;
static PFLT_PORT Port, Client;
static ULONG Mode;

typedef struct _ASKED {
    NTSTATUS Status;
    ULONG Attributes;
    ULONG64 Size, Information;
} ASKED;

static VOID Name(PCSTR What, PFLT_CALLBACK_DATA Data)
{
    PFLT_FILE_NAME_INFORMATION Information;

    if (NT_SUCCESS(
            FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Information))) {
        DbgPrint("asking: %s %s %wZ\n", What, FltGetIrpName(Data->Iopb->MajorFunction), &Information->Name);
        FltReleaseFileNameInformation(Information);
    }
}

static DECLSPEC_NOINLINE VOID Reference(PFILE_OBJECT FileObject)
{
    ObReferenceObject(FileObject); /* of this call's stack [reference] */
}

static FLT_PREOP_CALLBACK_STATUS PreQuery(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{ /* [pre] */
    PFILE_NETWORK_OPEN_INFORMATION Information = Data->Iopb->Parameters.NetworkQueryOpen.NetworkInformation;

    Name("pre", Data);
    FvCheck(FLT_IS_FASTIO_OPERATION(Data) && Data->Iopb->Parameters.NetworkQueryOpen.Irp != NULL);
    switch (Mode) {
    case MODE_DISALLOW: return FLT_PREOP_DISALLOW_FASTIO;
    case MODE_COMPLETE:
        RtlZeroMemory(Information, sizeof(*Information));
        Information->EndOfFile.QuadPart = 4711;
        Information->FileAttributes = FILE_ATTRIBUTE_OFFLINE;
        Data->IoStatus.Status = STATUS_SUCCESS;
        Data->IoStatus.Information = sizeof(*Information);
        return FLT_PREOP_COMPLETE;
    case MODE_REFERENCE: Reference(FltObjects->FileObject); break;
    case MODE_FSFILTER: return FLT_PREOP_DISALLOW_FSFILTER_IO;
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostQuery(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                            FLT_POST_OPERATION_FLAGS Flags)
{ /* [post] */
    DbgPrint("asking: post 0x%08X\n", Data->IoStatus.Status);
    return Mode == MODE_POST ? FLT_POSTOP_DISALLOW_FSFILTER_IO : FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    Name("pre", Data);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* ---- byte ranges ---- */

static FLT_PREOP_CALLBACK_STATUS PreLock(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    DbgPrint("asking: lock %u fast %d\n", Data->Iopb->MinorFunction, FLT_IS_FASTIO_OPERATION(Data) != 0);
    return Mode == MODE_DISALLOW && FLT_IS_FASTIO_OPERATION(Data) ? FLT_PREOP_DISALLOW_FASTIO
                                                                  : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

/* ---- questions ---- */

static NTSTATUS Connect(PFLT_PORT NewClient, PVOID Cookie, PVOID Context, ULONG Size, PVOID *ConnectionCookie)
{
    Client = NewClient;
    return STATUS_SUCCESS;
}

static VOID Disconnect(PVOID ConnectionCookie)
{
    FltCloseClientPort(Filter, &Client);
}

/* Input: 1 for the other routine, then the path. */
static NTSTATUS Message(PVOID Cookie, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength, PULONG Returned)
{
    UNICODE_STRING Path = {(USHORT)(InputLength - sizeof(ULONG)), (USHORT)(InputLength - sizeof(ULONG)),
                           (PWCH)((PUCHAR)Input + sizeof(ULONG))};
    FILE_NETWORK_OPEN_INFORMATION Information = {0};
    IO_STATUS_BLOCK IoStatus = {{0}};
    OBJECT_ATTRIBUTES Attributes;
    ASKED Asked = {0};

    InitializeObjectAttributes(&Attributes, &Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (*(PULONG)Input == 0) {
        Asked.Status = ZwQueryFullAttributesFile(&Attributes, &Information);
    } else {
        FvCheck(IoFastQueryNetworkAttributes(&Attributes, FILE_READ_ATTRIBUTES, 0, &IoStatus, &Information));
        Asked.Status = IoStatus.Status;
        Asked.Information = IoStatus.Information;
    }
    Asked.Attributes = Information.FileAttributes;
    Asked.Size = (ULONG64)Information.EndOfFile.QuadPart;
    if (OutputLength < sizeof(Asked))
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Output, &Asked, sizeof(Asked));
    *Returned = sizeof(Asked);
    return STATUS_SUCCESS;
}

static NTSTATUS MakePort(VOID)
{
    UNICODE_STRING PortName = RTL_CONSTANT_STRING(L"\\asking");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;
    NTSTATUS Status = FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS);

    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, &PortName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, Descriptor);
    Status = FltCreateCommunicationPort(Filter, &Port, &Attributes, NULL, Connect, Disconnect, Message, 1);
    FltFreeSecurityDescriptor(Descriptor);
    return Status;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltCloseCommunicationPort(Port);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreCreate},
    {.MajorFunction = IRP_MJ_NETWORK_QUERY_OPEN, .PreOperation = PreQuery, .PostOperation = PostQuery},
    {.MajorFunction = IRP_MJ_LOCK_CONTROL, .PreOperation = PreLock},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Plan = ReadNumber(RegistryPath, L"Plan");
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Mode = ReadNumber(RegistryPath, L"Mode");
    if (Plan != 0)
        FvTestPlan(Plan);
    Status = MakePort();
    if (NT_SUCCESS(Status))
        Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}
