/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reissue.c: a request that has come back to a thread which waited for it goes down once more, from the post-callback of
 * the instance that reissues it.
 *
 * The request is at our own location again, and ours: nobody has completed it further up.  Those below get an operation of
 * its own block, whose way up ends in the reissuing thread and not in the request's completion; then the first operation
 * goes on up with the new outcome.  IRQL: <= APC_LEVEL, PASSIVE_LEVEL unless it is paging I/O.
 */
#include "operation.h"

static DECLSPEC_NORETURN VOID FltpBadReissue(PFLT_CALLBACK_DATA Data, ULONG What, ULONG_PTR Detail, PCSTR Text)
{
    FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_REISSUE, (ULONG_PTR)Data, What, Detail, Text);
}

/* Came: the status that came from below.  What the filter has put in its place meanwhile opens and closes nothing. */
VOID FltpCheckReissue(PFLT_CALLBACK_DATA Data, const FLT_IO_PARAMETER_BLOCK *Sent, NTSTATUS Came)
{
    UCHAR Major = Data->Iopb->MajorFunction;
    KIRQL Irql = KeGetCurrentIrql();

    if (Irql > PASSIVE_LEVEL && !FlagOn(Data->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_IRQL, (ULONG_PTR)Data, Irql, PASSIVE_LEVEL,
                      "rule=I/O that is not paging I/O may be reissued at PASSIVE_LEVEL only\n");
    if (FltpIsChangedUndeclared(Data, Data->Iopb, Sent))
        FltpBadReissue(Data, FLTP_REISSUE_CHANGED, 0,
                       "rule=Parameters were changed and the operation reissued without FltSetCallbackDataDirty\n");
    if (Major == IRP_MJ_CLOSE || (Major == IRP_MJ_CREATE && NT_SUCCESS(Came) && Came != STATUS_REPARSE &&
                                  !FlagOn(Data->Iopb->TargetFileObject->Flags, FO_FILE_OPEN_CANCELLED)))
        FltpBadReissue(Data, FLTP_REISSUE_OVER, (ULONG)Came,
                       "rule=A create that has opened its file, or a close, was reissued\n");
}

/* The node whose post-callback runs in the thread that waited for it. */
static PFLTP_NODE FltpNodeOfReissue(PFLTP_OPERATION Operation, PFLT_INSTANCE Initiator)
{
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    PFLTP_CALL Call = FltpOwnCall(Operation);
    PFLTP_NODE Node = &Operation->Nodes[Operation->Current];

    if (Operation->Irp == NULL)
        FltpBadReissue(Data, FLTP_REISSUE_CALL, 0,
                       "rule=Fast I/O or a file-system filter operation was reissued, which no request can be\n");
    if (Operation->Magic == FLTP_MAGIC_DRAINED || Operation->Current >= Operation->Count ||
        Node->State != FltpNodePost || (Node->Home == NULL && Operation->Origin == NULL) ||
        (FltpVerify && (Call == NULL || Call->Given != FltpNotGiven)))
        FltpBadReissue(
            Data, FLTP_REISSUE_NOT_SYNCHRONIZED, 0,
            "rule=FltReissueSynchronousIo was called elsewhere than in the post-callback of an operation whose "
            "pre-callback returned FLT_PREOP_SYNCHRONIZE\n");
    if (Initiator != Node->Instance)
        FltpBadReissue(Data, FLTP_REISSUE_INSTANCE, (ULONG_PTR)Initiator,
                       "rule=FltReissueSynchronousIo was given another instance than its post-callback's\n");
    if (FltpVerify)
        FltpCheckReissue(Data, &Call->Sent, Call->Before.Status);
    return Node;
}

/* Documented: what a reparse has brought is released for the filter. */
static VOID FltpDropTagData(PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;

    if (Operation->Iopb.MajorFunction == IRP_MJ_CREATE && Irp->Tail.Overlay.AuxiliaryBuffer != NULL) {
        ExFreePool(Irp->Tail.Overlay.AuxiliaryBuffer);
        Irp->Tail.Overlay.AuxiliaryBuffer = NULL;
    }
    Operation->Data.TagData = NULL;
}

/* An MDL that a driver made for the request's buffer the first time describes it still. */
static BOOLEAN FltpHasOtherBuffer(PFLT_IO_PARAMETER_BLOCK Iopb, PIRP Irp)
{
    LOCK_OPERATION Access;
    PVOID *Buffer;
    PULONG Length;
    PMDL *Mdl;

    if (!FltpLocateBuffer(Iopb, &Mdl, &Buffer, &Length, &Access) || Mdl == NULL)
        return FALSE;
    if (*Buffer != Irp->UserBuffer && *Buffer != Irp->AssociatedIrp.SystemBuffer)
        return TRUE;
    if (*Mdl == NULL)
        *Mdl = Irp->MdlAddress;
    return FALSE;
}

static NTSTATUS FltpSendAgain(PFLTP_OPERATION Operation, PFLTP_NODE Node)
{
    PIRP Irp = Operation->Irp;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    FLT_CALLBACK_DATA_FLAGS Flags =
        FLTFL_CALLBACK_DATA_REISSUED_IO | (Operation->Data.Flags & FLTFL_CALLBACK_DATA_GENERATED_IO);
    PMDL Mdl = Irp->MdlAddress;
    PFLTP_OPERATION Again;
    BOOLEAN OtherBuffer;
    NTSTATUS Status;

    Again = FltpStartReissue(Node->Instance, Irp->Flags, Stack, &Status);
    if (Again == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FltpDescribeRequest(Again, Irp, Stack, Flags);
    Again->Reissued = TRUE;
    Again->Changed = TRUE; /* the parameters are written, and the buffers put back */
    Again->Iopb = Node->Iopb;
    Again->Iopb.MajorFunction = Stack->MajorFunction;
    OtherBuffer = FltpHasOtherBuffer(&Again->Iopb, Irp);
    FltpGoDown(Again);
    if (OtherBuffer && Again->OriginalMdl != Mdl) { /* made for the filter's buffer, and nobody else's */
        MmUnlockPages(Again->OriginalMdl);
        IoFreeMdl(Again->OriginalMdl);
        Again->OriginalMdl = Mdl;
    }
    Operation->Data.IoStatus = Again->Data.IoStatus;
    Again->Reissued = FALSE;
    FltpFinishOperation(Again);
    return STATUS_SUCCESS;
}

VOID FltpReissue(PFLTP_OPERATION Operation, PFLT_INSTANCE Initiator)
{
    PFLTP_NODE Node = FltpNodeOfReissue(Operation, Initiator);
    PFLT_CALLBACK_DATA Data = &Operation->Data;
    NTSTATUS Status = STATUS_CANCELLED;

    if (Node->Iopb.MajorFunction != IRP_MJ_CREATE ||
        !FlagOn(Node->Iopb.TargetFileObject->Flags, FO_FILE_OPEN_CANCELLED)) {
        FltpDropTagData(Operation);
        ClearFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
        if (Operation->Changed)
            FltpRestoreBuffers(Operation);
        Status = FltpSendAgain(Operation, Node);
        Operation->OriginalMdl = Operation->Irp->MdlAddress;
    }
    if (!NT_SUCCESS(Status)) {
        Data->IoStatus.Status = Status;
        Data->IoStatus.Information = 0;
    } else if (Node->Iopb.MajorFunction == IRP_MJ_CREATE && Data->IoStatus.Status == STATUS_REPARSE) {
        Data->TagData = (PFLT_TAG_DATA_BUFFER)Operation->Irp->Tail.Overlay.AuxiliaryBuffer;
    }
    if (FltpVerify)
        FltpOwnCall(Operation)->Before = Data->IoStatus;
}
