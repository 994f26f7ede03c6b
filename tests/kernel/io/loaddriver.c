// SPDX-License-Identifier: GPL-2.0-or-later
/* ZwLoadDriver: the file is what this driver's device gives, from the disk on which loaddriver.lua has put an image. */
#include <ntifs.h>

#include <fltvm.h>

#define NAME     L"\\Device\\FltvmLoad"
#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

static ULONG Size, Short;
static HANDLE Disk;

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    IO_STATUS_BLOCK IoStatus = {{STATUS_SUCCESS}, 0};

    UNREFERENCED_PARAMETER(DeviceObject);
    if (Stack->MajorFunction == IRP_MJ_QUERY_INFORMATION) {
        PFILE_STANDARD_INFORMATION Standard = Irp->AssociatedIrp.SystemBuffer;

        RtlZeroMemory(Standard, sizeof(*Standard));
        Standard->EndOfFile.QuadPart = Size;
        IoStatus.Information = sizeof(*Standard);
    }
    if (Stack->MajorFunction == IRP_MJ_READ) {
        LARGE_INTEGER Start = {0};

        IoStatus.Status = ZwReadFile(Disk, NULL, NULL, NULL, &IoStatus, Irp->AssociatedIrp.SystemBuffer,
                                     Stack->Parameters.Read.Length, &Start, NULL);
        IoStatus.Information -= Short;
    }
    Irp->IoStatus = IoStatus;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return IoStatus.Status;
}

static NTSTATUS Load(PCWSTR Path)
{
    UNICODE_STRING Name;

    RtlInitUnicodeString(&Name, Path);
    return ZwLoadDriver(&Name);
}

static VOID OpenDisk(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(ZwOpenFile(&Disk, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, 7, FILE_SYNCHRONOUS_IO_NONALERT) ==
            STATUS_SUCCESS);
}

static VOID CheckLoads(VOID)
{
    UNICODE_STRING Loaded = RTL_CONSTANT_STRING(SERVICES L"loadme");

    FvCheck(Load(SERVICES L"NoSuchService") == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(!NT_SUCCESS(Load(SERVICES L"nofile"))); /* its file is below \SystemRoot, where nothing is */
    Short = 512;
    FvCheck(Load(SERVICES L"loadme") == STATUS_END_OF_FILE);
    Short = 0;
    FvCheck(Load(SERVICES L"loadme") == STATUS_SUCCESS);
    FvCheck(Load(SERVICES L"loadme") == STATUS_IMAGE_ALREADY_LOADED);
    FvCheck(ZwUnloadDriver(&Loaded) == STATUS_SUCCESS);
    FvCheck(Load(SERVICES L"loadme") == STATUS_SUCCESS && ZwUnloadDriver(&Loaded) == STATUS_SUCCESS);
    Size = 512;
    FvCheck(Load(SERVICES L"loadme") == STATUS_INVALID_IMAGE_FORMAT);
    Size = 0;
    FvCheck(Load(SERVICES L"loadme") == STATUS_INVALID_IMAGE_FORMAT);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Size", .EntryContext = &Size, .DefaultType = REG_NONE}};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(NAME);
    PDEVICE_OBJECT Device;
    WCHAR Path[128] = {0};

    RtlCopyMemory(Path, RegistryPath->Buffer, RegistryPath->Length); /* which has no terminator */
    FvTestPlan(13);
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    FvCheck(NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path, Table, NULL, NULL)));
    /* Who does not copy it, as many do, is understood, and told. */
    FvCheck(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer) == STATUS_SUCCESS);
    FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device)));
    Device->Flags |= DO_BUFFERED_IO;
    Device->Flags &= ~DO_DEVICE_INITIALIZING;
    OpenDisk();
    CheckLoads();
    ZwClose(Disk);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}
