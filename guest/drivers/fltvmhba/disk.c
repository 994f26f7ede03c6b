/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk device: \Device\HarddiskN\DR0.  Direct I/O, whole blocks only; what the documented disk and
 * storage controls tell about it.  The controller's own device takes two private controls (abi/control.h), for the
 * registers of its fault window.
 */
#include "adapter.h"
#include <control.h>
#include <request.h>
#include <ntstrsafe.h>

#define HBA_SECTORS_PER_TRACK   63
#define HBA_TRACKS_PER_CYLINDER 255

/* ---- transfers -------------------------------------------------------------------------------------------
 */

static NTSTATUS HbaCheckTransfer(PHBA_ADAPTER Adapter, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG64 Size = Adapter->Blocks * Adapter->BlockSize;
    LONGLONG Offset = Stack->Parameters.Read.ByteOffset.QuadPart;
    ULONG Length = Stack->Parameters.Read.Length;

    if (Offset < 0 || Offset % Adapter->BlockSize != 0 || Length % Adapter->BlockSize != 0 || (ULONG64)Offset > Size ||
        Length > Size - (ULONG64)Offset) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Stack->MajorFunction == IRP_MJ_WRITE && (Adapter->Features & FLTVM_HBA_FEATURE_READ_ONLY) != 0) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    if (Length != 0 && (Irp->MdlAddress == NULL || MmGetMdlByteCount(Irp->MdlAddress) < Length ||
                        (MmGetMdlByteOffset(Irp->MdlAddress) & FILE_LONG_ALIGNMENT) != 0)) {
        return STATUS_INVALID_PARAMETER; /* the controller takes 4-byte aligned segments */
    }
    return STATUS_SUCCESS;
}

/* READ, WRITE, FLUSH_BUFFERS, and SHUTDOWN, which flushes what has a cache.  <= DISPATCH_LEVEL. */
NTSTATUS NTAPI HbaDispatchTransfer(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PHBA_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PHBA_ADAPTER Adapter = Extension->Adapter;
    NTSTATUS Status;

    if (!Extension->IsDisk) {
        return DriverComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    if (Adapter->Stopped) {
        return DriverComplete(Irp, STATUS_DEVICE_NOT_CONNECTED, 0);
    }
    if (Stack->MajorFunction == IRP_MJ_SHUTDOWN && (Adapter->Features & FLTVM_HBA_FEATURE_CACHE) == 0) {
        return DriverComplete(Irp, STATUS_SUCCESS, 0);
    }
    if (Stack->MajorFunction == IRP_MJ_READ || Stack->MajorFunction == IRP_MJ_WRITE) {
        Status = HbaCheckTransfer(Adapter, Irp, Stack);
        if (!NT_SUCCESS(Status) || Stack->Parameters.Read.Length == 0) {
            return DriverComplete(Irp, Status, 0);
        }
    }
    HbaSubmitIrp(Adapter, Irp);
    return STATUS_PENDING;
}

/* ---- what the disk tells ---------------------------------------------------------------------------------
 */

static VOID HbaGeometry(PHBA_ADAPTER Adapter, PDISK_GEOMETRY Geometry)
{
    Geometry->MediaType = HbaIsRemovable(Adapter) ? RemovableMedia : FixedMedia;
    Geometry->TracksPerCylinder = HBA_TRACKS_PER_CYLINDER;
    Geometry->SectorsPerTrack = HBA_SECTORS_PER_TRACK;
    Geometry->BytesPerSector = Adapter->BlockSize;
    Geometry->Cylinders.QuadPart = (LONGLONG)(Adapter->Blocks / (HBA_TRACKS_PER_CYLINDER * HBA_SECTORS_PER_TRACK));
}

static NTSTATUS HbaDeviceProperty(PHBA_ADAPTER Adapter, PVOID Buffer, ULONG Length, PULONG_PTR Information)
{
    struct fltvm_hba_identify *Identify = Adapter->Identify;
    struct {
        STORAGE_DEVICE_DESCRIPTOR Descriptor;
        CHAR Product[sizeof(Identify->model) + 1];
        CHAR Revision[sizeof(Identify->firmware) + 1];
        CHAR Serial[sizeof(Identify->serial) + 1];
    } Whole;

    if (Length < sizeof(STORAGE_DESCRIPTOR_HEADER)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlZeroMemory(&Whole, sizeof(Whole));
    Whole.Descriptor.Version = sizeof(STORAGE_DEVICE_DESCRIPTOR);
    Whole.Descriptor.Size = sizeof(Whole);
    Whole.Descriptor.CommandQueueing = TRUE;
    Whole.Descriptor.RemovableMedia = HbaIsRemovable(Adapter);
    Whole.Descriptor.BusType = BusTypeUnknown;
    Whole.Descriptor.ProductIdOffset = (ULONG)((PUCHAR)Whole.Product - (PUCHAR)&Whole);
    Whole.Descriptor.ProductRevisionOffset = (ULONG)((PUCHAR)Whole.Revision - (PUCHAR)&Whole);
    Whole.Descriptor.SerialNumberOffset = (ULONG)((PUCHAR)Whole.Serial - (PUCHAR)&Whole);
    RtlCopyMemory(Whole.Product, Identify->model, sizeof(Identify->model));
    RtlCopyMemory(Whole.Revision, Identify->firmware, sizeof(Identify->firmware));
    RtlCopyMemory(Whole.Serial, Identify->serial, sizeof(Identify->serial));
    *Information = min(Length, sizeof(Whole));
    RtlCopyMemory(Buffer, &Whole, *Information);
    return STATUS_SUCCESS;
}

static VOID HbaWriteCacheProperty(PHBA_ADAPTER Adapter, PSTORAGE_WRITE_CACHE_PROPERTY Property)
{
    BOOLEAN Cached = (Adapter->Features & FLTVM_HBA_FEATURE_CACHE) != 0;

    RtlZeroMemory(Property, sizeof(*Property));
    Property->Version = sizeof(*Property);
    Property->Size = sizeof(*Property);
    Property->WriteCacheType = Cached ? WriteCacheTypeWriteBack : WriteCacheTypeNone;
    Property->WriteCacheEnabled = Cached ? WriteCacheEnabled : WriteCacheDisabled;
    Property->WriteCacheChangeable = WriteCacheNotChangeable;
    Property->WriteThroughSupported =
        (Adapter->Features & FLTVM_HBA_FEATURE_FUA) != 0 ? WriteThroughSupported : WriteThroughNotSupported;
    Property->FlushCacheSupported = TRUE;
}

static NTSTATUS HbaQueryProperty(PHBA_ADAPTER Adapter, PIRP Irp, ULONG InputLength, ULONG OutputLength,
                                 PULONG_PTR Information)
{
    STORAGE_PROPERTY_QUERY Query;

    if (InputLength < FIELD_OFFSET(STORAGE_PROPERTY_QUERY, AdditionalParameters)) {
        return STATUS_INVALID_PARAMETER;
    }
    Query.PropertyId = ((PSTORAGE_PROPERTY_QUERY)Irp->AssociatedIrp.SystemBuffer)->PropertyId;
    Query.QueryType = ((PSTORAGE_PROPERTY_QUERY)Irp->AssociatedIrp.SystemBuffer)->QueryType;
    if (Query.QueryType != PropertyStandardQuery && Query.QueryType != PropertyExistsQuery) {
        return STATUS_NOT_SUPPORTED;
    }
    switch (Query.PropertyId) {
    case StorageDeviceProperty:
        if (Query.QueryType == PropertyExistsQuery) {
            return STATUS_SUCCESS;
        }
        return HbaDeviceProperty(Adapter, Irp->AssociatedIrp.SystemBuffer, OutputLength, Information);
    case StorageDeviceWriteCacheProperty: {
        STORAGE_WRITE_CACHE_PROPERTY Cache;

        if (Query.QueryType == PropertyExistsQuery) {
            return STATUS_SUCCESS;
        }
        if (OutputLength < sizeof(STORAGE_DESCRIPTOR_HEADER)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        HbaWriteCacheProperty(Adapter, &Cache);
        *Information = min(OutputLength, sizeof(Cache));
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Cache, *Information);
        return STATUS_SUCCESS;
    }
    case StorageDeviceTrimProperty: {
        DEVICE_TRIM_DESCRIPTOR Trim;

        if (Query.QueryType == PropertyExistsQuery) {
            return STATUS_SUCCESS;
        }
        if (OutputLength < sizeof(STORAGE_DESCRIPTOR_HEADER)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlZeroMemory(&Trim, sizeof(Trim));
        Trim.Version = sizeof(Trim);
        Trim.Size = sizeof(Trim);
        Trim.TrimEnabled = (Adapter->Features & FLTVM_HBA_FEATURE_DISCARD) != 0;
        *Information = min(OutputLength, sizeof(Trim));
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Trim, *Information);
        return STATUS_SUCCESS;
    }
    case StorageAccessAlignmentProperty: {
        STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR Alignment;

        if (Query.QueryType == PropertyExistsQuery) {
            return STATUS_SUCCESS;
        }
        if (OutputLength < sizeof(STORAGE_DESCRIPTOR_HEADER)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlZeroMemory(&Alignment, sizeof(Alignment));
        Alignment.Version = sizeof(Alignment);
        Alignment.Size = sizeof(Alignment);
        Alignment.BytesPerLogicalSector = Adapter->BlockSize;
        Alignment.BytesPerPhysicalSector = Adapter->Identify->physical_block_size;
        *Information = min(OutputLength, sizeof(Alignment));
        RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &Alignment, *Information);
        return STATUS_SUCCESS;
    }
    default: return STATUS_NOT_SUPPORTED;
    }
}

static NTSTATUS HbaDiskControl(PHBA_ADAPTER Adapter, PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    ULONG InputLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutputLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PVOID Buffer = Irp->AssociatedIrp.SystemBuffer;

    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_DISK_GET_LENGTH_INFO:
        if (OutputLength < sizeof(GET_LENGTH_INFORMATION)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PGET_LENGTH_INFORMATION)Buffer)->Length.QuadPart = (LONGLONG)(Adapter->Blocks * Adapter->BlockSize);
        *Information = sizeof(GET_LENGTH_INFORMATION);
        return STATUS_SUCCESS;
    case IOCTL_DISK_GET_DRIVE_GEOMETRY:
        if (OutputLength < sizeof(DISK_GEOMETRY)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        HbaGeometry(Adapter, Buffer);
        *Information = sizeof(DISK_GEOMETRY);
        return STATUS_SUCCESS;
    case IOCTL_DISK_GET_DRIVE_GEOMETRY_EX:
        if (OutputLength < FIELD_OFFSET(DISK_GEOMETRY_EX, Data)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        HbaGeometry(Adapter, &((PDISK_GEOMETRY_EX)Buffer)->Geometry);
        ((PDISK_GEOMETRY_EX)Buffer)->DiskSize.QuadPart = (LONGLONG)(Adapter->Blocks * Adapter->BlockSize);
        *Information = FIELD_OFFSET(DISK_GEOMETRY_EX, Data);
        return STATUS_SUCCESS;
    case IOCTL_DISK_IS_WRITABLE:
        return (Adapter->Features & FLTVM_HBA_FEATURE_READ_ONLY) != 0 ? STATUS_MEDIA_WRITE_PROTECTED : STATUS_SUCCESS;
    case IOCTL_DISK_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY:
    case IOCTL_STORAGE_CHECK_VERIFY2: {
        NTSTATUS Status = HbaCheckMedium(Adapter);

        if (NT_SUCCESS(Status) && OutputLength >= sizeof(ULONG)) {
            *(PULONG)Buffer = (ULONG)Adapter->MediaChanges;
            *Information = sizeof(ULONG);
        }
        return Status;
    }
    case IOCTL_STORAGE_GET_DEVICE_NUMBER:
        if (OutputLength < sizeof(STORAGE_DEVICE_NUMBER)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->DeviceType = FILE_DEVICE_DISK;
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->DeviceNumber = Adapter->Number;
        ((PSTORAGE_DEVICE_NUMBER)Buffer)->PartitionNumber = 0;
        *Information = sizeof(STORAGE_DEVICE_NUMBER);
        return STATUS_SUCCESS;
    case IOCTL_DISK_GET_CACHE_INFORMATION: {
        PDISK_CACHE_INFORMATION Cache = Buffer;

        if (OutputLength < sizeof(*Cache)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        RtlZeroMemory(Cache, sizeof(*Cache));
        Cache->WriteCacheEnabled = (Adapter->Features & FLTVM_HBA_FEATURE_CACHE) != 0;
        *Information = sizeof(*Cache);
        return STATUS_SUCCESS;
    }
    case IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES:
        return KeGetCurrentIrql() == PASSIVE_LEVEL ? HbaManageDataSet(Adapter, Buffer, InputLength)
                                                   : STATUS_INVALID_DEVICE_REQUEST;
    case IOCTL_STORAGE_QUERY_PROPERTY: return HbaQueryProperty(Adapter, Irp, InputLength, OutputLength, Information);
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* ---- fault rules -----------------------------------------------------------------------------------------
 */

static BOOLEAN HbaInFaultWindow(ULONG Offset)
{
    return Offset % 4 == 0 && Offset >= FLTVM_HBA_REG_FAULT_RULES && Offset <= FLTVM_HBA_REG_FAULT_HITS;
}

/* Reading a register never changes anything: the controller's own may be read too, its error bits among them.
 */
static BOOLEAN HbaIsReadable(ULONG Offset)
{
    return HbaInFaultWindow(Offset) || (Offset % 4 == 0 && Offset <= FLTVM_HBA_REG_ERROR_INFO);
}

static NTSTATUS HbaFaultControl(PHBA_ADAPTER Adapter, PIRP Irp, PIO_STACK_LOCATION Stack, PULONG_PTR Information)
{
    ULONG InputLength = Stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG OutputLength = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    PULONG Words = Irp->AssociatedIrp.SystemBuffer;
    ULONG Index;

    if ((Adapter->Features & FLTVM_HBA_FEATURE_FAULTS) == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case FLTVM_CONTROL_WRITE_REGISTERS:
        if (InputLength == 0 || InputLength % 8 != 0) {
            return STATUS_INVALID_PARAMETER;
        }
        for (Index = 0; Index < InputLength / 4; Index += 2) {
            if (!HbaInFaultWindow(Words[Index])) {
                return STATUS_INVALID_PARAMETER;
            }
        }
        for (Index = 0; Index < InputLength / 4; Index += 2) {
            HbaWrite(Adapter, Words[Index], Words[Index + 1]);
        }
        return STATUS_SUCCESS;
    case FLTVM_CONTROL_READ_REGISTERS:
        if (InputLength == 0 || InputLength % 4 != 0 || OutputLength < InputLength) {
            return STATUS_INVALID_PARAMETER;
        }
        for (Index = 0; Index < InputLength / 4; Index++) {
            if (!HbaIsReadable(Words[Index])) {
                return STATUS_INVALID_PARAMETER;
            }
        }
        for (Index = 0; Index < InputLength / 4; Index++) {
            Words[Index] = HbaRead(Adapter, Words[Index]);
        }
        *Information = InputLength;
        return STATUS_SUCCESS;
    default: return STATUS_INVALID_DEVICE_REQUEST;
    }
}

/* <= DISPATCH_LEVEL. */
NTSTATUS NTAPI HbaDispatchControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PHBA_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG_PTR Information = 0;
    NTSTATUS Status;

    if (Extension->IsDisk && Extension->Adapter->Stopped) {
        Status = STATUS_DEVICE_NOT_CONNECTED;
    } else if (!Extension->IsDisk && Stack->Parameters.DeviceIoControl.IoControlCode == FLTVM_CONTROL_PULL) {
        Status = KeGetCurrentIrql() == PASSIVE_LEVEL ? HbaPull(Extension->Adapter) : STATUS_INVALID_DEVICE_REQUEST;
    } else if (!Extension->IsDisk && Stack->Parameters.DeviceIoControl.IoControlCode == FLTVM_CONTROL_MEDIUM) {
        Status = HbaChangeMedium(Extension->Adapter, Irp->AssociatedIrp.SystemBuffer,
                                 Stack->Parameters.DeviceIoControl.InputBufferLength);
    } else if (Extension->IsDisk) {
        Status = HbaDiskControl(Extension->Adapter, Irp, Stack, &Information);
        if (Status == STATUS_VERIFY_REQUIRED) {
            DriverComplete(Irp, Status, 0);
            HbaTakeMedium(Extension->Adapter);
            return Status;
        }
    } else {
        Status = HbaFaultControl(Extension->Adapter, Irp, Stack, &Information);
    }
    return DriverComplete(Irp, Status, Information);
}

/* ---- the device object -----------------------------------------------------------------------------------
 */

static VOID HbaLink(PCWSTR Format, ULONG Number, PUNICODE_STRING Target, BOOLEAN Create)
{
    WCHAR Buffer[64];
    UNICODE_STRING Name;

    if (NT_SUCCESS(RtlStringCbPrintfW(Buffer, sizeof(Buffer), Format, Number))) {
        RtlInitUnicodeString(&Name, Buffer);
        if (Create) {
            IoCreateSymbolicLink(&Name, Target);
        } else {
            IoDeleteSymbolicLink(&Name);
        }
    }
}

static VOID HbaMakeDirectory(ULONG Number)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    UNICODE_STRING Name;
    WCHAR Buffer[64];
    HANDLE Handle;

    if (!NT_SUCCESS(RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\Harddisk%u", Number))) {
        return;
    }
    RtlInitUnicodeString(&Name, Buffer);
    InitializeObjectAttributes(&ObjectAttributes, &Name, OBJ_PERMANENT | OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    if (NT_SUCCESS(ZwCreateDirectoryObject(&Handle, DIRECTORY_ALL_ACCESS, &ObjectAttributes))) {
        ZwClose(Handle);
    }
}

NTSTATUS HbaCreateDisk(PHBA_ADAPTER Adapter)
{
    UNICODE_STRING Name;
    PHBA_EXTENSION Extension;
    PDEVICE_OBJECT Disk;
    WCHAR Buffer[64];
    NTSTATUS Status;

    HbaMakeDirectory(Adapter->Number);
    Status = RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\Harddisk%u\\DR0", Adapter->Number);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, Buffer);
    Status =
        IoCreateDevice(Adapter->Fdo->DriverObject, sizeof(HBA_EXTENSION), &Name, FILE_DEVICE_DISK,
                       FILE_DEVICE_SECURE_OPEN | (HbaIsRemovable(Adapter) ? FILE_REMOVABLE_MEDIA : 0), FALSE, &Disk);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Extension = Disk->DeviceExtension;
    Extension->IsDisk = TRUE;
    Extension->Adapter = Adapter;
    Disk->Flags |= DO_DIRECT_IO;
    Disk->AlignmentRequirement = FILE_LONG_ALIGNMENT;
    Disk->SectorSize = (USHORT)Adapter->BlockSize;
    Adapter->Disk = Disk;
    Status = IoRegisterLastChanceShutdownNotification(Disk); /* all file systems have written then */
    if (!NT_SUCCESS(Status)) {
        return Status; /* HbaDeleteDisk undoes it */
    }
    HbaLink(L"\\Device\\Harddisk%u\\Partition0", Adapter->Number, &Name, TRUE);
    HbaLink(L"\\??\\PhysicalDrive%u", Adapter->Number, &Name, TRUE);
    Disk->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

VOID HbaDeleteDisk(PHBA_ADAPTER Adapter)
{
    if (Adapter->Disk != NULL) {
        HbaLink(L"\\Device\\Harddisk%u\\Partition0", Adapter->Number, NULL, FALSE);
        HbaLink(L"\\??\\PhysicalDrive%u", Adapter->Number, NULL, FALSE);
        IoDeleteDevice(Adapter->Disk);
        Adapter->Disk = NULL;
    }
}
