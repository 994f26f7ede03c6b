/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_PNP: what the volume sits on is to be removed, or is gone.
 *
 * Asked (IRP_MN_QUERY_REMOVE_DEVICE), the volume is locked as FSCTL_LOCK_VOLUME does, or the removal refused; then it is dismounted
 * (IRP_MN_REMOVE_DEVICE) or unlocked (IRP_MN_CANCEL_REMOVE_DEVICE).  When the disk is gone already, what was not written is lost, and what is open fails from then on with
 * STATUS_VOLUME_DISMOUNTED.  Each request goes on to the volume's device.
 */
#include "ntfs.h"
#include <volumepnp.h>

/* The volume device goes with its last file; if there is none, in a thread that is not inside of it. */
static VOID NTAPI NtfsForgetVolume(PVOID Context)
{
    PNTFS_VOLUME Volume = Context;

    NtfsLockLibraryToEnd();
    Volume->OpenCount--;
    NtfsUnlockLibrary();
    NtfsDeleteVolumeIfUnused(Volume, 0);
}

VOID NtfsForgetLater(PNTFS_VOLUME Volume)
{
    ExInitializeWorkItem(&Volume->Forget, NtfsForgetVolume, Volume);
    ExQueueWorkItem(&Volume->Forget, DelayedWorkQueue);
}

/* OpenCount is one more, for NtfsForgetVolume. */
BOOLEAN NtfsLoseVolume(PNTFS_VOLUME Volume, NTSTATUS Status)
{
    BOOLEAN Lost = FALSE;

    NtfsLockLibraryToEnd();
    if (!Volume->Dismounted) {
        Volume->Sectors.Lost = Status == STATUS_WRONG_VOLUME; /* it must not meet another one's sectors */
        NtfsDismountLocked(Volume);                           /* what it cannot write is lost */
        NtfsLeaveVpbLocked(Volume);
        Volume->LostBy = Status;
        Volume->RemovalPending = FALSE;
        Volume->OpenCount++;
        Lost = TRUE;
    }
    NtfsUnlockLibrary();
    return Lost;
}

/* STATUS_ACCESS_DENIED: somebody uses it. */
static NTSTATUS NtfsHoldForRemoval(PVOID Context)
{
    PNTFS_VOLUME Volume = Context;
    NTSTATUS Status = NtfsQuietVolume(Volume);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    NtfsLockLibrary();
    if (Volume->Dismounted) {
        Status = STATUS_SUCCESS;
    } else if (Volume->LockHolder != NULL || Volume->RemovalPending || Volume->OpenCount != 0 ||
               !DriverLockVpb(Volume->Vpb, 0)) {
        Status = STATUS_ACCESS_DENIED;
    } else {
        Volume->RemovalPending = TRUE;
    }
    NtfsUnlockLibrary();
    return Status;
}

static VOID NtfsEndHold(PVOID Context)
{
    PNTFS_VOLUME Volume = Context;

    NtfsLockLibraryToEnd();
    if (Volume->RemovalPending) {
        Volume->RemovalPending = FALSE;
        DriverUnlockVpb(Volume->Vpb);
    }
    NtfsUnlockLibrary();
}

static BOOLEAN NtfsLoseByRemoval(PVOID Volume)
{
    return NtfsLoseVolume(Volume, STATUS_VOLUME_DISMOUNTED);
}

static VOID NtfsForget(PVOID Volume)
{
    NtfsForgetLater(Volume);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    static const DRIVER_VOLUME_PNP Routines = {NtfsHoldForRemoval, NtfsEndHold, NtfsLoseByRemoval, NtfsForget};
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, Irp->IoStatus.Status, Irp->IoStatus.Information); /* the file system is no device */
    }
    return DriverVolumePnp(&Routines, Volume, Volume->Target, Irp);
}
