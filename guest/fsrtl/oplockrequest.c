// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Oplock controls, and opens that reserve an oplock: what is asked for, and who is granted it beside what others hold.
 *
 * A control is completed here, or pended; an open is not.
 */
#include "oplock.h"

typedef struct _FSRTLP_REQUEST {
    PIRP Irp;
    PFILE_OBJECT FileObject;
    FSRTLP_OPLOCK_KIND Kind;
    ULONG Level;
    ULONG OpenCount; /* of a shared one: not 0, bytes are locked */
    BOOLEAN AllKeysMatch;
} FSRTLP_REQUEST, *PFSRTLP_REQUEST;

static BOOLEAN FsRtlpIsLevel(ULONG Level)
{
    return Level == FSRTLP_LEVEL_R || Level == FSRTLP_LEVEL_RH || Level == FSRTLP_LEVEL_RW || Level == FSRTLP_LEVEL_RWH;
}

/* ---- who may have what -----------------------------------------------------------------------------------
 */

/* What becomes of one that is held when another is asked for. */
typedef enum _FSRTLP_BESIDE {
    FsRtlpRefuses,
    FsRtlpStays,
    FsRtlpSwitches, /* the new handle has it: the same key */
    FsRtlpBreaks    /* a level 2 one, for an exclusive one */
} FSRTLP_BESIDE;

static FSRTLP_BESIDE FsRtlpBesideShared(PFSRTLP_GRANT Grant, PFSRTLP_REQUEST Request)
{
    BOOLEAN SameKey = FsRtlpKeysMatch(Request->FileObject, Grant->FileObject, FALSE);
    BOOLEAN IsRead = Grant->Kind == FsRtlpGranular && Grant->Level == FSRTLP_LEVEL_R;

    if (FsRtlpIsExclusive(Grant)) {
        return FsRtlpRefuses;
    }
    if (Grant->Kind == FsRtlpLevelTwo) {
        return Request->Level == FSRTLP_LEVEL_RH ? FsRtlpRefuses : FsRtlpStays;
    }
    if (IsRead) {
        return SameKey ? FsRtlpSwitches : FsRtlpStays;
    }
    /* Read and handles are cached. */
    if (Request->Kind == FsRtlpLevelTwo || (SameKey && (Grant->Breaking || Request->Level == FSRTLP_LEVEL_R))) {
        return FsRtlpRefuses;
    }
    return SameKey ? FsRtlpSwitches : FsRtlpStays;
}

static FSRTLP_BESIDE FsRtlpBesideExclusive(PFSRTLP_GRANT Grant, PFSRTLP_REQUEST Request)
{
    if (Request->Kind != FsRtlpGranular) {
        return Grant->Kind == FsRtlpLevelTwo ? FsRtlpBreaks : FsRtlpRefuses;
    }
    if (Grant->Kind != FsRtlpGranular || Grant->Breaking || (Grant->Level & ~Request->Level) != 0) {
        return FsRtlpRefuses;
    }
    return FsRtlpKeysMatch(Request->FileObject, Grant->FileObject, FALSE) ? FsRtlpSwitches : FsRtlpRefuses;
}

static FSRTLP_BESIDE FsRtlpBeside(PFSRTLP_GRANT Grant, PFSRTLP_REQUEST Request)
{
    if (Grant->Kind == FsRtlpReserved) {
        return Grant->FileObject == Request->FileObject ? FsRtlpBreaks : FsRtlpRefuses;
    }
    return (Request->Level & FSRTLP_LEVEL_W) != 0 ? FsRtlpBesideExclusive(Grant, Request)
                                                  : FsRtlpBesideShared(Grant, Request);
}

/* What the request itself forbids, whatever is held. */
static BOOLEAN FsRtlpIsGrantable(PFSRTLP_REQUEST Request)
{
    BOOLEAN Exclusive = (Request->Level & FSRTLP_LEVEL_W) != 0;

    if (IoIsOperationSynchronous(Request->Irp)) {
        return FALSE; /* it would wait for its own break */
    }
    if (Request->Kind == FsRtlpGranular && (Request->Level & FSRTLP_LEVEL_H) != 0 &&
        Request->FileObject->DeletePending) {
        return FALSE;
    }
    return Exclusive ? Request->OpenCount <= 1 || (Request->Kind == FsRtlpGranular && Request->AllKeysMatch)
                     : Request->OpenCount == 0;
}

static NTSTATUS FsRtlpGrantOplockLocked(PFSRTLP_OPLOCK Oplock, PFSRTLP_REQUEST Request, PFSRTLP_GRANT Grant,
                                        PFSRTLP_DONE Done)
{
    PLIST_ENTRY Link, Next;
    NTSTATUS Status;

    for (Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Link->Flink) {
        if (FsRtlpBeside(FSRTLP_GRANT_AT(Link), Request) == FsRtlpRefuses) {
            return STATUS_OPLOCK_NOT_GRANTED;
        }
    }
    Status = FsRtlpPendLocked(Grant, Request->Irp);
    if (Status != STATUS_PENDING) {
        return Status;
    }
    for (Link = Oplock->Grants.Flink; Link != &Oplock->Grants; Link = Next) {
        PFSRTLP_GRANT Held = FSRTLP_GRANT_AT(Link);
        FSRTLP_BESIDE Beside = FsRtlpBeside(Held, Request);

        Next = Link->Flink;
        if (Beside == FsRtlpSwitches) {
            FsRtlpEndGrantLocked(Held, STATUS_OPLOCK_SWITCHED_TO_NEW_HANDLE, Request->Level, Done);
        } else if (Beside == FsRtlpBreaks) {
            FsRtlpEndGrantLocked(Held, STATUS_SUCCESS, 0, Done);
        }
    }
    InsertTailList(&Oplock->Grants, &Grant->Link);
    return STATUS_PENDING;
}

/* STATUS_PENDING: granted. */
static NTSTATUS FsRtlpAsk(POPLOCK Pointer, PFSRTLP_REQUEST Request, PFSRTLP_DONE Done)
{
    PFSRTLP_OPLOCK Oplock;
    PFSRTLP_GRANT Grant;
    NTSTATUS Status;
    KIRQL Irql;

    if (!FsRtlpIsGrantable(Request)) {
        return STATUS_OPLOCK_NOT_GRANTED;
    }
    Oplock = FsRtlpMakeOplock(Pointer);
    Grant = Oplock == NULL ? NULL
                           : FsRtlpMakeGrant(Oplock, Request->Kind, Request->Level, Request->FileObject, Request->Irp);
    if (Grant == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    Status = FsRtlpGrantOplockLocked(Oplock, Request, Grant, Done);
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    if (Status != STATUS_PENDING) {
        FsRtlpFreeGrant(Grant);
    }
    return Status;
}

/* ---- opens -----------------------------------------------------------------------------------------------
 */

/* For the handle to come: a filter oplock (FILE_RESERVE_OPFILTER), or any (FILE_OPEN_REQUIRING_OPLOCK). */
static NTSTATUS FsRtlpReserve(POPLOCK Pointer, PIRP Irp, ULONG OpenCount)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Requires = (Stack->Parameters.Create.Options & FILE_OPEN_REQUIRING_OPLOCK) != 0;
    NTSTATUS Refusal = Requires ? STATUS_CANNOT_BREAK_OPLOCK : STATUS_OPLOCK_NOT_GRANTED, Status = STATUS_SUCCESS;
    PFSRTLP_OPLOCK Oplock;
    PFSRTLP_GRANT Grant;
    KIRQL Irql;

    if (!Requires &&
        (OpenCount != 1 || Stack->Parameters.Create.SecurityContext->DesiredAccess != FILE_READ_ATTRIBUTES ||
         Stack->Parameters.Create.ShareAccess != (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE))) {
        return STATUS_OPLOCK_NOT_GRANTED;
    }
    Oplock = FsRtlpMakeOplock(Pointer);
    Grant = Oplock == NULL ? NULL : FsRtlpMakeGrant(Oplock, FsRtlpReserved, 0, Stack->FileObject, NULL);
    if (Grant == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    for (PLIST_ENTRY Link = Oplock->Grants.Flink; Link != &Oplock->Grants && NT_SUCCESS(Status); Link = Link->Flink) {
        PFSRTLP_GRANT Held = FSRTLP_GRANT_AT(Link);

        if (!Requires || ((FsRtlpIsExclusive(Held) || Held->Kind == FsRtlpReserved) &&
                          !FsRtlpKeysMatch(Stack->FileObject, Held->FileObject, FALSE))) {
            Status = Refusal;
        }
    }
    if (NT_SUCCESS(Status)) {
        InsertTailList(&Oplock->Grants, &Grant->Link);
    }
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    if (!NT_SUCCESS(Status)) {
        FsRtlpFreeGrant(Grant);
    }
    return Status;
}

/* ---- controls --------------------------------------------------------------------------------------------
 */

static VOID NTAPI FsRtlpCompleteNotify(PVOID Context, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Context);
    IoCompleteRequest(Irp, IO_DISK_INCREMENT);
}

/* STATUS_PENDING until nothing breaks any more. */
static NTSTATUS FsRtlpNotify(PFSRTLP_OPLOCK Oplock, PIRP Irp, PFSRTLP_DONE Done)
{
    PFSRTLP_WAITER Waiter;
    BOOLEAN HeldUp;
    KIRQL Irql;

    Waiter = FsRtlpMakeWaiter(Oplock, NULL, Irp, FsRtlpCompleteNotify, NULL);
    if (Waiter == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    HeldUp = FsRtlpIsHeldUpLocked(Waiter);
    if (HeldUp) {
        FsRtlpQueueWaiterLocked(Waiter, Done);
    }
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    if (!HeldUp) {
        ExFreePoolWithTag(Waiter, FSRTLP_OPLOCK_TAG);
    }
    return HeldUp ? STATUS_PENDING : STATUS_SUCCESS;
}

/* The input of FSCTL_REQUEST_OPLOCK, as its caller's or a copy of it; NULL: it is malformed. */
static PREQUEST_OPLOCK_INPUT_BUFFER FsRtlpInputOf(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PREQUEST_OPLOCK_INPUT_BUFFER Input = Irp->AssociatedIrp.SystemBuffer;
    ULONG Flags;

    if (Input == NULL || Stack->Parameters.FileSystemControl.InputBufferLength < sizeof(*Input) ||
        Stack->Parameters.FileSystemControl.OutputBufferLength < sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER) ||
        Input->StructureVersion != REQUEST_OPLOCK_CURRENT_VERSION || Input->StructureLength < sizeof(*Input)) {
        return NULL;
    }
    Flags = Input->Flags & (REQUEST_OPLOCK_INPUT_FLAG_REQUEST | REQUEST_OPLOCK_INPUT_FLAG_ACK);
    return (Flags == REQUEST_OPLOCK_INPUT_FLAG_REQUEST || Flags == REQUEST_OPLOCK_INPUT_FLAG_ACK) &&
                   (Input->RequestedOplockLevel == 0 || FsRtlpIsLevel(Input->RequestedOplockLevel))
               ? Input
               : NULL;
}

/* What is asked for; of what is no request of an oplock FALSE. */
static BOOLEAN FsRtlpReadRequest(PIRP Irp, PFSRTLP_REQUEST Request)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PREQUEST_OPLOCK_INPUT_BUFFER Input;

    RtlZeroMemory(Request, sizeof(*Request));
    Request->Irp = Irp;
    Request->FileObject = Stack->FileObject;
    switch (Stack->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
        Request->Kind = FsRtlpLevelOne;
        Request->Level = FSRTLP_LEVEL_RW;
        return TRUE;
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
        Request->Kind = FsRtlpLevelTwo;
        Request->Level = FSRTLP_LEVEL_R;
        return TRUE;
    case FSCTL_REQUEST_BATCH_OPLOCK:
        Request->Kind = FsRtlpBatch;
        Request->Level = FSRTLP_LEVEL_RWH;
        return TRUE;
    case FSCTL_REQUEST_FILTER_OPLOCK:
        Request->Kind = FsRtlpFilter;
        Request->Level = FSRTLP_LEVEL_RW;
        return TRUE;
    case FSCTL_REQUEST_OPLOCK:
        Input = FsRtlpInputOf(Irp);
        Request->Kind = FsRtlpGranular;
        Request->Level = Input != NULL ? Input->RequestedOplockLevel : 0;
        return Input != NULL && (Input->Flags & REQUEST_OPLOCK_INPUT_FLAG_REQUEST) != 0;
    default: return FALSE;
    }
}

/* TRUE: it is an acknowledgement; *Level is what the owner would like to keep. */
static BOOLEAN FsRtlpReadAcknowledgement(PIRP Irp, PULONG Level, PBOOLEAN OnClose)
{
    PREQUEST_OPLOCK_INPUT_BUFFER Input;

    *Level = 0;
    *OnClose = FALSE;
    switch (IoGetCurrentIrpStackLocation(Irp)->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE: *Level = FSRTLP_LEVEL_R; return TRUE;
    case FSCTL_OPLOCK_BREAK_ACK_NO_2:
    case FSCTL_OPBATCH_ACK_CLOSE_PENDING: return TRUE;
    case FSCTL_REQUEST_OPLOCK:
        Input = FsRtlpInputOf(Irp);
        if (Input == NULL || (Input->Flags & REQUEST_OPLOCK_INPUT_FLAG_ACK) == 0) {
            return FALSE;
        }
        *Level = Input->RequestedOplockLevel;
        *OnClose = (Input->Flags & REQUEST_OPLOCK_INPUT_FLAG_COMPLETE_ACK_ON_CLOSE) != 0;
        return TRUE;
    default: return FALSE;
    }
}

static NTSTATUS FsRtlpAcknowledge(PFSRTLP_OPLOCK Oplock, PIRP Irp, ULONG Level, BOOLEAN OnClose, PFSRTLP_DONE Done)
{
    ULONG Code = IoGetCurrentIrpStackLocation(Irp)->Parameters.FileSystemControl.FsControlCode;
    NTSTATUS Status;
    KIRQL Irql;

    KeAcquireSpinLock(&Oplock->Lock, &Irql);
    Status = Code == FSCTL_REQUEST_OPLOCK ? FsRtlpAcknowledgeGranularLocked(Oplock, Irp, Level, OnClose, Done)
                                          : FsRtlpAcknowledgeLegacyLocked(Oplock, Irp, Code, Done);
    KeReleaseSpinLock(&Oplock->Lock, Irql);
    return Status;
}

static NTSTATUS FsRtlpControl(POPLOCK Pointer, PIRP Irp, ULONG OpenCount, ULONG Flags, PFSRTLP_DONE Done)
{
    BOOLEAN OnClose;
    FSRTLP_REQUEST Request;
    ULONG Level;

    if (IoGetCurrentIrpStackLocation(Irp)->Parameters.FileSystemControl.FsControlCode == FSCTL_OPLOCK_BREAK_NOTIFY) {
        return *Pointer == NULL ? STATUS_SUCCESS : FsRtlpNotify(*Pointer, Irp, Done);
    }
    if (FsRtlpReadAcknowledgement(Irp, &Level, &OnClose)) {
        return *Pointer == NULL ? STATUS_INVALID_OPLOCK_PROTOCOL
                                : FsRtlpAcknowledge(*Pointer, Irp, Level, OnClose, Done);
    }
    if (!FsRtlpReadRequest(Irp, &Request)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Request.Level == 0) {
        return STATUS_SUCCESS; /* nothing was asked for */
    }
    Request.OpenCount = OpenCount;
    Request.AllKeysMatch = (Flags & OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH) != 0;
    return FsRtlpAsk(Pointer, &Request, Done);
}

/* ---- exported --------------------------------------------------------------------------------------------
 */

/* A control is the caller's no more.  Without memory STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS NTAPI FsRtlOplockFsctrlEx(POPLOCK Oplock, PIRP Irp, ULONG OpenCount, ULONG Flags)
{
    FSRTLP_DONE Done;
    NTSTATUS Status;

    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE) {
        return FsRtlpReserve(Oplock, Irp, OpenCount);
    }
    FsRtlpBeginDone(&Done);
    Irp->IoStatus.Information = 0;
    Status = FsRtlpControl(Oplock, Irp, OpenCount, Flags, &Done);
    if (Status != STATUS_PENDING) {
        Irp->IoStatus.Status = Status;
        InsertHeadList(&Done.Irps, &Irp->Tail.Overlay.ListEntry);
    }
    FsRtlpDeliver(&Done);
    return Status;
}

NTSTATUS NTAPI FsRtlOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount)
{
    return FsRtlOplockFsctrlEx(Oplock, Irp, OpenCount, 0);
}

BOOLEAN NTAPI FsRtlOplockIsSharedRequest(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FSRTLP_REQUEST Request;

    return Stack->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL && FsRtlpReadRequest(Irp, &Request) &&
           Request.Level != 0 && (Request.Level & FSRTLP_LEVEL_W) == 0;
}

/* As FsRtlOplockFsctrlEx, where what is asked for is within what the file system itself holds below. */
NTSTATUS NTAPI FsRtlUpperOplockFsctrl(POPLOCK Oplock, PIRP Irp, ULONG OpenCount, ULONG LowerOplockState, ULONG Flags)
{
    NTSTATUS Status = STATUS_SUCCESS;
    FSRTLP_REQUEST Request;
    BOOLEAN OnClose;
    ULONG Level;

    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction != IRP_MJ_CREATE) {
        if (FsRtlpReadAcknowledgement(Irp, &Level, &OnClose)) {
            Status = (Level & ~LowerOplockState) != 0 ? STATUS_CANNOT_GRANT_REQUESTED_OPLOCK : STATUS_SUCCESS;
        } else if (FsRtlpReadRequest(Irp, &Request)) {
            Status = (Request.Level & ~LowerOplockState) != 0 ? STATUS_OPLOCK_NOT_GRANTED : STATUS_SUCCESS;
        }
    }
    if (Status != STATUS_SUCCESS) {
        Irp->IoStatus.Status = Status;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return Status;
    }
    return FsRtlOplockFsctrlEx(Oplock, Irp, OpenCount, Flags);
}
