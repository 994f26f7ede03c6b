/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_PNP: the disk is to be removed, which only files that are open can be against, or is gone.
 */
#include "raw.h"

static VOID NTAPI RawForgetVolume(PVOID Context)
{
    PRAW_VOLUME Volume = Context;

    RawLock(Volume);
    Volume->OpenCount--;
    RawUnlock(Volume);
    RawDeleteIfUnused(Volume, 0);
}

/* TRUE: OpenCount is one more, for RawForgetVolume, which is not inside of the volume's stack. */
static BOOLEAN RawLoseVolume(PRAW_VOLUME Volume)
{
    BOOLEAN Lost = FALSE;

    RawLock(Volume);
    if (!Volume->Dismounted) {
        RawLeaveVpbLocked(Volume);
        Volume->OpenCount++;
        Lost = TRUE;
    }
    RawUnlock(Volume);
    return Lost;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    BOOLEAN Lost = FALSE;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information); /* the file system is no device */
    }
    if (Minor == IRP_MN_QUERY_REMOVE_DEVICE && !Volume->Dismounted && Volume->OpenCount != 0) {
        return DriverComplete(Irp, STATUS_ACCESS_DENIED, 0);
    }
    if (Minor == IRP_MN_REMOVE_DEVICE || Minor == IRP_MN_SURPRISE_REMOVAL) {
        Lost = RawLoseVolume(Volume);
    }
    if (!IoForwardIrpSynchronously(Volume->Target, Irp)) {
        Irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
    }
    Status = Irp->IoStatus.Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    if (Lost) {
        ExInitializeWorkItem(&Volume->Forget, RawForgetVolume, Volume);
        ExQueueWorkItem(&Volume->Forget, DelayedWorkQueue);
    }
    return Status;
}
