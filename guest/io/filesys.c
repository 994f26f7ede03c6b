/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file systems there are, and who wants to hear of them.
 *
 * A list a kind of medium.  New file systems go to the head, low-priority ones (DO_LOW_PRIORITY_FILESYSTEM)
 * just before the last, which on the disk list is RAW: it registers first and takes what nobody else
 * recognizes.  Registration callbacks never hear of RAW, as documented: filters attach to \Device\RawDisk by
 * name.
 */
#include "iop.h"

static ERESOURCE IopFileSystemLock;
/* IopFileSystemLock */
static LIST_ENTRY IopDiskFileSystems;
static LIST_ENTRY IopCdRomFileSystems;
static LIST_ENTRY IopTapeFileSystems;
static LIST_ENTRY IopNetworkFileSystems;
static LIST_ENTRY IopFsCallbacks;

typedef struct _IOP_FS_CALLBACK {
    LIST_ENTRY Entry;
    PDRIVER_OBJECT DriverObject; /* referenced */
    PDRIVER_FS_NOTIFICATION Routine;
} IOP_FS_CALLBACK, *PIOP_FS_CALLBACK;

VOID IopInitializeFileSystems(VOID)
{
    ExInitializeResourceLite(&IopFileSystemLock);
    InitializeListHead(&IopDiskFileSystems);
    InitializeListHead(&IopCdRomFileSystems);
    InitializeListHead(&IopTapeFileSystems);
    InitializeListHead(&IopNetworkFileSystems);
    InitializeListHead(&IopFsCallbacks);
}

/* PASSIVE_LEVEL; normal kernel APCs stay disabled until unlocked. */
VOID IopLockFileSystems(VOID)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&IopFileSystemLock, TRUE);
}

VOID IopUnlockFileSystems(VOID)
{
    ExReleaseResourceLite(&IopFileSystemLock);
    KeLeaveCriticalRegion();
}

static BOOLEAN IopIsRaw(PDEVICE_OBJECT FsDevice)
{
    static const UNICODE_STRING RawDriver = RTL_CONSTANT_STRING(L"\\FileSystem\\RAW");

    return RtlEqualUnicodeString(&FsDevice->DriverObject->DriverName, &RawDriver, TRUE);
}

static PLIST_ENTRY IopListFor(DEVICE_TYPE DeviceType)
{
    switch (DeviceType) {
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_VIRTUAL_DISK:
    case FILE_DEVICE_DISK_FILE_SYSTEM: return &IopDiskFileSystems;
    case FILE_DEVICE_CD_ROM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM: return &IopCdRomFileSystems;
    case FILE_DEVICE_TAPE:
    case FILE_DEVICE_TAPE_FILE_SYSTEM: return &IopTapeFileSystems;
    case FILE_DEVICE_NETWORK_FILE_SYSTEM: return &IopNetworkFileSystems;
    default: return NULL;
    }
}

/* Visits in mounting order until Visitor says TRUE, which is then returned. */
BOOLEAN IopVisitFileSystemsLocked(DEVICE_TYPE DeviceType, BOOLEAN WithRaw, IOP_FILE_SYSTEM_VISITOR Visitor,
                                  PVOID Context)
{
    PLIST_ENTRY Head = IopListFor(DeviceType);
    PLIST_ENTRY Entry;

    if (Head == NULL) {
        return FALSE;
    }
    for (Entry = Head->Flink; Entry != Head;) {
        PDEVICE_OBJECT FsDevice = CONTAINING_RECORD(Entry, DEVICE_OBJECT, Queue.ListEntry);

        Entry = Entry->Flink; /* a recognizer may unregister itself */
        if ((WithRaw || !IopIsRaw(FsDevice)) && Visitor(FsDevice, Context)) {
            return TRUE;
        }
    }
    return FALSE;
}

static VOID IopTellOfFileSystem(PDRIVER_FS_NOTIFICATION Routine, PDEVICE_OBJECT FsDevice, BOOLEAN Active)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Routine(FsDevice, Active);
    FvEndCall(&Call, (PVOID)Routine, "file system notification routine", (ULONG_PTR)FsDevice);
}

static VOID IopNotifyLocked(PDEVICE_OBJECT FsDevice, BOOLEAN Active)
{
    PLIST_ENTRY Entry;

    if (IopIsRaw(FsDevice)) {
        return;
    }
    for (Entry = IopFsCallbacks.Flink; Entry != &IopFsCallbacks;) {
        PIOP_FS_CALLBACK Callback = CONTAINING_RECORD(Entry, IOP_FS_CALLBACK, Entry);

        Entry = Entry->Flink;
        IopTellOfFileSystem(Callback->Routine, FsDevice, Active);
    }
}

/* IRQL < DISPATCH_LEVEL. */
VOID NTAPI IoRegisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    PLIST_ENTRY Head = IopListFor(DeviceObject->DeviceType);
    KIRQL Irql;

    if (Head == NULL) {
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "io: %wZ registers a device of type %u as a file system\n",
                   &DeviceObject->DriverObject->DriverName, DeviceObject->DeviceType);
        return;
    }
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    DeviceObject->ReferenceCount++; /* cannot go while registered */
    DeviceObject->Flags &= ~DO_DEVICE_INITIALIZING;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);

    IopLockFileSystems();
    if ((DeviceObject->Flags & DO_LOW_PRIORITY_FILESYSTEM) != 0 && !IsListEmpty(Head)) {
        InsertTailList(Head->Blink, &DeviceObject->Queue.ListEntry);
    } else {
        InsertHeadList(Head, &DeviceObject->Queue.ListEntry);
    }
    IopNotifyLocked(DeviceObject, TRUE);
    IopUnlockFileSystems();
}

/* IRQL < DISPATCH_LEVEL. */
VOID NTAPI IoUnregisterFileSystem(PDEVICE_OBJECT DeviceObject)
{
    IopLockFileSystems();
    if (DeviceObject->Queue.ListEntry.Flink == NULL || IsListEmpty(&DeviceObject->Queue.ListEntry)) {
        IopUnlockFileSystems();
        return;
    }
    RemoveEntryList(&DeviceObject->Queue.ListEntry);
    InitializeListHead(&DeviceObject->Queue.ListEntry);
    IopNotifyLocked(DeviceObject, FALSE);
    IopUnlockFileSystems();
    IopDereferenceDevice(DeviceObject);
}

static VOID IopNotifyExistingLocked(PLIST_ENTRY Head, PDRIVER_FS_NOTIFICATION Routine)
{
    PLIST_ENTRY Entry;

    for (Entry = Head->Flink; Entry != Head;) {
        PDEVICE_OBJECT FsDevice = CONTAINING_RECORD(Entry, DEVICE_OBJECT, Queue.ListEntry);

        Entry = Entry->Flink;
        if (!IopIsRaw(FsDevice)) {
            IopTellOfFileSystem(Routine, FsDevice, TRUE);
        }
    }
}

/* PASSIVE_LEVEL.  The routine is called at once for every file system registered already. */
NTSTATUS NTAPI IoRegisterFsRegistrationChange(PDRIVER_OBJECT DriverObject,
                                              PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PIOP_FS_CALLBACK Callback;

    KeCheckRoutine((PVOID)DriverNotificationRoutine, "file system notification routine");
    IopLockFileSystems();
    if (!IsListEmpty(&IopFsCallbacks)) {
        Callback = CONTAINING_RECORD(IopFsCallbacks.Blink, IOP_FS_CALLBACK, Entry);
        if (Callback->DriverObject == DriverObject && Callback->Routine == DriverNotificationRoutine) {
            IopUnlockFileSystems();
            return STATUS_DEVICE_ALREADY_ATTACHED;
        }
    }
    Callback = ExAllocatePoolWithTag(PagedPool, sizeof(*Callback), IOP_TAG_LIST);
    if (Callback == NULL) {
        IopUnlockFileSystems();
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ObReferenceObject(DriverObject);
    Callback->DriverObject = DriverObject;
    Callback->Routine = DriverNotificationRoutine;
    InsertTailList(&IopFsCallbacks, &Callback->Entry);
    IopNotifyExistingLocked(&IopNetworkFileSystems, DriverNotificationRoutine);
    IopNotifyExistingLocked(&IopCdRomFileSystems, DriverNotificationRoutine);
    IopNotifyExistingLocked(&IopDiskFileSystems, DriverNotificationRoutine);
    IopNotifyExistingLocked(&IopTapeFileSystems, DriverNotificationRoutine);
    IopUnlockFileSystems();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoRegisterFsRegistrationChangeEx(PDRIVER_OBJECT DriverObject,
                                                PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    return IoRegisterFsRegistrationChange(DriverObject, DriverNotificationRoutine);
}

/* PASSIVE_LEVEL.  Mounts always exclude registration here, so SynchronizeWithMounts costs nothing more. */
NTSTATUS NTAPI IoRegisterFsRegistrationChangeMountAware(PDRIVER_OBJECT DriverObject,
                                                        PDRIVER_FS_NOTIFICATION DriverNotificationRoutine,
                                                        BOOLEAN SynchronizeWithMounts)
{
    UNREFERENCED_PARAMETER(SynchronizeWithMounts);
    return IoRegisterFsRegistrationChange(DriverObject, DriverNotificationRoutine);
}

/* PASSIVE_LEVEL. */
VOID NTAPI IoUnregisterFsRegistrationChange(PDRIVER_OBJECT DriverObject,
                                            PDRIVER_FS_NOTIFICATION DriverNotificationRoutine)
{
    PLIST_ENTRY Entry;

    IopLockFileSystems();
    for (Entry = IopFsCallbacks.Flink; Entry != &IopFsCallbacks; Entry = Entry->Flink) {
        PIOP_FS_CALLBACK Callback = CONTAINING_RECORD(Entry, IOP_FS_CALLBACK, Entry);

        if (Callback->DriverObject == DriverObject && Callback->Routine == DriverNotificationRoutine) {
            RemoveEntryList(&Callback->Entry);
            ExFreePoolWithTag(Callback, IOP_TAG_LIST);
            ObDereferenceObject(DriverObject);
            break;
        }
    }
    IopUnlockFileSystems();
}

PVOID IopFindFsCallback(PDRIVER_OBJECT DriverObject)
{
    PVOID Routine = NULL;
    PLIST_ENTRY Entry;

    IopLockFileSystems();
    for (Entry = IopFsCallbacks.Flink; Entry != &IopFsCallbacks; Entry = Entry->Flink) {
        PIOP_FS_CALLBACK Callback = CONTAINING_RECORD(Entry, IOP_FS_CALLBACK, Entry);

        if (Callback->DriverObject == DriverObject) {
            Routine = (PVOID)Callback->Routine;
        }
    }
    IopUnlockFileSystems();
    return Routine;
}

/* The first of the list that has not been told; NULL when all have. */
static PDEVICE_OBJECT IopNextToShutDown(PLIST_ENTRY Head)
{
    PLIST_ENTRY Entry;

    for (Entry = Head->Flink; Entry != Head; Entry = Entry->Flink) {
        PDEVICE_OBJECT FsDevice = CONTAINING_RECORD(Entry, DEVICE_OBJECT, Queue.ListEntry);

        if ((IopDevExt(FsDevice)->ExtensionFlags & DOE_SHUTDOWN_SENT) == 0) {
            return FsDevice;
        }
    }
    return NULL;
}

/* A file system that is told may unregister, and others with it: each time the list is looked at anew. */
static VOID IopShutdownList(PLIST_ENTRY Head)
{
    PDEVICE_OBJECT FsDevice;

    while ((FsDevice = IopNextToShutDown(Head)) != NULL) {
        IopDevExt(FsDevice)->ExtensionFlags |= DOE_SHUTDOWN_SENT;
        ObReferenceObject(FsDevice);
        IopSendShutdown(IopTopDeviceLocked(FsDevice));
        ObDereferenceObject(FsDevice);
    }
}

/* PASSIVE_LEVEL, at the end of the run. */
VOID IopShutdownFileSystems(VOID)
{
    IopLockFileSystems();
    IopShutdownList(&IopDiskFileSystems);
    IopShutdownList(&IopCdRomFileSystems);
    IopShutdownList(&IopNetworkFileSystems);
    IopShutdownList(&IopTapeFileSystems);
    IopUnlockFileSystems();
}
