/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volume.c: how the filter manager gets onto volumes: it sits on each file system's control device, sees a
 * mount succeed there, and attaches a device of its own to the new volume's stack.  The instances are set up when the mount is over,
 * before the first create goes on, so that a setup callback can open files of the volume.  IRQL: PASSIVE_LEVEL.
 */
#include <context.h>
#include <name.h>
#include <operation.h>
#include <query.h>
#include "hold.h"

static const struct {
    PCWSTR Driver;
    FLT_FILESYSTEM_TYPE Type;
} FltpFileSystems[] = {
    {L"\\FileSystem\\RAW", FLT_FSTYPE_RAW},     {L"\\FileSystem\\Ntfs", FLT_FSTYPE_NTFS},
    {L"\\FileSystem\\fastfat", FLT_FSTYPE_FAT}, {L"\\FileSystem\\exfat", FLT_FSTYPE_EXFAT},
    {L"\\FileSystem\\cdfs", FLT_FSTYPE_CDFS},   {L"\\FileSystem\\udfs", FLT_FSTYPE_UDFS},
    {L"\\FileSystem\\Npfs", FLT_FSTYPE_NPFS},   {L"\\FileSystem\\Msfs", FLT_FSTYPE_MSFS},
};

static FLT_FILESYSTEM_TYPE FltpFileSystemType(PDRIVER_OBJECT Driver)
{
    UNICODE_STRING Name;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(FltpFileSystems); Index++) {
        RtlInitUnicodeString(&Name, FltpFileSystems[Index].Driver);
        if (RtlEqualUnicodeString(&Name, &Driver->DriverName, TRUE))
            return FltpFileSystems[Index].Type;
    }
    return FLT_FSTYPE_UNKNOWN;
}

/* A device of ours on top of Target's stack. */
static NTSTATUS FltpAttachDevice(PDEVICE_OBJECT Target, FLTP_DEVICE_KIND Kind, PFLT_VOLUME Volume,
                                 PDEVICE_OBJECT *NewDevice)
{
    PDEVICE_OBJECT Device;
    PFLTP_DEVICE Extension;
    NTSTATUS Status = IoCreateDevice(FltpDriverObject, sizeof(FLTP_DEVICE), NULL, Target->DeviceType,
                                     Target->Characteristics & FILE_DEVICE_SECURE_OPEN, FALSE, &Device);

    if (!NT_SUCCESS(Status))
        return Status;
    Extension = Device->DeviceExtension;
    Extension->Kind = Kind;
    Extension->Volume = Volume;
    SetFlag(Device->Flags, FlagOn(Target->Flags, DO_BUFFERED_IO | DO_DIRECT_IO | DO_SUPPORTS_TRANSACTIONS));
    Device->SectorSize = Target->SectorSize;
    Device->AlignmentRequirement = Target->AlignmentRequirement;
    if (Volume != NULL) {
        Volume->Device = Device;
        Volume->Below = NULL;
    }
    Status = IoAttachDeviceToDeviceStackSafe(Device, Target, &Extension->Below);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    if (Volume != NULL)
        Volume->Below = Extension->Below;
    ClearFlag(Device->Flags, DO_DEVICE_INITIALIZING);
    *NewDevice = Device;
    return STATUS_SUCCESS;
}

VOID FltpFreeVolume(PFLT_VOLUME Volume)
{
    while (!IsListEmpty(&Volume->Blocks)) {
        PLIST_ENTRY Link = RemoveHeadList(&Volume->Blocks);
        ExFreePoolWithTag(CONTAINING_RECORD(Link, FLTP_OPERATION, Link), FLTP_TAG_OPERATION);
    }
    FltpFreeString(&Volume->Name);
    FltpFreeString(&Volume->DriverName);
    FltpFreeString(&Volume->FileSystemName);
    FltpFreeContextList(&Volume->Contexts);
    if (Volume->Disk != NULL)
        ObDereferenceObject(Volume->Disk);
    Volume->Object.Magic = FLTP_MAGIC_FREE;
    ExFreePoolWithTag(Volume, FLTP_TAG_VOLUME);
}

static BOOLEAN FltpIsAttached(PDEVICE_OBJECT FileSystem)
{
    PFLT_VOLUME Volume;

    if (!NT_SUCCESS(FltGetVolumeFromDeviceObject(NULL, FileSystem, &Volume)))
        return FALSE;
    FltObjectDereference(Volume);
    return TRUE;
}

/* The file system's volume device has appeared, on the given disk. */
NTSTATUS FltpCreateVolume(PDEVICE_OBJECT FileSystem, PDEVICE_OBJECT Control, PDEVICE_OBJECT Disk)
{
    PFLT_VOLUME Volume;
    PDEVICE_OBJECT Device;
    NTSTATUS Status;
    KIRQL Irql;

    if (FltpIsAttached(FileSystem))
        return STATUS_FLT_VOLUME_ALREADY_MOUNTED;
    Volume = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Volume), FLTP_TAG_VOLUME);
    if (Volume == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Volume, sizeof(*Volume));
    Volume->Object.Magic = FLTP_MAGIC_VOLUME;
    FltpInitializeRundown(&Volume->Object.Rundown);
    KeInitializeSpinLock(&Volume->Lock);
    FltpInitializeInstances(Volume);
    InitializeListHead(&Volume->Blocks);
    InitializeListHead(&Volume->Streams);
    InitializeSListHead(&Volume->FreeBlocks);
    Volume->Users = 1;
    Volume->IsNew = TRUE;
    KeInitializeEvent(&Volume->SetUp, NotificationEvent, FALSE);
    Volume->FileSystem = FileSystem;
    Volume->Type = FltpFileSystemType(FileSystem->DriverObject);
    if (Disk != NULL) {
        ObReferenceObject(Disk);
        Volume->Disk = Disk;
    }
    Status = FltpNameOfObject(Disk != NULL ? Disk : FileSystem, &Volume->Name);
    if (NT_SUCCESS(Status))
        Status = FltpCopyString(&Volume->DriverName, &FileSystem->DriverObject->DriverExtension->ServiceKeyName);
    if (NT_SUCCESS(Status))
        Status = FltpNameOfObject(Control, &Volume->FileSystemName);
    if (NT_SUCCESS(Status))
        Status = FltpCreateVolumeContexts(Volume);
    if (NT_SUCCESS(Status))
        Status = FltpAttachDevice(FileSystem, FltpKindVolume, Volume, &Device);
    if (!NT_SUCCESS(Status)) {
        FltpFreeVolume(Volume);
        return Status;
    }
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    InsertTailList(&FltpVolumes, &Volume->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
    return STATUS_SUCCESS;
}

VOID FltpSetUpVolume(PFLT_VOLUME Volume, BOOLEAN Targeted)
{
    PETHREAD Other = InterlockedCompareExchangePointer((PVOID volatile *)&Volume->SetUpBy, PsGetCurrentThread(), NULL);
    PFLT_FILTER Filter = NULL;

    if (Other != NULL) {
        if (Other != PsGetCurrentThread() && !Targeted)
            KeWaitForSingleObject(&Volume->SetUp, Executive, KernelMode, FALSE, NULL);
        return;
    }
    if (FltpAcquireRundown(&Volume->Object.Rundown)) { /* it may go meanwhile */
        while ((Filter = FltpNextFilter(Filter)) != NULL) {
            if (Filter->Started && !Filter->Unloading)
                FltpAttachAutomatically(Filter, Volume, FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME);
        }
        FltpReleaseRundown(&Volume->Object.Rundown);
    }
    Volume->IsNew = FALSE;
    KeSetEvent(&Volume->SetUp, IO_NO_INCREMENT, FALSE);
}

/* The device below is going away. */
VOID FltpDeleteVolume(PFLT_VOLUME Volume)
{
    KIRQL Irql;

    Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    Volume->Detached = TRUE;
    KeReleaseSpinLock(&Volume->Lock, Irql);
    FltpBeginRundown(&Volume->Object.Rundown);
    FltpTearDownInstances(NULL, Volume, FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT);
    FltpEndVolumeContexts(Volume);
    FltpWaitForObject(&Volume->Object, "a volume's references");
    FltpForgetNamesOfVolume(Volume);
    Irql = KeAcquireSpinLockRaiseToDpc(&FltpLock);
    RemoveEntryList(&Volume->Link);
    KeReleaseSpinLock(&FltpLock, Irql);
    IoDetachDevice(Volume->Below);
    IoDeleteDevice(Volume->Device);
    /* A file system may delete its volume while it completes that volume's last close, which is then under
     * way here. */
    if (InterlockedDecrement(&Volume->Users) == 0)
        FltpFreeVolume(Volume);
}

static NTSTATUS FltpAttachFileSystem(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT Ours;

    return FltpAttachDevice(Device, FltpKindFileSystem, NULL, &Ours);
}

VOID NTAPI FltpFsRegistration(PDEVICE_OBJECT Device, BOOLEAN Registered)
{
    if (Registered) {
        FltpAttachFileSystem(Device);
        return;
    }
    for (PDEVICE_OBJECT Ours = Device->AttachedDevice; Ours != NULL; Ours = Ours->AttachedDevice) {
        if (Ours->DriverObject == FltpDriverObject) {
            IoDetachDevice(Device);
            IoDeleteDevice(Ours);
            break;
        }
    }
}

/* File-system registration never tells of RAW; it has to be looked for. */
VOID FltpAttachRaw(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\RawDisk");
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    NTSTATUS Status = IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &File, &Device);

    if (!NT_SUCCESS(Status)) {
        DbgPrint("fltmgr: \\Device\\RawDisk is not there: status 0x%08X\n", Status);
        return;
    }
    FltpAttachFileSystem(Device);
    ObDereferenceObject(File);
}
