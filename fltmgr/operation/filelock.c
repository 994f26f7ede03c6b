/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filelock.c: byte-range locks that a filter keeps itself, by the file system library's package.  A range that has to be
 * waited for holds the operation, which is given back when the range is granted or the request cancelled.  IRQL: <=
 * APC_LEVEL.
 */
#include "operation.h"

#define FLTP_TAG_LOCK 'kLtF'

/* One of FltAllocateFileLock. */
typedef struct _FLTP_FILE_LOCK {
    FILE_LOCK Lock;
    PFLT_COMPLETE_LOCK_CALLBACK_DATA_ROUTINE Complete;
} FLTP_FILE_LOCK, *PFLTP_FILE_LOCK;

/* An operation that waits for its range. */
typedef struct _FLTP_LOCK_WAIT {
    PFILE_LOCK FileLock;
    PFLT_CALLBACK_DATA Data;
    PVOID Context;
} FLTP_LOCK_WAIT, *PFLTP_LOCK_WAIT;

static NTSTATUS NTAPI FltpWaitOver(PVOID Context, PIRP Irp);
static NTSTATUS NTAPI FltpWaitOverOfAllocated(PVOID Context, PIRP Irp);

/* The filter hears of it; an error of its makes the range free again. */
static NTSTATUS FltpTellLock(PFILE_LOCK FileLock, PVOID Context, PFLT_CALLBACK_DATA Data)
{
    PFLT_COMPLETE_LOCK_CALLBACK_DATA_ROUTINE Complete =
        FileLock->CompleteLockIrpRoutine == FltpWaitOverOfAllocated ? ((PFLTP_FILE_LOCK)FileLock)->Complete : NULL;
    NTSTATUS Status = Data->IoStatus.Status;

    if (Complete == NULL || !FLT_IS_IRP_OPERATION(Data))
        return Status;
    Status = Complete(Context, Data);
    if (!NT_SUCCESS(Status) && NT_SUCCESS(Data->IoStatus.Status))
        Data->IoStatus.Status = Status;
    return Data->IoStatus.Status;
}

static NTSTATUS NTAPI FltpWaitOver(PVOID Context, PIRP Irp)
{
    FLTP_LOCK_WAIT Wait = *(PFLTP_LOCK_WAIT)Context;
    NTSTATUS Status;

    ExFreePoolWithTag(Context, FLTP_TAG_LOCK);
    Wait.Data->IoStatus.Status = Irp->IoStatus.Status;
    Wait.Data->IoStatus.Information = 0;
    Status = FltpTellLock(Wait.FileLock, Wait.Context, Wait.Data);
    FltCompletePendedPreOperation(Wait.Data, FLT_PREOP_COMPLETE, NULL);
    return Status;
}

/* The same, in another place: by it a lock of FltAllocateFileLock is known. */
static NTSTATUS NTAPI FltpWaitOverOfAllocated(PVOID Context, PIRP Irp)
{
    NTSTATUS Status = FltpWaitOver(Context, Irp);

    return Status;
}

VOID FLTAPI FltInitializeFileLock(PFILE_LOCK FileLock)
{
    FsRtlInitializeFileLock(FileLock, FltpWaitOver, NULL);
}

VOID FLTAPI FltUninitializeFileLock(PFILE_LOCK FileLock)
{
    FsRtlUninitializeFileLock(FileLock);
}

PFILE_LOCK FLTAPI FltAllocateFileLock(PFLT_COMPLETE_LOCK_CALLBACK_DATA_ROUTINE CompleteLockCallbackDataRoutine,
                                      PUNLOCK_ROUTINE UnlockRoutine)
{
    PFLTP_FILE_LOCK Lock = FvAllocatePoolForCaller(NonPagedPoolNx, sizeof(*Lock), FLTP_TAG_LOCK, _ReturnAddress());

    if (Lock == NULL)
        return NULL;
    FsRtlInitializeFileLock(&Lock->Lock, FltpWaitOverOfAllocated, UnlockRoutine);
    Lock->Complete = CompleteLockCallbackDataRoutine;
    return &Lock->Lock;
}

VOID FLTAPI FltFreeFileLock(PFILE_LOCK FileLock)
{
    FsRtlUninitializeFileLock(FileLock);
    ExFreePoolWithTag(CONTAINING_RECORD(FileLock, FLTP_FILE_LOCK, Lock), FLTP_TAG_LOCK);
}

/* Irp: NULL to fail rather than wait. */
static NTSTATUS FltpRequestLock(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA Data, PIRP Irp, PVOID Context)
{
    PFLT_PARAMETERS P = &Data->Iopb->Parameters;
    IO_STATUS_BLOCK IoStatus;

    FsRtlPrivateLock(FileLock, Data->Iopb->TargetFileObject, &P->LockControl.ByteOffset, P->LockControl.Length,
                     P->LockControl.ProcessId, P->LockControl.Key, Irp == NULL, P->LockControl.ExclusiveLock, &IoStatus,
                     Irp, Context, FALSE);
    return IoStatus.Status;
}

static NTSTATUS FltpUnlock(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    PFLT_PARAMETERS P = &Data->Iopb->Parameters;
    PFILE_OBJECT File = Data->Iopb->TargetFileObject;

    switch (Data->Iopb->MinorFunction) {
    case IRP_MN_UNLOCK_SINGLE:
        return FsRtlFastUnlockSingle(FileLock, File, &P->LockControl.ByteOffset, P->LockControl.Length,
                                     P->LockControl.ProcessId, P->LockControl.Key, Context, FALSE);
    case IRP_MN_UNLOCK_ALL: return FsRtlFastUnlockAll(FileLock, File, P->LockControl.ProcessId, Context);
    case IRP_MN_UNLOCK_ALL_BY_KEY:
        return FsRtlFastUnlockAllByKey(FileLock, File, P->LockControl.ProcessId, P->LockControl.Key, Context);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* FLT_PREOP_PENDING: the operation waits for its range, or has been given back already. */
static FLT_PREOP_CALLBACK_STATUS FltpWaitForLock(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    PFLTP_OPERATION Operation = FltpCheckData(Data, "rule=FltProcessFileLock was given no operation under way\n");
    PFLTP_CALL Own = FltpOwnCall(Operation);
    PFLTP_LOCK_WAIT Wait = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Wait), FLTP_TAG_LOCK);

    if (Wait == NULL) {
        Data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
        return FLT_PREOP_COMPLETE;
    }
    Wait->FileLock = FileLock;
    Wait->Data = Data;
    Wait->Context = Context;
    FltpRequestLock(FileLock, Data, Operation->Irp, Wait);
    FltpGiveToPackage(Own);
    return FLT_PREOP_PENDING;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI FltProcessFileLock(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA CallbackData, PVOID Context)
{
    PFLT_PARAMETERS P = &CallbackData->Iopb->Parameters;
    BOOLEAN Lock = CallbackData->Iopb->MinorFunction == IRP_MN_LOCK;
    NTSTATUS Status =
        Lock ? FltpRequestLock(FileLock, CallbackData, NULL, Context) : FltpUnlock(FileLock, CallbackData, Context);

    CallbackData->IoStatus.Status = Status;
    CallbackData->IoStatus.Information = 0;
    if (Lock && Status == STATUS_LOCK_NOT_GRANTED && !P->LockControl.FailImmediately &&
        FLT_IS_IRP_OPERATION(CallbackData))
        return FltpWaitForLock(FileLock, CallbackData, Context);
    if (!NT_SUCCESS(FltpTellLock(FileLock, Context, CallbackData)) && Lock && NT_SUCCESS(Status))
        FsRtlFastUnlockSingle(FileLock, CallbackData->Iopb->TargetFileObject, &P->LockControl.ByteOffset,
                              P->LockControl.Length, P->LockControl.ProcessId, P->LockControl.Key, Context, TRUE);
    return FLT_PREOP_COMPLETE;
}

BOOLEAN FLTAPI FltCheckLockForReadAccess(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA CallbackData)
{
    PFLT_PARAMETERS P = &CallbackData->Iopb->Parameters;
    LARGE_INTEGER Length = {.QuadPart = P->Read.Length};

    return FsRtlFastCheckLockForRead(FileLock, &P->Read.ByteOffset, &Length, P->Read.Key,
                                     CallbackData->Iopb->TargetFileObject, FltGetRequestorProcess(CallbackData));
}

BOOLEAN FLTAPI FltCheckLockForWriteAccess(PFILE_LOCK FileLock, PFLT_CALLBACK_DATA CallbackData)
{
    PFLT_PARAMETERS P = &CallbackData->Iopb->Parameters;
    LARGE_INTEGER Length = {.QuadPart = P->Write.Length};

    return FsRtlFastCheckLockForWrite(FileLock, &P->Write.ByteOffset, &Length, P->Write.Key,
                                      CallbackData->Iopb->TargetFileObject, FltGetRequestorProcess(CallbackData));
}
