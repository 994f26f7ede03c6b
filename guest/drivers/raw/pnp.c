/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_PNP: the disk is to be removed, which only who has the volume open can be against, or is gone.
 */
#include "raw.h"
#include <volumepnp.h>

static VOID NTAPI RawForgetVolume(PVOID Context)
{
    PRAW_VOLUME Volume = Context;

    RawLock(Volume);
    Volume->OpenCount--;
    RawUnlock(Volume);
    RawDeleteIfUnused(Volume, 0);
}

static NTSTATUS RawHold(PVOID Context)
{
    PRAW_VOLUME Volume = Context;
    NTSTATUS Status = STATUS_SUCCESS;

    RawLock(Volume);
    if (!Volume->Dismounted) {
        if (Volume->OpenCount != 0 || Volume->RemovalPending || !DriverLockVpb(Volume->Vpb, 0)) {
            Status = STATUS_ACCESS_DENIED;
        } else {
            Volume->RemovalPending = TRUE;
        }
    }
    RawUnlock(Volume);
    return Status;
}

static VOID RawEndHold(PVOID Context)
{
    PRAW_VOLUME Volume = Context;

    RawLock(Volume);
    if (Volume->RemovalPending) {
        Volume->RemovalPending = FALSE;
        DriverUnlockVpb(Volume->Vpb);
    }
    RawUnlock(Volume);
}

/* TRUE: OpenCount is one more, for RawForgetVolume, which is not inside of the volume's stack. */
static BOOLEAN RawLose(PVOID Context)
{
    PRAW_VOLUME Volume = Context;
    BOOLEAN Lost = FALSE;

    RawLock(Volume);
    if (!Volume->Dismounted) {
        RawLeaveVpbLocked(Volume);
        Volume->RemovalPending = FALSE;
        Volume->OpenCount++;
        Lost = TRUE;
    }
    RawUnlock(Volume);
    return Lost;
}

static VOID RawForget(PVOID Context)
{
    PRAW_VOLUME Volume = Context;

    ExInitializeWorkItem(&Volume->Forget, RawForgetVolume, Volume);
    ExQueueWorkItem(&Volume->Forget, DelayedWorkQueue);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI RawPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static const DRIVER_VOLUME_PNP Routines = {RawHold, RawEndHold, RawLose, RawForget};
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information); /* the file system is no device */
    }
    return DriverVolumePnp(&Routines, Volume, Volume->Target, Irp);
}
