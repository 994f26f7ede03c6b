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

/* The length goes with the packet.  On failure the request is abandoned. */
static NTSTATUS IopTakeRange(PIOP_REQUEST Request, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key)
{
    PLARGE_INTEGER Kept = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Kept), IOP_TAG_BUFFER);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Kept == NULL) {
        IopAbandonRequest(Request);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Irp->Tail.Overlay.AuxiliaryBuffer = (PCHAR)Kept;
    __try {
        *Kept = *Length;
        Request->Stack->Parameters.LockControl.ByteOffset = *ByteOffset;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    Request->Stack->Parameters.LockControl.Length = Kept;
    Request->Stack->Parameters.LockControl.Key = Key;
    if (!NT_SUCCESS(Status)) {
        Request->Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
        ExFreePoolWithTag(Kept, IOP_TAG_BUFFER);
        IopAbandonRequest(Request);
    }
    return Status;
}

/*
 * PASSIVE_LEVEL.  STATUS_LOCK_NOT_GRANTED: somebody has it, and the caller would not wait.  STATUS_PENDING: on a file
 * opened for asynchronous use, until it is granted.
 */
NTSTATUS NTAPI NtLockFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER ByteOffset, PLARGE_INTEGER Length, ULONG Key,
                          BOOLEAN FailImmediately, BOOLEAN ExclusiveLock)
{
    IOP_REQUEST Request;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopBeginLock(&Request, FileHandle, Event, ApcRoutine);
    if (NT_SUCCESS(Status)) {
        Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock, IRP_MJ_LOCK_CONTROL);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopTakeRange(&Request, ByteOffset, Length, Key);
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
    IOP_SYNCHRONOUS Call;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopBeginLock(&Call.Request, FileHandle, NULL, NULL);
    if (NT_SUCCESS(Status)) {
        Status = IopStartSynchronous(&Call, IRP_MJ_LOCK_CONTROL);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopTakeRange(&Call.Request, ByteOffset, Length, Key);
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
