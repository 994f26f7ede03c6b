/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, writes and device controls of the volume itself: to its device and back, as they are.
 */
#include "ntfs.h"

/* <= DISPATCH_LEVEL.  A synchronous file's position moves on. */
static NTSTATUS NTAPI NtfsTransferCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    if (Irp->IoStatus.Status == STATUS_VERIFY_REQUIRED) {
        return NtfsTransferRefused(Irp);
    }
    if (NT_SUCCESS(Irp->IoStatus.Status) && Stack->FileObject != NULL &&
        (Stack->FileObject->Flags & FO_SYNCHRONOUS_IO) != 0 && (Irp->Flags & IRP_PAGING_IO) == 0) {
        Stack->FileObject->CurrentByteOffset.QuadPart =
            Stack->Parameters.Read.ByteOffset.QuadPart + (LONGLONG)Irp->IoStatus.Information;
    }
    return STATUS_CONTINUE_COMPLETION;
}

/* The caller's buffer, locked for the disk; the I/O manager unlocks it with the request's end.  PASSIVE_LEVEL or APC_LEVEL. */
NTSTATUS NtfsLockUserBuffer(PIRP Irp, LOCK_OPERATION Operation, ULONG Length)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (Irp->MdlAddress != NULL) {
        return STATUS_SUCCESS;
    }
    if (IoAllocateMdl(Irp->UserBuffer, Length, FALSE, TRUE, Irp) == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        MmProbeAndLockPages(Irp->MdlAddress, Irp->RequestorMode, Operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
        IoFreeMdl(Irp->MdlAddress);
        Irp->MdlAddress = NULL;
    }
    return Status;
}

/* PASSIVE_LEVEL, APC_LEVEL; DISPATCH_LEVEL where the request has its MDL. */
NTSTATUS NTAPI NtfsReadWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    ULONG SectorSize;
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Volume->Dismounted) {
        return NtfsComplete(Irp, Volume->LostBy, 0);
    }
    if (Stack->Parameters.Read.Length == 0 && (Stack->MinorFunction & IRP_MN_COMPLETE) == 0) {
        return NtfsComplete(Irp, STATUS_SUCCESS, 0);
    }
    if (NtfsStreamOf(Stack->FileObject) != NULL) {
        /* What the cache has of it may still be written, to nowhere. */
        Status = NtfsCheckUsable(Volume, NtfsStreamOf(Stack->FileObject));
        if (!NT_SUCCESS(Status) && ((Irp->Flags & IRP_PAGING_IO) == 0 || Stack->MajorFunction == IRP_MJ_READ)) {
            return NtfsComplete(Irp, Status, 0);
        }
        if (!NtfsMayTransfer(NtfsStreamOf(Stack->FileObject), Irp)) {
            return NtfsComplete(Irp, STATUS_FILE_LOCK_CONFLICT, 0);
        }
        return Stack->MajorFunction == IRP_MJ_READ ? NtfsReadFile(Volume, NtfsStreamOf(Stack->FileObject), Irp)
                                                   : NtfsWriteFile(Volume, NtfsStreamOf(Stack->FileObject), Irp);
    }
    SectorSize = Volume->Sectors.SectorSize;
    if (Stack->Parameters.Read.Length % SectorSize != 0 || Stack->Parameters.Read.ByteOffset.QuadPart < 0 ||
        Stack->Parameters.Read.ByteOffset.QuadPart % SectorSize != 0) {
        return NtfsComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    Status = NtfsLockUserBuffer(Irp, Stack->MajorFunction == IRP_MJ_READ ? IoWriteAccess : IoReadAccess,
                                Stack->Parameters.Read.Length);
    if (!NT_SUCCESS(Status)) {
        return NtfsComplete(Irp, Status, 0);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, NtfsTransferCompletion, NULL, TRUE, TRUE, TRUE);
    Status = IoCallDriver(Volume->Target, Irp);
    return Status == STATUS_VERIFY_REQUIRED ? NtfsComplete(Irp, Status, 0) : Status;
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI NtfsForward(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;

    if (!Volume->IsVolume) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Volume->Dismounted) {
        return NtfsComplete(Irp, STATUS_VOLUME_DISMOUNTED, 0);
    }
    if (NtfsStreamOf(IoGetCurrentIrpStackLocation(Irp)->FileObject) != NULL) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0); /* a file is no device */
    }
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Volume->Target, Irp);
}
