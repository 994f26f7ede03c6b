/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred I/O work items: when an operation may be posted, and that one posted from a pre-callback, or from a
 * post-callback at DISPATCH_LEVEL, comes back.  The value "Case" says which; "Upper" makes this the filter above, which
 * sends down what no program would.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static ULONG Case, Upper;
static PFLT_CALLBACK_DATA Held;
static LONG Worked;
static BOOLEAN Returned, Left; /* the routine, the pre-callback that gave it the operation */

enum {
    Plain = 1,    /* posted from the pre-callback */
    Post,         /* posted from the post-callback, in a DPC */
    Paging,       /* a paging read */
    NotIrp,       /* not IRP-based */
    TopLevel,     /* a thread with a top-level request, in the pre-callback */
    TopLevelPost, /* the same in a post-callback below DISPATCH_LEVEL */
    Going,        /* the instance is torn down while the operation is pended */
    Draining,     /* from a draining post-callback */
    System,       /* the reserved queue, without the verifier */
    Slow,         /* the pre-callback takes its time to return; the operation is over before */
};

static VOID NTAPI Work(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL && PsIsSystemThread(PsGetCurrentThread()) && Context == &Worked);
    FvCheck(Data == Held);
    InterlockedIncrement(&Worked);
    FltFreeDeferredIoWorkItem(Item);
    if (Case == Post)
        FltCompletePendedPostOperation(Data);
    else
        FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
    /* The operation is over, and this is the filter's code still: it is not to go. */
    Sleep(20);
    Returned = TRUE;
}

/* Posted, and with that the worker's; else the status, and nothing is left. */
static NTSTATUS Queue(PFLT_CALLBACK_DATA Data, WORK_QUEUE_TYPE Type)
{
    PFLT_DEFERRED_IO_WORKITEM Item = FltAllocateDeferredIoWorkItem();
    NTSTATUS Status;

    Held = Data;
    Status = FltQueueDeferredIoWorkItem(Item, Data, Work, Type, &Worked);
    if (!NT_SUCCESS(Status))
        FltFreeDeferredIoWorkItem(Item);
    return Status;
}

static VOID SendPagingRead(PCFLT_RELATED_OBJECTS FltObjects, ULONG Length)
{
    LARGE_INTEGER Offset = {.QuadPart = 4096};
    PVOID Block = ExAllocatePoolWithTag(NonPagedPoolNx, Length, 'borP');
    ULONG Read;

    FltReadFile(FltObjects->Instance, FltObjects->FileObject, &Offset, Length, Block,
                FLTFL_IO_OPERATION_NON_CACHED | FLTFL_IO_OPERATION_PAGING |
                    FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET,
                &Read, NULL, NULL);
    ExFreePoolWithTag(Block, 'borP');
}

static FLT_PREOP_CALLBACK_STATUS PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PIRP Top = IoGetTopLevelIrp();

    if (Upper) {
        SendPagingRead(FltObjects, Data->Iopb->Parameters.Read.Length);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    switch (Case) {
    case Plain: FvCheck(Queue(Data, CriticalWorkQueue) == STATUS_SUCCESS); return FLT_PREOP_PENDING;
    case Slow:
        FvCheck(Queue(Data, CriticalWorkQueue) == STATUS_SUCCESS);
        Sleep(50);
        Left = TRUE;
        return FLT_PREOP_PENDING;
    case Paging:
        if (FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO))
            FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_FLT_NOT_SAFE_TO_POST_OPERATION);
        break;
    case NotIrp:
        ClearFlag(Data->Flags, FLTFL_CALLBACK_DATA_IRP_OPERATION);
        FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_FLT_NOT_SAFE_TO_POST_OPERATION);
        SetFlag(Data->Flags, FLTFL_CALLBACK_DATA_IRP_OPERATION);
        break;
    case TopLevel:
        IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
        FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_FLT_NOT_SAFE_TO_POST_OPERATION);
        IoSetTopLevelIrp(Top);
        break;
    case System: FvCheck(Queue(Data, (WORK_QUEUE_TYPE)2) == STATUS_INVALID_PARAMETER); break;
    case TopLevelPost: return FLT_PREOP_SYNCHRONIZE;
    case Going: Held = Data; return FLT_PREOP_PENDING;
    case Post:
    case Draining: return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                           FLT_POST_OPERATION_FLAGS Flags)
{
    PIRP Top = IoGetTopLevelIrp();

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)) {
        FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_FLT_DELETING_OBJECT);
        return FLT_POSTOP_FINISHED_PROCESSING;
    }
    if (Case == Post) {
        FvCheck(KeGetCurrentIrql() == DISPATCH_LEVEL);
        FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_SUCCESS);
        return FLT_POSTOP_MORE_PROCESSING_REQUIRED;
    }
    if (Case == TopLevelPost) {
        IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
        FvCheck(KeGetCurrentIrql() < DISPATCH_LEVEL &&
                Queue(Data, DelayedWorkQueue) == STATUS_FLT_NOT_SAFE_TO_POST_OPERATION);
        IoSetTopLevelIrp(Top);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID TeardownStart(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_TEARDOWN_FLAGS Reason)
{
    PFLT_CALLBACK_DATA Data = Held;

    if (Case != Going)
        return;
    FvCheck(Queue(Data, DelayedWorkQueue) == STATUS_FLT_DELETING_OBJECT);
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL);
}

static BOOLEAN Posts(VOID)
{
    return Case == Plain || Case == Post || Case == Slow;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    if (!Upper)
        FvCheck(Worked == Posts() && Returned == Posts() && Left == (Case == Slow));
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreRead, .PostOperation = PostRead},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};
static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceTeardownStartCallback = TeardownStart,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Case = ReadNumber(RegistryPath, L"Case");
    Upper = ReadNumber(RegistryPath, L"Upper");
    if (!Upper)
        FvTestPlan(Case == Plain || Case == Slow ? 4 : Case == Post ? 5 : 2);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
