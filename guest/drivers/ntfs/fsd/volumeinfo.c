/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_QUERY_VOLUME_INFORMATION and IRP_MJ_SET_VOLUME_INFORMATION.
 *
 * A class with a name at its end gives as much of the name as fits, with STATUS_BUFFER_OVERFLOW.
 */
#include "ntfs.h"

/* What a query's answer goes to. */
typedef struct _NTFS_ANSWER {
    PVOID Buffer;
    ULONG Length;
    ULONG_PTR Used;
} NTFS_ANSWER, *PNTFS_ANSWER;

static NTSTATUS NtfsAnswerName(PNTFS_ANSWER Answer, ULONG Offset, const VOID *Name, ULONG Length)
{
    ULONG Fits = min(Length, Answer->Length - Offset);

    RtlCopyMemory((PUCHAR)Answer->Buffer + Offset, Name, Fits);
    Answer->Used = Offset + Fits;
    return Fits == Length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS NtfsQueryLabel(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    PFILE_FS_VOLUME_INFORMATION Information = Answer->Buffer;

    Information->VolumeCreationTime.QuadPart = (LONGLONG)Volume->Facts.Created;
    Information->VolumeSerialNumber = (ULONG)Volume->Facts.Serial;
    Information->VolumeLabelLength = Volume->Facts.LabelLength * sizeof(WCHAR);
    Information->SupportsObjects = TRUE;
    return NtfsAnswerName(Answer, FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel), Volume->Facts.Label,
                          Information->VolumeLabelLength);
}

static NTSTATUS NtfsQueryAttributes(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    static const WCHAR Name[] = L"NTFS";
    PFILE_FS_ATTRIBUTE_INFORMATION Information = Answer->Buffer;

    Information->FileSystemAttributes = FILE_CASE_SENSITIVE_SEARCH | FILE_CASE_PRESERVED_NAMES | FILE_UNICODE_ON_DISK |
                                        FILE_PERSISTENT_ACLS | FILE_FILE_COMPRESSION | FILE_SUPPORTS_SPARSE_FILES |
                                        FILE_SUPPORTS_REPARSE_POINTS | FILE_NAMED_STREAMS | FILE_SUPPORTS_HARD_LINKS |
                                        FILE_SUPPORTS_EXTENDED_ATTRIBUTES | FILE_SUPPORTS_OPEN_BY_FILE_ID |
                                        FILE_SUPPORTS_OBJECT_IDS | (Volume->Facts.ReadOnly ? FILE_READ_ONLY_VOLUME : 0);
    Information->MaximumComponentNameLength = 255;
    Information->FileSystemNameLength = sizeof(Name) - sizeof(WCHAR);
    return NtfsAnswerName(Answer, FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName), Name,
                          sizeof(Name) - sizeof(WCHAR));
}

static NTSTATUS NtfsQuerySize(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    PFILE_FS_SIZE_INFORMATION Information = Answer->Buffer;

    Information->TotalAllocationUnits.QuadPart = (LONGLONG)Volume->Facts.Clusters;
    Information->AvailableAllocationUnits.QuadPart = (LONGLONG)NtfsLibraryFreeClusters(Volume->Library);
    Information->SectorsPerAllocationUnit = Volume->Facts.ClusterSize / Volume->Facts.SectorSize;
    Information->BytesPerSector = Volume->Facts.SectorSize;
    Answer->Used = sizeof(*Information);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryFullSize(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    PFILE_FS_FULL_SIZE_INFORMATION Information = Answer->Buffer;

    Information->TotalAllocationUnits.QuadPart = (LONGLONG)Volume->Facts.Clusters;
    Information->CallerAvailableAllocationUnits.QuadPart = (LONGLONG)NtfsLibraryFreeClusters(Volume->Library);
    Information->ActualAvailableAllocationUnits = Information->CallerAvailableAllocationUnits; /* no quotas here */
    Information->SectorsPerAllocationUnit = Volume->Facts.ClusterSize / Volume->Facts.SectorSize;
    Information->BytesPerSector = Volume->Facts.SectorSize;
    Answer->Used = sizeof(*Information);
    return STATUS_SUCCESS;
}

static NTSTATUS NtfsQueryDevice(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    PFILE_FS_DEVICE_INFORMATION Information = Answer->Buffer;

    Information->DeviceType = FILE_DEVICE_DISK;
    Information->Characteristics = Volume->Target->Characteristics | FILE_DEVICE_IS_MOUNTED;
    Answer->Used = sizeof(*Information);
    return STATUS_SUCCESS;
}

/* The disk tells no physical sector that differs from the logical one. */
static NTSTATUS NtfsQuerySectors(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer)
{
    PFILE_FS_SECTOR_SIZE_INFORMATION Information = Answer->Buffer;

    Information->LogicalBytesPerSector = Volume->Sectors.SectorSize;
    Information->PhysicalBytesPerSectorForAtomicity = Volume->Sectors.SectorSize;
    Information->PhysicalBytesPerSectorForPerformance = Volume->Sectors.SectorSize;
    Information->FileSystemEffectivePhysicalBytesPerSectorForAtomicity = Volume->Sectors.SectorSize;
    Information->Flags = SSINFO_FLAGS_ALIGNED_DEVICE | SSINFO_FLAGS_PARTITION_ALIGNED_ON_DEVICE;
    Answer->Used = sizeof(*Information);
    return STATUS_SUCCESS;
}

static const struct {
    FS_INFORMATION_CLASS Class;
    ULONG Size;
    NTSTATUS (*Query)(PNTFS_VOLUME Volume, PNTFS_ANSWER Answer);
} NtfsVolumeClasses[] = {
    {FileFsVolumeInformation, FIELD_OFFSET(FILE_FS_VOLUME_INFORMATION, VolumeLabel), NtfsQueryLabel},
    {FileFsAttributeInformation, FIELD_OFFSET(FILE_FS_ATTRIBUTE_INFORMATION, FileSystemName), NtfsQueryAttributes},
    {FileFsSizeInformation, sizeof(FILE_FS_SIZE_INFORMATION), NtfsQuerySize},
    {FileFsFullSizeInformation, sizeof(FILE_FS_FULL_SIZE_INFORMATION), NtfsQueryFullSize},
    {FileFsDeviceInformation, sizeof(FILE_FS_DEVICE_INFORMATION), NtfsQueryDevice},
    {FileFsSectorSizeInformation, sizeof(FILE_FS_SECTOR_SIZE_INFORMATION), NtfsQuerySectors},
};

/* Object identifiers and quotas of the volume are not kept: STATUS_INVALID_PARAMETER, as where a file system has none. */
static NTSTATUS NtfsQueryClassLocked(PNTFS_VOLUME Volume, ULONG Class, PNTFS_ANSWER Answer)
{
    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtfsVolumeClasses); Index++) {
        if (NtfsVolumeClasses[Index].Class == Class) {
            if (Answer->Length < NtfsVolumeClasses[Index].Size) {
                return STATUS_INFO_LENGTH_MISMATCH;
            }
            RtlZeroMemory(Answer->Buffer, Answer->Length);
            return NtfsVolumeClasses[Index].Query(Volume, Answer);
        }
    }
    return STATUS_INVALID_PARAMETER;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsQueryVolume(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTFS_ANSWER Answer = {Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.QueryVolume.Length, 0};
    NTSTATUS Status;

    if (!Volume->IsVolume) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    NtfsLockLibrary();
    Status = NtfsQueryClassLocked(Volume, Stack->Parameters.QueryVolume.FsInformationClass, &Answer);
    NtfsUnlockLibrary();
    return NtfsComplete(Irp, Status, Answer.Used);
}

static NTSTATUS NtfsSetLabelLocked(PNTFS_VOLUME Volume, PFILE_FS_LABEL_INFORMATION Information, ULONG Length)
{
    NTSTATUS Status;
    KIRQL Irql;

    if (Length < FIELD_OFFSET(FILE_FS_LABEL_INFORMATION, VolumeLabel) ||
        Information->VolumeLabelLength > Length - FIELD_OFFSET(FILE_FS_LABEL_INFORMATION, VolumeLabel)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Information->VolumeLabelLength > NTFS_LABEL_MAX * sizeof(WCHAR) ||
        Information->VolumeLabelLength % sizeof(WCHAR) != 0) {
        return STATUS_INVALID_VOLUME_LABEL;
    }
    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Status = NtfsLibrarySetLabel(Volume->Library, (const uint16_t *)Information->VolumeLabel,
                                 Information->VolumeLabelLength / sizeof(WCHAR));
    if (NT_SUCCESS(Status)) {
        Volume->Facts.LabelLength = (uint16_t)(Information->VolumeLabelLength / sizeof(WCHAR));
        RtlCopyMemory(Volume->Facts.Label, Information->VolumeLabel, Information->VolumeLabelLength);
        IoAcquireVpbSpinLock(&Irql);
        Volume->Vpb->VolumeLabelLength = (USHORT)Information->VolumeLabelLength;
        RtlCopyMemory(Volume->Vpb->VolumeLabel, Information->VolumeLabel, Information->VolumeLabelLength);
        IoReleaseVpbSpinLock(Irql);
    }
    return Status;
}

/* The label, and nothing else.  PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsSetVolume(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTSTATUS Status = STATUS_INVALID_DEVICE_REQUEST;

    if (Volume->IsVolume) {
        Status = STATUS_INVALID_PARAMETER;
        if (Stack->Parameters.SetVolume.FsInformationClass == FileFsLabelInformation) {
            NtfsLockLibrary();
            Status = NtfsSetLabelLocked(Volume, Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.SetVolume.Length);
            NtfsUnlockLibrary();
        }
    }
    return NtfsComplete(Irp, Status, 0);
}
