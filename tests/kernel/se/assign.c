// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors of new objects: who owns them, what is inherited; and parts of descriptors, read and replaced.
 */
#include <ntifs.h>

#include <fltvm.h>

NTSYSAPI NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Present, PACL Sacl,
                                                     BOOLEAN Defaulted);

static GENERIC_MAPPING Mapping = {0x1, 0x2, 0x4, 0x1F};
static SECURITY_SUBJECT_CONTEXT Subject;
static ULONG ParentBuffer[64], ExplicitBuffer[64];
static PACL ParentAcl = (PACL)ParentBuffer, ExplicitAcl = (PACL)ExplicitBuffer;
static SECURITY_DESCRIPTOR Parent, Explicit;

static VOID Reset(VOID)
{
    RtlCreateAcl(ParentAcl, sizeof(ParentBuffer), ACL_REVISION);
    RtlCreateAcl(ExplicitAcl, sizeof(ExplicitBuffer), ACL_REVISION);
    RtlCreateSecurityDescriptor(&Parent, SECURITY_DESCRIPTOR_REVISION);
    RtlCreateSecurityDescriptor(&Explicit, SECURITY_DESCRIPTOR_REVISION);
    RtlSetDaclSecurityDescriptor(&Parent, TRUE, ParentAcl, FALSE);
}

static VOID Add(PACL Acl, ULONG Flags, ACCESS_MASK Mask, PSID Sid)
{
    FvCheck(RtlAddAccessAllowedAceEx(Acl, ACL_REVISION, Flags, Mask, Sid) == STATUS_SUCCESS);
}

/* One entry of the new descriptor's list. */
static BOOLEAN Holds(PSECURITY_DESCRIPTOR Descriptor, ULONG Index, UCHAR Flags, ACCESS_MASK Mask, PSID Sid)
{
    BOOLEAN Present = FALSE, Defaulted;
    PACCESS_ALLOWED_ACE Ace;
    PACL Acl = NULL;

    RtlGetDaclSecurityDescriptor(Descriptor, &Present, &Acl, &Defaulted);
    return Present && Acl != NULL && NT_SUCCESS(RtlGetAce(Acl, Index, (PVOID *)&Ace)) &&
           Ace->Header.AceFlags == Flags && Ace->Mask == Mask && RtlEqualSid(&Ace->SidStart, Sid);
}

static ULONG Count(PSECURITY_DESCRIPTOR Descriptor)
{
    BOOLEAN Present = FALSE, Defaulted;
    PACL Acl = NULL;

    RtlGetDaclSecurityDescriptor(Descriptor, &Present, &Acl, &Defaulted);
    return !Present ? 1000 : Acl == NULL ? 2000 : Acl->AceCount;
}

static BOOLEAN OwnedBy(PSECURITY_DESCRIPTOR Descriptor, PSID Owner, PSID Group)
{
    BOOLEAN Defaulted;
    PSID Its, Other;

    RtlGetOwnerSecurityDescriptor(Descriptor, &Its, &Defaulted);
    RtlGetGroupSecurityDescriptor(Descriptor, &Other, &Defaulted);
    return RtlEqualSid(Its, Owner) && RtlEqualSid(Other, Group);
}

static PSECURITY_DESCRIPTOR Assign(PSECURITY_DESCRIPTOR From, PSECURITY_DESCRIPTOR With, BOOLEAN Directory, ULONG Flags)
{
    PSECURITY_DESCRIPTOR New = NULL;

    FvCheck(SeAssignSecurityEx(From, With, &New, NULL, Directory, Flags, &Subject, &Mapping, PagedPool) ==
            STATUS_SUCCESS);
    FvCheck(New != NULL && RtlValidRelativeSecurityDescriptor(New, RtlLengthSecurityDescriptor(New), 0));
    return New;
}

static VOID CheckDefaults(VOID)
{
    PSECURITY_DESCRIPTOR New = NULL;

    /* Of nothing: the token's owner, primary group and default list. */
    Reset();
    FvCheck(SeAssignSecurity(NULL, NULL, &New, FALSE, &Subject, &Mapping, PagedPool) == STATUS_SUCCESS);
    FvCheck(OwnedBy(New, SeExports->SeAliasAdminsSid, SeExports->SeLocalSystemSid) && Count(New) == 2 &&
            Holds(New, 0, 0, 0x1F, SeExports->SeAliasAdminsSid));
    FvCheck(SeDeassignSecurity(&New) == STATUS_SUCCESS && New == NULL && SeDeassignSecurity(&New) == STATUS_SUCCESS);

    /* The explicit ones; a NULL list stays one, with a parent too. */
    RtlSetOwnerSecurityDescriptor(&Explicit, SeExports->SeLocalSystemSid, FALSE);
    RtlSetGroupSecurityDescriptor(&Explicit, SeExports->SeWorldSid, FALSE);
    RtlSetDaclSecurityDescriptor(&Explicit, TRUE, NULL, FALSE);
    Add(ParentAcl, OBJECT_INHERIT_ACE, 0x1, SeExports->SeWorldSid);
    New = Assign(&Parent, &Explicit, FALSE, 0);
    FvCheck(OwnedBy(New, SeExports->SeLocalSystemSid, SeExports->SeWorldSid) && Count(New) == 2000);
    SeDeassignSecurity(&New);

    /* From the parent, when asked for. */
    Reset();
    RtlSetOwnerSecurityDescriptor(&Parent, SeExports->SeLocalServiceSid, FALSE);
    RtlSetGroupSecurityDescriptor(&Parent, SeExports->SeNetworkServiceSid, FALSE);
    New = Assign(&Parent, NULL, FALSE, SEF_DEFAULT_OWNER_FROM_PARENT | SEF_DEFAULT_GROUP_FROM_PARENT);
    FvCheck(OwnedBy(New, SeExports->SeLocalServiceSid, SeExports->SeNetworkServiceSid));
    SeDeassignSecurity(&New);
}

static VOID CheckRefusals(VOID)
{
    PACCESS_TOKEN Plain = NULL, System = Subject.PrimaryToken;
    ULONG SaclBuffer[2];
    PSECURITY_DESCRIPTOR New = NULL;

    Reset();
    FvCheck(SeFilterToken(System, 0x1 /* DISABLE_MAX_PRIVILEGE */, NULL, NULL, NULL, &Plain) == STATUS_SUCCESS);
    RtlSetOwnerSecurityDescriptor(&Explicit, SeExports->SeLocalServiceSid, FALSE);
    New = Assign(NULL, &Explicit, FALSE, 0); /* SeRestorePrivilege may give to anybody */
    SeDeassignSecurity(&New);
    Subject.PrimaryToken = Plain;
    FvCheck(SeAssignSecurity(NULL, &Explicit, &New, FALSE, &Subject, &Mapping, PagedPool) == STATUS_INVALID_OWNER &&
            New == NULL);
    New = Assign(NULL, &Explicit, FALSE, SEF_AVOID_OWNER_CHECK);
    SeDeassignSecurity(&New);
    RtlSetOwnerSecurityDescriptor(&Explicit, SeExports->SeAliasAdminsSid, FALSE); /* a group that may own */
    New = Assign(NULL, &Explicit, FALSE, 0);
    SeDeassignSecurity(&New);
    RtlCreateAcl((PACL)SaclBuffer, sizeof(SaclBuffer), ACL_REVISION);
    RtlSetSaclSecurityDescriptor(&Explicit, TRUE, (PACL)SaclBuffer, FALSE);
    FvCheck(SeAssignSecurity(NULL, &Explicit, &New, FALSE, &Subject, &Mapping, PagedPool) == STATUS_PRIVILEGE_NOT_HELD);
    New = Assign(NULL, &Explicit, FALSE, SEF_AVOID_PRIVILEGE_CHECK);
    SeDeassignSecurity(&New);
    Subject.PrimaryToken = System;
    New = Assign(NULL, &Explicit, FALSE, 0);
    SeDeassignSecurity(&New);
    ObDereferenceObject(Plain);
}

static VOID CheckInheritance(VOID)
{
    PSECURITY_DESCRIPTOR New;

    Reset();
    Add(ParentAcl, OBJECT_INHERIT_ACE, 0x1, SeExports->SeWorldSid);
    Add(ParentAcl, CONTAINER_INHERIT_ACE, 0x2, SeExports->SeLocalSystemSid);
    Add(ParentAcl, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | NO_PROPAGATE_INHERIT_ACE, 0x4,
        SeExports->SeAliasAdminsSid);
    Add(ParentAcl, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | INHERIT_ONLY_ACE, GENERIC_WRITE,
        SeExports->SeCreatorOwnerSid);
    Add(ParentAcl, 0, 0x8, SeExports->SeWorldSid);

    New = Assign(&Parent, NULL, FALSE, 0);
    FvCheck(Count(New) == 3 && Holds(New, 0, 0, 0x1, SeExports->SeWorldSid) &&
            Holds(New, 1, 0, 0x4, SeExports->SeAliasAdminsSid) && Holds(New, 2, 0, 0x2, SeExports->SeAliasAdminsSid));
    SeDeassignSecurity(&New);

    New = Assign(&Parent, NULL, TRUE, SEF_DACL_AUTO_INHERIT);
    FvCheck(Count(New) == 5 &&
            Holds(New, 0, OBJECT_INHERIT_ACE | INHERIT_ONLY_ACE | INHERITED_ACE, 0x1, SeExports->SeWorldSid) &&
            Holds(New, 1, CONTAINER_INHERIT_ACE | INHERITED_ACE, 0x2, SeExports->SeLocalSystemSid) &&
            Holds(New, 2, INHERITED_ACE, 0x4, SeExports->SeAliasAdminsSid) &&
            Holds(New, 3, INHERITED_ACE, 0x2, SeExports->SeAliasAdminsSid) &&
            Holds(New, 4, OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE | INHERIT_ONLY_ACE | INHERITED_ACE, GENERIC_WRITE,
                  SeExports->SeCreatorOwnerSid));
    FvCheck((((PISECURITY_DESCRIPTOR_RELATIVE)New)->Control & SE_DACL_AUTO_INHERITED) != 0);
    SeDeassignSecurity(&New);
}

static VOID CheckExplicit(VOID)
{
    PSECURITY_DESCRIPTOR New;

    Reset();
    Add(ParentAcl, OBJECT_INHERIT_ACE, 0x1, SeExports->SeWorldSid);
    Add(ExplicitAcl, 0, GENERIC_ALL, SeExports->SeLocalSystemSid);
    Add(ExplicitAcl, INHERITED_ACE, 0x8, SeExports->SeWorldSid);
    RtlSetDaclSecurityDescriptor(&Explicit, TRUE, ExplicitAcl, FALSE);

    /* Without automatic inheritance the explicit list alone; with it, its own entries and then what is
     * inherited. */
    New = Assign(&Parent, &Explicit, FALSE, 0);
    FvCheck(Count(New) == 2 && Holds(New, 0, 0, 0x1F, SeExports->SeLocalSystemSid));
    SeDeassignSecurity(&New);
    New = Assign(&Parent, &Explicit, FALSE, SEF_DACL_AUTO_INHERIT);
    FvCheck(Count(New) == 2 && Holds(New, 0, 0, 0x1F, SeExports->SeLocalSystemSid) &&
            Holds(New, 1, INHERITED_ACE, 0x1, SeExports->SeWorldSid));
    SeDeassignSecurity(&New);
    ((PISECURITY_DESCRIPTOR)&Explicit)->Control |= SE_DACL_PROTECTED;
    New = Assign(&Parent, &Explicit, FALSE, SEF_DACL_AUTO_INHERIT);
    FvCheck(Count(New) == 2 && Holds(New, 1, INHERITED_ACE, 0x8, SeExports->SeWorldSid));
    SeDeassignSecurity(&New);
    ((PISECURITY_DESCRIPTOR)&Explicit)->Control &= ~SE_DACL_PROTECTED;

    /* A default one gives way to what is inherited, and only to that. */
    New = Assign(&Parent, &Explicit, FALSE, SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT);
    FvCheck(Count(New) == 1 && Holds(New, 0, 0, 0x1, SeExports->SeWorldSid));
    SeDeassignSecurity(&New);
    New = Assign(NULL, &Explicit, FALSE, SEF_DEFAULT_DESCRIPTOR_FOR_OBJECT);
    FvCheck(Count(New) == 2);
    SeDeassignSecurity(&New);
    RtlSetDaclSecurityDescriptor(&Explicit, TRUE, ExplicitAcl, TRUE);
    New = Assign(&Parent, &Explicit, FALSE, 0);
    FvCheck(Count(New) == 1);
    SeDeassignSecurity(&New);
}

static VOID CheckParts(VOID)
{
    SECURITY_INFORMATION Information = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    ULONG Buffer[64], Length = 0, Needed;
    PSECURITY_DESCRIPTOR Object = Assign(NULL, NULL, FALSE, 0), Old, None = NULL;
    PSID Group;
    BOOLEAN Defaulted;

    FvCheck(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &Object) == STATUS_BUFFER_TOO_SMALL &&
            Length > 20);
    Needed = Length--;
    Buffer[0] = 0x5A5A;
    FvCheck(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &Object) == STATUS_BUFFER_TOO_SMALL &&
            Length == Needed && Buffer[0] == 0x5A5A);
    FvCheck(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &Object) == STATUS_SUCCESS &&
            Length == Needed && Count(Buffer) == 2);
    RtlGetGroupSecurityDescriptor(Buffer, &Group, &Defaulted);
    FvCheck(Group == NULL); /* not asked for */
    Length = sizeof(Buffer);
    FvCheck(SeQuerySecurityDescriptorInfo(&Information, Buffer, &Length, &None) == STATUS_SUCCESS && Length == 20 &&
            Count(Buffer) == 1000);

    Reset();
    Add(ExplicitAcl, 0, GENERIC_READ, SeExports->SeWorldSid);
    RtlSetDaclSecurityDescriptor(&Explicit, TRUE, ExplicitAcl, FALSE);
    Old = Object;
    Information = DACL_SECURITY_INFORMATION;
    FvCheck(SeSetSecurityDescriptorInfo(NULL, &Information, &Explicit, &Object, NonPagedPoolNx, &Mapping) ==
            STATUS_SUCCESS);
    FvCheck(Object != Old && Count(Object) == 1 && Holds(Object, 0, 0, 0x1, SeExports->SeWorldSid) && Count(Old) == 2 &&
            OwnedBy(Object, SeExports->SeAliasAdminsSid, SeExports->SeLocalSystemSid));
    SeDeassignSecurity(&Old); /* it stays the caller's */
    Information = OWNER_SECURITY_INFORMATION;
    FvCheck(SeSetSecurityDescriptorInfo(NULL, &Information, &Explicit, &Object, PagedPool, &Mapping) ==
            STATUS_INVALID_OWNER);
    Information = GROUP_SECURITY_INFORMATION;
    FvCheck(SeSetSecurityDescriptorInfo(NULL, &Information, &Explicit, &Object, PagedPool, &Mapping) ==
            STATUS_INVALID_PRIMARY_GROUP);
    FvCheck(SeSetSecurityDescriptorInfo(NULL, &Information, &Explicit, &None, PagedPool, &Mapping) ==
            STATUS_NO_SECURITY_ON_OBJECT);
    Old = &Explicit;
    FvCheck(SeSetSecurityDescriptorInfo(NULL, &Information, &Explicit, &Old, PagedPool, &Mapping) ==
            STATUS_BAD_DESCRIPTOR_FORMAT);
    SeDeassignSecurity(&Object);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    UNREFERENCED_PARAMETER(DriverObject);
    FvTestPlan(70);
    SeCaptureSubjectContext(&Subject);
    CheckDefaults();
    CheckRefusals();
    CheckInheritance();
    CheckExplicit();
    CheckParts();
    SeReleaseSubjectContext(&Subject);
    return STATUS_SUCCESS;
}
