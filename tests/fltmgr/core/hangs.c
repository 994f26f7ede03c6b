/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does not give back what it has, so that something lasts for ever; the value "Way" says how.  Two instances: what the upper
 * one sends itself is held by the lower one.
 */
#include "../../inc/minifilter.h"

enum {
    WayPended = 1, /* pended and forgotten */
    WayQueue,      /* in a cancel-safe queue */
    WayKept,       /* kept by the post-callback */
    WayInPre,      /* the pre-callback waits */
    WayInPost,     /* the post-callback waits; at PASSIVE_LEVEL, for a create */
    WayOwn,        /* the upper instance reads itself, and waits */
    WayOwnLater,   /* the same, with a callback */
    WayMany,       /* pended and forgotten, forty of them */
};

static PFLT_FILTER Filter;
static ULONG Way;
static FLT_CALLBACK_DATA_QUEUE Queue;
static KSPIN_LOCK Lock;
static LIST_ENTRY List;
static KEVENT Never;
static UCHAR Buffer[512];

static NTSTATUS InsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    InsertTailList(&List, &Data->QueueLinks);
    return STATUS_SUCCESS;
}

static VOID RemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    RemoveEntryList(&Data->QueueLinks);
}

static PFLT_CALLBACK_DATA PeekNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    return NULL;
}

static VOID Acquire(PFLT_CALLBACK_DATA_QUEUE Cbdq, PKIRQL Irql)
{
    KeAcquireSpinLock(&Lock, Irql);
}

static VOID Release(PFLT_CALLBACK_DATA_QUEUE Cbdq, KIRQL Irql)
{
    KeReleaseSpinLock(&Lock, Irql);
}

static VOID CompleteCanceledIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
}

static VOID ReadDone(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
}

static VOID ReadOneself(PCFLT_RELATED_OBJECTS FltObjects)
{
    LARGE_INTEGER Offset = {.QuadPart = 0};
    ULONG Count;

    if (Way == WayOwn)
        FltReadFile(FltObjects->Instance, FltObjects->FileObject, &Offset, sizeof(Buffer), Buffer, // sends
                    FLTFL_IO_OPERATION_NON_CACHED, &Count, NULL, NULL);
    else
        FltReadFile(FltObjects->Instance, FltObjects->FileObject, &Offset, sizeof(Buffer), Buffer, // sends later
                    FLTFL_IO_OPERATION_NON_CACHED, NULL, ReadDone, NULL);
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    switch (Way) {
    case WayQueue: FltCbdqInsertIo(&Queue, Data, NULL, NULL); break;
    case WayKept: return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case WayInPre: KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL); break;
    case WayInPost: return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case WayOwn:
    case WayOwnLater:
        if (!FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO))
            ReadOneself(FltObjects);
        break;
    default: break;
    }
    return FLT_PREOP_PENDING;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
}

static FLT_PREOP_CALLBACK_STATUS PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    return Way == WayInPost ? FLT_PREOP_SUCCESS_WITH_CALLBACK : FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    return FltCbdqInitialize(FltObjects->Instance, &Queue, InsertIo, RemoveIo, PeekNextIo, Acquire, Release,
                             CompleteCanceledIo);
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = PreCreate, .PostOperation = PostCreate},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .InstanceSetupCallback = Setup,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    InitializeListHead(&List);
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    Way = ReadNumber(RegistryPath, L"Way");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
