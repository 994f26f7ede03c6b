/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mounting, locking and dismounting, and what the volume tells of itself.
 */
#include "raw.h"

/* ---- mounting --------------------------------------------------------------------------------------------
 */

static NTSTATUS RawMount(PDEVICE_OBJECT DeviceObject, PIO_STACK_LOCATION Stack)
{
    PDEVICE_OBJECT Target = Stack->Parameters.MountVolume.DeviceObject;
    PVPB Vpb = Stack->Parameters.MountVolume.Vpb;
    DISK_GEOMETRY Geometry;
    PRAW_VOLUME Volume;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;
    KIRQL Irql;

    Status = DriverControl(Target, IOCTL_DISK_GET_DRIVE_GEOMETRY, &Geometry, sizeof(Geometry));
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Geometry.BytesPerSector == 0 || Geometry.BytesPerSector > MAXUSHORT) {
        return STATUS_UNRECOGNIZED_VOLUME;
    }
    Status = IoCreateDevice(DeviceObject->DriverObject, sizeof(RAW_VOLUME), NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0,
                            FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Volume = Device->DeviceExtension;
    Volume->NextVpb = DriverMakeVpb(RAW_TAG_VPB);
    if (Volume->NextVpb == NULL) {
        IoDeleteDevice(Device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Volume->IsVolume = TRUE;
    Volume->Device = Device;
    Volume->Target = Target;
    Volume->Vpb = Vpb;
    Volume->SectorSize = Geometry.BytesPerSector;
    ExInitializeFastMutex(&Volume->Lock);
    Device->StackSize = Target->StackSize + 1;
    Device->AlignmentRequirement = Target->AlignmentRequirement;
    Device->SectorSize = (USHORT)Geometry.BytesPerSector;
    Device->Flags |= DO_DIRECT_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;

    IoAcquireVpbSpinLock(&Irql);
    Vpb->DeviceObject = Device;
    Vpb->SerialNumber = 0xFFFFFFFF;
    Vpb->VolumeLabelLength = 0;
    Vpb->Flags |= VPB_RAW_MOUNT;
    IoReleaseVpbSpinLock(Irql);
    return STATUS_SUCCESS;
}

/* ---- locking and dismounting ------------------------------------------------------------------------------
 */

/* Exclusive use by one file object; nobody else may have the volume open. */
static NTSTATUS RawLockVolume(PRAW_VOLUME Volume, PFILE_OBJECT FileObject)
{
    NTSTATUS Status = STATUS_SUCCESS;

    RawLock(Volume);
    if (Volume->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if (Volume->LockHolder != NULL || Volume->OpenCount != 1 || !DriverLockVpb(Volume->Vpb, 1)) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        Volume->LockHolder = FileObject;
    }
    RawUnlock(Volume);
    return Status;
}

static NTSTATUS RawUnlockVolume(PRAW_VOLUME Volume, PFILE_OBJECT FileObject)
{
    NTSTATUS Status = STATUS_NOT_LOCKED;

    RawLock(Volume);
    if (Volume->LockHolder == FileObject) {
        Volume->LockHolder = NULL;
        DriverUnlockVpb(Volume->Vpb);
        Status = STATUS_SUCCESS;
    }
    RawUnlock(Volume);
    return Status;
}

VOID RawLeaveVpbLocked(PRAW_VOLUME Volume)
{
    DriverReplaceVpb(Volume->Vpb, Volume->NextVpb);
    Volume->NextVpb = NULL;
    Volume->LockHolder = NULL;
    Volume->Dismounted = TRUE;
}

/* The next open mounts anew; files that are open fail from now on.  A lock, if there is one, must be the caller's. */
static NTSTATUS RawDismount(PRAW_VOLUME Volume, PFILE_OBJECT FileObject)
{
    NTSTATUS Status = STATUS_SUCCESS;

    RawLock(Volume);
    if (Volume->Dismounted) {
        Status = STATUS_VOLUME_DISMOUNTED;
    } else if (Volume->LockHolder != NULL && Volume->LockHolder != FileObject) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        RawLeaveVpbLocked(Volume);
    }
    RawUnlock(Volume);
    return Status;
}

static NTSTATUS RawUserControl(PRAW_VOLUME Volume, PIO_STACK_LOCATION Stack)
{
    switch (Stack->Parameters.FileSystemControl.FsControlCode) {
    case FSCTL_LOCK_VOLUME: return RawLockVolume(Volume, Stack->FileObject);
    case FSCTL_UNLOCK_VOLUME: return RawUnlockVolume(Volume, Stack->FileObject);
    case FSCTL_DISMOUNT_VOLUME: return RawDismount(Volume, Stack->FileObject);
    case FSCTL_IS_VOLUME_MOUNTED: return Volume->Dismounted ? STATUS_VOLUME_DISMOUNTED : STATUS_SUCCESS;
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* Whatever the medium is now, who has it open may have it; if nobody has, the next open may find another file system for it. */
static NTSTATUS RawVerifyVolume(PRAW_VOLUME Volume)
{
    NTSTATUS Status = STATUS_SUCCESS;

    RawLock(Volume);
    if (!Volume->Dismounted && Volume->OpenCount == 0) {
        RawLeaveVpbLocked(Volume);
    }
    if (Volume->Dismounted) {
        Status = STATUS_WRONG_VOLUME;
    }
    RawUnlock(Volume);
    return Status;
}

NTSTATUS RawLookAtMedium(PRAW_VOLUME Volume)
{
    PDEVICE_OBJECT Device = Volume->Vpb->RealDevice;

    if (Volume->Dismounted || (Device->Flags & DO_VERIFY_VOLUME) == 0 || KeGetCurrentIrql() > APC_LEVEL) {
        return STATUS_SUCCESS;
    }
    return IoVerifyVolume(Device, TRUE);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawFileSystemControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    if (!Volume->IsVolume) {
        if (Stack->MinorFunction == IRP_MN_MOUNT_VOLUME) {
            Status = RawMount(DeviceObject, Stack);
        }
    } else if (Stack->MinorFunction == IRP_MN_USER_FS_REQUEST || Stack->MinorFunction == IRP_MN_KERNEL_CALL) {
        Status = RawUserControl(Volume, Stack);
    } else if (Stack->MinorFunction == IRP_MN_VERIFY_VOLUME) {
        Status = RawVerifyVolume(Volume);
    }
    return DriverComplete(Irp, Status, 0);
}

/* ---- information -----------------------------------------------------------------------------------------
 */

/* The position is all there is to know of an open volume.  PASSIVE_LEVEL. */
NTSTATUS NTAPI RawQueryInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    PFILE_POSITION_INFORMATION Position = Irp->AssociatedIrp.SystemBuffer;

    if (!Volume->IsVolume || Stack->Parameters.QueryFile.FileInformationClass != FilePositionInformation) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Stack->Parameters.QueryFile.Length < sizeof(*Position)) {
        return DriverComplete(Irp, STATUS_BUFFER_OVERFLOW, 0);
    }
    Position->CurrentByteOffset = Stack->FileObject->CurrentByteOffset;
    return DriverComplete(Irp, STATUS_SUCCESS, sizeof(*Position));
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawSetInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    PFILE_POSITION_INFORMATION Position = Irp->AssociatedIrp.SystemBuffer;

    if (!Volume->IsVolume || Stack->Parameters.SetFile.FileInformationClass != FilePositionInformation) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Stack->Parameters.SetFile.Length < sizeof(*Position) || Position->CurrentByteOffset.QuadPart < 0 ||
        Position->CurrentByteOffset.QuadPart % Volume->SectorSize != 0) {
        return DriverComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Stack->FileObject->CurrentByteOffset = Position->CurrentByteOffset;
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS RawQueryVolumeInformation(PRAW_VOLUME Volume, PVOID Buffer, ULONG Length, ULONG Class,
                                          PULONG_PTR Information)
{
    static const WCHAR FileSystemName[] = L"RAW";
    GET_LENGTH_INFORMATION Size;
    NTSTATUS Status;

    RtlZeroMemory(Buffer, Length);
    switch (Class) {
    case FileFsVolumeInformation:
        if (Length < FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel)) {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        ((PFILE_FS_VOLUME_INFORMATION)Buffer)->VolumeSerialNumber = Volume->Vpb->SerialNumber;
        *Information = FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel);
        return STATUS_SUCCESS;
    case FileFsAttributeInformation:
        if (Length < FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName)) {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        ((PFILE_FS_ATTRIBUTE_INFORMATION)Buffer)->FileSystemNameLength = sizeof(FileSystemName) - sizeof(WCHAR);
        if (Length <
            FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName) + sizeof(FileSystemName) - sizeof(WCHAR)) {
            *Information = FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName);
            return STATUS_BUFFER_OVERFLOW;
        }
        RtlCopyMemory(((PFILE_FS_ATTRIBUTE_INFORMATION)Buffer)->FileSystemName, FileSystemName,
                      sizeof(FileSystemName) - sizeof(WCHAR));
        *Information =
            FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName) + sizeof(FileSystemName) - sizeof(WCHAR);
        return STATUS_SUCCESS;
    case FileFsSizeInformation:
        if (Length < sizeof(FILE_FS_SIZE_INFORMATION)) {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        Status = DriverControl(Volume->Target, IOCTL_DISK_GET_LENGTH_INFO, &Size, sizeof(Size));
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        ((PFILE_FS_SIZE_INFORMATION)Buffer)->TotalAllocationUnits.QuadPart = Size.Length.QuadPart / Volume->SectorSize;
        ((PFILE_FS_SIZE_INFORMATION)Buffer)->SectorsPerAllocationUnit = 1;
        ((PFILE_FS_SIZE_INFORMATION)Buffer)->BytesPerSector = Volume->SectorSize;
        *Information = sizeof(FILE_FS_SIZE_INFORMATION);
        return STATUS_SUCCESS;
    case FileFsDeviceInformation:
        if (Length < sizeof(FILE_FS_DEVICE_INFORMATION)) {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        ((PFILE_FS_DEVICE_INFORMATION)Buffer)->DeviceType = FILE_DEVICE_DISK;
        ((PFILE_FS_DEVICE_INFORMATION)Buffer)->Characteristics =
            Volume->Target->Characteristics | FILE_DEVICE_IS_MOUNTED;
        *Information = sizeof(FILE_FS_DEVICE_INFORMATION);
        return STATUS_SUCCESS;
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawQueryVolume(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    ULONG_PTR Information = 0;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    if (Volume->IsVolume) {
        Status =
            RawQueryVolumeInformation(Volume, Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.QueryVolume.Length,
                                      Stack->Parameters.QueryVolume.FsInformationClass, &Information);
    }
    return DriverComplete(Irp, Status, Information);
}
