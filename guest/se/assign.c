// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptors of new objects, and parts of descriptors read and replaced.
 *
 * A list of a new object is the explicit one; with automatic inheritance what the parent hands down follows
 * it, unless it is protected.  A default one gives way to what is inherited.  Without either a list of access
 * is the token's default.
 */
#include "sd.h"

/* One part's two sources, either NULL, and what decides between them. */
typedef struct _SEP_SOURCE {
    PACL Explicit, Parent, Otherwise;
    BOOLEAN Present; /* the explicit one, which may be NULL */
    BOOLEAN Default; /* gives way to what is inherited */
    BOOLEAN Protected;
    SEP_HEIR Heir;
} SEP_SOURCE, *PSEP_SOURCE;

static PSID SepOwnerOf(PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Group)
{
    BOOLEAN Defaulted;
    PSID Sid = NULL;

    if (Descriptor != NULL) {
        (Group ? RtlGetGroupSecurityDescriptor : RtlGetOwnerSecurityDescriptor)(Descriptor, &Sid, &Defaulted);
    }
    return Sid;
}

/* Whether the list is there; *Acl NULL: it is there and empty of restrictions, or not there. */
static BOOLEAN SepListOf(PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Sacl, PACL *Acl, PBOOLEAN Defaulted)
{
    BOOLEAN Present = FALSE;

    *Acl = NULL;
    *Defaulted = FALSE;
    if (Descriptor != NULL) {
        (Sacl ? RtlGetSaclSecurityDescriptor : RtlGetDaclSecurityDescriptor)(Descriptor, &Present, Acl, Defaulted);
    }
    return Present;
}

/* Whether the token's subject may make Owner the owner of something. */
static BOOLEAN SepMayOwn(PSEP_TOKEN Token, PSID Owner)
{
    if (RtlEqualSid(Token->User, Owner) && Token->UserAttributes == 0) {
        return TRUE;
    }
    for (ULONG Index = 0; Index < Token->GroupCount; Index++) {
        if (RtlEqualSid(Token->Groups[Index], Owner) && (Token->GroupAttributes[Index] & SE_GROUP_OWNER) != 0) {
            return TRUE;
        }
    }
    return SepTokenHasPrivilege(Token, SeExports->SeRestorePrivilege);
}

/* Measures, then makes, what Fill appends.  Without memory or too long: FALSE. */
static PACL SepMakeList(VOID (*Fill)(PSEP_LIST List, PVOID Context), PVOID Context)
{
    SEP_LIST List = {.Used = sizeof(ACL)};
    ULONG Length;
    PACL Acl;

    Fill(&List, Context);
    Length = ALIGN_UP_BY(List.Used, sizeof(ULONG));
    Acl = Length > 0xFFFC ? NULL : ExAllocatePoolWithTag(PagedPool, Length, SEP_TAG);
    if (Acl == NULL) {
        return NULL;
    }
    RtlZeroMemory(Acl, Length);
    List = (SEP_LIST){.Acl = Acl, .Used = sizeof(ACL)};
    Fill(&List, Context);
    Acl->AclRevision = ACL_REVISION_DS;
    Acl->AclSize = (USHORT)Length;
    Acl->AceCount = List.Count;
    return Acl;
}

static VOID SepFillList(PSEP_LIST List, PVOID Context)
{
    PSEP_SOURCE Source = Context;
    BOOLEAN Inherit = Source->Parent != NULL && !Source->Protected && (Source->Heir.Automatic || Source->Default);
    SEP_LIST Inherited = {.Used = sizeof(ACL)};

    if (Inherit) {
        SepAppendInherited(&Inherited, Source->Parent, &Source->Heir);
    }
    if (Source->Explicit != NULL && !(Source->Default && Inherited.Count != 0)) {
        SepAppendAcl(List, Source->Explicit, !Source->Heir.Automatic || Source->Protected, Source->Heir.Mapping);
    } else if (!Source->Present && Inherited.Count == 0 && Source->Otherwise != NULL) {
        SepAppendAcl(List, Source->Otherwise, TRUE, Source->Heir.Mapping);
    }
    if (Inherit) {
        SepAppendInherited(List, Source->Parent, &Source->Heir);
    }
}

/* The new object's list, in pool; an explicit NULL list stays one. */
static NTSTATUS SepNewList(PSEP_SOURCE Source, PBOOLEAN Present, PACL *Acl)
{
    SEP_LIST List = {.Used = sizeof(ACL)};

    *Acl = NULL;
    SepFillList(&List, Source);
    *Present = Source->Present || List.Count != 0 || Source->Otherwise != NULL;
    if (!*Present || (Source->Present && Source->Explicit == NULL && (!Source->Default || List.Count == 0))) {
        return STATUS_SUCCESS;
    }
    *Acl = SepMakeList(SepFillList, Source);
    return *Acl != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The absolute descriptor's self-relative copy, in pool. */
static NTSTATUS SepMakeRelative(PISECURITY_DESCRIPTOR Absolute, POOL_TYPE PoolType, PSECURITY_DESCRIPTOR *Result)
{
    ULONG Length = 0;

    RtlAbsoluteToSelfRelativeSD(Absolute, NULL, &Length);
    *Result = ExAllocatePoolWithTag(PoolType, Length, SEP_TAG);
    if (*Result == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return RtlAbsoluteToSelfRelativeSD(Absolute, *Result, &Length);
}

static VOID SepFreeList(PACL Acl)
{
    if (Acl != NULL) {
        ExFreePoolWithTag(Acl, SEP_TAG);
    }
}

static SECURITY_DESCRIPTOR_CONTROL SepControl(PSECURITY_DESCRIPTOR Descriptor)
{
    return Descriptor != NULL ? ((PISECURITY_DESCRIPTOR)Descriptor)->Control : 0;
}

static VOID SepDescribeSource(PSEP_SOURCE Source, PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit,
                              BOOLEAN Sacl, ULONG Flags)
{
    BOOLEAN Defaulted;

    SepListOf(Parent, Sacl, &Source->Parent, &Defaulted);
    Source->Present = SepListOf(Explicit, Sacl, &Source->Explicit, &Defaulted);
    Source->Default = !Source->Present || Defaulted || (Flags & SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT) != 0;
    Source->Protected = (SepControl(Explicit) & (Sacl ? SE_SACL_PROTECTED : SE_DACL_PROTECTED)) != 0;
    Source->Heir.Automatic = (Flags & (Sacl ? SEF_SACL_AUTO_INHERIT : SEF_DACL_AUTO_INHERIT)) != 0;
}

/* Owner and group by the documented order: the explicit one's, the parent's when asked for, the subject's. */
static NTSTATUS SepNewOwner(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit, ULONG Flags,
                            PSEP_HEIR Heir)
{
    Heir->Owner = SepOwnerOf(Explicit, FALSE);
    Heir->Group = SepOwnerOf(Explicit, TRUE);
    if (Heir->Owner != NULL && !(Flags & SEF_AVOID_OWNER_CHECK) && !SepMayOwn(Token, Heir->Owner)) {
        return STATUS_INVALID_OWNER;
    }
    if (Heir->Owner == NULL) {
        Heir->Owner = (Flags & SEF_DEFAULT_OWNER_FROM_PARENT) ? SepOwnerOf(Parent, FALSE) : Token->Owner;
    }
    if (Heir->Group == NULL) {
        Heir->Group = (Flags & SEF_DEFAULT_GROUP_FROM_PARENT) ? SepOwnerOf(Parent, TRUE) : Token->PrimaryGroup;
    }
    return Heir->Owner != NULL ? STATUS_SUCCESS : STATUS_INVALID_OWNER;
}

static NTSTATUS SepAssign(PSEP_TOKEN Token, PSECURITY_DESCRIPTOR Parent, PSECURITY_DESCRIPTOR Explicit, ULONG Flags,
                          PSEP_HEIR Heir, PSECURITY_DESCRIPTOR *New)
{
    SEP_SOURCE Dacl = {.Otherwise = (PACL)Token->DefaultDacl}, Sacl = {0};
    BOOLEAN DaclPresent, SaclPresent = FALSE;
    PACL DaclList = NULL, SaclList = NULL;
    SECURITY_DESCRIPTOR Absolute;
    NTSTATUS Status = SepNewOwner(Token, Parent, Explicit, Flags, Heir);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Dacl.Heir = Sacl.Heir = *Heir;
    SepDescribeSource(&Dacl, Parent, Explicit, FALSE, Flags);
    SepDescribeSource(&Sacl, Parent, Explicit, TRUE, Flags);
    if (Sacl.Explicit != NULL && !(Flags & SEF_AVOID_PRIVILEGE_CHECK) &&
        !SepTokenHasPrivilege(Token, SeExports->SeSecurityPrivilege)) {
        return STATUS_PRIVILEGE_NOT_HELD;
    }
    Status = SepNewList(&Dacl, &DaclPresent, &DaclList);
    if (NT_SUCCESS(Status)) {
        Status = SepNewList(&Sacl, &SaclPresent, &SaclList);
    }
    if (NT_SUCCESS(Status)) {
        RtlCreateSecurityDescriptor(&Absolute, SECURITY_DESCRIPTOR_REVISION);
        RtlSetOwnerSecurityDescriptor(&Absolute, Heir->Owner, FALSE);
        RtlSetGroupSecurityDescriptor(&Absolute, Heir->Group, FALSE);
        RtlSetDaclSecurityDescriptor(&Absolute, DaclPresent, DaclList, FALSE);
        RtlSetSaclSecurityDescriptor(&Absolute, SaclPresent, SaclList, FALSE);
        Absolute.Control |= (Dacl.Protected ? SE_DACL_PROTECTED : 0) | (Sacl.Protected ? SE_SACL_PROTECTED : 0) |
                            (Dacl.Heir.Automatic ? SE_DACL_AUTO_INHERITED : 0) |
                            (Sacl.Heir.Automatic ? SE_SACL_AUTO_INHERITED : 0);
        Status = SepMakeRelative((PISECURITY_DESCRIPTOR)&Absolute, PagedPool, New);
    }
    SepFreeList(DaclList);
    SepFreeList(SaclList);
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  Paged pool, whatever PoolType says.  STATUS_INVALID_OWNER: not one that the subject
 * may give; STATUS_PRIVILEGE_NOT_HELD: an explicit list of audits without SeSecurityPrivilege.  ObjectType
 * decides nothing: entries about types of objects are inherited as others are.
 */
NTSTATUS NTAPI SeAssignSecurityEx(PSECURITY_DESCRIPTOR ParentDescriptor, PSECURITY_DESCRIPTOR ExplicitDescriptor,
                                  PSECURITY_DESCRIPTOR *NewDescriptor, GUID *ObjectType, BOOLEAN IsDirectoryObject,
                                  ULONG AutoInheritFlags, PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                  PGENERIC_MAPPING GenericMapping, POOL_TYPE PoolType)
{
    SEP_HEIR Heir = {.IsDirectory = IsDirectoryObject, .Mapping = GenericMapping};
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ObjectType);
    UNREFERENCED_PARAMETER(PoolType);
    PAGED_CODE();
    *NewDescriptor = NULL;
    SepLockTokens();
    Status = SepAssign(SeQuerySubjectContextToken(SubjectContext), ParentDescriptor, ExplicitDescriptor,
                       AutoInheritFlags, &Heir, NewDescriptor);
    SepUnlockTokens();
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  SeAssignSecurityEx without its flags. */
NTSTATUS NTAPI SeAssignSecurity(PSECURITY_DESCRIPTOR ParentDescriptor, PSECURITY_DESCRIPTOR ExplicitDescriptor,
                                PSECURITY_DESCRIPTOR *NewDescriptor, BOOLEAN IsDirectoryObject,
                                PSECURITY_SUBJECT_CONTEXT SubjectContext, PGENERIC_MAPPING GenericMapping,
                                POOL_TYPE PoolType)
{
    return SeAssignSecurityEx(ParentDescriptor, ExplicitDescriptor, NewDescriptor, NULL, IsDirectoryObject, 0,
                              SubjectContext, GenericMapping, PoolType);
}

/* IRQL: PASSIVE_LEVEL. */
NTSTATUS NTAPI SeDeassignSecurity(PSECURITY_DESCRIPTOR *SecurityDescriptor)
{
    PAGED_CODE();
    if (*SecurityDescriptor != NULL) {
        ExFreePool(*SecurityDescriptor);
        *SecurityDescriptor = NULL;
    }
    return STATUS_SUCCESS;
}

/* ---- parts of an object's descriptor ---- */

/* The parts of From that Information names, into the absolute To. */
static VOID SepTakeParts(PISECURITY_DESCRIPTOR To, PSECURITY_DESCRIPTOR From, SECURITY_INFORMATION Information)
{
    BOOLEAN Defaulted, Present;
    PACL Acl;

    if ((Information & OWNER_SECURITY_INFORMATION) != 0) {
        RtlSetOwnerSecurityDescriptor(To, SepOwnerOf(From, FALSE), (SepControl(From) & SE_OWNER_DEFAULTED) != 0);
    }
    if ((Information & GROUP_SECURITY_INFORMATION) != 0) {
        RtlSetGroupSecurityDescriptor(To, SepOwnerOf(From, TRUE), (SepControl(From) & SE_GROUP_DEFAULTED) != 0);
    }
    if ((Information & DACL_SECURITY_INFORMATION) != 0) {
        Present = SepListOf(From, FALSE, &Acl, &Defaulted);
        To->Dacl = NULL;
        RtlSetDaclSecurityDescriptor(To, Present, Acl, Defaulted);
        To->Control |= SepControl(From) & (SE_DACL_AUTO_INHERITED | SE_DACL_PROTECTED);
    }
    if ((Information & (SACL_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION)) != 0) {
        Present = SepListOf(From, TRUE, &Acl, &Defaulted);
        To->Sacl = NULL;
        RtlSetSaclSecurityDescriptor(To, Present, Acl, Defaulted);
        To->Control |= SepControl(From) & (SE_SACL_AUTO_INHERITED | SE_SACL_PROTECTED);
    }
}

/* IRQL: PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL with the length that it takes; nothing is copied then. */
NTSTATUS NTAPI SeQuerySecurityDescriptorInfo(PSECURITY_INFORMATION SecurityInformation,
                                             PSECURITY_DESCRIPTOR SecurityDescriptor, PULONG Length,
                                             PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor)
{
    SECURITY_DESCRIPTOR Parts;

    PAGED_CODE();
    RtlCreateSecurityDescriptor(&Parts, SECURITY_DESCRIPTOR_REVISION);
    if (*ObjectsSecurityDescriptor != NULL) {
        SepTakeParts((PISECURITY_DESCRIPTOR)&Parts, *ObjectsSecurityDescriptor, *SecurityInformation);
    }
    return RtlAbsoluteToSelfRelativeSD(&Parts, SecurityDescriptor, Length);
}

typedef struct _SEP_MAPPED {
    PACL Acl;
    PGENERIC_MAPPING Mapping;
} SEP_MAPPED;

static VOID SepFillMapped(PSEP_LIST List, PVOID Context)
{
    SEP_MAPPED *Mapped = Context;

    SepAppendAcl(List, Mapped->Acl, TRUE, Mapped->Mapping);
}

static NTSTATUS SepCheckNewOwner(PSECURITY_DESCRIPTOR Modification, SECURITY_INFORMATION Information)
{
    SECURITY_SUBJECT_CONTEXT Subject;
    BOOLEAN May;

    if ((Information & GROUP_SECURITY_INFORMATION) != 0 && SepOwnerOf(Modification, TRUE) == NULL) {
        return STATUS_INVALID_PRIMARY_GROUP;
    }
    if ((Information & OWNER_SECURITY_INFORMATION) == 0) {
        return STATUS_SUCCESS;
    }
    if (SepOwnerOf(Modification, FALSE) == NULL) {
        return STATUS_INVALID_OWNER;
    }
    SeCaptureSubjectContext(&Subject);
    May = SepMayOwn(SeQuerySubjectContextToken(&Subject), SepOwnerOf(Modification, FALSE));
    SeReleaseSubjectContext(&Subject);
    return May ? STATUS_SUCCESS : STATUS_INVALID_OWNER;
}

/*
 * IRQL: PASSIVE_LEVEL.  *ObjectsSecurityDescriptor becomes a new one, of PoolType; the old one stays the
 * caller's to free. STATUS_NO_SECURITY_ON_OBJECT, STATUS_BAD_DESCRIPTOR_FORMAT, STATUS_INVALID_OWNER,
 * STATUS_INVALID_PRIMARY_GROUP; without memory STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI SeSetSecurityDescriptorInfo(PVOID Object, PSECURITY_INFORMATION SecurityInformation,
                                           PSECURITY_DESCRIPTOR ModificationDescriptor,
                                           PSECURITY_DESCRIPTOR *ObjectsSecurityDescriptor, POOL_TYPE PoolType,
                                           PGENERIC_MAPPING GenericMapping)
{
    SECURITY_INFORMATION Information = *SecurityInformation;
    PSECURITY_DESCRIPTOR New;
    SECURITY_DESCRIPTOR Merged;
    PACL Mapped = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Object);
    PAGED_CODE();
    if (*ObjectsSecurityDescriptor == NULL) {
        return STATUS_NO_SECURITY_ON_OBJECT;
    }
    if ((SepControl(*ObjectsSecurityDescriptor) & SE_SELF_RELATIVE) == 0) {
        return STATUS_BAD_DESCRIPTOR_FORMAT;
    }
    Status = SepCheckNewOwner(ModificationDescriptor, Information);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlCreateSecurityDescriptor(&Merged, SECURITY_DESCRIPTOR_REVISION);
    SepTakeParts((PISECURITY_DESCRIPTOR)&Merged, *ObjectsSecurityDescriptor, ~Information);
    SepTakeParts((PISECURITY_DESCRIPTOR)&Merged, ModificationDescriptor, Information);
    if ((Information & DACL_SECURITY_INFORMATION) != 0 && ((PISECURITY_DESCRIPTOR)&Merged)->Dacl != NULL) {
        SEP_MAPPED Context = {((PISECURITY_DESCRIPTOR)&Merged)->Dacl, GenericMapping};

        Mapped = SepMakeList(SepFillMapped, &Context);
        if (Mapped == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        ((PISECURITY_DESCRIPTOR)&Merged)->Dacl = Mapped;
    }
    Status = SepMakeRelative((PISECURITY_DESCRIPTOR)&Merged, PoolType, &New);
    if (NT_SUCCESS(Status)) {
        *ObjectsSecurityDescriptor = New;
    }
    SepFreeList(Mapped);
    return Status;
}
