/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O work items: a work item of the executive that holds its device or driver object, hence the driver's
 * image, from IoQueueWorkItem until the routine has returned.
 *
 * An item's memory is accounted to the driver that allocates it, so one left over at unload is that driver's
 * leak.  One freed while queued or queued twice is found here.
 */
#include "iop.h"

enum { IopWorkIdle, IopWorkQueued };

struct _IO_WORKITEM {
    WORK_QUEUE_ITEM WorkItem;
    PVOID Routine; /* PIO_WORKITEM_ROUTINE or, with Extended, PIO_WORKITEM_ROUTINE_EX */
    PVOID IoObject;
    PVOID Context;
    volatile LONG State; /* IopWork* */
    BOOLEAN Extended;
    PVOID Allocator;
    PVOID Queuer;
};

static VOID IopReportWorkItem(PCSTR What, PIO_WORKITEM Item)
{
    CHAR Text[256];

    Text[sizeof(Text) - 1] = '\0';
    _snprintf(Text, sizeof(Text) - 1, "what=%s\nitem=0x%p\nroutine=0x%p\nallocated=0x%p\nqueued=0x%p\n", What, Item,
              Item->Routine, Item->Allocator, Item->Queuer);
    FvReport(Text);
}

/* A device or driver object; what is there is looked at, be it what it may. */
static BOOLEAN IopIsWorkObject(PVOID IoObject)
{
    CSHORT Type;

    if (((ULONG_PTR)IoObject & 7) != 0 || !MmIsAddressValid(IoObject)) {
        return FALSE;
    }
    Type = *(CSHORT *)IoObject;
    return Type == IO_TYPE_DEVICE || Type == IO_TYPE_DRIVER;
}

static VOID IopInitializeItem(PVOID IoObject, PIO_WORKITEM Item, PVOID Caller)
{
    if (IopVerifierOn && !IopIsWorkObject(IoObject)) {
        FvBlame(Caller);
        KeBugCheckEx(WORKER_INVALID, 0x3, (ULONG_PTR)Item, (ULONG_PTR)IoObject, 0);
    }
    RtlZeroMemory(Item, sizeof(*Item));
    Item->IoObject = IoObject;
    Item->Allocator = Caller;
}

static VOID NTAPI IopWorkItemWorker(PVOID Parameter)
{
    PIO_WORKITEM Item = Parameter;
    PVOID IoObject = Item->IoObject;
    PVOID Routine = Item->Routine;
    PVOID Context = Item->Context;
    BOOLEAN Extended = Item->Extended;
    FV_CALL Call;

    /* The routine may free the item, or queue it again. */
    InterlockedExchange(&Item->State, IopWorkIdle);
    FvBeginCall(&Call);
    Call.Context = (ULONG_PTR)Context;
    if (Extended) {
        ((PIO_WORKITEM_ROUTINE_EX)Routine)(IoObject, Context, Item);
    } else {
        ((PIO_WORKITEM_ROUTINE)Routine)(IoObject, Context);
    }
    FvEndCall(&Call, Routine, "I/O work routine", (ULONG_PTR)Item);
    ObDereferenceObject(IoObject);
}

static VOID IopQueueItem(PIO_WORKITEM Item, PVOID Routine, BOOLEAN Extended, WORK_QUEUE_TYPE QueueType, PVOID Context,
                         PVOID Caller)
{
    if (InterlockedExchange(&Item->State, IopWorkQueued) != IopWorkIdle) {
        IopReportWorkItem("io-work-item-queued-twice", Item);
        FvBlame(Caller);
        KeBugCheckEx(WORKER_INVALID, 0x1, (ULONG_PTR)Item, (ULONG_PTR)QueueType, 0);
    }
    if (!KeIsRoutine(Routine)) {
        IopReportWorkItem("io-work-item-without-a-routine", Item);
        FvBlame(Caller);
        KeBugCheckEx(WORKER_INVALID, 0x7, (ULONG_PTR)Item, (ULONG_PTR)QueueType, 0);
    }
    Item->Routine = Routine;
    Item->Extended = Extended;
    Item->Context = Context;
    Item->Queuer = Caller;
    ObReferenceObject(Item->IoObject);
    ExInitializeWorkItem(&Item->WorkItem, IopWorkItemWorker, Item);
    ExQueueWorkItemFor(&Item->WorkItem, QueueType, Caller);
}

/* IRQL <= DISPATCH_LEVEL.  NULL when there is no memory. */
PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM Item = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*Item), IOP_TAG_WORK, _ReturnAddress());

    if (Item != NULL) {
        IopInitializeItem(DeviceObject, Item, _ReturnAddress());
    }
    return Item;
}

ULONG NTAPI IoSizeofWorkItem(VOID)
{
    return sizeof(struct _IO_WORKITEM);
}

/* IRQL <= DISPATCH_LEVEL.  For memory of IoSizeofWorkItem bytes that the driver owns; IoObject: a device or a
 * driver. */
VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    IopInitializeItem(IoObject, IoWorkItem, _ReturnAddress());
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    if (IoWorkItem->State != IopWorkIdle) {
        IopReportWorkItem("io-work-item-uninitialized-while-queued", IoWorkItem);
        KeBugCheckEx(WORKER_INVALID, 0x2, (ULONG_PTR)IoWorkItem, (ULONG_PTR)IoWorkItem->Routine, 0);
    }
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                           PVOID Context)
{
    IopQueueItem(IoWorkItem, (PVOID)WorkerRoutine, FALSE, QueueType, Context, _ReturnAddress());
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                             PVOID Context)
{
    IopQueueItem(IoWorkItem, (PVOID)WorkerRoutine, TRUE, QueueType, Context, _ReturnAddress());
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    if (IoWorkItem->State != IopWorkIdle) {
        IopReportWorkItem("io-work-item-freed-while-queued", IoWorkItem);
        KeBugCheckEx(WORKER_INVALID, 0x2, (ULONG_PTR)IoWorkItem, (ULONG_PTR)IoWorkItem->Routine, 0);
    }
    ExFreePoolWithTag(IoWorkItem, IOP_TAG_WORK);
}
