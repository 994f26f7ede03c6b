/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits that never end, because what is waited for waits itself or was forgotten: the service's value "Case" says which.
 * A line that a report must name says so in a comment: case, colon, the report's name for it.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE First, Second;
static ULONG Case;
static KEVENT Gone, Meet;
static LONG Met, Asked;
static PFLT_CALLBACK_DATA Forgotten;
static OPLOCK Oplock;

static NTSTATUS DetachNamed(PCWSTR Text)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Text);
    return FltDetachVolume(Filter, Volume, &Name);
}

static VOID MeetOther(VOID)
{
    if (InterlockedIncrement(&Met) == 2)
        KeSetEvent(&Meet, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Meet, Executive, KernelMode, FALSE, NULL);
}

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    FltFreeGenericWorkItem(Item);
    switch (Case) {
    case 1:
        FltUnregisterFilter(Filter); /* 1:waits */
        break;
    case 2: DetachNamed(L"first"); break;
    case 8: KeWaitForSingleObject(&Gone, Executive, KernelMode, FALSE, NULL); break;
    case 11:
        MeetOther();
        DetachNamed(Object == First ? L"second" : L"first");
        break;
    }
}

static VOID Queue(PVOID Object)
{
    FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Object, Work, DelayedWorkQueue, NULL);
}

static VOID NTAPI Dereference(PVOID Context)
{
    for (ULONG Index = 0; Index < 3; Index++)
        FltObjectDereference(First);
    FltObjectDereference(Filter);
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Case == 13)
        DetachNamed(L"first");
    return Case == 9 ? FLT_PREOP_PENDING : FLT_PREOP_SUCCESS_NO_CALLBACK; /* and is forgotten */
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystemType)
{
    if (Case == 3)
        DetachNamed(L"first");
    return STATUS_SUCCESS;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    if (Case == 4 && InterlockedIncrement(&Asked) == 1)
        DetachNamed(L"first");
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    if (Case != 7)
        FltObjectDereference(Volume);
    FltUnregisterFilter(Filter);
    KeSetEvent(&Gone, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};
static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {.ContextType = FLT_INSTANCE_CONTEXT, .Size = sizeof(OPLOCK), .PoolTag = 'tiaW'},
    {.ContextType = FLT_CONTEXT_END},
};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

static VOID Run(VOID)
{
    PDEVICE_OBJECT Device;
    PFLT_FILTER Same;
    POPLOCK Context;
    PKTHREAD Thread;

    switch (Case) {
    case 1:
    case 8: Queue(Filter); break;
    case 2: Queue(First); break;
    case 4: DetachNamed(L"first"); break;
    case 5:
        FltObjectReference(First); /* 5:since */
        break;
    case 6:
        FltGetFilterFromInstance(First, &Same); /* 6:since */
        break;
    case 12:
        FltAllocateCallbackData(First, NULL, &Forgotten); /* 12:allocated */
        break;
    case 14:
        FltGetDeviceObject(Volume, &Device); /* 14:blamed */
        break;
    case 15:
        FltGetDiskDeviceObject(Volume, &Device); /* 15:blamed */
        break;
    case 16:
        FltInitializeOplock(&Oplock); /* 16:blamed */
        break;
    case 17:
        FltAllocateContext(Filter, FLT_INSTANCE_CONTEXT, sizeof(OPLOCK), NonPagedPoolNx, (PFLT_CONTEXT *)&Context);
        FltInitializeOplock(Context); /* 17:blamed */
        FltReleaseContext(Context);
        break;
    case 10:
        /* What is given back is not told. */
        FltGetDeviceObject(Volume, &Device);
        ObDereferenceObject(Device);
        FltGetDiskDeviceObject(Volume, &Device);
        ObDereferenceObject(Device);
        FltInitializeOplock(&Oplock);
        FltUninitializeOplock(&Oplock);
        for (ULONG Index = 0; Index < 3; Index++)
            FltObjectReference(First);
        FltObjectReference(Filter);
        Thread = StartThread(Dereference, NULL);
        JoinThread(Thread);
        break;
    case 11:
        Queue(First);
        Queue(Second);
        break;
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING VolumeName = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    UNICODE_STRING FirstName = RTL_CONSTANT_STRING(L"first"), SecondName = RTL_CONSTANT_STRING(L"second");
    NTSTATUS Status;

    KeInitializeEvent(&Gone, NotificationEvent, FALSE);
    KeInitializeEvent(&Meet, NotificationEvent, FALSE);
    Case = ReadNumber(RegistryPath, L"Case");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    FltGetVolumeFromName(Filter, &VolumeName, &Volume); /* 7:taken */
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, &FirstName, &First)))
        FltGetVolumeInstanceFromName(Filter, Volume, NULL, &First);
    if (!NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, &SecondName, &Second)))
        FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Second);
    FltObjectDereference(Second);
    FltObjectDereference(First); /* the filter's own pointers last as long as its instances */
    Run();
    return Status;
}
