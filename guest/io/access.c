// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a device's descriptor says of an open, and descriptors of files and devices told and set.
 *
 * An open from user mode, or one that asks for it (OBJ_FORCE_ACCESS_CHECK, IO_FORCE_ACCESS_CHECK), is checked
 * here when it is of the device or volume itself, or when the device has FILE_DEVICE_SECURE_OPEN; a name
 * below it needs the right to traverse only, which who holds SeChangeNotifyPrivilege has, and the rest is the
 * file system's to check.
 */
#include "iop.h"
#include <se.h>

static GENERIC_MAPPING IopFileMapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};

static NTSTATUS IopCheckTraverse(PSECURITY_DESCRIPTOR Descriptor, PSECURITY_SUBJECT_CONTEXT Subject)
{
    PRIVILEGE_SET Bypass = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};
    ACCESS_MASK Granted;
    NTSTATUS Status;

    Bypass.Privilege[0].Luid = SeExports->SeChangeNotifyPrivilege;
    if (SePrivilegeCheck(&Bypass, Subject, UserMode)) {
        return STATUS_SUCCESS;
    }
    SeAccessCheck(Descriptor, Subject, FALSE, FILE_TRAVERSE, 0, NULL, &IopFileMapping, UserMode, &Granted, &Status);
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD, STATUS_BAD_IMPERSONATION_LEVEL.  *Access:
 * what is granted. */
NTSTATUS IopCheckDeviceAccess(PDEVICE_OBJECT DeviceObject, PACCESS_STATE AccessState, BOOLEAN WithName,
                              PACCESS_MASK Access)
{
    PSECURITY_DESCRIPTOR Descriptor =
        DeviceObject->SecurityDescriptor != NULL ? DeviceObject->SecurityDescriptor : SeDeviceDescriptor;
    PSECURITY_SUBJECT_CONTEXT Subject = &AccessState->SubjectSecurityContext;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    /* What is mounted on the device looks after its files itself. */
    if (WithName && (DeviceObject->Vpb != NULL || !(DeviceObject->Characteristics & FILE_DEVICE_SECURE_OPEN))) {
        return IopCheckTraverse(Descriptor, Subject);
    }
    if (SeAccessCheck(Descriptor, Subject, FALSE, *Access, 0, NULL, &IopFileMapping, UserMode, &Granted, &Status)) {
        *Access = Granted;
        AccessState->PreviouslyGrantedAccess = Granted;
        AccessState->RemainingDesiredAccess = 0;
    }
    return Status;
}

/* ---- descriptors of open files ---- */

/* The device itself is open, and no file system stands between. */
static BOOLEAN IopIsDeviceOpen(PFILE_OBJECT FileObject)
{
    return FileObject->Vpb == NULL && FileObject->FileName.Length == 0;
}

/* A security request to the file system; what SystemBuffer names belongs to the caller. */
static NTSTATUS IopSendSecurity(PFILE_OBJECT FileObject, UCHAR Major, SECURITY_INFORMATION Information,
                                PVOID Descriptor, ULONG Length, PULONG_PTR Returned)
{
    PDEVICE_OBJECT Device = IoGetRelatedDeviceObject(FileObject);
    PIRP Irp = IoAllocateIrp(Device->StackSize, FALSE);
    IO_STATUS_BLOCK IoStatus = {0};
    PIO_STACK_LOCATION Stack;
    NTSTATUS Status;
    KEVENT Event;

    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Irp->UserIosb = &IoStatus;
    Irp->UserEvent = &Event;
    Irp->Flags = IRP_SYNCHRONOUS_API;
    Irp->RequestorMode = KernelMode;
    Irp->UserBuffer = Descriptor;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = FileObject;
    ObReferenceObject(FileObject); /* the completion gives it back */
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = Major;
    Stack->FileObject = FileObject;
    if (Major == IRP_MJ_SET_SECURITY) {
        Stack->Parameters.SetSecurity.SecurityInformation = Information;
        Stack->Parameters.SetSecurity.SecurityDescriptor = Descriptor;
    } else {
        Stack->Parameters.QuerySecurity.SecurityInformation = Information;
        Stack->Parameters.QuerySecurity.Length = Length;
    }
    IopQueueThreadIrp(Irp);
    Status = IofCallDriver(Device, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    }
    if (Status == STATUS_PENDING || NT_SUCCESS(Status)) {
        Status = IoStatus.Status;
    }
    *Returned = IoStatus.Information;
    return Status;
}

static NTSTATUS IopQueryDeviceSecurity(PDEVICE_OBJECT Device, SECURITY_INFORMATION Information,
                                       PSECURITY_DESCRIPTOR Descriptor, PULONG Length)
{
    PSECURITY_DESCRIPTOR Its = Device->SecurityDescriptor != NULL ? Device->SecurityDescriptor : SeDeviceDescriptor;

    return SeQuerySecurityDescriptorInfo(&Information, Descriptor, Length, &Its);
}

/* A device that has none of its own gets the default one, changed. */
static NTSTATUS IopSetDeviceSecurity(PDEVICE_OBJECT Device, SECURITY_INFORMATION Information,
                                     PSECURITY_DESCRIPTOR Descriptor)
{
    PSECURITY_DESCRIPTOR Old = Device->SecurityDescriptor, Base = Old, New;
    ULONG Buffer[64], Length = sizeof(Buffer);
    NTSTATUS Status;

    if (Base == NULL) {
        Base = Buffer;
        Status = RtlAbsoluteToSelfRelativeSD(SeDeviceDescriptor, Buffer, &Length);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    New = Base;
    Status = SeSetSecurityDescriptorInfo(NULL, &Information, Descriptor, &New, PagedPool, &IopFileMapping);
    if (NT_SUCCESS(Status)) {
        Device->SecurityDescriptor = New;
        if (Old != NULL) {
            ExFreePool(Old);
        }
    }
    return Status;
}

/*
 * Only files and devices have descriptors here: STATUS_NOT_IMPLEMENTED for others.  *Device: the handle is one to a device, or
 * to a file that is the open of one; else NULL.
 */
static NTSTATUS IopReferenceSecured(HANDLE Handle, PVOID *Object, PDEVICE_OBJECT *Device)
{
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, 0, NULL, KernelMode, Object, NULL);

    *Device = NULL;
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (ObGetObjectType(*Object) == IopDeviceObjectType) {
        *Device = *Object;
    } else if (ObGetObjectType(*Object) != *IoFileObjectType) {
        ObDereferenceObject(*Object);
        DbgPrint("descriptors of objects other than files and devices are not implemented\n");
        return STATUS_NOT_IMPLEMENTED;
    } else if (IopIsDeviceOpen(*Object)) {
        *Device = ((PFILE_OBJECT)*Object)->DeviceObject;
    }
    return STATUS_SUCCESS;
}

/* PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL with the length; else what the file system says. */
NTSTATUS NTAPI ZwQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded)
{
    PDEVICE_OBJECT Device;
    ULONG_PTR Returned;
    NTSTATUS Status;
    PVOID Object;

    PAGED_CODE();
    *LengthNeeded = Length;
    Status = IopReferenceSecured(Handle, &Object, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Device != NULL) {
        Status = IopQueryDeviceSecurity(Device, SecurityInformation, SecurityDescriptor, LengthNeeded);
    } else {
        Status =
            IopSendSecurity(Object, IRP_MJ_QUERY_SECURITY, SecurityInformation, SecurityDescriptor, Length, &Returned);
        *LengthNeeded = (ULONG)Returned;
        if (Status == STATUS_BUFFER_OVERFLOW) {
            Status = STATUS_BUFFER_TOO_SMALL;
        }
    }
    ObDereferenceObject(Object);
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_INVALID_SECURITY_DESCR; STATUS_INVALID_OWNER; else what the file system says. */
NTSTATUS NTAPI ZwSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    PDEVICE_OBJECT Device;
    ULONG_PTR Returned;
    NTSTATUS Status;
    PVOID Object;

    PAGED_CODE();
    if (SecurityDescriptor == NULL) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (!RtlValidSecurityDescriptor(SecurityDescriptor)) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    Status = IopReferenceSecured(Handle, &Object, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Device != NULL
                 ? IopSetDeviceSecurity(Device, SecurityInformation, SecurityDescriptor)
                 : IopSendSecurity(Object, IRP_MJ_SET_SECURITY, SecurityInformation, SecurityDescriptor, 0, &Returned);
    ObDereferenceObject(Object);
    return Status;
}
