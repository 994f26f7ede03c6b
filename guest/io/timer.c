/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device timers (a call a second at DISPATCH_LEVEL) and the packet queue of drivers with a StartIo routine.
 */
#include "iop.h"

struct _IO_TIMER {
    CSHORT Type;
    CSHORT TimerFlag; /* 1 while started; IopTimerLock */
    LIST_ENTRY TimerList;
    PIO_TIMER_ROUTINE TimerRoutine;
    PVOID Context;
    PDEVICE_OBJECT DeviceObject;
};

static KSPIN_LOCK IopTimerLock;
static LIST_ENTRY IopTimers = {&IopTimers, &IopTimers}; /* IopTimerLock */
static ULONG IopTimersStarted;                          /* IopTimerLock */
static KTIMER IopTimer;
static KDPC IopTimerDpcObject;

/* DISPATCH_LEVEL. */
static VOID NTAPI IopTimerDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PLIST_ENTRY Entry;
    FV_CALL Call;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&IopTimerLock);
    for (Entry = IopTimers.Flink; Entry != &IopTimers; Entry = Entry->Flink) {
        PIO_TIMER Timer = CONTAINING_RECORD(Entry, struct _IO_TIMER, TimerList);

        if (Timer->TimerFlag) {
            FvBeginCall(&Call);
            Timer->TimerRoutine(Timer->DeviceObject, Timer->Context);
            FvEndCall(&Call, (PVOID)Timer->TimerRoutine, "device timer routine", (ULONG_PTR)Timer->DeviceObject);
        }
    }
    KeReleaseSpinLockFromDpcLevel(&IopTimerLock);
}

/* PASSIVE_LEVEL or DISPATCH_LEVEL; once for a device. */
NTSTATUS NTAPI IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine, PVOID Context)
{
    PIO_TIMER Timer = DeviceObject->Timer;
    KIRQL Irql;

    KeCheckRoutine((PVOID)TimerRoutine, "device timer routine");
    if (Timer != NULL && IopVerifierOn) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0xA, (ULONG_PTR)DeviceObject, 0, 0);
    }
    if (Timer == NULL) {
        Timer = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Timer), IOP_TAG_TIMER);
        if (Timer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        RtlZeroMemory(Timer, sizeof(*Timer));
        Timer->Type = IO_TYPE_TIMER;
        Timer->DeviceObject = DeviceObject;
        DeviceObject->Timer = Timer;
        KeAcquireSpinLock(&IopTimerLock, &Irql);
        InsertTailList(&IopTimers, &Timer->TimerList);
        KeReleaseSpinLock(&IopTimerLock, Irql);
    }
    Timer->TimerRoutine = TimerRoutine;
    Timer->Context = Context;
    return STATUS_SUCCESS;
}

/* IRQL <= DISPATCH_LEVEL. */
VOID NTAPI IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
    LARGE_INTEGER Second;
    KIRQL Irql;

    KeAcquireSpinLock(&IopTimerLock, &Irql);
    if (!DeviceObject->Timer->TimerFlag) {
        DeviceObject->Timer->TimerFlag = 1;
        if (IopTimersStarted++ == 0) {
            if (IopTimerDpcObject.DeferredRoutine == NULL) {
                KeInitializeDpc(&IopTimerDpcObject, IopTimerDpc, NULL);
                KeInitializeTimer(&IopTimer);
            }
            Second.QuadPart = -10000000LL;
            KeSetTimerEx(&IopTimer, Second, 1000, &IopTimerDpcObject);
        }
    }
    KeReleaseSpinLock(&IopTimerLock, Irql);
}

static VOID IopStopTimerLocked(PIO_TIMER Timer)
{
    if (Timer->TimerFlag) {
        Timer->TimerFlag = 0;
        if (--IopTimersStarted == 0) {
            KeCancelTimer(&IopTimer);
        }
    }
}

/* IRQL <= DISPATCH_LEVEL, not from the timer routine itself. */
VOID NTAPI IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopTimerLock, &Irql);
    IopStopTimerLocked(DeviceObject->Timer);
    KeReleaseSpinLock(&IopTimerLock, Irql);
}

/* The device goes.  <= DISPATCH_LEVEL. */
VOID IopDeleteTimer(PDEVICE_OBJECT DeviceObject)
{
    PIO_TIMER Timer = DeviceObject->Timer;
    KIRQL Irql;

    KeAcquireSpinLock(&IopTimerLock, &Irql);
    IopStopTimerLocked(Timer);
    RemoveEntryList(&Timer->TimerList);
    KeReleaseSpinLock(&IopTimerLock, Irql);
    DeviceObject->Timer = NULL;
    ExFreePoolWithTag(Timer, IOP_TAG_TIMER);
}

/* ---- StartIo ---------------------------------------------------------------------------------------------
 */

static VOID IopCallStartIo(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDRIVER_STARTIO Routine = DeviceObject->DriverObject->DriverStartIo;
    FV_CALL Call;

    FvBeginCall(&Call);
    Routine(DeviceObject, Irp);
    FvEndCall(&Call, (PVOID)Routine, "StartIo", (ULONG_PTR)DeviceObject);
}

/* IRQL <= DISPATCH_LEVEL.  Calls the driver's StartIo at DISPATCH_LEVEL now, or queues the packet behind the
 * current one. */
VOID NTAPI IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key, PDRIVER_CANCEL CancelFunction)
{
    KIRQL CancelIrql = 0;
    BOOLEAN Queued;
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    if (CancelFunction != NULL) {
        IoAcquireCancelSpinLock(&CancelIrql);
        IoSetCancelRoutine(Irp, CancelFunction);
    }
    if (Key != NULL) {
        Queued = KeInsertByKeyDeviceQueue(&DeviceObject->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry, *Key);
    } else {
        Queued = KeInsertDeviceQueue(&DeviceObject->DeviceQueue, &Irp->Tail.Overlay.DeviceQueueEntry);
    }
    if (!Queued) {
        DeviceObject->CurrentIrp = Irp;
        if (CancelFunction != NULL) {
            IoReleaseCancelSpinLock(CancelIrql);
        }
        IopCallStartIo(DeviceObject, Irp);
    } else if (CancelFunction != NULL) {
        PDRIVER_CANCEL Routine = NULL;

        if (Irp->Cancel) {
            Routine = IoSetCancelRoutine(Irp, NULL);
        }
        if (Routine != NULL) {
            Irp->CancelIrql = CancelIrql;
            Routine(DeviceObject, Irp); /* releases the lock */
        } else {
            IoReleaseCancelSpinLock(CancelIrql);
        }
    }
    KeLowerIrql(Irql);
}

static VOID IopStartNext(PDEVICE_OBJECT DeviceObject, PKDEVICE_QUEUE_ENTRY Entry, BOOLEAN Cancelable, KIRQL CancelIrql)
{
    if (Entry == NULL) {
        DeviceObject->CurrentIrp = NULL;
        if (Cancelable) {
            IoReleaseCancelSpinLock(CancelIrql);
        }
        return;
    }
    DeviceObject->CurrentIrp = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.DeviceQueueEntry);
    if (Cancelable) {
        IoReleaseCancelSpinLock(CancelIrql);
    }
    IopCallStartIo(DeviceObject, DeviceObject->CurrentIrp);
}

/* DISPATCH_LEVEL. */
VOID NTAPI IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable)
{
    KIRQL CancelIrql = 0;

    if (Cancelable) {
        IoAcquireCancelSpinLock(&CancelIrql);
    }
    DeviceObject->CurrentIrp = NULL;
    IopStartNext(DeviceObject, KeRemoveDeviceQueue(&DeviceObject->DeviceQueue), Cancelable, CancelIrql);
}

/* DISPATCH_LEVEL. */
VOID NTAPI IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key)
{
    KIRQL CancelIrql = 0;

    if (Cancelable) {
        IoAcquireCancelSpinLock(&CancelIrql);
    }
    DeviceObject->CurrentIrp = NULL;
    IopStartNext(DeviceObject, KeRemoveByKeyDeviceQueue(&DeviceObject->DeviceQueue, Key), Cancelable, CancelIrql);
}
