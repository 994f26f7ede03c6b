// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The access check: what a subject may do to an object, by the object's descriptor and the subject's token.
 *
 * In this order: kernel mode is granted all; an impersonation too weak is refused; ACCESS_SYSTEM_SECURITY is
 * a matter of SeSecurityPrivilege, WRITE_OWNER may be one of SeTakeOwnershipPrivilege; the owner has
 * READ_CONTROL and WRITE_DAC unless the list says what owners have; a label above the token's forbids what
 * its policy names; then the list, entry by entry, a right being decided by the first entry that names it.
 * Restricting identifiers, if there are any, are checked the same way, and only what both grant is granted.
 * Without a list all is granted; without a descriptor nothing.
 */
#include "sd.h"

#define SEP_LABEL_MEDIUM 0x2000

typedef enum _SEP_PASS { SepEnabledIdentities, SepRestrictingIdentities } SEP_PASS;

static BOOLEAN SepMatches(PSEP_TOKEN Token, PSID Sid, BOOLEAN Deny, SEP_PASS Pass)
{
    if (Pass == SepRestrictingIdentities) {
        for (ULONG Index = 0; Index < Token->RestrictedCount; Index++) {
            if (RtlEqualSid((PSID)Token->Restricted[Index], Sid)) {
                return TRUE;
            }
        }
        return FALSE;
    }
    return SepTokenHolds(Token, Sid, Deny);
}

static BOOLEAN SepIsOwner(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Descriptor, SEP_PASS Pass)
{
    BOOLEAN Defaulted;
    PSID Owner = NULL;

    RtlGetOwnerSecurityDescriptor(Descriptor, &Owner, &Defaulted);
    return Owner != NULL && SepMatches(Token, Owner, FALSE, Pass);
}

static BOOLEAN SepIsSimpleAce(PACE_HEADER Ace, UCHAR Type)
{
    return Ace->AceType == Type && SepIsSidAce(Ace);
}

/* What the list grants; Wanted MAXULONG: all there is to have. */
static ACCESS_MASK SepWalkAcl(PSEP_TOKEN Token, PACL Acl, ACCESS_MASK Wanted, PGENERIC_MAPPING Mapping, BOOLEAN Owner,
                              SEP_PASS Pass)
{
    ACCESS_MASK Granted = 0, Denied = 0, Mask;
    PACE_HEADER Ace = NULL;
    ULONG Left = Acl->AceCount;
    BOOLEAN OwnerRights = FALSE;

    while (Left-- != 0 && (Ace = SepNextAce(Acl, Ace)) != NULL) {
        PSID Sid = &((PACCESS_ALLOWED_ACE)Ace)->SidStart;
        BOOLEAN Allow = SepIsSimpleAce(Ace, ACCESS_ALLOWED_ACE_TYPE),
                Deny = SepIsSimpleAce(Ace, ACCESS_DENIED_ACE_TYPE);
        BOOLEAN ForOwner;

        if ((!Allow && !Deny) || (Ace->AceFlags & INHERIT_ONLY_ACE) != 0) {
            continue;
        }
        ForOwner = RtlEqualSid(Sid, SeExports->SeOwnerRightsSid);
        OwnerRights |= ForOwner;
        if (!(ForOwner && Owner) && !SepMatches(Token, Sid, Deny, Pass)) {
            continue;
        }
        Mask = ((PACCESS_ALLOWED_ACE)Ace)->Mask;
        RtlMapGenericMask(&Mask, Mapping);
        if (Deny) {
            Denied |= Mask & ~Granted;
        } else {
            Granted |= Mask & ~Denied;
            if ((Granted & Wanted) == Wanted) {
                return Wanted; /* nothing that follows takes it away */
            }
        }
    }
    if (Owner && !OwnerRights) {
        Granted |= READ_CONTROL | WRITE_DAC;
    }
    return Granted & Wanted;
}

/* What the object's label forbids the token, by its policy; an object without one is of medium integrity, not
 * to be written. */
static ACCESS_MASK SepForbiddenByLabel(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Descriptor, PGENERIC_MAPPING Mapping)
{
    ULONG Level = SEP_LABEL_MEDIUM, Policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
    BOOLEAN Present = FALSE, Defaulted;
    ACCESS_MASK Forbidden = 0;
    PACE_HEADER Ace = NULL;
    PACL Sacl = NULL;

    RtlGetSaclSecurityDescriptor(Descriptor, &Present, &Sacl, &Defaulted);
    for (ULONG Left = Present && Sacl != NULL ? Sacl->AceCount : 0; Left != 0 && (Ace = SepNextAce(Sacl, Ace)) != NULL;
         Left--) {
        PSID Sid = &((PSYSTEM_MANDATORY_LABEL_ACE)Ace)->SidStart;

        if (SepIsSimpleAce(Ace, SYSTEM_MANDATORY_LABEL_ACE_TYPE) && ((PISID)Sid)->SubAuthorityCount == 1) {
            Level = ((PISID)Sid)->SubAuthority[0];
            Policy = ((PSYSTEM_MANDATORY_LABEL_ACE)Ace)->Mask;
            break;
        }
    }
    if (Level <= Token->Integrity) {
        return 0;
    }
    if ((Policy & SYSTEM_MANDATORY_LABEL_NO_WRITE_UP) != 0) {
        Forbidden |= (Mapping->GenericWrite & ~(Mapping->GenericRead | Mapping->GenericExecute)) | WRITE_DAC |
                     WRITE_OWNER | DELETE;
    }
    if ((Policy & SYSTEM_MANDATORY_LABEL_NO_READ_UP) != 0) {
        Forbidden |= Mapping->GenericRead & ~Mapping->GenericExecute;
    }
    if ((Policy & SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP) != 0) {
        Forbidden |= Mapping->GenericExecute & ~Mapping->GenericRead;
    }
    return Forbidden;
}

static ACCESS_MASK SepGrantByDescriptor(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Descriptor, ACCESS_MASK Asked,
                                        BOOLEAN Maximum, PGENERIC_MAPPING Mapping)
{
    BOOLEAN Present = FALSE, Defaulted;
    ACCESS_MASK Wanted = Maximum ? MAXULONG : Asked, Granted;
    ACCESS_MASK Forbidden = SepForbiddenByLabel(Token, Descriptor, Mapping);
    PACL Dacl = NULL;

    RtlGetDaclSecurityDescriptor(Descriptor, &Present, &Dacl, &Defaulted);
    if (!Present || Dacl == NULL) {
        return (Maximum ? Mapping->GenericAll | Asked : Asked) & ~Forbidden;
    }
    Granted = SepWalkAcl(Token, Dacl, Wanted, Mapping, SepIsOwner(Token, Descriptor, SepEnabledIdentities),
                         SepEnabledIdentities);
    if (Token->IsRestricted) {
        Granted &= SepWalkAcl(Token, Dacl, Wanted, Mapping, SepIsOwner(Token, Descriptor, SepRestrictingIdentities),
                              SepRestrictingIdentities);
    }
    return Granted & ~Forbidden;
}

/* The privileges that were used, for the caller to give back; without memory the check fails. */
static NTSTATUS SepReportPrivileges(const LUID *Used, ULONG Count, PPRIVILEGE_SET *Privileges)
{
    PPRIVILEGE_SET Set;

    if (Privileges == NULL) {
        return STATUS_SUCCESS;
    }
    *Privileges = NULL;
    if (Count == 0) {
        return STATUS_SUCCESS;
    }
    Set = ExAllocatePoolWithTag(PagedPool, FIELD_OFFSET(PRIVILEGE_SET, Privilege) + Count * sizeof(LUID_AND_ATTRIBUTES),
                                SEP_TAG);
    if (Set == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Set->PrivilegeCount = Count;
    Set->Control = 0;
    for (ULONG Index = 0; Index < Count; Index++) {
        Set->Privilege[Index].Luid = Used[Index];
        Set->Privilege[Index].Attributes = SE_PRIVILEGE_USED_FOR_ACCESS;
    }
    *Privileges = Set;
    return STATUS_SUCCESS;
}

static NTSTATUS SepCheck(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Descriptor, ACCESS_MASK Desired, ACCESS_MASK Previously,
                         PGENERIC_MAPPING Mapping, PPRIVILEGE_SET *Privileges, PACCESS_MASK Granted)
{
    BOOLEAN Maximum = (Desired & MAXIMUM_ALLOWED) != 0;
    ACCESS_MASK Remaining, Found;
    LUID Used[2];
    ULONG Count = 0;

    Desired &= ~MAXIMUM_ALLOWED;
    Remaining = Desired & ~Previously;
    if ((Remaining & ACCESS_SYSTEM_SECURITY) != 0) {
        if (!SepTokenHasPrivilege(Token, SeExports->SeSecurityPrivilege)) {
            return STATUS_PRIVILEGE_NOT_HELD;
        }
        Used[Count++] = SeExports->SeSecurityPrivilege;
        Previously |= ACCESS_SYSTEM_SECURITY;
        Remaining &= ~ACCESS_SYSTEM_SECURITY;
    }
    Found = Remaining == 0 && !Maximum ? 0 : SepGrantByDescriptor(Token, Descriptor, Remaining, Maximum, Mapping);
    if ((Remaining & ~Found & WRITE_OWNER) != 0 && SepTokenHasPrivilege(Token, SeExports->SeTakeOwnershipPrivilege)) {
        Used[Count++] = SeExports->SeTakeOwnershipPrivilege;
        Found |= WRITE_OWNER;
    }
    if ((Remaining & ~Found) != 0 || (Maximum && (Found | Previously) == 0)) {
        return STATUS_ACCESS_DENIED;
    }
    *Granted = Previously | (Maximum ? Found | Desired : Desired);
    return SepReportPrivileges(Used, Count, Privileges);
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI SeAccessCheck(PSECURITY_DESCRIPTOR SecurityDescriptor, PSECURITY_SUBJECT_CONTEXT SubjectSecurityContext,
                            BOOLEAN SubjectContextLocked, ACCESS_MASK DesiredAccess,
                            ACCESS_MASK PreviouslyGrantedAccess, PPRIVILEGE_SET *Privileges,
                            PGENERIC_MAPPING GenericMapping, KPROCESSOR_MODE AccessMode, PACCESS_MASK GrantedAccess,
                            PNTSTATUS AccessStatus)
{
    UNREFERENCED_PARAMETER(SubjectContextLocked);
    PAGED_CODE();
    if (Privileges != NULL) {
        *Privileges = NULL;
    }
    RtlMapGenericMask(&DesiredAccess, GenericMapping);
    *AccessStatus = STATUS_SUCCESS;
    if (AccessMode == KernelMode) {
        *GrantedAccess = PreviouslyGrantedAccess | (DesiredAccess & ~MAXIMUM_ALLOWED) |
                         ((DesiredAccess & MAXIMUM_ALLOWED) != 0 ? GenericMapping->GenericAll : 0);
        return TRUE;
    }
    *GrantedAccess = 0;
    if (SecurityDescriptor == NULL) {
        *AccessStatus = STATUS_ACCESS_DENIED;
    } else if (SubjectSecurityContext->ClientToken != NULL &&
               SubjectSecurityContext->ImpersonationLevel < SecurityImpersonation) {
        *AccessStatus = STATUS_BAD_IMPERSONATION_LEVEL;
    } else if (DesiredAccess == 0 && PreviouslyGrantedAccess == 0) {
        *AccessStatus = STATUS_ACCESS_DENIED; /* nothing asked for, nothing given */
    } else {
        *AccessStatus = SepCheck(SeQuerySubjectContextToken(SubjectSecurityContext), SecurityDescriptor, DesiredAccess,
                                 PreviouslyGrantedAccess, GenericMapping, Privileges, GrantedAccess);
    }
    return NT_SUCCESS(*AccessStatus);
}

/* IRQL: PASSIVE_LEVEL. */
VOID NTAPI SeFreePrivileges(PPRIVILEGE_SET Privileges)
{
    PAGED_CODE();
    ExFreePoolWithTag(Privileges, SEP_TAG);
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI SeValidSecurityDescriptor(ULONG Length, PSECURITY_DESCRIPTOR SecurityDescriptor)
{
    PAGED_CODE();
    return RtlValidRelativeSecurityDescriptor(SecurityDescriptor, Length, 0);
}

/* IRQL: PASSIVE_LEVEL. */
VOID NTAPI SeSetAccessStateGenericMapping(PACCESS_STATE AccessState, PGENERIC_MAPPING GenericMapping)
{
    PAGED_CODE();
    ((PSEP_AUX_ACCESS_DATA)AccessState->AuxData)->GenericMapping = *GenericMapping;
}
