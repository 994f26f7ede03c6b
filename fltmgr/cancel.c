/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cancel.c: cancel-safe queues of pended operations.  A queue is the filter's own list with its own lock;
 * what is added here is that a cancelled request leaves it exactly once, through the filter's own callback.
 * IRQL: what the filter's acquire callback allows.
 *
 * Who owns an operation in the queue is settled by the request's cancel routine: whoever takes it away owns
 * it.
 */
#include "fltmgrp.h"

#define FLTP_QUEUE_DISABLED ((FLT_CALLBACK_DATA_QUEUE_FLAGS)1)

static VOID NTAPI FltpQueueCancelRoutine(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFLTP_OPERATION Operation = Irp->Tail.Overlay.DriverContext[3];
    PFLT_CALLBACK_DATA_QUEUE Queue;
    PIO_CSQ_IRP_CONTEXT Context;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (Operation->Data.QueueContext[1] != NULL) {
        Context = Operation->Data.QueueContext[1];
        Queue = (PFLT_CALLBACK_DATA_QUEUE)Context->Csq;
    } else {
        Context = NULL;
        Queue = Operation->Data.QueueContext[0];
    }
    Queue->Acquire(Queue, &Irql);
    Queue->RemoveIo(Queue, &Operation->Data);
    if (Context != NULL)
        Context->Irp = NULL;
    Queue->Release(Queue, Irql);
    Queue->CompleteCanceledIo(Queue, &Operation->Data);
}

NTSTATUS FLTAPI FltCbdqInitialize(PFLT_INSTANCE Instance, PFLT_CALLBACK_DATA_QUEUE Cbdq,
                                  PFLT_CALLBACK_DATA_QUEUE_INSERT_IO CbdqInsertIo,
                                  PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO CbdqRemoveIo,
                                  PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO CbdqPeekNextIo,
                                  PFLT_CALLBACK_DATA_QUEUE_ACQUIRE CbdqAcquire,
                                  PFLT_CALLBACK_DATA_QUEUE_RELEASE CbdqRelease,
                                  PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO CbdqCompleteCanceledIo)
{
    RtlZeroMemory(Cbdq, sizeof(*Cbdq));
    Cbdq->Instance = Instance;
    Cbdq->InsertIo = CbdqInsertIo;
    Cbdq->RemoveIo = CbdqRemoveIo;
    Cbdq->PeekNextIo = CbdqPeekNextIo;
    Cbdq->Acquire = CbdqAcquire;
    Cbdq->Release = CbdqRelease;
    Cbdq->CompleteCanceledIo = CbdqCompleteCanceledIo;
    return STATUS_SUCCESS;
}

static VOID FltpSetQueueFlags(PFLT_CALLBACK_DATA_QUEUE Cbdq, FLT_CALLBACK_DATA_QUEUE_FLAGS Flags)
{
    KIRQL Irql;

    Cbdq->Acquire(Cbdq, &Irql);
    Cbdq->Flags = Flags;
    Cbdq->Release(Cbdq, Irql);
}

VOID FLTAPI FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE Cbdq)
{
    FltpSetQueueFlags(Cbdq, (FLT_CALLBACK_DATA_QUEUE_FLAGS)0);
}

VOID FLTAPI FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE Cbdq)
{
    FltpSetQueueFlags(Cbdq, FLTP_QUEUE_DISABLED);
}

/* STATUS_PENDING when it is in the queue; an operation that is cancelled already is completed on the way. */
NTSTATUS FLTAPI FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Cbd,
                                PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    PFLTP_OPERATION Operation = FltpCheckData(Cbd, "rule=FltCbdqInsertIo was given no operation under way\n");
    PIRP Irp = Operation->Irp;
    NTSTATUS Status;
    KIRQL Irql;

    Cbdq->Acquire(Cbdq, &Irql);
    if (Cbdq->Flags == FLTP_QUEUE_DISABLED) {
        Cbdq->Release(Cbdq, Irql);
        return STATUS_FLT_CBDQ_DISABLED;
    }
    Cbd->QueueContext[0] = Cbdq;
    Cbd->QueueContext[1] = Context;
    if (Context != NULL) {
        Context->Irp = Irp;
        Context->Csq = (PIO_CSQ)Cbdq;
    }
    Irp->Tail.Overlay.DriverContext[3] = Operation;
    Status = Cbdq->InsertIo(Cbdq, Cbd, InsertContext);
    if (!NT_SUCCESS(Status)) {
        Cbdq->Release(Cbdq, Irql);
        return Status;
    }
    IoSetCancelRoutine(Irp, FltpQueueCancelRoutine);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        Cbdq->RemoveIo(Cbdq, Cbd);
        if (Context != NULL)
            Context->Irp = NULL;
        Cbdq->Release(Cbdq, Irql);
        Cbdq->CompleteCanceledIo(Cbdq, Cbd);
        return STATUS_PENDING;
    }
    Cbdq->Release(Cbdq, Irql);
    return STATUS_PENDING;
}

/* NULL when it has been cancelled: it is, or is about to be, in the filter's callback for that. */
static PFLT_CALLBACK_DATA FltpTakeFromQueueLocked(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Data)
{
    PFLTP_OPERATION Operation = FLTP_OPERATION_OF(Data);
    PIO_CSQ_IRP_CONTEXT Context = Data->QueueContext[1];

    if (IoSetCancelRoutine(Operation->Irp, NULL) == NULL)
        return NULL;
    Cbdq->RemoveIo(Cbdq, Data);
    if (Context != NULL)
        Context->Irp = NULL;
    return Data;
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PIO_CSQ_IRP_CONTEXT Context)
{
    PFLT_CALLBACK_DATA Data = NULL;
    PFLTP_OPERATION Operation;
    KIRQL Irql;

    Cbdq->Acquire(Cbdq, &Irql);
    if (Context->Irp != NULL) {
        Operation = Context->Irp->Tail.Overlay.DriverContext[3];
        Data = FltpTakeFromQueueLocked(Cbdq, &Operation->Data);
    }
    Cbdq->Release(Cbdq, Irql);
    return Data;
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PVOID PeekContext)
{
    PFLT_CALLBACK_DATA Data = NULL, Taken = NULL;
    KIRQL Irql;

    Cbdq->Acquire(Cbdq, &Irql);
    while (Taken == NULL && (Data = Cbdq->PeekNextIo(Cbdq, Data, PeekContext)) != NULL)
        Taken = FltpTakeFromQueueLocked(Cbdq, Data);
    Cbdq->Release(Cbdq, Irql);
    return Taken;
}
