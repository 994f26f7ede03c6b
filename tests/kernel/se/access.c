// SPDX-License-Identifier: GPL-2.0-or-later
/* The access check, clause by clause, against tokens made from the system's own by SeFilterToken. */
#include <ntifs.h>

#include <fltvm.h>

#define READ    0x1
#define WRITE   0x2
#define EXECUTE 0x4

static GENERIC_MAPPING Mapping = {READ | READ_CONTROL, WRITE | READ_CONTROL, EXECUTE | READ_CONTROL,
                                  READ | WRITE | EXECUTE | STANDARD_RIGHTS_REQUIRED};
static PACCESS_TOKEN System, Plain, Limited;
static ULONG AclBuffer[64], SaclBuffer[32];
static SECURITY_DESCRIPTOR Descriptor;

/* What a token's subject gets; the status when it is nothing. */
static NTSTATUS CheckFor(PACCESS_TOKEN Token, ACCESS_MASK Desired, ACCESS_MASK Previous, PACCESS_MASK Granted)
{
    SECURITY_SUBJECT_CONTEXT Subject = {.PrimaryToken = Token};
    NTSTATUS Status = STATUS_UNSUCCESSFUL;
    BOOLEAN Result;

    *Granted = 0xDEAD;
    Result = SeAccessCheck(&Descriptor, &Subject, FALSE, Desired, Previous, NULL, &Mapping, UserMode, Granted, &Status);
    FvCheck(Result == NT_SUCCESS(Status));
    return Status;
}

static BOOLEAN Grants(PACCESS_TOKEN Token, ACCESS_MASK Desired, ACCESS_MASK Expected)
{
    ACCESS_MASK Granted;

    return CheckFor(Token, Desired, 0, &Granted) == STATUS_SUCCESS && Granted == Expected;
}

static BOOLEAN Denies(PACCESS_TOKEN Token, ACCESS_MASK Desired)
{
    ACCESS_MASK Granted;

    return CheckFor(Token, Desired, 0, &Granted) == STATUS_ACCESS_DENIED && Granted == 0;
}

static PACL NewAcl(PVOID Buffer, ULONG Length)
{
    RtlCreateAcl(Buffer, Length, ACL_REVISION_DS);
    return Buffer;
}

static VOID SetDacl(PACL Acl)
{
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    RtlSetDaclSecurityDescriptor(&Descriptor, TRUE, Acl, FALSE);
}

static VOID Allow(PACL Acl, ACCESS_MASK Mask, PSID Sid)
{
    FvCheck(RtlAddAccessAllowedAce(Acl, ACL_REVISION, Mask, Sid) == STATUS_SUCCESS);
}

NTSYSAPI NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG Revision, ACCESS_MASK AccessMask, PSID Sid);
NTSYSAPI NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Present, PACL Sacl,
                                                     BOOLEAN Defaulted);

static VOID Deny(PACL Acl, ACCESS_MASK Mask, PSID Sid)
{
    FvCheck(RtlAddAccessDeniedAce(Acl, ACL_REVISION, Mask, Sid) == STATUS_SUCCESS);
}

static VOID CheckModesAndLists(VOID)
{
    SECURITY_SUBJECT_CONTEXT Subject = {.PrimaryToken = Limited};
    ACCESS_MASK Granted;
    NTSTATUS Status;
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));

    /* Kernel mode is granted what it asks for, whatever the descriptor says; an empty list grants nobody
     * anything. */
    SetDacl(Acl);
    FvCheck(SeAccessCheck(&Descriptor, &Subject, FALSE, READ, 0x10, NULL, &Mapping, KernelMode, &Granted, &Status) &&
            Status == STATUS_SUCCESS && Granted == (READ | 0x10));
    FvCheck(SeAccessCheck(&Descriptor, &Subject, FALSE, MAXIMUM_ALLOWED, 0, NULL, &Mapping, KernelMode, &Granted,
                          &Status) &&
            Granted == Mapping.GenericAll);
    FvCheck(Denies(Limited, READ) && Denies(System, READ) && Denies(System, MAXIMUM_ALLOWED));
    /* Without a list all is granted; without a descriptor nothing; to who asks for nothing, what was granted
     * before. */
    SetDacl(NULL);
    FvCheck(Grants(Limited, READ | WRITE, READ | WRITE));
    FvCheck(Grants(Limited, MAXIMUM_ALLOWED, Mapping.GenericAll));
    RtlCreateSecurityDescriptor(&Descriptor, SECURITY_DESCRIPTOR_REVISION);
    FvCheck(Grants(Limited, GENERIC_READ, READ | READ_CONTROL));
    FvCheck(!SeAccessCheck(NULL, &Subject, FALSE, READ, 0, NULL, &Mapping, UserMode, &Granted, &Status) &&
            Status == STATUS_ACCESS_DENIED);
    FvCheck(Denies(Limited, 0));
    FvCheck(CheckFor(Limited, 0, READ, &Granted) == STATUS_SUCCESS && Granted == READ);
    SetDacl(Acl);
    FvCheck(CheckFor(Limited, READ, READ, &Granted) == STATUS_SUCCESS && Granted == READ);
    FvCheck(CheckFor(Limited, READ | WRITE, READ, &Granted) == STATUS_ACCESS_DENIED);
}

static VOID CheckEntries(VOID)
{
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));
    PACE_HEADER Ace;

    /* What an entry allows, generic rights mapped; all the rights asked for, from as many entries as it
     * takes. */
    SetDacl(Acl);
    Allow(Acl, READ, SeExports->SeWorldSid);
    Allow(Acl, GENERIC_WRITE, SeExports->SeAuthenticatedUsersSid);
    Allow(Acl, EXECUTE, SeExports->SeLocalServiceSid); /* no identity of anybody's here */
    FvCheck(Grants(Limited, READ | WRITE, READ | WRITE) && Denies(Limited, READ | EXECUTE));
    FvCheck(Grants(Limited, MAXIMUM_ALLOWED, READ | WRITE | READ_CONTROL));
    FvCheck(Grants(Limited, GENERIC_WRITE, WRITE | READ_CONTROL));

    /* The first entry that names a right decides it. */
    SetDacl(NewAcl(AclBuffer, sizeof(AclBuffer)));
    Deny(Acl, WRITE, SeExports->SeAuthenticatedUsersSid);
    Allow(Acl, READ | WRITE, SeExports->SeWorldSid);
    FvCheck(Denies(Limited, WRITE) && Grants(Limited, READ, READ) && Grants(Limited, MAXIMUM_ALLOWED, READ));
    SetDacl(NewAcl(AclBuffer, sizeof(AclBuffer)));
    Allow(Acl, READ | WRITE, SeExports->SeWorldSid);
    Deny(Acl, WRITE, SeExports->SeAuthenticatedUsersSid);
    FvCheck(Grants(Limited, WRITE, WRITE));

    /* Entries that are only handed on say nothing of this object. */
    RtlGetAce(Acl, 0, (PVOID *)&Ace);
    Ace->AceFlags = OBJECT_INHERIT_ACE | INHERIT_ONLY_ACE;
    FvCheck(Denies(Limited, READ));
    Ace->AceFlags = OBJECT_INHERIT_ACE;
    FvCheck(Grants(Limited, READ, READ));
    /* An entry that reaches beyond the list ends it. */
    Ace->AceSize = 0x7FFC;
    FvCheck(Denies(Limited, READ));
}

static VOID CheckDenyOnly(VOID)
{
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));

    /* The system's token holds the administrators' group; Limited has it, and the user, for denying only. */
    SetDacl(Acl);
    Allow(Acl, READ, SeExports->SeAliasAdminsSid);
    Allow(Acl, WRITE, SeExports->SeLocalSystemSid);
    FvCheck(Grants(System, READ | WRITE, READ | WRITE) && Denies(Limited, READ) && Denies(Limited, WRITE));
    SetDacl(NewAcl(AclBuffer, sizeof(AclBuffer)));
    Deny(Acl, READ, SeExports->SeAliasAdminsSid);
    Deny(Acl, WRITE, SeExports->SeLocalSystemSid);
    Allow(Acl, READ | WRITE | EXECUTE, SeExports->SeWorldSid);
    FvCheck(Grants(Limited, MAXIMUM_ALLOWED, EXECUTE));
}

static VOID CheckOwner(VOID)
{
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));

    SetDacl(Acl);
    RtlSetOwnerSecurityDescriptor(&Descriptor, SeExports->SeAliasAdminsSid, FALSE);
    FvCheck(Grants(System, READ_CONTROL | WRITE_DAC, READ_CONTROL | WRITE_DAC) && Denies(System, READ));
    FvCheck(Denies(Limited, READ_CONTROL)); /* an identity for denying only owns nothing */
    Allow(Acl, READ, SeExports->SeOwnerRightsSid);
    FvCheck(Grants(System, MAXIMUM_ALLOWED, READ) && Denies(System, WRITE_DAC));
}

static VOID CheckPrivileges(VOID)
{
    SECURITY_SUBJECT_CONTEXT Subject = {.PrimaryToken = System};
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));
    PPRIVILEGE_SET Used = (PPRIVILEGE_SET)1;
    ACCESS_MASK Granted;
    NTSTATUS Status;

    SetDacl(Acl);
    FvCheck(SeAccessCheck(&Descriptor, &Subject, FALSE, ACCESS_SYSTEM_SECURITY | WRITE_OWNER, 0, &Used, &Mapping,
                          UserMode, &Granted, &Status) &&
            Granted == (ACCESS_SYSTEM_SECURITY | WRITE_OWNER));
    FvCheck(Used != NULL && Used->PrivilegeCount == 2 && Used->Privilege[0].Luid.LowPart == SE_SECURITY_PRIVILEGE &&
            (Used->Privilege + 1)->Luid.LowPart == SE_TAKE_OWNERSHIP_PRIVILEGE &&
            Used->Privilege[0].Attributes == SE_PRIVILEGE_USED_FOR_ACCESS);
    SeFreePrivileges(Used);
    Allow(Acl, WRITE_OWNER, SeExports->SeWorldSid); /* no privilege is used for what the list grants */
    FvCheck(SeAccessCheck(&Descriptor, &Subject, FALSE, WRITE_OWNER, 0, &Used, &Mapping, UserMode, &Granted, &Status) &&
            Used == NULL);
    FvCheck(CheckFor(Plain, ACCESS_SYSTEM_SECURITY, 0, &Granted) == STATUS_PRIVILEGE_NOT_HELD && Granted == 0);
    SetDacl(NewAcl(AclBuffer, sizeof(AclBuffer)));
    FvCheck(Denies(Plain, WRITE_OWNER));
    Subject.ClientToken = System;
    Subject.ImpersonationLevel = SecurityIdentification;
    FvCheck(!SeAccessCheck(&Descriptor, &Subject, FALSE, READ, 0, NULL, &Mapping, UserMode, &Granted, &Status) &&
            Status == STATUS_BAD_IMPERSONATION_LEVEL);
}

static PACCESS_TOKEN Filter(PACCESS_TOKEN Token, ULONG Flags, PSID Disable, PSID Restrict)
{
    TOKEN_GROUPS Disabled = {.GroupCount = 1, .Groups = {{Disable, 0}}},
                 Restricted = {.GroupCount = 1, .Groups = {{Restrict, 0}}};
    PACCESS_TOKEN New = NULL;

    FvCheck(SeFilterToken(Token, Flags, Disable != NULL ? &Disabled : NULL, NULL, Restrict != NULL ? &Restricted : NULL,
                          &New) == STATUS_SUCCESS);
    return New;
}

static VOID CheckRestricted(VOID)
{
    PACCESS_TOKEN World = Filter(System, 0, NULL, SeExports->SeWorldSid), None;
    TOKEN_GROUPS Attributed = {.GroupCount = 1, .Groups = {{SeExports->SeWorldSid, SE_GROUP_ENABLED}}};
    ULONG BadSid[3] = {0};
    TOKEN_GROUPS Bad = {.GroupCount = 1, .Groups = {{BadSid, 0}}};
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer));
    PACCESS_TOKEN Token = NULL;

    FvCheck(SeTokenIsRestricted(World) && !SeTokenIsRestricted(System) && !SeTokenIsRestricted(Plain));
    SetDacl(Acl);
    Allow(Acl, READ | WRITE, SeExports->SeLocalSystemSid);
    Allow(Acl, READ, SeExports->SeWorldSid);
    FvCheck(Grants(System, MAXIMUM_ALLOWED, READ | WRITE));
    FvCheck(Grants(World, MAXIMUM_ALLOWED, READ) && Denies(World, WRITE)); /* only what both grant */
    /* The restricting identities of a restricted token's copy are those in both: here none, and nothing is
     * granted. */
    None = Filter(World, 0, NULL, SeExports->SeAliasAdminsSid);
    FvCheck(SeTokenIsRestricted(None) && Denies(None, READ));
    ObDereferenceObject(None);
    ObDereferenceObject(World);
    FvCheck(SeFilterToken(System, 0x100, NULL, NULL, NULL, &Token) == STATUS_INVALID_PARAMETER);
    FvCheck(SeFilterToken(System, 0, NULL, NULL, &Attributed, &Token) == STATUS_INVALID_PARAMETER);
    FvCheck(SeFilterToken(System, 0, NULL, NULL, &Bad, &Token) == STATUS_INVALID_PARAMETER);
    FvCheck(SeFilterToken(System, 0, &Bad, NULL, NULL, &Token) == STATUS_INVALID_PARAMETER && Token == NULL);
    FvCheck(SeFilterToken(System, 0, &Attributed, NULL, NULL, &Token) ==
            STATUS_SUCCESS); /* attributes do not count here */
    ObDereferenceObject(Token);
}

static VOID CheckLabels(VOID)
{
    PACL Acl = NewAcl(AclBuffer, sizeof(AclBuffer)), Sacl = NewAcl(SaclBuffer, sizeof(SaclBuffer));
    struct {
        ACE_HEADER Header;
        ACCESS_MASK Mask;
        ULONG Sid[3];
    } Label = {{SYSTEM_MANDATORY_LABEL_ACE_TYPE, 0, sizeof(Label)}, SYSTEM_MANDATORY_LABEL_NO_WRITE_UP, {0}};
    ULONG Above[3];
    PSYSTEM_MANDATORY_LABEL_ACE Ace = (PSYSTEM_MANDATORY_LABEL_ACE)(Sacl + 1);

    SetDacl(Acl);
    Allow(Acl, READ | WRITE | EXECUTE, SeExports->SeWorldSid);
    RtlCopySid(sizeof(Above), Above, SeExports->SeSystemMandatorySid);
    Above[2] = 0x5000; /* higher than the system's token */
    RtlCopySid(sizeof(Label.Sid), Label.Sid, Above);
    RtlCopyMemory(Ace, &Label, sizeof(Label));
    Sacl->AceCount = 1;
    RtlSetSaclSecurityDescriptor(&Descriptor, TRUE, Sacl, FALSE);
    FvCheck(Denies(System, WRITE) && Grants(System, READ | EXECUTE, READ | EXECUTE));
    Ace->Mask = SYSTEM_MANDATORY_LABEL_NO_READ_UP;
    FvCheck(Denies(System, READ) && Grants(System, WRITE, WRITE));
    Ace->Mask = SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP;
    FvCheck(Denies(System, EXECUTE) && Grants(System, READ, READ));
    ((PULONG)&Ace->SidStart)[2] = 0x4000; /* the same level */
    Ace->Mask = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP;
    FvCheck(Grants(System, WRITE, WRITE));
}

static VOID CheckValid(VOID)
{
    UCHAR Buffer[128];
    ULONG Length = sizeof(Buffer);
    ACCESS_STATE State = {0};
    struct {
        PVOID PrivilegesUsed;
        GENERIC_MAPPING Mapping;
    } Aux = {0};

    SetDacl(NewAcl(AclBuffer, 8));
    RtlAbsoluteToSelfRelativeSD(&Descriptor, Buffer, &Length);
    FvCheck(SeValidSecurityDescriptor(Length, Buffer) && !SeValidSecurityDescriptor(Length - 4, Buffer));
    State.AuxData = &Aux;
    SeSetAccessStateGenericMapping(&State, &Mapping);
    FvCheck(RtlEqualMemory(&Aux.Mapping, &Mapping, sizeof(Mapping)));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    PVOID Half;

    UNREFERENCED_PARAMETER(DriverObject);
    FvTestPlan(110);
    System = PsReferencePrimaryToken(PsGetCurrentProcess());
    Plain = Filter(System, 0x1 /* DISABLE_MAX_PRIVILEGE */, NULL, NULL);
    Half = Filter(Plain, 0, SeExports->SeAliasAdminsSid, NULL);
    Limited = Filter(Half, 0, SeExports->SeLocalSystemSid, NULL);
    ObDereferenceObject(Half);
    CheckModesAndLists();
    CheckEntries();
    CheckDenyOnly();
    CheckOwner();
    CheckPrivileges();
    CheckRestricted();
    CheckLabels();
    CheckValid();
    ObDereferenceObject(Limited);
    ObDereferenceObject(Plain);
    PsDereferencePrimaryToken(System);
    return STATUS_SUCCESS;
}
