/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's entry.
 */
#include "raw.h"

DRIVER_INITIALIZE DriverEntry;

VOID RawLock(PRAW_VOLUME Volume)
{
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&Volume->Lock);
}

VOID RawUnlock(PRAW_VOLUME Volume)
{
    ExReleaseFastMutexUnsafe(&Volume->Lock);
    KeLeaveCriticalRegion();
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
    DriverObject->MajorFunction[IRP_MJ_PNP] = RawPnp;
    DriverObject->MajorFunction[IRP_MJ_QUERY_INFORMATION] = RawQueryInformation;
    DriverObject->MajorFunction[IRP_MJ_SET_INFORMATION] = RawSetInformation;
    DriverObject->MajorFunction[IRP_MJ_QUERY_VOLUME_INFORMATION] = RawQueryVolume;

    Status = IoCreateDevice(DriverObject, sizeof(RAW_VOLUME), &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ((PRAW_VOLUME)Device->DeviceExtension)->IsVolume = FALSE;
    Device->Flags |= DO_DIRECT_IO | DO_LOW_PRIORITY_FILESYSTEM;
    IoRegisterFileSystem(Device);
    return STATUS_SUCCESS; /* no unload: the last resort stays */
}
