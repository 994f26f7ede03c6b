/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Oplocks of streams.  A request that has to wait for an acknowledgement is FsRtl's meanwhile; then a worker thread begins it anew.
 *
 * An open is looked at, and an oplock asked for, with the library's lock: neither can come in between the other's steps.
 */
#include "ntfs.h"

/* What the open waited for, when it begins anew. */
#define NTFS_WAITED        ((PVOID)0)
#define NTFS_HANDLE_BROKEN ((PVOID)1) /* a handle that an owner caches; it was asked to close it, once */

static VOID NtfsResume(PIRP Irp, BOOLEAN HandleBroken)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (Stack->MajorFunction == IRP_MJ_CREATE) {
        NtfsOpen(Stack->DeviceObject, Irp, HandleBroken);
    } else {
        Stack->DeviceObject->DriverObject->MajorFunction[Stack->MajorFunction](Stack->DeviceObject, Irp);
    }
}

static VOID NTAPI NtfsResumeWorker(PVOID Context)
{
    NtfsResume(Context, FALSE);
}

static VOID NTAPI NtfsResumeBrokenWorker(PVOID Context)
{
    NtfsResume(Context, TRUE);
}

/* The request is ours again.  <= DISPATCH_LEVEL. */
static VOID NTAPI NtfsWaitOver(PVOID Context, PIRP Irp)
{
    PWORK_QUEUE_ITEM Item = (PWORK_QUEUE_ITEM)Irp->Tail.Overlay.DriverContext;

    C_ASSERT(sizeof(*Item) <= sizeof(Irp->Tail.Overlay.DriverContext));
    if (!NT_SUCCESS(Irp->IoStatus.Status)) {
        NtfsComplete(Irp, Irp->IoStatus.Status, 0);
        return;
    }
    ExInitializeWorkItem(Item, Context == NTFS_HANDLE_BROKEN ? NtfsResumeBrokenWorker : NtfsResumeWorker, Irp);
    ExQueueWorkItem(Item, CriticalWorkQueue);
}

/* The caller's buffer is locked before the request leaves the caller's context; raises. */
static VOID NTAPI NtfsPrepareToWait(PVOID Context, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Context);
    if ((Stack->MajorFunction == IRP_MJ_READ || Stack->MajorFunction == IRP_MJ_WRITE) &&
        (Stack->MinorFunction & IRP_MN_MDL) == 0) {
        Status = NtfsLockUserBuffer(Irp, Stack->MajorFunction == IRP_MJ_READ ? IoWriteAccess : IoReadAccess,
                                    Stack->Parameters.Read.Length);
    }
    if (!NT_SUCCESS(Status)) {
        ExRaiseStatus(Status);
    }
}

NTSTATUS NtfsCheckOplock(PNTFS_STREAM Stream, PIRP Irp)
{
    NTSTATUS Status;

    if ((Irp->Flags & IRP_PAGING_IO) != 0) {
        return STATUS_SUCCESS; /* what brought it was looked at */
    }
    __try {
        Status = FsRtlCheckOplock(&Stream->Header.Oplock, Irp, NTFS_WAITED, NtfsWaitOver, NtfsPrepareToWait);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

/* Batch and filter oplocks go before shares are looked at, handles when they are in the way, all others after. */
NTSTATUS NtfsAdmitLocked(PNTFS_STREAM Stream, PIRP Irp, BOOLEAN HandleBroken, PBOOLEAN InProgress)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    POPLOCK Oplock = &Stream->Header.Oplock;
    NTSTATUS Status, Broken;

    if ((Stack->Parameters.Create.Options & FILE_RESERVE_OPFILTER) != 0 && Stream->Handles != 0) {
        return STATUS_OPLOCK_NOT_GRANTED; /* it could not be granted either */
    }
    Status = FsRtlCheckOplockEx(Oplock, Irp, OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY, NULL, NULL, NULL);
    if (NT_SUCCESS(Status) && FsRtlCurrentBatchOplock(Oplock)) {
        Status = NtfsCheckOplock(Stream, Irp);
        *InProgress = Status == STATUS_OPLOCK_BREAK_IN_PROGRESS;
    }
    if (Status == STATUS_PENDING || !NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsShareStream(Stack, Stream, FALSE);
    if (Status == STATUS_SHARING_VIOLATION && !HandleBroken && FsRtlCurrentOplockH(Oplock)) {
        Broken = FsRtlOplockBreakH(Oplock, Irp, 0, NTFS_HANDLE_BROKEN, NtfsWaitOver, NULL);
        return Broken == STATUS_PENDING || !NT_SUCCESS(Broken) ? Broken : Status;
    }
    if (!NT_SUCCESS(Status)) {
        if (*InProgress) {
            Irp->IoStatus.Information = FILE_OPBATCH_BREAK_UNDERWAY;
        }
        return Status;
    }
    Status = NtfsCheckOplock(Stream, Irp);
    *InProgress |= Status == STATUS_OPLOCK_BREAK_IN_PROGRESS;
    if (Status == STATUS_PENDING || !NT_SUCCESS(Status)) {
        return Status;
    }
    if ((Stack->Parameters.Create.Options & (FILE_RESERVE_OPFILTER | FILE_OPEN_REQUIRING_OPLOCK)) == 0) {
        return STATUS_SUCCESS;
    }
    Status = FsRtlOplockFsctrl(Oplock, Irp, Stream->Handles + 1);
    return NT_SUCCESS(Status) ? STATUS_SUCCESS : Status;
}

VOID NtfsBackOutLocked(PNTFS_STREAM Stream, PIRP Irp)
{
    FsRtlCheckOplockEx(&Stream->Header.Oplock, Irp, OPLOCK_FLAG_BACK_OUT_ATOMIC_OPLOCK, NULL, NULL, NULL);
}

/* What the handle holds ends; a deletion that comes with it breaks handles that others cache, and does not wait. */
VOID NtfsEndOplocksLocked(PNTFS_STREAM Stream, PIRP Irp)
{
    PNTFS_HANDLE Handle = IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext2;

    FsRtlCheckOplockEx(&Stream->Header.Oplock, Irp,
                       Handle->DeleteOnClose ? OPLOCK_FLAG_CLOSING_DELETE_ON_CLOSE | OPLOCK_FLAG_COMPLETE_IF_OPLOCKED
                                             : 0,
                       NULL, NULL, NULL);
}

BOOLEAN NtfsIsOplockControl(ULONG Code)
{
    switch (Code) {
    case FSCTL_REQUEST_OPLOCK_LEVEL_1:
    case FSCTL_REQUEST_OPLOCK_LEVEL_2:
    case FSCTL_REQUEST_BATCH_OPLOCK:
    case FSCTL_REQUEST_FILTER_OPLOCK:
    case FSCTL_REQUEST_OPLOCK:
    case FSCTL_OPLOCK_BREAK_ACKNOWLEDGE:
    case FSCTL_OPLOCK_BREAK_ACK_NO_2:
    case FSCTL_OPBATCH_ACK_CLOSE_PENDING:
    case FSCTL_OPLOCK_BREAK_NOTIFY: return TRUE;
    default: return FALSE;
    }
}

/* PASSIVE_LEVEL.  The request is completed here, or FsRtl's. */
NTSTATUS NtfsOplockControl(PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_STREAM Stream = NtfsStreamOf(FileObject);
    NTSTATUS Status;

    if (Stream == NULL || (Stream->File->IsDirectory && Stream->Name.Length == 0)) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    NtfsLockLibrary();
    if ((FileObject->Flags & FO_CLEANUP_COMPLETE) != 0) {
        Status = NtfsComplete(Irp, STATUS_FILE_CLOSED, 0);
    } else {
        Status = FsRtlOplockFsctrl(&Stream->Header.Oplock, Irp, FsRtlOplockIsSharedRequest(Irp) ? 0 : Stream->Handles);
    }
    NtfsUnlockLibrary();
    return Status;
}
