/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's entry.
 */
#include "raw.h"

DRIVER_INITIALIZE DriverEntry;

VOID RawLock(PRAW_VOLUME Volume)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Volume->Lock, Executive, KernelMode, FALSE, NULL);
}

VOID RawUnlock(PRAW_VOLUME Volume)
{
    KeSetEvent(&Volume->Lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

NTSTATUS RawComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* A control without input, to the volume's device.  PASSIVE_LEVEL. */
NTSTATUS RawDeviceControl(PDEVICE_OBJECT Target, ULONG Code, PVOID Output, ULONG Length)
{
    IO_STATUS_BLOCK IoStatus;
    NTSTATUS Status;
    KEVENT Event;
    PIRP Irp;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp = IoBuildDeviceIoControlRequest(Code, Target, NULL, 0, Output, Length, FALSE, &Event, &IoStatus);
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IoCallDriver(Target, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus.Status;
    }
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\RawDisk");
    PDEVICE_OBJECT Device;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = RawCreate;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = RawCleanup;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = RawClose;
    DriverObject->MajorFunction[IRP_MJ_READ] = RawReadWrite;
    DriverObject->MajorFunction[IRP_MJ_WRITE] = RawReadWrite;
    DriverObject->MajorFunction[IRP_MJ_FLUSH_BUFFERS] = RawForward;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = RawForward;
    DriverObject->MajorFunction[IRP_MJ_FILE_SYSTEM_CONTROL] = RawFileSystemControl;
    DriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = RawQueryInformation;
    DriverObject->MajorFunction[IRP_MJ_SET_INFORMATION] = RawSetInformation;
    DriverObject->MajorFunction[IRP_MJ_QUERY_VOLUME_INFORMATION] = RawQueryVolume;

    Status = IoCreateDevice(DriverObject, sizeof(RAW_VOLUME), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE,
                            &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ((PRAW_VOLUME)Device->DeviceExtension)->IsVolume = FALSE;
    Device->Flags |= DO_DIRECT_IO | DO_LOW_PRIORITY_FILESYSTEM;
    IoRegisterFileSystem(Device);
    return STATUS_SUCCESS; /* no unload: the last resort stays */
}
