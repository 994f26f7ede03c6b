/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk that goes takes its volumes with it.
 *
 * This driver is told of the disk as who has a file of it open is.  Each volume is then removed by surprise: the request goes, as documented for a volume
 * that is mounted, to the top of the file system's stack, which sends it on to here.  Nobody enumerates these volumes, so
 * it is this driver that sends it.  With IRP_MN_REMOVE_DEVICE, which the I/O manager sends when nothing of the volume is open any more, the device goes.
 */
#include "volume.h"
#include <request.h>
#include <fltvm.h>

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

/* PASSIVE_LEVEL.  Context: the volume's device. */
static NTSTATUS NTAPI VolumeDiskChanged(PVOID Structure, PVOID Context)
{
    PTARGET_DEVICE_REMOVAL_NOTIFICATION Change = Structure;
    PDEVICE_OBJECT Device = Context;

    if (IsEqualGUID(&Change->Event, &VolumeRemoveComplete)) {
        VolumeLose(Device->DeviceExtension);
        VolumeSurprise(Device);
        FvRemoveWhenClosed(Device);
    }
    return STATUS_SUCCESS;
}

VOID VolumeWatchDisk(PDEVICE_OBJECT Device)
{
    PVOLUME_EXTENSION Extension = Device->DeviceExtension;

    IoRegisterPlugPlayNotification(EventCategoryTargetDeviceChange, 0, Extension->DiskFile, Device->DriverObject,
                                   VolumeDiskChanged, Device, &Extension->Watch);
}

/* Nobody has it open. */
static VOID VolumeDelete(PDEVICE_OBJECT Device)
{
    PVOLUME_EXTENSION Extension = Device->DeviceExtension;
    KIRQL Irql;

    if (Extension->Watch != NULL) {
        IoUnregisterPlugPlayNotificationEx(Extension->Watch);
    }
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(&VolumeResource, TRUE);
    KeAcquireSpinLock(&VolumeListLock, &Irql);
    RemoveEntryList(&Extension->Entry);
    KeReleaseSpinLock(&VolumeListLock, Irql);
    ObDereferenceObject(Extension->DiskFile);
    IoDeleteDevice(Device);
    ExReleaseResourceLite(&VolumeResource);
    KeLeaveCriticalRegion();
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI VolumeDispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    NTSTATUS Status = Irp->IoStatus.Status;

    if (Extension->Disk == NULL) {
        return DriverComplete(Irp, Status, Irp->IoStatus.Information);
    }
    switch (Minor) {
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE: Status = STATUS_SUCCESS; break;
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        VolumeLose(Extension);
        Status = STATUS_SUCCESS;
        break;
    default: break;
    }
    DriverComplete(Irp, Status, Irp->IoStatus.Information);
    if (Minor == IRP_MN_REMOVE_DEVICE) {
        VolumeDelete(DeviceObject);
    }
    return Status;
}
