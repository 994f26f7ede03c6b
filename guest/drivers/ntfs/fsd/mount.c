/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume's life: mounted, dismounted, and deleted once nobody has it open.
 */
#include "ntfs.h"

/* Only NTFS costs more than one sector, and a word in the log where it is damaged: others are for the next file system. */
static NTSTATUS NtfsRecognize(NTFS_SECTORS *Sectors)
{
    NTSTATUS Status = NtfsTransferSectors(Sectors, FALSE, 0, Sectors->Bounce, Sectors->SectorSize);

    if (NT_SUCCESS(Status) && RtlCompareMemory((PUCHAR)Sectors->Bounce + 3, "NTFS    ", 8) != 8) {
        Status = STATUS_UNRECOGNIZED_VOLUME;
    }
    return Status;
}

static VOID NtfsFreeVolume(PNTFS_VOLUME Volume)
{
    NtfsDeleteSectors(&Volume->Sectors);
    FsRtlNotifyUninitializeSync(&Volume->NotifySync);
    if (Volume->NextVpb != NULL) {
        ExFreePoolWithTag(Volume->NextVpb, NTFS_TAG_VPB);
    }
    IoDeleteDevice(Volume->Device);
}

static NTSTATUS NtfsMountDevice(PDEVICE_OBJECT Device, PDEVICE_OBJECT Target, PVPB Vpb)
{
    PNTFS_VOLUME Volume = Device->DeviceExtension;
    NTSTATUS Status;

    Volume->Device = Device;
    Volume->Target = Target;
    Volume->Vpb = Vpb;
    InitializeListHead(&Volume->Watches);
    for (ULONG Bucket = 0; Bucket < NTFS_FILE_BUCKETS; Bucket++) {
        InitializeListHead(&Volume->Files[Bucket]);
    }
    __try {
        FsRtlNotifyInitializeSync(&Volume->NotifySync);
        Status = NtfsInitializeSectors(&Volume->Sectors, Target);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsRecognize(&Volume->Sectors);
    }
    if (NT_SUCCESS(Status)) {
        Volume->NextVpb = DriverMakeVpb(NTFS_TAG_VPB);
        Status = Volume->NextVpb != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    }
    if (NT_SUCCESS(Status)) {
        NtfsLockLibrary();
        Status = NtfsLibraryMount(&Volume->Sectors, &Volume->Library, &Volume->Facts);
        NtfsUnlockLibrary();
    }
    return Status;
}

static VOID NtfsDescribeVpb(PNTFS_VOLUME Volume)
{
    PVPB Vpb = Volume->Vpb;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Vpb->DeviceObject = Volume->Device;
    Vpb->SerialNumber = (ULONG)Volume->Facts.Serial;
    Vpb->VolumeLabelLength = (USHORT)(Volume->Facts.LabelLength * sizeof(WCHAR));
    RtlCopyMemory(Vpb->VolumeLabel, Volume->Facts.Label, Vpb->VolumeLabelLength);
    IoReleaseVpbSpinLock(Irql);
}

VOID NtfsLeaveVpbLocked(PNTFS_VOLUME Volume)
{
    DriverReplaceVpb(Volume->Vpb, Volume->NextVpb);
    Volume->NextVpb = NULL;
    Volume->LockHolder = NULL;
    Volume->LostBy = STATUS_VOLUME_DISMOUNTED;
    Volume->Dismounted = TRUE;
}

/*
 * A volume that is NTFS and damaged is refused with STATUS_FILE_CORRUPT_ERROR, but left to RAW where it is opened as a whole, as who wants to
 * repair it does.
 */
NTSTATUS NtfsMount(PDEVICE_OBJECT ControlDevice, PIO_STACK_LOCATION Stack)
{
    PDEVICE_OBJECT Target = Stack->Parameters.MountVolume.DeviceObject;
    PDEVICE_OBJECT Device;
    PNTFS_VOLUME Volume;
    NTSTATUS Status;

    Status = IoCreateDevice(ControlDevice->DriverObject, sizeof(NTFS_VOLUME), NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0,
                            FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Volume = Device->DeviceExtension;
    RtlZeroMemory(Volume, sizeof(*Volume));
    FsRtlInitializeTunnelCache(&Volume->Tunnel);
    Status = NtfsMountDevice(Device, Target, Stack->Parameters.MountVolume.Vpb);
    if (!NT_SUCCESS(Status)) {
        NtfsFreeVolume(Volume);
        if (Status != STATUS_UNRECOGNIZED_VOLUME) {
            DbgPrintEx(DPFLTR_NTFS_ID, DPFLTR_ERROR_LEVEL, "ntfs: not mounted: status 0x%08X\n", Status);
        }
        if (Status == STATUS_FILE_CORRUPT_ERROR && (Stack->Flags & SL_ALLOW_RAW_MOUNT) != 0) {
            Status = STATUS_UNRECOGNIZED_VOLUME;
        }
        return Status;
    }
    Volume->Sectors.Mounting = FALSE;
    Volume->Vpb->RealDevice->Flags &= ~DO_VERIFY_VOLUME;
    Volume->IsVolume = TRUE;
    Device->StackSize = Target->StackSize + 1;
    Device->AlignmentRequirement = Target->AlignmentRequirement;
    Device->SectorSize = (USHORT)Volume->Sectors.SectorSize;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    NtfsDescribeVpb(Volume);
    NtfsLockLibrary();
    InsertTailList(&NtfsVolumes, &Volume->Link);
    NtfsUnlockLibrary();
    return STATUS_SUCCESS;
}

NTSTATUS NtfsDismountLocked(PNTFS_VOLUME Volume)
{
    NTSTATUS Status = STATUS_SUCCESS;

    FsRtlNotifyCleanupAll(Volume->NotifySync, &Volume->Watches);
    if (Volume->Library != NULL) {
        Status = NtfsLibraryDismount(Volume->Library);
        Volume->Library = NULL;
        RemoveEntryList(&Volume->Link);
        if (IsListEmpty(&NtfsVolumes)) {
            NtfsLibraryFreeReserve();
        }
    }
    return Status;
}

VOID NtfsDeleteVolumeIfUnused(PNTFS_VOLUME Volume, ULONG OwnReferences)
{
    BOOLEAN Delete = FALSE;
    KIRQL Irql;

    NtfsLockLibrary();
    if (Volume->Dismounted && !Volume->Deleted && Volume->OpenCount == 0) {
        IoAcquireVpbSpinLock(&Irql);
        if (Volume->Vpb->ReferenceCount <= OwnReferences) {
            Volume->Deleted = TRUE;
            Delete = TRUE;
        }
        IoReleaseVpbSpinLock(Irql);
    }
    NtfsUnlockLibrary();
    if (Delete) {
        FsRtlDeleteTunnelCache(&Volume->Tunnel);
        NtfsFreeVolume(Volume);
    }
}

/* The system goes down: every file's data and every volume's metadata are written, and the volumes are clean.  PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsShutdown(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    NtfsLockLibrary();
    while (!IsListEmpty(&NtfsVolumes)) {
        PNTFS_VOLUME Volume = CONTAINING_RECORD(NtfsVolumes.Flink, NTFS_VOLUME, Link);

        Volume->OpenCount++; /* it stays while it is not locked */
        NtfsUnlockLibrary();
        NtfsFlushFiles(Volume, FALSE);
        NtfsLockLibrary();
        Volume->OpenCount--;
        Volume->LostBy = STATUS_VOLUME_DISMOUNTED;
        Volume->Dismounted = TRUE;
        NtfsDismountLocked(Volume);
    }
    NtfsUnlockLibrary();
    return NtfsComplete(Irp, STATUS_SUCCESS, 0);
}
