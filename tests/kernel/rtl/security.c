// SPDX-License-Identifier: GPL-2.0-or-later
/* Identifiers, access control lists, security descriptors of both formats. */
#include <ntifs.h>

#include <fltvm.h>

NTSYSAPI BOOLEAN NTAPI RtlValidAcl(PACL Acl);
NTSYSAPI BOOLEAN NTAPI RtlFirstFreeAce(PACL Acl, PVOID *FirstFree);
NTSYSAPI NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG Revision, ACCESS_MASK AccessMask, PSID Sid);
NTSYSAPI NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG Revision, ULONG Flags, ACCESS_MASK AccessMask,
                                                PSID Sid);
NTSYSAPI NTSTATUS NTAPI RtlSetSaclSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Present, PACL Sacl,
                                                     BOOLEAN Defaulted);
NTSYSAPI NTSTATUS NTAPI RtlGetControlSecurityDescriptor(PSECURITY_DESCRIPTOR Descriptor,
                                                        PSECURITY_DESCRIPTOR_CONTROL Control, PULONG Revision);

static SID_IDENTIFIER_AUTHORITY NtAuthority = {{0, 0, 0, 0, 0, 5}};
static ULONG UserBuffer[17], OtherBuffer[17];
static PSID User = UserBuffer, Other = OtherBuffer;

static BOOLEAN Reads(PSID Sid, PCWSTR Expected)
{
    UNICODE_STRING Text, Wanted;
    BOOLEAN Same;

    RtlInitUnicodeString(&Wanted, Expected);
    if (RtlConvertSidToUnicodeString(&Text, Sid, TRUE) != STATUS_SUCCESS)
        return FALSE;
    Same = RtlEqualUnicodeString(&Text, &Wanted, FALSE) && Text.MaximumLength == Text.Length + sizeof(WCHAR) &&
           Text.Buffer[Text.Length / sizeof(WCHAR)] == 0;
    RtlFreeUnicodeString(&Text);
    return Same;
}

static VOID CheckSids(VOID)
{
    SID_IDENTIFIER_AUTHORITY Decimal = {{0, 0, 0, 4, 0x4C, 0x88}}, Hexadecimal = {{0, 0x28, 0x65, 0x1F, 0xE8, 0x48}};
    ULONG Copy[17];

    FvCheck(RtlLengthRequiredSid(0) == 8 && RtlLengthRequiredSid(5) == 28);
    FvCheck(RtlInitializeSid(User, &NtAuthority, 16) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlInitializeSid(User, &NtAuthority, 15) == STATUS_SUCCESS && RtlLengthSid(User) == 68);
    FvCheck(RtlInitializeSid(User, &NtAuthority, 2) == STATUS_SUCCESS && RtlLengthSid(User) == 16);
    *RtlSubAuthoritySid(User, 0) = 32;
    *RtlSubAuthoritySid(User, 1) = 545;
    FvCheck(UserBuffer[2] == 32 && UserBuffer[3] == 545 && *RtlSubAuthorityCountSid(User) == 2);
    FvCheck(RtlIdentifierAuthoritySid(User)->Value[5] == 5 && RtlIdentifierAuthoritySid(User)->Value[0] == 0);
    FvCheck(RtlValidSid(User));
    FvCheck(!RtlValidSid(NULL));
    ((PISID)User)->Revision = 2;
    FvCheck(!RtlValidSid(User));
    ((PISID)User)->Revision = 1;
    ((PISID)User)->SubAuthorityCount = 16;
    FvCheck(!RtlValidSid(User));
    ((PISID)User)->SubAuthorityCount = 2;
    FvCheck(RtlCopySid(15, Other, User) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(RtlCopySid(16, Other, User) == STATUS_SUCCESS && RtlEqualSid(User, Other));
    *RtlSubAuthoritySid(Other, 1) = 544;
    FvCheck(!RtlEqualSid(User, Other) && RtlEqualPrefixSid(User, Other));
    *RtlSubAuthoritySid(Other, 0) = 33;
    FvCheck(!RtlEqualPrefixSid(User, Other));
    RtlCopySid(16, Other, User);
    ((PISID)Other)->SubAuthorityCount = 1;
    FvCheck(!RtlEqualSid(User, Other) && !RtlEqualPrefixSid(User, Other));
    RtlCopySid(16, Other, User);
    *RtlSubAuthoritySid(Other, 1) = 544;
    FvCheck(Reads(User, L"S-1-5-32-545"));

    /* The documentation's own two examples, and the border between them. */
    RtlInitializeSid(Copy, &Decimal, 4);
    *RtlSubAuthoritySid(Copy, 0) = 12, *RtlSubAuthoritySid(Copy, 1) = 72, *RtlSubAuthoritySid(Copy, 2) = 9;
    *RtlSubAuthoritySid(Copy, 3) = 110;
    FvCheck(Reads(Copy, L"S-1-281736-12-72-9-110"));
    *RtlIdentifierAuthoritySid(Copy) = Hexadecimal;
    FvCheck(Reads(Copy, L"S-1-0x28651FE848-12-72-9-110"));
    RtlInitializeSid(Copy, &Hexadecimal, 15);
    for (ULONG Index = 0; Index < 15; Index++)
        *RtlSubAuthoritySid(Copy, Index) = MAXULONG;
    FvCheck(Reads(Copy,
                  L"S-1-0x28651FE848-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
                  L"4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295"));
}

static VOID CheckSidText(VOID)
{
    WCHAR Buffer[13] = L"#############";
    UNICODE_STRING Text = {4, 22, Buffer};

    FvCheck(RtlConvertSidToUnicodeString(&Text, User, FALSE) == STATUS_BUFFER_OVERFLOW && Buffer[0] == L'#');
    Text.MaximumLength = 24; /* the text, and no terminator */
    FvCheck(RtlConvertSidToUnicodeString(&Text, User, FALSE) == STATUS_SUCCESS && Text.Length == 24 &&
            Text.MaximumLength == 24 && Buffer[11] == L'5' && Buffer[12] == L'#');
    ((PISID)User)->Revision = 0;
    FvCheck(RtlConvertSidToUnicodeString(&Text, User, FALSE) == STATUS_INVALID_SID);
    FvCheck(RtlConvertSidToUnicodeString(&Text, User, TRUE) == STATUS_INVALID_SID);
    ((PISID)User)->Revision = 1;
}

static VOID CheckAcl(VOID)
{
    ULONG Buffer[32], Spare[32];
    PACL Acl = (PACL)Buffer;
    PACCESS_ALLOWED_ACE Ace = NULL;
    PVOID Free;

    FvCheck(RtlCreateAcl(Acl, 7, ACL_REVISION) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(RtlCreateAcl(Acl, 64, 1) == STATUS_INVALID_PARAMETER &&
            RtlCreateAcl(Acl, 64, 5) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlCreateAcl(Acl, 0x10000, ACL_REVISION) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlCreateAcl(Acl, 64, ACL_REVISION_DS) == STATUS_SUCCESS && Acl->AclRevision == 4);
    FvCheck(RtlCreateAcl(Acl, 8 + 24 + 24, ACL_REVISION) == STATUS_SUCCESS && Acl->AceCount == 0 && RtlValidAcl(Acl));
    FvCheck(RtlGetAce(Acl, 0, (PVOID *)&Ace) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_READ_DATA, User) == STATUS_SUCCESS && Acl->AceCount == 1);
    FvCheck(RtlAddAccessAllowedAceEx(Acl, ACL_REVISION, 0x20, 1, User) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlAddAccessAllowedAceEx(Acl, 1, 0, 1, User) == STATUS_REVISION_MISMATCH);
    FvCheck(RtlAddAccessAllowedAce(Acl, 5, 1, User) == STATUS_REVISION_MISMATCH);
    FvCheck(RtlFirstFreeAce(Acl, &Free) && Free == (PUCHAR)Acl + 8 + 24);
    FvCheck(RtlAddAccessAllowedAceEx(Acl, ACL_REVISION_DS, CONTAINER_INHERIT_ACE, FILE_WRITE_DATA, Other) ==
            STATUS_SUCCESS);
    FvCheck(Acl->AclRevision == ACL_REVISION_DS && RtlFirstFreeAce(Acl, &Free) && Free == NULL);
    FvCheck(RtlAddAccessAllowedAce(Acl, ACL_REVISION, 1, User) == STATUS_ALLOTTED_SPACE_EXCEEDED);
    FvCheck(RtlGetAce(Acl, 1, (PVOID *)&Ace) == STATUS_SUCCESS && Ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            Ace->Header.AceFlags == CONTAINER_INHERIT_ACE && Ace->Header.AceSize == 24 &&
            Ace->Mask == FILE_WRITE_DATA && RtlEqualSid(&Ace->SidStart, Other));
    FvCheck(RtlGetAce(Acl, 2, (PVOID *)&Ace) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlDeleteAce(Acl, 2) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlDeleteAce(Acl, 0) == STATUS_SUCCESS && Acl->AceCount == 1 &&
            RtlGetAce(Acl, 0, (PVOID *)&Ace) == STATUS_SUCCESS && RtlEqualSid(&Ace->SidStart, Other));

    /* In front, behind, and what does not fit. */
    RtlCreateAcl((PACL)Spare, 56, ACL_REVISION);
    FvCheck(RtlAddAccessDeniedAce((PACL)Spare, ACL_REVISION, DELETE, User) == STATUS_SUCCESS);
    FvCheck(RtlAddAccessDeniedAceEx((PACL)Spare, ACL_REVISION, INHERITED_ACE, 1, Other) == STATUS_SUCCESS);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, 0, (PUCHAR)Spare + 8, 24) == STATUS_SUCCESS && Acl->AceCount == 2);
    FvCheck(RtlGetAce(Acl, 0, (PVOID *)&Ace) == STATUS_SUCCESS && Ace->Header.AceType == ACCESS_DENIED_ACE_TYPE &&
            RtlEqualSid(&Ace->SidStart, User));
    FvCheck(RtlAddAce(Acl, ACL_REVISION, MAXULONG, (PUCHAR)Spare + 8, 24) == STATUS_BUFFER_TOO_SMALL);
    RtlDeleteAce(Acl, 0);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, MAXULONG, (PUCHAR)Spare + 8, 48) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, MAXULONG, (PUCHAR)Spare + 32, 24) == STATUS_SUCCESS &&
            RtlGetAce(Acl, 1, (PVOID *)&Ace) == STATUS_SUCCESS && Ace->Header.AceFlags == INHERITED_ACE);
    FvCheck(RtlAddAce(Acl, 5, 0, (PUCHAR)Spare + 8, 24) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, 0, (PUCHAR)Spare + 8, 23) == STATUS_INVALID_PARAMETER);
    ((PACE_HEADER)(Spare + 2))->AceType = ACCESS_ALLOWED_OBJECT_ACE_TYPE;
    RtlDeleteAce(Acl, 0);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, 0, Spare + 2, 24) == STATUS_INVALID_PARAMETER);
    FvCheck(RtlAddAce(Acl, ACL_REVISION_DS, 0, Spare + 2, 24) == STATUS_SUCCESS);
}

/* Lists that lie about themselves. */
static VOID CheckBadAcl(VOID)
{
    ULONG Buffer[32];
    PACL Acl = (PACL)Buffer;
    PACE_HEADER First = (PACE_HEADER)(Acl + 1);
    PVOID Free;

    RtlCreateAcl(Acl, sizeof(Buffer), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, 1, User);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, 1, Other);
    FvCheck(RtlValidAcl(Acl));
    First->AceSize = 0;
    FvCheck(!RtlValidAcl(Acl) && RtlAddAccessAllowedAce(Acl, ACL_REVISION, 1, User) == STATUS_INVALID_ACL);
    FvCheck(RtlAddAce(Acl, ACL_REVISION, 0, First, 24) == STATUS_INVALID_PARAMETER && !RtlFirstFreeAce(Acl, &Free));
    First->AceSize = 0xFFFC;
    FvCheck(!RtlValidAcl(Acl) && RtlGetAce(Acl, 1, &Free) == STATUS_INVALID_PARAMETER);
    First->AceSize = 22;
    FvCheck(!RtlValidAcl(Acl));
    First->AceSize = 20; /* shorter than its identifier */
    FvCheck(!RtlValidAcl(Acl));
    First->AceSize = 24;
    Acl->AceCount = 3;
    FvCheck(!RtlValidAcl(Acl));
    Acl->AceCount = 2;
    Acl->AclSize = 50;
    FvCheck(!RtlValidAcl(Acl) && RtlDeleteAce(Acl, 0) == STATUS_INVALID_PARAMETER);
    Acl->AclSize = 56;
    Acl->AclRevision = 1;
    FvCheck(!RtlValidAcl(Acl));
    FvCheck(RtlAddAccessAllowedAce(Acl, ACL_REVISION, 1, NULL) == STATUS_INVALID_SID);
}

static VOID CheckAbsolute(PISECURITY_DESCRIPTOR Descriptor, PACL Acl)
{
    SECURITY_DESCRIPTOR_CONTROL Control;
    BOOLEAN Present = 9, Defaulted = 9;
    PACL List = (PACL)1;
    PSID Sid = NULL;
    ULONG Revision;

    FvCheck(RtlCreateSecurityDescriptor(Descriptor, 2) == STATUS_UNKNOWN_REVISION);
    FvCheck(RtlCreateSecurityDescriptor(Descriptor, SECURITY_DESCRIPTOR_REVISION) == STATUS_SUCCESS &&
            Descriptor->Revision == 1 && Descriptor->Control == 0 && RtlValidSecurityDescriptor(Descriptor));
    FvCheck(RtlLengthSecurityDescriptor(Descriptor) == sizeof(SECURITY_DESCRIPTOR));
    FvCheck(RtlGetDaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_SUCCESS && !Present &&
            List == (PACL)1 && Defaulted == 9);
    FvCheck(RtlGetOwnerSecurityDescriptor(Descriptor, &Sid, &Defaulted) == STATUS_SUCCESS && Sid == NULL && !Defaulted);
    FvCheck(RtlSetOwnerSecurityDescriptor(Descriptor, User, TRUE) == STATUS_SUCCESS &&
            RtlGetOwnerSecurityDescriptor(Descriptor, &Sid, &Defaulted) == STATUS_SUCCESS && Sid == User &&
            Defaulted == TRUE);
    FvCheck(RtlSetOwnerSecurityDescriptor(Descriptor, User, FALSE) == STATUS_SUCCESS && Descriptor->Control == 0);
    FvCheck(RtlSetGroupSecurityDescriptor(Descriptor, Other, TRUE) == STATUS_SUCCESS &&
            RtlGetGroupSecurityDescriptor(Descriptor, &Sid, &Defaulted) == STATUS_SUCCESS && Sid == Other &&
            Defaulted == TRUE);
    FvCheck(RtlSetDaclSecurityDescriptor(Descriptor, TRUE, Acl, TRUE) == STATUS_SUCCESS && Descriptor->Dacl == Acl &&
            Descriptor->Control == (SE_DACL_PRESENT | SE_DACL_DEFAULTED | SE_GROUP_DEFAULTED));
    FvCheck(RtlGetDaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_SUCCESS && Present &&
            List == Acl && Defaulted == TRUE);
    FvCheck(RtlSetDaclSecurityDescriptor(Descriptor, FALSE, NULL, FALSE) == STATUS_SUCCESS &&
            (Descriptor->Control & SE_DACL_PRESENT) == 0);
    FvCheck(RtlSetDaclSecurityDescriptor(Descriptor, TRUE, NULL, FALSE) == STATUS_SUCCESS &&
            RtlGetDaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_SUCCESS && Present &&
            List == NULL && !Defaulted);
    RtlSetDaclSecurityDescriptor(Descriptor, TRUE, Acl, FALSE);
    FvCheck(RtlSetSaclSecurityDescriptor(Descriptor, TRUE, Acl, TRUE) == STATUS_SUCCESS &&
            RtlGetSaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_SUCCESS && Present &&
            List == Acl && Defaulted == TRUE);
    FvCheck(RtlSetSaclSecurityDescriptor(Descriptor, FALSE, NULL, FALSE) == STATUS_SUCCESS &&
            RtlGetSaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_SUCCESS && !Present);
    FvCheck(RtlGetControlSecurityDescriptor(Descriptor, &Control, &Revision) == STATUS_SUCCESS && Revision == 1 &&
            Control == Descriptor->Control);
    FvCheck(RtlLengthSecurityDescriptor(Descriptor) == sizeof(SECURITY_DESCRIPTOR) + 16 + 16 + Acl->AclSize);
    Descriptor->Revision = 2;
    FvCheck(!RtlValidSecurityDescriptor(Descriptor) &&
            RtlSetOwnerSecurityDescriptor(Descriptor, NULL, FALSE) == STATUS_UNKNOWN_REVISION &&
            RtlSetGroupSecurityDescriptor(Descriptor, NULL, FALSE) == STATUS_UNKNOWN_REVISION &&
            RtlSetDaclSecurityDescriptor(Descriptor, TRUE, NULL, FALSE) == STATUS_UNKNOWN_REVISION &&
            RtlSetDaclSecurityDescriptor(Descriptor, FALSE, NULL, FALSE) == STATUS_UNKNOWN_REVISION &&
            RtlSetSaclSecurityDescriptor(Descriptor, TRUE, NULL, FALSE) == STATUS_UNKNOWN_REVISION);
    FvCheck(RtlGetOwnerSecurityDescriptor(Descriptor, &Sid, &Defaulted) == STATUS_UNKNOWN_REVISION &&
            RtlGetGroupSecurityDescriptor(Descriptor, &Sid, &Defaulted) == STATUS_UNKNOWN_REVISION &&
            RtlGetDaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_UNKNOWN_REVISION &&
            RtlGetSaclSecurityDescriptor(Descriptor, &Present, &List, &Defaulted) == STATUS_UNKNOWN_REVISION &&
            RtlGetControlSecurityDescriptor(Descriptor, &Control, &Revision) == STATUS_UNKNOWN_REVISION &&
            Revision == 2);
    Descriptor->Revision = 1;
}

static VOID CheckRelative(PISECURITY_DESCRIPTOR Absolute, PACL Acl)
{
    ULONG Buffer[64], Length = 0, AclBuffer[32], OwnerBuffer[8], GroupBuffer[8];
    ULONG Sizes[5] = {sizeof(SECURITY_DESCRIPTOR), 0, 0, 0, 0};
    SECURITY_DESCRIPTOR Back;
    PISECURITY_DESCRIPTOR_RELATIVE Relative = (PVOID)Buffer;
    const ULONG All = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    BOOLEAN Defaulted;
    PSID Sid;

    FvCheck(RtlCreateSecurityDescriptorRelative(Relative, 0) == STATUS_UNKNOWN_REVISION);
    FvCheck(RtlCreateSecurityDescriptorRelative(Relative, 1) == STATUS_SUCCESS &&
            Relative->Control == SE_SELF_RELATIVE);
    FvCheck(RtlSetOwnerSecurityDescriptor(Relative, User, FALSE) == STATUS_INVALID_SECURITY_DESCR &&
            RtlSetGroupSecurityDescriptor(Relative, User, FALSE) == STATUS_INVALID_SECURITY_DESCR &&
            RtlSetDaclSecurityDescriptor(Relative, TRUE, Acl, FALSE) == STATUS_INVALID_SECURITY_DESCR);
    FvCheck(RtlAbsoluteToSelfRelativeSD(Absolute, NULL, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length == 20 + 16 + 16 + Acl->AclSize);
    FvCheck(RtlAbsoluteToSelfRelativeSD(Absolute, Relative, &Length) == STATUS_SUCCESS &&
            RtlLengthSecurityDescriptor(Relative) == Length);
    FvCheck(RtlAbsoluteToSelfRelativeSD(Relative, Buffer, &Length) == STATUS_BAD_DESCRIPTOR_FORMAT);
    FvCheck(RtlGetOwnerSecurityDescriptor(Relative, &Sid, &Defaulted) == STATUS_SUCCESS && RtlEqualSid(Sid, User) &&
            (PUCHAR)Sid > (PUCHAR)Buffer && (PUCHAR)Sid < (PUCHAR)Buffer + Length);
    FvCheck(RtlValidSecurityDescriptor(Relative) && RtlValidRelativeSecurityDescriptor(Relative, Length, All));
    FvCheck(!RtlValidRelativeSecurityDescriptor(Relative, Length - 1, 0) &&
            !RtlValidRelativeSecurityDescriptor(Relative, 19, 0));
    FvCheck(!RtlValidRelativeSecurityDescriptor(Absolute, sizeof(*Absolute), 0));
    FvCheck(!RtlValidRelativeSecurityDescriptor(Relative, Length, SACL_SECURITY_INFORMATION));
    Relative->Dacl += 2;
    FvCheck(!RtlValidRelativeSecurityDescriptor(Relative, Length, 0));
    Relative->Dacl = 0x7FFFFFFC;
    FvCheck(!RtlValidRelativeSecurityDescriptor(Relative, Length, 0));
    RtlAbsoluteToSelfRelativeSD(Absolute, Relative, &Length);
    Sid = (PUCHAR)Relative + Relative->Owner;
    FvCheck(RtlSelfRelativeToAbsoluteSD(Absolute, &Back, Sizes, NULL, Sizes + 1, NULL, Sizes + 2, NULL, Sizes + 3, NULL,
                                        Sizes + 4) == STATUS_BAD_DESCRIPTOR_FORMAT);
    FvCheck(RtlSelfRelativeToAbsoluteSD(Relative, &Back, Sizes, NULL, Sizes + 1, NULL, Sizes + 2, NULL, Sizes + 3, NULL,
                                        Sizes + 4) == STATUS_BUFFER_TOO_SMALL &&
            Sizes[0] == sizeof(Back) && Sizes[1] == Acl->AclSize && Sizes[2] == 0 && Sizes[3] == 16 && Sizes[4] == 16);
    FvCheck(RtlSelfRelativeToAbsoluteSD(Relative, &Back, Sizes, (PACL)AclBuffer, Sizes + 1, NULL, Sizes + 2,
                                        OwnerBuffer, Sizes + 3, GroupBuffer, Sizes + 4) == STATUS_SUCCESS &&
            Back.Control == Absolute->Control && Back.Dacl == (PACL)AclBuffer && Back.Owner == OwnerBuffer &&
            Back.Group == GroupBuffer && Back.Sacl == NULL);
    FvCheck(RtlEqualSid(Back.Owner, User) && RtlEqualSid(Back.Group, Other) &&
            RtlEqualMemory(AclBuffer, Acl, Acl->AclSize));
    Relative->Owner = 0;
    FvCheck(RtlValidRelativeSecurityDescriptor(Relative, Length, GROUP_SECURITY_INFORMATION) &&
            !RtlValidRelativeSecurityDescriptor(Relative, Length, OWNER_SECURITY_INFORMATION));
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    SECURITY_DESCRIPTOR Descriptor;
    ULONG Buffer[16];
    KIRQL Irql;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(100);
    CheckSids();
    CheckSidText();
    CheckAcl();
    CheckBadAcl();
    RtlCreateAcl((PACL)Buffer, sizeof(Buffer), ACL_REVISION);
    RtlAddAccessAllowedAce((PACL)Buffer, ACL_REVISION, GENERIC_READ, User);
    CheckAbsolute(&Descriptor, (PACL)Buffer);
    CheckRelative(&Descriptor, (PACL)Buffer);
    KeRaiseIrql(HIGH_LEVEL, &Irql); /* RtlEqualSid says: any */
    FvCheck(RtlEqualSid(User, User));
    KeLowerIrql(Irql);
    KeRaiseIrql(APC_LEVEL, &Irql);
    FvCheck(RtlValidSid(User) && RtlLengthSid(User) == 16 && RtlValidAcl((PACL)Buffer));
    KeLowerIrql(Irql);
    return STATUS_SUCCESS;
}
