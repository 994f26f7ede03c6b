/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a volume does with requests.
 */
#include "volume.h"
#include <request.h>
#include <ntstrsafe.h>

/* PASSIVE_LEVEL. */
NTSTATUS VolumeReadDisk(PVOLUME_DISK Disk, LONGLONG Offset, PVOID Buffer, ULONG Length)
{
    IO_STATUS_BLOCK IoStatus;
    LARGE_INTEGER Start;
    KEVENT Event;

    Start.QuadPart = Offset;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    return DriverSend(
        Disk->Device,
        IoBuildSynchronousFsdRequest(IRP_MJ_READ, Disk->Device, Buffer, Length, &Start, &Event, &IoStatus), &Event,
        &IoStatus);
}

/* CREATE, CLEANUP, CLOSE without a file system.  PASSIVE_LEVEL. */
NTSTATUS NTAPI VolumeDispatchOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;

    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction != IRP_MJ_CREATE) {
        return DriverComplete(Irp, STATUS_SUCCESS, 0);
    }
    return DriverComplete(Irp, Extension->Gone ? STATUS_NO_SUCH_DEVICE : STATUS_SUCCESS, FILE_OPENED);
}

/* READ and WRITE.  <= DISPATCH_LEVEL. */
NTSTATUS NTAPI VolumeDispatchTransfer(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;

    if (Extension->Disk == NULL) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Extension->Gone) {
        return DriverComplete(Irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    if (Offset < 0 || Offset > Extension->Length || Stack->Parameters.Read.Length > Extension->Length - Offset) {
        return DriverComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoGetNextIrpStackLocation(Irp)->Parameters.Read.ByteOffset.QuadPart = Offset + Extension->Start;
    return VolumeSend(DeviceObject, Irp);
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI VolumeDispatchForward(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;

    if (Extension->Disk == NULL) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Extension->Gone) {
        return DriverComplete(Irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    if (!Extension->Removable) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Extension->Disk, Irp);
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    return VolumeSend(DeviceObject, Irp);
}

static VOID VolumePartitionInfo(PVOLUME_EXTENSION Extension, PPARTITION_INFORMATION_EX Information)
{
    RtlZeroMemory(Information, sizeof(*Information));
    Information->PartitionStyle = Extension->Style;
    Information->StartingOffset.QuadPart = Extension->Start;
    Information->PartitionLength.QuadPart = Extension->Length;
    Information->PartitionNumber = Extension->PartitionNumber;
    if (Extension->Style == PARTITION_STYLE_MBR) {
        Information->Mbr.PartitionType = Extension->MbrType;
        Information->Mbr.RecognizedPartition = TRUE;
    } else if (Extension->Style == PARTITION_STYLE_GPT) {
        Information->Gpt.PartitionType = Extension->GptType;
        Information->Gpt.PartitionId = Extension->GptId;
    }
}

static NTSTATUS VolumeDeviceName(PVOLUME_EXTENSION Extension, PMOUNTDEV_NAME Name, ULONG Length, PULONG_PTR Information)
{
    WCHAR Buffer[48];
    size_t Bytes;

    if (Length < sizeof(MOUNTDEV_NAME)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!NT_SUCCESS(RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\HarddiskVolume%u", Extension->Number)) ||
        !NT_SUCCESS(RtlStringCbLengthW(Buffer, sizeof(Buffer), &Bytes))) {
        return STATUS_UNSUCCESSFUL;
    }
    Name->NameLength = (USHORT)Bytes;
    if (Length < FIELD_OFFSET(MOUNTDEV_NAME, Name) + Bytes) {
        *Information = sizeof(MOUNTDEV_NAME);
        return STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(Name->Name, Buffer, Bytes);
    *Information = FIELD_OFFSET(MOUNTDEV_NAME, Name) + Bytes;
    return STATUS_SUCCESS;
}

/* The ranges are the volume's: they become the disk's, which checks the rest. */
static NTSTATUS VolumeMoveRanges(PVOLUME_EXTENSION Extension, PVOID Buffer, ULONG Length)
{
    PDEVICE_MANAGE_DATA_SET_ATTRIBUTES Request = Buffer;
    PDEVICE_DATA_SET_RANGE Ranges;

    if (Length < sizeof(*Request) || Request->DataSetRangesOffset > Length ||
        Request->DataSetRangesLength > Length - Request->DataSetRangesOffset ||
        Request->DataSetRangesOffset % sizeof(ULONG64) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Ranges = (PDEVICE_DATA_SET_RANGE)((PUCHAR)Buffer + Request->DataSetRangesOffset);
    for (ULONG Index = 0; Index < Request->DataSetRangesLength / sizeof(*Ranges); Index++) {
        if (Ranges[Index].StartingOffset < 0 || Ranges[Index].StartingOffset > Extension->Length ||
            Ranges[Index].LengthInBytes > (ULONG64)(Extension->Length - Ranges[Index].StartingOffset)) {
            return STATUS_INVALID_PARAMETER;
        }
    }
    for (ULONG Index = 0; Index < Request->DataSetRangesLength / sizeof(*Ranges); Index++) {
        Ranges[Index].StartingOffset += Extension->Start;
    }
    return STATUS_NOT_SUPPORTED; /* the disk's */
}

static NTSTATUS VolumeControl(PVOLUME_EXTENSION Extension, PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    ULONG Length = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;

    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_LENGTH_INFO:
        if (Length < sizeof(GET_LENGTH_INFORMATION)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PGET_LENGTH_INFORMATION)Buffer)->Length.QuadPart = Extension->Length;
        *Information = sizeof(GET_LENGTH_INFORMATION);
        return STATUS_SUCCESS;
    case IOCTL_DISK_GET_PARTITION_INFO_EX:
        if (Length < sizeof(PARTITION_INFORMATION_EX)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        VolumePartitionInfo(Extension, Buffer);
        *Information = sizeof(PARTITION_INFORMATION_EX);
        return STATUS_SUCCESS;
    case IOCTL_STORAGE_GET_DEVICE_NUMBER:
        if (Length < sizeof(STORAGE_DEVICE_NUMBER)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->DeviceType = FILE_DEVICE_DISK;
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->DeviceNumber = Extension->DiskNumber;
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->PartitionNumber = Extension->PartitionNumber;
        *Information = sizeof(STORAGE_DEVICE_NUMBER);
        return STATUS_SUCCESS;
    case IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS:
        if (Length < sizeof(VOLUME_DISK_EXTENTS)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PVOLUME_DISK_EXTENTS)Buffer)->NumberOfDiskExtents = 1;
        ((PVOLUME_DISK_EXTENTS)Buffer)->Extents[0].DiskNumber = Extension->DiskNumber;
        ((PVOLUME_DISK_EXTENTS)Buffer)->Extents[0].StartingOffset.QuadPart = Extension->Start;
        ((PVOLUME_DISK_EXTENTS)Buffer)->Extents[0].ExtentLength.QuadPart = Extension->Length;
        *Information = sizeof(VOLUME_DISK_EXTENTS);
        return STATUS_SUCCESS;
    case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
        return VolumeMoveRanges(Extension, Buffer, Stack->Parameters.DeviceIoControl.InputBufferLength);
    case IOCTL_MOUNTDEV_QUERY_STABLE_GUID:
        if (Length < sizeof(MOUNTDEV_STABLE_GUID)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PMOUNTDEV_STABLE_GUID)Buffer)->StableGuid = Extension->StableId;
        *Information = sizeof(MOUNTDEV_STABLE_GUID);
        return STATUS_SUCCESS;
    case IOCTL_MOUNTDEV_QUERY_DEVICE_NAME: return VolumeDeviceName(Extension, Buffer, Length, Information);
    default: return STATUS_NOT_SUPPORTED;
    }
}

/* <= DISPATCH_LEVEL.  What the volume does not know itself goes to the disk. */
NTSTATUS NTAPI VolumeDispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PVOLUME_EXTENSION Extension = DeviceObject->DeviceExtension;
    ULONG_PTR Information = 0;
    NTSTATUS Status;

    if (Extension->Disk == NULL) {
        return VolumeManagerControl(DeviceObject, Irp);
    }
    if (Extension->Gone) {
        return DriverComplete(Irp, STATUS_NO_SUCH_DEVICE, 0);
    }
    Status = VolumeControl(Extension, Irp, IoGetCurrentIrpStackLocation(Irp), &Information);
    if (Status == STATUS_NOT_SUPPORTED) {
        return VolumeDispatchForward(DeviceObject, Irp);
    }
    return DriverComplete(Irp, Status, Information);
}
