/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * security.c: the security descriptor that ports are made with: the system and administrators may, nobody else.
 */
#include <port.h>

/* S-1-5-18 and S-1-5-32-544, with room for the longer. */
#define FLTP_SID_SIZE (FIELD_OFFSET(SID, SubAuthority) + 2 * sizeof(ULONG))

typedef struct _FLTP_DEFAULT_DESCRIPTOR {
    SECURITY_DESCRIPTOR Descriptor;
    ACL Acl;
    UCHAR Entries[2 * (FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + FLTP_SID_SIZE)];
} FLTP_DEFAULT_DESCRIPTOR, *PFLTP_DEFAULT_DESCRIPTOR;

static VOID FltpAddEntry(PACL Acl, ACCESS_MASK Access, UCHAR Count, ULONG First, ULONG Second)
{
    PACCESS_ALLOWED_ACE Entry = (PACCESS_ALLOWED_ACE)((PUCHAR)Acl + Acl->AclSize);
    PISID Sid = (PISID)&Entry->SidStart;

    Entry->Header.AceType = ACCESS_ALLOWED_ACE_TYPE;
    Entry->Header.AceSize = (USHORT)(FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + FIELD_OFFSET(SID, SubAuthority) +
                                     Count * sizeof(ULONG));
    Entry->Mask = Access;
    Sid->Revision = SID_REVISION;
    Sid->SubAuthorityCount = Count;
    Sid->IdentifierAuthority.Value[5] = 5; /* NT's */
    Sid->SubAuthority[0] = First;
    if (Count > 1)
        Sid->SubAuthority[1] = Second;
    Acl->AclSize += Entry->Header.AceSize;
    Acl->AceCount++;
}

/* IRQL: <= APC_LEVEL.  From paged pool, as documented; it points into itself. */
NTSTATUS FLTAPI FltBuildDefaultSecurityDescriptor(PSECURITY_DESCRIPTOR *SecurityDescriptor, ACCESS_MASK DesiredAccess)
{
    PFLTP_DEFAULT_DESCRIPTOR Default = ExAllocatePoolWithTag(PagedPool, sizeof(*Default), FLTP_TAG_PORT);
    PISECURITY_DESCRIPTOR Descriptor;

    *SecurityDescriptor = NULL;
    if (Default == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Default, sizeof(*Default));
    Default->Acl.AclRevision = ACL_REVISION;
    Default->Acl.AclSize = sizeof(ACL);
    FltpAddEntry(&Default->Acl, DesiredAccess, 1, SECURITY_LOCAL_SYSTEM_RID, 0);
    FltpAddEntry(&Default->Acl, DesiredAccess, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS);
    Descriptor = (PISECURITY_DESCRIPTOR)&Default->Descriptor;
    Descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    Descriptor->Control = SE_DACL_PRESENT;
    Descriptor->Dacl = &Default->Acl;
    *SecurityDescriptor = Descriptor;
    return STATUS_SUCCESS;
}

/* IRQL: <= APC_LEVEL. */
VOID FLTAPI FltFreeSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    ExFreePoolWithTag(SecurityDescriptor, FLTP_TAG_PORT);
}
