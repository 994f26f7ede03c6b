/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An oplock of a filter's own: its lower instance keeps it, its higher one asks for it with one file and breaks it with
 * another, waits, cancels.
 */
#include "../../inc/minifilter.h"

typedef enum _ASK { AskCheck, AskCheckEx, AskBreakH, AskToNone, AskToNoneEx } ASK;

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static OPLOCK Oplock;
static PFILE_OBJECT Owner, Other;
static HANDLE OwnerHandle, OtherHandle;
static ASK How;
static ULONG CheckFlags;
static BOOLEAN InThread; /* a check waits where it is */
static BOOLEAN Late;     /* a request is cancelled before it is given to the oplock */
static LONG Waits, Posts;
static BOOLEAN Shared;
static NTSTATUS Seen; /* the check's status, where it did not wait */
static FLT_PREOP_CALLBACK_STATUS Said;

static VOID NTAPI WaitOver(PFLT_CALLBACK_DATA Data, PVOID Context)
{
    Waits++;
    FvCheck(Context == &Oplock);
    FltCompletePendedPreOperation(
        Data, NT_SUCCESS(Data->IoStatus.Status) ? FLT_PREOP_SUCCESS_NO_CALLBACK : FLT_PREOP_COMPLETE, NULL);
}

static VOID NTAPI PrePost(PFLT_CALLBACK_DATA Data, PVOID Context)
{
    Posts++;
    FvCheck(Context == &Oplock && Data->Iopb->MajorFunction == IRP_MJ_READ);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context);

static FLT_PREOP_CALLBACK_STATUS Check(PFLT_CALLBACK_DATA Data)
{
    PFLTOPLOCK_WAIT_COMPLETE_ROUTINE Over = InThread ? NULL : WaitOver;
    PFLTOPLOCK_PREPOST_CALLBACKDATA_ROUTINE Post = InThread ? NULL : PrePost;

    switch (How) {
    case AskCheckEx: return FltCheckOplockEx(&Oplock, Data, CheckFlags, &Oplock, Over, Post);
    case AskBreakH: return FltOplockBreakH(&Oplock, Data, CheckFlags, &Oplock, Over, Post);
    case AskToNone: return FltOplockBreakToNone(&Oplock, Data, &Oplock, Over, Post);
    case AskToNoneEx: return FltOplockBreakToNoneEx(&Oplock, Data, CheckFlags, &Oplock, Over, Post);
    default: return FltCheckOplock(&Oplock, Data, &Oplock, Over, Post);
    }
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreControl(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID *Context)
{
    if (FltObjects->Instance != Low)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Shared = FltOplockIsSharedRequest(Data);
    if (Late)
        FltCancelIo(Data);
    return Shared ? FltOplockFsctrl(&Oplock, Data, 0) : FltOplockFsctrlEx(&Oplock, Data, 1, 0);
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI PostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static VOID NTAPI Done(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
}

/* A request under way; the data is freed when it is looked at for the last time. */
typedef struct _PENDING {
    PFLT_CALLBACK_DATA Data;
    KEVENT Event;
    NTSTATUS Status; /* what starting it returned */
    DECLSPEC_ALIGN(8) UCHAR Buffer[512];
} PENDING, *PPENDING;

static VOID Start(PPENDING Pending, PFILE_OBJECT File, ULONG Code, ULONG Flags, ULONG Level)
{
    PREQUEST_OPLOCK_INPUT_BUFFER Input = (PREQUEST_OPLOCK_INPUT_BUFFER)Pending->Buffer;

    RtlZeroMemory(Pending, sizeof(*Pending));
    KeInitializeEvent(&Pending->Event, NotificationEvent, FALSE);
    FltAllocateCallbackData(High, File, &Pending->Data);
    if (Code == 0) {
        Pending->Data->Iopb->MajorFunction = IRP_MJ_READ;
        Pending->Data->Iopb->IrpFlags |= IRP_NOCACHE;
        Pending->Data->Iopb->Parameters.Read.Length = 512;
        Pending->Data->Iopb->Parameters.Read.ReadBuffer = Pending->Buffer;
    } else {
        Input->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
        Input->StructureLength = sizeof(*Input);
        Input->RequestedOplockLevel = Level;
        Input->Flags = Flags;
        Pending->Data->Iopb->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
        Pending->Data->Iopb->MinorFunction = IRP_MN_USER_FS_REQUEST;
        Pending->Data->Iopb->Parameters.FileSystemControl.Buffered.FsControlCode = Code;
        Pending->Data->Iopb->Parameters.FileSystemControl.Buffered.InputBufferLength = sizeof(*Input);
        Pending->Data->Iopb->Parameters.FileSystemControl.Buffered.OutputBufferLength =
            sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER);
        Pending->Data->Iopb->Parameters.FileSystemControl.Buffered.SystemBuffer = Pending->Buffer;
    }
    Pending->Status = FltPerformAsynchronousIo(Pending->Data, Done, &Pending->Event);
}

static BOOLEAN IsDone(PPENDING Pending, NTSTATUS Status)
{
    return IsSet(&Pending->Event, 1000) && Pending->Data->IoStatus.Status == Status;
}

static VOID Free(PPENDING Pending)
{
    FltFreeCallbackData(Pending->Data);
}

/* A control that ends at once. */
static NTSTATUS Control(PFILE_OBJECT File, ULONG Code, ULONG Flags, ULONG Level)
{
    PENDING Pending;
    NTSTATUS Status;

    Start(&Pending, File, Code, Flags, Level);
    FvCheck(IsSet(&Pending.Event, 1000));
    Status = Pending.Data->IoStatus.Status;
    Free(&Pending);
    return Status;
}

static VOID Begin(ASK Ask, ULONG Flags)
{
    How = Ask;
    CheckFlags = Flags;
    Waits = Posts = 0;
    Seen = STATUS_UNSUCCESSFUL;
}

static VOID CheckBreaks(VOID)
{
    PENDING Held, Reading, Kept;

    Start(&Held, Owner, FSCTL_REQUEST_BATCH_OPLOCK, 0, 0);
    FvCheck(Held.Status == STATUS_PENDING && !IsSet(&Held.Event, 0) && !Shared);
    FvCheck(FltCurrentBatchOplock(&Oplock) && FltCurrentOplock(&Oplock) && !FltCurrentOplockH(&Oplock) &&
            FltOplockIsFastIoPossible(&Oplock));
    FvCheck(Control(Other, FSCTL_REQUEST_BATCH_OPLOCK, 0, 0) == STATUS_OPLOCK_NOT_GRANTED);
    FvCheck(Control(Owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, 0) == STATUS_INVALID_OPLOCK_PROTOCOL);
    Begin(AskCheck, 0);
    Start(&Reading, Owner, 0, 0, 0); /* its own breaks nothing */
    FvCheck(IsDone(&Reading, STATUS_SUCCESS) && !IsSet(&Held.Event, 0) && Waits == 0 && Posts == 0 &&
            Said == FLT_PREOP_SUCCESS_WITH_CALLBACK);
    Free(&Reading);
    Start(&Reading, Other, 0, 0, 0);
    FvCheck(Reading.Status == STATUS_PENDING && IsDone(&Held, STATUS_SUCCESS) &&
            Held.Data->IoStatus.Information == FILE_OPLOCK_BROKEN_TO_LEVEL_2 && Posts == 1 && Waits == 0);
    FvCheck(!IsSet(&Reading.Event, 20) && !FltOplockIsFastIoPossible(&Oplock));
    Free(&Held);
    Start(&Kept, Owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, 0);
    FvCheck(Kept.Status == STATUS_PENDING && IsDone(&Reading, STATUS_SUCCESS) && Waits == 1 && !IsSet(&Kept.Event, 0));
    Free(&Reading);
    /* Level 2 is ended without a wait. */
    Begin(AskToNone, 0);
    Start(&Reading, Owner, 0, 0, 0);
    FvCheck(IsDone(&Reading, STATUS_SUCCESS) && IsDone(&Kept, STATUS_SUCCESS) && Waits == 0 &&
            !FltCurrentOplock(&Oplock));
    Free(&Reading);
    Free(&Kept);
}

static VOID CheckGranular(VOID)
{
    const ULONG RH = OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE;
    PREQUEST_OPLOCK_OUTPUT_BUFFER Output;
    PENDING Held, Reading;

    Start(&Held, Owner, FSCTL_REQUEST_OPLOCK, REQUEST_OPLOCK_INPUT_FLAG_REQUEST, RH);
    FvCheck(Held.Status == STATUS_PENDING && Shared && FltCurrentOplockH(&Oplock));
    Begin(AskBreakH, OPLOCK_FLAG_COMPLETE_IF_OPLOCKED);
    Start(&Reading, Other, 0, 0, 0);
    Output = (PREQUEST_OPLOCK_OUTPUT_BUFFER)Held.Buffer;
    FvCheck(IsDone(&Reading, STATUS_SUCCESS) && Seen == STATUS_OPLOCK_BREAK_IN_PROGRESS && Waits == 0 &&
            IsDone(&Held, STATUS_SUCCESS) && Held.Data->IoStatus.Information == sizeof(*Output) &&
            Output->NewOplockLevel == OPLOCK_LEVEL_CACHE_READ);
    Free(&Reading);
    Begin(AskBreakH, 0);
    Start(&Reading, Other, 0, 0, 0);
    FvCheck(Reading.Status == STATUS_PENDING && !IsSet(&Reading.Event, 20));
    Free(&Held);
    FvCheck(Control(Owner, FSCTL_REQUEST_OPLOCK, REQUEST_OPLOCK_INPUT_FLAG_ACK, 0) == STATUS_SUCCESS);
    FvCheck(IsDone(&Reading, STATUS_SUCCESS) && Waits == 1 && !FltCurrentOplock(&Oplock));
    Free(&Reading);
    FvCheck(FltOplockKeysEqual(Owner, Owner) && !FltOplockKeysEqual(Owner, Other));
}

static VOID CheckCancellation(VOID)
{
    PENDING Held, Reading;

    Start(&Held, Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0);
    FvCheck(Held.Status == STATUS_PENDING && FltCancelIo(Held.Data) && IsDone(&Held, STATUS_CANCELLED) &&
            !FltCurrentOplock(&Oplock));
    Free(&Held);
    Late = TRUE;
    FvCheck(Control(Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0) == STATUS_CANCELLED && !FltCurrentOplock(&Oplock));
    Late = FALSE;
    Start(&Held, Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0);
    Begin(AskToNoneEx, 0);
    Start(&Reading, Other, 0, 0, 0);
    FvCheck(IsDone(&Held, STATUS_SUCCESS) && !IsSet(&Reading.Event, 20));
    FvCheck(FltCancelIo(Reading.Data) && IsDone(&Reading, STATUS_CANCELLED) && Waits == 1);
    Free(&Reading);
    /* One that waits in its thread goes on with the acknowledgement, too. */
    FvCheck(Control(Owner, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, 0) == STATUS_SUCCESS && !FltCurrentOplock(&Oplock));
    Free(&Held);
}

static VOID NTAPI ReadThread(PVOID Context)
{
    Start(Context, Other, 0, 0, 0);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID CheckThread(VOID)
{
    static PENDING Reading;
    PKTHREAD Thread;
    PENDING Held;

    Start(&Held, Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0);
    Begin(AskCheckEx, 0);
    InThread = TRUE;
    Thread = StartThread(ReadThread, &Reading);
    FvCheck(IsDone(&Held, STATUS_SUCCESS));
    Sleep(40);
    FvCheck(Seen == STATUS_UNSUCCESSFUL);
    FvCheck(Control(Owner, FSCTL_OPBATCH_ACK_CLOSE_PENDING, 0, 0) == STATUS_SUCCESS && JoinThread(Thread));
    FvCheck(IsDone(&Reading, STATUS_SUCCESS) && Seen == STATUS_SUCCESS);
    InThread = FALSE;
    Free(&Reading);
    Free(&Held);
}

static VOID CheckAll(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(FltCreateFileEx(Filter, High, &OwnerHandle, &Owner, FILE_READ_DATA, &Attributes, &IoStatus, NULL,
                                       0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0, 0)) &&
            NT_SUCCESS(FltCreateFileEx(Filter, High, &OtherHandle, &Other, FILE_READ_DATA, &Attributes, &IoStatus, NULL,
                                       0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0, 0)));
    CheckBreaks();
    CheckGranular();
    CheckCancellation();
    CheckThread();
    FltClose(OwnerHandle);
    FltClose(OtherHandle);
    ObDereferenceObject(Owner);
    ObDereferenceObject(Other);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    if (FltObjects->Instance == High) {
        CheckAll();
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    if (FltObjects->FileObject != Owner && FltObjects->FileObject != Other)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Said = Check(Data);
    if (Said != FLT_PREOP_PENDING)
        Seen = Data->IoStatus.Status;
    return Said;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    FltUninitializeOplock(&Oplock);
    FvCheck(Oplock == NULL);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead, PostRead},
    {IRP_MJ_FILE_SYSTEM_CONTROL, 0, PreControl},
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
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(75);
    FltInitializeOplock(&Oplock);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}
