/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that are gone without having been asked.
 *
 * Their driver says so by IoInvalidateDeviceState and its answer to IRP_MN_QUERY_PNP_DEVICE_STATE.  A system thread then sends
 * IRP_MN_SURPRISE_REMOVAL to the stacks that the driver names as its removal relations, each with all who have registered for a
 * change of its device told after it (GUID_TARGET_DEVICE_REMOVE_COMPLETE), and to the device's own last.  IRP_MN_REMOVE_DEVICE follows when nobody has anything of the stack open
 * any more, for a device after those that go with it.
 */
#include "iop.h"

typedef struct _IOP_INVALID_STATE {
    WORK_QUEUE_ITEM Item;
    PDEVICE_OBJECT Pdo; /* referenced */
} IOP_INVALID_STATE, *PIOP_INVALID_STATE;

/* A device that waits for its IRP_MN_REMOVE_DEVICE. */
typedef struct _IOP_GOING {
    LIST_ENTRY Entry;
    PDEVICE_OBJECT Device; /* referenced */
    PDEVICE_OBJECT Owner;  /* which it goes before; NULL: none */
} IOP_GOING, *PIOP_GOING;

/* IopDatabaseLock */
static LIST_ENTRY IopGoing = {&IopGoing, &IopGoing};
static BOOLEAN IopGoingQueued;
static WORK_QUEUE_ITEM IopGoingItem;

static BOOLEAN IopMayGoLocked(PIOP_GOING Going)
{
    for (PDEVICE_OBJECT Device = Going->Device; Device != NULL; Device = Device->AttachedDevice) {
        if (Device->ReferenceCount != 0) {
            return FALSE;
        }
    }
    for (PLIST_ENTRY Entry = IopGoing.Flink; Entry != &IopGoing; Entry = Entry->Flink) {
        if (CONTAINING_RECORD(Entry, IOP_GOING, Entry)->Owner == Going->Device) {
            return FALSE;
        }
    }
    return TRUE;
}

/* The next one, off the list; nobody opens it any more. */
static PIOP_GOING IopTakeGoing(VOID)
{
    PIOP_GOING Found = NULL;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Entry = IopGoing.Flink; Entry != &IopGoing && Found == NULL; Entry = Entry->Flink) {
        PIOP_GOING Going = CONTAINING_RECORD(Entry, IOP_GOING, Entry);

        if (IopMayGoLocked(Going)) {
            Found = Going;
        }
    }
    if (Found != NULL) {
        for (PDEVICE_OBJECT Device = Found->Device; Device != NULL; Device = Device->AttachedDevice) {
            IopDevExt(Device)->ExtensionFlags |= DOE_REMOVE_PENDING;
        }
        RemoveEntryList(&Found->Entry);
    } else {
        IopGoingQueued = FALSE;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Found;
}

static VOID NTAPI IopGoingWorker(PVOID Context)
{
    PIOP_GOING Going;

    UNREFERENCED_PARAMETER(Context);
    while ((Going = IopTakeGoing()) != NULL) {
        IopSendPnp(Going->Device, IRP_MN_REMOVE_DEVICE, NULL, NULL);
        IopForgetDriverOf(Going->Device);
        ObDereferenceObject(Going->Device);
        ExFreePoolWithTag(Going, IOP_TAG_WORK);
    }
}

VOID IopDeviceUnusedLocked(VOID)
{
    if (!IsListEmpty(&IopGoing) && !IopGoingQueued) {
        IopGoingQueued = TRUE;
        ExInitializeWorkItem(&IopGoingItem, IopGoingWorker, NULL);
        ExQueueWorkItem(&IopGoingItem, DelayedWorkQueue);
    }
}

static VOID IopRemoveWhenClosed(PDEVICE_OBJECT Device, PDEVICE_OBJECT Owner)
{
    PIOP_GOING Going = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Going), IOP_TAG_WORK);
    KIRQL Irql;

    if (Going == NULL) {
        DbgPrint("io: no memory to remove a device: it stays\n");
        return;
    }
    ObReferenceObject(Device);
    Going->Device = Device;
    Going->Owner = Owner;
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    InsertTailList(&IopGoing, &Going->Entry);
    IopDeviceUnusedLocked();
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
}

VOID NTAPI FvRemoveWhenClosed(PDEVICE_OBJECT Device)
{
    IopRemoveWhenClosed(Device, NULL);
}

static VOID IopSendSurprise(PDEVICE_OBJECT Device)
{
    IopSendPnp(Device, IRP_MN_SURPRISE_REMOVAL, NULL, NULL);
    IopTellOfRemoval(Device);
}

/* Once. */
static BOOLEAN IopBeginSurprise(PDEVICE_OBJECT Pdo)
{
    BOOLEAN First;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    First = (IopDevExt(Pdo)->ExtensionFlags & DOE_SURPRISE_REMOVED) == 0;
    IopDevExt(Pdo)->ExtensionFlags |= DOE_SURPRISE_REMOVED;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return First;
}

static VOID IopSurpriseRemove(PDEVICE_OBJECT Pdo)
{
    PDEVICE_RELATIONS Relations = NULL;

    if (NT_SUCCESS(IopQueryRelations(Pdo, RemovalRelations, &Relations)) && Relations != NULL) {
        for (ULONG Index = 0; Index < Relations->Count; Index++) {
            IopSendSurprise(Relations->Objects[Index]);
            IopRemoveWhenClosed(Relations->Objects[Index], Pdo);
            ObDereferenceObject(Relations->Objects[Index]);
        }
        ExFreePool(Relations);
    }
    IopSendSurprise(Pdo);
    IopDisableInterfaces(Pdo);
    IopRemoveWhenClosed(Pdo, NULL);
}

static VOID NTAPI IopStateWorker(PVOID Context)
{
    PIOP_INVALID_STATE Work = Context;
    ULONG_PTR State = 0;

    if (NT_SUCCESS(IopSendPnp(Work->Pdo, IRP_MN_QUERY_PNP_DEVICE_STATE, NULL, &State)) &&
        (State & (PNP_DEVICE_REMOVED | PNP_DEVICE_FAILED)) != 0 && IopBeginSurprise(Work->Pdo)) {
        IopSurpriseRemove(Work->Pdo);
    }
    ObDereferenceObject(Work->Pdo);
    ExFreePoolWithTag(Work, IOP_TAG_WORK);
}

/*
 * IRQL: <= DISPATCH_LEVEL.  A system thread asks the stack for its state; a device that is then said to be removed, or to have failed, is removed by
 * surprise.  What else the state may say changes nothing here: no device is disabled or shown to anybody.  (IoInvalidateDeviceState)
 */
VOID NTAPI IoInvalidateDeviceState(PDEVICE_OBJECT PhysicalDeviceObject)
{
    PIOP_INVALID_STATE Work = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Work), IOP_TAG_WORK);

    if (Work == NULL) {
        DbgPrint("io: no memory to ask for a device's state\n");
        return;
    }
    ObReferenceObject(PhysicalDeviceObject);
    Work->Pdo = PhysicalDeviceObject;
    ExInitializeWorkItem(&Work->Item, IopStateWorker, Work);
    ExQueueWorkItem(&Work->Item, DelayedWorkQueue);
}
