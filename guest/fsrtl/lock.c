// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Byte-range locks of a file: who holds which range, and who waits for one.
 *
 * An exclusive range overlaps no other, not even its owner's; a shared one only shared ones, and its own
 * owner's exclusive ones.  The owner is file object, process and key together.  A range of no bytes lies
 * before its first byte: it conflicts with what reaches over that place.  Requests that wait are looked at in
 * their order whenever a range becomes free.
 *
 * All of it is under a spin lock, so that a request that waits can be cancelled at DISPATCH_LEVEL; drivers'
 * routines are called without it, at the caller's IRQL.  IRQL: <= APC_LEVEL.
 */
#include "lock.h"
#include <ke.h>

static BOOLEAN FsRtlpOverlaps(PFILE_LOCK_INFO Info, ULONG64 Start, ULONG64 Length)
{
    ULONG64 Its = (ULONG64)Info->StartingByte.QuadPart, ItsLength = (ULONG64)Info->Length.QuadPart;

    if (Length == 0 || ItsLength == 0) {
        return ItsLength != 0 ? Its < Start && Start - Its < ItsLength
                              : Length != 0 && Start < Its && Its - Start < Length;
    }
    return Its <= Start ? Start - Its < ItsLength : Its - Start < Length;
}

static BOOLEAN FsRtlpOwns(PFSRTLP_RANGE Range, ULONG Key, PFILE_OBJECT File, PVOID Process)
{
    return Range->Info.FileObject == File && (PVOID)Range->Process == Process && Range->Info.Key == Key;
}

static BOOLEAN FsRtlpConflictsLocked(PFSRTLP_LOCKS Locks, PFSRTLP_RANGE Wanted)
{
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (FsRtlpOverlaps(&Range->Info, (ULONG64)Wanted->Info.StartingByte.QuadPart,
                           (ULONG64)Wanted->Info.Length.QuadPart) &&
            (Wanted->Info.ExclusiveLock ||
             (Range->Info.ExclusiveLock &&
              !FsRtlpOwns(Range, Wanted->Info.Key, Wanted->Info.FileObject, Wanted->Process)))) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID FsRtlpGrantLocked(PFSRTLP_LOCKS Locks, PFSRTLP_RANGE Range)
{
    Range->Sequence = ++Locks->LastSequence;
    InsertTailList(&Locks->Granted, &Range->Link);
    Locks->File->FastIoIsQuestionable = TRUE;
}

/* Makes the list of locks when the first is asked for. */
static PFSRTLP_LOCKS FsRtlpLocks(PFILE_LOCK FileLock)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;

    if (Locks != NULL) {
        return Locks;
    }
    Locks = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Locks), FSRTLP_LOCK_TAG);
    if (Locks == NULL) {
        return NULL;
    }
    RtlZeroMemory(Locks, sizeof(*Locks));
    KeInitializeSpinLock(&Locks->Lock);
    InitializeListHead(&Locks->Granted);
    InitializeListHead(&Locks->Waiting);
    Locks->File = FileLock;
    if (InterlockedCompareExchangePointer(&FileLock->LockInformation, Locks, NULL) != NULL) {
        ExFreePoolWithTag(Locks, FSRTLP_LOCK_TAG);
    }
    return FileLock->LockInformation;
}

/* Takes back a range that the file system would not have after all. */
static VOID FsRtlpTakeBack(PFSRTLP_LOCKS Locks, ULONG64 Sequence)
{
    PFSRTLP_RANGE Found = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (Range->Sequence == Sequence) {
            Found = Range;
            RemoveEntryList(Link);
            break;
        }
    }
    Locks->File->FastIoIsQuestionable = !IsListEmpty(&Locks->Granted);
    KeReleaseSpinLock(&Locks->Lock, Irql);
    if (Found != NULL) {
        ExFreePoolWithTag(Found, FSRTLP_LOCK_TAG);
    }
}

/* Completes the request, through the file system's routine if it has one: what became of it. */
NTSTATUS FsRtlpCompleteLockIrp(PFILE_LOCK FileLock, PIRP Irp, PVOID Context, NTSTATUS Status)
{
    PCOMPLETE_LOCK_IRP_ROUTINE Complete = FileLock->CompleteLockIrpRoutine;
    FV_CALL Call;

    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    if (Complete == NULL) {
        IoCompleteRequest(Irp, IO_DISK_INCREMENT);
        return Status;
    }
    FvBeginCall(&Call);
    Status = Complete(Context, Irp);
    Call.MayLeave = FV_MAY_LEAVE_RESOURCES; /* as a completion routine */
    FvEndCall(&Call, (PVOID)Complete, "CompleteLockIrpRoutine", (ULONG_PTR)Irp);
    return Status;
}

/* The next request that waits and need not any longer, out of the list and granted. */
static PIRP FsRtlpNextGranted(PFSRTLP_LOCKS Locks, PVOID *Context, PULONG64 Sequence)
{
    PIRP Irp = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Waiting.Flink; Link != &Locks->Waiting; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (FsRtlpConflictsLocked(Locks, Range) || IoSetCancelRoutine(Range->Irp, NULL) == NULL) {
            continue; /* still in the way, or being cancelled */
        }
        RemoveEntryList(Link);
        Irp = Range->Irp;
        Range->Irp = NULL;
        *Context = Range->Context;
        FsRtlpGrantLocked(Locks, Range);
        *Sequence = Range->Sequence;
        break;
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    return Irp;
}

static VOID FsRtlpServeWaiting(PFSRTLP_LOCKS Locks)
{
    PVOID Context;
    ULONG64 Sequence;
    PIRP Irp;

    while ((Irp = FsRtlpNextGranted(Locks, &Context, &Sequence)) != NULL) {
        if (!NT_SUCCESS(FsRtlpCompleteLockIrp(Locks->File, Irp, Context, STATUS_SUCCESS))) {
            FsRtlpTakeBack(Locks, Sequence);
        }
    }
}

static VOID NTAPI FsRtlpCancelLock(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFSRTLP_RANGE Range = Irp->Tail.Overlay.DriverContext[0];
    PFSRTLP_LOCKS Locks = Range->Locks;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    RemoveEntryList(&Range->Link);
    KeReleaseSpinLock(&Locks->Lock, Irql);
    FsRtlpCompleteLockIrp(Locks->File, Irp, Range->Context, STATUS_CANCELLED);
    ExFreePoolWithTag(Range, FSRTLP_LOCK_TAG);
}

/* STATUS_PENDING: it waits; STATUS_CANCELLED: it was cancelled before it could. */
static NTSTATUS FsRtlpWaitLocked(PFSRTLP_LOCKS Locks, PFSRTLP_RANGE Range, PIRP Irp)
{
    Irp->Tail.Overlay.DriverContext[0] = Range;
    Range->Irp = Irp;
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, FsRtlpCancelLock);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        return STATUS_CANCELLED;
    }
    InsertTailList(&Locks->Waiting, &Range->Link);
    return STATUS_PENDING;
}

static PFSRTLP_RANGE FsRtlpMakeRange(PFSRTLP_LOCKS Locks, PFILE_OBJECT FileObject, ULONG64 Offset, ULONG64 Length,
                                     PEPROCESS Process, ULONG Key, BOOLEAN Exclusive, PVOID Context)
{
    PFSRTLP_RANGE Range = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Range), FSRTLP_LOCK_TAG);

    if (Range != NULL) {
        RtlZeroMemory(Range, sizeof(*Range));
        Range->Info.StartingByte.QuadPart = (LONGLONG)Offset;
        Range->Info.Length.QuadPart = (LONGLONG)Length;
        Range->Info.EndingByte.QuadPart = (LONGLONG)(Offset + Length - 1);
        Range->Info.ExclusiveLock = Exclusive;
        Range->Info.Key = Key;
        Range->Info.FileObject = FileObject;
        Range->Info.ProcessId = Process != NULL ? PsGetProcessId(Process) : NULL;
        Range->Process = Process;
        Range->Context = Context;
        Range->Locks = Locks;
    }
    return Range;
}

/*
 * Grants the range, or not.  STATUS_PENDING: with an IRP it waits now; without, it would have to.
 * STATUS_INVALID_LOCK_RANGE: it reaches beyond the last offset there is.
 */
static NTSTATUS FsRtlpRequest(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, ULONG64 Offset, ULONG64 Length,
                              PEPROCESS Process, ULONG Key, BOOLEAN Immediately, BOOLEAN Exclusive, PIRP Irp,
                              PVOID Context, PULONG64 Sequence)
{
    PFSRTLP_LOCKS Locks = FsRtlpLocks(FileLock);
    PFSRTLP_RANGE Range;
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL Irql;

    if (Length != 0 && Offset + Length - 1 < Offset) {
        return STATUS_INVALID_LOCK_RANGE;
    }
    Range = Locks == NULL ? NULL : FsRtlpMakeRange(Locks, FileObject, Offset, Length, Process, Key, Exclusive, Context);
    if (Range == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    if (!FsRtlpConflictsLocked(Locks, Range)) {
        FsRtlpGrantLocked(Locks, Range);
        *Sequence = Range->Sequence;
        Range = NULL;
    } else if (Immediately) {
        Status = STATUS_LOCK_NOT_GRANTED;
    } else if (Irp == NULL) {
        Status = STATUS_PENDING;
    } else {
        Status = FsRtlpWaitLocked(Locks, Range, Irp);
        if (Status == STATUS_PENDING) {
            Range = NULL;
        }
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    if (Range != NULL) {
        ExFreePoolWithTag(Range, FSRTLP_LOCK_TAG);
    }
    return Status;
}

/* A read is held off by another's exclusive range, a write by every range that is not its own exclusive one. */
static BOOLEAN FsRtlpHoldsOff(PFSRTLP_RANGE Range, BOOLEAN Write, ULONG Key, PFILE_OBJECT File, PVOID Process)
{
    BOOLEAN Owns = FsRtlpOwns(Range, Key, File, Process);

    return Write ? !(Range->Info.ExclusiveLock && Owns) : Range->Info.ExclusiveLock && !Owns;
}

static BOOLEAN FsRtlpMay(PFILE_LOCK FileLock, BOOLEAN Write, ULONG64 Offset, ULONG64 Length, ULONG Key,
                         PFILE_OBJECT File, PVOID Process)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    BOOLEAN May = TRUE;
    KIRQL Irql;

    if (Locks == NULL || Length == 0 || !FileLock->FastIoIsQuestionable) {
        return TRUE;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted && May; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        May = !(FsRtlpOverlaps(&Range->Info, Offset, Length) && FsRtlpHoldsOff(Range, Write, Key, File, Process));
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    return May;
}

BOOLEAN FsRtlpMayRead(PFILE_LOCK FileLock, ULONG64 Offset, ULONG64 Length, ULONG Key, PFILE_OBJECT File, PVOID Process)
{
    return FsRtlpMay(FileLock, FALSE, Offset, Length, Key, File, Process);
}

BOOLEAN FsRtlpMayWrite(PFILE_LOCK FileLock, ULONG64 Offset, ULONG64 Length, ULONG Key, PFILE_OBJECT File, PVOID Process)
{
    return FsRtlpMay(FileLock, TRUE, Offset, Length, Key, File, Process);
}

/* The next range that the predicate is about, out of the list; NULL: there is none. */
static PFSRTLP_RANGE FsRtlpRemoveOne(PFSRTLP_LOCKS Locks, PFILE_OBJECT File, PEPROCESS Process, FSRTLP_WHOSE Whose,
                                     ULONG Key)
{
    PFSRTLP_RANGE Found = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted && Found == NULL; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (Range->Info.FileObject == File && Range->Process == Process &&
            (Whose == FsRtlpOfProcess || Range->Info.Key == Key)) {
            RemoveEntryList(Link);
            Found = Range;
        }
    }
    Locks->File->FastIoIsQuestionable = !IsListEmpty(&Locks->Granted);
    KeReleaseSpinLock(&Locks->Lock, Irql);
    return Found;
}

static VOID FsRtlpForget(PFILE_LOCK FileLock, PFSRTLP_RANGE Range, PVOID Context)
{
    PUNLOCK_ROUTINE Unlock = FileLock->UnlockRoutine;
    FV_CALL Call;

    if (Unlock != NULL) {
        FvBeginCall(&Call);
        Unlock(Context, &Range->Info);
        FvEndCall(&Call, (PVOID)Unlock, "UnlockRoutine", (ULONG_PTR)&Range->Info);
    }
    ExFreePoolWithTag(Range, FSRTLP_LOCK_TAG);
}

static NTSTATUS FsRtlpUnlockMany(PFILE_LOCK FileLock, PFILE_OBJECT File, PEPROCESS Process, FSRTLP_WHOSE Whose,
                                 ULONG Key, PVOID Context)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    NTSTATUS Status = STATUS_RANGE_NOT_LOCKED;
    PFSRTLP_RANGE Range;

    while (Locks != NULL && (Range = FsRtlpRemoveOne(Locks, File, Process, Whose, Key)) != NULL) {
        FsRtlpForget(FileLock, Range, Context);
        Status = STATUS_SUCCESS;
    }
    if (NT_SUCCESS(Status)) {
        FsRtlpServeWaiting(Locks);
    }
    return Status;
}

/* CompleteLockIrpRoutine completes lock requests; UnlockRoutine hears of each range that is unlocked.  Either
 * may be NULL. */
VOID NTAPI FsRtlInitializeFileLock(PFILE_LOCK FileLock, PCOMPLETE_LOCK_IRP_ROUTINE CompleteLockIrpRoutine,
                                   PUNLOCK_ROUTINE UnlockRoutine)
{
    if (CompleteLockIrpRoutine != NULL)
        KeCheckRoutine((PVOID)CompleteLockIrpRoutine, "CompleteLockIrpRoutine");
    if (UnlockRoutine != NULL)
        KeCheckRoutine((PVOID)UnlockRoutine, "UnlockRoutine");
    RtlZeroMemory(FileLock, sizeof(*FileLock));
    FileLock->CompleteLockIrpRoutine = CompleteLockIrpRoutine;
    FileLock->UnlockRoutine = UnlockRoutine;
}

/* Requests that wait end with STATUS_RANGE_NOT_LOCKED; UnlockRoutine is not called. */
VOID NTAPI FsRtlUninitializeFileLock(PFILE_LOCK FileLock)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    KIRQL Irql;

    if (Locks == NULL) {
        return;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Waiting.Flink; Link != &Locks->Waiting; Link = Locks->Waiting.Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);
        BOOLEAN Ours = IoSetCancelRoutine(Range->Irp, NULL) != NULL;

        if (Ours) {
            RemoveEntryList(Link);
        }
        KeReleaseSpinLock(&Locks->Lock, Irql);
        if (Ours) {
            FsRtlpCompleteLockIrp(FileLock, Range->Irp, Range->Context, STATUS_RANGE_NOT_LOCKED);
            ExFreePoolWithTag(Range, FSRTLP_LOCK_TAG);
        } else {
            YieldProcessor(); /* who cancels it takes it out */
        }
        KeAcquireSpinLock(&Locks->Lock, &Irql);
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    while (!IsListEmpty(&Locks->Granted)) {
        ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Locks->Granted), FSRTLP_RANGE, Link), FSRTLP_LOCK_TAG);
    }
    ExFreePoolWithTag(Locks, FSRTLP_LOCK_TAG);
    FileLock->LockInformation = NULL;
    FileLock->FastIoIsQuestionable = FALSE;
}

/* STATUS_RANGE_NOT_LOCKED: exactly this range is not the owner's.  An exclusive lock goes before a shared
 * one. */
NTSTATUS NTAPI FsRtlFastUnlockSingle(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                                     PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, PVOID Context,
                                     BOOLEAN AlreadySynchronized)
{
    PFSRTLP_LOCKS Locks = FileLock->LockInformation;
    PFSRTLP_RANGE Found = NULL;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(AlreadySynchronized);
    if (Locks == NULL) {
        return STATUS_RANGE_NOT_LOCKED;
    }
    KeAcquireSpinLock(&Locks->Lock, &Irql);
    for (PLIST_ENTRY Link = Locks->Granted.Flink; Link != &Locks->Granted; Link = Link->Flink) {
        PFSRTLP_RANGE Range = CONTAINING_RECORD(Link, FSRTLP_RANGE, Link);

        if (Range->Info.StartingByte.QuadPart == FileOffset->QuadPart &&
            Range->Info.Length.QuadPart == Length->QuadPart && FsRtlpOwns(Range, Key, FileObject, Process) &&
            (Found == NULL || Range->Info.ExclusiveLock)) {
            Found = Range;
            if (Range->Info.ExclusiveLock) {
                break;
            }
        }
    }
    if (Found != NULL) {
        RemoveEntryList(&Found->Link);
        FileLock->FastIoIsQuestionable = !IsListEmpty(&Locks->Granted);
    }
    KeReleaseSpinLock(&Locks->Lock, Irql);
    if (Found == NULL) {
        return STATUS_RANGE_NOT_LOCKED;
    }
    FsRtlpForget(FileLock, Found, Context);
    FsRtlpServeWaiting(Locks);
    return STATUS_SUCCESS;
}

/* STATUS_RANGE_NOT_LOCKED: the process holds none through this file object. */
NTSTATUS NTAPI FsRtlFastUnlockAll(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, PVOID Context)
{
    return FsRtlpUnlockMany(FileLock, FileObject, Process, FsRtlpOfProcess, 0, Context);
}

NTSTATUS NTAPI FsRtlFastUnlockAllByKey(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PEPROCESS Process, ULONG Key,
                                       PVOID Context)
{
    return FsRtlpUnlockMany(FileLock, FileObject, Process, FsRtlpOfKey, Key, Context);
}

/*
 * Without an IRP: FALSE when the range is not free and the caller would wait, TRUE else, with what became of
 * it in IoStatus. With an IRP it is completed, or waits (STATUS_PENDING): TRUE.
 */
BOOLEAN NTAPI FsRtlPrivateLock(PFILE_LOCK FileLock, PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset,
                               PLARGE_INTEGER Length, PEPROCESS Process, ULONG Key, BOOLEAN FailImmediately,
                               BOOLEAN ExclusiveLock, PIO_STATUS_BLOCK IoStatus, PIRP Irp, PVOID Context,
                               BOOLEAN AlreadySynchronized)
{
    ULONG64 Sequence = 0;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(AlreadySynchronized);
    InterlockedIncrement(&FileLock->LockRequestsInProgress);
    Status = FsRtlpRequest(FileLock, FileObject, (ULONG64)FileOffset->QuadPart, (ULONG64)Length->QuadPart, Process, Key,
                           FailImmediately, ExclusiveLock, Irp, Context, &Sequence);
    InterlockedDecrement(&FileLock->LockRequestsInProgress);
    IoStatus->Information = 0;
    IoStatus->Status = Status;
    if (Status == STATUS_PENDING) {
        return Irp != NULL;
    }
    if (Irp != NULL) {
        IoStatus->Status = FsRtlpCompleteLockIrp(FileLock, Irp, Context, Status);
        if (NT_SUCCESS(Status) && !NT_SUCCESS(IoStatus->Status)) {
            FsRtlpTakeBack(FileLock->LockInformation, Sequence);
        }
    }
    return TRUE;
}
