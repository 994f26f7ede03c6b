/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every request's beginning and end.
 *
 * The medium may have changed: a request that finds the volume in doubt has it verified first, and one that the disk has refused for it (STATUS_VERIFY_REQUIRED) begins again
 * after that, in the same thread, or from the disk's DPC in a worker's.  Whoever asked for it sees neither.  Only of another medium does it end, with STATUS_WRONG_VOLUME; an
 * open then goes on with what is mounted instead, and a cleanup is done in any case.
 */
#include "ntfs.h"

const PDRIVER_DISPATCH NtfsRoutines[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
    [IRP_MJ_CREATE] = NtfsCreate,
    [IRP_MJ_CLEANUP] = NtfsCleanup,
    [IRP_MJ_CLOSE] = NtfsClose,
    [IRP_MJ_READ] = NtfsReadWrite,
    [IRP_MJ_WRITE] = NtfsReadWrite,
    [IRP_MJ_FLUSH_BUFFERS] = NtfsFlush,
    [IRP_MJ_DEVICE_CONTROL] = NtfsForward,
    [IRP_MJ_FILE_SYSTEM_CONTROL] = NtfsFileSystemControl,
    [IRP_MJ_DIRECTORY_CONTROL] = NtfsDirectoryControl,
    [IRP_MJ_QUERY_INFORMATION] = NtfsQueryInformation,
    [IRP_MJ_SET_INFORMATION] = NtfsSetInformation,
    [IRP_MJ_QUERY_VOLUME_INFORMATION] = NtfsQueryVolume,
    [IRP_MJ_SET_VOLUME_INFORMATION] = NtfsSetVolume,
    [IRP_MJ_LOCK_CONTROL] = NtfsLockControl,
    [IRP_MJ_QUERY_EA] = NtfsExtendedAttributes,
    [IRP_MJ_SET_EA] = NtfsExtendedAttributes,
    [IRP_MJ_QUERY_SECURITY] = NtfsSecurity,
    [IRP_MJ_SET_SECURITY] = NtfsSecurity,
    [IRP_MJ_SHUTDOWN] = NtfsShutdown,
    [IRP_MJ_PNP] = NtfsPnp,
};

/* What must be done in any case, or is the asking itself, does not ask; nor do the cache's and the memory manager's, which the disk refuses. */
static BOOLEAN NtfsAsksFirst(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->MajorFunction) {
    case IRP_MJ_CLOSE:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_SHUTDOWN:
    case IRP_MJ_PNP: return FALSE;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
        return Stack->MinorFunction == IRP_MN_USER_FS_REQUEST || Stack->MinorFunction == IRP_MN_KERNEL_CALL;
    default: return (Irp->Flags & IRP_PAGING_IO) == 0 && KeGetCurrentIrql() < DISPATCH_LEVEL;
    }
}

static NTSTATUS NtfsRefuse(PDEVICE_OBJECT DeviceObject, PIRP Irp, NTSTATUS Status)
{
    if (Status == STATUS_WRONG_VOLUME && IoGetCurrentIrpStackLocation(Irp)->MajorFunction == IRP_MJ_CREATE) {
        NtfsDeleteVolumeIfUnused(DeviceObject->DeviceExtension, 1); /* this open held it */
        return DriverComplete(Irp, STATUS_REPARSE, IO_REMOUNT);
    }
    return DriverComplete(Irp, Status, 0);
}

/* <= DISPATCH_LEVEL, as the routine of the function says. */
NTSTATUS NTAPI NtfsDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status;

    if (Stack->MajorFunction == IRP_MJ_CREATE && Volume->IsVolume && !Volume->Dismounted) {
        Status = DriverAskForMedium(Volume->Vpb->RealDevice, Volume->Target);
        if (!NT_SUCCESS(Status)) {
            return NtfsRefuse(DeviceObject, Irp, Status);
        }
    }
    if (NtfsIsDoubted(Volume) && NtfsAsksFirst(Irp, Stack)) {
        Status = NtfsLookAtMedium(Volume);
        if (!NT_SUCCESS(Status) && Stack->MajorFunction != IRP_MJ_CLEANUP) {
            return NtfsRefuse(DeviceObject, Irp, Status);
        }
    }
    return NtfsRoutines[Stack->MajorFunction](DeviceObject, Irp);
}

static NTSTATUS NtfsRetry(PIRP Irp)
{
    PDEVICE_OBJECT DeviceObject = IoGetCurrentIrpStackLocation(Irp)->DeviceObject;
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status = NtfsHoldsLibrary() ? NtfsLookInPlace(Volume) : NtfsLookAtMedium(Volume);

    if (!NT_SUCCESS(Status)) {
        return NtfsRefuse(DeviceObject, Irp, Status);
    }
    return NtfsDispatch(DeviceObject, Irp);
}

NTSTATUS NtfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (Status == STATUS_VERIFY_REQUIRED && ((PNTFS_VOLUME)Stack->DeviceObject->DeviceExtension)->IsVolume &&
        (Stack->MajorFunction != IRP_MJ_FILE_SYSTEM_CONTROL || Stack->MinorFunction != IRP_MN_VERIFY_VOLUME)) {
        return NtfsRetry(Irp);
    }
    return DriverComplete(Irp, Status, Information);
}

/* ---- from the disk's DPC ---- */

static VOID NTAPI NtfsRetryWorker(PVOID Context)
{
    NtfsRetry(Context);
}

VOID NtfsRetryLater(PIRP Irp)
{
    PWORK_QUEUE_ITEM Item = (PWORK_QUEUE_ITEM)Irp->Tail.Overlay.DriverContext;

    C_ASSERT(sizeof(*Item) <= sizeof(Irp->Tail.Overlay.DriverContext));
    ExInitializeWorkItem(Item, NtfsRetryWorker, Irp);
    ExQueueWorkItem(Item, CriticalWorkQueue);
}

NTSTATUS NtfsTransferRefused(PIRP Irp)
{
    if (Irp->PendingReturned) {
        NtfsRetryLater(Irp);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}
