// SPDX-License-Identifier: GPL-2.0-or-later
/* Byte ranges of files locked and unlocked: IRP_MJ_LOCK_CONTROL. */
#include "iop.h"

#define IOP_LOCK_ACCESS (FILE_READ_DATA | FILE_WRITE_DATA)

/* The handle has one of the two. */
static NTSTATUS IopBeginLock(PIOP_REQUEST Request, HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine)
{
    ACCESS_MASK Granted;
    NTSTATUS Status = IopBeginRequest(Request, FileHandle, 0, Event, ApcRoutine, &Granted);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Request->Mode != KernelMode && (Granted & IOP_LOCK_ACCESS) == 0) {
        IopAbandonRequest(Request);
        return STATUS_ACCESS_DENIED;
    }
    return STATUS_SUCCESS;
}

/* What the routines of fast I/O take, which are not given the caller's memory. */
static NTSTATUS IopCaptureRange(PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length,
                                PLARGE_INTEGER Offset, PLARGE_INTEGER Size)
{
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            ProbeForWrite(IoStatusBlock, sizeof(*IoStatusBlock), sizeof(ULONG));
            ProbeForRead(ByteOffset, sizeof(*ByteOffset), sizeof(ULONG));
            ProbeForRead(Length, sizeof(*Length), sizeof(ULONG));
        }
        *Offset = *ByteOffset;
        *Size = *Length;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* Who is told by an APC or a port is told by a request's completion. */
static BOOLEAN IopTryFastLock(PIOP_REQUEST Request, PLARGE_INTEGER Offset, PLARGE_INTEGER Length, ULONG Key,
                              BOOLEAN FailImmediately, BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus)
{
    PFAST_IO_LOCK Routine =
        (PFAST_IO_LOCK)IopFastRoutine(Request->DeviceObject, FIELD_OFFSET(FAST_IO_DISPATCH, FastIoLock));
    BOOLEAN Done;
    FV_CALL Call;

    if (Routine == NULL || Request->FileObject->CompletionContext != NULL) {
        return FALSE;
    }
    FvBeginCall(&Call);
    Done = Routine(Request->FileObject, Offset, Length, PsGetCurrentProcess(), Key, FailImmediately, ExclusiveLock,
                   IoStatus, Request->DeviceObject);
    FvEndCall(&Call, (PVOID)Routine, "fast I/O routine", (ULONG_PTR)Request->DeviceObject);
    return Done;
}

static BOOLEAN IopTryFastUnlock(PIOP_REQUEST Request, PLARGE_INTEGER Offset, PLARGE_INTEGER Length, ULONG Key,
                                PIO_STATUS_BLOCK IoStatus)
{
    PFAST_IO_UNLOCK_SINGLE Routine = (PFAST_IO_UNLOCK_SINGLE)IopFastRoutine(
        Request->DeviceObject, FIELD_OFFSET(FAST_IO_DISPATCH, FastIoUnlockSingle));
    BOOLEAN Done;
    FV_CALL Call;

    if (Routine == NULL) {
        return FALSE;
    }
    FvBeginCall(&Call);
    Done = Routine(Request->FileObject, Offset, Length, PsGetCurrentProcess(), Key, IoStatus, Request->DeviceObject);
    FvEndCall(&Call, (PVOID)Routine, "fast I/O routine", (ULONG_PTR)Request->DeviceObject);
    return Done;
}

/* What a completion would do: the caller's event, or the file's, and the block. */
static NTSTATUS IopFinishFastLock(PIOP_REQUEST Request, PIO_STATUS_BLOCK IoStatusBlock, PIO_STATUS_BLOCK IoStatus)
{
    NTSTATUS Status = IopTellUser(IoStatusBlock, IoStatus->Status, IoStatus->Information);

    if (Request->Event != NULL) {
        KeSetEvent(Request->Event, IO_NO_INCREMENT, FALSE);
    } else if (!Request->Synchronous) {
        KeSetEvent(&Request->FileObject->Event, IO_NO_INCREMENT, FALSE);
    }
    IopAbandonRequest(Request);
    return Status;
}

/* The length goes with the packet.  On failure the request is abandoned. */
static NTSTATUS IopTakeRange(PIOP_REQUEST Request, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key)
{
    PLARGE_INTEGER Kept = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Kept), IOP_TAG_BUFFER);

    if (Kept == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Kept;
    *Kept = *Length;
    Request->Stack->Parameters.LockControl.ByteOffset = *ByteOffset;
    Request->Stack->Parameters.LockControl.Length = Kept;
    Request->Stack->Parameters.LockControl.Key = Key;
    return STATUS_SUCCESS;
}

/*
 * PASSIVE_LEVEL.  STATUS_LOCK_NOT_GRANTED: somebody has it, and the caller would not wait.  STATUS_PENDING: on a file
 * opened for asynchronous use, until it is granted.
 */
NTSTATUS NTAPI NtLockFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    LARGE_INTEGER Offset, Size;
    IO_STATUS_BLOCK Fast;
    IOP_REQUEST Request;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopCaptureRange(IoStatusBlock, ByteOffset, Length, &Offset, &Size);
    if (NT_SUCCESS(Status)) {
        Status = IopBeginLock(&Request, FileHandle, Event, ApcRoutine);
    }
    if (NT_SUCCESS(Status) && ApcRoutine == NULL &&
        IopTryFastLock(&Request, &Offset, &Size, Key, FailImmediately, ExclusiveLock, &Fast)) {
        return IopFinishFastLock(&Request, IoStatusBlock, &Fast);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock, IRP_MJ_LOCK_CONTROL);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopTakeRange(&Request, &Offset, &Size, Key);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Request.Irp->Flags &= ~IRP_DEFER_IO_COMPLETION; /* it may wait for another's unlock */
    Request.Stack->MinorFunction = IRP_MN_LOCK;
    Request.Stack->Flags = (FailImmediately ? SL_FAIL_IMMEDIATELY : 0) | (ExclusiveLock ? SL_EXCLUSIVE_LOCK : 0);
    return IopIssueRequest(&Request);
}

/* PASSIVE_LEVEL.  STATUS_RANGE_NOT_LOCKED: not this range, by this handle, with this key. */
NTSTATUS NTAPI NtUnlockFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset,
                            PLARGE_INTEGER Length, ULONG Key)
{
    LARGE_INTEGER Offset, Size;
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopCaptureRange(IoStatusBlock, ByteOffset, Length, &Offset, &Size);
    if (NT_SUCCESS(Status)) {
        Status = IopBeginLock(&Call.Request, FileHandle, NULL, NULL);
    }
    if (NT_SUCCESS(Status) && IopTryFastUnlock(&Call.Request, &Offset, &Size, Key, &Call.IoStatus)) {
        IopAbandonRequest(&Call.Request);
        return IopTellUser(IoStatusBlock, Call.IoStatus.Status, Call.IoStatus.Information);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopStartSynchronous(&Call, IRP_MJ_LOCK_CONTROL);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopTakeRange(&Call.Request, &Offset, &Size, Key);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Call.Request.Stack->MinorFunction = IRP_MN_UNLOCK_SINGLE;
    return IopRunSynchronous(&Call, IoStatusBlock);
}

OB_ZW(LockFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key, BOOLEAN FailImmediately, BOOLEAN ExclusiveLock),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, ByteOffset, Length, Key, FailImmediately,
       ExclusiveLock))
OB_ZW(UnlockFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key),
      (FileHandle, IoStatusBlock, ByteOffset, Length, Key))
