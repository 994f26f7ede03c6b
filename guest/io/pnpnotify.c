/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who wants to hear of plug and play: interfaces of a class that come and go, and what drivers report of a device.
 *
 * Rules: IopNotifyLock, which its owner may take again, is held while callbacks run, so that they hear of one event after the
 * other, and a registration that has been taken back is never called again; a callback may take itself back.  What is taken
 * back meanwhile is only marked, and freed when the last delivery has ended.  Events wait in a queue for a system thread,
 * which brings them in the order in which they happened.  A registration refers to its driver: it cannot go before.
 *
 * Windows finds a file's device by IRP_MN_QUERY_DEVICE_RELATIONS; here it is the one at the bottom of the file's stack.
 */
#include "iop.h"

typedef struct _IOP_NOTIFY {
    /* IopNotifyLock */
    LIST_ENTRY Entry; /* IopNotifies */
    BOOLEAN Removed;
    IO_NOTIFICATION_EVENT_CATEGORY Category;
    PDRIVER_OBJECT DriverObject; /* referenced */
    PDRIVER_NOTIFICATION_CALLBACK_ROUTINE Routine;
    PVOID Context;
    GUID Class;            /* of interfaces */
    PFILE_OBJECT File;     /* of a device; not referenced, as documented */
    PDEVICE_OBJECT Device; /* referenced */
} IOP_NOTIFY, *PIOP_NOTIFY;

typedef struct _IOP_PNP_EVENT {
    LIST_ENTRY Entry;      /* IopPnpEvents */
    PDEVICE_OBJECT Device; /* referenced; NULL: of an interface */
    PDEVICE_CHANGE_COMPLETE_CALLBACK Callback;
    PVOID Context;
    UNICODE_STRING Link; /* of an interface, behind the structure */
    union {
        DEVICE_INTERFACE_CHANGE_NOTIFICATION Interface;
        TARGET_DEVICE_REMOVAL_NOTIFICATION Removed; /* begins as Target does */
        TARGET_DEVICE_CUSTOM_NOTIFICATION Target;
    } Tell;
} IOP_PNP_EVENT, *PIOP_PNP_EVENT;

static KMUTANT IopNotifyLock;
static LIST_ENTRY IopNotifies = {&IopNotifies, &IopNotifies};
static ULONG IopDelivering; /* IopNotifyLock: deliveries, one inside the other */

static KSPIN_LOCK IopPnpEventLock;
static LIST_ENTRY IopPnpEvents = {&IopPnpEvents, &IopPnpEvents}; /* IopPnpEventLock */
static BOOLEAN IopPnpEventsRun;                                  /* IopPnpEventLock: the work item is queued or runs */
static WORK_QUEUE_ITEM IopPnpEventItem;

static const GUID IopArrival = {0xCB3A4004, 0x46F0, 0x11D0, {0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F}};
static const GUID IopRemoval = {0xCB3A4005, 0x46F0, 0x11D0, {0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F}};
static const GUID IopRemoveComplete = {0xCB3A4008, 0x46F0, 0x11D0, {0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F}};
/* GUID_TARGET_DEVICE_QUERY_REMOVE, …_REMOVE_CANCELLED, …_REMOVE_COMPLETE: the system's own, one after the other */
static const GUID IopQueryRemove = {0xCB3A4006, 0x46F0, 0x11D0, {0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F}};

static VOID IopLockNotifies(VOID)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&IopNotifyLock, Executive, KernelMode, FALSE, NULL);
}

static VOID IopUnlockNotifies(VOID)
{
    KeReleaseMutant(&IopNotifyLock, 0, FALSE, FALSE);
    KeLeaveCriticalRegion();
}

static VOID IopFreeNotifyLocked(PIOP_NOTIFY Notify)
{
    RemoveEntryList(&Notify->Entry);
    ObDereferenceObject(Notify->DriverObject);
    if (Notify->Device != NULL) {
        ObDereferenceObject(Notify->Device);
    }
    ExFreePoolWithTag(Notify, IOP_TAG_LIST);
}

static VOID IopCallNotifyLocked(PIOP_NOTIFY Notify, PVOID Structure)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Notify->Routine(Structure, Notify->Context);
    FvEndCall(&Call, (PVOID)Notify->Routine, "plug and play notification routine", (ULONG_PTR)Notify->Context);
}

static VOID IopEndDeliveryLocked(VOID)
{
    PLIST_ENTRY Entry;

    if (--IopDelivering != 0) {
        return;
    }
    for (Entry = IopNotifies.Flink; Entry != &IopNotifies;) {
        PIOP_NOTIFY Notify = CONTAINING_RECORD(Entry, IOP_NOTIFY, Entry);

        Entry = Entry->Flink;
        if (Notify->Removed) {
            IopFreeNotifyLocked(Notify);
        }
    }
}

static BOOLEAN IopWants(PIOP_NOTIFY Notify, PIOP_PNP_EVENT Event)
{
    if (Notify->Removed) {
        return FALSE;
    }
    if (Event->Device != NULL) {
        return Notify->Category == EventCategoryTargetDeviceChange && Notify->Device == Event->Device;
    }
    return Notify->Category == EventCategoryDeviceInterfaceChange &&
           IsEqualGUID(&Notify->Class, &Event->Tell.Interface.InterfaceClassGuid);
}

/* PASSIVE_LEVEL. */
static VOID IopDeliver(PIOP_PNP_EVENT Event)
{
    PLIST_ENTRY Entry;

    IopLockNotifies();
    IopDelivering++;
    for (Entry = IopNotifies.Flink; Entry != &IopNotifies; Entry = Entry->Flink) {
        PIOP_NOTIFY Notify = CONTAINING_RECORD(Entry, IOP_NOTIFY, Entry);

        if (IopWants(Notify, Event)) {
            if (Event->Device != NULL) {
                Event->Tell.Target.FileObject = Notify->File;
            }
            IopCallNotifyLocked(Notify, &Event->Tell);
        }
    }
    IopEndDeliveryLocked();
    IopUnlockNotifies();
    if (Event->Callback != NULL) {
        Event->Callback(Event->Context);
    }
}

static VOID IopFreePnpEvent(PIOP_PNP_EVENT Event)
{
    if (Event->Device != NULL) {
        ObDereferenceObject(Event->Device);
    }
    ExFreePoolWithTag(Event, IOP_TAG_LIST);
}

static VOID NTAPI IopPnpEventWorker(PVOID Context)
{
    PIOP_PNP_EVENT Event;
    KIRQL Irql;

    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        Event = NULL;
        KeAcquireSpinLock(&IopPnpEventLock, &Irql);
        if (IsListEmpty(&IopPnpEvents)) {
            IopPnpEventsRun = FALSE;
        } else {
            Event = CONTAINING_RECORD(RemoveHeadList(&IopPnpEvents), IOP_PNP_EVENT, Entry);
        }
        KeReleaseSpinLock(&IopPnpEventLock, Irql);
        if (Event == NULL) {
            return;
        }
        IopDeliver(Event);
        IopFreePnpEvent(Event);
    }
}

/* <= DISPATCH_LEVEL. */
static VOID IopQueuePnpEvent(PIOP_PNP_EVENT Event)
{
    BOOLEAN Start;
    KIRQL Irql;

    KeAcquireSpinLock(&IopPnpEventLock, &Irql);
    InsertTailList(&IopPnpEvents, &Event->Entry);
    Start = !IopPnpEventsRun;
    IopPnpEventsRun = TRUE;
    KeReleaseSpinLock(&IopPnpEventLock, Irql);
    if (Start) {
        ExQueueWorkItem(&IopPnpEventItem, DelayedWorkQueue);
    }
}

VOID IopInitializePnpNotification(VOID)
{
    KeInitializeMutant(&IopNotifyLock, FALSE);
    KeInitializeSpinLock(&IopPnpEventLock);
    ExInitializeWorkItem(&IopPnpEventItem, IopPnpEventWorker, NULL);
}

static VOID IopDescribeInterface(PDEVICE_INTERFACE_CHANGE_NOTIFICATION Tell, const GUID *Class, PUNICODE_STRING Link,
                                 BOOLEAN Arrival)
{
    *Tell = (DEVICE_INTERFACE_CHANGE_NOTIFICATION){1, sizeof(*Tell), Arrival ? IopArrival : IopRemoval, *Class, Link};
}

/* PASSIVE_LEVEL.  Who registered for the class is told, later. */
VOID IopTellOfInterface(const GUID *Class, PCUNICODE_STRING Link, BOOLEAN Arrival)
{
    PIOP_PNP_EVENT Event = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Event) + Link->Length, IOP_TAG_LIST);

    if (Event == NULL) {
        DbgPrint("io: no memory to tell of %wZ\n", Link);
        return;
    }
    Event->Link = (UNICODE_STRING){Link->Length, Link->Length, (PWCH)(Event + 1)};
    RtlCopyMemory(Event->Link.Buffer, Link->Buffer, Link->Length);
    IopDescribeInterface(&Event->Tell.Interface, Class, &Event->Link, Arrival);
    IopQueuePnpEvent(Event);
}

static BOOLEAN IopTellOfExisting(const GUID *Class, PUNICODE_STRING Link, PVOID Context)
{
    DEVICE_INTERFACE_CHANGE_NOTIFICATION Tell;
    PIOP_NOTIFY Notify = Context;

    IopDescribeInterface(&Tell, Class, Link, TRUE);
    IopCallNotifyLocked(Notify, &Tell);
    return !Notify->Removed;
}

/*
 * IRQL: PASSIVE_LEVEL.  Callbacks run at PASSIVE_LEVEL, in a system thread; with
 * PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES once for each interface that is enabled already, before this returns.
 * STATUS_INVALID_PARAMETER: no such category, its data is missing, or there is some where there may be none.  The hardware
 * profile of this machine never changes.  (IoRegisterPlugPlayNotification)
 */
NTSTATUS NTAPI IoRegisterPlugPlayNotification(IO_NOTIFICATION_EVENT_CATEGORY EventCategory, ULONG EventCategoryFlags,
                                              PVOID EventCategoryData, PDRIVER_OBJECT DriverObject,
                                              PDRIVER_NOTIFICATION_CALLBACK_ROUTINE CallbackRoutine, PVOID Context,
                                              PVOID *NotificationEntry)
{
    BOOLEAN Existing = (EventCategoryFlags & PNPNOTIFY_DEVICE_INTERFACE_INCLUDE_EXISTING_INTERFACES) != 0;
    PIOP_NOTIFY Notify;

    PAGED_CODE();
    *NotificationEntry = NULL;
    if ((ULONG)EventCategory - EventCategoryHardwareProfileChange >
            EventCategoryTargetDeviceChange - EventCategoryHardwareProfileChange ||
        (EventCategory == EventCategoryHardwareProfileChange) != (EventCategoryData == NULL) ||
        (Existing && EventCategory != EventCategoryDeviceInterfaceChange)) {
        return STATUS_INVALID_PARAMETER;
    }
    KeCheckRoutine((PVOID)CallbackRoutine, "plug and play notification routine");
    Notify = ExAllocatePoolZero(PagedPool, sizeof(*Notify), IOP_TAG_LIST);
    if (Notify == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Notify->Category = EventCategory;
    Notify->Routine = CallbackRoutine;
    Notify->Context = Context;
    Notify->DriverObject = DriverObject;
    ObReferenceObject(DriverObject);
    if (EventCategory == EventCategoryDeviceInterfaceChange) {
        Notify->Class = *(const GUID *)EventCategoryData;
    }
    if (EventCategory == EventCategoryTargetDeviceChange) {
        Notify->File = EventCategoryData;
        Notify->Device = IoGetDeviceAttachmentBaseRef(IoGetRelatedDeviceObject(Notify->File));
    }
    *NotificationEntry = Notify;
    IopLockNotifies();
    IopDelivering++;
    InsertTailList(&IopNotifies, &Notify->Entry);
    if (Existing) {
        IopVisitInterfaces(&Notify->Class, IopTellOfExisting, Notify);
    }
    IopEndDeliveryLocked();
    IopUnlockNotifies();
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL.  When it returns no callback of the registration runs, but the one that calls it, and none begins.
 * STATUS_INVALID_PARAMETER: there is no such registration.  (IoUnregisterPlugPlayNotificationEx)
 */
NTSTATUS NTAPI IoUnregisterPlugPlayNotificationEx(PVOID NotificationEntry)
{
    NTSTATUS Status = STATUS_INVALID_PARAMETER;
    PLIST_ENTRY Entry;

    PAGED_CODE();
    IopLockNotifies();
    IopDelivering++;
    for (Entry = IopNotifies.Flink; Entry != &IopNotifies; Entry = Entry->Flink) {
        PIOP_NOTIFY Notify = CONTAINING_RECORD(Entry, IOP_NOTIFY, Entry);

        if (Notify == NotificationEntry && !Notify->Removed) {
            Notify->Removed = TRUE;
            Status = STATUS_SUCCESS;
        }
    }
    IopEndDeliveryLocked();
    IopUnlockNotifies();
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The older name, which promises less. */
NTSTATUS NTAPI IoUnregisterPlugPlayNotification(PVOID NotificationEntry)
{
    return IoUnregisterPlugPlayNotificationEx(NotificationEntry);
}

/* PASSIVE_LEVEL.  The device has gone: who has registered for a file of it has been told when this returns. */
VOID IopTellOfRemoval(PDEVICE_OBJECT Device)
{
    IOP_PNP_EVENT Event = {.Device = IoGetDeviceAttachmentBaseRef(Device)};

    Event.Tell.Removed.Version = 1;
    Event.Tell.Removed.Size = sizeof(Event.Tell.Removed);
    Event.Tell.Removed.Event = IopRemoveComplete;
    IopDeliver(&Event);
    ObDereferenceObject(Event.Device);
}

/* For the verifier: a routine of the driver's that is registered, or NULL.  PASSIVE_LEVEL. */
PVOID IopFindPnpNotification(PDRIVER_OBJECT DriverObject)
{
    PVOID Routine = NULL;
    PLIST_ENTRY Entry;

    IopLockNotifies();
    for (Entry = IopNotifies.Flink; Entry != &IopNotifies; Entry = Entry->Flink) {
        PIOP_NOTIFY Notify = CONTAINING_RECORD(Entry, IOP_NOTIFY, Entry);

        if (Notify->DriverObject == DriverObject && !Notify->Removed) {
            Routine = (PVOID)Notify->Routine;
        }
    }
    IopUnlockNotifies();
    return Routine;
}

/* STATUS_INVALID_DEVICE_REQUEST: one of the system's own events, or no custom notification at all. */
static NTSTATUS IopMakeCustomEvent(PDEVICE_OBJECT Device, PTARGET_DEVICE_CUSTOM_NOTIFICATION Tell, PIOP_PNP_EVENT *Made)
{
    GUID Like = Tell->Event;
    PIOP_PNP_EVENT Event;

    Like.Data1 = IopQueryRemove.Data1;
    if (Tell->FileObject != NULL || Tell->Size < FIELD_OFFSET(TARGET_DEVICE_CUSTOM_NOTIFICATION, CustomDataBuffer) ||
        (IsEqualGUID(&Like, &IopQueryRemove) && Tell->Event.Data1 - IopQueryRemove.Data1 < 3)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    Event = ExAllocatePoolZero(NonPagedPoolNx, sizeof(*Event) + Tell->Size, IOP_TAG_LIST);
    if (Event == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(&Event->Tell.Target, Tell, Tell->Size);
    Event->Device = IoGetDeviceAttachmentBaseRef(Device);
    *Made = Event;
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL.  All have been told when this returns.  STATUS_INVALID_DEVICE_REQUEST: the event is one of the system's,
 * or the structure names a file.  (IoReportTargetDeviceChange)
 */
NTSTATUS NTAPI IoReportTargetDeviceChange(PDEVICE_OBJECT PhysicalDeviceObject, PVOID NotificationStructure)
{
    PIOP_PNP_EVENT Event;
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopMakeCustomEvent(PhysicalDeviceObject, NotificationStructure, &Event);
    if (NT_SUCCESS(Status)) {
        IopDeliver(Event);
        IopFreePnpEvent(Event);
    }
    return Status;
}

/*
 * IRQL: <= DISPATCH_LEVEL.  The structure is copied; Callback is called at PASSIVE_LEVEL once all have been told.
 * STATUS_PENDING: they will be.  (IoReportTargetDeviceChangeAsynchronous)
 */
NTSTATUS NTAPI IoReportTargetDeviceChangeAsynchronous(PDEVICE_OBJECT PhysicalDeviceObject, PVOID NotificationStructure,
                                                      PDEVICE_CHANGE_COMPLETE_CALLBACK Callback, PVOID Context)
{
    PIOP_PNP_EVENT Event;
    NTSTATUS Status;

    Status = IopMakeCustomEvent(PhysicalDeviceObject, NotificationStructure, &Event);
    if (NT_SUCCESS(Status)) {
        Event->Callback = Callback;
        Event->Context = Context;
        IopQueuePnpEvent(Event);
        Status = STATUS_PENDING;
    }
    return Status;
}
