// SPDX-License-Identifier: GPL-2.0-or-later
/* Directories watched: IRP_MN_NOTIFY_CHANGE_DIRECTORY. */
#include "iop.h"
#include <io.h>

/*
 * PASSIVE_LEVEL.  Waits for the next changes in the directory, or below it with WatchTree.  STATUS_INVALID_PARAMETER: no
 * change of which the filter speaks.  STATUS_NOTIFY_ENUM_DIR: there were more than the buffer holds;
 * STATUS_NOTIFY_CLEANUP: the handle was closed meanwhile.
 */
NTSTATUS NTAPI NtNotifyChangeDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                                           PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                                           ULONG CompletionFilter, BOOLEAN WatchTree)
{
    IOP_REQUEST Request;
    NTSTATUS Status;

    PAGED_CODE();
    if (CompletionFilter == 0 || (CompletionFilter & ~FILE_NOTIFY_VALID_MASK) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = IopProbeUser(IoStatusBlock, NULL, 0, Buffer, Length);
    if (NT_SUCCESS(Status)) {
        Status = IopBeginRequest(&Request, FileHandle, FILE_LIST_DIRECTORY, Event, ApcRoutine, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopAllocateRequestIrp(&Request, ApcRoutine, ApcContext, IoStatusBlock, IRP_MJ_DIRECTORY_CONTROL);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopPrepareTransferBuffer(Request.Irp, Request.DeviceObject, Buffer, Length, IoWriteAccess, Request.Mode);
    if (!NT_SUCCESS(Status)) {
        IopAbandonRequest(&Request);
        return Status;
    }
    Request.Irp->Flags &= ~IRP_DEFER_IO_COMPLETION;
    Request.Stack->MinorFunction = IRP_MN_NOTIFY_CHANGE_DIRECTORY;
    Request.Stack->Flags = WatchTree ? SL_WATCH_TREE : 0;
    Request.Stack->Parameters.NotifyDirectory.Length = Length;
    Request.Stack->Parameters.NotifyDirectory.CompletionFilter = CompletionFilter;
    return IopIssueRequest(&Request);
}
