/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that are synchronous on any file object: information, extended attributes, flush, unlock.
 *
 * On an asynchronous file object the packet carries IRP_SYNCHRONOUS_API and an event of the caller's stack frame; the
 * caller's block is written here, not by the completion.
 */
#include "iop.h"

NTSTATUS IopStartSynchronous(PIOP_SYNCHRONOUS Call, UCHAR MajorFunction)
{
    NTSTATUS Status = IopAllocateRequestIrp(&Call->Request, NULL, NULL, &Call->IoStatus, MajorFunction);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Call->IoStatus.Status = STATUS_SUCCESS;
    Call->IoStatus.Information = 0;
    if (!Call->Request.Synchronous) {
        KeInitializeEvent(&Call->Event, NotificationEvent, FALSE);
        Call->Request.Irp->UserEvent = &Call->Event;
        Call->Request.Irp->Flags |= IRP_SYNCHRONOUS_API;
    }
    return STATUS_SUCCESS;
}

NTSTATUS IopRunSynchronous(PIOP_SYNCHRONOUS Call, PIO_STATUS_BLOCK IoStatusBlock)
{
    BOOLEAN Synchronous = Call->Request.Synchronous;
    NTSTATUS Status;

    Status = IopIssueRequest(&Call->Request);
    if (Status == STATUS_PENDING && !Synchronous) {
        KeWaitForSingleObject(&Call->Event, Executive, KernelMode, FALSE, NULL);
        Status = Call->IoStatus.Status;
    }
    return IopTellUser(IoStatusBlock, Status, NT_ERROR(Status) ? 0 : Call->IoStatus.Information);
}
