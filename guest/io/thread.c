/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What io knows of threads and processes: the top-level request, the stack, whose request a packet is.
 */
#include "iop.h"

/* Any IRQL. */
PEPROCESS NTAPI IoGetCurrentProcess(VOID)
{
    return CONTAINING_RECORD(KeGetCurrentThread()->ApcState.Process, EPROCESS, Pcb);
}

/* IRQL <= DISPATCH_LEVEL. */
PEPROCESS NTAPI IoThreadToProcess(PETHREAD Thread)
{
    return CONTAINING_RECORD(Thread->Tcb.Process, EPROCESS, Pcb);
}

/* IRQL <= DISPATCH_LEVEL.  NULL for a packet that no thread's request made. */
PEPROCESS NTAPI IoGetRequestorProcess(PIRP Irp)
{
    return Irp->Tail.Overlay.Thread != NULL ? IoThreadToProcess(Irp->Tail.Overlay.Thread) : NULL;
}

ULONG NTAPI IoGetRequestorProcessId(PIRP Irp)
{
    PEPROCESS Process = IoGetRequestorProcess(Irp);

    return Process != NULL ? (ULONG)(ULONG_PTR)PsGetProcessId(Process) : 0;
}

/* IRQL <= DISPATCH_LEVEL. */
PIRP NTAPI IoGetTopLevelIrp(VOID)
{
    return (PIRP)PsGetCurrentThread()->Tcb.TopLevelIrp;
}

VOID NTAPI IoSetTopLevelIrp(PIRP Irp)
{
    PsGetCurrentThread()->Tcb.TopLevelIrp = (ULONG_PTR)Irp;
}

/* IRQL <= DISPATCH_LEVEL. */
BOOLEAN NTAPI IoIsSystemThread(PETHREAD Thread)
{
    return PsIsSystemThread(Thread);
}

/* The stack that is in use: at DISPATCH_LEVEL that may be another than the thread's.  Any IRQL. */
VOID NTAPI IoGetStackLimits(PULONG_PTR LowLimit, PULONG_PTR HighLimit)
{
    PKTHREAD Thread = KeGetCurrentThread();
    ULONG_PTR Here = (ULONG_PTR)_AddressOfReturnAddress();

    *LowLimit = (ULONG_PTR)Thread->StackLimit;
    *HighLimit = (ULONG_PTR)Thread->StackBase;
    if (Here < *LowLimit || Here >= *HighLimit) {
        /* not the thread's: of ours the page at hand is certain */
        *LowLimit = Here & ~(ULONG_PTR)(PAGE_SIZE - 1);
        *HighLimit = *LowLimit + PAGE_SIZE;
    }
}

PVOID NTAPI IoGetInitialStack(VOID)
{
    return KeGetCurrentThread()->InitialStack;
}

/* IRQL <= APC_LEVEL.  Whether the region lies in the current thread's stack. */
LOGICAL NTAPI IoWithinStackLimits(ULONG_PTR RegionStart, SIZE_T RegionSize)
{
    PKTHREAD Thread = KeGetCurrentThread();

    return RegionStart >= (ULONG_PTR)Thread->StackLimit && RegionStart + RegionSize >= RegionStart &&
           RegionStart + RegionSize <= (ULONG_PTR)Thread->StackBase;
}

/* Any IRQL.  There are no 32-bit processes. */
BOOLEAN NTAPI IoIs32bitProcess(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    return FALSE;
}

/* ---- forwarding ------------------------------------------------------------------------------------------
 */

static NTSTATUS NTAPI IopForwardCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, 0, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* PASSIVE_LEVEL.  TRUE once the lower drivers are done; the caller completes the packet. */
BOOLEAN NTAPI IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KEVENT Event;

    if (Irp->CurrentLocation <= 1 || DeviceObject == NULL) {
        return FALSE;
    }
    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, IopForwardCompletion, &Event, TRUE, TRUE, TRUE);
    if (IofCallDriver(DeviceObject, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
    return TRUE;
}

typedef struct _IOP_COMPLETION_EX {
    PDEVICE_OBJECT DeviceObject; /* referenced: keeps the driver's code */
    PIO_COMPLETION_ROUTINE Routine;
    PVOID Context;
} IOP_COMPLETION_EX, *PIOP_COMPLETION_EX;

static NTSTATUS NTAPI IopCompletionEx(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    IOP_COMPLETION_EX Copy = *(PIOP_COMPLETION_EX)Context;
    NTSTATUS Status;
    FV_CALL Call;

    ExFreePoolWithTag(Context, IOP_TAG_LIST);
    FvBeginCall(&Call);
    Status = Copy.Routine(DeviceObject, Irp, Copy.Context);
    Call.MayLeave = FV_MAY_LEAVE_RESOURCES;
    FvEndCall(&Call, (PVOID)Copy.Routine, "completion routine", (ULONG_PTR)Irp);
    ObDereferenceObject(Copy.DeviceObject);
    return Status;
}

/* IRQL <= DISPATCH_LEVEL.  As IoSetCompletionRoutine, but the driver stays loaded until the routine has
 * returned.  All three of the conditions must be TRUE, else the reference would be lost. */
NTSTATUS NTAPI IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp, PIO_COMPLETION_ROUTINE CompletionRoutine,
                                        PVOID Context, BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
                                        BOOLEAN InvokeOnCancel)
{
    PIOP_COMPLETION_EX Extended;

    KeCheckRoutine((PVOID)CompletionRoutine, "completion routine");
    Extended = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Extended), IOP_TAG_LIST);
    if (Extended == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ObReferenceObject(DeviceObject);
    Extended->DeviceObject = DeviceObject;
    Extended->Routine = CompletionRoutine;
    Extended->Context = Context;
    IoSetCompletionRoutine(Irp, IopCompletionEx, Extended, InvokeOnSuccess, InvokeOnError, InvokeOnCancel);
    return STATUS_SUCCESS;
}
