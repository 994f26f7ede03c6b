/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that are gone without having been asked.
 *
 * Their driver says so by IoInvalidateDeviceState and its answer to IRP_MN_QUERY_PNP_DEVICE_STATE.  A system thread then sends
 * IRP_MN_SURPRISE_REMOVAL to the stacks that the driver names as its removal relations, each with all who have registered for a
 * change of its device told after it (GUID_TARGET_DEVICE_REMOVE_COMPLETE), and to the device's own last.  IRP_MN_REMOVE_DEVICE comes when the
 * driver is unloaded: until then somebody may have a device of it open.
 */
#include "iop.h"

typedef struct _IOP_INVALID_STATE {
    WORK_QUEUE_ITEM Item;
    PDEVICE_OBJECT Pdo; /* referenced */
} IOP_INVALID_STATE, *PIOP_INVALID_STATE;

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
            ObDereferenceObject(Relations->Objects[Index]);
        }
        ExFreePool(Relations);
    }
    IopSendSurprise(Pdo);
    IopDisableInterfaces(Pdo);
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
