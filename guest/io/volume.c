/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes: the VPB that joins a disk's device object to the file system that mounted it.
 *
 * VPB.ReferenceCount counts file objects on the volume; it and Flags are guarded by IopDatabaseLock.  A VPB
 * belongs to its real device until the file system puts another in its place (dismount); the old one then
 * goes with its last file.  One that is taken away while it is being mounted is the file system's own.  Mounting is serialized per device by DEVICE_OBJECT.DeviceLock and excludes changes
 * of the file-system lists.
 */
#include "iop.h"
#include <mountdev.h>

/* The one a file system is asked to mount just now; IopDatabaseLock.  There is one at a time: file systems are locked. */
static PVPB IopMountingVpb;

/* <= DISPATCH_LEVEL. */
PVPB IopCreateVpb(PDEVICE_OBJECT RealDevice)
{
    PVPB Vpb = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Vpb), IOP_TAG_VPB);

    if (Vpb != NULL) {
        RtlZeroMemory(Vpb, sizeof(*Vpb));
        Vpb->Type = IO_TYPE_VPB;
        Vpb->Size = sizeof(*Vpb);
        Vpb->RealDevice = RealDevice;
    }
    return Vpb;
}

/* IRQL <= DISPATCH_LEVEL; DISPATCH_LEVEL until released. */
VOID NTAPI IoAcquireVpbSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&IopDatabaseLock, Irql);
}

VOID NTAPI IoReleaseVpbSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
}

VOID IopDereferenceVpb(PVPB Vpb)
{
    BOOLEAN Free;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    KeAssert(Vpb->ReferenceCount > 0);
    Vpb->ReferenceCount--;
    Free = Vpb->ReferenceCount == 0 && Vpb->RealDevice->Vpb != Vpb && Vpb != IopMountingVpb &&
           (Vpb->Flags & VPB_PERSISTENT) == 0;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (Free) {
        ExFreePoolWithTag(Vpb, IOP_TAG_VPB);
    }
}

/* ---- mounting --------------------------------------------------------------------------------------------
 */

typedef struct _IOP_MOUNT {
    PDEVICE_OBJECT RealDevice;
    PDEVICE_OBJECT TopDevice; /* of the real device's stack: what the file system will send to */
    BOOLEAN AllowRaw;
    NTSTATUS Status;
} IOP_MOUNT, *PIOP_MOUNT;

/* One packet of file-system control to a file system's control device or volume.  PASSIVE_LEVEL. */
static NTSTATUS IopSendVolumeIrp(PDEVICE_OBJECT FsDevice, UCHAR MinorFunction, PVPB Vpb, PDEVICE_OBJECT DeviceObject,
                                 UCHAR StackFlags)
{
    PDEVICE_OBJECT Target = IoGetAttachedDeviceReference(FsDevice);
    PIO_STACK_LOCATION Stack;
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    Irp = IoAllocateIrp(Target->StackSize, FALSE);
    if (Irp == NULL) {
        ObDereferenceObject(Target);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp->Flags = IRP_MOUNT_COMPLETION | IRP_SYNCHRONOUS_PAGING_IO; /* completed anywhere, and freed there */
    Irp->RequestorMode = KernelMode;
    Irp->UserIosb = &IoStatus;
    Irp->UserEvent = &Event;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_FILE_SYSTEM_CONTROL;
    Stack->MinorFunction = MinorFunction;
    Stack->Flags = StackFlags;
    Stack->Parameters.MountVolume.Vpb = Vpb;
    Stack->Parameters.MountVolume.DeviceObject = DeviceObject;
    Status = IofCallDriver(Target, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    ObDereferenceObject(Target);
    return Status;
}

/* Returns the one before: a file system that opens another volume while it mounts may bring a second mount about. */
static PVPB IopSetMountingVpb(PVPB Vpb)
{
    PVPB Outer;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Outer = IopMountingVpb;
    IopMountingVpb = Vpb;
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return Outer;
}

/* Offers the volume to one file system; TRUE ends the round. */
static BOOLEAN IopTryMount(PDEVICE_OBJECT FsDevice, PVOID Context)
{
    PIOP_MOUNT Mount = Context;
    PVPB Vpb = Mount->RealDevice->Vpb;
    PVPB Outer = IopSetMountingVpb(Vpb);
    KIRQL Irql;

    Mount->Status = IopSendVolumeIrp(FsDevice, IRP_MN_MOUNT_VOLUME, Vpb, Mount->TopDevice,
                                     Mount->AllowRaw ? SL_ALLOW_RAW_MOUNT : 0);
    IopSetMountingVpb(Outer);
    if (!NT_SUCCESS(Mount->Status)) {
        return Mount->Status != STATUS_UNRECOGNIZED_VOLUME && Mount->Status != STATUS_INVALID_DEVICE_REQUEST;
    }
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Vpb = Mount->RealDevice->Vpb;
    if (Vpb->DeviceObject == NULL) {
        Mount->Status = STATUS_UNRECOGNIZED_VOLUME; /* success without a volume device is none */
    } else {
        Vpb->Flags |= VPB_MOUNTED;
        if (IopDevExt(Vpb->DeviceObject)->MountedOn == NULL) {
            ObReferenceObject(Mount->RealDevice);
            IopDevExt(Vpb->DeviceObject)->MountedOn = Mount->RealDevice;
        }
        if (Vpb->DeviceObject->StackSize <= Mount->TopDevice->StackSize) {
            Vpb->DeviceObject->StackSize = Mount->TopDevice->StackSize + 1;
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    return TRUE;
}

/*
 * Finds a file system for the device's volume.  Without AllowRaw the RAW file system, which takes anything,
 * is not asked, and STATUS_UNRECOGNIZED_VOLUME may be the answer.  PASSIVE_LEVEL.
 */
static NTSTATUS IopMountVolume(PDEVICE_OBJECT RealDevice, BOOLEAN AllowRaw)
{
    IOP_MOUNT Mount = {RealDevice, NULL, AllowRaw, STATUS_UNRECOGNIZED_VOLUME};

    KeWaitForSingleObject(&RealDevice->DeviceLock, Executive, KernelMode, FALSE, NULL);
    IopLockFileSystems();
    if ((RealDevice->Vpb->Flags & VPB_MOUNTED) != 0) {
        Mount.Status = STATUS_SUCCESS; /* another opener was quicker */
    } else {
        Mount.TopDevice = IoGetAttachedDeviceReference(RealDevice);
        IopVisitFileSystemsLocked(RealDevice->DeviceType, AllowRaw, IopTryMount, &Mount);
        ObDereferenceObject(Mount.TopDevice);
    }
    IopUnlockFileSystems();
    KeSetEvent(&RealDevice->DeviceLock, 0, FALSE);
    return Mount.Status;
}

/* Mounts if need be and counts one more file on the volume.  PASSIVE_LEVEL. */
NTSTATUS IopReferenceMountedVpb(PDEVICE_OBJECT RealDevice, BOOLEAN AllowRaw, PVPB *Result)
{
    NTSTATUS Status;
    KIRQL Irql;

    for (;;) {
        PVPB Vpb;

        KeAcquireSpinLock(&IopDatabaseLock, &Irql);
        Vpb = RealDevice->Vpb;
        if ((Vpb->Flags & VPB_MOUNTED) != 0) {
            if ((Vpb->Flags & VPB_LOCKED) != 0) {
                KeReleaseSpinLock(&IopDatabaseLock, Irql);
                return STATUS_ACCESS_DENIED;
            }
            Vpb->ReferenceCount++;
            KeReleaseSpinLock(&IopDatabaseLock, Irql);
            *Result = Vpb;
            return STATUS_SUCCESS;
        }
        KeReleaseSpinLock(&IopDatabaseLock, Irql);
        Status = IopMountVolume(RealDevice, AllowRaw);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
}

/*
 * PASSIVE_LEVEL or APC_LEVEL.  Asks the file system whether the volume is still the one it mounted;
 * STATUS_WRONG_VOLUME from it leads to a new mount.
 */
NTSTATUS NTAPI IoVerifyVolume(PDEVICE_OBJECT DeviceObject, BOOLEAN AllowRawMount)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PVPB Vpb = DeviceObject->Vpb;

    if (Vpb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((Vpb->Flags & VPB_MOUNTED) != 0) {
        Status = IopSendVolumeIrp(Vpb->DeviceObject, IRP_MN_VERIFY_VOLUME, Vpb, Vpb->DeviceObject,
                                  AllowRawMount ? SL_ALLOW_RAW_MOUNT : 0);
    }
    if ((Vpb->Flags & VPB_MOUNTED) == 0 || Status == STATUS_WRONG_VOLUME) {
        Status = IopMountVolume(DeviceObject, AllowRawMount);
    }
    if (NT_SUCCESS(Status)) {
        DeviceObject->Flags &= ~DO_VERIFY_VOLUME;
    }
    return Status;
}

/*
 * <= DISPATCH_LEVEL.  The device that a file system's volume device is mounted on, with a reference.
 * STATUS_INVALID_PARAMETER: it is no volume's, a control device say; STATUS_VOLUME_DISMOUNTED: not any more.  (IoGetDiskDeviceObject)
 */
DECLSPEC_NOINLINE NTSTATUS NTAPI IoGetDiskDeviceObject(PDEVICE_OBJECT FileSystemDeviceObject,
                                                       PDEVICE_OBJECT *DiskDeviceObject)
{
    NTSTATUS Status = STATUS_INVALID_PARAMETER;
    PDEVICE_OBJECT Disk;
    KIRQL Irql;

    *DiskDeviceObject = NULL;
    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Disk = IopDevExt(FileSystemDeviceObject)->MountedOn;
    if (Disk != NULL) {
        Status = STATUS_VOLUME_DISMOUNTED;
        if (Disk->Vpb != NULL && Disk->Vpb->DeviceObject == FileSystemDeviceObject &&
            (Disk->Vpb->Flags & VPB_MOUNTED) != 0) {
            ObReferenceObject(Disk);
            *DiskDeviceObject = Disk;
            Status = STATUS_SUCCESS;
        }
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    if (NT_SUCCESS(Status)) {
        ObNoteReference(Disk, _ReturnAddress());
    }
    return Status;
}

/* <= DISPATCH_LEVEL.  Which device a thread's failed request asked to have verified. */
PDEVICE_OBJECT NTAPI IoGetDeviceToVerify(PETHREAD Thread)
{
    return Thread->DeviceToVerify;
}

VOID NTAPI IoSetDeviceToVerify(PETHREAD Thread, PDEVICE_OBJECT DeviceObject)
{
    Thread->DeviceToVerify = DeviceObject;
}

VOID NTAPI IoSetHardErrorOrVerifyDevice(PIRP Irp, PDEVICE_OBJECT DeviceObject)
{
    if (Irp->Tail.Overlay.Thread != NULL) {
        Irp->Tail.Overlay.Thread->DeviceToVerify = DeviceObject;
    }
}

/* ---- names of volumes ------------------------------------------------------------------------------------
 */

static BOOLEAN IopLinkPointsTo(WCHAR Letter, PUNICODE_STRING DeviceName)
{
    WCHAR NameBuffer[] = L"\\??\\?:";
    WCHAR TargetBuffer[128];
    UNICODE_STRING Name;
    UNICODE_STRING Target;
    OBJECT_ATTRIBUTES ObjectAttributes;
    BOOLEAN Match = FALSE;
    HANDLE Handle;

    NameBuffer[4] = Letter;
    RtlInitUnicodeString(&Name, NameBuffer);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenSymbolicLinkObject(&Handle, GENERIC_READ, &ObjectAttributes))) {
        return FALSE;
    }
    Target.Buffer = TargetBuffer;
    Target.Length = 0;
    Target.MaximumLength = sizeof(TargetBuffer);
    if (NT_SUCCESS(ZwQuerySymbolicLinkObject(Handle, &Target, NULL))) {
        Match = RtlEqualUnicodeString(&Target, DeviceName, TRUE);
    }
    ZwClose(Handle);
    return Match;
}

/* PASSIVE_LEVEL.  "C:" for a volume device that a drive letter links to; the caller frees DosName->Buffer. */
NTSTATUS NTAPI IoVolumeDeviceToDosName(PVOID VolumeDeviceObject, PUNICODE_STRING DosName)
{
    POBJECT_NAME_INFORMATION Information;
    ULONG Returned;
    NTSTATUS Status;
    WCHAR Letter;

    Information = ExAllocatePoolWithTag(PagedPool, 512, IOP_TAG_NAME);
    if (Information == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = ObQueryNameString(VolumeDeviceObject, Information, 512, &Returned);
    if (NT_SUCCESS(Status)) {
        Status = STATUS_OBJECT_NAME_NOT_FOUND;
        for (Letter = L'A'; Letter <= L'Z'; Letter++) {
            if (IopLinkPointsTo(Letter, &Information->Name)) {
                DosName->Buffer = MmAllocatePoolForCaller(PagedPool, 3 * sizeof(WCHAR), IOP_TAG_NAME, _ReturnAddress());
                if (DosName->Buffer == NULL) {
                    Status = STATUS_INSUFFICIENT_RESOURCES;
                    break;
                }
                DosName->Buffer[0] = Letter;
                DosName->Buffer[1] = L':';
                DosName->Buffer[2] = L'\0';
                DosName->Length = 2 * sizeof(WCHAR);
                DosName->MaximumLength = 3 * sizeof(WCHAR);
                Status = STATUS_SUCCESS;
                break;
            }
        }
    }
    ExFreePoolWithTag(Information, IOP_TAG_NAME);
    return Status;
}

/* The device's IOCTL_MOUNTDEV_QUERY_STABLE_GUID, which volumes know. */
static NTSTATUS IopAskStableGuid(PDEVICE_OBJECT Device, GUID *Guid)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(IOCTL_MOUNTDEV_QUERY_STABLE_GUID, Device, NULL, 0, Guid, sizeof(*Guid), FALSE,
                                        &Event, &IoStatus);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IofCallDriver(Device, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The id in the volume's name \\??\\Volume{...}; the status of a device that has none. */
NTSTATUS NTAPI IoVolumeDeviceToGuid(PVOID VolumeDeviceObject, GUID *Guid)
{
    PDEVICE_OBJECT Device = IoGetAttachedDeviceReference(VolumeDeviceObject);
    NTSTATUS Status = IopAskStableGuid(Device, Guid);

    ObDereferenceObject(Device);
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The name itself, from paged pool, which the caller frees with ExFreePool. */
NTSTATUS NTAPI IoVolumeDeviceToGuidPath(PVOID VolumeDeviceObject, PUNICODE_STRING GuidPath)
{
    static const UNICODE_STRING Prefix = RTL_CONSTANT_STRING(L"\\??\\Volume");
    UNICODE_STRING Text;
    NTSTATUS Status;
    GUID Guid;

    Status = IoVolumeDeviceToGuid(VolumeDeviceObject, &Guid);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = RtlStringFromGUID(&Guid, &Text);
    if (!NT_SUCCESS(Status)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    GuidPath->Length = 0;
    GuidPath->MaximumLength = Prefix.Length + Text.Length + sizeof(WCHAR);
    GuidPath->Buffer = MmAllocatePoolForCaller(PagedPool, GuidPath->MaximumLength, IOP_TAG_NAME, _ReturnAddress());
    if (GuidPath->Buffer == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        RtlAppendUnicodeStringToString(GuidPath, &Prefix);
        RtlAppendUnicodeStringToString(GuidPath, &Text);
        GuidPath->Buffer[GuidPath->Length / sizeof(WCHAR)] = 0;
    }
    RtlFreeUnicodeString(&Text);
    return Status;
}
