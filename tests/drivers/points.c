// SPDX-License-Identifier: GPL-2.0-or-later
/* What the mount manager tells of two volumes' names, and the names that io makes of a volume's id. */
#include <ntifs.h>
#include <mountmgr.h>

#include <fltvm.h>

NTSTATUS NTAPI IoVolumeDeviceToGuid(PVOID VolumeDeviceObject, GUID *Guid);
NTSTATUS NTAPI IoVolumeDeviceToGuidPath(PVOID VolumeDeviceObject, PUNICODE_STRING GuidPath);

static PDEVICE_OBJECT Manager;
static UCHAR Input[512] __attribute__((aligned(8))), Output[2048] __attribute__((aligned(8)));
static PMOUNTMGR_MOUNT_POINTS Points = (PMOUNTMGR_MOUNT_POINTS)Output;
static ULONG InputLength;
static ULONG_PTR Information;

static NTSTATUS Ask(ULONG Code, ULONG OutputLength)
{
    IO_STATUS_BLOCK IoStatus = {0};
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    memset(Output, 0xEE, sizeof(Output));
    Irp = IoBuildDeviceIoControlRequest(Code, Manager, Input, InputLength, Output, OutputLength, FALSE, &Event,
                                        &IoStatus);
    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = IoCallDriver(Manager, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    Information = IoStatus.Information;
    return Status;
}

/* A triple of which one part is given. */
static VOID Want(PCWSTR Link, const VOID *Id, ULONG IdLength, PCWSTR Device)
{
    PMOUNTMGR_MOUNT_POINT Point = (PMOUNTMGR_MOUNT_POINT)Input;

    RtlZeroMemory(Input, sizeof(Input));
    InputLength = sizeof(*Point);
    if (Link != NULL) {
        Point->SymbolicLinkNameOffset = InputLength;
        Point->SymbolicLinkNameLength = (USHORT)(wcslen(Link) * sizeof(WCHAR));
        RtlCopyMemory(Input + InputLength, Link, Point->SymbolicLinkNameLength);
        InputLength += Point->SymbolicLinkNameLength;
    }
    if (Id != NULL) {
        Point->UniqueIdOffset = InputLength;
        Point->UniqueIdLength = (USHORT)IdLength;
        RtlCopyMemory(Input + InputLength, Id, IdLength);
        InputLength += IdLength;
    }
    if (Device != NULL) {
        Point->DeviceNameOffset = InputLength;
        Point->DeviceNameLength = (USHORT)(wcslen(Device) * sizeof(WCHAR));
        RtlCopyMemory(Input + InputLength, Device, Point->DeviceNameLength);
        InputLength += Point->DeviceNameLength;
    }
}

static BOOLEAN IsText(ULONG Offset, USHORT Length, PCWSTR Text)
{
    return Length == wcslen(Text) * sizeof(WCHAR) && RtlEqualMemory(Output + Offset, Text, Length);
}

static BOOLEAN IsPoint(ULONG Index, PCWSTR Link, PCWSTR Device)
{
    PMOUNTMGR_MOUNT_POINT Point = &Points->MountPoints[Index];

    return IsText(Point->SymbolicLinkNameOffset, Point->SymbolicLinkNameLength, Link) &&
           IsText(Point->DeviceNameOffset, Point->DeviceNameLength, Device) && Point->UniqueIdLength == 12;
}

#define QUERY IOCTL_MOUNTMGR_QUERY_POINTS

static VOID CheckPoints(VOID)
{
    UCHAR Id[12];
    WCHAR Guid[64];
    ULONG Size;

    Want(NULL, NULL, 0, NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 4 &&
            Information == Points->Size);
    Size = Points->Size;
    FvCheck(Ask(QUERY, Size - 1) == STATUS_BUFFER_OVERFLOW && Points->Size == Size);
    FvCheck(Ask(QUERY, Size) == STATUS_SUCCESS);
    Want(L"\\DosDevices\\D:", NULL, 0, NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 1 &&
            IsPoint(0, L"\\DosDevices\\D:", L"\\Device\\HarddiskVolume2"));
    RtlCopyMemory(Id, Output + Points->MountPoints[0].UniqueIdOffset, sizeof(Id));
    Want(NULL, NULL, 0, L"\\device\\harddiskvolume2");
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 2 &&
            IsPoint(0, L"\\DosDevices\\D:", L"\\Device\\HarddiskVolume2"));
    RtlZeroMemory(Guid, sizeof(Guid));
    RtlCopyMemory(Guid, Output + Points->MountPoints[1].SymbolicLinkNameOffset,
                  Points->MountPoints[1].SymbolicLinkNameLength);
    FvCheck(wcsncmp(Guid, L"\\??\\Volume{", 11) == 0 && wcslen(Guid) == 48);
    Want(Guid, NULL, 0, NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 1 &&
            IsPoint(0, Guid, L"\\Device\\HarddiskVolume2"));
    Want(NULL, Id, sizeof(Id), NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 2);
    Want(L"\\DosDevices\\D:", Id, sizeof(Id), NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_SUCCESS && Points->NumberOfMountPoints == 1);
}

static VOID CheckRefusals(VOID)
{
    UCHAR Id[12] = {0};

    Want(NULL, Id, sizeof(Id), NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_INVALID_PARAMETER);
    Want(NULL, NULL, 0, L"\\Device\\HarddiskVolume9");
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_INVALID_PARAMETER);
    Want(L"\\DosDevices\\X:", NULL, 0, NULL);
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_OBJECT_NAME_NOT_FOUND);
    InputLength = sizeof(MOUNTMGR_MOUNT_POINT) - 1;
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_INVALID_PARAMETER);
    Want(L"\\DosDevices\\D:", NULL, 0, NULL);
    InputLength--;
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_INVALID_PARAMETER);
    Want(L"\\DosDevices\\D:", NULL, 0, NULL);
    ((PMOUNTMGR_MOUNT_POINT)Input)->SymbolicLinkNameOffset++;
    InputLength++;
    FvCheck(Ask(QUERY, sizeof(Output)) == STATUS_INVALID_PARAMETER);
    Want(NULL, NULL, 0, NULL);
    FvCheck(Ask(QUERY, sizeof(MOUNTMGR_MOUNT_POINTS) - 1) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(IOCTL_MOUNTMGR_CREATE_POINT, sizeof(Output)) == STATUS_NOT_IMPLEMENTED);
}

/* The volume's id, its name, and that this leads to it. */
static VOID CheckGuid(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1"), Path = {0}, Text, Rest;
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PFILE_OBJECT File;
    PDEVICE_OBJECT Device;
    GUID Guid = {0};
    HANDLE Handle;

    FvCheck(NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &File, &Device)));
    FvCheck(IoVolumeDeviceToGuid(File->DeviceObject, &Guid) == STATUS_SUCCESS && Guid.Data1 == 1);
    FvCheck(IoVolumeDeviceToGuidPath(File->DeviceObject, &Path) == STATUS_SUCCESS && Path.Length == 48 * sizeof(WCHAR));
    Rest = Path;
    Rest.Buffer += 10; /* \??\Volume */
    Rest.Length -= 10 * sizeof(WCHAR);
    FvCheck(NT_SUCCESS(RtlStringFromGUID(&Guid, &Text)) && RtlEqualUnicodeString(&Text, &Rest, TRUE));
    RtlFreeUnicodeString(&Text);
    InitializeObjectAttributes(&Attributes, &Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwOpenFile(&Handle, FILE_READ_ATTRIBUTES, &Attributes, &IoStatus, FILE_SHARE_READ, 0)) &&
            NT_SUCCESS(ZwClose(Handle)));
    ExFreePool(Path.Buffer);
    FvCheck(!NT_SUCCESS(IoVolumeDeviceToGuid(Manager, &Guid)));
    ObDereferenceObject(File);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(MOUNTMGR_DEVICE_NAME);
    PFILE_OBJECT File;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(24);
    FvCheck(NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &File, &Manager)));
    CheckPoints();
    CheckRefusals();
    CheckGuid();
    ObDereferenceObject(File);
    return STATUS_SUCCESS;
}
