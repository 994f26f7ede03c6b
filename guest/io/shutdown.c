/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a run: IRP_MJ_SHUTDOWN to those who registered, then to the file systems, then to the
 * last-chance ones.
 */
#include "iop.h"

typedef struct _IOP_SHUTDOWN {
    LIST_ENTRY Entry;
    PDEVICE_OBJECT DeviceObject; /* referenced */
    BOOLEAN Late;                /* registered while the system shuts down: too late to be told */
} IOP_SHUTDOWN, *PIOP_SHUTDOWN;

/* IopDatabaseLock */
static LIST_ENTRY IopShutdownQueue = {&IopShutdownQueue, &IopShutdownQueue};
static LIST_ENTRY IopLastChanceQueue = {&IopLastChanceQueue, &IopLastChanceQueue};
static BOOLEAN IopShuttingDown;

static NTSTATUS IopRegisterShutdown(PLIST_ENTRY Queue, PDEVICE_OBJECT DeviceObject)
{
    PIOP_SHUTDOWN Shutdown = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Shutdown), IOP_TAG_LIST);
    KIRQL Irql;

    if (Shutdown == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ObReferenceObject(DeviceObject);
    Shutdown->DeviceObject = DeviceObject;
    Shutdown->Late = IopShuttingDown;
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    InsertHeadList(Queue, &Shutdown->Entry);
    DeviceObject->Flags |= DO_SHUTDOWN_REGISTERED;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return IopRegisterShutdown(&IopShutdownQueue, DeviceObject);
}

NTSTATUS NTAPI IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return IopRegisterShutdown(&IopLastChanceQueue, DeviceObject);
}

static PIOP_SHUTDOWN IopTake(PLIST_ENTRY Queue, PDEVICE_OBJECT DeviceObject)
{
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Entry = Queue->Flink; Entry != Queue; Entry = Entry->Flink) {
        PIOP_SHUTDOWN Shutdown = CONTAINING_RECORD(Entry, IOP_SHUTDOWN, Entry);

        if (DeviceObject == NULL ? !Shutdown->Late : Shutdown->DeviceObject == DeviceObject) {
            RemoveEntryList(Entry);
            KeReleaseSpinLock(&IopDatabaseLock, Irql);
            return Shutdown;
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return NULL;
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    PIOP_SHUTDOWN Shutdown;

    while ((Shutdown = IopTake(&IopShutdownQueue, DeviceObject)) != NULL ||
           (Shutdown = IopTake(&IopLastChanceQueue, DeviceObject)) != NULL) {
        ExFreePoolWithTag(Shutdown, IOP_TAG_LIST);
        DeviceObject->Flags &= ~DO_SHUTDOWN_REGISTERED;
        ObDereferenceObject(DeviceObject);
    }
}

PDEVICE_OBJECT IopFindShutdown(PDRIVER_OBJECT DriverObject)
{
    PLIST_ENTRY Queues[] = {&IopShutdownQueue, &IopLastChanceQueue};
    PDEVICE_OBJECT Found = NULL;
    PLIST_ENTRY Entry;
    ULONG Index;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Index = 0; Index < RTL_NUMBER_OF(Queues); Index++) {
        for (Entry = Queues[Index]->Flink; Entry != Queues[Index]; Entry = Entry->Flink) {
            PIOP_SHUTDOWN Shutdown = CONTAINING_RECORD(Entry, IOP_SHUTDOWN, Entry);

            if (Shutdown->DeviceObject->DriverObject == DriverObject) {
                Found = Shutdown->DeviceObject;
            }
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Found;
}

VOID IopSendShutdown(PDEVICE_OBJECT DeviceObject)
{
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildSynchronousFsdRequest(IRP_MJ_SHUTDOWN, DeviceObject, NULL, 0, NULL, &Event, &IoStatus);
    if (Irp != NULL && IofCallDriver(DeviceObject, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
}

static VOID IopShutdownRegistered(PLIST_ENTRY Queue)
{
    PIOP_SHUTDOWN Shutdown;

    while ((Shutdown = IopTake(Queue, NULL)) != NULL) {
        IopSendShutdown(Shutdown->DeviceObject);
        ObDereferenceObject(Shutdown->DeviceObject);
        ExFreePoolWithTag(Shutdown, IOP_TAG_LIST);
    }
}

VOID IoShutdownSystem(VOID)
{
    IopShuttingDown = TRUE;
    IopShutdownRegistered(&IopShutdownQueue);
    IopShutdownFileSystems();
    IopShutdownRegistered(&IopLastChanceQueue);
}
