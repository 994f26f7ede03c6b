/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_QUERY_INFORMATION and IRP_MJ_SET_INFORMATION.  Of the volume itself the position is all there is to know.
 */
#include "ntfs.h"

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsQueryInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
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
NTSTATUS NTAPI NtfsSetInformation(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PFILE_POSITION_INFORMATION Position = Irp->AssociatedIrp.SystemBuffer;

    if (!Volume->IsVolume || Stack->Parameters.SetFile.FileInformationClass != FilePositionInformation) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Stack->Parameters.SetFile.Length < sizeof(*Position) || Position->CurrentByteOffset.QuadPart < 0 ||
        Position->CurrentByteOffset.QuadPart % Volume->Sectors.SectorSize != 0) {
        return DriverComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Stack->FileObject->CurrentByteOffset = Position->CurrentByteOffset;
    return DriverComplete(Irp, STATUS_SUCCESS, 0);
}
