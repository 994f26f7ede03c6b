// SPDX-License-Identifier: GPL-2.0-or-later
/* What file systems ask of the device below: sectors, mirrors, failures, counters. */
#include <ntifs.h>
#include <ntddk.h>
#include <ntdddisk.h>
#include <ntddstor.h>

NTKERNELAPI NTSTATUS NTAPI FsRtlGetSectorSizeInformation(PDEVICE_OBJECT DeviceObject,
                                                         PFILE_FS_SECTOR_SIZE_INFORMATION Information);
NTKERNELAPI VOID NTAPI FsRtlUpdateDiskCounters(ULONG64 BytesRead, ULONG64 BytesWritten);
NTKERNELAPI VOID NTAPI PsUpdateDiskCounters(PEPROCESS Process, ULONG64 BytesRead, ULONG64 BytesWritten,
                                            ULONG ReadOperationCount, ULONG WriteOperationCount,
                                            ULONG FlushOperationCount);

/* The fault-tolerant disk driver's request for reads from all members of a mirror. */
#define FSRTLP_FT_BALANCED_READ_MODE CTL_CODE('f', 6, METHOD_NEITHER, FILE_ANY_ACCESS)
#define FSRTLP_UNKNOWN_OFFSET        0xFFFFFFFF

/* A control to the device, and its answer.  IRQL: PASSIVE_LEVEL. */
static NTSTATUS FsRtlpAsk(PDEVICE_OBJECT Device, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output,
                          ULONG OutputLength)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp =
        IoBuildDeviceIoControlRequest(Code, Device, Input, InputLength, Output, OutputLength, FALSE, &Event, &IoStatus);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IoCallDriver(Device, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The status is the device's: what is no mirror refuses. */
NTSTATUS NTAPI FsRtlBalanceReads(PDEVICE_OBJECT TargetDevice)
{
    PAGED_CODE();
    return FsRtlpAsk(TargetDevice, FSRTLP_FT_BALANCED_READ_MODE, NULL, 0, NULL, 0);
}

/*
 * IRQL: PASSIVE_LEVEL.  A disk that does not tell how its sectors are aligned has physical sectors of the
 * logical size, and unknown offsets.  STATUS_INVALID_PARAMETER: the device has no sectors.
 */
NTSTATUS NTAPI FsRtlGetSectorSizeInformation(PDEVICE_OBJECT DeviceObject, PFILE_FS_SECTOR_SIZE_INFORMATION Information)
{
    STORAGE_PROPERTY_QUERY Query = {.PropertyId = StorageAccessAlignmentProperty, .QueryType = PropertyStandardQuery};
    STORAGE_ACCESS_ALIGNMENT_DESCRIPTOR Alignment = {0};
    ULONG Sector = DeviceObject->SectorSize, Physical;
    DISK_GEOMETRY Geometry;

    PAGED_CODE();
    if (Sector == 0 &&
        NT_SUCCESS(FsRtlpAsk(DeviceObject, IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0, &Geometry, sizeof(Geometry)))) {
        Sector = Geometry.BytesPerSector;
    }
    if (Sector == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Physical = Sector;
    RtlZeroMemory(Information, sizeof(*Information));
    Information->ByteOffsetForSectorAlignment = Information->ByteOffsetForPartitionAlignment = FSRTLP_UNKNOWN_OFFSET;
    if (NT_SUCCESS(FsRtlpAsk(DeviceObject, IOCTL_STORAGE_QUERY_PROPERTY, &Query, sizeof(Query), &Alignment,
                             sizeof(Alignment))) &&
        Alignment.BytesPerPhysicalSector >= Sector) {
        Physical = Alignment.BytesPerPhysicalSector;
        Information->ByteOffsetForSectorAlignment = Alignment.BytesOffsetForSectorAlignment;
        Information->ByteOffsetForPartitionAlignment = 0;
        Information->Flags = SSINFO_FLAGS_ALIGNED_DEVICE | SSINFO_FLAGS_PARTITION_ALIGNED_ON_DEVICE;
    }
    Information->LogicalBytesPerSector = Sector;
    Information->PhysicalBytesPerSectorForAtomicity = Information->PhysicalBytesPerSectorForPerformance = Physical;
    Information->FileSystemEffectivePhysicalBytesPerSectorForAtomicity = min(Physical, PAGE_SIZE);
    return STATUS_SUCCESS;
}

/* Any IRQL.  Bad sectors and bad data are failures of a part; other errors are the whole device's. */
BOOLEAN NTAPI FsRtlIsTotalDeviceFailure(NTSTATUS Status)
{
    return !NT_SUCCESS(Status) && Status != STATUS_CRC_ERROR && Status != STATUS_DEVICE_DATA_ERROR;
}

/* IRQL: <= DISPATCH_LEVEL.  To the current process's account, an operation for each direction that has bytes.
 */
VOID NTAPI FsRtlUpdateDiskCounters(ULONG64 BytesRead, ULONG64 BytesWritten)
{
    PsUpdateDiskCounters(PsGetCurrentProcess(), BytesRead, BytesWritten, BytesRead != 0, BytesWritten != 0, 0);
}
