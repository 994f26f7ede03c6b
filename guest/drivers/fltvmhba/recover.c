/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When things go wrong: cancellation, requests that take too long, a controller that stops.
 *
 * A command in flight is canceled by ABORT; its IRP completes when the command does.  Every second a timer
 * looks for commands past their deadline and aborts them, for aborts that do not come back and for a fatal
 * controller, and then resets it: every request in flight fails, what waits goes on.
 */
#include "adapter.h"

/* ---- cancellation ----------------------------------------------------------------------------------------
 */

/* DISPATCH_LEVEL with the cancel spin lock, which it releases. */
VOID NTAPI HbaCancelIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PHBA_QUEUE Queue = Irp->Tail.Overlay.DriverContext[0];
    BOOLEAN Complete = FALSE;
    PHBA_SLOT Slot;
    LIST_ENTRY Done;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    InitializeListHead(&Done);
    KeAcquireSpinLock(&Queue->Lock, &Irql);
    Slot = Irp->Tail.Overlay.DriverContext[1];
    if (Slot == NULL) {
        /* It waits, or HbaPumpLocked has just taken it off the list and left it to us. */
        if (Irp->Tail.Overlay.ListEntry.Flink != NULL) {
            RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        }
        Irp->IoStatus.Status = STATUS_CANCELLED;
        Irp->IoStatus.Information = 0;
        Complete = TRUE;
    } else if (Slot->State == HbaSlotFinished) {
        /* The command was quicker: its status stands. */
        Slot->State = HbaSlotBusy;
        Slot->Canceled = TRUE;
        HbaFinishSlotLocked(Slot, Irp->IoStatus.Status, &Done);
        HbaPumpLocked(Queue, &Done);
    } else {
        Slot->Canceled = TRUE;
        if (!Slot->AbortSent) {
            HbaSendAbortLocked(Slot);
        }
    }
    KeReleaseSpinLock(&Queue->Lock, Irql);
    if (Complete) {
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
    }
    HbaCompleteList(&Done);
}

/* ---- time-outs -------------------------------------------------------------------------------------------
 */

/* TRUE when an abort, too, is past its deadline. */
static BOOLEAN HbaCheckQueue(PHBA_QUEUE Queue, LONGLONG Now)
{
    BOOLEAN Stuck = FALSE;
    ULONG Index;

    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    for (Index = 0; Index < HBA_IO_SLOTS; Index++) {
        PHBA_SLOT Slot = &Queue->Slot[Index];

        if (Slot->State != HbaSlotBusy || Slot->Deadline > Now) {
            continue;
        }
        if (Slot->AbortSent) {
            Stuck = TRUE;
        } else {
            DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_WARNING_LEVEL,
                       "fltvmhba: command %u of queue %u takes too long, aborting it\n", Slot->Id, Queue->Index);
            Slot->TimedOut = TRUE;
            HbaSendAbortLocked(Slot);
        }
    }
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
    return Stuck;
}

/* ---- reset -----------------------------------------------------------------------------------------------
 */

static VOID HbaFailQueue(PHBA_QUEUE Queue, BOOLEAN Waiting, NTSTATUS Status, PLIST_ENTRY Done)
{
    ULONG Index;

    KeAcquireSpinLockAtDpcLevel(&Queue->Lock);
    for (Index = 0; Index < HBA_IO_SLOTS; Index++) {
        if (Queue->Slot[Index].State == HbaSlotBusy) {
            HbaFinishSlotLocked(&Queue->Slot[Index], Queue->Slot[Index].TimedOut ? STATUS_IO_TIMEOUT : Status, Done);
        }
    }
    while (Waiting && !IsListEmpty(&Queue->Waiting)) {
        PIRP Irp = CONTAINING_RECORD(RemoveHeadList(&Queue->Waiting), IRP, Tail.Overlay.ListEntry);

        Irp->Tail.Overlay.ListEntry.Flink = NULL;
        if (IoSetCancelRoutine(Irp, NULL) != NULL) {
            Irp->IoStatus.Status = Status;
            Irp->IoStatus.Information = 0;
            InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
        }
    }
    HbaResetQueueLocked(Queue);
    KeReleaseSpinLockFromDpcLevel(&Queue->Lock);
}

static VOID HbaResetLocked(PHBA_ADAPTER Adapter, PLIST_ENTRY Done)
{
    BOOLEAN GiveUp = ++Adapter->Resets > HBA_MAX_RESETS;
    ULONG Index;

    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "fltvmhba: controller %u: %s (status 0x%x, error 0x%x)\n",
               Adapter->Number, GiveUp ? "given up" : "reset", HbaRead(Adapter, FLTVM_HBA_REG_STATUS),
               HbaRead(Adapter, FLTVM_HBA_REG_ERROR));
    InterlockedExchange(&Adapter->Resetting, TRUE);
    if (GiveUp) {
        InterlockedExchange(&Adapter->Stopped, TRUE);
    }
    HbaWrite(Adapter, FLTVM_HBA_REG_CONTROL, 0); /* from here the device touches no memory of ours */
    for (Index = 0; Index < Adapter->Queues; Index++) {
        HbaFailQueue(Adapter->Queue[Index], GiveUp, GiveUp ? STATUS_DEVICE_NOT_CONNECTED : STATUS_IO_DEVICE_ERROR,
                     Done);
    }
    if (GiveUp) {
        return;
    }
    HbaWrite(Adapter, FLTVM_HBA_REG_ERROR, HbaRead(Adapter, FLTVM_HBA_REG_ERROR));
    HbaWrite(Adapter, FLTVM_HBA_REG_CONTROL, FLTVM_HBA_CONTROL_ENABLE);
    for (Index = 0; Index < Adapter->Queues; Index++) {
        HbaProgramQueue(Adapter->Queue[Index]);
    }
    InterlockedExchange(&Adapter->Resetting, FALSE);
    for (Index = 0; Index < Adapter->Queues; Index++) {
        KeAcquireSpinLockAtDpcLevel(&Adapter->Queue[Index]->Lock);
        HbaPumpLocked(Adapter->Queue[Index], Done);
        KeReleaseSpinLockFromDpcLevel(&Adapter->Queue[Index]->Lock);
    }
}

static VOID HbaExamine(PHBA_ADAPTER Adapter, BOOLEAN Stuck)
{
    LIST_ENTRY Done;

    InitializeListHead(&Done);
    KeAcquireSpinLockAtDpcLevel(&Adapter->ResetLock);
    if (!Adapter->Stopped && (Stuck || (HbaRead(Adapter, FLTVM_HBA_REG_STATUS) & FLTVM_HBA_STATUS_FATAL) != 0)) {
        HbaResetLocked(Adapter, &Done);
    }
    KeReleaseSpinLockFromDpcLevel(&Adapter->ResetLock);
    HbaCompleteList(&Done);
}

VOID HbaCheckController(PHBA_ADAPTER Adapter)
{
    HbaExamine(Adapter, FALSE);
}

VOID HbaGiveUp(PHBA_ADAPTER Adapter)
{
    LIST_ENTRY Done;
    KIRQL Irql;

    InitializeListHead(&Done);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    KeAcquireSpinLockAtDpcLevel(&Adapter->ResetLock);
    if (!Adapter->Stopped) {
        Adapter->Resets = HBA_MAX_RESETS;
        HbaResetLocked(Adapter, &Done);
    }
    KeReleaseSpinLockFromDpcLevel(&Adapter->ResetLock);
    HbaCompleteList(&Done);
    KeLowerIrql(Irql);
}

NTSTATUS HbaPull(PHBA_ADAPTER Adapter)
{
    if (InterlockedExchange(&Adapter->Pulled, TRUE)) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    HbaGiveUp(Adapter);
    IoInvalidateDeviceState(Adapter->Pdo);
    KeWaitForSingleObject(&Adapter->Gone, Executive, KernelMode, FALSE, NULL);
    return STATUS_SUCCESS;
}

/* DISPATCH_LEVEL, once a second. */
VOID NTAPI HbaTimer(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    LONGLONG Now = (LONGLONG)KeQueryInterruptTime();
    PHBA_ADAPTER Adapter = Context;
    BOOLEAN Stuck = FALSE;
    ULONG Index;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Adapter->Stopped) {
        return;
    }
    if (InterlockedExchange(&Adapter->Completions, 0) != 0) {
        Adapter->Resets = 0;
    }
    for (Index = 0; Index < Adapter->Queues; Index++) {
        Stuck |= HbaCheckQueue(Adapter->Queue[Index], Now);
    }
    HbaExamine(Adapter, Stuck);
}
