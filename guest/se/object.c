/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ob has done about descriptors (ob.h): made for new objects, asked for who opens them.
 */
#include "sep.h"
#include <se.h>

static ULONG SepPublicAcl[32];
static SECURITY_DESCRIPTOR SepPublic;

/* IRQL: <= APC_LEVEL. */
static NTSTATUS SepAssignObject(PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit, BOOLEAN Container,
                                PGENERIC_MAPPING Mapping, PSECURITY_DESCRIPTOR *Descriptor)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    NTSTATUS Status;

    SeCaptureSubjectContext(&Subject);
    Status = SeAssignSecurity(Parent, Explicit, Descriptor, Container, &Subject, Mapping, PagedPool);
    SeReleaseSubjectContext(&Subject);
    return Status;
}

/* IRQL: <= APC_LEVEL.  Whoever is asked is so as user mode is. */
static NTSTATUS SepCheckObject(PSECURITY_DESCRIPTOR Descriptor, PGENERIC_MAPPING Mapping, PACCESS_STATE State)
{
    BOOLEAN Captured = State->SubjectSecurityContext.PrimaryToken == NULL;
    PPRIVILEGE_SET Privileges = NULL;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    if (Captured) {
        SeCaptureSubjectContext(&State->SubjectSecurityContext);
    }
    if (SeAccessCheck(Descriptor, &State->SubjectSecurityContext, FALSE, State->RemainingDesiredAccess,
                      State->PreviouslyGrantedAccess, &Privileges, Mapping, UserMode, &Granted, &Status)) {
        State->PreviouslyGrantedAccess |= Granted;
        State->RemainingDesiredAccess = 0;
    }
    if (Privileges != NULL) {
        SeFreePrivileges(Privileges);
    }
    if (Captured) {
        SeReleaseSubjectContext(&State->SubjectSecurityContext);
        RtlZeroMemory(&State->SubjectSecurityContext, sizeof(State->SubjectSecurityContext));
    }
    return Status;
}

VOID SepServeObjects(VOID)
{
    static const OB_SECURITY Security = {SepAssignObject, SepCheckObject, &SepPublic};
    PACL Acl = (PACL)SepPublicAcl;

    RtlCreateAcl(Acl, sizeof(SepPublicAcl), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_ALL, SeExports->SeLocalSystemSid);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_ALL, SeExports->SeAliasAdminsSid);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_READ, SeExports->SeWorldSid);
    RtlCreateSecurityDescriptor(&SepPublic, SECURITY_DESCRIPTOR_REVISION);
    RtlSetOwnerSecurityDescriptor(&SepPublic, SeExports->SeLocalSystemSid, FALSE);
    RtlSetGroupSecurityDescriptor(&SepPublic, SeExports->SeLocalSystemSid, FALSE);
    RtlSetDaclSecurityDescriptor(&SepPublic, TRUE, Acl, FALSE);
    ObSecurity = &Security;
}
