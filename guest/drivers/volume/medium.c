/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes on a medium that can be changed.
 *
 * The disk ends the request that finds another medium with STATUS_VERIFY_REQUIRED.  Here that puts all volumes of the disk in doubt: those that are mounted
 * get DO_VERIFY_VOLUME, and end what does not say SL_OVERRIDE_VERIFY_VOLUME with that status, until a file system has looked.  What says so is sent again, since the disk goes
 * on with the new medium once it has told of it.  For a volume that nothing is mounted on the status is STATUS_IO_DEVICE_ERROR.
 */
#include "volume.h"
#include <request.h>

/* <= DISPATCH_LEVEL. */
static BOOLEAN VolumeDoubt(PDEVICE_OBJECT DeviceObject)
{
    BOOLEAN Mounted;
    KIRQL Irql;

    IoAcquireVpbSpinLock(&Irql);
    Mounted = DeviceObject->Vpb != NULL && (DeviceObject->Vpb->Flags & VPB_MOUNTED) != 0;
    if (Mounted) {
        DeviceObject->Flags |= DO_VERIFY_VOLUME;
    }
    IoReleaseVpbSpinLock(Irql);
    return Mounted;
}

static VOID VolumeDoubtOthers(PDEVICE_OBJECT DeviceObject)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;
    PLIST_ENTRY Entry;
    KIRQL Irql;

    KeAcquireSpinLock(&VolumeListLock, &Irql);
    for (Entry = VolumeList.Flink; Entry != &VolumeList; Entry = Entry->Flink) {
        PVOLUME_EXTENSION Volume = CONTAINING_RECORD(Entry, VOLUME_EXTENSION, Entry);

        if (Volume != Extension && Volume->Disk == Extension->Disk) {
            VolumeDoubt(Volume->Device);
        }
    }
    KeReleaseSpinLock(&VolumeListLock, Irql);
}

/* <= DISPATCH_LEVEL.  Context: the volume's device. */
static NTSTATUS NTAPI VolumeTold(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PDEVICE_OBJECT Volume = Context;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PVOLUME_EXTENSION Extension = Volume->DeviceExtension;
    BOOLEAN Mounted;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    if (Irp->IoStatus.Status != STATUS_VERIFY_REQUIRED) {
        return STATUS_CONTINUE_COMPLETION;
    }
    VolumeDoubtOthers(Volume);
    Mounted = VolumeDoubt(Volume);
    if ((Stack->Flags & SL_OVERRIDE_VERIFY_VOLUME) != 0 && Stack->MajorFunction != IRP_MJ_DEVICE_CONTROL) {
        IoCopyCurrentIrpStackLocationToNext(Irp);
        if (Stack->MajorFunction != IRP_MJ_FLUSH_BUFFERS) {
            IoGetNextIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart += Extension->Start;
        }
        IoSetCompletionRoutine(Irp, VolumeTold, Volume, TRUE, TRUE, TRUE);
        IoCallDriver(Extension->Disk, Irp);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    Irp->IoStatus.Status = Mounted ? STATUS_VERIFY_REQUIRED : STATUS_IO_DEVICE_ERROR;
    if (Mounted) {
        IoSetHardErrorOrVerifyDevice(Irp, Volume);
    }
    return STATUS_CONTINUE_COMPLETION;
}

NTSTATUS VolumeSend(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;

    if (Extension->Removable) {
        if ((DeviceObject->Flags & DO_VERIFY_VOLUME) != 0 && (Stack->Flags & SL_OVERRIDE_VERIFY_VOLUME) == 0 &&
            Stack->MajorFunction != IRP_MJ_DEVICE_CONTROL) {
            IoSetHardErrorOrVerifyDevice(Irp, DeviceObject);
            return DriverComplete(Irp, STATUS_VERIFY_REQUIRED, 0);
        }
        IoSetCompletionRoutine(Irp, VolumeTold, DeviceObject, TRUE, TRUE, TRUE);
    }
    return IoCallDriver(Extension->Disk, Irp);
}
