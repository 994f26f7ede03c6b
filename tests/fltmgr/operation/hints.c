/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a filter may ask about an operation and its requestor: priorities, session, activity, waits that its cancellation
 * ends, what the lower driver returned, whether it may go to another volume: each status as documented.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low, Other;
static LONG Told;
static NTSTATUS ToldStatus;
static LARGE_INTEGER ToldOffset;
static PVOID ToldContext;
static PFLT_INSTANCE ToldInstance;

static VOID CheckPriorities(PFLT_CALLBACK_DATA Data, PFILE_OBJECT File)
{
    PETHREAD Thread = PsGetCurrentThread();
    IO_PRIORITY_INFO Info = {.Size = sizeof(Info)}, Before;
    ULONG Flags = Data->Iopb->IrpFlags;

    FvCheck(FltGetIoPriorityHint(Data) == IoPriorityNormal &&
            FltGetIoPriorityHintFromCallbackData(Data) == IoPriorityNormal &&
            FltGetIoPriorityHintFromFileObject(File) == IoPriorityNormal &&
            FltGetIoPriorityHintFromThread(Thread) == IoPriorityNormal);
    FvCheck(FltSetIoPriorityHintIntoThread(Thread, MaxIoPriorityTypes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltSetIoPriorityHintIntoFileObject(File, MaxIoPriorityTypes) == STATUS_INVALID_PARAMETER);
    FvCheck(FltSetIoPriorityHintIntoCallbackData(Data, MaxIoPriorityTypes) == STATUS_INVALID_PARAMETER);
    /* The request's is first, then the file's, then the thread's. */
    FvCheck(FltSetIoPriorityHintIntoThread(Thread, IoPriorityLow) == STATUS_SUCCESS &&
            FltGetIoPriorityHintFromThread(Thread) == IoPriorityLow && FltGetIoPriorityHint(Data) == IoPriorityLow);
    FvCheck(FltSetIoPriorityHintIntoFileObject(File, IoPriorityVeryLow) == STATUS_SUCCESS &&
            FltGetIoPriorityHintFromFileObject(File) == IoPriorityVeryLow &&
            FltGetIoPriorityHint(Data) == IoPriorityVeryLow);
    FvCheck(FltGetIoPriorityHintFromCallbackData(Data) == IoPriorityNormal);
    FvCheck(FltRetrieveIoPriorityInfo(Data, File, Thread, &Info) == STATUS_SUCCESS &&
            Info.IoPriority == IoPriorityVeryLow);
    FvCheck(FltSetIoPriorityHintIntoCallbackData(Data, IoPriorityHigh) == STATUS_SUCCESS &&
            FltGetIoPriorityHintFromCallbackData(Data) == IoPriorityHigh &&
            FltGetIoPriorityHint(Data) == IoPriorityHigh);
    FvCheck(FltRetrieveIoPriorityInfo(Data, File, Thread, &Info) == STATUS_SUCCESS &&
            Info.IoPriority == IoPriorityHigh);
    FvCheck(FltRetrieveIoPriorityInfo(NULL, NULL, Thread, &Info) == STATUS_SUCCESS &&
            Info.IoPriority == IoPriorityLow && Info.ThreadPriority == (ULONG)KeQueryPriorityThread((PKTHREAD)Thread) &&
            Info.PagePriority == 5);
    FvCheck(FltRetrieveIoPriorityInfo(NULL, NULL, NULL, &Info) == STATUS_SUCCESS && Info.ThreadPriority == MAXULONG &&
            Info.PagePriority == MAXULONG && Info.IoPriority == IoPriorityNormal);
    Info.IoPriority = 9;
    FvCheck(FltApplyPriorityInfoThread(&Info, NULL, Thread) == STATUS_INVALID_PARAMETER_1);
    Info.IoPriority = IoPriorityNormal;
    Info.PagePriority = 2;
    FvCheck(FltApplyPriorityInfoThread(&Info, &Before, Thread) == STATUS_SUCCESS &&
            Before.IoPriority == IoPriorityLow && Before.PagePriority == 5);
    FvCheck(FltRetrieveIoPriorityInfo(NULL, NULL, Thread, &Info) == STATUS_SUCCESS && Info.PagePriority == 2 &&
            Info.IoPriority == IoPriorityNormal && Info.ThreadPriority == Before.ThreadPriority);
    Before.IoPriority = IoPriorityNormal;
    FvCheck(FltApplyPriorityInfoThread(&Before, &Before, Thread) == STATUS_SUCCESS && Before.PagePriority == 2);
    Data->Iopb->IrpFlags = Flags;
}

static VOID CheckRequestor(PFLT_CALLBACK_DATA Data)
{
    PETHREAD Thread = Data->Thread;
    ULONG Session = 77;
    GUID Id = {0};
    LPCGUID Original = &Id;

    FvCheck(FltGetRequestorSessionId(Data, &Session) == STATUS_SUCCESS && Session == 0);
    *(PETHREAD *)&Data->Thread = NULL;
    FvCheck(FltGetRequestorSessionId(Data, &Session) == STATUS_UNSUCCESSFUL);
    *(PETHREAD *)&Data->Thread = Thread;
    FvCheck(!FltIs32bitProcess(Data) && !FltIs32bitProcess(NULL));
    FvCheck(FltGetNewSystemBufferAddress(Data) == NULL);
    FvCheck(FltGetActivityIdCallbackData(Data, &Id) == STATUS_NOT_FOUND);
    FvCheck(FltSetActivityIdCallbackData(Data, NULL) == STATUS_NOT_SUPPORTED);
    FvCheck(FltPropagateActivityIdToThread(Data, &Id, &Original) == STATUS_NOT_FOUND && Original == NULL);
    FvCheck(FltPropagateIrpExtension(Data, Data, 0) == STATUS_SUCCESS);
    FvCheck(FltPropagateIrpExtension(Data, Data, 1) == STATUS_INVALID_PARAMETER);
}

static VOID CheckWaits(PFLT_CALLBACK_DATA Data)
{
    LARGE_INTEGER None = {.QuadPart = 0}, Long = {.QuadPart = -100000000};
    KEVENT Event, Another;
    PVOID Both[] = {&Event, &Another};

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeEvent(&Another, NotificationEvent, TRUE);
    FvCheck(FltCancellableWaitForSingleObject(&Event, &None, Data) == STATUS_TIMEOUT);
    FvCheck(FltCancellableWaitForSingleObject(&Another, NULL, Data) == STATUS_SUCCESS);
    FvCheck(FltCancellableWaitForMultipleObjects(2, Both, WaitAny, NULL, NULL, Data) == STATUS_WAIT_1);
    FvCheck(FltCancellableWaitForMultipleObjects(2, Both, WaitAll, &None, NULL, NULL) == STATUS_TIMEOUT);
    FltCancelIo(Data);
    FvCheck(FltCancellableWaitForSingleObject(&Event, &Long, Data) == STATUS_CANCELLED);
}

static VOID CheckRedirection(PFLT_CALLBACK_DATA Data)
{
    BOOLEAN This = FALSE, All = FALSE;

    FvCheck(FltIsIoRedirectionAllowed(High, Other, &This) == STATUS_SUCCESS && This);
    FvCheck(FltIsIoRedirectionAllowed(High, Low, &This) == STATUS_NOT_SUPPORTED && !This);
    FvCheck(FltIsIoRedirectionAllowedForOperation(Data, Other, &This, &All) == STATUS_SUCCESS && This && All);
    FvCheck(FltIsIoRedirectionAllowedForOperation(Data, Low, &This, NULL) == STATUS_NOT_SUPPORTED && !This);
    FvCheck(FltAdjustDeviceStackSizeForIoRedirection(High, Other, &This) == STATUS_SUCCESS && !This);
    FvCheck(FltAdjustDeviceStackSizeForIoRedirection(High, Low, NULL) == STATUS_NOT_SUPPORTED);
}

static VOID NTAPI StatusCallback(PCFLT_RELATED_OBJECTS FltObjects, PFLT_IO_PARAMETER_BLOCK Snapshot, NTSTATUS Status,
                                 PVOID Context)
{
    Told++;
    ToldStatus = Status;
    ToldOffset = Snapshot->Parameters.Read.ByteOffset;
    ToldContext = Context;
    ToldInstance = FltObjects->Instance;
    FvCheck(KeGetCurrentIrql() <= APC_LEVEL && Snapshot->MajorFunction == IRP_MJ_READ);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    LONGLONG Place = Data->Iopb->Parameters.Read.ByteOffset.QuadPart;

    if (FltObjects->Instance == Low && Place == 1024) { /* completed below the one that asked */
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
        return FLT_PREOP_COMPLETE;
    }
    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Place == 0) {
        CheckPriorities(Data, FltObjects->FileObject);
        CheckRequestor(Data);
        CheckRedirection(Data);
    }
    FvCheck(FltRequestOperationStatusCallback(Data, StatusCallback, &Told) == STATUS_SUCCESS);
    return Place == 0 ? FLT_PREOP_SUCCESS_NO_CALLBACK : FLT_PREOP_SYNCHRONIZE;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    FvCheck(FltRequestOperationStatusCallback(Data, StatusCallback, NULL) == STATUS_INVALID_PARAMETER);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* After a read: what its callback was told. */
static FLT_PREOP_CALLBACK_STATUS NTAPI PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *Context)
{
    static LONG Flushes;

    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Flushes++;
    FvCheck(Told == Flushes && ToldContext == &Told && ToldInstance == High);
    FvCheck(ToldOffset.QuadPart == 512 * (Flushes - 1));
    FvCheck(Flushes == 3 ? ToldStatus == STATUS_ACCESS_DENIED
                         : ToldStatus == STATUS_PENDING || ToldStatus == STATUS_SUCCESS);
    if (Flushes == 3)
        CheckWaits(Data);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreClose(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *Context)
{
    if (FltObjects->Instance == High)
        FvCheck(FltRequestOperationStatusCallback(Data, StatusCallback, NULL) == STATUS_INVALID_PARAMETER);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltObjectDereference(Other);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead, PostRead},
    {IRP_MJ_FLUSH_BUFFERS, 0, PreFlush},
    {IRP_MJ_CLOSE, 0, PreClose},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    UNICODE_STRING Second = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume2");
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(54);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    FltGetVolumeFromName(Filter, &Second, &Volume);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &Other);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}
