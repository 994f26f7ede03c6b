/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernel.py debugs: a minifilter whose post-read callback hands a generic work item to a worker thread.  Its
 * functions' names are known to the test.
 */
#include <fltKernel.h>

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;
static PFLT_PORT Port;
static volatile LONG Worked;

static VOID DebuggeeWorkRoutine(PFLT_GENERIC_WORKITEM WorkItem, PVOID FltObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(FltObject);
    InterlockedIncrement(&Worked);
    FltFreeGenericWorkItem(WorkItem);
    FltCompletePendedPostOperation((PFLT_CALLBACK_DATA)Context);
}

static FLT_PREOP_CALLBACK_STATUS DebuggeePreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(FltObjects);
    UNREFERENCED_PARAMETER(CompletionContext);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS DebuggeePostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                   PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_GENERIC_WORKITEM WorkItem;

    UNREFERENCED_PARAMETER(CompletionContext);
    UNREFERENCED_PARAMETER(Flags);
    WorkItem = FltAllocateGenericWorkItem();
    if (WorkItem == NULL) {
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    if (!NT_SUCCESS(
            FltQueueGenericWorkItem(WorkItem, FltObjects->Instance, DebuggeeWorkRoutine, DelayedWorkQueue, Data))) {
        FltFreeGenericWorkItem(WorkItem);
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS DebuggeeSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                              FLT_FILESYSTEM_TYPE FileSystem)
{
    PFLT_CONTEXT Context;

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    UNREFERENCED_PARAMETER(FileSystem);
    if (NT_SUCCESS(FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, 16, NonPagedPoolNx, &Context))) {
        FltSetInstanceContext(FltObjects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
        FltReleaseContext(Context);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS DebuggeeConnect(PFLT_PORT ClientPort, PVOID ServerCookie, PVOID Context, ULONG Size, PVOID *Cookie)
{
    UNREFERENCED_PARAMETER(ClientPort);
    UNREFERENCED_PARAMETER(ServerCookie);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Size);
    UNREFERENCED_PARAMETER(Cookie);
    return STATUS_ACCESS_DENIED;
}

static VOID DebuggeeDisconnect(PVOID Cookie)
{
    UNREFERENCED_PARAMETER(Cookie);
}

static VOID MakePort(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\debuggee");
    PSECURITY_DESCRIPTOR Descriptor;
    OBJECT_ATTRIBUTES Attributes;

    if (NT_SUCCESS(FltBuildDefaultSecurityDescriptor(&Descriptor, FLT_PORT_ALL_ACCESS))) {
        InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, Descriptor);
        FltCreateCommunicationPort(Filter, &Port, &Attributes, NULL, DebuggeeConnect, DebuggeeDisconnect, NULL, 3);
        FltFreeSecurityDescriptor(Descriptor);
    }
}

static NTSTATUS DebuggeeUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    if (Port != NULL) {
        FltCloseCommunicationPort(Port);
    }
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = DebuggeePreRead, .PostOperation = DebuggeePostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {.ContextType = FLT_INSTANCE_CONTEXT, .Size = 16, .PoolTag = 'gubD'},
    {.ContextType = FLT_CONTEXT_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .InstanceSetupCallback = DebuggeeSetup,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = DebuggeeUnload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (NT_SUCCESS(Status)) {
        MakePort();
        Status = FltStartFiltering(Filter);
        if (!NT_SUCCESS(Status)) {
            FltUnregisterFilter(Filter);
        }
    }
    return Status;
}
