/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cancel.c: cancellation of operations: by a filter, of one that a filter holds, and in cancel-safe queues.  A
 * queue is the filter's own list with its own lock; what is added here is that a cancelled request leaves it
 * exactly once, through the filter's own callback.  IRQL: what the filter's acquire callback allows.
 *
 * Who owns an operation that can be cancelled is settled by the request's cancel routine: whoever takes it away
 * owns it.  What of it we need is in the operation; QueueContext in the callback data is the filter's.
 */
#include "operation.h"

#define FLTP_QUEUE_DISABLED ((FLT_CALLBACK_DATA_QUEUE_FLAGS)1)

BOOLEAN FLTAPI FltIsIoCanceled(PFLT_CALLBACK_DATA CallbackData)
{
    PIRP Irp = FltpCheckAnyData(CallbackData, "rule=FltIsIoCanceled was given no operation\n")->Irp;

    return Irp != NULL && Irp->Cancel;
}

BOOLEAN FLTAPI FltCancelIo(PFLT_CALLBACK_DATA CallbackData)
{
    PIRP Irp = FltpCheckAnyData(CallbackData, "rule=FltCancelIo was given no operation\n")->Irp;

    return Irp != NULL && IoCancelIrp(Irp);
}

/* IRQL: DISPATCH_LEVEL, the cancel spin lock is held and is released here. */
static VOID NTAPI FltpCancelRoutine(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFLTP_OPERATION Operation = Irp->Tail.Overlay.DriverContext[3];
    PFLT_COMPLETE_CANCELED_CALLBACK Callback = Operation->CanceledCallback;
    PFLT_INSTANCE Instance = Operation->Nodes[Operation->Current].Instance;
    FV_CALL Call;

    UNREFERENCED_PARAMETER(Device);
    FltpStayInInstance(Instance);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    FvBeginCall(&Call);
    Callback(&Operation->Data);
    FvEndCall(&Call, (PVOID)Callback, "cancel callback", (ULONG_PTR)&Operation->Data);
    FltpLeaveInstance(Instance);
}

/* IRQL: <= DISPATCH_LEVEL.  STATUS_CANCELLED when it is too late: the request is cancelled already. */
NTSTATUS FLTAPI FltSetCancelCompletion(PFLT_CALLBACK_DATA CallbackData,
                                       PFLT_COMPLETE_CANCELED_CALLBACK CanceledCallback)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltSetCancelCompletion was given no operation under way\n");
    PIRP Irp = Operation->Irp;

    if (CanceledCallback == NULL || !FLT_IS_IRP_OPERATION(CallbackData) ||
        FlagOn(CallbackData->Iopb->IrpFlags, IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO))
        return STATUS_INVALID_PARAMETER;
    FvCheckRoutine((PVOID)CanceledCallback, "cancel callback");
    Operation->CanceledCallback = CanceledCallback;
    Irp->Tail.Overlay.DriverContext[3] = Operation;
    IoSetCancelRoutine(Irp, FltpCancelRoutine);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL)
        return STATUS_CANCELLED;
    return STATUS_SUCCESS;
}

NTSTATUS FLTAPI FltClearCancelCompletion(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(CallbackData, "rule=FltClearCancelCompletion was given no operation under way\n");

    return Operation->Irp != NULL && IoSetCancelRoutine(Operation->Irp, NULL) != NULL ? STATUS_SUCCESS
                                                                                      : STATUS_CANCELLED;
}

/* --- Queues --- */

typedef struct _FLTP_QUEUE_LOCK {
    FV_CALL Call;
    KIRQL Irql;
} FLTP_QUEUE_LOCK, *PFLTP_QUEUE_LOCK;

/* The filter's lock; what it leaves otherwise than before is found when it has been released. */
static VOID FltpLockQueue(PFLT_CALLBACK_DATA_QUEUE Queue, PFLTP_QUEUE_LOCK Lock)
{
    FvBeginCall(&Lock->Call);
    Queue->Acquire(Queue, &Lock->Irql);
}

static VOID FltpUnlockQueue(PFLT_CALLBACK_DATA_QUEUE Queue, PFLTP_QUEUE_LOCK Lock)
{
    PFLT_CALLBACK_DATA_QUEUE_RELEASE Release = Queue->Release;

    Release(Queue, Lock->Irql);
    FvEndCall(&Lock->Call, (PVOID)Release, "callback data queue's release callback", (ULONG_PTR)Queue);
}

/* The queue's lock is held.  It leaves the queue. */
static VOID FltpRemoveLocked(PFLT_CALLBACK_DATA_QUEUE Queue, PFLTP_OPERATION Operation)
{
    PIO_CSQ_IRP_CONTEXT Context = Operation->QueueContext;

    Queue->RemoveIo(Queue, &Operation->Data);
    if (Context != NULL)
        Context->Irp = NULL;
}

/* Not under the queue's lock; the operation is out of the queue. */
static VOID FltpCompleteCanceled(PFLT_CALLBACK_DATA_QUEUE Queue, PFLTP_OPERATION Operation)
{
    PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO Complete = Queue->CompleteCanceledIo;
    PFLT_INSTANCE Instance = Operation->Nodes[Operation->Current].Instance;
    FV_CALL Call;

    FltpStayInInstance(Instance);
    FvBeginCall(&Call);
    Complete(Queue, &Operation->Data);
    FvEndCall(&Call, (PVOID)Complete, "cancel callback", (ULONG_PTR)&Operation->Data);
    FltpLeaveInstance(Instance);
}

static VOID NTAPI FltpQueueCancelRoutine(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFLTP_OPERATION Operation = Irp->Tail.Overlay.DriverContext[3];
    PFLT_CALLBACK_DATA_QUEUE Queue = Operation->Queue;
    FLTP_QUEUE_LOCK Lock;

    UNREFERENCED_PARAMETER(Device);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    FltpLockQueue(Queue, &Lock);
    FltpRemoveLocked(Queue, Operation);
    FltpUnlockQueue(Queue, &Lock);
    FltpCompleteCanceled(Queue, Operation);
}

PFLT_CALLBACK_DATA_QUEUE FltpQueueOf(const FLTP_OPERATION *Operation)
{
    return Operation->Irp != NULL && Operation->Irp->CancelRoutine == FltpQueueCancelRoutine ? Operation->Queue : NULL;
}

NTSTATUS FLTAPI FltCbdqInitialize(PFLT_INSTANCE Instance, PFLT_CALLBACK_DATA_QUEUE Cbdq,
                                  PFLT_CALLBACK_DATA_QUEUE_INSERT_IO CbdqInsertIo,
                                  PFLT_CALLBACK_DATA_QUEUE_REMOVE_IO CbdqRemoveIo,
                                  PFLT_CALLBACK_DATA_QUEUE_PEEK_NEXT_IO CbdqPeekNextIo,
                                  PFLT_CALLBACK_DATA_QUEUE_ACQUIRE CbdqAcquire,
                                  PFLT_CALLBACK_DATA_QUEUE_RELEASE CbdqRelease,
                                  PFLT_CALLBACK_DATA_QUEUE_COMPLETE_CANCELED_IO CbdqCompleteCanceledIo)
{
    if (CbdqInsertIo == NULL || CbdqRemoveIo == NULL || CbdqPeekNextIo == NULL || CbdqAcquire == NULL ||
        CbdqRelease == NULL || CbdqCompleteCanceledIo == NULL)
        return STATUS_INVALID_PARAMETER;
    FvCheckRoutine((PVOID)CbdqInsertIo, "CbdqInsertIo");
    FvCheckRoutine((PVOID)CbdqRemoveIo, "CbdqRemoveIo");
    FvCheckRoutine((PVOID)CbdqPeekNextIo, "CbdqPeekNextIo");
    FvCheckRoutine((PVOID)CbdqAcquire, "CbdqAcquire");
    FvCheckRoutine((PVOID)CbdqRelease, "CbdqRelease");
    FvCheckRoutine((PVOID)CbdqCompleteCanceledIo, "CbdqCompleteCanceledIo");
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
    FLTP_QUEUE_LOCK Lock;

    FltpLockQueue(Cbdq, &Lock);
    Cbdq->Flags = Flags;
    FltpUnlockQueue(Cbdq, &Lock);
}

VOID FLTAPI FltCbdqEnable(PFLT_CALLBACK_DATA_QUEUE Cbdq)
{
    FltpSetQueueFlags(Cbdq, (FLT_CALLBACK_DATA_QUEUE_FLAGS)0);
}

VOID FLTAPI FltCbdqDisable(PFLT_CALLBACK_DATA_QUEUE Cbdq)
{
    FltpSetQueueFlags(Cbdq, FLTP_QUEUE_DISABLED);
}

/* The queue's lock is held, and the operation is in the queue.  FALSE: it has been cancelled before, and is out again. */
static BOOLEAN FltpMakeCancelableLocked(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLTP_OPERATION Operation)
{
    PIRP Irp = Operation->Irp;

    IoSetCancelRoutine(Irp, FltpQueueCancelRoutine);
    if (!Irp->Cancel || IoSetCancelRoutine(Irp, NULL) == NULL)
        return TRUE;
    FltpRemoveLocked(Cbdq, Operation);
    return FALSE;
}

/* What the filter's InsertIo returned; an operation that is cancelled already is completed on the way. */
NTSTATUS FLTAPI FltCbdqInsertIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLT_CALLBACK_DATA Cbd, PIO_CSQ_IRP_CONTEXT Context,
                                PVOID InsertContext)
{
    PFLTP_OPERATION Operation = FltpCheckData(Cbd, "rule=FltCbdqInsertIo was given no operation under way\n");
    PFLTP_CALL Call = FltpOwnCall(Operation);
    BOOLEAN Queued = FALSE;
    NTSTATUS Status = STATUS_FLT_CBDQ_DISABLED;
    FLTP_QUEUE_LOCK Lock;

    if (Operation->Magic == FLTP_MAGIC_DRAINED)
        return STATUS_FLT_DELETING_OBJECT; /* a copy does not outlive its callback */
    if (Operation->Irp == NULL)
        return STATUS_INVALID_PARAMETER; /* a call does neither */
    FltpLockQueue(Cbdq, &Lock);
    if (Cbdq->Flags != FLTP_QUEUE_DISABLED) {
        Operation->Queue = Cbdq;
        Operation->QueueContext = Context;
        if (Context != NULL) {
            Context->Irp = Operation->Irp;
            Context->Csq = (PIO_CSQ)Cbdq;
        }
        Operation->Irp->Tail.Overlay.DriverContext[3] = Operation;
        Status = Cbdq->InsertIo(Cbdq, Cbd, InsertContext);
        if (NT_SUCCESS(Status)) {
            if (Call != NULL)
                Call->Given = FltpGivenQueue;
            Queued = FltpMakeCancelableLocked(Cbdq, Operation);
        } else if (Context != NULL) {
            Context->Irp = NULL;
        }
    }
    FltpUnlockQueue(Cbdq, &Lock);
    if (NT_SUCCESS(Status) && !Queued)
        FltpCompleteCanceled(Cbdq, Operation);
    return Status;
}

/* NULL when it has been cancelled: it is, or is about to be, in the filter's callback for that. */
static PFLT_CALLBACK_DATA FltpTakeFromQueueLocked(PFLT_CALLBACK_DATA_QUEUE Cbdq, PFLTP_OPERATION Operation)
{
    PFLTP_CALL Call;

    if (IoSetCancelRoutine(Operation->Irp, NULL) == NULL)
        return NULL;
    FltpRemoveLocked(Cbdq, Operation);
    Call = FltpOwnCall(Operation); /* a callback that takes back what it has just put in */
    if (Call != NULL)
        Call->Given = FltpNotGiven;
    return &Operation->Data;
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PIO_CSQ_IRP_CONTEXT Context)
{
    PFLT_CALLBACK_DATA Data = NULL;
    FLTP_QUEUE_LOCK Lock;

    FltpLockQueue(Cbdq, &Lock);
    if (Context->Irp != NULL)
        Data = FltpTakeFromQueueLocked(Cbdq, Context->Irp->Tail.Overlay.DriverContext[3]);
    FltpUnlockQueue(Cbdq, &Lock);
    return Data;
}

PFLT_CALLBACK_DATA FLTAPI FltCbdqRemoveNextIo(PFLT_CALLBACK_DATA_QUEUE Cbdq, PVOID PeekContext)
{
    PFLT_CALLBACK_DATA Data = NULL, Taken = NULL;
    FLTP_QUEUE_LOCK Lock;

    FltpLockQueue(Cbdq, &Lock);
    while (Taken == NULL && (Data = Cbdq->PeekNextIo(Cbdq, Data, PeekContext)) != NULL)
        Taken = FltpTakeFromQueueLocked(Cbdq, FLTP_OPERATION_OF(Data));
    FltpUnlockQueue(Cbdq, &Lock);
    return Taken;
}
