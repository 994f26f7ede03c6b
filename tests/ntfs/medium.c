/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk whose medium can be changed: a device on top of the first volume's, which sends everything to the first or to the second one's.
 * Its own device, \Device\Medium, takes a byte: 0 to 1 the medium that is in from now on, which nobody but it knows, so that it asks for the volume to be verified.
 */
#include <ntifs.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

static PDEVICE_OBJECT Control, Filter, Below[2];
static ULONG Inside;

/* As documented of removable media: what does not say that it knows ends with STATUS_VERIFY_REQUIRED while the flag is set. */
static BOOLEAN IsDoubted(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_OBJECT Real = IoGetDeviceAttachmentBaseRef(Filter);
    BOOLEAN Doubted = (Stack->MajorFunction == IRP_MJ_READ || Stack->MajorFunction == IRP_MJ_WRITE) &&
                      (Real->Flags & DO_VERIFY_VOLUME) != 0 && (Stack->Flags & SL_OVERRIDE_VERIFY_VOLUME) == 0;

    if (Doubted)
        IoSetHardErrorOrVerifyDevice(Irp, Real);
    ObDereferenceObject(Real);
    return Doubted;
}

static NTSTATUS NTAPI Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    if (DeviceObject == Filter && !IsDoubted(Irp)) {
        IoSkipCurrentIrpStackLocation(Irp);
        return IoCallDriver(Below[Inside], Irp);
    }
    Irp->IoStatus.Status = DeviceObject == Filter ? STATUS_VERIFY_REQUIRED : STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    if (DeviceObject == Control && Stack->MajorFunction == IRP_MJ_WRITE) {
        PDEVICE_OBJECT Real = IoGetDeviceAttachmentBaseRef(Filter);

        Inside = *(PUCHAR)Irp->AssociatedIrp.SystemBuffer & 1;
        Real->Flags |= DO_VERIFY_VOLUME;
        ObDereferenceObject(Real);
        Irp->IoStatus.Information = 1;
    }
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return DeviceObject == Filter ? STATUS_VERIFY_REQUIRED : STATUS_SUCCESS;
}

static PDEVICE_OBJECT Find(PCWSTR Text)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device;
    PFILE_OBJECT File;

    RtlInitUnicodeString(&Name, Text);
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&Name, FILE_READ_ATTRIBUTES, &File, &Device)))
        return NULL;
    Device = File->DeviceObject;
    ObDereferenceObject(File);
    return Device; /* volumes stay */
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Medium");
    PDEVICE_OBJECT First = Find(L"\\Device\\HarddiskVolume1");
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Below[1] = Find(L"\\Device\\HarddiskVolume2");
    if (First == NULL || Below[1] == NULL)
        return STATUS_NO_SUCH_DEVICE;
    for (ULONG Index = 0; Index <= IRP_MJ_MAXIMUM_FUNCTION; Index++)
        DriverObject->MajorFunction[Index] = Dispatch;
    Status = IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Control);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_DISK, 0, FALSE, &Filter);
    if (NT_SUCCESS(Status)) {
        Filter->Flags |= DO_DIRECT_IO;
        Status = IoAttachDeviceToDeviceStackSafe(Filter, First, &Below[0]);
    }
    if (!NT_SUCCESS(Status))
        return Status; /* the test ends here */
    Control->Flags |= DO_BUFFERED_IO;
    Control->Flags &= ~DO_DEVICE_INITIALIZING;
    Filter->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}
