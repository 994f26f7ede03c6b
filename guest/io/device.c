/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device objects: creation, deletion, and the stacks they form.
 *
 * A device object is an object-manager object; DEVICE_OBJECT.ReferenceCount counts something else, namely the
 * file objects open on it.  IoDeleteDevice takes the device out of sight at once; its memory goes when both
 * counts are at rest.  AttachedDevice points up a stack, the private extension's AttachedTo down.
 */
#include "iop.h"

KSPIN_LOCK IopDatabaseLock;

static PVPB IopVpbFor(PDEVICE_OBJECT DeviceObject, DEVICE_TYPE DeviceType)
{
    switch (DeviceType) {
    case FILE_DEVICE_DISK:
    case FILE_DEVICE_TAPE:
    case FILE_DEVICE_CD_ROM:
    case FILE_DEVICE_VIRTUAL_DISK: return IopCreateVpb(DeviceObject);
    default: return NULL;
    }
}

static VOID IopInsertDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    DeviceObject->NextDevice = DriverObject->DeviceObject;
    DriverObject->DeviceObject = DeviceObject;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
}

static VOID IopRemoveDeviceLocked(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *Link;

    for (Link = &DeviceObject->DriverObject->DeviceObject; *Link != NULL; Link = &(*Link)->NextDevice) {
        if (*Link == DeviceObject) {
            *Link = DeviceObject->NextDevice;
            DeviceObject->NextDevice = NULL;
            return;
        }
    }
}

/* A device goes from under another (a dismounted volume from under a filter): whoever is attached is told,
 * and detaches. */
static VOID IopTellAttached(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Attached = DeviceObject->AttachedDevice;
    PFAST_IO_DISPATCH FastIo;
    FV_CALL Call;

    if (Attached == NULL) {
        return;
    }
    FastIo = Attached->DriverObject->FastIoDispatch;
    if (FastIo != NULL &&
        FastIo->SizeOfFastIoDispatch >= FIELD_OFFSET(FAST_IO_DISPATCH, FastIoDetachDevice) + sizeof(PVOID) &&
        FastIo->FastIoDetachDevice != NULL) {
        FvBeginCall(&Call);
        FastIo->FastIoDetachDevice(Attached, DeviceObject);
        FvEndCall(&Call, (PVOID)FastIo->FastIoDetachDevice, "fast I/O routine", (ULONG_PTR)Attached);
    }
}

/* The device is marked deleted and nobody has it open: out of its driver's list and its name space. */
static VOID IopFinishDeviceDeletion(PDEVICE_OBJECT DeviceObject)
{
    PDRIVER_OBJECT DriverObject = DeviceObject->DriverObject;
    KIRQL Irql;

    IopTellAttached(DeviceObject);
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    IopRemoveDeviceLocked(DeviceObject);
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    ObUnpinObject(DeviceObject); /* the creator's reference; IopDeleteDevice follows with the last one */
    IopCheckDriverUnload(DriverObject);
}

/* Object-manager delete procedure.  <= APC_LEVEL. */
VOID IopDeleteDevice(PVOID Object)
{
    PDEVICE_OBJECT DeviceObject = Object;
    PDRIVER_OBJECT DriverObject = DeviceObject->DriverObject;

    if (DeviceObject->SecurityDescriptor != NULL) {
        ExFreePool(DeviceObject->SecurityDescriptor);
    }
    if (DeviceObject->Vpb != NULL && DeviceObject->Vpb->RealDevice == DeviceObject) {
        ExFreePoolWithTag(DeviceObject->Vpb, IOP_TAG_VPB);
    }
    if (IopDevExt(DeviceObject)->MountedOn != NULL) {
        ObDereferenceObject(IopDevExt(DeviceObject)->MountedOn);
    }
    if (DriverObject != NULL) {
        ObDereferenceObject(DriverObject);
    }
}

/* A file object on the device has gone.  <= DISPATCH_LEVEL. */
VOID IopDereferenceDevice(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Delete;
    BOOLEAN Unload;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    KeAssert(DeviceObject->ReferenceCount > 0);
    if (--DeviceObject->ReferenceCount == 0) {
        IopDeviceUnusedLocked();
    }
    Delete = DeviceObject->ReferenceCount == 0 && (IopDevExt(DeviceObject)->ExtensionFlags & DOE_DELETE_PENDING);
    Unload = DeviceObject->ReferenceCount == 0 && (IopDevExt(DeviceObject)->ExtensionFlags & DOE_UNLOAD_PENDING);
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (Delete) {
        IopFinishDeviceDeletion(DeviceObject);
    } else if (Unload) {
        IopCheckDriverUnload(DeviceObject->DriverObject);
    }
}

/* May the device be opened now?  Counts the opener if so.  <= DISPATCH_LEVEL. */
NTSTATUS IopReferenceDeviceForOpen(PDEVICE_OBJECT DeviceObject)
{
    NTSTATUS Status = STATUS_SUCCESS;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    if ((IopDevExt(DeviceObject)->ExtensionFlags &
         (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING | DOE_REMOVE_PENDING | DOE_REMOVE_PROCESSED)) != 0 ||
        (DeviceObject->Flags & DO_DEVICE_INITIALIZING) != 0) {
        Status = STATUS_NO_SUCH_DEVICE;
    } else if ((DeviceObject->Flags & DO_EXCLUSIVE) != 0 && DeviceObject->ReferenceCount != 0) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        DeviceObject->ReferenceCount++;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Status;
}

PDEVICE_OBJECT IopTopDeviceLocked(PDEVICE_OBJECT DeviceObject)
{
    while (DeviceObject->AttachedDevice != NULL) {
        DeviceObject = DeviceObject->AttachedDevice;
    }
    return DeviceObject;
}

static VOID IopInitializeDevice(PDEVICE_OBJECT DeviceObject, PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                DEVICE_TYPE DeviceType, ULONG Characteristics, BOOLEAN Exclusive, BOOLEAN Named)
{
    PIOP_DEVICE_EXTENSION Extension;
    ULONG ExtensionOffset = (ULONG)ALIGN_UP_BY(sizeof(DEVICE_OBJECT) + DeviceExtensionSize, 16);

    RtlZeroMemory(DeviceObject, ExtensionOffset + sizeof(IOP_DEVICE_EXTENSION));
    DeviceObject->Type = IO_TYPE_DEVICE;
    DeviceObject->Size = (USHORT)(sizeof(DEVICE_OBJECT) + DeviceExtensionSize);
    DeviceObject->DeviceType = DeviceType;
    DeviceObject->Characteristics = Characteristics;
    DeviceObject->StackSize = 1;
    DeviceObject->Flags = DO_DEVICE_INITIALIZING | (Exclusive ? DO_EXCLUSIVE : 0) | (Named ? DO_DEVICE_HAS_NAME : 0);
    DeviceObject->DeviceExtension = DeviceExtensionSize != 0 ? (PVOID)(DeviceObject + 1) : NULL;
    DeviceObject->DriverObject = DriverObject;

    Extension = (PIOP_DEVICE_EXTENSION)((PUCHAR)DeviceObject + ExtensionOffset);
    Extension->Type = IO_TYPE_DEVICE_OBJECT_EXTENSION;
    Extension->DeviceObject = DeviceObject;
    DeviceObject->DeviceObjectExtension = (struct _DEVOBJ_EXTENSION *)Extension;

    KeInitializeEvent(&DeviceObject->DeviceLock, SynchronizationEvent, TRUE);
    KeInitializeDeviceQueue(&DeviceObject->DeviceQueue);
    switch (DeviceType) {
    case FILE_DEVICE_DISK_FILE_SYSTEM:
    case FILE_DEVICE_FILE_SYSTEM:
    case FILE_DEVICE_CD_ROM_FILE_SYSTEM:
    case FILE_DEVICE_NETWORK_FILE_SYSTEM:
    case FILE_DEVICE_TAPE_FILE_SYSTEM:
        InitializeListHead(&DeviceObject->Queue.ListEntry); /* its place in the list of file systems */
        break;
    default: break;
    }
    if (DeviceType == FILE_DEVICE_DISK || DeviceType == FILE_DEVICE_VIRTUAL_DISK) {
        DeviceObject->SectorSize = 512;
    } else if (DeviceType == FILE_DEVICE_CD_ROM) {
        DeviceObject->SectorSize = 2048;
    }
}

/*
 * IRQL <= APC_LEVEL (the object manager takes mutexes).  The device extension is zeroed and nonpaged.  The
 * new device has DO_DEVICE_INITIALIZING set: the system clears it after DriverEntry, everyone else must do
 * so.
 */
NTSTATUS NTAPI IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                              DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PDEVICE_OBJECT *DeviceObject)
{
    static LONG NextAutomaticName;
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING AutomaticName;
    WCHAR NameBuffer[32];
    PDEVICE_OBJECT Device;
    ULONG BodySize;
    NTSTATUS Status;

    *DeviceObject = NULL;
    if (DeviceExtensionSize > 0xFFFF - sizeof(DEVICE_OBJECT)) {
        return STATUS_INVALID_PARAMETER; /* DEVICE_OBJECT.Size is a USHORT */
    }
    if ((DeviceCharacteristics & FILE_AUTOGENERATED_DEVICE_NAME) != 0) {
        AutomaticName.Buffer = NameBuffer;
        AutomaticName.Length = 0;
        AutomaticName.MaximumLength = sizeof(NameBuffer);
        RtlAppendUnicodeToString(&AutomaticName, L"\\Device\\");
        AutomaticName.Buffer += AutomaticName.Length / sizeof(WCHAR);
        AutomaticName.MaximumLength -= AutomaticName.Length;
        {
            USHORT Prefix = AutomaticName.Length;

            AutomaticName.Length = 0;
            RtlIntegerToUnicodeString((ULONG)InterlockedIncrement(&NextAutomaticName), 16, &AutomaticName);
            AutomaticName.Buffer = NameBuffer;
            AutomaticName.Length += Prefix;
            AutomaticName.MaximumLength = sizeof(NameBuffer);
        }
        DeviceName = &AutomaticName;
    }
    InitializeObjectAttributes(
        &ObjectAttributes, DeviceName,
        OBJ_KERNEL_HANDLE | (DeviceName != NULL ? OBJ_PERMANENT : 0) | (Exclusive ? OBJ_EXCLUSIVE : 0), NULL, NULL);
    ObjectAttributes.Attributes &= ~OBJ_EXCLUSIVE; /* exclusiveness is about opens: IopReferenceDeviceForOpen */
    BodySize = (ULONG)ALIGN_UP_BY(sizeof(DEVICE_OBJECT) + DeviceExtensionSize, 16) + sizeof(IOP_DEVICE_EXTENSION);
    Status = ObCreateObject(KernelMode, IopDeviceObjectType, &ObjectAttributes, KernelMode, NULL, BodySize, 0, 0,
                            (PVOID *)&Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    IopInitializeDevice(Device, DriverObject, DeviceExtensionSize, DeviceType, DeviceCharacteristics, Exclusive,
                        DeviceName != NULL);
    ObReferenceObject(DriverObject); /* an existing device keeps its driver's image */
    Device->Vpb = IopVpbFor(Device, DeviceType);
    if (Device->Vpb == NULL && (DeviceType == FILE_DEVICE_DISK || DeviceType == FILE_DEVICE_VIRTUAL_DISK ||
                                DeviceType == FILE_DEVICE_CD_ROM || DeviceType == FILE_DEVICE_TAPE)) {
        ObDereferenceObject(Device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    /* On success the insertion leaves one more reference (asked for by the fifth parameter): the creator's,
     * which IoDeleteDevice takes back.  On failure the object is gone. */
    {
        HANDLE Handle;

        Status = ObInsertObject(Device, NULL, FILE_READ_DATA, 1, (PVOID *)&Device, &Handle);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        ObPinObject(Device);
        IopInsertDevice(DriverObject, Device);
        ZwClose(Handle);
    }
    *DeviceObject = Device;
    return STATUS_SUCCESS;
}

/* IRQL <= APC_LEVEL.  The device must not be attached to anything any more. */
VOID NTAPI IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Delete;
    KIRQL Irql;

    if (DeviceObject->Timer != NULL) {
        IopDeleteTimer(DeviceObject);
    }
    if (IopVerifierOn && IopDevExt(DeviceObject)->AttachedTo != NULL) {
        KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x201, (ULONG_PTR)_ReturnAddress(), (ULONG_PTR)DeviceObject,
                     0);
    }
    if ((DeviceObject->Flags & DO_SHUTDOWN_REGISTERED) != 0) {
        IoUnregisterShutdownNotification(DeviceObject);
    }
    if ((DeviceObject->Flags & DO_DEVICE_HAS_NAME) != 0) {
        ObMakeTemporaryObject(DeviceObject);
    }
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    IopDevExt(DeviceObject)->ExtensionFlags |= DOE_DELETE_PENDING;
    Delete = DeviceObject->ReferenceCount == 0;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (Delete) {
        IopFinishDeviceDeletion(DeviceObject);
    }
}

/* ---- stacks ----------------------------------------------------------------------------------------------
 */

static PDEVICE_OBJECT IopAttach(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice, PDEVICE_OBJECT *Publish)
{
    PDEVICE_OBJECT Top;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Top = IopTopDeviceLocked(TargetDevice);
    if ((Top->Flags & DO_DEVICE_INITIALIZING) != 0 ||
        (IopDevExt(Top)->ExtensionFlags &
         (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING | DOE_REMOVE_PENDING | DOE_REMOVE_PROCESSED)) != 0) {
        Top = NULL;
    } else {
        SourceDevice->StackSize = Top->StackSize + 1;
        SourceDevice->AlignmentRequirement = Top->AlignmentRequirement;
        SourceDevice->SectorSize = Top->SectorSize;
        IopDevExt(SourceDevice)->AttachedTo = Top;
        if (Publish != NULL) {
            *Publish = Top; /* before the first IRP can arrive at SourceDevice */
        }
        Top->AttachedDevice = SourceDevice;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Top;
}

/* IRQL <= DISPATCH_LEVEL.  The device that was the top of the stack, or NULL. */
PDEVICE_OBJECT NTAPI IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    return IopAttach(SourceDevice, TargetDevice, NULL);
}

/* IRQL <= DISPATCH_LEVEL.  As above, but *AttachedToDeviceObject is set before the attachment is visible. */
NTSTATUS NTAPI IoAttachDeviceToDeviceStackSafe(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice,
                                               PDEVICE_OBJECT *AttachedToDeviceObject)
{
    return IopAttach(SourceDevice, TargetDevice, AttachedToDeviceObject) != NULL ? STATUS_SUCCESS
                                                                                 : STATUS_NO_SUCH_DEVICE;
}

NTSTATUS NTAPI IoAttachDeviceByPointer(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    return IopAttach(SourceDevice, TargetDevice, NULL) != NULL ? STATUS_SUCCESS : STATUS_NO_SUCH_DEVICE;
}

/* PASSIVE_LEVEL.  TargetDevice is the device that was attached to. */
VOID NTAPI IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT Detached;
    BOOLEAN Delete;
    BOOLEAN Unload;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Detached = TargetDevice->AttachedDevice;
    if (Detached == NULL) {
        KeReleaseSpinLock(&IopDatabaseLock, Irql);
        if (IopVerifierOn) {
            KeBugCheckEx(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x202, (ULONG_PTR)_ReturnAddress(),
                         (ULONG_PTR)TargetDevice, 0);
        }
        return;
    }
    IopDevExt(Detached)->AttachedTo = NULL;
    TargetDevice->AttachedDevice = NULL;
    Delete = FALSE;
    Unload = TargetDevice->ReferenceCount == 0 && (IopDevExt(TargetDevice)->ExtensionFlags & DOE_UNLOAD_PENDING) != 0;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (Unload && !Delete) {
        IopCheckDriverUnload(TargetDevice->DriverObject);
    }
}

/* Any IRQL <= DISPATCH_LEVEL; unlike the Reference form the answer may be stale at once. */
PDEVICE_OBJECT NTAPI IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
    return IopTopDeviceLocked(DeviceObject);
}

DECLSPEC_NOINLINE PDEVICE_OBJECT NTAPI IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    DeviceObject = IopTopDeviceLocked(DeviceObject);
    ObReferenceObject(DeviceObject);
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    ObNoteReference(DeviceObject, _ReturnAddress());
    return DeviceObject;
}

/* IRQL <= DISPATCH_LEVEL.  The next lower device with a reference, or NULL at the bottom. */
DECLSPEC_NOINLINE PDEVICE_OBJECT NTAPI IoGetLowerDeviceObject(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT Lower = NULL;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    if ((IopDevExt(DeviceObject)->ExtensionFlags &
         (DOE_UNLOAD_PENDING | DOE_DELETE_PENDING | DOE_REMOVE_PENDING | DOE_REMOVE_PROCESSED)) == 0) {
        Lower = IopDevExt(DeviceObject)->AttachedTo;
        if (Lower != NULL) {
            ObReferenceObject(Lower);
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (Lower != NULL) {
        ObNoteReference(Lower, _ReturnAddress());
    }
    return Lower;
}

DECLSPEC_NOINLINE PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    while (IopDevExt(DeviceObject)->AttachedTo != NULL) {
        DeviceObject = IopDevExt(DeviceObject)->AttachedTo;
    }
    ObReferenceObject(DeviceObject);
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    ObNoteReference(DeviceObject, _ReturnAddress());
    return DeviceObject;
}

/*
 * IRQL <= DISPATCH_LEVEL.  DeviceObjectListSize is in bytes.  STATUS_BUFFER_TOO_SMALL and the true number
 * when the list does not hold them all; what fits is filled in and referenced either way.
 */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoEnumerateDeviceObjectList(PDRIVER_OBJECT DriverObject,
                                                             PDEVICE_OBJECT *DeviceObjectList,
                                                             ULONG DeviceObjectListSize,
                                                             PULONG ActualNumberDeviceObjects)
{
    ULONG Room = DeviceObjectListSize / sizeof(PDEVICE_OBJECT);
    PDEVICE_OBJECT Device;
    ULONG Count = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    for (Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        if (DeviceObjectList != NULL && Count < Room) {
            ObReferenceObject(Device);
            ObNoteReference(Device, _ReturnAddress());
            DeviceObjectList[Count] = Device;
        }
        Count++;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    *ActualNumberDeviceObjects = Count;
    return Count > Room ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* ---- names for devices -----------------------------------------------------------------------------------
 */

/* PASSIVE_LEVEL. */
static NTSTATUS IopCreateLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName, const VOID *Caller)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&ObjectAttributes, SymbolicLinkName,
                               OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateSymbolicLinkObject(&Handle, SYMBOLIC_LINK_ALL_ACCESS, &ObjectAttributes, DeviceName);
    if (NT_SUCCESS(Status)) {
        ZwClose(Handle);
        IopNoteLink(SymbolicLinkName, Caller);
    }
    return Status;
}

NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    return IopCreateLink(SymbolicLinkName, DeviceName, _ReturnAddress());
}

NTSTATUS NTAPI IoCreateUnprotectedSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    return IopCreateLink(SymbolicLinkName, DeviceName, _ReturnAddress());
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&ObjectAttributes, SymbolicLinkName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    Status = ZwOpenSymbolicLinkObject(&Handle, DELETE, &ObjectAttributes);
    if (NT_SUCCESS(Status)) {
        Status = ZwMakeTemporaryObject(Handle);
        IopForgetLink(SymbolicLinkName);
        ZwClose(Handle);
    }
    return Status;
}

/* PASSIVE_LEVEL.  The caller dereferences *FileObject, not the device. */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess,
                                                          PFILE_OBJECT *FileObject, PDEVICE_OBJECT *DeviceObject)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT File;
    HANDLE Handle;
    NTSTATUS Status;

    InitializeObjectAttributes(&ObjectAttributes, ObjectName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwOpenFile(&Handle, DesiredAccess, &ObjectAttributes, &IoStatus, 0, FILE_NON_DIRECTORY_FILE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, 0, *IoFileObjectType, KernelMode, (PVOID *)&File, NULL);
    if (NT_SUCCESS(Status)) {
        ObNoteReference(File, _ReturnAddress());
        *FileObject = File;
        *DeviceObject = IoGetRelatedDeviceObject(File);
    }
    ZwClose(Handle);
    return Status;
}
