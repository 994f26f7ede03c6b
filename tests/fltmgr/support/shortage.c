/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of each thing that the filter manager allocates for a minifilter, where one allocation of it fails (the option
 * pool-fail): each routine says STATUS_INSUFFICIENT_RESOURCES or NULL, and what was had before is given back.
 */
#include "../../inc/minifilter.h"

#define TAG 'trhS'

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance;
static PFILE_OBJECT File;
static HANDLE Handle;
static PFLT_PORT Server, Client;
static KEVENT Ran;

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_VOLUME_CONTEXT, 0, NULL, 40, TAG},
    {FLT_INSTANCE_CONTEXT, 0, NULL, 40, TAG},
    {FLT_FILE_CONTEXT, 0, NULL, 40, TAG},
    {FLT_STREAM_CONTEXT, 0, NULL, FLT_VARIABLE_SIZED_CONTEXTS, TAG},
    {FLT_CONTEXT_END},
};

/* TRUE when it is there. */
static BOOLEAN Had(PCSTR What, NTSTATUS Status)
{
    if (!NT_SUCCESS(Status))
        DbgPrint("shortage: %s %08X\n", What, Status);
    return NT_SUCCESS(Status);
}

static BOOLEAN HadMemory(PCSTR What, PVOID Memory)
{
    return Had(What, Memory != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES);
}

static VOID TryContexts(VOID)
{
    static const FLT_CONTEXT_TYPE Types[] = {FLT_VOLUME_CONTEXT, FLT_INSTANCE_CONTEXT, FLT_FILE_CONTEXT,
                                             FLT_STREAM_CONTEXT};
    PFLT_CONTEXT Context;
    NTSTATUS Status;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Types); Index++) {
        if (!Had("FltAllocateContext", FltAllocateContext(Filter, Types[Index], 40, NonPagedPool, &Context)))
            continue;
        Status = Index == 0   ? FltSetVolumeContext(Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL)
                 : Index == 1 ? FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL)
                 : Index == 2 ? FltSetFileContext(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL)
                              : FltSetStreamContext(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
        if (Had("FltSet…Context", Status))
            FltDeleteContext(Context);
        FltReleaseContext(Context);
    }
}

static VOID NTAPI Generic(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    FltFreeGenericWorkItem(Item);
    KeSetEvent(&Ran, IO_NO_INCREMENT, FALSE);
}

static VOID TryWork(VOID)
{
    PFLT_DEFERRED_IO_WORKITEM Deferred = FltAllocateDeferredIoWorkItem();
    PFLT_GENERIC_WORKITEM Item = FltAllocateGenericWorkItem();

    if (HadMemory("FltAllocateDeferredIoWorkItem", Deferred))
        FltFreeDeferredIoWorkItem(Deferred);
    if (HadMemory("FltAllocateGenericWorkItem", Item)) {
        KeInitializeEvent(&Ran, NotificationEvent, FALSE);
        if (Had("FltQueueGenericWorkItem", FltQueueGenericWorkItem(Item, Filter, Generic, DelayedWorkQueue, NULL)))
            Had("the work routine", IsSet(&Ran, 5000) ? STATUS_SUCCESS : STATUS_TIMEOUT | 0xC0000000);
        else
            FltFreeGenericWorkItem(Item);
    }
}

static VOID TryOperation(VOID)
{
    static UCHAR Buffer[512];
    LARGE_INTEGER Offset = {.QuadPart = 0};
    PFLT_CALLBACK_DATA Data = NULL;
    ULONG Read = 0;
    PVOID Memory;

    if (Had("FltAllocateCallbackData", FltAllocateCallbackData(Instance, File, &Data)))
        FltFreeCallbackData(Data);
    Had("FltReadFile", FltReadFile(Instance, File, &Offset, sizeof(Buffer), Buffer, 0, &Read, NULL, NULL));
    Memory = FltAllocatePoolAlignedWithTag(Instance, NonPagedPool, 512, TAG);
    if (HadMemory("FltAllocatePoolAlignedWithTag", Memory))
        FltFreePoolAlignedWithTag(Instance, Memory, TAG);
}

static VOID TryNames(VOID)
{
    PFLT_FILE_NAME_INFORMATION Name;
    PFLT_VOLUME Found;
    ULONG Count, Needed;
    PVOID Lists;

    if (Had("FltGetFileNameInformationUnsafe",
            FltGetFileNameInformationUnsafe(File, Instance, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT,
                                            &Name))) {
        Had("FltParseFileNameInformation", FltParseFileNameInformation(Name));
        FltReleaseFileNameInformation(Name);
    }
    if ((Found = OpenVolume(Filter)) != NULL)
        FltObjectDereference(Found);
    Lists = ExAllocatePoolWithTag(PagedPool, 4096, TAG);
    if (Lists != NULL) {
        Had("FltEnumerateInstanceInformationByFilter",
            FltEnumerateInstanceInformationByFilter(Filter, 0, InstanceFullInformation, Lists, 4096, &Needed));
        Had("FltEnumerateVolumes", FltEnumerateVolumes(Filter, NULL, 0, &Count) == STATUS_BUFFER_TOO_SMALL
                                       ? STATUS_SUCCESS
                                       : STATUS_INSUFFICIENT_RESOURCES);
        ExFreePoolWithTag(Lists, TAG);
    }
}

static NTSTATUS NTAPI Connect(PFLT_PORT ClientPort, PVOID Cookie, PVOID Context, ULONG Size, PVOID *Connection)
{
    Client = ClientPort;
    return STATUS_SUCCESS;
}

static VOID NTAPI Disconnect(PVOID Cookie)
{
    FltCloseClientPort(Filter, &Client);
}

/* The scenario connects, and unload closes it. */
static VOID TryPort(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\ShortagePort");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;

    if (!Had("FltBuildDefaultSecurityDescriptor", FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS)))
        return;
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, Descriptor);
    if (Had("FltCreateCommunicationPort",
            FltCreateCommunicationPort(Filter, &Server, &Attributes, NULL, Connect, Disconnect, NULL, 1)))
        DbgPrint("shortage listens\n");
    FltFreeSecurityDescriptor(Descriptor);
}

static VOID TryLocks(VOID)
{
    ERESOURCE Resource;
    PFLT_INSTANCE Other = NULL;
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"50"), Name = RTL_CONSTANT_STRING(L"shortage second");

    if (Had("ExInitializeResourceLite", ExInitializeResourceLite(&Resource)))
        ExDeleteResourceLite(&Resource);
    if (Had("FltAttachVolumeAtAltitude", FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, &Name, &Other))) {
        FltObjectDereference(Other);
        Had("FltDetachVolume", FltDetachVolume(Filter, Volume, &Name));
    }
}

static NTSTATUS Open(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateFile(&Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (NT_SUCCESS(Status))
        Status = ObReferenceObjectByHandle(Handle, FILE_READ_DATA, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    return Status;
}

static VOID TryAll(VOID)
{
    if (!Had("ZwCreateFile", Open()))
        return;
    if ((Volume = OpenVolume(Filter)) == NULL) {
        DbgPrint("shortage: FltGetVolumeFromName %08X\n", STATUS_INSUFFICIENT_RESOURCES);
    } else {
        if (Had("FltGetVolumeInstanceFromName", FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance))) {
            TryContexts();
            TryWork();
            TryOperation();
            TryNames();
            TryPort();
            TryLocks();
            FltObjectDereference(Instance);
        }
        FltObjectDereference(Volume);
    }
    ObDereferenceObject(File);
    ZwClose(Handle);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Completion)
{
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                             PVOID Completion, FLT_POST_OPERATION_FLAGS Flags)
{
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Server != NULL)
        FltCloseCommunicationPort(Server);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, Pre, Post},
    {IRP_MJ_READ, 0, Pre, Post},
    {IRP_MJ_CLEANUP, 0, Pre, Post},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .ContextRegistration = Contexts,
                                              .OperationRegistration = Operations,
                                              .FilterUnloadCallback = Unload,
                                              .InstanceQueryTeardownCallback = MayDetach};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status)) {
        FltUnregisterFilter(Filter);
        return Status;
    }
    TryAll();
    return STATUS_SUCCESS;
}
