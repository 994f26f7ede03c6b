// SPDX-License-Identifier: GPL-2.0-or-later
/* Oplocks that are held: the request that waits with each, its cancellation, and what its completion says. */
#include "oplock.h"

PFSRTLP_GRANT FsRtlpMakeGrant(PFSRTLP_OPLOCK Oplock, FSRTLP_OPLOCK_KIND Kind, ULONG Level, PFILE_OBJECT FileObject,
                              PIRP Irp)
{
    PFSRTLP_GRANT Grant = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Grant), FSRTLP_OPLOCK_TAG);

    if (Grant != NULL) {
        RtlZeroMemory(Grant, sizeof(*Grant));
        InitializeListHead(&Grant->Link);
        Grant->Oplock = Oplock;
        Grant->Kind = Kind;
        Grant->Level = Level;
        Grant->FileObject = FileObject;
        if (Irp != NULL) {
            Grant->Process = IoGetRequestorProcess(Irp);
            if (Grant->Process == NULL) {
                Grant->Process = PsGetCurrentProcess();
            }
            ObReferenceObject(Grant->Process);
        }
    }
    return Grant;
}

/* <= DISPATCH_LEVEL. */
VOID FsRtlpFreeGrant(PFSRTLP_GRANT Grant)
{
    if (Grant->Process != NULL) {
        ObDereferenceObject(Grant->Process);
    }
    ExFreePoolWithTag(Grant, FSRTLP_OPLOCK_TAG);
}

static VOID NTAPI FsRtlpCancelGrant(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFSRTLP_GRANT Grant = Irp->Tail.Overlay.DriverContext[0];
    PFSRTLP_OPLOCK Oplock = Grant->Oplock;
    FSRTLP_DONE Done;

    UNREFERENCED_PARAMETER(DeviceObject);
    FsRtlpBeginDone(&Done);
    KeAcquireSpinLockAtDpcLevel(&Oplock->Lock); /* within the cancel lock: see FsRtlUninitializeOplock */
    RemoveEntryList(&Grant->Link);
    InsertTailList(&Done.Grants, &Grant->Link);
    FsRtlpReleaseWaitersLocked(Oplock, &Done);
    KeReleaseSpinLockFromDpcLevel(&Oplock->Lock);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    InsertTailList(&Done.Irps, &Irp->Tail.Overlay.ListEntry);
    FsRtlpDeliver(&Done);
}

NTSTATUS FsRtlpPendLocked(PFSRTLP_GRANT Grant, PIRP Irp)
{
    Irp->Tail.Overlay.DriverContext[0] = Grant;
    IoSetCancelRoutine(Irp, FsRtlpCancelGrant);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        return STATUS_CANCELLED;
    }
    IoMarkIrpPending(Irp); /* the cancel routine waits for the lock */
    Grant->Irp = Irp;
    return STATUS_PENDING;
}

/* What the owner is told; of granular ones in the output buffer, whose length was checked when they were asked for. */
VOID FsRtlpFillResult(PFSRTLP_GRANT Grant, PIRP Irp, ULONG NewLevel, BOOLEAN Acknowledge, PFSRTLP_OPERATION Operation)
{
    PREQUEST_OPLOCK_OUTPUT_BUFFER Output = Irp->AssociatedIrp.SystemBuffer;

    if (FsRtlpIsLegacy(Grant)) {
        Irp->IoStatus.Information = NewLevel != 0 ? FILE_OPLOCK_BROKEN_TO_LEVEL_2 : FILE_OPLOCK_BROKEN_TO_NONE;
        return;
    }
    RtlZeroMemory(Output, sizeof(*Output));
    Output->StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
    Output->StructureLength = sizeof(*Output);
    Output->OriginalOplockLevel = Grant->Level;
    Output->NewOplockLevel = NewLevel;
    if (Acknowledge) {
        Output->Flags |= REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED;
    }
    if (Operation != NULL && Operation->ModesAreKnown) {
        Output->Flags |= REQUEST_OPLOCK_OUTPUT_FLAG_MODES_PROVIDED;
        Output->AccessMode = Operation->AccessMode;
        Output->ShareMode = Operation->ShareMode;
    }
    Irp->IoStatus.Information = sizeof(*Output);
}

/* The request goes to Done.  FALSE: it is being cancelled, and takes the grant along. */
static BOOLEAN FsRtlpTellLocked(PFSRTLP_GRANT Grant, NTSTATUS Status, ULONG NewLevel, BOOLEAN Acknowledge,
                                PFSRTLP_OPERATION Operation, PFSRTLP_DONE Done)
{
    PIRP Irp = Grant->Irp;

    Grant->Irp = NULL;
    if (Irp == NULL) {
        return TRUE;
    }
    if (IoSetCancelRoutine(Irp, NULL) == NULL) {
        RemoveEntryList(&Grant->Link);
        InitializeListHead(&Grant->Link);
        return FALSE;
    }
    FsRtlpFillResult(Grant, Irp, NewLevel, Acknowledge, Operation);
    Irp->IoStatus.Status = Status;
    InsertTailList(&Done->Irps, &Irp->Tail.Overlay.ListEntry);
    return TRUE;
}

/* The grant is over; its owner, if not told before, is told so. */
VOID FsRtlpEndGrantLocked(PFSRTLP_GRANT Grant, NTSTATUS Status, ULONG NewLevel, PFSRTLP_DONE Done)
{
    if (FsRtlpTellLocked(Grant, Status, NewLevel, FALSE, NULL, Done)) {
        RemoveEntryList(&Grant->Link);
        InsertTailList(&Done->Grants, &Grant->Link);
    }
}

/* Its owner is told, and has to acknowledge; one that breaks already breaks to less. */
VOID FsRtlpBreakGrantLocked(PFSRTLP_GRANT Grant, ULONG NewLevel, PFSRTLP_OPERATION Operation, PFSRTLP_DONE Done)
{
    if (!Grant->Breaking && FsRtlpTellLocked(Grant, STATUS_SUCCESS, NewLevel, TRUE, Operation, Done)) {
        Grant->Breaking = TRUE;
        Grant->ToldLevel = NewLevel;
    }
    Grant->NewLevel = NewLevel;
}
