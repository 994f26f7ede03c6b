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

static EX_PUSH_LOCK IopSecurityLock; /* held by who replaces a descriptor */
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

/* Of the device type: a device that has no descriptor of its own has the default one, until it is replaced. */
NTSTATUS IopCopyDeviceSecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy)
{
    PDEVICE_OBJECT Device = Object;

    return ObDuplicateDescriptor(Device->SecurityDescriptor != NULL ? Device->SecurityDescriptor : SeDeviceDescriptor,
                                 Copy);
}

NTSTATUS IopReplaceDeviceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New)
{
    PDEVICE_OBJECT Device = Object;
    PSECURITY_DESCRIPTOR Old = Device->SecurityDescriptor;

    Device->SecurityDescriptor = New;
    if (Old != NULL) {
        ExFreePool(Old);
    }
    return STATUS_SUCCESS;
}

/*
 * *Secured: whose descriptor it is, the object that the handle names, referenced, or the device whose open that is.  *File: a file, whose
 * file system is asked instead; else NULL.
 */
static NTSTATUS IopReferenceSecured(HANDLE Handle, ACCESS_MASK Access, PVOID *Object, PVOID *Secured,
                                    PFILE_OBJECT *File)
{
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, Access, NULL, ExGetPreviousMode(), Object, NULL);

    *Secured = *Object;
    *File = NULL;
    if (NT_SUCCESS(Status) && ObGetObjectType(*Object) == *IoFileObjectType) {
        PFILE_OBJECT Its = *Object;

        if (IopIsDeviceOpen(Its)) {
            *Secured = Its->DeviceObject;
        } else {
            *File = Its;
        }
    }
    return Status;
}

/* One without a descriptor has nothing to tell. */
static NTSTATUS IopQueryObjectSecurity(PVOID Object, SECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor,
                                       PULONG Length)
{
    PSECURITY_DESCRIPTOR Copy = NULL;
    NTSTATUS Status = ObCopySecurity(Object, &Copy);

    if (Status == STATUS_NOT_IMPLEMENTED) {
        DbgPrint("descriptors of processes, threads, tokens and directories are not implemented\n");
    }
    if (!NT_SUCCESS(Status) && Status != STATUS_NO_SECURITY_ON_OBJECT) {
        return Status;
    }
    Status = SeQuerySecurityDescriptorInfo(&Information, Descriptor, Length, &Copy);
    if (Copy != NULL) {
        ExFreePool(Copy);
    }
    return Status;
}

static NTSTATUS IopSetObjectSecurity(PVOID Object, SECURITY_INFORMATION Information, PSECURITY_DESCRIPTOR Descriptor)
{
    PSECURITY_DESCRIPTOR Old, New;
    NTSTATUS Status = ObCopySecurity(Object, &Old);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    New = Old;
    Status =
        SeSetSecurityDescriptorInfo(Object, &Information, Descriptor, &New, PagedPool, ObGetGenericMapping(Object));
    if (NT_SUCCESS(Status)) {
        Status = ObReplaceSecurity(Object, New);
        if (!NT_SUCCESS(Status)) {
            ExFreePool(New);
        }
    }
    ExFreePool(Old);
    return Status;
}

#define IOP_MAXIMUM_DESCRIPTOR 0x10000

/* The rights that a handle needs for these parts of a descriptor. */
static ACCESS_MASK IopAccessToQuery(SECURITY_INFORMATION Parts)
{
    return (Parts & ~SACL_SECURITY_INFORMATION ? READ_CONTROL : 0) |
           (Parts & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0);
}

static ACCESS_MASK IopAccessToSet(SECURITY_INFORMATION Parts)
{
    return (Parts & (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION) ? WRITE_OWNER
                                                                                                           : 0) |
           (Parts & DACL_SECURITY_INFORMATION ? WRITE_DAC : 0) |
           (Parts & SACL_SECURITY_INFORMATION ? ACCESS_SYSTEM_SECURITY : 0);
}

/* Descriptor is the kernel's. */
static NTSTATUS IopQuerySecurity(HANDLE Handle, SECURITY_INFORMATION Parts, PSECURITY_DESCRIPTOR Descriptor,
                                 ULONG Length, PULONG Needed)
{
    PFILE_OBJECT File;
    PVOID Secured;
    ULONG_PTR Returned;
    NTSTATUS Status;
    PVOID Object;

    *Needed = Length;
    Status = IopReferenceSecured(Handle, IopAccessToQuery(Parts), &Object, &Secured, &File);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (File == NULL) {
        Status = IopQueryObjectSecurity(Secured, Parts, Descriptor, Needed);
    } else {
        Status = IopSendSecurity(File, IRP_MJ_QUERY_SECURITY, Parts, Descriptor, Length, &Returned);
        *Needed = (ULONG)Returned;
        if (Status == STATUS_BUFFER_OVERFLOW) {
            Status = STATUS_BUFFER_TOO_SMALL;
        }
    }
    ObDereferenceObject(Object);
    return Status;
}

static NTSTATUS IopSetSecurity(HANDLE Handle, SECURITY_INFORMATION Parts, PSECURITY_DESCRIPTOR Descriptor)
{
    PFILE_OBJECT File;
    PVOID Secured;
    ULONG_PTR Returned;
    NTSTATUS Status;
    PVOID Object;

    if (!RtlValidSecurityDescriptor(Descriptor)) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    Status = IopReferenceSecured(Handle, IopAccessToSet(Parts), &Object, &Secured, &File);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (File != NULL) {
        Status = IopSendSecurity(File, IRP_MJ_SET_SECURITY, Parts, Descriptor, 0, &Returned);
    } else {
        /* What is changed is read first: one at a time. */
        KeEnterCriticalRegion();
        ExAcquirePushLockExclusiveEx(&IopSecurityLock, 0);
        Status = IopSetObjectSecurity(Secured, Parts, Descriptor);
        ExReleasePushLockExclusiveEx(&IopSecurityLock, 0);
        KeLeaveCriticalRegion();
    }
    ObDereferenceObject(Object);
    return Status;
}

NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded);
NTSTATUS NTAPI NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor);

/* PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL with the length; STATUS_ACCESS_DENIED; else what the file system says. */
NTSTATUS NTAPI NtQuerySecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length, PULONG LengthNeeded)
{
    ULONG Room = min(Length, IOP_MAXIMUM_DESCRIPTOR), Needed = 0;
    PVOID Copy = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    PAGED_CODE();
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            ProbeForWrite(SecurityDescriptor, Length, sizeof(ULONG));
            ProbeForWrite(LengthNeeded, sizeof(*LengthNeeded), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    if (Room != 0) {
        Copy = ExAllocatePoolWithTag(PagedPool, Room, IOP_TAG_BUFFER);
        if (Copy == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    Status = IopQuerySecurity(Handle, SecurityInformation, Copy, Room, &Needed);
    __try {
        if (NT_SUCCESS(Status)) {
            RtlCopyMemory(SecurityDescriptor, Copy, min(Needed, Room));
        }
        if (NT_SUCCESS(Status) || Status == STATUS_BUFFER_TOO_SMALL) {
            *LengthNeeded = Needed;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (Copy != NULL) {
        ExFreePoolWithTag(Copy, IOP_TAG_BUFFER);
    }
    return Status;
}

/* PASSIVE_LEVEL.  STATUS_INVALID_SECURITY_DESCR; STATUS_INVALID_OWNER; STATUS_ACCESS_DENIED; else what the file system says. */
NTSTATUS NTAPI NtSetSecurityObject(HANDLE Handle, SECURITY_INFORMATION SecurityInformation,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    PSECURITY_DESCRIPTOR Captured = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    if (SecurityDescriptor == NULL) {
        return STATUS_ACCESS_VIOLATION;
    }
    if (ExGetPreviousMode() == KernelMode) {
        return IopSetSecurity(Handle, SecurityInformation, SecurityDescriptor);
    }
    Status = ObCaptureDescriptor(SecurityDescriptor, &Captured);
    if (NT_SUCCESS(Status)) {
        Status = IopSetSecurity(Handle, SecurityInformation, Captured);
        ExFreePoolWithTag(Captured, OB_TAG_DESCRIPTOR);
    }
    return Status;
}

OB_ZW(QuerySecurityObject,
      (HANDLE Handle, SECURITY_INFORMATION SecurityInformation, PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Length,
       PULONG LengthNeeded),
      (Handle, SecurityInformation, SecurityDescriptor, Length, LengthNeeded))
OB_ZW(SetSecurityObject,
      (HANDLE Handle, SECURITY_INFORMATION SecurityInformation, PSECURITY_DESCRIPTOR SecurityDescriptor),
      (Handle, SecurityInformation, SecurityDescriptor))
