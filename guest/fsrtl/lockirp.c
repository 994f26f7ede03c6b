// SPDX-License-Identifier: GPL-2.0-or-later
/* Byte-range locks as requests, for reads and writes, and told one by one.  IRQL: <= APC_LEVEL. */
#include "lock.h"
#include <mm.h>

NTKERNELAPI BOOLEAN NTAPI FsRtlAreThereWaitingFileLocks(PFILE_LOCK FileLock);
NTKERNELAPI BOOLEAN NTAPI FsRtlCheckLockForOplockRequest(PFILE_LOCK FileLock, PLARGE_INTEGER AllocationSize);

static NTSTATUS FsRtlpUnlockIrp(PFILE_LOCK FileLock, PIRP Irp, PIO_STACK_LOCATION Stack, PEPROCESS Process,
                                PVOID Context)
{
    switch (Stack->MinorFunction) {
    case IRP_MN_UNLOCK_SINGLE:
        return FsRtlFastUnlockSingle(FileLock, Stack->FileObject, &Stack->Parameters.LockControl.ByteOffset,
                                     Stack->Parameters.LockControl.Length, Process, Stack->Parameters.LockControl.Key,
                                     Context, FALSE);
    case IRP_MN_UNLOCK_ALL: return FsRtlFastUnlockAll(FileLock, Stack->FileObject, Process, Context);
    case IRP_MN_UNLOCK_ALL_BY_KEY:
        return FsRtlFastUnlockAllByKey(FileLock, Stack->FileObject, Process, Stack->Parameters.LockControl.Key,
                                       Context);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* The IRP is completed, or waits for its range (STATUS_PENDING): it is not the caller's any more. */
NTSTATUS NTAPI FsRtlProcessFileLock(PFILE_LOCK FileLock, PIRP Irp, PVOID Context)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PEPROCESS Process = IoGetRequestorProcess(Irp);
    IO_STATUS_BLOCK Result;
    NTSTATUS Status;

    if (Stack->MinorFunction == IRP_MN_LOCK) {
        FsRtlPrivateLock(FileLock, Stack->FileObject, &Stack->Parameters.LockControl.ByteOffset,
                         Stack->Parameters.LockControl.Length, Process, Stack->Parameters.LockControl.Key,
                         (Stack->Flags & SL_FAIL_IMMEDIATELY) != 0, (Stack->Flags & SL_EXCLUSIVE_LOCK) != 0, &Result,
                         Irp, Context, FALSE);
        return Result.Status;
    }
    Status = FsRtlpUnlockIrp(FileLock, Irp, Stack, Process, Context);
    return FsRtlpCompleteLockIrp(FileLock, Irp, Context, Status);
}

BOOLEAN NTAPI FsRtlFastCheckLockForRead(PFILE_LOCK FileLock, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                        ULONG Key, PFILE_OBJECT FileObject, PVOID Process)
{
    return FsRtlpMayRead(FileLock, (ULONG64)FileOffset->QuadPart, (ULONG64)Length->QuadPart, Key, FileObject, Process);
}

BOOLEAN NTAPI FsRtlFastCheckLockForWrite(PFILE_LOCK FileLock, PLARGE_INTEGER FileOffset, PLARGE_INTEGER Length,
                                         ULONG Key, PFILE_OBJECT FileObject, PVOID Process)
{
    return FsRtlpMayWrite(FileLock, (ULONG64)FileOffset->QuadPart, (ULONG64)Length->QuadPart, Key, FileObject, Process);
}

BOOLEAN NTAPI FsRtlCheckLockForReadAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    return FsRtlpMayRead(FileLock, (ULONG64)Stack->Parameters.Read.ByteOffset.QuadPart, Stack->Parameters.Read.Length,
                         Stack->Parameters.Read.Key, Stack->FileObject, IoGetRequestorProcess(Irp));
}

BOOLEAN NTAPI FsRtlCheckLockForWriteAccess(PFILE_LOCK FileLock, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    return FsRtlpMayWrite(FileLock, (ULONG64)Stack->Parameters.Write.ByteOffset.QuadPart,
                          Stack->Parameters.Write.Length, Stack->Parameters.Write.Key, Stack->FileObject,
                          IoGetRequestorProcess(Irp));
}

PFILE_LOCK NTAPI FsRtlAllocateFileLock(PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine, PUNLOCK_ROUTINE UnlockRoutine)
{
    PFILE_LOCK FileLock = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*FileLock), FSRTLP_LOCK_TAG, _ReturnAddress());

    if (FileLock != NULL) {
        FsRtlInitializeFileLock(FileLock, CompleteLockIrpRoutine, UnlockRoutine);
    }
    return FileLock;
}

VOID NTAPI FsRtlFreeFileLock(PFILE_LOCK FileLock)
{
    FsRtlUninitializeFileLock(FileLock);
    ExFreePoolWithTag(FileLock, FSRTLP_LOCK_TAG);
}

/* The lock granted next after the one returned last, in FileLock->LastReturnedLockInfo; NULL: there is none.
 */
PFILE_LOCK_INFO NTAPI FsRtlGetNextFileLock(PFILE_LOCK FileLock, BOOLEAN Restart)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    ULONG64 After = Restart ? 0 : (ULONG64)FileLock->LastReturnedLock;
    BOOLEAN Found = FALSE;
    KIRQL Irql;

    if (Locks == NULL) {
        return NULL;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted && !Found; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (Range->Sequence > After) {
            FileLock->LastReturnedLockInfo = Range->Info;
            FileLock->LastReturnedLock = (PVOID)Range->Sequence;
            Found = TRUE;
        }
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    return Found ? &FileLock->LastReturnedLockInfo : NULL;
}

BOOLEAN NTAPI FsRtlAreThereCurrentOrInProgressFileLocks(PFILE_LOCK FileLock)
{
    return FileLock->FastIoIsQuestionable || FileLock->LockRequestsInProgress != 0;
}

BOOLEAN NTAPI FsRtlAreThereWaitingFileLocks(PFILE_LOCK FileLock)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;

    return Locks != NULL && !IsListEmpty(&Locks->Waiting);
}

/* Whether a lock is no obstacle to an oplock: none is granted within the file's allocation. */
BOOLEAN NTAPI FsRtlCheckLockForOplockRequest(PFILE_LOCK FileLock, PLARGE_INTEGER AllocationSize)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    BOOLEAN May = TRUE;
    KIRQL Irql;

    if (Locks == NULL) {
        return TRUE;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted && May; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        May = Range->Info.StartingByte.QuadPart < 0 || Range->Info.StartingByte.QuadPart >= AllocationSize->QuadPart;
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    return May;
}
