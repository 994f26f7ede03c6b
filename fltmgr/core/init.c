/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * init.c: the driver's start and its dispatch routine, which tells its three kinds of devices apart: its
 * control device, one on each file system's control device, one on each volume.
 */
#include <context.h>
#include <control.h>
#include <name.h>
#include <operation.h>
#include <port.h>
#include <work.h>
#include "hold.h"

PDRIVER_OBJECT FltpDriverObject;
KSPIN_LOCK FltpLock;
LIST_ENTRY FltpFilters; /* in order of registration */
LIST_ENTRY FltpVolumes;
BOOLEAN FltpVerify;
volatile LONG FltpNameProviders;
struct fltvm_fltctl_counters FltpCounters;

static NTSTATUS FltpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  The file system mounts first; its new volume's device is in the VPB when it has. */
static NTSTATUS FltpMount(PFLTP_DEVICE Device, PIRP Irp)
{
    PDEVICE_OBJECT Disk = IoGetCurrentIrpStackLocation(Irp)->Parameters.MountVolume.Vpb->RealDevice;
    NTSTATUS Status;

    if (!IoForwardIrpSynchronously(Device->Below, Irp))
        return FltpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    Status = Irp->IoStatus.Status;
    if (NT_SUCCESS(Status) && Disk->Vpb != NULL && Disk->Vpb->DeviceObject != NULL) {
        PDEVICE_OBJECT Control = IoGetDeviceAttachmentBaseRef(Device->Below);
        NTSTATUS Attached = FltpCreateVolume(Disk->Vpb->DeviceObject, Control, Disk);

        ObDereferenceObject(Control);
        if (!NT_SUCCESS(Attached) && Attached != STATUS_FLT_VOLUME_ALREADY_MOUNTED)
            DbgPrint("fltmgr: a volume was mounted and cannot be filtered: status 0x%08X\n", Attached);
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS FltpDispatchControl(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status;

    switch (Stack->MajorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE: return FltpComplete(Irp, STATUS_SUCCESS, 0);
    case IRP_MJ_DEVICE_CONTROL:
        Status = FltpDeviceControl(Irp, Stack); /* which leaves the length in the request */
        return FltpComplete(Irp, Status, Irp->IoStatus.Information);
    default: return FltpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* IRQL: the request's. */
static NTSTATUS NTAPI FltpDispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFLTP_DEVICE Device = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack;

    if (Device->Kind == FltpKindVolume)
        return FltpDispatchVolume(Device->Volume, Irp, NULL);
    if (Device->Kind == FltpKindMessage)
        return FltpDispatchMessage(Irp);
    if (Device->Kind == FltpKindControl)
        return FltpDispatchControl(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Stack->MajorFunction == IRP_MJ_FILE_SYSTEM_CONTROL && Stack->MinorFunction == IRP_MN_MOUNT_VOLUME)
        return FltpMount(Device, Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Device->Below, Irp);
}

/* IRQL: PASSIVE_LEVEL.  The device below one of ours is being deleted. */
static VOID NTAPI FltpFastIoDetachDevice(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PFLTP_DEVICE Device = SourceDevice->DeviceExtension;

    if (Device->Kind == FltpKindVolume) {
        FltpDeleteVolume(Device->Volume);
    } else {
        IoDetachDevice(TargetDevice);
        IoDeleteDevice(SourceDevice);
    }
}

static VOID NTAPI FltpReinitialize(PDRIVER_OBJECT Driver, PVOID Context, ULONG Count)
{
    UNREFERENCED_PARAMETER(Driver);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Count);
    FltpAttachRaw();
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&FltpLock);
    InitializeListHead(&FltpFilters);
    InitializeListHead(&FltpVolumes);
    FltpInitializeWorkItems();
    FltpInitializeHolds();
    FltpInitializeContextLists();
    FltpInitializePorts();
    FltpInitializeNames();
    FltpInitializeLoads();
    FltpVerify = FvVerifierEnabled();
    FvRegisterUnloadCheck(FltpCheckUnload);
    FvRegisterHolder(FltpTellHeld);
    for (ULONG Major = 0; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++)
        DriverObject->MajorFunction[Major] = FltpDispatch;
    FltpFastIo.FastIoDetachDevice = FltpFastIoDetachDevice;
    DriverObject->FastIoDispatch = &FltpFastIo;
    FltpDriverObject = DriverObject;
    Status = FltpRegisterFsFilter(DriverObject);
    if (NT_SUCCESS(Status))
        Status = FltpCreateControlDevice();
    if (NT_SUCCESS(Status))
        Status = FltpCreateMessageDevice();
    if (!NT_SUCCESS(Status))
        return Status;
    IoRegisterBootDriverReinitialization(DriverObject, FltpReinitialize, NULL);
    return IoRegisterFsRegistrationChange(DriverObject, FltpFsRegistration);
}
