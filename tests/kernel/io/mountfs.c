// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file system that gives each mount up again: it puts a VPB of its own on the device, and the old one, no longer the
 * I/O manager's, is this driver's to look at and to free.  When the system shuts down it unregisters, and registers
 * anew for being told.  See mountfs.lua.
 */
#include <ntifs.h>

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT Control, Late;
static ULONG Shutdowns;

/* A file on the volume that is being mounted comes and goes; its VPB is taken off the device in between. */
static ULONG SwapVpb(PVPB Old, PVPB New)
{
    PFILE_OBJECT File = IoCreateStreamFileObject(NULL, Old->RealDevice);
    KIRQL Irql;

    File->Vpb = Old;
    IoAcquireVpbSpinLock(&Irql);
    Old->RealDevice->Vpb = New;
    IoReleaseVpbSpinLock(Irql);
    ObDereferenceObject(File);
    return Old->ReferenceCount;
}

static NTSTATUS Mount(PIO_STACK_LOCATION Stack)
{
    PVPB Old = Stack->Parameters.MountVolume.Vpb;
    PVPB New = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*New), 'sfmT');
    PDEVICE_OBJECT Volume;

    if (!NT_SUCCESS(IoCreateDevice(Control->DriverObject, 0, NULL, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Volume)))
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(New, sizeof(*New));
    New->Type = IO_TYPE_VPB;
    New->Size = sizeof(*New);
    New->RealDevice = Old->RealDevice;
    Volume->StackSize = Stack->Parameters.MountVolume.DeviceObject->StackSize + 1;
    Volume->Flags &= ~DO_DEVICE_INITIALIZING;
    Old->DeviceObject = Volume;
    DbgPrint("mountfs: %u references left\n", SwapVpb(Old, New));
    Old->DeviceObject = NULL;
    ExFreePool(Old);
    IoDeleteDevice(Volume);
    return STATUS_UNRECOGNIZED_VOLUME;
}

static VOID ShutDown(PDEVICE_OBJECT DeviceObject)
{
    DbgPrint("mountfs: shutdown %u\n", ++Shutdowns);
    if (DeviceObject == Control)
        IoUnregisterFileSystem(Control);
    else
        IoRegisterShutdownNotification(Late);
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = STATUS_SUCCESS;

    if (Stack->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL)
        Status = Stack->MinorFunction == IRP_MN_MOUNT_VOLUME ? Mount(Stack) : STATUS_INVALID_DEVICE_REQUEST;
    else if (Stack->MajorFunction == IRP_MJ_SHUTDOWN)
        ShutDown(DeviceObject);
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\MountFs");
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_DISK_FILE_SYSTEM, 0, FALSE, &Control);

    if (NT_SUCCESS(Status))
        Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Late);
    if (!NT_SUCCESS(Status))
        return Status;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    IoRegisterShutdownNotification(Late);
    IoRegisterFileSystem(Control);
    return STATUS_SUCCESS;
}
