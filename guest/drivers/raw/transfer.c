/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, writes, flushes, device controls: to the volume's device and back.
 */
#include "raw.h"

/* <= DISPATCH_LEVEL.  A synchronous file's position moves on. */
static NTSTATUS NTAPI RawTransferCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    if (NT_SUCCESS(Irp->IoStatus.Status) && Stack->FileObject != NULL &&
        (Stack->FileObject->Flags & FO_SYNCHRONOUS_IO) != 0 && (Irp->Flags & IRP_PAGING_IO) == 0) {
        Stack->FileObject->CurrentByteOffset.QuadPart =
            Stack->Parameters.Read.ByteOffset.QuadPart + (LONGLONG)Irp->IoStatus.Information;
    }
    return STATUS_CONTINUE_COMPLETION;
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI RawReadWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    Status = RawLookAtMedium(Volume);
    if (!NT_SUCCESS(Status)) {
        return DriverComplete(Irp, Status, 0);
    }
    if (Volume->Dismounted) {
        return DriverComplete(Irp, STATUS_VOLUME_DISMOUNTED, 0);
    }
    if (Stack->Parameters.Read.Length == 0) {
        return DriverComplete(Irp, STATUS_SUCCESS, 0);
    }
    if (Stack->Parameters.Read.Length % Volume->SectorSize != 0 || Stack->Parameters.Read.ByteOffset.QuadPart < 0 ||
        Stack->Parameters.Read.ByteOffset.QuadPart % Volume->SectorSize != 0) {
        return DriverComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, RawTransferCompletion, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(Volume->Target, Irp);
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI RawForward(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PRAW_VOLUME Volume = DeviceObject->DeviceExtension;

    if (!Volume->IsVolume) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Volume->Dismounted) {
        return DriverComplete(Irp, STATUS_VOLUME_DISMOUNTED, 0);
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Volume->Target, Irp);
}
