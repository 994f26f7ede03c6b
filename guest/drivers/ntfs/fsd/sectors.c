/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volume's sectors for the library: one transfer at a time, waited for.  They carry IRP_PAGING_IO as a file system's own
 * transfers do, and are completed without the thread's APCs, which may be held off.
 */
#include "ntfs.h"

/* <= DISPATCH_LEVEL. */
static NTSTATUS NTAPI NtfsSectorsCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS NtfsSendSectors(PDEVICE_OBJECT Target, UCHAR MajorFunction, UCHAR Flags, LONGLONG Offset, PMDL Mdl,
                         ULONG Length)
{
    PIO_STACK_LOCATION Stack;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    Irp = IoAllocateIrp(Target->StackSize, FALSE);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp->MdlAddress = Mdl;
    Irp->Flags = IRP_NOCACHE;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = MajorFunction;
    Stack->Flags = Flags;
    Stack->Parameters.Read.Length = Length; /* the same place as Write's */
    Stack->Parameters.Read.ByteOffset.QuadPart = Offset;
    Stack->DeviceObject = Target;
    IoSetCompletionRoutine(Irp, NtfsSectorsCompletion, &Event, TRUE, TRUE, TRUE);
    if (IoCallDriver(Target, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
    Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status) && Irp->IoStatus.Information != Length) {
        Status = STATUS_END_OF_FILE;
    }
    Irp->MdlAddress = NULL;
    IoFreeIrp(Irp);
    return Status;
}

/* The library cannot begin again: where the medium is in doubt it is looked at here and now. */
static NTSTATUS NtfsSendForLibrary(NTFS_SECTORS *Sectors, UCHAR MajorFunction, LONGLONG Offset, PMDL Mdl, ULONG Length)
{
    UCHAR Flags = Sectors->Mounting ? SL_OVERRIDE_VERIFY_VOLUME : 0;
    NTSTATUS Status;

    do {
        Status = NtfsSendSectors(Sectors->Target, MajorFunction, Flags, Offset, Mdl, Length);
        if (Status != STATUS_VERIFY_REQUIRED || Sectors->Mounting) {
            return Status;
        }
        Status = NtfsLookInPlace(CONTAINING_RECORD(Sectors, NTFS_VOLUME, Sectors));
    } while (NT_SUCCESS(Status));
    return Status;
}

NTSTATUS NtfsTransferSectors(NTFS_SECTORS *Sectors, BOOLEAN Write, LONGLONG Offset, PVOID Buffer, ULONG Length)
{
    PMDL Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
    NTSTATUS Status;

    if (Mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(Mdl);
    Status = NtfsSendForLibrary(Sectors, Write ? IRP_MJ_WRITE : IRP_MJ_READ, Offset, Mdl, Length);
    IoFreeMdl(Mdl);
    return Status;
}

static int32_t NtfsSectorsTransfer(void *Context, int Write, int64_t Offset, void *Buffer, uint32_t Length)
{
    return NtfsTransferSectors(Context, Write != 0, Offset, Buffer, Length);
}

static int32_t NtfsSectorsFlush(void *Context)
{
    NTSTATUS Status = NtfsSendForLibrary(Context, IRP_MJ_FLUSH_BUFFERS, 0, NULL, 0);

    /* What has no cache has nothing to flush. */
    return Status == STATUS_INVALID_DEVICE_REQUEST ? STATUS_SUCCESS : Status;
}

NTSTATUS NtfsInitializeSectors(NTFS_SECTORS *Sectors, PDEVICE_OBJECT Target)
{
    GET_LENGTH_INFORMATION Length;
    DISK_GEOMETRY Geometry;
    NTSTATUS Status;

    Status = DriverControl(Target, IOCTL_DISK_GET_DRIVE_GEOMETRY, &Geometry, sizeof(Geometry));
    if (NT_SUCCESS(Status)) {
        Status = DriverControl(Target, IOCTL_DISK_GET_LENGTH_INFO, &Length, sizeof(Length));
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Geometry.BytesPerSector < 512 || Geometry.BytesPerSector > 4096 ||
        (Geometry.BytesPerSector & (Geometry.BytesPerSector - 1)) != 0 ||
        Length.Length.QuadPart < Geometry.BytesPerSector) {
        return STATUS_UNRECOGNIZED_VOLUME;
    }
    Sectors->Context = Sectors;
    Sectors->Target = Target;
    Sectors->Mounting = TRUE;
    Sectors->Length = Length.Length.QuadPart;
    Sectors->SectorSize = Geometry.BytesPerSector;
    Sectors->Transfer = NtfsSectorsTransfer;
    Sectors->Flush = NtfsSectorsFlush;
    Sectors->Bounce = ExAllocatePoolWithTag(NonPagedPoolNx, NTFS_BOUNCE_SIZE, NTFS_TAG_VOLUME);
    return Sectors->Bounce != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

VOID NtfsDeleteSectors(NTFS_SECTORS *Sectors)
{
    if (Sectors->Bounce != NULL) {
        ExFreePoolWithTag(Sectors->Bounce, NTFS_TAG_VOLUME);
        Sectors->Bounce = NULL;
    }
}
