/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * security.c: the security descriptor that ports are made with: the system and administrators may, nobody else.
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
