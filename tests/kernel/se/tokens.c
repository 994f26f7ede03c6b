// SPDX-License-Identifier: GPL-2.0-or-later
/* What tokens tell and take: queries, copies, handles, subject and client contexts. */
#include <ntifs.h>

#include <fltvm.h>

NTSYSAPI NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE Process, ACCESS_MASK Access, ULONG Attributes, PHANDLE Token);
NTSYSAPI NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE Thread, ACCESS_MASK Access, BOOLEAN AsSelf, ULONG Attributes,
                                            PHANDLE Token);
NTKERNELAPI VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT Subject);

NTSYSAPI BOOLEAN NTAPI RtlValidAcl(PACL Acl);

static HANDLE Handle;

static PVOID Query(PACCESS_TOKEN Token, TOKEN_INFORMATION_CLASS Class)
{
    PVOID Result = NULL;

    FvCheck(SeQueryInformationToken(Token, Class, &Result) == STATUS_SUCCESS);
    return Result;
}

static VOID CheckQueries(PACCESS_TOKEN Token)
{
    PTOKEN_USER User = Query(Token, TokenUser);
    PTOKEN_GROUPS Groups = Query(Token, TokenGroups);
    PTOKEN_PRIVILEGES Privileges = Query(Token, TokenPrivileges);
    PTOKEN_OWNER Owner = Query(Token, TokenOwner);
    PTOKEN_PRIMARY_GROUP Group = Query(Token, TokenPrimaryGroup);
    PTOKEN_DEFAULT_DACL Dacl = Query(Token, TokenDefaultDacl);
    PTOKEN_STATISTICS Statistics = Query(Token, TokenStatistics);
    PTOKEN_SOURCE Source = Query(Token, TokenSource);
    PTOKEN_TYPE Type = Query(Token, TokenType);
    PVOID None = NULL;
    LUID Id;

    FvCheck(RtlEqualSid(User->User.Sid, SeExports->SeLocalSystemSid) && User->User.Attributes == 0);
    FvCheck(Groups->GroupCount == 4 && RtlEqualSid(Groups->Groups[0].Sid, SeExports->SeAliasAdminsSid) &&
            (Groups->Groups[0].Attributes & (SE_GROUP_ENABLED | SE_GROUP_OWNER)) ==
                (SE_GROUP_ENABLED | SE_GROUP_OWNER) &&
            RtlEqualSid((Groups->Groups + 1)->Sid, SeExports->SeWorldSid));
    FvCheck(Privileges->PrivilegeCount == 35 && Privileges->Privileges[0].Luid.LowPart == SE_CREATE_TOKEN_PRIVILEGE &&
            (Privileges->Privileges[0].Attributes & SE_PRIVILEGE_ENABLED) != 0);
    FvCheck(RtlEqualSid(Owner->Owner, SeExports->SeAliasAdminsSid) &&
            RtlEqualSid(Group->PrimaryGroup, SeExports->SeLocalSystemSid));
    FvCheck(RtlValidAcl(Dacl->DefaultDacl) && Dacl->DefaultDacl->AceCount == 2);
    SeQueryAuthenticationIdToken(Token, &Id);
    FvCheck(RtlEqualLuid(&Statistics->AuthenticationId, &Id) && Statistics->GroupCount == 4 &&
            Statistics->PrivilegeCount == 35 && Statistics->TokenType == TokenPrimary);
    FvCheck(RtlEqualMemory(Source->SourceName, "*SYSTEM*", 8) && *Type == TokenPrimary);
    FvCheck((ULONG)(ULONG_PTR)Query(Token, TokenSessionId) == 0 &&
            (ULONG)(ULONG_PTR)Query(Token, TokenIntegrityLevel) == 0x4000);
    FvCheck(SeQueryInformationToken(Token, TokenImpersonationLevel, &None) == STATUS_INVALID_INFO_CLASS);
    FvCheck(SeQueryInformationToken(Token, (TOKEN_INFORMATION_CLASS)999, &None) == STATUS_INVALID_INFO_CLASS &&
            None == NULL);
    ExFreePool(User), ExFreePool(Groups), ExFreePool(Privileges), ExFreePool(Owner), ExFreePool(Group),
        ExFreePool(Dacl);
    ExFreePool(Statistics), ExFreePool(Source), ExFreePool(Type);
}

static VOID CheckHandles(VOID)
{
    UCHAR Buffer[256];
    PTOKEN_USER User = (PTOKEN_USER)Buffer;
    PTOKEN_MANDATORY_LABEL Label = (PTOKEN_MANDATORY_LABEL)Buffer;
    ULONG Length = 0, Value;
    HANDLE Thread;

    FvCheck(ZwOpenProcessTokenEx(ZwCurrentProcess(), TOKEN_ALL_ACCESS, OBJ_KERNEL_HANDLE, &Handle) == STATUS_SUCCESS &&
            ObIsKernelHandle(Handle));
    FvCheck(ZwOpenProcessTokenEx(ZwCurrentThread(), TOKEN_QUERY, OBJ_KERNEL_HANDLE, &Thread) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(ZwOpenThreadTokenEx(ZwCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &Thread) == STATUS_NO_TOKEN);
    FvCheck(ZwQueryInformationToken(Handle, TokenUser, NULL, 0, &Length) == STATUS_BUFFER_TOO_SMALL &&
            Length == 16 + 12);
    FvCheck(ZwQueryInformationToken(Handle, TokenUser, Buffer, Length - 1, &Length) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(ZwQueryInformationToken(Handle, TokenUser, Buffer, Length, &Length) == STATUS_SUCCESS &&
            User->User.Sid == Buffer + 16 && RtlEqualSid(User->User.Sid, SeExports->SeLocalSystemSid));
    FvCheck(ZwQueryInformationToken(Handle, TokenIntegrityLevel, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            RtlEqualSid(Label->Label.Sid, SeExports->SeSystemMandatorySid));
    FvCheck(ZwQueryInformationToken(Handle, TokenElevation, &Value, sizeof(Value), &Length) == STATUS_SUCCESS &&
            Value == 1 && Length == 4);
    FvCheck(ZwQueryInformationToken(Handle, TokenHasRestrictions, &Value, sizeof(Value), &Length) == STATUS_SUCCESS &&
            Value == 0);
    FvCheck(ZwQueryInformationToken(Handle, TokenRestrictedSids, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            ((PTOKEN_GROUPS)Buffer)->GroupCount == 0);
    FvCheck(ZwQueryInformationToken(Handle, (TOKEN_INFORMATION_CLASS)0, Buffer, sizeof(Buffer), &Length) ==
            STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwQueryInformationToken((HANDLE)0x7FFC, TokenUser, Buffer, sizeof(Buffer), &Length) ==
            STATUS_INVALID_HANDLE);
}

static NTSTATUS Duplicate(HANDLE From, TOKEN_TYPE Type, LONG Level, BOOLEAN EffectiveOnly, PHANDLE New)
{
    SECURITY_QUALITY_OF_SERVICE Qos = {sizeof(Qos), (SECURITY_IMPERSONATION_LEVEL)Level, SECURITY_STATIC_TRACKING,
                                       FALSE};
    OBJECT_ATTRIBUTES Attributes;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Attributes.SecurityQualityOfService = Level < 0 ? NULL : &Qos;
    return ZwDuplicateToken(From, 0, &Attributes, EffectiveOnly, Type, New);
}

static LONG LevelOf(HANDLE Token)
{
    ULONG Length, Level = 99;

    return NT_SUCCESS(ZwQueryInformationToken(Token, TokenImpersonationLevel, &Level, sizeof(Level), &Length))
               ? (LONG)Level
               : -1;
}

static VOID CheckDuplicates(VOID)
{
    HANDLE Copy, Identifying, Primary, None;

    FvCheck(Duplicate(Handle, TokenImpersonation, -1, FALSE, &Copy) == STATUS_SUCCESS &&
            LevelOf(Copy) == SecurityImpersonation);
    FvCheck(Duplicate(Copy, TokenImpersonation, SecurityDelegation, FALSE, &None) == STATUS_BAD_IMPERSONATION_LEVEL);
    FvCheck(Duplicate(Copy, TokenImpersonation, SecurityIdentification, FALSE, &Identifying) == STATUS_SUCCESS &&
            LevelOf(Identifying) == SecurityIdentification);
    FvCheck(Duplicate(Identifying, TokenPrimary, -1, FALSE, &None) == STATUS_BAD_IMPERSONATION_LEVEL);
    FvCheck(Duplicate(Copy, TokenPrimary, -1, TRUE, &Primary) == STATUS_SUCCESS && LevelOf(Primary) == -1);
    FvCheck(Duplicate(Copy, (TOKEN_TYPE)3, -1, FALSE, &None) == STATUS_INVALID_PARAMETER);
    FvCheck(Duplicate(Copy, TokenImpersonation, 4, FALSE, &None) == STATUS_INVALID_PARAMETER);
    FvCheck(Duplicate((HANDLE)0x7FFC, TokenPrimary, -1, FALSE, &None) == STATUS_INVALID_HANDLE);
    ZwClose(Copy), ZwClose(Identifying), ZwClose(Primary);
}

static VOID CheckSetting(VOID)
{
    HANDLE Copy;
    ULONG Small[4] = {0}, Large[200] = {0}, Length;
    UCHAR Buffer[64];
    TOKEN_OWNER Owner = {SeExports->SeLocalSystemSid};
    TOKEN_PRIMARY_GROUP Group = {SeExports->SeAliasAdminsSid};
    TOKEN_DEFAULT_DACL Dacl = {(PACL)Small};

    FvCheck(Duplicate(Handle, TokenPrimary, -1, FALSE, &Copy) == STATUS_SUCCESS);
    FvCheck(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner)) == STATUS_SUCCESS);
    ZwQueryInformationToken(Copy, TokenOwner, Buffer, sizeof(Buffer), &Length);
    FvCheck(RtlEqualSid(((PTOKEN_OWNER)Buffer)->Owner, SeExports->SeLocalSystemSid));
    Owner.Owner = SeExports->SeWorldSid; /* a group without the attribute */
    FvCheck(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner)) == STATUS_INVALID_OWNER);
    FvCheck(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner) - 1) == STATUS_INFO_LENGTH_MISMATCH);
    Owner.Owner = Large; /* revision 0 */
    FvCheck(ZwSetInformationToken(Copy, TokenOwner, &Owner, sizeof(Owner)) == STATUS_INVALID_SID);
    FvCheck(ZwSetInformationToken(Copy, TokenPrimaryGroup, &Group, sizeof(Group)) == STATUS_SUCCESS);
    ZwQueryInformationToken(Copy, TokenPrimaryGroup, Buffer, sizeof(Buffer), &Length);
    FvCheck(RtlEqualSid(((PTOKEN_PRIMARY_GROUP)Buffer)->PrimaryGroup, SeExports->SeAliasAdminsSid));
    Group.PrimaryGroup = SeExports->SeLocalServiceSid;
    FvCheck(ZwSetInformationToken(Copy, TokenPrimaryGroup, &Group, sizeof(Group)) == STATUS_INVALID_PRIMARY_GROUP);
    RtlCreateAcl((PACL)Small, sizeof(Small), ACL_REVISION);
    FvCheck(ZwSetInformationToken(Copy, TokenDefaultDacl, &Dacl, sizeof(Dacl)) == STATUS_SUCCESS);
    ZwQueryInformationToken(Copy, TokenDefaultDacl, Buffer, sizeof(Buffer), &Length);
    FvCheck(((PTOKEN_DEFAULT_DACL)Buffer)->DefaultDacl->AceCount == 0);
    RtlCreateAcl((PACL)Large, sizeof(Large), ACL_REVISION);
    Dacl.DefaultDacl = (PACL)Large;
    FvCheck(ZwSetInformationToken(Copy, TokenDefaultDacl, &Dacl, sizeof(Dacl)) == STATUS_ALLOTTED_SPACE_EXCEEDED);
    FvCheck(ZwSetInformationToken(Copy, TokenUser, &Owner, sizeof(Owner)) == STATUS_INVALID_INFO_CLASS);
    FvCheck(ZwSetInformationToken((HANDLE)0x7FFC, TokenOwner, &Owner, sizeof(Owner)) == STATUS_INVALID_HANDLE);
    FvCheck(ZwSetInformationToken(ZwCurrentProcess(), TokenOwner, &Owner, sizeof(Owner)) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(Copy);
}

static VOID CheckClients(PACCESS_TOKEN Token)
{
    SECURITY_QUALITY_OF_SERVICE Qos = {sizeof(Qos), SecurityImpersonation, SECURITY_DYNAMIC_TRACKING, FALSE};
    SECURITY_SUBJECT_CONTEXT Subject, Other;
    SECURITY_CLIENT_CONTEXT Client, Copied;
    HANDLE Thread;

    SeCaptureSubjectContextEx(NULL, PsGetCurrentProcess(), &Subject);
    FvCheck(Subject.ClientToken == NULL && Subject.PrimaryToken == Token &&
            SeQuerySubjectContextToken(&Subject) == Token);
    FvCheck(SeCreateClientSecurityFromSubjectContext(&Subject, &Qos, FALSE, &Client) == STATUS_SUCCESS &&
            Client.ClientToken == Token && Client.DirectlyAccessClientToken);
    SeDeleteClientSecurity(&Client);
    Qos.ContextTrackingMode = SECURITY_STATIC_TRACKING;
    Qos.ImpersonationLevel = SecurityIdentification;
    FvCheck(SeCreateClientSecurityFromSubjectContext(&Subject, &Qos, FALSE, &Client) == STATUS_SUCCESS &&
            Client.ClientToken != Token && SeTokenType(Client.ClientToken) == TokenImpersonation);
    SeReleaseSubjectContext(&Subject);

    /* Whose context it is acts as the client; a client that only identifies cannot be passed on. */
    FvCheck(SeImpersonateClientEx(&Client, NULL) == STATUS_SUCCESS);
    SeCaptureSubjectContextEx(PsGetCurrentThread(), PsGetCurrentProcess(), &Other);
    FvCheck(Other.ClientToken == Client.ClientToken && Other.ImpersonationLevel == SecurityIdentification);
    FvCheck(ZwOpenThreadTokenEx(ZwCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &Thread) == STATUS_SUCCESS &&
            LevelOf(Thread) == SecurityIdentification);
    ZwClose(Thread);
    FvCheck(SeCreateClientSecurityFromSubjectContext(&Other, &Qos, FALSE, &Copied) == STATUS_BAD_IMPERSONATION_LEVEL);
    SeReleaseSubjectContext(&Other);
    PsRevertToSelf();
    PsImpersonateClient(PsGetCurrentThread(), Client.ClientToken, FALSE, FALSE, SecurityAnonymous);
    FvCheck(ZwOpenThreadTokenEx(ZwCurrentThread(), TOKEN_QUERY, TRUE, OBJ_KERNEL_HANDLE, &Thread) ==
            STATUS_CANT_OPEN_ANONYMOUS);
    PsImpersonateClient(PsGetCurrentThread(), Client.ClientToken, FALSE, FALSE, SecurityImpersonation);
    SeCaptureSubjectContext(&Other);
    FvCheck(SeCreateClientSecurityFromSubjectContext(&Other, &Qos, TRUE, &Copied) == STATUS_BAD_IMPERSONATION_LEVEL);
    SeReleaseSubjectContext(&Other);
    PsRevertToSelf();
    SeDeleteClientSecurity(&Client);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsGetCurrentProcess());

    UNREFERENCED_PARAMETER(RegistryPath);
    UNREFERENCED_PARAMETER(DriverObject);
    FvTestPlan(66);
    FvCheck(ObReferenceObjectByPointer(Token, TOKEN_QUERY, *SeTokenObjectType, KernelMode) == STATUS_SUCCESS);
    ObDereferenceObject(Token);
    CheckQueries(Token);
    CheckHandles();
    CheckDuplicates();
    CheckSetting();
    CheckClients(Token);
    ZwClose(Handle);
    PsDereferencePrimaryToken(Token);
    return STATUS_SUCCESS;
}
