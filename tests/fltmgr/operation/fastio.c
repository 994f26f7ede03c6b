/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fast I/O through two instances of a filter: what they are told, change, complete, disallow; and what they may not.
 * The value Misuse of the service's key names a rule to break.
 */
#include "../../inc/minifilter.h"

typedef enum _ACT {
    Pass,
    WithCallback,
    Complete,
    Disallow,
    Synchronize,
    Shorten,
    LockBuffer,
    Keep,
    KeepInPost,
    GiveBack,
    Queue
} ACT;

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static HANDLE Handle;
static PFILE_OBJECT File;
static PDEVICE_OBJECT Top;
static PFAST_IO_DISPATCH Fast;
static ACT HighDoes, LowDoes;
static ULONG HighPre, LowPre, HighPost, LowPost;
static FLT_IO_PARAMETER_BLOCK Seen;           /* by the high instance's pre-callback */
static IO_STATUS_BLOCK HighStatus, LowStatus; /* in the post-callbacks */

static VOID NTAPI Work(PFLT_DEFERRED_IO_WORKITEM Item, PFLT_CALLBACK_DATA Data, PVOID Context)
{
}

static VOID NTAPI Cancelled(PFLT_CALLBACK_DATA Data)
{
}

/* What only a request can be. */
static VOID TryToQueue(PFLT_CALLBACK_DATA Data)
{
    PFLT_DEFERRED_IO_WORKITEM Item = FltAllocateDeferredIoWorkItem();

    FvCheck(FltQueueDeferredIoWorkItem(Item, Data, Work, DelayedWorkQueue, NULL) ==
            STATUS_FLT_NOT_SAFE_TO_POST_OPERATION);
    FltFreeDeferredIoWorkItem(Item);
    FvCheck(FltSetCancelCompletion(Data, Cancelled) == STATUS_INVALID_PARAMETER);
}

static FLT_PREOP_CALLBACK_STATUS Act(PFLT_CALLBACK_DATA Data, ACT Does, PVOID *Context)
{
    switch (Does) {
    case WithCallback:
    case KeepInPost: *Context = &Filter; return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case Complete:
        Data->IoStatus.Status = STATUS_SUCCESS;
        Data->IoStatus.Information = 5;
        return FLT_PREOP_COMPLETE;
    case Disallow: return FLT_PREOP_DISALLOW_FASTIO;
    case Synchronize: *Context = &Filter; return FLT_PREOP_SYNCHRONIZE;
    case Shorten:
        Data->Iopb->Parameters.Read.Length /= 2;
        FltSetCallbackDataDirty(Data);
        *Context = &Filter;
        return FLT_PREOP_SUCCESS_WITH_CALLBACK;
    case LockBuffer:
        FvCheck(FltLockUserBuffer(Data) == STATUS_SUCCESS && Data->Iopb->Parameters.Read.MdlAddress != NULL &&
                FltIsCallbackDataDirty(Data));
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    case Keep: return FLT_PREOP_PENDING;
    case GiveBack: FltCompletePendedPreOperation(Data, FLT_PREOP_SUCCESS_NO_CALLBACK, NULL); break; /* [9] */
    case Queue: TryToQueue(Data); break;
    default: break;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{ /* [7] */
    if (!FLT_IS_FASTIO_OPERATION(Data) || FltObjects->FileObject != File)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (FltObjects->Instance == High) {
        HighPre++;
        Seen = *Data->Iopb;
        FvCheck(!FLT_IS_IRP_OPERATION(Data) && !FLT_IS_FS_FILTER_OPERATION(Data) &&
                Data->Thread == PsGetCurrentThread() && FltIsOperationSynchronous(Data));
        return Act(Data, HighDoes, Context);
    }
    LowPre++;
    return Act(Data, LowDoes, Context);
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI Post(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                             FLT_POST_OPERATION_FLAGS Flags)
{ /* [8] */
    FvCheck(Context == &Filter && Flags == 0 && FLT_IS_FASTIO_OPERATION(Data));
    if (FltObjects->Instance == High) {
        HighPost++;
        HighStatus = Data->IoStatus;
        return HighDoes == KeepInPost ? FLT_POSTOP_MORE_PROCESSING_REQUIRED : FLT_POSTOP_FINISHED_PROCESSING;
    }
    LowPost++;
    LowStatus = Data->IoStatus;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID Do(ACT HighAct, ACT LowAct)
{
    HighDoes = HighAct;
    LowDoes = LowAct;
    HighPre = LowPre = HighPost = LowPost = 0;
    RtlZeroMemory(&Seen, sizeof(Seen));
}

static BOOLEAN Called(ULONG HighFirst, ULONG LowFirst, ULONG HighLast, ULONG LowLast)
{
    return HighPre == HighFirst && LowPre == LowFirst && HighPost == HighLast && LowPost == LowLast;
}

static UCHAR Buffer[64];

static BOOLEAN Read(LONGLONG Offset, PIO_STATUS_BLOCK IoStatus)
{
    LARGE_INTEGER Place = {.QuadPart = Offset};

    RtlZeroMemory(Buffer, sizeof(Buffer));
    RtlFillMemory(IoStatus, sizeof(*IoStatus), 0x11);
    return Fast->FastIoRead(File, &Place, 64, TRUE, 9, Buffer, IoStatus, Top);
}

static VOID CheckReads(VOID)
{
    IO_STATUS_BLOCK IoStatus;

    Do(Pass, Pass);
    FvCheck(Read(100, &IoStatus) && IoStatus.Status == STATUS_SUCCESS && IoStatus.Information == 64 &&
            Buffer[63] == 'f' && Called(1, 1, 0, 0));
    FvCheck(Seen.MajorFunction == IRP_MJ_READ && Seen.MinorFunction == 0 && Seen.IrpFlags == 0 &&
            Seen.TargetInstance == High && Seen.Parameters.Read.Length == 64 && Seen.Parameters.Read.Key == 9 &&
            Seen.Parameters.Read.ByteOffset.QuadPart == 100 && Seen.Parameters.Read.ReadBuffer == Buffer &&
            Seen.Parameters.Read.MdlAddress == NULL);
    Do(WithCallback, Synchronize);
    FvCheck(Read(0, &IoStatus) && Called(1, 1, 1, 1) && HighStatus.Information == 64 &&
            LowStatus.Status == STATUS_SUCCESS);
    /* Not possible below. */
    FvCheck(!Read(4096, &IoStatus) && Called(2, 2, 2, 2) && HighStatus.Status == STATUS_FLT_DISALLOW_FAST_IO &&
            LowStatus.Status == STATUS_FLT_DISALLOW_FAST_IO);
    /* Completed, disallowed: those below are not asked. */
    Do(WithCallback, Complete);
    FvCheck(Read(0, &IoStatus) && IoStatus.Information == 5 && Buffer[0] == 0 && Called(1, 1, 1, 0) &&
            HighStatus.Information == 5);
    Do(WithCallback, Disallow);
    FvCheck(!Read(0, &IoStatus) && Buffer[0] == 0 && Called(1, 1, 1, 0) &&
            HighStatus.Status == STATUS_FLT_DISALLOW_FAST_IO);
    Do(Disallow, Pass);
    FvCheck(!Read(0, &IoStatus) && Called(1, 0, 0, 0));
    /* Changed for those below. */
    Do(Shorten, WithCallback);
    FvCheck(Read(0, &IoStatus) && IoStatus.Information == 32 && Buffer[31] == 'f' && Buffer[32] == 0 &&
            Called(1, 1, 1, 1));
    Do(LockBuffer, Pass);
    FvCheck(Read(0, &IoStatus) && IoStatus.Information == 64);
    Do(Queue, Pass);
    FvCheck(Read(0, &IoStatus));
}

static BOOLEAN Saw(UCHAR Major)
{
    return Called(1, 1, 1, 1) && Seen.MajorFunction == Major;
}

static VOID CheckOthers(VOID)
{
    LARGE_INTEGER Place = {.QuadPart = 200}, Length = {.QuadPart = 10};
    FILE_NETWORK_OPEN_INFORMATION Network = {0};
    FILE_STANDARD_INFORMATION Standard = {0};
    FILE_BASIC_INFORMATION Basic = {0};
    PEPROCESS Process = PsGetCurrentProcess();
    IO_STATUS_BLOCK IoStatus;
    PMDL Mdl = NULL;
    PIRP Irp;

    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoWrite(File, &Place, 64, TRUE, 7, Buffer, &IoStatus, Top) && IoStatus.Information == 64 &&
            Saw(IRP_MJ_WRITE) && Seen.Parameters.Write.Length == 64 && Seen.Parameters.Write.WriteBuffer == Buffer);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoCheckIfPossible(File, &Place, 64, TRUE, 7, TRUE, &IoStatus, Top) &&
            Saw(IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE) && Seen.Parameters.FastIoCheckIfPossible.Length == 64 &&
            Seen.Parameters.FastIoCheckIfPossible.LockKey == 7 &&
            Seen.Parameters.FastIoCheckIfPossible.CheckForReadOperation &&
            Seen.Parameters.FastIoCheckIfPossible.FileOffset.QuadPart == 200);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoQueryBasicInfo(File, TRUE, &Basic, &IoStatus, Top) && Basic.FileAttributes == 0x77 &&
            Saw(IRP_MJ_QUERY_INFORMATION) && Seen.Parameters.QueryFileInformation.Length == sizeof(Basic) &&
            Seen.Parameters.QueryFileInformation.FileInformationClass == FileBasicInformation &&
            Seen.Parameters.QueryFileInformation.InfoBuffer == &Basic);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoQueryStandardInfo(File, TRUE, &Standard, &IoStatus, Top) &&
            Standard.EndOfFile.QuadPart == 4096 &&
            Seen.Parameters.QueryFileInformation.FileInformationClass == FileStandardInformation);
    FvCheck(Fast->FastIoQueryNetworkOpenInfo(File, TRUE, &Network, &IoStatus, Top) && Network.FileAttributes == 0x55 &&
            Seen.Parameters.QueryFileInformation.FileInformationClass == FileNetworkOpenInformation);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoLock(File, &Place, &Length, Process, 3, TRUE, FALSE, &IoStatus, Top) &&
            Saw(IRP_MJ_LOCK_CONTROL) && Seen.MinorFunction == IRP_MN_LOCK &&
            Seen.Parameters.LockControl.Length == &Length && Seen.Parameters.LockControl.ByteOffset.QuadPart == 200 &&
            Seen.Parameters.LockControl.Key == 3 && Seen.Parameters.LockControl.ProcessId == Process &&
            Seen.Parameters.LockControl.FailImmediately && !Seen.Parameters.LockControl.ExclusiveLock);
    FvCheck(Fast->FastIoUnlockSingle(File, &Place, &Length, Process, 3, &IoStatus, Top) &&
            Seen.MinorFunction == IRP_MN_UNLOCK_SINGLE && Seen.Parameters.LockControl.Key == 3);
    FvCheck(Fast->FastIoUnlockAll(File, Process, &IoStatus, Top) && Seen.MinorFunction == IRP_MN_UNLOCK_ALL &&
            Seen.Parameters.LockControl.ProcessId == Process);
    FvCheck(Fast->FastIoUnlockAllByKey(File, Process, 8, &IoStatus, Top) &&
            Seen.MinorFunction == IRP_MN_UNLOCK_ALL_BY_KEY && Seen.Parameters.LockControl.Key == 8);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoDeviceControl(File, TRUE, Buffer, 4, &Basic, 8, 0x222000, &IoStatus, Top) &&
            IoStatus.Information == 3 && Saw(IRP_MJ_DEVICE_CONTROL) &&
            Seen.Parameters.DeviceIoControl.FastIo.InputBuffer == Buffer &&
            Seen.Parameters.DeviceIoControl.FastIo.OutputBuffer == &Basic &&
            Seen.Parameters.DeviceIoControl.FastIo.InputBufferLength == 4 &&
            Seen.Parameters.DeviceIoControl.FastIo.OutputBufferLength == 8 &&
            Seen.Parameters.DeviceIoControl.FastIo.IoControlCode == 0x222000);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->MdlRead(File, &Place, 64, 7, &Mdl, &IoStatus, Top) && Mdl == (PMDL)1 && Saw(IRP_MJ_MDL_READ) &&
            Seen.Parameters.MdlRead.Length == 64 && Seen.Parameters.MdlRead.MdlChain == &Mdl);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->MdlReadComplete(File, Mdl, Top) && Saw(IRP_MJ_MDL_READ_COMPLETE) &&
            Seen.Parameters.MdlReadComplete.MdlChain == Mdl);
    Do(WithCallback, WithCallback);
    FvCheck(Fast->PrepareMdlWrite(File, &Place, 64, 7, &Mdl, &IoStatus, Top) && Saw(IRP_MJ_PREPARE_MDL_WRITE));
    Do(WithCallback, WithCallback);
    FvCheck(!Fast->MdlWriteComplete(File, &Place, Mdl, Top) && Saw(IRP_MJ_MDL_WRITE_COMPLETE) &&
            Seen.Parameters.MdlWriteComplete.FileOffset.QuadPart == 200 &&
            HighStatus.Status == STATUS_FLT_DISALLOW_FAST_IO);
    Irp = IoAllocateIrp(Top->StackSize, FALSE);
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CREATE;
    IoGetCurrentIrpStackLocation(Irp)->FileObject = File;
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Top;
    Do(WithCallback, WithCallback);
    FvCheck(Fast->FastIoQueryOpen(Irp, &Network, Top) && Network.FileAttributes == 0x33 &&
            Saw(IRP_MJ_NETWORK_QUERY_OPEN) && Seen.Parameters.NetworkQueryOpen.Irp == Irp &&
            Seen.Parameters.NetworkQueryOpen.NetworkInformation == &Network);
    Do(Disallow, Pass);
    FvCheck(!Fast->FastIoQueryOpen(Irp, &Network, Top) && IoGetCurrentIrpStackLocation(Irp)->DeviceObject == Top);
    IoFreeIrp(Irp);
}

/* The I/O manager tries fast I/O first, and makes a request of what is disallowed. */
static VOID CheckManager(VOID)
{
    FILE_BASIC_INFORMATION Basic = {0};
    IO_STATUS_BLOCK IoStatus;

    Do(WithCallback, Pass);
    FvCheck(ZwQueryInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation) == STATUS_SUCCESS &&
            Basic.FileAttributes == 0x77 && Called(1, 1, 1, 0) && IoStatus.Information == sizeof(Basic));
    Do(WithCallback, Disallow);
    FvCheck(ZwQueryInformationFile(Handle, &IoStatus, &Basic, sizeof(Basic), FileBasicInformation) == STATUS_SUCCESS &&
            Basic.FileAttributes == 0 && Called(1, 1, 1, 0));
    Do(Pass, Pass);
    FvCheck(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &IoStatus, 0x222004, NULL, 0, NULL, 0) == STATUS_SUCCESS &&
            IoStatus.Information == 3 && Called(1, 1, 0, 0));
    Do(Disallow, Pass);
    FvCheck(ZwDeviceIoControlFile(Handle, NULL, NULL, NULL, &IoStatus, 0x222004, NULL, 0, NULL, 0) == STATUS_SUCCESS &&
            IoStatus.Information == 0 && Called(1, 0, 0, 0));
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

#define BOTH(Major_) {Major_, 0, Pre, Post}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    BOTH(IRP_MJ_READ),
    BOTH(IRP_MJ_WRITE),
    BOTH(IRP_MJ_QUERY_INFORMATION),
    BOTH(IRP_MJ_LOCK_CONTROL),
    BOTH(IRP_MJ_DEVICE_CONTROL),
    BOTH(IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE),
    BOTH(IRP_MJ_MDL_READ),
    BOTH(IRP_MJ_MDL_READ_COMPLETE),
    BOTH(IRP_MJ_PREPARE_MDL_WRITE),
    BOTH(IRP_MJ_MDL_WRITE_COMPLETE),
    BOTH(IRP_MJ_NETWORK_QUERY_OPEN),
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

static VOID Open(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\file");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(ZwCreateFile(&Handle, FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE, &Attributes,
                         &IoStatus, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN,
                         FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0) == STATUS_SUCCESS);
    FvCheck(ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL) ==
            STATUS_SUCCESS);
    Top = IoGetRelatedDeviceObject(File);
    Fast = Top->DriverObject->FastIoDispatch;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    ULONG Misuse = ReadNumber(Key, L"Misuse");
    IO_STATUS_BLOCK IoStatus;
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    if (Misuse == 0)
        FvTestPlan(114);
    Open();
    if (Misuse != 0) {
        Do((ACT)Misuse, Pass);
        Read(0, &IoStatus);
    } else {
        CheckReads();
        CheckOthers();
        CheckManager();
    }
    ZwClose(Handle);
    ObDereferenceObject(File);
    return STATUS_SUCCESS;
}
