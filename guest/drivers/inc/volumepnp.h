/* SPDX-License-Identifier: GPL-2.0-or-later */
/* volumepnp.h: IRP_MJ_PNP of a mounted volume, for the file systems. */
#ifndef FLTVM_DRIVERS_VOLUMEPNP_H
#define FLTVM_DRIVERS_VOLUMEPNP_H

#include <ntifs.h>
#include <request.h>

/* What a file system does with a volume of its own.  PASSIVE_LEVEL. */
typedef struct _DRIVER_VOLUME_PNP {
    /* Nobody opens anything from now on.  STATUS_ACCESS_DENIED: somebody uses it. */
    NTSTATUS (*Hold)(PVOID Volume);
    VOID (*EndHold)(PVOID Volume); /* if it is held */
    /* What is open fails from now on.  TRUE: Forget has to be called, as the last that touches the volume. */
    BOOLEAN (*Lose)(PVOID Volume);
    VOID (*Forget)(PVOID Volume);
} DRIVER_VOLUME_PNP, *PDRIVER_VOLUME_PNP;

/* IRQL: PASSIVE_LEVEL.  Completes the request, which has gone on to the volume's device. */
static inline NTSTATUS DriverVolumePnp(const DRIVER_VOLUME_PNP *Routines, PVOID Volume, PDEVICE_OBJECT Target, PIRP Irp)
{
    UCHAR Minor = IoGetCurrentIrpStackLocation(Irp)->MinorFunction;
    BOOLEAN Lost = FALSE;
    NTSTATUS Status;

    if (Minor == IRP_MN_QUERY_REMOVE_DEVICE) {
        Status = Routines->Hold(Volume);
        if (!NT_SUCCESS(Status))
            return DriverComplete(Irp, Status, 0);
    } else if (Minor == IRP_MN_REMOVE_DEVICE || Minor == IRP_MN_SURPRISE_REMOVAL) {
        Lost = Routines->Lose(Volume);
    } else if (Minor != IRP_MN_CANCEL_REMOVE_DEVICE) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Target, Irp);
    }
    if (!IoForwardIrpSynchronously(Target, Irp))
        Irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
    Status = Irp->IoStatus.Status;
    if (Minor == IRP_MN_CANCEL_REMOVE_DEVICE || (Minor == IRP_MN_QUERY_REMOVE_DEVICE && !NT_SUCCESS(Status)))
        Routines->EndHold(Volume);
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    if (Lost)
        Routines->Forget(Volume);
    return Status;
}

#endif
