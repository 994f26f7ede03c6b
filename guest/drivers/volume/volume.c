/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding disks and making volumes of them.
 */
#include "volume.h"
#include <request.h>
#include <ntstrsafe.h>

DRIVER_INITIALIZE DriverEntry;

KSPIN_LOCK VolumeListLock;
LIST_ENTRY VolumeList = {&VolumeList, &VolumeList};
ERESOURCE VolumeResource;

static NTSTATUS VolumeOpenDisk(PVOLUME_DISK Disk)
{
    GET_LENGTH_INFORMATION Length;
    DISK_GEOMETRY Geometry;
    UNICODE_STRING Name;
    WCHAR Buffer[48];
    NTSTATUS Status;

    Status = RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\Harddisk%u\\DR0", Disk->Number);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, Buffer);
    Status = IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &Disk->File, &Disk->Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = DriverControl(Disk->Device, IOCTL_DISK_GET_LENGTH_INFO, &Length, sizeof(Length));
    if (NT_SUCCESS(Status)) {
        Status = DriverControl(Disk->Device, IOCTL_DISK_GET_DRIVE_GEOMETRY, &Geometry, sizeof(Geometry));
    }
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Disk->File);
        return Status;
    }
    Disk->SectorSize = Geometry.BytesPerSector;
    Disk->Length = Length.Length.QuadPart;
    return STATUS_SUCCESS;
}

/* Target: NULL, to take it away. */
static VOID VolumeLinkName(PUNICODE_STRING Name, PUNICODE_STRING Target)
{
    if (Target != NULL) {
        IoCreateSymbolicLink(Name, Target);
    } else {
        IoDeleteSymbolicLink(Name);
    }
}

/* \??\C: for the first volume, and so on while letters last. */
static VOID VolumeLinkLetter(ULONG Number, PUNICODE_STRING Target)
{
    WCHAR Buffer[] = L"\\??\\C:";
    UNICODE_STRING Name;

    if (Number <= L'Z' - L'C' + 1) {
        Buffer[4] = (WCHAR)(L'C' + Number - 1);
        RtlInitUnicodeString(&Name, Buffer);
        VolumeLinkName(&Name, Target);
    }
}

/*
 * The volume's lasting id: the partition's own of a GPT; else, as Windows has it for an MBR, the disk's signature and
 * where the partition begins; a whole disk has its number for a signature.
 */
static VOID VolumeIdentify(PVOLUME_DISK Disk, PVOLUME_EXTENSION Extension)
{
    if (Extension->Style == PARTITION_STYLE_GPT) {
        Extension->StableId = Extension->GptId;
        return;
    }
    Extension->StableId.Data1 = Extension->Style == PARTITION_STYLE_MBR ? Disk->Signature : Disk->Number + 1;
    RtlCopyMemory(Extension->StableId.Data4, (PUCHAR)&Extension->Start, sizeof(Extension->StableId.Data4));
}

/* \??\Volume{GUID}, as a mount manager would make it. */
static VOID VolumeLinkGuid(const GUID *Id, PUNICODE_STRING Target)
{
    WCHAR Buffer[64];
    UNICODE_STRING Name = {0, sizeof(Buffer), Buffer}, Guid;

    if (!NT_SUCCESS(RtlStringFromGUID(Id, &Guid))) {
        return;
    }
    RtlAppendUnicodeToString(&Name, L"\\??\\Volume");
    RtlAppendUnicodeStringToString(&Name, &Guid);
    VolumeLinkName(&Name, Target);
    RtlFreeUnicodeString(&Guid);
}

VOID VolumeLinks(PVOLUME_EXTENSION Extension, PUNICODE_STRING Target)
{
    VolumeLinkLetter(Extension->Number, Target);
    VolumeLinkGuid(&Extension->StableId, Target);
}

static NTSTATUS VolumeCreate(PDRIVER_OBJECT DriverObject, PVOLUME_DISK Disk, PVOLUME_RANGE Range, ULONG Number)
{
    PVOLUME_EXTENSION Extension;
    PDEVICE_OBJECT Device;
    UNICODE_STRING Name;
    WCHAR Buffer[48];
    NTSTATUS Status;

    Status = RtlStringCbPrintfW(Buffer, sizeof(Buffer), L"\\Device\\HarddiskVolume%u", Number);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlInitUnicodeString(&Name, Buffer);
    Status = IoCreateDevice(DriverObject, sizeof(VOLUME_EXTENSION), &Name, FILE_DEVICE_DISK,
                            FILE_DEVICE_SECURE_OPEN | (Disk->Device->Characteristics & FILE_REMOVABLE_MEDIA), FALSE,
                            &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Extension = Device->DeviceExtension;
    ObReferenceObject(Disk->File);
    Extension->Device = Device;
    Extension->Disk = Disk->Device;
    Extension->DiskFile = Disk->File;
    Extension->Removable = (Disk->Device->Characteristics & FILE_REMOVABLE_MEDIA) != 0;
    Extension->DiskNumber = Disk->Number;
    Extension->PartitionNumber = Range->PartitionNumber;
    Extension->Number = Number;
    Extension->SectorSize = Disk->SectorSize;
    Extension->Start = Range->Start;
    Extension->Length = Range->Length;
    Extension->Style = Range->Style;
    Extension->MbrType = Range->MbrType;
    Extension->GptType = Range->GptType;
    Extension->GptId = Range->GptId;
    Device->Flags |= DO_DIRECT_IO;
    Device->StackSize = Disk->Device->StackSize + 1;
    Device->AlignmentRequirement = Disk->Device->AlignmentRequirement;
    Device->SectorSize = (USHORT)Disk->SectorSize;
    VolumeIdentify(Disk, Extension);
    VolumeLinks(Extension, &Name);
    VolumeWatchDisk(Device);
    ExInterlockedInsertTailList(&VolumeList, &Extension->Entry, &VolumeListLock);
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

/* The file system that knows it is loaded after us, in this case only (guest/init/services.c). */
static VOID VolumeWantNtfs(VOID)
{
    ULONG Start = SERVICE_BOOT_START;

    RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"ntfs", L"Start", REG_DWORD, &Start, sizeof(Start));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PVOLUME_RANGE Ranges;
    VOLUME_DISK Disk;
    NTSTATUS Status = STATUS_SUCCESS;
    BOOLEAN Ntfs = FALSE;
    ULONG Number = 0;
    ULONG Count;
    ULONG Index;

    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializeResourceLite(&VolumeResource);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = VolumeDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = VolumeDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = VolumeDispatchOpen;
    DriverObject->MajorFunction[IRP_MJ_READ] = VolumeDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = VolumeDispatchTransfer;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = VolumeDispatchForward;
    DriverObject->MajorFunction[IRP_MJ_SHUTDOWN] = VolumeDispatchForward;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = VolumeDispatchControl;
    DriverObject->MajorFunction[IRP_MJ_PNP] = VolumeDispatchPnp;

    Ranges = ExAllocatePoolWithTag(PagedPool, VOLUME_MAX_RANGES * sizeof(*Ranges), VOLUME_TAG);
    if (Ranges == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (Disk.Number = 0; NT_SUCCESS(VolumeOpenDisk(&Disk)); Disk.Number++) {
        Count = VolumeReadTable(&Disk, Ranges);
        for (Index = 0; Index < Count && NT_SUCCESS(Status); Index++) {
            Status = VolumeCreate(DriverObject, &Disk, &Ranges[Index], ++Number);
            Ntfs |= Ranges[Index].MayBeNtfs;
        }
        ObDereferenceObject(Disk.File);
    }
    ExFreePoolWithTag(Ranges, VOLUME_TAG);
    VolumeCreateManager(DriverObject);
    if (Ntfs) {
        VolumeWantNtfs();
    }
    return STATUS_SUCCESS; /* volumes made so far work; no unload */
}
