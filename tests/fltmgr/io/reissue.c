/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FltReissueSynchronousIo.  The value "Part" says what a filter is: one that only logs, one that lets requests fail or
 * wait, or the one that reissues them.  "Fault" is what the latter does wrong; the line of the call that a report must
 * name says so in a comment.
 */
#include "../../inc/minifilter.h"

#define PART_LOG     0
#define PART_REFUSE  1
#define PART_REISSUE 2

static PFLT_FILTER Filter;
static ULONG Part, Fault;
static PCWSTR Who;
static PFLT_INSTANCE Other;
static ULONG Refused;
static PUCHAR Swapped;
static BOOLEAN Swap;

static VOID Log(PCSTR What, PFLT_CALLBACK_DATA Data)
{
    DbgPrint("%S: %s %s generated %d reissued %d dirty %d status 0x%08X\n", Who, What,
             FltGetIrpName(Data->Iopb->MajorFunction), FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO) != 0,
             FLT_IS_REISSUED_IO(Data) != 0, FltIsCallbackDataDirty(Data), Data->IoStatus.Status);
}

/* --- Refusing: what was not reissued, or by the length of a read what the reissued one is to meet --- */

static VOID NTAPI GoOn(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FltFreeDeferredIoWorkItem(Item);
    Sleep(1);
    FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_WITH_CALLBACK, NULL);
}

static FLT_PREOP_CALLBACK_STATUS Refuse(PFLT_CALLBACK_DATA Data)
{
    if (Data->Iopb->MajorFunction != IRP_MJ_READ && Data->Iopb->MajorFunction != IRP_MJ_WRITE)
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    if (!FLT_IS_REISSUED_IO(Data)) {
        Refused++;
        Data->IoStatus.Status = STATUS_RETRY;
        Data->IoStatus.Information = 0;
        return FLT_PREOP_COMPLETE;
    }
    switch (Data->Iopb->Parameters.Read.Length) {
    case 1024: /* it waits for another thread */
        return NT_SUCCESS(
                   FltQueueDeferredIoWorkItem(FltAllocateDeferredIoWorkItem(), Data, GoOn, DelayedWorkQueue, NULL))
                   ? FLT_PREOP_PENDING
                   : FLT_PREOP_SUCCESS_NO_CALLBACK;
    case 1536: /* again */ Data->IoStatus.Status = STATUS_RETRY; return FLT_PREOP_COMPLETE;
    case 2048: return FLT_PREOP_SYNCHRONIZE;
    case 2560: return FLT_PREOP_SUCCESS_NO_CALLBACK; /* and the post-callback is not called */
    default: return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    }
}

/* --- Reissuing --- */

/* Nothing is open: who knows that the file object's name is what it was may ask for it. */
static VOID CheckNameOnReparse(PFLT_CALLBACK_DATA Data)
{
    FLT_FILE_NAME_OPTIONS Opened = FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT;
    UNICODE_STRING Wanted = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\made.txt");
    PFLT_FILE_NAME_INFORMATION Name;

    FvCheck(FltGetFileNameInformation(Data, Opened, &Name) == STATUS_FLT_INVALID_NAME_REQUEST);
    FvCheck(FltGetFileNameInformation(Data, Opened | FLT_FILE_NAME_ALLOW_QUERY_ON_REPARSE, &Name) == STATUS_SUCCESS);
    FvCheck(RtlEqualUnicodeString(&Name->Name, &Wanted, TRUE));
    FltReleaseFileNameInformation(Name);
}

static VOID ReissueCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_PARAMETERS P = &Data->Iopb->Parameters;
    PUNICODE_STRING Name = &FltObjects->FileObject->FileName;

    if (Data->IoStatus.Status == STATUS_REPARSE) {
        FvCheck(Data->TagData != NULL);
        CheckNameOnReparse(Data);
        P->Create.Options |= FILE_OPEN_REPARSE_POINT;
        FltSetCallbackDataDirty(Data);
        FltReissueSynchronousIo(FltObjects->Instance, Data);
        FvCheck(Data->TagData == NULL && Data->IoStatus.Status == STATUS_SUCCESS);
    } else if (Data->IoStatus.Status == STATUS_OBJECT_NAME_NOT_FOUND && Name->Buffer[1] == 'm') {
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* the same */
        FvCheck(Data->IoStatus.Status == STATUS_OBJECT_NAME_NOT_FOUND);
        P->Create.Options = (P->Create.Options & 0xFFFFFF) | FILE_OPEN_IF << 24;
        FltSetCallbackDataDirty(Data);
        Data->IoStatus.Status = STATUS_SUCCESS; /* as many do: nothing is open for all that */
        Data->IoStatus.Information = 0;
        FltReissueSynchronousIo(FltObjects->Instance, Data);
        FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Data->IoStatus.Information == FILE_CREATED);
        FvCheck(!FltIsCallbackDataDirty(Data));
    } else if (NT_SUCCESS(Data->IoStatus.Status) && Name->Length > 2 && Name->Buffer[1] == 'c') {
        FltCancelFileOpen(FltObjects->Instance, FltObjects->FileObject);
        FltReissueSynchronousIo(FltObjects->Instance, Data);
        FvCheck(Data->IoStatus.Status == STATUS_CANCELLED && Data->IoStatus.Information == 0);
    }
}

/* Into a buffer of the filter's own, which those below get no MDL for. */
static VOID ReissueRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PVOID Buffer = Data->Iopb->Parameters.Read.ReadBuffer;
    PMDL Mdl = Data->Iopb->Parameters.Read.MdlAddress;
    ULONG Length = Data->Iopb->Parameters.Read.Length;

    if (Swap) {
        FvCheck(NT_SUCCESS(FltLockUserBuffer(Data)));
        Mdl = Data->Iopb->Parameters.Read.MdlAddress;
        Data->Iopb->Parameters.Read.ReadBuffer = Swapped;
        Data->Iopb->Parameters.Read.MdlAddress = IoAllocateMdl(Swapped, Length, FALSE, FALSE, NULL);
        MmBuildMdlForNonPagedPool(Data->Iopb->Parameters.Read.MdlAddress);
        FltSetCallbackDataDirty(Data);
    }
    FltReissueSynchronousIo(FltObjects->Instance, Data);
    if (Length == 1536) {
        FvCheck(Data->IoStatus.Status == STATUS_RETRY);
        Data->IoStatus.Status = STATUS_IO_DEVICE_ERROR;
    } else {
        FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Data->IoStatus.Information == Length);
    }
    if (!Swap)
        return;
    IoFreeMdl(Data->Iopb->Parameters.Read.MdlAddress);
    Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
    Data->Iopb->Parameters.Read.MdlAddress = Mdl;
    RtlCopyMemory(MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority), Swapped, Length);
}

/* What the filter allocated itself, outside of any callback of that request. */
static VOID ReissueOwn(PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_CALLBACK_DATA Data;

    FvCheck(FltAllocateCallbackData(FltObjects->Instance, FltObjects->FileObject, &Data) == STATUS_SUCCESS);
    Data->Iopb->MajorFunction = IRP_MJ_READ;
    Data->Iopb->IrpFlags = IRP_NOCACHE | IRP_READ_OPERATION;
    Data->Iopb->Parameters.Read.Length = 512;
    Data->Iopb->Parameters.Read.ReadBuffer = Swapped;
    FltPerformSynchronousIo(Data);
    FvCheck(Data->IoStatus.Status == STATUS_RETRY);
    FltReissueSynchronousIo(FltObjects->Instance, Data);
    FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Data->IoStatus.Information == 512 && Swapped[0] == 'A');
    Data->Iopb->Parameters.Read.ByteOffset.QuadPart = 4096;
    FltSetCallbackDataDirty(Data);
    FltReissueSynchronousIo(FltObjects->Instance, Data);
    FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Swapped[0] == 'B' && !FltIsCallbackDataDirty(Data));
    FltPerformSynchronousIo(Data); /* and this is none any more */
    FvCheck(Data->IoStatus.Status == STATUS_RETRY && !FLT_IS_REISSUED_IO(Data));
    FltFreeCallbackData(Data);
}

/* --- Wrongly --- */

static DECLSPEC_NOINLINE VOID Misuse(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_CALLBACK_DATA Own;
    KIRQL Irql;

    switch (Fault) {
    case 1:
    case 2:
    case 7:
    case 8:
    case 11:
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* [1] [2] [7] [8] [11] */
        Fault += 1;
        break;
    case 12: /* what it says of the file does not close it */
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* [12] */
        Fault += 1;
        break;
    case 3:
        FltReissueSynchronousIo(Other, Data); /* [3] */
        Fault += 3;
        break;
    case 4:
        Data->Iopb->Parameters.Read.Length = 512;
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* [4] */
        Fault += 4;
        break;
    case 5:
        KeRaiseIrql(APC_LEVEL, &Irql);
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* [5] */
        Fault += 5;
        break;
    case 6:
    case 9:
    case 10:
        FltAllocateCallbackData(FltObjects->Instance, FltObjects->FileObject, &Own);
        Own->Iopb->MajorFunction = IRP_MJ_FLUSH_BUFFERS;
        if (Fault != 6)
            FltPerformSynchronousIo(Own);
        if (Fault == 9)
            Own->Iopb->MajorFunction = IRP_MJ_READ;
        FltReissueSynchronousIo(Fault == 10 ? NULL : FltObjects->Instance, Own); /* [6] [9] [10] */
        Fault += 6;
        break;
    }
}

/* Whether this post-callback is the one that does it. */
static BOOLEAN IsDue(PFLT_CALLBACK_DATA Data, FLT_POST_OPERATION_FLAGS Flags)
{
    UCHAR Major = Data->Iopb->MajorFunction;

    switch (Fault) {
    case 0: return FALSE;
    case 2: return Major == IRP_MJ_QUERY_INFORMATION;
    case 7:
    case 12: return Major == IRP_MJ_CREATE && NT_SUCCESS(Data->IoStatus.Status);
    case 8: return !FLT_IS_IRP_OPERATION(Data);
    case 11: return FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) != 0;
    default: return Major == IRP_MJ_READ;
    }
}

static FLT_PREOP_CALLBACK_STATUS Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (!FLT_IS_IRP_OPERATION(Data))
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    Log("pre", Data);
    if (Part == PART_REFUSE)
        return Refuse(Data);
    if (Part != PART_REISSUE)
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    if (Data->Iopb->MajorFunction == IRP_MJ_FLUSH_BUFFERS) {
        if (Fault == 6 || Fault == 9 || Fault == 10)
            Misuse(Data, FltObjects);
        else if (Fault == 0)
            ReissueOwn(FltObjects);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (Fault == 1 && Data->Iopb->MajorFunction == IRP_MJ_READ)
        Misuse(Data, FltObjects);
    return Data->Iopb->MajorFunction == IRP_MJ_CREATE || Fault == 2 ? FLT_PREOP_SUCCESS_WITH_CALLBACK
                                                                    : FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                       FLT_POST_OPERATION_FLAGS Flags)
{
    UCHAR Major = Data->Iopb->MajorFunction;

    if (FLT_IS_IRP_OPERATION(Data))
        Log(FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) ? "drain" : "post", Data);
    if (Part != PART_REISSUE)
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (IsDue(Data, Flags))
        Misuse(Data, FltObjects);
    if (Fault != 0 || !FLT_IS_IRP_OPERATION(Data) || FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (Major == IRP_MJ_CREATE)
        ReissueCreate(Data, FltObjects);
    else if (Major == IRP_MJ_READ && Data->IoStatus.Status == STATUS_RETRY)
        ReissueRead(Data, FltObjects);
    else if (Major == IRP_MJ_WRITE && Data->IoStatus.Status == STATUS_RETRY) {
        FltReissueSynchronousIo(FltObjects->Instance, Data); /* without memory */
        FvCheck(Data->IoStatus.Status == STATUS_INSUFFICIENT_RESOURCES || Data->IoStatus.Status == STATUS_SUCCESS);
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS QueryTeardown(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS Setup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags, DEVICE_TYPE DeviceType,
                      FLT_FILESYSTEM_TYPE FileSystem)
{
    return STATUS_SUCCESS;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    ExFreePool(Swapped);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_CREATE, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_READ, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_FLUSH_BUFFERS, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = Pre, .PostOperation = Post},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceSetupCallback = Setup,
    .InstanceQueryTeardownCallback = QueryTeardown,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const PCWSTR Names[] = {L"log", L"refuse", L"reissue"};
    ULONG Plan = ReadNumber(RegistryPath, L"Plan");
    NTSTATUS Status;

    Part = ReadNumber(RegistryPath, L"Part");
    Fault = ReadNumber(RegistryPath, L"Fault");
    Swap = ReadNumber(RegistryPath, L"Swap") != 0;
    Who = Names[Part];
    if (Plan != 0)
        FvTestPlan(Plan);
    Swapped = ExAllocatePoolWithTag(NonPagedPoolNx, 4096, 'tseT');
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
