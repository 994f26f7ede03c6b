// SPDX-License-Identifier: GPL-2.0-or-later
/* Oplocks: acknowledgements, ends, threads that wait, opens that reserve, and a file system above another. */
#define INITGUID
#include "oplock.h"

/* ---- acknowledgements ------------------------------------------------------------------------------------
 */

/* A is broken by C's operation, which waits to be called back. */
static PREQUEST BreakBy(ULONG Kind, ULONG Which, PREQUEST *Waiting)
{
    PREQUEST Held = Ask(&A, Kind);

    Posted = Resumed = 0;
    *Waiting = Operation(Which, &C);
    FvCheck(Operate(Which, *Waiting, 0, TRUE) == STATUS_PENDING && Held->Done && Posted == 1);
    return Held;
}

static VOID CheckLegacyAcknowledgements(VOID)
{
    PREQUEST Held, Waiting, Kept, Write;

    FsRtlInitializeOplock(&Oplock);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL &&
            Acknowledge(&A, FSCTL_OPLOCK_BREAK_NOTIFY, 0, NULL) == STATUS_SUCCESS);
    /* To level 2, which is kept: the request waits as before, and a second write ends it. */
    Held = BreakBy(L1, 6, &Waiting);
    FvCheck(Acknowledge(&C, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL && Resumed == 0);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, 0, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL && Resumed == 0);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, &Kept) == STATUS_PENDING && Resumed == 1 &&
            ResumedWith == STATUS_SUCCESS && !Kept->Done);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL);
    Write = New(IRP_MJ_WRITE, &C);
    FvCheck(FsRtlOplockBreakToNone(&Oplock, NULL, Write->Irp, NULL, NULL, NULL) == STATUS_SUCCESS && Kept->Done &&
            Kept->Irp->IoStatus.Information == FILE_OPLOCK_BROKEN_TO_NONE && !FsRtlCurrentOplock(&Oplock));
    Free(Held), Free(Waiting), Free(Kept), Free(Write);
    /* Not wanted. */
    Held = BreakBy(BATCH, 6, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, NULL) == STATUS_SUCCESS && Resumed == 1 &&
            !FsRtlCurrentOplock(&Oplock));
    Free(Held), Free(Waiting);
    /* Level 2 was promised, and is broken before it is taken. */
    Held = BreakBy(L1, 6, &Waiting);
    Write = New(IRP_MJ_WRITE, &C);
    FvCheck(FsRtlCheckOplock(&Oplock, Write->Irp, &Posted, OnResume, NULL) == STATUS_PENDING && Resumed == 0);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, &Kept) == STATUS_SUCCESS && Kept->Done &&
            Kept->Irp->IoStatus.Information == FILE_OPLOCK_BROKEN_TO_NONE && Resumed == 2);
    Free(Held), Free(Waiting), Free(Kept), Free(Write);
    /* A filter oplock never becomes level 2. */
    Held = BreakBy(FILTER, 7, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_SUCCESS && Resumed == 1);
    Free(Held), Free(Waiting);
    /* The handle is about to be closed: level 1 is acknowledged by that, batch by the close. */
    Held = BreakBy(L1, 6, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_OPBATCH_ACK_CLOSE_PENDING, 0, NULL) == STATUS_SUCCESS && Resumed == 1);
    Free(Held), Free(Waiting);
    Held = BreakBy(BATCH, 6, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_OPBATCH_ACK_CLOSE_PENDING, 0, NULL) == STATUS_SUCCESS && Resumed == 0 &&
            FsRtlCurrentBatchOplock(&Oplock));
    Write = New(IRP_MJ_CLEANUP, &A);
    FvCheck(FsRtlCheckOplock(&Oplock, Write->Irp, NULL, NULL, NULL) == STATUS_SUCCESS && Resumed == 1 &&
            !FsRtlCurrentBatchOplock(&Oplock));
    Free(Held), Free(Waiting), Free(Write);
    /* Told when nothing breaks any more. */
    Held = BreakBy(BATCH, 6, &Waiting);
    FvCheck(Acknowledge(&C, FSCTL_OPLOCK_BREAK_NOTIFY, 0, &Kept) == STATUS_PENDING && !Kept->Done);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, NULL) == STATUS_SUCCESS && Kept->Done &&
            Kept->Irp->IoStatus.Status == STATUS_SUCCESS);
    Free(Held), Free(Waiting), Free(Kept);
    FsRtlUninitializeOplock(&Oplock);
}

static VOID CheckGranularAcknowledgements(VOID)
{
    PREQUEST Held, Waiting, Kept;

    FsRtlInitializeOplock(&Oplock);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, 1, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL);
    /* To RH, and RH it is; more is refused while somebody waits, and the answer is still due. */
    Held = BreakBy(RWH, 6, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_INVALID_OPLOCK_PROTOCOL);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, Kinds[RWH].Level, &Kept) == STATUS_CANNOT_GRANT_REQUESTED_OPLOCK &&
            Kept->Done && Kept->Buffer.Output.NewOplockLevel == Kinds[RH].Level &&
            Kept->Buffer.Output.Flags == REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED && Resumed == 0);
    Free(Kept);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, Kinds[RH].Level, &Kept) == STATUS_PENDING && Resumed == 1 &&
            FsRtlCurrentOplockH(&Oplock));
    Free(Held), Free(Waiting);
    /* A sharing violation: the handle stays, and who waits goes on to its violation. */
    Waiting = Open(&C, FILE_READ_DATA, FILE_SHARE_READ, 0, FILE_OPEN);
    Posted = Resumed = 0;
    FvCheck(FsRtlOplockBreakH(&Oplock, Waiting->Irp, 0, &Posted, OnResume, OnPost) == STATUS_PENDING && Kept->Done &&
            Kept->Buffer.Output.NewOplockLevel == Kinds[R].Level &&
            Kept->Buffer.Output.Flags ==
                (REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED | REQUEST_OPLOCK_OUTPUT_FLAG_MODES_PROVIDED) &&
            Kept->Buffer.Output.AccessMode == FILE_READ_DATA && Kept->Buffer.Output.ShareMode == FILE_SHARE_READ);
    Free(Kept);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, Kinds[RH].Level, &Kept) == STATUS_PENDING && Resumed == 1);
    Free(Waiting);
    /* The end of the handle. */
    Waiting = New(IRP_MJ_CLEANUP, &A);
    FvCheck(FsRtlCheckOplock(&Oplock, Waiting->Irp, NULL, NULL, NULL) == STATUS_SUCCESS && Kept->Done &&
            Kept->Irp->IoStatus.Status == STATUS_OPLOCK_HANDLE_CLOSED && !FsRtlCurrentOplock(&Oplock));
    Free(Kept), Free(Waiting);
    /* Nothing kept; and what was broken to nothing is not kept while somebody waits. */
    Held = BreakBy(RW, 7, &Waiting);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, Kinds[R].Level, NULL) == STATUS_CANNOT_GRANT_REQUESTED_OPLOCK &&
            Resumed == 0);
    FvCheck(Acknowledge(&A, FSCTL_REQUEST_OPLOCK, 0, NULL) == STATUS_SUCCESS && Resumed == 1 &&
            !FsRtlCurrentOplock(&Oplock));
    Free(Held), Free(Waiting);
    FsRtlUninitializeOplock(&Oplock);
}

/* ---- ends ------------------------------------------------------------------------------------------------
 */

static VOID CheckCancellation(VOID)
{
    PREQUEST Held, Waiting;
    NTSTATUS Status;

    FsRtlInitializeOplock(&Oplock);
    Held = Ask(&A, RWH);
    FvCheck(IoCancelIrp(Held->Irp) && Held->Done && Held->Irp->IoStatus.Status == STATUS_CANCELLED &&
            !FsRtlCurrentOplock(&Oplock));
    Free(Held);
    Held = Control(&A, FSCTL_REQUEST_BATCH_OPLOCK, 0, 0);
    IoCancelIrp(Held->Irp);
    Status = FsRtlOplockFsctrl(&Oplock, Held->Irp, 1);
    FvCheck(Status == STATUS_CANCELLED && Held->Done && !FsRtlCurrentOplock(&Oplock));
    Free(Held);
    /* The one that waits. */
    Held = BreakBy(BATCH, 6, &Waiting);
    FvCheck(IoCancelIrp(Waiting->Irp) && Resumed == 1 && ResumedWith == STATUS_CANCELLED &&
            FsRtlCurrentBatchOplock(&Oplock));
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, NULL) == STATUS_SUCCESS && Resumed == 1);
    Free(Held), Free(Waiting);
    /* It was cancelled before: the callback says so. */
    Held = Ask(&A, L1);
    Waiting = New(IRP_MJ_WRITE, &C);
    IoCancelIrp(Waiting->Irp);
    Posted = Resumed = 0;
    FvCheck(FsRtlCheckOplock(&Oplock, Waiting->Irp, &Posted, OnResume, OnPost) == STATUS_PENDING && Resumed == 1 &&
            ResumedWith == STATUS_CANCELLED && Held->Done);
    FvCheck(FsRtlCheckOplock(&Oplock, Waiting->Irp, NULL, NULL, NULL) == STATUS_CANCELLED); /* in its thread */
    FsRtlUninitializeOplock(&Oplock);
    Free(Held), Free(Waiting);
}

static volatile LONG Stage;

static VOID NTAPI WaitingThread(PVOID Context)
{
    PREQUEST Request = New(IRP_MJ_WRITE, &C);

    UNREFERENCED_PARAMETER(Context);
    Request->Status = FsRtlCheckOplock(&Oplock, Request->Irp, NULL, NULL, NULL);
    InterlockedExchange(&Stage, Request->Status == STATUS_SUCCESS ? 2 : 3);
    Free(Request);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static ULONG Interim, Terminated;

static NTSTATUS NotifyMe(POPLOCK_NOTIFY_PARAMS Parameters)
{
    if (Parameters->NotifyReason == OPLOCK_NOTIFY_BREAK_WAIT_INTERIM_TIMEOUT) {
        Interim++;
        FvCheck(Parameters->NotifyContext == &Interim && Parameters->Irp != NULL && Terminated == 0);
        FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACK_NO_2, 0, NULL) == STATUS_SUCCESS);
    } else {
        Terminated++;
        FvCheck(Parameters->Status == STATUS_SUCCESS);
    }
    return STATUS_UNSUCCESSFUL; /* ignored */
}

static VOID CheckThreads(VOID)
{
    PREQUEST Held, Request;
    PEPROCESS Owner;
    PVOID Thread;

    FsRtlInitializeOplock(&Oplock);
    FvCheck(FsRtlOplockGetAnyBreakOwnerProcess(&Oplock) == NULL && FsRtlOplockIsFastIoPossible(&Oplock) &&
            FsRtlOplockIsFastIoPossible(NULL));
    Held = Ask(&A, BATCH);
    FvCheck(FsRtlOplockIsFastIoPossible(&Oplock));
    Owner = FsRtlOplockGetAnyBreakOwnerProcess(&Oplock);
    FvCheck(Owner == PsGetCurrentProcess());
    ObDereferenceObject(Owner);
    Thread = StartThread(WaitingThread, NULL);
    while (!Held->Done)
        Sleep(1);
    Sleep(40);
    FvCheck(Stage == 0 && !FsRtlOplockIsFastIoPossible(&Oplock));
    FvCheck(Acknowledge(&A, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, NULL) == STATUS_SUCCESS);
    JoinThread(Thread);
    FvCheck(Stage == 2);
    Free(Held);
    /* Told that it lasts. */
    Held = Ask(&A, BATCH);
    Request = New(IRP_MJ_WRITE, &C);
    FvCheck(FsRtlCheckOplockEx2(&Oplock, Request->Irp, 0, 1, NULL, NULL, NULL, 0, NULL, NULL) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlCheckOplockEx2(&Oplock, Request->Irp, 0, 0, NULL, NULL, NULL, 50, &Interim, NotifyMe) ==
                STATUS_SUCCESS &&
            Interim == 1 && Terminated == 1);
    Free(Held), Free(Request);
    Held = Ask(&A, R);
    FvCheck(!FsRtlOplockIsFastIoPossible(&Oplock) && !FsRtlCurrentOplockH(&Oplock) &&
            FsRtlOplockGetAnyBreakOwnerProcess(&Oplock) == NULL);
    FsRtlUninitializeOplock(&Oplock);
    Free(Held);
}

/* ---- opens that reserve ----------------------------------------------------------------------------------
 */

static VOID CheckReserved(VOID)
{
    PREQUEST First = Open(&A, FILE_READ_ATTRIBUTES, ALL_SHARES, FILE_RESERVE_OPFILTER, FILE_OPEN), Held, Second;

    FsRtlInitializeOplock(&Oplock);
    FvCheck(FsRtlOplockFsctrl(&Oplock, First->Irp, 2) == STATUS_OPLOCK_NOT_GRANTED);
    First->Security.DesiredAccess = FILE_READ_DATA;
    FvCheck(FsRtlOplockFsctrl(&Oplock, First->Irp, 1) == STATUS_OPLOCK_NOT_GRANTED);
    First->Security.DesiredAccess = FILE_READ_ATTRIBUTES;
    FvCheck(FsRtlOplockFsctrl(&Oplock, First->Irp, 1) == STATUS_SUCCESS && !First->Done &&
            !FsRtlCurrentOplock(&Oplock));
    /* Another does not get what is reserved; its owner does. */
    Second = Ask(&C, R);
    FvCheck(Second->Status == STATUS_OPLOCK_NOT_GRANTED);
    Free(Second);
    Held = Ask(&A, FILTER);
    FvCheck(Held->Status == STATUS_PENDING && FsRtlCurrentBatchOplock(&Oplock));
    /* An open that requires one does not break it; taken back, there is nothing. */
    Second = Open(&C, FILE_WRITE_DATA, 0, FILE_OPEN_REQUIRING_OPLOCK, FILE_OPEN);
    FvCheck(FsRtlCheckOplock(&Oplock, Second->Irp, NULL, NULL, NULL) == STATUS_CANNOT_BREAK_OPLOCK && !Held->Done);
    FvCheck(FsRtlOplockFsctrl(&Oplock, Second->Irp, 2) == STATUS_CANNOT_BREAK_OPLOCK);
    IoCancelIrp(Held->Irp);
    FvCheck(FsRtlOplockFsctrl(&Oplock, Second->Irp, 1) == STATUS_SUCCESS);
    FvCheck(FsRtlCheckOplockEx(&Oplock, Second->Irp, OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK, NULL, NULL, NULL) ==
            STATUS_SUCCESS);
    Free(Held);
    Held = Ask(&A, RWH);
    FvCheck(Held->Status == STATUS_PENDING);
    FsRtlUninitializeOplock(&Oplock);
    Free(Held), Free(First), Free(Second);
}

/* ---- above another file system ---------------------------------------------------------------------------
 */

static NTSTATUS AskAbove(ULONG Kind, ULONG Lower, PREQUEST *Request)
{
    *Request = Control(&A, Kinds[Kind].Code, REQUEST_OPLOCK_INPUT_FLAG_REQUEST, Kinds[Kind].Level);
    return FsRtlUpperOplockFsctrl(&Oplock, (*Request)->Irp, Kind == R || Kind == RH || Kind == L2 ? 0 : 1, Lower, 0);
}

static VOID CheckUpper(VOID)
{
    PREQUEST Held;

    FsRtlInitializeOplock(&Oplock);
    FvCheck(AskAbove(RW, Kinds[R].Level, &Held) == STATUS_OPLOCK_NOT_GRANTED && Held->Done);
    Free(Held);
    FvCheck(AskAbove(BATCH, Kinds[RW].Level, &Held) == STATUS_OPLOCK_NOT_GRANTED);
    Free(Held);
    FvCheck(AskAbove(RW, Kinds[RWH].Level, &Held) == STATUS_PENDING);
    FvCheck(FsRtlCheckUpperOplock(&Oplock, Kinds[RW].Level, NULL, NULL, NULL, 0) == STATUS_SUCCESS && !Held->Done);
    FvCheck(FsRtlCheckUpperOplock(&Oplock, Kinds[R].Level, NULL, NULL, NULL, OPLOCK_UPPER_FLAG_CHECK_NO_BREAK) ==
                STATUS_CANNOT_BREAK_OPLOCK &&
            FsRtlCheckUpperOplock(&Oplock, 0, NULL, NULL, NULL, OPLOCK_UPPER_FLAG_NOTIFY_REFRESH_READ) ==
                STATUS_CANNOT_BREAK_OPLOCK &&
            !Held->Done);
    IoCancelIrp(Held->Irp);
    Free(Held);
    FvCheck(AskAbove(R, Kinds[R].Level, &Held) == STATUS_PENDING);
    FvCheck(FsRtlCheckUpperOplock(&Oplock, 0, NULL, NULL, NULL, OPLOCK_UPPER_FLAG_NOTIFY_REFRESH_READ) ==
                STATUS_SUCCESS &&
            Held->Done && Held->Buffer.Output.NewOplockLevel == Kinds[R].Level);
    Free(Held);
    FvCheck(AskAbove(R, Kinds[R].Level, &Held) == STATUS_PENDING &&
            FsRtlCheckUpperOplock(&Oplock, 0, NULL, NULL, NULL, 0) == STATUS_SUCCESS && Held->Done &&
            Held->Buffer.Output.NewOplockLevel == 0);
    FsRtlUninitializeOplock(&Oplock);
    Free(Held);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(96);
    if (!Prepare(DriverObject))
        return STATUS_UNSUCCESSFUL;
    CheckLegacyAcknowledgements();
    CheckGranularAcknowledgements();
    CheckCancellation();
    CheckThreads();
    CheckReserved();
    CheckUpper();
    FvCheck(Wrong == 0);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}
