/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * security.c: the security descriptor that ports are made with: the system and administrators may, nobody else; what
 * becomes of a port's, and who is asked by it.
 */
#include <port.h>

/* S-1-5-18 and S-1-5-32-544, with room for the longer. */
#define FLTP_ENTRY_SIZE                                                                                                \
    (FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + FIELD_OFFSET(SID, SubAuthority) + 2 * sizeof(ULONG))

typedef struct _FLTP_DEFAULT_DESCRIPTOR {
    SECURITY_DESCRIPTOR Descriptor;
    ACL Acl;
    UCHAR Entries[2 * FLTP_ENTRY_SIZE];
} FLTP_DEFAULT_DESCRIPTOR, *PFLTP_DEFAULT_DESCRIPTOR;

/* IRQL: <= APC_LEVEL.  From paged pool, as documented; it points into itself. */
NTSTATUS FLTAPI FltBuildDefaultSecurityDescriptor(PSECURITY_DESCRIPTOR *SecurityDescriptor, ACCESS_MASK DesiredAccess)
{
    PFLTP_DEFAULT_DESCRIPTOR Default =
        FvAllocatePoolForCaller(PagedPool, sizeof(*Default), FLTP_TAG_PORT, _ReturnAddress());
    NTSTATUS Status;

    *SecurityDescriptor = NULL;
    if (Default == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = RtlCreateSecurityDescriptor(&Default->Descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (NT_SUCCESS(Status))
        Status = RtlCreateAcl(&Default->Acl, sizeof(Default->Acl) + sizeof(Default->Entries), ACL_REVISION);
    if (NT_SUCCESS(Status))
        Status = RtlAddAccessAllowedAce(&Default->Acl, ACL_REVISION, DesiredAccess, SeExports->SeLocalSystemSid);
    if (NT_SUCCESS(Status))
        Status = RtlAddAccessAllowedAce(&Default->Acl, ACL_REVISION, DesiredAccess, SeExports->SeAliasAdminsSid);
    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(&Default->Descriptor, TRUE, &Default->Acl, FALSE);
    if (!NT_SUCCESS(Status)) {
        ExFreePoolWithTag(Default, FLTP_TAG_PORT);
        return Status;
    }
    *SecurityDescriptor = &Default->Descriptor;
    return STATUS_SUCCESS;
}

/* IRQL: <= APC_LEVEL. */
VOID FLTAPI FltFreeSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    ExFreePoolWithTag(SecurityDescriptor, FLTP_TAG_PORT);
}

/* --- Of a port --- */

static GENERIC_MAPPING FltpPortMapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE,
                                          FLT_PORT_ALL_ACCESS};

/* Without an explicit one it is the maker's default, as any object's. */
NTSTATUS FltpAssignSecurity(PSECURITY_DESCRIPTOR Explicit, PSECURITY_DESCRIPTOR *Descriptor)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    NTSTATUS Status;

    SeCaptureSubjectContext(&Subject);
    Status = SeAssignSecurity(NULL, Explicit, Descriptor, FALSE, &Subject, &FltpPortMapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    return Status;
}

NTSTATUS FltpCheckConnect(PSECURITY_DESCRIPTOR Descriptor, KPROCESSOR_MODE Mode)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    SeCaptureSubjectContext(&Subject);
    SeAccessCheck(Descriptor, &Subject, FALSE, FLT_PORT_CONNECT, 0, NULL, &FltpPortMapping, Mode, &Granted, &Status);
    SeReleaseSubjectContext(&Subject);
    return Status;
}

NTSTATUS FltpOpenToAll(PDEVICE_OBJECT Device)
{
    SECURITY_DESCRIPTOR Descriptor;
    NTSTATUS Status = RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    HANDLE Handle;

    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, NULL, FALSE);
    if (NT_SUCCESS(Status))
        Status = ObOpenObjectByPointer(Device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode, &Handle);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ZwSetSecurityObject(Handle, DACL_SECURITY_INFORMATION, &Descriptor);
    ZwClose(Handle);
    return Status;
}
