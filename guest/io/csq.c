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

typedef struct _IOP_CSQ_LOCK {
    FV_CALL Call;
    KIRQL Irql;
} IOP_CSQ_LOCK, *PIOP_CSQ_LOCK;

#define IopCsqSlot(Irp) ((Irp)->Tail.Overlay.DriverContext[3])

static VOID IopCsqForget(PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = IopCsqSlot(Irp);

    if (Context->Type == IOP_CSQ_TYPE_CONTEXT) {
        Context->Irp = NULL;
    }
    IopCsqSlot(Irp) = NULL;
}

/* The driver's lock; what it leaves otherwise than before is found when it has been released. */
static VOID IopCsqLock(PIO_CSQ Csq, PIOP_CSQ_LOCK Lock)
{
    FvBeginCall(&Lock->Call);
    Csq->CsqAcquireLock(Csq, &Lock->Irql);
}

static VOID IopCsqUnlock(PIO_CSQ Csq, PIOP_CSQ_LOCK Lock)
{
    PIO_CSQ_RELEASE_LOCK Release = Csq->CsqReleaseLock;

    Release(Csq, Lock->Irql);
    FvEndCall(&Lock->Call, (PVOID)Release, "CsqReleaseLock", (ULONG_PTR)Csq);
}

static VOID IopCsqCompleteCanceled(PIO_CSQ Csq, PIO_CSQ_COMPLETE_CANCELED_IRP Complete, PIRP Irp)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Complete(Csq, Irp);
    FvEndCall(&Call, (PVOID)Complete, "CsqCompleteCanceledIrp", (ULONG_PTR)Irp);
}

static VOID NTAPI IopCsqCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_CSQ_IRP_CONTEXT Context = IopCsqSlot(Irp);
    PIO_CSQ Csq = Context->Type == IOP_CSQ_TYPE_CONTEXT ? Context->Csq : (PIO_CSQ)Context;
    PIO_CSQ_COMPLETE_CANCELED_IRP Complete = Csq->CsqCompleteCanceledIrp;
    IOP_CSQ_LOCK Lock;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    IopCsqLock(Csq, &Lock);
    Csq->CsqRemoveIrp(Csq, Irp);
    IopCsqForget(Irp);
    IopCsqUnlock(Csq, &Lock);
    IopCsqCompleteCanceled(Csq, Complete, Irp);
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
    IOP_CSQ_LOCK Lock;

    if (Context != NULL) {
        Context->Type = IOP_CSQ_TYPE_CONTEXT;
        Context->Irp = Irp;
        Context->Csq = Csq;
        Slot = Context;
    }
    IopCsqLock(Csq, &Lock);
    IopCsqSlot(Irp) = Slot;
    if (Csq->Type == IOP_CSQ_TYPE_EX) {
        Status = ((PIO_CSQ_INSERT_IRP_EX)(PVOID)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
        if (!NT_SUCCESS(Status)) {
            IopCsqForget(Irp);
            IopCsqUnlock(Csq, &Lock);
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
        IopCsqUnlock(Csq, &Lock);
        IopCsqCompleteCanceled(Csq, Csq->CsqCompleteCanceledIrp, Irp);
        return Status;
    }
    IopCsqUnlock(Csq, &Lock);
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
    IOP_CSQ_LOCK Lock;

    IopCsqLock(Csq, &Lock);
    Irp = Csq->CsqPeekNextIrp(Csq, NULL, PeekContext);
    while (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        /* being canceled: its cancel routine waits for the lock and takes it out */
        Irp = Csq->CsqPeekNextIrp(Csq, Irp, PeekContext);
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqForget(Irp);
    }
    IopCsqUnlock(Csq, &Lock);
    return Irp;
}

/* IRQL <= DISPATCH_LEVEL.  NULL when the packet has been canceled or removed already. */
PIRP NTAPI IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    PIRP Irp;
    IOP_CSQ_LOCK Lock;

    IopCsqLock(Csq, &Lock);
    Irp = Context->Irp;
    if (Irp != NULL && IoSetCancelRoutine(Irp, NULL) == NULL) {
        Irp = NULL;
    }
    if (Irp != NULL) {
        Csq->CsqRemoveIrp(Csq, Irp);
        IopCsqForget(Irp);
    }
    IopCsqUnlock(Csq, &Lock);
    return Irp;
}
