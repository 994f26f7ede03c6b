/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that goes takes its volumes with it.
 *
 * This driver is told of the disk as who has a file of it open is.  Each volume is then removed by surprise: the request goes, as documented for a volume
 * that is mounted, to the top of the file system's stack, which sends it on to here.  Nobody enumerates these volumes, so
 * it is this driver that sends it.
 */
#include "volume.h"
#include <request.h>

static const GUID VolumeRemoveComplete = {
    0xCB3A4008,
    0x46F0,
    0x11D0,
    {0xB0, 0x8F, 0x00, 0x60, 0x97, 0x13, 0x05, 0x3F}}; /* GUID_TARGET_DEVICE_REMOVE_COMPLETE */

/* What is mounted on it, or the volume itself; referenced. */
static PDEVICE_OBJECT VolumeTop(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Base = Device, Top;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    if (Device->Vpb != NULL && (Device->Vpb->Flags & VPB_MOUNTED) != 0) {
        Base = Device->Vpb->DeviceObject;
    }
    ObReferenceObject(Base);
    IoReleaseVpbSpinLock(Irql);
    Top = IoGetAttachedDeviceReference(Base);
    ObDereferenceObject(Base);
    return Top;
}

static VOID VolumeSurprise(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Top = VolumeTop(Device);
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, Top, NULL, 0, NULL, &Event, &IoStatus);
    if (Irp != NULL) {
        Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
        IoGetNextIrpStackLocation(Irp)->MinorFunction = IRP_MN_SURPRISE_REMOVAL;
        DriverSend(Top, Irp, &Event, &IoStatus);
    }
    ObDereferenceObject(Top);
}

/* Requests fail from now on, whatever the file system does. */
static VOID VolumeLose(PVOLUME_EXTENSION Extension)
{
    if (!Extension->Gone) {
        Extension->Gone = TRUE;
        VolumeLinks(Extension, NULL);
    }
}

/* PASSIVE_LEVEL.  Context: the driver. */
static NTSTATUS NTAPI VolumeDiskChanged(PVOID Structure, PVOID Context)
{
    PTARGET_DEVICE_REMOVAL_NOTIFICATION Change = Structure;
    PDRIVER_OBJECT DriverObject = Context;

    if (!IsEqualGUID(&Change->Event, &VolumeRemoveComplete)) {
        return STATUS_SUCCESS;
    }
    for (PDEVICE_OBJECT Device = DriverObject->DeviceObject; Device != NULL; Device = Device->NextDevice) {
        PVOLUME_EXTENSION Extension = Device->DeviceExtension;

        if (Extension->Disk != NULL && Extension->DiskFile == Change->FileObject) {
            VolumeLose(Extension);
            VolumeSurprise(Device);
        }
    }
    return STATUS_SUCCESS;
}

VOID VolumeWatchDisk(PDRIVER_OBJECT DriverObject, PVOLUME_DISK Disk)
{
    PVOID Entry; /* for good: the driver is not unloaded */

    IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, Disk->File, DriverObject, VolumeDiskChanged,
                                   DriverObject, &Entry);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI VolumeDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;
    NTSTATUS Status = Irp->IoStatus.Status;

    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE: Status = STATUS_SUCCESS; break;
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        if (Extension->Disk != NULL) {
            VolumeLose(Extension);
        }
        Status = STATUS_SUCCESS;
        break;
    default: break;
    }
    return DriverComplete(Irp, Status, Irp->IoStatus.Information);
}
