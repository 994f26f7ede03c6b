/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cancel-safe queues: the driver gives a list and a lock, these routines get the races right.
 *
 * Everything hinges on the driver's lock: a packet is in the queue exactly while, under that lock, its
 * DriverContext[3] points to the queue or to the caller's IO_CSQ_IRP_CONTEXT.
 */
#include "iop.h"

#define IOP_CSQ_TYPE_CONTEXT 1
#define IOP_CSQ_TYPE         2
#define IOP_CSQ_TYPE_EX      3

#define IopCsqSlot(Irp) ((Irp)->Tail.Overlay.DriverContext[3])

static VOID IopCsqForget(PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = IopCsqSlot(Irp);

    if (Context->Type == IOP_CSQ_TYPE_CONTEXT) {
        Context->Irp = NULL;
    }
    IopCsqSlot(Irp) = NULL;
}

static VOID NTAPI IopCsqCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = IopCsqSlot(Irp);
    PIO_CSQ Csq = Context->Type == IOP_CSQ_TYPE_CONTEXT ? Context->Csq : (PIO_CSQ)Context;
    PIO_CSQ_COMPLETE_CANCELED_IRP Complete = Csq->CsqCompleteCanceledIrp;
    FV_CALL Call;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Csq->CsqAcquireLock(Csq, &Irql);
    Csq->CsqRemoveIrp(Csq, Irp);
    IopCsqForget(Irp);
    Csq->CsqReleaseLock(Csq, Irql);
    FvBeginCall(&Call);
    Complete(Csq, Irp);
    FvEndCall(&Call, (PVOID)Complete, "CsqCompleteCanceledIrp", (ULONG_PTR)Irp);
}

static VOID IopCsqSetup(PIO_CSQ Csq, ULONG Type, PVOID Insert, PIO_CSQ_REMOVE_IRP Remove, PIO_CSQ_PEEK_NEXT_IRP Peek,
                        PIO_CSQ_ACQUIRE_LOCK Acquire, PIO_CSQ_RELEASE_LOCK Release,
                        PIO_CSQ_COMPLETE_CANCELED_IRP Complete)
{
    KeCheckRoutine(Insert, "CsqInsertIrp");
    KeCheckRoutine((PVOID)Remove, "CsqRemoveIrp");
    KeCheckRoutine((PVOID)Peek, "CsqPeekNextIrp");
    KeCheckRoutine((PVOID)Acquire, "CsqAcquireLock");
    KeCheckRoutine((PVOID)Release, "CsqReleaseLock");
    KeCheckRoutine((PVOID)Complete, "CsqCompleteCanceledIrp");
    Csq->Type = Type;
    Csq->CsqInsertIrp = (PIO_CSQ_INSERT_IRP)Insert;
    Csq->CsqRemoveIrp = Remove;
    Csq->CsqPeekNextIrp = Peek;
    Csq->CsqAcquireLock = Acquire;
    Csq->CsqReleaseLock = Release;
    Csq->CsqCompleteCanceledIrp = Complete;
    Csq->ReservePointer = NULL;
}

/* Any IRQL. */
NTSTATUS NTAPI IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                               PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                               PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                               PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    IopCsqSetup(Csq, IOP_CSQ_TYPE, (PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
                CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/* Any IRQL. */
NTSTATUS NTAPI IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                                 PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                                 PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                                 PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    IopCsqSetup(Csq, IOP_CSQ_TYPE_EX, (PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
                CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/*
 * IRQL <= DISPATCH_LEVEL.  Marks the packet pending and queues it; a packet canceled already is completed at
 * once through CsqCompleteCanceledIrp.  The Ex queue's insert routine may refuse, and its status is returned.
 */
NTSTATUS NTAPI IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Slot = Csq;
    KIRQL Irql;

    if (Context != NULL) {
        Context->Type = IOP_CSQ_TYPE_CONTEXT;
        Context->Irp = Irp;
        Context->Csq = Csq;
        Slot = Context;
    }
    Csq->CsqAcquireLock(Csq, &Irql);
    IopCsqSlot(Irp) = Slot;
    if (Csq->Type == IOP_CSQ_TYPE_EX) {
        Status = ((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
        if (!NT_SUCCESS(Status)) {
            IopCsqForget(Irp);
            Csq->CsqReleaseLock(Csq, Irql);
            return Status;
        }
    } else {
        Csq->CsqInsertIrp(Csq, Irp);
    }
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, IopCsqCancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqForget(Irp);
        Csq->CsqReleaseLock(Csq, Irql);
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
        return Status;
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Status;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

/* IRQL <= DISPATCH_LEVEL.  NULL when no packet matches PeekContext. */
PIRP NTAPI IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    PIRP Irp;
    KIRQL Irql;

    Csq->CsqAcquireLock(Csq, &Irql);
    Irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        /* being canceled: its cancel routine waits for the lock and takes it out */
        Irp = Csq->CsqPeekNextIrp(Csq, Irp, PeekContext);
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqForget(Irp);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}

/* IRQL <= DISPATCH_LEVEL.  NULL when the packet has been canceled or removed already. */
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    PIRP Irp;
    KIRQL Irql;

    Csq->CsqAcquireLock(Csq, &Irql);
    Irp = Context->Irp;
    if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        Irp = NULL;
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqForget(Irp);
    }
    Csq->CsqReleaseLock(Csq, Irql);
    return Irp;
}
